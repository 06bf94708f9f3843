"""Core ML's compute plan: where each op is to run, held to the program whose ops they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from tinyml.coreml.program.program import Block
from tinyml.coreml.read.package import open_package
from tinyml.errors import PackageError
from tinyml.schema import PlacedOp, Placement

Device = Literal["cpu", "gpu", "neural_engine", "unknown"]
_DEVICES: dict[str, Device] = {
    "MLCPUComputeDevice": "cpu",
    "MLGPUComputeDevice": "gpu",
    "MLNeuralEngineComputeDevice": "neural_engine",
}


def placement_of(plan: Any) -> Placement | None:
    """The preferred device and the estimated cost of each op of a plan; None where it has none, or is no ML Program."""
    program = plan.model_structure.program
    if program is None:
        return None
    ops = []
    for function in program.functions.values():
        for operation in _operations(function.block):
            usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
            cost = plan.get_estimated_cost_for_mlprogram_operation(operation)
            ops.append(
                PlacedOp(
                    operator=operation.operator_name,
                    device=device_of(usage),
                    cost=None if cost is None else min(1.0, max(0.0, cost.weight)),
                )
            )
    return counted(ops)


def device_of(usage: Any) -> Device:
    """The preferred device of an `MLComputePlanDeviceUsage`; "unknown" where Core ML says None."""
    return "unknown" if usage is None else _DEVICES.get(type(usage.preferred_compute_device).__name__, "unknown")


def counted(ops: Iterable[PlacedOp]) -> Placement | None:
    """The placement of `ops`; None without any."""
    ops = tuple(ops)
    if not ops:
        return None
    counts = Counter(op.device for op in ops)
    return Placement(
        cpu=counts["cpu"],
        gpu=counts["gpu"],
        neural_engine=counts["neural_engine"],
        unknown=counts["unknown"],
        ops=ops,
    )


def add_up_flags(placed: Placement | None, package: Path, *, without: Sequence[str] = ()) -> tuple[str, ...]:
    """A flag where a plan places another number of ops than the package's program has, those `without` left out.

    None where the reference runtime cannot read the program.
    """
    if placed is None:
        return ()
    try:
        functions = open_package(package).program.functions.values()
    except PackageError:
        return ()
    expected = sum(_running(function.block, without) for function in functions)
    found = placed.cpu + placed.gpu + placed.neural_engine + placed.unknown
    return () if found == expected else (f"placed_ops_{found}_of_{expected}",)


def runs(operator: str) -> bool:
    """Whether something runs an op: constants, compressed ones (`constexpr_*`) too, are unpacked at the load."""
    name = operator.split(".")[-1]
    return name != "const" and not name.startswith("constexpr_")


def _running(block: Block, without: Sequence[str]) -> int:
    own = sum(runs(operation.kind) and operation.kind not in without for operation in block.operations)
    return own + sum(_running(inner, without) for operation in block.operations for inner in operation.blocks)


def _operations(block: Any) -> Iterator[Any]:
    for operation in block.operations:
        if runs(operation.operator_name):
            yield operation
        for nested in operation.blocks:
            yield from _operations(nested)
