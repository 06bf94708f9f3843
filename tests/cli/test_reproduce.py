"""All results from nothing: the commands are real ones, what is done stays done, an interrupted training goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tinyml.cli import run
from tinyml.errors import UsageError
from tinyml.reproduce import SIX, cheapest_first, kinds_of, plan, reproduce
from tinyml.steps import Outcome, Step, apart
from tinyml.workspace import Workspace

# Stands for `tinyml`: makes what each verb leaves; `train` is interrupted until it is told to resume.
PROGRAM = (
    sys.executable,
    "-c",
    """
import sys
from pathlib import Path
verb, words = sys.argv[1], sys.argv[2:]
root = Path(words[words.index("--results") + 1]) if "--results" in words else None
def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
model = "vgg" if any("vgg" in word for word in words) else "resnet20"
if verb == "train":
    if (root / "broken").exists() and model == "resnet20":
        sys.exit(3)
    checkpoints = root / words[0] / "runs" / words[words.index("--run") + 1] / "checkpoints"
    touch(checkpoints / "resume.safetensors")
    if "--resume" not in words:
        sys.exit(130)
    touch(checkpoints / "best.json")
elif verb == "eval":
    touch(root / model / "test_results.json")
elif verb == "export":
    touch(root / model / "exports" / "coreml-fp16" / "manifest.json")
elif verb == "explain":
    touch(root / model / "explained" / "checkpoint.json")
elif verb == "bench":
    touch(root / "bench" / "1" / "run.json")
elif verb == "report":
    touch(root / "report.html")
""",
)


def small(folder: Path, budget: str = "20s", limit: int | None = None) -> list[Step]:
    return plan(["resnet20"], data="shapes", budget=budget, workspace=Workspace(folder), limit=limit)


def test_an_interrupted_training_goes_on_and_what_is_done_stays_done(tmp_path: Path) -> None:
    told: list[str] = []

    def once(budget: str = "20s") -> int:
        told.clear()
        return reproduce(small(tmp_path, budget), Workspace(tmp_path), told.append, runner=apart(PROGRAM)).code

    assert once() == 130
    assert [line.split()[2] for line in told] == ["data", "train"]
    assert once() == 0
    assert "unchanged" in told[0]
    assert told[1].startswith("$ tinyml train resnet20 --data shapes --run budget-20s --resume")
    assert [line.split()[2] for line in told[2:]] == ["eval", "export", "explain", "bench", "report"]
    assert once() == 0
    assert all(line.startswith("unchanged, not done again") for line in told)
    assert once("30s") == 130  # another budget is another training, beside the first
    assert told[-1].startswith("$ tinyml train resnet20 --data shapes --budget 30s --run budget-30s")


def test_some_steps_first_and_the_others_later(tmp_path: Path) -> None:
    told: list[str] = []

    def once(only: str | None, models: tuple[str, ...] = ("resnet20",)) -> int:
        told.clear()
        workspace = Workspace(tmp_path)
        steps = plan(models, data="shapes", budget="20s", workspace=workspace)
        return reproduce(steps, workspace, told.append, runner=apart(PROGRAM), kinds=kinds_of(only)).code

    assert once("train") == 130
    assert once("train") == 0
    assert [line.split()[2] for line in told] == ["train"]
    assert once(None) == 0
    assert [line for line in told if line.startswith("unchanged")] == [told[1]]
    assert "train resnet20" in told[1]
    assert once("eval, export") == 0  # without the training before them they are as they were
    assert all(line.startswith("unchanged") for line in told)
    assert once(None) == 0
    assert all(line.startswith("unchanged") for line in told)
    assert once(None, ("resnet20", "vgg")) == 130  # a further network leaves the first one's steps done
    assert [line.startswith("unchanged") for line in told] == [True] * 5 + [False]


def test_a_network_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    (tmp_path / "broken").touch()
    steps = plan(("vgg", "resnet20"), data="shapes", budget="20s", workspace=workspace)

    def once() -> Outcome:
        return reproduce(steps, workspace, lambda _: None, runner=apart(PROGRAM))

    interrupted = once()  # the cheaper one has failed, and the other one's training is interrupted
    assert (interrupted.code, interrupted.failed) == (130, ("train resnet20",))
    assert interrupted.left == ("eval resnet20", "export resnet20", "explain resnet20")
    outcome = once()
    assert (outcome.code, outcome.failed) == (3, ("train resnet20",))
    assert outcome.left == (*interrupted.left, "bench", "report")  # they are of both
    assert (tmp_path / "vgg" / "explained" / "checkpoint.json").exists()


def test_what_failed_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken").touch()
    monkeypatch.setattr("tinyml.reproduce.apart", lambda: apart(PROGRAM))
    words = ["reproduce", "--models", "resnet20", "--data", "shapes", "--results", str(tmp_path)]
    assert run(words) == 3
    told = capsys.readouterr().out.splitlines()[-3:]
    assert told[0] == "failed: train resnet20"
    assert told[1].startswith("left out, as they build on it: eval resnet20, export resnet20, explain")
    assert told[2].startswith("to go on: tinyml reproduce --models resnet20 --data shapes")


def test_a_step_that_a_signal_ends_ends_them_all(tmp_path: Path) -> None:
    outcome = reproduce(
        small(tmp_path),
        Workspace(tmp_path),
        lambda _: None,
        runner=apart((sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGHUP)")),
    )
    assert (outcome.code, outcome.failed, outcome.left) == (129, (), ())


def test_an_unknown_kind_of_step_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reproduce", "--only", "train,exprt", "--dry-run"]) == 2
    assert "no such kind of step: 'exprt'; allowed: data, train, eval" in capsys.readouterr().err
    assert run(["reproduce", "--only", "train", "--models", "vgg,resnet20", "--dry-run"]) == 0
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["resnet20", "vgg"]


@pytest.mark.parametrize("limit", [None, 100])
def test_its_steps_are_commands_of_tinyml(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: int | None
) -> None:
    for step in small(tmp_path, limit=limit):
        for words in (step.words, *step.goes_on.values()):
            verb = words[:2] if words[0] == "data" else words[:1]
            assert run([*verb, "--help"]) == 0
            page = capsys.readouterr().out
            assert all(word in page for word in words if word.startswith("--"))


def test_the_cheapest_network_comes_first_and_mistakes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cheapest_first(SIX)[0] == "efficientnet"
    assert cheapest_first(["vgg", "resnet20"]) == ["resnet20", "vgg"]
    with pytest.raises(UsageError, match="no such model: 'vg'; allowed: alexnet"):
        cheapest_first(["vg"])
    assert run(["reproduce", "--budget", "soon", "--dry-run"]) == 2
    assert "--budget is no time: 'soon'" in capsys.readouterr().err
    assert run(["reproduce", "--models", "resnet20", "--dry-run"]) == 0
    assert "tinyml train resnet20 --data tiny-imagenet --budget 3h" in capsys.readouterr().out


def test_a_rehearsal_is_small_everywhere_and_apart_from_the_real_thing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reproduce", "--models", "resnet20", "--limit", "300", "--dry-run", "--results", str(tmp_path)]) == 0
    by_verb = {line.split()[1]: line for line in capsys.readouterr().out.splitlines()}
    assert "--run budget-3h-limit-300 --limit 300" in by_verb["train"]
    assert "/budget-3h-limit-300/checkpoints/best.json --limit 300" in by_verb["eval"]
    assert "--all --images 300" in by_verb["export"]
    assert "--robustness --limit 300 --robustness-images 10" in by_verb["explain"]
    assert "--quick" in by_verb["bench"]
    assert run(["reproduce", "--limit", "3"]) == 2
