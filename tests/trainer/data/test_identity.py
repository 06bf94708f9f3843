"""A data set is known by its images, not by the words that were typed for it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyml.errors import DataError, UsageError
from tinyml.progress import Silent
from tinyml.schema import DatasetIdentity, DatasetIndex, TrainConfig
from tinyml.store import read_json, write_json
from tinyml.trainer.data import Dataset, open_dataset, reopen
from tinyml.trainer.data.dataset import INDEX
from tinyml.trainer.state import Position, check_continues

Make = Callable[..., None]


class Heard(Silent):
    """Keeps the lines that are said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def photos(tmp_path: Path, make_images: Make) -> Path:
    for name in ("ant", "bee"):
        make_images(tmp_path / "photos" / name, 10)
    return tmp_path / "photos"


def identity_of(dataset: Dataset) -> DatasetIdentity:
    assert dataset.identity is not None
    return dataset.identity


def test_the_same_images_are_the_same_set_wherever_they_lie(photos: Path, tmp_path: Path) -> None:
    first = identity_of(open_dataset(str(photos)))
    shutil.copytree(photos, tmp_path / "copy")
    for path in (tmp_path / "copy").rglob("*.png"):
        os.utime(path, (1, 1))
    second = identity_of(open_dataset(str(tmp_path / "copy")))
    assert second.splits == first.splits
    assert second.data != first.data


def test_it_opens_from_anywhere(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = open_dataset("photos")
    (tmp_path / "elsewhere" / "photos").mkdir(parents=True)  # another folder of the same relative name
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert reopen("photos", identity_of(dataset)).path == dataset.path


def added(photos: Path) -> None:
    for n in range(10):
        content = (photos / "ant" / "image0.png").read_bytes()
        (photos / "ant" / f"added{n}.png").write_bytes(content + bytes([n]))


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "images added": (added, "test has 6 images, had 4"),
    "an image replaced": (
        lambda photos: shutil.copy(photos / "ant" / "image1.png", photos / "ant" / "image2.png"),
        "has other images or classes, ",
    ),
    "an image moved to another class": (
        lambda photos: (photos / "ant" / "image9.png").rename(photos / "bee" / "new.png"),
        "has other images or classes, ",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_set_is_refused_and_the_message_says_how(photos: Path, change: str) -> None:
    identity = identity_of(open_dataset(str(photos)))
    alter, message = CHANGES[change]
    alter(photos)
    with pytest.raises(DataError) as caught:
        reopen("photos", identity)
    assert "the data set has changed since the training" in str(caught.value)
    assert message in str(caught.value)
    assert f"--data {photos}" in str(caught.value)
    heard = Heard()
    dataset = reopen("photos", identity, str(photos), progress=heard)  # what the user names is taken
    assert sum(split.images for split in dataset.index.splits.values()) >= 20
    assert message in heard.lines[-1]


def test_what_a_link_leads_to_is_watched(photos: Path, tmp_path: Path, make_images: Make) -> None:
    make_images(tmp_path / "far", 5)
    (photos / "ant" / "linked").symlink_to(tmp_path / "far")
    identity = identity_of(open_dataset(str(photos)))
    shutil.copy(tmp_path / "far" / "image1.png", tmp_path / "far" / "image0.png")
    with pytest.raises(DataError, match="has changed since the training"):
        reopen("photos", identity)


def test_a_folder_that_has_gone_is_served_from_its_prepared_copy(photos: Path, tmp_path: Path, cache: Path) -> None:
    dataset = open_dataset(str(photos))
    identity = identity_of(dataset)
    photos.rename(tmp_path / "moved")
    heard = Heard()
    again = reopen("photos", identity, progress=heard)
    np.testing.assert_array_equal(again.split("test").images, dataset.split("test").images)
    assert heard.lines == [f"{photos} has gone: using the copy prepared from it"]
    heard = Heard()
    moved = reopen("photos", identity, str(tmp_path / "moved"), progress=heard)
    assert identity_of(moved).splits == identity.splits
    assert heard.lines == []
    shutil.rmtree(cache)
    with pytest.raises(DataError, match=r"has gone: .*photos.*; give the data set with --data"):
        reopen("photos", identity)


def test_a_prepared_copy_of_something_else_is_no_substitute(photos: Path, tmp_path: Path) -> None:
    identity = identity_of(open_dataset(str(photos)))
    added(photos)
    open_dataset(str(photos))
    photos.rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"has gone, and its prepared copy is another: .*test has 6 images, had 4"):
        reopen("photos", identity)


def test_without_an_identity_the_words_count(photos: Path) -> None:
    assert reopen(str(photos), None).index.name == "photos"
    assert reopen("photos", None, "shapes").index.name == "shapes"


def test_drawn_and_renamed_sets_keep_their_identity(photos: Path) -> None:
    shapes = identity_of(open_dataset("shapes"))
    assert shapes.data == "shapes"
    assert identity_of(reopen("shapes", shapes)) == shapes
    before = identity_of(open_dataset(str(photos)))
    for split in ("train", "val", "test"):
        assert before.splits[split].content_sha256 != shapes.splits[split].content_sha256


def test_a_set_prepared_before_identities_is_prepared_again(photos: Path) -> None:
    dataset = open_dataset(str(photos))
    old = {name: split.model_copy(update={"content_sha256": None}) for name, split in dataset.index.splits.items()}
    index = read_json(dataset.path / INDEX, DatasetIndex).model_copy(update={"splits": old})
    write_json(dataset.path / INDEX, index)
    heard = Heard()
    assert open_dataset(str(photos), progress=heard).identity == dataset.identity
    assert heard.lines == [f"{photos} was prepared by an older tinyml: preparing it again"]


def test_a_training_goes_on_with_its_images_wherever_they_were_prepared(photos: Path) -> None:
    dataset = open_dataset(str(photos))
    config = TrainConfig(model="alexnet", recipe="best", data=str(photos), epochs=2)
    position = Position(
        config=config,
        dataset_sha256="f" * 64,  # of an index that was made at another time
        dataset=dataset.identity,
        epoch=1,
        step=0,
        images=0,
        mixed=False,
        seconds=0.0,
        records=(),
        best=None,
        memory=None,
        device="cpu",
    )
    check_continues(position, config, dataset)
    added(photos)
    with pytest.raises(UsageError, match=r"has changed since this training began: .*test has 6 images, had 4"):
        check_continues(position, config, open_dataset(str(photos)))
