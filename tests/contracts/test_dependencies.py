import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MODULES = {
    "coreai-core": "coreai",
    "imagecorruptions-imaug": "imagecorruptions",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "scikit-learn": "sklearn",
}
"""The modules that are not called as their distribution."""

INDIRECT = {
    "onnxscript": "torch.onnx.export writes with it",
}
"""What is needed without being imported here."""

BROUGHT = {
    "google": "protobuf, by coremltools and onnx",
    "markupsafe": "by jinja2",
    "pydantic_core": "by pydantic",
    "sympy": "by torch",
    "tqdm": "by coremltools, whose bars are silenced",
}
"""What our own dependencies cannot do without, and we name in types or read."""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ ;\[]", text)[0] for text in requirements}


def imported() -> set[str]:
    found = set()
    for top in ("tinyml", "trainer", "export", "bench"):
        for path in (ROOT / top).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"tinyml"}


def test_what_runs_needs_every_dependency_and_nothing_else() -> None:
    required = names(PROJECT["dependencies"])
    groups = {group: more for group, more in PROJECT["optional-dependencies"].items() if group != "dev"}
    modules = {MODULES.get(name, name.replace("-", "_")) for name in required - set(INDIRECT)}
    optional = {MODULES.get(name, name.replace("-", "_")) for more in groups.values() for name in names(more)}
    used = imported()
    assert modules - used == set(), "only tests use these"
    assert used - modules - optional - set(BROUGHT) == set(), "not declared"
    assert set(INDIRECT) <= required
    assert set(INDIRECT) & used == set()
