"""Several processes train as one does: real ones, started by torchrun, with the same batches in all."""

from __future__ import annotations

import shlex
import signal
import time
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.distributed.run import get_args_parser

from tinyml.errors import TrainingError, UsageError
from tinyml.schema import History, TrainConfig
from tinyml.store import read_json
from tinyml.trainer import checkpoint
from tinyml.trainer.data import Batch, Dataset
from tinyml.trainer.loop import train
from tinyml.trainer.pace import Led
from tinyml.trainer.prepare import prepare_together
from tinyml.trainer.signals import Interrupts
from tinyml.trainer.tally import Tally
from tinyml.trainer.team import LeftOutError, Team, ended_told
from tinyml.trainer.together import averaging
from tinyml.workspace import RunFolder, Workspace

from .conftest import config
from .processes import ALONE, ROOT, TOGETHER, finish, start

CPU = torch.device("cpu")
OPTIONS = ("--epochs", "3", "--mixup-alpha", "0.4", "--mix-off-epochs", "1", "--class-weights", "balanced",
           "--ema-decay", "0.9", "--clip-norm", "1")  # fmt: skip


def trained(folder: Path) -> tuple[History, dict[str, torch.Tensor]]:
    (run,) = (folder / "tiny" / "runs").iterdir()
    return read_json(run / "history.json", History), checkpoint.load(
        run / "checkpoints" / "last.json"
    ).model.state_dict()


@pytest.mark.parametrize("page", ["README.md", "docs/training.md"])
def test_a_command_for_torchrun_leaves_the_options_of_tinyml_alone(page: str) -> None:
    """torchrun takes `--run` for one of its own that begins so, wherever it stands, but for `--` before."""
    commands = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("    torchrun ")]
    assert commands
    for command in commands:
        parsed = get_args_parser().parse_args([*shlex.split(command, comments=True)[1:], "--run", "mine"])
        assert parsed.training_script == "tinyml"
        assert parsed.training_script_args[0] == "train"
        assert parsed.training_script_args[-2:] == ["--run", "mine"]


