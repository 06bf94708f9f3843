"""A torch module of a package as a program of `torch.export`."""

from __future__ import annotations

import warnings

import torch

from tinyml.errors import PackageError, UnsupportedOpsError
from tinyml.quiet import quiet

from ..plan.plan import FAILURES
from .module import TorchModel


def exported(module: TorchModel) -> torch.export.ExportedProgram:
    """`module` traced at its example inputs, with the axes that may vary kept open.

    Raises:
        UnsupportedOpsError: an op cannot be traced; PackageError: the trace fails for another reason.
    """
    with quiet(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            return torch.export.export(
                module, module.example_inputs(), dynamic_shapes=(module.dynamic_shapes(),), strict=False
            )
        except PackageError as error:
            raise UnsupportedOpsError(f"the program cannot be traced: {error.what}", ops=_op_of(error)) from error
        except FAILURES as error:
            reason = " ".join(str(error).split())[:300]
            raise PackageError("the program cannot be traced", value=reason) from error


def _op_of(error: PackageError) -> list[str]:
    return [error.what.partition("(")[2].partition(")")[0] or error.what]
