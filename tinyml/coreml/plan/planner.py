"""Making a plan of a function: which op implementation, which arguments, which values live how long."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from tinyml.errors import PackageError, TinyMLError, UnsupportedOpsError

from .. import ops as _ops  # noqa: F401  registers every op
from ..ops.carriers import CARRIERS
from ..ops.context import OpContext
from ..ops.registry import OpDefinition, find
from ..program.dtypes import DTYPES
from ..program.program import Binding, Block, Constant, Function, NamedType, Operation, ValueName
from ..program.types import MilType, ValueType
from .arguments import Argument, Converted, Gathered, Settled, Surroundings, Taken
from .plan import (
    FAILURES,
    ConstantTensor,
    ConstantValue,
    Layout,
    NestedBlock,
    Plan,
    Port,
    Step,
    result,
    with_frees,
)
from .signature import Parameter, combine, parameters

Precision = Literal["declared", "float32"]

MAX_FOLDED_ELEMENTS = 2**24
"""Ops of constants alone are computed at load only where their results are no larger, except for stored weights."""

MIN_WEIGHT_ELEMENTS = 10
"""A float constant of at least so many elements is a weight; coremltools moves those to the weight file."""

_RESERVED = ("inputs", "outputs", "steps", "training")
_WEIGHT_NAMES = frozenset({"weight", "bias", "gamma", "beta"})
"""Inputs that are learned however few elements they have."""


def build(
    function: Function,
    *,
    precision: Precision = "declared",
    outputs: Iterable[str] | None = None,
    generator: torch.Generator | None = None,
) -> Plan:
    """The plan of `function`; arguments and errors as of `lay_out`."""
    return Plan(lay_out(function, precision=precision, outputs=outputs, generator=generator)).eval()


def lay_out(
    function: Function,
    *,
    precision: Precision = "declared",
    outputs: Iterable[str] | None = None,
    generator: torch.Generator | None = None,
) -> Layout:
    """Lays out the plan of `function`.

    Args:
        function: of a parsed program.
        precision: "declared" rounds each value to its declared type, "float32" rounds nothing.
        outputs: names of values to compute instead of the function's outputs.
        generator: the source of random ops without a seed of their own.

    Raises:
        UnsupportedOpsError: with all ops that have no implementation.
        PackageError: where the program is unsound.
    """
    missing = sorted(_missing(function.block, function.opset))
    if missing:
        raise UnsupportedOpsError(f"function {function.name!r} uses ops that this runtime does not have", ops=missing)
    scope = _Scope(opset=function.opset, precision=precision, generator=generator, outer=None)
    names = function.block.outputs if outputs is None else tuple(outputs)
    return scope.layout(function.inputs, function.block, names)


def _missing(block: Block, opset: str) -> set[str]:
    found = set()
    for operation in block.operations:
        if operation.kind != "const" and find(operation.kind, opset) is None:
            found.add(operation.kind)
        for inner in operation.blocks:
            found |= _missing(inner, opset)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Known:
    """A value settled at load."""

    name: str
    type: MilType
    value: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class _Computed:
    """A value that each run computes."""

    type: MilType
    slot: int


@dataclass(frozen=True, kw_only=True)
class _Role:
    """As what an op takes a value: which input it is, and whether that is measured instead of learned."""

    parameter: str
    measured: bool


def carry(constant: Constant) -> Any:
    """The value of a constant in its carrier type."""
    if not isinstance(constant.data, np.ndarray) or not isinstance(constant.type, ValueType):
        return constant.data
    dtype = DTYPES[constant.type.dtype]
    wider = {"uint16": np.int32, "uint32": np.int64, "uint64": np.int64}.get(dtype.name)
    if wider is not None:
        return torch.from_numpy(constant.data.astype(wider)).to(CARRIERS[dtype.name])
    with warnings.catch_warnings():
        # Weights lie in a file that is mapped read-only, and are copied once.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
        return torch.from_numpy(constant.data).to(CARRIERS[dtype.name], copy=True)


class _Scope:
    """The planning of one block; `outer` is that of the block around it."""

    def __init__(
        self, *, opset: str, precision: Precision, generator: torch.Generator | None, outer: _Scope | None
    ) -> None:
        self.opset, self.precision, self.generator, self.outer = opset, precision, generator, outer
        self.values: dict[str, _Known | _Computed] = {}
        self.size = 0
        self.steps: list[Step] = []
        self.captures: list[Port] = []
        self.tensors: dict[tuple[int, bool], ConstantTensor] = {}
        self.others: dict[int, ConstantValue] = {}
        self.names: set[str] = set()
        self.parameters: dict[int, nn.Parameter] = outer.parameters if outer else {}
        self.alive: list[object] = outer.alive if outer else []

    def layout(self, inputs: Iterable[NamedType], block: Block, outputs: tuple[str, ...]) -> Layout:
        """The layout of `block`, computing `outputs`."""
        input_ports = []
        for item in inputs:
            port = Port(name=item.name, slot=self._slot())
            self.values[item.name] = _Computed(type=item.type, slot=port.slot)
            input_ports.append(port)
        needed = _needed(block, outputs, self.opset)
        for operation, wanted in zip(block.operations, needed, strict=True):
            if wanted:
                self._operation(operation)
        output_ports = tuple(Port(name=name, slot=self._as_slot(name, self._resolve(name))) for name in outputs)
        kept = {port.slot for port in output_ports} | {tensor.slot for tensor in self.tensors.values()}
        return Layout(
            inputs=tuple(self.captures) + tuple(input_ports),
            outputs=output_ports,
            steps=with_frees(self.steps, kept),
            size=self.size,
            tensors=tuple(self.tensors.values()),
            others=tuple(self.others.values()),
        )

    def _slot(self) -> int:
        self.size += 1
        return self.size - 1

    def _resolve(self, name: str) -> _Known | _Computed:
        if name in self.values:
            return self.values[name]
        if self.outer is None:
            raise PackageError("the ML Program has no value of this name", value=name)
        found = self.outer._resolve(name)
        if isinstance(found, _Computed):
            found = _Computed(type=found.type, slot=self._slot())
            self.captures.append(Port(name=name, slot=found.slot))
            self.values[name] = found
        return found

    def _as_slot(self, name: str, found: _Known | _Computed, role: _Role | None = None) -> int:
        """The slot that holds `found`, an op's input in `role`; a constant gets one at its first use as a tensor."""
        if isinstance(found, _Computed):
            return found.slot
        key = id(found)
        self.alive.append(found)
        if not isinstance(found.value, torch.Tensor):
            if key not in self.others:
                self.others[key] = ConstantValue(slot=self._slot(), value=found.value)
            return self.others[key].slot
        value = found.value
        is_weight = value.dtype is torch.float32 and _is_weight(value.numel(), role)
        # coremltools merges equal constants: zeros can be both a mean and a bias, and only one of them is learned.
        if (key, is_weight) not in self.tensors:
            if is_weight:
                value = self.parameters.setdefault(key, nn.Parameter(value))
            elif value.dtype is torch.float32:
                value = value.clone()
            self.tensors[key, is_weight] = ConstantTensor(
                slot=self._slot(), name=self._unique(found.name or name), value=value, is_weight=is_weight
            )
        return self.tensors[key, is_weight].slot

    def _unique(self, name: str) -> str:
        base = re.sub(r"\W", "_", name) or "constant"
        if base in self.names or hasattr(nn.Module, base) or base in _RESERVED:
            number = 1
            while f"{base}_{number}" in self.names:
                number += 1
            base = f"{base}_{number}"
        self.names.add(base)
        return base

    def _operation(self, operation: Operation) -> None:
        if operation.kind == "const":
            self._const(operation)
            return
        definition = find(operation.kind, self.opset)
        if definition is None:
            raise UnsupportedOpsError("no implementation", ops=[operation.kind])
        bound = {name: [self._bind(item, name) for item in items] for name, items in operation.inputs.items() if items}
        _check_inputs(operation, parameters(definition.function), bound)
        if _folds(operation, definition, [item for items in bound.values() for item in items]):
            self._fold(operation, definition, bound)
            return
        step = self._step(operation, definition, bound)
        self.steps.append(step)
        for output, each in zip(operation.outputs, step.results, strict=True):
            self.values[output.name] = _Computed(type=output.type, slot=each.slot)

    def _const(self, operation: Operation) -> None:
        if len(operation.outputs) != 1 or "val" not in operation.inputs:
            raise PackageError("a const of the ML Program has no value", value=operation.name)
        binding = operation.inputs["val"][0]
        name = operation.outputs[0].name
        known = self._bind(binding, name)
        if isinstance(known, _Computed):
            raise PackageError("a const of the ML Program is not constant", value=name)
        self.values[name] = replace(known, name=name)

    def _bind(self, binding: Binding, name: str) -> _Known | _Computed:
        if isinstance(binding, ValueName):
            return self._resolve(binding.name)
        return _Known(name=name, type=binding.type, value=carry(binding))

    def _step(
        self, operation: Operation, definition: OpDefinition, bound: Mapping[str, list[_Known | _Computed]]
    ) -> Step:
        arguments = {
            parameter.name: self._argument(operation, definition, parameter, bound.get(parameter.name, []))
            for parameter in parameters(definition.function)
        }
        rounded = self._rounds(operation, definition, bound)
        fresh = definition.fresh
        results = tuple(result(o.name, self._slot(), o.type, rounded=rounded, fresh=fresh) for o in operation.outputs)
        return Step(
            definition=definition,
            kind=operation.kind,
            name=operation.name,
            function=definition.function,
            arguments=arguments,
            results=results,
            blocks=tuple(self._nested(block) for block in operation.blocks),
        )

    def _argument(
        self, operation: Operation, definition: OpDefinition, parameter: Parameter, items: list[_Known | _Computed]
    ) -> Argument:
        if parameter.context:
            return Surroundings(context=self._context(operation))
        if all(isinstance(item, _Known) for item in items) and not (parameter.tensor and items):
            return Settled(value=_settled(operation, parameter, items))
        role = _Role(parameter=parameter.name, measured=parameter.name in definition.measured)
        name = f"{operation.name}_{parameter.name}"
        slots = tuple(self._as_slot(name, item, role) for item in items)
        if parameter.convert is None:
            return Gathered(slots=slots) if parameter.variadic else Taken(slot=slots[0])
        return Converted(slots=slots, convert=partial(combine, parameter))

    def _rounds(
        self, operation: Operation, definition: OpDefinition, bound: Mapping[str, list[_Known | _Computed]]
    ) -> bool:
        return self.precision == "declared" and not (definition.exact and _uniform(operation, bound.values()))

    def _context(self, operation: Operation) -> OpContext:
        outputs = tuple(
            output.type if isinstance(output.type, ValueType) else ValueType(dtype="", shape=())
            for output in operation.outputs
        )
        return OpContext(name=operation.name, opset=self.opset, outputs=outputs, generator=self.generator)

    def _nested(self, block: Block) -> NestedBlock:
        inner = _Scope(opset=self.opset, precision=self.precision, generator=self.generator, outer=self)
        plan = Plan(inner.layout(block.inputs, block, block.outputs))
        slots = tuple(self._as_slot(port.name, self._resolve(port.name)) for port in inner.captures)
        return NestedBlock(plan=plan, captures=slots)

    def _fold(
        self, operation: Operation, definition: OpDefinition, bound: Mapping[str, list[_Known | _Computed]]
    ) -> None:
        arguments = [
            self._context(operation)
            if parameter.context
            else _settled(operation, parameter, bound.get(parameter.name, []))
            for parameter in parameters(definition.function)
        ]
        rounded = self._rounds(operation, definition, bound)
        results = [result(o.name, 0, o.type, rounded=rounded) for o in operation.outputs]
        try:
            with torch.no_grad():
                outcome = definition.function(*arguments)
            values = outcome if isinstance(outcome, tuple) else (outcome,)
            finished = [each.finish(value) for each, value in zip(results, values, strict=True)]
        except TinyMLError:
            raise
        except FAILURES as error:
            raise PackageError(
                f"op {operation.name!r} ({operation.kind}) failed", value=" ".join(str(error).split())[:300]
            ) from error
        for output, value in zip(operation.outputs, finished, strict=True):
            self.values[output.name] = _Known(name=output.name, type=output.type, value=value)


