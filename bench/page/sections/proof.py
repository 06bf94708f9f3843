"""What was proved of each artifact before it was kept: its weights, its fidelity, its agreement, its accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyml.confidence import ABSENT
from tinyml.schema import Artifact, Verification, WeightProof

from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@dataclass(frozen=True, kw_only=True)
class Against:
    """A figure beside the floor that it had to reach."""

    figure: str
    floor: str = ""


Kind = Literal["passed", "failed", "not run", "not judged"]


@dataclass(frozen=True, kw_only=True)
class Proved:
    """One artifact."""

    model: str
    variant: str
    what: str
    kind: Kind
    why: str
    """What failed, or why nothing was checked."""
    weights: str
    bits: str
    farthest: Against
    """The error of the weight farthest from its source, and where that is."""
    images: str = ABSENT
    agreement: Against = Against(figure=ABSENT)
    psnr: Against = Against(figure=ABSENT)
    lost: Against = Against(figure=ABSENT)
    runtime: str = ABSENT


@sections.register("proof")
def proof(project: Project, _: list[Figure]) -> Content | None:
    """One row an artifact, with a verdict of its own."""
    if not project.artifacts:
        return None
    held = {kept.record.artifact_sha256: kept.record for kept in project.proofs}
    table = [_proved(kept.record, held.get(kept.record.sha256)) for kept in project.artifacts]
    return Content(
        place=50,
        title="Compression proof",
        template="proof.html",
        values={"table": table, "without": sum(row.weights == ABSENT for row in table)},
    )


def _proved(artifact: Artifact, held: WeightProof | None) -> Proved:
    checked = artifact.verification
    kind, why = _verdict(checked)
    weights, bits, farthest = _weights(held)
    known = {} if checked is None else _verified(checked)
    return Proved(
        model=artifact.spec.architecture,
        variant=artifact.variant.name,
        what=artifact.variant.summary,
        kind=kind,
        why=why,
        weights=weights,
        bits=bits,
        farthest=farthest,
        images=f"{checked.images:,} {checked.split}" if checked else ABSENT,
        runtime=checked.runtime if checked else ABSENT,
        **known,
    )


def _verdict(checked: Verification | None) -> tuple[Kind, str]:
    if checked is None:
        return "not run", "exported without verification"
    if not checked.passed:
        return "failed", "; ".join(checked.failures)
    floor = checked.floor
    if floor.top1_agreement <= 0 and floor.psnr_db <= 0 and floor.max_accuracy_drop >= 1:
        return "not judged", ""
    return "passed", ""


def _weights(held: WeightProof | None) -> tuple[str, str, Against]:
    if held is None or not held.weights:
        return ABSENT, ABSENT, Against(figure=ABSENT)
    worst = max(held.weights, key=lambda weight: (weight.error, weight.layer))
    low, high = (f"{limit(w.bits for w in held.weights):.2f}" for limit in (min, max))
    told = low if low == high else f"{low} to {high}"
    return str(len(held.weights)), told, Against(figure=f"{worst.error:.2%}", floor=worst.layer)


def _verified(checked: Verification) -> dict[str, Against]:
    floor = checked.floor
    lost = (checked.reference.top1 - checked.artifact.top1) * 100
    return {
        "agreement": Against(
            figure=f"{checked.top1_agreement * 100:.2f}",
            floor=f"at least {floor.top1_agreement * 100:.4g}" if floor.top1_agreement > 0 else "",
        ),
        "psnr": Against(
            figure="equal" if checked.psnr_db is None else f"{checked.psnr_db:.1f}",
            floor=f"at least {floor.psnr_db:g}" if floor.psnr_db > 0 else "",
        ),
        "lost": Against(
            figure="0.00" if abs(lost) < 0.005 else f"{lost:+.2f}",
            floor=f"at most {floor.max_accuracy_drop * 100:.4g}" if floor.max_accuracy_drop < 1 else "",
        ),
    }
