"""Corruptions planted into real packages, each upstream bug rebuilt small: all of them fail the proof by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError
from tinyml.export.compression import compressions
from tinyml.export.coreml_weights import held, weights_of
from tinyml.export.encoding.coreml import store
from tinyml.export.encoding.forms import Form, Indices, Integers, Sparse
from tinyml.export.encoding.layers import Encoded, encoded
from tinyml.export.format import Metadata, formats
from tinyml.export.proof import Held, prove
from tinyml.export.size import stored_bits
from tinyml.export.source import Sources
from tinyml.export.variants import variants
from tinyml.export.weights import with_layers
from tinyml.quiet import coremltools, quiet
from tinyml.schema import LinearQuantization, Palettization, Preprocess, Pruning, Variant
from tinyml.trainer.architecture import build
from tinyml.trainer.checkpoint import spec_of

from .test_compression import LAYERS, W8, Small, block, grouped, palette, variant, written


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The network of the compression tests in float16, as coremltools holds it."""
    torch.manual_seed(0)
    path = written(Small().eval(), variant(), np.zeros((0, 1, 1, 3), np.uint8), tmp_path_factory.mktemp("plain"))
    with quiet():
        return coremltools().models.MLModel(str(path), skip_model_load=True)


def weights_in(model: Any) -> Held:
    package = open_package(model)
    return held(package, with_layers(weights_of(package), LAYERS))


@pytest.fixture(scope="module")
def source(model: Any) -> Held:
    return weights_in(model)


def stored(model: Any, row: Variant, layer: str, corrupt: Callable[[Any], Form]) -> Held:
    """The weights of the model as `row`, one layer's form corrupted before it is written."""
    weights = tuple(weight for weight, _ in weights_in(model))
    found = encoded(model, row, weights, None)
    name = next(weight.stored_name for weight in weights if weight.layer == layer)
    forms = dict(found.forms) | {name: corrupt(found.forms[name])}
    return weights_in(store(model, Encoded(forms=forms)))


def _shifted(form: Indices) -> Form:
    """Palettes read from the wrong place, https://github.com/apple/coremltools/issues/2716: cosine 0.03."""
    return replace(form, indices=np.roll(form.indices, 1))


def _reversed(form: Indices) -> Form:
    return replace(form, palettes=form.palettes[..., ::-1].copy())


def _unscaled(form: Indices) -> Form:
    """A layer whose channels were divided, and never multiplied again."""
    return replace(form, output_scale=None)


def _one_channel(form: Integers) -> Form:
    scale = form.scale.copy()
    scale[3] *= 1.25
    return replace(form, scale=scale)


def _rolled(form: Integers) -> Form:
    """Scales of the neighboring channels, as along a wrong axis."""
    return replace(form, scale=np.roll(form.scale, 1, axis=0))


def _one_level(form: Integers) -> Form:
    levels = form.levels.copy()
    levels.reshape(-1)[7] = -127
    return replace(form, levels=levels)


def _truncated(form: Integers) -> Form:
    """int8 levels of which only the lowest four bits arrive."""
    return replace(form, levels=(form.levels.astype(np.int8) << 4 >> 4).astype(np.int8))


def _other_zeros(form: Sparse) -> Form:
    """The largest weights dropped in place of the smallest."""
    kept = np.zeros_like(form.kept)
    order = np.abs(form.values).reshape(-1).argsort(kind="stable")
    kept.reshape(-1)[order[: int(form.kept.sum())]] = True
    return replace(form, kept=kept)


@pytest.mark.parametrize(
    ("kind", "corrupt"),
    [
        (palette(4), _shifted),
        (palette(4), _reversed),
        (grouped(4, 16), _shifted),
        (palette(4, per_channel_scale=True), _unscaled),
        (W8, _one_channel),
        (W8, _rolled),
        (W8, _one_level),
        (W8, _truncated),
        (block(4, 16), _rolled),
        (Pruning(sparsity=0.5), _other_zeros),
    ],
    ids=lambda value: getattr(value, "method", None) or value.__name__,
)
def test_a_corrupted_weight_is_named(
    model: Any, source: Held, kind: LinearQuantization | Palettization | Pruning, corrupt: Callable[[Any], Form]
) -> None:
    row = variant(kind)
    proof = prove(row, stored(model, row, "hidden", lambda form: form), source, "model")
    assert proof.weights == len(LAYERS)
    with pytest.raises(ArtifactError, match=r"does not hold its source's weights: .*1 of 5 weights: hidden: .*%"):
        prove(row, stored(model, row, "hidden", corrupt), source, "model")


