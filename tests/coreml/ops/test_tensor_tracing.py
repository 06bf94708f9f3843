"""The ops on tensors under vmap and torch.export, and that none changes its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tinyml.coreml import ops  # noqa: F401  registers every op
from tinyml.coreml.ops.registry import find

Call = Callable[[Tensor], Any]


def _op(name: str, *arguments: Any, opset: str = "iOS18", **attributes: Any) -> Call:
    """The op with everything settled but its first input."""
    definition = find(name, opset)
    assert definition is not None
    return lambda x: definition.function(x, *arguments, **attributes)


_INDICES = torch.tensor([[0], [1]])
_BOXES = torch.tensor([[0.1, 0.2, 0.9, 0.7], [0.5, 0.1, 0.6, 1.0]])
_PLACES = torch.linspace(-1, 1, 36).reshape(2, 3, 3, 2)

CASES: dict[str, Call] = {
    "gather": _op("gather", torch.tensor([0, 1]), 1),
    "gather batched": _op("gather", _INDICES, 2, 1),
    "gather_along_axis": _op("gather_along_axis", torch.zeros((2, 4, 6, 1), dtype=torch.int32), 3),
    "gather_nd": _op("gather_nd", torch.tensor([[0, 1], [1, 0]])),
    "gather_nd batched": _op("gather_nd", torch.tensor([[0, 1], [1, 0]]), 1),
    "scatter": _op("scatter", torch.tensor([0]), torch.ones(2, 1, 6, 6), 1, "max"),
    "scatter from the end": _op("scatter", torch.tensor([-1]), torch.ones(2, 1, 6, 6), 1, "mul", opset="iOS15"),
    "scatter into a constant": lambda x: _op("scatter_nd", torch.tensor([[2], [0]]), x)(torch.zeros(3, 4, 6, 6)),
    "scatter_along_axis": _op(
        "scatter_along_axis", torch.ones((2, 4, 6, 1), dtype=torch.int32), torch.ones(2, 4, 6, 1), 3, "div"
    ),
    "non_maximum_suppression": lambda x: _op("non_maximum_suppression", x[:, 0], 0.3, 3)(x[:, 1, :4] + 1),
    "topk": _op("topk", 3, 1),
    "argsort": _op("argsort"),
    "one_hot": lambda x: _op("one_hot", 4)((4 * x).to(torch.int32)),
    "pad": _op("pad", (1, 0, 2, 1)),
    "pad reflect": _op("pad", (1, 0, 2, 1), "reflect"),
    "band_part": _op("band_part", 1, 2),
    "cumsum": _op("cumsum", 1, True, True),
    "shape": _op("shape"),
    "fill_like": _op("fill_like", torch.tensor(2)),
    "concat": lambda x: _op("concat", 1, True)((x, x)),
    "split": _op("split", 1, 2),
    "stack": lambda x: _op("stack", -1)((x, x)),
    "tile": _op("tile", (1, 2, 1, 1)),
    "flatten2d": _op("flatten2d", 2),
    "slice_by_index": _op(
        "slice_by_index", (0, 3, 1, 0), (2, 0, 4, 0), (1, -1, 2, 1), end_mask=(False, True, False, True)
    ),
    "slice_by_size": _op("slice_by_size", (0, -2, 1, 0), (1, -1, 4, 3)),
    "slice_update": lambda x: _op("slice_update", x[:, :2], (0, 2, 0, 0), (2, 0, 6, 6), (1, -1, 1, 1))(
        torch.zeros(2, 4, 6, 6)
    ),
    "sliding_windows": _op("sliding_windows", 1, 2),
    "depth_to_space": _op("depth_to_space", 2),
    "space_to_depth": _op("space_to_depth", 2),
    "space_to_batch": _op("space_to_batch", (2, 2), (0, 0, 1, 1)),
    "batch_to_space": _op("batch_to_space", (1, 2), (0, 0, 1, 0)),
    "reshape": _op("reshape", (0, -1, 6)),
    "reverse_sequence": _op("reverse_sequence", torch.tensor([1, 2]), 1, 0),
    "resize": _op("resize", (0, 5, 7), 3, "NEAREST_NEIGHBOR"),
    "resize_bilinear": _op("resize_bilinear", 5, 9, "OFFSET_CORNERS"),
    "upsample_bilinear": _op("upsample_bilinear", 2, 2, False),
    "crop": _op("crop", (1, 1), (0, 1)),
    "crop_resize": _op("crop_resize", _BOXES, None, 3, 3, True),
    "crop_resize of all": _op("crop_resize", _BOXES.reshape(2, 1, 4, 1, 1), 3, 3, True, opset="iOS15"),
    "resample": _op("resample", _PLACES, "bilinear", "symmetric", 0.0, "normalized_minus_one_to_one", False),
    "affine": _op(
        "affine", _BOXES.reshape(-1)[:6][None], 3, 3, "bilinear", "constant", 0.0, "normalized_minus_one_to_one", True
    ),
}


class _Module(torch.nn.Module):
    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Any:
        return self.call(x)


def _tensors(result: Any) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", CASES)
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
