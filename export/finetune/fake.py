"""A network that computes with what its weights and activations will be, and learns as if they were not rounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from tinyml.schema import ActivationQuantization, PruneSettings, Variant

from ..encoding.grids import Grid, Steps
from ..encoding.layers import kinds_of
from ..encoding.ranges import SeenRange
from ..encoding.rounding import Kinds
from ..weights import Weight, is_weight

_REFRESH = 20
"""So many steps a grid serves before it is found anew for weights that have moved on."""
_FEW_BITS = 4
"""Up to so many bits a range is clipped where that makes the error smaller."""
_DRAWN = 0.003
"""Of the way to the value that it is rounded to: so far a weight of `DRAWN_BITS` or fewer is drawn at each step."""
DRAWN_BITS = 2
"""Of more, whose values lie closer together, it keeps them from moving on: 4 bits lose more by it than they gain."""
_RAMP_SHARE = 0.5
"""Of the steps, over which weights become zero little by little."""


class Fake:
    """Hooks on a network: while it computes, each weight is its rounded self, and so is what layers read.

    The gradient goes to the value before rounding (the straight-through estimator, https://arxiv.org/abs/1308.3432).
    Grids, steps or palettes, are those of the export's plain rounding for the weights that the network has when it is
    handed over, and follow them from there: found anew every time, they jump, by which more is lost than is learned.
    Weights of two bits are drawn to what they are rounded to: else more and more of them come to stand at the edge
    between two values, of which their best one lies in the middle, and turn with every step (after Nagel et al.,
    Overcoming oscillations in quantization-aware training, 2022, https://arxiv.org/abs/2203.11086).
    A network in which `settle` has put the rounded weights is exported as just those. Of sparse kinds the zeros become
    more over the first half of the steps; in evaluation mode they are all there.

    Args:
        network: The folded network.
        variant: What it shall become.
        steps: Forward passes of the whole training.
        done: Of those, how many an earlier part of it made.
        seen: float32 [N, 3, H, W]: inputs that the ranges of activations are observed on; None where there are none.
    """

    def __init__(
        self, network: nn.Module, variant: Variant, steps: int, *, done: int = 0, seen: Tensor | None = None
    ) -> None:
        self._steps, self._done = steps, done
        self._half = variant.precision == "fp16"
        self._weights = list(_weights(network, variant))
        for each in self._weights:
            each.begin(half=self._half)
        self._trained_last: bool | None = None
        for kind in variant.compression:
            if isinstance(kind, ActivationQuantization) and seen is not None:
                _fake_activations(network, kind, seen)
        network.register_forward_pre_hook(self._before)
        network.register_forward_hook(self._after, always_call=True)

    def settle(self) -> None:
        """Puts the rounded weights into the network for good."""
        with torch.no_grad():
            for weight in self._weights:
                weight.refresh(1.0, half=self._half)
                weight.parameter.copy_(weight.rounded())
                weight.given_up = True

    def _before(self, network: nn.Module, inputs: Any) -> None:  # noqa: ARG002
        trains = network.training
        share = self._done / max(1.0, _RAMP_SHARE * self._steps) if trains else 1.0
        if trains != self._trained_last or (trains and self._done % _REFRESH == 0):
            for weight in self._weights:
                weight.refresh(min(1.0, share), half=self._half)
        self._trained_last = trains
        self._done += trains
        for weight in self._weights:
            weight.replace(drawn=_DRAWN if trains else 0.0)

    def _after(self, network: nn.Module, inputs: Any, output: Any) -> None:  # noqa: ARG002
        for weight in self._weights:
            weight.put_back()


class _Rounded:
    """One weight of a network, and what it is rounded to."""

    def __init__(self, module: nn.Module, name: str, weight: Weight, kinds: Kinds) -> None:
        self._module, self._name, self._weight, self._kinds = module, name, weight, kinds
        self._first: Grid | None = None
        self._grid: Grid | None = None
        self._kept: Tensor | None = None
        self._aside: nn.Parameter | None = None
        self.given_up = False

    @property
    def parameter(self) -> nn.Parameter:
        """What learns."""
        found = self._module._parameters[self._name]
        assert found is not None  # noqa: S101
        return found

    def begin(self, *, half: bool) -> None:
        """Finds the grid for the weights as they are, of which those to come are followed from."""
        self._first = self._found(self._kinds_at(0.0), self._cells(), None, half=half)

    def refresh(self, share: float, *, half: bool) -> None:
        """Finds zeros and grid anew, of `share` of the zeros that there shall be."""
        values, cells = self.parameter.detach(), self._cells()
        kinds = self._kinds_at(share)
        masks = (kind.kept(layer, self._weight, cells**2) for kind, layer in kinds)
        kept = next((mask for mask in masks if mask is not None), None)
        grid = self._first
        if isinstance(grid, Steps) and grid.bits > _FEW_BITS:
            grid = self._found(kinds, cells, kept, half=half)  # the largest weight decides
        elif grid is not None:
            grid = grid.followed(cells, half=half, kept=kept)
        self._grid = None if grid is None else grid.to(values.device)
        self._kept = None if kept is None else kept.to(values.device)

    def _kinds_at(self, share: float) -> Kinds:
        """What is done to it at `share` of the zeros."""
        return [(kind, now) for kind, layer in self._kinds if (now := _so_far(layer, share)) is not None]

    def _cells(self) -> Tensor:
        """[outputs, inputs, positions], on the CPU."""
        values = self.parameter.detach()
        return values.float().cpu().reshape(*values.shape[:2], -1)

    def _found(self, kinds: Kinds, cells: Tensor, kept: Tensor | None, *, half: bool) -> Grid | None:
        shown = cells if kept is None else cells * kept
        grids = (
            kind.grid(layer, self._weight, shown, half=half, kept=kept, importance=_evenly(layer, cells))
            for kind, layer in kinds
        )
        return next((found for found in grids if found is not None), None)

    def rounded(self) -> Tensor:
        """The weight as it would be stored."""
        values = self.parameter.detach()
        cells = values.reshape(*values.shape[:2], -1)
        if self._kept is not None:
            cells = cells * self._kept
        if self._grid is not None:
            cells = self._grid.rounded(cells)
            if self._kept is not None:
                cells = cells * self._kept
        return cells.reshape(values.shape)

    def replace(self, *, drawn: float) -> None:
        """Lets the module compute with the rounded weight, to which the learned one is `drawn` a part of the way."""
        if self.given_up:
            return
        rounded = self.rounded()
        if drawn and self._grid is not None and self._grid.bits <= DRAWN_BITS:
            self._draw(rounded, drawn)
        learned: Tensor = self.parameter
        self._aside = self.parameter
        if self._kept is not None:  # what is zero does not learn
            learned = learned * self._kept.reshape(learned.shape)
        self._module._parameters[self._name] = learned + (rounded - learned).detach()  # type: ignore[assignment]

    @torch.no_grad()
    def _draw(self, rounded: Tensor, part: float) -> None:
        way = rounded - self.parameter
        if self._kept is not None:  # what is zero may yet be stored
            way *= self._kept.reshape(way.shape)
        self.parameter.add_(way, alpha=part)

    def put_back(self) -> None:
        """Undoes `replace`."""
        if self._aside is not None:
            self._module._parameters[self._name] = self._aside
            self._aside = None


def _weights(network: nn.Module, variant: Variant) -> Iterator[_Rounded]:
    for path, module in network.named_modules():
        if not isinstance(module, nn.Conv2d | nn.Linear) or not is_weight(module.weight.shape, multiplied=True):
            continue
        weight = Weight(
            layer=path,
            op_name=path,
            stored_name=path,
            op="conv" if isinstance(module, nn.Conv2d) else "linear",
            shape=tuple(module.weight.shape),
            dtype=variant.precision,
            output_axis=0,
            input_axis=1,
        )
        if kinds := kinds_of(variant, weight):
            yield _Rounded(module, "weight", weight, kinds)


def _so_far(layer: Any, share: float) -> Any:
    """Settings that prune, at `share` of the way: fast at first, as there is much to spare; None: nothing yet.

    After Zhu and Gupta, To prune, or not to prune, 2017 (https://arxiv.org/abs/1710.01878).
    """
    if not isinstance(layer, PruneSettings):
        return layer
    reached = 1 - (1 - share) ** 3
    if layer.pattern is None:
        sparsity = (layer.sparsity or 0.0) * reached
        return layer.model_copy(update={"sparsity": sparsity}) if sparsity > 0 else None
    zeros = round(layer.pattern.zeros * reached)
    pattern = layer.pattern.model_copy(update={"zeros": zeros})
    return layer.model_copy(update={"pattern": pattern}) if zeros else None


def _evenly(layer: Any, cells: Tensor) -> Tensor | None:
    """An importance by which each error counts alike, which lets a range be clipped; None: the range is whole."""
    return torch.ones_like(cells) if getattr(layer, "bits", 8) <= _FEW_BITS else None


def _fake_activations(network: nn.Module, settings: ActivationQuantization, seen: Tensor) -> None:
    """Rounds what convolutions and linear layers read to 8 bits, of the range that they read of `seen`."""
    ranges: dict[nn.Module, SeenRange] = {}

    def observe(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        ranges.setdefault(module, SeenRange()).see(inputs[0])

    layers = {path: m for path, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    handles = [m.register_forward_pre_hook(observe) for path, m in layers.items() if path not in settings.overrides]
    trained = network.training
    with torch.inference_mode():
        network.eval()(seen)
    network.train(trained)
    for handle in handles:
        handle.remove()
    for module, seen_range in ranges.items():
        low, high = seen_range.within(settings.percentile, symmetric=settings.symmetric)
        module.register_forward_pre_hook(_reader(low, high, symmetric=settings.symmetric))


def _reader(low: float, high: float, *, symmetric: bool) -> Any:
    if symmetric:
        scale, offset, least, most = max(-low, high) / 127, 0, -127, 127
    else:
        scale, least, most = (high - low) / 255, 0, 255
        offset = round(-low / scale) if scale else 0
    scale = scale or 1.0

    def read(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:  # noqa: ARG001
        within = inputs[0].clamp((least - offset) * scale, (most - offset) * scale)
        levels = (within.detach() / scale + offset).round()
        return (within + ((levels - offset) * scale - within).detach(), *inputs[1:])

    return read
