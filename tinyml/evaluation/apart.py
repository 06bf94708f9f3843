"""Accuracies of more than one look: the mean of an image and its mirror image, and of several models.

They cost twice and several times the computation, so they are told apart from the models' own, by their variant:
"checkpoint+flip", "ensemble", "ensemble+flip".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from tinyml.accuracy import Images, Predictor, Scores
from tinyml.errors import UsageError
from tinyml.numerics import softmax
from tinyml.progress import Progress
from tinyml.schema import ENSEMBLE, FLIP, EvaluatedModel, ModelSpec, SplitName
from tinyml.store import provenance

from .evaluate import Measured, measure
from .opening import OpenedModel


class Remembering:
    """A Predictor that keeps the probabilities of what it was asked, in that order."""

    def __init__(self, predictor: Predictor) -> None:
        self.spec: ModelSpec = predictor.spec
        self._predictor = predictor
        self._given: list[Scores] = []

    def logits(self, images: Images) -> Scores | None:
        """Those of the predictor."""
        given = self._predictor.logits(images)
        if given is not None:
            self._given.append(softmax(given).astype(np.float32))
        return given

    def probabilities(self, images: Images) -> Scores:
        """Those of the predictor."""
        self._given.append(self._predictor.probabilities(images))
        return self._given[-1]

    @property
    def given(self) -> Scores:
        """All of them, [N, classes]."""
        return np.concatenate(self._given)


class Mirrored:
    """A Predictor of the mirrored images."""

    def __init__(self, predictor: Predictor) -> None:
        self.spec: ModelSpec = predictor.spec
        self._predictor = predictor

    def logits(self, images: Images) -> Scores | None:
        """Those of the mirrored images."""
        return self._predictor.logits(np.ascontiguousarray(images[:, :, ::-1]))

    def probabilities(self, images: Images) -> Scores:
        """Those of the mirrored images."""
        return self._predictor.probabilities(np.ascontiguousarray(images[:, :, ::-1]))


class Recalling:
    """A Predictor that gives known probabilities, [N, classes], to whoever asks in the order of their images."""

    def __init__(self, spec: ModelSpec, known: Scores) -> None:
        self.spec = spec
        self._known, self._next = known, 0

    def logits(self, images: Images) -> None:
        """None: only probabilities are known."""

    def probabilities(self, images: Images) -> Scores:
        """The next ones."""
        self._next += len(images)
        return self._known[self._next - len(images) : self._next]


def evaluate_all(
    models: Sequence[OpenedModel],
    *,
    flip: bool = False,
    ensemble: bool = False,
    split: SplitName = "test",
    limit: int | None = None,
    data: str | None = None,
    progress: Progress | None = None,
) -> list[tuple[str, EvaluatedModel]]:
    """The accuracy of each model, and where it is asked for those of more than one look.

    Args:
        models: What is asked.
        flip: Whether each image is also shown mirrored, and the probabilities averaged.
        ensemble: Whether the probabilities of all models are averaged.
        split: As for `measure`.
        limit: As for `measure`.
        data: As for `measure`.
        progress: As for `measure`.

    Returns:
        Each with the model's architecture, or "ensemble".

    Raises:
        DataError: As `measure`.
        UsageError: An ensemble of fewer than two models, or of models whose classes or images differ.
    """
    if ensemble:
        _check_ensemble(models)
    found: list[tuple[str, EvaluatedModel]] = []
    shown: list[list[Scores]] = []
    measured: list[Measured] = []
    for model in models:
        looks: list[Scores] = []
        for view in (model.predictor, Mirrored(model.predictor)) if flip else (model.predictor,):
            remembering = Remembering(view)
            at = measure(model, remembering, split=split, limit=limit, data=data, progress=progress)
            if not looks:
                measured.append(at)
            looks.append(remembering.given)
        shown.append(looks)
        plain = [(model.variant, measured[-1])]
        if flip:
            plain.append((f"{model.variant}{FLIP}", _of(looks, model, measured[-1], progress)))
        found += [(model.predictor.spec.architecture, _row([model], name, at, limit)) for name, at in plain]
    if ensemble:
        if len({each.dataset.sha256 for each in measured}) > 1:
            raise UsageError(
                "--ensemble: the models were trained on different data sets", hint="name one for all with --data"
            )
        groups = {ENSEMBLE: [looks[0] for looks in shown]}
        if flip:
            groups[f"{ENSEMBLE}{FLIP}"] = [look for looks in shown for look in looks]
        for name, looks in groups.items():
            found.append((ENSEMBLE, _row(models, name, _of(looks, models[0], measured[0], progress), limit)))
    return found


def _check_ensemble(models: Sequence[OpenedModel]) -> None:
    if len(models) < 2:
        raise UsageError("--ensemble needs more models", value=len(models), allowed="at least 2 paths")
    labels = models[0].predictor.spec.labels
    for model in models:
        if model.predictor.spec.labels != labels:
            raise UsageError(
                f"--ensemble: {model.path} has other classes than {models[0].path}",
                value=f"{model.predictor.spec.classes} classes",
                allowed=f"{len(labels)} classes, in one order",
            )


def _of(looks: Sequence[Scores], model: OpenedModel, before: Measured, progress: Progress | None) -> Measured:
    """The accuracy of the mean of several answers to the images of a measurement."""
    mean: Scores = np.stack(looks).mean(axis=0, dtype=np.float64).astype(np.float32)
    return before.again(Recalling(model.predictor.spec, mean), progress)


def _row(models: Sequence[OpenedModel], variant: str, measured: Measured, limit: int | None) -> EvaluatedModel:
    together = hashlib.sha256("".join(model.sha256 for model in models).encode()).hexdigest()
    return EvaluatedModel(
        variant=variant,
        path=" + ".join(str(model.path) for model in models),
        sha256=models[0].sha256 if len(models) == 1 else together,
        bytes=sum(model.bytes for model in models),
        runtime=" + ".join(dict.fromkeys(model.runtime for model in models)),
        metrics=measured.metrics,
        data=measured.data,
        provenance=provenance(limit=limit),
    )
