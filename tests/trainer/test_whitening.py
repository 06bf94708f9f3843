"""A first layer that whitens: uncorrelated outputs, in every architecture, and only where it is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tinyml.errors import UsageError
from tinyml.schema import Origin
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.data import Dataset
from tinyml.trainer.loop import train
from tinyml.trainer.predictor import network_input
from tinyml.trainer.recipe import configure
from tinyml.trainer.whitening import whiten, whitening_filters
from tinyml.workspace import Workspace

from .conftest import config

CPU = torch.device("cpu")


def test_its_outputs_are_uncorrelated(colors: Dataset) -> None:
    images = network_input(colors.split("train").images, colors.index.preprocess)
    filters = whitening_filters(images, 4)
    assert filters.shape == (48, 3, 4, 4)
    outputs = nn.functional.conv2d(images, filters, stride=4).permute(0, 2, 3, 1).flatten(0, 2)
    covariance = torch.cov(outputs.T)
    # Of a variance v the filter leaves v / (v + 0.01).
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-3
    assert 0.5 < covariance.diag().min() < covariance.diag().max() < 1.01


@pytest.mark.parametrize("name", architectures.names())
def test_every_architecture_can_begin_so(name: str, colors: Dataset) -> None:
    torch.manual_seed(0)
    with torch.device("meta"):
        first = next(module for module in build(name, 3).modules() if isinstance(module, nn.Conv2d))
    network = nn.Conv2d(3, first.out_channels, first.kernel_size, bias=False)  # type: ignore[arg-type]
    before = network.weight.detach().clone()
    whiten(network, colors.split("train"), np.arange(48), colors.index.preprocess)
    count = min(first.out_channels, 2 * before[0].numel())
    assert torch.equal(network.weight[0], -network.weight[1])
    assert not torch.equal(network.weight[count - 1], before[count - 1])
    assert torch.equal(network.weight[count:], before[count:])


def test_a_network_that_begins_otherwise_is_refused(colors: Dataset) -> None:
    with pytest.raises(UsageError, match="does not begin with a convolution"):
        whiten(nn.Linear(3, 3), colors.split("train"), np.arange(48), colors.index.preprocess)


@pytest.mark.usefixtures("_no_plot", "tiny")
def test_a_frozen_one_is_still_there_after_the_training(colors: Dataset, tmp_path: Path) -> None:
    wanted = config(epochs=1, whiten=True, freeze=("features.0",))
    result = train(wanted, colors, Workspace(tmp_path), device=CPU)
    assert result.best is not None
    weight = checkpoint.load(result.best).model.state_dict()["features.0.weight"]
    assert torch.equal(weight[0], -weight[1])


def test_it_contradicts_other_weights() -> None:
    origin = Origin(path="/w.safetensors", sha256="0" * 64)
    with pytest.raises(UsageError, match="--whiten and --init both set the first layer"):
        configure("best", "vgg", "shapes", {"whiten": True, "init": origin})
