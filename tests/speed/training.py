"""Training and its data path against the plain way and against timm's, images by processor second.

    python tests/speed/training.py [MODEL ...] [--rounds 5] [--steps 4] [--output results/training-speed]

Three ways of training the same network on the same JPEG files of 64x64 pixels, one thread, in turn:
- tinyml: memory maps, augmentation by the batch, channels last, with its loop (learning rate, counting, checks);
- plain: a torch DataLoader that opens each file with PIL and augments it with torchvision, as most tutorials do, and
  forward, backward and step in float32;
- timm: its dataset reader, loader, transforms and optimizer factory, and the step of its train.py at its defaults (that
  script itself is no part of its package).
All augment as much: crop, flip, rotation or scaling, color jitter, erasing. The data path alone is measured as well.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from timm.data.dataset import ImageDataset
from timm.data.loader import create_loader
from timm.optim._optim_factory import create_optimizer_v2
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from tinyml.bench.environment import this_environment
from tinyml.bench.markdown_table import table
from tinyml.counting import counted
from tinyml.machine import keep_freed_memory
from tinyml.store import write_bytes
from tinyml.trainer.data import Dataset, TrainBatches, open_dataset
from tinyml.trainer.learner import Learner
from tinyml.trainer.objective import objective_of
from tinyml.trainer.pace import Counted
from tinyml.trainer.recipe import configure
from tinyml.trainer.schedule import learning_rate
from tinyml.trainer.start import Scratch
from tinyml.trainer.tally import Tally

CPU = torch.device("cpu")
BATCH = 64
FILES = 1024
Step = Callable[[], object]


def as_files(dataset: Dataset, folder: Path) -> None:
    """The first training images as JPEG files, a folder a class."""
    split = dataset.split("train")
    for number in range(FILES):
        path = folder / f"{split.labels[number]:03d}" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(split.images[number]).save(path, quality=90)


def endless(loader: Any) -> Iterator[Any]:
    return itertools.chain.from_iterable(itertools.repeat(loader))


def ours(dataset: Dataset, model: str) -> tuple[Step, Step]:
    """The whole step, and the data path alone."""
    index, split = dataset.index, dataset.split("train")
    config = configure("reference", model, "shapes", {"batch_size": BATCH, "epochs": 10**4})
    learner = Learner(
        Scratch().network(config, index.labels), objective_of(config, split.labels, len(index.labels)), config, CPU
    )
    learner.begin()
    batches = TrainBatches(split, config, index.preprocess, len(index.labels), CPU)
    pace, tally, steps = Counted(config, len(batches)), Tally(CPU), itertools.count()

    def shown() -> Iterator[Any]:
        for epoch in itertools.count(1):
            yield from (make() for make in batches.jobs(epoch, 0, pace))  # in this thread: its time counts

    source, alone = shown(), shown()

    def step() -> None:
        batch = next(source)
        answer = learner.answer(batch)
        answer.loss.item()
        learner.learn(learning_rate(config, pace.at(next(steps)), len(batches)))
        tally.add(answer.loss, answer.logits, batch)

    return step, lambda: next(alone)


def plainly(network: nn.Module, source: Iterator[Any], optimizer: torch.optim.Optimizer) -> Step:
    """Forward, backward and step in float32."""
    network.train()

    def step() -> None:
        images, labels = next(source)
        loss: Tensor = nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        loss.item()

    return step


def plain(dataset: Dataset, model: str, folder: Path) -> tuple[Step, Step]:
    """See `ours`."""
    pipeline = transforms.Compose(
        [
            transforms.RandomCrop(64, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(10, transforms.InterpolationMode.BILINEAR),
            transforms.ColorJitter(0.2, 0.2, 0.2, 0.02),
            transforms.ToTensor(),
            transforms.Normalize(dataset.index.preprocess.mean, dataset.index.preprocess.std),
            transforms.RandomErasing(0.5),
        ]
    )
    loader: Any = DataLoader(ImageFolder(str(folder), pipeline), BATCH, shuffle=True, drop_last=True)
    network = fresh(dataset, model)
    optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=1e-3)
    source, alone = endless(loader), endless(loader)
    return plainly(network, source, optimizer), lambda: next(alone)


def timms(dataset: Dataset, model: str, folder: Path) -> tuple[Step, Step]:
    """See `ours`."""
    loader = create_loader(
        ImageDataset(str(folder)),  # type: ignore[no-untyped-call]
        input_size=(3, 64, 64),
        batch_size=BATCH,
        is_training=True,
        use_prefetcher=False,
        re_prob=0.5,
        color_jitter=0.2,
        num_workers=0,
        mean=dataset.index.preprocess.mean,
        std=dataset.index.preprocess.std,
        persistent_workers=False,
    )
    network = fresh(dataset, model)
    optimizer = create_optimizer_v2(network, opt="sgd", lr=0.01, weight_decay=1e-3, momentum=0.9)
    source, alone = endless(loader), endless(loader)
    return plainly(network, source, optimizer), lambda: next(alone)


def fresh(dataset: Dataset, model: str) -> nn.Module:
    return Scratch().network(configure("reference", model, "shapes"), dataset.index.labels)


def seconds(step: Step, steps: int) -> float:
    began = time.process_time()
    for _ in range(steps):
        step()
    return time.process_time() - began


def measure(ways: dict[str, Step], rounds: int, steps: int) -> dict[str, list[float]]:
    """Images a processor second in each round, the ways in turn; what each does first is not counted."""
    for step in ways.values():
        step()
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, step in ways.items():
            found[name].append(BATCH * steps / seconds(step, steps))
    return found


def told(found: dict[str, list[float]]) -> list[str]:
    """The medians, and ours over each other by the median of the rounds' ratios."""
    medians = [f"{statistics.median(found[name]):,.0f}" for name in ("tinyml", "plain", "timm")]
    ratios = []
    for name in ("plain", "timm"):
        each = sorted(a / b for a, b in zip(found["tinyml"], found[name], strict=True))
        ratios.append(f"{statistics.median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})")
    return [*medians, *ratios]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["resnet20", "efficientnet"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--output", type=Path, default=None)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    dataset = open_dataset("shapes")
    measured: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        as_files(dataset, Path(scratch))
        for model in asked.models:
            made = {
                "tinyml": ours(dataset, model),
                "plain": plain(dataset, model, Path(scratch)),
                "timm": timms(dataset, model, Path(scratch)),
            }
            if not measured:
                measured["data path"] = measure({name: way[1] for name, way in made.items()}, asked.rounds, 2)
            measured[model] = measure({name: way[0] for name, way in made.items()}, asked.rounds, asked.steps)
    here = this_environment(("torch",))
    machine: dict[str, Any] = {
        "cpu": here.cpu,
        "cores": here.cores,
        "torch": torch.__version__,
        "load": os.getloadavg()[0],
    }
    lines = table(
        ("what", "tinyml", "plain", "timm", "over plain", "over timm"),
        [[name, *told(found)] for name, found in measured.items()],
        text_columns=1,
    )
    text = "\n".join(lines)
    print(text)
    if asked.output is not None:
        words = " ".join([*asked.models, "--rounds", str(asked.rounds), "--steps", str(asked.steps)])
        page = (
            "# Training and its data path beside the plain way and timm's\n\n"
            f"`python tests/speed/training.py {words}` on {machine['cpu']},\n"
            f"{counted(machine['cores'], 'core')}, torch {machine['torch']}, one thread each, "
            f"load {machine['load']:.1f}.\n"
            f"Images a processor second: medians of {asked.rounds} rounds in turn; ratios with their range over the\n"
            "rounds. Reading 64x64 JPEG files is part of the plain way and of timm's, as it is in their trainings;\n"
            "tinyml decodes them once.\n\n"
        )
        write_bytes(asked.output.with_suffix(".md"), f"{page}{text}\n".encode())
        record = {"machine": machine, "batch": BATCH, "images_per_processor_second": measured}
        write_bytes(asked.output.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
