import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import DataError, UnknownNameError, UsageError
from tinyml.schema import SPLITS, SplitName
from tinyml.trainer.data import open_dataset, preparing
from tinyml.trainer.data.dataset import Dataset

Make = Callable[..., None]


def counts(dataset: Dataset, name: SplitName) -> list[int]:
    found = np.bincount(dataset.split(name).labels, minlength=len(dataset.index.labels))
    return [int(count) for count in found]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("train", "val", "test"), {"train": [10, 20], "val": [4, 4], "test": [4, 4]}),
        (("train", "val"), {"train": [10, 20], "val": [2, 2], "test": [2, 2]}),
        (("train", "test"), {"train": [8, 16], "val": [2, 4], "test": [4, 4]}),
        (("train",), {"train": [7, 14], "val": [1, 2], "test": [2, 4]}),
        ((), {"train": [7, 14], "val": [1, 2], "test": [2, 4]}),
    ],
)
def test_every_layout(
    tmp_path: Path, make_images: Make, given: tuple[str, ...], expected: dict[str, list[int]]
) -> None:
    root = tmp_path / "photos"
    for base in given or ("",):
        train = base in ("train", "")
        make_images(root / base / "bee", 10 if train else 4)
        make_images(root / base / "ant" / "deeper", 20 if train else 4, ending="JPG")
    (root / given[0] if given else root / "bee").joinpath(".hidden.png").write_text("no image")
    (root / (given[0] if given else "") / "bee" / "notes.txt").write_text("no image")
    dataset = open_dataset(str(root))
    assert dataset.index.labels == ("ant", "bee")
    assert {name: counts(dataset, name)[::-1] for name in SPLITS} == expected
    assert dataset.index.split_rule
    assert dataset.split("test").images.shape[1:] == (64, 64, 3)


def test_the_split_depends_on_paths_alone(tmp_path: Path, make_images: Make) -> None:
    for place in ("one", "two"):
        make_images(tmp_path / place / "photos" / "ant", 10)
        make_images(tmp_path / place / "photos" / "bee", 10)
    one, two = (open_dataset(str(tmp_path / place / "photos")) for place in ("one", "two"))
    assert one.index.splits == two.index.splits
    assert one.path != two.path


def test_changed_files_are_noticed(tmp_path: Path, make_images: Make) -> None:
    root = tmp_path / "photos"
    make_images(root / "ant", 10)
    make_images(root / "bee", 10)
    first = open_dataset(str(root))
    assert open_dataset(str(root)).sha256 == first.sha256
    os.utime(root / "ant" / "image0.png", (1, 1))
    assert open_dataset(str(root)).sha256 != first.sha256
    make_images(root / "cow", 10)
    assert open_dataset(str(root)).index.labels == ("ant", "bee", "cow")


def test_what_is_no_data_set_is_refused(tmp_path: Path, make_images: Make) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow" / "ant").mkdir(parents=True)
    make_images(tmp_path / "single" / "ant", 5)
    make_images(tmp_path / "gap" / "ant", 5)
    (tmp_path / "gap" / "bee").mkdir()
    make_images(tmp_path / "few" / "ant", 5)
    make_images(tmp_path / "few" / "bee", 2)
    for place in ("strange/train/ant", "strange/train/bee", "strange/val/cow"):
        make_images(tmp_path / place, 4)
    make_images(tmp_path / "bad" / "ant", 5)
    make_images(tmp_path / "bad" / "bee", 5)
    (tmp_path / "bad" / "bee" / "broken.png").write_text("none")
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "wnids.txt").write_text("")
    (tmp_path / "file.zip").write_text("")
    expected = {
        "empty": "no class folders",
        "hollow": "no images",
        "single": "one class only",
        "gap": "a class without images",
        "few": "at least 3",
        "strange": "train/ does not have",
        "bad": "broken.png",
        "published": "--source",
        "file.zip": "this is a file",
        "nowhere/at/all": "no such folder",
    }
    for name, message in expected.items():
        with pytest.raises(DataError) as caught:
            open_dataset(str(tmp_path / name))
        assert message in str(caught.value), name
        assert "\n" not in str(caught.value)


def test_wrong_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'shapes'"):
        open_dataset("shape")
    with pytest.raises(UsageError, match="Tiny ImageNet only"):
        preparing.prepare("shapes", source=tmp_path)


@pytest.fixture
def photos(tmp_path: Path, make_images: Make) -> str:
    """A folder of two classes, as a user names it."""
    make_images(tmp_path / "photos" / "ant", 20)
    make_images(tmp_path / "photos" / "bee", 20)
    return str(tmp_path / "photos")


@pytest.fixture
def prepared(photos: str) -> Dataset:
    return open_dataset(photos)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "truncated array": lambda path: os.truncate(path / "train.npy", 5000),
    "empty array": lambda path: os.truncate(path / "train.npy", 0),
    "missing array": lambda path: (path / "test.npy").unlink(),
    "foreign array": lambda path: np.save(path / "val.npy", np.zeros((8, 32, 32, 3), np.uint8)),
    "pickled array": lambda path: np.save(path / "val.npy", np.array([{}], dtype=object)),
    "swapped arrays": lambda path: (path / "val.npy").write_bytes((path / "train.npy").read_bytes()),
    "missing index": lambda path: (path / "index.json").unlink(),
    "foreign index": lambda path: (path / "index.json").write_text('{"kind": "history"}'),
    "half an index": lambda path: os.truncate(path / "index.json", 100),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_says_the_way_out(damage: str, prepared: Dataset, photos: str) -> None:
    DAMAGE[damage](prepared.path)
    with pytest.raises(DataError, match=f"tinyml data prepare --data {photos}") as caught:
        open_dataset(photos)
    assert "\n" not in str(caught.value)
    again, new = preparing.prepare(photos)
    assert new
    assert again.index.splits == prepared.index.splits
    assert open_dataset(photos).sha256 == again.sha256


def test_splits_are_read_only(prepared: Dataset) -> None:
    split = prepared.split("train")
    with pytest.raises(ValueError, match="read-only"):
        split.images[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        split.labels[0] = 0
    with pytest.raises(UnknownNameError):
        prepared.split("tset")  # type: ignore[arg-type]
