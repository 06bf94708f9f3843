"""Every architecture as every variant, untrained: written, read back, executed, held to torch."""

import copy
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from tinyml.core_ai.program import read_program
from tinyml.coreml import ReferenceModel
from tinyml.coreml.read.package import open_package
from tinyml.evaluation.runtime import SPEC_KEY
from tinyml.export.compression import check_weights
from tinyml.export.format import Metadata, formats
from tinyml.export.network import Deployable
from tinyml.export.variants import variants
from tinyml.export.weights import fitting
from tinyml.schema import Preprocess
from tinyml.trainer.architecture import architectures, build
from tinyml.trainer.checkpoint import spec_of
from tinyml.trainer.predictor import network_input

CLASSES = 10
IMAGES = 16

# Relative error of the logits, |a - b| / |b| over all of them, against torch in float32. fp32 differs by the order of
# operations and the folding of BatchNorm; fp16 by 2^-11 at each of up to 120 layers. int8 rounds weights to 1/127 of a
# channel's largest. QDQ rounds every activation too, and an untrained EfficientNet's logits hardly differ from image
# to image, so that noise comes to half of them; an answer that has nothing to do with torch's has an error above 1.
# 4 bits say nothing here: torch's own rounding of an untrained EfficientNet to them has an error of 8.
BOUNDS = {
    "coreml-fp32": 1e-4,
    "coreml-fp16": 2e-2,
    "coreml-w8": 0.25,
    "coreai-fp16": 2e-2,
    "onnx-fp32": 1e-4,
    "onnx-w8a8": 0.75,
}

LANDMARKS = ("alexnet", "densenet", "efficientnet", "resnet", "vgg", "vit")
"""What is exported in every way; of the others it is enough that each format computes what torch does."""
PLAIN = ("coreai-fp16", "coreml-fp16", "onnx-fp32")

EXACT = {"coreml-fp16": 8, "coreml-w8": 8, "coreml-w4g32": 4, "coreml-palette4": 4}
"""How many bits the weights of the exact comparison may have."""


@pytest.mark.slow  # the default set exports AlexNet, in test_pipeline.py
@pytest.mark.parametrize(
    ("model", "variant_name"),
    [(model, name) for model in architectures.names() for name in (BOUNDS if model in LANDMARKS else PLAIN)],
)
def test_artifact_computes_what_torch_computes(model: str, variant_name: str, tmp_path: Path) -> None:
    preprocess = Preprocess()
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (IMAGES, 8, 8, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    network = untrained(model, images, preprocess)
    spec = spec_of(model, network, tuple(f"class {i}" for i in range(CLASSES)), preprocess)
    metadata = Metadata(
        spec=spec,
        summary="",
        author="",
        license="",
        version="",
        facts={SPEC_KEY: spec.model_dump_json(), "tinyml.version": "0"},
    )
    variant = variants.get(variant_name)
    format_ = formats.get(variant.format)
    if reason := format_.available():
        pytest.skip(reason)
    path = tmp_path / f"model{format_.suffix}"

    format_.write(network, variant, metadata, images, path)

    check_weights(variant, format_.stored_weights(path), path.name)
    if variant.format == "coreai":  # Apple's runtime takes up to a second an image
        images = images[:4]
    outputs = format_.open(path).run(images)
    with torch.inference_mode():
        pixels = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32))
        expected = network(network_input(images, preprocess)).numpy()
        probabilities = Deployable(network, preprocess).eval()(pixels).numpy()
    error = np.linalg.norm(outputs.logits - expected) / np.linalg.norm(expected)
    assert error <= BOUNDS[variant_name]
    # A softmax moves each probability by at most half of the largest change of a logit.
    assert np.abs(outputs.probabilities - probabilities).max() <= np.abs(outputs.logits - expected).max() / 2 + 1e-3
    assert not convolutions_followed_by_batch_norm(path)


