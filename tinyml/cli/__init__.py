"""The command line: one module a verb; torch and coremltools are imported inside the verbs."""

import importlib
import pkgutil

from . import verbs
from .app import app, main, run

for _module in sorted(info.name for info in pkgutil.iter_modules(verbs.__path__)):
    importlib.import_module(f"{verbs.__name__}.{_module}")

__all__ = ["app", "main", "run"]
