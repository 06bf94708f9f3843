"""Floors judge the conversion, not how decided a network is: the six architectures, at three stages of their training.

Each stage is written for real as the variant that loses most, 8-bit weights and activations in ONNX, read back and
executed, and must reach its floor. With its classes in another order the very same artifact must miss it, and with
layers of another scale it must fail the proof of its weights. Each architecture is as wide as it is and has a layer of
each of its kinds; all the layers that repeat them would take a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

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
from tinyml.reproduce import SIX
from tinyml.schema import ModelSpec, Preprocess
from tinyml.trainer.architecture import build
from tinyml.trainer.checkpoint import spec_of
from tinyml.trainer.models import densenet, efficientnet, resnet, vgg, vit
from tinyml.trainer.predictor import network_input

CLASSES = 4
BATCH = 8
STEPS = {"untrained": 0, "half-trained": 3, "trained": 6}
"""Before each stage, after those of the stages before it."""
IMAGES = 16
VARIANT = variants.get("onnx-w8a8")


def _classes_in_turn(asked: CheckpointAnswers) -> CheckpointAnswers:
    """The classes are one off, as after a wrong order of labels."""
    logits = np.roll(asked.logits, 1, axis=1)
    return replace(asked, logits=logits, probabilities=softmax(logits).astype(np.float32))


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes from each architecture what only repeats; AlexNet repeats nothing."""
    monkeypatch.setattr(densenet, "BLOCKS", (2, 2, 2, 2))
    monkeypatch.setattr(vit, "LAYERS", 2)
    monkeypatch.setattr(vgg, "STAGES", tuple((width, 1) for width, _ in vgg.STAGES))
    monkeypatch.setattr(efficientnet, "STAGES", tuple((*stage[:2], 1, *stage[3:]) for stage in efficientnet.STAGES))
    assert resnet.ResNet.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(resnet.ResNet.__init__.__kwdefaults__, "depth", 1)


@pytest.mark.slow
@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize("model", SIX)
def test_a_floor_judges_the_conversion_at_every_stage_of_training(model: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build(model, CLASSES, dropout=0.0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5  # a few steps must do
    images, labels = _pictures(IMAGES)
    optimizer = _optimizer(network)
    network.train()(network_input(images[:BATCH], Preprocess()))  # no network begins without statistics of its images
    for stage, steps in STEPS.items():
        _train(network, optimizer, images, labels, steps)
        network.eval()
        asked, path = _asked(network, images, labels), tmp_path / f"{stage}.onnx"
        _write(network, images, path)
        outputs = execute(formats.get("onnx").open(path), images)
        figures = _figures(asked, outputs)
        assert figures == (), f"{stage}: {figures}"
        assert _figures(_classes_in_turn(asked), outputs), f"{stage}: the order of classes was not seen"
        _every_weight_counts(network, path)
    assert (asked.logits.argmax(1) == labels).all()  # the last stage has learned them


def _every_weight_counts(network: nn.Module, path: Path) -> None:
    """The proof, which every export makes before it looks at answers, sees each layer of half its scale.

    The answers alone need not: an untrained network hardly looks at its input, and normalizes what it computes.
    """
    stored, source = formats.get("onnx").held_weights(path), Sources(network, _spec(network)).of(VARIANT)
    assert prove(VARIANT, stored, source, path.name).weights == len(source)
    places = (0, len(source) // 2, len(source) - 1)
    halved = [(weight, values * np.float32(0.5 if n in places else 1)) for n, (weight, values) in enumerate(source)]
    with pytest.raises(ArtifactError, match=f"3 of {len(source)} weights") as caught:
        prove(VARIANT, stored, halved, path.name)
    assert all(f"{source[place][0].layer}: " in str(caught.value) for place in places)


def _pictures(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noisy images, each class of a color of its own: uint8 [count, 64, 64, 3] and the classes."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % CLASSES
    colors = np.array([[60, 0, 0], [0, 60, 0], [0, 0, 60], [60, 60, 0]])
    coarse = random.integers(40, 140, (count, 16, 16, 3)) + colors[labels][:, None, None, :]
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8), labels


def _optimizer(network: nn.Module) -> torch.optim.Optimizer:
    """The classifier is far from its place at first, and few steps must do."""
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    head = list(last.parameters())
    body = [parameter for parameter in network.parameters() if all(parameter is not other for other in head)]
    groups: list[dict[str, Any]] = [{"params": body}, {"params": head, "lr": 3e-3}]
    return torch.optim.AdamW(groups, lr=3e-4)


def _train(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    steps: int,
) -> None:
    network.train()
    for step in range(steps):
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
    formats.get("onnx").write(network, VARIANT, metadata, images[:BATCH], path)
