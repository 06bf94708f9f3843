"""A plan as a picture: the bits of each layer, and size against accuracy of all that was tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.schema import Plan, PlanTrial
from tinyml.store import atomic_file

from ..labels import Label, write_labels
from ..picture import size_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _ACCENT, _MUTED, _PEER = "#1f2933", "#0b6e99", "#8a97a6", "#b45309"


def draw(plan: Plan, path: Path) -> None:
    """Writes the picture of `plan`."""
    # A Figure of its own instead of pyplot: no global state, no display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2)
    _bits(left, plan)
    _trials(right, plan)
    figure.suptitle(f"{plan.model}: {plan.variant.summary}", color=_INK)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, metadata={"Software": None})


def bits_of(plan: Plan) -> list[float]:
    """Stored bits a weight of each layer, scales and palettes included."""
    sizes = [{each.option: each.bytes for each in layer.measured} for layer in plan.layers]
    return [8 * size[layer.option] / layer.weights for size, layer in zip(sizes, plan.layers, strict=True)]


def _bits(axes: Axes, plan: Plan) -> None:
    bits, places = bits_of(plan), list(range(len(plan.layers)))
    axes.bar(places, bits, color=_ACCENT)
    labels = [f"{layer.layer} {layer.option}" for layer in plan.layers]
    axes.set_xticks(places, labels, rotation=90, fontsize=6 if len(places) < 60 else 3)
    axes.set(ylabel="stored bits a weight", title="bits of each layer")
    for place, value in zip(places, bits, strict=True):
        if len(places) < 40:
            axes.annotate(f"{value:.1f}", (place, value), ha="center", va="bottom", fontsize=6, color=_INK)


def _trials(axes: Axes, plan: Plan) -> None:
    accurate = plan.trials[0].points_lost is not None

    def height(trial: PlanTrial) -> float:
        if trial.points_lost is None:
            return trial.loss
        return 100 * (plan.top1 if plan.top1 is not None else 1.0) - trial.points_lost

    groups = (
        ("uniform", _MUTED, [t for t in plan.trials if t.name.startswith("uniform ")]),
        ("greedy", _PEER, [t for t in plan.trials if "greedy" in t.name and not t.chosen]),
        ("searched", _ACCENT, [t for t in plan.trials if not t.chosen and _searched(t)]),
    )
    for label, color, trials in groups:
        sizes = [trial.bytes for trial in trials]
        axes.scatter(sizes, [height(trial) for trial in trials], label=label, color=color, s=18)
    front = sorted((trial for trial in plan.trials if trial.front), key=lambda trial: trial.bytes)
    axes.plot([t.bytes for t in front], [height(t) for t in front], color=_INK, linewidth=0.8, label="front")
    (chosen,) = (trial for trial in plan.trials if trial.chosen)
    axes.scatter([chosen.bytes], [height(chosen)], marker="*", s=160, color="#c2185b", label="chosen", zorder=5)
    what = "top-1 accuracy, %" if plan.labeled else "agreement with the source, %"
    size_axis(axes, "size of the package")
    axes.set(ylabel=what if accurate else "error of the outputs")
    if not accurate:
        axes.set_yscale("symlog", linthresh=1e-6)
    axes.set_title(f"all plans tried, on {plan.judging_images} inputs ({plan.judged_on})")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    write_labels(
        axes,
        [Label(text=t.name.removeprefix("uniform "), x=t.bytes, y=height(t), color=_INK) for t in groups[0][2]],
        fontsize=5,
    )


def _searched(trial: PlanTrial) -> bool:
    return not trial.name.startswith("uniform ") and "greedy" not in trial.name
