"""Core ML's protobuf messages, out of coremltools' files but without the rest of it, whose import takes seconds."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from tinyml.errors import UnavailableError

_NAME = "_tinyml_coreml_messages"


@cache
def model_messages() -> ModuleType:
    """The module of `Model`.

    Its classes are those of coremltools' own `proto`: protobuf keeps one class for each message it knows, whichever
    module asks for it first.

    Raises:
        UnavailableError: coremltools is not installed.
    """
    found = importlib.util.find_spec("coremltools")
    if found is None or found.origin is None:
        raise UnavailableError("reading Core ML packages needs coremltools", hint="pip install coremltools")
    folder = Path(found.origin).parent / "proto"
    spec = importlib.util.spec_from_file_location(
        _NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise UnavailableError("coremltools keeps its messages elsewhere", value=folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        del sys.modules[_NAME]
        raise
    messages: ModuleType = package.Model_pb2
    return messages
