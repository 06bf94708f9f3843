"""Core AI: written by Apple's coreai-torch, executed by the runtime of Apple's coreai-core."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tinyml.accuracy import Images
from tinyml.core_ai.packages import lacking, library
from tinyml.core_ai.program import read_program
from tinyml.coreml.read.package import open_package
from tinyml.errors import ArtifactError
from tinyml.evaluation.runtime import Executable, runtimes
from tinyml.schema import IMAGE, PROBABILITIES, Variant

from .. import coreml_weights
from ..compression import Conversion, compress
from ..coreai_weights import held, weights_of
from ..encoding.coreai import parameter_of, store
from ..encoding.layers import encoded
from ..fold import without_normalizations
from ..format import LAYERS_KEY, Metadata, formats, layers_of
from ..network import layers, trace
from ..proof import Held
from ..weights import Weight, with_layers
from .coreml import converted


class CoreAIFormat:
    """`.aimodel`: function "main" from "image" [1, 3, side, side] of 0..255 to "probabilities", both float32.

    Weights are rounded as for Core ML, on Core ML's program of the same network: compensated rounding runs that one on
    the calibration images, and the two hold the same weights.
    """

    suffix = ".aimodel"
    packages = ("torch", "coreai-torch", "coreai-core", "coremltools", "numpy")

    def available(self) -> str | None:
        """Where Apple's two packages are installed."""
        return lacking("coreai", "coreai_torch")

    def write(self, network: nn.Module, variant: Variant, metadata: Metadata, calibration: Images, path: Path) -> None:
        """Writes one model for a batch of 1; the labels are in its metadata."""
        preprocess = metadata.spec.preprocess
        names = layers(trace(network, preprocess, dynamic_batch=False))
        plain = without_normalizations(network, preprocess.input_size)
        if variant.precision == "fp16":
            plain = plain.half()
        if variant.compression:
            twin, order = converted(network, variant.model_copy(update={"minimum_target": "iOS18"}), metadata)
            stored = with_layers(coreml_weights.weights_of(open_package(twin)), order)
            weights = tuple(each for each in stored if each.multiplied and parameter_of(plain, each.layer) is not None)
            plain = compress(plain, variant, {IMAGE: calibration}, lambda _: weights, partial(_encode, twin))
        if variant.precision == "fp16":
            plain = _Halved(plain)
        with torch.no_grad(), library():
            import coreai_torch
            from coreai.runtime import AIModelAssetMetadata

            program = trace(plain, preprocess, dynamic_batch=False).run_decompositions(coreai_torch.get_decomp_table())
            # RELEASE leaves out the files and lines of the machine that it is converted on.
            converter = coreai_torch.TorchConverter(mode=coreai_torch.TorchConverter.Mode.RELEASE)
            converter.add_exported_program(program, input_names=[IMAGE], output_names=[PROBABILITIES])
            said = AIModelAssetMetadata()
            said.author, said.license, said.model_description = metadata.author, metadata.license, metadata.summary
            for key, value in {**metadata.facts, "version": metadata.version, LAYERS_KEY: json.dumps(names)}.items():
                said.set_custom(key, value)
            converter.to_coreai().save_asset(path, said)

    def open(self, path: Path) -> Executable:
        """Loads the model into Apple's runtime."""
        return runtimes.get("coreai").open(path)

    def stored_weights(self, path: Path) -> tuple[Weight, ...]:
        """What convolutions and matrix products multiply with, in the order of the program."""
        program = read_program(path)
        return with_layers(weights_of(program), layers_of(program.facts))

    def held_weights(self, path: Path) -> Held:
        """As the ops of the program unpack them."""
        program = read_program(path)
        return held(program, with_layers(weights_of(program), layers_of(program.facts)))


formats.add("coreai", CoreAIFormat())


class _Halved(nn.Module):
    """A network of float16 between inputs and outputs of float32; preprocessing and softmax stay in float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """float32 [N, 3, H, W] to logits [N, classes]."""
        logits: Tensor = self.network(image.half())
        return logits.float()


def _encode(twin: Any, plain: nn.Module, conversion: Conversion) -> nn.Module:
    """The network with its weights stored as the variant says, rounded on Core ML's program `twin`."""
    found = encoded(twin, conversion.variant, conversion.weights, conversion.calibration)
    called = {weight.stored_name: weight.layer for weight in conversion.weights}
    readers = {weight.op_name: weight.layer for weight in conversion.weights}
    if len(called) < len(conversion.weights):
        raise ArtifactError("two layers share one weight", hint="export it as Core ML, or without compression")
    store(
        plain,
        {called[name]: form for name, form in found.forms.items()},
        {readers[name]: shift for name, shift in found.bias_shifts.items()},
        half=conversion.variant.precision == "fp16",
    )
    return plain
