"""Compressing a package that somebody else made: no checkpoint, no network, only the program and some inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tinyml.broken_images import BROKEN_IMAGE
from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.description import ArrayFeature, ImageFeature, describe
from tinyml.coreml.read.package import Package, open_package
from tinyml.errors import InputError, UsageError, reason_of
from tinyml.npz import read_npz
from tinyml.numerics import psnr_db
from tinyml.progress import Progress
from tinyml.quiet import coremltools, quiet
from tinyml.schema import Plan, PlanGoal, Rounding, Variant
from tinyml.scratch import scratch_in
from tinyml.store import atomic_folder, check_folder, file_sha256, size_bytes
from tinyml.trainer.data.image_formats import readable_endings
from tinyml.workspace import PLAN, PLAN_PICTURE

from .compression import COMPENSATION_IMAGES, Conversion, Samples, calibration_images, check, compress, spread
from .coreml_weights import held, weights_of
from .encoding.coreml import store
from .encoding.layers import encoded
from .ends import with_ends
from .proof import Proof, prove
from .search.judge import Subject
from .search.planning import plan, signed, variant_for, write_plan
from .variants import variants
from .weights import Weight

_SPECIFICATIONS = {6: "iOS15", 7: "iOS16", 8: "iOS17", 9: "iOS18"}
MOST_IMAGES = 1024


@dataclass(frozen=True, kw_only=True)
class Compressed:
    """What became of a package."""

    path: Path
    variant: str
    bytes_before: int
    bytes_after: int
    proof: Proof
    left: dict[str, str]
    """The weights that were left as they were, by the ops that read them, with the reasons."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How far a compressed package's outputs are from those of the package it was made of."""

    samples: int
    psnr_db: dict[str, float]
    """By output; infinite where nothing differs."""
    agreement: float | None
    """How often a classifier's first class is the same; None: it is no classifier."""
    top1: tuple[float, float] | None
    """Accuracy before and after; None where the folder does not name the classes."""


