"""What every test of a training starts from."""

from __future__ import annotations

import pytest

from tinyml.schema import TrainConfig

from ..tiny import config


@pytest.fixture
def make_config() -> type[TrainConfig] | object:
    return config
