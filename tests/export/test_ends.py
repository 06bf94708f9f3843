"""The first and the last layer at more bits than the others, and plans that round as uniform variants do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.export.test_compression import LAYERS, PREPROCESS, Small, written
from tinyml.export.compression import compressions, name_of
from tinyml.export.encoding.reach import FARTHEST, rounded_within
from tinyml.export.encoding.rounding import rounded
from tinyml.export.encoding.statistics import hessian
from tinyml.export.ends import ends_of, with_ends
from tinyml.export.format import formats
from tinyml.export.proof import prove
from tinyml.export.size import meta_network
from tinyml.export.source import Sources
from tinyml.export.variants import variants
from tinyml.export.weights import Weight
from tinyml.schema import Compression, LinearSettings, ModelSpec, PaletteSettings, Palettization, Variant
from tinyml.trainer.architecture import architectures

COARSE = Palettization(bits=2, rounding="compensated")


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 16, 16, 3), dtype=np.uint8)


def named(*kinds: Compression) -> Variant:
    bare = variants.get("coreml-fp16").model_copy(update={"compression": kinds, "minimum_target": "iOS18"})
    return bare.model_copy(update={"name": name_of(bare)})


@pytest.mark.parametrize("name", list(architectures))
def test_the_ends_of_every_architecture_see_colors_and_name_classes(name: str) -> None:
    network = meta_network(name, 7)
    first, last = map(network.get_submodule, ends_of(network))
    assert isinstance(first, nn.Conv2d)
    assert first.in_channels == 3
    assert isinstance(last, nn.Linear)
    assert last.out_features == 7


@pytest.mark.parametrize("name", ["coreml-palette1g16e8", "coreml-palette2se8", "coreml-w2g32e8"])
def test_a_menu_row_of_few_bits_keeps_its_ends(
    name: str, network: nn.Module, images: np.ndarray, tmp_path: Path
) -> None:
    row = with_ends(variants.get(name), ends_of(network))
    path = written(network, row, images, tmp_path)
    found = {weight.layer: weight.encodings[-1] for weight in formats.get("coreml").stored_weights(path)}
    assert tuple(found) == LAYERS
    assert {found[end].dtype.lstrip("uint") for end in ("stem.0", "classifier")} == {"8"}
    bits = re.sub(r"\D+(\d).*", r"\1", name)
    assert {found[layer].dtype.lstrip("uint") for layer in LAYERS[1:-1]} == {bits}
    held = formats.get("coreml").held_weights(path)
    source = Sources(
        network, ModelSpec(architecture="small", parameters=1, labels=tuple("abcdefghij"), preprocess=PREPROCESS)
    )
    assert prove(row, held, source.of(row), path.name).weights == len(LAYERS)


def test_what_is_overridden_already_stays() -> None:
    kind = variants.get("coreml-palette2e8").compression[0]
    mine = kind.model_copy(update={"overrides": {"stem.0": None}})
    (found,) = with_ends(named(mine), ("stem.0", "head")).compression
    assert found.overrides == {"stem.0": None, "head": PaletteSettings(bits=8)}
    (linear,) = with_ends(variants.get("coreml-w2g32e8"), ("stem.0", "head")).compression
    assert linear.overrides == dict.fromkeys(("stem.0", "head"), LinearSettings(bits=8))
    assert with_ends(variants.get("coreml-w4"), ("stem.0", "head")) == variants.get("coreml-w4")


def test_a_plan_that_names_its_layers_rounds_as_one_for_all(
    network: nn.Module, images: np.ndarray, tmp_path: Path
) -> None:
    weights = []
    for overrides in ({}, {"classifier": PaletteSettings(bits=2)}):
        folder = tmp_path / str(len(overrides))
        folder.mkdir()
        row = named(COARSE.model_copy(update={"overrides": overrides}))
        weights.append(formats.get("coreml").held_weights(written(network, row, images, folder)))
    for (weight, one), (_, other) in zip(*weights, strict=True):
        assert np.array_equal(one, other), weight.layer


def test_a_fine_layer_behind_coarse_ones_makes_up_for_as_much_as_it_may() -> None:
    torch.manual_seed(0)
    before = torch.randn(600, 40) @ torch.randn(40, 40)
    now = before + 0.7 * torch.randn(600, 40) @ torch.randn(40, 40)
    values = torch.randn(8, 40).numpy()
    products = hessian("linear", {"x": now, "weight": values}, {"x": before, "weight": values})
    assert products is not None
    weight = Weight(
        layer="head",
        op_name="head",
        stored_name="head",
        op="linear",
        shape=(8, 40),
        dtype="fp32",
        output_axis=0,
        input_axis=1,
    )
    kinds = [(compressions.get("linear"), LinearSettings(bits=8))]
    found = rounded_within(values, weight, kinds, half=False, hessian=products)
    plain, free = (rounded(values, weight, kinds, half=False, hessian=each) for each in (None, products))
    assert found is not None
    assert plain is not None
    assert free is not None

    def far(made: np.ndarray) -> float:
        return float(np.linalg.norm(made - values))

    def lost(made: np.ndarray) -> float:
        return float(np.linalg.norm(now.numpy() @ made.T - before.numpy() @ values.T))

    assert far(free.values) > FARTHEST * far(plain.values) > far(found[0].values)
    assert lost(free.values) < lost(found[0].values) < lost(plain.values)
