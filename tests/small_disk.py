"""A command on a file system of a few megabytes, so that a disk is really full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


def run_on_small_disk(
    script: str, *words: str, folder: Path, megabytes: int, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Runs a shell's `script` with `words` where `folder` is a disk of its own; skips the test where none can be.

    The mount is in a name space of the process's own and goes with it.
    """
    mounted = f"mount -t tmpfs -o size={megabytes}m none {folder} && {script}"
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", mounted, "sh", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no mounts here: " + done.stderr.strip())
    return done
