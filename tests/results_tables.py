"""The tables of `results/`: networks as trained, what was exported, robustness, and where the figures are from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from tinyml.bench.markdown_table import table
from tinyml.bench.page.figures import MEGABYTE
from tinyml.bench.page.project import Kept, Project, read
from tinyml.confidence import ABSENT, share_told, top1_told
from tinyml.schema import Artifact, Checkpoint, EpochRecord, EvaluatedModel, History, Provenance, Verification
from tinyml.trainer.architecture import summaries

GIB = 2**30
AS_GOOD = 1.0
"""A variant that loses fewer points of top-1 than this is as good as its checkpoint."""


def networks(results: Path) -> str | None:
    """Each training whose checkpoint was evaluated on the test images, beside the reference's."""
    project = read(results)
    evaluated = evaluated_alone(project)
    costs = {row.name: row for row in summaries(200)}
    published = _published(results)
    lines = []
    for history, checkpoint in _trainings(project):
        row = evaluated.get(checkpoint.record.sha256)
        if row is None:
            continue
        name = checkpoint.record.config.model
        theirs = published.get(name, {})
        together = _with_earlier(history, project)
        lines.append(
            [
                name,
                ", ".join(kept.path.parent.name for kept in together),
                top1_told(row.metrics),
                share_told(row.metrics.top5),
                f"{row.metrics.images:,}",
                f"{costs[name].parameters:,}",
                f"{costs[name].macs / 1e6:,.0f}",
                *_effort([kept.record for kept in together], checkpoint.record),
                f"{theirs['top1']:.2f}" if theirs else ABSENT,
                f"{theirs['hours']:.0f}" if theirs else ABSENT,
            ]
        )
    heads = (
        *("network", "training", "top-1 (95% interval)", "top-5", "test images", "parameters", "million MACs"),
        *("image passes", "gigapixels", "hours", "peak GiB", "trained on", "reference top-1", "reference hours"),
    )
    return "\n".join(table(heads, lines, text_columns=2)) if lines else None


def together(results: Path) -> str | None:
    """What more than one look gives: mirror images, several networks."""
    lines = [
        [
            ", ".join(dict.fromkeys(path.parents[3].name for path in _files(row))),
            row.variant,
            ", ".join(path.parents[1].name for path in _files(row)),
            top1_told(row.metrics),
            share_told(row.metrics.top5),
            f"{row.metrics.images:,}",
        ]
        for row in _evaluated(read(results))
        if not row.alone
    ]
    heads = ("network", "what", "trainings", "top-1 (95% interval)", "top-5", "test images")
    return "\n".join(table(heads, lines, text_columns=3)) if lines else None


def _with_earlier(history: Kept[History], project: Project) -> list[Kept[History]]:
    """The trainings that made a network, the first one first: one may have begun with the weights of another."""
    found = [history]
    while (init := found[0].record.config.init) is not None:
        begun = Path(init.path).parents[1].name
        earlier = [kept for kept in project.histories if kept.path.parent == found[0].path.parents[1] / begun]
        if not earlier or earlier[0] in found:
            break
        found.insert(0, earlier[0])
    return found


def _effort(histories: list[History], checkpoint: Checkpoint) -> list[str]:
    """Passes over the training images, pixels seen, hours, peak memory, device; of all trainings together."""
    of_split = checkpoint.dataset.splits["train"].images if checkpoint.dataset else None
    images = sum(_images(epoch, of_split) for history in histories for epoch in history.epochs)
    seconds = sum(epoch.seconds for history in histories for epoch in history.epochs)
    memory = [history.memory.process_bytes for history in histories if history.memory]
    return [
        f"{images / of_split:.1f}" if of_split else ABSENT,
        f"{sum(_pixels(history, of_split) for history in histories) / 1e9:.2f}",
        f"{seconds / 3600:.2f}",
        f"{max(memory) / GIB:.1f}" if memory else ABSENT,
        histories[-1].device,
    ]


def _images(epoch: EpochRecord, of_split: int | None) -> float:
    """Shown in an epoch; where it does not say, by its seconds, which hold the validation too: at most all."""
    if epoch.images_by_size is not None:
        return sum(epoch.images_by_size.values())
    return min(epoch.seconds * epoch.images_per_second, of_split or math.inf)


def _pixels(history: History, of_split: int | None) -> float:
    """Of all images seen. Where epochs do not say it, and sizes grow, by the clock that they grow by."""
    if all(epoch.images_by_size is not None for epoch in history.epochs):
        return sum(count * size**2 for epoch in history.epochs for size, count in (epoch.images_by_size or {}).items())
    sizes = [int(size) for size in (history.config.resolution or "64").split(":")]
    budget = history.config.budget
    shares = budget.phase_seconds if budget and len(budget.phase_seconds) == len(sizes) else None
    if shares is None:
        share = history.config.full_size_share
        shares = (1.0,) if len(sizes) == 1 else (*[(1 - share) / (len(sizes) - 1)] * (len(sizes) - 1), share)
    whole = sum(epoch.seconds for epoch in history.epochs)
    ends = [whole * sum(shares[: n + 1]) / sum(shares) for n in range(len(shares))]
    seen = begin = 0.0
    for epoch in history.epochs:
        end, phase = begin + epoch.seconds, 0.0
        for size, upto in zip(sizes, ends, strict=True):
            share = max(0.0, min(end, upto) - max(begin, phase)) / epoch.seconds
            seen += share * _images(epoch, of_split) * size**2
            phase = upto
        begin = end
    return seen


def exports(results: Path) -> str | None:
    """Every exported variant: size, and how far it is from its checkpoint."""
    return _of_artifacts(_verified(results))


