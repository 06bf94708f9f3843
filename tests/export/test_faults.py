"""What goes wrong around an export: the disk, other processes, interruptions, and unsound checkpoints."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tinyml.errors import ArtifactError, CheckpointError, DataError, FullDiskError, UnavailableError, VerificationError
from tinyml.export import original, writing
from tinyml.export.format import formats
from tinyml.export.original import Original
from tinyml.export.pipeline import Exporter
from tinyml.export.proof import prove
from tinyml.export.variants import variants
from tinyml.progress import Silent
from tinyml.schema import DatasetIdentity, Variant
from tinyml.store import only_process
from tinyml.trainer.data import Dataset
from tinyml.workspace import Workspace, read_artifact

from ..tiny import save_tiny

ROWS = ("coreml-fp32", "coreml-fp16")


@pytest.fixture(autouse=True)
def registered(tiny: str) -> None:
    """A network that is exported in a fraction of a second."""


@pytest.fixture
def dataset(colors: Dataset, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The data set that every checkpoint here was trained on."""
    monkeypatch.setattr(original, "reopen", lambda *_, **__: colors)
    return colors


@pytest.fixture
def made(tmp_path: Path, dataset: Dataset) -> Path:
    """The manifest of a checkpoint."""
    return save_tiny(tmp_path, dataset)


class StopsAt(Silent):
    """Interrupts when a line begins so, as Ctrl-C does."""

    def __init__(self, line: str) -> None:
        self._line = line
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)
        if line.startswith(self._line):
            raise KeyboardInterrupt


