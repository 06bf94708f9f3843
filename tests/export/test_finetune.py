"""Fine-tuning: folded networks, rounded weights that are exported as they are, and what training regains."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tinyml.cli import run
from tinyml.errors import CheckpointError, UsageError
from tinyml.export.choice import with_rounding
from tinyml.export.compression import check_weights, scales_channels
from tinyml.export.finetune.begin import begin_from
from tinyml.export.finetune.fake import Fake
from tinyml.export.finetune.finetune import SETTLED, Length, _word_of, finetune, length_of, nearest_of
from tinyml.export.fold import folded
from tinyml.export.format import formats
from tinyml.export.search.options import options_for
from tinyml.export.variants import variants
from tinyml.progress import Silent
from tinyml.schema import (
    Compression,
    LinearQuantization,
    PaletteSettings,
    Palettization,
    Pruning,
    SparsityPattern,
    Variant,
)
from tinyml.trainer import checkpoint
from tinyml.trainer.data import Batch, Dataset
from tinyml.trainer.distill import Distilled
from tinyml.trainer.objective import CrossEntropy
from tinyml.trainer.predictor import network_input
from tinyml.workspace import Workspace

from ..tiny import save_tiny
from .test_compression import A8, PREPROCESS, variant, written


class Normalized(nn.Module):
    """Normalizations behind convolutions, with and without bias, and one behind something else."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.branch = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16))
        self.after = nn.BatchNorm2d(16)
        self.classifier = nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        found = self.stem(images)
        found = torch.relu(self.after(found + self.branch(found)))
        logits: Tensor = self.classifier(found.mean((2, 3)))
        return logits


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    network = Normalized()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.2, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    blocks = np.random.default_rng(0).integers(0, 256, (16, 2, 2, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


def test_a_folded_network_computes_the_same_and_normalizes_by_nothing(network: nn.Module) -> None:
    inputs = torch.randn(4, 3, 16, 16)
    found = folded(network, 16)
    with torch.no_grad():
        assert torch.allclose(found(inputs), network(inputs), atol=1e-4)
        assert torch.allclose(found.train()(inputs), network(inputs), atol=1e-4)  # its statistics stay
    modules = dict(found.named_modules())
    for name in ("stem.1", "branch.1"):
        module = modules[name]
        assert isinstance(module, nn.BatchNorm2d)
        assert torch.equal(module.weight, torch.ones(16))
        assert not module.weight.requires_grad  # a step of it would move every weight off its grid
    assert found.state_dict().keys() == network.state_dict().keys()
    assert isinstance(after := modules["after"], nn.BatchNorm2d)
    assert not torch.equal(after.weight, torch.ones(16))


TUNED = [
    variant(LinearQuantization(bits=8)),
    variant(LinearQuantization(bits=4)),
    variant(LinearQuantization(bits=4, symmetric=False)),
    variant(LinearQuantization(bits=2)),
    variant(Palettization(bits=2)),
    variant(Palettization(bits=1, granularity="per_grouped_channel", group_size=8)),
    variant(Pruning(sparsity=0.75)),
    variant(Pruning(pattern=SparsityPattern(zeros=2, of=4)), Palettization(bits=4)),
    variant(LinearQuantization(bits=8), A8),
]


@pytest.mark.parametrize("row", TUNED, ids=lambda row: row.name)
def test_what_is_trained_is_what_is_exported(
    row: Variant, network: nn.Module, images: np.ndarray, tmp_path: Path
) -> None:
    tuned = folded(network, 16)
    pixels = network_input(images, PREPROCESS)
    fake = Fake(tuned, row, 2, seen=pixels)
    optimizer = torch.optim.SGD([each for each in tuned.parameters() if each.requires_grad], lr=0.02)
    for _ in range(2):
        optimizer.zero_grad()
        tuned.train()(pixels).square().mean().backward()
        optimizer.step()
    tuned.eval()
    with torch.no_grad():
        expected = tuned(pixels).numpy()
        rounded_off = network(pixels).numpy()
    fake.settle()
    with torch.no_grad():
        assert np.allclose(tuned(pixels).numpy(), expected, atol=1e-5)
    path = written(tuned, nearest_of(row), images, tmp_path)
    found = formats.get("coreml").open(path).run(images).logits
    check_weights(row, formats.get("coreml").stored_weights(path), path.name)
    error = np.linalg.norm(found - expected)
    assert error <= (0.06 if row.compression[-1].method == "activations" else 0.003) * np.linalg.norm(expected)
    if row.compression[-1].method != "activations":  # where either rounds differently
        assert error < np.linalg.norm(rounded_off - expected)


@pytest.mark.parametrize("kind", [LinearQuantization(bits=2), Palettization(bits=2)], ids=lambda kind: kind.method)
def test_weights_of_few_bits_come_to_rest(kind: Compression, monkeypatch: pytest.MonkeyPatch) -> None:
    def learned(steps: int = 600) -> tuple[float, float]:
        """What is lost at the end, and the share of the weights that turn in one of the last hundred steps."""
        torch.manual_seed(0)
        tuned = nn.Linear(64, 64)
        plain, network = copy.deepcopy(tuned), nn.Sequential(tuned)
        Fake(network, variant(kind), steps)
        optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.0)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        seen = []
        for _ in range(steps):
            inputs = torch.randn(16, 64)
            loss = (network.train()(inputs) - plain(inputs)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                seen.append((network(torch.eye(64)) - tuned.bias).T)
        # A value that follows its grid moves by far less than from one value to the next.
        apart = 0.5 * plain.weight.std()
        turned = [((b - a).abs() > apart).float().mean() for a, b in itertools.pairwise(seen[-100:])]
        with torch.no_grad():
            inputs = torch.randn(1000, 64)
            return float((network.eval()(inputs) - plain(inputs)).square().mean()), float(torch.stack(turned).mean())

    lost, turned = learned()
    monkeypatch.setattr("tinyml.export.finetune.fake._DRAWN", 0.0)
    lost_else, turned_else = learned()
    assert turned < 0.1 * turned_else
    assert lost < 0.8 * lost_else


def test_a_network_of_one_bit_learns_what_rounding_took_from_it() -> None:
    torch.manual_seed(0)
    centers = torch.randn(10, 3, 8, 8)
    labels = torch.arange(1200) % 10
    inputs = centers[labels] + 3 * torch.randn(1200, 3, 8, 8)
    teacher = nn.Sequential(
        nn.Flatten(), nn.Linear(192, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 10)
    )

    def learn(network: nn.Module, steps: int, lr: float, loss: Distilled | None = None) -> None:
        optimizer = torch.optim.Adam(network.parameters(), lr)
        for step in range(steps):
            part = slice(50 * step % 800, 50 * step % 800 + 50)
            logits = network.train()(inputs[part])
            found = labels[part]
            lost = loss(logits, Batch(inputs[part], found)) if loss else nn.functional.cross_entropy(logits, found)
            optimizer.zero_grad()
            lost.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def accuracy(network: nn.Module) -> float:
        with torch.no_grad():
            return float((network.eval()(inputs[800:]).argmax(1) == labels[800:]).float().mean())

    learn(teacher, 60, 3e-3)
    row = variant(Palettization(bits=1))
    student = folded(teacher, 8)
    Fake(student, row, 100)
    plain = accuracy(student)
    known = teacher.eval().requires_grad_(False)
    learn(student, 100, 1e-3, Distilled(known, CrossEntropy(), temperature=2.0, share=0.9))
    assert accuracy(teacher) > 0.9
    assert plain < accuracy(teacher) - 0.05
    assert accuracy(student) > plain + 0.04


def test_training_begins_as_good_as_rounding_alone(network: nn.Module, images: np.ndarray, tmp_path: Path) -> None:
    row = with_rounding(variant(Palettization(bits=2)), "compensated")
    pixels = network_input(images, PREPROCESS)
    path = written(network, row, images, tmp_path)
    core_ml = formats.get("coreml")
    alone = core_ml.open(path).run(images).logits
    weights = {weight.layer: values for weight, values in core_ml.held_weights(path)}

    def first_answer(begin: bool) -> np.ndarray:
        student = folded(network, 16)
        if begin:
            begin_from(student, weights, pixels)
        Fake(student, nearest_of(row), 1)
        with torch.no_grad():
            return np.asarray(student.eval()(pixels))

    with torch.no_grad():
        whole = network(pixels).numpy()
    assert np.linalg.norm(first_answer(True) - alone) < 0.1 * np.linalg.norm(alone - whole)
    assert np.linalg.norm(first_answer(True) - whole) < 0.7 * np.linalg.norm(first_answer(False) - whole)


class StopsAt(Silent):
    """Interrupts at the n-th batch, as Ctrl-C does."""

    def __init__(self, batch: int) -> None:
        self._left = batch

    def advance(self, amount: int = 1, info: str = "") -> None:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


class Told(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_an_interrupted_fine_tuning_goes_on_and_a_whole_one_is_kept(tiny: str, colors: Dataset, tmp_path: Path) -> None:
    source = checkpoint.load(save_tiny(tmp_path, colors, dropout=0.1))
    row = nearest_of(variant(Palettization(bits=2)))
    nothing = np.zeros((0, 64, 64, 3), np.uint8)
    workspace = Workspace(tmp_path / "results")
    with pytest.raises(KeyboardInterrupt):
        finetune(source, row, Length(epochs=3), colors, workspace, nothing, progress=StopsAt(9))
    told = Told()
    lines = told.lines
    manifest = finetune(source, row, Length(epochs=3), colors, workspace, nothing, progress=told)
    assert manifest.stem == SETTLED
    assert lines[0].startswith("going on with the fine-tuning")
    assert [line.split(":")[0] for line in lines[1:]] == ["epoch 2/3", "epoch 3/3"]
    settled = checkpoint.load(manifest)
    weight = settled.model.get_submodule("features.0").weight
    assert isinstance(weight, Tensor)
    assert len(set(weight.flatten().tolist())) <= 4
    assert finetune(source, row, Length(epochs=3), colors, workspace, nothing, progress=told) == manifest
    assert lines[-1].endswith("fine-tuned already")
    with pytest.raises(CheckpointError, match="no checkpoint"):
        workspace.newest_checkpoint()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--finetune", "0"], "--finetune out of range: '0'"),
        (["--finetune", "soon"], "--finetune is no length: 'soon'"),
        (["--finetune", "3"], "coreml-fp16 has nothing to fine-tune for"),
        (["--finetune", "3", "--quantize", "palette4s"], "coreml-palette4s cannot be fine-tuned"),
    ],
)
def test_mistakes_get_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_lengths() -> None:
    assert length_of("3") == Length(epochs=3)
    assert length_of("10m") == Length(seconds=600.0)
    assert nearest_of(variants.get("coreml-palette2e8")).name == "coreml-palette2e8-tuned"
    with pytest.raises(UsageError, match="nothing to fine-tune"):
        nearest_of(variants.get("onnx-fp32"))


def test_a_plan_with_scaled_channels_cannot_be_fine_tuned_and_has_no_nearest() -> None:
    scaled = Palettization(
        bits=4, granularity="per_tensor", overrides={"a": PaletteSettings(bits=4, per_channel_scale=True)}
    )
    plan = variant().model_copy(update={"compression": (scaled,), "name": "coreml-auto-drop1"})
    with pytest.raises(UsageError, match="search for a plan with --finetune"):
        nearest_of(plan)
    options = options_for("iOS18", "compensated")
    assert {option.name for option in options if scales_channels(option.compression)} >= {"palette4s"}


def test_plans_for_one_goal_have_fine_tunings_of_their_own(colors: Dataset) -> None:
    rows = [variant(Palettization(bits=bits)).model_copy(update={"name": "coreml-auto-drop1"}) for bits in (2, 4)]
    words = {_word_of(row, colors, images, begun=b) for row in rows for images in (0, 9) for b in (True, False)}
    assert len(words) == 8
