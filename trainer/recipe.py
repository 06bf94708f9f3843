"""What a recipe is, and how a training's configuration comes of one; the recipes are in `recipes/`.

A recipe says what suits most architectures; where one needs something else, that stands beside its definition, in
`Architecture.recipes`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tinyml.errors import UsageError
from tinyml.registry import Registry
from tinyml.schema import TrainConfig

from .architecture import architectures, check_rates
from .data.policies import policies
from .optimizer import optimizers
from .resolution import check_resolution
from .schedule import schedulers


class Fit(Protocol):
    """What a recipe changes where a training is shorter than it was made for."""

    def __call__(
        self, config: TrainConfig, *, passes: float, images: int, given: Collection[str]
    ) -> Mapping[str, object]:
        """The changes to `config`, whose fields `given` stand, for `passes` passes over `images` images."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """From a model and a data set to a complete configuration, and what other lengths and devices ask for."""

    make: Callable[[str, str], TrainConfig]
    fit: Fit | None = None
    quicker_precision: bool = False
    """Whether products are in bfloat16 where the device trains the network faster so."""


recipes: Registry[Recipe] = Registry("recipe", package="tinyml.trainer.recipes")

DEFAULT_RECIPE = "reference"
BUDGET_RECIPE = "best"
"""The default under a time budget."""
TINY_IMAGENET_IMAGES = 80_000


def configure(
    recipe: str,
    model: str,
    data: str,
    changes: Mapping[str, object] | None = None,
    *,
    passes: float | None = None,
    images: int = TINY_IMAGENET_IMAGES,
) -> TrainConfig:
    """The configuration that `recipe` gives for `model` on `data`, with some fields changed.

    Args:
        recipe: A registered recipe.
        model: A registered architecture.
        data: A data set's name or folder.
        changes: Fields of TrainConfig with the values that replace the recipe's.
        passes: How often the images will be seen, for recipes that adapt to it; None: as often as there are epochs.
        images: How many there are.

    Raises:
        UnknownNameError: No such recipe or model.
        UsageError: A value out of its range, or two that contradict each other; it names the command line's option.
    """
    own = architectures.get(model).recipes.get(recipe, {})
    changes, chosen = changes or {}, recipes.get(recipe)
    base = changed(chosen.make(model, data), own)
    wanted = changed(base, {**_lengths(base, changes), **_of_the_optimizer(base, changes), **changes})
    if chosen.fit is None:
        return wanted
    length = passes or float(wanted.total_epochs or wanted.epochs)
    return changed(wanted, {**chosen.fit(wanted, passes=length, images=images, given=changes.keys()), **changes})


def _lengths(base: TrainConfig, changes: Mapping[str, object]) -> dict[str, object]:
    """Warm-up and the end without mixing, in proportion where the user changes the length alone.

    Lengths made for many epochs would otherwise be all of a short training, or more than it.
    """
    epochs = changes.get("total_epochs") or changes.get("epochs")
    if not isinstance(epochs, int) or epochs >= base.epochs:
        return {}
    return {name: getattr(base, name) * epochs / base.epochs for name in ("warmup_epochs", "mix_off_epochs")}


def _of_the_optimizer(base: TrainConfig, changes: Mapping[str, object]) -> Mapping[str, object]:
    """Rate, weight decay and momentum of an optimizer that is given: the recipe's are those of its own."""
    name = changes.get("optimizer")
    if not isinstance(name, str) or name == base.optimizer or name not in optimizers:
        return {}
    return optimizers.get(name).settings


def changed(config: TrainConfig, changes: Mapping[str, object]) -> TrainConfig:
    """`config` with some fields replaced and everything checked again; raises UsageError as `configure` does."""
    try:
        result = TrainConfig(**{**config.model_dump(), **changes})
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from None
    for field, registry in (("optimizer", optimizers), ("scheduler", schedulers)):
        if (name := getattr(result, field)) not in registry:
            raise UsageError(f"{option(field)} out of range", value=name, allowed=", ".join(registry))
    if result.policy is not None and result.policy not in policies:
        raise UsageError("--policy out of range", value=result.policy, allowed=", ".join(policies))
    total = result.total_epochs or result.epochs
    if total < result.epochs:
        raise UsageError(
            "--total-epochs below --epochs", value=total, allowed=f"at least {result.epochs}, the epochs to train now"
        )
    if result.warmup_epochs > total:
        raise UsageError(
            "--warmup-epochs beyond the training", value=_plain(result.warmup_epochs), allowed=f"at most {total}"
        )
    if result.warmup_epochs and result.warmup_start_lr > result.lr:
        raise UsageError("--warmup-start-lr above --lr", value=result.warmup_start_lr, allowed=f"at most {result.lr}")
    if result.whiten and result.init is not None:
        raise UsageError("--whiten and --init both set the first layer", value=result.init.path, hint="leave one out")
    check_resolution(result)
    check_rates(result.model, result.dropout, result.drop_path)
    return result


def _plain(number: float) -> float:
    """51 for 51.0, as it was typed."""
    return int(number) if number == int(number) else number


_OPTIONS = {"compiled": "--compile"}
"""Where the command line's name is not the field's."""


def option(field: str) -> str:
    """The command line's name for a field of TrainConfig."""
    return _OPTIONS.get(field, f"--{field.replace('_', '-')}")


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
