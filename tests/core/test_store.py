import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tinyml import store
from tinyml.errors import ManifestError, UsageError
from tinyml.schema import SCHEMA_VERSION, Golden, Preprocess
from tinyml.store import atomic_file, atomic_folder, file_sha256, parse_json, read_json, write_bytes, write_json


def golden() -> Golden:
    return Golden(
        artifact_sha256="0" * 64,
        image="golden.png",
        image_sha256="1" * 64,
        width=64,
        height=64,
        labels=("cat", "dog"),
        probabilities=(0.75, 0.25),
        tolerance=0.01,
        runtime="onnxruntime",
        provenance=store.provenance(packages=("numpy",)),
    )


def test_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "golden.json", golden())
    back = read_json(tmp_path / "a" / "golden.json", Golden)
    assert back == golden().model_copy(update={"provenance": back.provenance})
    assert back.provenance.packages["numpy"]


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["/usr/bin/tinyml", "train", "vit", "--data", "my photos"], "tinyml train vit --data 'my photos'"),
        (["/lib/tinyml/__main__.py", "models"], "python -m tinyml models"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_provenance_says_the_command_as_typed(argv: list[str], command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert store.provenance().command == command


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="disk"), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("disk")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_made_for_a_write_that_fails_go_with_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "a" / "b" / "file"):
        raise RuntimeError
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "a" / "b" / "folder"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for content in ("one", "two"):
        with atomic_folder(folder) as temporary:
            (temporary / content).write_text(content)
    assert [p.name for p in folder.iterdir()] == ["two"]
    with pytest.raises(RuntimeError, match="stop"), atomic_folder(folder) as temporary:
        (temporary / "three").write_text("three")
        raise RuntimeError("stop")
    assert [p.name for p in folder.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [folder]


KILLED = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tinyml.store import atomic_file, atomic_folder
target = Path(sys.argv[2])
with (atomic_file if sys.argv[1] == "file" else atomic_folder)(target):
    print("there", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_goes_with_the_next_write(kind: str, tmp_path: Path) -> None:
    target = tmp_path / ("best.json" if kind == "file" else "coreml-fp16")
    neighbor = tmp_path / ".best-settings.json"
    neighbor.write_text("the user's own")
    command = [sys.executable, "-c", KILLED, kind, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        left = next(path for path in tmp_path.iterdir() if path != neighbor)
        write(kind, target, "while the other is at work")
        assert left.exists()
        process.kill()
    write(kind, target, "after it was killed")
    assert sorted(tmp_path.iterdir()) == sorted([target, neighbor])


def write(kind: str, target: Path, text: str) -> None:
    if kind == "file":
        with atomic_file(target) as temporary:
            temporary.write_text(text)
    else:
        with atomic_folder(target) as folder:
            (folder / "text").write_text(text)


def test_a_folder_moved_aside_by_a_killed_process_is_put_back(tmp_path: Path) -> None:
    aside = tmp_path / ".photos.old-abcd1234"
    (aside / "photos").mkdir(parents=True)
    (aside / "photos" / "index.json").write_text("sound")
    store.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    assert (tmp_path / "photos" / "index.json").read_text() == "sound"


MAJOR, MINOR = SCHEMA_VERSION.split(".")
NEXT_MINOR = f"{MAJOR}.{int(MINOR) + 1}"


def _changed(**changes: object) -> str:
    return json.dumps({**golden().model_dump(mode="json"), **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.json is not JSON"),
        ("[" * 100_000, "x.json is not JSON"),
        ("[1]", "x.json holds no JSON object: 'list'"),
        (_changed(kind="artifact"), "x.json is not a golden file: 'artifact'; allowed: kind = 'golden'"),
        (_changed(schema_version=NEXT_MINOR), f"was written by a newer tinyml: 'schema {NEXT_MINOR}'"),
        (
            _changed(schema_version="3.0"),
            f"newer tinyml: 'schema 3.0'; allowed: up to {SCHEMA_VERSION}; upgrade tinyml",
        ),
        (_changed(schema_version="0.9"), "is of a version that is no longer read: 'schema 0.9'"),
        (_changed(schema_version=1), "names no schema version: 1"),
        (_changed(schema_version="one"), "names no schema version: 'one'"),
        (_changed(surprise=1), "x.json does not fit its schema: 'surprise: Extra inputs are not permitted'"),
        (
            _changed(width=0),
            "x.json does not fit its schema: 'width: Input should be greater than or equal to 1, not 0'",
        ),
    ],
)
def test_bad_manifests_are_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_json(text, Golden, "x.json")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        read_json(tmp_path / "none.json", Golden)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="cannot read"):
        read_json(tmp_path / "binary.json", Golden)


def test_folder_hash_sees_names_and_content(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = file_sha256(folder)
    (folder / "a").rename(folder / "b")
    second = file_sha256(folder)
    (folder / "b").write_text("2")
    assert len({first, second, file_sha256(folder)}) == 3


def test_records_are_frozen_and_refuse_unknown_keys() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Preprocess().input_size = 3  # type: ignore[misc]
    with pytest.raises(ValueError, match="Extra inputs"):
        Preprocess(size=3)  # type: ignore[call-arg]


def test_a_file_shall_not_take_a_folders_name(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(UsageError, match=r"a folder, where a file shall be written: .*photos; name a file"):
        write_bytes(tmp_path / "photos", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_the_system_refuses_is_told_of_the_place_that_was_asked_for(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OSError, match="File name too long") as caught:
        write(kind, tmp_path / ("x" * 256), "x")
    assert ".tmp-" not in str(caught.value)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_nothing_is_written_into_a_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "closed").write_text("no folder")
    with pytest.raises(UsageError, match=r"a file, where a folder is needed: .*closed; name another place"):
        write(kind, tmp_path / "closed" / "deeper" / "table.csv", "x")
    assert (tmp_path / "closed").read_text() == "no folder"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_bytes)
        write_bytes(pipe, b"content")
        assert read.result(timeout=60) == b"content"
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_the_standard_output_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """As `/dev/stdout` is: a link to an open file, which whoever may write to `/dev` would lose."""
    link, redirected = tmp_path / "stdout", tmp_path / "redirected"
    link.symlink_to("/proc/self/fd/1")
    code = (
        f"from pathlib import Path; from tinyml.store import write_bytes; write_bytes(Path({str(link)!r}), b'content')"
    )
    with redirected.open("wb") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert redirected.read_bytes() == b"content"
    assert link.is_symlink()
