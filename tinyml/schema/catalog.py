"""The models in the app."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import SCHEMA_VERSION, Provenance, Record, Sha256


class CatalogEntry(Record):
    """One model in the app's model folder."""

    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    """Beside the catalog; holds the package, manifest.json, golden.json and the golden image."""
    artifact_sha256: Sha256


class AppCatalog(Record):
    """`catalog.json`: the models that lie in the app's model folder."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["app_catalog"] = "app_catalog"
    models: tuple[CatalogEntry, ...]
    provenance: Provenance
