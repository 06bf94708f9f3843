"""tinyml: train a small image classifier, export it to Core ML and ONNX, prove it right, measure it."""

__version__ = "0.1.0"
