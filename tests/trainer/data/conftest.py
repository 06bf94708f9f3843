import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.trainer.data.sources.tiny_imagenet import TinyImageNetLayout

LAYOUT = TinyImageNetLayout(classes=4, per_class=10, val=8)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def layout() -> TinyImageNetLayout:
    return LAYOUT


@pytest.fixture
def make_tiny_imagenet(tmp_path: Path) -> Callable[[], Path]:
    """Writes a Tiny ImageNet of a few noise images in the published layout, one of them gray."""

    def make() -> Path:
        root = tmp_path / "tiny-imagenet-200"
        wnids = [f"n0000000{k}" for k in range(LAYOUT.classes)]
        random = np.random.RandomState(0)
        for wnid in wnids:
            folder = root / "train" / wnid / "images"
            folder.mkdir(parents=True)
            (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("")
            for n in range(LAYOUT.per_class):
                Image.fromarray(random.randint(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{wnid}_{n}.JPEG")
        Image.new("L", (64, 64), 77).save(root / "train" / wnids[0] / "images" / f"{wnids[0]}_0.JPEG")
        (root / "val" / "images").mkdir(parents=True)
        rows = []
        for n in range(LAYOUT.val):
            Image.new("RGB", (64, 64), (n, 0, 0)).save(root / "val" / "images" / f"val_{n}.JPEG")
            rows.append(f"val_{n}.JPEG\t{wnids[n % LAYOUT.classes]}\t0\t1\t2\t3\n")
        (root / "val" / "val_annotations.txt").write_text("".join(rows))
        (root / "wnids.txt").write_text("\n".join(reversed(wnids)))
        words = ["crane", "crane, derrick", "tabby, tabby cat", "desk"]
        (root / "words.txt").write_text("".join(f"{w}\t{name}\n" for w, name in zip(wnids, words, strict=True)))
        return root

    return make


@pytest.fixture
def make_images() -> Callable[..., None]:
    """Writes `count` small images of one color into a folder."""

    def make(folder: Path, count: int, *, ending: str = "png", size: tuple[int, int] = (80, 70)) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for n in range(count):
            Image.new("RGB", size, (n % 256, 50, 200)).save(folder / f"image{n}.{ending}")

    return make


@pytest.fixture
def make_tar(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tar of the given members; content None makes the member what `change` says."""

    def make(name: str, content: bytes = b"x", **change: object) -> Path:
        path = tmp_path / "made.tar"
        with tarfile.open(path, "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in change.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
        return path

    return make
