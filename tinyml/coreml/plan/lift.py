"""Making a plan that was written for one sample compute many at once.

A batch-1 program computes many samples at once if each of its ops keeps them apart: then the dimension of size 1 that
its input begins with can be of any size, and it is enough to know which dimension of each value that becomes. `lift`
follows it from op to op by the rules in `sample_rules`. One op without a rule, or one that would mix samples, and the
program is left to other ways (`batch.py`), which are slower.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..program.types import MilType
from .plan import FAILURES, Plan
from .sample_axis import Axis, Lifting, MixedSamplesError, known_shape
from .sample_rules import RULES


def lift(plan: Plan, inputs: Sequence[MilType]) -> tuple[Axis, ...] | None:
    """Makes `plan`, of a program for one sample, take N samples along the first dimension of each input.

    Args:
        plan: changed in place where this succeeds, left as it is where not.
        inputs: the declared types of its inputs, each with a first dimension of 1.

    Returns:
        the dimension of each output along which its samples lie (None: the same for all); None where some op cannot be
        shown to keep samples apart.
    """
    shapes: dict[int, tuple[int, ...]] = {slot: tuple(v.shape) for slot, v in plan.constant_tensors().items()}
    axes: dict[int, Axis] = dict.fromkeys(shapes)
    try:
        for (_, slot), kind in zip(plan.inputs, inputs, strict=True):
            shapes[slot], axes[slot] = known_shape(kind), 0
            if shapes[slot][:1] != (1,):
                return None
        steps = []
        for step in plan.steps:
            if all(axes.get(slot) is None for slot in step.reads) and not step.kind.startswith("random_"):
                lifted = step
                found: tuple[Axis, ...] = (None,) * len(step.results)
            elif step.kind in RULES:
                lifting = Lifting(step=step, axes=axes, shapes=shapes)
                found = RULES[step.kind](lifting)
                lifted = lifting.changed()
            else:
                return None
            steps.append(lifted)
            for result, axis in zip(step.results, found, strict=True):
                shapes[result.slot], axes[result.slot] = known_shape(result.type), axis
                if axis is not None and shapes[result.slot][axis : axis + 1] != (1,):
                    return None
    except (MixedSamplesError, *FAILURES):
        # An op that is not sound is refused by its name when it runs.
        return None
    plan.steps = tuple(steps)
    return tuple(axes[slot] for _, slot in plan.outputs)


def samples_first(value: torch.Tensor, axis: Axis, count: int) -> torch.Tensor:
    """A lifted value as [count, *shape for one sample]."""
    if axis is None:
        return value.expand(count, *value.shape)
    return value.unsqueeze(axis + 1).movedim(axis, 0)
