"""What the options of `tinyml train` ask for, for every verb that takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from .app import app

if TYPE_CHECKING:
    from tinyml.trainer.prepare import Wish

BESIDE = ("budget", "freeze", "init", "teacher")
"""Fields of TrainConfig that are not what the option of that name gives."""


def wish_of(given: Mapping[str, Any], state: Path | None = None) -> Wish:
    """What the parameters of `tinyml train` ask for; `state` is of the training to go on with."""
    from tinyml.schema import TrainConfig
    from tinyml.trainer.prepare import Wish

    changes = {
        name: given[name] for name in TrainConfig.model_fields if name not in BESIDE and given.get(name) is not None
    }
    if given.get("freeze"):
        changes["freeze"] = tuple(given["freeze"])
    if (alpha := given.get("mixup_cutmix_alpha")) is not None:
        changes = {"mixup_alpha": alpha, "cutmix_alpha": alpha, **changes}
    return Wish(
        model=given["model"],
        changes=changes,
        recipe=given["recipe"],
        budget=given["budget"],
        state=state,
        init=_path(given["init"]),
        teacher=_path(given["teacher"]),
    )


def train_parameters(model: str, words: Sequence[str]) -> dict[str, Any]:
    """The parameters that `tinyml train MODEL` would have with these words behind it; refused as it refuses them."""
    command = get_command(app).commands["train"]  # type: ignore[attr-defined]
    parameters: dict[str, Any] = command.make_context("tinyml train", [model, *words]).params
    return parameters


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)
