"""Whether the bench's figures hold on this machine, as it is just now.

python tests/speed/bench_fidelity.py [--trials 10] [--rounds 48] [--runs 4] [--beside "the other core busy"]

Three questions, all about graphs of equal convolutions, so that the truth is known:
- Fidelity: the bench's p50 against a bare loop around onnxruntime: blocks of both in turn in one process, so that what
  the machine does meanwhile hits both alike, and each in fresh processes of its own.
- A/A: one and the same file under two names, which must show no difference.
- A planted slowdown: eleven convolutions against ten, 10% more work, which must be found.
A trial is one run of all three files in `--rounds` rounds, as `tinyml bench --artifact base.onnx --artifact copy.onnx
--artifact slower.onnx --rounds 48` makes it, and what `tinyml bench compare --base base.onnx` says of two of them; the
verdicts stand for its first three pairs of rounds, its first six, and so on. Where it is undecided at the end, it says
to measure longer: then as long a run again is pooled with it (`bench compare RUN,RUN --base base.onnx`), and so on for
`--runs` at most. Writes results/bench_fidelity.{json,md}
after each trial, and goes on from there where it was stopped, with more `--trials` too.
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
from tinyml.bench.comparison import compare, verdict_between
from tinyml.bench.environment import this_environment
from tinyml.bench.estimates import paired_ratio
from tinyml.bench.jobs import Job, Selection, Settings, foreign_jobs
from tinyml.bench.matching import matches_within
from tinyml.bench.measures import MEASURES
from tinyml.bench.runner import run
from tinyml.bench.steady import measure_steady
from tinyml.bench.validity import flags_of, waiting_share
from tinyml.schema import BenchResult, BenchRun, Environment
from tinyml.store import provenance, write_bytes

RESULTS = Path(__file__).parents[2] / "results"
CHANNELS, SIZE, LAYERS = 32, 32, 10
BLOCK = 20
PREDICTIONS = 60
"""Of a round."""
AFTER = (3, 6, 12, 18, 24, 36, 48, 60, 72)
"""Pairs of rounds after which the verdicts are told."""
PARTS = (6, 12)
"""Pairs of rounds that are taken for a run of their own, to see how often its interval holds the truth."""
WAYS = {
    "latency": "latency, by pairs",
    "processor_time": "processor time, by pairs",
    "apart": "latency, each side on its own",
}
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


def settings_of(rounds: int) -> Settings:
    """Of a run of so many rounds, each as short as its process's start."""
    return Settings(
        rounds=rounds,
        min_repeats=PREDICTIONS * rounds,
        min_seconds=0.0,
        max_seconds=20.0 * rounds,
        warmup=20,
        accuracy=False,
        threads=(1,),
        timeout_s=300,
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
    onnx.save(made, path)
    return path


def jobs_of(files: list[Path], settings: Settings) -> list[Job]:
    """Each file on onnxruntime's CPU provider."""
    listed = foreign_jobs(files, settings, inputs=None, selection=Selection(backends=("onnxruntime",)))
    return [job for job in listed.jobs if job.case.requested_units == "cpu"]


def measured(files: list[Path], rounds: int, name: str, environment: Environment) -> BenchRun:
    """A run of so many rounds; ends the program where one was not measured."""
    settings = settings_of(rounds)
    found = run(jobs_of(files, settings), settings, run_id=name, environment=environment, provenance=provenance())
    if any(result.status != "ok" for result in found.results):
        raise SystemExit(f"not measured: {[result.reason for result in found.results]}")
    return found


def figures(name: str, result: BenchResult) -> list[int]:
    """A measure of each round, in nanoseconds."""
    return [round(value) for value in MEASURES[name].rounds(result)]


def fidelity(file: Path, pairs: int) -> tuple[list[int], list[int]]:
    """The medians of the bare loop and of the bench, each in fresh processes in turn."""
    environment = this_environment(())
    bare, ours = [], []
    for number in range(pairs):
        for which in ("bare", "ours") if number % 2 else ("ours", "bare"):
            if which == "bare":
                command = [sys.executable, "-c", BARE, str(file), str(PREDICTIONS), f"1 {CHANNELS} {SIZE} {SIZE}"]
                # In a session of its own, as the bench's workers are: Linux shares out processor time by sessions.
                done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
                bare.append(round(float(done.stdout)))
            else:
                ours += figures("p50", measured([file], 1, "fidelity", environment).results[0])
    return bare, ours


def in_one_process(file: Path, blocks: int) -> tuple[list[int], list[int]]:
    """The medians of blocks of the bare loop and of the bench's, in turn."""
    import onnxruntime

    (job,) = jobs_of([file], settings_of(1))
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
                ours.append(round(statistics.median(measure_steady([model], [example], case).samples)))
                continue
            times = []
            for _ in range(BLOCK + 5):
                begin = time.perf_counter_ns()
                session.run(None, example)
                times.append(time.perf_counter_ns() - begin)
            bare.append(round(statistics.median(times[5:])))
    return bare, ours


def part(found: BenchRun, other: str, begin: int, end: int, *, apart: bool = False) -> BenchRun:
    """The base and another file in some of their rounds, as if the run had had no more; `apart`: not told when."""
    results = []
    for result in found.results:
        if result.case.model not in ("base", other):
            continue
        (samples,) = (series.samples for series in result.series if series.name == "latency_ns")
        before = sum(one.samples for one in result.rounds[:begin])
        rounds = [one.model_copy(update={"began_ns": None}) if apart else one for one in result.rounds[begin:end]]
        kept = samples[before : before + sum(one.samples for one in rounds)]
        case = result.case.model_copy(update={"rounds": len(rounds), "min_repeats": len(kept)})
        (latency,) = (series for series in result.series if series.name == "latency_ns")
        update = {"series": (latency.model_copy(update={"samples": kept}),), "rounds": tuple(rounds), "case": case}
        flags = tuple(flags_of(case, kept, rounds, found.environment))
        results.append(result.model_copy(update=update | {"flags": flags}))
    return found.model_copy(update={"results": tuple(results)})


def verdicts(found: BenchRun, other: str, begin: int, end: int) -> dict[str, Any]:
    """What `bench compare` says of another file and the base, from some of their rounds."""
    (row,) = compare(matches_within(part(found, other, begin, end), "base")).rows
    (alone,) = compare(matches_within(part(found, other, begin, end, apart=True), "base")).rows
    assert row.work is not None
    told = ("verdict", "ratio", "low", "high")
    return {
        "pairs": row.pairs,
        "latency": {name: getattr(row, name) for name in told},
        "processor_time": {name: getattr(row.work, name) for name in told},
        "apart": {name: getattr(alone, name) for name in told},
    }


def trial_of(found: BenchRun) -> dict[str, Any]:
    """What is told of a run, and of what."""
    rounds = len(found.results[0].rounds)
    after = [count for count in AFTER if count < rounds] + [rounds]
    return {
        "p50_ns": {one.case.model: figures("p50", one) for one in found.results},
        "processor_time_ns": {one.case.model: figures("processor_time", one) for one in found.results},
        "told_ns": {one.case.model: MEASURES["p50"].told(one) for one in found.results},
        "a_a": [verdicts(found, "copy", 0, count) for count in after],
        "planted": [verdicts(found, "slower", 0, count) for count in after],
        "parts": {
            str(size): [verdicts(found, "copy", begin, begin + size) for begin in range(0, rounds - size + 1, size)]
            for size in PARTS
        },
        "runs": 1,
        "waiting": max(waiting_share(one) or 0.0 for result in found.results for one in result.rounds),
        "load": os.getloadavg()[0],
    }


def ended(trial: dict[str, Any], other: str, by: str) -> dict[str, Any]:
    """What `bench compare` says of all runs of a trial: their pairs are pooled."""
    times = trial["p50_ns" if by == "latency" else "processor_time_ns"]
    ratio = paired_ratio(times["base"], times[other])
    interval = ratio.interval()
    told = {"verdict": verdict_between(ratio.value, interval), "ratio": ratio.value}
    return told | {"low": interval.low, "high": interval.high, "pairs": len(times["base"])}


def go_on(trial: dict[str, Any], found: BenchRun) -> None:
    """Pools one more run with those of a trial."""
    more = trial_of(found)
    for name in ("p50_ns", "processor_time_ns"):
        for model, times in trial[name].items():
            times += more[name][model]
    trial["runs"] += 1
    trial["waiting"], trial["load"] = (max(trial[name], more[name]) for name in ("waiting", "load"))


def undecided(trial: dict[str, Any]) -> bool:
    """Whether the latencies of either comparison want a longer measurement."""
    return any(ended(trial, other, "latency")["verdict"] == "undecided" for other in ("copy", "slower"))


def kept(record: dict[str, Any]) -> None:
    """Writes what there is."""
    for trial in record["trials"]:
        trial["ended"] = {
            which: {by: ended(trial, other, by) for by in ("latency", "processor_time")}
            for which, other in (("a_a", "copy"), ("planted", "slower"))
        }
    write_bytes(RESULTS / "bench_fidelity.json", (json.dumps(record, indent=1) + "\n").encode())
    write_bytes(RESULTS / "bench_fidelity.md", markdown(record).encode())


def main() -> None:
    """Measures, and writes what it found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=48)
    parser.add_argument("--runs", type=int, default=4, help="at most so many of a trial")
    parser.add_argument("--fidelity-pairs", type=int, default=24)
    parser.add_argument("--blocks", type=int, default=200)
    parser.add_argument("--beside", default="", help="on which cores, and what the others are busy with, for the page")
    options = parser.parse_args()
    environment = this_environment(("onnxruntime", "numpy"))
    here: dict[str, Any] = {"machine": environment.model_dump(mode="json"), "rounds": options.rounds}
    record = begun(here)
    record["beside"] = options.beside or record.get("beside", "")
    with tempfile.TemporaryDirectory() as name:
        files = [
            graph(Path(name) / f"{called}.onnx", layers)
            for called, layers in (("base", LAYERS), ("copy", LAYERS), ("slower", LAYERS + 1))
        ]
        assert files[0].read_bytes() == files[1].read_bytes()
        if "fidelity" not in record:
            record["fidelity"] = against_bare(*fidelity(files[0], options.fidelity_pairs))
            record["in_one_process"] = against_bare(*in_one_process(files[0], options.blocks))
        trials = record.setdefault("trials", [])
        for number in range(len(trials), options.trials):
            begin = time.monotonic()
            trials.append(trial_of(measured(files, options.rounds, f"trial-{number}", environment)))
            trials[-1]["seconds"] = round(time.monotonic() - begin, 1)
            print(number + 1, trials[-1]["seconds"], trials[-1]["a_a"][-1], trials[-1]["planted"][-1], flush=True)
            kept(record)
        for again in range(2, options.runs + 1):
            for number, trial in enumerate(trials):
                if trial["runs"] < again and undecided(trial):
                    go_on(trial, measured(files, options.rounds, f"trial-{number}-{again}", environment))
                    print(number + 1, trial["runs"], ended(trial, "copy", "latency"), flush=True)
                    kept(record)
    kept(record)


def begun(here: dict[str, Any]) -> dict[str, Any]:
    """What was measured already on the same machine with the same settings; else `here` alone."""
    path = RESULTS / "bench_fidelity.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found if {name: found.get(name) for name in here} == here else here


def against_bare(bare: list[int], ours: list[int]) -> dict[str, Any]:
    """The bench's medians over the bare loop's, by pairs."""
    ratio = paired_ratio(bare, ours)
    interval = ratio.interval()
    told = {"ratio": ratio.value, "low": interval.low, "high": interval.high}
    return {"bare_ns": bare, "bench_ns": ours, **told}


def _ends(trials: list[dict[str, Any]]) -> list[str]:
    """The verdicts that the trials ended with, and what it took."""
    lines = [
        "| told by | same file: no difference | within 5% | undecided | false alarm | 10% more: slower | missed |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for by in ("latency", "processor_time"):
        same, planted = ([trial["ended"][which][by]["verdict"] for trial in trials] for which in ("a_a", "planted"))
        alarms = sum(verdict in ("slower", "faster") for verdict in same)
        found = planted.count("slower")
        counts = (same.count("no difference"), same.count("within 5%"), same.count("undecided"), alarms)
        cells = " | ".join(f"{number} of {len(trials)}" for number in (*counts, found, len(trials) - found))
        lines.append(f"| {by.replace('_', ' ')} | {cells} |")
    runs = [trial["runs"] for trial in trials]
    took = ", ".join(f"{runs.count(number)} took {number}" for number in sorted(set(runs)))
    pairs = len(trials[0]["p50_ns"]["base"]) // trials[0]["runs"]
    left = sum(undecided(trial) for trial in trials)
    lines += ["", f"Of the trials {took} run{'s' * (max(runs) > 1)} of {pairs} rounds a file."]
    if max(runs) > 1:
        lines += [
            'Where a verdict on the latency was "undecided", which asks for a longer measurement, another run was',
            "pooled with it. (Who looks twice errs more often than one time in twenty: up to one in ten.)",
        ]
    if left:
        lines += [
            f'{left} of {len(trials)} ended with an "undecided" latency: they want more rounds, which were not taken, '
            "so that",
            'ten times "no difference" is not shown.',
        ]
    return lines


def markdown(record: dict[str, Any]) -> str:
    """The page."""
    machine, fresh, together, trials = (record[name] for name in ("machine", "fidelity", "in_one_process", "trials"))
    count, rounds, loads = len(trials), record["rounds"], [trial["load"] for trial in trials]
    place = record["beside"] or f"{machine['cores']} cores"
    waits, seconds = [trial["waiting"] for trial in trials], [trial["seconds"] for trial in trials]
    lines = [
        "# Whether the bench's figures hold",
        "",
        f"Measured by `python tests/speed/bench_fidelity.py --trials {count} --rounds {rounds}` on {machine['cpu']}",
        f"({place}), one thread, on no quiet machine: load average {min(loads):.1f} to {max(loads):.1f},",
        f"and in the worst round of each trial the process waited for a core for {min(waits):.0%} to {max(waits):.0%} "
        "of its time.",
        "",
        "## Against a bare loop around onnxruntime",
        "",
        f"The bench's p50 is {together['ratio']:.3f} times the bare loop's, 95% interval {together['low']:.3f} to "
        f"{together['high']:.3f}: {len(together['bare_ns'])} blocks of {BLOCK} predictions each, in turn in one "
        "process.",
        f"In {len(fresh['bare_ns'])} fresh processes each, in turn, it is {fresh['ratio']:.3f} times that, "
        f"{fresh['low']:.3f} to {fresh['high']:.3f}.",
        "",
        f"## The same file twice, and one with 10% more work: {count} trials",
        "",
        *_ends(trials),
        "",
        f"A run has three files in {rounds} rounds, each a fresh process of {PREDICTIONS} predictions, in "
        f"turn: {min(seconds):.0f} to",
        f"{max(seconds):.0f} s, a third of it for each file. `bench compare --base` tells from pairs of rounds that "
        "are neighbors in time. Two equal",
        'files are "no difference" where the interval includes 1 and lies within 5% whole, "within 5%" where it lies',
        "beyond 1 (as 95% intervals of equal files do one time in twenty) and the ratio is as small as that, and",
        '"undecided" where it reaches further; a false alarm is "slower" or "faster". By the first run of each trial:',
        "",
        "| told by | rounds a side | same file: no difference | within 5% | undecided or no verdict | false alarm "
        "| 10% more: slower | median ratio | widest interval |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for by, called in WAYS.items():
        for i, row in enumerate(trials[0]["a_a"]):
            same, planted = ([trial[which][i][by] for trial in trials] for which in ("a_a", "planted"))
            told = [one["verdict"] for one in same]
            alarms = sum(verdict in ("slower", "faster") for verdict in told)
            clear = told.count("no difference"), told.count("within 5%")
            found = sum(one["verdict"] == "slower" for one in planted)
            middle = statistics.median(one["ratio"] for one in planted)
            wide = max(one["high"] / one["low"] for one in planted)
            lines.append(
                f"| {called} | {row['pairs']} | {clear[0]} of {count} | {clear[1]} | {count - sum(clear) - alarms} | "
                f"{alarms} | {found} of {count} | {middle:.3f} | x{wide:.2f} |"
            )
    lines += ["", "## How often the intervals hold the truth", ""]
    for size in PARTS:
        parts = [one for trial in trials for one in trial["parts"][str(size)]]
        held = {by: sum(one[by]["low"] <= 1 <= one[by]["high"] for one in parts) for by in WAYS}
        lines.append(
            f"- Of {len(parts)} runs of {size} rounds of the same file twice the 95% interval held the true ratio, 1, "
            f"in {held['latency']} by latency and in {held['processor_time']} by processor time, by pairs; in "
            f"{held['apart']} by latency with each side on its own."
        )
    lines += ["", "## Repeating", ""]
    for by, what in (("latency", "latency"), ("processor_time", "processor time")):
        ratios = [trial["ended"]["a_a"][by]["ratio"] for trial in trials]
        lines.append(
            f"- By {what} and pairs the same file differed from itself by {max(abs(one - 1) for one in ratios):.1%} at "
            f"most, in {sum(abs(one - 1) <= 0.03 for one in ratios)} of {count} trials by at most 3%."
        )
    beside_it = [trial["told_ns"]["copy"] / trial["told_ns"]["base"] for trial in trials]
    after = [trial["told_ns"]["base"] for trial in trials]
    lines += [
        f"- The p50 that the run's table tells of each: by {max(abs(one - 1) for one in beside_it):.1%} at most in one "
        f"run, in {sum(abs(one - 1) <= 0.03 for one in beside_it)} of {count} by at most 3%;",
        f"  from one trial to any other, up to half an hour later, by up to {max(after) / min(after) - 1:.1%}, which "
        "is the machine, and no quiet one.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
