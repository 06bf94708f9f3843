"""Halved checkpoints: the same network but for the rounding, whole or in parts, taken wherever a whole one is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tinyml.cli import run
from tinyml.errors import CheckpointError
from tinyml.evaluation.opening import open_model
from tinyml.schema import Metrics, Preprocess, TrainConfig
from tinyml.shards import weights_bytes
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import build
from tinyml.trainer.halving import halve
from tinyml.trainer.transfer import Initialized, read_foreign
from tinyml.workspace import Workspace


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
    made = halve(saved(tmp_path / "whole"), tmp_path / "half")
    config = TrainConfig(model="resnet20", recipe="test", data="colors")
    network = Initialized(foreign=read_foreign(made.manifest)).network(config, ("a", "b", "c"))
    half = checkpoint.load(made.manifest).model.state_dict()
    assert all(torch.equal(tensor, half[name]) for name, tensor in network.state_dict().items())


LARGEST = 150_000


def in_parts(folder: Path) -> Path:
    """The folder of a checkpoint in parts, its manifest best.json."""
    return halve(saved(folder / "whole"), folder / "parts", largest=LARGEST).manifest.parent


def test_parts_hold_what_the_whole_holds_and_none_is_too_large(tmp_path: Path) -> None:
    folder = in_parts(tmp_path)
    whole = halve(tmp_path / "whole" / "best.json", tmp_path / "half")
    parts = sorted(folder.glob("*.safetensors"))
    count = len(parts)
    assert count > 2
    assert [part.name for part in parts] == [f"best-{k:05}-of-{count:05}.safetensors" for k in range(1, count + 1)]
    assert all(part.stat().st_size <= LARGEST for part in parts)
    index = json.loads((folder / "best.safetensors.index.json").read_text())
    tensors = {name: tensor for part in parts for name, tensor in load_file(part).items()}
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in tensors.values())
    assert all(name in load_file(folder / file) for name, file in index["weight_map"].items())
    expected = checkpoint.load(whole.manifest).model.state_dict()
    for path in (folder / "best.json", folder / "best.safetensors.index.json"):
        found = checkpoint.load(path).model.state_dict()
        assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())
    (folder / "best.json").unlink()
    assert read_foreign(folder / "best.safetensors.index.json").tensors.keys() == expected.keys()


def test_what_fits_one_file_stays_one(tmp_path: Path) -> None:
    made = halve(saved(tmp_path / "whole"), tmp_path / "half", largest=10**9)
    assert sorted(path.name for path in made.manifest.parent.iterdir()) == ["best.json", "best.safetensors"]


def test_a_part_that_is_changed_missing_or_elsewhere_is_told(tmp_path: Path) -> None:
    folder = in_parts(tmp_path)
    index, first = folder / "best.safetensors.index.json", min(folder.glob("*.safetensors"))
    original, content = index.read_text(), first.read_bytes()
    first.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        CheckpointError, match=r"00001-of-\d+.safetensors is not what best.safetensors.index.json describes"
    ):
        checkpoint.load(folder / "best.json")
    first.unlink()
    with pytest.raises(CheckpointError, match=r"a part of the weights is missing: .*; index.json|names \d: bring all"):
        checkpoint.load(folder / "best.json")
    first.write_bytes(content)
    for broken, expected in (
        (original.replace(first.name, f"../{first.name}"), "points outside its own folder"),
        ("[]", "is no index of weights"),
        ('{"weight_map": {"a": 1}}', "is no index of weights"),
        ("{", "is not JSON"),
        (original.replace('"weight_map": {', '"weight_map": {"more": "' + first.name + '",'), "lacks a tensor"),
    ):
        index.write_text(broken)
        with pytest.raises(CheckpointError, match=expected) as caught:
            checkpoint.load(folder / "best.json")
        assert "\n" not in str(caught.value)
    index.write_text(original + " ")
    with pytest.raises(CheckpointError, match="is not what its manifest describes"):
        checkpoint.load(folder / "best.json")


def test_a_tensor_larger_than_a_part_is_refused_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(Path("whole"))
    assert run(["halve", "whole/best.json", "--output", "parts", "--shard-mb", "0.01"]) == 1
    assert "alone is larger than a part may be: '0.0184 MB'; allowed: at most 0.01 MB" in capsys.readouterr().err
    for value in ("0.0", "-1.0", "nan", "inf"):
        assert run(["halve", "whole/best.json", "--output", "parts", "--shard-mb", value]) == 2
        assert f"--shard-mb out of range: {value}; allowed: above 0" in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["whole"]


def test_every_size_counts_all_parts(tmp_path: Path) -> None:
    folder = in_parts(tmp_path)
    expected = sum(part.stat().st_size for part in folder.glob("*.safetensors"))
    assert weights_bytes(folder / "best.safetensors.index.json") == expected
    assert open_model(folder / "best.json").bytes == expected


def test_the_newest_checkpoint_is_one_whose_weights_are_there(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    halved = halve(saved(workspace.run("resnet20", "old").checkpoints), tmp_path / "half", largest=LARGEST).manifest
    parts = workspace.run("resnet20", "parts").checkpoints
    parts.parent.mkdir(parents=True)
    halved.parent.rename(parts)
    newest = saved(workspace.run("resnet20", "new").checkpoints)
    for seconds, path in enumerate((workspace.run("resnet20", "old").best, parts / "best.json", newest)):
        os.utime(path, (seconds, seconds))
    assert workspace.newest_checkpoint() == newest
    newest.with_suffix(".safetensors").unlink()
    assert workspace.newest_checkpoint() == parts / "best.json"
