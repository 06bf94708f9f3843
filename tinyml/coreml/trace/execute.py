"""Executing a plan while it is traced: sizes stay symbols; loops are kept or unrolled, branches kept or decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tinyml.errors import PackageError, TinyMLError, UnsupportedOpsError

from ..ops.carriers import CARRIERS
from ..ops.context import TensorList
from ..plan.arguments import Argument, Converted, Gathered, Settled, Surroundings, Taken, slots_of
from ..plan.plan import FAILURES, Plan, Step
from ..plan.signature import Parameter, parameters
from ..program.types import UnrankedType, ValueType
from . import kept, lists, slices
from .sizes import RULES, NotASizeError, Numbers, constant, vector

MAX_TURNS = 4096
"""A loop of more turns is refused: the unrolled program would be absurdly large."""


class UndecidedError(UnsupportedOpsError):
    """A loop or branch whose course values or open sizes decide, in a trace that keeps none."""


Constants = Mapping[int, Mapping[int, Numbers]]
"""By plan (its id) and slot, and by loop (the id of its step) and variable: the constants that may be sizes."""


def constants(plan: Plan) -> dict[int, dict[int, Numbers]]:
    """The small constants of `plan` and the plans of its blocks."""
    own = {slot: constant(value) for slot, value in plan.constant_tensors().items()}
    found = {id(plan): {slot: value for slot, value in own.items() if value is not None}}
    for step in plan.steps:
        first = step.settled("loop_vars") if step.kind == "while_loop" else None
        variables = {place: constant(value) for place, value in enumerate(first or ()) if isinstance(value, Tensor)}
        found[id(step)] = {place: value for place, value in variables.items() if value is not None}
        for block in step.blocks:
            found |= constants(block.plan)
    return found


class Executor:
    """Runs plans on tensors and numbers."""

    def __init__(self, known: Constants, watch: Callable[[Step], None], *, keeps: bool = False) -> None:
        """Takes what may be sizes.

        Args:
            known: the constants that may be.
            watch: called after each step with it.
            keeps: whether loops stay loops, and branches that values decide stay branches; else loops are unrolled and
                such branches refused.
        """
        self._known, self._watch, self._keeps = known, watch, keeps
        self._inner: kept.Tensors = {}

    def run(self, plan: Plan, inputs: Sequence[Any], inner: kept.Tensors | None = None) -> list[Any]:
        """The outputs of `plan`: tensors, Numbers, and whatever else a value may be.

        Args:
            plan: of a function or a block.
            inputs: of its inputs.
            inner: in a block that is kept, the constants as it knows them.

        Raises:
            PackageError: a step fails; the message names it and says why.
        """
        before, self._inner = self._inner, inner if inner is not None else self._inner
        try:
            return self._run(plan, inputs)
        finally:
            self._inner = before

    def _run(self, plan: Plan, inputs: Sequence[Any]) -> list[Any]:
        values = plan.start(inputs)
        for slot in plan.constant_tensors():
            values[slot] = self._inner.get((id(plan), slot), values[slot])
        for slot, number in self._known[id(plan)].items():
            values[slot] = Numbers(number.array, number.dtype, values[slot])
        step = None
        try:
            for step in plan.steps:
                self._step(step, values)
                self._watch(step)
                for slot in step.frees:
                    values[slot] = None
        except TinyMLError:
            raise
        except (*FAILURES, AssertionError, NotASizeError) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise PackageError(f"op {step.name!r} ({step.kind}) failed" if step else "failed", value=reason) from error
        return [values[port.slot] for port in plan.outputs]

    def _step(self, step: Step, values: list[Any]) -> None:
        outcome: Any = self._numbers(step, values)
        if outcome is None:
            outcome = self._list(step, values)
        if outcome is None and step.kind in slices.OPS:
            outcome = self._slice(step, values)
        if outcome is None:
            if step.kind == "while_loop":
                outcome = self._loop(step, values)
            elif step.kind == "cond":
                outcome = self._branch(step, values)
            else:
                outcome = step.function(*self._arguments(step, values))
        outcomes = outcome if isinstance(outcome, (tuple, list)) else (outcome,)
        if len(step.results) > 0 and len(outcomes) != len(step.results):
            raise ValueError(f"{len(outcomes)} results where the program declares {len(step.results)}")
        for each, value in zip(step.results, outcomes, strict=False):
            values[each.slot] = value if isinstance(value, Numbers) else each.finish(value)

    def _numbers(self, step: Step, values: list[Any]) -> tuple[Numbers, ...] | None:
        """The results as numbers; None where the inputs are none, or the op has no rule."""
        if step.kind == "shape":
            x = values[step.reads[0]]
            shape = x.array.shape if isinstance(x, Numbers) else x.shape
            return (Numbers(vector(shape), torch.int32),)
        if step.kind == "list_length" and isinstance(values[step.reads[0]], TensorList):
            return (Numbers(len(values[step.reads[0]].elements), torch.int32),)
        rule = RULES.get(step.kind)
        if rule is None or not step.reads:
            return None
        if not all(isinstance(values[slot], Numbers) for slot in step.reads):
            return None
        if sum(values[slot].array.size for slot in step.reads) > MAX_TURNS:
            return None
        given: dict[str, Any] = {}
        wanted = {parameter.name: parameter for parameter in parameters(step.definition.function)}
        for name, argument in step.arguments.items():
            try:
                value = _known(argument, wanted.get(name), values)
            except NotASizeError:
                return None
            if value is not None:
                given[name] = value
        try:
            found = rule(**given)
        except (NotASizeError, *FAILURES):
            return None
        results = found if isinstance(found, tuple) else (found,)
        if len(results) != len(step.results):
            return None
        return tuple(Numbers(value, _dtype(each.type)) for value, each in zip(results, step.results, strict=True))

    def _list(self, step: Step, values: list[Any]) -> Any:
        """The result of an op of a list that is one tensor; None of another op."""
        if step.kind == "make_list":
            return self._open_list(step, values)
        if step.kind not in lists.OPS or not isinstance(values[step.reads[0]], lists.StackedList):
            return None
        given = {}
        for name, argument in step.arguments.items():
            slots = () if isinstance(argument, Settled) else slots_of(argument)
            given[name] = argument.value if isinstance(argument, Settled) else plain(values[slots[0]])
        return lists.OPS[step.kind](**given)

    def _open_list(self, step: Step, values: list[Any]) -> lists.StackedList | None:
        """A new list as one tensor, where its length is open or a loop that is kept may carry it; else None."""
        given = dict(zip(step.arguments, self._arguments(step, values), strict=True))
        if not isinstance(given["init_length"], torch.SymInt) and (not self._keeps or given["dynamic_length"]):
            return None
        return lists.blank(given["init_length"], given["elem_shape"], given["dtype"])

    def _slice(self, step: Step, values: list[Any]) -> Tensor | None:
        """The result of a slice whose begin depends on values; None of another one."""
        begin = step.arguments["begin"]
        if isinstance(begin, Settled) or all(isinstance(values[slot], Numbers) for slot in slots_of(begin)):
            return None
        kind = step.results[0].type
        given: dict[str, Any] = {"sizes": kind.shape if isinstance(kind, ValueType) else ()}
        for name, argument in step.arguments.items():
            if isinstance(argument, Settled):
                given[name] = argument.value
                continue
            found = [values[slot] for slot in slots_of(argument)]
            if name == "begin":
                given[name] = torch.cat([plain(value).reshape(-1) for value in found])
            elif name in ("x", "update"):
                given[name] = plain(found[0])
            elif all(isinstance(value, Numbers) for value in found):
                given[name] = [item for value in found for item in value.items()]
        return slices.OPS[step.kind](**given)

    def _arguments(self, step: Step, values: list[Any]) -> list[Any]:
        wanted = {parameter.name: parameter for parameter in parameters(step.definition.function)}
        return [self._argument(step, item, wanted.get(name), values) for name, item in step.arguments.items()]

    def _argument(self, step: Step, argument: Argument, parameter: Parameter | None, values: list[Any]) -> Any:
        if isinstance(argument, Settled):
            return argument.value
        if isinstance(argument, Taken):
            return plain(values[argument.slot])
        if isinstance(argument, Gathered):
            if step.kind == "make_list":  # its sizes
                return tuple(_size(values[slot]) for slot in argument.slots)
            return tuple(plain(values[slot]) for slot in argument.slots)
        if isinstance(argument, Surroundings):
            return replace(argument.context)
        if all(isinstance(values[slot], Numbers) for slot in argument.slots):
            try:
                return _known(argument, parameter, values)
            except NotASizeError:
                pass
        return argument.convert([plain(values[slot]) for slot in argument.slots])

    def _loop(self, step: Step, values: list[Any]) -> list[Any]:
        condition, body = step.blocks
        taken = step.arguments["loop_vars"]
        if isinstance(taken, Settled):
            loop_vars = [self._known[id(step)].get(place, value) for place, value in enumerate(taken.value)]
        elif isinstance(taken, Gathered):
            loop_vars = [values[slot] for slot in taken.slots]
        else:
            raise ValueError("a loop without variables")
        if self._keeps:
            return kept.loop(step, loop_vars, values, self.run)
        for _ in range(MAX_TURNS):
            outer = [values[slot] for slot in condition.captures]
            if not self._decided(step, self.run(condition.plan, [*outer, *loop_vars])[0]):
                return loop_vars
            loop_vars = self.run(body.plan, [*[values[slot] for slot in body.captures], *loop_vars])
        raise UnsupportedOpsError(f"loop {step.name!r} has more than {MAX_TURNS} turns", ops=[step.kind])

    def _branch(self, step: Step, values: list[Any]) -> list[Any]:
        taken = step.arguments["pred"]
        predicate = taken.value if isinstance(taken, Settled) else values[step.reads[0]]
        if self._keeps and isinstance(predicate, Tensor):
            return kept.branch(step, predicate, values, self.run)
        block = step.blocks[0 if self._decided(step, predicate) else 1]
        return self.run(block.plan, [values[slot] for slot in block.captures])

    def _decided(self, step: Step, value: Any) -> bool:
        """What a condition comes to; raises UnsupportedOpsError where values or open sizes decide it."""
        item = value.array.reshape(-1)[0] if isinstance(value, Numbers) else value
        if isinstance(item, (bool, int, np.bool_, float)):
            return bool(item)
        sized = isinstance(item, (torch.SymBool, torch.SymInt))
        raise UndecidedError(
            f"op {step.name!r} cannot be unrolled: "
            + ("a size that stays open decides its course" if sized else "its course depends on values"),
            ops=[step.kind],
            hint="fix the size with --shape" if sized else None,
        )


def plain(value: Any) -> Any:
    """`value` as the ops take it: numbers as a tensor."""
    return value.tensor() if isinstance(value, Numbers) else value


def _size(value: Any) -> Any:
    return value.array.reshape(-1)[0] if isinstance(value, Numbers) else value


def _known(argument: Argument, parameter: Parameter | None, values: list[Any]) -> Any:
    if isinstance(argument, Settled):
        return argument.value
    if isinstance(argument, Taken):
        return values[argument.slot].array
    if isinstance(argument, Gathered):
        return tuple(values[slot].array for slot in argument.slots)
    if isinstance(argument, Converted) and parameter is not None:
        items = [item for slot in argument.slots for item in values[slot].items()]
        return tuple(items) if parameter.variadic else items[0]
    return None


def _dtype(kind: Any) -> torch.dtype:
    return CARRIERS[kind.dtype] if isinstance(kind, (ValueType, UnrankedType)) else torch.int32
