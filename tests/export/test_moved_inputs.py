"""Layers whose inputs have changed because the layers in front of them are rounded already."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tinyml.export.encoding import statistics
from tinyml.export.encoding.compensate import compensated, polished, pulled
from tinyml.export.encoding.forms import Form, Indices, Integers, Sparse, rescaled
from tinyml.export.encoding.statistics import hessian


def lost(found: Tensor, weight: Tensor, now: Tensor, before: Tensor) -> float:
    """How far the outputs are from what they were."""
    return float((found.flatten(1) @ now.T - weight.flatten(1) @ before.T).square().mean())


@pytest.mark.parametrize("most", [90, 40])
@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_a_layer_answers_to_moved_inputs_what_it_answered_before(
    kind: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MOST_COLUMNS", most)
    torch.manual_seed(0)
    before = torch.randn(400, 90) @ (torch.randn(90, 90) * torch.linspace(0.1, 2, 90))
    now = 0.8 * before + 0.1 * before.roll(1, 1) + 0.2 * torch.randn(400, 90)
    weight = torch.randn(8, 90)
    shape = {"linear": (400, 90), "conv": (400, 10, 3, 3)}[kind]
    shaped = weight.reshape(8, *shape[1:])
    arguments = [{"x": values.reshape(shape), "weight": shaped} for values in (now, before)]
    cells = weight.reshape(8, 10, 9)
    moved = hessian(kind, *arguments)
    assert moved is not None
    target = pulled(cells, moved)
    assert lost(target, weight, now, before) < (0.5 if most == 90 else 0.8) * lost(weight, weight, now, before)

    def nearest(column: Tensor, place: int) -> Tensor:
        return column.round()

    blind, seeing = (compensated(each, moved, nearest) for each in (cells, target))
    assert lost(seeing, weight, now, before) < 0.8 * lost(blind, weight, now, before)


def test_inputs_that_stayed_pull_nothing() -> None:
    inputs, weight = torch.randn(30, 8), torch.randn(4, 8)
    for before in (None, {"x": inputs.clone()}):
        products = hessian("linear", {"x": inputs, "weight": weight}, before)
        assert products is not None
        assert products.drifts is None
        cells = weight.reshape(4, 8, 1)
        assert pulled(cells, products) is cells


def test_fewer_samples_than_inputs_pull_nothing() -> None:
    weight = torch.randn(4, 40)
    now, before = ({"x": torch.randn(30, 40), "weight": weight} for _ in range(2))
    products = hessian("linear", now, before)
    assert products is not None
    assert products.drifts is not None
    cells = weight.reshape(4, 40, 1)
    assert pulled(cells, products) is cells


@pytest.mark.parametrize("groups", [1, 4])
def test_rounding_once_more_only_helps(groups: int) -> None:
    torch.manual_seed(0)
    inputs = (torch.randn(40, 32, 1, 1) @ torch.ones(1, 6)).repeat(1, 1, 6, 1) + torch.randn(40, 32, 6, 6)
    weight = torch.randn(8, 32 // groups, 3, 3)
    products = hessian("conv", {"x": inputs, "weight": weight, "groups": groups})
    assert products is not None
    cells = weight.reshape(8, 32 // groups, 9)
    kept = torch.rand(cells.shape) > 0.5

    def nearest(column: Tensor, place: int) -> Tensor:
        return column.round() * kept.flatten(1)[:, place]

    def error(found: Tensor) -> float:
        apart = (found - cells).flatten(1)
        return float((apart * products.times(apart)).sum())

    found = [compensated(cells, products, nearest)]
    for _ in range(2):
        found.append(polished(found[-1], cells, products, nearest))
    assert error(found[1]) < error(found[0])
    assert error(found[2]) <= error(found[1])
    assert all(torch.equal(each, each.round() * kept) for each in found)


WHOLE = Integers(
    levels=np.arange(-12, 12, dtype=np.int8).reshape(4, 6), bits=8, scale=np.ones((4, 1), np.float32), offset=None
)
FORMS: dict[str, Form] = {
    "w8": WHOLE,
    "w4 of blocks": Integers(
        levels=np.arange(24, dtype=np.uint8).reshape(4, 6) % 16,
        bits=4,
        scale=np.linspace(1, 2, 8, dtype=np.float32).reshape(4, 2),
        offset=np.full((4, 2), 7, np.uint8),
    ),
    "w2": Indices(
        indices=np.arange(24, dtype=np.uint8).reshape(4, 6) % 4,
        bits=2,
        palettes=np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 1, 4),
    ),
    "palette2s": Indices(
        indices=np.arange(24, dtype=np.uint8).reshape(4, 6) % 4,
        bits=2,
        palettes=np.linspace(-1, 1, 4, dtype=np.float32).reshape(1, 1, 4),
        output_scale=np.ones(4, np.float32),
    ),
    "prune": Sparse(kept=np.arange(24).reshape(4, 6) % 3 > 0, inner=None, values=np.ones((4, 6), np.float32)),
}


@pytest.mark.parametrize("kind", [*FORMS, "prune-w8"])
def test_channels_with_scales_of_their_own_are_stretched(kind: str) -> None:
    form = FORMS.get(kind) or Sparse(
        kept=np.arange(24).reshape(4, 6) % 3 > 0, inner=WHOLE, values=np.zeros((4, 6), np.float32)
    )
    factors = np.array([0.5, 1, 1.5, 2], np.float32)
    found = rescaled(form, factors, 0, half=True)
    assert found is not None
    before, after = (
        each.decoded()
        * (each.output_scale[:, None] if isinstance(each, Indices) and each.output_scale is not None else 1)
        for each in (form, found)
    )
    assert np.allclose(after, before * factors[:, None], rtol=1e-3)


def test_channels_that_share_a_palette_are_left() -> None:
    shared = Indices(
        indices=np.zeros((4, 6), np.uint8), bits=1, palettes=np.array([[[-1.0, 1.0]]], np.float32), output_scale=None
    )
    assert rescaled(shared, np.ones(4, np.float32), 0, half=True) is None
