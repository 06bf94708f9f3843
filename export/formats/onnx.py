"""ONNX: written by torch's exporter, executed by onnxruntime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from tinyml.accuracy import Images
from tinyml.errors import ArtifactError
from tinyml.evaluation.runtime import Executable, runtimes
from tinyml.evaluation.runtimes.onnx import read_model
from tinyml.quiet import quiet
from tinyml.schema import IMAGE, PROBABILITIES, Variant

from ..compress import compress
from ..format import Description, formats
from ..network import trace

OPSET = 18
"""The opset that torch's exporter itself writes, so nothing is converted after it; onnxruntime reads it since 1.14."""


class OnnxFormat:
    """`.onnx`: input "image" float32 [N, 3, H, W] of 0..255, output "probabilities" [N, classes]."""

    suffix = ".onnx"
    packages = ("torch", "onnx", "onnxscript", "onnxruntime")

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
        model = compress(exported.model_proto, variant.format, variant.compression, calibration)
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
            },
        )
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)

    def open(self, path: Path) -> Executable:
        """Loads the file into onnxruntime, with the softmax's input as one more output."""
        return runtimes.get("onnx").open(path)

    def weight_elements(self, path: Path) -> Mapping[str, int]:
        """The initializers by element type; scalars (scales, zero points, shapes) left out."""
        import onnx

        names = {onnx.TensorProto.FLOAT: "fp32", onnx.TensorProto.INT8: "int8", onnx.TensorProto.UINT8: "uint8"}
        counts: Counter[str] = Counter()
        for tensor in read_model(path).graph.initializer:
            if tensor.data_type in names and len(tensor.dims) > 1:
                counts[names[tensor.data_type]] += int(np.prod(tensor.dims))
        return counts


formats.add("onnx", OnnxFormat())
