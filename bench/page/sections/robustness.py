"""Accuracy on corrupted and on attacked images, for checkpoints and exported files alike."""

from __future__ import annotations

from tinyml.schema import Robustness

from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@sections.register("robustness")
def robustness(project: Project, _: list[Figure]) -> Content | None:
    """One column a model, one row a corruption, averaged over its severities."""
    known = [(kept.record, kept.record.robustness) for kept in project.explanations if kept.record.robustness]
    if not known:
        return None
    names = [f"{explanation.model} {explanation.variant}" for explanation, _ in known]
    robust = [each for _, each in known if each is not None]
    kinds = sorted({c.corruption for each in robust for c in each.corrupted})
    table = [("as they are", [f"{each.clean * 100:.1f}" for each in robust])]
    table += [(kind.replace("_", " "), [_mean(each, kind) for each in robust]) for kind in kinds]
    attacks = sorted({(a.attack, a.epsilon, a.steps) for each in robust for a in each.attacked})
    for attack, epsilon, steps in attacks:
        row = [
            next((f"{a.top1 * 100:.1f}" for a in each.attacked if a.attack == attack and a.epsilon == epsilon), "-")
            for each in robust
        ]
        table.append((f"{attack.upper()} by {epsilon}/255, {steps} step{'s' if steps > 1 else ''}", row))
    return Content(
        place=47,
        title="Robustness",
        template="robustness.html",
        values={"names": names, "table": table, "images": [each.images for each in robust]},
    )


def _mean(each: Robustness, kind: str) -> str:
    found = [c.top1 for c in each.corrupted if c.corruption == kind]
    return f"{100 * sum(found) / len(found):.1f}" if found else "-"
