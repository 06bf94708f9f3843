import json
from pathlib import Path
from typing import Any

import pytest

from tinyml.json_schema import schemas, write_schemas
from tinyml.schema import PATTERNS

COMMITTED = Path(__file__).parents[2] / "results" / "schema"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schema_is_current(name: Any) -> None:
    assert (COMMITTED / name).read_text() == schemas()[name], "run: tinyml schema"


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == set(schemas())


def test_every_pattern_of_a_text_has_words_for_people() -> None:
    found: set[str] = set()
    waiting: list[Any] = [json.loads(text) for text in schemas().values()]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            found |= {part["pattern"]} if isinstance(part.get("pattern"), str) else set()
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    assert found == set(PATTERNS)


def test_writing(tmp_path: Path) -> None:
    for path in write_schemas(tmp_path):
        assert json.loads(path.read_text())["additionalProperties"] is False
