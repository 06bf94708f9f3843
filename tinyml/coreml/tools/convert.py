"""ML Programs out of Core ML again: to ONNX and to a torch program, checked against the reference runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyml.errors import PackageError, TinyMLError, UsageError, VerificationError
from tinyml.numerics import nan_throughout, relative_error
from tinyml.quiet import quiet
from tinyml.store import atomic_file

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

_LEAST_PEAK = 1e-12
"""So that an output of zeros may differ by what a sum's order makes of it."""

MIN_OTHER_SIZES = 2
"""At so many other sizes an open axis is checked at least, where it has them."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What was written.

    `largest` is the largest relative difference to the reference runtime; `open` describes the inputs with axes that
    stayed open, `checked` holds the inputs' shapes of every check, `skipped` those that the package itself refuses.
    """

    path: Path
    format: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    largest: float
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
    if output.suffix != SUFFIXES[to]:
        raise UsageError(f"not a name for a file of format {to}", value=output, allowed=f"a name in {SUFFIXES[to]}")
    module = to_torch(package, function_name, shapes)
    reference = ReferenceModel(package, function_name, precision="float32")
    with atomic_file(output) as temporary:
        if to == "onnx":
            temporary.write_bytes(onnx_bytes(module))
            run = run_onnx(temporary.read_bytes())
        else:
            with quiet():
                torch.export.save(exported(module), temporary, extra_files={"tinyml.json": _facts(module)})
            run = _torch_runner(temporary)
        largest, checked, skipped = _verify(reference, module, run)
    return Converted(
        path=output,
        format=to,
        inputs=module.input_names,
        outputs=module.output_names,
        largest=largest,
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


def _verify(
    reference: ReferenceModel, module: TorchModel, run: Run
) -> tuple[float, tuple[Shapes, ...], tuple[Shapes, ...]]:
    """The largest relative difference, the shapes of the checks, and those that the package refuses as well."""
    example = {port.name: port.shape for port in module.traced}
    worst = max(_at(reference, module, run, example, seed) for seed in range(2))
    checked, skipped = [example], []
    others = alternatives(module.traced)
    for shapes in others:
        try:
            expected = _expected(reference, module, shapes, 0)
        except TinyMLError:
            skipped.append(shapes)
            continue
        try:
            worst = max(worst, _compared(module, expected, run))
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
    return worst, tuple(checked), tuple(skipped)


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


def _at(reference: ReferenceModel, module: TorchModel, run: Run, shapes: Shapes, seed: int) -> float:
    return _compared(module, _expected(reference, module, shapes, seed), run)


Expected = tuple[list[torch.Tensor], dict[str, Any]]
"""The inputs in the module's order, and the outputs by name."""


def _expected(reference: ReferenceModel, module: TorchModel, shapes: Shapes, seed: int) -> Expected:
    given = make_inputs(reference.input_description, (), seed, shapes=shapes, all_inputs=True)
    state = reference.make_state() if module.state_names else None
    generator = np.random.default_rng(seed)
    if state is not None and seed:
        for cell in state.cells.values():
            cell.value = torch.from_numpy(generator.standard_normal(cell.value.shape, dtype=np.float32))
    arguments = reference.arguments(given, state)
    inputs = [getattr(value, "value", value) for value in arguments]
    with torch.inference_mode():
        found = reference.plan(*arguments)
    values = {port.name: value for port, value in zip(reference.plan.outputs, found, strict=True)}
    if state is not None:
        values |= {f"{name}_out": state.cells[name].value for name in module.state_names}
    return inputs, values


def _compared(module: TorchModel, expected: Expected, run: Run) -> float:
    """The largest relative difference; raises VerificationError above TOLERANCE, with the output's name."""
    inputs, values = expected
    worst = 0.0
    for name, found in zip(module.output_names, run(inputs), strict=True):
        want, value = values[name], found
        if isinstance(want, dict):
            want, value = torch.tensor(list(want.values())), found.reshape(-1)
        difference = _difference(name, want.numpy(), value)
        if difference > TOLERANCE:
            raise VerificationError(
                "the converted model differs from the package",
                value=f"output {name!r}: {difference:.3g} relative",
                allowed=f"at most {TOLERANCE}",
            )
        worst = max(worst, difference)
    return worst


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
