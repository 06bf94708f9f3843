import fcntl
import os
import shutil
import socket
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tinyml.errors import DataError
from tinyml.progress import Silent
from tinyml.schema import SPLITS
from tinyml.trainer.data import preparing
from tinyml.trainer.data.dataset import Dataset
from tinyml.trainer.data.sources.tiny_imagenet import ORIGINAL, TinyImageNet, TinyImageNetLayout

Make = Callable[[], Path]


@pytest.fixture
def prepare(layout: TinyImageNetLayout) -> Callable[..., tuple[Dataset, bool]]:
    """`preparing.prepare` with the small layout."""

    def run(source: Path, **options: Any) -> tuple[Dataset, bool]:
        return preparing.prepare_source(TinyImageNet(given=source, layout=layout), **options)

    return run


Prepare = Callable[..., tuple[Dataset, bool]]


def packed(root: Path, kind: str) -> Path:
    path = root.parent / f"packed.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(root.rglob("*")):
                archive.write(file, f"{root.name}/{file.relative_to(root)}")
            archive.writestr(f"{root.name}/test/images/test_0.JPEG", b"unlabeled")
    else:
        modes: dict[str, Literal["w:", "w:gz", "w:xz"]] = {"tar": "w:", "tar.gz": "w:gz", "tar.xz": "w:xz"}
        with tarfile.open(name=path, mode=modes[kind]) as tar:
            tar.add(root, root.name)
    return path


def test_splits_names_and_pixels(make_tiny_imagenet: Make, prepare: Prepare) -> None:
    dataset, new = prepare(make_tiny_imagenet())
    index = dataset.index
    assert new
    assert {name: split.images for name, split in index.splits.items()} == {"train": 32, "val": 8, "test": 8}
    for name, each in zip(SPLITS, (8, 2, 2), strict=True):
        assert np.bincount(dataset.split(name).labels).tolist() == [each] * 4
    assert index.class_ids == ("n00000000", "n00000001", "n00000002", "n00000003")
    assert index.labels == ("crane (n00000000)", "derrick", "tabby", "desk")
    assert index.skipped == ()
    everything = np.concatenate([dataset.split(name).images for name in ("train", "val")])
    gray = [image for image in everything if (image == image[..., :1]).all()]
    assert len(gray) == 1
    assert np.unique(gray[0]).tolist() == [77]


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.xz"])
def test_archives_give_what_the_folder_gives(
    kind: str, make_tiny_imagenet: Make, prepare: Prepare, cache: Path
) -> None:
    root = make_tiny_imagenet()
    from_folder, _ = prepare(root)
    from_archive, new = prepare(packed(root, kind))
    assert new  # another source than before
    assert from_archive.index.splits == from_folder.index.splits
    assert sorted(path.name for path in from_archive.path.iterdir()) == [
        "index.json",
        "test.npy",
        "train.npy",
        "val.npy",
    ]
    assert [path.name for path in (cache / "datasets").iterdir() if path.is_dir()] == ["tiny-imagenet"]


def test_a_sound_set_is_kept_and_a_damaged_one_made_again(make_tiny_imagenet: Make, prepare: Prepare) -> None:
    root = make_tiny_imagenet()
    dataset, _ = prepare(root)
    assert prepare(root)[1] is False
    content = bytearray((dataset.path / "val.npy").read_bytes())
    content[-1] ^= 1
    (dataset.path / "val.npy").write_bytes(content)
    again, new = prepare(root)
    assert new
    assert again.index.splits == dataset.index.splits


TROUBLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no wnids": (lambda root: (root / "wnids.txt").unlink(), "wnids.txt"),
    "no words": (lambda root: (root / "words.txt").unlink(), "words.txt"),
    "no annotations": (lambda root: (root / "val" / "val_annotations.txt").unlink(), "val_annotations.txt"),
    "a class too few": (
        lambda root: (root / "wnids.txt").write_text("n00000000\n"),
        "number of classes: 1; allowed: 4",
    ),
    "a nameless class": (lambda root: (root / "words.txt").write_text("n00000000\tcrane\n"), "n00000001"),
    "a binary list": (lambda root: (root / "words.txt").write_bytes(b"\xff\xfe\x00"), "no text"),
    "an annotation too few": (
        lambda root: (root / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn00000000\n"),
        "number of images: 1; allowed: 8",
    ),
    "an unknown class": (
        lambda root: (root / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn99999999\n"),
        "n99999999",
    ),
    "an image too many": (
        lambda root: shutil.copy(
            root / "val" / "images" / "val_0.JPEG", root / "train" / "n00000000" / "images" / "more.JPEG"
        ),
        "more.JPEG",
    ),
    "a class folder too few": (lambda root: shutil.rmtree(root / "train" / "n00000002"), "n00000002_0.JPEG"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_wrong_layout_is_refused(trouble: str, make_tiny_imagenet: Make, prepare: Prepare, cache: Path) -> None:
    root = make_tiny_imagenet()
    spoil, message = TROUBLE[trouble]
    spoil(root)
    with pytest.raises(DataError) as caught:
        prepare(root)
    assert message in str(caught.value)
    assert [path for path in (cache / "datasets").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("missing", [True, False])
def test_a_bad_image_stops_unless_skipped(
    missing: bool, make_tiny_imagenet: Make, prepare: Prepare, cache: Path
) -> None:
    root = make_tiny_imagenet()
    bad = root / "train" / "n00000001" / "images" / "n00000001_3.JPEG"
    bad.write_bytes(b"no JPEG")
    if missing:
        bad.unlink()
    with pytest.raises(DataError) as caught:
        prepare(root)
    assert str(bad) in str(caught.value)
    assert "--skip-bad" in str(caught.value)
    assert [path for path in (cache / "datasets").iterdir() if path.is_dir()] == []
    dataset, _ = prepare(root, skip_bad=True)
    assert sum(split.images for split in dataset.index.splits.values()) == 47
    assert [Path(path).name for path in dataset.index.skipped] == [bad.name]
    assert dataset.split("train").images.shape[0] == dataset.index.splits["train"].images
    assert prepare(root, skip_bad=True)[1] is False
    with pytest.raises(DataError):  # without the option, a set with gaps is not what was asked for
        prepare(root)


def test_without_a_network_every_other_way_is_named(cache: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = replace(ORIGINAL, url=f"http://127.0.0.1:{closed.getsockname()[1]}/tiny-imagenet-200.zip")
    with pytest.raises(DataError, match=r"cannot fetch http.*--data FOLDER.*--data shapes.*data prepare --source"):
        preparing.prepare_source(TinyImageNet(original=nobody))
    assert [path for path in cache.rglob("*") if path.is_file() and not path.name.startswith(".")] == []


def test_an_interrupted_preparation_leaves_nothing(make_tiny_imagenet: Make, prepare: Prepare, cache: Path) -> None:
    root = make_tiny_imagenet()
    killed = cache / "datasets" / ".tiny-imagenet.tmp-abcd1234"  # what a killed process would leave
    killed.mkdir(parents=True)
    neighbor = cache / "datasets" / ".photos-0123456789ab.tmp-abcd1234"  # another set's, at work: it holds its lock
    neighbor.mkdir()
    at_work = os.open(neighbor, os.O_RDONLY)
    fcntl.flock(at_work, fcntl.LOCK_EX)

    class Interrupting(Silent):
        def advance(self, amount: int = 1, info: str = "") -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(root, progress=Interrupting())
    assert [path for path in (cache / "datasets").iterdir() if path.is_dir()] == [neighbor]
    os.close(at_work)
    assert prepare(root)[1]
    assert [path.name for path in (cache / "datasets").iterdir() if path.is_dir()] == ["tiny-imagenet"]


@pytest.mark.data
@pytest.mark.skipif("TINYML_TINY_IMAGENET" not in os.environ, reason="TINYML_TINY_IMAGENET names no Tiny ImageNet")
def test_the_real_one() -> None:
    dataset, _ = preparing.prepare("tiny-imagenet", source=Path(os.environ["TINYML_TINY_IMAGENET"]))
    assert {name: split.images for name, split in dataset.index.splits.items()} == {
        "train": 80_000,
        "val": 20_000,
        "test": 10_000,
    }
    for name, each in zip(SPLITS, (400, 100, 50), strict=True):
        assert np.bincount(dataset.split(name).labels).tolist() == [each] * 200
    assert len(set(dataset.index.labels)) == 200
    assert dataset.index.labels[0] == "goldfish"
