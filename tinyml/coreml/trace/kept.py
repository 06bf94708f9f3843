"""Loops and branches that stay what they are in a trace: `while_loop` and `cond` of torch's higher-order ops.

A block becomes a function of its own in the trace, which must be given whatever it uses: the tensors, sizes and
constants of the program around it are its inputs, and are found again by their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._higher_order_ops.cond import cond_op  # torch's public `cond` would trace this runtime's own code
from torch._higher_order_ops.while_loop import while_loop_op
from torch.fx.experimental.symbolic_shapes import statically_known_true

from tinyml.errors import UnsupportedOpsError

from ..ops.context import StateCell, TensorList
from ..plan.plan import NestedBlock, Plan, Step
from .lists import StackedList, stacked
from .sizes import Numbers, Ratio, each

Values = list[Any]
Tensors = Mapping[tuple[int, int], Tensor]
"""By plan (its id) and slot: a constant as an inner trace knows it."""
Run = Callable[[Plan, Sequence[Any], Tensors], Values]
"""Runs a plan on its inputs, with these constants in place of its own."""


class Leaves:
    """Collects the tensors and symbols that values are made of; each value is made again of others in their places."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._places: dict[int, int] = {}

    def take(self, value: Any) -> Callable[[Sequence[Any]], Any]:
        """Collects the leaves of `value`, and returns what makes it of leaves."""
        if isinstance(value, (Tensor, torch.SymInt)):
            place = self._places.setdefault(id(value), len(self.items))
            if place == len(self.items):
                self.items.append(value)
            return lambda leaves: leaves[place]
        if isinstance(value, Ratio):
            top, bottom = self.take(value.top), self.take(value.bottom)
            return lambda leaves: Ratio(top(leaves), bottom(leaves))
        if isinstance(value, Numbers):
            makers, dtype = each(self.take)(value.array), value.dtype
            return lambda leaves: Numbers(each(lambda make: make(leaves))(makers), dtype)
        if isinstance(value, TensorList):
            value = stacked(value)
        if isinstance(value, StackedList):
            elements = self.take(value.stacked)
            return lambda leaves: StackedList(elements(leaves))
        if isinstance(value, (StateCell, torch.SymBool)):
            raise ValueError("it uses a state or an undecided comparison of sizes")
        return lambda _: value

    def take_all(self, values: Sequence[Any]) -> Callable[[Sequence[Any]], Values]:
        """As `take`, for several values."""
        makers = [self.take(value) for value in values]
        return lambda leaves: [make(leaves) for make in makers]

    def take_constants(self, plan: Plan) -> Callable[[Sequence[Any]], dict[tuple[int, int], Tensor]]:
        """As `take`, for the constant tensors of `plan` and of the blocks in it."""
        makers = {
            (id(each_plan), slot): self.take(value)
            for each_plan in _plans(plan)
            for slot, value in each_plan.constant_tensors().items()
        }
        return lambda leaves: {key: make(leaves) for key, make in makers.items()}


def _plans(plan: Plan) -> Iterator[Plan]:
    yield plan
    for step in plan.steps:
        for block in step.blocks:
            yield from _plans(block.plan)


def loop(step: Step, variables: Values, values: Values, run: Run) -> Values:
    """The variables after the loop `step`, kept as a loop.

    Args:
        step: of a `while_loop`.
        variables: before the first turn.
        values: of the block around it.
        run: executes a block.

    Raises:
        UnsupportedOpsError: the loop cannot be kept: a variable changes its shape from turn to turn.
    """
    condition, body = step.blocks
    variables = [_steady(step, value) for value in variables]
    changing = [place for place in range(len(variables)) if not _passes_on(body, place)]
    leaves = Leaves()
    remade = leaves.take_all(variables)
    outer_condition = leaves.take_all([values[slot] for slot in condition.captures])
    outer_body = leaves.take_all([values[slot] for slot in body.captures])
    constants = leaves.take_constants(condition.plan), leaves.take_constants(body.plan)
    starts = [_start(step, variables[place]) for place in changing]

    def given(arguments: tuple[Any, ...]) -> tuple[Values, Sequence[Any]]:
        carried, others = arguments[: len(changing)], arguments[len(changing) :]
        inner = remade(others)
        for place, tensor in zip(changing, carried, strict=True):
            inner[place] = StackedList(tensor) if isinstance(inner[place], StackedList) else tensor
        return inner, others

    def goes_on(*arguments: Any) -> Any:
        inner, others = given(arguments)
        return _tensor(run(condition.plan, [*outer_condition(others), *inner], constants[0](others))[0]).reshape(())

    def turn(*arguments: Any) -> tuple[Tensor, ...]:
        inner, others = given(arguments)
        found = run(body.plan, [*outer_body(others), *inner], constants[1](others))
        return tuple(_alike(step, _tensor(found[place]), start) for place, start in zip(changing, starts, strict=True))

    carried: Any = tuple(starts)  # torch's annotation is of one variable
    last = while_loop_op(goes_on, turn, carried, tuple(leaves.items))
    after = list(variables)
    for place, tensor in zip(changing, last, strict=True):
        after[place] = StackedList(tensor) if isinstance(variables[place], StackedList) else tensor
    return after


def branch(step: Step, predicate: Tensor, values: Values, run: Run) -> Values:
    """The outputs of the one block of the `cond` op `step` that `predicate` chooses, kept as a branch."""
    leaves = Leaves()
    captured = [leaves.take_all([values[slot] for slot in block.captures]) for block in step.blocks]
    constants = [leaves.take_constants(block.plan) for block in step.blocks]

    def block(number: int) -> Callable[..., tuple[Tensor, ...]]:
        def compute(*given: Any) -> tuple[Tensor, ...]:
            found = run(step.blocks[number].plan, captured[number](given), constants[number](given))
            return tuple(_own(_tensor(value)) for value in found)

        return compute

    return list(cond_op(predicate.reshape(()), block(0), block(1), tuple(leaves.items)))


def _passes_on(body: NestedBlock, place: int) -> bool:
    """Whether the body returns variable `place` as it is given it."""
    return body.plan.outputs[place].slot == body.plan.inputs[len(body.captures) + place].slot


def _steady(step: Step, value: Any) -> Any:
    """`value` as a loop can carry it: a list as one tensor."""
    if not isinstance(value, TensorList):
        return value
    if value.dynamic:
        raise _not_kept(step, "a list may grow from turn to turn")
    return stacked(value)


def _start(step: Step, value: Any) -> Tensor:
    try:
        return _own(_tensor(value))
    except ValueError as error:
        raise _not_kept(step, str(error)) from None


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Numbers):
        return value.tensor()
    if isinstance(value, StackedList):
        return value.stacked
    if not isinstance(value, Tensor):
        raise ValueError(f"a variable is a {type(value).__name__}")
    return value


def _own(value: Tensor) -> Tensor:
    """What a block returns must share memory neither with what it is given nor with another of its results."""
    return value.clone(memory_format=torch.contiguous_format)


def _alike(step: Step, value: Tensor, start: Tensor) -> Tensor:
    same = value.dim() == start.dim() and all(
        statically_known_true(a == b) for a, b in zip(value.shape, start.shape, strict=True)
    )
    if not same or value.dtype is not start.dtype:
        sizes = f"{start.dtype} {list(start.shape)} becomes {value.dtype} {list(value.shape)}"
        raise _not_kept(step, f"a variable changes from turn to turn: {sizes}")
    return _own(value)


def _not_kept(step: Step, why: str) -> UnsupportedOpsError:
    return UnsupportedOpsError(f"op {step.name!r} cannot be kept as a loop: {why}", ops=[step.kind])
