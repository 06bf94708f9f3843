"""Whether the bench's figures hold on this machine, as it is just now.

python tests/speed/bench_fidelity.py [--trials 10] [--runs 6] [--beside "a training on the other core"]

Three questions, all about graphs of equal convolutions, so that the truth is known:
- Fidelity: the bench's p50 against a bare loop around onnxruntime: blocks of both in turn in one process, so that what
  the machine does meanwhile hits both alike, and each in fresh processes of its own.
- A/A: two runs of one and the same file, which must show no difference.
- A planted slowdown: eleven convolutions against ten, 10% more work, which must be found.
Base, copy and slower one are measured in turn, `--runs` runs of three rounds each; the verdicts stand for one run a
side, for two pooled, and so on. Writes results/bench_fidelity.{json,md} after each trial, and goes on from there where
it was stopped: with more `--trials` of as many runs on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinyml.bench.backend import Subject, backends
from tinyml.bench.comparison import Runs, compare_runs
from tinyml.bench.environment import this_environment
from tinyml.bench.estimates import Ratio, welch_ratio
from tinyml.bench.jobs import Job, Selection, Settings, foreign_jobs
from tinyml.bench.measures import MEASURES
from tinyml.bench.runner import run
from tinyml.bench.stats import order_interval
from tinyml.bench.steady import measure_steady
from tinyml.bench.validity import waiting_share
from tinyml.schema import BenchResult, BenchRun
from tinyml.store import provenance, write_bytes

RESULTS = Path(__file__).parents[2] / "results"
CHANNELS, SIZE, LAYERS = 32, 32, 10
BLOCK = 20
WAYS = ("latency", "processor time")
BARE = """
import statistics, sys, time, numpy as np, onnxruntime as ort
o = ort.SessionOptions(); o.intra_op_num_threads = 1
s = ort.InferenceSession(sys.argv[1], o, providers=["CPUExecutionProvider"])
x = {"x": np.random.default_rng(0).standard_normal([int(n) for n in sys.argv[3].split()]).astype(np.float32)}
for _ in range(20): s.run(None, x)
t = []
for _ in range(int(sys.argv[2])):
    b = time.perf_counter_ns(); s.run(None, x); t.append(time.perf_counter_ns() - b)
print(statistics.median(t))
"""
SETTINGS = Settings(
    rounds=3, min_repeats=180, min_seconds=0.0, max_seconds=60.0, warmup=20, accuracy=False, threads=(1,), timeout_s=300
)


def graph(path: Path, layers: int) -> Path:
    """A file of `layers` equal convolutions, one after the other."""
    generator = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(
            (generator.standard_normal((CHANNELS, CHANNELS, 3, 3)) / 17).astype(np.float32), f"w{i}"
        )
        for i in range(layers)
    ]
    nodes = [
        helper.make_node("Conv", ["x" if i == 0 else f"t{i}", f"w{i}"], [f"t{i + 1}"], pads=[1, 1, 1, 1])
        for i in range(layers)
    ]
    shape = [1, CHANNELS, SIZE, SIZE]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", f"t{layers}")]
    made = helper.make_model(
        helper.make_graph(nodes, "probe", ends[:1], ends[1:], weights), opset_imports=[helper.make_opsetid("", 17)]
    )
    made.ir_version = 8
    made.doc_string = path.parent.name  # a run has each file once, and a copy would be the same
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(made, path)
    return path


def jobs_of(files: list[Path]) -> list[Job]:
    """Each file on onnxruntime's CPU provider."""
    listed = foreign_jobs(files, SETTINGS, inputs=None, selection=Selection(backends=("onnxruntime",)))
    return [job for job in listed.jobs if job.case.requested_units == "cpu"]


def measured_in_turn(jobs: list[Job], name: str) -> list[BenchRun]:
    """One run a job, their rounds in turn."""
    found = run(jobs, SETTINGS, run_id=name, environment=this_environment(("onnxruntime",)), provenance=provenance())
    if any(result.status != "ok" for result in found.results):
        raise SystemExit(f"not measured: {[result.reason for result in found.results]}")
    return [
        found.model_copy(update={"id": f"{name}-{i}", "results": (result,)}) for i, result in enumerate(found.results)
    ]


def p50(result: BenchResult) -> list[float]:
    """Of each round."""
    return list(MEASURES["p50"].rounds(result))


