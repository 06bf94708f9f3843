"""Training: it learns, a resumed run is bitwise the uninterrupted one, and it ends well when it cannot go on."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tinyml.errors import CheckpointError, TrainingError, UsageError
from tinyml.progress import Silent
from tinyml.schema import Checkpoint, History, TrainConfig
from tinyml.store import read_json
from tinyml.trainer import checkpoint, training
from tinyml.trainer.data import Batch, Dataset
from tinyml.trainer.loop import TrainResult, train
from tinyml.trainer.objective import Objective
from tinyml.trainer.start import Resumed
from tinyml.trainer.state import check_continues, previous_state, read_state
from tinyml.workspace import Workspace

from .conftest import config

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("tiny")


class Interrupting(Silent):
    """Presses Ctrl-C after some batches."""

    def __init__(self, after: int, number: int = signal.SIGINT) -> None:
        self._left, self._number = after, number

    def advance(self, amount: int = 1, info: str = "") -> None:
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(self._number)


class Saying(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)


def run(config: TrainConfig, data: Dataset, folder: Path, **options: object) -> tuple[TrainResult, Workspace]:
    workspace = Workspace(folder)
    return train(config, data, workspace, device=CPU, **options), workspace  # type: ignore[arg-type]


def failing(error: BaseException) -> Objective:
    """An objective that raises."""

    def fail(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        raise error

    return fail


def trace(history: History) -> list[tuple[object, ...]]:
    """What must not depend on interruptions: all but the times."""
    return [
        (r.epoch, r.lr, r.train_loss, r.train_accuracy, r.val_loss, r.val_accuracy, r.images_by_size)
        for r in history.epochs
    ]


def same_state(one: Workspace, other: Workspace) -> None:
    first, second = (read_state(w.newest_state("tiny")) for w in (one, other))
    a, b, tensors_a, tensors_b = first.position, second.position, first.tensors, second.tensors
    kept = [(of.epoch, of.step, of.images, of.images_by_size, of.best) for of in (a, b)]
    assert kept[0] == kept[1]
    assert tensors_a.keys() == tensors_b.keys()
    assert [name for name in tensors_a if not torch.equal(tensors_a[name], tensors_b[name])] == []


def test_learns_and_leaves_its_files(colors: Dataset, tmp_path: Path) -> None:
    result, workspace = run(config(), colors, tmp_path / "results")
    (folder,) = workspace.runs("tiny")
    assert folder.name == "test-1"
    assert {p.name for p in folder.checkpoints.iterdir()} == {
        f"{name}.{ending}" for name in ("best", "last", "epoch-002") for ending in ("json", "safetensors")
    } | {"resume.safetensors", "resume.previous.safetensors"}
    assert not result.interrupted
    assert result.best == workspace.newest_checkpoint()
    history = read_json(folder.history, History)
    assert trace(history) == trace(result.history)
    assert [record.epoch for record in history.epochs] == [1, 2, 3]
    assert history.epochs[-1].val_accuracy == 1.0
    assert history.epochs[-1].train_loss < history.epochs[0].train_loss
    assert history.epochs[-1].train_accuracy is not None
    assert history.memory is not None
    assert history.memory.process_bytes > 10_000_000
    assert history.memory.device_bytes is None
    assert folder.history_plot.read_bytes().startswith(b"\x89PNG")
    best = checkpoint.load(result.best).checkpoint
    assert best.dataset_sha256 == colors.sha256
    assert best.metrics[0].split == "val"
    assert best.metrics[0].top1 == max(record.val_accuracy for record in history.epochs)


PLAIN: dict[str, object] = {"optimizer": "sgd"}


@pytest.mark.usefixtures("_no_plot")
@pytest.mark.parametrize(
    ("changes", "after"),
    [
        (PLAIN, 1),
        (PLAIN, 6),  # after the last step of an epoch
        (PLAIN, 7),  # in its validation
        (PLAIN, 8),
        (PLAIN, 15),
        (PLAIN, 20),  # after the last step of all
        (PLAIN, 21),  # in the last validation
        ({"optimizer": "sgd", "momentum": 0.0, "scheduler": "none"}, 10),
        ({"optimizer": "adam", "lr": 0.01, "clip_norm": 0.5}, 10),
        ({"optimizer": "adamw", "lr": 0.01, "ema_decay": 0.9, "mixup_alpha": 0.2, "cutmix_alpha": 1.0}, 10),
        ({"optimizer": "rmsprop", "lr": 0.001, "mixup_alpha": 0.4, "mix_off_epochs": 1, "label_smoothing": 0.1}, 10),
        ({"limit": 20, "precision": "bf16"}, 4),
    ],
    ids=lambda value: f"after-{value}" if isinstance(value, int) else value.get("optimizer", "limit"),
)
def test_resumed_is_bitwise_uninterrupted(
    colors: Dataset, tmp_path: Path, changes: dict[str, object], after: int
) -> None:
    whole, one = run(config(**changes), colors, tmp_path / "one")
    parts, other = run(config(**changes), colors, tmp_path / "other", progress=Interrupting(after))
    assert parts.interrupted
    torch.manual_seed(99)  # whatever else the process drew in between
    parts, _ = run(config(**changes), colors, tmp_path / "other", start=Resumed(read_state(parts.state)))
    assert not parts.interrupted
    assert trace(parts.history) == trace(whole.history)
    same_state(one, other)
    assert checkpoint.load(one.newest_checkpoint()).checkpoint.sha256 == (
        checkpoint.load(other.newest_checkpoint()).checkpoint.sha256
    )


@pytest.mark.usefixtures("_no_plot")
def test_epochs_say_how_many_images_they_showed_in_which_size(
    colors: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = config(epochs=2, resolution="32:64", full_size_share=0.75)
    result, _ = run(growing, colors, tmp_path / "whole")
    assert [record.images_by_size for record in result.history.epochs] == [{32: 24, 64: 24}, {64: 48}]
    parts, _ = run(growing, colors, tmp_path / "parts", progress=Interrupting(4))
    saved = read_state(parts.state)
    assert saved.position.images_by_size == {32: 24, 64: 8}
    older = replace(saved, position=saved.position.model_copy(update={"images_by_size": {}}))  # from before it was kept
    parts, _ = run(growing, colors, tmp_path / "parts", start=Resumed(older))
    assert [record.images_by_size for record in parts.history.epochs] == [None, {64: 48}]


def test_trained_in_parts_follows_one_schedule(colors: Dataset, tmp_path: Path) -> None:
    whole, one = run(config(epochs=4), colors, tmp_path / "one")
    first, other = run(config(epochs=2, total_epochs=4), colors, tmp_path / "other")
    second, _ = run(
        config(epochs=4, total_epochs=4), colors, tmp_path / "other", start=Resumed(read_state(first.state))
    )
    assert trace(second.history) == trace(whole.history)
    same_state(one, other)


def test_a_state_that_was_carried_alone_goes_on_without_its_best(colors: Dataset, tmp_path: Path) -> None:
    first, _ = run(config(epochs=2, total_epochs=3), colors, tmp_path / "there")
    path = Workspace(tmp_path / "here").run("tiny", "carried").state
    path.parent.mkdir(parents=True)
    saved = read_state(first.state)
    perfect = saved.position.model_copy(update={"best": 1.0})  # which no later epoch can beat
    state = replace(saved, path=path, position=perfect)
    said = Saying()
    result, _ = run(config(epochs=3, total_epochs=3), colors, tmp_path / "here", start=Resumed(state), progress=said)
    assert result.best is not None
    assert checkpoint.load(result.best).checkpoint.epoch == 3
    assert [text for text in said.told if text.startswith("the best checkpoint so far is not in")] != []


def test_terminated_like_interrupted(colors: Dataset, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    result, workspace = run(config(), colors, tmp_path / "r", progress=Interrupting(2, signal.SIGTERM))
    assert result.interrupted
    assert result.best is None
    assert read_state(result.state).position.step == 2
    last = read_json(workspace.runs()[0].checkpoints / "last.json", Checkpoint)
    assert (last.epoch, last.metrics) == (0, ())
    assert signal.getsignal(signal.SIGTERM) is before


def test_trains_outside_the_main_thread(colors: Dataset, tmp_path: Path) -> None:
    results: list[TrainResult] = []
    thread = threading.Thread(target=lambda: results.append(run(config(epochs=1), colors, tmp_path / "r")[0]))
    thread.start()
    thread.join()
    assert not results[0].interrupted


def test_mixing_hides_the_training_accuracy(colors: Dataset, tmp_path: Path) -> None:
    result, _ = run(config(mixup_alpha=0.4, mix_off_epochs=1), colors, tmp_path / "r")
    assert [record.train_accuracy is None for record in result.history.epochs] == [True, True, False]


def test_average_is_what_is_saved(colors: Dataset, tmp_path: Path) -> None:
    result, workspace = run(config(ema_decay=0.5), colors, tmp_path / "r")
    tensors = read_state(result.state).tensors
    saved = checkpoint.load(workspace.runs()[0].checkpoints / "last.json").model.state_dict()
    assert all(torch.equal(saved[name], tensors[f"ema/module.{name}"]) for name in saved)
    assert not torch.equal(saved["classifier.weight"], tensors["model/classifier.weight"])


def test_limit_is_marked(colors: Dataset, tmp_path: Path) -> None:
    result, workspace = run(config(limit=8, epochs=1), colors, tmp_path / "r")
    assert result.history.provenance.limit == 8
    saved = read_json(workspace.newest_checkpoint(), Checkpoint)
    assert saved.provenance.limit == 8
    assert (saved.metrics[0].images, saved.metrics[0].total) == (8, 12)


def test_a_loss_that_is_no_number_stops_with_advice(colors: Dataset, tmp_path: Path) -> None:
    first, workspace = run(config(epochs=1), colors, tmp_path / "r")
    kept = first.state.read_bytes()
    with pytest.raises(TrainingError, match=r"not a finite number in epoch 1.*--lr .* or --warmup-epochs 5") as caught:
        run(config(lr=1e30, warmup_epochs=0), colors, workspace.root)
    assert "\n" not in str(caught.value)
    assert first.state.read_bytes() == kept


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), "the device ran out of memory"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "the device ran out of memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9"), "the process ran out of memory"),
        (MemoryError(), "the process ran out of memory"),
    ],
)
def test_out_of_memory_advises(colors: Dataset, tmp_path: Path, error: BaseException, message: str) -> None:
    with pytest.raises(TrainingError, match=f"{message} with a batch size of 8.*--batch-size 4"):
        run(config(), colors, tmp_path / "r", objective=failing(error))


def test_other_runtime_errors_are_not_taken_for_memory(colors: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        run(config(), colors, tmp_path / "r", objective=failing(RuntimeError("a defect")))


def test_what_cannot_be_resumed(colors: Dataset, tmp_path: Path) -> None:
    result, workspace = run(config(epochs=1), colors, tmp_path / "r")
    with pytest.raises(UsageError, match="this training is complete"):
        run(config(epochs=1), colors, workspace.root, start=Resumed(read_state(result.state)))
    stopped = read_state(result.state).position.model_copy(update={"config": config(epochs=3)})
    with pytest.raises(UsageError, match=r"--epochs: this training has done 1 epoch of 3: 1; allowed: above 1"):
        check_continues(stopped, config(epochs=1), colors)
    check_continues(stopped, config(epochs=2), colors)
    with pytest.raises(UsageError, match=r"keeps its lr: 0\.2; allowed: 0\.05"):
        run(config(lr=0.2), colors, workspace.root, start=Resumed(read_state(result.state)))
    with pytest.raises(CheckpointError, match="nothing to resume"):
        run(config(), colors, workspace.root, start=Resumed(read_state(tmp_path / "no.safetensors")))
    weights = workspace.runs()[0].checkpoints / "best.safetensors"
    with pytest.raises(CheckpointError, match="these are weights"):
        run(config(), colors, workspace.root, start=Resumed(read_state(weights)))
    other = Dataset(index=colors.index, path=colors.path, sha256="f" * 64)
    with pytest.raises(UsageError, match="has changed since"):
        run(config(), other, workspace.root, start=Resumed(read_state(result.state)))
    result.state.write_bytes(result.state.read_bytes()[:-9])
    previous_state(result.state).unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match="truncated"):
        run(config(), colors, workspace.root, start=Resumed(read_state(result.state)))


def test_training_again_leaves_the_earlier_one_as_it_is(colors: Dataset, tmp_path: Path) -> None:
    _, workspace = run(config(), colors, tmp_path / "r")
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    second, _ = run(config(epochs=1), colors, workspace.root)
    assert [folder.name for folder in workspace.runs("tiny")] == ["test-1", "test-2"]
    assert workspace.newest_checkpoint() == second.best
    assert {path: path.read_bytes() for path in before} == before


def test_a_name_is_taken_once(colors: Dataset, tmp_path: Path) -> None:
    _, workspace = run(config(epochs=1), colors, tmp_path / "r", name="mine")
    assert [folder.name for folder in workspace.runs()] == ["mine"]
    with pytest.raises(TrainingError, match=r"a training of that name lies there already.*mine.*--resume"):
        run(config(epochs=1), colors, workspace.root, name="mine")
    for name in ("", "..", "a/b", ".hidden"):
        with pytest.raises(UsageError, match="--run is no name"):
            run(config(epochs=1), colors, workspace.root, name=name)


def test_what_is_told_stays_until_the_next_check(
    colors: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Watched(Silent):
        def advance(self, amount: int = 1, info: str = "") -> None:
            told.append(info)

        def finish(self) -> None:
            told.append("finished")

    monkeypatch.setattr(training, "CPU_CHECK_STEPS", 2)
    run(config(epochs=2), colors, tmp_path / "r", progress=Watched())
    first = told[: told.index("finished")]
    assert first[0] == ""
    assert len(first) > 4
    assert all(info.startswith("loss ") for info in first[1:])
    # Of how long the first epoch took follows how long the second one will take.
    assert not any("to go" in info for info in first)
    assert any(info.endswith(" s to go") for info in told[len(first) :])


def test_two_trainings_in_one_folder(colors: Dataset, tmp_path: Path) -> None:
    refused: list[None] = []

    class Second(Silent):
        def finish(self) -> None:
            if not refused:
                refused.append(None)
                with pytest.raises(TrainingError, match=r"another process is training there.*--run"):
                    run(config(), colors, tmp_path / "r", name="mine")

    run(config(epochs=1), colors, tmp_path / "r", name="mine", progress=Second())
    assert refused
    assert not list(tmp_path.rglob(".training.lock"))


def test_a_training_that_never_saved_leaves_nothing(colors: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        run(config(), colors, tmp_path / "r", objective=failing(RuntimeError("a defect")))
    assert list((tmp_path / "r").rglob("*")) == []


@pytest.mark.parametrize("damage", ["truncated", "emptied", "zeros within", "a bit"])
def test_a_torn_state_falls_back_to_the_one_before_and_says_so(colors: Dataset, tmp_path: Path, damage: str) -> None:
    whole, _ = run(config(), colors, tmp_path / "one")
    first, other = run(config(epochs=2, total_epochs=3), colors, tmp_path / "other")
    content = bytearray(first.state.read_bytes())
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "emptied":
        content = bytearray()
    elif damage == "zeros within":
        content[-400:-100] = bytes(300)
    else:
        content[-50] ^= 4
    first.state.write_bytes(bytes(content))
    said: list[str] = []

    class Told(Silent):
        def say(self, line: str) -> None:
            said.append(line)

    saved = read_state(first.state, progress=Told())
    assert saved.position.epoch == 1
    assert said
    assert said[0].endswith("going on from the one before")
    second, _ = run(config(epochs=3, total_epochs=3), colors, other.root, start=Resumed(saved))
    assert trace(second.history) == trace(whole.history)
    previous_state(first.state).unlink()
    first.state.write_bytes(bytes(content))
    with pytest.raises(CheckpointError):
        read_state(first.state)


def test_results_that_cannot_be_written(colors: Dataset, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(UsageError, match=r"a file, where a folder is needed: .*results"):
        run(config(), colors, tmp_path / "results")


def test_a_record_names_the_command_that_began_it_and_those_that_went_on(
    colors: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, went_on = "tinyml train tiny --lr 0.1", "tinyml train tiny --resume"
    monkeypatch.setattr("sys.argv", began.split())
    result, _ = run(config(epochs=1, total_epochs=3), colors, tmp_path / "r")
    assert result.history.provenance.command == began
    monkeypatch.setattr("sys.argv", went_on.split())
    for epochs in (2, 3):
        start = Resumed(read_state(result.state))
        result, _ = run(config(epochs=epochs, total_epochs=3), colors, tmp_path / "r", start=start)
    both = result.history.provenance.command
    assert both == f"{began} && {went_on}"
    made = [read_json(manifest, Checkpoint) for manifest in result.state.parent.glob("*.json")]
    assert made
    assert {each.provenance.command for each in made} <= {began, both}
    assert [each.provenance.command for each in made if each.epoch > 1] == [both] * sum(e.epoch > 1 for e in made)
