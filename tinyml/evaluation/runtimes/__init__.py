"""What executes exported models, one module a format; `tinyml.evaluation.runtime.runtimes` finds them."""
