"""ONNX models in onnxruntime, on the CPU."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinyml.accuracy import Images, Scores, check_images
from tinyml.errors import ArtifactError
from tinyml.onnx_session import open_session
from tinyml.schema import IMAGE, PROBABILITIES, Tensor

from ..runtime import Executable, Outputs, runtimes, spec_of

if TYPE_CHECKING:
    import onnx

_BATCH = 32


class OnnxRuntime:
    """`.onnx` on any machine."""

    title = "onnxruntime"
    suffix = ".onnx"

    def available(self) -> str | None:
        """It runs wherever tinyml does."""
        return None

    def open(self, path: Path) -> Executable:
        """Loads the file into onnxruntime, with the softmax's input as one more output."""
        return OnnxExecutable(read_model(path), path)


runtimes.add("onnx", OnnxRuntime())


class OnnxExecutable:
    """An ONNX model of ours in onnxruntime's CPU provider."""

    def __init__(self, model: onnx.ModelProto, path: Path) -> None:
        import onnxruntime

        self.facts = {prop.key: prop.value for prop in model.metadata_props}
        self.spec = spec_of(self.facts, path)
        self.inputs = tuple(_tensor(value) for value in model.graph.input)
        self.outputs = tuple(_tensor(value) for value in model.graph.output)
        self.runtime = f"onnxruntime {onnxruntime.__version__} (CPU)"
        self._session = open_session(_with_logits(model, path), name=path)

    def run(self, images: Images) -> Outputs:
        """Executes the model in batches."""
        check_images(images, self.spec.preprocess)
        parts = [self._run_batch(images[i : i + _BATCH]) for i in range(0, len(images), _BATCH)]
        probabilities, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Outputs(probabilities=probabilities, logits=logits)

    def probabilities(self, images: Images) -> Scores:
        """The probabilities of `run`."""
        return self.run(images).probabilities

    def logits(self, images: Images) -> Scores | None:
        """The logits of `run`."""
        return self.run(images).logits

    def _run_batch(self, images: Images) -> list[Scores]:
        pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
        outputs: list[Scores] = self._session.run(None, {IMAGE: pixels})
        return outputs


def read_model(path: Path) -> onnx.ModelProto:
    """The model in a file, weights inside; raises ArtifactError for anything else."""
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
