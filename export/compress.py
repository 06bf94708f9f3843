"""Compression, one function a kind: it takes a converted model and gives a smaller one.

Registered under "<format>-<method>", the method as `tinyml.schema.Compression` names it. A function gets the model as
the format's library holds it (`coremltools.models.MLModel`, `onnx.ModelProto`), the variant's settings and images of
the training split; it returns a model of the same type.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.accuracy import Images
from tinyml.errors import UsageError
from tinyml.quiet import coremltools, quiet
from tinyml.registry import Registry
from tinyml.schema import IMAGE, Compression

Compressor = Callable[[Any, Compression, Images], Any]
compressions: Registry[Compressor] = Registry("compression")

CALIBRATION_BATCH = 16
CALIBRATION_PERCENTILE = 99.999
"""Of the absolute activations, per tensor: cuts the rarest outliers, which would widen the step for all others."""


def compress(model: Any, format_name: str, compression: Compression, calibration: Images) -> Any:
    """`model`, compressed as asked; itself for the method "none"."""
    if compression.method == "none":
        return model
    return compressions.get(f"{format_name}-{compression.method}")(model, compression, calibration)


@compressions.register("coreml-linear")
def linear(model: Any, compression: Compression, calibration: Images) -> Any:  # noqa: ARG001
    """Symmetric integer weights with a scale per output channel; biases and norms stay in float16.

    The size threshold is set to zero, so that small convolutions are not left out unseen.
    """
    settings = coremltools().optimize.coreml
    per_op = settings.OpLinearQuantizerConfig(
        mode="linear_symmetric",
        dtype=f"int{compression.bits}",
        granularity=compression.granularity,
        weight_threshold=0,
    )
    # A channel of zeros (BatchNorm's scale may be 0) has a step of 0, and coremltools divides by it; 0 x anything is 0.
    with quiet(), np.errstate(invalid="ignore"):
        return settings.linear_quantize_weights(model, settings.OptimizationConfig(global_config=per_op))


class _Batches:
    """Calibration images for onnxruntime, one batch held in memory at a time."""

    def __init__(self, images: Images) -> None:
        self._batches = np.array_split(images, max(1, len(images) // CALIBRATION_BATCH))
        self._next, self._end = 0, len(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._next, self._end = start_index, end_index

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        if self._next >= self._end:
            return None
        batch = self._batches[self._next]
        self._next += 1
        return {IMAGE: np.ascontiguousarray(batch.transpose(0, 3, 1, 2), dtype=np.float32)}


_QDQ_OPS = ("Conv", "Gemm", "MatMul", "Add", "Mul", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool", "Concat")


@compressions.register("onnx-qdq")
def qdq(model: Any, compression: Compression, calibration: Images) -> Any:
    """Static quantization of weights and activations with QuantizeLinear/DequantizeLinear pairs.

    Weights are symmetric int8 per output channel, activations uint8 per tensor with the range that calibration saw up
    to `CALIBRATION_PERCENTILE`. The logits stay in float: they are the result, and eight bits for the softmax's input
    would tie classes. Softmax, normalizations and the preprocessing before the first convolution stay in float as well.

    See onnxruntime's "Quantize ONNX models" (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
    """
    if not len(calibration):
        raise UsageError("quantizing activations needs training images to calibrate on", value=0, allowed="at least 1")
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quant_pre_process, quantize_static

    with tempfile.TemporaryDirectory(prefix="tinyml-qdq-") as folder, quiet():
        prepared, quantized = Path(folder, "prepared.onnx"), Path(folder, "quantized.onnx")
        quant_pre_process(model, prepared)
        nodes = onnx.load(prepared).graph.node
        preprocessing = [node.name for node in itertools.takewhile(lambda node: node.op_type != "Conv", nodes)]
        quantize = functools.partial(
            quantize_static,
            prepared,
            quantized,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_QDQ_OPS),
            nodes_to_exclude=preprocessing,
            per_channel=compression.granularity == "per_channel",
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                "CalibPercentile": CALIBRATION_PERCENTILE,
                "CalibStridedMinMax": 1,
                "OpTypesToExcludeOutputQuantization": ["Gemm"],
            },
        )
        try:
            quantize(calibration_data_reader=_Batches(calibration), calibrate_method=CalibrationMethod.Percentile)
        except ValueError as error:
            # A tensor that hardly varies has no histogram (numpy refuses the bins); its range is all there is to know.
            if "bins" not in str(error):
                raise
            quantize(calibration_data_reader=_Batches(calibration), calibrate_method=CalibrationMethod.MinMax)
        return onnx.load(quantized)
