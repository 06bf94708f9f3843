"""The Core ML reference runtime: executes a saved ML Program on any machine.

from tinyml.coreml import ReferenceModel

model = ReferenceModel("ResNet18.mlpackage")
print(model.input_description, model.output_description)
print(model.predict({"image": PIL.Image.open("cat.png").resize((224, 224))}))
"""

from .run.model import ReferenceModel
from .run.state import State
from .tools.coremltools_patch import linux_predict
from .trace.module import TorchModel, to_torch

__all__ = ["ReferenceModel", "State", "TorchModel", "linux_predict", "to_torch"]
