"""`tinyml verify`: exported artifacts against their checkpoints, from the files on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import Artifact, Verification


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Artifact folders or manifests; all under RESULTS if left out.")
    ] = None,
    images: Annotated[
        int | None, typer.Option("--images", help="Images of the split; 1000 if left out.", min=1)
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, val or test.")] = "test",
    data: Annotated[
        str | None,
        typer.Option("--data", help="The data set they were trained on, where it lies by now.", metavar="NAME_OR_PATH"),
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="Folder of results.")] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Reload artifacts, execute them on real images and compare them with their checkpoints."""
    from dataclasses import asdict

    from tinyml.accuracy import split_named
    from tinyml.errors import VerificationError
    from tinyml.export.verify import VERIFY_IMAGES, on_the_cpu_alone
    from tinyml.export.verify import verify as run
    from tinyml.workspace import Workspace, artifact_manifest, read_artifact

    chosen = split_named(split)
    out = Output(json=json)
    manifests = [artifact_manifest(path) for path in paths or []] or Workspace(results).artifacts()
    progress = out.progress
    done: list[tuple[Artifact, Verification]] = []
    for manifest in manifests:
        artifact, _ = read_artifact(manifest)
        done.append(
            (artifact, run(manifest, limit=images or VERIFY_IMAGES, split=chosen, data=data, progress=progress))
        )
    out.table("Verification", _COLUMNS, [_row(*pair) for pair in done])
    apart = [on_the_cpu_alone(manifest, split=chosen, data=data) for manifest in manifests]
    for (artifact, _), units in zip(done, apart, strict=True):
        if units is not None and units.parted:
            out.line(
                f"{artifact.path}: on CPU_ONLY, where Core ML rounds nothing to float16, {units.labels} of "
                f"{units.samples} first classes and at most {max(units.largest.values()):.1e} in probability differ"
            )
    out.document(
        [
            {"path": artifact.path, "variant": artifact.variant.name, "passed": figures.passed}
            | figures.model_dump(mode="json")
            | ({} if units is None else {"cpu_only": asdict(units)})
            for (artifact, figures), units in zip(done, apart, strict=True)
        ]
    )
    missed = [f"{artifact.path}: {'; '.join(figures.failures)}" for artifact, figures in done if not figures.passed]
    if missed:
        raise VerificationError(f"{len(missed)} of {len(done)} artifacts missed their floor: {'; '.join(missed)}")


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
