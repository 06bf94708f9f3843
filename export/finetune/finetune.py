"""From a checkpoint and a variant to a checkpoint that was trained to be that variant."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tinyml.accuracy import Images
from tinyml.errors import UsageError
from tinyml.progress import Progress, Silent
from tinyml.schema import Budget, TrainConfig, Variant
from tinyml.trainer import checkpoint
from tinyml.trainer.budget import seconds_of
from tinyml.trainer.checkpoint import LoadedCheckpoint, load
from tinyml.trainer.data import Dataset, steps_an_epoch
from tinyml.trainer.device import choose
from tinyml.trainer.distill import Distilled, NetworkTeacher
from tinyml.trainer.loop import train
from tinyml.trainer.objective import CrossEntropy
from tinyml.trainer.predictor import network_input
from tinyml.trainer.state import SavedState, read_state
from tinyml.trainer.validation import validate
from tinyml.workspace import RunFolder, Workspace

from ..compression import name_of, scales_channels
from ..fold import folded
from .begin import begin_from
from .fake import DRAWN_BITS, Fake
from .ready import FromNetwork

FOLDER = "finetuned"
"""In a model's folder: apart from the trainings, so that nothing takes one of these for the newest checkpoint."""
SETTLED = "settled"
"""The checkpoint whose weights are those that are stored."""
_RATE, _PRUNED_RATE, _DRAWN_RATE = 1e-4, 3e-4, 1e-3
"""Of AdamW, whatever the network was trained with: folded weights are no longer of one scale in all layers. The second
where weights become zero, so that the others have more to learn; the last where they are drawn to few values, which
takes them long steps to leave."""
_TEMPERATURE, _SHARE = 2.0, 0.9
"""Of the distillation."""
_FINISH_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Length:
    """How long to fine-tune: so many epochs, or so many seconds."""

    epochs: int | None = None
    seconds: float | None = None

    @property
    def word(self) -> str:
        """As in a folder's name: "3e", "600s"."""
        return f"{self.epochs}e" if self.epochs is not None else f"{self.seconds:g}s"


def length_of(text: str) -> Length:
    """The length of `--finetune EPOCHS|MINUTES`: "3" are epochs, "10m" minutes; raises UsageError."""
    if re.fullmatch(r"\d{1,4}", text):
        if int(text) < 1:
            raise UsageError("--finetune out of range", value=text, allowed="at least 1 epoch, or minutes such as 10m")
        return Length(epochs=int(text))
    if not re.fullmatch(r"[\d.smhd in]+", text):
        raise UsageError("--finetune is no length", value=text, allowed="epochs such as 3, or minutes such as 10m")
    return Length(seconds=seconds_of(text))


def nearest_of(variant: Variant) -> Variant:
    """`variant` with its weights rounded to the nearest, as they are trained to be; its name says "tuned".

    Raises:
        UsageError: It has nothing to train for, or palettes whose channels are scaled, which plain rounding of the
            rounded weights would not find again.
    """
    if not variant.compression:
        raise UsageError(
            f"{variant.name} has nothing to fine-tune for", value="no compression", allowed="such as --quantize int4"
        )
    kinds = []
    for kind in variant.compression:
        each = [kind, *(other for other in kind.overrides.values() if other is not None)]
        if scales_channels(each):
            by_layer = any(other.overrides for other in variant.compression)
            raise UsageError(
                f"{variant.name} cannot be fine-tuned",
                value="palettes with a scale per channel",
                hint="search for a plan with --finetune, which leaves these out"
                if by_layer
                else f"nearest: {name_of(_without_scales(variant))}",
            )
        kinds.append(kind if kind.method == "activations" else kind.model_copy(update={"rounding": "nearest"}))
    return variant.model_copy(update={"compression": tuple(kinds), "name": f"{variant.name}-tuned"})


def _without_scales(variant: Variant) -> Variant:
    kinds = [
        kind.model_copy(update={"per_channel_scale": False}) if kind.method == "palette" else kind
        for kind in variant.compression
    ]
    return variant.model_copy(update={"compression": tuple(kinds)})


