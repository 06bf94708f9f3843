"""A program as a torch module and as ONNX."""
