"""The page in a real browser: Debian's chromium, driven by playwright."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.page.figures import figures
from tinyml.bench.page.project import read
from tinyml.bench.page.render import html
from tinyml.bench.page.sections.comparison import AT_ONCE
from tinyml.schema import BenchRun
from tinyml.store import write_json

from .browser import Opened
from .browser import opened as opened_in


def opened(browser: Any, results: Path, *, scheme: str = "light", width: int = 1400, address: str = "") -> Opened:
    file = results.parent / "report.html"
    return opened_in(browser, file, html(read(results)), scheme=scheme, width=width, address=address)


def middle(mark: Any) -> tuple[float, float]:
    """Where a reader points who means this mark, whatever lies over it."""
    box = mark.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_it_sorts_by_figures_with_what_was_not_measured_last(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    measured = [text for text in shown.column("p50") if text != "-"]
    assert len(measured) == 7
    for click in (1, 2):
        shown.page.get_by_role("button", name="p50 ms").click()
        column = shown.column("p50")
        figures = [float(text.removesuffix(" !")) for text in column if text != "-"]
        assert figures == sorted(figures, reverse=click == 2)
        assert column[len(measured) :] == ["-"] * (len(column) - len(measured))
    shown.page.get_by_role("button", name="variant").press("Enter")
    assert shown.column("variant") == sorted(shown.column("variant"))
    assert shown.problems == []
    shown.page.close()


def test_filters_hold_for_the_chart_and_the_table(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    before = shown.marks()
    shown.page.locator("#filters summary").click()
    shown.page.locator('[data-filter="format"] input[value="coreml"]').uncheck()
    assert 0 < shown.marks() < before
    assert set(shown.column("format")) == {"onnx", "torch"}
    shown.page.get_by_role("button", name="Show everything").click()
    assert shown.marks() == before
    for name in ("coreml", "onnx", "torch"):
        shown.page.locator(f'[data-filter="format"] input[value="{name}"]').uncheck()
    assert "No point" in shown.page.locator("#scatter").inner_text()
    assert shown.problems == []
    shown.page.close()


def test_every_cost_has_its_chart(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    points = [point for point in json.loads(shown.page.locator("#points").text_content()) if point["top1"] is not None]
    for value in ("p50", "p90", "load", "bytes", "peak"):
        shown.page.locator(f'#axis input[value="{value}"]').check()
        costs = [point[value] for point in points if point[value]]
        assert shown.page.locator("#log").is_checked() == (max(costs) > 12 * min(costs))
        assert shown.page.locator("#scatter .whisker").count() == shown.marks()
    for value in ("p50", "p90", "load", "bytes", "peak"):
        for logarithmic in (False, True):
            shown.page.locator(f'#axis input[value="{value}"]').check()
            shown.page.locator("#log").set_checked(logarithmic)
            inside = shown.page.evaluate("""() => {
                const box = document.querySelector("#scatter svg").getBoundingClientRect();
                return [...document.querySelectorAll("#scatter :is(.mark, .whisker)")]
                    .map(m => m.getBoundingClientRect()).every(m =>
                    m.left >= box.left && m.right <= box.right && m.top >= box.top && m.bottom <= box.bottom); }""")
            assert inside
            assert shown.marks() > 0
    assert shown.problems == []
    shown.page.close()


def test_a_point_and_its_row_are_selected_together_and_a_link_shows_the_same(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    assert "Nothing measured beats these" in shown.page.locator("#detail").inner_text()
    mark = shown.page.locator("#scatter .mark").nth(2)
    key = mark.get_attribute("data-key")
    shown.page.mouse.click(*middle(mark))
    assert shown.selected() == [key]
    assert "sha256" in shown.page.locator("#detail").inner_text()
    shown.page.locator('#axis input[value="bytes"]').check()
    shown.page.locator("#log").click()
    shown.page.get_by_role("button", name="top-1 %").click()
    address = shown.page.evaluate("location.hash")
    again = opened(browser, results, address=address)
    assert again.selected() == [key]
    assert again.page.locator('#axis input[value="bytes"]').is_checked()
    assert again.page.locator("#log").is_checked() == shown.page.locator("#log").is_checked()
    assert again.column("top1") == shown.column("top1")
    assert again.problems == shown.problems == []
    row = shown.page.locator("#rows tbody tr").first
    row.click()
    assert shown.selected() == [row.get_attribute("data-key")]
    shown.page.close()
    again.page.close()


def test_every_mark_is_reached_by_the_pointer_however_many_lie_together(browser: Any, results: Path) -> None:
    """Three rows with the same figures, and one so near that its mark covers a part of theirs."""
    text = html(read(results))
    before, data, after = re.split(r'(?<=<script type="application/json" id="points">)(.+?)(?=</script>)', text)
    points = json.loads(data)
    first, second, third, near = [p for p in points if p["p50"] is not None and p["top1"] is not None][:4]
    for other in (second, third):
        other.update(p50=first["p50"], top1=first["top1"])
    near.update(p50=first["p50"] * 0.97, top1=first["top1"])  # some five pixels away
    shown = opened_in(browser, results.parent / "together.html", before + json.dumps(points) + after)
    there = middle(shown.page.locator(f'.mark[data-key="{first["key"]}"]'))
    shown.page.mouse.move(*there)
    assert shown.page.locator("#tip").inner_text().endswith("3 more lie here: click again")
    found = []
    for _ in range(5):
        shown.page.mouse.click(*there)
        found += shown.selected()
    assert found == [first["key"], second["key"], third["key"], near["key"], first["key"]]
    shown.page.mouse.click(*middle(shown.page.locator(f'.mark[data-key="{near["key"]}"]')))
    assert shown.selected() == [near["key"]]  # its middle is nearest, whatever lies over it
    shown.page.mouse.click(there[0], there[1] - 40)
    assert shown.selected() == []
    assert shown.problems == []
    shown.page.close()


def test_it_opens_with_the_latency_unless_most_files_have_only_a_size(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    assert shown.page.locator('#axis input[value="p50"]').is_checked()
    fast, note = shown.marks(), shown.page.locator("#scatter-note").inner_text()
    assert note == f"{len(shown.column('model')) - fast} of the {len(shown.column('model'))} rows are not drawn: " + (
        "no accuracy, or no latency, was measured."
    )
    shown.page.locator('#axis input[value="bytes"]').check()
    assert shown.marks() > fast
    assert not shown.page.locator('#axis input[value="energy"]').is_visible()  # nothing has one
    shown.page.close()
    (exported,) = results.glob("*/exports/coreml-w8")
    for number in range(8):
        folder = exported.with_name(f"untimed-{number}")
        shutil.copytree(exported, folder)
        manifest = (folder / "manifest.json").read_text()
        sha = json.loads(manifest)["sha256"]
        (folder / "manifest.json").write_text(manifest.replace(sha, f"{number:064d}"))
    shown = opened(browser, results)
    assert shown.page.locator('#axis input[value="bytes"]').is_checked()
    shown.page.close()


@pytest.fixture
def many(results: Path, linux_run: BenchRun) -> Path:
    """More rows than are there when the page is painted."""
    renamed = tuple(
        r.model_copy(update={"case": r.case.model_copy(update={"model": f"model-{n}"})})
        for n in range(7)
        for r in linux_run.results
    )
    write_json(results / "bench" / linux_run.id / "run.json", linux_run.model_copy(update={"results": renamed}))
    return results


def test_a_long_table_is_whole_soon_and_whenever_it_is_needed(browser: Any, many: Path) -> None:
    keys = {figure.key for figure in figures(read(many))}
    assert len(keys) > AT_ONCE
    rows = "() => [...document.querySelectorAll('#rows tbody tr')].map(row => row.dataset.key)"
    waiting = "setTimeout = () => 0;"  # the rest is never fetched by itself
    for needed in ("sort", "point", "print", None):
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        if needed:
            page.add_init_script(waiting)
        file = many.parent / "report.html"
        file.write_text(html(read(many)))
        page.goto(f"file://{file}")
        if needed:
            assert len(page.evaluate(rows)) == AT_ONCE
        if needed == "sort":
            page.get_by_role("button", name="size MB").click()
        elif needed == "point":
            page.locator("#scatter").focus()
            for _ in range(page.locator("#scatter .mark").count()):
                page.keyboard.press("ArrowRight")
        elif needed == "print":
            page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.locator("#rows tbody tr").nth(len(keys) - 1).wait_for(state="attached")
        assert set(page.evaluate(rows)) == keys
        page.close()


def test_filters_hold_for_rows_that_come_later(browser: Any, many: Path) -> None:
    shown = opened(browser, many, address="#?off=format%3Dcoreml")
    rows, count = shown.page.locator("#rows tbody tr"), len(figures(read(many)))
    rows.nth(count - 1).wait_for(state="attached")  # the page's policy forbids to wait by a script
    assert rows.count() == count
    assert set(shown.column("format")) == {"onnx", "torch"}
    assert shown.problems == []
    shown.page.close()


def test_without_scripts_every_figure_is_there(browser: Any, many: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1400, "height": 900})
    page = context.new_page()
    file = many.parent / "report.html"
    file.write_text(html(read(many)))
    page.goto(f"file://{file}")
    assert page.locator("#rows tbody tr, #more-rows tbody tr").count() == len(figures(read(many)))
    for table in ("#rows", "#more-rows"):
        assert page.locator(f"{table} tbody tr").first.locator("td, th").last.is_visible()  # every column
    context.close()


def test_a_file_stands_once_where_the_cost_is_its_own(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    shown.page.locator('#axis input[value="bytes"]').check()
    found = [f for f in figures(read(results)) if f.accuracy is not None]
    files = {(f.sha256, f.accuracy.metrics.top1) for f in found if f.accuracy is not None}
    assert shown.marks() == len(files) < len(found)
    listed = shown.page.locator("#detail td button").all_text_contents()
    assert len(set(listed)) == len(listed)
    assert not any(" on " in name for name in listed)  # what ran it does not matter
    names = shown.page.locator("#scatter .name").all_text_contents()
    assert len(set(names)) == len(names)
    shown.page.locator("#detail td button").first.click()
    chosen = set(shown.selected())
    assert len(chosen) > 1
    assert len({f.sha256 for f in found if f.key in chosen}) == 1
    assert shown.page.locator("#scatter .mark.chosen").count() == 1
    again = opened(browser, results, address=shown.page.evaluate("location.hash"))
    assert set(again.selected()) == chosen
    assert shown.problems == again.problems == []
    shown.page.close()
    again.page.close()


def test_what_nothing_beats_is_named_in_the_chart_and_beside_it(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    front = shown.page.locator("#detail td button")
    listed = front.all_text_contents()
    assert listed[0] == "densenet coreml-fp16 on coreml cpu_and_ne"
    assert len(listed) == 3
    costs = [float(text) for text in shown.page.locator("#detail td:nth-child(2)").all_text_contents()]
    tops = [float(text) for text in shown.page.locator("#detail td:nth-child(3)").all_text_contents()]
    assert costs == sorted(costs)
    assert tops == sorted(tops)
    names = shown.page.locator("#scatter .name")
    assert set(names.all_text_contents()) <= {" ".join(text.split()[:2]) for text in listed}
    assert names.count() >= 1
    front.first.click()
    assert len(shown.selected()) == 1
    assert "fresh process" in shown.page.locator("#detail").inner_text()
    assert "95% interval" in shown.page.locator("#detail").inner_text()
    shown.page.close()


def test_selecting_in_the_chart_leaves_the_page_where_it_is(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    shown.page.locator("#scatter").scroll_into_view_if_needed()
    before = shown.page.evaluate("scrollY")
    shown.page.mouse.click(*middle(shown.page.locator("#scatter .mark").last))
    assert shown.page.evaluate("scrollY") == before
    assert shown.page.evaluate("""() => {
        const row = document.querySelector("#rows tr[aria-selected=true]").getBoundingClientRect();
        const around = document.getElementById("rows").parentElement.getBoundingClientRect();
        return row.top >= around.top && row.bottom <= around.bottom; }""")
    shown.page.close()


def test_rows_are_selected_by_the_keyboard(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    shown.page.locator('#rows tr[tabindex="0"]').focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        shown.page.keyboard.press(key)
    second = shown.page.locator("#rows tbody tr").nth(1).get_attribute("data-key")
    assert shown.selected() == [second]
    assert shown.page.evaluate("document.activeElement.dataset.key") == second
    shown.page.locator("#filters summary").click()
    shown.page.locator('[data-filter="outcome"] input[value="not run"]').uncheck()
    assert shown.page.locator('#rows tr[tabindex="0"]:visible').count() == 1
    assert not any(text.startswith("not run") for text in shown.column("status"))
    assert shown.problems == []
    shown.page.close()


def test_dragging_selects_what_lies_inside(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    box = shown.page.locator("#scatter svg").bounding_box()
    mouse = shown.page.mouse
    mouse.move(box["x"] + 70, box["y"] + 20)
    mouse.down()
    mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 55, steps=5)
    mouse.up()
    assert len(shown.selected()) == shown.marks()
    shown.page.locator("#only").check()
    assert len(shown.column("model")) == shown.marks()
    assert shown.problems == []
    shown.page.close()


def test_the_keyboard_reaches_every_point(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    shown.page.locator("#scatter").focus()
    told = set()
    for _ in range(shown.marks()):
        shown.page.keyboard.press("ArrowRight")
        told.add(shown.page.locator("#tip").inner_text())
    assert len(told) == shown.marks()
    shown.page.keyboard.press("Enter")
    assert len(shown.selected()) == 1
    shown.page.keyboard.press("Escape")
    assert shown.selected() == []
    assert shown.problems == []
    shown.page.close()


def test_columns_are_chosen(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    heading = shown.page.locator('#rows th[data-column="top5"]')
    assert not heading.is_visible()
    shown.page.locator("#chooser summary").click()
    shown.page.locator('#chooser input[value="top5"]').check()
    assert heading.is_visible()
    again = opened(browser, results, address=shown.page.evaluate("location.hash"))
    assert again.page.locator('#rows th[data-column="top5"]').is_visible()
    shown.page.close()
    again.page.close()


def test_training_curves_follow_the_choice(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    for value in ("val_accuracy", "val_loss", "train_loss", "lr"):
        for along in ("epoch", "seconds"):
            shown.page.locator(f'#curve-value input[value="{value}"]').check()
            shown.page.locator(f'#curve-along input[value="{along}"]').check()
            assert shown.page.locator("#curves .curve").count() == 1
            assert shown.page.locator("#curves circle").count() == 5
    assert shown.problems == []
    shown.page.close()


def test_trainings_of_one_model_have_its_color_and_dashes_of_their_own(browser: Any, results: Path) -> None:
    another = results / "densenet" / "runs" / "another"
    another.mkdir(parents=True)
    shutil.copy(results / "densenet" / "history.json", another)
    shown = opened(browser, results)
    curves, names = shown.page.locator("#curves .curve"), shown.page.locator("#curves figcaption > span")
    first, second = ([curves.nth(n).get_attribute(name) for name in ("stroke", "stroke-dasharray")] for n in (0, 1))
    assert first[0] == second[0]
    assert first[1] != second[1]
    assert shown.page.locator("#scatter .mark").first.get_attribute("fill") == first[0]
    names.nth(1).hover()
    assert [curves.nth(n).locator("..").get_attribute("class") or "" for n in (0, 1)] == ["dim", ""]
    shown.page.locator("h1").hover()
    assert shown.page.locator("#curves g.dim").count() == 0
    assert shown.problems == []
    shown.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(browser: Any, results: Path, scheme: str) -> None:
    shown = opened(browser, results, scheme=scheme)
    contrast = shown.page.evaluate("""() => {
        const parse = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255;
            return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const back = light(parse(getComputedStyle(document.body).backgroundColor));
        return ["body", "caption", "tr.other td", "figcaption", "nav a", "legend", ".label"].map(selector => {
            const ink = light(parse(getComputedStyle(document.querySelector(selector)).color));
            return (Math.max(ink, back) + 0.05) / (Math.min(ink, back) + 0.05); });
    }""")
    assert min(contrast) >= 4.5  # WCAG 2.2, 1.4.3
    marks = shown.page.evaluate("""() => [...document.querySelectorAll("#scatter .mark")]
        .map(mark => getComputedStyle(mark).fill)""")
    assert all(mark.startswith("rgb") for mark in marks)
    assert shown.problems == []
    shown.page.close()


def test_pictures_and_tables_have_words(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    for table in shown.page.query_selector_all("table"):
        assert table.query_selector("caption").text_content()
    for image in shown.page.query_selector_all("img"):
        assert "golden image" in image.get_attribute("alt")
    for figure in shown.page.query_selector_all("figure"):
        assert figure.get_attribute("aria-label")
    assert shown.page.get_by_text("a tabby 75.0 %").count() == 3
    shown.page.close()


def test_a_screen_reader_finds_its_way(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    page = shown.page
    assert page.get_by_role("main").count() == page.get_by_role("navigation", name="Sections").count() == 1
    assert page.get_by_role("grid").get_by_role("row").count() == len(shown.column("model")) + 1
    assert page.get_by_role("grid").get_by_role("row", selected=True).count() == 0
    titles = page.get_by_role("heading", level=2).all_text_contents()
    assert titles == page.get_by_role("navigation").get_by_role("link").all_text_contents()
    for title in titles:
        assert page.get_by_role("region", name=title, exact=True).count() >= 1
    named = """selector => [...document.querySelectorAll(selector)].filter(e => !(e.getAttribute("aria-label")
        || e.labels?.length || e.textContent.trim())).length"""
    assert page.evaluate(named, "button, input, select, summary, a, [role=region], .scroll[tabindex]") == 0
    assert page.evaluate("[...document.querySelectorAll('[tabindex]')].every(e => e.tabIndex <= 0)")
    assert page.evaluate(
        "[...document.querySelectorAll('table:not(.facts)')].every(t => t.querySelector('th[scope=col]'))"
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.close()


@pytest.mark.parametrize("width", [390, 820])
def test_only_tables_scroll_on_a_small_screen(browser: Any, results: Path, width: int) -> None:
    shown = opened(browser, results, width=width)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.page.close()


def test_on_paper_the_controls_are_gone(browser: Any, results: Path) -> None:
    shown = opened(browser, results)
    shown.page.emulate_media(media="print")
    assert not shown.page.locator("#axis").is_visible()
    assert shown.page.locator("#rows").is_visible()
    cut = """() => [...document.querySelectorAll(".scroll")].filter(e => e.checkVisibility()
        && (e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2)).map(e => e.ariaLabel)"""
    shown.page.set_viewport_size({"width": 1030, "height": 700})  # A4, landscape, less its margins
    assert shown.page.evaluate(cut) == []
    assert shown.page.pdf().startswith(b"%PDF")
    shown.page.close()


def test_the_page_of_real_exports_opens(browser: Any, trained_results: Any, tmp_path: Path) -> None:
    results = tmp_path / "results"
    # Other tests may have measured there.
    shutil.copytree(trained_results.workspace.root, results, ignore=shutil.ignore_patterns("bench"))
    project = read(results)
    shown = opened_in(browser, tmp_path / "report.html", html(project))
    page = shown.page
    verdicts = page.locator("table.proof tbody tr")
    assert verdicts.count() == len(trained_results.artifacts)
    assert page.locator("table.proof .badge.passed").count() == len(trained_results.artifacts)
    held = page.locator("table.proof tbody td:nth-child(4)").all_text_contents()
    assert all(int(text) > 5 for text in held)  # every weight of each
    assert page.locator("#scatter .mark").count() == len(trained_results.artifacts) + 1
    assert page.locator('#axis input[value="bytes"]').is_checked()  # nothing was timed
    assert page.locator(".golden tbody tr").count() == len(trained_results.artifacts)
    assert "from its source" in page.get_by_role("region", name="Layers of").first.text_content()
    assert shown.problems == []
    page.close()


def test_the_page_of_this_projects_own_results_opens(browser: Any, tmp_path: Path) -> None:
    project = read(Path(__file__).parents[3] / "results")
    assert project.unread == ()
    shown = opened_in(browser, tmp_path / "report.html", html(project))
    assert shown.page.get_by_role("heading", name="Summary").is_visible()
    assert shown.problems == []
    shown.page.close()
