"""What every variant costs a trained network, with and without what makes up for it; written as one page.

    python -m tests.speed.compression --checkpoint CHECKPOINT --scratch DIR [--output results/compression] [VARIANT...]
    python -m tests.speed.compression --checkpoint CHECKPOINT --scratch DIR --plain [VARIANT...]
    python -m tests.speed.compression --checkpoint CHECKPOINT --scratch DIR --auto
    python -m tests.speed.compression --checkpoint CHECKPOINT --scratch DIR --finetune 2 coreml-w2g32e8 coreml-w4
    python -m tests.speed.compression --untrained [ARCHITECTURE...] --scratch DIR --images 200

The first exports each variant for real, proven weight by weight, and executes it on the test split; its floor is taken
away, so that what loses much is measured too. With `--plain` those whose weights make up for each other's errors are
measured rounded to the nearest instead. `--auto` searches for plans by layer at the sizes of uniform palettes, and
executes them, the uniform ones and the greedy walk's. `--finetune` trains for the variants named. `--untrained` asks
how often each architecture answers as before, with features at random and a last layer that is solved for.

Each network is a section of the page, by the name of its model or by `--name`. OUTPUT.json is written after each figure
and gone on from when the same is asked again; `compression_page.py` makes OUTPUT.md and OUTPUT.png of it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tinyml.bench.environment import this_environment
from tinyml.counting import counted
from tinyml.evaluation.checkpoint import CheckpointPredictor
from tinyml.export.choice import with_rounding
from tinyml.export.compression import compensates, name_of
from tinyml.export.finetune.finetune import length_of
from tinyml.export.format import formats
from tinyml.export.original import Original
from tinyml.export.pipeline import Exporter
from tinyml.export.search.greedy import greedy
from tinyml.export.search.options import composed
from tinyml.export.variants import variant_of, variants
from tinyml.export.verify import CheckpointAnswers, ask_checkpoint, execute, verification_of
from tinyml.progress import Silent
from tinyml.schema import Artifact, Compression, Floor, Palettization, Plan, PlanGoal, Rounding, TrainConfig, Variant
from tinyml.store import read_json, write_bytes
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.data import open_dataset, reopen
from tinyml.workspace import Workspace

from ..fitted import fitted

ANY = Floor(top1_agreement=0.0, psnr_db=-1000.0, max_accuracy_drop=1.0)
FEW = 64
"""So many images the export itself verifies on; the figures are those of all of them, executed after it."""
PER_TENSOR = ("palette1", "palette2", "palette3", "palette4", "palette6", "palette8")
SETTINGS: dict[str, tuple[Rounding, tuple[str, ...] | None, tuple[int, ...]]] = {
    "palettes per tensor, rounded to the nearest": ("nearest", PER_TENSOR, (4,)),
    "palettes per tensor, compensated": ("compensated", PER_TENSOR, (4, 2)),
    "the whole menu, compensated": ("compensated", None, (2,)),
}
"""By name: how weights are rounded, what a layer can become (None: all), and the bits of the uniform palettes whose
sizes the plans must keep within."""
FOR_AGREEMENT = ("coreml-fp16", "coreml-w8", "coreml-w8a8", "coreml-w4g32", "coreml-palette4", "onnx-fp32", "onnx-w8a8")


class Pages:
    """OUTPUT.json, read and written whole."""

    def __init__(self, output: Path) -> None:
        self._path = output.with_suffix(".json")
        self.found: dict[str, Any] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def section(self, *names: str) -> dict[str, Any]:
        """The part of that name, made where there is none."""
        part = self.found
        for name in names:
            part = part.setdefault(name, {})
        return part

    def save(self) -> None:
        """Writes it."""
        write_bytes(self._path, (json.dumps(self.found, indent=1) + "\n").encode())


@dataclass(frozen=True)
class Subject:
    """A checkpoint, opened, and what it answers on all images."""

    exporter: Exporter
    answers: CheckpointAnswers
    scratch: Path

    def figures(self, manifest: Path) -> dict[str, Any]:
        """Of an artifact, on all images; which of its answers are right is kept in the scratch folder."""
        artifact = read_json(manifest, Artifact)
        opened = formats.get(artifact.variant.format).open(manifest.parent / artifact.path)
        outputs = execute(opened, self.answers.images)
        found = verification_of(self.answers, outputs, floor=ANY, runtime=opened.runtime)
        before = self.answers.logits.argmax(1) == self.answers.labels
        now = outputs.probabilities.argmax(1) == self.answers.labels
        self.scratch.mkdir(parents=True, exist_ok=True)
        np.save(self.scratch / f"{artifact.variant.name}.npy", now)
        return {
            "bytes": artifact.bytes,
            "top1": found.artifact.top1,
            **changed(before, now),
            "agreement": found.top1_agreement,
            "psnr_db": found.psnr_db,
        }

    def right(self, name: str) -> NDArray[np.bool_]:
        """Which images an artifact that was measured answers rightly."""
        return np.asarray(np.load(self.scratch / f"{name}.npy"))

    def written(self, variant: Variant, plan: Plan | None = None) -> dict[str, Any]:
        """The figures of a variant, made anew, and what making it took."""
        began, cpu = time.perf_counter(), time.process_time()
        manifest = self.exporter.write(variant, plan)
        took = {"make_cpu_s": round(time.process_time() - cpu, 1), "make_s": round(time.perf_counter() - began, 1)}
        return self.figures(manifest) | took


def changed(before: NDArray[np.bool_], now: NDArray[np.bool_]) -> dict[str, int]:
    """How many answers became wrong, and how many right."""
    return {"worse": int((before & ~now).sum()), "better": int((~before & now).sum())}


def opened(asked: argparse.Namespace, section: dict[str, Any]) -> Subject:
    """The checkpoint, noted in its section."""
    original = Original(asked.checkpoint, images=FEW, data=asked.data)
    made = original.checkpoint
    dataset = reopen(made.config.data, made.dataset, asked.data, progress=Silent())
    answers = ask_checkpoint(CheckpointPredictor(asked.checkpoint), dataset, limit=asked.images)
    about = {
        "architecture": made.spec.architecture,
        "parameters": made.spec.parameters,
        "checkpoint_sha256": made.sha256,
        "data": made.config.data,
        "epochs": made.epoch,
        "images": len(answers.images),
        "of_images": answers.total,
        "top1": float((answers.logits.argmax(1) == answers.labels).mean()),
    }
    if section.get("about", about) != about:
        raise SystemExit(f"the page has other figures of this name: {section['about']}; name another by --name")
    section["about"] = about
    return Subject(Exporter(original, Workspace(asked.scratch)), answers, asked.scratch / "answers")


def rows(names: Sequence[str], *, plain: bool) -> list[Variant]:
    """The variants without floors; `plain`: the twins, rounded to the nearest, of those that compensate."""
    found = [variants.get(name).model_copy(update={"floor": ANY}) for name in names or list(variants)]
    return [with_rounding(row, "nearest") for row in found if compensates(row)] if plain else found


def goal_of(variant: Variant, architecture: str, *, tuned: bool) -> float | None:
    """Points of top-1 that it may lose; None: nobody says."""
    kinds = {kind.method: kind for kind in variant.compression}
    if "prune" in kinds:
        return 0.5 if tuned and name_of(variant) == "coreml-prune75" else None
    if "activations" in kinds:
        return 0.0 if tuned else 0.5 if architecture == "vit" else 0.1
    bits = next((int(getattr(kind, "bits", 0)) for kind in kinds.values()), 0)
    plain = {8: 0.1, 4: {"vgg": 2.0, "vit": 3.0}.get(architecture, 1.0), 2: 5.0}
    return {4: 0.3, 2: 2.0}.get(bits) if tuned else plain.get(bits)


def measure_variants(
    subject: Subject, section: dict[str, Any], pages: Pages, names: Sequence[str], *, plain: bool = False
) -> None:
    """Every variant, or every plain twin of one."""
    found = section.setdefault("variants", {})
    for variant in rows(names, plain=plain):
        if variant.name in found:
            continue
        twin = variant.name not in variants
        architecture = section["about"]["architecture"]
        found[variant.name] = {
            "summary": variant.summary,
            "nearest_of": variants_nearest(variant) if twin else None,
            "goal": None if twin else goal_of(variant, architecture, tuned=False),
            **subject.written(variant),
        }
        pages.save()
        print(variant.name, found[variant.name], flush=True)


def variants_nearest(twin: Variant) -> str:
    """The variant of the menu that `twin` is, but for its rounding."""
    return with_rounding(twin, "compensated").name


def measure_tuned(subject: Subject, section: dict[str, Any], pages: Pages, names: Sequence[str], length: str) -> None:
    """Variants that were trained for."""
    found = section.setdefault("tuned", {}).setdefault(length, {})
    for name in names:
        if name in found:
            continue
        variant = variants.get(name).model_copy(update={"floor": ANY})
        began, cpu = time.perf_counter(), time.process_time()
        manifest = subject.exporter.finetune(variant, length_of(length))
        found[name] = {
            "goal": goal_of(variant, section["about"]["architecture"], tuned=True),
            "train_cpu_s": round(time.process_time() - cpu),
            "train_s": round(time.perf_counter() - began),
            **subject.figures(manifest),
        }
        pages.save()
        print(name, length, found[name], flush=True)


def measure_auto(subject: Subject, section: dict[str, Any], pages: Pages) -> None:
    """Plans by layer beside uniform palettes of their size, and beside the greedy walk on the same table."""
    found = section.setdefault("auto", {})
    for setting, (rounding, among, sizes) in SETTINGS.items():
        for bits in sizes:
            key = f"{setting}: {bits} bits"
            if key in found:
                continue
            palette = variant_of("coreml", Palettization(bits=bits), target="iOS18").model_copy(update={"floor": ANY})
            uniform = with_rounding(palette, rounding)
            figures = {"uniform": {"name": uniform.name, **subject.written(uniform)}}
            limit = figures["uniform"]["bytes"]
            began = time.perf_counter()
            plan = subject.exporter.plan(PlanGoal(max_size=limit), rounding=rounding, among=among)
            plan = plan.model_copy(update={"variant": plan.variant.model_copy(update={"floor": ANY})})
            seconds = round(time.perf_counter() - began)
            figures["auto"] = {"name": plan.variant.name, **subject.written(plan.variant, plan)}
            walked = greedy_of(plan, limit)
            if walked is not None:
                figures["greedy"] = {"name": walked.name, **subject.written(walked)}
            right = {who: subject.right(each["name"]) for who, each in figures.items()}
            found[key] = {
                "setting": setting,
                "bits": bits,
                "search_s": seconds,
                "judging_images": plan.judging_images,
                "figures": figures,
                "auto_over": {who: changed(right["auto"], each) for who, each in right.items() if who != "auto"},
                "plans": [
                    t.model_dump(include={"name", "bytes", "loss", "points_lost", "chosen"}) for t in plan.trials
                ],
                "layers": {layer.layer: layer.option for layer in plan.layers},
            }
            pages.save()
            print(key, figures, flush=True)


def greedy_of(plan: Plan, limit: int) -> Variant | None:
    """What the greedy walk makes of the table that the plan was made of."""
    sizes = [np.array([each.bytes for each in layer.measured]) for layer in plan.layers]
    losses = [np.array([each.loss for each in layer.measured]) for layer in plan.layers]
    whole = next(trial for trial in plan.trials if trial.name == "uniform none")
    besides = whole.bytes - sum(int(each[0]) for each in sizes)
    picks = greedy(sizes, losses, limit - besides, (0,) * len(sizes))
    if picks is None:
        return None
    options = {option.name: option for option in plan.options}
    chosen = {layer.layer: options[layer.measured[pick].option] for layer, pick in zip(plan.layers, picks, strict=True)}
    kinds: tuple[Compression, ...] = composed(chosen)
    name = plan.variant.name.replace("auto", "greedy")
    return plan.variant.model_copy(update={"compression": kinds, "name": name, "summary": "Apple's greedy walk"})


def measure_untrained(asked: argparse.Namespace, pages: Pages) -> None:
    """How often each architecture answers as before."""
    dataset = open_dataset(asked.data or "tiny-imagenet")
    for name in asked.variants or list(architectures):
        section = pages.section("untrained", name)
        torch.manual_seed(0)
        network = fitted(build(name, len(dataset.index.labels)), dataset, asked.images or 200, batch=50)
        spec = checkpoint.spec_of(name, network, dataset.index.labels, dataset.index.preprocess)
        workspace = Workspace(asked.scratch / "untrained")
        manifest = checkpoint.save(
            workspace.run(name, "solved").checkpoints,
            "best",
            network,
            spec=spec,
            config=TrainConfig(model=name, recipe="baseline", data=dataset.index.name),
            dataset_sha256=dataset.sha256,
            epoch=1,
        )
        asked.checkpoint, asked.images = manifest, asked.images or 200
        subject = opened(asked, section)
        measure_variants(subject, section, pages, FOR_AGREEMENT)
        manifest.with_suffix(".safetensors").unlink()


def command(asked: argparse.Namespace) -> str:
    """What was typed, but for the places of files on this machine."""
    places = {str(asked.checkpoint): "CHECKPOINT", str(asked.scratch): "DIR", str(asked.output): "results/compression"}
    words = (places.get(word) or shlex.quote(word) for word in sys.argv[1:])
    return " ".join(["python -m tests.speed.compression", *words])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--name", help="the section's; the model's if left out")
    parser.add_argument("--output", type=Path, default=Path("results/compression"))
    parser.add_argument("--images", type=int, default=None, help="test images; all if left out")
    parser.add_argument("--data", default=None)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--auto", action="store_true")
    parser.add_argument("--finetune", metavar="EPOCHS|MINUTES")
    parser.add_argument("--untrained", action="store_true")
    parser.add_argument("variants", nargs="*")
    asked = parser.parse_args()
    if (asked.checkpoint is None) != asked.untrained:
        parser.error("either --checkpoint or --untrained")
    pages = Pages(asked.output)
    machine = this_environment(("torch", "coremltools", "onnxruntime"))
    versions = ", ".join(f"{package} {version}" for package, version in machine.packages.items())
    pages.found["machine"] = (
        f"{machine.cpu}, {counted(machine.cores, 'core')}, {machine.os_version}, {machine.runtime}, {versions}"
    )
    commands = pages.found.setdefault("commands", [])
    said = command(asked)
    if said not in commands:
        commands.append(said)
    if asked.untrained:
        measure_untrained(asked, pages)
    else:
        name = asked.name or checkpoint.load(asked.checkpoint).checkpoint.spec.architecture
        section = pages.section("networks", name)
        subject = opened(asked, section)
        if asked.auto:
            measure_auto(subject, section, pages)
        elif asked.finetune:
            measure_tuned(subject, section, pages, asked.variants, asked.finetune)
        else:
            measure_variants(subject, section, pages, asked.variants, plain=asked.plain)
    pages.save()
    subprocess.run([sys.executable, Path(__file__).with_name("compression_page.py"), asked.output], check=True)


if __name__ == "__main__":
    main()
