"""Images moved a batch at a time: by whole pixels exactly, alike on every device, and turned as torch turns them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tinyml.trainer.data.moving import _by_pixels, _by_rows, affine, cropped


def drawn(count: int, padding: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    corner = torch.randint(0, 2 * padding + 1, (count, 2), generator=generator)
    return torch.rand(count, generator=generator) < 0.5, corner


def some(dtype: torch.dtype, layout: torch.memory_format) -> Tensor:
    values = torch.randint(1, 256, (24, 3, 7, 10), generator=torch.Generator().manual_seed(1)).to(dtype)
    return values.contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("padding", [0, 1, 4])
def test_a_part_is_the_image_shifted_and_mirrored(
    padding: int, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    images = some(dtype, layout)
    before = images.clone()
    mirrored, corner = drawn(len(images), padding)
    moved = cropped(images, mirrored, corner, padding)
    assert moved.is_contiguous(memory_format=torch.channels_last)
    padded = functional.pad(images, (padding,) * 4)
    for image, part, flipped, (left, top) in zip(padded, moved, mirrored.tolist(), corner.tolist(), strict=True):
        expected = image[:, top : top + 7, left : left + 10]
        assert torch.equal(part, expected.flip(2) if flipped else expected)
    assert torch.equal(images, before)


@pytest.mark.parametrize("padding", [0, 3])
def test_a_device_shows_what_the_cpu_does(padding: int) -> None:
    pixels = some(torch.uint8, torch.channels_last).permute(0, 2, 3, 1)
    mirrored, corner = drawn(len(pixels), padding)
    one, other = (way(pixels, mirrored, corner, padding) for way in (_by_rows, _by_pixels))
    assert torch.equal(one, other)
    assert one.is_contiguous()
    assert other.is_contiguous()


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_the_places_are_those_of_torchs_affine_grid(mode: str) -> None:
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(8, 3, 12, 20, generator=generator)
    matrix = torch.eye(2, 3) + 0.3 * torch.randn(8, 2, 3, generator=generator)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    expected = functional.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)
    # The grids are a few roundings apart, and the images' values lie up to 1 apart within a pixel.
    torch.testing.assert_close(affine(images, matrix, mode=mode), expected, rtol=0, atol=2e-5)
