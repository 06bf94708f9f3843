"""The fixtures of the Swift tests are what their script writes."""

from __future__ import annotations

import json

import pytest

from .make_fixtures import FIXTURES, FOLDER, content


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_fixture_is_current(name: str) -> None:
    stored = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert stored == json.loads(content(name)), "run: python tests/swift/make_fixtures.py"
