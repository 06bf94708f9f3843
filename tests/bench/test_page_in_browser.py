"""The page in a real browser: Debian's chromium, driven by playwright."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.reports.page import html
from tinyml.schema import BenchRun

playwright = pytest.importorskip("playwright.sync_api", reason="not run: playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="not run: no chromium")


@pytest.fixture(scope="module")
def browser() -> Any:
    with playwright.sync_playwright() as p:
        started = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Any, run: Any, tmp_path: Path, scheme: Any = "light", width: Any = 1400) -> Any:
    problems = []
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url) if not request.url.startswith("file:") else None)
    (tmp_path / "index.html").write_text(html(run))
    page.goto(f"file://{tmp_path}/index.html")
    return page, problems


def column(page: Any, n: Any) -> Any:
    return page.eval_on_selector_all("#table tbody tr", f"rows => rows.map(r => r.cells[{n}].innerText)")


def test_it_sorts_by_figures_with_what_was_not_measured_last(browser: Any, linux_run: BenchRun, tmp_path: Path) -> None:
    page, problems = opened(browser, linux_run, tmp_path)
    for click in (1, 2):
        page.get_by_role("button", name="p50 ms").click()
        shown = column(page, 9)
        figures = [float(text) for text in shown if text != "-"]
        assert figures == sorted(figures, reverse=click == 2)
        assert len(figures) == 3
        assert shown[3:] == ["-"] * (len(shown) - 3)
    page.get_by_role("button", name="variant").press("Enter")
    assert column(page, 1) == sorted(column(page, 1))
    assert problems == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(browser: Any, macos_run: BenchRun, tmp_path: Path, scheme: Any) -> None:
    page, problems = opened(browser, macos_run, tmp_path, scheme)
    contrast = page.evaluate("""() => {
        const parse = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const back = light(parse(getComputedStyle(document.body).backgroundColor));
        return ["body", "caption", "tr.other td", "figcaption"].map(selector => {
            const ink = light(parse(getComputedStyle(document.querySelector(selector)).color));
            return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05); });
    }""")
    assert min(contrast) >= 4.5  # WCAG 2.2, 1.4.3
    assert problems == []
    page.close()


def test_pictures_and_tables_have_words(browser: Any, macos_run: BenchRun, tmp_path: Path) -> None:
    page, _ = opened(browser, macos_run, tmp_path)
    for picture in page.query_selector_all("svg"):
        assert "coreml-fp16" in picture.get_attribute("aria-label")
    for table in page.query_selector_all("table"):
        assert table.query_selector("caption").inner_text()
        assert table.query_selector("th[scope]") is not None
    page.close()


def test_only_the_table_scrolls_on_a_phone(browser: Any, linux_run: BenchRun, tmp_path: Path) -> None:
    page, _ = opened(browser, linux_run, tmp_path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
