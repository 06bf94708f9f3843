"""Writes the fixtures of the Swift tests: what Pillow, numpy, training and `tinyml.store` say of small inputs.

Run `python tests/swift/make_fixtures.py` to write them anew; `test_fixtures.py` asserts that they are current.
"""

from __future__ import annotations

import base64
import io
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tinyml.coreml.read.package import open_package
from tinyml.schema import (
    ActivationQuantization,
    Artifact,
    DatasetIdentity,
    Floor,
    Golden,
    LinearQuantization,
    LinearSettings,
    Metrics,
    ModelSpec,
    PaletteSettings,
    Palettization,
    Preprocess,
    Provenance,
    PruneSettings,
    Pruning,
    SparsityPattern,
    SplitIdentity,
    Tensor,
    Variant,
    Verification,
)
from tinyml.store import file_sha256
from tinyml.trainer.data.images import decode

FOLDER = Path(__file__).parents[2] / "swift_demo" / "Tests" / "Fixtures"

PROVENANCE = Provenance(
    created_at="2026-11-23T17:05:09Z",
    command="fixture: every number is invented",
    tool_version="0.0.0-fixture",
    packages={"torch": "0"},
    limit=100,
)

BYTES_PER_PIXEL = {"rgb": 3, "rgba": 4, "bgra": 4}
CHANNELS = {"rgb": [0, 1, 2], "rgba": [0, 1, 2, 3], "bgra": [2, 1, 0, 3]}


