"""Everything below a results folder that can stand on a page, read once, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from tinyml.errors import ManifestError
from tinyml.schema import (
    Artifact,
    BenchRun,
    Checkpoint,
    Evaluations,
    Explanation,
    Golden,
    History,
    Plan,
    Record,
    WeightProof,
)
from tinyml.store import read_json
from tinyml.workspace import (
    ARTIFACT_MANIFEST,
    BENCH_RUN,
    BEST_CHECKPOINT,
    EXPLAINED,
    GOLDEN,
    HISTORY,
    PLAN,
    PROOF,
    TEST_RESULTS,
)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Kept(Generic[R]):
    """A record and the file that it was read from."""

    record: R
    path: Path
    root: Path | None = None
    """The results folder; None: the file is told by its whole path."""

    @property
    def shown(self) -> str:
        """The path for readers, who have the results folder elsewhere or not at all: "results/bench/x/run.json"."""
        return str(self.path if self.root is None else self.root.resolve().name / self.path.relative_to(self.root))


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a results folder holds, each kind sorted by path; runs from the oldest to the newest."""

    title: str
    checkpoints: tuple[Kept[Checkpoint], ...] = ()
    histories: tuple[Kept[History], ...] = ()
    artifacts: tuple[Kept[Artifact], ...] = ()
    goldens: tuple[Kept[Golden], ...] = ()
    evaluations: tuple[Kept[Evaluations], ...] = ()
    runs: tuple[Kept[BenchRun], ...] = ()
    explanations: tuple[Kept[Explanation], ...] = ()
    plans: tuple[Kept[Plan], ...] = ()
    proofs: tuple[Kept[WeightProof], ...] = ()
    unread: tuple[str, ...] = ()
    """One sentence a file that is there and could not be read."""
    web_runtime: Path | None = None
    """The folder with onnxruntime-web's files; None: the page runs no models."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all to show."""
        return not (self.checkpoints or self.histories or self.artifacts or self.evaluations or self.runs)


def read(root: Path, *, web_runtime: Path | None = None) -> Project:
    """The project whose results lie below `root`; a file that cannot be read is named, never a reason to stop.

    Args:
        root: The results folder.
        web_runtime: The folder with onnxruntime-web's files, where the page is to run models.
    """
    unread: list[str] = []

    def all_of(name: str, kind: type[R]) -> tuple[Kept[R], ...]:
        found = []
        for path in files(root, name):
            try:
                found.append(Kept(record=read_json(path, kind), path=path, root=root))
            except ManifestError as error:
                unread.append(str(error))
        return tuple(found)

    return Project(
        title=root.resolve().parent.name if root.name == "results" else root.resolve().name,
        checkpoints=all_of(BEST_CHECKPOINT, Checkpoint),
        histories=all_of(HISTORY, History),
        artifacts=all_of(ARTIFACT_MANIFEST, Artifact),
        goldens=all_of(GOLDEN, Golden),
        evaluations=all_of(TEST_RESULTS, Evaluations),
        runs=tuple(sorted(all_of(BENCH_RUN, BenchRun), key=lambda kept: kept.record.provenance.created_at)),
        explanations=all_of(f"{EXPLAINED}/*.json", Explanation),
        plans=all_of(PLAN, Plan),
        proofs=all_of(PROOF, WeightProof),
        unread=tuple(unread),
        web_runtime=web_runtime,
    )


def of_run(run: BenchRun, path: Path) -> Project:
    """A project of one bench run alone."""
    return Project(title=f"Bench run {run.id}", runs=(Kept(record=run, path=path),))


def files(root: Path, *names: str) -> Iterator[Path]:
    """The files of these names (patterns) below `root`, sorted; nothing in folders whose name begins with a dot."""
    for path in sorted(path for name in names for path in root.rglob(name)):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts):
            yield path


SOURCES = (
    *(BEST_CHECKPOINT, HISTORY, ARTIFACT_MANIFEST, GOLDEN, PLAN, PROOF, TEST_RESULTS, BENCH_RUN),
    f"{EXPLAINED}/*.json",
)
"""The names of all files that a page is made from."""
