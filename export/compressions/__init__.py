"""The kinds of compression, one module each; `tinyml.export.compression.compressions` finds them."""
