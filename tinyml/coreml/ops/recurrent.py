"""Recurrent layers over x [S, B, I] with states [B, H] (sequence, batch, input and hidden size).

Core ML's own outputs, not the formulas of the op pages, decide three things: a `reverse` layer returns its steps in the
order in which it took them (the reverse half of a `bidirectional` one in the order of time); `gru` applies the reset
gate to the state before the product, unless `reset_after`; `lstm` clips the cell state, before the output gate sees it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch._higher_order_ops.scan import scan_op  # `scan` around it would keep sizes of earlier traces as constants
from torch.nn.functional import linear

from tinyml.errors import PackageError

from .registry import op

Activation = Callable[[Tensor], Tensor]


def _hard_sigmoid(x: Tensor) -> Tensor:
    return torch.clamp(x * 0.2 + 0.5, 0.0, 1.0)


def _identity(x: Tensor) -> Tensor:
    return x


# The ops give their activations no coefficients: hard_sigmoid has 0.2 and 0.5, scaled_tanh and linear have ones.
_ACTIVATIONS: dict[str, Activation] = {
    "hard_sigmoid": _hard_sigmoid,
    "linear": _identity,
    "relu": torch.relu,
    "scaled_tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "sigmoid_hard": _hard_sigmoid,
    "tanh": torch.tanh,
}


def _activation(name: str) -> Activation:
    try:
        return _ACTIVATIONS[name.lower()]
    except KeyError:
        raise PackageError("unknown activation", value=name, allowed=", ".join(_ACTIVATIONS)) from None


Step = Callable[[tuple[Tensor, ...], Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]]
"""From the states, the hidden one first, what the input adds to the gates, and the weights, to the next states."""


def _taken(
    step: Step, states: tuple[Tensor, ...], projected: Tensor, weights: tuple[Tensor, ...], direction: str
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """All steps of a layer: the hidden states [S, B, H] in the order in which they arose, and the last states.

    Args:
        step: as above.
        states: before the first step.
        projected: [S, B, gates].
        weights: all tensors that `step` uses besides.
        direction: "forward" or "reverse".
    """
    if direction not in ("forward", "reverse"):
        raise PackageError("unknown direction", value=direction, allowed="forward, reverse, bidirectional for lstm")
    if direction == "reverse":
        projected = projected.flip(0)
    length = projected.shape[0]
    if type(length) is not int:  # a trace with an open length keeps the loop
        count = len(states)

        # What a step returns must not share memory with what it is given, nor one result with another, and must lie
        # in memory as the states before it.
        def traced(*given: Tensor) -> list[Tensor]:
            found = step(given[:count], given[count], given[count + 1 :])
            return [_own(value) for value in (*found, found[0])]

        *last, sequence = scan_op(traced, tuple(_own(value) for value in states), (projected,), weights)
        return sequence, tuple(last)
    hidden = []
    for t in range(length):
        states = step(states, projected[t], weights)
        hidden.append(states[0])
    return torch.stack(hidden), states


def _own(value: Tensor) -> Tensor:
    return value.clone(memory_format=torch.contiguous_format)


def _sequence(hidden: Tensor, last: Tensor, output_sequence: bool) -> Tensor:
    return hidden if output_sequence else last.unsqueeze(0)


@op("rnn")
def rnn(
    x: Tensor,
    initial_h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    activation: str = "tanh",
) -> tuple[Tensor, Tensor]:
    """`h = activation(weight_ih x + weight_hh h + bias)`; the states of every step, or of the last, and the last."""
    act = _activation(activation)
    hidden, (h,) = _taken(
        lambda states, given, weights: (act(given + linear(states[0], weights[0])),),
        (initial_h,),
        linear(x, weight_ih, bias),
        (weight_hh,),
        direction,
    )
    return _sequence(hidden, h, output_sequence), h


@op("gru")
def gru(
    x: Tensor,
    initial_h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
) -> tuple[Tensor, Tensor]:
    """Gates in the order reset, output, update; weights [3 H, I] and [3 H, H], one bias [3 H] for both."""
    acts = _activation(recurrent_activation), _activation(activation)
    hidden, h = _gru(x, initial_h, weight_ih, weight_hh, bias, None, direction, acts, False)
    return _sequence(hidden, h, output_sequence), h


@op("gru", since="iOS18")
def gru_with_reset_after(
    x: Tensor,
    initial_h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: bool = False,
    input_bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """As before, with a bias of the input of its own; `reset_after` has the reset gate scale `weight_hh h + bias`."""
    acts = _activation(recurrent_activation), _activation(activation)
    hidden, h = _gru(x, initial_h, weight_ih, weight_hh, bias, input_bias, direction, acts, reset_after)
    return _sequence(hidden, h, output_sequence), h


def _gru(
    x: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    input_bias: Tensor | None,
    direction: str,
    activations: tuple[Activation, Activation],
    reset_after: bool,
) -> tuple[Tensor, Tensor]:
    """The states in the order in which they arose, and the last one."""
    gate, act = activations
    weights: tuple[Tensor, ...] = (
        torch.cat((weight_hh[: h.shape[-1]], weight_hh[-h.shape[-1] :])),
        weight_hh[h.shape[-1] : -h.shape[-1]],
    )
    if reset_after:
        weights = (weight_hh,) if bias is None else (weight_hh, bias)
    projected = linear(x, weight_ih, input_bias)
    if bias is not None and not reset_after:
        projected = projected + bias

    def step(states: tuple[Tensor, ...], given: Tensor, weights: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        (h,) = states
        x_r, x_o, x_z = given.chunk(3, -1)
        if reset_after:
            h_r, h_o, h_z = linear(h, *weights).chunk(3, -1)
            r, z = gate(x_r + h_r), gate(x_z + h_z)
            o = act(x_o + r * h_o)
        else:
            weight_rz, weight_o = weights
            h_r, h_z = linear(h, weight_rz).chunk(2, -1)
            r, z = gate(x_r + h_r), gate(x_z + h_z)
            o = act(x_o + linear(r * h, weight_o))
        return ((1 - z) * o + z * h,)

    hidden, (h,) = _taken(step, (h,), projected, weights, direction)
    return hidden, h


@op("lstm")
def lstm(
    x: Tensor,
    initial_h: Tensor,
    initial_c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None = None,
    peephole: Tensor | None = None,
    weight_ih_back: Tensor | None = None,
    weight_hh_back: Tensor | None = None,
    bias_back: Tensor | None = None,
    peephole_back: Tensor | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: float | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gates in the order input, forget, output, cell; peephole weights [3 H] in the order input, forget, output.

    A `bidirectional` layer has its states [B, 2 H] and its outputs [S, B, 2 H] forward half first.

    Returns:
        the hidden states of every step, or [1, B, H] of the last; the last hidden state; the last cell state.

    Raises:
        PackageError: an unknown direction or activation, or a bidirectional layer without its backward weights.
    """
    acts = _activation(recurrent_activation), _activation(cell_activation), _activation(activation)
    if direction != "bidirectional":
        states, h, c = _lstm(x, initial_h, initial_c, weight_ih, weight_hh, bias, peephole, direction, acts, clip)
        return _sequence(states, h, output_sequence), h, c
    if weight_ih_back is None or weight_hh_back is None:
        raise PackageError("a bidirectional lstm lacks weight_ih_back or weight_hh_back")
    h_ahead, h_back = initial_h.chunk(2, -1)
    c_ahead, c_back = initial_c.chunk(2, -1)
    ahead, h_ahead, c_ahead = _lstm(x, h_ahead, c_ahead, weight_ih, weight_hh, bias, peephole, "forward", acts, clip)
    back, h_back, c_back = _lstm(
        x, h_back, c_back, weight_ih_back, weight_hh_back, bias_back, peephole_back, "reverse", acts, clip
    )
    h = torch.cat((h_ahead, h_back), -1)
    sequence = torch.cat((ahead, back.flip(0)), -1) if output_sequence else h.unsqueeze(0)
    return sequence, h, torch.cat((c_ahead, c_back), -1)


def _lstm(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor | None,
    peephole: Tensor | None,
    direction: str,
    activations: tuple[Activation, Activation, Activation],
    clip: float | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """One direction: the hidden states in the order in which they arose, the last one, the last cell state."""
    gate, cell, act = activations
    projected = linear(x, weight_ih, bias)

    def step(states: tuple[Tensor, ...], given: Tensor, weights: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        h, c = states
        weight_hh, *rest = weights
        peep_i, peep_f, peep_o = rest[0].chunk(3) if rest else (None, None, None)
        i, f, o, z = (given + linear(h, weight_hh)).chunk(4, -1)
        if peep_i is not None and peep_f is not None:
            i, f = i + peep_i * c, f + peep_f * c
        c = gate(f) * c + gate(i) * cell(z)
        if clip is not None:
            c = c.clamp(-clip, clip)
        if peep_o is not None:
            o = o + peep_o * c
        return gate(o) * act(c), c

    hidden, (h, c) = _taken(
        step, (h, c), projected, (weight_hh,) if peephole is None else (weight_hh, peephole), direction
    )
    return hidden, h, c