def fidelity(file: Path, rounds: int) -> tuple[list[float], list[float]]:
    """The medians of the bare loop and of the bench, in turn."""
    (job,) = jobs_of([file])
    bare, ours = [], []
    for number in range(rounds):
        for which in ("bare", "ours") if number % 2 else ("ours", "bare"):
            if which == "bare":
                command = [sys.executable, "-c", BARE, str(file), "60", f"1 {CHANNELS} {SIZE} {SIZE}"]
                # In a session of its own, as the bench's workers are: Linux shares out processor time by sessions.
                done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
                bare.append(float(done.stdout))
            else:
                one = Settings(**{**SETTINGS.__dict__, "rounds": 1, "min_repeats": 60})
                single = job.case.model_copy(update={"rounds": 1, "min_repeats": 60})
                found = run(
                    [Job(**{**job.__dict__, "case": single})],
                    one,
                    run_id="fidelity",
                    environment=this_environment(()),
                    provenance=provenance(),
                )
                ours += p50(found.results[0])
    return bare, ours


def in_one_process(file: Path, blocks: int) -> tuple[list[float], list[float]]:
    """The medians of blocks of the bare loop and of the bench's, in turn."""
    import onnxruntime

    (job,) = jobs_of([file])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    subject = Subject(manifest=file, path=file, spec=None)
    model = backends.get("onnxruntime").load(subject, file, "cpu", 1)
    example = model.example(np.random.default_rng(0), 1)
    update = {"rounds": 1, "min_repeats": BLOCK, "min_seconds": 0.0, "max_seconds": None, "warmup": 5}
    case = job.case.model_copy(update=update)
    bare, ours = [], []
    for number in range(blocks):
        for which in ("bare", "ours") if number % 2 else ("ours", "bare"):
            if which == "ours":
                ours.append(statistics.median(measure_steady([model], [example], case).samples))
                continue
            times = []
            for _ in range(BLOCK + 5):
                begin = time.perf_counter_ns()
                session.run(None, example)
                times.append(time.perf_counter_ns() - begin)
            bare.append(statistics.median(times[5:]))
    return bare, ours


def paired_ratio(a: list[float], b: list[float]) -> dict[str, float]:
    """`b` over `a`, measured side by side: the median of the pairs' ratios, which no single disturbance moves."""
    ratios = np.sort(np.asarray(b) / np.asarray(a))
    within = order_interval(ratios, 50)
    assert within is not None
    return {"ratio": float(np.median(ratios)), "low": within.low, "high": within.high}


