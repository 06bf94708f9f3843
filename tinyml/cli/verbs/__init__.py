"""The verbs, one module each; torch and coremltools are imported inside them."""
