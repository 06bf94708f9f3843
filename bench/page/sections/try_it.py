"""Try it: an image dropped on the page, and the labels that an exported file gives for it, computed in the browser."""

from __future__ import annotations

from typing import Any

from tinyml.errors import TinyMLError

from ..figures import Figure
from ..in_page import LARGEST_BYTES, MODULE, WASM, as_onnx, packed, packed_file
from ..project import Project
from ..section import Content, sections


@sections.register("try_it")
def try_it(project: Project, _: list[Figure]) -> Content | None:
    """The models that the page can run, the smallest first; without onnxruntime-web a sentence that says so."""
    if not project.artifacts:
        return None
    values: dict[str, Any] = {"needed": (MODULE, WASM), "models": [], "contents": [], "left": [], "runtime": None}
    if project.web_runtime is not None:
        values["runtime"] = [packed_file(project.web_runtime / name) for name in (MODULE, WASM)]
        _fill(project, values)
    return Content(place=42, title="Try it", template="try_it.html", values=values)


def _fill(project: Project, values: dict[str, Any]) -> None:
    room = LARGEST_BYTES
    for kept in sorted(project.artifacts, key=lambda kept: kept.record.bytes):
        spec, name = kept.record.spec, f"{kept.record.spec.architecture} {kept.record.variant.name}"
        try:
            model = as_onnx(kept)
            size = model.stat().st_size
            if size > room:
                values["left"].append((name, f"{size / 1e6:.0f} MB as ONNX do not fit in the page"))
                continue
            ready = packed(model, len(spec.labels))
        except TinyMLError as error:
            values["left"].append((name, str(error)))
            continue
        room -= size
        values["contents"].append(ready.content)
        values["models"].append(
            {
                "name": name,
                "labels": spec.labels,
                "input": ready.input,
                "output": ready.output,
                "size": spec.preprocess.input_size,
                "resize": spec.preprocess.resize,
            }
        )
