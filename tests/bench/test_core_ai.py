"""The Core AI adapter against a fake that keeps to the documented contract of Apple's wheel.

What is specialized is a real model in the wheel's own runtime; the options, which Macs alone have, are the fake's. What
it cannot show: that a Mac answers like this. That needs macOS 27.
"""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tinyml.bench.backend import Subject, backends
from tinyml.evaluation.runtime import SPEC_KEY, runtimes
from tinyml.export.format import Metadata, formats
from tinyml.export.variants import variants
from tinyml.schema import Preprocess, Units
from tinyml.trainer.architecture import build
from tinyml.trainer.checkpoint import spec_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

BACKEND = backends.get("coreai")
UNITS: tuple[Units, ...] = ("cpu_only", "cpu_and_gpu", "cpu_and_ne", "all")

pytestmark = pytest.mark.skipif(
    formats.get("coreai").available() is not None, reason=formats.get("coreai").available() or ""
)


class FakeKind:
    """`coreai.runtime.ComputeUnitKind`."""

    gpu = staticmethod(lambda: "gpu")
    neural_engine = staticmethod(lambda: "neural engine")


class FakeOptions:
    """`coreai.runtime.SpecializationOptions`, which has three constructors of its own."""

    supported = True
    asked: list[str] = []  # noqa: RUF012 (the fake's own record)

    def __init__(self, words: str) -> None:
        self.words = words

    @classmethod
    def is_supported(cls) -> bool:
        return cls.supported

    @classmethod
    def cpu_only(cls) -> FakeOptions:
        return cls("cpu only")

    @classmethod
    def default(cls) -> FakeOptions:
        return cls("default")

    @classmethod
    def from_preferred_compute_unit_kind(cls, compute_unit_kind: str) -> FakeOptions:
        return cls(f"prefers {compute_unit_kind}")


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac whose system has Core AI, as far as the adapter looks."""
    import coreai.runtime
    from coreai.authoring import AIModelAsset

    real = AIModelAsset.executable

    @asynccontextmanager
    async def executable(self: Any, specialization_options: Any = None) -> AsyncGenerator[Any]:
        assert isinstance(specialization_options, FakeOptions)
        FakeOptions.asked.append(specialization_options.words)
        async with real(self) as model:
            yield model

    FakeOptions.asked, FakeOptions.supported = [], True
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setenv("USE_OS_COREAI", "0")
    monkeypatch.setattr(coreai.runtime, "SpecializationOptions", FakeOptions)
    monkeypatch.setattr(coreai.runtime, "ComputeUnitKind", FakeKind, raising=False)
    monkeypatch.setattr(AIModelAsset, "executable", executable)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """An untrained ResNet-20 as a Core AI model."""
    network = build("resnet20", 4).eval()
    spec = spec_of("resnet20", network, ("a", "b", "c", "d"), Preprocess())
    facts = {SPEC_KEY: spec.model_dump_json(), "tinyml.version": "0"}
    metadata = Metadata(spec=spec, summary="", author="", license="", version="", facts=facts)
    path = tmp_path_factory.mktemp("core-ai") / "model.aimodel"
    formats.get("coreai").write(
        network, variants.get("coreai-fp32"), metadata, np.empty((0, 64, 64, 3), np.uint8), path
    )
    return Subject(manifest=path.parent / "manifest.json", path=path, spec=spec)


@pytest.mark.usefixtures("mac")
def test_each_unit_is_asked_for_as_documented(subject: Subject, tmp_path: Path) -> None:
    for units in UNITS:
        assert BACKEND.available(units) is None
        loaded = BACKEND.load(subject, BACKEND.compile(subject, tmp_path), units, None)
        answers: Any = loaded.predict(loaded.example(np.random.default_rng(0), 2))
        assert [answer["probabilities"].numpy().shape for answer in answers] == [(1, 4), (1, 4)]
        assert loaded.observe().placement is None
    assert FakeOptions.asked == ["cpu only", "prefers gpu", "prefers neural engine", "default"]


@pytest.mark.usefixtures("mac")
def test_its_predictions_are_those_of_the_model(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    found = BACKEND.predictor(subject, "cpu_and_ne", None)
    assert found.logits(images) is None
    monkeypatch.undo()
    assert np.array_equal(found.probabilities(images), runtimes.get("coreai").open(subject.path).probabilities(images))


@pytest.mark.usefixtures("mac")
def test_a_mac_without_core_ai_says_so() -> None:
    FakeOptions.supported = False
    assert BACKEND.available("all") == "needs macOS 27, whose system has Core AI"


def test_elsewhere_it_needs_a_mac() -> None:
    assert [BACKEND.available(units) for units in UNITS] == ["needs macOS"] * 4
