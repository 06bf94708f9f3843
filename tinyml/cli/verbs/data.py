"""`tinyml data prepare` and `tinyml data explore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import DatasetIndex

data_app = typer.Typer(name="data", help="Prepare a data set, or look at one.", no_args_is_help=True)
app.add_typer(data_app)

_Data = Annotated[
    str, typer.Option("--data", help="tiny-imagenet, shapes, or a folder of images.", metavar="NAME_OR_PATH")
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@data_app.command()
def prepare(
    data: _Data = "tiny-imagenet",
    source: Annotated[
        Path | None,
        typer.Option(help="Tiny ImageNet's .zip, .tar, .tar.gz, .tar.xz or extracted folder, instead of its download."),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave unreadable and missing images out, and list them.")
    ] = False,
    json: _Json = False,
) -> None:
    """Fetch, check and decode a data set into the cache."""
    from tinyml.trainer.data.preparing import prepare as prepare_dataset

    out = Output(json=json)
    dataset, new = prepare_dataset(data, source=source, skip_bad=skip_bad, progress=out.progress)
    index = dataset.index
    for path in index.skipped:
        out.line(f"left out: {path}")
    out.line(f"{'prepared' if new else 'already prepared, checksums right'}: {index.name}, {_counts(index)}")
    out.line(f"in {dataset.path}")
    out.document(index)


@data_app.command()
def explore(
    data: _Data = "tiny-imagenet",
    output: Annotated[Path, typer.Option(help="The folder for the picture.", metavar="DIR")] = Path("results/data"),
    json: _Json = False,
) -> None:
    """Count and measure a data set, and draw a grid of samples."""
    from tinyml.store import atomic_file
    from tinyml.trainer.data import open_dataset
    from tinyml.trainer.data.sample_grid import sample_grid
    from tinyml.trainer.data.statistics import summarize

    out = Output(json=json)
    progress = out.progress
    dataset = open_dataset(data, progress=progress)
    summary = summarize(dataset, progress=progress)
    picture = output / f"{dataset.path.name}-samples.png"
    with atomic_file(picture) as temporary:
        sample_grid(dataset).save(temporary)
    splits = [
        [s.split, str(s.images), str(s.classes), str(s.smallest_class), str(s.largest_class)] for s in summary.splits
    ]
    out.table(
        f"{summary.name}: {len(summary.labels)} classes", ["split", "images", "classes", "smallest", "largest"], splits
    )
    measured = summary.statistics
    channels = [
        [name, f"{mean:.4f}", f"{std:.4f}"]
        for name, mean, std in zip(("red", "green", "blue"), measured.mean, measured.std, strict=True)
    ]
    out.table("Training pixels, from 0 to 1", ["channel", "mean", "std"], channels)
    out.line(
        f"nearly black images: {measured.nearly_black}, nearly white: {measured.nearly_white} (of the training split)"
    )
    out.line(f"split: {summary.split_rule}")
    if summary.skipped:
        out.line(f"left out: {len(summary.skipped)} unreadable or missing images")
    out.line(f"samples: {picture}")
    out.document(summary)


def _counts(index: DatasetIndex) -> str:
    splits = ", ".join(f"{split.images:,} {name}" for name, split in index.splits.items())
    return f"{len(index.labels)} classes: {splits}"
