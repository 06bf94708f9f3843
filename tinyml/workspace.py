"""Where files lie: the results folder, one folder a model, and the cache of prepared data sets.

results/
  <model>/history.json, test_results.json, checkpoints/{best,last,epoch-NNN}.{safetensors,json}
  <model>/exports/<variant>/<model>-<variant>.<ending>, manifest.json, golden.png, golden.json
  bench/<run id>/run.json, report.md, results.csv, index.html
  model_comparison.csv
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyml.commands import command, first_training
from tinyml.errors import ArtifactError, BenchError, CheckpointError, ManifestError
from tinyml.schema import Artifact, Checkpoint
from tinyml.store import file_sha256, read_json

ARTIFACT_MANIFEST = "manifest.json"
GOLDEN, GOLDEN_IMAGE = "golden.json", "golden.png"
EXPORTS, FAILED = "exports", "failed"
BEST_CHECKPOINT = "best.json"
HISTORY, HISTORY_PLOT = "history.json", "history.png"
TEST_RESULTS, MODEL_COMPARISON = "test_results.json", "model_comparison.csv"
BENCH_RUN, REPORT_PAGE = "run.json", "index.html"
PROJECT_PAGE = "report.html"


def cache_dir() -> Path:
    """The cache of downloads and prepared data sets: `TINYML_CACHE`, else `~/.cache/tinyml`."""
    chosen = os.environ.get("TINYML_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "tinyml"


@dataclass(frozen=True)
class Workspace:
    """The results under one folder, by default `./results`."""

    root: Path = Path("results")

    def model(self, name: str) -> Path:
        """The folder of one model."""
        return self.root / name

    def checkpoints(self, model: str) -> Path:
        """The folder of a model's checkpoints."""
        return self.model(model) / "checkpoints"

    def export(self, model: str, variant: str) -> Path:
        """The folder of one exported artifact."""
        return self.model(model) / EXPORTS / variant

    def failed(self, model: str, variant: str) -> Path:
        """The folder of an artifact that missed its floor and was kept aside; nobody looks for exports there."""
        return self.model(model) / FAILED / variant

    @property
    def bench(self) -> Path:
        """The folder of all bench runs."""
        return self.root / "bench"

    def newest_checkpoint(self, model: str | None = None) -> Path:
        """The manifest of the best checkpoint of the model trained last (or of `model`); raises CheckpointError."""
        found = sorted(_whole(self.root.glob(f"{model or '*'}/checkpoints/{BEST_CHECKPOINT}")), key=_made)
        if not found:
            raise CheckpointError(
                f"no checkpoint{f' of {model}' if model else ''} under {self.root}/",
                hint=first_training(model, self.root),
            )
        return found[-1]

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


def _made(path: Path) -> tuple[float, str]:
    return path.stat().st_mtime, str(path)


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
    origin = os.path.relpath(checkpoint_origin(artifact, manifest))
    root = next((folder.parent.parent for folder in manifest.parents if folder.name == EXPORTS), None)
    words = ("export", "--checkpoint", origin, "--variant", artifact.variant.name)
    return f"export it again: {command(*words, results=root)}"


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
