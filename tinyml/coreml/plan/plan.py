"""A function of an ML Program planned for execution: a torch module whose forward pass is a list of prepared steps.

All that can be settled at load is settled there: constants are decompressed and converted to the form that each op
wants, ops of constants alone are folded, values that nobody asks for are not computed, and each step knows which values
nobody needs after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from tinyml.errors import PackageError, TinyMLError

from ..ops.carriers import CARRIERS
from ..ops.registry import OpDefinition
from ..program.types import MilType, UnrankedType, ValueType
from .arguments import Argument, Converted, Gathered, Settled, Surroundings, Taken, slots_of

FAILURES = (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError)
"""What an op can fail with on values that do not suit it."""

Observer = Callable[["Step", tuple[Any, ...]], None]
"""Called after each step with its results."""

Fill = int | Callable[[list[Any]], Any]
"""Where an argument comes from at each run: a slot, or a function of all values."""


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

    definition: OpDefinition
    kind: str
    """The op's name; of several ops in one step, all of them."""
    name: str
    function: Callable[..., Any]
    """What is called: the op's own function, or a faster one."""
    arguments: Mapping[str, Argument]
    """By the op's names of its inputs, in the order in which `function` takes them."""
    results: tuple[Result, ...]
    frees: tuple[int, ...] = ()
    """The slots that no later step reads."""
    blocks: tuple[NestedBlock, ...] = ()
    reads: tuple[int, ...] = field(init=False)
    """Every slot that it reads."""
    _template: list[Any] = field(init=False, repr=False)
    _fills: tuple[tuple[int, Fill], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Settles what is the same at every run."""
        reads = [slot for argument in self.arguments.values() for slot in slots_of(argument)]
        reads += [slot for block in self.blocks for slot in block.captures]
        template: list[Any] = []
        fills: list[tuple[int, Fill]] = []
        for place, argument in enumerate(self.arguments.values()):
            template.append(_at_load(argument))
            fill = _at_run(argument, self.blocks)
            if fill is not None:
                fills.append((place, fill))
        object.__setattr__(self, "reads", tuple(reads))
        object.__setattr__(self, "_template", template)
        object.__setattr__(self, "_fills", tuple(fills))

    def settled(self, name: str) -> Any:
        """The value of argument `name` where it is known at load; None where it is not."""
        argument = self.arguments[name]
        return argument.value if isinstance(argument, Settled) else None

    def slot(self, name: str) -> int | None:
        """The slot that argument `name` is taken from as it is; None where it is not."""
        argument = self.arguments[name]
        return argument.slot if isinstance(argument, Taken) else None

    @property
    def is_direct(self) -> bool:
        """Whether no argument is gathered or converted at each run."""
        return not any(isinstance(argument, (Gathered, Converted)) for argument in self.arguments.values())

    def given(self, values: list[Any]) -> dict[str, Any]:
        """What `function` is called with on `values`, by the names of the arguments."""
        return dict(zip(self.arguments, self._given(values), strict=True))

    def _given(self, values: list[Any]) -> list[Any]:
        arguments = self._template.copy()
        for place, fill in self._fills:
            arguments[place] = values[fill] if type(fill) is int else fill(values)  # type: ignore[operator]
        return arguments

    def run(self, values: list[Any]) -> None:
        """Executes the op on `values` and stores its results there."""
        outcome = self.function(*self._given(values))
        if len(self.results) == 1 and not isinstance(outcome, tuple):
            only = self.results[0]
            values[only.slot] = only.finish(outcome)
        elif self.results:
            if len(outcome) != len(self.results):
                raise ValueError(f"{len(outcome)} results where the program declares {len(self.results)}")
            for each, value in zip(self.results, outcome, strict=True):
                values[each.slot] = each.finish(value)


def _at_load(argument: Argument) -> Any:
    if isinstance(argument, Settled):
        return argument.value
    return argument.context if isinstance(argument, Surroundings) else None


def _at_run(argument: Argument, blocks: tuple[NestedBlock, ...]) -> Fill | None:
    """What fills in `argument` at each run: the slot that it is, or how to make it; None where it is settled."""
    if isinstance(argument, Taken):
        return argument.slot
    if isinstance(argument, Gathered):
        slots = argument.slots
        return lambda values: tuple([values[slot] for slot in slots])
    if isinstance(argument, Converted):
        sources, convert = argument.slots, argument.convert
        return lambda values: convert([values[slot] for slot in sources])
    if isinstance(argument, Surroundings) and blocks:
        context = argument.context
        return lambda values: replace(context, blocks=tuple(_bound(block, values) for block in blocks))
    return None


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


@dataclass(frozen=True, kw_only=True)
class Port:
    """A value by its name in the program, and the slot that holds it."""

    name: str
    slot: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ConstantTensor:
    """A tensor that the plan keeps: `name` is that of the module's parameter (where it is a weight) or buffer."""

    slot: int
    name: str
    value: torch.Tensor
    is_weight: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class ConstantValue:
    """A constant that is no tensor."""

    slot: int
    value: Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """What a plan is made of."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    steps: tuple[Step, ...]
    """In order."""
    size: int
    """How many slots there are."""
    tensors: tuple[ConstantTensor, ...]
    others: tuple[ConstantValue, ...]


class Plan(nn.Module):
    """The forward pass of a function (or of a nested block): carried inputs in, carried outputs out.

    Weights are parameters, other constant tensors are buffers, both by the names that the program gives them (with
    underscores for dots).
    """

    def __init__(self, layout: Layout) -> None:
        """Builds the module of `layout`."""
        super().__init__()
        self.inputs, self.outputs, self.steps = layout.inputs, layout.outputs, layout.steps
        self._size, self._others = layout.size, layout.others
        weights, buffers = [], []
        for item in layout.tensors:
            port, value = Port(name=item.name, slot=item.slot), item.value
            if item.is_weight:
                self.register_parameter(port.name, value if isinstance(value, nn.Parameter) else nn.Parameter(value))
                weights.append(port)
            else:
                self.register_buffer(port.name, value)
                buffers.append(port)
        self._weights, self._constants = tuple(weights), tuple(buffers)
        for number, block in enumerate(block for step in self.steps for block in step.blocks):
            self.add_module(f"block_{number}", block.plan)

    def constant_tensors(self) -> dict[int, torch.Tensor]:
        """The weights and other constant tensors by slot."""
        weights = {port.slot: self.get_parameter(port.name) for port in self._weights}
        return weights | {port.slot: self.get_buffer(port.name) for port in self._constants}

    @property
    def kept(self) -> set[int]:
        """The slots that live as long as a run: those of outputs and constants."""
        return {port.slot for port in (*self.outputs, *self._weights, *self._constants)}

    def drop_unread_constants(self) -> None:
        """Lets go of the constants that no step reads any more, nor an output."""
        read = {slot for step in self.steps for slot in step.reads} | {port.slot for port in self.outputs}
        for port in (*self._weights, *self._constants):
            if port.slot not in read:
                delattr(self, port.name)
        self._weights = tuple(port for port in self._weights if port.slot in read)
        self._constants = tuple(port for port in self._constants if port.slot in read)

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        """Runs the steps; a failing op raises PackageError with its name."""
        return self._execute(self.start(inputs))

    def observe(self, inputs: Sequence[Any], observer: Observer) -> tuple[Any, ...]:
        """Like calling the plan, with `observer` called after each step with its results."""
        return self._execute(self.start(inputs), observer)

    def start(self, inputs: Sequence[Any]) -> list[Any]:
        """All values by slot before the first step: constants and inputs."""
        values: list[Any] = [None] * self._size
        parameters, buffers = self._parameters, self._buffers
        for port in self._weights:
            values[port.slot] = parameters[port.name]
        for port in self._constants:
            values[port.slot] = buffers[port.name]
        for other in self._others:
            values[other.slot] = other.value
        for port, value in zip(self.inputs, inputs, strict=True):
            values[port.slot] = value
        return values

    def _execute(self, values: list[Any], observer: Observer | None = None) -> tuple[Any, ...]:
        self.advance(values, observer=observer)
        return tuple(values[port.slot] for port in self.outputs)

    def advance(
        self, values: list[Any], begin: int = 0, end: int | None = None, *, observer: Observer | None = None
    ) -> None:
        """Runs the steps from `begin` to before `end` (None: to the last) on `values`; see `start`."""
        step = None
        try:
            for step in self.steps[begin:end]:
                step.run(values)
                if observer is not None:
                    observer(step, tuple(values[each.slot] for each in step.results))
                for slot in step.frees:
                    values[slot] = None
        except TinyMLError:
            raise
        except FAILURES as error:
            raise _failure(step, error) from error


def _failure(step: Step | None, error: BaseException) -> PackageError:
    where = f"op {step.name!r} ({step.kind})" if step is not None else "the plan"
    return PackageError(f"{where} failed", value=" ".join(str(error).split())[:300] or type(error).__name__)
