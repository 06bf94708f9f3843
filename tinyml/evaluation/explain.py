"""Explains where models err: the same images asked of each, once as they are, then corrupted and attacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tinyml.accuracy import BATCH, FIVE, Images, Predictor, subset
from tinyml.errors import DataError, UsageError
from tinyml.machine import keep_freed_memory
from tinyml.numerics import ranks_of
from tinyml.progress import Progress, Silent
from tinyml.schema import (
    AttackedAccuracy,
    CorruptedAccuracy,
    Explanation,
    Metrics,
    Preprocess,
    Robustness,
    SplitName,
)
from tinyml.store import provenance
from tinyml.trainer.data import check_classes, reopen

from .attacks import attacked
from .calibration import calibration
from .checkpoint import CheckpointPredictor
from .corruptions import check_available, corrupted
from .mistakes import by_class, confused_pairs
from .opening import OpenedModel

Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One model's answers to the images as they are."""

    model: OpenedModel
    scores: Scores
    """Logits, or logarithms of probabilities where there are no logits."""

    @property
    def answers(self) -> NDArray[np.int64]:
        """The first classes, [N]."""
        first: NDArray[np.int64] = self.scores.argmax(1).astype(np.int64)
        return first


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What came out of one model, with the images that it was asked."""

    explanation: Explanation
    asked: Asked
    images: Images
    truth: NDArray[np.int64]


def explain(
    models: Sequence[OpenedModel],
    *,
    split: SplitName = "test",
    limit: int | None = None,
    robustness: int | None = None,
    network: OpenedModel | None = None,
    data: str | None = None,
    progress: Progress | None = None,
) -> list[Explained]:
    """Where each of `models` errs, on the same images of a split.

    Args:
        models: What is asked; all of them of the first one's data set.
        split: Which split.
        limit: How many images, dealt evenly over the classes; None: all.
        robustness: How many of those are corrupted and attacked as well; None: none.
        network: The checkpoint whose gradients attack; None: the first checkpoint among `models`, or no attack.
        data: Where the data set lies by now; None: where it is remembered.
        progress: Told of the images.

    Raises:
        DataError: The data set is missing, has changed or has other classes, or fewer than two images.
        UsageError: `network` is no checkpoint, or takes images of another size.
        UnavailableError: What corrupts images is not installed.
    """
    keep_freed_memory()
    progress = progress or Silent()
    first = models[0]
    size = first.predictor.spec.preprocess.input_size
    if robustness is not None:
        check_available(size)
    if network is not None:
        _check_attacker(network, size)
    dataset = reopen(first.data or "", first.dataset, data, progress=progress)
    for model in models if network is None else (*models, network):
        check_classes(dataset, model.predictor.spec.labels)
    whole = dataset.split(split)
    labels = np.asarray(whole.labels)
    chosen = np.sort(subset(len(labels), limit, labels)) if len(labels) else np.zeros(0, np.int64)
    if len(chosen) < 2:
        raise DataError(f"too few images in the {split} split", value=len(chosen), allowed="at least 2")
    images, truth = np.asarray(whole.images[chosen]), labels[chosen].astype(np.int64)
    asked = [Asked(model=model, scores=_ask(model.predictor, images, progress)) for model in models]
    robust = _robustness(asked, images, truth, robustness, network, progress) if robustness is not None else {}
    return [
        Explained(
            explanation=_explanation(each, truth, split, len(labels), limit, dataset.index.name, robust.get(n)),
            asked=each,
            images=images,
            truth=truth,
        )
        for n, each in enumerate(asked)
    ]


def _check_attacker(network: OpenedModel, size: int) -> None:
    if not isinstance(network.predictor, CheckpointPredictor):
        why = "--attack-with: an exported model gives no gradients"
        raise UsageError(why, value=network.path, allowed="a checkpoint")
    if (found := network.predictor.spec.preprocess.input_size) != size:
        raise UsageError("--attack-with takes images of another size", value=found, allowed=f"{size}, as the models")


def _explanation(
    asked: Asked,
    truth: NDArray[np.int64],
    split: SplitName,
    total: int,
    limit: int | None,
    data: str,
    robustness: Robustness | None,
) -> Explanation:
    model, labels, ranks = asked.model, asked.model.predictor.spec.labels, ranks_of(asked.scores, truth)
    metrics = Metrics(
        split=split,
        top1=float((ranks < 1).mean()),
        top5=float((ranks < FIVE).mean()) if len(labels) > FIVE else None,
        images=len(truth),
        total=total,
    )
    return Explanation(
        model=model.predictor.spec.architecture,
        variant=model.variant,
        path=str(model.path),
        sha256=model.sha256,
        runtime=model.runtime,
        data=data,
        labels=labels,
        metrics=metrics,
        classes=tuple(by_class(truth, asked.answers, labels)),
        confused=tuple(confused_pairs(truth, asked.answers)),
        calibration=calibration(asked.scores, truth),
        robustness=robustness,
        provenance=provenance(limit=limit),
    )


def _ask(predictor: Predictor, images: Images, progress: Progress | None = None) -> Scores:
    """Logits of `predictor`, or the logarithms of its probabilities, [N, classes]."""
    progress = progress or Silent()
    progress.start(f"asking {predictor.spec.architecture}", len(images), "images")
    parts = []
    for begin in range(0, len(images), BATCH):
        part = images[begin : begin + BATCH]
        scores = predictor.logits(part)
        if scores is None:
            scores = np.log(np.maximum(predictor.probabilities(part), np.finfo(np.float32).tiny))
        parts.append(scores.astype(np.float64))
        progress.advance(len(part))
    progress.finish()
    return np.concatenate(parts)


def _robustness(
    asked: Sequence[Asked],
    images: Images,
    truth: NDArray[np.int64],
    count: int,
    network: OpenedModel | None,
    progress: Progress,
) -> dict[int, Robustness]:
    chosen = np.sort(subset(len(truth), count, truth))
    images, truth = images[chosen], truth[chosen]
    predictors = [each.model.predictor for each in asked]

    def top1(changed: Images) -> list[float]:
        return [float((_ask(predictor, changed).argmax(1) == truth).mean()) for predictor in predictors]

    broken: list[list[CorruptedAccuracy]] = [[] for _ in asked]
    progress.start("corrupting images", 75, "kinds")
    for name, severity, changed in corrupted(images):
        for n, value in enumerate(top1(changed)):
            broken[n].append(CorruptedAccuracy(corruption=name, severity=severity, top1=value))
        progress.advance(1)
    progress.finish()
    misled: list[list[AttackedAccuracy]] = [[] for _ in asked]
    source = network or next((a.model for a in asked if isinstance(a.model.predictor, CheckpointPredictor)), None)
    if source is not None and isinstance(source.predictor, CheckpointPredictor):
        module, preprocess = _network(source.predictor)
        for attack, changed in attacked(module, preprocess, images, truth):
            for n, value in enumerate(top1(changed)):
                misled[n].append(
                    AttackedAccuracy(
                        attack=attack.name,
                        epsilon=attack.epsilon,
                        steps=attack.steps,
                        network_sha256=source.sha256,
                        top1=value,
                    )
                )
    return {
        n: Robustness(
            images=len(truth),
            clean=float((each.answers[chosen] == truth).mean()),
            corrupted=tuple(broken[n]),
            attacked=tuple(misled[n]),
        )
        for n, each in enumerate(asked)
    }


def _network(predictor: CheckpointPredictor) -> tuple[nn.Module, Preprocess]:
    return predictor.loaded.model, predictor.spec.preprocess
