"""Validation at the speed of inference: the figures of the network as it stands, which stays as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tinyml.accuracy import accuracy_on
from tinyml.schema import Metrics, TrainConfig
from tinyml.trainer import validation
from tinyml.trainer.checkpoint import spec_of
from tinyml.trainer.data import Dataset
from tinyml.trainer.device import Precision
from tinyml.trainer.inference import for_inference
from tinyml.trainer.loop import train
from tinyml.trainer.predictor import ModulePredictor
from tinyml.trainer.validation import validate
from tinyml.workspace import Workspace

from .conftest import LABELS, config
from .networks import network_of

CPU = torch.device("cpu")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")


def plainly(network: nn.Module, data: Dataset, settings: TrainConfig) -> Metrics:
    """The figures of the network itself."""
    spec = spec_of(settings.model, network, LABELS, data.index.preprocess)
    return accuracy_on(ModulePredictor(network, spec, precision=settings.precision), data.split("val"), "val")


@pytest.mark.parametrize(
    ("model", "precision"),
    [
        *((model, precision) for model in ("resnet20", "efficientnet", "vit") for precision in PRECISIONS),
        *(("densenet", precision) for precision in ("fp32", "bf16")),  # whose sums go beyond float16 with these scales
    ],
)
def test_the_figures_are_those_of_the_network_itself(model: str, precision: Precision, colors: Dataset) -> None:
    network, settings = network_of(model, len(LABELS)), config(model=model, precision=precision)
    spec = spec_of(model, network, LABELS, colors.index.preprocess)
    found, expected = validate(network, spec, colors, settings, CPU), plainly(network, colors, settings)
    assert (found.images, found.top1) == (expected.images, expected.top1)
    assert found.loss is not None
    # Folded weights are rounded once more: in half precision to 8 or 11 bits.
    tolerance = {"fp32": 1e-4, "bf16": 3e-2, "fp16": 4e-3}[precision]
    assert found.loss == pytest.approx(expected.loss, rel=tolerance)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_training_validates_so(precision: Precision, colors: Dataset, tmp_path: Path) -> None:
    seen: list[tuple[torch.dtype, bool]] = []
    normalizations: list[int] = []

    def watched(network: nn.Module, device: torch.device) -> nn.Module:
        copied = for_inference(network, device)
        normalizations.append(sum(isinstance(module, nn.BatchNorm2d) for module in copied.modules()))
        first = next(module for module in copied.modules() if isinstance(module, nn.Conv2d))

        def note(_module: nn.Module, given: tuple[Tensor, ...], answered: Tensor) -> None:
            seen.append((answered.dtype, given[0].is_contiguous(memory_format=torch.channels_last)))

        first.register_forward_hook(note)
        return copied

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "for_inference", watched)
        train(config(epochs=2, precision=precision), colors, Workspace(tmp_path), device=CPU)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    assert normalizations == [0, 0]
    assert set(seen) == {(dtype, True)}


def test_what_hooks_change_is_measured_as_they_change_it(colors: Dataset) -> None:
    network, settings = network_of("resnet20", len(LABELS)), config(model="resnet20")
    spec = spec_of("resnet20", network, LABELS, colors.index.preprocess)
    convolution = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    without = plainly(network, colors, settings)

    def halved(module: nn.Module, _: object) -> None:
        assert module is network
        convolution._parameters["weight"] = nn.Parameter(kept / 2)

    kept = convolution.weight.detach().clone()
    network.register_forward_pre_hook(halved)
    expected = plainly(network, colors, settings)
    found = validate(network.train(), spec, colors, settings, CPU)
    assert found.loss is not None
    assert (found.images, found.top1) == (expected.images, expected.top1)
    # Some processors add in another order where channels come last.
    assert found.loss == pytest.approx(expected.loss, rel=1e-6)
    assert without.loss != pytest.approx(expected.loss, rel=1e-4)
    assert network.training


def test_the_network_stays_as_it_is(colors: Dataset) -> None:
    network = network_of("resnet20", len(LABELS)).train()
    frozen = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d)).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    spec = spec_of("resnet20", network, LABELS, colors.index.preprocess)
    validate(network, spec, colors, config(model="resnet20"), CPU)
    assert network.training
    assert not frozen.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])] == []


def test_scores_in_half_precision_are_float32(colors: Dataset) -> None:
    network = network_of("resnet20", len(LABELS))
    predictor = ModulePredictor(
        network, spec_of("resnet20", network, LABELS, colors.index.preprocess), precision="bf16"
    )
    scores = predictor.logits(np.asarray(colors.split("val").images[:2]))
    assert scores.dtype == np.float32
