"""Names of compression: those of the menu, others that can be, and what cannot be with the nearest that can."""

from __future__ import annotations

import pytest

from tinyml.errors import UnknownNameError, UsageError
from tinyml.export.choice import check_one_way, chosen
from tinyml.export.combination import combination, words_of
from tinyml.export.compression import check, name_of
from tinyml.export.variants import variants


@pytest.mark.parametrize("name", list(variants))
def test_a_name_of_the_menu_says_the_kinds_of_its_row(name: str) -> None:
    row = variants.get(name)
    said = combination(name.partition("-")[2])
    if not row.compression:
        assert said is None
        return
    assert said is not None
    ignored = {"rounding", "percentile", "images"}
    assert [kind.model_dump(exclude=ignored) for kind in said.kinds] == [
        kind.model_dump(exclude=ignored) for kind in row.compression
    ]


@pytest.mark.parametrize(
    ("said", "name", "target"),
    [
        ("prune50-w4", "coreml-prune50-w4", "iOS18"),
        ("palette4g8", "coreml-palette4g8", "iOS18"),
        ("palette6g32s", "coreml-palette6g32s", "iOS18"),
        ("w8t", "coreml-w8t", "iOS16"),
        ("palette3e8", "coreml-palette3e8", "iOS18"),
        ("w4g32e8", "coreml-w4g32e8", "iOS18"),
        ("prune62.5", "coreml-prune62.5", "iOS16"),
        ("prune1of4-palette2", "coreml-prune1of4-palette2", "iOS18"),
        ("w8za8s", "coreml-w8za8s", "iOS17"),
    ],
)
def test_what_no_row_has_and_can_be_is_made(said: str, name: str, target: str) -> None:
    (row,) = chosen("coreml", said).rows
    assert (row.name, row.minimum_target) == (name, target)
    assert name_of(row) == name
    assert row.summary
    check(row)


@pytest.mark.parametrize(
    ("format_", "said", "target", "message"),
    [
        ("coreml", "palette5", None, "palettes have 1, 2, 3, 4, 6 or 8 bits'; nearest: coreml-palette6"),
        ("coreml", "int3", None, "integer weights have 2, 4 or 8 bits'; nearest: coreml-palette3"),
        ("coreml", "w2e4", None, "the first and the last layer can have 8 bits instead"),
        ("coreml", "w8a4", None, "integer activations have 8 bits'; nearest: coreml-w8a8"),
        ("coreml", "prune100", None, "prune100 is out of range'; nearest: coreml-prune"),
        ("coreml", "w8-palette4", None, "either integers or indices into a palette'; nearest: coreml-"),
        ("coreml", "palette4-prune50", None, "pruning comes first"),
        ("coreml", "palette4a8", None, "integer activations go with integer weights"),
        ("coreml", "prune75-palette4s", None, "palettes without a scale per channel'; nearest: coreml-prune"),
        ("coreml", "prune50-w4", "iOS16", "need iOS18'; nearest: coreml-"),
        ("onnx", "palette4", None, "onnx-palette4 cannot be: 'onnx has no palettes'; nearest: onnx-w8a8"),
        ("onnx", "prune50", None, "onnx stores zeros like any value'; nearest: onnx-fp16"),
        ("onnx", "int4", None, "integer weights in ONNX go with integer activations'; nearest: onnx-w8"),
        ("all", "palette7", None, "coreml-palette7 cannot be"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason_and_the_nearest(
    format_: str, said: str, target: str | None, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(format_, said, target=target)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("said", ["", "palette", "w", "fp8", "w8-", "prune", "all4", "palette4x"])
def test_what_says_nothing_is_unknown(said: str) -> None:
    assert combination(said) is None
    with pytest.raises(UnknownNameError, match="unknown quantization"):
        chosen("coreml", said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("w4g16", "int4 weights, a scale per 16 input channels of each output channel"),
        ("w8zt", "uint8 weights, a scale and a zero point a layer"),
        ("w2e8", "int2 weights, a scale per output channel; 8 bits in the first and the last layer"),
        ("palette2g8s", "weights from a palette of 4 values per 8 output channels, output channels scaled"),
        ("prune62.5", "62.5% of the weights zero"),
        ("prune1of4-w4", "1 of every 4 weights zero, the others int4, a scale per output channel"),
        ("prune50-palette4g8", "50% of the weights zero, the others from a palette of 16 values per 8 output channels"),
        (
            "w8a8s",
            "int8 weights, a scale per output channel; 8-bit activations, symmetric, calibrated on training images",
        ),
        ("w8ta8d", "int8 weights, a scale a layer; 8-bit activations, by the range of each input"),
    ],
)
def test_the_words_of_a_combination_say_all_that_its_name_does(said: str, words: str) -> None:
    made = combination(said)
    assert made is not None
    assert words_of(made.kinds) == words


def test_no_two_variants_of_a_format_are_told_in_the_same_words() -> None:
    told = [(row.format, row.summary) for _, row in variants.items()]
    assert len(set(told)) == len(told)


def test_what_a_format_usually_has_holds_for_names_outside_the_menu_too() -> None:
    def percentile(format_: str, said: str) -> float:
        (row,) = chosen(format_, said).rows
        return next(kind.percentile for kind in row.compression if kind.method == "activations")

    assert percentile("onnx", "w8a8") == percentile("onnx", "w8a8s") == 99.99
    assert percentile("coreml", "w8a8") == percentile("coreml", "w8za8") == 100.0


@pytest.mark.parametrize("name", ["coreml-prune60-w4", "coreml-w4n", "coreml-w8", "onnx-fp32"])
def test_a_variant_of_any_combination_is_found_by_its_name(name: str) -> None:
    check_one_way("all", "none", [name])
    assert [row.name for row in chosen("all", "none", [name]).rows] == [name]


def test_a_name_that_says_nothing_is_no_variant() -> None:
    for name in ("coreml-nothing", "all-w8n", "coreml-w8nn"):
        with pytest.raises(UnknownNameError):
            chosen("all", "none", [name])
