"""`tinyml explain`: where checkpoints and artifacts err."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..given import given_or_newest
from ..options import RESULTS, CheckpointDevice, Json, Models, Results, Split, TrainedOn
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import Explanation, Robustness

ROBUSTNESS_IMAGES = 200
WORST = 10


@app.command()
def explain(
    paths: Models = None,
    split: Split = "test",
    limit: Annotated[int | None, typer.Option("--limit", help="Images; all if left out.", min=2)] = None,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also on images corrupted in 15 ways at 5 severities, and attacked.")
    ] = False,
    robustness_images: Annotated[
        int | None,
        typer.Option("--robustness-images", help=f"How many images those are made from ({ROBUSTNESS_IMAGES}).", min=1),
    ] = None,
    attack_with: Annotated[
        Path | None,
        typer.Option("--attack-with", help="The checkpoint whose gradients attack; else the first one given."),
    ] = None,
    device: CheckpointDevice = "auto",
    data: TrainedOn = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Say where models err: by class, by confidence, on corrupted images; kept in RESULTS/MODEL/explained/."""
    from tinyml.accuracy import split_named
    from tinyml.errors import UsageError
    from tinyml.evaluation.explain import explain as run
    from tinyml.evaluation.keep import keep
    from tinyml.evaluation.opening import open_model
    from tinyml.trainer.device import choose
    from tinyml.workspace import Workspace

    for option, given in (("--robustness-images", robustness_images), ("--attack-with", attack_with)):
        if given is not None and not robustness:
            raise UsageError(f"{option} without --robustness", value=given, hint="add --robustness, or leave it out")
    chosen_split, chosen = split_named(split), choose(device)
    out, workspace = Output(json=json), Workspace(results)
    paths = given_or_newest(paths, workspace, out)
    found = run(
        [open_model(path, chosen) for path in paths],
        split=chosen_split,
        limit=limit,
        robustness=(robustness_images or ROBUSTNESS_IMAGES) if robustness else None,
        network=open_model(attack_with, chosen) if attack_with is not None else None,
        data=data,
        progress=out.progress,
    )
    explanations = [each.explanation for each in found]
    out.table(f"Where models err, on the {split} split", _COLUMNS, [_row(e) for e in explanations])
    for explanation in explanations:
        _show_mistakes(out, explanation)
    if robustness and not any(e.robustness and e.robustness.attacked for e in explanations):
        out.line("not attacked: no checkpoint among the models; name one with --attack-with")
    out.document(explanations)
    for each in found:  # after it is shown: a full disk takes the files, not the answer
        for file in keep(each, workspace):
            out.line(f"kept: {file}")


_COLUMNS = (
    "model", "variant", "top-1 (95% interval)", "top-5", "images", "ECE", "temperature", "ECE with it", "corrupted",
    "FGSM", "PGD",
)  # fmt: skip


def _row(explanation: Explanation) -> list[str]:
    from tinyml.confidence import accuracy_told, share_told, top1_told

    m, c, r = explanation.metrics, explanation.calibration, explanation.robustness
    attacked = {a.attack: accuracy_told(a.top1, r.images) for a in r.attacked} if r else {}
    return [
        explanation.model,
        explanation.variant,
        top1_told(m),
        share_told(m.top5),
        f"{m.images} of {m.total}",
        f"{c.ece:.3f}",
        f"{c.temperature:.2f}",
        f"{c.ece_after:.3f} (from {c.ece_before:.3f})",
        f"{_mean(r):.2%} (clean {accuracy_told(r.clean, r.images)}, {r.images} images)" if r else "not run",
        attacked.get("fgsm", "not run"),
        attacked.get("pgd", "not run"),
    ]


def _mean(robustness: Robustness) -> float:
    return sum(each.top1 for each in robustness.corrupted) / len(robustness.corrupted)


def _show_mistakes(out: Output, explanation: Explanation) -> None:
    name = f"{explanation.model} {explanation.variant}"
    worst = sorted((c for c in explanation.classes if c.images), key=lambda c: (c.right / c.images, c.label))[:WORST]
    out.table(
        f"{name}: the classes told worst",
        ("class", "right", "images"),
        [[c.label, f"{c.right / c.images:.0%}", str(c.images)] for c in worst],
    )
    if not explanation.confused:
        out.line(f"{name}: took no image for another class")
        return
    out.table(
        f"{name}: taken for another most often",
        ("class", "taken for", "images"),
        [
            [explanation.labels[p.truth], explanation.labels[p.answer], str(p.images)]
            for p in explanation.confused[:WORST]
        ],
    )
