"""Mutated packages: a typed error or a result, never anything else, in bounded time and memory."""

from __future__ import annotations

import json
import random
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.coreml import ReferenceModel
from tinyml.coreml.run.model import MANY
from tinyml.errors import TinyMLError
from tinyml.quiet import coremltools, quiet

ct = coremltools()
from coremltools.converters.mil.mil import Builder as mb  # noqa: E402, N813

SPEC = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"
LIMIT_S = 10.0
"""Far above what any of these packages takes (0.1 s), far below a hang."""
LIMIT_BYTES = 6 * 2**30
"""Address space above what is in use: a package of 50 kB must not need more."""


@mb.program(input_specs=[mb.TensorSpec((1, 4, 6, 6))], opset_version=ct.target.iOS17)
def _many_families(x: Any) -> Any:
    """Ops of many families, with integers among them, which size and place things."""
    numbers = mb.cast(x=x, dtype="int32")
    y = mb.conv_transpose(x=x, weight=np.ones((4, 2, 3, 3), np.float32), strides=[2, 2], pad_type="same", groups=1)
    y = mb.avg_pool(x=y, kernel_sizes=[3, 3], strides=[2, 2], pad_type="custom", pad=[1, 1, 1, 1], ceil_mode=True)
    y = mb.resize_bilinear(x=y, target_size_height=5, target_size_width=7, sampling_mode="OFFSET_CORNERS")
    y = mb.pad(x=y, pad=[1, 1, 0, 2], mode="reflect")
    y = mb.slice_by_index(x=y, begin=[0, 0, 1, 0], end=[1, 2, 6, 8], stride=[1, 1, 2, 3])
    y = mb.concat(values=[y, mb.tile(x=mb.reduce_mean(x=y, axes=[2], keep_dims=True), reps=[1, 1, 3, 1])], axis=1)
    y = mb.transpose(x=mb.reshape(x=y, shape=[1, 4, -1]), perm=[2, 0, 1])
    y, h, _ = mb.lstm(
        x=y,
        initial_h=np.zeros((1, 3), np.float32),
        initial_c=np.zeros((1, 3), np.float32),
        weight_ih=np.ones((12, 4), np.float32),
        weight_hh=np.ones((12, 3), np.float32),
        output_sequence=True,
    )
    places = mb.argsort(x=mb.squeeze(x=h, axes=[0]), axis=0)
    y = mb.gather(x=y, indices=places, axis=2)
    y = mb.scatter_along_axis(
        data=y, indices=np.zeros((9, 1, 3), np.int32), updates=mb.cumsum(x=y, axis=0), axis=1, mode="add"
    )
    values, indices = mb.topk(x=y, k=2, axis=2)
    hot = mb.one_hot(indices=indices, one_hot_vector_size=4)
    quotient = mb.real_div(x=numbers, y=mb.sub(x=numbers, y=1))
    crops = mb.crop_resize(x=x, boxes=np.array([[0, 0, 3, 3]], np.float32), target_height=2, target_width=2)
    windows = mb.sliding_windows(x=values, axis=0, size=3, stride=2)
    return mb.layer_norm(x=windows, axes=[-1]), hot, quotient, crops


