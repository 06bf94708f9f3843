"""The Core ML reference runtime: executes a saved ML Program on any machine.

from tinyml.coreml import ReferenceModel

model = ReferenceModel("ResNet18.mlpackage")
print(model.input_description, model.output_description)
print(model.predict({"image": PIL.Image.open("cat.png").resize((224, 224))}))

The rooms in the way of the data, each importing only those before it: `program` (types, limits, a program as data),
`read` (from files to programs), `ops`, `plan`, `trace`, `run`, `tools`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .run.model import ReferenceModel
    from .run.state import State
    from .tools.coremltools_patch import linux_predict
    from .trace.module import TorchModel, to_torch

__all__ = ["ReferenceModel", "State", "TorchModel", "linux_predict", "to_torch"]

_HOMES = {
    "ReferenceModel": ".run.model",
    "State": ".run.state",
    "TorchModel": ".trace.module",
    "linux_predict": ".tools.coremltools_patch",
    "to_torch": ".trace.module",
}


def __getattr__(name: str) -> object:
    """Imports at first use, so that whoever only reads a package does not wait for torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name], __name__), name)
