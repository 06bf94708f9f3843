"""The golden images: what every artifact says of one image, beside the image."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from ..figures import Figure
from ..project import Project
from ..section import Content, sections

LARGEST_IMAGE = 200_000
"""Bytes; a golden image is a few thousand, and the page holds it whole."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The first labels of one artifact, best first, and what executed it."""

    variant: str
    runtime: str
    labels: list[tuple[str, float]]


@dataclass(frozen=True, kw_only=True)
class Group:
    """An image and all that was said of it."""

    model: str
    image: str
    width: int
    height: int
    answers: list[Answer] = field(default_factory=list)

    @property
    def width_of_table(self) -> int:
        """The most labels that one of the answers has."""
        return max(len(answer.labels) for answer in self.answers)


@sections.register("golden")
def golden(project: Project, _: list[Figure]) -> Content | None:
    """Grouped by image: a picture, then each artifact's first labels with their probabilities."""
    exported = {kept.record.sha256: kept.record for kept in project.artifacts}
    groups: dict[tuple[str, str], Group] = {}
    for kept in project.goldens:
        record, image = kept.record, kept.path.with_name(kept.record.image)
        artifact = exported.get(record.artifact_sha256)
        if artifact is None or not image.is_file() or image.stat().st_size > LARGEST_IMAGE:
            continue
        model = artifact.spec.architecture
        group = groups.setdefault(
            (model, record.image_sha256),
            Group(
                model=model,
                image=base64.b64encode(image.read_bytes()).decode(),
                width=record.width,
                height=record.height,
            ),
        )
        labels = list(zip(record.labels, record.probabilities, strict=True))
        group.answers.append(Answer(variant=artifact.variant.name, runtime=record.runtime, labels=labels))
    if not groups:
        return None
    return Content(place=40, title="Golden images", template="golden.html", values={"groups": list(groups.values())})
