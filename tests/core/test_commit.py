"""A record says which commit wrote it: of a real checkout, clean and changed, and of none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tinyml import __version__, commit


def git(root: Path, *words: str) -> str:
    names = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(["git", "-C", str(root), *names, *words], capture_output=True, text=True, check=True).stdout


def test_the_version_names_the_commit_and_whether_a_file_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "_ROOT", tmp_path)

    def version() -> str:
        commit.version.cache_clear()
        return commit.version()

    assert version() == __version__
    git(tmp_path, "init", "-q")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "-q", "-m", "one")
    git(tmp_path, "tag", "v1")
    name = git(tmp_path, "rev-parse", "--short=7", "HEAD").strip()
    assert version() == f"{__version__}+g{name}"
    (tmp_path / "results").write_text("a new file that nobody tracks is no other code")
    assert version() == f"{__version__}+g{name}"
    (tmp_path / "code.py").write_text("2")
    assert version() == f"{__version__}+g{name}.dirty"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version() == __version__
    commit.version.cache_clear()
