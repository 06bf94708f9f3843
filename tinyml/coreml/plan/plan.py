"""A function of an ML Program planned for execution: a torch module whose forward pass is a list of prepared steps.

All that can be settled at load is settled there: constants are decompressed and converted to the form that each op
wants, ops of constants alone are folded, values that nobody asks for are not computed, and each step knows which values
nobody needs after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from tinyml.errors import PackageError, TinyMLError

from ..ops.carriers import CARRIERS
from ..ops.context import OpContext
from ..program.types import MilType, UnrankedType, ValueType

FAILURES = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError)
"""What an op can fail with on values that do not suit it."""

Observer = Callable[["Step", tuple[Any, ...]], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """Where an output of a step goes and what it must become first."""

    name: str
    slot: int
    type: MilType
    carrier: torch.dtype | None
    round_to: torch.dtype | None
    fresh: bool
    """Whether the value shares no memory with another, and is rounded where it lies."""

    def finish(self, value: Any) -> Any:
        """`value` in its carrier type, rounded to the declared one."""
        if self.carrier is None or not isinstance(value, torch.Tensor):
            return value
        if value.dtype is not self.carrier:
            value = value.to(self.carrier)
        if self.round_to is not None:
            half = value.to(self.round_to)
            value = value.copy_(half) if self.fresh else half.to(torch.float32)
        return value


def result(name: str, slot: int, kind: MilType, *, rounded: bool, fresh: bool = False) -> Result:
    """The result `name` of declared type `kind`, rounded to it where `rounded`; `fresh` as of the op."""
    carrier = round_to = None
    if isinstance(kind, (ValueType, UnrankedType)) and kind.dtype != "string":
        carrier = CARRIERS[kind.dtype]
        round_to = torch.float16 if rounded and kind.dtype == "fp16" else None
    return Result(name=name, slot=slot, type=kind, carrier=carrier, round_to=round_to, fresh=fresh)


@dataclass(frozen=True, kw_only=True, eq=False)
class NestedBlock:
    """A block inside an op: its own plan, and the slots of the outer values it uses."""

    plan: Plan
    captures: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One op, ready to run on a list of values (slots)."""

    kind: str
    name: str
    function: Callable[..., Any]
    template: tuple[Any, ...]
    """The arguments in the order of the function's parameters; those below are filled in at each run."""
    plain: tuple[tuple[int, int], ...]
    """(argument, slot)"""
    converted: tuple[tuple[int, Callable[[list[Any]], Any]], ...]
    """(argument, how to make it of the values)"""
    results: tuple[Result, ...]
    reads: tuple[int, ...]
    """Every slot that it reads."""
    frees: tuple[int, ...] = ()
    """The slots that no later step reads."""
    context: tuple[int, OpContext] | None = None
    blocks: tuple[NestedBlock, ...] = ()

    def run(self, values: list[Any]) -> None:
        """Executes the op on `values` and stores its results there."""
        arguments = list(self.template)
        for index, slot in self.plain:
            arguments[index] = values[slot]
        for index, make in self.converted:
            arguments[index] = make(values)
        if self.blocks and self.context is not None:
            index, context = self.context
            arguments[index] = replace(context, blocks=tuple(_bound(block, values) for block in self.blocks))
        outcome = self.function(*arguments)
        if len(self.results) == 1 and not isinstance(outcome, tuple):
            only = self.results[0]
            values[only.slot] = only.finish(outcome)
        elif self.results:
            if len(outcome) != len(self.results):
                raise ValueError(f"{len(outcome)} results where the program declares {len(self.results)}")
            for each, value in zip(self.results, outcome, strict=True):
                values[each.slot] = each.finish(value)


def _bound(block: NestedBlock, values: list[Any]) -> Callable[[Sequence[object]], tuple[object, ...]]:
    captured = [values[slot] for slot in block.captures]

    def run(inputs: Sequence[object]) -> tuple[object, ...]:
        return block.plan(*captured, *inputs)  # type: ignore[no-any-return]

    return run