def chosen_exports(results: Path) -> str | None:
    """Of each network in each format: the largest, which is nearest to the checkpoint, and the smallest as good."""
    groups = groupby(_verified(results), key=lambda found: (found[0].spec.architecture, found[0].variant.format))
    chosen = []
    for _, found in groups:
        largest, *smaller = found
        as_good = [each for each in smaller if _lost(each[1]) < AS_GOOD]
        chosen += [largest, *as_good[-1:]]
    return _of_artifacts(chosen)


def _verified(results: Path) -> list[tuple[Artifact, Verification]]:
    """By network and format, the largest first."""
    found = [(kept.record, kept.record.verification) for kept in read(results).artifacts]
    return sorted(((artifact, checked) for artifact, checked in found if checked), key=_by_size)


def _lost(checked: Verification) -> float:
    """Points of top-1 below the checkpoint."""
    return (checked.reference.top1 - checked.artifact.top1) * 100


def _of_artifacts(chosen: Iterable[tuple[Artifact, Verification]]) -> str | None:
    lines = []
    for artifact, checked in chosen:
        lines.append(
            [
                artifact.spec.architecture,
                artifact.variant.name,
                f"{artifact.bytes / MEGABYTE:.3f}",
                top1_told(checked.artifact),
                f"{_lost(checked):+.2f}".replace("-0.00", "+0.00"),
                share_told(checked.top1_agreement),
                ABSENT if checked.psnr_db is None else f"{checked.psnr_db:.1f}",
                f"{checked.images:,} {checked.split}",
            ]
        )
    heads = (
        *("network", "variant", "size MB", "top-1 (95% interval)", "points lost"),
        *("same first class", "PSNR dB", "images"),
    )
    return "\n".join(table(heads, lines, text_columns=2)) if lines else None


def _by_size(verified: tuple[Artifact, Verification]) -> tuple[str, str, int]:
    artifact, _ = verified
    return artifact.spec.architecture, artifact.variant.format, -artifact.bytes


def robustness(results: Path) -> str | None:
    """What remains of the accuracy on corrupted and on attacked images."""
    lines = []
    for kept in read(results).explanations:
        told = kept.record.robustness
        if told is not None:
            mean = sum(c.top1 for c in told.corrupted) / len(told.corrupted) if told.corrupted else None
            attacks = {a.attack: a.top1 for a in told.attacked}
            lines.append(
                [
                    kept.record.model,
                    kept.record.variant,
                    share_told(told.clean),
                    share_told(mean),
                    *(share_told(attacks.get(name)) for name in ("fgsm", "pgd")),
                    f"{kept.record.calibration.ece:.3f}",
                    f"{told.images:,}",
                ]
            )
    heads = ("network", "variant", "clean", "corrupted, mean of 15 x 5", "FGSM", "PGD", "ECE", "images")
    return "\n".join(table(heads, lines, text_columns=2)) if lines else None


def sources(results: Path) -> str | None:
    """Each file that holds figures, and the command that wrote it."""
    project = read(results)
    made: list[tuple[str, str, Provenance]] = [
        *((kept.shown, kept.record.device, kept.record.provenance) for kept in project.histories),
        *((kept.shown, row.runtime, row.provenance) for kept in project.evaluations for row in kept.record.results),
        *((kept.shown, _verified_by(kept.record), kept.record.provenance) for kept in project.artifacts),
        *((kept.shown, kept.record.runtime, kept.record.provenance) for kept in project.explanations),
        *((kept.shown, kept.record.environment.machine, kept.record.provenance) for kept in project.runs),
    ]
    ordered = sorted(made, key=lambda each: (each[0], each[2].created_at))
    paths: dict[tuple[str, ...], set[str]] = {}
    for path, runtime, by in ordered:
        line = (_of_one_network(path), by.command, by.tool_version, by.created_at[:10], runtime)
        paths.setdefault(line, set()).add(path)
    lines = [
        [*found, *line[1:]] if len(found) == 1 else [f"{line[0]}, {len(found)} files", *line[1:]]
        for line, found in paths.items()
    ]
    return "\n".join(table(("file", "command", "version", "date", "by"), lines, text_columns=5)) if lines else None


def _of_one_network(path: str) -> str:
    """`results/vit/exports/*/manifest.json` for any variant's; another file is itself."""
    return re.sub(r"(/exports/)[^/]+(/manifest\.json)$", r"\1*\2", path)


def _verified_by(artifact: Artifact) -> str:
    return artifact.verification.runtime if artifact.verification else ABSENT


def _evaluated(project: Project) -> Iterable[EvaluatedModel]:
    return (row for kept in project.evaluations for row in kept.record.results if row.metrics.split == "test")


def evaluated_alone(project: Project) -> dict[str, EvaluatedModel]:
    """By checksum, what single models reached on the test images."""
    return {row.sha256: row for row in _evaluated(project) if row.alone}


def _files(row: EvaluatedModel) -> list[Path]:
    """The checkpoints that answered together: MODEL/runs/RUN/checkpoints/FILE."""
    return [Path(path) for path in row.path.split(" + ")]


def _trainings(project: Project) -> list[tuple[Kept[History], Kept[Checkpoint]]]:
    """Each history with the best checkpoint of its folder."""
    best = {kept.path.parents[1]: kept for kept in project.checkpoints}
    return [(kept, best[kept.path.parent]) for kept in project.histories if kept.path.parent in best]


def _published(results: Path) -> dict[str, dict[str, Any]]:
    """What the reference reports, from `reference.json`; nothing where that is not there."""
    path = results / "reference.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))["networks"]) if path.is_file() else {}
