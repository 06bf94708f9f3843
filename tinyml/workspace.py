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

from tinyml.commands import command
from tinyml.errors import ArtifactError, BenchError, CheckpointError
from tinyml.schema import Artifact, Checkpoint
from tinyml.store import read_json


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
        return self.model(model) / "exports" / variant

    @property
    def bench(self) -> Path:
        """The folder of all bench runs."""
        return self.root / "bench"

    def newest_checkpoint(self, model: str | None = None) -> Path:
        """The manifest of the best checkpoint of the model trained last (or of `model`); raises CheckpointError."""
        found = sorted(_whole(self.root.glob(f"{model or '*'}/checkpoints/best.json")), key=_made)
        if not found:
            raise CheckpointError(
                f"no checkpoint{f' of {model}' if model else ''} under {self.root}/",
                hint=f"train one first: {command('train', *(words_for(model)), results=self.root)}",
            )
        return found[-1]

    def artifacts(self, model: str | None = None) -> list[Path]:
        """The manifests of all artifacts (of `model`), sorted by path; raises ArtifactError if there are none."""
        found = sorted(_whole(self.root.glob(f"{model or '*'}/exports/*/manifest.json")))
        if not found:
            raise ArtifactError(
                f"nothing exported{f' of {model}' if model else ''} under {self.root}/",
                hint=f"export a checkpoint first: {command('export', results=self.root)}",
            )
        return found

    def newest_run(self) -> Path:
        """The newest bench run; raises BenchError if there is none."""
        found = sorted(_whole(self.bench.glob("*/run.json")), key=_made)
        if not found:
            raise BenchError(f"no bench run under {self.root}/", hint=f"measure first: {command('bench', results=self.root)}")
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
