"""Integer activations: pairs that quantize and dequantize, with ranges observed on training images, or as they come."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml.accuracy import Images
from tinyml.errors import UsageError
from tinyml.quiet import quiet
from tinyml.schema import IMAGE, ActivationQuantization, Variant
from tinyml.scratch import temporary_folder

from ..compression import CompressionKind, Conversion, at_least, compressions, spread
from ..encoding.activations import quantize_activations
from ..weights import Encoding, Weight

_BATCH = 16

_MULTIPLY = ("Conv", "Gemm", "MatMul")
# Not Concat: quantized, its inputs and its output share one scale, which DenseNet's quiet branches do not outlive.
_OPS = (*_MULTIPLY, "Add", "Mul", "Relu", "MaxPool", "AveragePool", "GlobalAveragePool")


class Activations(CompressionKind):
    """Static: a range for each tensor is fixed before it is exported; dynamic: each input brings its own."""

    def token(self, settings: ActivationQuantization) -> str:
        """`a8`, `a8s`, `a8d`."""
        return f"a{settings.bits}{'s' if settings.symmetric else ''}{'d' if settings.dynamic else ''}"

    def refusal(self, settings: ActivationQuantization, variant: Variant) -> str | None:
        """Together with integer weights, whose products are what integer arithmetic is for; in Core ML from iOS17."""
        if all(kind.method != "linear" for kind in variant.compression):
            return "integer activations go with integer weights"
        if variant.format == "coreai":
            return "activations in Core AI stay floats here"
        if variant.format == "coreml" and settings.dynamic:
            return "activations in Core ML have ranges that are fixed before"
        if not at_least(variant, 17):
            return "integer activations need iOS17"
        return None

    def apply(self, model: Any, settings: ActivationQuantization, conversion: Conversion) -> Any:
        """In Core ML by our own pass, see `tinyml.export.encoding.activations`; in ONNX by onnxruntime."""
        if not settings.dynamic and not any(map(len, conversion.calibration.values())):
            raise UsageError("quantizing activations needs images to calibrate on", value=0, allowed="at least 1")
        calibration = spread(conversion.calibration, settings.images)  # rounding may have seen more
        if conversion.variant.format == "onnx":
            return self._onnx(model, settings, replace(conversion, calibration=calibration))
        names = {weight.op_name for weight in conversion.weights if weight.layer in settings.overrides}
        return quantize_activations(model, settings, calibration, names)

    def _onnx(self, model: Any, settings: ActivationQuantization, conversion: Conversion) -> Any:
        """Quantizes weights and activations with onnxruntime.

        Weights are symmetric int8 per output channel, activations uint8 (int8 where symmetric) per tensor with the
        range that calibration saw, up to the percentile. The logits stay in float: they are the result, and eight bits
        for the softmax's input would tie classes. Softmax, normalizations and the preprocessing before the first
        convolution stay in float as well.

        See onnxruntime's "Quantize ONNX models"
        (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
        """
        images = conversion.calibration[IMAGE]
        import onnx
        from onnxruntime.quantization import (
            CalibrationMethod,
            QuantFormat,
            QuantType,
            quant_pre_process,
            quantize_dynamic,
            quantize_static,
        )

        left = {weight.op_name for weight in conversion.weights if weight.layer in settings.overrides}
        with temporary_folder("quantize") as folder, quiet():
            prepared, quantized = folder / "prepared.onnx", folder / "quantized.onnx"
            quant_pre_process(model, prepared)
            nodes = onnx.load(prepared).graph.node
            preprocessing = [node.name for node in itertools.takewhile(lambda node: node.op_type != "Conv", nodes)]
            excluded = preprocessing + [node.name for node in nodes if node.output[0] in left]
            if settings.dynamic:
                quantize_dynamic(
                    prepared,
                    quantized,
                    op_types_to_quantize=list(_MULTIPLY),
                    nodes_to_exclude=excluded,
                    per_channel=False,
                    weight_type=QuantType.QInt8,
                )
                return onnx.load(quantized)
            quantize = functools.partial(
                quantize_static,
                prepared,
                quantized,
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(_OPS),
                nodes_to_exclude=excluded,
                per_channel=True,
                activation_type=QuantType.QInt8 if settings.symmetric else QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                extra_options={
                    "ActivationSymmetric": settings.symmetric,
                    "CalibPercentile": settings.percentile,
                    "CalibStridedMinMax": 1,
                    "OpTypesToExcludeOutputQuantization": ["Gemm"],
                },
            )
            whole = settings.percentile == 100
            method = CalibrationMethod.MinMax if whole else CalibrationMethod.Percentile
            try:
                quantize(calibration_data_reader=_Batches(images), calibrate_method=method)
            except ValueError as error:
                # A tensor that hardly varies has no histogram (numpy refuses the bins); its range is all there is.
                if "bins" not in str(error):
                    raise
                quantize(calibration_data_reader=_Batches(images), calibrate_method=CalibrationMethod.MinMax)
            return onnx.load(quantized)

    def stored_as(self, settings: ActivationQuantization, weight: Weight, variant: Variant) -> Encoding | None:  # noqa: ARG002
        """Says nothing of weights."""
        return None


compressions.add("activations", Activations())


class _Batches:
    """Calibration images for onnxruntime, one batch held in memory at a time."""

    def __init__(self, images: Images) -> None:
        self._batches = np.array_split(images, max(1, len(images) // _BATCH))
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
