"""The folders are where they are expected, and only `tinyml` is installed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINKED = ("trainer", "export", "bench")


@pytest.mark.parametrize("name", LINKED)
def test_package_links_to_root_folder(name: str) -> None:
    link = ROOT / "tinyml" / name
    assert link.is_symlink()
    assert str(link.readlink()) == f"../{name}"
    assert (link / "__init__.py").is_file()


@pytest.mark.parametrize("name", LINKED)
def test_plain_import_is_refused_in_one_line(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"ImportError: import 'tinyml.{name}', not '{name}'")


def test_wheel_holds_tinyml_only_with_its_data(tmp_path: Path) -> None:
    # A copy of what git tracks, so that build folders of a working tree cannot leak in.
    source = tmp_path / "source"
    source.mkdir()
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-C", ROOT, "--null", "-T", "-", "-cf", tmp_path / "s.tar"], input=files, check=True)
    subprocess.run(["tar", "-C", source, "-xf", tmp_path / "s.tar"], check=True)
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        source,
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tinyml"}
    tracked = [
        name
        for name in files.decode().split("\0")
        if name.startswith(tuple(f"{n}/" for n in LINKED)) and Path(name).suffix != ".pyc"
    ]
    expected = {f"tinyml/{name}" for name in tracked}
    assert expected - set(names) == set()
