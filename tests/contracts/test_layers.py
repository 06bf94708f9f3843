"""Each layer imports only those below it, and the top of the command line stays light."""

import subprocess
import sys
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "coremltools", "onnx", "onnxruntime", "numpy", "pydantic", "matplotlib", "rich", "PIL")


def test_layers() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


def test_command_line_imports_nothing_heavy() -> None:
    code = "import sys, tinyml.cli; print(*(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    typer_alone = [sys.executable, "-c", "import sys, typer; print(*(m for m in sys.modules if '.' not in m))"]
    allowed = subprocess.run(typer_alone, capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in loaded
    assert [module for module in HEAVY if module in loaded and module not in allowed] == []


def test_schema_imports_neither_torch_nor_coremltools() -> None:
    code = "import sys, tinyml.schema, tinyml.store, tinyml.workspace; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tinyml.workspace" in loaded
    assert not {"torch", "coremltools", "onnx", "numpy"} & set(loaded)


def test_reading_a_package_imports_neither_torch_nor_an_op() -> None:
    code = "import sys, tinyml.coreml.read.package, tinyml.coreml.read.description; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tinyml.coreml.program.program" in loaded
    assert not {"torch", "coremltools"} & set(loaded)
    rooms = {module.split(".")[2] for module in loaded if module.startswith("tinyml.coreml.")}
    assert rooms == {"program", "read"}


def test_no_architecture_imports_a_compiler() -> None:
    """torch's own takes seconds of every command; a module that is built at import brings it in."""
    code = "import sys, tinyml.trainer.architecture as a; [a.architectures.get(n) for n in a.architectures.names()]"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print('torch._dynamo' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
