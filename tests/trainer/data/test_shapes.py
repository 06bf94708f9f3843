import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tinyml.schema import TrainConfig
from tinyml.trainer.data import TrainBatches, eval_batches, open_dataset
from tinyml.trainer.data.augment import normalized
from tinyml.trainer.data.resident import to_tensor
from tinyml.trainer.data.sources.shapes import FIGURES, draw


def test_an_image_depends_on_its_seed_alone() -> None:
    images = [draw(name, np.random.RandomState(7)) for name in sorted(FIGURES)]
    again = [draw(name, np.random.RandomState(7)) for name in sorted(FIGURES)]
    assert all(np.array_equal(one, two) for one, two in zip(images, again, strict=True))


def test_counts_and_reproducibility(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_dataset("shapes")
    assert {name: split.images for name, split in first.index.splits.items()} == {
        "train": 1600,
        "val": 400,
        "test": 400,
    }
    assert first.index.labels == tuple(sorted(FIGURES))
    assert len(first.split("train")) == 1600
    everything = np.concatenate([first.split(name).images for name in ("train", "val", "test")])
    digests = {hashlib.sha256(image.tobytes()).digest() for image in everything}
    assert len(digests) == 2400  # no image twice, in particular none of the test split in the others
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "other"))
    second = open_dataset("shapes")
    assert second.path != first.path
    assert second.index.splits == first.index.splits


def test_a_small_network_learns_them() -> None:
    dataset = open_dataset("shapes")
    torch.manual_seed(0)
    widths = [3, 16, 32, 64, 64]
    blocks = [
        nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
        for a, b in itertools.pairwise(widths)
    ]
    model = nn.Sequential(nn.AvgPool2d(2), *blocks, nn.Flatten(), nn.Linear(64 * 4, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    config = TrainConfig(model="small", recipe="none", data="shapes", batch_size=32, erasing=0.0, rotation_degrees=0.0)
    batches = TrainBatches(dataset.split("train"), config, dataset.index.preprocess, 10, torch.device("cpu"))
    for epoch in range(1, 7):
        for batch in batches.epoch(epoch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(batch.images), batch.targets).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    model.eval()
    right = 0
    with torch.no_grad():
        for pixels, labels_ in eval_batches(dataset.split("test"), None, 100):
            images = normalized(to_tensor(pixels, torch.device("cpu")).float().div(255), dataset.index.preprocess)
            right += int((model(images).argmax(dim=1).numpy() == labels_).sum())
    assert right / 400 > 0.9
