"""What is read, which figure stands for a case, and what is said of a model."""

from __future__ import annotations

import json
from pathlib import Path

from tinyml.bench.page.figures import figures
from tinyml.bench.page.project import read
from tinyml.bench.page.render import html
from tinyml.bench.page.sections.absent import absent
from tinyml.bench.page.sections.comparison import comparison
from tinyml.bench.page.summary import candidates, summaries
from tinyml.schema import Artifact, BenchRun, EvaluatedModel, Evaluations, Explanation, Golden, History, Metrics, Record
from tinyml.store import read_json, write_json

from ..test_hostile import MUTANTS, mutant, refusal, seeded, torn

SHA = "ab" * 32
EVIL = "</script><script>alert(1)</script>"


def later(run: BenchRun, **update: object) -> BenchRun:
    provenance = run.provenance.model_copy(update={"created_at": "2026-02-01T00:00:00Z"})
    return run.model_copy(update={"provenance": provenance, "id": "later", **update})


def test_everything_below_a_folder_is_found_and_what_cannot_be_read_is_named(results: Path) -> None:
    (results / "bench" / "torn").mkdir()
    (results / "bench" / "torn" / "run.json").write_text('{"kind": "bench_run", "schema')
    hidden = results / "bench" / ".torn.tmp-abcdefgh"
    hidden.mkdir()
    (hidden / "run.json").write_text("{")
    project = read(results)
    assert project.title == "project"
    assert len(project.runs) == 2
    assert len(project.artifacts) == len(project.goldens) == 3
    assert len(project.histories) == 1
    (line,) = project.unread
    assert "torn/run.json is not JSON" in line
    assert "torn/run.json is not JSON" in html(project)


def test_a_case_stands_once_a_machine_with_its_newest_measurement(results: Path, linux_run: BenchRun) -> None:
    first = figures(read(results))
    assert len({figure.key for figure in first}) == len(first)
    write_json(results / "bench" / "later" / "run.json", later(linux_run))
    second = figures(read(results))
    assert [f.key for f in second] == [f.key for f in first]
    linux = [f for f in second if f.run is not None and f.run.environment.os == "linux"]
    assert linux
    assert {f.run.id for f in linux if f.run is not None} == {"later"}
    assert {f.run.id for f in second if f.run is not None} == {"later", "fixture-macos"}


def test_a_throughput_does_not_take_the_place_of_a_latency(results: Path, linux_run: BenchRun) -> None:
    before = figures(read(results))
    measured = next(f for f in before if f.run is not None and f.run.id == linux_run.id and f.row is not None)
    assert measured.row is not None
    result = measured.row.result
    two = result.model_copy(update={"case": result.case.model_copy(update={"streams": 2})})
    write_json(results / "bench" / "later" / "run.json", later(linux_run, results=(two,)))
    after = figures(read(results))
    assert {f.key for f in after} > {f.key for f in before}
    assert len(after) == len(before) + 1


def test_a_case_that_was_not_run_again_keeps_its_figure(results: Path, linux_run: BenchRun) -> None:
    before = [f.key for f in figures(read(results)) if f.row is not None and f.row.latency_ns is not None]
    nothing = tuple(
        r.model_copy(update={"status": "not_run", "reason": "interrupted", "series": (), "accuracy": None})
        for r in linux_run.results
    )
    write_json(results / "bench" / "later" / "run.json", later(linux_run, results=nothing))
    after = [f.key for f in figures(read(results)) if f.row is not None and f.row.latency_ns is not None]
    assert after == before


def test_a_file_in_no_run_stands_in_the_table_as_not_run(results: Path) -> None:
    for run in results.glob("bench/*/run.json"):
        run.unlink()
    found = figures(read(results))
    assert {f.variant for f in found} == {"coreml-fp16", "coreml-w8", "onnx-w8a8"}
    assert "not run: in no bench run" in html(read(results))


