"""Repeated images: exact and to the eye, within and across splits."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageEnhance

from tinyml.trainer.data import open_dataset
from tinyml.trainer.data.duplicates import find_duplicates, near_pairs, perceptual_hash
from tinyml.trainer.data.statistics import summarize

Pictures = list[Image.Image]
Make = Callable[..., None]


def pictures(count: int, seed: int = 0) -> Pictures:
    """Smooth pictures that do not resemble each other: a few random blobs of color."""
    random = np.random.RandomState(seed)
    return [
        Image.fromarray(random.randint(0, 256, (6, 6, 3), dtype=np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)
        for _ in range(count)
    ]


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def recompressed(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=40)
    return Image.open(buffer)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """train/ and val/ and test/ of two classes, every picture another one."""
    several = iter(pictures(40))
    for split, count in (("train", 8), ("val", 4), ("test", 4)):
        for name in ("ant", "bee"):
            for n in range(count):
                save(next(several), tmp_path / "photos" / split / name / f"{n}.png")
    return tmp_path / "photos"


def test_different_pictures_are_no_duplicates(photos: Path) -> None:
    exact, near = find_duplicates(open_dataset(str(photos)))
    assert exact.images == near.images == 0
    assert exact.examples == near.examples == ()


def test_exact_duplicates_are_counted_where_they_are(photos: Path) -> None:
    with Image.open(photos / "train" / "ant" / "0.png") as image:
        image.load()
    save(image, photos / "train" / "ant" / "again.bmp")
    save(image, photos / "test" / "ant" / "leaked.png")
    with Image.open(photos / "val" / "bee" / "1.png") as image:
        image.load()
    save(image, photos / "val" / "ant" / "wrong.png")
    exact, near = find_duplicates(open_dataset(str(photos)))
    assert exact.within == {"train": 1, "val": 1, "test": 0}
    assert exact.across == {"train, val": 0, "train, test": 1, "val, test": 0}
    assert exact.in_two_classes == 1
    assert exact.images == 3
    assert (exact.examples[0].first, exact.examples[0].second) == (
        "train: train/ant/0.png",
        "test: test/ant/leaked.png",
    )
    assert near.images == 0


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": recompressed,
    "smaller": lambda image: image.resize((70, 70), Image.Resampling.BICUBIC),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    "gray": lambda image: image.convert("L"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_near_duplicates_are_found(photos: Path, change: str) -> None:
    for n in range(4):
        with Image.open(photos / "train" / "bee" / f"{n}.png") as image:
            save(CHANGES[change](image.convert("RGB")), photos / "test" / "bee" / f"near{n}.png")
    exact, near = find_duplicates(open_dataset(str(photos)))
    assert exact.images == 0
    assert near.across == {"train, val": 0, "train, test": 4, "val, test": 0}
    assert near.images == 4
    assert {pair.second for pair in near.examples} == {f"test: test/bee/near{n}.png" for n in range(4)}


def standardized(gray: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    rows = gray.reshape(len(gray), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def test_every_close_pair_is_found() -> None:
    random = np.random.RandomState(1)
    smooth = random.randn(300, 32, 32).cumsum(axis=1).cumsum(axis=2).astype(np.float32)
    smooth[150:] = smooth[:150] + random.randn(150, 32, 32).astype(np.float32)
    hashes, grays = perceptual_hash(smooth), standardized(smooth)
    distances = np.bitwise_count(hashes[:, None] ^ hashes[None, :])
    later = {
        int(b) for a, b in zip(*np.nonzero(distances <= 7), strict=True) if a < b and float(grays[a] @ grays[b]) >= 0.98
    }
    assert len(later) > 100
    found = near_pairs(hashes, grays)
    assert {b for _, b in found} == later
    for a, b in found:
        assert a < b
        assert distances[a, b] <= 7
        assert float(grays[a] @ grays[b]) >= 0.98


def test_flat_images_are_not_called_alike(tmp_path: Path) -> None:
    for name, base in (("ant", 0), ("bee", 100)):
        for n in range(10):
            save(Image.new("RGB", (64, 64), (base + n, base, base)), tmp_path / "flat" / name / f"{n}.png")
    exact, near = find_duplicates(open_dataset(str(tmp_path / "flat")))
    assert exact.images == near.images == 0


def test_balance_is_told_by_name(tmp_path: Path, make_images: Make) -> None:
    for name, count in (("ant", 100), ("bee", 10), ("cow", 30)):
        make_images(tmp_path / "photos" / "train" / name, count)
    for name in ("ant", "bee"):
        make_images(tmp_path / "photos" / "val" / name, 4)
    summary = summarize(open_dataset(str(tmp_path / "photos")))
    assert {row.label: row.train for row in summary.classes} == {"ant": 100, "bee": 10, "cow": 30}
    assert summary.scarce == ("bee",)
    assert summary.abundant == ("ant",)
    assert summary.untested == ("cow",)
    assert summary.duplicates.images > 0  # image n is of the same color in every class
    assert summary.duplicates.in_two_classes > 0
