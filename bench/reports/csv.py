"""`results.csv`: one line a case, raw units in the column names; an empty cell was not measured."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tinyml.confidence import top1_interval
from tinyml.schema import BenchRun
from tinyml.store import write_bytes

from ..report import reports
from ..row import PERCENTILES, rows

COLUMNS = (
    *("run", "model", "variant", "format", "artifact_sha256", "artifact_bytes", "backend", "requested_units", "batch"),
    *("streams", "threads", "rounds", "status", "reason", "flags", "quick"),
    *("top1", "top1_low", "top1_high", "top5", "accuracy_images"),
    *("compile_ns", "load_ns", "cached_load_ns", "first_prediction_ns", "samples", "mean_ns", "std_ns"),
    *(f"p{q}{end}_ns" for q in PERCENTILES for end in ("", "_low", "_high")),
    *("images_per_s", "waiting_share", "energy_uj"),
    *("peak_memory_bytes", "baseline_memory_bytes", "model_memory_bytes"),
    *("ops_on_cpu", "ops_on_gpu", "ops_on_neural_engine", "ops_unknown"),
)


def text(run: BenchRun) -> str:
    """The table as CSV."""
    output = io.StringIO()
    writer = csv.DictWriter(output, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows(run):
        result, case, latency = row.result, row.result.case, row.latency_ns
        values: dict[str, object] = {
            "run": run.id,
            "status": result.status,
            "reason": _inert(result.reason or ""),
            "flags": " ".join(result.flags),
            "quick": str(run.quick).lower(),
            "compile_ns": row.compile_ns,
            "load_ns": row.load_ns,
            "cached_load_ns": row.cached_load_ns,
            "first_prediction_ns": row.first_prediction_ns,
            "peak_memory_bytes": row.peak_memory_bytes,
            "baseline_memory_bytes": row.baseline_memory_bytes,
            "model_memory_bytes": row.model_memory_bytes,
            "images_per_s": row.images_per_s,
            "waiting_share": row.waiting,
            "energy_uj": row.energy_uj,
        }
        values |= {name: value for name, value in case.model_dump().items() if name in COLUMNS}
        if result.accuracy:
            sure = top1_interval(result.accuracy)
            values |= {
                "top1": result.accuracy.top1,
                "top1_low": sure.low,
                "top1_high": sure.high,
                "top5": result.accuracy.top5,
                "accuracy_images": result.accuracy.images,
            }
        if latency:
            values |= {"samples": latency.count, "mean_ns": latency.mean, "std_ns": latency.std}
        for q, estimate in row.percentiles.items():
            values[f"p{q}_ns"] = estimate.value
            if estimate.interval:
                values |= {f"p{q}_low_ns": estimate.interval.low, f"p{q}_high_ns": estimate.interval.high}
        if place := result.placement:
            values |= {"ops_on_cpu": place.cpu, "ops_on_gpu": place.gpu}
            values |= {"ops_on_neural_engine": place.neural_engine, "ops_unknown": place.unknown}
        writer.writerow({name: _inert(value) if isinstance(value, str) else value for name, value in values.items()})
    return output.getvalue()


def write(run: BenchRun, folder: Path) -> None:
    """Writes `results.csv`."""
    write_bytes(folder / "results.csv", text(run).encode())


def _inert(value: str) -> str:
    """A spreadsheet takes a cell that begins like this for a formula, and a run may come from anywhere."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


reports.add("csv", write)
