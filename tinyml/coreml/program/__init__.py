"""An ML Program as values: types, limits, operations; imports neither torch nor an op."""
