"""The Swift package from Python: where it lies, and the compiler if there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "swift_demo"
SYSTEMS = ("ios", "macos")

needs_swift = pytest.mark.skipif(shutil.which("swift") is None, reason="not run: no swift")


def swift(*arguments: str, stubs: str | None = None, folder: str = "Stubs") -> subprocess.CompletedProcess[str]:
    """Runs `swift` in the package; with `stubs` in the build for that system's stand-ins, which lie in `folder`."""
    environment = {**os.environ}
    environment.pop("TINYML_STUBS", None)
    if stubs is not None:
        environment |= {"TINYML_STUBS": stubs, "TINYML_STUBS_FOLDER": folder}
        scratch = f".build-{stubs}" if folder == "Stubs" else f".build-{stubs}-{Path(folder).name}"
        arguments = (*arguments, "--scratch-path", scratch)
    return subprocess.run(
        ["swift", *arguments], cwd=PACKAGE, env=environment, capture_output=True, text=True, timeout=900, check=False
    )


def sources(*folders: str) -> list[Path]:
    """The Swift files below folders of the package, sorted."""
    return sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.swift"))
