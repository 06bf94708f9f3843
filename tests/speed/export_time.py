"""What an export costs beside the bare calls of coremltools, and its verification beside the conversion.

    python tests/speed/export_time.py [--images 200] [--rounds 3] [--output results/export-time] [MODEL...]

For each architecture, untrained: the time of torch.export, `ct.convert` and `save` as anybody would call them (for int8
weights also `linear_quantize_weights`), that of our own `write` of the same variant, the file's opening, its execution
on random images, and the network's own in eager torch. The weights and the images do not decide any of them; from the
images given it is reckoned what 1,000 take. Each round measures all in turn; the least of the rounds counts. Seconds
are those of the processor, all threads together, so that other work on the machine burdens none. Writes OUTPUT.json
after each architecture, and OUTPUT.md.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyml.bench.environment import this_environment
from tinyml.bench.markdown_table import table
from tinyml.counting import counted
from tinyml.export.format import Metadata, formats
from tinyml.export.network import Deployable
from tinyml.export.variants import variants
from tinyml.quiet import coremltools, quiet
from tinyml.schema import IMAGE, ModelSpec, Preprocess, Variant
from tinyml.store import write_bytes
from tinyml.trainer.architecture import architectures, build, count_parameters
from tinyml.trainer.predictor import network_input

CLASSES, VERIFIED, BATCH = 200, 1000, 64
GOALS = {"export": 1.15, "verification": 1.0}
ROWS = ("coreml-fp16", "coreml-w8")


def bare(network: nn.Module, spec: ModelSpec, row: Variant, path: Path) -> None:
    """The same package by coremltools' own calls."""
    ct = coremltools()
    size = spec.preprocess.input_size
    module = Deployable(network, spec.preprocess).eval()
    with torch.no_grad(), quiet():
        program = torch.export.export(module, (torch.zeros(1, 3, size, size),)).run_decompositions({})
        model = ct.convert(
            program,
            convert_to="mlprogram",
            inputs=[ct.ImageType(name=IMAGE, shape=(1, 3, size, size), color_layout=ct.colorlayout.RGB)],
            classifier_config=ct.ClassifierConfig(list(spec.labels)),
            minimum_deployment_target=getattr(ct.target, str(row.minimum_target)),
            skip_model_load=True,
        )
        if row.compression:
            import coremltools.optimize.coreml as cto

            config = cto.OptimizationConfig(cto.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=0))
            model = cto.linear_quantize_weights(model, config)
        model.save(str(path))


def measured(name: str, row: Variant, images: np.ndarray, rounds: int) -> dict[str, float]:
    """The least processor seconds of `rounds`, by what was timed."""
    labels = tuple(f"class {number}" for number in range(CLASSES))
    pixels = network_input(images, Preprocess())
    format_ = formats.get(row.format)
    found: dict[str, float] = {}
    for number in range(rounds):
        torch.manual_seed(number)  # another network each time: what is remembered of one is not found again
        network = build(name, CLASSES).eval()
        spec = ModelSpec(
            architecture=name, parameters=count_parameters(network), labels=labels, preprocess=Preprocess()
        )
        facts = {"tinyml.version": "0", "tinyml.spec": spec.model_dump_json(), "labels": json.dumps(labels)}
        metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
        with tempfile.TemporaryDirectory(prefix="tinyml-speed-") as folder:
            found = _least(found, _round(network, row, format_, metadata, images, pixels, Path(folder)))
    return found


def _round(
    network: nn.Module, row: Variant, format_: Any, metadata: Metadata, images: np.ndarray, pixels: Any, folder: Path
) -> dict[str, float]:
    ours = folder / "ours.mlpackage"
    opened: list[Any] = []

    def execute() -> None:
        for begin in range(0, len(images), BATCH):
            opened[0].run(images[begin : begin + BATCH])

    def eager() -> None:
        with torch.inference_mode():
            for part in torch.split(pixels, BATCH):
                network(part)

    works: dict[str, Callable[[], object]] = {
        "bare": lambda: bare(network, metadata.spec, row, folder / "bare.mlpackage"),
        "export": lambda: format_.write(network, row, metadata, images[:0], ours),
        "open": lambda: opened.append(format_.open(ours)),
        "execute": execute,
        "eager": eager,
    }
    found = {}
    for what, work in works.items():
        began = time.process_time()
        work()
        found[what] = time.process_time() - began
    return found


def _least(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {what: min(seconds, one.get(what, seconds)) for what, seconds in other.items()}


def ratios(found: dict[str, float], images: int) -> dict[str, float]:
    """What the goals are about."""
    share = VERIFIED / images
    verification = found["open"] + share * found["execute"]
    return {
        "export_over_bare": found["export"] / found["bare"],
        "verification_s": verification,
        "verification_over_conversion": verification / found["export"],
        "eager_over_conversion": share * found["eager"] / found["export"],
    }


def page(document: dict[str, Any]) -> str:
    """The page, as Markdown."""
    rows = []
    for name, found in document["models"].items():
        export, verification = found["export_over_bare"], found["verification_over_conversion"]
        held = ""
        if verification > GOALS["verification"]:
            held = f"the arithmetic: eager torch takes {found['eager_over_conversion']:.2f}"
        rows.append(
            [
                name,
                f"{found['bare']:.2f}",
                f"{found['export']:.2f}",
                f"{export:.2f}",
                "met" if export <= GOALS["export"] else "missed",
                f"{found['verification_s']:.2f}",
                f"{verification:.2f}",
                "met" if verification <= GOALS["verification"] else "missed",
                held or "-",
            ]
        )
    columns = (
        "network and variant",
        "bare calls (s)",
        "export (s)",
        "over bare (at most 1.15)",
        "",
        f"verification of {VERIFIED:,} (s)",
        "over the conversion (at most 1)",
        "",
        "what holds it back, over the conversion",
    )
    lines = [
        "# What an export costs",
        "",
        f"Written by `{document['command']}` on {document['machine']}; "
        f"{counted(document['threads'], 'thread')}, processor seconds, least of {document['rounds']} rounds; "
        f"verification reckoned from {document['images']} images.",
        "",
        *table(columns, rows, text_columns=1),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("results/export-time"))
    parser.add_argument("models", nargs="*")
    asked = parser.parse_args()
    images = np.random.default_rng(0).integers(0, 256, (asked.images, 64, 64, 3), dtype=np.uint8)
    machine = this_environment(())
    document: dict[str, Any] = {
        "command": shlex.join(["python", "tests/speed/export_time.py", *sys.argv[1:]]),
        "machine": f"{machine.cpu}, {counted(machine.cores, 'core')}, {machine.os_version}",
        "threads": torch.get_num_threads(),
        "images": asked.images,
        "rounds": asked.rounds,
        "goals": GOALS,
        "models": {},
    }
    for name in ROWS:
        measured("resnet20", variants.get(name), images[:1], 1)  # imports, and what is made once
    for model in asked.models or list(architectures):
        for name in ROWS:
            found = measured(model, variants.get(name), images, asked.rounds)
            found |= ratios(found, asked.images)
            document["models"][f"{model} {name}"] = found
            print(model, name, {key: round(value, 2) for key, value in found.items()}, flush=True)
            write_bytes(asked.output.with_suffix(".json"), (json.dumps(document, indent=1) + "\n").encode())
            write_bytes(asked.output.with_suffix(".md"), page(document).encode())


if __name__ == "__main__":
    main()
