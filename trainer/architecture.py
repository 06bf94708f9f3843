"""What an architecture is, the registry of all of them, and what each costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from tinyml.errors import UsageError
from tinyml.registry import Registry
from tinyml.schema import PositiveInt, Record

INPUT_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """An architecture: how it is built, and what it can be asked for.

    `build(classes, dropout, drop_path)` returns a network from float images [N, 3, 64, 64], normalized, to logits
    [N, classes]. `dropout` is its own rate, used where nobody asks for another. `has_drop_path` says whether it has
    residual branches that stochastic depth can drop, `smallest` the side of the smallest images that it can be trained
    on. `no_decay` names its parameters of two or more dimensions that weight decay must leave alone. `recipes` holds,
    by recipe, what it is trained with instead of what the recipe says, `quick_optimizer` what takes it further in few
    passes than the optimizer of a long training.
    `elsewhere` says what other libraries call its layers: their names, and ours.
    """

    title: str
    paper: str
    build: Callable[[int, float, float], nn.Module]
    dropout: float
    has_drop_path: bool
    smallest: int = 16
    no_decay: tuple[str, ...] = ()
    recipes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    quick_optimizer: str | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)


class ModelSummary(Record):
    """One row of `tinyml models`; `macs` are multiply-accumulates for one 64x64 image."""

    name: str
    title: str
    parameters: PositiveInt
    macs: PositiveInt
    paper: str


architectures: Registry[Architecture] = Registry("model", package="tinyml.trainer.models")


def build(name: str, classes: int, *, dropout: float | None = None, drop_path: float = 0.0) -> nn.Module:
    """A freshly initialized network, in training mode, on the current default device.

    Args:
        name: A registered architecture.
        classes: The number of logits, at least 1.
        dropout: The rate before the classifier (in `alexnet` before each hidden layer of it, in `vit` in its MLPs
            as well), in [0, 1); None: the architecture's own.
        drop_path: The rate of stochastic depth in the last block, growing linearly from 0 in the first, in [0, 1).

    Raises:
        UnknownNameError: No architecture has that name.
        UsageError: A value out of range, or a `drop_path` above 0 for a network without residual branches.
    """
    architecture = architectures.get(name)
    if classes < 1:
        raise UsageError("number of classes out of range", value=classes, allowed="at least 1")
    check_rates(name, dropout, drop_path)
    return architecture.build(classes, architecture.dropout if dropout is None else dropout, drop_path)


def check_rates(name: str, dropout: float | None, drop_path: float) -> None:
    """Raises UsageError for rates that `build` refuses."""
    for what, rate in (("--dropout", dropout or 0.0), ("--drop-path", drop_path)):
        if not 0 <= rate < 1:
            raise UsageError(f"{what} out of range", value=rate, allowed="at least 0 and below 1")
    if drop_path > 0 and not architectures.get(name).has_drop_path:
        able = [other for other, entry in architectures.items() if entry.has_drop_path]
        raise UsageError(
            f"--drop-path: {name} has no residual branches to drop",
            value=drop_path,
            allowed="0",
            hint=f"models that have: {', '.join(able)}",
        )


def recomputes(model: nn.Module) -> bool:
    """Whether `model` can compute activations again in the backward pass instead of keeping them."""
    return hasattr(model, "recompute")


def set_recompute(model: nn.Module, on: bool) -> None:
    """Has `model` compute activations again in the backward pass, or keep them; nothing where it cannot."""
    if recomputes(model):
        model.recompute(on)  # type: ignore[operator]


def count_parameters(model: nn.Module) -> int:
    """The number of trainable values of `model`."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_macs(model: nn.Module, size: int = INPUT_SIZE) -> int:
    """Multiply-accumulates of convolutions and matrix products for one RGB image of `size` x `size`.

    The count runs on the model's own device; on the meta device it costs no arithmetic.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 3, size, size, device=device))
    finally:
        model.train(training)
    return int(counter.get_total_flops()) // 2


def summaries(classes: int = 200) -> list[ModelSummary]:
    """Every architecture with its cost for `classes` classes, sorted by name; no weights are allocated."""
    rows = []
    for name, architecture in architectures.items():
        with torch.device("meta"):
            model = build(name, classes)
        rows.append(
            ModelSummary(
                name=name,
                title=architecture.title,
                parameters=count_parameters(model),
                macs=count_macs(model),
                paper=architecture.paper,
            )
        )
    return rows


def check_input(images: Tensor, *, smaller: bool = False) -> None:
    """Refuses images of another size than 64x64, for the networks whose weights fix it.

    Args:
        images: What a network is given.
        smaller: Whether square images of less are allowed as well, as in a training whose images grow.

    Raises:
        ValueError: The shape is not [N, 3, 64, 64].
    """
    shape = tuple(images.shape)
    if smaller and len(shape) == 4 and shape[1] == 3 and shape[2] == shape[3] <= INPUT_SIZE:
        return
    if len(shape) != 4 or shape[1:] != (3, INPUT_SIZE, INPUT_SIZE):
        raise ValueError(f"images of shape {shape}; allowed: [N, 3, {INPUT_SIZE}, {INPUT_SIZE}]")
