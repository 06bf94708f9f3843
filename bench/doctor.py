"""What is installed, what will run here, what will not, and why."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Literal

from tinyml import __version__
from tinyml.errors import reason_of
from tinyml.quiet import quiet
from tinyml.schema import Record

State = Literal["ok", "not here", "missing", "broken"]

REQUIRED = (
    "torch",
    "coremltools",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "numpy",
    "pillow",
    "safetensors",
)
MODULES = {"pillow": "PIL"}
"""The modules that are not called as their distribution."""
OPTIONAL = {"coreai-torch": "Core AI export", "coreai-core": "Core AI execution"}


class Finding(Record):
    """One thing that was looked at."""

    topic: str
    name: str
    state: State
    detail: str


def examine() -> list[Finding]:
    """Everything, in the order in which it is told; devices and below only where the software is whole."""
    software = [
        Finding(topic="software", name="tinyml", state="ok", detail=__version__),
        _python(),
        *(package(name) for name in REQUIRED),
        *(_optional(name, use) for name, use in OPTIONAL.items()),
        numpy_with_coremltools(_version("numpy"), _version("coremltools")),
        _blob_writer(),
        _swift(),
    ]
    if any(finding.state == "broken" for finding in software):
        return software
    return [*software, *_datasets(), *_devices(), *_exports(), *_predictions(), *_benches()]


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    version = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding(
        topic="software",
        name="python",
        state="ok" if fits else "broken",
        detail=version if fits else f"{version}; tinyml needs 3.11 to 3.13",
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def package(name: str) -> Finding:
    """Whether a required distribution is installed and its module can be imported."""
    version = _version(name)
    if version is None:
        return Finding(topic="software", name=name, state="broken", detail=f"not installed; pip install {name}")
    try:
        with quiet():
            importlib.import_module(MODULES.get(name, name))
    except (ImportError, OSError) as error:  # OSError: a shared library that it needs
        detail = " ".join(f"{version}, cannot be imported: {reason_of(error)}".split())
        return Finding(topic="software", name=name, state="broken", detail=detail)
    return Finding(topic="software", name=name, state="ok", detail=version)


def _optional(name: str, use: str) -> Finding:
    version = _version(name)
    if version is None:
        return Finding(topic="software", name=name, state="missing", detail=f"optional, for {use}; pip install {name}")
    return Finding(topic="software", name=name, state="ok", detail=version)


def numpy_with_coremltools(numpy: str | None, coremltools_version: str | None) -> Finding:
    """Numpy 2.4 made casts of one-element arrays an error that coremltools 9.0 runs into while converting."""
    bad = numpy is not None and coremltools_version is not None
    bad = bad and _pair(numpy) >= (2, 4) and _pair(coremltools_version) <= (9, 0)
    return Finding(
        topic="software",
        name="numpy with coremltools",
        state="broken" if bad else "ok",
        detail=f"numpy {numpy} breaks coremltools {coremltools_version}; pip install 'numpy<2.4'"
        if bad
        else f"numpy {numpy} and coremltools {coremltools_version}: no known conflict",
    )


def _pair(version: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (version or "0.0").split(".")[:2] if part.isdigit())


def _blob_writer() -> Finding:
    """Without this extension coremltools says "BlobWriter not loaded" at the end of a conversion."""
    name, topic = "coremltools' weight writer", "software"
    if _version("coremltools") is None:
        return Finding(topic=topic, name=name, state="broken", detail="coremltools is not installed")
    try:
        with quiet():
            importlib.import_module("coremltools.libmilstoragepython")
    except ImportError as error:
        detail = f'no wheel of coremltools for this Python ("BlobWriter not loaded"): {error}'
        return Finding(topic=topic, name=name, state="broken", detail=" ".join(detail.split()))
    return Finding(topic=topic, name=name, state="ok", detail="loads")


def _swift() -> Finding:
    found = shutil.which("swift")
    if found is None:
        return Finding(topic="software", name="swift", state="missing", detail="optional, for the demo app's tests")
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    first = (done.stdout or done.stderr).strip().splitlines()
    return Finding(topic="software", name="swift", state="ok", detail=first[0] if first else found)


def _devices() -> list[Finding]:
    import torch

    from tinyml.trainer.device import absence, device_name

    found = []
    for name in ("cpu", "cuda", "mps"):
        reason = absence(name)
        found.append(_menu_entry("device", name, reason, "" if reason else device_name(torch.device(name))))
    return found


def _datasets() -> list[Finding]:
    from tinyml.trainer.data.preparing import prepared_place
    from tinyml.trainer.data.source import sources

    found = []
    for name, kind in sources.items():
        if not kind.named:
            continue
        if reason := kind.available():
            finding = Finding(topic="data", name=name, state="not here", detail=reason)
        elif (place := prepared_place(kind.source(None))).exists():
            finding = Finding(topic="data", name=name, state="ok", detail=f"prepared in {place}")
        else:
            detail = f"not prepared yet; the first training does that, or: tinyml data prepare --data {name}"
            finding = Finding(topic="data", name=name, state="missing", detail=detail)
        found.append(finding)
    return found


def _exports() -> list[Finding]:
    from tinyml.export.format import formats

    return [
        _menu_entry("export", name, form.available(), f"writes {form.suffix}", lacking="missing")
        for name, form in formats.items()
    ]


def _predictions() -> list[Finding]:
    from tinyml.evaluation.runtime import runtimes

    apple = None if sys.platform == "darwin" else "needs macOS; the reference runtime predicts instead"
    return [
        _menu_entry("predict", "coreml, Apple's runtime", apple, "MLModel.predict"),
        *(
            _menu_entry("predict", f"{name}, {runtime.title}", runtime.available(), f"runs {runtime.suffix}")
            for name, runtime in runtimes.items()
        ),
    ]


def _benches() -> list[Finding]:
    from .backend import backends

    found = []
    for name, backend in backends.items():
        measures = "latency, memory and accuracy" if backend.measures_latency else "accuracy only"
        found += [
            _menu_entry("bench", f"{name} {units}", backend.available(units), measures) for units in backend.units
        ]
    return found


def _menu_entry(topic: str, name: str, reason: str | None, detail: str, *, lacking: State = "not here") -> Finding:
    """What a plug-in says of itself: `reason`, why it cannot be had here, else `detail`."""
    return Finding(topic=topic, name=name, state="ok" if reason is None else lacking, detail=reason or detail)


def results_writable(folder: Path) -> Finding:
    """Whether results can be written to `folder`."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    good = existing.is_dir() and os.access(existing, os.W_OK)
    return Finding(
        topic="results",
        name=str(folder),
        state="ok" if good else "broken",
        detail="can be written" if good else f"cannot be written: {existing}",
    )
