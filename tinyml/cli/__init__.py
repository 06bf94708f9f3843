"""The command line: one module a verb, imported here; torch and coremltools are imported inside the verbs."""

import importlib
import pkgutil

from .app import app, main, run

for _module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    if _module not in ("output", "progress_bar"):
        importlib.import_module(f"{__name__}.{_module}")

__all__ = ["app", "main", "run"]
