"""What a recipe is, and how a training's configuration comes of one; the recipes are in `recipes/`.

A recipe says what suits most architectures; where one needs something else, that stands beside its definition, in
`Architecture.recipes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tinyml.errors import UsageError
from tinyml.registry import Registry
from tinyml.schema import TrainConfig

from .architecture import architectures, check_rates
from .optimizer import optimizers
from .schedule import schedulers

Recipe = Callable[[str, str], TrainConfig]
"""From a model and a data set to a complete configuration."""

recipes: Registry[Recipe] = Registry("recipe", package="tinyml.trainer.recipes")

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
    own = architectures.get(model).recipes.get(recipe, {})
    return changed(recipes.get(recipe)(model, data), {**own, **(changes or {})})


def changed(config: TrainConfig, changes: Mapping[str, object]) -> TrainConfig:
    """`config` with some fields replaced and everything checked again; raises UsageError as `configure` does."""
    try:
        result = TrainConfig(**{**config.model_dump(), **changes})
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from None
    for field, registry in (("optimizer", optimizers), ("scheduler", schedulers)):
        if (name := getattr(result, field)) not in registry:
            raise UsageError(f"{option(field)} out of range", value=name, allowed=", ".join(registry))
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
