"""What each part of the recipes gains on Tiny ImageNet under one budget.

    python tests/speed/ablation.py --scratch DIR [--model resnet20] [--budget 5m30s] [--clock wall|processor]
        [--seeds 1] [--output results/ablation] [ARM ...]

Every arm is `tinyml train MODEL` with the same budget, then `tinyml eval` on all test images. The arms from
`reference` to `muon` add one part after the other; the others are what the recipe `best` chooses, and single changes
of it. With `--clock processor` the seconds are those of one thread's processor, so that other work on the machine takes
nothing from any arm. What an interrupted call has made stays: called again, it goes on; more seeds add to what is
there, and no ARM at all makes none. Writes OUTPUT.json, .md and .png of all arms that are whole.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from scipy.stats import t

from tinyml.bench.environment import this_environment
from tinyml.bench.markdown_table import table
from tinyml.confidence import ABSENT, wilson_interval
from tinyml.schema import Checkpoint, History
from tinyml.store import read_json, write_bytes
from tinyml.trainer.plots import plot_runs
from tinyml.trainer.state import read_state
from tinyml.workspace import RunFolder, Workspace

DECAY = ("--weight-decay", "5e-4")
GROWING = (*DECAY, "--resolution", "32:48:64")
AVERAGE = (*GROWING, "--ema-decay", "0.99", "--label-smoothing", "0.1")
MUON = ("--optimizer", "muon", "--lr", "0.02")
ARMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "reference": ("the recipe reference, at 64 px", ("--recipe", "reference", "--resolution", "64")),
    "decay": ("+ weight decay 5e-4, not 1e-3", ("--recipe", "reference", "--resolution", "64", *DECAY)),
    "resolution": ("+ growing images, 32:48:64", ("--recipe", "reference", *GROWING)),
    "average": ("+ averaged weights, label smoothing 0.1", ("--recipe", "reference", *AVERAGE)),
    "muon": ("+ Muon", ("--recipe", "reference", *AVERAGE, *MUON)),
    "best": ("the recipe best", ("--recipe", "best")),
    "best-batch128": ("best, batches of 128", ("--recipe", "best", "--batch-size", "128")),
    "best-muon": ("best with Muon", ("--recipe", "best", *MUON)),
    "best-adamw": ("best with AdamW", ("--recipe", "best", "--optimizer", "adamw")),
    "best-64": ("best, all at 64 px", ("--recipe", "best", "--resolution", "64")),
    "best-whiten": ("best with a whitening first layer", ("--recipe", "best", "--whiten")),
}


CLOCKS = {"wall": "on the clock", "processor": "of processor time"}


class ProcessorClock:
    """Stands for the module `time` where a training asks how late it is."""

    monotonic = staticmethod(time.process_time)


def train(clock: str, words: list[str]) -> None:
    """`tinyml train` in this process, on the processor's clock if that is the one."""
    from tinyml.cli import main as tinyml
    from tinyml.trainer import budget, loop, pace, prepare, tally

    if clock == "processor":
        for module in (budget, loop, pace, prepare, tally):
            vars(module)["time"] = ProcessorClock
        vars(prepare)["process_began"] = lambda: 0.0
    tinyml(words)


def make(model: str, arm: str, seed: int, budget: str, clock: str, scratch: Path) -> None:
    """Trains and evaluates an arm, as far as that is not done."""
    run = f"{arm}-s{seed}"
    folder = Workspace(scratch).run(model, run)
    tested = scratch / f"{run}.json"
    if tested.exists():
        return
    words = ["train", model, "--results", str(scratch), "--run", run]
    if folder.state.exists():
        words.append("--resume")
    else:
        words += ["--budget", budget, "--seed", str(seed), "--device", "cpu", *ARMS[arm][1]]
    if not complete(folder):
        command = [sys.executable, __file__, "--train", clock, *words]
        with (scratch / f"{run}.log").open("ab") as log:
            if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode:
                sys.exit(f"{run} failed: see {scratch / run}.log")
    evaluate = [sys.executable, "-m", "tinyml", "eval", str(folder.best), "--results", str(scratch), "--json"]
    found = subprocess.run(evaluate, stdout=subprocess.PIPE, check=True).stdout
    write_bytes(tested, found)
    print(run, f"{json.loads(found)[0]['metrics']['top1']:.2%}", flush=True)


def complete(folder: RunFolder) -> bool:
    """Whether the training there has spent its budget."""
    if not folder.state.exists():
        return False
    position = read_state(folder.state).position
    budget = position.config.budget
    return budget is not None and position.spent >= budget.seconds - budget.finish_seconds


