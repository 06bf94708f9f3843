"""ML Programs out of Core ML again: to ONNX and to a torch program, checked against the reference runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tinyml.errors import UsageError, VerificationError
from tinyml.quiet import quiet
from tinyml.store import atomic_file

from ..run.model import ReferenceModel
from ..trace.module import TorchModel, to_torch
from ..trace.onnx import Run, onnx_bytes, onnx_runner
from ..trace.tracing import exported
from .inputs import make_inputs

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
"""File name endings by format."""

TOLERANCE = 1e-3
"""Largest accepted difference to the reference runtime, over the output's largest magnitude. Both compute in float32;
what differs is the order of summation (about 1e-6) and how often a deep network amplifies it."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What was written: `largest` is the largest relative difference to the reference runtime."""

    path: Path
    format: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    largest: float


def convert(
    package: Any,
    to: str,
    output: Path,
    function_name: str | None = None,
    run_onnx: Callable[[bytes], Run] = onnx_runner,
) -> Converted:
    """Writes `package` as a file of another format and verifies it.

    Args:
        package: a path to an .mlpackage, or a coremltools MLModel.
        to: "onnx" (float32, the classes in metadata) or "torch" (a program of torch.export).
        output: the file to write.
        function_name: which function; None: the default one.
        run_onnx: what executes an ONNX model to check it.

    Raises:
        UnsupportedOpsError: the program cannot be traced; VerificationError: the results differ.
    """
    if to not in SUFFIXES:
        raise UsageError("unknown format", value=to, allowed=", ".join(sorted(SUFFIXES)))
    if output.suffix != SUFFIXES[to]:
        raise UsageError(f"not a name for a file of format {to}", value=output, allowed=f"a name in {SUFFIXES[to]}")
    module = to_torch(package, function_name)
    reference = ReferenceModel(package, function_name, precision="float32")
    with atomic_file(output) as temporary:
        if to == "onnx":
            temporary.write_bytes(onnx_bytes(module))
            run = run_onnx(temporary.read_bytes())
        else:
            with quiet():
                torch.export.save(exported(module), temporary)
            run = _torch_runner(temporary)
        largest = _verify(reference, module, run)
    return Converted(path=output, format=to, inputs=module.input_names, outputs=module.output_names, largest=largest)


def _torch_runner(path: Path) -> Run:
    with quiet():
        program = torch.export.load(path).module()

    def run(inputs: Sequence[np.ndarray | torch.Tensor]) -> list[np.ndarray]:
        with torch.no_grad():
            return [value.numpy() for value in program(*map(torch.as_tensor, inputs))]

    return run


def _verify(reference: ReferenceModel, module: TorchModel, run: Run) -> float:
    """The largest relative difference on random inputs; raises VerificationError above TOLERANCE."""
    worst = 0.0
    for seed in range(2):
        arguments = reference.arguments(make_inputs(reference.input_description, (), seed), None)
        with torch.inference_mode():
            values = dict(zip((port.name for port in reference.plan.outputs), reference.plan(*arguments), strict=True))
        for name, found in zip(module.output_names, run(arguments), strict=True):
            expected, value = values[name], found
            if isinstance(expected, dict):
                expected, value = torch.tensor(list(expected.values())), found.reshape(-1)
            worst = max(worst, _difference(name, expected.numpy(), value))
    if worst > TOLERANCE:
        raise VerificationError(
            "the converted model differs from the package",
            value=f"{worst:.3g} relative",
            allowed=f"at most {TOLERANCE}",
        )
    return worst


def _difference(name: str, expected: np.ndarray, found: np.ndarray) -> float:
    """The largest difference over the largest finite magnitude; infinite where one side alone is finite."""
    if expected.shape != found.shape:
        raise VerificationError(
            f"output {name!r} has another shape", value=list(found.shape), allowed=str(list(expected.shape))
        )
    a, b = expected.astype(np.float64), found.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return 0.0
    with np.errstate(invalid="ignore"):
        largest = float(np.abs(a - b)[~same].max())
    peak = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
    return largest / max(peak, 1e-12) if np.isfinite(largest) else float("inf")
