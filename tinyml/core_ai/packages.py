"""Apple's two distributions, `coreai-core` and `coreai-torch`, imported without what they say."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator

from tinyml.errors import UnavailableError
from tinyml.quiet import quiet

INSTALL = "pip install 'tinyml-coreml[coreai]'"
"""Wheels are there for Linux with an x86-64 processor and glibc 2.34, and for macOS 26 on Apple silicon."""


def lacking(*modules: str) -> str | None:
    """Which of the modules ("coreai", "coreai_torch") is not installed, in words; None: all are there."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            return f"{'coreai-core' if module == 'coreai' else 'coreai-torch'} is not installed: {INSTALL}"
    return None


@contextlib.contextmanager
def library() -> Iterator[None]:
    """Holds back what Apple's packages say while the block runs; UnavailableError where one is not installed.

    They warn of every torch newer than the one they were tested with, and print a line for each conversion.
    """
    try:
        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="coreai-torch has only been validated")
            yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("coreai", "coreai_torch"):
            raise
        raise UnavailableError("Core AI cannot run here", value=lacking("coreai", "coreai_torch")) from None


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """The process's standard error to nowhere, for the line that the runtime writes past Python when it loads."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
