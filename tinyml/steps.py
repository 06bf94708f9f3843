"""Commands done in order; what is done stays done, an interrupted one goes on, one that fails stops what needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tinyml.child import run
from tinyml.commands import command
from tinyml.schema import SCHEMA_VERSION, Record, Sha256
from tinyml.signals import WORDS, code_of
from tinyml.store import read_json, write_json

_INTERRUPTED = frozenset(map(code_of, WORDS))

Runner = Callable[[Sequence[str], Path], int]
"""Runs a command, without its `tinyml`, in a folder, and returns its exit code."""


def apart(program: Sequence[str] = (sys.executable, "-m", "tinyml")) -> Runner:
    """Runs each command in a process of its own; `program` stands before its words."""
    return lambda words, folder: run([*program, *words], cwd=folder)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command."""

    name: str
    words: tuple[str, ...]
    """The command without `tinyml`."""
    makes: tuple[str, ...]
    """What must lie in the folder for the step to be done; patterns."""
    after: tuple[str, ...] | None = None
    """The names of the steps that it builds on, and is done again with; None: the one before it."""
    runs: tuple[str, ...] = ()
    """The folders of the package whose sources decide what comes out, for a fingerprint that asks."""
    goes_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By a pattern of what an interrupted run of it leaves: the command that goes on from there."""

    def command(self, folder: Path) -> tuple[str, ...]:
        """What is to be run in `folder` as it lies there."""
        return next((words for left, words in self.goes_on.items() if any(folder.glob(left))), self.words)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the steps ended."""

    code: int
    """The exit code of the step that was interrupted, or of the first that failed; 0: all are done."""
    kept: tuple[str, ...]
    """The steps that were not done again."""
    failed: tuple[str, ...] = ()
    """Those that failed."""
    left: tuple[str, ...] = ()
    """Those that build on one that failed, and were not tried."""


class DoneStep(Record):
    """A step that came to its end, and what it was made from."""

    name: str
    fingerprint: Sha256


class DoneSteps(Record):
    """What need not be done again."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["steps"] = "steps"
    steps: tuple[DoneStep, ...] = ()


def do(
    steps: Sequence[Step],
    folder: Path,
    say: Callable[[str], None],
    *,
    record: str,
    fingerprint: Callable[[Step, str], str],
    runner: Runner,
    cwd: Path | None = None,
    now: Callable[[Step], bool] = lambda _: True,
) -> Outcome:
    """Runs the steps that are not done yet, for what lies in `folder`.

    Args:
        steps: What to do, in order.
        folder: Where results go; made where it lacks.
        say: Told each command before it runs, and what is left out.
        record: The file of `folder` that remembers what is done.
        fingerprint: What decides a step's outcome, as a SHA-256, from the step and the fingerprints that it builds on.
        runner: Runs each command.
        cwd: Where the commands run; `folder` if left out.
        now: Whether a step is to be done this time; the others stay as they are.

    Returns:
        What became of them; it stops at one that is interrupted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / record
    before = {step.name: step.fingerprint for step in _read(path).steps}
    kept: list[str] = []
    failed: dict[str, int] = {}
    left: list[str] = []
    marks: dict[str, str] = {}
    last: tuple[str, ...] = ()
    for step in steps:
        after = last if step.after is None else step.after
        last = (step.name,)
        mark = marks[step.name] = fingerprint(step, "".join(marks[name] for name in after))
        if not now(step):
            continue
        if any(name in failed or name in left for name in after):
            left.append(step.name)
            continue
        if before.get(step.name) == mark and all(any(folder.glob(made)) for made in step.makes):
            say(f"unchanged, not done again: {command(*step.words)}")
            kept.append(step.name)
        else:
            words = step.command(folder)
            say(f"$ {command(*words)}")
            code = runner(words, cwd or folder)
            if code in _INTERRUPTED:
                return Outcome(code=code, kept=tuple(kept), failed=tuple(failed), left=tuple(left))
            if code != 0:
                failed[step.name] = code
                continue
        before[step.name] = mark
        write_json(path, DoneSteps(steps=tuple(DoneStep(name=name, fingerprint=of) for name, of in before.items())))
    code = next(iter(failed.values()), 0)
    return Outcome(code=code, kept=tuple(kept), failed=tuple(failed), left=tuple(left))


def _read(record: Path) -> DoneSteps:
    return read_json(record, DoneSteps) if record.is_file() else DoneSteps()
