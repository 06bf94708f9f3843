"""What was asked for and not measured, with the reason; none of it is a pass."""

from __future__ import annotations

from ..figures import Figure, machine_name
from ..project import Project
from ..section import Content, sections


@sections.register("absent")
def absent(_: Project, figures: list[Figure]) -> Content | None:
    """One row a reason, with the cases that have it."""
    cases: dict[tuple[str, str, str], list[str]] = {}
    for figure in figures:
        if figure.row is None or figure.run is None or figure.row.result.status == "ok":
            continue
        result = figure.row.result
        reason = (result.status.replace("_", " "), result.reason or "", machine_name(figure.run.environment))
        cases.setdefault(reason, []).append(figure.row.name)
    if not cases:
        return None
    table = [(*reason, names) for reason, names in sorted(cases.items())]
    return Content(place=80, title="Not measured", template="absent.html", values={"table": table})
