"""`tinyml data prepare` and `tinyml data explore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..options import Json
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import DatasetIndex
    from tinyml.trainer.data.duplicates import Duplicates
    from tinyml.trainer.data.statistics import DatasetSummary

data_app = typer.Typer(name="data", help="Prepare a data set, or look at one.", no_args_is_help=True)
app.add_typer(data_app)

_Data = Annotated[
    str, typer.Option("--data", help="tiny-imagenet, shapes, or a folder of images.", metavar="NAME_OR_PATH")
]


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
    json: Json = False,
) -> None:
    """Fetch, check and decode a data set into the cache."""
    from tinyml.trainer.data.listing import sentence
    from tinyml.trainer.data.preparing import prepare as prepare_dataset

    out = Output(json=json)
    dataset, new = prepare_dataset(data, source=source, skip_bad=skip_bad, progress=out.progress)
    index = dataset.index
    for path in index.skipped:
        out.line(f"left out: {path}")
    if index.left_out and not new:  # a preparation says so itself
        out.line(sentence(index.left_out))
    out.line(f"{'prepared' if new else 'already prepared, checksums right'}: {index.name}, {_counts(index)}")
    out.line(f"in {dataset.path}")
    out.document(index)


@data_app.command()
def explore(
    data: _Data = "tiny-imagenet",
    output: Annotated[Path, typer.Option(help="The folder for the picture.", metavar="DIR")] = Path("results/data"),
    json: Json = False,
) -> None:
    """Count and measure a data set, find its duplicates, and draw a grid of samples."""
    from tinyml.store import atomic_file
    from tinyml.trainer.data import open_dataset
    from tinyml.trainer.data.listing import sentence
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
    out.table(_title(summary), ["class", "train", "val", "test"], _classes(summary))
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
    for line in (*_balance(summary), *_repeats("duplicates", summary.duplicates)):
        out.line(line)
    for line in _repeats("near-duplicates", summary.near_duplicates):
        out.line(line)
    if summary.skipped:
        out.line(f"left out: {len(summary.skipped)} unreadable or missing images")
    if summary.left_out:
        out.line(sentence(summary.left_out))
    out.line(f"samples: {picture}")
    out.document(summary)


_SHOWN_CLASSES = 20
_SHOWN_PAIRS = 5


def _title(summary: DatasetSummary) -> str:
    if len(summary.classes) <= _SHOWN_CLASSES:
        return "Images a class"
    return f"Images a class: the {_SHOWN_CLASSES // 2} smallest and largest of {len(summary.classes)}; all with --json"


def _classes(summary: DatasetSummary) -> list[list[str]]:
    rows = [[row.label, str(row.train), str(row.val), str(row.test)] for row in summary.classes]
    if len(rows) <= _SHOWN_CLASSES:
        return rows
    rows.sort(key=lambda row: int(row[1]))
    return [*rows[: _SHOWN_CLASSES // 2], *rows[-_SHOWN_CLASSES // 2 :]]


def _balance(summary: DatasetSummary) -> list[str]:
    """What is unbalanced, in lines."""
    found = {
        "with less than half of the mean number of training images": summary.scarce,
        "with more than twice that mean": summary.abundant,
        "without an image in the val or test split": summary.untested,
    }
    lines = [
        f"unbalanced: {len(names)} class{'es' * (len(names) != 1)} {what}: {_some(names)}"
        for what, names in found.items()
        if names
    ]
    return lines or ["balanced: every class has between half and twice the mean number of training images"]


def _repeats(what: str, found: Duplicates) -> list[str]:
    """How many images repeat others and where, in lines."""
    if not found.images:
        return [f"{what}: none"]
    places = [
        *(f"{count:,} within {name}" for name, count in found.within.items() if count),
        *(f"{count:,} in both {' and '.join(pair.split(', '))}" for pair, count in found.across.items() if count),
    ]
    wrong = f"; {found.in_two_classes:,} of them in two classes" if found.in_two_classes else ""
    pairs = [f"  {pair.first} = {pair.second}" for pair in found.examples[:_SHOWN_PAIRS]]
    return [f"{what}: {', '.join(places)}{wrong}", *pairs]


def _some(names: tuple[str, ...]) -> str:
    rest = len(names) - _SHOWN_PAIRS
    return ", ".join(names[:_SHOWN_PAIRS]) + (f" and {rest} more" if rest > 0 else "")


def _counts(index: DatasetIndex) -> str:
    splits = ", ".join(f"{split.images:,} {name}" for name, split in index.splits.items())
    return f"{len(index.labels)} classes: {splits}"
