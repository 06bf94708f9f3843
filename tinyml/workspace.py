"""Where files lie: the results folder, one folder a model, and the cache of prepared data sets.

results/
  <model>/runs/<run>/history.json, history.png, checkpoints/{best,last,epoch-NNN}.{safetensors,json}, tensorboard/
  <model>/lr-range/<recipe>-N.json, .png
  <model>/test_results.json
  <model>/explained/<variant>.json and pictures
  <model>/exports/<variant>/<model>-<variant>.<ending>, manifest.json, golden.png, golden.json,
    proof.json, of a plan by layer also plan.json, plan.png
  <model>/exports/accuracy-size.png
  <model>/earlier/<variant>-of-<run>/: what an export of another training took the place of
  bench/<run id>/run.json, report.md, results.csv, index.html
  model_comparison.csv
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.commands import command, first_training
from tinyml.errors import ArtifactError, BenchError, CheckpointError, ManifestError, UsageError
from tinyml.schema import Artifact, Checkpoint
from tinyml.store import check_folder, file_sha256, read_json

ARTIFACT_MANIFEST = "manifest.json"
GOLDEN, GOLDEN_IMAGE = "golden.json", "golden.png"
PLAN, PLAN_PICTURE = "plan.json", "plan.png"
PROOF = "proof.json"
TUNED = "-tuned"
"""What the name of a fine-tuned variant ends with."""
EXPORTS, EARLIER, FAILED = "exports", "earlier", "failed"
EXPORTS_PICTURE = "accuracy-size.png"
BEST_CHECKPOINT = "best.json"
RESUME_STATE = "resume.safetensors"
HISTORY, HISTORY_PLOT = "history.json", "history.png"
EVENTS = "tensorboard"
EXPLAINED = "explained"
LR_RANGES = "lr-range"
TEST_RESULTS, MODEL_COMPARISON = "test_results.json", "model_comparison.csv"
BENCH_RUN, REPORT_PAGE = "run.json", "index.html"
PROJECT_PAGE = "report.html"


def cache_dir() -> Path:
    """The cache of downloads and prepared data sets: `TINYML_CACHE`, else `~/.cache/tinyml`."""
    chosen = os.environ.get("TINYML_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "tinyml"


@dataclass(frozen=True)
class RunFolder:
    """The files of one training."""

    path: Path

    @property
    def name(self) -> str:
        """What the training is called: "best-1"."""
        return self.path.name

    @property
    def checkpoints(self) -> Path:
        """The folder of its checkpoints."""
        return self.path / "checkpoints"

    @property
    def state(self) -> Path:
        """What an unfinished training is resumed from."""
        return self.checkpoints / RESUME_STATE

    @property
    def history(self) -> Path:
        """How it went."""
        return self.path / HISTORY

    @property
    def events(self) -> Path:
        """The folder of TensorBoard's files."""
        return self.path / EVENTS

    @property
    def history_plot(self) -> Path:
        """The same as a picture."""
        return self.path / HISTORY_PLOT

    @property
    def best(self) -> Path:
        """The manifest of its best checkpoint."""
        return self.checkpoints / BEST_CHECKPOINT

    @classmethod
    def of_state(cls, state: Path) -> RunFolder | None:
        """The run that a state file belongs to; None: it lies elsewhere."""
        inside = state.parent.name == "checkpoints" and state.parent.parent.parent.name == "runs"
        return cls(state.parent.parent) if inside else None


