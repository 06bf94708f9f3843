"""What an export costs beside the bare calls of coremltools, and its verification beside the conversion.

    python tests/speed/export_time.py [--images 1000] [--rounds 3] [--output FILE.json] [MODEL...]

For each architecture, untrained: the time of torch.export, `ct.convert` and `save` as anybody would call them, that of
our own `write` of the same variant (coreml-fp16), and that of verifying the package on random images. The network and
the images do not decide any of them. Each round measures all three in turn; the least of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tinyml.export.format import Metadata, formats
from tinyml.export.network import Deployable
from tinyml.export.variants import variants
from tinyml.quiet import coremltools, quiet
from tinyml.schema import IMAGE, ModelSpec, Preprocess, Variant
from tinyml.store import write_bytes
from tinyml.trainer.architecture import architectures, build, count_parameters

CLASSES = 200
GOALS = {"export": 1.15, "verification": 1.0}


def bare(network: nn.Module, spec: ModelSpec, path: Path) -> None:
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
            minimum_deployment_target=ct.target.iOS15,
            skip_model_load=True,
        )
        model.save(str(path))


def measured(name: str, row: Variant, images: np.ndarray, rounds: int) -> dict[str, float]:
    """The least seconds of `rounds`, by what was timed."""
    torch.manual_seed(0)
    network = build(name, CLASSES).eval()
    labels = tuple(f"class {number}" for number in range(CLASSES))
    spec = ModelSpec(architecture=name, parameters=count_parameters(network), labels=labels, preprocess=Preprocess())
    facts = {"tinyml.version": "0", "tinyml.spec": spec.model_dump_json(), "labels": json.dumps(labels)}
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
    format_ = formats.get(row.format)
    found: dict[str, float] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="tinyml-speed-") as folder:
            path = Path(folder, "ours.mlpackage")

            def verify(path: Path = path) -> None:
                executable = format_.open(path)
                for begin in range(0, len(images), 64):
                    executable.run(images[begin : begin + 64])

            for what, work in (
                ("bare", lambda at=Path(folder, "bare.mlpackage"): bare(network, spec, at)),
                ("export", lambda at=path: format_.write(network, row, metadata, images[:0], at)),
                ("verification", verify),
            ):
                began = time.perf_counter()
                work()
                found[what] = min(found.get(what, float("inf")), time.perf_counter() - began)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    parser.add_argument("models", nargs="*")
    asked = parser.parse_args()
    images = np.random.default_rng(0).integers(0, 256, (asked.images, 64, 64, 3), dtype=np.uint8)
    rows: dict[str, Any] = {}
    measured("resnet20", variants.get("coreml-fp16"), images[:1], 1)  # imports, and what is made once
    for name in asked.models or list(architectures):
        found = measured(name, variants.get("coreml-fp16"), images, asked.rounds)
        rows[name] = found | {
            "export_over_bare": found["export"] / found["bare"],
            "verification_over_bare": found["verification"] / found["bare"],
        }
        print(name, {key: round(value, 2) for key, value in rows[name].items()}, flush=True)
    document = {
        "images": asked.images,
        "rounds": asked.rounds,
        "threads": torch.get_num_threads(),
        "machine": platform.processor() or platform.machine(),
        "goals": GOALS,
        "models": rows,
    }
    if asked.output is not None:
        write_bytes(asked.output, (json.dumps(document, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
