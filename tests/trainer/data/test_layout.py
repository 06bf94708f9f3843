"""Folders as people have them: names of splits, what lies beside them, and all that is left out by name."""

import os
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.errors import DataError, UnknownNameError
from tinyml.progress import Silent
from tinyml.trainer.data import image_formats, open_dataset, preparing
from tinyml.trainer.data.dataset import Dataset
from tinyml.trainer.data.listing import list_folder
from tinyml.trainer.data.source import sources
from tinyml.trainer.data.sources.folder import split_of

Make = Callable[..., None]
SPLITS = ("train", "val", "test")


class Heard(Silent):
    """Keeps the lines that are said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def opened(root: Path) -> tuple[Dataset, list[str]]:
    heard = Heard()
    return open_dataset(str(root), progress=heard), heard.lines


def counts(dataset: Dataset) -> list[int]:
    return [dataset.index.splits[name].images for name in SPLITS]  # type: ignore[index]


def left_out(dataset: Dataset) -> dict[str, int]:
    return {row.what: row.files for row in dataset.index.left_out}


def refused(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        open_dataset(str(root))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("Train", "VALID", "Testing"),
        ("training", "validation", "test"),
        ("TRAIN", "dev", "tst"),
        ("training_set", "validation-set", "Test Set"),
        ("train_images", "val_images", "test_data"),
    ],
)
def test_the_usual_names_of_splits(tmp_path: Path, make_images: Make, train: str, val: str, test: str) -> None:
    for name, count in ((train, 6), (val, 2), (test, 3)):
        for each in ("ant", "bee"):
            make_images(tmp_path / "photos" / name / each, count)
    dataset, _ = opened(tmp_path / "photos")
    assert dataset.index.labels == ("ant", "bee")
    assert counts(dataset) == [12, 4, 6]
    for name in (train, val, test):
        assert f"{name}/" in dataset.index.split_rule


def test_names_that_only_begin_like_a_split_are_none() -> None:
    assert [split_of(name) for name in ("trainer", "testament", "valley", "set", "data", "evaluation", "contest")] == [
        None
    ] * 7


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("train/ant", "train/bee", "extra/ant"), "a folder beside train/ that is no split: "),
        (("train/ant", "train/bee", "models"), "a folder beside train/ that is no split: "),
        (("train/2019", "car", "bus"), "if train is a class, put all classes into a folder called train"),
        (("train/ant", "train/bee", "val/ant", "validation/ant"), "two folders for the val split"),
        (("train/ant", "train/bee", "Training/ant"), "two folders for the train split"),
        (("valid/ant", "valid/bee"), "no train/ beside valid/"),
        (("train/ant", "train/bee", "test"), "a split without class folders: "),
        (("train", "test"), "images without class folders: "),
        (("train", "test"), "if test and train are classes, put them into a folder called train"),
        (("train/ant", "train/bee", "val/Ant"), "there it is called 'ant'"),
        (("set/train/ant", "set/train/bee", "set/val/ant"), "one folder deeper: tinyml data explore --data "),
        (("ant/train", "ant/test", "bee/train", "bee/test"), "photos/train/ant"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    tmp_path: Path, make_images: Make, folders: tuple[str, ...], message: str
) -> None:
    for folder in folders:
        make_images(tmp_path / "photos" / folder, 4)
    assert message in refused(tmp_path / "photos")


def test_an_empty_split_folder_is_refused(tmp_path: Path, make_images: Make) -> None:
    make_images(tmp_path / "photos" / "train" / "ant", 4)
    make_images(tmp_path / "photos" / "train" / "bee", 4)
    (tmp_path / "photos" / "val" / "ant").mkdir(parents=True)
    assert "no images in the classes of a split" in refused(tmp_path / "photos")


def test_classes_called_like_splits(tmp_path: Path, make_images: Make) -> None:
    for name in ("train", "bus", "car"):
        make_images(tmp_path / "vehicles" / name, 10)
    dataset, _ = opened(tmp_path / "vehicles")
    assert dataset.index.labels == ("bus", "car", "train")
    assert counts(dataset) == [21, 3, 6]
    for split in ("train", "val"):
        for name in ("train", "val", "test"):
            make_images(tmp_path / "names" / split / name, 4)
    dataset, _ = opened(tmp_path / "names")
    assert dataset.index.labels == ("test", "train", "val")
    assert counts(dataset) == [12, 6, 6]


def test_everything_left_out_is_counted_and_named(
    tmp_path: Path, make_images: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_formats, "FORMATS", without_heif())
    image_formats.readable_formats.cache_clear()
    image_formats.readable_endings.cache_clear()
    root = tmp_path / "photos"
    for name in ("ant", "bee"):
        make_images(root / name, 10)
    for n in range(8):
        (root / "ant" / f"{n}.HEIC").write_bytes(b"x")
    (root / "ant" / ".dotted.png").write_bytes(b"x")
    make_images(root / "bee" / "@eaDir", 3)
    make_images(root / ".git" / "deep", 2)
    (root / "labels.csv").write_text("")
    (root / "bee" / "README").write_text("")
    make_images(root, 2)
    (root / "bee" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (root / "bee" / "again").symlink_to(root)
    os.mkfifo(root / "bee" / "pipe.png")
    dataset, lines = opened(root)
    assert counts(dataset) == [14, 2, 4]
    assert left_out(dataset) == {
        ".HEIC": 8,
        "image in no class folder": 2,
        "hidden": 2,
        "of the system": 1,
        ".csv": 1,
        "without an ending": 1,
        "dangling link": 1,
        "link to a folder that holds it": 1,
        "pipe or device": 1,
    }
    assert len(lines) == 1
    assert lines[0].startswith("left out: 8 .HEIC (first: ant/0.HEIC; read by pillow-heif: pip install pillow-heif), ")
    assert "1 dangling link (bee/gone.png)" in lines[0]
    assert "2 images in no class folder (first: image0.png)" in lines[0]
    (root / "bee" / "gone.png").unlink()  # what was never read changes nothing
    assert opened(root)[0].sha256 == dataset.sha256


def without_heif() -> tuple[image_formats.ImageFormat, ...]:
    missing = image_formats.ImageFormat(
        name="HEIF", endings=(".heic",), available=lambda: "read by pillow-heif: pip install pillow-heif"
    )
    return (*(each for each in image_formats.FORMATS if each.name != "HEIF"), missing)


@pytest.fixture(autouse=True)
def formats_as_they_are() -> Iterator[None]:
    yield
    image_formats.readable_formats.cache_clear()
    image_formats.readable_endings.cache_clear()


def test_a_class_of_unread_images_says_so(tmp_path: Path, make_images: Make) -> None:
    make_images(tmp_path / "photos" / "ant", 4)
    (tmp_path / "photos" / "bee").mkdir()
    for n in range(3):
        (tmp_path / "photos" / "bee" / f"{n}.cr2").write_bytes(b"raw")
    assert "a class without images (left out: 3 .cr2 (first: bee/0.cr2))" in refused(tmp_path / "photos")


def test_every_readable_format_is_read_by_its_usual_endings(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    image = Image.fromarray(np.random.RandomState(0).randint(0, 256, (70, 90, 3), dtype=np.uint8))
    forms = {"jfif": "JPEG", "jpe": "JPEG", "AVIF": "AVIF", "HEIC": "HEIF", "heif": "HEIF", "webp": "WEBP"}
    assert set(forms.values()) <= set(image_formats.readable_formats())
    for name in ("ant", "bee"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for ending, form in forms.items():
            image.save(tmp_path / "photos" / name / f"image.{ending}", form)
    dataset, lines = opened(tmp_path / "photos")
    assert sum(counts(dataset)) == 2 * len(forms)
    assert lines == []
    pixels = np.concatenate([dataset.split(name).images for name in SPLITS]).astype(int)  # type: ignore[arg-type]
    assert np.abs(pixels - np.median(pixels, axis=0)).mean() < 12  # one picture, compressed in several ways


def test_linked_folders_are_read_and_watched(tmp_path: Path, make_images: Make) -> None:
    elsewhere = tmp_path / "elsewhere"
    make_images(elsewhere / "ant", 10)
    make_images(tmp_path / "photos" / "bee", 10)
    (tmp_path / "photos" / "ant").symlink_to(elsewhere / "ant")
    (tmp_path / "photos" / "bee" / "linked.png").symlink_to(elsewhere / "ant" / "image3.png")
    first, lines = opened(tmp_path / "photos")
    assert counts(first) == [15, 2, 4]
    assert lines == []
    assert opened(tmp_path / "photos")[0].sha256 == first.sha256
    make_images(elsewhere / "ant" / "more", 4)
    second, _ = opened(tmp_path / "photos")
    assert sum(counts(second)) == sum(counts(first)) + 4
    os.utime(elsewhere / "ant" / "image3.png", (1, 1))
    assert opened(tmp_path / "photos")[0].sha256 != second.sha256


def test_a_link_to_what_holds_the_data_set_is_left_out(tmp_path: Path, make_images: Make) -> None:
    for name in ("ant", "bee"):
        make_images(tmp_path / "photos" / name, 10)
    make_images(tmp_path / "other", 10)
    (tmp_path / "photos" / "up").symlink_to("..")
    (tmp_path / "photos" / "ant" / "again").symlink_to(tmp_path / "photos")
    dataset, lines = opened(tmp_path / "photos")
    assert sum(counts(dataset)) == 20
    assert lines == ["left out: 2 links to folders that hold them (first: ant/again)"]


def test_dotted_class_names(tmp_path: Path, make_images: Make) -> None:
    for name in ("v1.0", "v2.0.jpg"):
        make_images(tmp_path / "photos" / name, 10)
    assert opened(tmp_path / "photos")[0].index.labels == ("v1.0", "v2.0.jpg")


def test_unicode_normal_forms_are_one_name(tmp_path: Path, make_images: Make) -> None:
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    for place, train, val in (("mac", apart, composed), ("linux", composed, apart)):
        make_images(tmp_path / place / "train" / train, 10)
        make_images(tmp_path / place / "train" / "tea", 10)
        make_images(tmp_path / place / "val" / val, 4)
        make_images(tmp_path / place / "val" / "tea", 4)
    mac, linux = (opened(tmp_path / place)[0] for place in ("mac", "linux"))
    assert mac.index.labels == linux.index.labels == (composed, "tea")
    assert {n: s.labels for n, s in mac.index.splits.items()} == {n: s.labels for n, s in linux.index.splits.items()}
    assert mac.identity is not None
    assert linux.identity is not None
    assert mac.identity.splits == linux.identity.splits


def test_a_split_does_not_depend_on_the_normal_form(tmp_path: Path) -> None:
    found = []
    for form in ("NFC", "NFD"):
        for name in ("ant", "bee"):
            folder = tmp_path / form / name
            folder.mkdir(parents=True)
            for n in range(10):
                file = unicodedata.normalize(form, f"é{n}.png")
                Image.new("RGB", (64, 64), (n * 20, 0, 0)).save(folder / file)
        identity = opened(tmp_path / form)[0].identity
        assert identity is not None
        found.append(identity.splits)
    assert found[0] == found[1]


def test_names_that_are_not_utf8(tmp_path: Path, make_images: Make) -> None:
    root = tmp_path / "photos"
    make_images(root / "ant", 10)
    make_images(root / "bee", 10)
    try:
        (root / "ant" / "image0.png").rename(os.fsdecode(os.fsencode(root / "ant") + b"/caf\xe9.png"))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    dataset, _ = opened(root)
    assert sum(counts(dataset)) == 20
    assert any("caf\\xe9.png" in path for split in dataset.index.splits.values() for path in split.paths)
    assert opened(root)[0].sha256 == dataset.sha256
    (root / "bee").rename(os.fsdecode(os.fsencode(root) + b"/b\xe9e"))
    assert r"the name of a class folder is not UTF-8: " in refused(root)
    strange = os.fsencode(tmp_path) + b"/phot\xe9s"
    root.rename(os.fsdecode(strange))
    assert "the path of a data set is not UTF-8" in refused(Path(os.fsdecode(strange)))


def test_pipes_and_dangling_links_never_hang(tmp_path: Path, make_images: Make) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.zip")
    said: dict[str, str] = {}

    def ask() -> None:
        for name in ("pipe", "loop", "dangling"):
            said[name] = refused(tmp_path / name)
        with pytest.raises(DataError) as caught:
            preparing.prepare("tiny-imagenet", source=tmp_path / "pipe.zip")
        said["pipe.zip"] = str(caught.value)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert set(said) == {"pipe", "loop", "dangling", "pipe.zip"}
    assert "this is a file" in said["pipe"]
    assert "a link to a folder that is not there" in said["dangling"]
    assert "pipe.zip" in said["pipe.zip"]


def test_an_unreadable_folder_is_named(make_images: Make) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to other users
        root = Path(name) / "photos"
        for label in ("ant", "bee"):
            make_images(root / label, 10)
        make_images(root / "bee" / "secret", 3)
        for path in (root.parent, root, root / "ant", root / "bee"):
            path.chmod(0o755)
        (root / "bee" / "secret").chmod(0)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)  # nothing is closed to root
            listing = list_folder(root)
        finally:
            os.seteuid(user)
            (root / "bee" / "secret").chmod(0o755)
        assert len(listing.images) == 20
        assert [(row.what, row.files, row.first) for row in listing.left_out()] == [
            ("unreadable folder", 1, "bee/secret")
        ]


def test_the_menu_of_kinds() -> None:
    assert sources.names() == ["folder", "shapes", "tiny-imagenet"]
    for name, kind in sources.items():
        assert kind.summary
        assert kind.available() is None or name == "tiny-imagenet"


def test_a_folder_may_be_called_like_a_kind_that_has_no_name(
    tmp_path: Path, make_images: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ant", "bee"):
        make_images(tmp_path / "folder" / name, 10)
    monkeypatch.chdir(tmp_path)
    assert open_dataset("folder").index.labels == ("ant", "bee")
    with pytest.raises(UnknownNameError, match=r"allowed: a folder of images, shapes, tiny-imagenet$"):
        open_dataset("nowhere")


def test_a_kind_that_cannot_be_had_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYML_CACHE", "/proc/self")  # a file system that has no room at all
    reason = sources.get("tiny-imagenet").available()
    assert reason is not None
    assert "GB in /proc/self to be prepared, 0.0 GB are free" in reason
