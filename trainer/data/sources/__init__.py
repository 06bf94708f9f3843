"""The kinds of data sets, one module each; `tinyml.trainer.data.source.sources` finds them."""
