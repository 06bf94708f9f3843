"""The ops on tensors under vmap and torch.export, and that none changes its inputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from .cases import TENSORS as CASES
from .cases import Call, _op


class _Module(torch.nn.Module):
    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Any:
        return self.call(x)


def _tensors(result: Any) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
def test_vmap_is_one_call_for_each_sample(name: str) -> None:
    samples = torch.rand(3, 2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    before = samples.clone()
    many = _tensors(torch.func.vmap(CASES[name])(samples))
    for number, sample in enumerate(samples):
        for found, want in zip(many, _tensors(CASES[name](sample)), strict=True):
            torch.testing.assert_close(found[number], want)
    assert torch.equal(samples, before)


@pytest.mark.parametrize("name", CASES)
def test_an_exported_graph_does_the_same(name: str) -> None:
    x = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    graph = torch.export.export(_Module(CASES[name]), (x,), strict=False)
    for found, want in zip(_tensors(graph.module()(x)), _tensors(CASES[name](x)), strict=True):
        torch.testing.assert_close(found, want)


def test_a_graph_holds_neither_a_check_of_indices_nor_a_stable_sort() -> None:
    x = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(2))
    checked = _op("gather", torch.tensor([0, 1]), 1, validate_indices=True)
    for call, want in ((checked, x[:, :2]), (CASES["argsort"], x.argsort(descending=True).to(torch.int32))):
        graph = torch.export.export(_Module(call), (x,), strict=False)
        assert not {"aten.sort.stable", "aten.item.default"} & {str(node.target) for node in graph.graph.nodes}
        torch.testing.assert_close(graph.module()(x), want)
