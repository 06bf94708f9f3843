"""Layers with more inputs than one matrix of their products is made for."""

from __future__ import annotations

import pytest
import torch

from tinyml.export.encoding import statistics
from tinyml.export.encoding.compensate import compensated, saliency
from tinyml.export.encoding.statistics import hessian, share


@pytest.mark.parametrize(("columns", "part"), [(10, 10), (40, 40), (41, 21), (100, 34), (121, 31)])
def test_columns_are_split_evenly(columns: int, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MOST_COLUMNS", 40)
    assert share(columns) == part


@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_each_part_makes_up_for_its_own_errors(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    mixing = torch.randn(90, 90) * torch.linspace(0.1, 2, 90)
    inputs = torch.randn(400, 90) @ mixing
    weight = torch.randn(8, 90)
    arguments = {"x": inputs, "weight": weight}
    if kind == "conv":
        arguments = {"x": inputs.reshape(400, 10, 3, 3), "weight": weight.reshape(8, 10, 3, 3)}
    cells = weight.reshape(8, 10, 9)

    def rounded(column: torch.Tensor, place: int) -> torch.Tensor:
        return column.round()

    def lost(found: torch.Tensor) -> float:
        return float(((found.reshape(8, 90) - weight) @ inputs.T).square().mean())

    whole = hessian(kind, arguments)
    monkeypatch.setattr(statistics, "MOST_COLUMNS", 40)
    parts = hessian(kind, arguments)
    assert whole is not None
    assert parts is not None
    assert [part.shape[-1] for part in parts.parts] == [30, 30, 30]
    assert torch.allclose(parts.squares(), whole.squares(), rtol=1e-4)
    assert saliency(cells, parts).shape == cells.shape
    errors = [lost(cells.round()), lost(compensated(cells, parts, rounded)), lost(compensated(cells, whole, rounded))]
    assert errors[1] < 0.9 * errors[0]
    assert errors[2] < errors[1]
