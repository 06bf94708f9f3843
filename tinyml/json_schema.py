"""The JSON Schema of every file that stages and languages hand to each other, generated from `tinyml.schema`."""

from __future__ import annotations

import json
from pathlib import Path

from tinyml import schema
from tinyml.schema import Record
from tinyml.store import write_bytes

FILES: tuple[type[Record], ...] = tuple(
    record
    for _, record in sorted(vars(schema).items())
    if isinstance(record, type)
    and issubclass(record, Record)
    and "kind" in record.model_fields
    and "schema_version" in record.model_fields
)
"""What is written as a file of its own: what says its kind and its version; the rest is part of one of them."""


def schemas() -> dict[str, str]:
    """File names to JSON Schema (2020-12), as text."""
    found = {}
    for record in FILES:
        kind = record.model_fields["kind"].default
        content = {"$schema": "https://json-schema.org/draft/2020-12/schema", **record.model_json_schema()}
        found[f"{kind}.schema.json"] = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return found


def write_schemas(folder: Path) -> list[Path]:
    """Writes all of them into `folder` and returns their paths."""
    paths = []
    for name, text in schemas().items():
        write_bytes(folder / name, text.encode())
        paths.append(folder / name)
    return paths
