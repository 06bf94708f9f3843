"""Every kind of compression on a small network: converted for real, saved, read back, and held to what it says."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from tinyml.errors import ArtifactError, UsageError
from tinyml.evaluation.runtime import SPEC_KEY
from tinyml.export.choice import quantizations
from tinyml.export.compression import check, check_weights, compressions, name_of
from tinyml.export.format import Metadata, formats
from tinyml.export.variants import variants
from tinyml.export.weights import Encoding, Weight, fitting, with_layers
from tinyml.schema import (
    ActivationQuantization,
    Compression,
    LinearQuantization,
    LinearSettings,
    ModelSpec,
    PaletteSettings,
    Palettization,
    Preprocess,
    PruneSettings,
    Pruning,
    SparsityPattern,
    Variant,
)
from tinyml.store import file_sha256
from tinyml.trainer.predictor import network_input

PREPROCESS = Preprocess(input_size=16, resize=16)
LAYERS = ("stem.0", "conv", "depthwise", "hidden", "classifier")
"""A folded BatchNorm, 3 input channels, 1 input channel, a folded addition, output channels that no group divides."""


class Small(nn.Module):
    """A branch, and weights of the shapes that converters decline."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.conv = nn.Conv2d(16, 64, 3, padding=1)
        assert self.conv.bias is not None
        self.depthwise = nn.Conv2d(64, 64, 3, padding=1, groups=64)
        assert self.depthwise.bias is not None
        self.hidden = nn.Linear(64, 48)
        self.shift = nn.Parameter(torch.randn(1, 48))
        self.classifier = nn.Linear(48, 10)
        nn.init.zeros_(self.conv.bias)  # converters store equal biases once, for ops that are compressed differently
        nn.init.zeros_(self.depthwise.bias)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = torch.relu(self.conv(self.stem(images)))
        found = (found + self.depthwise(found)).mean((2, 3))
        logits: Tensor = self.classifier(torch.relu(self.hidden(found) + self.shift))
        return logits


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Blocks of color, so that the answers differ from image to image."""
    blocks = np.random.default_rng(0).integers(0, 256, (32, 2, 2, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=1).repeat(8, axis=2)


Export = Callable[[Variant], Path]


@pytest.fixture
def export(network: nn.Module, images: np.ndarray, tmp_path: Path) -> Export:
    """Writes the network as a variant, into a folder of its own."""
    return lambda row: written(network, row, images, tmp_path)


def written(network: nn.Module, row: Variant, images: np.ndarray, folder: Path) -> Path:
    """The path of `network`, written as `row`."""
    count = sum(parameter.numel() for parameter in network.parameters())
    labels = tuple(f"class {i}" for i in range(10))
    spec = ModelSpec(architecture="small", parameters=count, labels=labels, preprocess=PREPROCESS)
    facts = {SPEC_KEY: spec.model_dump_json(), "tinyml.version": "0"}
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
    path = folder / f"{row.name}{formats.get(row.format).suffix}"
    formats.get(row.format).write(network, row, metadata, images, path)
    return path


def variant(*kinds: Compression, target: str | None = "iOS18", format_: str = "coreml") -> Variant:
    """A variant of these kinds."""
    base = variants.get("coreml-fp16" if format_ == "coreml" else "onnx-fp32")
    bare = base.model_copy(update={"compression": kinds, "minimum_target": target})
    return bare.model_copy(update={"name": name_of(bare)})


def block(bits: int, size: int) -> LinearQuantization:
    return LinearQuantization.model_validate({"bits": bits, "granularity": "per_block", "block_size": size})


def palette(bits: int, **settings: object) -> Palettization:
    return Palettization.model_validate({"bits": bits, **settings})


def grouped(bits: int, size: int, **settings: object) -> Palettization:
    return palette(bits, granularity="per_grouped_channel", group_size=size, **settings)


W8T = LinearQuantization(bits=8, granularity="per_tensor")
W8, W4 = LinearQuantization(bits=8), LinearQuantization(bits=4)
A8 = ActivationQuantization(percentile=99.9, images=32)
A8S = ActivationQuantization(symmetric=True, images=32)
PRUNE75, PRUNE2OF4 = Pruning(sparsity=0.75), Pruning(pattern=SparsityPattern(zeros=2, of=4))

# The relative error of the logits against torch, of the network pruned by torch where the variant prunes: at most 1.6
# times what was measured. Untrained weights are evenly spread, as hard as weights get; an answer that has nothing to do
# with torch's has an error of about 1.
FP16, BITS8, BITS4 = 0.002, 0.006, 0.12
TIES = 0.01  # coremltools finds the threshold in fp16, where it takes a few weights more that are as small
PALETTE = {1: 0.5, 2: 0.2, 3: 0.15, 4: 0.065, 6: 0.015, 8: 0.0018}


MENU: list[tuple[Variant, str, float]] = [
    (variant(W8, target="iOS16"), "coreml-w8", BITS8),
    (variant(W8), "coreml-w8", BITS8),
    (variant(LinearQuantization(bits=8, symmetric=False), target="iOS16"), "coreml-w8z", BITS8),
    (variant(LinearQuantization(bits=8, granularity="per_tensor"), target="iOS16"), "coreml-w8t", BITS8),
    (variant(W4), "coreml-w4n", BITS4),
    (variant(LinearQuantization(bits=4, symmetric=False)), "coreml-w4zn", BITS4),
    (variant(block(4, 32)), "coreml-w4g32n", BITS4),
    (variant(block(8, 16)), "coreml-w8g16", BITS8),
    *((variant(palette(bits), target="iOS16"), f"coreml-palette{bits}n", PALETTE[bits]) for bits in (1, 2, 4, 6, 8)),
    *((variant(palette(bits)), f"coreml-palette{bits}n", PALETTE[bits]) for bits in PALETTE),
    (variant(grouped(4, 16)), "coreml-palette4g16n", PALETTE[4]),
    (variant(grouped(2, 8)), "coreml-palette2g8n", 1.2 * PALETTE[2]),
    (variant(palette(4, per_channel_scale=True)), "coreml-palette4sn", 1.4 * PALETTE[4]),
    (variant(grouped(3, 8, per_channel_scale=True)), "coreml-palette3g8sn", 1.3 * PALETTE[3]),
    (variant(Pruning(sparsity=0.5), target="iOS16"), "coreml-prune50n", FP16),
    (variant(PRUNE75), "coreml-prune75n", TIES),
    (variant(PRUNE2OF4, target="iOS16"), "coreml-prune2of4n", FP16),
    (variant(PRUNE2OF4), "coreml-prune2of4n", FP16),
    (variant(PRUNE75, W8), "coreml-prune75-w8n", TIES),
    (variant(PRUNE75, block(4, 32)), "coreml-prune75-w4g32n", BITS4),
    (variant(PRUNE2OF4, W8), "coreml-prune2of4-w8n", BITS8),
    (variant(PRUNE75, palette(4)), "coreml-prune75-palette4n", PALETTE[4]),
    (variant(Pruning(sparsity=0.5), grouped(4, 16)), "coreml-prune50-palette4g16n", PALETTE[4]),
    (variant(W8, A8, target="iOS17"), "coreml-w8a8", 0.02),
    (variant(W8, A8S), "coreml-w8a8s", 0.02),
    (variant(LinearQuantization(bits=2)), "coreml-w2n", 0.5),
    (variant(block(2, 32)), "coreml-w2g32n", 0.5),
    (variant(W8T, ActivationQuantization(dynamic=True), target=None, format_="onnx"), "onnx-w8ta8d", 0.02),
    (variant(W8, A8, target=None, format_="onnx"), "onnx-w8a8", 0.013),
    (variant(W8, A8S, target=None, format_="onnx"), "onnx-w8a8s", 0.011),
]


def pruned(network: nn.Module, kind: Compression | None) -> nn.Module:
    """`network` with the weights that `kind` prunes set to zero by torch."""
    network = copy.deepcopy(network)
    if not isinstance(kind, Pruning):
        return network
    with torch.no_grad():
        for layer in LAYERS:
            weight = network.get_submodule(layer).weight
            assert isinstance(weight, Tensor)
            if kind.sparsity is not None:
                smallest = weight.abs().flatten().argsort()[: round(kind.sparsity * weight.numel())]
                weight.view(-1)[smallest] = 0
            elif layer in ("conv", "hidden", "classifier"):
                rows = weight.movedim(1, -1)
                groups = rows.reshape(-1, 4).clone()
                groups.scatter_(1, groups.abs().argsort(1)[:, :2], 0)
                weight.copy_(groups.reshape(rows.shape).movedim(-1, 1))
    return network


@pytest.mark.parametrize(("row", "name", "bound"), MENU, ids=[f"{row.name}-{row.minimum_target}" for row, _, _ in MENU])
def test_a_kind_is_stored_as_it_says_and_computes_what_torch_computes(
    row: Variant, name: str, bound: float, export: Export, network: nn.Module, images: np.ndarray
) -> None:
    assert row.name == name
    check(row)
    path = export(row)
    format_ = formats.get(row.format)
    weights = format_.stored_weights(path)
    assert tuple(weight.layer for weight in weights) == LAYERS
    plain = check_weights(row, weights, path.name)
    patterned = row.compression[0] == PRUNE2OF4
    assert plain == (("stem.0", "depthwise") if patterned and len(row.compression) == 1 else ())
    with torch.inference_mode():
        expected = pruned(network, next(iter(row.compression), None))(network_input(images, PREPROCESS)).numpy()
    found = format_.open(path).run(images).logits
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) <= bound


class Joined(nn.Module):
    """A loud and a quiet branch, joined and then made equally loud, as in every layer of DenseNet."""

    def __init__(self) -> None:
        super().__init__()
        self.loud, self.quiet = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(16, momentum=None)
        self.mix = nn.Conv2d(16, 32, 1)
        self.classifier = nn.Linear(32, 10)
        with torch.no_grad():
            for parameter in self.quiet.parameters():
                parameter.mul_(1 / 200)

    def forward(self, images: Tensor) -> Tensor:
        joined = torch.cat([self.loud(images), self.quiet(images)], 1)
        logits: Tensor = self.classifier(self.mix(torch.relu(self.norm(joined))).mean((2, 3)))
        return logits


def test_what_is_joined_keeps_scales_of_its_own(images: np.ndarray, tmp_path: Path) -> None:
    """One scale for both would round the quiet branch to two or three values: an error of 0.37 here."""
    torch.manual_seed(0)
    network = Joined()
    pixels = network_input(images, PREPROCESS)
    with torch.inference_mode():
        network.train()(pixels)
        expected = network.eval()(pixels).numpy()
    row = variant(W8, A8, target=None, format_="onnx")
    found = formats.get("onnx").open(written(network, row, images, tmp_path)).run(images).logits
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) <= 0.015


OFFERED = {
    "coreai-fp16": FP16,
    "coreai-fp32": 1e-5,
    "coreai-palette2e8": 0.016,
    "coreml-fp16": FP16,
    "coreml-fp32": 1e-5,
    "coreml-palette1e8": 0.04,
    "coreml-palette1g16e8": 0.04,
    "coreml-palette1se8": 0.04,
    "coreml-palette2e8": 0.016,
    "coreml-palette2g16e8": 0.016,
    "coreml-palette2se8": 0.016,
    "coreml-palette3": 0.0065,
    "coreml-palette3g16": 0.0068,
    "coreml-palette3s": 0.0065,
    "coreml-w2e8": 0.027,
    "coreml-w2g32e8": 0.025,
    "coreml-w2ze8": 0.025,
    "onnx-fp16": FP16,
    "onnx-fp32": 1e-5,
    "onnx-w8a8": 0.013,
    "onnx-w8ta8d": 0.0071,
}
"""The bounds of the rows as they are offered, found as those above; of what is not named, that of 8 bits."""


@pytest.mark.parametrize("name", variants.names())
def test_every_row_of_the_menu_computes_what_torch_computes(
    name: str, export: Export, network: nn.Module, images: np.ndarray
) -> None:
    """As it is offered: with the rounding that is usual for its bits. What it prunes is not held to torch here.

    Pruned, the weights that remain make up for the others, and an untrained network has no weights to spare.
    """
    row = variants.get(name)
    format_ = formats.get(row.format)
    if reason := format_.available():
        pytest.skip(reason)
    path = export(row)
    check_weights(row, format_.stored_weights(path), path.name)
    with torch.inference_mode():
        expected = network(network_input(images, PREPROCESS)).numpy()
    found = format_.open(path).run(images).logits
    if any(kind.method == "prune" for kind in row.compression):
        assert np.isfinite(found).all()
    else:
        assert np.linalg.norm(found - expected) / np.linalg.norm(expected) <= OFFERED.get(name, BITS8)


COMPENSATED = [
    (W4, 12),
    (LinearQuantization(bits=2), 10),
    (block(2, 32), 10),
    (palette(2), 5),
    (grouped(1, 16), 5),
    (palette(3, per_channel_scale=True), 5),
    (PRUNE75, 3),
    (PRUNE2OF4, 3),
]
"""How many times smaller the error becomes at least where weights make up for each other's errors."""


