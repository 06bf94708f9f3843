"""Trainings that begin with other weights: what fits, what is named, and that it computes what it did elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import timm.models as timm_models
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from tinyml.cli import run
from tinyml.errors import CheckpointError, UsageError
from tinyml.schema import Checkpoint, Origin
from tinyml.store import read_json
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import build
from tinyml.trainer.data import Dataset
from tinyml.trainer.freezing import freeze, frozen_norms
from tinyml.trainer.loop import train
from tinyml.trainer.transfer import Foreign, Initialized, matched, read_foreign
from tinyml.workspace import Workspace

from .conftest import TinyNet, config

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("_no_plot")

ELSEWHERE: dict[str, tuple[str, Callable[[], nn.Module], int, set[str]]] = {
    "torchvision resnet18": ("resnet", torchvision.models.resnet18, 3, {"stem", "classifier"}),
    "torchvision resnet18, 7x7": ("resnet7x7", torchvision.models.resnet18, 2, {"classifier"}),
    "timm resnet18": ("resnet", lambda: timm_models.create_model("resnet18"), 3, {"stem", "classifier"}),
    "torchvision vgg16_bn": ("vgg", torchvision.models.vgg16_bn, 2, {"classifier"}),
    "torchvision efficientnet_b0": (
        "efficientnet",
        torchvision.models.efficientnet_b0,
        7,
        {"features", "classifier"},
    ),
    "timm efficientnet_b0": (
        "efficientnet",
        lambda: timm_models.create_model("efficientnet_b0"),
        7,
        {"features", "classifier"},
    ),
    "timm vit_small_patch16_224": (
        "vit",
        lambda: timm_models.create_model("vit_small_patch16_224"),
        17,
        {"stem", "positions", "classifier"},
    ),
}
"""The architecture, whom the weights come from, how many tensors are new here, and the layers that they are in."""


@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_libraries_layers_are_found_under_their_names(name: str) -> None:
    model, make, count, layers = ELSEWHERE[name]
    with torch.device("meta"):
        theirs, ours = make(), build(model, 10)
    foreign = Foreign(origin=Origin(path="/w.safetensors", sha256="0" * 64), tensors=theirs.state_dict(), labels=None)
    found = matched(ours, foreign, model, ("a",) * 10)
    assert {fresh.partition(".")[0] for fresh in found.fresh} == layers
    assert len(found.fresh) == count, found.fresh
    assert len(found.taken) + len(found.fresh) == len(ours.state_dict())


def test_taken_layers_compute_what_they_did(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18().eval()
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    start = Initialized(foreign=read_foreign(tmp_path / "theirs.safetensors"))
    ours = start.network(config(model="resnet", dropout=None), ("a", "b")).eval()
    images = torch.randn(2, 64, 8, 8)
    with torch.no_grad():
        expected = theirs.layer4(theirs.layer3(theirs.layer2(theirs.layer1(images))))
        torch.testing.assert_close(ours.blocks(images), expected)  # type: ignore[operator]
    told = start.words(config(model="resnet", dropout=None), ("a", "b"))
    assert re.match(r"119 of 122 tensors begin as in .*theirs\.safetensors", told[0])
    assert told[1] == (
        "not taken from there: conv1.weight (64x3x7x7 there, 64x3x3x3 here), fc.bias (1000 there, 2 here), "
        "fc.weight (1000x512 there, 2x512 here)"
    )
    assert told[2] == "new here: classifier.bias, classifier.weight, stem.0.weight"


@pytest.mark.usefixtures("tiny")
def test_our_own_checkpoint_keeps_its_classifier_only_for_its_classes(colors: Dataset, tmp_path: Path) -> None:
    result = train(config(epochs=1), colors, Workspace(tmp_path), device=CPU)
    assert result.best is not None
    foreign = read_foreign(result.best)
    weights = checkpoint.load(result.best).model.state_dict()
    same = Initialized(foreign=foreign).network(config(), colors.index.labels).state_dict()
    assert all(torch.equal(same[name], weights[name]) for name in weights)
    turned = Initialized(foreign=foreign).network(config(), colors.index.labels[::-1]).state_dict()
    assert [name for name in weights if not torch.equal(turned[name], weights[name])] == [
        "classifier.weight",
        "classifier.bias",
    ]


def test_nothing_that_fits_is_refused(tmp_path: Path) -> None:
    save_file({"some.weight": torch.zeros(2)}, tmp_path / "w.safetensors")
    foreign = read_foreign(tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match=r"nothing there fits a vgg.*some\.weight \(has no place here\)"):
        with torch.device("meta"):
            network = build("vgg", 2)
        matched(network, foreign, "vgg", ("a", "b"))


def test_frozen_layers_stay_as_they_were(colors: Dataset, tiny: str, tmp_path: Path) -> None:
    frozen = config(freeze=("features",), weight_decay=0.1, ema_decay=0.9, optimizer="adamw")
    torch.manual_seed(frozen.seed)
    before = build(tiny, 3, dropout=frozen.dropout).state_dict()
    result = train(frozen, colors, Workspace(tmp_path), device=CPU)
    assert result.best is not None
    after = checkpoint.load(result.best).model.state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert same == {name for name in before if name.startswith("features.")}  # running statistics among them
    assert read_json(result.best, Checkpoint).config.freeze == ("features",)


def test_what_cannot_be_frozen_is_refused() -> None:
    network = TinyNet(3, 0.0)
    with pytest.raises(UsageError, match=r"'feature'; allowed: .* outermost being features, classifier"):
        freeze(network, ["feature"])
    with pytest.raises(UsageError, match="leaves nothing to train"):
        freeze(network, ["features", "classifier"])
    network = TinyNet(3, 0.0)
    freeze(network, ["features.1.weight"])
    assert frozen_norms(network) == []  # its bias is trained
    freeze(network, ["features.1"])
    assert frozen_norms(network) == [network.features[1]]


MISTAKES = {
    "no file": (["--init", "no.safetensors"], 1, "no such weights file"),
    "pickle": (["--init", "w.pth"], 1, "never loaded"),
    "freeze": (["--freeze", "stems"], 2, "--freeze names nothing of this network: 'stems'"),
    "weights": (["--class-weights", "fair"], 2, "--class-weights out of range: 'fair'; allowed: 'none' or 'balanced'"),
    "shots": (["--shots", "0"], 2, "--shots out of range: 0; allowed: at least 1"),
    "patience": (["--patience", "0"], 2, "--patience out of range: 0; allowed: at least 1"),
    "share": (["--distill-share", "2"], 2, "--distill-share out of range: 2.0"),
    "temperature": (["--distill-temperature", "0"], 2, "--distill-temperature out of range: 0.0; allowed: above 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_line(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, code, message = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    assert run(["train", "vgg", *options]) == code
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []
