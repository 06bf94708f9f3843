"""The models in the app."""

from __future__ import annotations

from typing import Literal

from .base import SCHEMA_VERSION, FolderName, Provenance, Record, Sha256


class CatalogEntry(Record):
    """One model in the app's model folder."""

    folder: FolderName
    """Beside the catalog; holds the package, manifest.json, golden.json and the golden image."""
    artifact_sha256: Sha256


class AppCatalog(Record):
    """`catalog.json`: the models that lie in the app's model folder."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["app_catalog"] = "app_catalog"
    models: tuple[CatalogEntry, ...]
    provenance: Provenance
