"""ONNX: written by torch's exporter, executed by onnxruntime."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from tinyml.accuracy import Images
from tinyml.errors import ArtifactError
from tinyml.evaluation.runtime import Executable, runtimes
from tinyml.evaluation.runtimes.onnx import read_model
from tinyml.quiet import quiet
from tinyml.schema import IMAGE, PROBABILITIES, Preprocess, Variant

from ..compression import compress
from ..format import LAYERS_KEY, Metadata, formats, layers_of
from ..network import layers, trace
from ..onnx_weights import held, plain_name, weights_of
from ..proof import Held
from ..remembered import Remembered
from ..weights import Weight, with_layers

if TYPE_CHECKING:
    import onnx

OPSET = 18
"""The opset that torch's exporter itself writes, so nothing is converted after it; onnxruntime reads it since 1.14."""

_exported: Remembered[tuple[onnx.ModelProto, tuple[str, ...]]] = Remembered()
"""Whatever the precision and the compression, the network is exported once."""


class OnnxFormat:
    """`.onnx`: input "image" float32 [N, 3, H, W] of 0..255, output "probabilities" [N, classes]."""

    suffix = ".onnx"
    packages = ("torch", "onnx", "onnxscript", "onnxruntime")

    def available(self) -> str | None:
        """Where onnx, onnxscript and onnxruntime are installed."""
        lacking = [name for name in self.packages if importlib.util.find_spec(name) is None]
        return f"{lacking[0]} is not installed" if lacking else None

    def write(self, network: nn.Module, variant: Variant, metadata: Metadata, calibration: Images, path: Path) -> None:
        """Writes one file with the weights inside; checked by onnx's own checker before it is written."""
        import onnx

        made, names = _exported.get(
            network, metadata.spec.preprocess, lambda: _export(network, metadata.spec.preprocess)
        )
        # What is done to it may sort the nodes anew: of two branches the other may then come first.
        called = {weight.stored_name: weight.layer for weight in with_layers(weights_of(made), names)}
        model = onnx.ModelProto()
        model.CopyFrom(made)
        if variant.precision == "fp16":
            model = _halved(model)
        model = compress(model, variant, {IMAGE: calibration}, lambda held: _called(weights_of(held), called))
        stored = [weight.layer for weight in _called(weights_of(model), called)]
        model.producer_name, model.producer_version = "tinyml", metadata.facts["tinyml.version"]
        model.doc_string = metadata.summary
        onnx.helper.set_model_props(
            model,
            {
                "description": metadata.summary,
                "author": metadata.author,
                "license": metadata.license,
                "version": metadata.version,
                **metadata.facts,
                LAYERS_KEY: json.dumps(stored),
            },
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)

    def open(self, path: Path) -> Executable:
        """Loads the file into onnxruntime, with the softmax's input as one more output."""
        return runtimes.get("onnx").open(path)

    def stored_weights(self, path: Path) -> tuple[Weight, ...]:
        """What convolutions and matrix products multiply with, in the order of the graph."""
        model = read_model(path)
        return with_layers(weights_of(model), layers_of({prop.key: prop.value for prop in model.metadata_props}))

    def held_weights(self, path: Path) -> Held:
        """As DequantizeLinear unpacks them."""
        return held(read_model(path), self.stored_weights(path))


formats.add("onnx", OnnxFormat())


def _export(network: nn.Module, preprocess: Preprocess) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """The network in float32 and the layers of its weights, in order."""
    import torch

    program = trace(network, preprocess, dynamic_batch=True)
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
    return _bare(exported.model_proto), layers(program)


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` without what its exporter notes beside each node: the files and lines of the machine it ran on."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
    return model


def _called(weights: Sequence[Weight], layers: Mapping[str, str]) -> tuple[Weight, ...]:
    """`weights` with the names of their layers, by what is stored: the ops that read it may be fused and renamed."""
    return tuple(replace(weight, layer=layers.get(plain_name(weight), weight.layer)) for weight in weights)


def _halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model computing in float16 between inputs and outputs of float32; the last softmax stays in float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    with quiet():
        last = [node.name for node in model.graph.node if node.output[0] == PROBABILITIES]
        halved = OnnxModel(convert_float_to_float16(model, keep_io_types=True, node_block_list=last))
        halved.topological_sort()  # the casts of the inputs are put at the end
    found: onnx.ModelProto = halved.model
    # The converter casts each output down and up again, also that of an op which it leaves in float32.
    made = {node.output[0]: node for node in found.graph.node}
    node = made[PROBABILITIES]
    while node.op_type == "Cast":
        found.graph.node.remove(node)
        node = made[node.input[0]]
    node.output[0] = PROBABILITIES
    return found