def with_frees(steps: Sequence[Step], kept: Iterable[int]) -> tuple[Step, ...]:
    """`steps`, each with the slots that no later step reads; the slots `kept` are never free."""
    last: dict[int, int] = {}
    for index, step in enumerate(steps):
        for slot in step.reads:
            last[slot] = index
        for each in step.results:
            last.setdefault(each.slot, index)
    frees: dict[int, list[int]] = {}
    for slot in last.keys() - set(kept):
        frees.setdefault(last[slot], []).append(slot)
    return tuple(replace(step, frees=tuple(frees.get(index, ()))) for index, step in enumerate(steps))


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """What a plan is made of."""

    inputs: tuple[tuple[str, int], ...]
    """(name, slot) of each."""
    outputs: tuple[tuple[str, int], ...]
    """(name, slot) of each."""
    steps: tuple[Step, ...]
    """In order."""
    size: int
    """How many slots there are."""
    constants: tuple[tuple[int, str, torch.Tensor, bool], ...]
    """(slot, name, value, whether it is a weight) of each constant tensor."""
    fixed: tuple[tuple[int, Any], ...]
    """(slot, value) of constants that are no tensors."""


class Plan(nn.Module):
    """The forward pass of a function (or of a nested block): carried inputs in, carried outputs out.

    Weights are parameters, other constant tensors are buffers, both by the names that the program gives them (with
    underscores for dots).
    """

    def __init__(self, layout: Layout) -> None:
        """Builds the module of `layout`."""
        super().__init__()
        self.inputs, self.outputs, self.steps = layout.inputs, layout.outputs, layout.steps
        self._size, self._fixed = layout.size, layout.fixed
        weights, buffers = [], []
        for slot, name, value, is_weight in layout.constants:
            if is_weight:
                self.register_parameter(name, value if isinstance(value, nn.Parameter) else nn.Parameter(value))
                weights.append((slot, name))
            else:
                self.register_buffer(name, value)
                buffers.append((slot, name))
        self._weight_slots, self._buffer_slots = tuple(weights), tuple(buffers)
        for number, block in enumerate(block for step in self.steps for block in step.blocks):
            self.add_module(f"block_{number}", block.plan)

    def constant_tensors(self) -> dict[int, torch.Tensor]:
        """The weights and other constant tensors by slot."""
        weights = {slot: self.get_parameter(name) for slot, name in self._weight_slots}
        return weights | {slot: self.get_buffer(name) for slot, name in self._buffer_slots}

    @property
    def kept(self) -> set[int]:
        """The slots that live as long as a run: those of outputs and constants."""
        return {slot for _, slot in self.outputs} | {slot for slot, _ in (*self._weight_slots, *self._buffer_slots)}

    def drop_unread_constants(self) -> None:
        """Lets go of the constants that no step reads any more, nor an output."""
        read = {slot for step in self.steps for slot in step.reads} | {slot for _, slot in self.outputs}
        for slots in (self._weight_slots, self._buffer_slots):
            for slot, name in slots:
                if slot not in read:
                    delattr(self, name)
        self._weight_slots = tuple(item for item in self._weight_slots if item[0] in read)
        self._buffer_slots = tuple(item for item in self._buffer_slots if item[0] in read)

    def _start(self, inputs: Sequence[Any]) -> list[Any]:
        values: list[Any] = [None] * self._size
        parameters, buffers = self._parameters, self._buffers
        for slot, name in self._weight_slots:
            values[slot] = parameters[name]
        for slot, name in self._buffer_slots:
            values[slot] = buffers[name]
        for slot, value in self._fixed:
            values[slot] = value
        for (_, slot), value in zip(self.inputs, inputs, strict=True):
            values[slot] = value
        return values

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        """Runs the steps; a failing op raises PackageError with its name."""
        values = self._start(inputs)
        step = None
        try:
            for step in self.steps:
                step.run(values)
                for slot in step.frees:
                    values[slot] = None
        except TinyMLError:
            raise
        except FAILURES as error:
            raise _failure(step, error) from error
        return tuple(values[slot] for _, slot in self.outputs)

    def observe(self, inputs: Sequence[Any], observer: Observer) -> tuple[Any, ...]:
        """Like calling the plan, with `observer` called after each step with its results."""
        values = self._start(inputs)
        step = None
        try:
            for step in self.steps:
                step.run(values)
                observer(step, tuple(values[each.slot] for each in step.results))
                for slot in step.frees:
                    values[slot] = None
        except TinyMLError:
            raise
        except FAILURES as error:
            raise _failure(step, error) from error
        return tuple(values[slot] for _, slot in self.outputs)


def _failure(step: Step | None, error: BaseException) -> PackageError:
    where = f"op {step.name!r} ({step.kind})" if step is not None else "the plan"
    return PackageError(f"{where} failed", value=" ".join(str(error).split())[:300] or type(error).__name__)
