"""Accuracy on corrupted and on attacked images, for checkpoints and exported files alike."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml.confidence import ABSENT
from tinyml.counting import counted
from tinyml.schema import Robustness

from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@dataclass(frozen=True, kw_only=True)
class Cell:
    """An accuracy, and the share of the accuracy on unchanged images that is lost."""

    text: str
    lost: float


@sections.register("robustness")
def robustness(project: Project, _: list[Figure]) -> Content | None:
    """One column a model, one row a corruption, averaged over its severities."""
    known = [(kept.record, kept.record.robustness) for kept in project.explanations if kept.record.robustness]
    if not known:
        return None
    names = [f"{explanation.model} {explanation.variant}" for explanation, _ in known]
    robust = [each for _, each in known if each is not None]
    kinds = sorted({c.corruption for each in robust for c in each.corrupted})
    table = [("as they are", [_cell(each.clean, each) for each in robust])]
    if len(kinds) > 1:
        # Of all corruptions only where each was tried: means of different ones say nothing beside each other.
        whole = [_mean_of_all(each, kinds) for each in robust]
        table.append(("all corruptions", [_cell(top1, each) for top1, each in zip(whole, robust, strict=True)]))
    table += [(kind.replace("_", " "), [_cell(_mean(each, kind), each) for each in robust]) for kind in kinds]
    attacks = sorted({(a.attack, a.epsilon, a.steps) for each in robust for a in each.attacked})
    for attack, epsilon, steps in attacks:
        row = [
            next(
                (a.top1 for a in each.attacked if (a.attack, a.epsilon, a.steps) == (attack, epsilon, steps)),
                None,
            )
            for each in robust
        ]
        name = f"{attack.upper()} by {epsilon}/255, {counted(steps, 'step')}"
        table.append((name, [_cell(top1, each) for top1, each in zip(row, robust, strict=True)]))
    return Content(
        place=47,
        title="Robustness",
        template="robustness.html",
        values={"names": names, "table": table, "images": [each.images for each in robust]},
    )


def _cell(top1: float | None, each: Robustness) -> Cell:
    if top1 is None:
        return Cell(text=ABSENT, lost=0.0)
    return Cell(text=f"{top1 * 100:.1f}", lost=max(0.0, 1 - top1 / each.clean) if each.clean else 0.0)


def _mean(each: Robustness, kind: str) -> float | None:
    found = [c.top1 for c in each.corrupted if c.corruption == kind]
    return sum(found) / len(found) if found else None


def _mean_of_all(each: Robustness, kinds: list[str]) -> float | None:
    found = [_mean(each, kind) for kind in kinds]
    known = [top1 for top1 in found if top1 is not None]
    return sum(known) / len(known) if len(known) == len(kinds) else None
