from __future__ import annotations

from pathlib import Path

import pytest

from tinyml.schema import BenchRun
from tinyml.store import read_json

FIXTURES = Path(__file__).parents[1] / "fixtures" / "results" / "v2"


@pytest.fixture
def linux_run() -> BenchRun:
    return read_json(FIXTURES / "fixture-linux.json", BenchRun)


@pytest.fixture
def macos_run() -> BenchRun:
    return read_json(FIXTURES / "fixture-macos.json", BenchRun)


@pytest.fixture
def minimal_run() -> BenchRun:
    return read_json(FIXTURES / "fixture-minimal.json", BenchRun)
