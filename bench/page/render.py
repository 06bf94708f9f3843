"""The page itself: one file without a network, every value escaped, for results may come from anywhere."""

from __future__ import annotations

from importlib import resources
from typing import Any

from .figures import figures
from .project import Project
from .section import sections


def _code(text: str) -> Any:
    """`text` with what stands between backticks as code."""
    from markupsafe import Markup

    parts = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in parts)


def html(project: Project, *, served: bool = False) -> str:
    """The page of `project`; `served`: by `tinyml report --serve`, which it then asks whether anything has changed."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    found = figures(project)
    shown = [content for name in sections if (content := sections.get(name)(project, found)) is not None]
    engine = Environment(
        loader=PackageLoader("tinyml.bench.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters["code"] = _code
    folder = resources.files("tinyml.bench.page") / "templates"

    def verbatim(name: str) -> Markup:
        # Our own style sheet and scripts: the only text that is not escaped.
        return Markup((folder / name).read_text(encoding="utf-8"))  # noqa: S704

    values: dict[str, Any] = {"project": project, "served": served, "verbatim": verbatim}
    values["scripts"] = "'unsafe-inline'" + (" blob: 'wasm-unsafe-eval'" if project.web_runtime is not None else "")
    of_figures, of_curves = {figure.model for figure in found}, {kept.record.config.model for kept in project.histories}
    values["models"] = sorted(of_figures | of_curves)  # one color each, the same in every chart
    values["sections"] = sorted(shown, key=lambda content: content.place)
    return engine.get_template("page.html").render(values)
