"""An update by Muon of each network's matrices, beside torch's own.

    python tests/speed/muon.py [MODEL ...] [--threads 2] [--updates 9] [--output results/muon]

`torch.optim.Muon` iterates in bfloat16, matrix by matrix. Both are given the same matrices, filters as rows, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tinyml.bench.environment import this_environment
from tinyml.bench.markdown_table import table
from tinyml.counting import counted
from tinyml.machine import keep_freed_memory
from tinyml.schema import TrainConfig
from tinyml.store import write_bytes
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.optimizer import build_optimizer
from tinyml.trainer.optimizers.muon import Muon

CPU = torch.device("cpu")
CLASSES = 200


def matrices(model: str) -> list[nn.Parameter]:
    """What Muon makes orthogonal of a network, filters as rows, each with a gradient."""
    config = TrainConfig(model=model, recipe="best", data="d", optimizer="muon", lr=0.02)
    network = build(model, CLASSES)
    groups = build_optimizer(network, config, CPU, no_decay=architectures.get(model).no_decay).param_groups
    found = [p.detach().flatten(1) for group in groups if group["orthogonal"] for p in group["params"]]
    parameters = [nn.Parameter(matrix) for matrix in found]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    return parameters


def compare(model: str, updates: int) -> dict[str, Any]:
    """Milliseconds of an update, medians; and of torch's time over ours, the median and the range."""
    every = matrices(model)
    groups = [{"params": every, "weight_decay": 0.0, "orthogonal": True}]
    optimizers = {
        "torch": torch.optim.Muon(every, lr=0.0, weight_decay=0.0),
        "ours in bfloat16": Muon(groups, 0.0, 0.95, torch.bfloat16),
        "ours in float32": Muon(groups, 0.0, 0.95, torch.float32),
    }
    took: dict[str, list[float]] = {name: [] for name in optimizers}
    for number in range(updates + 1):
        for name, optimizer in optimizers.items():
            began = time.perf_counter()
            optimizer.step()
            if number:  # the first one makes the state
                took[name].append(time.perf_counter() - began)
    ratios = {
        name: sorted(peer / ours for peer, ours in zip(took["torch"], took[name], strict=True))
        for name in list(took)[1:]
    }
    return {
        "model": model,
        "matrices": len(every),
        "million": sum(p.numel() for p in every) / 1e6,
        "ms": {name: 1e3 * statistics.median(each) for name, each in took.items()},
        "faster": {name: [statistics.median(each), each[0], each[-1]] for name, each in ratios.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=architectures.names())
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--updates", type=int, default=9)
    parser.add_argument("--output", type=Path, default=None)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    keep_freed_memory()
    rows = []
    for model in asked.models:
        rows.append(compare(model, asked.updates))
        print(rows[-1], flush=True)
    if asked.output is None:
        return
    here = this_environment(("torch",))
    machine = {"cpu": here.cpu, "threads": asked.threads, "torch": torch.__version__, "load": os.getloadavg()[0]}
    heads = ("model", "matrices", "million weights", *(f"{name}, ms" for name in rows[0]["ms"]))
    lines = [
        [
            row["model"],
            str(row["matrices"]),
            f"{row['million']:.1f}",
            *(f"{ms:.0f}" for ms in row["ms"].values()),
            *("{:.2f} ({:.2f} to {:.2f})".format(*row["faster"][name]) for name in row["faster"]),
        ]
        for row in rows
    ]
    ratios = tuple(f"torch's time over {name}" for name in rows[0]["faster"])
    text = (
        "# An update by Muon beside torch's own\n\n"
        f"`python tests/speed/muon.py {' '.join(asked.models)} --threads {asked.threads} --updates {asked.updates} "
        f"--output {asked.output}`\n"
        f"on {machine['cpu']}, {counted(asked.threads, 'thread')}, torch {machine['torch']}, "
        f"load {machine['load']:.1f}. Wall time of an update of all matrices,\n"
        f"medians of {asked.updates} in turn. `torch.optim.Muon` iterates in bfloat16 too.\n\n"
        + "\n".join(table((*heads, *ratios), lines, text_columns=1))
        + "\n"
    )
    write_bytes(asked.output.with_suffix(".md"), text.encode())
    write_bytes(
        asked.output.with_suffix(".json"), (json.dumps({"machine": machine, "updates": rows}, indent=1) + "\n").encode()
    )


if __name__ == "__main__":
    main()
