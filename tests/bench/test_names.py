"""Two files of one name in a run, as of two branches, stay two wherever they are told of."""

from pathlib import Path

import pytest

from tinyml.bench.budget import check, read_budget
from tinyml.bench.history import history_of
from tinyml.bench.names import Names
from tinyml.bench.page.figures import figures
from tinyml.bench.page.project import read
from tinyml.bench.reports.markdown import markdown
from tinyml.bench.table import table
from tinyml.schema import BenchRun
from tinyml.store import write_json

from .test_matching import of_files

A, B = "a" * 64, "b" * 64


@pytest.fixture
def twins(linux_run: BenchRun) -> BenchRun:
    return of_files(linux_run, "twins", [("net", "file", A), ("net", "file", B), ("other", "file", B)])


def test_only_files_that_share_a_name_show_their_checksum(twins: BenchRun) -> None:
    names = Names([twins])
    found = [names.words(result.case).split(" on ")[0] for result in twins.results]
    assert found == [f"net file ({A[:8]})", f"net file ({B[:8]})", "other file"]
    assert [row[1] for row in table(twins)] == [f"file ({A[:8]})", f"file ({B[:8]})", "file"]
    assert f"net file ({A[:8]})" in markdown(twins)


def test_a_budget_names_each(twins: BenchRun, tmp_path: Path) -> None:
    (tmp_path / "budget.toml").write_text("[[limits]]\nmodel = 'net'\np50_ms = 5.5\n")
    rows = check(twins, read_budget(tmp_path / "budget.toml"))
    assert [row.outcome for row in rows] == ["kept", "exceeded"]
    assert len({row.case for row in rows}) == 2


def test_a_history_never_takes_one_for_the_other(twins: BenchRun) -> None:
    found = history_of([twins.model_copy(update={"id": f"r{i}", "quick": False}) for i in range(6)])
    assert len(found.cases) == 3
    assert not any(case.changes for case in found.cases)
    assert {len(case.entries) for case in found.cases} == {6}


def test_the_page_leaves_neither_out(twins: BenchRun, tmp_path: Path) -> None:
    write_json(tmp_path / "bench" / twins.id / "run.json", twins)
    found = figures(read(tmp_path))
    assert sorted((figure.model, figure.variant) for figure in found) == [
        ("net", f"file ({A[:8]})"),
        ("net", f"file ({B[:8]})"),
        ("other", "file"),
    ]
    assert len({figure.key for figure in found}) == 3
