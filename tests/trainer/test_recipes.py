"""Recipes: complete and valid for every model, and each wrong value told by its option."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tinyml.errors import UnknownNameError, UsageError
from tinyml.schema import TrainConfig
from tinyml.trainer.architecture import architectures
from tinyml.trainer.optimizer import optimizers
from tinyml.trainer.recipe import changed, configure, option, recipes
from tinyml.trainer.schedule import learning_rate


@pytest.mark.parametrize("model", architectures.names())
@pytest.mark.parametrize("recipe", recipes.names())
def test_every_recipe_suits_every_model(recipe: str, model: str) -> None:
    config = configure(recipe, model, "shapes")
    assert (config.model, config.recipe, config.data) == (model, recipe, "shapes")
    assert configure(recipe, model, "shapes") == config


def test_the_references_defaults() -> None:
    config = configure("reference", "resnet", "tiny-imagenet")
    expected = TrainConfig(
        model="resnet",
        recipe="reference",
        data="tiny-imagenet",
        epochs=50,
        batch_size=128,
        lr=0.1,
        weight_decay=1e-3,
        optimizer="sgd",
        scheduler="cosine",
        crop_padding=4,
        flip=True,
        rotation_degrees=10,
        erasing=0.5,
    )
    assert config == expected
    assert config.color_jitter > 0


def test_changes_replace() -> None:
    config = configure("reference", "densenet", "shapes", {"epochs": 2, "lr": 0.05})
    assert (config.epochs, config.lr, config.batch_size) == (2, 0.05, 128)


@pytest.mark.parametrize("epochs", [1, 2, 7])
@pytest.mark.parametrize("model", architectures.names())
@pytest.mark.parametrize("recipe", recipes.names())
def test_a_short_training_warms_up_for_as_large_a_part_as_a_long_one(recipe: str, model: str, epochs: int) -> None:
    whole = configure(recipe, model, "shapes")
    short = configure(recipe, model, "shapes", {"epochs": epochs})
    share = whole.warmup_epochs / whole.epochs
    assert share < 0.3
    if epochs < whole.epochs:
        assert short.warmup_epochs <= share * epochs + 1e-3  # `best` rounds it
        assert (short.warmup_epochs > 0) == (share > 0)
        assert short.mix_off_epochs < epochs
    steps = 15 * epochs  # of 2,000 images in batches of 128
    rates = [learning_rate(short, step, 15) for step in range(steps)]
    assert sum(rate < before for before, rate in pairwise(rates)) > steps / 2  # most of it the rate falls


@pytest.mark.parametrize("recipe", ["reference", "best"])
@pytest.mark.parametrize("name", optimizers.names())
def test_an_optimizer_comes_with_what_suits_it(recipe: str, name: str) -> None:
    base, kind = configure(recipe, "vit", "shapes"), optimizers.get(name)
    config = configure(recipe, "vit", "shapes", {"optimizer": name})
    expected = base.model_dump(include=set(kind.settings)) if name == base.optimizer else kind.settings
    assert config.model_dump(include=set(kind.settings)) == expected
    for field, value in (("lr", 0.0123), ("weight_decay", 0.1), ("momentum", 0.5)):
        given = configure(recipe, "vit", "shapes", {"optimizer": name, field: value})
        assert given.model_dump(include=set(kind.settings)) == {**expected, field: value}


def test_a_warm_up_that_is_given_stands() -> None:
    assert configure("reference", "alexnet", "shapes", {"epochs": 2, "warmup_epochs": 1.5}).warmup_epochs == 1.5
    assert configure("reference", "alexnet", "shapes", {"epochs": 1, "total_epochs": 50}).warmup_epochs == 5
    with pytest.raises(UsageError, match="--warmup-epochs beyond the training: 3; allowed: at most 2"):
        configure("reference", "alexnet", "shapes", {"epochs": 2, "warmup_epochs": 3})


MISTAKES: dict[str, tuple[dict[str, object], str]] = {
    "epochs": ({"epochs": 0}, r"--epochs out of range: 0; allowed: at least 1"),
    "batch size": ({"batch_size": 100_000}, r"--batch-size out of range: 100000; allowed: .*at most 65536"),
    "zero rate": ({"lr": 0.0}, r"--lr out of range: 0\.0; allowed: above 0"),
    "infinite rate": ({"lr": float("inf")}, r"--lr .*: inf"),
    "no rate": ({"lr": float("nan")}, r"--lr .*: nan"),
    "momentum": ({"momentum": 1.0}, r"--momentum out of range: 1\.0; allowed: at least 0 and below 1"),
    "erasing": ({"erasing": 1.5}, r"--erasing out of range: 1\.5; allowed: at least 0\.0 and at most 1\.0"),
    "smoothing": ({"label_smoothing": 1.0}, r"--label-smoothing .*below 1"),
    "optimizer": (
        {"optimizer": "lion"},
        r"--optimizer out of range: 'lion'; allowed: adam, adamw, muon, rmsprop, sgd",
    ),
    "scheduler": ({"scheduler": "step"}, r"--scheduler out of range: 'step'; allowed: cosine, linear, none"),
    "clip": ({"clip_norm": 0.0}, r"--clip-norm out of range: 0\.0; allowed: above 0"),
    "average": ({"ema_decay": 1.0}, r"--ema-decay out of range: 1\.0; allowed: below 1"),
    "limit": ({"limit": 0}, r"--limit out of range: 0; allowed: at least 1"),
    "seed": ({"seed": -1}, r"--seed out of range: -1; allowed: at least 0"),
    "total": ({"total_epochs": 3}, r"--total-epochs below --epochs: 3; allowed: at least 50"),
    "warm-up": ({"warmup_epochs": 51}, r"--warmup-epochs beyond the training: 51; allowed: at most 50"),
    "start": (
        {"warmup_epochs": 2, "warmup_start_lr": 1.0},
        r"--warmup-start-lr above --lr: 1\.0; allowed: at most 0\.1",
    ),
    "drop path": ({"drop_path": 0.1}, r"--drop-path: vgg has no residual branches"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_refused_in_one_line(mistake: str) -> None:
    changes, message = MISTAKES[mistake]
    with pytest.raises(UsageError, match=message) as caught:
        configure("reference", "vgg", "shapes", changes)
    assert "\n" not in str(caught.value)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown recipe: 'refrence'.*did you mean 'reference'"):
        configure("refrence", "vgg", "shapes")
    with pytest.raises(UnknownNameError, match=r"unknown model: 'resnett'.*did you mean 'resnet'"):
        configure("reference", "resnett", "shapes")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(UsageError, match=option("learning_rate")):
        changed(configure("demo", "vgg", "shapes"), {"learning_rate": 1})


def test_what_an_architecture_changes_is_a_recipes_field() -> None:
    for name, architecture in architectures.items():
        for recipe, changes in architecture.recipes.items():
            assert recipe in recipes
            assert set(changes) <= set(TrainConfig.model_fields), name
