"""Core ML itself against the reference runtime, on a Mac: the same artifacts, the same images."""

import sys

import numpy as np
import pytest
from PIL import Image

from tinyml.coreml import ReferenceModel
from tinyml.trainer.data import Dataset
from tinyml.workspace import read_artifact

from ..conftest import VARIANTS, TrainedResults

CORE_ML = [name for name in VARIANTS if name.startswith("coreml")]

TOLERANCE = 0.02
"""Of a probability: two fp16 networks that sum in another order; Core ML on the CPU computes in fp16 throughout."""


@pytest.mark.macos
@pytest.mark.skipif(sys.platform != "darwin", reason="not run: needs macOS")
@pytest.mark.parametrize("variant", CORE_ML)
def test_reference_runtime_agrees_with_core_ml(variant: str, trained_results: TrainedResults, shapes: Dataset) -> None:
    import coremltools as ct

    _, package = read_artifact(trained_results.artifacts[variant])
    apple = ct.models.MLModel(str(package), compute_units=ct.ComputeUnit.CPU_ONLY)
    ours = ReferenceModel(package)
    for pixels in shapes.split("test").images[:20]:
        image = Image.fromarray(np.asarray(pixels))
        expected, found = apple.predict({"image": image}), ours.predict({"image": image})
        assert found["classLabel"] == expected["classLabel"]
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=TOLERANCE)