def target_of(package: Package) -> str:
    """The oldest system that the package runs on."""
    version = int(package.specification_version)
    return _SPECIFICATIONS.get(version, "iOS18" if version > 9 else "iOS15")


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A package, and what can be compressed of it."""

    package: Package
    weights: tuple[Weight, ...]
    precision: str
    left: dict[str, str]

    def at_home(self, variant: Variant) -> Variant:
        """`variant` for the precision and the target of the package."""
        changes = {"precision": self.precision, "minimum_target": _raised(target_of(self.package))}
        return Variant.model_validate(variant.model_dump() | changes)


def _opened(path: Path) -> _Opened:
    package = open_package(path)
    if len(package.program.functions) > 1:
        raise UsageError("a package of several functions is not compressed", value=", ".join(package.program.functions))
    weights, left = _compressible(package)
    if not weights:
        why = Counter(left.values()).most_common()
        raise UsageError(
            "the package has no weights to compress",
            value=path,
            hint="; ".join(f"{count} of its weights {'is' if count == 1 else 'are'} {reason}" for reason, count in why)
            or None,
        )
    precisions = [weight.dtype for weight in weights]
    precision = max(set(precisions), key=precisions.count)
    left |= {w.layer: f"{w.dtype} in a program of {precision}" for w in weights if w.dtype != precision}
    chosen = tuple(weight for weight in weights if weight.dtype == precision)
    return _Opened(package=package, weights=chosen, precision=precision, left=left)


def plan_package(
    path: Path,
    goal: PlanGoal,
    samples: Samples,
    judging: tuple[Samples, list[str]] | None,
    *,
    rounding: Rounding = "compensated",
    progress: Progress | None = None,
) -> Plan:
    """The best compression by layer of the ML Program at `path` for `goal`.

    Args:
        path: An .mlpackage.
        goal: What to meet.
        samples: Inputs that layers are rounded and measured on.
        judging: Inputs that whole plans are judged on, and their folders; None: the same ones.
        rounding: How weights are rounded.
        progress: Told of every step.

    Raises:
        PackageError: The package is not sound, or holds no ML Program.
        UsageError: It cannot be compressed, or no plan meets the goal.
    """
    opened = _opened(path)
    judged, folders = judging or (samples, [])
    classes = [str(label) for label in ReferenceModel(path).classes] if folders else []
    labeled = bool(folders) and set(folders) <= set(classes)
    subject = Subject(
        package=path,
        weights=opened.weights,
        calibration=spread(samples, COMPENSATION_IMAGES),
        judging=judged,
        labels=np.array([classes.index(folder) for folder in folders]) if labeled else None,
        variant=variant_for(goal, opened.at_home(variants.get("coreml-fp16"))),
    )
    return plan(
        subject,
        goal,
        rounding=rounding,
        model=path.stem,
        source_sha256=file_sha256(path),
        judged_on="the inputs to evaluate on" if judging else "the calibration inputs",
        left=opened.left,
        progress=progress,
    )


def compress_planned(path: Path, made: Plan, output: Path, samples: Samples) -> Compressed:
    """Writes the package that `made` plans to `output`, and the plan and its picture beside it.

    Raises:
        UsageError: The plan was made for another package.
        ArtifactError: The weights came out otherwise than before; nothing is written.
    """
    if (sha256 := file_sha256(path)) != made.source_sha256:
        raise UsageError(
            "the plan was made for another package",
            value=f"sha256 {made.source_sha256[:12]}…",
            allowed=f"{sha256[:12]}…",
        )
    found = compress_package(path, made.variant, output, spread(samples, made.calibration_images), made)
    write_plan(signed(made, output), *plan_beside(output))
    return found


def check_new(output: Path) -> None:
    """Raises UsageError, before any work, where no new package can be written."""
    if output.exists():
        raise UsageError("the output is there already", value=output, hint="name another with --output, or remove it")
    check_folder(output.parent)


def plan_beside(output: Path) -> tuple[Path, Path]:
    """Where the plan of a package lies, and its picture."""
    return output.with_name(f"{output.stem}.{PLAN}"), output.with_name(f"{output.stem}.{PLAN_PICTURE}")


def compress_package(
    path: Path, variant: Variant, output: Path, samples: Samples | None, made: Plan | None = None
) -> Compressed:
    """Writes the ML Program at `path` to the new package `output`, compressed as `variant` and proven.

    Args:
        path: An .mlpackage.
        variant: What to do; its target and precision are those of the package.
        output: Where to; must not exist.
        samples: Calibration inputs by name, [N, ...] each; may be None where nothing needs them.
        made: The plan that `variant` comes from; its checksum of the weights is held to.

    Raises:
        PackageError: The package is not sound, or holds no ML Program.
        UsageError: It cannot be compressed so, with the reason.
        ArtifactError: A weight is not what it should be; nothing is written.
    """
    check_new(output)
    opened = _opened(path)
    package, chosen = opened.package, opened.weights
    variant = with_ends(opened.at_home(variant), (chosen[0].layer, chosen[-1].layer))
    check(variant)
    if calibration_images(variant) and samples is None:
        raise UsageError(
            f"{variant.name} needs inputs to calibrate on",
            value="none",
            allowed="--calibrate FOLDER_OR_NPZ",
            hint="integers of 8 bits, and weights rounded with --rounding nearest, need none",
        )
    if samples is not None:
        samples = spread(samples, max(COMPENSATION_IMAGES, calibration_images(variant)))
    names = {weight.op_name for weight in chosen}
    source = held(package, chosen)

    def encode(model: Any, conversion: Conversion) -> Any:
        return store(model, encoded(model, variant, conversion.weights, conversion.calibration))

    ct = coremltools()
    with atomic_folder(output) as folder:
        with scratch_in(folder):
            with quiet():
                model = ct.models.MLModel(str(path), skip_model_load=True)
            model = compress(model, variant, samples or {}, lambda _: chosen, encode)
            with quiet():
                model.save(str(folder / "model.mlpackage"))
        saved = open_package(folder / "model.mlpackage")
        stored = tuple(weight for weight in weights_of(saved) if weight.op_name in names)
        proof = prove(variant, held(saved, stored), source, output.name)
        if made is not None:
            signed(made, folder / "model.mlpackage")
        inner = folder / "model.mlpackage"
        for part in inner.iterdir():
            part.rename(folder / part.name)
        inner.rmdir()
    return Compressed(
        path=output,
        variant=variant.name,
        bytes_before=size_bytes(path),
        bytes_after=size_bytes(output),
        proof=proof,
        left=opened.left,
    )


def _raised(target: str) -> str:
    """Compressed weights need iOS16, to which a program of iOS15 is raised without any other change."""
    return "iOS16" if target == "iOS15" else target


def _compressible(package: Package) -> tuple[list[Weight], dict[str, str]]:
    """The weights that can be compressed, and by layer why the others cannot."""
    (function,) = package.program.functions.values()
    outside = {output.name for operation in function.block.operations for output in operation.outputs}
    found, left = [], {}
    for weight in weights_of(package):
        if weight.encodings:
            left[weight.layer] = "compressed already"
        elif weight.stored_name not in outside:
            left[weight.layer] = "inside a loop or a branch, or written into the program itself"
        else:
            found.append(weight)
    return found, left


def samples_of(path: Path, source: Path, limit: int | None = None) -> tuple[Samples, list[str]]:
    """Inputs for the package at `path`, and for images the folder that each lies in.

    Args:
        path: The package.
        source: An .npz of arrays by the inputs' names, [N, ...] each, or a folder of images for a package whose only
            input is an image: they are resized to its size.
        limit: At most so many, dealt evenly over the folder; None: 1024.

    Raises:
        InputError: The source does not suit the package's inputs.
    """
    features = describe(open_package(path), None).inputs
    if source.suffix == ".npz":
        return _arrays(source, list(features)), []
    if not source.is_dir():
        raise InputError("no inputs to calibrate on", value=source, allowed="a folder of images, or an .npz file")
    (name, *more) = features
    feature = features[name]
    if more or not isinstance(feature, ImageFeature):
        kinds = ", ".join(f"{n} ({'array' if isinstance(features[n], ArrayFeature) else 'image'})" for n in features)
        raise InputError("a folder of images is for packages whose only input is an image", value=kinds)
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in readable_endings())
    if not files:
        raise InputError("no images to calibrate on", value=source, allowed=", ".join(sorted(readable_endings())))
    count = min(limit or MOST_IMAGES, len(files))
    files = [files[index] for index in np.linspace(0, len(files) - 1, count).round().astype(int)]
    mode = "L" if feature.color.startswith("GRAY") else "RGB"
    pixels = []
    for file in files:
        try:
            with Image.open(file) as image:
                pixels.append(np.asarray(image.convert(mode).resize((feature.width, feature.height))))
        except BROKEN_IMAGE as error:
            raise InputError("no image to calibrate on", value=f"{file}: {reason_of(error)}") from None
    return {name: np.stack(pixels)}, [file.parent.name for file in files]


def _arrays(source: Path, names: list[str]) -> Samples:
    found = read_npz(source)
    if set(found) != set(names):
        raise InputError(
            "the .npz has other arrays than the package has inputs", value=", ".join(found), allowed=", ".join(names)
        )
    return found


def likeness(before: Path, after: Path, samples: Samples, folders: list[str]) -> Likeness:
    """Runs both packages on `samples`; `folders` are the images' classes, where they are called like them."""
    models = [ReferenceModel(path) for path in (before, after)]
    first = models[0]
    classes = [str(label) for label in first.classes]
    names = [name for name in first.output_description if name not in (first.description.predicted_label,)]
    found = [model.predict_batch(samples, values=names) for model in models]
    psnr = {name: psnr_db(found[0][name], found[1][name]) for name in names}
    agreement, top1 = None, None
    if classes:
        scores: list[NDArray[np.float32]] = [
            each[first.description.predicted_probabilities or names[0]] for each in found
        ]
        answers = [score.reshape(len(score), -1).argmax(1) for score in scores]
        agreement = float((answers[0] == answers[1]).mean())
        if folders and set(folders) <= set(classes):
            labels = np.array([classes.index(folder) for folder in folders])
            top1 = (float((answers[0] == labels).mean()), float((answers[1] == labels).mean()))
    count = len(next(iter(samples.values())))
    return Likeness(samples=count, psnr_db=psnr, agreement=agreement, top1=top1)
