"""Benchmarks: latency, load, memory and size against accuracy, measured in fresh processes and reported."""

if not __name__.startswith("tinyml."):
    raise ImportError(f"import 'tinyml.{__name__}', not '{__name__}': this folder is part of the package tinyml")