@pytest.mark.slow
def test_two_processes_train_what_one_does(colors: Dataset, tmp_path: Path, tiny: str) -> None:
    results = {}
    for name, how in (("alone", ALONE), ("together", TOGETHER)):
        code, out, err = finish(start(tmp_path, colors, *OPTIONS, "--results", str(tmp_path / name), how=how))
        assert code == 0, err
        assert out.count("best validation accuracy") == 1  # one of them speaks
        assert "Warning" not in err
        results[name] = trained(tmp_path / name)
    (one, weights), (two, others) = results["alone"], results["together"]
    assert (one.processes, two.processes) == (1, 2)
    assert one.config == two.config
    for a, b in zip(one.epochs, two.epochs, strict=True):
        assert (a.epoch, a.lr, a.val_accuracy) == (b.epoch, b.lr, b.val_accuracy)
        assert a.train_accuracy == pytest.approx(b.train_accuracy)
        # Sums of float32 in another order.
        assert a.train_loss == pytest.approx(b.train_loss, rel=1e-5)
        assert a.val_loss == pytest.approx(b.val_loss, rel=1e-4)
    for name, weight in weights.items():
        torch.testing.assert_close(others[name], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_team_stops_together_and_goes_on(colors: Dataset, tmp_path: Path, tiny: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert finish(start(tmp_path, colors, *OPTIONS, "--results", str(whole), how=TOGETHER))[0] == 0
    process = start(tmp_path, colors, *OPTIONS, "--results", str(parts), how=TOGETHER, pause=0.1)
    history = parts / "tiny" / "runs" / "reference-1" / "history.json"
    deadline = time.monotonic() + 120
    while not (history.exists() and read_json(history, History).epochs) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, out, err = finish(process)
    assert "interrupted and saved" in out, err
    resumed = start(tmp_path, colors, *OPTIONS, "--results", str(parts), "--resume", how=TOGETHER)
    code, _, err = finish(resumed)
    assert code == 0, err
    (one, weights), (two, others) = trained(whole), trained(parts)
    assert [r.train_loss for r in two.epochs] == pytest.approx([r.train_loss for r in one.epochs], rel=1e-6)
    for name, weight in weights.items():
        torch.testing.assert_close(others[name], weight, rtol=1e-6, atol=1e-7)


class Pair(Team):
    """One of two processes, the other of which always says the same as this one, or what it is told to."""

    size = 2

    def __init__(self, rank: int = 0, decided: object = None) -> None:
        self.rank, self._decided = rank, decided

    def decide(self, value):  # type: ignore[no-untyped-def]
        return value if self.first else self._decided

    def any(self, flag: bool) -> bool:
        return flag

    def sums(self, values):  # type: ignore[no-untyped-def]
        return [2 * value for value in values]


def test_a_batch_that_cannot_be_split_is_refused(colors: Dataset, tiny: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be split over 2 processes: 7; allowed: --batch-size a multiple of 2"):
        train(config(batch_size=7), colors, Workspace(tmp_path), device=CPU, team=Pair())
    assert list(tmp_path.glob("tiny/runs/*")) == []


def test_each_process_has_its_part_of_a_batch() -> None:
    batch = Batch(torch.arange(8), torch.arange(8) + 10, torch.arange(8) + 20)
    parts = [batch.part_of(rank, 4) for rank in range(4)]
    assert [part.images.tolist() for part in parts] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert torch.cat([part.targets for part in parts]).tolist() == batch.targets.tolist()
    assert torch.cat([p.taught for p in parts if p.taught is not None]).tolist() == list(range(20, 28))
    assert batch.part_of(0, 1) is batch


def test_counts_are_of_all_processes() -> None:
    tally = Tally(CPU, Pair())
    tally.add(torch.tensor(2.0), torch.eye(3), Batch(torch.zeros(3, 3, 8, 8), torch.tensor([0, 1, 0])))
    for _ in range(2):
        assert (tally.images, tally.images_by_size, tally.loss) == (6, {8: 6}, 2.0)
        assert tally.accuracy == pytest.approx(2 / 3)
        tally.gather()


def test_a_signal_waits_until_all_can_stop() -> None:
    with Interrupts(Pair()).installed() as interrupts:
        signal.raise_signal(signal.SIGTERM)  # between two steps: the other process knows nothing of it
        with pytest.raises(KeyboardInterrupt), interrupts.held():
            pass


def test_what_the_first_one_refuses_it_alone_tells() -> None:
    def refuse(decided: TrainConfig | None) -> None:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        prepare_together(Pair(), refuse)  # type: ignore[arg-type]
    with pytest.raises(LeftOutError):
        prepare_together(Pair(1), refuse)  # type: ignore[arg-type]
    told: list[TrainConfig | None] = []
    prepare_together(Pair(1, config().model_dump_json()), told.append)  # type: ignore[arg-type]
    assert told == [config()]


def test_the_clock_of_the_first_one_is_everyones() -> None:
    class Clock:
        seconds = 1.0

        def at(self, step: int) -> float:
            return 5.0

        def over(self, step: int) -> bool:
            return False

        def validated(self, seconds: float) -> None:
            pass

    assert Led(Clock(), Pair(1, 7.0)).at(0) == 7.0
    assert Led(Clock(), Pair(0)).at(0) == 5.0


def test_a_lost_process_is_told_in_a_sentence() -> None:
    with pytest.raises(TrainingError, match="another process of this training has ended"), ended_told():
        raise RuntimeError("[../gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1234")
    with pytest.raises(RuntimeError, match="a defect"), ended_told():
        raise RuntimeError("a defect")


def test_only_the_first_one_writes(colors: Dataset, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyml.trainer.learner.averaging", lambda network, *_: network)
    monkeypatch.setattr("tinyml.trainer.learner.synchronized", lambda network: network)
    folder = RunFolder(tmp_path / "run")

    class Second(Pair):
        def decide(self, value):  # type: ignore[no-untyped-def]
            return (folder, False) if isinstance(value, tuple) else value

    result = train(config(epochs=1), colors, Workspace(tmp_path), device=CPU, team=Second(1))
    assert len(result.history.epochs) == 1
    assert not folder.path.exists()


def test_gradients_are_averaged_without_a_warning(tmp_path: Path) -> None:
    """Warnings are errors here; torch has renamed an option of it."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        network = torch.nn.Linear(2, 1)
        averaging(network, Pair(), CPU)(torch.ones(3, 2)).sum().backward()
        assert network.weight.grad is not None
        assert network.weight.grad.tolist() == [[3.0, 3.0]]
    finally:
        dist.destroy_process_group()
