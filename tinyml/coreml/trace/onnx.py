"""A torch module of a package as an ONNX model, and its execution."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from tinyml.errors import PackageError
from tinyml.onnx_session import open_session
from tinyml.quiet import quiet

from ..plan.plan import FAILURES
from .module import TorchModel
from .tracing import exported

Run = Callable[[Sequence[np.ndarray | torch.Tensor]], list[np.ndarray]]
"""From the inputs, in the model's order, to its outputs."""


def onnx_bytes(module: TorchModel) -> bytes:
    """`module` as an ONNX model; names of inputs and outputs are kept.

    Raises:
        UnsupportedOpsError: an op cannot be traced; PackageError: torch's exporter cannot translate the trace.
    """
    try:
        return _written(module, exported(module))
    except PackageError as error:
        if not module.keeps_loops:
            raise
        try:  # what torch's exporter has no loop for
            return _written(module, exported(module, keeps_loops=False))
        except PackageError:
            raise error from None


def _written(module: TorchModel, program: torch.export.ExportedProgram) -> bytes:
    import onnx

    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            written = torch.onnx.export(
                program,
                input_names=list(module.input_names),
                output_names=list(module.output_names),
                dynamo=True,
                verbose=False,
            )
        except FAILURES as error:
            reason = " ".join(str(error).split())[:300]
            raise PackageError("the program cannot become an ONNX model", value=reason) from error
    if written is None:
        raise PackageError("the program cannot become an ONNX model", value="the exporter returned nothing")
    model = written.model_proto
    _pool_globally(model.graph)
    for name, value in module.defaults().items():
        # An input with an initializer of its name may be left out.
        model.graph.initializer.append(onnx.numpy_helper.from_array(value.numpy(), name))
    if module.classes:
        onnx.helper.set_model_props(model, {"classes": "\n".join(str(label) for label in module.classes)})
    content: bytes = model.SerializeToString()
    return content


def _pool_globally(graph: Any) -> None:
    """Writes means over whole images as GlobalAveragePool, for which onnxruntime keeps its own order of channels."""
    import onnx

    constants = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    ranks = {item.name: len(item.type.tensor_type.shape.dim) for item in graph.value_info}
    for node in graph.node:
        if node.op_type != "ReduceMean" or ranks.get(node.input[0]) != 4 or len(node.input) != 2:
            continue
        axes = constants.get(node.input[1])
        keeps = all(item.i == 1 for item in node.attribute if item.name == "keepdims")
        if keeps and axes is not None and sorted(axis % 4 for axis in axes.reshape(-1).tolist()) == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:]
            del node.attribute[:]


def onnx_runner(content: bytes, threads: int | None = None) -> Run:
    """Runs an ONNX model with onnxruntime; `threads` None: as many as torch uses."""
    import onnx

    session = open_session(content, name="the program as ONNX", threads=threads or torch.get_num_threads())
    names = [item.name for item in session.get_inputs()]
    if session.get_overridable_initializers():  # inputs with a default value, which the model alone has in order
        names = [item.name for item in onnx.load_from_string(content).graph.input]

    def run(inputs: Sequence[np.ndarray | torch.Tensor]) -> list[np.ndarray]:
        found = session.run(None, {name: np.asarray(value) for name, value in zip(names, inputs, strict=True)})
        return [np.asarray(value) for value in found]

    return run
