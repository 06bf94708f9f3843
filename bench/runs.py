"""Whole runs: made here, taken over from elsewhere, found again, reported anew."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinyml.counting import counted
from tinyml.errors import BenchError
from tinyml.progress import Progress, Silent
from tinyml.schema import BenchRun
from tinyml.store import now, provenance, read_json, write_json
from tinyml.workspace import BENCH_RUN, Workspace

from .backend import backends
from .devices import connected_device, told
from .environment import this_environment
from .jobs import JobList, Selection, Settings, foreign_jobs, list_jobs
from .report import folder_of, write, write_reports
from .runner import run

_ALWAYS = ("numpy", "pillow")


def measure(
    workspace: Workspace,
    selection: Selection,
    settings: Settings,
    *,
    files: Sequence[Path] = (),
    inputs: Path | None = None,
    progress: Progress | None = None,
) -> tuple[BenchRun, Path]:
    """Measures everything selected, and returns the run and its folder with the reports.

    The run is written after each round, so what is finished survives an interruption of any kind.

    Args:
        workspace: Where the models lie and the run is written.
        selection: Which of them.
        settings: How long.
        files: Strangers' models to measure instead.
        inputs: An .npz file with the arrays for the only one of `files`.
        progress: Told what happens.
    """
    progress = progress or Silent()
    if files:
        listed = foreign_jobs(files, settings, inputs=inputs, selection=selection)
    else:
        listed = list_jobs(workspace, selection, settings)
    for line in listed.stale:
        progress.say(f"passed over: {line}")
    # Whoever is told of measuring is not refused afterwards.
    device = None if settings.device is None else connected_device(settings.device)
    if settings.accuracy and not files:
        _prepare_data(listed, settings.data, progress)
    manifests = dict.fromkeys(str(item.manifest if item.foreign else item.manifest.parent) for item in listed.jobs)
    progress.say(f"measuring {counted(len(manifests), 'model')}: {', '.join(manifests)}")
    packages = {package for _, backend in backends.items() for package in backend.packages}
    run_id = f"{now().replace(':', '').replace('-', '')}-{secrets.token_hex(2)}"
    folder = workspace.bench / run_id
    environment = this_environment((*_ALWAYS, *packages))
    if device is not None:
        settings = replace(settings, device=device.udid)
        environment = environment.model_copy(update={"device": told(device)})
    finished = run(
        listed.jobs,
        settings,
        run_id=run_id,
        environment=environment,
        provenance=provenance(limit=settings.limit if settings.accuracy and not files else None),
        keep=lambda so_far: write_json(folder / BENCH_RUN, so_far),
        progress=progress,
    )
    write(finished, folder)
    return finished, folder


def import_run(file: Path, workspace: Workspace) -> tuple[BenchRun, Path]:
    """Takes over a run measured elsewhere.

    Raises:
        ManifestError: The file is no run, or makes no sense.
        BenchError: It holds no result, or another run has its id.
    """
    found = read_json(file, BenchRun)
    if not found.results:
        raise BenchError("the run holds no result", value=file)
    folder = folder_of(workspace.bench, found)
    if (folder / BENCH_RUN).exists() and read_json(folder / BENCH_RUN, BenchRun) != found:
        raise BenchError("another run of this id is already there", value=found.id, hint=f"move {folder} away first")
    write(found, folder)
    return found, folder


def rebuild(name: str | None, workspace: Workspace) -> tuple[BenchRun, Path | None]:
    """Writes the reports of a run again, by default of the newest; of a file that lies elsewhere it only reads.

    Returns:
        The run, and the folder of its reports; None where they are not written.
    """
    found, folder = open_run(name, workspace)
    if not found.results:
        raise BenchError("the run holds no result", value=found.id)
    if name is not None and Path(name).is_file() and Path(name).name != BENCH_RUN:
        return found, None
    write_reports(found, folder)
    return found, folder


def open_run(name: str | None, workspace: Workspace) -> tuple[BenchRun, Path]:
    """A run by its id, folder or file, by default the newest, and the folder it lies in; raises BenchError."""
    if name is None:
        path = workspace.newest_run()
    else:
        candidates = (workspace.bench / name / BENCH_RUN, Path(name) / BENCH_RUN, Path(name))
        existing = [candidate for candidate in candidates if candidate.is_file()]
        if not existing:
            ids = sorted(path.parent.name for path in workspace.bench.glob(f"*/{BENCH_RUN}"))
            raise BenchError("no such run", value=name, allowed=", ".join(ids) or "none measured yet")
        path = existing[0]
    return read_json(path, BenchRun), path.parent


def _prepare_data(listed: JobList, given: str | None, progress: Progress) -> None:
    """Prepares each data set once, here, so that no worker has to; raises DataError for one that is another by now."""
    from tinyml.trainer.data import check_classes, reopen

    checked = []
    for job in listed.jobs:
        if job.obstacle is None and (job.data, job.dataset, job.labels) not in checked:
            check_classes(reopen(job.data, job.dataset, given, progress=progress), job.labels)
            checked.append((job.data, job.dataset, job.labels))