def finetune(
    source: LoadedCheckpoint,
    variant: Variant,
    length: Length,
    dataset: Dataset,
    workspace: Workspace,
    calibration: Images,
    *,
    rounded: Callable[[], Mapping[str, NDArray[np.float32]]] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Trains the network of `source` to be `variant`, and returns the manifest of a checkpoint with its stored weights.

    One that was interrupted goes on, one that is whole is kept.

    Args:
        source: The network in full precision, which also teaches.
        variant: What it shall become, rounded to the nearest.
        length: How long.
        dataset: As for `train`.
        workspace: Where the training lies, in `finetuned` of the model's folder.
        calibration: uint8 [N, H, W, 3]: what ranges of activations are observed on, and biases moved by.
        rounded: Gives the weights that the training begins with, by layer, of the shape of the network's; asked for
            the first time. None: it begins with the network's own.
        progress: Told of every batch and epoch.

    Raises:
        TrainingError: As `train`.
        KeyboardInterrupt: It was interrupted, and is saved.
    """
    progress = progress or Silent()
    config = _config(source.checkpoint.config, length, _rate(variant))
    model = source.checkpoint.spec.architecture
    inside = Workspace(workspace.model(model) / FOLDER)
    name = f"{variant.name.removesuffix('-tuned')}-{source.checkpoint.sha256[:8]}-{length.word}"
    name += f"-{_word_of(variant, dataset, len(calibration), begun=rounded is not None)}"
    run = inside.run(model, name)
    settled = run.checkpoints / f"{SETTLED}.json"
    if settled.is_file():
        progress.say(f"{variant.name}: fine-tuned already")
        return settled
    state = _state(run, config, progress)
    preprocess = source.checkpoint.spec.preprocess
    size = preprocess.input_size
    teacher = NetworkTeacher(source.model, preprocess, preprocess)
    per_epoch = steps_an_epoch(dataset.split("train"), config)
    steps = config.epochs * per_epoch * config.accumulate
    seen = network_input(calibration, preprocess) if len(calibration) else None
    begun = functools.cache(rounded) if rounded is not None else None

    def faked(done: int) -> tuple[nn.Module, Fake]:
        network = folded(source.model, size)
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        if begun is not None and seen is not None:
            begin_from(network, begun(), seen)
        return network, Fake(network, variant, steps, done=done, seen=seen)

    def ready(saved: SavedState | None) -> nn.Module:
        done = 0
        if saved is not None:
            done = (saved.position.epoch * per_epoch + saved.position.step) * config.accumulate
        return faked(done)[0]

    result = train(
        config,
        dataset,
        inside,
        device=choose(),
        start=FromNetwork(ready=ready, state=state),
        objective=Distilled(teacher, CrossEntropy(), temperature=_TEMPERATURE, share=_SHARE),
        progress=progress,
        name=None if state is not None else name,
        spent=0.0,
    )
    if result.interrupted or result.best is None:
        progress.say("the fine-tuning is saved: the same command again goes on with it")
        signal.raise_signal(result.signal or signal.SIGINT)  # the training took it; whoever runs this ends by it
        raise KeyboardInterrupt
    best = load(result.best)
    made = best.checkpoint
    network, fake = faked(0)
    before = validate(network, made.spec, dataset, config, choose(), progress=progress)
    reached = max(epoch.val_accuracy for epoch in result.history.epochs)
    if before.top1 > reached:
        progress.say(
            f"{variant.name}: training took the validation accuracy from {before.top1:.2%} to {reached:.2%}, so what "
            "it began with is kept"
        )
        made = made.model_copy(update={"epoch": 0, "metrics": (before,)})
    else:
        network.load_state_dict(best.model.state_dict())
    fake.settle()
    return checkpoint.save(
        run.checkpoints,
        SETTLED,
        network,
        spec=made.spec,
        config=made.config,
        dataset_sha256=made.dataset_sha256,
        dataset=made.dataset,
        epoch=made.epoch,
        metrics=made.metrics,
    )


def _word_of(variant: Variant, dataset: Dataset, images: int, *, begun: bool) -> str:
    """What tells fine-tunings apart that share a name: plans for one goal, data sets, what they begin with."""
    kinds = [kind.model_dump(mode="json") for kind in variant.compression]
    told = json.dumps([kinds, dataset.sha256, images, begun], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def _rate(variant: Variant) -> float:
    if any(getattr(kind, "bits", 8) <= DRAWN_BITS for kind in variant.compression):
        return _DRAWN_RATE
    return _PRUNED_RATE if any(kind.method == "prune" for kind in variant.compression) else _RATE


def _config(trained: TrainConfig, length: Length, rate: float) -> TrainConfig:
    """How a network that was trained by `trained` is fine-tuned: gently, the images as they were but not mixed."""
    changes: dict[str, object] = {
        "recipe": "finetune",
        "epochs": length.epochs or trained.epochs,
        "total_epochs": None,
        "budget": None,
        "resolution": None,
        "optimizer": "adamw",
        "lr": rate,
        "scheduler": "cosine",
        "warmup_epochs": 0,
        "init": None,
        "whiten": False,
        "freeze": (),
        "teacher": None,
        "class_weights": "none",
        "patience": None,
        "clip_norm": 1.0,
        "warmup_start_lr": 0.0,
        "mixup_alpha": 0.0,
        "cutmix_alpha": 0.0,
        "mix_off_epochs": 0,
        "label_smoothing": 0.0,
        "erasing": 0.0,
        "dropout": 0.0,
        "drop_path": 0.0,
        "weight_decay": 0.0,
        "ema_decay": None,
        "compiled": False,
        "precision": "fp32",
        "save_every": 1000,
    }
    if length.seconds is not None:
        budget = Budget(
            seconds=length.seconds,
            phase_seconds=(length.seconds,),
            finish_seconds=min(_FINISH_SECONDS, 0.1 * length.seconds),
        )
        changes["budget"] = budget
    return TrainConfig.model_validate({**trained.model_dump(), **changes})


def _state(run: RunFolder, config: TrainConfig, progress: Progress) -> SavedState | None:
    """Where an interrupted fine-tuning of the same kind came to; None: there is none."""
    if not run.state.is_file():
        return None
    found = read_state(run.state, progress=progress)
    if found.position.config != config:
        raise UsageError(
            "another fine-tuning lies there",
            value=run.path,
            hint="remove it, or fine-tune for another length",
        )
    progress.say(f"going on with the fine-tuning in {run.path}")
    return found
