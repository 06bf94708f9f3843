"""The backends, one file each, found by `tinyml.bench.backend.backends`."""