def _check_inputs(
    operation: Operation, wanted: tuple[Parameter, ...], bound: Mapping[str, list[_Known | _Computed]]
) -> None:
    where = f"op {operation.name!r} ({operation.kind})"
    unknown = sorted(set(bound) - {parameter.name for parameter in wanted if not parameter.context})
    if unknown:
        raise PackageError(f"{where} has inputs that it cannot have", value=", ".join(unknown))
    for parameter in wanted:
        count = len(bound.get(parameter.name, []))
        if parameter.required and not count:
            raise PackageError(f"{where} lacks an input", value=parameter.name)
        if count > 1 and not parameter.variadic:
            raise PackageError(f"{where} has {count} values for one input", value=parameter.name)
        for item in bound.get(parameter.name, []):
            if parameter.holds is not None and not isinstance(item.type, parameter.holds):
                raise PackageError(f"{where} cannot take this for input {parameter.name!r}", value=item.type)
            if parameter.tensor and getattr(item.type, "dtype", None) == "string":
                raise PackageError(f"{where} cannot take a string for an input", value=parameter.name)


def _settled(operation: Operation, parameter: Parameter, items: list[_Known | _Computed]) -> Any:
    """The argument that `items`, all settled, make for `parameter`."""
    if not items:
        return parameter.default
    try:
        return combine(parameter, [item.value for item in items if isinstance(item, _Known)])
    except FAILURES as error:
        raise PackageError(
            f"op {operation.name!r} ({operation.kind}) has an unsuitable input {parameter.name!r}",
            value=" ".join(str(error).split())[:200],
        ) from None


