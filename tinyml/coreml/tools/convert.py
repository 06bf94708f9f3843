"""ML Programs out of Core ML again: to ONNX and to a torch program, checked against the reference runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyml.errors import PackageError, TinyMLError, UsageError, VerificationError
from tinyml.numerics import nan_throughout, relative_error
from tinyml.quiet import quiet
from tinyml.store import atomic_file, check_output

from ..plan.plan import FAILURES
from ..run.model import ReferenceModel
from ..trace.axes import Shapes, alternatives
from ..trace.module import TorchModel, to_torch
from ..trace.onnx import Run, onnx_bytes, onnx_runner
from ..trace.tracing import exported
from .inputs import make_inputs

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
"""File name endings by format."""

TOLERANCE = 1e-3
"""Largest accepted difference to the reference runtime, over the output's largest magnitude. Both compute in float32;
what differs is the order of summation (about 1e-6) and how often a deep network amplifies it."""

MOST_ROUNDED = 1e-2
"""What a difference above TOLERANCE may come to in a program of float16, whose own results are known no better: it is
accepted up to what rounding to the declared types changes at the same inputs, but never above this."""

_LEAST_PEAK = 1e-12
"""So that an output of zeros may differ by what a sum's order makes of it."""

MIN_OTHER_SIZES = 2
"""At so many other sizes an open axis is checked at least, where it has them."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What was written.

    `largest` is the largest relative difference to the reference runtime in float32, `rounded` what the declared types
    round there, where that is why it was accepted; `open` describes the inputs with axes that
    stayed open, `checked` holds the inputs' shapes of every check, `skipped` those that the package itself refuses.
    """

    path: Path
    format: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    largest: float
    rounded: float | None
    open: tuple[str, ...]
    checked: tuple[Shapes, ...]
    skipped: tuple[Shapes, ...]


def convert(
    package: Any,
    to: str,
    output: Path,
    function_name: str | None = None,
    *,
    shapes: Iterable[str] = (),
    run_onnx: Callable[[bytes], Run] = onnx_runner,
) -> Converted:
    """Writes `package` as a file of another format and verifies it, at other allowed sizes too where axes are open.

    Args:
        package: a path to an .mlpackage, or a coremltools MLModel.
        to: "onnx" (float32, the classes in metadata) or "torch" (a program of torch.export; names, classes and defaults
            in its extra file tinyml.json).
        output: the file to write.
        function_name: which function; None: the default one.
        shapes: fixes axes: "name=1,20,8", with * for one that stays open, "name=WIDTHxHEIGHT" for an image.
        run_onnx: executes the ONNX model that is verified.

    Raises:
        UnsupportedOpsError: the program cannot be traced; PackageError: an op fixes an axis that is to stay open;
            VerificationError: the results differ, at whichever size.
    """
    if to not in SUFFIXES:
        raise UsageError("unknown format", value=to, allowed=", ".join(sorted(SUFFIXES)))
    check_output(output, SUFFIXES[to])
    module = to_torch(package, function_name, shapes)
    judge = _Judge(package, function_name, module)
    with atomic_file(output) as temporary:
        if to == "onnx":
            temporary.write_bytes(onnx_bytes(module))
            run = run_onnx(temporary.read_bytes())
        else:
            with quiet():
                torch.export.save(exported(module), temporary, extra_files={"tinyml.json": _facts(module)})
            run = _torch_runner(temporary)
        checked, skipped = _verify(judge, run)
    return Converted(
        path=output,
        format=to,
        inputs=module.input_names,
        outputs=module.output_names,
        largest=judge.worst,
        rounded=judge.rounded,
        open=tuple(port.describe() for port in module.traced if port.open),
        checked=checked,
        skipped=skipped,
    )


def _facts(module: TorchModel) -> str:
    """What a program of torch.export has no place for."""
    return json.dumps(
        {
            "inputs": module.input_names,
            "outputs": module.output_names,
            "classes": module.classes,
            "defaults": {name: value.tolist() for name, value in module.defaults().items()},
        }
    )


def _torch_runner(path: Path) -> Run:
    with quiet():
        program = torch.export.load(path).module()

    def run(inputs: Sequence[np.ndarray | torch.Tensor]) -> list[np.ndarray]:
        with torch.no_grad():
            return [value.numpy() for value in program(*map(torch.as_tensor, inputs))]

    return run


