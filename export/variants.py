"""The export menu: one row a variant, its floor stated with the reason.

A floor is what the artifact must reach against its own checkpoint, so an untrained or weak network is measured fairly.

- fp32 changes only the order of float operations, so every decision must stay: 99.9 % of the first classes leaves one
  tie in a thousand; 60 dB is an error of a thousandth of the largest logit, far above what reordering costs.
- fp16 rounds weights and activations to 11 bits; 99 % and 40 dB (an error of a hundredth) hold for every architecture
  here, and a wrong layer or preprocessing ends far below.
- int8 is held to MLPerf Mobile's rule for classifiers, 98 % of the accuracy of fp32: an absolute drop of at most 0.02
  (stricter than 98 % of any accuracy below 1). Weights alone must agree in 95 % of the first classes, weights and
  activations in 90 %: where the checkpoint itself is unsure, either answer costs nothing on average.
"""

from __future__ import annotations

from tinyml.registry import Registry
from tinyml.schema import Compression, Floor, Variant

variants: Registry[Variant] = Registry("variant")

_FP32 = Floor(top1_agreement=0.999, psnr_db=60.0, max_accuracy_drop=0.001)
_FP16 = Floor(top1_agreement=0.99, psnr_db=40.0, max_accuracy_drop=0.005)
_INT8_WEIGHTS = Floor(top1_agreement=0.95, psnr_db=30.0, max_accuracy_drop=0.02)
_INT8 = Floor(top1_agreement=0.90, psnr_db=20.0, max_accuracy_drop=0.02)


def _row(variant: Variant) -> None:
    variants.add(variant.name, variant)


# The targets are the oldest that have what the variant needs: ML Programs came with iOS 15 and macOS 12, the ops that
# unpack compressed weights with iOS 16 and macOS 13. An older target runs on every newer system.
_row(
    Variant(
        name="coreml-fp32",
        format="coreml",
        precision="fp32",
        minimum_target="iOS15",
        summary="Core ML, float32: exact, never on the Neural Engine",
        floor=_FP32,
    )
)
_row(
    Variant(
        name="coreml-fp16",
        format="coreml",
        precision="fp16",
        minimum_target="iOS15",
        summary="Core ML, float16: half the size, the Neural Engine's own precision",
        floor=_FP16,
    )
)
_row(
    Variant(
        name="coreml-int8",
        format="coreml",
        precision="fp16",
        compression=Compression(method="linear", bits=8, granularity="per_channel"),
        minimum_target="iOS16",
        summary="Core ML, int8 weights with a scale per output channel, float16 computation",
        floor=_INT8_WEIGHTS,
    )
)
_row(
    Variant(
        name="onnx-fp32",
        format="onnx",
        precision="fp32",
        summary="ONNX, float32, any batch",
        floor=_FP32,
    )
)
_row(
    Variant(
        name="onnx-int8",
        format="onnx",
        precision="fp32",
        compression=Compression(method="qdq", bits=8, granularity="per_channel"),
        summary="ONNX, int8 weights and activations (QDQ), calibrated on training images",
        floor=_INT8,
    )
)
