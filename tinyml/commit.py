"""Which commit this code is, where it runs from a checkout."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from tinyml import __version__

_ROOT = Path(__file__).resolve().parents[1]


@cache
def version() -> str:
    """The version; from a checkout with its commit, as "0.1.0+g872293f", and ".dirty" where a file is another.

    Once a process: a program that runs while its checkout moves on is what it was when it was first asked.
    """
    commit = _described(_ROOT)
    return f"{__version__}+g{commit}" if commit else __version__


def _described(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    # Without a match no tag is found, so that the commit is told; without locks nothing is written to the checkout.
    words = ("git", "-C", str(root), "describe", "--always", "--abbrev=7", "--dirty=.dirty", "--exclude=*")
    try:
        found = subprocess.run(  # noqa: S603
            words, capture_output=True, text=True, timeout=10, check=True, env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        )
    except (OSError, subprocess.SubprocessError):
        return None  # no git, or it does not trust the folder
    return found.stdout.strip() or None
