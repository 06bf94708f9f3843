"""The architectures: sizes, shapes, initial values, and that each can be exported."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tinyml.errors import UnknownNameError, UsageError
from tinyml.schema import TrainConfig
from tinyml.trainer.architecture import architectures, build, count_macs, count_parameters, summaries
from tinyml.trainer.layers import DropPath, drop_path_rates
from tinyml.trainer.models import densenet, vit
from tinyml.trainer.resolution import check_resolution

NAMES = architectures.names()

MILLIONS = {"alexnet": 15.7, "vgg": 14.8, "resnet": 11.3, "densenet": 2.2, "efficientnet": 4.5, "vit": 21.6}
"""Parameters with 200 classes, as the published comparison of the six gives them."""


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def test_there_are_the_six() -> None:
    assert set(MILLIONS) <= set(NAMES)


@pytest.mark.parametrize("name", sorted(MILLIONS))
def test_parameters_are_within_one_percent(name: str) -> None:
    with torch.device("meta"):
        assert count_parameters(build(name, 200)) == pytest.approx(MILLIONS[name] * 1e6, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_forward_and_backward(name: str) -> None:
    model = build(name, 7)
    logits = model(torch.randn(2, 3, 64, 64))
    assert logits.shape == (2, 7)
    # An untrained classifier knows nothing: its loss is that of a guess, log 7, and not far from it. Oracle: entropy.
    loss = nn.functional.cross_entropy(logits, torch.tensor([0, 6]))
    assert loss.item() == pytest.approx(math.log(7), abs=1.0)
    loss.backward()  # type: ignore[no-untyped-call]
    without = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []


@pytest.mark.parametrize("name", NAMES)
def test_an_image_alone_gets_what_it_gets_in_a_batch(name: str) -> None:
    model = build(name, 5).eval()
    images = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        together = model(images)
        alone = torch.cat([model(image[None]) for image in images])
    # Float32 sums in another order: a few units of rounding over at most 121 layers.
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [n if n in MILLIONS else pytest.param(n, marks=pytest.mark.slow) for n in NAMES])
def test_traced_with_a_dynamic_batch(name: str) -> None:
    model = build(name, 5).eval()
    images = torch.randn(2, 3, 64, 64)
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(model, (images,), dynamic_shapes=({0: batch},))
    three = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(three), model(three), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("classes", "dropout", "drop_path", "message"),
    [
        (0, None, 0.0, "number of classes"),
        (2, 1.0, 0.0, "--dropout"),
        (2, -0.1, 0.0, "--dropout"),
        (2, None, 1.0, "--drop-path"),
        (2, float("nan"), 0.0, "--dropout"),
    ],
)
def test_values_out_of_range(classes: int, dropout: float | None, drop_path: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build("resnet", classes, dropout=dropout, drop_path=drop_path)


def test_unknown_name_says_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'densenet'"):
        build("densnet", 2)


@pytest.mark.parametrize("name", NAMES)
def test_drop_path_is_used_or_refused(name: str) -> None:
    if architectures.get(name).has_drop_path:
        with torch.device("meta"):
            rates = [m.rate for m in build(name, 2, drop_path=0.3).modules() if isinstance(m, DropPath)]
        assert rates[0] == 0.0
        assert max(rates) == pytest.approx(0.3)
    else:
        with pytest.raises(UsageError, match="no residual branches"):
            build(name, 2, drop_path=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_is_used(name: str) -> None:
    with torch.device("meta"):
        rates = {m.p for m in build(name, 2, dropout=0.4).modules() if isinstance(m, nn.Dropout)}
    assert rates == {0.4}


def test_drop_path_keeps_the_mean_and_drops_whole_samples() -> None:
    layer = DropPath(0.25)
    dropped = layer(torch.ones(4000, 2, 3))
    assert torch.equal(dropped, dropped[:, :1, :1].expand_as(dropped))
    # Of 4,000 Bernoulli draws the mean's standard error is 0.0091 after scaling; five of them.
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.046)
    assert torch.equal(layer.eval()(torch.ones(3)), torch.ones(3))
    assert drop_path_rates(0.2, 1) == [0.0]


def test_macs_of_a_layer_counted_by_hand() -> None:
    layer = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
    assert count_macs(layer, 16) == 8 * 8 * 8 * 3 * 3 * 3


def test_summaries_count_classes() -> None:
    few, many = ({row.name: row for row in summaries(classes)} for classes in (10, 200))
    assert list(few) == NAMES
    for name, row in few.items():
        assert 0 < row.parameters < many[name].parameters
        assert 0 < row.macs <= many[name].macs
        assert row.paper.startswith("https://")


def test_macs_of_resnet_by_hand() -> None:
    # Stem, two stages' worth of arithmetic per stage (each halves the area and doubles the channels), shortcuts, head.
    area, stem = 64 * 64, 64 * 64 * 64 * 27
    first = 4 * area * 64 * 64 * 9
    later = sum((area >> (2 * s)) * (64 << s) * 9 * ((64 << (s - 1)) + 3 * (64 << s)) for s in (1, 2, 3))
    shortcuts = sum((area >> (2 * s)) * (64 << s) * (64 << (s - 1)) for s in (1, 2, 3))
    with torch.device("meta"):
        assert count_macs(build("resnet", 200)) == stem + first + later + shortcuts + 512 * 200


@pytest.mark.parametrize("name", ["alexnet", "swin", "vit"])
def test_another_image_size_is_refused_where_weights_fix_it(name: str) -> None:
    with pytest.raises(ValueError, match="allowed"):
        build(name, 2)(torch.zeros(1, 3, 96, 96))


@pytest.mark.parametrize("name", ["vgg", "resnet", "densenet", "efficientnet", "convnext"])
def test_another_image_size_is_taken_where_it_can_be(name: str) -> None:
    with torch.device("meta"):
        assert build(name, 2).eval()(torch.zeros(1, 3, 96, 96)).shape == (1, 2)


@pytest.mark.parametrize("size", [16, 24, 32, 40, 48, 56, 64])
@pytest.mark.parametrize("name", NAMES)
def test_small_images_train_all_that_whole_ones_do(name: str, size: int) -> None:
    if size < architectures.get(name).smallest:
        with pytest.raises(UsageError, match=f"--resolution of {name} out of range"):
            check_resolution(TrainConfig(model=name, recipe="best", data="shapes", resolution=f"{size}:64"))
        return
    check_resolution(TrainConfig(model=name, recipe="best", data="shapes", resolution=f"{size}"))
    with torch.device("meta"):
        model = build(name, 3)
        model(torch.zeros(2, 3, size, size)).sum().backward()
    assert [known for known, weights in model.named_parameters() if weights.grad is None] == []


@pytest.mark.parametrize("name", ["alexnet", "vit"])
def test_weights_that_belong_to_places_are_used_in_evaluation_for_whole_images_alone(name: str) -> None:
    model = build(name, 3)
    for shape in ((1, 3, 72, 72), (1, 3, 32, 48), (1, 1, 32, 32), (3, 32, 32)):
        with pytest.raises(ValueError, match="allowed"):
            model(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"of shape \(1, 3, 32, 32\)"):
        model.eval()(torch.zeros(1, 3, 32, 32))


def test_positions_of_smaller_images_lie_between_those_of_whole_ones() -> None:
    model = build("vit", 3)
    assert isinstance(model, vit.VisionTransformer)
    with torch.no_grad():  # a position's values are its row and its column
        rows = torch.arange(8.0)[:, None].expand(8, 8).flatten()
        columns = torch.arange(8.0).repeat(8)
        model.positions[0, 1:, 0], model.positions[0, 1:, 1] = rows, columns
        half = model._positions(4)
    assert torch.equal(half[:, 0], model.positions[:, 0])
    # The middle of a pixel of half the size: 0.5, 2.5, 4.5, 6.5.
    assert half[0, 1:, 0].reshape(4, 4)[:, 0].tolist() == [0.5, 2.5, 4.5, 6.5]
    assert half[0, 1:, 1].reshape(4, 4)[0].tolist() == [0.5, 2.5, 4.5, 6.5]


def test_densenets_recomputation_changes_nothing() -> None:
    images, classes = torch.randn(2, 3, 32, 32), torch.tensor([0, 1])
    recomputed, plain = build("densenet", 2), build("densenet", 2)
    plain.load_state_dict(recomputed.state_dict())
    for module in plain.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
        if isinstance(module, densenet.DenseLayer):
            module.recompute = False
    for model in (recomputed, plain):
        nn.functional.cross_entropy(model(images), classes).backward()  # type: ignore[no-untyped-call]
    for one, other in zip(recomputed.parameters(), plain.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)  # type: ignore[arg-type]
    for (name, twice), once in zip(recomputed.named_buffers(), plain.buffers(), strict=True):
        if not name.endswith("num_batches_tracked"):
            # Two roundings of float32 where there is one.
            torch.testing.assert_close(twice, once, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", architectures.names())
def test_what_shall_not_decay_is_a_parameter(name: str) -> None:
    with torch.device("meta"):
        network = build(name, 10, dropout=0.0)
    found = {parameter for parameter, values in network.named_parameters() if values.ndim > 1}
    assert set(architectures.get(name).no_decay) <= found
    tables = {parameter for parameter in found if parameter.endswith(".positions")}
    assert tables <= set(architectures.get(name).no_decay)
