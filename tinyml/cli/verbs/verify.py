"""`tinyml verify`: exported artifacts against their checkpoints, from the files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..options import RESULTS, Json, Results, Split, TrainedOn
from ..output import Output

if TYPE_CHECKING:
    from tinyml.errors import ArtifactError, TinyMLError
    from tinyml.export.verify import Verified
    from tinyml.schema import Artifact, Verification


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Artifact folders or manifests; all under RESULTS if left out.")
    ] = None,
    images: Annotated[
        int | None, typer.Option("--images", help="Images of the split; 1000 if left out.", min=1)
    ] = None,
    split: Split = "test",
    data: TrainedOn = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Reload artifacts, execute them on real images and compare them with their checkpoints."""
    from dataclasses import asdict

    from tinyml.accuracy import split_named
    from tinyml.errors import VerificationError, noted
    from tinyml.export.verify import VERIFY_IMAGES, Verifier
    from tinyml.workspace import Workspace, artifact_manifest

    chosen = split_named(split)
    out = Output(json=json)
    manifests = [artifact_manifest(path) for path in paths or []] or Workspace(results).artifacts()
    verifier = Verifier(split=chosen, data=data, limit=images or VERIFY_IMAGES, progress=out.progress)
    done: list[Verified] = []
    failures: dict[str, TinyMLError] = {}
    for manifest in manifests:
        with noted(failures, str(manifest.parent)):
            done.append(verifier.verify(manifest))
    if not done:
        reasons = {str(error): error for error in failures.values()}
        raise next(iter(reasons.values())) if len(reasons) == 1 else _unverified(failures, len(manifests))
    out.table("Verification", _COLUMNS, [_row(item.artifact, item.figures) for item in done])
    for item in done:
        out.line(f"{item.artifact.path}: {item.proof.sentence()}")
    apart = [(item.artifact.path, item.units) for item in done if item.units is not None and item.units.parted]
    if apart:
        out.line("on CPU_ONLY Core ML rounds nothing to float16; there these differ from the other compute units:")
    for path, units in apart:
        largest = max(units.largest.values())
        out.line(f"{path}: {units.labels} of {units.samples} first classes, at most {largest:.1e} in probability")
    out.document(
        [
            {"path": item.artifact.path, "variant": item.artifact.variant.name, "passed": item.passed}
            | item.figures.model_dump(mode="json")
            | {"weights": asdict(item.proof)}
            | ({} if item.units is None else {"cpu_only": asdict(item.units)})
            for item in done
        ]
    )
    missed = [f"{item.artifact.path}: {'; '.join(item.figures.failures)}" for item in done if not item.passed]
    floors = f"{len(missed)} of {len(manifests)} artifacts missed their floor: {'; '.join(missed)}"
    if failures:
        raise _unverified(failures, len(manifests), floors if missed else None)
    if missed:
        raise VerificationError(floors)


def _unverified(failures: dict[str, TinyMLError], among: int, floors: str | None = None) -> ArtifactError:
    from tinyml.errors import ArtifactError

    others = "; ".join(f"{path}: {error}" for path, error in failures.items())
    return ArtifactError(f"{len(failures)} of {among} artifacts could not be verified: {others}", hint=floors)


_COLUMNS = (
    "artifact", "verdict", "images", "top-1 checkpoint (95% interval)", "top-1 artifact", "top-1 agreement",
    "top-5 agreement", "PSNR", "max difference", "mean difference", "verified by",
)  # fmt: skip


def _row(artifact: Artifact, figures: Verification) -> list[str]:
    from tinyml.confidence import share_told, top1_told

    return [
        artifact.path,
        "passed" if figures.passed else "missed its floor",
        str(figures.images),
        top1_told(figures.reference),
        top1_told(figures.artifact),
        f"{figures.top1_agreement:.2%}",
        share_told(figures.top5_agreement),
        "identical" if figures.psnr_db is None else f"{figures.psnr_db:.1f} dB",
        f"{figures.max_difference:.2e}",
        f"{figures.mean_difference:.2e}",
        figures.runtime,
    ]
