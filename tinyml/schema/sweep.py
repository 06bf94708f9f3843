"""A sweep: trainings that differ in model, recipe, options and seed, and what each reached."""

from __future__ import annotations

from typing import Literal

from .base import SCHEMA_VERSION, Count, Fraction, PositiveInt, Provenance, Record, Seed


class SweepTrial(Record):
    """One training of a sweep, ended."""

    model: str
    recipe: str
    variant: str
    """What its options are called; empty: the recipe as it is."""
    options: tuple[str, ...]
    """As for `tinyml train`."""
    seed: Seed
    run: str
    """The training's name."""
    status: Literal["ok", "failed"]
    reason: str | None = None
    """Why it failed."""
    val_accuracy: Fraction | None = None
    """The best of its validations."""
    val_images: PositiveInt | None = None
    epochs: Count = 0
    seconds: float = 0.0

    def option(self, name: str) -> str:
        """The value of the option `name` that counts, which is its last; raises ValueError where it was not given."""
        return self.options[len(self.options) - self.options[::-1].index(name)]


class Sweep(Record):
    """`sweep.json`: all trials that have ended so far."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["sweep"] = "sweep"
    name: str
    data: str
    trials: tuple[SweepTrial, ...]
    provenance: Provenance