def _folds(operation: Operation, definition: OpDefinition, bound: list[_Known | _Computed]) -> bool:
    """Whether `operation` is computed at load."""
    if not definition.folds or operation.blocks or not all(isinstance(item, _Known) for item in bound):
        return False
    if definition.stored:
        return True
    return all(
        isinstance(output.type, ValueType)
        and None not in output.type.shape
        and prod(size or 0 for size in output.type.shape) <= MAX_FOLDED_ELEMENTS
        for output in operation.outputs
    )


def _is_weight(count: int, role: _Role | None) -> bool:
    """Whether a float constant of `count` elements in `role` is learned."""
    if role is not None and role.measured:
        return False
    return count >= MIN_WEIGHT_ELEMENTS or (count > 1 and role is not None and role.parameter in _WEIGHT_NAMES)


def _uniform(operation: Operation, bound: Iterable[list[_Known | _Computed]]) -> bool:
    """Whether every float that goes in has the type of what comes out, so that moving values rounds none."""
    inputs = {getattr(item.type, "dtype", None) for items in bound for item in items}
    return all(getattr(output.type, "dtype", None) != "fp16" or "fp32" not in inputs for output in operation.outputs)


def _needed(block: Block, outputs: tuple[str, ...], opset: str) -> list[bool]:
    """For each op whether `outputs` depend on it, or whether it changes a state."""
    wanted = set(outputs)
    needed = [False] * len(block.operations)
    for index in range(len(block.operations) - 1, -1, -1):
        operation = block.operations[index]
        if _has_effect(operation, opset) or any(output.name in wanted for output in operation.outputs):
            needed[index] = True
            wanted |= _uses(operation)
    return needed


def _has_effect(operation: Operation, opset: str) -> bool:
    definition = find(operation.kind, opset)
    if definition is not None and definition.effect:
        return True
    return any(_has_effect(inner, opset) for block in operation.blocks for inner in block.operations)


def _uses(operation: Operation) -> set[str]:
    names = {item.name for items in operation.inputs.values() for item in items if isinstance(item, ValueName)}
    for block in operation.blocks:
        names |= set(block.outputs)
        for inner in block.operations:
            names |= _uses(inner)
    return names
