"""Core ML: written by coremltools as an ML Program, executed by our own reference runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn
from torch.export import ExportedProgram

from tinyml.accuracy import Images
from tinyml.coreml.read.package import open_package
from tinyml.evaluation.runtime import Executable, runtimes
from tinyml.quiet import coremltools, quiet
from tinyml.schema import IMAGE, LABEL, PROBABILITIES, Variant

from ..compression import Conversion, compress
from ..coreml_weights import held, weights_of
from ..encoding.coreml import store
from ..encoding.layers import encoded
from ..format import LAYERS_KEY, Metadata, formats, layers_of
from ..network import layers, trace
from ..proof import Held
from ..remembered import Remembered
from ..weights import Weight, with_layers

_SOFTMAX = "class_probabilities"
"""The tensor's name inside the program; the dictionary made of it has the public one."""

_programs: Remembered[ExportedProgram] = Remembered()
"""Whatever the precision and the compression, the network is traced once."""


class CoreMLFormat:
    """`.mlpackage`: a classifier, image input "image", outputs "classLabel" and the dictionary "probabilities"."""

    suffix = ".mlpackage"
    packages = ("torch", "coremltools", "numpy")

    def available(self) -> str | None:
        """Always: coremltools writes on every system."""
        return None

    def write(self, network: nn.Module, variant: Variant, metadata: Metadata, calibration: Images, path: Path) -> None:
        """Writes one package for a batch of 1, the labels inside."""
        ct = coremltools()
        model, names = converted(network, variant, metadata)
        model = compress(
            model,
            variant,
            {IMAGE: calibration},
            lambda held: with_layers(weights_of(open_package(held)), names),
            _encode,
        )
        with quiet():
            model = _named(ct, model)
            _describe(model, metadata)
            model.user_defined_metadata[LAYERS_KEY] = json.dumps(names)
            model.save(str(path))

    def open(self, path: Path) -> Executable:
        """Loads the package into the reference runtime."""
        return runtimes.get("coreml").open(path)

    def stored_weights(self, path: Path) -> tuple[Weight, ...]:
        """The constants that are no vectors (biases, norms, scales), in the order of the program."""
        package = open_package(path)
        return with_layers(weights_of(package), layers_of(dict(package.description.metadata.userDefined)))

    def held_weights(self, path: Path) -> Held:
        """Decompressed by our own runtime, the scales behind ops included."""
        return held(open_package(path), self.stored_weights(path))


formats.add("coreml", CoreMLFormat())


def converted(network: nn.Module, variant: Variant, metadata: Metadata) -> tuple[Any, tuple[str, ...]]:
    """The network as coremltools' `MLModel`, nothing compressed yet, and the layers of its weights in order."""
    ct, spec = coremltools(), metadata.spec
    size = spec.preprocess.input_size
    program = _programs.get(
        network,
        spec.preprocess,
        lambda: trace(network, spec.preprocess, dynamic_batch=False).run_decompositions({}),
    )
    precision = {"fp16": ct.precision.FLOAT16, "fp32": ct.precision.FLOAT32}[variant.precision]
    with quiet():
        # ImageType's own scale stays 1 and its bias 0: preprocessing is part of the network.
        model = ct.convert(
            program,
            convert_to="mlprogram",
            inputs=[ct.ImageType(name=IMAGE, shape=(1, 3, size, size), color_layout=ct.colorlayout.RGB)],
            outputs=[ct.TensorType(name=_SOFTMAX)],
            classifier_config=ct.ClassifierConfig(list(spec.labels), predicted_feature_name=LABEL),
            compute_precision=precision,
            minimum_deployment_target=getattr(ct.target, str(variant.minimum_target)),
            skip_model_load=True,
        )
    return model, layers(program)


def _encode(model: Any, conversion: Conversion) -> Any:
    """The model with its weights stored as the variant says."""
    return store(model, encoded(model, conversion.variant, conversion.weights, conversion.calibration))


def _named(ct: Any, model: Any) -> Any:
    """The model with its dictionary called "probabilities"; coremltools calls it "classLabel_probs"."""
    specification = model.get_spec()
    ct.utils.rename_feature(specification, specification.description.predictedProbabilitiesName, PROBABILITIES)
    return ct.models.MLModel(specification, weights_dir=model.weights_dir, skip_model_load=True)


def _describe(model: Any, metadata: Metadata) -> None:
    size = metadata.spec.preprocess.input_size
    model.short_description = metadata.summary
    model.author = metadata.author
    model.license = metadata.license
    model.version = metadata.version
    model.user_defined_metadata.update(metadata.facts)
    model.input_description[IMAGE] = f"An RGB image of {size} x {size} pixels; normalization is part of the model."
    model.output_description[LABEL] = "The most probable class."
    model.output_description[PROBABILITIES] = "The probability of every class, by its label."
