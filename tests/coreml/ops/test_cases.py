"""The table of cases is complete, and each op's rule for samples keeps its word."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from tinyml.coreml.ops.registry import OpDefinition, definitions
from tinyml.coreml.ops.samples import Arguments, MixedSamplesError, Placed
from tinyml.coreml.plan.lift import samples_first

from .cases import SAMPLED, TENSORS, Sampled
from .test_traceability import ALL

SAMPLES = 3
RULES = {f"{each.name}-{each.since}": each for each in definitions() if each.samples is not None}


def test_each_op_has_a_case() -> None:
    found = {case.rpartition("-")[0] for case in ALL} | {case.partition(" ")[0] for case in TENSORS}
    found.add("scatter_nd")  # "scatter into a constant"
    # Stored weights are unpacked at load, `classify` is cut off before a trace, and random values differ at each call.
    absent = {each.name for each in definitions() if each.stored or each.random} | {"classify"}
    # Loops, branches, lists and states are traced by the executor, with the program around them.
    absent |= {each.name for each in definitions() if each.family in ("control_flow", "states")} - {"select"}
    # The size of its result depends on values, so that samples cannot be computed at once.
    absent.add("non_zero")
    assert found == {each.name for each in definitions()} - absent


def test_each_rule_has_cases() -> None:
    assert set(SAMPLED) == {each.name for each in RULES.values()}


def _bound(definition: OpDefinition, case: Sampled) -> inspect.BoundArguments:
    names = inspect.signature(definition.function).parameters
    kwargs = {name: value for name, value in case.kwargs.items() if name in names}
    bound = inspect.signature(definition.function).bind(*case.args[: len(names)], **kwargs)
    bound.apply_defaults()
    return bound


def _tensors(value: Any) -> tuple[Tensor, ...]:
    return tuple(each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, Tensor))


def _arguments(
    definition: OpDefinition, given: Mapping[str, Any], axes: Mapping[str, int], every: bool = False
) -> Arguments:
    with torch.no_grad():
        results = _tensors(definition.function(*given.values()))
    tensors: dict[str, tuple[Placed, ...]] = {}
    for name, value in given.items():
        found = _tensors(value)
        placed = [
            Placed(shape=tuple(t.shape), axis=axes.get(name) if every or not n else None) for n, t in enumerate(found)
        ]
        if placed:
            tensors[name] = tuple(placed)
    constants = {name: None if name in tensors else value for name, value in given.items()}
    shapes = tuple(tuple(each.shape) for each in results)
    return Arguments(tensors=tensors, constants=constants, results=shapes, function=definition.function)


def _sampled(case: Sampled, arguments: Mapping[str, Any]) -> list[str]:
    """The inputs that have samples."""
    return [name for name, value in arguments.items() if _tensors(value)] if case.every else [next(iter(arguments))]


def _varied(value: Any, n: int, every: bool) -> Any:
    """`value` for sample `n`; of several tensors the first one varies, or `every` one."""
    if isinstance(value, tuple):
        return tuple(each.roll(n, -1) if every or not place else each for place, each in enumerate(value))
    return value.roll(n, -1)


def _joined(values: list[Any], every: bool) -> Any:
    if isinstance(values[0], tuple):
        columns = zip(*values, strict=True)
        return tuple(torch.cat(list(each)) if every or not place else each[0] for place, each in enumerate(columns))
    return torch.cat(values)


@pytest.mark.parametrize("case", RULES)
def test_samples_are_kept_apart(case: str) -> None:
    definition = RULES[case]
    sampled = SAMPLED[definition.name]
    arguments = _bound(definition, sampled).arguments
    names = _sampled(sampled, arguments)
    given = _arguments(definition, arguments, dict.fromkeys(names, 0), every=sampled.every)
    assert definition.samples is not None
    axes = definition.samples(given)
    samples = [{name: _varied(arguments[name], n, sampled.every) for name in names} for n in range(SAMPLES)]
    joined = {name: _joined([sample[name] for sample in samples], sampled.every) for name in names}
    many = {**arguments, **joined, **given.changes}
    with torch.no_grad():
        together = _tensors((given.replacement or definition.function)(*many.values()))
        alone = [_tensors(definition.function(*{**arguments, **sample}.values())) for sample in samples]
    for n, (value, axis) in enumerate(zip(together, axes, strict=True)):
        expected = torch.stack([each[n] for each in alone])
        # The same sums, in another order.
        torch.testing.assert_close(samples_first(value, axis, SAMPLES), expected, rtol=1e-5, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("case", RULES)
def test_what_would_mix_samples_is_refused(case: str) -> None:
    definition = RULES[case]
    sampled = SAMPLED[definition.name]
    given = _arguments(definition, _bound(definition, sampled).arguments, sampled.mixed)
    assert definition.samples is not None
    with pytest.raises(MixedSamplesError):
        definition.samples(given)
