"""The Core ML reference runtime: executes a saved ML Program on any machine.

from tinyml.export.mil import ReferenceModel

model = ReferenceModel("ResNet18.mlpackage")
print(model.input_description, model.output_description)
print(model.predict({"image": PIL.Image.open("cat.png").resize((224, 224))}))
"""

from .drop_in import linux_predict
from .model import ReferenceModel
from .state import State
from .torch_module import TorchModel, to_torch

__all__ = ["ReferenceModel", "State", "TorchModel", "linux_predict", "to_torch"]
