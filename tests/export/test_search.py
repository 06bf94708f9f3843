"""The search for a plan: the knapsack against trying everything, and whole searches on a very small network."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from tinyml.cli import run
from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError, UsageError
from tinyml.export.compression import Samples, reasons_against
from tinyml.export.coreml_weights import weights_of
from tinyml.export.foreign import compress_package, compress_planned, plan_beside, plan_package
from tinyml.export.search import planning
from tinyml.export.search.greedy import greedy
from tinyml.export.search.knapsack import MOST, solve
from tinyml.export.search.options import NONE, composed, options_for
from tinyml.export.search.picture import bits_of
from tinyml.export.search.planning import asked, goal_of
from tinyml.schema import LinearQuantization, Palettization, Plan, PlanGoal, Pruning
from tinyml.store import file_sha256, read_json

from .test_compression import variant, written


def tables(seed: int, layers: int, options: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sizes and losses at random; the first option is the largest and loses nothing."""
    noise = np.random.default_rng(seed)
    sizes = [np.sort(noise.integers(1, 60, options))[::-1].astype(np.int64) for _ in range(layers)]
    losses = [np.append(0.0, noise.exponential(1, options - 1)) for _ in range(layers)]
    return sizes, losses


def total(rows: list[np.ndarray], picks: tuple[int, ...]) -> float:
    return float(sum(row[pick] for row, pick in zip(rows, picks, strict=True)))


@pytest.mark.parametrize("seed", range(20))
def test_the_knapsack_finds_what_trying_everything_finds(seed: int) -> None:
    sizes, losses = tables(seed, layers=4, options=4)
    front = solve(sizes, losses)
    every = [(total(sizes, picks), total(losses, picks)) for picks in itertools.product(range(4), repeat=4)]
    for budget in range(front.smallest, int(total(sizes, (0,) * 4)) + 1, 7):
        picks = front.within(budget)
        assert total(sizes, picks) <= budget
        assert total(losses, picks) == pytest.approx(min(loss for size, loss in every if size <= budget))
    with pytest.raises(ValueError, match="no plan has"):
        front.within(front.smallest - 1)


@pytest.mark.parametrize("seed", range(10))
def test_the_knapsack_is_never_worse_than_the_greedy_walk_on_the_same_table(seed: int) -> None:
    sizes, losses = tables(seed, layers=30, options=8)
    front = solve(sizes, losses)
    better = 0
    for budget in np.linspace(front.smallest, total(sizes, (0,) * 30), 20).astype(int):
        walked = greedy(sizes, losses, int(budget), (0,) * 30)
        if walked is None:
            continue
        assert total(sizes, walked) <= budget
        best = total(losses, front.within(int(total(sizes, walked))))
        assert best <= total(losses, walked) + 1e-9
        better += best < 0.99 * total(losses, walked)
    assert better > 5


