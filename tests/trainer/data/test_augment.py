import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from tinyml.schema import Preprocess, TrainConfig
from tinyml.trainer.data import Split, TrainBatches, eval_batches
from tinyml.trainer.data.augment import Augment, normalized
from tinyml.trainer.data.boxes import boxes
from tinyml.trainer.data.mixing import Mixing

PLAIN = Preprocess(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
NOTHING = Augment(crop_padding=0, flip=False, rotation_degrees=0.0, color_jitter=0.0, erasing=0.0)
CPU = torch.device("cpu")


def images(count: int = 8) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_strength_only_normalisation_is_left() -> None:
    oracle = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(Preprocess().mean, Preprocess().std)])
    # Both divide and subtract in float32: a few roundings apart.
    torch.testing.assert_close(NOTHING(images(), Preprocess(), generator()), oracle(images()), rtol=0, atol=2e-6)


def test_crop_and_flip_only_move_pixels() -> None:
    augment = Augment(crop_padding=4, flip=True, rotation_degrees=0.0, color_jitter=0.0, erasing=0.0)
    before = images(32)
    padded = functional.pad(before, [4, 4, 4, 4]).float() / 255
    seen = set()
    for image, moved in zip(padded, augment(before, PLAIN, generator()), strict=True):
        candidates = {
            (top, left, flipped): crop.flip(-1) if flipped else crop
            for top in range(9)
            for left in range(9)
            for flipped in (False, True)
            for crop in (image[:, top : top + 64, left : left + 64],)
        }
        found = [key for key, candidate in candidates.items() if torch.equal(candidate, moved)]
        assert len(found) == 1
        seen.add(found[0])
    assert len(seen) > 20  # every image has parameters of its own


def test_colors_stay_in_range_and_grays_stay_gray() -> None:
    augment = Augment(crop_padding=0, flip=False, rotation_degrees=0.0, color_jitter=0.4, erasing=0.0)
    gray = images()[:, :1].expand(-1, 3, -1, -1).contiguous()
    changed = augment(gray, PLAIN, generator())
    assert 0.0 <= changed.min() <= changed.max() <= 1.0
    # Rows of the color matrix sum to one up to float32 rounding and the constants' four digits.
    torch.testing.assert_close(changed[:, 0], changed[:, 1], rtol=0, atol=2e-3)


@pytest.mark.parametrize("size", [16, 32])
def test_images_shrink_to_the_mean_of_their_pixels(size: int) -> None:
    small = NOTHING(images(), PLAIN, generator(), size=size)
    times = 64 // size
    expected = torch.nn.functional.avg_pool2d(images().double() / 255, times)
    torch.testing.assert_close(small.double(), expected, rtol=0, atol=1e-7)


def test_a_crop_is_taken_after_shrinking() -> None:
    augment = Augment(crop_padding=4, flip=False, rotation_degrees=0.0, color_jitter=0.0, erasing=0.0)
    small = NOTHING(images(), PLAIN, generator(), size=32)
    padded = functional.pad(small, [2, 2, 2, 2])
    for image, moved in zip(padded, augment(images(), PLAIN, generator(), size=32), strict=True):
        crops = (image[:, top : top + 32, left : left + 32] for top in range(5) for left in range(5))
        assert sum(torch.equal(crop, moved) for crop in crops) == 1


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_normalization_is_the_same_in_every_layout(layout: torch.memory_format) -> None:
    values = (images().float() / 255).contiguous(memory_format=layout)
    mean, std = (torch.tensor(each)[:, None, None] for each in (Preprocess().mean, Preprocess().std))
    expected = (values - mean) / std
    assert torch.equal(normalized(values, Preprocess()), expected)
    assert torch.equal(values, expected)  # in place


def test_erasing_sets_one_box_of_some_images_to_the_mean() -> None:
    gray = torch.full((400, 3, 64, 64), 200, dtype=torch.uint8)
    augment = Augment(crop_padding=0, flip=False, rotation_degrees=0.0, color_jitter=0.0, erasing=0.5)
    erased = augment(gray, PLAIN, generator()) == 0
    assert torch.equal(erased[:, 0], erased[:, 1])
    assert torch.equal(erased[:, 0], erased[:, 2])
    shares = []
    for image in erased[:, 0]:
        rows, columns = image.any(1), image.any(0)
        assert torch.equal(image, rows[:, None] & columns)  # a box
        assert all(int(side.long().diff().abs().sum()) <= 2 for side in (rows, columns))  # in one piece
        shares.append(float(image.float().mean()))
    hit = [share for share in shares if share]
    assert 160 <= len(hit) <= 240  # six standard deviations of a fair coin are 60
    assert min(hit) > 0.015
    assert max(hit) < 0.35


def test_boxes_have_their_size_and_lie_anywhere() -> None:
    tall, wide = torch.tensor([3.0, 64.0, 0.0]), torch.tensor([5.0, 64.0, 9.0])
    assert boxes(tall, wide, 64, 64, generator()).sum(dim=(1, 2, 3)).tolist() == [15, 4096, 0]
    many = boxes(torch.full((500,), 62.0), torch.full((500,), 61.0), 64, 64, generator())
    assert many.dtype == torch.float32
    assert bool(((many == 0.0) | (many == 1.0)).all())
    tops = {int(rows.argmax()) for rows in many[:, 0].amax(2)}
    lefts = {int(columns.argmax()) for columns in many[:, 0].amax(1)}
    assert (tops, lefts) == ({0, 1, 2}, {0, 1, 2, 3})


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.2, 0.0), (0.0, 1.0), (0.2, 1.0)])
def test_targets_say_what_the_pixels_hold(mixup: float, cutmix: float) -> None:
    # Image k is filled with k, so the mean of a mixture is the mean of its targets.
    labels = torch.arange(16)
    flat = labels.float()[:, None, None, None].expand(16, 3, 64, 64).contiguous()
    mixed, targets = Mixing(mixup_alpha=mixup, cutmix_alpha=cutmix)(flat, labels, 16, generator())
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(16))
    torch.testing.assert_close(mixed.mean(dim=(1, 2, 3)), targets @ torch.arange(16.0), rtol=1e-4, atol=1e-4)
    assert not torch.equal(mixed, flat)


def test_epochs_repeat_and_differ() -> None:
    random = np.random.RandomState(0)
    split = Split(images=random.randint(0, 256, (50, 64, 64, 3), dtype=np.uint8), labels=np.arange(50) % 5)
    config = TrainConfig(
        model="m", recipe="r", data="d", batch_size=16, epochs=3, mixup_alpha=0.2, cutmix_alpha=1.0, mix_off_epochs=1
    )
    batches = TrainBatches(split, config, Preprocess(), 5, CPU)
    assert len(batches) == 3
    again = TrainBatches(split, config, Preprocess(), 5, CPU)
    second = list(again.epoch(2))  # as a resumed run would, without the first
    first_run = [list(batches.epoch(n)) for n in (1, 2, 3)]
    for one, other in zip(second, first_run[1], strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.targets, other.targets)
    assert not torch.equal(first_run[0][0].images, first_run[1][0].images)
    assert first_run[1][0].images.is_contiguous(memory_format=torch.channels_last)  # as the networks take them
    assert first_run[1][0].targets.dtype == torch.float32
    assert first_run[2][0].targets.dtype == torch.int64  # mixing is off in the last epoch
    limited = TrainBatches(split, config.model_copy(update={"limit": 20}), Preprocess(), 5, CPU)
    assert [len(batch) for batch in limited.epoch(1)] == [16]
    tiny = TrainBatches(split, config.model_copy(update={"batch_size": 64}), Preprocess(), 5, CPU)
    assert [len(batch) for batch in tiny.epoch(1)] == [50]


def test_eval_batches_keep_the_order() -> None:
    split = Split(images=np.arange(10, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3), labels=np.arange(10))
    assert [labels.tolist() for _, labels in eval_batches(split, np.array([7, 1, 3]), 2)] == [[7, 1], [3]]
    assert [len(pixels) for pixels, _ in eval_batches(split, None, 4)] == [4, 4, 2]
