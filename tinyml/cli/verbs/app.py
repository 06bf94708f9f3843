"""`tinyml app`: what concerns the Swift demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..options import RESULTS, Json, Results
from ..output import Output

demo = typer.Typer(name="app", help="Prepare the Swift demo app.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(demo)


@demo.callback()
def group() -> None:
    """Prepare the Swift demo app."""


@demo.command()
def sync(
    artifacts: Annotated[
        list[Path] | None,
        typer.Argument(metavar="ARTIFACT", help="Exported folders; default: all Core ML ones of the newest export."),
    ] = None,
    results: Results = RESULTS,
    target: Annotated[Path, typer.Option("--app", help="The app's model folder; its content is replaced.")] = Path(
        "swift_demo/App/Models"
    ),
    golden_image: Annotated[
        Path | None,
        typer.Option(help="An image to check each model by in the app; its own, a test image, if left out."),
    ] = None,
    json: Json = False,
) -> None:
    """Copy Core ML models with manifests and golden images into the demo app."""
    from tinyml.export.app_models import newest_core_ml, sync
    from tinyml.store import size_bytes
    from tinyml.workspace import Workspace, artifact_manifest

    out = Output(json=json)
    manifests = [artifact_manifest(path) for path in artifacts] if artifacts else newest_core_ml(Workspace(results))
    catalog = sync(manifests, target, golden_image=golden_image, progress=out.progress)
    rows = [[entry.folder, f"{size_bytes(target / entry.folder) / 1e6:.1f}"] for entry in catalog.models]
    out.table(f"Models in {target}", ["model", "MB"], rows)
    out.document(catalog)