@pytest.fixture(scope="module")
def packages(convert: Any, classifier: Any, stateful: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("fuzz")
    config = ct.optimize.coreml.OptimizationConfig(
        global_config=ct.optimize.coreml.OpLinearQuantizerConfig(weight_threshold=0)
    )
    palette = ct.optimize.coreml.OptimizationConfig(
        global_config=ct.optimize.coreml.OpPalettizerConfig(nbits=4, weight_threshold=0, mode="uniform")
    )
    with quiet():
        models = {
            "plain": classifier,
            "quantized": ct.optimize.coreml.linear_quantize_weights(classifier, config),
            "palettized": ct.optimize.coreml.palettize_weights(classifier, palette),
            "stateful": stateful,
            "many": convert(_many_families, minimum_deployment_target=ct.target.iOS17),
        }
        for name, model in models.items():
            model.save(str(folder / f"{name}.mlpackage"))
    return [folder / f"{name}.mlpackage" for name in models]


@pytest.fixture
def bounded_memory() -> Iterator[None]:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _mutate_bytes(raw: bytes, generator: random.Random) -> bytes:
    data = bytearray(raw)
    if not data:
        return bytes(data)
    kind = generator.randrange(4)
    place = generator.randrange(len(data))
    if kind == 0:
        for _ in range(generator.randrange(1, 9)):
            data[generator.randrange(len(data))] = generator.randrange(256)
    elif kind == 1:
        del data[place:]
    elif kind == 2:
        del data[place : place + generator.randrange(1, 65)]
    else:
        data[place:place] = generator.randbytes(generator.randrange(1, 33))
    return bytes(data)


def _mutate_message(spec: Any, generator: random.Random) -> None:
    """Changes one number, text or reference somewhere in the program: what random bytes seldom do."""
    function = next(iter(spec.mlProgram.functions.values()))
    operations = next(iter(function.block_specializations.values())).operations
    operation = operations[generator.randrange(len(operations))]
    kind = generator.randrange(7)
    if kind == 0:
        operation.type = generator.choice(operations).type
    elif kind == 1 and operation.outputs:
        dimensions = operation.outputs[0].type.tensorType.dimensions
        if dimensions:
            generator.choice(dimensions).constant.size = generator.choice([0, 1, 7, 2**20, 2**31, 2**62])
    elif kind == 2 and operation.inputs:
        argument = operation.inputs[generator.choice(sorted(operation.inputs))].arguments
        if argument:
            other = generator.choice(operations)
            argument[0].name = other.outputs[0].name if other.outputs else "nothing"
    elif kind == 3 and operation.inputs:
        del operation.inputs[generator.choice(sorted(operation.inputs))]
    elif kind == 4:
        for name in ("val", "indices", "quantized_data"):
            if name in operation.attributes and operation.attributes[name].HasField("blobFileValue"):
                operation.attributes[name].blobFileValue.offset = generator.choice([0, 1, 63, 128, 2**40, 2**63])
    elif kind == 5 and operation.outputs:
        operation.outputs[0].type.tensorType.dataType = generator.choice([0, 1, 2, 10, 11, 21, 23, 35, 99])
    elif "val" in operation.attributes:
        values = operation.attributes["val"].immediateValue.tensor.ints.values
        if values:
            values[generator.randrange(len(values))] = generator.choice([-(2**31), -1, 0, 3, 2**31 - 1])


def _mutate(package: Path, generator: random.Random) -> None:
    target = generator.choice(["message", "message", "message", "spec", "weights", "manifest"])
    if target == "message":
        path = package / SPEC
        spec = ct.proto.Model_pb2.Model()
        spec.ParseFromString(path.read_bytes())
        _mutate_message(spec, generator)
        path.write_bytes(spec.SerializeToString())
        return
    path = package / {"spec": SPEC, "weights": WEIGHTS, "manifest": "Manifest.json"}[target]
    if path.is_file():
        path.write_bytes(_mutate_bytes(path.read_bytes(), generator))


def _zeros(feature: Any) -> np.ndarray:
    """What suits an array input, where its description still has a shape."""
    return np.zeros(getattr(feature, "shape", None) or 3, np.float32)


def _try(package: Path) -> bool:
    """Whether the package ran; a TinyMLError is a refusal, anything else escapes."""
    image = Image.fromarray(np.zeros((16, 16, 3), np.uint8))
    try:
        model = ReferenceModel(package)
        given = {name: image if name == "image" else _zeros(item) for name, item in model.input_description.items()}
        model.predict(given, model.new_state())
        if not model.description.states:
            model.predict([given] * MANY)
    except TinyMLError as error:
        message = str(error)
    else:
        return True
    assert message.count("\n") == 0
    assert len(message) < 2000
    return False


def _fuzz(packages: list[Path], folder: Path, count: int, seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311
    ran = 0
    for number in range(count):
        package = Path(shutil.copytree(generator.choice(packages), folder / f"{number}.mlpackage"))
        _mutate(package, generator)
        began = time.monotonic()
        ran += _try(package)
        assert time.monotonic() - began < LIMIT_S, package
        shutil.rmtree(package)
    assert 0 < ran < count  # some mutations are harmless, others are not


def test_a_hundred_mutations(packages: list[Path], tmp_path: Path, bounded_memory: None) -> None:
    _fuzz(packages, tmp_path, 100, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_thousand_mutations(packages: list[Path], tmp_path: Path, bounded_memory: None, seed: int) -> None:
    _fuzz(packages, tmp_path, 100, seed)


def test_manifests_of_any_shape(packages: list[Path], tmp_path: Path) -> None:
    package = Path(shutil.copytree(packages[0], tmp_path / "a.mlpackage"))
    contents: list[Any] = [[], {}, None, 3, {"rootModelIdentifier": []}, {"itemInfoEntries": []}, "x" * 1000]
    for content in contents:
        (package / "Manifest.json").write_text(json.dumps(content))
        assert not _try(package)
