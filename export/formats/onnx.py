"""ONNX: written by torch's exporter, executed by onnxruntime."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from tinyml.errors import ArtifactError
from tinyml.quiet import quiet
from tinyml.schema import Tensor, Variant
from tinyml.trainer.evaluate import check_images

from ..compression import compress
from ..format import LAYERS_KEY, Description, Executable, Floats, Images, Outputs, formats, layers_of, spec_of
from ..network import IMAGE, PROBABILITIES, layers, trace
from ..onnx_weights import weights_of
from ..weights import Weight, with_layers

if TYPE_CHECKING:
    import onnx

OPSET = 18
"""The opset that torch's exporter itself writes, so nothing is converted after it; onnxruntime reads it since 1.14."""

_BATCH = 32


class OnnxFormat:
    """`.onnx`: input "image" float32 [N, 3, H, W] of 0..255, output "probabilities" [N, classes]."""

    suffix = ".onnx"
    packages = ("torch", "onnx", "onnxscript", "onnxruntime")

    def available(self) -> str | None:
        """Where onnx, onnxscript and onnxruntime are installed."""
        lacking = [name for name in self.packages if importlib.util.find_spec(name) is None]
        return f"{lacking[0]} is not installed" if lacking else None

    def write(
        self, network: nn.Module, variant: Variant, description: Description, calibration: Images, path: Path
    ) -> None:
        """Writes one file with the weights inside; checked by onnx's own checker before it is written."""
        import onnx
        import torch

        program = trace(network, description.spec.preprocess, dynamic_batch=True)
        with quiet():
            exported = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                input_names=[IMAGE],
                output_names=[PROBABILITIES],
                verbose=False,
            )
        if exported is None:
            raise ArtifactError("torch.onnx.export gave no model")
        model, names = exported.model_proto, layers(program)
        model = compress(model, variant, calibration, lambda held: with_layers(weights_of(held), names))
        model.producer_name, model.producer_version = "tinyml", description.facts["tinyml.version"]
        model.doc_string = description.summary
        onnx.helper.set_model_props(
            model,
            {
                "description": description.summary,
                "author": description.author,
                "license": description.license,
                "version": description.version,
                **description.facts,
                LAYERS_KEY: json.dumps(names),
            },
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)

    def open(self, path: Path) -> Executable:
        """Loads the file into onnxruntime, with the softmax's input as one more output."""
        return OnnxExecutable(_load(path), path)

    def stored_weights(self, path: Path) -> tuple[Weight, ...]:
        """What convolutions and matrix products multiply with, in the order of the graph."""
        model = _load(path)
        return with_layers(weights_of(model), layers_of({prop.key: prop.value for prop in model.metadata_props}))


formats.add("onnx", OnnxFormat())


class OnnxExecutable:
    """An ONNX model of ours in onnxruntime's CPU provider."""

    def __init__(self, model: onnx.ModelProto, path: Path) -> None:
        import onnxruntime

        self.facts = {prop.key: prop.value for prop in model.metadata_props}
        self.spec = spec_of(self.facts, path)
        self.inputs = tuple(_tensor(value) for value in model.graph.input)
        self.outputs = tuple(_tensor(value) for value in model.graph.output)
        self.runtime = f"onnxruntime {onnxruntime.__version__} (CPU)"
        self._session = _session(_with_logits(model, path), path)

    def run(self, images: Images) -> Outputs:
        """Executes the model in batches."""
        check_images(images, self.spec.preprocess)
        parts = [self._run_batch(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)]
        probabilities, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Outputs(probabilities=probabilities, logits=logits)

    def probabilities(self, images: Images) -> Floats:
        """The probabilities of `run`."""
        return self.run(images).probabilities

    def logits(self, images: Images) -> Floats | None:
        """The logits of `run`."""
        return self.run(images).logits

    def _run_batch(self, images: Images) -> list[Floats]:
        pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
        outputs: list[Floats] = self._session.run(None, {IMAGE: pixels})
        return outputs


def _load(path: Path) -> onnx.ModelProto:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(path, load_external_data=False)
    except FileNotFoundError:
        raise ArtifactError("no such file", value=path) from None
    except DecodeError:
        raise ArtifactError("not an ONNX model", value=path) from None
    if not model.graph.node:
        raise ArtifactError("an ONNX model without a graph", value=path)
    return model


@functools.cache
def _dtype_name(elem_type: int) -> str:
    import onnx

    return str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(elem_type)))


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim)
    return Tensor(name=value.name, kind="tensor", shape=shape, dtype=_dtype_name(kind.elem_type))


def _with_logits(model: onnx.ModelProto, path: Path) -> bytes:
    """The model with one more output: what enters the softmax that makes the probabilities."""
    import onnx

    last = [node for node in model.graph.node if PROBABILITIES in node.output]
    if len(last) != 1 or last[0].op_type != "Softmax":
        raise ArtifactError("the probabilities do not come from a softmax", value=path)
    extended = onnx.ModelProto()
    extended.CopyFrom(model)
    extended.graph.output.append(
        onnx.helper.make_tensor_value_info(last[0].input[0], onnx.TensorProto.FLOAT, [None, None])
    )
    content: bytes = extended.SerializeToString()
    return content


def _session(content: bytes, path: Path) -> Any:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.NotImplemented) as error:
        raise ArtifactError(f"onnxruntime cannot load {path}", value=str(error)) from None
