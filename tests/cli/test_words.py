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


OUTPUTS = [
    (("predict", "a.png", "--csv"), ".csv"),
    (("report", "--output"), ".html"),
    (("run", "a.mlpackage", "--output"), ".npz"),
    (("convert", "a.mlpackage", "--to", "onnx", "--output"), ".onnx"),
    (("diff", "a.mlpackage", "b.mlpackage", "--plot"), ".png"),
]


@pytest.mark.parametrize(("words", "suffix"), OUTPUTS, ids=lambda value: value[0] if isinstance(value, tuple) else "")
def test_another_kind_of_file_is_not_written_over(
    words: tuple[str, ...], suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = tmp_path / "thesis.tex"
    precious.write_text("years of work")
    assert run([*words, str(precious)]) == 2
    told = f"error: what is written there is another kind of file: {precious}; allowed: a name in {suffix}\n"
    assert capsys.readouterr().err == told
    inside = precious / f"out{suffix}"
    assert run([*words, str(inside)]) == 2
    assert capsys.readouterr().err == f"error: a file, where a folder is needed: {precious}; name another place\n"
    assert precious.read_text() == "years of work"


def test_a_file_in_the_place_of_the_results_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cat.png"
    file.write_bytes(b"a picture")
    for words in (("train", "resnet20", "--data", "shapes", "--results"), ("schema", "--output")):
        assert run([*words, str(file)]) == 2
        assert capsys.readouterr().err == f"error: a file, where a folder is needed: {file}; name another place\n"


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
@pytest.mark.parametrize("words", [("run", "a.mlpackage"), ("tune", "vgg"), ("train", "vgg", "--data", "shapes")])
def test_a_seed_that_no_generator_takes_is_refused(
    words: tuple[str, ...], seed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--seed", seed]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert "--seed" in told


def test_options_of_a_sweep_are_refused_before_its_trainings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sweep", "--models", "vgg", "--data", "shapes", "--variant", "a=--nope"]) == 2
    assert capsys.readouterr().err.startswith("error: no such option: --nope")


def test_bench_names_the_options_that_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"--repeats": "0", "--seconds": "nan", "--batch": "0", "--timeout": "0", "--rounds": "0"}
    for option, value in wrong.items():
        assert run(["bench", option, value]) == 2
        assert capsys.readouterr().err.startswith(f"error: {option} out of range")
    assert run(["bench", "--max-seconds", "1", "--seconds", "5"]) == 2
    assert capsys.readouterr().err.startswith("error: --max-seconds is less than --seconds: 1")


def test_a_model_of_no_bytes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.onnx").touch()
    assert run(["bench", "--artifact", str(tmp_path / "empty.onnx"), "--quick"]) == 1
    assert capsys.readouterr().err.startswith("error: there is nothing in this model: ")