def test_an_export_that_was_stopped_goes_on_with_the_variant_it_was_at(made: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    rows = [variants.get(name) for name in ROWS]
    first = StopsAt("coreml-fp16: converting")
    with pytest.raises(KeyboardInterrupt):
        Exporter(Original(made, progress=first), workspace).export(rows, resume=True)
    folder = workspace.model("tiny") / "exports"
    assert sorted(path.name for path in folder.iterdir()) == ["coreml-fp32"]
    second = StopsAt("nothing")
    exported = Exporter(Original(made, progress=second), workspace).export(rows, resume=True)
    assert [manifest.parent.name for manifest in exported.manifests] == list(ROWS)
    assert second.said[0] == "coreml-fp32: there already"
    assert "coreml-fp16: converting (2 of 2)" in second.said
    assert set(exported.seconds) == set(exported.manifests[1:])
    assert sorted(path.name for path in folder.iterdir()) == sorted(["accuracy-size.png", *ROWS])


def test_no_failure_of_one_variant_stops_the_others(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weight that is not what it should be, a library's own error, a format that cannot be written here."""
    names = ("coreml-fp32", "coreml-fp16", "onnx-fp32", "onnx-fp16")
    onnx = formats.get("onnx")
    write, reasons = type(onnx).write, iter(["no onnx here", None])

    def proven(variant: Variant, *others: Any) -> Any:
        if variant.name == "coreml-fp32":
            raise ArtifactError("1 of 2 weights: head: too far")
        return prove(variant, *others)

    def written(self: Any, network: Any, variant: Variant, *others: Any) -> None:
        if variant.name == "onnx-fp16":
            raise RuntimeError("no such\n  op")
        write(self, network, variant, *others)

    monkeypatch.setattr(writing, "prove", proven)
    monkeypatch.setattr(type(onnx), "write", written)
    monkeypatch.setattr(type(onnx), "available", lambda _: next(reasons))
    workspace = Workspace(tmp_path / "results")
    exported = Exporter(Original(made), workspace).export([variants.get(name) for name in names])
    assert [manifest.parent.name for manifest in exported.manifests] == ["coreml-fp16"]
    assert {name: str(error) for name, error in exported.failures.items()} == {
        "coreml-fp32": "1 of 2 weights: head: too far",
        "onnx-fp32": "onnx cannot be written here: 'no onnx here'",
        "onnx-fp16": "tiny as onnx-fp16 cannot be converted: 'RuntimeError: no such op'; choose another variant",
    }
    with pytest.raises(ArtifactError, match=r"coreml-fp32 is not written: .*; onnx-fp32 is not written: .*; onnx-fp16"):
        exported.check()
    assert sorted(path.name for path in (workspace.model("tiny") / "exports").iterdir()) == [
        "accuracy-size.png",
        "coreml-fp16",
    ]


def test_what_fails_alone_keeps_its_error(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(formats.get("onnx")), "available", lambda _: "no onnx here")
    exported = Exporter(Original(made), Workspace(tmp_path / "results")).export([variants.get("onnx-fp32")])
    with pytest.raises(UnavailableError, match="no onnx here"):
        exported.check()


def test_two_exports_into_one_folder_do_not_meet(made: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    exporter = Exporter(Original(made), workspace)
    target = workspace.export("tiny", "coreml-fp16")
    target.parent.mkdir(parents=True)
    with only_process(target.with_name(".coreml-fp16.lock")), pytest.raises(ArtifactError, match="another process"):
        exporter.write(variants.get("coreml-fp16"))
    assert list(target.parent.iterdir()) == []
    assert exporter.write(variants.get("coreml-fp16")).parent == target
    assert list(target.parent.iterdir()) == [target]


def test_what_a_killed_export_left_goes_with_the_next_one_of_any_variant(made: Path, tmp_path: Path) -> None:
    exporter = Exporter(Original(made), Workspace(tmp_path / "results"))
    folder = exporter.write(variants.get("onnx-fp32")).parent.parent
    at_work = folder / ".coreml-w4.tmp-abcd1234"
    for left in (".coreml-w8.tmp-abcd1234", at_work.name):
        (folder / left / "scratch" / "tmp.mlpackage").mkdir(parents=True)
    (folder / ".coreml-w8.lock").write_text("1\n")
    handle = os.open(at_work, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        exporter.write(variants.get("onnx-fp32"))
    finally:
        os.close(handle)
    assert sorted(path.name for path in folder.iterdir()) == [at_work.name, "onnx-fp32"]


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """The system refuses files of more than `size` bytes, as a full disk refuses what it has no room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_disk_that_refuses_leaves_nothing(made: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    exporter = Exporter(Original(made), workspace)
    refused = f"no room for onnx-fp32 .{os.strerror(errno.EFBIG)}"
    with small_files(1000), pytest.raises(FullDiskError, match=refused):
        exporter.write(variants.get("onnx-fp32"))
    assert list(workspace.export("tiny", "onnx-fp32").parent.iterdir()) == []


def test_a_checkpoint_of_other_classes_is_refused(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(DataError, match="classes"):
        Original(save_tiny(tmp_path, dataset, ("cyan", "magenta", "yellow", "black")))


def test_a_corrupt_checkpoint_is_refused(made: Path) -> None:
    weights = made.with_suffix(".safetensors")
    content = bytearray(weights.read_bytes())
    content[-3] ^= 0xFF
    weights.write_bytes(content)
    with pytest.raises(CheckpointError, match="not what its manifest describes"):
        Original(made)
    weights.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r"best\.safetensors"):
        Original(made)


def test_one_manifest_that_cannot_be_read_hides_no_other(made: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    damaged = workspace.export("tiny", "onnx-fp32") / "manifest.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    exporter = Exporter(Original(made), workspace)
    assert not exporter.export([variants.get("coreml-fp16")]).failures
    assert workspace.exports_picture("tiny").is_file()
    assert not exporter.export([variants.get("onnx-fp32")]).failures
    assert (workspace.model("tiny") / "earlier" / "onnx-fp32-of-another" / "manifest.json").read_text() == "{}"


def test_an_export_says_which_data_it_was_verified_on(
    made: Path, tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, rows = Workspace(tmp_path / "results"), [variants.get("coreml-fp16")]
    Exporter(Original(made), workspace).export(rows)
    others = DatasetIdentity(data="/others", splits={})
    monkeypatch.setattr(type(dataset), "identity", others)
    exported = Exporter(Original(made, data="others"), workspace).export(rows, resume=True)
    assert exported.seconds  # not taken for there already
    artifact, _ = read_artifact(exported.manifests[0])
    assert (artifact.data, artifact.dataset) == ("others", others)
    assert not Exporter(Original(made, data="others"), workspace).export(rows, resume=True).seconds


def test_outputs_that_are_no_numbers_are_kept_aside_for_whoever_asks(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_numbers(*_: Any, **__: Any) -> None:
        raise VerificationError("the artifact's logits are not all numbers")

    monkeypatch.setattr(writing, "execute", no_numbers)
    workspace = Workspace(tmp_path / "results")
    with pytest.raises(VerificationError, match=r"not all numbers; kept in .*failed/coreml-fp16"):
        Exporter(Original(made), workspace, keep_failed=True).write(variants.get("coreml-fp16"))
    kept = workspace.failed("tiny", "coreml-fp16")
    assert [path.name for path in kept.iterdir()] == ["tiny-coreml-fp16.mlpackage"]


def test_a_variant_says_how_many_images_it_really_saw(made: Path, dataset: Dataset) -> None:
    count = len(dataset.split("train"))
    settled = Original(made, calibration_images=10 * count).settled(variants.get("coreml-w8a8"))
    assert [kind.images for kind in settled.compression if kind.method == "activations"] == [count]


def test_what_a_training_begins_with_are_weights_that_layers_multiply_with(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, core_ml = Original(made), type(formats.get("coreml"))
    held = core_ml.held_weights

    def with_a_table(self: Any, path: Path) -> Any:
        found = held(self, path)
        return [*found, (replace(found[0][0], layer="add_cast_fp16", multiplied=False), found[0][1])]

    monkeypatch.setattr(core_ml, "held_weights", with_a_table)
    modules = dict(original.network.named_modules())
    assert original.rounded(variants.get("coreml-w8")).keys() <= modules.keys()