def test_the_sentence_names_the_smallest_and_the_fastest_within_a_point(results: Path) -> None:
    project = read(results)
    told = {summary.model: str(summary) for summary in summaries(project, figures(project))}
    assert set(told) == {"alexnet", "densenet"}
    sentence = told["densenet"]
    assert "As trained: 60.12% (59.16 to 61.08) top-1, on 10,000 test images" in sentence
    assert "Smallest within one point: coreml-w8" in sentence
    assert "Fastest within one point: coreml-fp16" in sentence
    assert "Mac99,1, macOS 99.1" in sentence
    assert told["alexnet"].endswith("Fastest within one point: not measured.")


def test_only_one_image_at_a_time_is_told_as_fast(results: Path, linux_run: BenchRun) -> None:
    for path in results.glob("bench/*/run.json"):
        run = read_json(path, BenchRun)
        many = tuple(r.model_copy(update={"case": r.case.model_copy(update={"batch": 8})}) for r in run.results)
        write_json(path, run.model_copy(update={"results": many}))
    project = read(results)
    told = {summary.model: str(summary) for summary in summaries(project, figures(project))}
    assert told["densenet"].endswith("Fastest within one point: not measured.")


def test_the_accuracy_of_a_file_is_of_one_look_at_each_image(results: Path) -> None:
    (manifest,) = results.glob("*/exports/coreml-w8/manifest.json")
    artifact = read_json(manifest, Artifact)
    rows = tuple(
        EvaluatedModel(
            variant=variant,
            path="x",
            sha256=artifact.sha256,
            bytes=artifact.bytes,
            runtime="reference",
            metrics=Metrics(split="test", top1=top1, top5=1, images=9_999, total=10_000),
            provenance=artifact.provenance,
        )
        for variant, top1 in (("coreml-w8+flip", 0.9), ("ensemble", 0.8), ("coreml-w8", 0.7), ("ensemble+flip", 0.95))
    )
    for run in results.glob("bench/*/run.json"):
        run.unlink()
    write_json(results / "alexnet" / "test_results.json", Evaluations(model="alexnet", data="shapes", results=rows))
    (found,) = (figure.accuracy for figure in figures(read(results)) if figure.sha256 == artifact.sha256)
    assert found is not None
    assert found.metrics.top1 == 0.7


def test_a_loss_is_only_told_of_the_same_images(results: Path, linux_run: BenchRun) -> None:
    for manifest in results.glob("*/exports/*/manifest.json"):
        manifest.unlink()
    few = Metrics(split="test", top1=0.1, top5=0.2, images=200, total=10_000)
    cut = tuple(
        r.model_copy(update={"accuracy": few}) if r.accuracy and r.case.variant != "checkpoint" else r
        for r in linux_run.results
    )
    run = linux_run.model_copy(update={"results": cut})
    write_json(results / "bench" / run.id / "run.json", run)
    (results / "bench" / "fixture-macos" / "run.json").unlink()
    project = read(results)
    assert candidates(project, figures(project)) == []
    assert "No exported file was compared with it." in str(summaries(project, figures(project))[0])


def test_hostile_words_stay_words(results: Path, linux_run: BenchRun) -> None:
    named = EVIL.replace("/", "")  # a name has no slash
    evil = linux_run.results[0].case.model_copy(update={"model": named, "variant": named})
    first = linux_run.results[0].model_copy(update={"case": evil, "flags": (EVIL,)})
    run = later(linux_run, results=(first, *linux_run.results[1:]))
    provenance = run.provenance.model_copy(update={"command": EVIL})
    write_json(results / "bench" / "later" / "run.json", run.model_copy(update={"provenance": provenance}))
    page = html(read(results))
    assert "<script>alert" not in page
    start = page.index('id="points">') + len('id="points">')
    points = json.loads(page[start : page.index("</script>", start)])
    assert named in {point["model"] for point in points}


KINDS: dict[str, type[Record]] = {
    "run.json": BenchRun,
    "manifest.json": Artifact,
    "golden.json": Golden,
    "history.json": History,
    "coreml-w8.json": Explanation,
}


