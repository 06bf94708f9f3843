"""The registry of MIL ops: one function an op, its parameters named as the op's inputs.

    @op("leaky_relu")
    def leaky_relu(x: Tensor, alpha: float) -> Tensor:
        return torch.nn.functional.leaky_relu(x, alpha)

The annotation of a parameter says in what form it wants its input; the plan converts, once at load where the input is a
constant, at each call where it is computed:

    Tensor                    a torch tensor; every MIL float type arrives as float32, every integer type in its own
                              width (uint16/32 in the next larger signed one, 4-bit and smaller types in 8 bits); bool
                              as bool
    tuple[Tensor, ...]        a variadic input (`values` of concat)
    int, float, bool, str     a scalar
    tuple[int, ...] (floats, bools, strings) a vector
    X | None = None           an optional input
    object, TensorList, StateCell  the value as it is (lists, states, whatever a block carries)
    OpContext                 not an input: the op's surroundings (declared output types, opset, blocks, seed)

Tensors of rank 0 stay of rank 0 within a program. An op with several outputs returns a tuple of them; one with none
returns None. Integer results may come in any integer type: the plan casts them to the declared one. A TinyMLError that
an op raises reaches the user as it is; anything else is reported as a failure of that op, by its name.

An op computes in float32 whatever the program declares; the plan rounds each result to its declared type afterwards.
What else the rest of the runtime must know of an op is said where it is registered, and nowhere else (`Facts`):

    @op("softmax", fresh=True, samples=along("axis"))
    @op("cond", exact=True, folds=False)

A later opset that changed an op's inputs or meaning registers a second function: `@op("gather", since="iOS17")`; the
plan takes the newest one that is not newer than the opset the function declares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar, Unpack

from tinyml.errors import UnknownNameError

from .faster import Kernel
from .kernels import Activation, Prepared
from .samples import Rule

OPSETS = ("iOS15", "iOS16", "iOS17", "iOS18")
"""The opsets of ML Programs, oldest first, by the names that `coremltools.target` gives them."""

OpFunction = Callable[..., Any]
F = TypeVar("F", bound=OpFunction)


class Facts(TypedDict, total=False):
    """What `@op` may say of an op; each is a field of `OpDefinition`, which says what it means."""

    exact: bool
    fresh: bool
    samples: Rule | None
    folds: bool
    stored: bool
    random: bool
    effect: bool
    transparent: bool
    measured: tuple[str, ...]
    activation: Activation | Mapping[str, Activation] | None
    in_place: OpFunction | None
    specialized: Callable[..., Kernel | None] | None
    prepared: Callable[..., Prepared | None] | None
    remark: str


@dataclass(frozen=True, kw_only=True)
class OpDefinition:
    """One implementation of one op, and all that is known of it."""

    name: str
    family: str
    """The module that holds it, without its package: "activation"."""
    since: str
    function: OpFunction
    exact: bool = False
    """It only moves or selects values (relu, reshape, max), so that nothing needs rounding."""
    fresh: bool = False
    """Its result never shares memory with an input, so that whoever needs it alone may overwrite it."""
    samples: Rule | None = None
    """Where the samples of a batch lie in its results; None: it cannot be shown to keep them apart."""
    folds: bool = True
    """Of constants alone, it may be computed once at load."""
    stored: bool = False
    """It unpacks a stored weight, and is computed at load however large that is."""
    random: bool = False
    """It draws new values at each call, and others for each sample."""
    effect: bool = False
    """It changes a state, and runs also where nobody asks for its results."""
    transparent: bool = False
    """Behind a softmax it leaves the values probabilities, in their order: it only changes their type or shape."""
    measured: tuple[str, ...] = ()
    """Inputs that are statistics: measured, not learned, and torch has no gradient for them."""
    activation: Activation | Mapping[str, Activation] | None = None
    """How oneDNN applies it to a value before it stores that; by the op's `mode` where this decides."""
    in_place: OpFunction | None = None
    """The same, overwriting its input."""
    specialized: Callable[..., Kernel | None] | None = None
    """Makes a faster function of x alone from all other inputs, by name; None: they do not suit."""
    prepared: Callable[..., Prepared | None] | None = None
    """The same by oneDNN, which can also apply an activation that follows."""
    remark: str = ""
    """For the table of ops."""


_definitions: dict[str, list[OpDefinition]] = {}


def op(name: str, *, since: str = "iOS15", **facts: Unpack[Facts]) -> Callable[[F], F]:
    """Registers the decorated function as op `name` from opset `since` on; a duplicate raises ValueError."""

    def register(function: F) -> F:
        versions = _definitions.setdefault(name, [])
        if since not in OPSETS:
            raise ValueError(f"op {name!r}: {since!r} is no opset; there are {OPSETS}")
        if any(other.since == since for other in versions):
            raise ValueError(f"op {name!r} of {since} is registered twice")
        family = function.__module__.rpartition(".")[2]
        versions.append(OpDefinition(name=name, family=family, since=since, function=function, **facts))
        versions.sort(key=lambda definition: OPSETS.index(definition.since))
        return function

    return register


def find(name: str, opset: str) -> OpDefinition | None:
    """The implementation of `name` that `opset` sees, or None."""
    if opset not in OPSETS:
        raise UnknownNameError("opset", opset, OPSETS)
    usable = [d for d in _definitions.get(name, []) if OPSETS.index(d.since) <= OPSETS.index(opset)]
    return usable[-1] if usable else None


def definitions() -> list[OpDefinition]:
    """Every implementation, sorted by family, name and opset."""
    everything = [definition for versions in _definitions.values() for definition in versions]
    return sorted(everything, key=lambda d: (d.family, d.name, OPSETS.index(d.since)))
