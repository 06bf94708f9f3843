"""Export: a checkpoint to Core ML and ONNX, verified."""

if not __name__.startswith("tinyml."):
    raise ImportError(f"import 'tinyml.{__name__}', not '{__name__}': this folder is part of the package tinyml")