def test_a_page_is_made_of_whatever_mutants_can_be_read(results: Path) -> None:
    chance = seeded(6)
    files = sorted(results.rglob("*.json"))
    read_whole: dict[Path, list[str]] = {path: [path.read_text()] for path in files}
    refused = []
    for i in range(MUTANTS):
        path = files[i % len(files)]
        text = read_whole[path][0]
        changed = torn(text, chance) if i % 8 == 0 else json.dumps(mutant(json.loads(text), chance))
        why = refusal(changed, KINDS[path.name])
        refused += [why] if why is not None else []
        read_whole[path] += [changed] if why is None else []
    assert 0 < len(refused) < MUTANTS
    assert not any("\n" in why for why in refused)
    for number in range(1, 9):
        for path, texts in read_whole.items():
            path.write_text(texts[number % len(texts)], errors="surrogatepass")
        project = read(results)
        assert not project.unread
        assert "<script>alert" not in html(project)


def test_the_page_of_five_hundred_cases_is_small(results: Path, linux_run: BenchRun) -> None:
    many = tuple(
        r.model_copy(update={"case": r.case.model_copy(update={"model": f"model{n}"})})
        for n in range(32)
        for r in linux_run.results
    )
    write_json(results / "bench" / "later" / "run.json", later(linux_run, results=many))
    project = read(results)
    assert len(figures(project)) >= 500
    assert len({figure.key for figure in figures(project)}) == len(figures(project))
    assert len(html(project).encode()) < 5_000_000


def test_what_was_not_measured_is_told_by_its_reason(results: Path) -> None:
    content = absent(read(results), figures(read(results)))
    assert content is not None
    table = {(status, reason, machine): names for status, reason, machine, names in content.values["table"]}
    assert len(table[("not run", "needs macOS", "Fixture CPU 3000, Fixture Linux 1.0")]) > 3
    assert sum(map(len, table.values())) == sum(
        f.row is not None and f.row.result.status != "ok" for f in figures(read(results))
    )


def test_doubtful_times_are_marked_and_their_flags_explained(results: Path) -> None:
    content = comparison(read(results), figures(read(results)))
    assert content is not None
    marked = [line for line in content.values["lines"] if line["texts"]["p50"].endswith(" !")]
    assert marked
    assert all("(" in line["texts"]["status"] for line in marked)
    assert "unsteady" in dict(content.values["flags"])


def test_columns_with_nothing_in_them_wait_to_be_chosen(results: Path) -> None:
    content = comparison(read(results), figures(read(results)))
    assert content is not None
    shown = {column.key: at_first for column, at_first in content.values["columns"]}
    assert shown["machine"]  # there are two
    assert shown["p50"]
    assert not shown["energy"]
    assert not shown["batch"]
    texts = [line["texts"] for line in content.values["lines"]]
    assert all(set(shown) <= set(each) for each in texts)
    assert any(each["throughput"] != "-" for each in texts)


def test_reading_leaves_every_file_as_it_was(results: Path) -> None:
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    html(read(results))
    assert {path: path.read_bytes() for path in results.rglob("*") if path.is_file()} == before
    assert read_json(results / "bench" / "fixture-linux" / "run.json", BenchRun)


def test_mistakes_and_robustness_stand_on_the_page(results: Path) -> None:
    page = html(read(results))
    assert "Where models err" in page
    assert '<td>a tabby</td><td>a teapot</td><td class="figure">20</td>' in page
    assert '<td>a tabby</td><td class="figure">33 %</td>' in page
    assert "FGSM by 1/255, 1 step" in page
    assert ">35.0<" in page  # the mean of 0.45 to 0.25
    assert ">12.5<" in page
    assert 'd="M1 0h1v1h-1z"' in page  # tabbies taken for teapots: the first row, the second column
    (results / "densenet" / "explained" / "coreml-w8.json").unlink()
    without = html(read(results))
    assert "Where models err" not in without
    assert "FGSM" not in without