@dataclass(frozen=True)
class Workspace:
    """The results under one folder, by default `./results`."""

    root: Path = Path("results")

    def __post_init__(self) -> None:
        check_folder(self.root)

    def model(self, name: str) -> Path:
        """The folder of one model."""
        return self.root / name

    def run(self, model: str, name: str) -> RunFolder:
        """The folder of the training called `name`; raises UsageError for what is no file name."""
        if not re.fullmatch(r"[A-Za-z0-9][\w.+-]{0,99}", name):
            raise UsageError(
                "--run is no name for a folder", value=name, allowed="letters, digits, '-', '_', '.' and '+'"
            )
        return RunFolder(self.model(model) / "runs" / name)

    def runs(self, model: str | None = None) -> list[RunFolder]:
        """The folders of all trainings (of `model`), by model and name."""
        return [RunFolder(path) for path in sorted(self.root.glob(f"{model or '*'}/runs/*")) if path.is_dir()]

    def new_run(self, model: str, stem: str) -> RunFolder:
        """The folder of a new training, made empty: `stem` with the first number that is free."""
        for number in itertools.count(1):
            run = self.run(model, f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                run.path.mkdir(parents=True)
                return run
        raise AssertionError  # `count` has no end

    def new_lr_range(self, model: str, recipe: str) -> Path:
        """The file of a new learning-rate range test: named by the recipe, with the first number that is free."""
        folder = self.model(model) / LR_RANGES
        return next(path for n in itertools.count(1) if not (path := folder / f"{recipe}-{n}.json").exists())

    def newest_state(self, model: str) -> Path:
        """The state of the training of `model` that was saved last; raises CheckpointError."""
        found = sorted(self.root.glob(f"{model}/runs/*/checkpoints/{RESUME_STATE}"), key=_made)
        if not found:
            raise CheckpointError(
                f"nothing to resume: no training of {model} under {self.root}/",
                hint="start the training without --resume",
            )
        return found[-1]

    def export(self, model: str, variant: str) -> Path:
        """The folder of one exported artifact."""
        return self.model(model) / EXPORTS / variant

    def exports_picture(self, model: str) -> Path:
        """The picture of all exports of a model."""
        return self.model(model) / EXPORTS / EXPORTS_PICTURE

    def explained(self, model: str) -> Path:
        """The folder of what was found out about a model's mistakes."""
        return self.model(model) / EXPLAINED

    def failed(self, model: str, variant: str) -> Path:
        """The folder of an artifact that missed its floor and was kept aside; nobody looks for exports there."""
        return self.model(model) / FAILED / variant

    def earlier(self, model: str, variant: str, made_of: Path) -> Path:
        """A folder that is free, as deep as an export's, for the export of the checkpoint `made_of` to be kept in.

        Named for the checkpoint's run, or for the folder it lies in.
        """
        run = made_of.parent.parent if made_of.parent.name == "checkpoints" else made_of.parent
        stem = f"{variant}-of-{run.name or 'another'}"
        names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
        return next(path for name in names if not (path := self.model(model) / EARLIER / name).exists())

    @property
    def bench(self) -> Path:
        """The folder of all bench runs."""
        return self.root / "bench"

    def newest_checkpoint(self, model: str | None = None) -> Path:
        """The manifest of the best checkpoint of the model trained last (or of `model`); raises CheckpointError.

        One whose weights are not kept beside it is taken only where there is no other.
        """
        places = ("runs/*/checkpoints", "checkpoints")  # the second before runs had names
        found = sorted(
            _whole(path for at in places for path in self.root.glob(f"{model or '*'}/{at}/{BEST_CHECKPOINT}")),
            key=_made,
        )
        if not found:
            raise CheckpointError(
                f"no checkpoint{f' of {model}' if model else ''} under {self.root}/",
                hint=first_training(model, self.root),
            )
        kept = [path for path in found if any(path.parent.glob(f"{path.stem}*.safetensors"))]
        return (kept or found)[-1]

    def artifacts(self, model: str | None = None) -> list[Path]:
        """The manifests of all artifacts (of `model`), sorted by path; raises ArtifactError if there are none."""
        found = sorted(_whole(self.root.glob(f"{model or '*'}/{EXPORTS}/*/{ARTIFACT_MANIFEST}")))
        if not found:
            raise ArtifactError(
                f"nothing exported{f' of {model}' if model else ''} under {self.root}/",
                hint=f"export a checkpoint first: {command('export', results=self.root)}",
            )
        return found

    def newest_run(self) -> Path:
        """The newest bench run; raises BenchError if there is none."""
        found = sorted(_whole(self.bench.glob(f"*/{BENCH_RUN}")), key=_made)
        if not found:
            raise BenchError(
                f"no bench run under {self.root}/", hint=f"measure first: {command('bench', results=self.root)}"
            )
        return found[-1]


def _whole(paths: Iterable[Path]) -> Iterator[Path]:
    """Those whose folder is no temporary of an unfinished or killed process, which `store` names with a dot."""
    return (path for path in paths if not path.parent.name.startswith("."))


def _made(path: Path) -> tuple[str, float, str]:
    """When the record in `path` was made, by its own word: a copy or a checkout changes the file's time."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads(path.read_bytes())["provenance"]["created_at"]), path.stat().st_mtime, str(path)
    return "", path.stat().st_mtime, str(path)


def read_checkpoint(manifest: Path) -> tuple[Checkpoint, Path]:
    """A checkpoint's manifest and the path of its weights."""
    checkpoint = read_json(manifest, Checkpoint)
    return checkpoint, manifest.parent / checkpoint.path


def read_artifact(manifest: Path) -> tuple[Artifact, Path]:
    """An artifact's manifest and the path of its model file or folder."""
    artifact = read_json(manifest, Artifact)
    return artifact, manifest.parent / artifact.path


def artifact_manifest(path: Path) -> Path:
    """The manifest of the artifact that a user points at: the manifest, its folder, or the model beside it.

    Raises:
        ArtifactError: There is nothing there, or nothing with a manifest.
    """
    if not path.exists():
        raise ArtifactError("no such artifact", value=path)
    if (found := find_manifest(path)) is None:
        raise ArtifactError(
            "no manifest of an exported artifact there", value=path, allowed="a folder that tinyml export made"
        )
    return found


def find_manifest(path: Path) -> Path | None:
    """As `artifact_manifest`; None where what lies at `path` has no manifest."""
    if path.suffix == ".json":
        return path
    if (inside := path / ARTIFACT_MANIFEST).is_file():
        return inside
    beside = path.absolute().parent / ARTIFACT_MANIFEST
    try:
        return beside if read_artifact(beside)[0].path == path.name else None
    except ManifestError:  # none there, or another program's
        return None


def export_again(artifact: Artifact, manifest: Path) -> str:
    """A hint for whoever has an artifact that is no longer what it was: the command that makes just that one anew."""
    if artifact.variant.name.endswith(TUNED):  # how long, and of which checkpoint, its manifest does not say
        return "fine-tune it again: the same export with --finetune"
    return f"export it again: {_export([(artifact, manifest)])}"


def export_all_again(artifacts: Sequence[tuple[Artifact, Path]]) -> str:
    """As `export_again`, for several of one checkpoint; and where its weights are gone, so much."""
    origin = checkpoint_origin(*artifacts[0])
    if not origin.is_file() or not read_checkpoint(origin)[1].is_file():
        return f"nor are the weights of {os.path.relpath(origin)} here: train it, or bring them"
    if all(artifact.variant.name.endswith(TUNED) for artifact, _ in artifacts):
        return "fine-tune them again: the same exports with --finetune"
    planned = [(artifact, manifest) for artifact, manifest in artifacts if (manifest.parent / PLAN).is_file()]
    plain = [each for each in artifacts if each not in planned]
    commands = [_export(each) for each in (plain, *([each] for each in planned)) if each]
    return f"export them again: {' && '.join(commands)}"


def _export(artifacts: Sequence[tuple[Artifact, Path]]) -> str:
    """The command that makes these, of one checkpoint: one by its plan, or any number without."""
    origin, first = checkpoint_origin(*artifacts[0]), artifacts[0][1]
    root = next((folder.parent.parent for folder in first.parents if folder.name == EXPORTS), None)
    planned = first.parent / PLAN
    how = (
        ["--plan", os.path.relpath(planned)]
        if planned.is_file()
        else [word for artifact, _ in artifacts for word in ("--variant", artifact.variant.name)]
    )
    return command("export", "--checkpoint", os.path.relpath(origin), *how, results=root)


def checked_artifact(manifest: Path) -> tuple[Artifact, Path]:
    """The manifest and the artifact's path, its contents compared with the manifest's hash; raises ArtifactError."""
    artifact, path = read_artifact(manifest)
    if path.parent != manifest.parent or artifact.path in ("", ".", ".."):
        raise ArtifactError(f"{manifest} points outside its own folder", value=artifact.path)
    if not path.exists():
        raise ArtifactError("the exported model is missing", value=path, hint=export_again(artifact, manifest))
    if (actual := file_sha256(path)) != artifact.sha256:
        raise ArtifactError(
            f"{path} has changed since it was exported",
            value=f"sha256 {actual[:12]}…",
            allowed=f"{artifact.sha256[:12]}…",
            hint=export_again(artifact, manifest),
        )
    return artifact, path


def checkpoint_origin(artifact: Artifact, manifest: Path) -> Path:
    """Where the manifest of the checkpoint lies that the artifact of `manifest` was made of."""
    return Path(os.path.normpath(manifest.parent / artifact.checkpoint_path))
