"""Training a network for what it will be compressed to: the accuracy that rounding cost, regained."""
