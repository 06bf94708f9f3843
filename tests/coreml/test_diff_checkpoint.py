"""`tinyml diff` of packages against the checkpoint that they were exported from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tinyml.cli import run
from tinyml.trainer import checkpoint
from tinyml.workspace import read_artifact

from ..conftest import TrainedResults


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Noise, 64 by 64."""
    path = tmp_path / "noise.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    return path


def _diff(capsys: pytest.CaptureFixture[str], a: Path, b: Path, image: Path, *more: str) -> Any:
    assert run(["diff", str(a), str(b), "--image", str(image), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


# Half precision keeps 11 bits, so a value of one rounding has about 70 dB and a dozen layers lose 20 of them; 8-bit
# weights are 8 bits of each channel's largest.
@pytest.mark.parametrize(("variant", "floor_db"), [("coreml-fp16", 50.0), ("coreml-w8", 30.0)])
def test_a_package_is_close_to_its_checkpoint_at_every_op(
    variant: str,
    floor_db: float,
    trained_results: TrainedResults,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, package = read_artifact(trained_results.artifacts[variant])
    plot = tmp_path / "diff.png"
    document = _diff(capsys, trained_results.checkpoint, package, picture, "--plot", str(plot))
    assert document["converted"] == [str(trained_results.checkpoint)]
    # All but the label and the dictionary of probabilities, which are no tensors.
    assert len(document["differences"]) == document["values"] - 2
    by_position = sorted(document["differences"], key=lambda item: item["position"])
    assert [by_position[0]["name"], by_position[-1]["name"]] == ["image", "class_probabilities"]
    assert by_position[0]["largest"] == 0.0
    assert by_position[-1]["largest"] < 0.05
    assert all(item["psnr_db"] is None or item["psnr_db"] > floor_db for item in by_position)
    assert max(item["largest"] for item in by_position) > 0.0
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("layer", [2, 4, -1])
@pytest.mark.parametrize("faulty_side", ["a", "b"])
def test_a_changed_weight_shows_where_it_is(
    faulty_side: str,
    layer: int,
    trained_results: TrainedResults,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    faulty = _with_a_fault(trained_results.checkpoint, tmp_path / "faulty", layer)
    _, package = read_artifact(trained_results.artifacts["coreml-fp16"])
    pair = (faulty, package) if faulty_side == "a" else (package, faulty)
    document = _diff(capsys, *pair, picture)
    ordered = sorted(document["differences"], key=lambda item: item["position"])
    at = [item for item in ordered if item["kind"] in ("conv", "linear")][layer]
    assert document["steepest"] == at["name"]
    assert all(item["psnr_db"] is None or item["psnr_db"] > 50 for item in ordered if item["position"] < at["position"])
    assert document["differences"][0]["psnr_db"] <= at["psnr_db"] < 40
    assert document["differences"][0]["position"] >= at["position"]


def test_output_says_which_side_was_converted(
    trained_results: TrainedResults, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, package = read_artifact(trained_results.artifacts["coreml-fp16"])
    weights = trained_results.checkpoint.with_suffix(".safetensors")
    assert run(["diff", str(package), str(weights), "--image", str(picture)]) == 0
    captured = capsys.readouterr()
    assert f"b: the checkpoint {weights}, converted to a Core ML program in float32" in captured.out
    assert "a: " not in captured.out


def _with_a_fault(manifest: Path, folder: Path, layer: int) -> Path:
    """A copy of a checkpoint in which one weight of a layer is twenty times as large as its largest."""
    loaded = checkpoint.load(manifest)
    record = loaded.checkpoint
    layers = [module for module in loaded.model.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)]
    with torch.no_grad():
        weight = layers[layer].weight
        weight.view(-1)[0] = 20 * weight.abs().max()
    return checkpoint.save(
        folder,
        "faulty",
        loaded.model,
        spec=record.spec,
        config=record.config,
        dataset_sha256=record.dataset_sha256,
        epoch=record.epoch,
    )
