"""The Core ML reference runtime against torch eager, onnxruntime and Core AI's Linux runtime, on the same weights.

python tests/speed/reference_runtime.py [--networks resnet18,...] [--settings native,...] [--rounds N] [--batch N]
    [--packages fp16,int8] [--made FOLDER] [--add]

Settings are what a processor offers: `native` all that this one has, `avx2` no more than AVX2 (most laptops, many CI
machines), `without-onednn` torch's own kernels alone, as on a Mac. Each is a process of its own, in which everything
runs on one thread, in turn, so that a busy machine slows all alike; medians are compared. A load is the least of
three; its processor time is what it takes on a machine that does nothing else.
Writes results/reference-runtime.json and results/reference-runtime.md; with --add beside what they hold of other cases.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tinyml import store
from tinyml.bench import environment
from tinyml.coreml import ReferenceModel
from tinyml.coreml.trace.onnx import Run, onnx_runner
from tinyml.counting import counted
from tinyml.quiet import coremltools, quiet

SIZE, CLASSES = 64, 200
NETWORKS = ("alexnet", "resnet18", "vgg16_bn", "densenet121", "efficientnet_b0", "vit_small")
SETTINGS: dict[str, dict[str, str]] = {
    "native": {},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    "without-onednn": {},
}
"""Each setting's environment variables."""
GOALS = {
    "batch 1, float32, over torch": ("at most", 1.0),
    "batch 1, declared over float32": ("at most", 1.5),
    "batch, float32, over torch": ("at most", 1.0),
    "batch, declared over float32": ("at most", 1.5),
    "load, seconds": ("at most", 1.0),
    "load, processor seconds": ("at most", 1.0),
    "onnxruntime engine over onnxruntime": ("at most", 1.1),
}


def network(name: str) -> torch.nn.Module:
    """An untrained network with raw pixels in and probabilities out: what is timed does not depend on training."""
    torch.manual_seed(0)
    if name == "vit_small":
        import timm

        body = timm.create_model("vit_small_patch16_224", img_size=SIZE, patch_size=8, num_classes=CLASSES)
    else:
        import torchvision

        body = torchvision.models.get_model(name, num_classes=CLASSES)
    return Classifier(body).eval()