def told(model: str, arm: str, seed: int, scratch: Path) -> dict[str, Any]:
    """What an arm came to."""
    folder = Workspace(scratch).run(model, f"{arm}-s{seed}")
    history = read_json(folder.history, History)
    metrics = json.loads((scratch / f"{arm}-s{seed}.json").read_text())[0]["metrics"]
    config = history.config
    shown = sum(sum((record.images_by_size or {}).values()) for record in history.epochs)
    return {
        "arm": arm,
        "seed": seed,
        "tinyml": history.provenance.tool_version,
        "options": ARMS[arm][1],
        "top1": metrics["top1"],
        "top5": metrics["top5"],
        "test_images": metrics["images"],
        "updates": shown // config.batch_size,
        "passes": shown / trained_on(folder),
        "seconds": sum(record.seconds for record in history.epochs),
        "config": config.model_dump(mode="json"),
        "epochs": [record.model_dump(mode="json") for record in history.epochs],
    }


def trained_on(folder: RunFolder) -> int:
    """How many images a pass has."""
    dataset = read_json(folder.best, Checkpoint).dataset
    assert dataset is not None  # of a checkpoint that this version wrote
    return dataset.splits["train"].images


def mean_told(values: list[float]) -> str:
    """The mean in percent, from two values on with its 95% interval by Student's t."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.2%}"
    half = float(t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{mean:.2%} ±{100 * half:.2f}"


def page(record: dict[str, Any], command: str, picture: str) -> str:
    lines = []
    for arm, (title, _) in ARMS.items():
        some = [trial for trial in record["trials"] if trial["arm"] == arm]
        if not some:
            continue
        config = some[0]["config"]
        interval = wilson_interval(some[0]["top1"], some[0]["test_images"])
        lines.append(
            [
                title,
                f"{len(some)}",
                mean_told([trial["top1"] for trial in some]),
                f"{interval.low:.2%} to {interval.high:.2%}" if len(some) == 1 else ABSENT,
                mean_told([trial["top5"] for trial in some]),
                f"{statistics.fmean(trial['passes'] for trial in some):.2f}",
                f"{statistics.fmean(trial['updates'] for trial in some):,.0f}",
                f"{config['batch_size']}",
            ]
        )
    heads = ("arm", "seeds", "top-1", "of one training", "top-5", "passes", "updates", "batch")
    on, made_by = record["machine"], sorted({trial["tinyml"] for trial in record["trials"]})
    return (
        "# What each part of the recipes gains under one budget\n\n"
        f"`{command}`\n\n"
        f"`tinyml train {record['model']}` on Tiny ImageNet, {record['budget']} {CLOCKS[record['clock']]} an arm\n"
        f"(one thread of {on['cpu']}, torch {on['torch']}, tinyml {', '.join(made_by)}), start, measurements and\n"
        "validations included. Top-1 and top-5 are of all test images, of the checkpoint that validation chose: means\n"
        "over the seeds with 95% intervals by Student's t, or of one training Wilson's, which knows nothing of other\n"
        "seeds. Rows with + add to the row above; passes over the training images differ by what an arm's steps cost"
        + (", and by what\nother work on the machine took from it" if record["clock"] == "wall" else "")
        + ".\n\n"
        + "\n".join(table(heads, lines, text_columns=1))
        + f"\n\n![Curves of all arms]({picture})\n"
    )


def main() -> None:
    if sys.argv[1:2] == ["--train"]:
        train(sys.argv[2], sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arms", nargs="*", metavar="ARM", help=", ".join(ARMS))
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--budget", default="5m30s")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=None)
    asked = parser.parse_args()
    if unknown := set(asked.arms) - set(ARMS):
        parser.error(f"no such arm: {', '.join(sorted(unknown))}; there are {', '.join(ARMS)}")
    asked.scratch.mkdir(parents=True, exist_ok=True)
    for seed in range(asked.seeds):
        for arm in asked.arms:
            make(asked.model, arm, seed, asked.budget, asked.clock, asked.scratch)
    if asked.output is None:
        return
    here = this_environment(("torch",))
    done = [
        told(asked.model, arm, seed, asked.scratch)
        for seed in range(asked.seeds)
        for arm in ARMS
        if (asked.scratch / f"{arm}-s{seed}.json").exists()
    ]
    if not done:
        parser.error(f"--output: no arm is whole in {asked.scratch}")
    record = {
        "model": asked.model,
        "budget": asked.budget,
        "clock": asked.clock,
        "machine": {"cpu": here.cpu, "torch": torch.__version__},
        "trials": done,
    }
    options = f"--model {asked.model} --budget {asked.budget} --clock {asked.clock} --seeds {asked.seeds}"
    words = f"--scratch DIR {options} --output {asked.output} {' '.join(dict.fromkeys(trial['arm'] for trial in done))}"
    write_bytes(asked.output.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())
    text = page(record, f"python tests/speed/ablation.py {words}", asked.output.with_suffix(".png").name)
    write_bytes(asked.output.with_suffix(".md"), text.encode())
    runs = [
        (
            trial["arm"],
            read_json(Workspace(asked.scratch).run(asked.model, f"{trial['arm']}-s{trial['seed']}").history, History),
        )
        for trial in done
    ]
    title = f"{asked.model} on Tiny ImageNet, {asked.budget} {CLOCKS[asked.clock]} each"
    plot_runs(runs, title, asked.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
