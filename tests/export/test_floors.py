"""Floors judge the conversion, not how decided a network is: every architecture, at three stages of their training.

Each stage is written for real as the variant that loses most, 8-bit weights and activations in ONNX, read back and
executed, and must reach its floor. Beside the answers of the same network with a fault planted into it, the very same
artifact must miss it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tinyml.errors import ArtifactError
from tinyml.evaluation.runtime import SPEC_KEY, Outputs
from tinyml.export.format import Metadata, formats
from tinyml.export.proof import prove
from tinyml.export.source import Sources
from tinyml.export.variants import variants
from tinyml.export.verify import CheckpointAnswers, execute, verification_of
from tinyml.numerics import softmax
from tinyml.schema import ModelSpec, Preprocess
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.checkpoint import spec_of
from tinyml.trainer.predictor import network_input

CLASSES = 4
BATCH, STEPS = 8, 3
"""Of each of the two parts of a training."""
IMAGES = 32
VARIANT = variants.get("onnx-w8a8")

Fault = Callable[[nn.Module], None]


def _classes_in_turn(network: nn.Module) -> None:
    """The classes are one off, as after a wrong order of labels."""
    last = [m for m in network.modules() if isinstance(m, nn.Linear)][-1]
    with torch.no_grad():
        last.weight.copy_(last.weight.roll(1, 0))
        last.bias.copy_(last.bias.roll(1, 0))


def _no_shift(network: nn.Module) -> None:
    """The first layer sees pixels that nobody normalized."""
    first = next(m for m in network.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        first.weight.mul_(0.25)


FAULTS: tuple[Fault, ...] = (_classes_in_turn, _no_shift)


@pytest.mark.slow
@pytest.mark.parametrize("model", architectures.names())
def test_a_floor_judges_the_conversion_at_every_stage_of_training(model: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build(model, CLASSES, dropout=0.0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5  # a few steps must do
    images, labels = _pictures(IMAGES)
    losses = []
    for stage in ("untrained", "half-trained", "trained"):
        if stage == "untrained":
            network.train()(network_input(images[:BATCH], Preprocess()))  # statistics of these images, no step
        else:
            _train(network, images, labels)
        network.eval()
        asked, path = _asked(network, images, labels), tmp_path / f"{stage}.onnx"
        losses.append(float(-np.log(asked.probabilities[np.arange(IMAGES), labels]).mean()))
        _write(network, images, path)
        executable = formats.get("onnx").open(path)
        outputs = execute(executable, images)
        figures = _figures(asked, outputs)
        assert figures == (), f"{stage}: {figures}"
        for fault in FAULTS:
            faulty = copy.deepcopy(network)
            fault(faulty)
            assert _figures(_asked(faulty, images, labels), outputs), f"{stage}: {fault.__name__} was not seen"
    assert losses[-1] < losses[0] - 0.05, losses  # the last stage has learned something
    _every_weight_counts(network, path)


def _every_weight_counts(network: nn.Module, path: Path) -> None:
    """The proof, which every export makes before it looks at answers, sees a layer of half its scale."""
    stored, source = formats.get("onnx").held_weights(path), Sources(network, _spec(network)).of(VARIANT)
    assert prove(VARIANT, stored, source, path.name).weights == len(source)
    middle = len(source) // 2
    halved = [(weight, values * np.float32(0.5 if n == middle else 1)) for n, (weight, values) in enumerate(source)]
    with pytest.raises(ArtifactError, match=f"1 of {len(source)} weights: {source[middle][0].layer}: "):
        prove(VARIANT, stored, halved, path.name)


def _pictures(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noisy images, each class of a color of its own: uint8 [count, 64, 64, 3] and the classes."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES
    colors = np.array([[60, 0, 0], [0, 60, 0], [0, 0, 60], [60, 60, 0]])
    coarse = random.integers(40, 140, (count, 16, 16, 3)) + colors[labels][:, None, None, :]
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8), labels


def _train(network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-4)
    network.train()
    for step in range(STEPS):
        chosen = np.arange(step * BATCH, (step + 1) * BATCH) % len(images)
        loss = nn.functional.cross_entropy(
            network(network_input(images[chosen], Preprocess())), torch.from_numpy(labels[chosen])
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _asked(network: nn.Module, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> CheckpointAnswers:
    with torch.inference_mode():
        logits = network(network_input(images, Preprocess())).numpy()
    return CheckpointAnswers(
        images=images,
        labels=labels,
        logits=logits,
        probabilities=softmax(logits).astype(np.float32),
        split="test",
        total=len(images),
    )


def _figures(asked: CheckpointAnswers, outputs: Outputs) -> tuple[str, ...]:
    return verification_of(asked, outputs, floor=VARIANT.floor, runtime="onnxruntime").failures


def _spec(network: nn.Module) -> ModelSpec:
    return spec_of("alexnet", network, tuple(f"class {number}" for number in range(CLASSES)), Preprocess())


def _write(network: nn.Module, images: NDArray[np.uint8], path: Path) -> None:
    spec = _spec(network)
    facts = {SPEC_KEY: spec.model_dump_json(), "tinyml.version": "0"}
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
    formats.get("onnx").write(network, VARIANT, metadata, images[:16], path)