class Classifier(torch.nn.Module):
    """Normalizes, runs `body`, takes the softmax."""

    def __init__(self, body: torch.nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Pixels 0..255 [N, 3, H, W] to probabilities [N, classes]."""
        return torch.softmax(self.body((image - 118.0) / 58.0), dim=-1)


def packages(net: torch.nn.Module, folder: Path) -> dict[str, Path]:
    """The network as fp16 and int8 packages."""
    ct = coremltools()
    program = torch.export.export(net, (torch.rand(1, 3, SIZE, SIZE),)).run_decompositions({})
    fp16 = ct.convert(
        program,
        inputs=[ct.ImageType(name="image", shape=(1, 3, SIZE, SIZE))],
        classifier_config=ct.ClassifierConfig([f"class {n}" for n in range(CLASSES)]),
        compute_units=ct.ComputeUnit.CPU_ONLY,
        minimum_deployment_target=ct.target.iOS16,
    )
    config = ct.optimize.coreml.OptimizationConfig(global_config=ct.optimize.coreml.OpLinearQuantizerConfig())
    folder.mkdir(parents=True, exist_ok=True)
    found = {"fp16": fp16, "int8": ct.optimize.coreml.linear_quantize_weights(fp16, config)}
    for name, model in found.items():
        model.save(str(folder / f"{name}.mlpackage"))
    return {name: folder / f"{name}.mlpackage" for name in found}


def onnx_of(net: torch.nn.Module) -> Run:
    """The network exported straight from torch, in onnxruntime."""
    program = torch.onnx.export(net, (torch.rand(1, 3, SIZE, SIZE),), dynamo=True, verbose=False)
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return onnx_runner(program.model_proto.SerializeToString(), threads=1)


def medians(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[int]]:
    """Nanoseconds of each call, the cases in turn, after one call each to warm up."""
    times: dict[str, list[int]] = {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, call in cases.items():
            began = time.perf_counter_ns()
            call()
            if turn:
                times[name].append(time.perf_counter_ns() - began)
    return times


def core_ai(net: torch.nn.Module, folder: Path, rounds: int) -> tuple[list[int], str]:
    """Nanoseconds of each call at batch 1 in Core AI's own runtime, or none and the reason."""
    try:
        import coreai_torch
        from coreai.runtime import NDArray
    except ImportError as error:
        return [], f"not run: {error}"
    pixels = torch.rand(1, 3, SIZE, SIZE) * 255
    program = torch.export.export(net, (pixels,)).run_decompositions(coreai_torch.get_decomp_table())
    converter = coreai_torch.TorchConverter()
    converter.add_exported_program(program)
    asset = converter.to_coreai().save_asset(folder / "network.aimodel")

    async def measure() -> list[int]:
        times = []
        async with asset.executable() as model:
            function = model.load_function(next(iter(model.function_names)))
            inputs: dict[str, Any] = {next(iter(function.desc.input_names)): NDArray(pixels.numpy())}
            for _ in range(rounds + 1):
                began = time.perf_counter_ns()
                outcome = function(inputs)
                if isinstance(outcome, Awaitable):
                    await outcome
                times.append(time.perf_counter_ns() - began)
        return times[1:]

    return asyncio.run(measure()), ""


def measure(
    name: str, setting: str, wanted: list[str], rounds: int, batch: int, keep: Path | None
) -> list[dict[str, Any]]:
    """One record for each of the packages `wanted` of network `name`, in this process, which has `setting`.

    Packages that lie in `keep` are not made again.
    """
    with tempfile.TemporaryDirectory() as temporary, quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder, net = Path(temporary), network(name)
        made = keep / name if keep is not None else folder
        paths = {each: made / f"{each}.mlpackage" for each in wanted}
        if not all(path.exists() for path in paths.values()):
            paths = packages(net, made)
        exported, reason = None, ""
        ai_ns: list[int] = []
        if setting == "native":  # other engines do not know of the settings
            exported, (ai_ns, reason) = onnx_of(net), core_ai(net, folder, min(rounds, 3))
        records: list[dict[str, Any]] = []
        for precision, path in ((each, paths[each]) for each in wanted):
            busy = os.getloadavg()[0]
            loads, plain = _loads(path)
            rounded = ReferenceModel(path)
            session = None if exported is None else ReferenceModel(path, engine="onnxruntime")
            times = _times(net, exported, plain, rounded, session, rounds, batch)
            records.append(
                {
                    "setting": setting,
                    "network": name,
                    "package": precision,
                    "batch": batch,
                    "load_ns": [wall for wall, _ in loads],
                    "load_cpu_ns": [cpu for _, cpu in loads],
                    "load_average": [busy, os.getloadavg()[0]],
                    "measured": store.now(),
                    "times_ns": times | {"batch 1 Core AI": ai_ns},
                    "core_ai_reason": reason,
                    "ratios": _ratios(times, loads),
                }
            )
    return records


def _loads(path: Path) -> tuple[list[tuple[int, int]], ReferenceModel]:
    """Nanoseconds of three loads, on the wall's clock and of the processor, and the last model."""
    found = []
    for _ in range(3):
        began, cpu = time.perf_counter_ns(), time.process_time_ns()
        model = ReferenceModel(path, precision="float32")
        found.append((time.perf_counter_ns() - began, time.process_time_ns() - cpu))
    return found, model


def _times(
    net: torch.nn.Module,
    exported: Run | None,
    plain: ReferenceModel,
    rounded: ReferenceModel,
    session: ReferenceModel | None,
    rounds: int,
    batch: int,
) -> dict[str, list[int]]:
    pixels = np.random.default_rng(0).integers(0, 256, (batch, SIZE, SIZE, 3), dtype=np.uint8)
    tensors = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous()
    image = {"image": Image.fromarray(pixels[0])}

    def eager(batch: torch.Tensor) -> None:
        with torch.inference_mode():
            net(batch)

    cases: dict[str, Callable[[], object]] = {
        "batch 1 torch": lambda: eager(tensors[:1]),
        "batch 1 float32": lambda: plain.predict(image),
        "batch 1 declared": lambda: rounded.predict(image),
    }
    if exported is not None and session is not None:
        cases["batch 1 onnxruntime"] = lambda: exported([tensors[:1]])
        cases["batch 1 onnxruntime engine"] = lambda: session.predict(image)
    one = medians(cases, rounds * 3)
    many = medians(
        {
            "batch torch": lambda: eager(tensors),
            "batch float32": lambda: plain.predict_batch({"image": pixels}),
            "batch declared": lambda: rounded.predict_batch({"image": pixels}),
        },
        rounds,
    )
    return one | many


def _ratios(times: dict[str, list[int]], loads: list[tuple[int, int]]) -> dict[str, float]:
    median = {name: statistics.median(values) for name, values in times.items()}
    found = {
        "batch 1, float32, over torch": median["batch 1 float32"] / median["batch 1 torch"],
        "batch 1, declared over float32": median["batch 1 declared"] / median["batch 1 float32"],
        "batch, float32, over torch": median["batch float32"] / median["batch torch"],
        "batch, declared over float32": median["batch declared"] / median["batch float32"],
        "load, seconds": min(wall for wall, _ in loads) / 1e9,
        "load, processor seconds": min(cpu for _, cpu in loads) / 1e9,
    }
    if "batch 1 onnxruntime" in median:
        engine = median["batch 1 onnxruntime engine"]
        found["onnxruntime engine over onnxruntime"] = engine / median["batch 1 onnxruntime"]
    return found


def table(records: list[dict[str, Any]], where: str) -> str:
    """Milliseconds (medians) and ratios as Markdown; a ratio that misses its goal is in bold."""
    times = list(records[0]["times_ns"])
    commands = dict.fromkeys(record["command"] for record in records)
    lines = [
        f"Written by {' and '.join(f'`{command}`' for command in commands)} on {where}.",
        "",
        f"Milliseconds, one thread, medians; a batch has {records[0]['batch']} images. The load is how many processes",
        "wanted a core before and after, which slows torch and the runtime alike: the ratios are what holds.",
        "",
    ]
    lines += ["| network | load | " + " | ".join(times) + " |", "|---|---|" + "---|" * len(times)]
    for record in records:
        found = (record["times_ns"].get(name) for name in times)
        cells = [f"{statistics.median(v) / 1e6:.1f}" if v else "not run" for v in found]
        busy = " to ".join(f"{value:.1f}" for value in record["load_average"])
        lines.append(f"| {_case(record)} | {busy} | " + " | ".join(cells) + " |")
    goals = [f"{name} ({kind} {limit})" for name, (kind, limit) in GOALS.items()]
    lines += ["", "| network | " + " | ".join(goals) + " |", "|---|" + "---|" * len(goals)]
    for record in records:
        cells = []
        for name, (kind, limit) in GOALS.items():
            value = record["ratios"].get(name)
            if value is None:
                cells.append("not run")
                continue
            met = value <= limit if kind == "at most" else value >= limit
            cells.append(f"{value:.2f}" if met else f"**{value:.2f}**")
        lines.append(f"| {_case(record)} | " + " | ".join(cells) + " |")
    if any(name not in record["ratios"] for record in records for name in GOALS):
        lines += ["", "onnxruntime and Core AI know nothing of the settings, and run in `native` alone."]
    for reason in sorted({record["core_ai_reason"] for record in records} - {""}):
        lines += ["", f"Core AI: {reason}"]
    return "\n".join(lines) + "\n"


def _case(record: dict[str, Any]) -> str:
    return f"{record['setting']}: {record['network']} {record['package']}"


def _order(record: dict[str, Any]) -> tuple[int, int, str]:
    return list(SETTINGS).index(record["setting"]), NETWORKS.index(record["network"]), record["package"]


def measured_apart(name: str, setting: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The records of network `name` in one setting, from a process that starts with it."""
    command = [sys.executable, __file__, "--networks", name, "--settings", setting, "--here"]
    command += ["--rounds", str(arguments.rounds), "--batch", str(arguments.batch), "--packages", arguments.packages]
    command += ["--made", str(arguments.made)] if arguments.made is not None else []
    done = subprocess.run(command, env=os.environ | SETTINGS[setting], stdout=subprocess.PIPE, check=True, text=True)
    records: list[dict[str, Any]] = [r | {"command": _typed(arguments)} for r in json.loads(done.stdout)]
    print(*(f"{_case(r)}: {r['ratios']}" for r in records), sep="\n", file=sys.stderr, flush=True)
    return records


def _typed(arguments: argparse.Namespace) -> str:
    """What was typed, but for the place of the packages on this machine."""
    words = ("DIR" if word == str(arguments.made) else word for word in sys.argv[1:])
    return shlex.join(["python", "tests/speed/reference_runtime.py", *words])


def main() -> None:
    """Measures, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--packages", default="fp16,int8")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--output", type=Path, default=Path("results"))
    parser.add_argument("--made", type=Path, help="a folder that keeps the packages from run to run")
    parser.add_argument("--add", action="store_true", help="keep what the results hold of other cases")
    parser.add_argument("--here", action="store_true", help="measure in this process and print the records")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings, names = arguments.settings.split(","), arguments.networks.split(",")
    if arguments.here:
        torch._C._set_mkldnn_enabled(settings[0] != "without-onednn")
        wanted = arguments.packages.split(",")
        print(json.dumps(measure(names[0], settings[0], wanted, arguments.rounds, arguments.batch, arguments.made)))
        return
    earlier = arguments.output / "reference-runtime.json"
    adds = arguments.add and earlier.exists()
    records: list[dict[str, Any]] = json.loads(earlier.read_text())["records"] if adds else []
    for setting in settings:
        for name in names:
            found = measured_apart(name, setting, arguments)
            again = {_case(record) for record in found}
            records = [record for record in records if _case(record) not in again] + found
            write(sorted(records, key=_order), arguments.output)
    print((arguments.output / "reference-runtime.md").read_text())


def write(records: list[dict[str, Any]], folder: Path) -> None:
    """Writes what has been measured so far."""
    provenance = store.provenance(packages=("torch", "coremltools", "onnxruntime", "numpy"))
    machine = environment.this_environment(provenance.packages)
    document = {
        "provenance": provenance.model_dump(mode="json"),
        "environment": machine.model_dump(mode="json"),
        "records": records,
    }
    text = table(
        records, f"{machine.cpu}, {counted(machine.cores, 'core')}, {machine.os_version}, {provenance.created_at[:10]}"
    )
    store.write_bytes(folder / "reference-runtime.json", (json.dumps(document) + "\n").encode())
    store.write_bytes(folder / "reference-runtime.md", text.encode())


if __name__ == "__main__":
    main()
