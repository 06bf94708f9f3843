"""Augmentation policies: each op against torchvision's, image by image, and a choice of its own for every image."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from tinyml.schema import Preprocess
from tinyml.trainer.data import policies as ours
from tinyml.trainer.data.augment import Augment
from tinyml.trainer.data.policies import policies


def images(count: int = 6) -> Tensor:
    random = torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    return torch.where(torch.arange(64) < 40, random // 2, random)  # neither flat nor full of range


ORACLES: dict[str, tuple[ours.Op, Callable[[Tensor, float], Tensor], tuple[float, ...]]] = {
    "brightness": (ours._brightness, lambda i, s: functional.adjust_brightness(i, 1 + s), (-0.9, 0.0, 0.9)),
    "color": (ours._color, lambda i, s: functional.adjust_saturation(i, 1 + s), (-0.9, 0.0, 0.9)),
    "contrast": (ours._contrast, lambda i, s: functional.adjust_contrast(i, 1 + s), (-0.9, 0.0, 0.9)),
    "sharpness": (ours._sharpness, lambda i, s: functional.adjust_sharpness(i, 1 + s), (-0.9, 0.0, 0.9)),
    "posterize": (ours._posterize, lambda i, s: functional.posterize(i, int(s)), (2.0, 4.0, 8.0)),
    "solarize": (ours._solarize, lambda i, s: functional.solarize(i, round(s * 255)), (0.0, 0.4, 0.8)),
    "autocontrast": (ours._autocontrast, lambda i, _: functional.autocontrast(i), (0.0,)),
    "equalize": (ours._equalize, lambda i, _: functional.equalize(i), (0.0,)),
}


@pytest.mark.parametrize("name", ORACLES)
def test_colors_are_torchvisions(name: str) -> None:
    op, oracle, strengths = ORACLES[name]
    batch = images()
    for strength in strengths:
        given = torch.full((len(batch),), strength)
        changed = (op(batch.float() / 255, given) * 255).round()
        expected = torch.stack([oracle(image, strength) for image in batch]).float()
        assert float((changed - expected).abs().max()) <= 2.0  # theirs rounds, and truncates, in between


@pytest.mark.parametrize(("op", "shift"), [(ours._shift_x, (-16, 0)), (ours._shift_y, (0, -16))])
def test_shifts_move_whole_pixels(op: ours.Op, shift: tuple[int, int]) -> None:
    batch = images().float() / 255
    moved = op(batch, torch.full((len(batch),), 16 / 64))
    x, y = shift
    expected = torch.zeros_like(batch)
    expected[..., : 64 + y, : 64 + x] = batch[..., -y:, -x:]
    torch.testing.assert_close(moved, expected)


def test_turns_by_a_right_angle_are_exact() -> None:
    batch = images().float() / 255
    turned = ours._turn(batch, torch.full((len(batch),), 90.0))
    assert any(torch.allclose(turned, batch.rot90(times, (2, 3)), atol=1e-5) for times in (1, 3))


@pytest.mark.parametrize("name", policies.names())
def test_every_image_has_a_change_of_its_own(name: str) -> None:
    one = images(1).expand(24, -1, -1, -1).float() / 255
    changed = policies.get(name)(one.clone(), torch.Generator().manual_seed(0))
    assert changed.shape == one.shape
    assert 0.0 <= float(changed.min()) <= float(changed.max()) <= 1.0
    assert len({image.numpy().tobytes() for image in changed}) > 12
    again = policies.get(name)(one.clone(), torch.Generator().manual_seed(0))
    assert torch.equal(changed, again)


@pytest.mark.parametrize("name", policies.names())
def test_a_policy_is_part_of_the_augmentation(name: str) -> None:
    plain = {"crop_padding": 0, "flip": False, "rotation_degrees": 0.0, "color_jitter": 0.0, "erasing": 0.0}
    results = [
        Augment(**plain, policy=policy)(images(), Preprocess(), torch.Generator().manual_seed(0))  # type: ignore[arg-type]
        for policy in (None, name)
    ]
    assert not torch.equal(*results)
