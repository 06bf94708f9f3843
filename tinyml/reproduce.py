"""All results from nothing: each network trained, measured, exported in every way and explained, then all in one page.

Every step is a command that anybody can type. What is done is remembered in the folder of results; a step that was
interrupted goes on where it can, so that days of work can be made in pieces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tinyml.commands import command
from tinyml.errors import UsageError
from tinyml.steps import Outcome, Runner, Step, apart, do
from tinyml.trainer.architecture import summaries
from tinyml.trainer.budget import seconds_of
from tinyml.workspace import ARTIFACT_MANIFEST, EXPORTS, PROJECT_PAGE, TEST_RESULTS, Workspace

DONE = "steps.json"
SIX = ("alexnet", "vgg", "resnet", "densenet", "efficientnet", "vit")
"""The landmark networks that the tables compare."""
CLASSES = 200
KINDS = ("data", "train", "eval", "export", "explain", "bench", "report")
"""Of steps, by the first word of their commands."""
ROBUSTNESS_REHEARSED = 10
"""Images that are corrupted in a rehearsal, each in 75 ways."""


def cheapest_first(models: Sequence[str]) -> list[str]:
    """`models` by their multiply-accumulates, so that the first results come early; raises UsageError for others."""
    costs = {row.name: row.macs for row in summaries(CLASSES)}
    for name in models:
        if name not in costs:
            raise UsageError("no such model", value=name, allowed=", ".join(costs))
    return sorted(models, key=costs.__getitem__)


def plan(
    models: Sequence[str],
    *,
    data: str,
    budget: str,
    workspace: Workspace,
    limit: int | None = None,
) -> list[Step]:
    """The steps from a data set to the page of all results, the cheapest network first.

    Args:
        models: Which networks.
        data: What they are trained on.
        budget: The wall time of each training, as "3h"; it names the training, so that another one starts anew.
        workspace: Where everything is kept.
        limit: Images of each epoch and of each measurement: a rehearsal, whose trainings are named for it.

    Raises:
        UsageError: No such model, or the budget is no time.
    """
    seconds_of(budget)
    run = f"budget-{budget.replace(' ', '')}" + ("" if limit is None else f"-limit-{limit}")

    def rehearsed(*words: str | int | None) -> tuple[str, ...]:
        return () if limit is None else tuple(map(str, words))

    limited = rehearsed("--limit", limit)
    results = ("--results", str(workspace.root))
    steps = [Step(name="data", words=("data", "prepare", "--data", data), makes=(), after=())]
    for model in cheapest_first(models):
        folder = workspace.run(model, run)
        best = str(folder.best)
        steps += [
            Step(
                name=f"train {model}",
                words=("train", model, "--data", data, "--budget", budget, "--run", run, *limited, *results),
                makes=(str(folder.best.relative_to(workspace.root)),),
                after=("data",),
                goes_on={
                    str(folder.state.relative_to(workspace.root)): (
                        *("train", model, "--data", data, "--run", run, "--resume"),
                        *results,
                    )
                },
            ),
            Step(
                name=f"eval {model}",
                words=("eval", best, *limited, *results),
                makes=(f"{model}/{TEST_RESULTS}",),
                after=(f"train {model}",),
            ),
            Step(
                name=f"export {model}",
                words=("export", "--checkpoint", best, "--all", *rehearsed("--images", limit), *results),
                makes=(f"{model}/{EXPORTS}/*/{ARTIFACT_MANIFEST}",),
                after=(f"train {model}",),
            ),
            Step(
                name=f"explain {model}",
                words=(
                    *("explain", best, "--robustness", *limited),
                    *rehearsed("--robustness-images", ROBUSTNESS_REHEARSED),
                    *results,
                ),
                makes=(f"{model}/explained",),
                after=(f"train {model}",),
            ),
        ]
    exports = tuple(step.name for step in steps if kind_of(step) == "export")
    steps += [
        Step(
            name="bench", words=("bench", *rehearsed("--quick"), *results), makes=("bench/*/run.json",), after=exports
        ),
        Step(
            name="report",
            words=("report", *results),
            makes=(PROJECT_PAGE,),
            after=("bench", *(step.name for step in steps if kind_of(step) in ("eval", "explain"))),
        ),
    ]
    return steps


def kind_of(step: Step) -> str:
    """Which of `KINDS` a step is."""
    return step.words[0]


def kinds_of(text: str | None) -> tuple[str, ...]:
    """Of `KINDS`, those that a text like "train" or "eval, export" names; None: all. Raises UsageError."""
    if text is None:
        return KINDS
    named = tuple(kind.strip() for kind in text.split(","))
    for kind in named:
        if kind not in KINDS:
            raise UsageError("no such kind of step", value=kind, allowed=", ".join(KINDS))
    return named


def reproduce(
    steps: Sequence[Step],
    workspace: Workspace,
    say: Callable[[str], None],
    *,
    runner: Runner | None = None,
    kinds: Sequence[str] = KINDS,
) -> Outcome:
    """Does what is not done yet; a step counts as done while its command and those before it are the same.

    Unlike the demonstration's, a changed source file makes nothing again: a training of hours is not lost to an edit.
    """
    return do(
        steps,
        workspace.root,
        say,
        record=DONE,
        fingerprint=_fingerprint,
        runner=runner or apart(),
        cwd=Path.cwd(),
        now=lambda step: kind_of(step) in kinds,
    )


def _fingerprint(step: Step, before: str) -> str:
    return hashlib.sha256(f"{before}{command(*step.words)}".encode()).hexdigest()
