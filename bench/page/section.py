"""What a section of the page is: a function from what was found to a heading and what its template shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinyml.registry import Registry

from .figures import Figure
from .project import Project


@dataclass(frozen=True, kw_only=True)
class Content:
    """A section that has something to show."""

    place: int
    """Sections stand in the order of these numbers."""
    title: str
    template: str
    """A file in `templates/`; it sees `values` by their names."""
    values: dict[str, Any]


Section = Callable[[Project, list[Figure]], Content | None]
"""None: there is nothing of the kind."""

sections: Registry[Section] = Registry("section of the page", package="tinyml.bench.page.sections")