@pytest.mark.parametrize(
    ("kind", "times"), COMPENSATED, ids=lambda value: "" if isinstance(value, int) else name_of(variant(value))
)
def test_weights_that_make_up_for_each_others_errors(
    kind: LinearQuantization | Palettization | Pruning,
    times: float,
    export: Export,
    network: nn.Module,
    images: np.ndarray,
) -> None:
    with torch.inference_mode():
        expected = network(network_input(images, PREPROCESS)).numpy()
    errors = []
    for rounding in ("nearest", "compensated"):
        row = variant(kind.model_copy(update={"rounding": rounding}))
        path = export(row)
        check_weights(row, formats.get("coreml").stored_weights(path), path.name)
        errors.append(np.linalg.norm(formats.get("coreml").open(path).run(images).logits - expected))
    assert times * errors[1] <= errors[0]


def test_the_menu_above_has_every_kind_and_every_row_of_the_export_menu_its_name() -> None:
    assert {kind.method for row, _, _ in MENU for kind in row.compression} == set(compressions)
    for name, row in variants.items():
        assert name_of(row) == name
        check(row)


def test_a_smaller_file_for_fewer_bits(export: Export) -> None:
    sizes = [
        sum(file.stat().st_size for file in export(row).rglob("*.bin"))
        for row in (variant(), variant(W8), variant(palette(4)), variant(palette(1)))
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.45 * sizes[0]


@pytest.mark.parametrize(
    "kind",
    [palette(4), grouped(3, 8, per_channel_scale=True), PRUNE75, palette(2, rounding="compensated")],
    ids=lambda kind: f"{kind.method}-{kind.rounding}",
)
def test_the_same_network_gives_the_same_weights(kind: Compression, export: Export, tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        path = export(variant(kind))
        found.append(file_sha256(path / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"))
        shutil.rmtree(path)
    assert found[0] == found[1]


def test_fewer_different_weights_than_a_palette_has_values_are_kept_as_they_are(
    images: np.ndarray, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    network = Small().eval()
    with torch.no_grad():
        for layer in LAYERS:
            weight = network.get_submodule(layer).weight
            assert isinstance(weight, Tensor)
            weight.copy_(weight.sign() / 8)
    with torch.inference_mode():
        expected = network(network_input(images, PREPROCESS)).numpy()
    path = written(network, variant(palette(4)), images, tmp_path)
    found = formats.get("coreml").open(path).run(images).logits
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) <= FP16


def test_overrides_hold_for_the_layers_that_they_name(export: Export) -> None:
    row = variant(
        LinearQuantization(bits=4, overrides={"stem.0": None, "classifier": LinearSettings(bits=8, symmetric=False)})
    )
    path = export(row)
    weights = {weight.layer: weight for weight in formats.get("coreml").stored_weights(path)}
    assert check_weights(row, list(weights.values()), "model") == ("stem.0",)
    assert [weights[layer].encodings[0].dtype for layer in LAYERS[1:]] == ["int4", "int4", "int4", "uint8"]
    with pytest.raises(ArtifactError, match=r"classifier: linear of uint8, not int4"):
        check_weights(variant(W4), list(weights.values()), "model")


def test_kinds_mix_layer_by_layer(export: Export) -> None:
    """Sparse and palettized, sparse alone, and a palette alone, in one model."""
    pruned = Pruning(sparsity=0.5, overrides={"hidden": PruneSettings(sparsity=0.9), "classifier": None})
    palettes = palette(4, overrides={"conv": None, "classifier": PaletteSettings(bits=6)})
    row = variant(pruned, palettes)
    weights = formats.get("coreml").stored_weights(export(row))
    check_weights(row, weights, "model")
    methods = {weight.layer: [encoding.method for encoding in weight.encodings] for weight in weights}
    assert methods["conv"] == ["prune"]
    assert methods["classifier"] == ["palette"]
    assert methods["hidden"] == ["prune", "palette"]


def test_an_override_in_onnx_leaves_the_layer_in_float(export: Export) -> None:
    quantized = ActivationQuantization(images=32, overrides={"classifier": None})
    row = variant(W8, quantized, target=None, format_="onnx")
    weights = formats.get("onnx").stored_weights(export(row))
    assert check_weights(row, weights, "model") == ("classifier",)


def test_a_layer_that_is_none_is_refused_with_those_that_are(export: Export) -> None:
    with pytest.raises(
        UsageError, match=r"does not have: 'head'; allowed: classifier, conv, depthwise, hidden, stem\.0"
    ):
        export(variant(LinearQuantization(bits=8, overrides={"head": None})))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (variant(W4, target="iOS16"), "weights of fewer than 8 bits and blocks need iOS18"),
        (variant(block(8, 32), target="iOS17"), "8 bits and blocks need iOS18"),
        (variant(LinearQuantization(bits=8, overrides={"x": LinearSettings(bits=4)}), target="iOS16"), "need iOS18"),
        (variant(palette(3), target="iOS16"), "palettes of 3 bits"),
        (variant(grouped(4, 8), target="iOS17"), "palettes of 3 bits, of grouped channels"),
        (variant(PRUNE75, W8, target="iOS16"), "sparse weights that are compressed as well need iOS18"),
        (variant(PRUNE75, palette(4, per_channel_scale=True)), "palettes without a scale per channel"),
        (variant(W8, PRUNE75), "pruning comes first"),
        (variant(W8, W8), "stands in it twice"),
        (variant(W8, palette(4)), "either integers or indices"),
        (variant(W8, A8, target="iOS16"), "integer activations need iOS17"),
        (variant(W8, ActivationQuantization(dynamic=True)), "have ranges that are fixed before"),
        (variant(A8, W8, target=None, format_="onnx"), "activations come last"),
        (variant(W8, target=None, format_="onnx"), "go with integer activations"),
        (variant(A8, target=None, format_="onnx"), "go with integer weights"),
        (variant(W4, A8, target=None, format_="onnx"), "have 8 bits"),
        (variant(W8, ActivationQuantization(dynamic=True), target=None, format_="onnx"), "one scale with dynamic"),
        (variant(palette(4), target=None, format_="onnx"), "onnx has no palettes"),
        (variant(PRUNE75, target=None, format_="onnx"), "stores zeros like any value"),
    ],
    ids=lambda value: value.name if isinstance(value, Variant) else "",
)
def test_what_cannot_be_is_refused_with_the_reason(row: Variant, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        check(row)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (LinearQuantization, {"bits": 5}),
        (LinearQuantization, {"bits": 4, "granularity": "per_block"}),
        (LinearQuantization, {"bits": 8, "block_size": 32}),
        (Palettization, {"bits": 5}),
        (Palettization, {"bits": 4, "group_size": 8}),
        (Pruning, {}),
        (Pruning, {"sparsity": 0.5, "pattern": {"zeros": 2, "of": 4}}),
        (Pruning, {"pattern": {"zeros": 4, "of": 4}}),
        (ActivationQuantization, {"bits": 4}),
        (ActivationQuantization, {"percentile": 0}),
        (ActivationQuantization, {"overrides": {"x": {"bits": 8}}}),
    ],
)
def test_an_incomplete_kind_is_refused(kind: type[LinearQuantization], settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(settings)


def _weight(*encodings: Encoding, dtype: str = "fp16", layer: str = "conv") -> Weight:
    return Weight(
        layer=layer,
        op_name=layer,
        stored_name=layer,
        op="conv",
        shape=(8, 8, 1, 1),
        dtype=dtype,
        output_axis=0,
        input_axis=1,
        encodings=encodings,
    )


INT8 = Encoding(method="linear", dtype="int8", groups=(8, 1, 1, 1))
PALETTE4 = Encoding(method="palette", dtype="uint4", groups=(1, 1, 1, 1))
ALTERNATING = np.tile(np.array([True, True, False, False]), (8, 2)).reshape(8, 8, 1, 1)
SPARSE = Encoding(method="prune", dtype="uint1", zeros=0.5, mask=ALTERNATING)
CROWDED = replace(SPARSE, mask=np.sort(ALTERNATING, axis=1))


@pytest.mark.parametrize(
    ("row", "weight", "problem"),
    [
        (variant(W8), _weight(), "plain fp16, not linear int8"),
        (variant(W8), _weight(replace(INT8, dtype="int4")), "linear of int4, not int8"),
        (variant(W8), _weight(replace(INT8, groups=(1, 1, 1, 1))), r"groups of \[1, 1, 1, 1\], not \[8, 1, 1, 1\]"),
        (variant(W8), _weight(INT8, dtype="fp32"), "fp32, not fp16"),
        (variant(W8), _weight(PALETTE4), "palette uint4, not linear int8"),
        (variant(), _weight(INT8), "linear int8, not plain fp16"),
        (variant(), _weight(dtype="fp32"), "fp32, not fp16"),
        (variant(palette(4)), _weight(replace(PALETTE4, dtype="uint6")), "palette of uint6, not uint4"),
        (variant(grouped(4, 4)), _weight(PALETTE4), r"not \[2, 1, 1, 1\]"),
        (variant(PRUNE75), _weight(SPARSE), "50.00% zeros, not 75.00%"),
        (variant(PRUNE2OF4), _weight(CROWDED), "more than 2 weights of 4 neighbors are not zero"),
        (variant(PRUNE75, W8), _weight(replace(SPARSE, zeros=0.75)), "prune uint1, not prune uint1 and linear int8"),
    ],
)
def test_a_weight_stored_otherwise_is_named(row: Variant, weight: Weight, problem: str) -> None:
    with pytest.raises(ArtifactError, match=f"1 of 2 weights: conv: .*{problem}"):
        check_weights(row, [weight, _good(row)], "model")
    assert check_weights(row, [_good(row)], "model") == ()


def _good(row: Variant) -> Weight:
    bare = _weight(layer="other")
    demanded = [compressions.get(kind.method).stored_as(kind, bare, row) for kind in row.compression]
    found = [replace(encoding, mask=ALTERNATING) for encoding in demanded if encoding is not None]
    return replace(bare, encodings=tuple(found))


def test_a_model_without_weights_is_refused() -> None:
    with pytest.raises(ArtifactError, match="no weights"):
        check_weights(variant(), [], "model")


def test_what_a_foreign_tool_left_uncompressed_is_found(export: Export) -> None:
    """coremltools skips what a group does not divide without a word: our rows never do, a bare call does."""
    from tinyml.coreml.read.package import open_package
    from tinyml.export.coreml_weights import weights_of
    from tinyml.quiet import coremltools, quiet

    ct = coremltools()
    settings = ct.optimize.coreml
    op = settings.OpPalettizerConfig(nbits=4, granularity="per_grouped_channel", group_size=16, weight_threshold=0)
    with quiet():
        model = ct.models.MLModel(str(export(variant())), skip_model_load=True)
        compressed = settings.palettize_weights(model, settings.OptimizationConfig(global_config=op))
    weights = with_layers(weights_of(open_package(compressed)), LAYERS)
    with pytest.raises(ArtifactError, match="1 of 5 weights: classifier: plain fp16, not palette uint4"):
        check_weights(variant(grouped(4, 16)), weights, "model")


@pytest.mark.parametrize(
    ("size", "wanted", "block"),
    [(64, 32, 32), (48, 32, 24), (3, 32, 3), (10, 16, 10), (37, 16, 37), (1, 32, 1), (7, 1, 1)],
)
def test_the_block_nearest_to_the_one_wanted(size: int, wanted: int, block: int) -> None:
    assert fitting(size, wanted) == block


def test_quantizations_are_the_ends_of_names_and_the_usual_words() -> None:
    known = quantizations()
    assert known["int8"] == ("coreml-w8", "onnx-w8a8", "coreai-w8")
    assert known["none"] == ("coreml-fp16", "onnx-fp32", "coreai-fp16")
    assert known["palette4"] == ("coreai-palette4", "coreml-palette4")
    assert known["w8a8"] == ("coreml-w8a8", "onnx-w8a8")
    assert {name for names in known.values() for name in names} <= set(variants)
