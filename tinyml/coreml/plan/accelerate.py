"""Faster forms of a plan's steps: prepared kernels, specialized ops, activations on the way.

Which ops have one is said where they are registered (`prepared`, `specialized`, `activation`, `in_place`). A plan
changed here computes the same in another order of summation. It can no longer be traced by torch, and values between
two merged steps are no longer seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from torch import Tensor

from ..ops.kernels import PLAIN, Activation, Prepared
from .arguments import Settled, Taken
from .plan import FAILURES, Plan, Step, with_frees

T = TypeVar("T")
Constants = Mapping[int, Tensor]
"""The constant tensors of a plan by slot."""


def accelerate(plan: Plan) -> None:
    """Prepares the convolutions and linear layers of `plan` that have constant weights, and all that follows here."""
    _prepare(plan)
    specialize(plan)
    work_in_place(plan)
    plan.drop_unread_constants()


def specialize(plan: Plan) -> None:
    """Replaces each op of `plan` that has a faster form for constant parameters, such as `batch_norm`, by that.

    The plan still vectorizes; its weights are fixed.
    """
    constants = plan.constant_tensors()
    plan.steps = tuple(_specialized(step, constants) or step for step in plan.steps)


def work_in_place(plan: Plan) -> None:
    """Lets each op of `plan` that can (`relu`) overwrite what an op before it computed for it alone."""
    readers = _readers(plan)
    own = {each.slot for step in plan.steps for each in step.results if each.fresh}
    own = {slot for slot in own if readers[slot] == 1}  # another reader may have kept a view of it
    plan.steps = tuple(
        replace(step, function=step.definition.in_place)
        if step.definition.in_place is not None and step.reads[0] in own
        else step
        for step in plan.steps
    )


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    """A prepared step whose result nobody has read yet, so that an activation may still join it."""

    prepared: Prepared
    place: int


def _prepare(plan: Plan) -> None:
    constants, readers = plan.constant_tensors(), _readers(plan)
    steps: list[Step] = []
    waiting: dict[int, _Waiting] = {}  # by the slot of the result
    for step in plan.steps:
        prepared = _made(step.definition.prepared, step, constants)
        activation = _activation(step)
        source = step.reads[0] if activation is not None else -1
        if prepared is not None:
            waiting[step.results[0].slot] = _Waiting(prepared=prepared, place=len(steps))
            steps.append(_of_x_alone(step, prepared(PLAIN)))
        elif activation is not None and source in waiting and _merges(steps[waiting[source].place], readers[source]):
            found = waiting.pop(source)
            before = steps[found.place]
            steps[found.place] = replace(
                before,
                kind=f"{before.kind} + {step.kind}",
                function=found.prepared(activation),
                results=step.results,
            )
        else:
            steps.append(step)
    plan.steps = with_frees(steps, plan.kept)


def _specialized(step: Step, constants: Constants) -> Step | None:
    function = _made(step.definition.specialized, step, constants)
    return None if function is None else _of_x_alone(step, function)


def _of_x_alone(step: Step, function: Callable[[Tensor], Tensor]) -> Step:
    return replace(step, function=function, arguments={"x": step.arguments["x"]})


def _made(make: Callable[..., T | None] | None, step: Step, constants: Constants) -> T | None:
    """What `make` makes of the inputs of `step` but x, where those are all constant.

    None too where it fails: an op that is not sound is left as it is, and refused by its name when it runs.
    """
    if make is None:
        return None
    given: dict[str, Any] = {}
    for name, argument in step.arguments.items():
        if isinstance(argument, Settled):
            given[name] = argument.value
        elif not isinstance(argument, Taken) or (name != "x" and argument.slot not in constants):
            return None
        elif name != "x":
            given[name] = constants[argument.slot]
    try:
        return make(**given)
    except FAILURES:
        return None


def _readers(plan: Plan) -> Counter[int]:
    """How often each slot is read, as an output too."""
    read = [slot for step in plan.steps for slot in step.reads]
    return Counter(read + [port.slot for port in plan.outputs])


def _merges(step: Step, readers: int) -> bool:
    """Whether the result of `step` goes to one reader, unrounded."""
    return readers == 1 and step.results[0].round_to is None


def _activation(step: Step) -> Activation | None:
    """How oneDNN applies `step` on the way; None where it does not."""
    found = step.definition.activation
    if isinstance(found, Mapping):
        return found.get(step.settled("mode"))
    return found
