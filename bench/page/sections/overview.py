"""The first section: a sentence a model."""

from __future__ import annotations

from ..figures import Figure
from ..project import Project
from ..section import Content, sections
from ..summary import summaries


@sections.register("overview")
def overview(project: Project, figures: list[Figure]) -> Content | None:
    """Each model's sentence, and the files that could not be read."""
    return Content(
        place=10,
        title="Summary",
        template="overview.html",
        values={
            "summaries": summaries(project, figures),
            "unread": project.unread,
            "quick": any(kept.record.quick for kept in project.runs),
        },
    )
