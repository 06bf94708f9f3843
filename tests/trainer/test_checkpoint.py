"""Checkpoints: what is saved is loaded, and everything else is refused in one line, without unpickling."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tinyml.errors import CheckpointError, ManifestError, TinyMLError, UnknownNameError, UsageError
from tinyml.schema import Checkpoint, Metrics, Preprocess, TrainConfig
from tinyml.store import file_sha256, read_json, write_json
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import build


@pytest.fixture
def manifest(tmp_path: Path, tiny: str) -> Path:
    torch.manual_seed(0)
    model = build(tiny, 3)
    return checkpoint.save(
        tmp_path / "checkpoints",
        "best",
        model,
        spec=checkpoint.spec_of(tiny, model, ("a", "b", "c"), Preprocess()),
        config=TrainConfig(model=tiny, recipe="test", data="colors", limit=5),
        dataset_sha256="0" * 64,
        epoch=4,
        metrics=(Metrics(split="val", top1=0.5, top5=1.0, images=2, total=2),),
    )


@pytest.mark.parametrize("ending", [".json", ".safetensors"])
def test_round_trip(manifest: Path, ending: str) -> None:
    loaded = checkpoint.load(manifest.with_suffix(ending))
    torch.manual_seed(0)
    saved = build("tiny", 3)
    assert not loaded.model.training
    assert all(torch.equal(a, b) for a, b in zip(loaded.model.parameters(), saved.parameters(), strict=True))
    assert all(p.requires_grad for p in loaded.model.parameters())
    assert loaded.manifest == manifest
    assert loaded.checkpoint.epoch == 4
    assert loaded.checkpoint.spec.labels == ("a", "b", "c")
    assert loaded.checkpoint.provenance.limit == 5
    assert "torch" in loaded.checkpoint.provenance.packages
    assert {p.name for p in manifest.parent.iterdir()} == {"best.json", "best.safetensors"}


def _edited(manifest: Path, **changes: object) -> None:
    record = read_json(manifest, Checkpoint).model_dump()
    for key, value in changes.items():
        if isinstance(value, dict):
            record[key].update(value)
        else:
            record[key] = value
    manifest.write_text(json.dumps(record))


def _rehashed(manifest: Path, weights: bytes | None = None, **tensors: torch.Tensor) -> None:
    """Replaces the weights, and the hash in the manifest with theirs."""
    path = manifest.with_suffix(".safetensors")
    if weights is None:
        save_file(tensors, path)
    else:
        path.write_bytes(weights)
    record = read_json(manifest, Checkpoint)
    write_json(manifest, record.model_copy(update={"sha256": file_sha256(path)}))


def _weights(manifest: Path) -> dict[str, torch.Tensor]:
    return dict(checkpoint.load(manifest).model.state_dict())


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('unpickled')",))


MISTAKES: dict[str, tuple[Callable[[Path], object], type[TinyMLError], str]] = {
    "missing weights": (
        lambda m: m.with_suffix(".safetensors").unlink(),
        CheckpointError,
        "without its weights.*again: ",
    ),
    "empty weights": (lambda m: _rehashed(m, b""), CheckpointError, "is empty"),
    "truncated weights": (
        lambda m: _rehashed(m, m.with_suffix(".safetensors").read_bytes()[:-7]),
        CheckpointError,
        "truncated or no safetensors",
    ),
    "truncated header": (
        lambda m: _rehashed(m, m.with_suffix(".safetensors").read_bytes()[:5]),
        CheckpointError,
        "truncated or no safetensors",
    ),
    "absurd header": (lambda m: _rehashed(m, struct.pack("<Q", 1 << 60) + b"{}"), CheckpointError, "truncated or no"),
    "changed weights": (
        lambda m: save_file(
            {k: v + 1 for k, v in _weights(m).items()}, m.with_suffix(".safetensors"), metadata={"format": "pt"}
        ),
        CheckpointError,
        "not what its manifest describes",
    ),
    "pickle as weights": (lambda m: _rehashed(m, pickle.dumps(Bomb())), CheckpointError, "never loaded"),
    "torch.save as weights": (
        lambda m: torch.save({"bomb": Bomb()}, m.with_suffix(".safetensors")),
        CheckpointError,
        "never loaded",
    ),
    "other weights": (lambda m: _rehashed(m, None, other=torch.zeros(2)), CheckpointError, "lacks classifier.bias"),
    "one tensor more": (
        lambda m: _rehashed(m, None, **_weights(m), more=torch.zeros(1)),
        CheckpointError,
        "unknown tensor more",
    ),
    "another shape": (
        lambda m: _rehashed(m, None, **{**_weights(m), "classifier.bias": torch.zeros(4)}),
        CheckpointError,
        r"classifier.bias is \(4,\) float32, not \(3,\)",
    ),
    "another type": (
        lambda m: _rehashed(m, None, **{**_weights(m), "classifier.bias": torch.zeros(3, dtype=torch.float64)}),
        CheckpointError,
        "float64",
    ),
    "wrong parameter count": (lambda m: _edited(m, spec={"parameters": 7}), CheckpointError, "number of parameters"),
    "another architecture": (lambda m: _edited(m, spec={"architecture": "vgg"}), CheckpointError, "hold a vgg of 3"),
    "unknown architecture": (lambda m: _edited(m, spec={"architecture": "lenet"}), UnknownNameError, "lenet"),
    "outside its folder": (lambda m: _edited(m, path="../best.safetensors"), CheckpointError, "outside its own folder"),
    "not JSON": (lambda m: m.write_text("weights"), ManifestError, "not JSON"),
    "unknown key": (lambda m: _edited(m, extra=1), ManifestError, "extra"),
    "another kind": (lambda m: _edited(m, kind="artifact"), ManifestError, "not a checkpoint file"),
    "newer schema": (lambda m: _edited(m, schema_version="9.0"), ManifestError, "newer tinyml"),
    "missing manifest": (lambda m: m.unlink(), CheckpointError, "no such checkpoint"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_refused_in_one_line(manifest: Path, mistake: str) -> None:
    damage, kind, message = MISTAKES[mistake]
    damage(manifest)
    with pytest.raises(kind, match=message) as caught:
        checkpoint.load(manifest)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.PKL", "model.bin"])
def test_names_of_pickles_are_refused_unopened(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="never loaded"):
        checkpoint.load(tmp_path / name)


def test_foreign_files(tmp_path: Path, manifest: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(CheckpointError, match="not a checkpoint of tinyml"):
        checkpoint.load(tmp_path / "notes.txt")
    (tmp_path / "model").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match="a pickle is no checkpoint"):
        checkpoint.load(tmp_path / "model")
    with pytest.raises(CheckpointError, match="not a folder"):
        checkpoint.load(manifest.parent)
    manifest.unlink()
    with pytest.raises(CheckpointError, match="no manifest of tinyml beside"):
        checkpoint.load(manifest.with_suffix(".safetensors"))


def test_a_folder_that_is_a_file(tmp_path: Path, tiny: str) -> None:
    (tmp_path / "results").write_text("")
    model = build(tiny, 2)
    with pytest.raises(UsageError, match=r"a file, where a folder is needed: .*results; name another place"):
        checkpoint.save(
            tmp_path / "results" / "tiny",
            "best",
            model,
            spec=checkpoint.spec_of(tiny, model, ("a", "b"), Preprocess()),
            config=TrainConfig(model=tiny, recipe="test", data="colors"),
            dataset_sha256="0" * 64,
        )


def test_what_the_system_refuses_to_write_is_told_with_what_to_do(tmp_path: Path, tiny: str) -> None:
    model = build(tiny, 2)
    with pytest.raises(CheckpointError, match="cannot write") as caught:
        checkpoint.save(
            tmp_path,
            "x" * 256,
            model,
            spec=checkpoint.spec_of(tiny, model, ("a", "b"), Preprocess()),
            config=TrainConfig(model=tiny, recipe="test", data="colors"),
            dataset_sha256="0" * 64,
        )
    assert "--results" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
