"""What was proved of each artifact before it was kept."""

from __future__ import annotations

from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@sections.register("proof")
def proof(project: Project, _: list[Figure]) -> Content | None:
    """One row an artifact: executed against its checkpoint, with what, on how many images, how far apart."""
    if not project.artifacts:
        return None
    table = []
    for kept in project.artifacts:
        artifact, checked = kept.record, kept.record.verification
        name = (artifact.spec.architecture, artifact.variant.name, artifact.variant.summary)
        if checked is None:
            table.append((*name, "not run: exported without verification", "-", "-", "-", "-", "-"))
            continue
        verdict = "passed" if checked.passed else f"failed: {'; '.join(checked.failures)}"
        table.append(
            (
                *name,
                verdict,
                checked.runtime,
                f"{checked.images:,} {checked.split}",
                f"{checked.top1_agreement * 100:.2f}",
                "no difference" if checked.psnr_db is None else f"{checked.psnr_db:.1f}",
                f"{(checked.reference.top1 - checked.artifact.top1) * 100:+.2f}",
            )
        )
    return Content(place=50, title="Proof of each artifact", template="proof.html", values={"table": table})
