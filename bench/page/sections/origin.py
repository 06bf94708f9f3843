"""The machines and the commands behind all figures."""

from __future__ import annotations

from ...table import NOTES, facts
from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@sections.register("origin")
def origin(project: Project, _: list[Figure]) -> Content | None:
    """The facts of every bench run, newest first, and what the columns mean."""
    runs = [(kept.record, facts(kept.record), kept.shown) for kept in reversed(project.runs)]
    return Content(place=90, title="Provenance", template="origin.html", values={"runs": runs, "notes": NOTES})