def test_a_front_of_very_many_plans_is_thinned_and_stays_close() -> None:
    noise = np.random.default_rng(0)
    sizes = [noise.integers(1, 10**7, 12).astype(np.int64) for _ in range(12)]
    losses = [1 / row + noise.exponential(1e-9, 12) for row in sizes]
    front = solve(sizes, losses)
    assert len(front.sizes) <= MOST + 1
    assert front.smallest == sum(int(row.min()) for row in sizes)
    picks = front.within(int(front.sizes[len(front.sizes) // 2]))
    assert total(sizes, picks) == front.sizes[len(front.sizes) // 2]
    assert total(losses, picks) == pytest.approx(front.losses[len(front.sizes) // 2])


def test_the_greedy_walk_takes_the_least_loss_first_and_replaces_what_a_layer_had() -> None:
    sizes = [np.array([100, 50, 25]), np.array([100, 50, 25])]
    losses = [np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0, 9.0])]
    assert greedy(sizes, losses, 200, (0, 0)) == (0, 0)
    assert greedy(sizes, losses, 150, (0, 0)) == (1, 0)
    assert greedy(sizes, losses, 130, (0, 0)) == (2, 0)
    assert greedy(sizes, losses, 80, (0, 0)) == (2, 1)
    assert greedy(sizes, losses, 40, (0, 0)) is None


def test_a_choice_by_layer_is_one_variant_and_every_layer_gets_its_own() -> None:
    options = {option.name: option for option in options_for("iOS18", "nearest")}
    picks = {"a": "palette4g16", "b": "w4", "c": "prune50-palette4", "d": NONE, "e": "palette4s", "f": "w4"}
    kinds = composed({layer: options[name] for layer, name in picks.items()})
    assert [kind.method for kind in kinds] == ["prune", "linear", "palette"]
    row = variant(*kinds)
    for layer, name in picks.items():
        own = {kind.method: kind.overrides.get(layer, kind) for kind in kinds}
        expected = {kind.method: kind for kind in options[name].compression}
        assert {method for method, settings in own.items() if settings is not None} == set(expected)
        for method, kind in expected.items():
            found = own[method]
            assert found is not None
            settings = found.model_dump(exclude={"method", "rounding", "ends_bits", "overrides"})
            assert settings == kind.model_dump(exclude={"method", "rounding", "ends_bits", "overrides"})
    assert row.compression == kinds


def test_kinds_that_exclude_each_other_are_refused_in_one_layer_only(network: Path, tmp_path: Path) -> None:
    apart = (
        LinearQuantization(bits=8, overrides={"b": None}),
        Palettization(bits=4, overrides={"a": None}),
    )
    assert reasons_against(variant(*apart)) == []
    assert reasons_against(variant(LinearQuantization(bits=8), Palettization(bits=4))) != []
    scaled = (Pruning(sparsity=0.5, overrides={"a": None}), Palettization(bits=4, per_channel_scale=True))
    assert reasons_against(variant(*scaled)) == []
    assert "without a scale" in reasons_against(variant(Pruning(sparsity=0.5), scaled[1]))[0]
    first, hidden, last = (weight.layer for weight in weights_of(open_package(network)))
    kinds = (LinearQuantization(bits=8, overrides={first: None}), Palettization(bits=4, overrides={last: None}))
    with pytest.raises(UsageError, match=f"{hidden}: weights are either integers or indices"):
        compress_package(network, variant(*kinds), tmp_path / "x.mlpackage", None)


class Tiny(nn.Module):
    """Three layers; the first matters most."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.hidden = nn.Conv2d(8, 48, 3, padding=1)
        self.classifier = nn.Linear(48, 10)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.classifier(torch.relu(self.hidden(torch.relu(self.stem(images)))).mean((2, 3)))
        return found


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of Tiny for iOS16, so that there are a dozen options."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    return written(Tiny().eval(), variant(target="iOS16"), np.zeros((0, 1, 1, 3), np.uint8), folder)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    blocks = np.random.default_rng(0).integers(0, 256, (48, 2, 2, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def made(network: Path, images: np.ndarray) -> Plan:
    """A plan that saves most of the weights."""
    size = sum(file.stat().st_size for file in network.rglob("*") if file.is_file())
    judging: tuple[Samples, list[str]] = ({"image": images[24:]}, [])
    return plan_package(network, PlanGoal(max_size=size - 6000), {"image": images[:24]}, judging)


def test_the_plan_is_never_worse_than_uniform_and_greedy_plans_of_its_size(made: Plan) -> None:
    assert made.goal.max_size is not None
    (chosen,) = (trial for trial in made.trials if trial.chosen)
    assert chosen.bytes <= made.goal.max_size
    names = {trial.name for trial in made.trials}
    options = {option.name for option in made.options}
    assert {f"uniform {name}" for name in options} <= names
    assert "knapsack" in names
    assert len(options) > 8
    rivals = [t for t in made.trials if t.name.startswith("stored ") and t.bytes <= made.goal.max_size]
    assert len(rivals) >= 2
    assert all(chosen.loss <= trial.loss for trial in rivals)
    assert any("uniform" in trial.name for trial in rivals)
    assert {layer.option for layer in made.layers} <= options
    assert len({layer.option for layer in made.layers}) > 1
    assert all(0 < bits <= 17 for bits in bits_of(made))


def test_a_plan_is_written_beside_the_package_and_rebuilds_its_weights(
    made: Plan, network: Path, images: np.ndarray, tmp_path: Path
) -> None:
    samples = {"image": images[:24]}
    first, second = tmp_path / "first.mlpackage", tmp_path / "second.mlpackage"
    compress_planned(network, made, first, samples)
    file, picture = plan_beside(first)
    stored = read_json(file, Plan)
    with Image.open(picture) as drawn:
        assert drawn.size == (1200, 500)
    compress_planned(network, stored, second, samples)
    weights = "Data/com.apple.CoreML/weights/weight.bin"
    assert file_sha256(first / weights) == file_sha256(second / weights) == stored.weights_sha256
    other = stored.model_copy(update={"weights_sha256": "0" * 64})
    with pytest.raises(ArtifactError, match="came out otherwise"):
        compress_planned(network, other, tmp_path / "third.mlpackage", samples)
    with pytest.raises(UsageError, match="another package"):
        compress_planned(first, stored, tmp_path / "third.mlpackage", samples)
    assert not (tmp_path / "third.mlpackage").exists()


def test_the_same_search_again_finds_the_same(made: Plan, network: Path, images: np.ndarray) -> None:
    again = plan_package(network, made.goal, {"image": images[:24]}, ({"image": images[24:]}, []))
    volatile = {"seconds", "provenance"}
    assert again.model_dump(exclude=volatile) == made.model_dump(exclude=volatile)


def test_auto_from_the_command_line_loses_no_more_than_asked(
    network: Path,
    images: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = options_for("iOS16", "compensated", ("palette1", "palette2", "palette4"))
    monkeypatch.setattr(planning, "options_for", lambda *_: few)
    np.savez(tmp_path / "images.npz", image=images)
    output = tmp_path / "small.mlpackage"
    arguments = [str(network), "--calibrate", str(tmp_path / "images.npz"), "--output", str(output)]
    assert run(["compress", *arguments, "--quantize", "auto", "--max-drop", "5"]) == 0
    told = capsys.readouterr().out
    assert "layer\tweights\tbecomes\tbits a weight" in told
    assert "points of agreement lost" in told
    plan = read_json(tmp_path / "small.plan.json", Plan)
    (chosen,) = (trial for trial in plan.trials if trial.chosen)
    assert chosen.points_lost is not None
    assert chosen.points_lost <= 5
    arguments[-1] = str(tmp_path / "again.mlpackage")
    assert run(["compress", *arguments, "--plan", str(tmp_path / "small.plan.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["variant"] == "coreml-auto-drop5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quantize", "auto"], "a plan needs a goal"),
        (["--quantize", "auto", "--max-drop", "1", "--max-size", "1MB"], "a plan needs a goal: 'two'"),
        (["--quantize", "auto", "--max-drop", "-1"], "--max-drop out of range"),
        (["--quantize", "auto", "--max-size", "large"], "--max-size is no size: 'large'"),
        (["--quantize", "auto", "--max-size", "1MB"], "a plan needs inputs to execute on"),
        (["--quantize", "int8", "--max-drop", "1"], "a goal without a search for it"),
        (["--plan", "none.json"], "no such file"),
    ],
)
def test_mistakes_get_one_line(
    arguments: list[str], message: str, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compress", str(network), *arguments]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_size_that_cannot_be_is_refused_before_anything_is_searched(
    network: Path, images: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no plan is that small"):
        plan_package(network, PlanGoal(max_size=100), {"image": images}, None)
    with pytest.raises(UsageError, match="onnx has no plans by layer"):
        asked("auto", "onnx", 1.0, None, None)
    assert goal_of(None, "2.5MB") == PlanGoal(max_size=2_500_000)
    assert goal_of(None, "64 KiB") == PlanGoal(max_size=65536)