FOUR_BITS = ("efficientnet", "resnet", "vit")
"""The networks whose exact comparison is also made at 4 bits: one of each sort of layer."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "variant_name"),
    [(name, row) for name in LANDMARKS for row, bits in EXACT.items() if bits == 8 or name in FOUR_BITS],
)
def test_the_same_weights_give_the_same_logits(model: str, variant_name: str, tmp_path: Path) -> None:
    """With weights that the variant holds exactly, nothing but the execution can differ from torch."""
    preprocess = Preprocess(mean=(0.5, 0.5, 0.5), std=(64 / 255,) * 3)  # exact in fp16 when baked in
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (IMAGES, 8, 8, 3), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    network = exactly_representable(untrained(model, images, preprocess), bits=EXACT[variant_name])
    spec = spec_of(model, network, tuple(f"class {i}" for i in range(CLASSES)), preprocess)
    facts = {SPEC_KEY: spec.model_dump_json(), "tinyml.version": "0"}
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
    path = tmp_path / "model.mlpackage"
    variant = variants.get(variant_name)
    formats.get("coreml").write(network, variant, metadata, images, path)
    check_weights(variant, formats.get("coreml").stored_weights(path), path.name)
    pixels = network_input(images, preprocess)
    with torch.inference_mode():
        expected = copy.deepcopy(network).double()(pixels.double()).numpy()
        # Coarse weights make an untrained EfficientNet so uneven that torch's own float32 is this far from float64.
        torchs = float(np.linalg.norm(network(pixels).numpy() - expected) / np.linalg.norm(expected))
    in_float32 = max(1e-4, 4 * torchs)
    precisions: list[tuple[Literal["float32", "declared"], float]] = [("float32", in_float32), ("declared", 2e-2)]
    # What fp16 rounds away of such a network comes to 7% of its logits.
    for precision, bound in precisions if EXACT[variant_name] == 8 else precisions[:1]:
        runtime = ReferenceModel(path, precision=precision)
        assert runtime.logits_name is not None
        logits = runtime.predict_batch({"image": images}, values=[runtime.logits_name])[runtime.logits_name]
        error = np.linalg.norm(logits.reshape(expected.shape) - expected) / np.linalg.norm(expected)
        assert error <= bound, precision


def exactly_representable(network: nn.Module, *, bits: int) -> nn.Module:
    """`network` with weights of the form q 2^k, |q| below 2^(bits - 1), and BatchNorms that scale by a power of two.

    The largest q is reached in every output channel (8 bits) or every block of it (4 bits, where k is that of the whole
    tensor, so that it has at most 15 values); then neither folding nor any of the variants rounds anything.
    """
    largest_q = 2 ** (bits - 1) - 1
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_var is not None
                assert module.running_mean is not None
                power = 4.0 ** round(float(torch.log2(module.running_var.mean() + module.eps)) / 2)
                module.eps = power / 4  # an epsilon of 1e-5 would be lost beside the variance in fp16
                module.running_var.fill_(power - module.eps)
                module.running_mean.copy_(module.running_mean.half())
        for parameter in network.parameters():
            rows = parameter.reshape(len(parameter), -1)
            if parameter.ndim < 2 or rows.shape[1] < 2:
                parameter.copy_(parameter.half())
                continue
            if bits == 4:
                inputs = parameter.shape[1]
                rows = parameter.reshape(len(parameter) * (inputs // fitting(inputs, 32)), -1)
            largest, place = rows.abs().max(dim=1, keepdim=True)
            if bits == 4:
                largest = largest.mean().expand_as(largest)
            scale = 2.0 ** torch.round(torch.log2(largest.clamp(min=1e-6) / largest_q))
            snapped = torch.round(rows / scale).clamp(-largest_q, largest_q)
            snapped.scatter_(1, place, largest_q * rows.gather(1, place).sign())
            parameter.copy_((snapped * scale).reshape(parameter.shape))
    return network


def untrained(model: str, images: np.ndarray, preprocess: Preprocess) -> nn.Module:
    """A fresh network whose BatchNorms know their inputs' statistics; without, DenseNet's activations reach 1e8."""
    torch.manual_seed(0)
    network = build(model, CLASSES, dropout=0.0).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network(network_input(images, preprocess))
    return network.eval()


def convolutions_followed_by_batch_norm(path: Path) -> list[str]:
    """The BatchNorms that could have been folded into the convolution before them (its only reader), and were not."""
    if path.suffix == ".onnx":
        import onnx

        nodes = onnx.load(path).graph.node
        readers = Counter(name for node in nodes for name in node.input)
        convolved = {node.output[0] for node in nodes if node.op_type == "Conv"}
        found = [(node.name, node.input[0]) for node in nodes if node.op_type == "BatchNormalization"]
    elif path.suffix == ".aimodel":  # what is left of one there multiplies
        operations = read_program(path).operations.values()
        readers = Counter(name for operation in operations for name in operation.operands)
        convolved = {operation.result for operation in operations if operation.kind == "coreai.conv2d"}
        constants = {operation.result for operation in operations if operation.kind == "coreai.constant"}
        found = [
            (operation.result, operation.operands[0])
            for operation in operations
            if operation.kind.endswith("mul") and operation.operands[1] in constants
        ]
    else:
        (function,) = open_package(path).program.functions.values()
        ops = function.block.operations
        readers = Counter(getattr(b, "name", None) for op in ops for bound in op.inputs.values() for b in bound)
        convolved = {op.outputs[0].name for op in ops if op.kind == "conv"}
        found = [(op.name, getattr(op.inputs["x"][0], "name", "")) for op in ops if op.kind == "batch_norm"]
    return [name for name, source in found if source in convolved and readers[source] == 1]


def test_the_rows_above_are_on_the_menu() -> None:
    # Every row is held to torch on a small network in test_compression.py.
    assert set(BOUNDS) | set(EXACT) <= set(variants)
