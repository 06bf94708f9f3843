import json
from pathlib import Path
from typing import Any

import pytest

from tinyml.json_schema import schemas, write_schemas

COMMITTED = Path(__file__).parents[2] / "results" / "schema"


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schema_is_current(name: Any) -> None:
    assert (COMMITTED / name).read_text() == schemas()[name], "run: tinyml schema"


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == set(schemas())


def test_writing(tmp_path: Path) -> None:
    for path in write_schemas(tmp_path):
        assert json.loads(path.read_text())["additionalProperties"] is False
