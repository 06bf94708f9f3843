"""Temporary files of ours and of other libraries: gone with the work, and those of killed processes with the next."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tinyml.scratch import scratch_in, temporary_folder

HOLDER = """
import sys, time
from tinyml.scratch import temporary_folder
with temporary_folder("held") as folder:
    (folder / "part").write_text("half")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_what_libraries_write_by_the_way_goes_with_the_work(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    with scratch_in(tmp_path):
        left = Path(tempfile.mkdtemp(suffix=".mlpackage"))
        (left / "weights").write_bytes(b"x")
        assert left.is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() == before


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of this process and its children lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_killed_process_leaves_nothing_for_long(place: Path) -> None:
    strangers = [place / "tinyml_notes", place / "tinyml_plan-short", place / "other-abcd1234"]
    for stranger in strangers:
        stranger.mkdir()
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        assert left.parent == place
        with temporary_folder("ours"):
            assert left.exists()  # its process lives
        process.kill()
    assert left.exists()
    with temporary_folder("ours") as folder:
        assert not left.exists()
        (folder / "x").write_text("x")
    assert sorted(place.iterdir()) == sorted(strangers)


def test_a_link_is_not_followed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = tmp_path_factory.mktemp("kept")
    (kept / "photo").write_text("x")
    (place / "tinyml_plan-abcd1234").symlink_to(kept)
    with temporary_folder("ours"):
        pass
    assert (kept / "photo").exists()
