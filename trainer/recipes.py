"""Recipes: a function of a model and a data set that returns the complete configuration of a training.

`reference` is the plain protocol that published comparisons on Tiny ImageNet use, and the default. `best` is what is
known to train each architecture well from scratch at 64x64. `demo` is for the `shapes` data set on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tinyml.errors import UsageError
from tinyml.registry import Registry
from tinyml.schema import TrainConfig

from .device import cpu_multiplies_bf16
from .models import architectures, check_rates

Recipe = Callable[[str, str], TrainConfig]

recipes: Registry[Recipe] = Registry("recipe")

DEFAULT_RECIPE = "reference"


def configure(recipe: str, model: str, data: str, changes: Mapping[str, object] | None = None) -> TrainConfig:
    """The configuration that `recipe` gives for `model` on `data`, with some fields changed.

    Args:
        recipe: A registered recipe.
        model: A registered architecture.
        data: A data set's name or folder.
        changes: Fields of TrainConfig with the values that replace the recipe's.

    Raises:
        UnknownNameError: No such recipe or model.
        UsageError: A value out of its range, or two that contradict each other; it names the command line's option.
    """
    architectures.get(model)
    return changed(recipes.get(recipe)(model, data), changes or {})


def changed(config: TrainConfig, changes: Mapping[str, object]) -> TrainConfig:
    """`config` with some fields replaced and everything checked again; raises UsageError as `configure` does."""
    try:
        result = TrainConfig(**{**config.model_dump(), **changes})
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from None
    total = result.total_epochs or result.epochs
    if total < result.epochs:
        raise UsageError(
            "--total-epochs below --epochs", value=total, allowed=f"at least {result.epochs}, the epochs to train now"
        )
    if result.warmup_epochs > total:
        raise UsageError("--warmup-epochs beyond the training", value=result.warmup_epochs, allowed=f"at most {total}")
    if result.warmup_epochs and result.warmup_start_lr > result.lr:
        raise UsageError("--warmup-start-lr above --lr", value=result.warmup_start_lr, allowed=f"at most {result.lr}")
    check_rates(result.model, result.dropout, result.drop_path)
    return result


def option(field: str) -> str:
    """The command line's name for a field of TrainConfig."""
    return f"--{field.replace('_', '-')}"


def _refusal(error: ErrorDetails) -> UsageError:
    field = str(error["loc"][0])
    bounds = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}", "expected": "{}"}
    limits = {key: getattr(rule, key) for rule in _rules(field) for key in bounds if hasattr(rule, key)}
    limits = limits or {key: value for key, value in error.get("ctx", {}).items() if key in bounds}
    allowed = " and ".join(bounds[key].format(value) for key, value in limits.items())
    return UsageError(
        f"{option(field)} out of range" if limits else f"{option(field)} is not valid ({error['msg'].lower()})",
        value=error["input"],
        allowed=allowed or None,
    )


def _rules(field: str) -> list[object]:
    info = TrainConfig.model_fields.get(field)
    return list(info.metadata) if info is not None else []


@recipes.register("reference")
def reference(model: str, data: str) -> TrainConfig:
    """50 epochs of SGD at 0.1 with a cosine, weight decay 1e-3, and standard augmentation; no mixing.

    Two architectures do not survive the first updates at 0.1, so they are given a warm-up: ViT of 10 epochs (its
    authors train with 10,000 steps of it), AlexNet, whose wide linear layers have no normalisation, of 5. ViT's
    gradients are clipped besides. SGD at 0.1 does not suit ViT in any case: see `best`.
    """
    config = TrainConfig(model=model, recipe="reference", data=data)
    if model == "vit":
        return config.model_copy(update={"warmup_epochs": 10, "warmup_start_lr": 1e-3, "clip_norm": 1.0})
    if model == "alexnet":
        return config.model_copy(update={"warmup_epochs": 5, "warmup_start_lr": 1e-3})
    return config


@recipes.register("best")
def best(model: str, data: str) -> TrainConfig:
    """A longer training with the optimizer, mixing and regularisation that suit each architecture.

    All average their weights (0.9995) and stop mixing for the last 10 epochs. Mixing gains most where capacity is
    ample (CutMix, https://arxiv.org/abs/1905.04899; MixUp, https://arxiv.org/abs/1710.09412) and is lighter for the two
    small networks; ViT follows DeiT (https://arxiv.org/abs/2012.12877).
    """
    common = TrainConfig(
        model=model,
        recipe="best",
        data=data,
        epochs=150,
        warmup_epochs=5,
        mix_off_epochs=10,
        label_smoothing=0.1,
        ema_decay=0.9995,
    )
    specific: dict[str, dict[str, object]] = {
        "alexnet": {"epochs": 120, "lr": 0.03, "weight_decay": 5e-4, "clip_norm": 5.0, **_HEAVY_CNN},
        "vgg": {"epochs": 120, "weight_decay": 5e-4, **_HEAVY_CNN},
        "resnet": {"epochs": 120, "weight_decay": 5e-4, **_HEAVY_CNN},
        "densenet": {"weight_decay": 2e-4, "erasing": 0.1, "rotation_degrees": 0.0, **_LIGHT_MIXING},
        "efficientnet": {
            "optimizer": "adamw",
            "lr": 2e-3,
            "weight_decay": 0.02,
            "dropout": 0.2,
            "drop_path": 0.1,
            "erasing": 0.1,
            **_LIGHT_MIXING,
        },
        "vit": {
            "epochs": 200,
            "warmup_epochs": 10,
            "optimizer": "adamw",
            "lr": 1e-3,
            "weight_decay": 0.05,
            "clip_norm": 1.0,
            "drop_path": 0.1,
            "mixup_alpha": 0.8,
            "cutmix_alpha": 1.0,
            "mix_probability": 0.8,
            "color_jitter": 0.4,
            "erasing": 0.25,
        },
    }
    # An architecture added later starts from what suits convolutional networks.
    return changed(common, specific.get(model, {"weight_decay": 5e-4, **_HEAVY_CNN}))


_HEAVY_CNN: dict[str, object] = {
    "crop_padding": 8,
    "color_jitter": 0.4,
    "erasing": 0.25,
    "cutmix_alpha": 1.0,
    "mixup_alpha": 0.2,
    "mix_probability": 0.8,
}
_LIGHT_MIXING: dict[str, object] = {"mixup_alpha": 0.2, "cutmix_alpha": 0.2, "mix_probability": 0.5}


@recipes.register("demo")
def demo(model: str, data: str) -> TrainConfig:
    """A short training on two CPU cores with the `shapes` data set, for `alexnet`, which learns it soonest.

    No augmentation but mirroring and small shifts, and bfloat16 where the CPU has it in hardware: twice as fast there.
    """
    config = TrainConfig(
        model=model,
        recipe="demo",
        data=data,
        epochs=4,
        batch_size=32,
        lr=0.02,
        weight_decay=5e-4,
        warmup_epochs=1,
        crop_padding=2,
        rotation_degrees=0.0,
        color_jitter=0.0,
        erasing=0.0,
        dropout=0.0,
        precision="bf16" if cpu_multiplies_bf16() else "fp32",
        save_every=100,
    )
    if model in ("efficientnet", "vit"):
        return config.model_copy(update={"optimizer": "adamw", "lr": 2e-3 if model == "efficientnet" else 5e-4})
    return config
