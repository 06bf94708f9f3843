"""Halved checkpoints: the same network but for the rounding, in half the bytes, taken wherever a whole one is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tinyml.cli import run
from tinyml.errors import CheckpointError
from tinyml.schema import Metrics, Preprocess, TrainConfig
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import build
from tinyml.trainer.halving import halve


def saved(folder: Path, scale: float = 1.0) -> Path:
    torch.manual_seed(0)
    model = build("resnet20", 3)
    with torch.no_grad():
        for buffer in model.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(1e-9, 1e-8)  # variances of channels that say little, which float16 would call 0
        next(model.parameters()).mul_(scale)
    return checkpoint.save(
        folder,
        "best",
        model,
        spec=checkpoint.spec_of("resnet20", model, ("a", "b", "c"), Preprocess()),
        config=TrainConfig(model="resnet20", recipe="test", data="colors"),
        dataset_sha256="0" * 64,
        epoch=4,
        metrics=(Metrics(split="val", top1=0.5, top5=1.0, images=2, total=2),),
    )


def test_matrices_are_rounded_and_vectors_stay(tmp_path: Path) -> None:
    path = saved(tmp_path / "whole")
    made = halve(path, tmp_path / "half")
    whole, half = checkpoint.load(path), checkpoint.load(made.manifest)
    kept = half.model.state_dict()
    for name, tensor in whole.model.state_dict().items():
        assert kept[name].dtype == tensor.dtype
        assert torch.equal(kept[name], tensor.half().float() if tensor.ndim > 1 else tensor), name
    assert {tensor.dtype for tensor in load_file(tmp_path / "half" / "best.safetensors").values()} == {
        torch.float16, torch.float32, torch.int64,
    }  # fmt: skip
    assert 0.5 < made.size / made.size_before < 0.55
    assert half.checkpoint.metrics == ()  # they were measured before
    assert half.checkpoint.spec == whole.checkpoint.spec
    assert half.checkpoint.dataset_sha256 == whole.checkpoint.dataset_sha256
    assert whole.checkpoint.metrics != ()


def test_a_weight_beyond_float16_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = saved(tmp_path / "whole", scale=1e6)
    with pytest.raises(CheckpointError, match=r"is beyond float16: .*65504"):
        halve(path, tmp_path / "half")
    assert [entry.name for entry in tmp_path.iterdir()] == ["whole"]


def test_the_command_says_what_it_made_and_never_replaces_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path / "whole").relative_to(tmp_path)
    assert run(["halve", str(path.with_suffix(".safetensors")), "--output", "half", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == "half/best.json"
    assert told["bytes"] == (tmp_path / "half" / "best.safetensors").stat().st_size
    for folder in ("half", "whole"):
        assert run(["halve", str(path), "--output", folder]) == 1
        assert capsys.readouterr().err == f"error: the output is there already: {folder}; allowed: a new folder\n"
    assert run(["halve", "none.json", "--output", "other"]) == 1
    assert "no such checkpoint: none.json" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_training_begins_with_a_halved_checkpoint(tmp_path: Path) -> None:
    from tinyml.trainer.transfer import Initialized, read_foreign

    made = halve(saved(tmp_path / "whole"), tmp_path / "half")
    config = TrainConfig(model="resnet20", recipe="test", data="colors")
    network = Initialized(foreign=read_foreign(made.manifest)).network(config, ("a", "b", "c"))
    half = checkpoint.load(made.manifest).model.state_dict()
    assert all(torch.equal(tensor, half[name]) for name, tensor in network.state_dict().items())
