"""What was asked for and not measured, with the reason; none of it is a pass."""

from __future__ import annotations

from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@sections.register("absent")
def absent(_: Project, figures: list[Figure]) -> Content | None:
    """One row a case that is not `ok`."""
    table = [
        (figure.row.name, figure.row.result.status.replace("_", " "), figure.row.result.reason or "")
        for figure in figures
        if figure.row is not None and figure.row.result.status != "ok"
    ]
    if not table:
        return None
    return Content(place=80, title="Not measured, and why", template="absent.html", values={"table": table})
