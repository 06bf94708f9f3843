import importlib
import re
from pathlib import Path

import pytest

import tinyml
from tinyml.registry import Registry

MENUS = {
    "tinyml.trainer.architecture:architectures": "trainer/models",
    "tinyml.trainer.optimizer:optimizers": "trainer/optimizers",
    "tinyml.trainer.recipe:recipes": "trainer/recipes",
    "tinyml.trainer.data.source:sources": "trainer/data/sources",
    "tinyml.export.compression:compressions": "export/compressions",
    "tinyml.export.format:formats": "export/formats",
    "tinyml.evaluation.runtime:runtimes": "evaluation/runtimes",
    "tinyml.bench.backend:backends": "bench/backends",
    "tinyml.bench.report:reports": "bench/reports",
    "tinyml.bench.page.section:sections": "bench/page/sections",
}
"""Each contract and its registry, and the folder of what is registered there."""

ROOT = Path(tinyml.__file__).parent


@pytest.mark.parametrize("contract", MENUS)
def test_a_folder_of_plug_ins_holds_nothing_else(contract: str) -> None:
    module, name = contract.split(":")
    registry = getattr(importlib.import_module(module), name)
    assert isinstance(registry, Registry)
    assert registry.names()
    files = sorted((ROOT / MENUS[contract]).glob("*.py"))
    silent = [path.name for path in files if not re.search(rf"\b{name}\.(add|register)\(", path.read_text("utf-8"))]
    assert silent == ["__init__.py"]


def test_every_menu_is_listed_above() -> None:
    found = set()
    for top in ("", "trainer", "export", "bench"):  # links, into which rglob does not go by itself
        for path in (ROOT / top).rglob("*.py"):
            found |= set(re.findall(r'package="tinyml\.([a-z_.]+)"', path.read_text("utf-8")))
    assert {package.replace(".", "/") for package in found} == set(MENUS.values())
