"""A torch module of a package as a program of `torch.export`."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from tinyml.errors import PackageError, UnsupportedOpsError
from tinyml.quiet import quiet

from ..plan.plan import FAILURES
from .execute import UndecidedError
from .module import TorchModel, fixed_axes
from .sizes import is_fixed


def exported(module: TorchModel, *, keeps_loops: bool = True) -> torch.export.ExportedProgram:
    """`module` traced at its example inputs, with the axes that may vary kept open.

    Where `keeps_loops`, loops stay loops; a program in which one cannot (its variables grow, or its counter becomes a
    size) is traced with its loops unrolled.

    Raises:
        UnsupportedOpsError: an op cannot be traced; PackageError: the trace fails for another reason, or fixes an axis
            that was to stay open. The message names the op.
    """
    module.keeps_loops = keeps_loops and module.has_blocks
    try:
        return _exported(module)
    except PackageError as kept:
        if not module.keeps_loops:
            raise
        module.keeps_loops = False
        try:
            return _exported(module)
        except PackageError as unrolled:
            if not isinstance(unrolled, UndecidedError):
                raise
            why = kept.what if isinstance(kept, UnsupportedOpsError) else f"{kept.what}: {kept.value}"
            raise UnsupportedOpsError(f"{unrolled.what}; {why}", ops=unrolled.ops, hint=unrolled.hint) from kept


def _exported(module: TorchModel) -> torch.export.ExportedProgram:
    module.fixed.found.clear()
    with quiet(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            program = torch.export.export(
                module, module.example_inputs(), dynamic_shapes=(module.dynamic_shapes(),), strict=False
            )
        except UnsupportedOpsError:
            raise
        except PackageError as error:
            raise UnsupportedOpsError(f"the program cannot be traced: {error}", ops=_op_of(error)) from error
        except (*FAILURES, AssertionError) as error:  # torch asserts what it cannot trace
            reason = " ".join(str(error).split())[:300]
            raise PackageError("the program cannot be traced", value=reason) from error
    _note_fixed(module, program)
    fixed_axes(module)
    return program


def _note_fixed(module: TorchModel, program: torch.export.ExportedProgram) -> None:
    """Axes that became constants without an op seen to do it."""
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    for name, node in zip(module.input_names, program.graph_signature.user_inputs, strict=True):
        value: Any = nodes[str(node)].meta.get("val") if str(node) in nodes else None
        for port in module.traced:
            for axis in port.open if port.name == name and value is not None else ():
                if is_fixed(value.shape[axis]):
                    module.fixed.note((name, axis), "the program")


def _op_of(error: PackageError) -> list[str]:
    return [error.what.partition("(")[2].partition(")")[0] or error.what]
