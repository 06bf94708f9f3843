"""Debian's chromium, driven by playwright, and a page opened in it that collects what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Opened:
    """A page that collects what went wrong in it, and what it asked of any other place."""

    page: Any
    problems: list[str]
    file: Path

    def column(self, name: str) -> list[str]:
        script = """name => { const table = document.getElementById("rows");
            const index = [...table.tHead.rows[0].cells].findIndex(cell => cell.dataset.column === name);
            return [...table.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[index].textContent); }"""
        return list(self.page.evaluate(script, name))

    def marks(self) -> int:
        return int(self.page.locator("#scatter .mark").count())

    def selected(self) -> list[str]:
        return list(
            self.page.eval_on_selector_all("#rows tr[aria-selected=true]", "rows => rows.map(r => r.dataset.key)")
        )


def opened(
    browser: Any, file: Path, text: str, *, scheme: str = "light", width: int = 1400, address: str = ""
) -> Opened:
    """`text` written to `file` and opened."""
    problems: list[str] = []
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    inside = ("file:", "data:", "blob:")
    page.on("request", lambda r: problems.append(r.url) if not r.url.startswith(inside) else None)
    file.write_text(text)
    page.goto(f"file://{file}{address}")
    return Opened(page, problems, file)
