"""Whether `torch.compile` can work on this machine, found out before a training's first step rather than in it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import torch
from torch import Tensor

from tinyml.errors import UnavailableError

HINT = "or leave --compile out, or resume with --no-compile what was begun with it"


def check_compiles(device: torch.device) -> None:
    """Raises UnavailableError, with what to do, unless a small function can be compiled for `device` and run there.

    What usually lacks is looked for first; what else may be wrong shows in the trial, which takes some seconds.
    """
    if (lacking := compile_absence(device)) is not None:
        reason, remedy = lacking
    elif (failure := _tried(device)) is not None:
        reason, remedy = failure, None
    else:
        return
    raise UnavailableError(
        "--compile cannot be used here", value=reason, hint=f"{remedy}, {HINT}" if remedy else HINT.removeprefix("or ")
    )


def compile_absence(device: torch.device) -> tuple[str, str | None] | None:
    """What `torch.compile` lacks for `device` and what to do about it, if anything; None: nothing is known to lack."""
    if device.type == "mps":
        return "torch.compile slows training down on MPS", None
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        return "needs Triton, which is not installed", "install it: pip install triton"
    if (compiler := _missing_compiler(device)) is not None:
        return f"needs the compiler {compiler}, which is not here", f"install it or name another in {_variable(device)}"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
        return "needs the headers of Python, and Python.h is not here", f"install them (on Debian and Ubuntu {package})"
    return None


def _variable(device: torch.device) -> str:
    """What names the compiler: of C++ for the code of the CPU, of C for what starts the kernels of CUDA."""
    return "CC" if device.type == "cuda" else "CXX"


def _missing_compiler(device: torch.device) -> str | None:
    """The compiler that would be called and is not there; None: it is."""
    named = os.environ.get(_variable(device), "").split()
    if named:
        usual: tuple[str, ...] = (named[0],)
    elif device.type == "cuda":
        usual = ("cc", "gcc", "clang")
    else:
        usual = ("clang++",) if sys.platform == "darwin" else ("g++",)
    return None if any(shutil.which(name) for name in usual) else usual[0]


def _tried(device: torch.device) -> str | None:
    """Compiles a function; None, or what came of it in a line."""

    def function(values: Tensor) -> Tensor:
        return torch.nn.functional.gelu(values).sum(1)

    try:
        torch.compile(function, dynamic=False)(torch.ones(4, 8, device=device))
    # Whatever a compiler, its loader or torch raises: all of it says that compiling does not work here.
    except Exception as error:  # noqa: BLE001
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        telling = next((line for line in lines if "error" in line.lower()), lines[0] if lines else "")
        return f"torch.compile failed: {telling[:200]}" if telling else f"torch.compile failed ({type(error).__name__})"
    return None
