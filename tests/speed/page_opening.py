"""How long the page of many cases takes to open in Chromium, beside an empty page.

python tests/speed/page_opening.py [--cases 500] [--rounds 9]

Opened is a page when its scripts have run, its charts are drawn and the browser has painted twice: what is in sight is
there then, and answers. The rows below it follow in the table; when the last is there is told as well. Pages are opened
in turn, each in a context of its own. Writes results/page_opening.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tinyml.bench.environment import this_environment
from tinyml.bench.page.figures import figures
from tinyml.bench.page.project import Kept, Project
from tinyml.bench.page.render import html
from tinyml.counting import counted
from tinyml.schema import BenchRun
from tinyml.store import read_json, write_bytes

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "fixtures" / "results" / "v2" / "fixture-linux.json"
GOAL_S = 1.0
PAINTED = (
    """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"""
)


def page_of(cases: int) -> str:
    """A page with at least so many cases, a third of them measured."""
    run = read_json(RUN, BenchRun)
    models = range(-(-cases // len(run.results)))
    results = tuple(
        result.model_copy(update={"case": result.case.model_copy(update={"model": f"model-{number}"})})
        for number in models
        for result in run.results
    )
    project = Project(
        title="many", runs=(Kept(record=run.model_copy(update={"results": results}), path=Path("run.json")),)
    )
    assert len(figures(project)) >= cases
    return html(project)


WHOLE = """rows => new Promise(done => {
    const whole = () => document.querySelectorAll("#rows tbody tr").length >= rows;
    const look = () => whole() ? done(performance.now()) : setTimeout(look, 5);
    look();
})"""


def opened_s(browser: Any, file: Path, rows: int) -> tuple[float, float]:
    """Seconds from the start of the navigation until the page is painted, and until it has all its rows."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"file://{file}")
    seconds = float(page.evaluate(PAINTED)) / 1000
    whole = float(page.evaluate(WHOLE, rows)) / 1000
    context.close()
    return seconds, whole


def main() -> None:
    """Measures, and writes what it found."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("not run: no chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        many, empty = Path(name) / "many.html", Path(name) / "empty.html"
        many.write_text(page_of(options.cases))
        empty.write_text(html(Project(title="empty")))
        seconds: dict[Path, list[float]] = {many: [], empty: []}
        wholes: list[float] = []
        for number in range(options.rounds + 1):
            for file, found in seconds.items():
                took, whole = opened_s(browser, file, options.cases if file == many else 0)
                if number:  # the first fills the browser's caches
                    found.append(took)
                    wholes += [whole] if file == many else []
        version = browser.version
        browser.close()
        size = many.stat().st_size
    middle, least, worst = statistics.median(seconds[many]), min(seconds[many]), max(seconds[many])
    beside = middle / statistics.median(seconds[empty])
    machine = this_environment(())
    lines = [
        "# How long the page takes to open",
        "",
        f"Measured by `python tests/speed/page_opening.py {' '.join(sys.argv[1:])}`".rstrip(" `") + "`",
        f"on {machine.cpu}, {counted(machine.cores, 'core')}, Chromium {version}, "
        f"load average {os.getloadavg()[0]:.1f}.",
        "",
        f"{options.cases} cases, {size / 1e6:.2f} MB: {middle:.2f} s in the median of {options.rounds} openings "
        f"({least:.2f} to {worst:.2f}), {beside:.1f} times an empty page; the goal is under {GOAL_S:g} s and 5 MB.",
        f"All {options.cases} rows are in the table after {statistics.median(wholes):.2f} s.",
    ]
    write_bytes(ROOT / "results" / "page_opening.md", ("\n".join(lines) + "\n").encode())
    print("\n".join(lines))


if __name__ == "__main__":
    main()