def test_weights_that_were_divided_and_then_left_as_they_were(model: Any, source: Held, tmp_path: Path) -> None:
    """https://github.com/apple/coremltools/issues/2777."""
    torch.manual_seed(0)
    network = Small().eval()
    with torch.no_grad():
        network.hidden.weight /= network.hidden.weight.abs().amax(1, keepdim=True)
    row = variant(LinearQuantization(bits=8, overrides={"hidden": None}))
    path = written(network, row, np.zeros((0, 1, 1, 3), np.uint8), tmp_path)
    with pytest.raises(ArtifactError, match=r"1 of 5 weights: hidden: .* from its source"):
        prove(row, formats.get("coreml").held_weights(path), source, path.name)


def test_a_scale_behind_a_palette_that_crashes_at_load(model: Any, source: Held) -> None:
    """https://github.com/apple/coremltools/issues/2688: the option's chain of two ops is none of ours."""
    settings = coremltools().optimize.coreml
    op = settings.OpPalettizerConfig(
        nbits=4, granularity="per_grouped_channel", group_size=16, enable_per_channel_scale=True, weight_threshold=0
    )
    config = settings.OptimizationConfig(op_name_configs={}, global_config=op)
    with quiet(), np.errstate(all="ignore"):
        compressed = settings.palettize_weights(model, config)
    with pytest.raises(ArtifactError, match="should"):
        prove(variant(grouped(4, 16)), weights_in(compressed), source, "model")


def test_every_row_of_the_menu_has_a_size_that_its_kinds_give() -> None:
    from tinyml.export.size import expected_bytes

    network = Small()
    sizes = {name: expected_bytes(row, network) for name, row in variants.items()}
    assert sizes["coreml-fp32"] == 2 * sizes["coreml-fp16"]
    ordered = ["coreml-fp16", "coreml-w8", *(f"coreml-palette{bits}" for bits in ("6", "4", "2e8", "1e8"))]
    assert [sizes[name] for name in ordered] == sorted((sizes[name] for name in ordered), reverse=True)
    assert sizes["coreml-prune90"] < sizes["coreml-prune75"] < sizes["coreml-prune50"] < sizes["coreml-fp16"]


def test_what_quantizes_a_branched_network_is_proven(tmp_path: Path) -> None:
    # onnxruntime sorts the nodes of two branches anew, and turns the matrix of a Gemm round.
    torch.manual_seed(0)
    network = build("resnet20", 10).eval()
    spec = spec_of("resnet20", network, tuple(f"class {number}" for number in range(10)), Preprocess())
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts={"tinyml.version": "0"})
    pixels = np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    format_, sources = formats.get("onnx"), Sources(network, spec)
    rows = [variants.get(name) for name in variants.names() if variants.get(name).format == "onnx"]
    assert len(rows) >= 4
    for row in rows:
        path = tmp_path / f"{row.name}.onnx"
        format_.write(network, row, metadata, pixels, path)
        proof = prove(row, format_.held_weights(path), sources.of(row), path.name)
        assert proof.weights == 22, row.name


def test_weights_are_held_to_those_of_their_layer_whatever_the_order(model: Any, source: Held) -> None:
    row = variant(W8)
    good = stored(model, row, "hidden", lambda form: form)
    assert prove(row, good[::-1], source, "model").weights == len(LAYERS)
    lacking = r"other weights than its source: 'hidden \[.*\] 0 times in it, 1 times there'"
    with pytest.raises(ArtifactError, match=lacking):
        prove(row, [each for each in good if each[0].layer != "hidden"], source, "model")


def test_scales_behind_an_op_count_before_and_after_writing(model: Any, source: Held) -> None:
    row = variant(Palettization(bits=4, per_channel_scale=True))
    for weight, _ in stored(model, row, LAYERS[0], lambda form: form):
        if weight.op in ("conv", "linear"):
            demanded = compressions.get("palette").stored_as(row.compression[0], weight, row)
            assert demanded is not None
            assert weight.encodings == (demanded,)
            assert demanded.behind == {"conv": 4, "linear": 2}[weight.op] * weight.shape[0]
            plain = stored_bits([replace(demanded, behind=0)], weight.shape, "fp16")
            assert stored_bits([demanded], weight.shape, "fp16") == plain + 16 * demanded.behind
