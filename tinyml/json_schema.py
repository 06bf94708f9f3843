"""The JSON Schema of every file that stages and languages hand to each other, generated from `tinyml.schema`."""

from __future__ import annotations

import json
from pathlib import Path

from tinyml.schema import Artifact, BenchRun, Checkpoint, DatasetIndex, Golden, History, Record
from tinyml.store import write_bytes

FILES: tuple[type[Record], ...] = (Artifact, BenchRun, Checkpoint, DatasetIndex, Golden, History)
"""What is written as a file of its own; everything else is part of one of them."""


def schemas() -> dict[str, str]:
    """File names to JSON Schema (2020-12), as text."""
    found = {}
    for record in FILES:
        kind = record.model_fields["kind"].default
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **record.model_json_schema()}
        found[f"{kind}.schema.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return found


def write_schemas(folder: Path) -> list[Path]:
    """Writes all of them into `folder` and returns their paths."""
    paths = []
    for name, text in schemas().items():
        write_bytes(folder / name, text.encode())
        paths.append(folder / name)
    return paths
