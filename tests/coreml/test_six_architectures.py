"""Packages of every architecture out of Core ML and in again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tinyml.coreml import ReferenceModel, to_torch
from tinyml.coreml.plan.planner import build as plan
from tinyml.coreml.run.batch import BatchRunner
from tinyml.coreml.tools.convert import convert as write
from tinyml.coreml.trace.onnx import onnx_runner
from tinyml.export.format import Metadata, formats
from tinyml.export.variants import variants
from tinyml.quiet import coremltools, quiet
from tinyml.schema import IMAGE, PROBABILITIES, Preprocess
from tinyml.trainer.architecture import build
from tinyml.trainer.checkpoint import spec_of
from tinyml.trainer.predictor import network_input

ct = coremltools()

CHEAPEST = "alexnet"
"""The one that runs by default."""

SIX = ("alexnet", "densenet", "efficientnet", "resnet", "vgg", "vit")
BOTH = ("efficientnet", "resnet", "vit")
"""Of the others the compressed package says nothing that theirs does not say: one network of each sort of layer."""

CASES = pytest.mark.parametrize(
    ("name", "variant"),
    [
        pytest.param(name, variant, marks=() if name == CHEAPEST else pytest.mark.slow)
        for name in SIX
        for variant in ("coreml-fp16", "coreml-w8")
        if variant == "coreml-fp16" or name in (CHEAPEST, *BOTH)
    ],
)

Package = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Writes an untrained network of ten classes as a variant, once."""
    folder = tmp_path_factory.mktemp("untrained")

    def make(name: str, variant: str) -> Path:
        path = folder / f"{name}-{variant}.mlpackage"
        if not path.exists():
            torch.manual_seed(0)
            network = _measured(build(name, 10)).eval()
            spec = spec_of(name, network, tuple(f"class {number}" for number in range(10)), Preprocess())
            metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts={})
            empty = np.zeros((0, 64, 64, 3), np.uint8)
            formats.get("coreml").write(network, variants.get(variant), metadata, empty, path)
        return path

    return make


def _measured(network: torch.nn.Module) -> torch.nn.Module:
    """`network` with the statistics of the images in its normalizations; as built, the softmax of some saturates."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # the plain average, so that one pass is enough
    with torch.no_grad():
        network.train()(network_input(_pixels(8), Preprocess()))
    return network


def _pixels(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


def _tensor(pixels: np.ndarray) -> torch.Tensor:
    """[64, 64, 3] to [1, 3, 64, 64]."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float().contiguous()


def _probabilities(model: ReferenceModel, pixels: np.ndarray) -> list[float]:
    return list(model.predict({IMAGE: Image.fromarray(pixels)})[PROBABILITIES].values())


@CASES
def test_onnxruntime_agrees_with_the_reference_runtime(
    name: str, variant: str, package: Package, tmp_path: Path
) -> None:
    path = package(name, variant)
    run = onnx_runner(write(path, "onnx", tmp_path / "model.onnx").path.read_bytes())
    model = ReferenceModel(path, precision="float32")
    for pixels in _pixels(3):
        # Both compute in float32 in another order: some 1e-6 of a probability after dozens of layers.
        np.testing.assert_allclose(run([_tensor(pixels)])[0][0], _probabilities(model, pixels), rtol=1e-4, atol=1e-6)


@CASES
def test_images_at_once_are_images_one_by_one(name: str, variant: str, package: Package) -> None:
    model = ReferenceModel(package(name, variant), precision="float32")
    types = [item.type for item in model.function.inputs]
    outputs = [model.classifier.probabilities]
    assert BatchRunner(plan(model.function, precision="float32", outputs=outputs), types).at_once
    images = _pixels(5)
    found = model.predict_batch({IMAGE: images}, chunk=3)[PROBABILITIES]
    # Both compute in float32 in another order: some 1e-6 of a probability after dozens of layers.
    np.testing.assert_allclose(found, [_probabilities(model, pixels) for pixels in images], rtol=1e-4, atol=1e-6)


@CASES
def test_a_package_is_fine_tuned_and_exported_again(name: str, variant: str, package: Package, tmp_path: Path) -> None:
    module = to_torch(package(name, variant))
    first, second = (_tensor(pixels) for pixels in _pixels(2))
    before = {key: value.detach().clone() for key, value in module.named_parameters()}
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)
    losses = []
    for _ in range(3):
        loss = torch.nn.functional.nll_loss((module(first)[0] + 1e-6).log(), torch.tensor([3]))
        losses.append(loss.item())
        if len(losses) < 3:
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    assert losses[2] < losses[0]
    moved = [key for key, value in module.named_parameters() if not torch.equal(before[key], value)]
    # Not all do: some gradients are smaller than the last bit of a weight.
    assert len(moved) > 0.5 * len(before)
    assert all(bool(value.isfinite().all()) for value in module.parameters())

    again = _converted(module, first)
    again.save(str(tmp_path / "again.mlpackage"))
    model = ReferenceModel(tmp_path / "again.mlpackage")
    for pixels in (first, second):
        with torch.no_grad():
            expected = module(pixels)[0].numpy()
        (found,) = model.predict({next(iter(model.input_description)): pixels.numpy()}).values()
        # float32 on both sides; the order of summation differs.
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def _converted(module: torch.nn.Module, example: torch.Tensor) -> Any:
    with quiet(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, (example,), strict=False).run_decompositions({})
        return ct.convert(
            program,
            compute_precision=ct.precision.FLOAT32,
            minimum_deployment_target=ct.target.iOS16,
            skip_model_load=True,
        )
