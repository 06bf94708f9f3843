"""Where a classifier errs: by class, by confidence, on corrupted and on attacked images."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .base import SCHEMA_VERSION, Count, Fraction, PositiveInt, Provenance, Record, Sha256
from .metrics import Metrics


class ClassAccuracy(Record):
    """One class: how many of its images were looked at, and how many were told right."""

    label: str
    images: Count
    right: Count


class ConfusedPair(Record):
    """Images of one class taken for another; both are numbers of classes."""

    truth: Count
    answer: Count
    images: PositiveInt


class ConfidenceBin(Record):
    """The images whose first class had a probability above `low`, up to `high`."""

    low: Fraction
    high: Fraction
    images: Count
    confidence: Fraction
    """The mean probability of the first class; 0 without images."""
    accuracy: Fraction


class Calibration(Record):
    """How far probabilities can be believed.

    The expected calibration error (ECE) is the mean distance of confidence and accuracy over equal bins, weighted by
    images. The temperature that divides the logits is fitted to every other image; what it gains is measured on the
    rest.
    """

    bins: tuple[ConfidenceBin, ...]
    ece: Fraction
    temperature: Annotated[float, Field(gt=0)]
    ece_before: Fraction
    """Of the images that the temperature was not fitted to, without it."""
    ece_after: Fraction
    """Of the same images, with it."""


class CorruptedAccuracy(Record):
    """Top-1 on images corrupted in one way at one severity."""

    corruption: str
    severity: Annotated[int, Field(ge=1, le=5)]
    top1: Fraction


class AttackedAccuracy(Record):
    """Top-1 on images changed to mislead a network: by at most `epsilon` 255ths a value."""

    attack: Literal["fgsm", "pgd"]
    epsilon: PositiveInt
    steps: PositiveInt
    network_sha256: Sha256
    """Of the checkpoint whose gradients made them; for an exported model, those of the network that it came from."""
    top1: Fraction


class Robustness(Record):
    """Accuracy on changed images, all made from the same ones; `clean` is that on the images as they are."""

    images: PositiveInt
    clean: Fraction
    corrupted: tuple[CorruptedAccuracy, ...]
    attacked: tuple[AttackedAccuracy, ...]


class Explanation(Record):
    """`<variant>.json` in a model's folder `explained`: where one checkpoint or artifact errs."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["explanation"] = "explanation"
    model: str
    """The architecture."""
    variant: str
    path: str
    sha256: Sha256
    runtime: str
    data: str
    labels: tuple[str, ...]
    metrics: Metrics
    classes: tuple[ClassAccuracy, ...]
    """In the order of `labels`."""
    confused: tuple[ConfusedPair, ...]
    """Every pair that occurred, the most frequent first."""
    calibration: Calibration
    robustness: Robustness | None = None
    """None: not asked for."""
    provenance: Provenance

    @model_validator(mode="after")
    def _of_these_classes(self) -> Self:
        if tuple(each.label for each in self.classes) != self.labels:
            raise ValueError("there is one of the classes for each of the labels, in their order")
        numbers = [number for pair in self.confused for number in (pair.truth, pair.answer)]
        if max(numbers, default=0) >= max(1, len(self.labels)):
            raise ValueError(f"no such class: {max(numbers)}")
        if wrong := next((each.label for each in self.classes if each.right > each.images), None):
            raise ValueError(f"more images were told right than there are: {wrong}")
        return self