def _verify(judge: _Judge, run: Run) -> tuple[tuple[Shapes, ...], tuple[Shapes, ...]]:
    """The shapes of the checks, and those that the package refuses as well."""
    module = judge.module
    example = {port.name: port.shape for port in module.traced}
    for seed in range(2):
        judge.compare(judge.expected(example, seed), run)
    checked, skipped = [example], []
    others = alternatives(module.traced)
    for shapes in others:
        try:
            expected = judge.expected(shapes, 0)
        except TinyMLError:
            skipped.append(shapes)
            continue
        try:
            judge.compare(expected, run)
        except (*FAILURES, AssertionError) as error:  # the guards of torch are assertions
            raise _at_other_size(module, shapes, " ".join(str(error).split())[:200]) from error
        except VerificationError as error:
            raise _at_other_size(module, shapes, str(error)) from error
        checked.append(shapes)
    if others and len(checked) - 1 < min(MIN_OTHER_SIZES, len(others)):
        raise PackageError(
            "the package declares axes as open, but does not itself compute at other sizes",
            value="; ".join(_shown(shapes) for shapes in skipped),
            hint=f"fix the axes: {_fixing(module)}",
        )
    return tuple(checked), tuple(skipped)


def _at_other_size(module: TorchModel, shapes: Shapes, why: str) -> VerificationError:
    return VerificationError(
        f"the converted model is wrong at another allowed size ({_shown(shapes)}): {why}",
        hint=f"fix the axes: {_fixing(module)}",
    )


def _shown(shapes: Shapes) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())


def _fixing(module: TorchModel) -> str:
    opened = [port for port in module.traced if port.open]
    return " ".join(f"--shape {port.name}={','.join(map(str, port.shape))}" for port in opened)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Expected:
    """What the package computes: inputs in the module's order, outputs in float32 and in the declared types."""

    inputs: list[torch.Tensor]
    values: dict[str, Any]
    rounded: Callable[[], dict[str, Any]]


class _Judge:
    """Holds what was converted against the package; `worst` and `rounded` are as in `Converted`."""

    def __init__(self, package: Any, function_name: str | None, module: TorchModel) -> None:
        self.module, self.worst = module, 0.0
        self.rounded: float | None = None
        self._models = {
            precision: cache(partial(ReferenceModel, package, function_name, precision=precision))
            for precision in ("float32", "declared")
        }

    def expected(self, shapes: Shapes, seed: int) -> _Expected:
        """What the package computes at inputs of `shapes`."""
        reference = self._models["float32"]()
        given = make_inputs(reference.input_description, (), seed, shapes=shapes, all_inputs=True)

        def computed(precision: str) -> tuple[list[Any], dict[str, Any]]:
            model = self._models[precision]()
            state, generator = model.new_state(), np.random.default_rng(seed)
            if state is not None and seed:
                for cell in state.cells.values():
                    cell.value = torch.from_numpy(generator.standard_normal(cell.value.shape, dtype=np.float32))
            arguments = model.arguments(given, state)
            inputs = [getattr(value, "value", value) for value in arguments]
            with torch.inference_mode():
                found = model.plan(*arguments)
            values = {port.name: value for port, value in zip(model.plan.outputs, found, strict=True)}
            if state is not None:
                values |= {f"{name}_out": state.cells[name].value for name in self.module.state_names}
            return inputs, values

        inputs, values = computed("float32")
        return _Expected(inputs=inputs, values=values, rounded=lambda: computed("declared")[1])

    def compare(self, expected: _Expected, run: Run) -> None:
        """Runs what was converted; raises VerificationError where it is wrong, with the output's name."""
        for name, found in zip(self.module.output_names, run(expected.inputs), strict=True):
            difference = _difference(name, *_arrays(expected.values[name], found))
            if difference > TOLERANCE:
                self._excuse(name, difference, expected)
            self.worst = max(self.worst, difference)

    def _excuse(self, name: str, difference: float, expected: _Expected) -> None:
        """Accepts a difference that the declared types round away."""
        rounds, value = expected.rounded()[name], expected.values[name]
        other = torch.tensor(list(rounds.values())) if isinstance(rounds, dict) else rounds
        rounded = min(MOST_ROUNDED, _difference(name, *_arrays(value, other.numpy())))
        if difference > rounded:
            raise VerificationError(
                "the converted model differs from the package",
                value=f"output {name!r}: {difference:.3g} relative",
                allowed=f"at most {TOLERANCE}, or what rounding to the declared types changes (here {rounded:.2g})",
            )
        self.rounded = max(self.rounded or 0.0, rounded)


def _arrays(expected: Any, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays of one form; a classifier's dictionary is the vector of its probabilities."""
    if isinstance(expected, dict):
        return np.array(list(expected.values()), np.float32), found.reshape(-1)
    return expected.numpy(), found


def _difference(name: str, expected: np.ndarray, found: np.ndarray) -> float:
    """The largest difference over the largest finite magnitude; infinite where one side alone is finite.

    Raises:
        VerificationError: another shape, or not one number on either side: that is no agreement.
    """
    if expected.shape != found.shape:
        raise VerificationError(
            f"output {name!r} has another shape", value=list(found.shape), allowed=str(list(expected.shape))
        )
    if nan_throughout(expected) and nan_throughout(found):
        raise VerificationError(f"output {name!r} is NaN throughout on both sides, which shows nothing")
    return relative_error(expected, found, least_peak=_LEAST_PEAK)
