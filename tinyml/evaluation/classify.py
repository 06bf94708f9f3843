"""The classes of image files, in batches; what cannot be read gets its reason instead of an answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.accuracy import Predictor
from tinyml.errors import DataError, reason_of
from tinyml.numerics import best_classes
from tinyml.progress import Progress, Silent
from tinyml.schema import Fraction, LeftOut, ModelSpec, Record
from tinyml.trainer.data.images import decode, quiet_pillow, shown
from tinyml.trainer.data.listing import Listing, list_folder

_BATCH = 64
COLUMNS = ("image", "rank", "label", "probability", "error")


class Guess(Record):
    """One class and how probable it is."""

    label: str
    probability: Fraction


class Answer(Record):
    """What is said of one image file: its classes, best first, or what stands against it."""

    image: str
    classes: tuple[Guess, ...] = ()
    problem: str | None = None


def find_images(paths: Sequence[Path]) -> tuple[list[Path], tuple[LeftOut, ...]]:
    """The files named, and the image files in the folders named; what was left out of those.

    Raises DataError for a folder that holds no image or cannot be listed.
    """
    found: list[Path] = []
    passed_over = Listing(root=Path())
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        try:
            listing = list_folder(path)
        except OSError as error:
            raise DataError(f"cannot read the folder ({reason_of(error)})", value=shown(path)) from None
        if not listing.images:
            raise DataError("no images in the folder", value=shown(path))
        found += [path / image.path for image in listing.images]
        for reason, place in listing.passed_over:
            passed_over.leave_out(str(path / place), reason)
    return found, passed_over.left_out()


def classify(
    predictor: Predictor, paths: Sequence[Path], *, top_k: int, progress: Progress = Silent()
) -> Iterator[Answer]:
    """The `top_k` classes of each file, in their order."""
    progress.start("classifying", len(paths), "images")
    for start in range(0, len(paths), _BATCH):
        part = paths[start : start + _BATCH]
        read = _read(part, predictor.spec)
        pixels = [image for image in read if not isinstance(image, str)]
        scores = iter(predictor.probabilities(np.stack(pixels)) if pixels else ())
        for path, image in zip(part, read, strict=True):
            if isinstance(image, str):
                yield Answer(image=shown(path), problem=image)
            else:
                yield _answer(shown(path), next(scores), predictor.spec.labels, top_k)
        progress.advance(len(part))
    progress.finish()


def as_csv(answers: Sequence[Answer]) -> str:
    """One row an image and rank, with a header; one row with the error for a file that has no answer."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for answer in answers:
        for rank, guess in enumerate(answer.classes, 1):
            writer.writerow((answer.image, rank, guess.label, f"{guess.probability:.6f}", ""))
        if answer.problem is not None:
            writer.writerow((answer.image, "", "", "", answer.problem))
    return text.getvalue()


def _read(paths: Sequence[Path], spec: ModelSpec) -> list[npt.NDArray[np.uint8] | str]:
    """The pixels of each file, or in a sentence why there are none."""
    images: list[npt.NDArray[np.uint8] | str] = []
    with quiet_pillow():
        for path in paths:
            try:
                images.append(decode(path, spec.preprocess, shown(path)))
            except DataError as error:
                images.append(str(error))
    return images


def _answer(image: str, scores: npt.NDArray[np.float32], labels: Sequence[str], top_k: int) -> Answer:
    if not np.isfinite(scores).all():
        return Answer(image=image, problem="the model's probabilities are no numbers: it overflows, or has diverged")
    return Answer(image=image, classes=_best(scores, labels, top_k))


def _best(scores: npt.NDArray[np.float32], labels: Sequence[str], top_k: int) -> tuple[Guess, ...]:
    # Half precision may round a probability to a little more than 1.
    return tuple(Guess(label=labels[n], probability=min(1.0, float(scores[n]))) for n in best_classes(scores, top_k))
