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

from tinyml.errors import TinyMLError
from tinyml.export.mil import ReferenceModel
from tinyml.export.quiet import coremltools, quiet

ct = coremltools()

SPEC = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"
LIMIT_S = 10.0
"""Far above what any of these packages takes (0.1 s), far below a hang."""
LIMIT_BYTES = 6 * 2**30
"""Address space above what is in use: a package of 50 kB must not need more."""


@pytest.fixture(scope="module")
def packages(classifier: Any, stateful: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
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


def _try(package: Path) -> bool:
    """Whether the package ran; a TinyMLError is a refusal, anything else escapes."""
    image = Image.fromarray(np.zeros((16, 16, 3), np.uint8))
    try:
        model = ReferenceModel(package)
        given = {"image": image} if "image" in model.input_description else {"x": np.zeros(3)}
        model.predict(given, model.make_state() if model.description.states else None)
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
    for content in ([], {}, None, 3, {"rootModelIdentifier": []}, {"itemInfoEntries": []}, "x" * 1000):
        (package / "Manifest.json").write_text(json.dumps(content))
        assert not _try(package)