def main() -> None:
    """Measures, and writes what it found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--fidelity-rounds", type=int, default=12)
    parser.add_argument("--blocks", type=int, default=200)
    parser.add_argument("--beside", default="", help="what else the machine is busy with, for the page")
    options = parser.parse_args()
    here: dict[str, Any] = {"machine": this_environment(("onnxruntime", "numpy")).model_dump(mode="json")}
    here |= {"runs": options.runs, "rounds_a_run": SETTINGS.rounds}
    record = begun(here)
    record["beside"] = options.beside or record.get("beside", "")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [
            graph(folder / place / "probe.onnx", layers)
            for place, layers in (("base", LAYERS), ("copy", LAYERS), ("slower", LAYERS + 1))
        ]
        if "fidelity" not in record:
            bare, ours = fidelity(files[0], options.fidelity_rounds)
            record["fidelity"] = {"bare_ns": bare, "bench_ns": ours, **_told(welch_ratio(bare, ours))}
            bare, ours = in_one_process(files[0], options.blocks)
            record["in_one_process"] = {"bare_ns": bare, "bench_ns": ours, **paired_ratio(bare, ours)}
            print(record["fidelity"], record["in_one_process"], flush=True)
        trials = record.setdefault("trials", [])
        for trial in range(len(trials), options.trials):
            sides: list[list[BenchRun]] = [[], [], []]
            for i in range(options.runs):
                for side, found in zip(sides, measured_in_turn(jobs_of(files), f"t{trial}r{i}"), strict=True):
                    side.append(found)
            trials.append(
                {
                    "a_a": [_verdict(sides[0][:k], sides[1][:k]) for k in range(1, options.runs + 1)],
                    "single": [_verdict([a], [b]) for a, b in zip(sides[0], sides[1], strict=True)],
                    "planted": [_verdict(sides[0][:k], sides[2][:k]) for k in range(1, options.runs + 1)],
                    "waiting": max(
                        waiting_share(one) or 0.0 for side in sides for found in side for one in found.results[0].rounds
                    ),
                    "load": os.getloadavg()[0],
                }
            )
            print(trial + 1, trials[-1], flush=True)
            write_bytes(RESULTS / "bench_fidelity.json", (json.dumps(record, indent=1) + "\n").encode())
            write_bytes(RESULTS / "bench_fidelity.md", markdown(record).encode())


def begun(here: dict[str, Any]) -> dict[str, Any]:
    """What was measured already on the same machine with the same settings; else `here` alone."""
    path = RESULTS / "bench_fidelity.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found if {name: found.get(name) for name in here} == here else here


def _told(ratio: Ratio) -> dict[str, float]:
    interval = ratio.interval()
    return {"ratio": ratio.value, "low": interval.low, "high": interval.high}


def _verdict(a: list[BenchRun], b: list[BenchRun]) -> dict[str, object]:
    """What `bench compare` says of the latencies, and what the processor time says, which waiting does not change."""
    (row,) = compare_runs(Runs(tuple(a)), [Runs(tuple(b))]).rows
    assert row.work is not None
    told = {"verdict": row.verdict, "ratio": row.ratio, "low": row.low, "high": row.high}
    return told | {"processor_time": row.work.model_dump()}


def _told_by(by: str, row: dict[str, Any]) -> dict[str, Any]:
    return row if by == "latency" else row["processor_time"]


def markdown(record: dict[str, Any]) -> str:
    """The page."""
    machine, fresh, together, trials = (record[name] for name in ("machine", "fidelity", "in_one_process", "trials"))
    runs, loads = record["runs"], [trial["load"] for trial in trials]
    beside = f" ({record['beside']})" if record["beside"] else ""
    lines = [
        "# Whether the bench's figures hold",
        "",
        f"Measured by `python tests/speed/bench_fidelity.py --trials {len(trials)} --runs {runs}`",
        f"on {machine['cpu']}, {machine['cores']} cores, one thread, with other work on the machine{beside}: load",
        f"average {min(loads):.1f} to {max(loads):.1f}, and in the worst round of each trial the process waited for a "
        "core for",
        f"{min(t['waiting'] for t in trials):.0%} to {max(t['waiting'] for t in trials):.0%} of its time.",
        "",
        "## Against a bare loop around onnxruntime",
        "",
        f"The bench's p50 is {together['ratio']:.3f} times the bare loop's, 95% interval {together['low']:.3f} to "
        f"{together['high']:.3f}: {len(together['bare_ns'])} blocks of {BLOCK} predictions each, in turn in one "
        "process.",
        f"In {len(fresh['bare_ns'])} fresh processes each, in turn, it is {fresh['ratio']:.3f} times that, "
        f"{fresh['low']:.3f} to {fresh['high']:.3f}.",
        "",
        f"## The same file twice, and one with 10% more work: {len(trials)} trials",
        "",
        f"A run has {record['rounds_a_run']} rounds, each a fresh process; base, copy and slower one are measured in",
        "turn. `bench compare` tells in two ways: by the median latencies, without a verdict where it cannot tell a",
        "busy machine from a slow model, and by the processor time of a prediction, of which waiting for a core is no",
        'part (`--fail-if "processor_time > 1.05x"`). Two equal files are "no difference" where the whole interval',
        'lies within 5%, and "undecided" where it reaches beyond; a false alarm is "slower" or "faster".',
        "",
        "| told by | runs a side | same file: no difference | undecided or no verdict | false alarm "
        "| 10% more: slower | mean ratio | widest interval |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for by in WAYS:
        for k in range(runs):
            same = [_told_by(by, trial["a_a"][k]) for trial in trials]
            planted = [_told_by(by, trial["planted"][k]) for trial in trials]
            verdicts = [row["verdict"] for row in same]
            none = sum(verdict in ("no difference", "within 5%") for verdict in verdicts)
            wrong = sum(verdict in ("slower", "faster") for verdict in verdicts)
            found = sum(row["verdict"] == "slower" for row in planted)
            mean = sum(row["ratio"] for row in planted) / len(planted)
            wide = max(row["high"] / row["low"] for row in planted)
            lines.append(
                f"| {by} | {k + 1} | {none} of {len(trials)} | {len(trials) - none - wrong} | {wrong} | "
                f"{found} of {len(trials)} | {mean:.3f} | x{wide:.2f} |"
            )
    single = [row for trial in trials for row in trial["single"]]
    covered = [sum(r["low"] <= 1 <= r["high"] for r in (_told_by(by, row) for row in single)) for by in WAYS]
    lines += [
        "",
        f"Of {len(single)} single runs of the same file against each other the 95% interval held the true ratio, 1, in "
        f"{covered[0]} by latency and in {covered[1]} by processor time.",
        "",
    ]
    for by, what in zip(WAYS, ("the p50", "the processor time"), strict=True):
        ratios = [_told_by(by, trial["a_a"][-1])["ratio"] for trial in trials]
        lines += [
            f"Repeating: {what} of the same file, {runs} runs against {runs} others, differed by "
            f"{max(abs(ratio - 1) for ratio in ratios):.1%} at most, in {sum(abs(r - 1) <= 0.03 for r in ratios)} of "
            f"{len(trials)} trials by at most 3%.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
