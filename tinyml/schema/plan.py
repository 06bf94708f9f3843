"""A plan of mixed compression: what each layer becomes, and everything that was tried before it was chosen."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .base import SCHEMA_VERSION, Count, Fraction, PositiveInt, Provenance, Record, Sha256
from .compression import Compression, Rounding
from .variant import Variant

Loss = Annotated[float, Field(ge=0)]


class PlanGoal(Record):
    """What a plan must meet; exactly one of the two."""

    max_drop: Annotated[float, Field(ge=0)] | None = None
    """Points of top-1 that may be lost; without labels, points of agreement on the first class."""
    max_size: PositiveInt | None = None
    """Bytes of the whole package."""

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.max_drop is None) == (self.max_size is None):
            raise ValueError("a plan has either a max_drop or a max_size")
        return self


class PlanOption(Record):
    """One way to compress a layer."""

    name: str
    """As in a variant's name: "palette4", "prune75-w4"; "none" for a layer left as it is."""
    compression: tuple[Compression, ...]
    """Without overrides."""


class LayerLoss(Record):
    """What one option costs one layer, measured by executing the program with this layer alone compressed."""

    option: str
    bytes: PositiveInt
    """Of the stored weight with its scales, palettes or mask."""
    loss: Loss


class PlannedLayer(Record):
    """One layer, what it was measured to lose, and what was chosen for it."""

    layer: str
    weights: PositiveInt
    option: str
    measured: tuple[LayerLoss, ...]


class PlanTrial(Record):
    """A whole plan that was executed."""

    name: str
    """Where it came from: "uniform palette4", "greedy", "knapsack 1", "stored greedy"."""
    bytes: PositiveInt
    """Of the package: as it was written for the plans called "stored ...", else as expected."""
    bits: Annotated[float, Field(gt=0)]
    """A weight, on average."""
    loss: Loss
    points_lost: float | None
    """Of top-1, or of agreement where there are no labels; None: not a classifier."""
    front: bool
    """Whether no plan tried is as small and loses less."""
    chosen: bool = False


class Plan(Record):
    """`plan.json` beside an artifact: rebuilds it exactly."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["plan"] = "plan"
    model: str
    source_sha256: Sha256
    """Of the checkpoint's weights, or of the package that was compressed."""
    goal: PlanGoal
    measure: Literal["divergence", "error"]
    """What `loss` is: the mean Kullback-Leibler divergence of the classes' probabilities from those of the source, or
    the mean squared error of the outputs over their mean square."""
    rounding: Rounding
    calibration_images: PositiveInt
    """Inputs that layers were rounded and measured on."""
    judging_images: PositiveInt
    """Inputs that whole plans were judged on."""
    judged_on: str
    """Which: "val", a folder."""
    labeled: bool
    """Whether `points_lost` are points of accuracy; else of agreement with the source."""
    top1: Fraction | None
    """Of the source on the judging inputs; None without labels."""
    options: tuple[PlanOption, ...]
    layers: tuple[PlannedLayer, ...]
    trials: tuple[PlanTrial, ...]
    left: dict[str, str] = {}
    """Layers that no plan touches, with the reasons."""
    seconds: Count
    """How long the search took."""
    variant: Variant
    """The plan itself, as a row of the export menu would say it."""
    weights_sha256: Sha256 | None = None
    """Of the package's weight file, which the same source rebuilt by this plan has again; None: not written yet."""
    provenance: Provenance

    @model_validator(mode="after")
    def _one_chosen(self) -> Self:
        if sum(trial.chosen for trial in self.trials) != 1:
            raise ValueError("exactly one of the trials is the chosen one")
        known = {option.name for option in self.options}
        named = {layer.option for layer in self.layers} | {m.option for layer in self.layers for m in layer.measured}
        if unknown := sorted(named - known):
            raise ValueError(f"an option that the plan does not list: {unknown[0]}")
        return self
