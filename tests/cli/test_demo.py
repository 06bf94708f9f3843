"""The demonstration: its commands are real ones, and what is done stays done until what decides it changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyml.cli import run
from tinyml.cli.verbs import demo as verb
from tinyml.demo import STEPS, demonstrate
from tinyml.export.variants import variants
from tinyml.steps import Step, apart

PROGRAM = (sys.executable, "-c", "import sys; open(sys.argv[1], 'a').write('x')")
"""Stands for `tinyml`: a process that leaves a mark, for what is tested is which of them run."""


def small_step(name: str, *runs: str) -> Step:
    return Step(name=name, words=(name,), runs=runs, makes=(name,))


CHAIN = (small_step("one", "trainer"), small_step("two", "trainer", "export"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name in ("schema", "trainer", "export", "bench"):
        (tmp_path / "package" / name).mkdir(parents=True)
        (tmp_path / "package" / name / "code.py").write_text(name)
    return tmp_path / "package"


@pytest.fixture
def demo(tmp_path: Path, package: Path) -> Callable[[], str]:
    def once() -> str:
        """Runs both steps; how often each of them has run so far, as "one two"."""
        folder = tmp_path / "demo"
        demonstrate(folder, lambda _: None, runner=apart(PROGRAM), steps=CHAIN, package=package)
        return " ".join(str(len((folder / step.name).read_text())) for step in CHAIN)

    return once


def test_what_has_not_changed_is_not_done_again(demo: Callable[[], str], package: Path) -> None:
    assert demo() == "1 1"
    assert demo() == "1 1"
    (package / "bench" / "code.py").write_text("an unrelated source file")
    (package.parent / "README.md").write_text("a page")
    (package / "trainer" / "code.py").touch()  # as a checkout does: a new time, the same contents
    assert demo() == "1 1"


def test_what_has_changed_is_done_again_with_all_that_follows(demo: Callable[[], str], package: Path) -> None:
    demo()
    (package / "export" / "code.py").write_text("changed")
    assert demo() == "1 2"
    (package / "trainer" / "code.py").write_text("changed")
    assert demo() == "2 3"
    (package / "schema" / "more.py").write_text("what every step runs")
    assert demo() == "3 4"


def test_what_is_gone_is_made_again(demo: Callable[[], str], tmp_path: Path) -> None:
    demo()
    (tmp_path / "demo" / "two").unlink()
    assert demo() == "1 1"


def test_it_stops_at_a_failure_and_goes_on_there(tmp_path: Path, package: Path) -> None:
    told: list[str] = []
    fails = (
        sys.executable,
        "-c",
        "import sys; sys.argv[1] == 'two' and sys.exit(3); open(sys.argv[1], 'a').write('x')",
    )
    folder = tmp_path / "demo"
    outcome = demonstrate(folder, told.append, runner=apart(fails), steps=CHAIN, package=package)
    assert (outcome.code, told) == (3, ["$ tinyml one", "$ tinyml two"])
    told.clear()
    outcome = demonstrate(folder, told.append, runner=apart(PROGRAM), steps=CHAIN, package=package)
    assert (outcome.code, outcome.kept) == (0, ("one",))
    assert told == ["unchanged, not done again: tinyml one", "$ tinyml two"]


def test_a_command_runs_as_if_it_had_been_typed_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = (list(sys.argv), Path.cwd()), []

    def run_it(words: list[str]) -> int:
        seen.append((words, sys.argv[1:], Path.cwd()))
        return 7

    monkeypatch.setattr(verb, "run", run_it)
    assert verb.here(("bench", "--quick"), tmp_path) == 7
    assert seen == [(["bench", "--quick"], ["bench", "--quick"], tmp_path)]
    assert (sys.argv, Path.cwd()) == before


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_its_steps_are_commands_of_tinyml(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([step.words[0], "--help"]) == 0
    page = capsys.readouterr().out
    assert all(word in page for word in step.words if word.startswith("--"))
    named = [word for before, word in zip(step.words, step.words[1:], strict=False) if before == "--variant"]
    assert all(name in variants.names() for name in named)


def test_one_int8_and_one_4_bit_package_are_shown() -> None:
    words = next(step.words for step in STEPS if step.name == "export")
    kinds = [kind for name in words if name in variants.names() for kind in variants.get(name).compression]
    assert {getattr(kind, "bits", None) for kind in kinds} >= {4, 8}