def synthetic(width: int, height: int, seed: int) -> np.ndarray:
    """Gradients, hard edges and noise: uint8 [height, width, 3], no symmetry that a wrong turn could hide behind."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.stack([columns * 255 / width, rows * 255 / height, (columns + 2 * rows) % 256], axis=-1)
    image[height // 4 : height // 2, width // 8 : width // 3] = [255, 0, 30]
    image[::7, :, 1] = 255
    return np.clip(image + generator.integers(-40, 40, image.shape), 0, 255).astype(np.uint8)


def stored(image: np.ndarray, pixel_format: str, padding: int) -> bytes:
    """The image as a camera stores it: the channels in their order, each row followed by `padding` bytes of rubbish."""
    opaque = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    rows = opaque[:, :, CHANNELS[pixel_format]].reshape(len(image), -1)
    return np.hstack([rows, np.full((len(image), padding), 0xA5, np.uint8)]).tobytes()


def preprocessed(image: Image.Image, orientation: int, preprocess: Preprocess) -> bytes:
    """What training makes of the image file, turned upright as its EXIF orientation says."""
    exif = image.getexif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    file.seek(0)
    return decode(file, preprocess, "fixture").tobytes()


def text(content: bytes) -> str:
    """Bytes for JSON."""
    return base64.b64encode(content).decode()


def resampler() -> dict[str, Any]:
    """Resizes to a size, and whole preprocessings of turned and padded images."""
    resizes = []
    for number, (width, height, new_width, new_height) in enumerate(
        [(60, 45, 8, 6), (60, 45, 60, 45), (13, 7, 29, 31), (96, 20, 7, 40), (1, 1, 5, 3), (64, 64, 63, 1)]
    ):
        image = synthetic(width, height, number)
        expected = Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BILINEAR)
        resizes.append(
            {
                "width": width,
                "height": height,
                "new_width": new_width,
                "new_height": new_height,
                "pixels": text(image.tobytes()),
                "expected": text(expected.tobytes()),
            }
        )
    pipelines = []
    for number, (width, height, pixel_format, padding, orientation, resize, size) in enumerate(
        [
            (64, 48, "bgra", 64, 1, 16, 16),
            (48, 64, "bgra", 12, 6, 16, 16),
            (61, 37, "rgb", 5, 8, 20, 16),
            (46, 32, "rgb", 0, 1, 16, 16),
        ]
        + [(40, 30, "rgba", 0, orientation, 12, 10) for orientation in range(1, 9)]
    ):
        image = synthetic(width, height, 100 + number)
        preprocess = Preprocess(resize=resize, input_size=size)
        model_input = preprocessed(Image.fromarray(image), orientation, preprocess)
        pipelines.append(
            {
                "width": width,
                "height": height,
                "format": pixel_format,
                "bytes_per_row": width * BYTES_PER_PIXEL[pixel_format] + padding,
                "orientation": orientation,
                "resize": resize,
                "input_size": size,
                "stored": text(stored(image, pixel_format, padding)),
                "expected": text(model_input),
            }
        )
    return {"resizes": resizes, "pipelines": pipelines}


def hashes() -> dict[str, Any]:
    """A folder whose names sort differently by code point, by component and by locale."""
    files = {
        "Manifest.json": b"{}",
        "a/b.bin": bytes(range(256)),
        "a.b/c": b"",
        "B/\u00e9": b"accent",
        "Data/com.apple.CoreML/weights/weight.bin": b"\x00" * 1000,
        "a/\U0001f600": b"outside the basic plane",
        "a/\uffee": b"inside it",
    }
    with tempfile.TemporaryDirectory() as name:
        for path, content in files.items():
            (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / path).write_bytes(content)
        folder = file_sha256(Path(name))
        single = file_sha256(Path(name) / "a" / "b.bin")
    listed = [{"path": path, "content": text(content)} for path, content in files.items()]
    return {"files": listed, "folder_sha256": folder, "file_path": "a/b.bin", "file_sha256": single}


def artifact() -> dict[str, Any]:
    """A manifest with every field that there is, its numbers invented."""
    floor = Floor(top1_agreement=0.98, psnr_db=30.0, max_accuracy_drop=0.01)
    metrics = Metrics(split="val", top1=0.5, top5=0.75, images=100, total=10000, loss=2.25)
    compression = (
        Pruning(
            sparsity=0.5,
            overrides={"patch": None, "head": PruneSettings(pattern=SparsityPattern(zeros=2, of=4))},
        ),
        Palettization(
            bits=4,
            granularity="per_grouped_channel",
            group_size=8,
            overrides={"head": PaletteSettings(bits=6, per_channel_scale=True)},
        ),
        LinearQuantization(
            bits=4,
            granularity="per_block",
            block_size=32,
            ends_bits=8,
            overrides={"patch": LinearSettings(bits=8, symmetric=False, granularity="per_tensor"), "head": None},
        ),
        ActivationQuantization(symmetric=True, percentile=99.5, images=17, overrides={"head": None}),
    )
    return Artifact(
        path="vit-coreml-palette4g8.mlpackage",
        sha256="a" * 64,
        bytes=1234,
        variant=Variant(
            name="coreml-palette4g8",
            format="coreml",
            precision="fp16",
            compression=compression,
            minimum_target="iOS18",
            summary="invented",
            floor=floor,
        ),
        inputs=(Tensor(name="image", kind="image", shape=(None, 3, 64, 64), dtype="uint8"),),
        outputs=(
            Tensor(name="classLabel", kind="label", shape=(), dtype="string"),
            Tensor(name="probabilities", kind="dictionary", shape=(2,), dtype="float32"),
        ),
        spec=ModelSpec(
            architecture="vit", parameters=17, labels=("egyptian cat", "caf\u00e9"), preprocess=Preprocess()
        ),
        checkpoint_sha256="b" * 64,
        checkpoint_path="results/vit/checkpoints/best.json",
        data="tiny-imagenet",
        dataset=DatasetIdentity(
            data="tiny-imagenet",
            splits={
                "train": SplitIdentity(images=80_000, content_sha256="d" * 64),
                "val": SplitIdentity(images=20_000, content_sha256="e" * 64),
                "test": SplitIdentity(images=10_000, content_sha256="f" * 64),
            },
        ),
        verification=Verification(
            runtime="reference",
            split="val",
            images=100,
            max_difference=0.01,
            mean_difference=0.001,
            psnr_db=None,
            top1_agreement=1.0,
            top5_agreement=1.0,
            reference=metrics,
            artifact=metrics,
            floor=floor,
            failures=(),
        ),
        provenance=PROVENANCE,
    ).model_dump(mode="json")


def golden() -> dict[str, Any]:
    """What stands beside a golden image, its numbers invented."""
    return Golden(
        artifact_sha256="a" * 64,
        image="golden.png",
        image_sha256="c" * 64,
        width=64,
        height=64,
        labels=("egyptian cat", "caf\u00e9"),
        probabilities=(0.75, 0.25),
        tolerance=0.01,
        runtime="reference",
        provenance=PROVENANCE,
    ).model_dump(mode="json")


(SHIPPED,) = (FOLDER.parents[1] / "App/Models").glob("*/*.mlpackage")


def operations() -> dict[str, Any]:
    """The ops of the model that the app comes with, as a compute plan names them, and how many there are of each."""
    functions = open_package(SHIPPED).program.functions.values()
    names = [f"{f.opset.lower()}.{op.kind}" for f in functions for op in f.block.operations]
    return {"operations": dict(sorted(Counter(names).items()))}


FIXTURES = {
    "resampler.json": resampler,
    "hashes.json": hashes,
    "artifact.json": artifact,
    "golden.json": golden,
    "operations.json": operations,
}


def content(name: str) -> str:
    """What the fixture file `name` holds."""
    return json.dumps(FIXTURES[name](), indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for fixture in FIXTURES:
        (FOLDER / fixture).write_text(content(fixture), encoding="utf-8")
