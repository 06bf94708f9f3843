"""The optimizers, one file a family; a new file here is a new value of `--optimizer`."""
