"""Ops that order elements by value: argsort, topk, non_maximum_suppression."""

from __future__ import annotations

import torch
from torch import Tensor

from ..program.limits import check_size
from .registry import op
from .samples import along


@op("argsort", samples=along("axis"))
def argsort(x: Tensor, axis: int = -1, ascending: bool = False) -> Tensor:
    """int32 places of the sorted values; equal ones keep their order."""
    return _topk(x, x.shape[axis], axis, ascending)[1]


def _topk(x: Tensor, k: int, axis: int, ascending: bool) -> tuple[Tensor, Tensor]:
    count = x.shape[axis] if k == -1 else k
    if torch.compiler.is_compiling():
        # ONNX has no stable sort; its TopK takes the first of equal values, too.
        values, places = torch.topk(x, count, dim=axis, largest=not ascending)
        return values, places.to(torch.int32)
    values, places = torch.sort(x, dim=axis, descending=not ascending, stable=True)
    return values.narrow(axis, 0, count), places.narrow(axis, 0, count).to(torch.int32)


@op("topk", exact=True, samples=along("axis"))
def topk(x: Tensor, k: int = 1, axis: int = -1, ascending: bool = False) -> tuple[Tensor, Tensor]:
    """The `k` largest (or smallest) along `axis`, sorted, and their int32 places; of equal ones the first."""
    return _topk(x, k, axis, ascending)


@op("topk", since="iOS16", exact=True, samples=along("axis"))
def topk_with_options(
    x: Tensor,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,  # noqa: ARG001
    return_indices: bool = True,
) -> tuple[Tensor, Tensor] | Tensor:
    """As before; unsorted results may come in any order, and do come sorted. Without indices, one output."""
    values, places = _topk(x, k, axis, ascending)
    return (values, places) if return_indices else values


@op("topk", since="iOS17", exact=True, samples=along("axis"))
def topk_with_typed_indices(
    x: Tensor,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,  # noqa: ARG001
    return_indices: bool = True,
    output_indices_dtype: str | None = None,  # noqa: ARG001
) -> tuple[Tensor, Tensor] | Tensor:
    """As before, all elements for a `k` of -1; places declared uint16 are int32 here as well."""
    values, places = _topk(x, k, axis, ascending)
    return (values, places) if return_indices else values


@op("non_maximum_suppression", exact=True)
def non_maximum_suppression(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float,
    score_threshold: float,
    max_boxes: int,
    per_class_suppression: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The best of `boxes` [n, B, 4] (center x, center y, width, height) that overlap no better one too far.

    A box counts with its best class in `scores` [n, B, K], and only from `score_threshold` on; where none does, the
    best box is taken all the same. Returns boxes [n, max, 4], scores [n, max, K], int32 places [n, max] and counts [n];
    what is missing is 0, its place -1.
    """
    best = scores.amax(dim=-1)
    eligible = best >= score_threshold
    places, found = _survivors(boxes, scores, best, eligible, iou_threshold, max_boxes, per_class_suppression)
    none = ~found.any(dim=-1, keepdim=True)
    first = (torch.arange(max_boxes, device=boxes.device) == 0) & none
    places = torch.where(first, best.argmax(dim=-1, keepdim=True), places)
    found = found | first
    chosen_boxes, chosen_scores = _at(boxes, places, found), _at(scores, places, found)
    return chosen_boxes, chosen_scores, _marked(places, found), found.sum(dim=-1, dtype=torch.int32)


@op("non_maximum_suppression", since="iOS17", exact=True)
def non_maximum_suppression_boxes_last(
    boxes: Tensor, scores: Tensor, iou_threshold: float, max_boxes: int, per_class_suppression: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """As before with `boxes` [n, 4, B] and `scores` [n, K, B], no threshold of the score and no counts.

    An overlap that equals the threshold suppresses as well, where the older op keeps the box. The op's pages say
    "greater" of both; coremltools' test of torchvision's nms at an overlap of just 0.2 shows the difference, and its
    tests at a threshold of 0 that boxes which do not overlap at all are kept.
    """
    boxes, scores = boxes.transpose(1, 2), scores.transpose(1, 2)
    best = scores.amax(dim=-1)
    eligible = torch.ones_like(best, dtype=torch.bool)
    places, found = _survivors(
        boxes, scores, best, eligible, iou_threshold, max_boxes, per_class_suppression, at_equality=True
    )
    chosen_boxes, chosen_scores = _at(boxes, places, found), _at(scores, places, found)
    return chosen_boxes.transpose(1, 2), chosen_scores.transpose(1, 2), _marked(places, found)


def _survivors(
    boxes: Tensor,
    scores: Tensor,
    best: Tensor,
    eligible: Tensor,
    iou_threshold: float,
    max_boxes: int,
    per_class: bool,
    *,
    at_equality: bool = False,
) -> tuple[Tensor, Tensor]:
    """int64 [n, max] places in falling order of score, and whether there was one to take."""
    for size in (boxes.shape[-1], scores.shape[-1]):
        check_size("non_maximum_suppression", (boxes.shape[0], max_boxes, size))
    half = boxes[..., 2:] / 2
    low, high = boxes[..., :2] - half, boxes[..., :2] + half
    area = boxes[..., 2:].prod(dim=-1)
    classes = scores.argmax(dim=-1)
    places, found = [], []
    # Where the number of boxes is a symbol of a trace, rounds without a box to take find none.
    rounds = min(max_boxes, boxes.shape[1]) if type(boxes.shape[1]) is int else max_boxes
    for _ in range(rounds):
        place = torch.where(eligible, best, -torch.inf).argmax(dim=-1, keepdim=True)
        places.append(place)
        found.append(torch.gather(eligible, -1, place))
        corner = place[..., None].expand(-1, -1, 2)
        overlap = torch.minimum(high, torch.gather(high, 1, corner)) - torch.maximum(low, torch.gather(low, 1, corner))
        shared = overlap.clamp(min=0).prod(dim=-1)
        share = shared / (area + torch.gather(area, -1, place) - shared)
        beaten = (share >= iou_threshold) & (shared > 0) if at_equality else share > iou_threshold
        if per_class:
            beaten = beaten & (classes == torch.gather(classes, -1, place))
        eligible = (eligible & ~beaten).scatter(-1, place, False)
    rest = (0, max_boxes - rounds)
    return torch.nn.functional.pad(torch.cat(places, dim=-1), rest), torch.nn.functional.pad(
        torch.cat(found, dim=-1), rest
    )


def _at(values: Tensor, places: Tensor, found: Tensor) -> Tensor:
    taken = torch.gather(values, 1, places[..., None].expand(-1, -1, values.shape[-1]))
    return torch.where(found[..., None], taken, 0)


def _marked(places: Tensor, found: Tensor) -> Tensor:
    return torch.where(found, places, -1).to(torch.int32)
