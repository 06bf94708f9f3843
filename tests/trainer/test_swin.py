"""Windows, shifts and relative positions of the Swin Transformer, against the definitions."""

from __future__ import annotations

import torch
from timm.models.swin_transformer import get_relative_position_index, window_partition, window_reverse

from tinyml.trainer.models.swin import (
    MASKED,
    WINDOW,
    Merging,
    WindowAttention,
    joined,
    relative_places,
    rolled,
    shift_mask,
    windows,
)

SIDE = 8


def test_windows_are_those_of_the_definition() -> None:
    x = torch.randn(2, SIDE, SIDE, 3)
    expected = window_partition(x, (WINDOW, WINDOW)).flatten(1, 2)
    assert torch.equal(windows(x), expected)
    assert torch.equal(joined(windows(x), SIDE), x)
    assert torch.equal(window_reverse(windows(x).reshape(-1, WINDOW, WINDOW, 3), (WINDOW, WINDOW), SIDE, SIDE), x)


def test_a_roll_is_a_roll() -> None:
    x = torch.randn(2, SIDE, SIDE, 3)
    assert torch.equal(rolled(x, 2), x.roll((-2, -2), (1, 2)))
    assert torch.equal(rolled(rolled(x, 2), SIDE - 2), x)


def test_relative_places_are_those_of_the_definition() -> None:
    assert torch.equal(relative_places(), get_relative_position_index(WINDOW, WINDOW))


def test_only_tokens_that_were_neighbors_see_each_other() -> None:
    mask = shift_mask(SIDE, 2)
    rows = torch.arange(SIDE)[:, None].expand(SIDE, SIDE)
    places = torch.stack([rows, rows.T], 2)[None]
    at = windows(rolled(places, 2))  # where each token of a window came from
    far = (at[:, :, None] - at[:, None, :]).abs().amax(3) >= WINDOW  # a window holds no two that lie so far apart
    assert torch.equal(mask == MASKED, far)
    assert set(mask.flatten().tolist()) == {0.0, MASKED}


def test_what_is_masked_changes_nothing() -> None:
    torch.manual_seed(0)
    attention = WindowAttention(12, 3, SIDE, 2)
    x = torch.randn(1, SIDE, SIDE, 12)
    changed = x.clone()
    changed[:, :2, :2] += 1.0  # the corner that the shift rolls into the last window, far from what lies there
    before, after = attention(x), attention(changed)
    assert torch.allclose(before[:, -2:, -2:], after[:, -2:, -2:], atol=1e-6)
    assert not torch.allclose(before[:, :2, :2], after[:, :2, :2])


def test_merging_halves_the_sides() -> None:
    merging = Merging(4)
    x = torch.randn(2, SIDE, SIDE, 4)
    assert merging(x).shape == (2, SIDE // 2, SIDE // 2, 8)
    changed = x.clone()
    changed[:, 2:4, 4:6] += torch.randn(4)
    differs = (merging(x) != merging(changed)).any(3)
    assert differs[0].nonzero().tolist() == [[1, 2]]
