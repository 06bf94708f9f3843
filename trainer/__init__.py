"""Training: data sets, architectures, recipes, the loop, checkpoints and evaluation."""

if not __name__.startswith("tinyml."):
    raise ImportError(f"import 'tinyml.{__name__}', not '{__name__}': this folder is part of the package tinyml")
