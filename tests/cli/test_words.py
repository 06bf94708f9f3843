"""What is said can be acted on: hints are commands as they stand, options are meant, and every terminal shows names."""

from __future__ import annotations

import io
import json
import shlex
import sys
from pathlib import Path

import pytest
import typer

from tinyml.cli import app, run
from tinyml.cli.output import Output, tell_every_character
from tinyml.cli.progress_bar import TerminalProgress
from tinyml.cli.suggestions import CALLED_ELSEWHERE, nearest_option
from tinyml.commands import command, first_training
from tinyml.errors import DataError
from tinyml.trainer.data import open_dataset

ROOT = typer.main.get_command(app)


def options() -> set[str]:
    """Of all verbs."""
    found: set[str] = set()
    waiting = [ROOT]
    while waiting:
        verb = waiting.pop()
        waiting += getattr(verb, "commands", {}).values()
        found |= {name for parameter in verb.params for name in parameter.opts if name.startswith("--")}
    return found


def test_a_command_is_quoted_for_a_shell() -> None:
    told = command("train", "vit", "--data", "my photos/it's", results=Path("a b"))
    assert shlex.split(told) == ["tinyml", "train", "vit", "--data", "my photos/it's", "--results", "a b"]
    assert command("bench", results=Path("results")) == "tinyml bench"


def test_the_first_training_that_is_offered_can_be_typed_and_fetches_nothing() -> None:
    words = shlex.split(first_training(results=Path("my results")).rpartition(": ")[2])
    assert words[:2] == ["tinyml", "train"]
    assert words[words.index("--data") + 1] == "shapes"
    assert {word for word in words if word.startswith("--")} <= options()


def test_bad_images_are_left_out_of_the_data_set_that_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "my photos"
    for name in ("ant", "bee"):
        (folder / name).mkdir(parents=True)
        for n in range(10):
            (folder / name / f"{n}.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError) as caught:
        open_dataset(str(folder))
    words = shlex.split(str(caught.value).rpartition("with: ")[2])
    assert words == ["tinyml", "data", "prepare", "--data", str(folder), "--skip-bad"]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--learning-rate", "--lr"),
        ("--epoch", "--epochs"),
        ("--quant", "--quantize"),
        ("--smoothing", "--label-smoothing"),
        ("--batchsize", "--batch-size"),
        ("--early-stoppage", None),
        ("--frobnicate", None),
    ],
)
def test_a_mistyped_option_is_answered_by_sense(given: str, meant: str | None) -> None:
    known = ["--lr", "--epochs", "--quantize", "--label-smoothing", "--batch-size", "--crop-padding", "--data"]
    assert nearest_option(given, known) == meant


def test_what_other_tools_call_an_option_is_one_here() -> None:
    known = options()
    assert [name for names in CALLED_ELSEWHERE.values() for name in names if name not in known] == []


def test_the_command_line_says_the_option_it_takes_one_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "vit", "--learning-rate", "1"]) == 2
    assert capsys.readouterr().err == (
        "error: no such option: --learning-rate; did you mean --lr?; see: tinyml train --help\n"
    )
    assert run(["train", "vit", "--frobnicate"]) == 2
    assert "did you mean" not in capsys.readouterr().err
    assert run(["eval", "--checkpoint", "best.json"]) == 2
    assert capsys.readouterr().err == (
        "error: no such option: --checkpoint; here it is given without an option; see: tinyml eval --help\n"
    )


class Terminal(io.TextIOWrapper):
    """A standard output of some encoding, as strict as Python's own."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict")

    def isatty(self) -> bool:
        return True

    @property
    def shown(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


NAMES = ("caf\u00e9", "\u7f8e\u732b", "not text \udce9")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_terminal_shows_what_it_can_and_the_rest_as_escapes(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    tell_every_character()
    Output().table("labels", ["label", "n"], [[name, "1"] for name in NAMES])
    lines = terminal.shown.splitlines()
    assert len(lines) == 4 + len(NAMES)
    assert "\\udce9" in lines[-1]
    assert lines[4].startswith("caf\\xe9" if encoding == "ascii" else "caf\u00e9")
    if encoding == "ascii":  # where escapes stand, the columns are as wide as these are
        assert {line.rstrip().rindex("1") for line in lines[4:]} == {len(lines[3].rstrip()) - 1}


@pytest.mark.parametrize(("encoding", "term"), [("ascii", "dumb"), ("utf-8", "xterm"), ("latin-1", "xterm")])
def test_a_narrow_terminal_breaks_no_line_that_is_to_be_copied(
    encoding: str, term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", term)
    tell_every_character()
    line = "left out: 8 .HEIC; with them: tinyml data prepare --data '/a folder/[of] my photos' --skip-bad caf\u00e9"
    progress = TerminalProgress()
    progress.say(line)
    progress.start("decoding [train]", 3, "images")
    progress.advance(1)
    progress.say(line)
    progress.finish()
    assert terminal.shown.count(line.replace("\u00e9", "\\xe9") if encoding == "ascii" else line) == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_document_is_json_on_every_terminal(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    tell_every_character()
    Output(json=True).document(list(NAMES))
    assert json.loads(terminal.shown) == list(NAMES)


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "a.png", "--csv"),
        ("report", "--output"),
        ("run", "a.mlpackage", "--output"),
        ("convert", "a.mlpackage", "--to", "onnx", "--output"),
        ("diff", "a.mlpackage", "b.mlpackage", "--plot"),
    ],
    ids=lambda words: words[0],
)
def test_a_folder_in_the_place_of_a_file_is_refused_before_the_work(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, str(tmp_path)]) == 2
    assert f"file '{tmp_path}' is a directory; see: tinyml {words[0]} --help" in capsys.readouterr().err
