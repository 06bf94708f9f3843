"""From a goal to a plan on disk, and back from the file to the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tinyml.errors import ArtifactError, UnknownNameError, UsageError
from tinyml.progress import Progress
from tinyml.schema import Floor, Plan, PlanGoal, Rounding, Variant
from tinyml.store import file_sha256, provenance, read_json, write_json

from ..compression import Samples, scales_channels
from ..variants import TARGETS
from .judge import Subject
from .options import options_for
from .picture import draw
from .search import search

AUTO = "auto"
"""What `--quantize` calls a plan."""
JUDGING_IMAGES = 1000
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "kib": 2**10, "mib": 2**20}


def goal_of(max_drop: float | None, max_size: str | None) -> PlanGoal:
    """The goal of `--max-drop POINTS` or `--max-size BYTES` ("2500000", "2.5MB").

    Raises:
        UsageError: Neither or both are given, or one is out of range.
    """
    if (max_drop is None) == (max_size is None):
        raise UsageError(
            "a plan needs a goal",
            value="none" if max_drop is None else "two",
            allowed="--max-drop POINTS or --max-size BYTES",
        )
    if max_size is None:
        if not 0 <= float(max_drop or 0) <= 100:
            raise UsageError("--max-drop out of range", value=max_drop, allowed="0 to 100 points")
        return PlanGoal(max_drop=max_drop)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", max_size.strip().lower())
    size = round(float(match[1]) * _UNITS[match[2]]) if match and match[2] in _UNITS else 0
    if size < 1:
        raise UsageError("--max-size is no size", value=max_size, allowed="bytes, such as 2500000 or 2.5MB")
    return PlanGoal(max_size=size)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A plan that was asked for."""

    goal: PlanGoal
    rounding: Rounding
    of_file: Plan | None
    """Made already; None: to be searched for."""


def asked(
    quantize: str,
    format_: str,
    max_drop: float | None,
    max_size: str | None,
    file: Path | None,
    *,
    target: str | None = None,
    rounding: str | None = None,
) -> Asked | None:
    """What the options of a command ask for; None: no plan.

    Raises:
        UsageError: Options that contradict each other, or a format that has no plans.
        UnknownNameError: There is no such target or rounding.
        ManifestError: `file` is no plan.
    """
    if quantize != AUTO and file is None:
        if max_drop is not None or max_size is not None:
            raise UsageError("a goal without a search for it", value=quantize, allowed=f"--quantize {AUTO}")
        return None
    if format_ not in ("coreml", "all"):
        raise UsageError(
            f"{format_} has no plans by layer",
            value=AUTO,
            allowed="--format coreml",
            hint="integer weights in ONNX have 8 bits in every layer; nearest: --quantize int8",
        )
    if file is not None:
        if (max_drop, max_size, target, rounding) != (None,) * 4:
            raise UsageError("a plan that is made again has its goal, target and rounding", value=file)
        made = read_json(file, Plan)
        return Asked(goal=made.goal, rounding=made.rounding, of_file=made)
    goal = goal_of(max_drop, max_size)
    if target is not None and target not in TARGETS[1:]:
        raise UnknownNameError("target of a plan", target, TARGETS[1:])
    for known in get_args(Rounding):
        if (rounding or "compensated") == known:
            return Asked(goal=goal, rounding=known, of_file=None)
    raise UnknownNameError("rounding", str(rounding), get_args(Rounding))


def name_for(goal: PlanGoal) -> str:
    """The name of the variant that a plan for `goal` makes."""
    end = f"drop{float(goal.max_drop or 0):g}" if goal.max_size is None else f"size{goal.max_size}"
    return f"coreml-{AUTO}-{end}"


def variant_for(goal: PlanGoal, bare: Variant) -> Variant:
    """`bare`, named and summed up after the goal; what it loses at most is its floor."""
    if goal.max_size is not None:
        summary, drop = f"a plan by layer for at most {goal.max_size} bytes", 1.0
    else:
        points = float(goal.max_drop or 0)
        summary, drop = f"a plan by layer that loses at most {points:g} points", points / 100
    return bare.model_copy(
        update={
            "name": name_for(goal),
            "summary": summary,
            "floor": Floor(top1_agreement=0.0, psnr_db=0.0, max_accuracy_drop=drop),
        }
    )


def plan(
    subject: Subject,
    goal: PlanGoal,
    *,
    rounding: Rounding,
    model: str,
    source_sha256: str,
    judged_on: str,
    left: dict[str, str] | None = None,
    among: Sequence[str] | None = None,
    tuned: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """The best plan for `goal`, not written yet: its `weights_sha256` is that of whoever writes it.

    Args:
        subject: What is compressed; its variant is given the plan's name.
        goal: What to meet.
        rounding: How weights are rounded.
        model: What it is called.
        source_sha256: Of what it is made.
        judged_on: What the judging inputs are called.
        left: Layers that the package's own form leaves out, with the reasons.
        among: The only ones that a layer can become, by their names in a variant's; None: all of the menu.
        tuned: Whether it is fine-tuned afterwards, so that only what can be is taken.
        progress: Told of every step.

    Raises:
        UsageError: No plan meets the goal.
    """
    options = options_for(str(subject.variant.minimum_target), rounding, among)
    if tuned:
        options = tuple(option for option in options if not scales_channels(option.compression))
    found = search(subject, goal, options, progress)
    variant = variant_for(goal, subject.variant).model_copy(update={"compression": found.compression})
    return Plan(
        model=model,
        source_sha256=source_sha256,
        goal=goal,
        measure=found.measure,
        rounding=rounding,
        calibration_images=_count(subject.calibration),
        judging_images=_count(subject.judging),
        judged_on=judged_on,
        labeled=subject.labels is not None,
        top1=found.top1,
        options=found.options,
        layers=found.layers,
        trials=found.trials,
        left={**(left or {}), **found.left},
        seconds=round(found.seconds),
        variant=variant,
        provenance=provenance(packages=("torch", "coremltools", "numpy")),
    )


def signed(made: Plan, package: Path) -> Plan:
    """`made` with the checksum of the weights of the package that was written by it.

    Raises:
        ArtifactError: It had another one: the same plan, of the same source, came out otherwise.
    """
    weights = file_sha256(package / "Data" / "com.apple.CoreML" / "weights" / "weight.bin")
    if made.weights_sha256 not in (None, weights):
        raise ArtifactError(
            "the plan's weights came out otherwise than before",
            value=f"sha256 {weights[:12]}…",
            allowed=f"{str(made.weights_sha256)[:12]}…",
            hint="another data set, calibration or version of tinyml; search again with --quantize auto",
        )
    return made.model_copy(update={"weights_sha256": weights})


def write_plan(made: Plan, path: Path, picture: Path) -> None:
    """Writes a plan, and what it looks like."""
    write_json(path, made)
    draw(made, picture)


def _count(samples: Samples) -> int:
    return len(next(iter(samples.values())))
