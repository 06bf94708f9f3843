"""Full disks as the libraries report them, and a limit that the system really keeps."""

import errno
import os
import resource
from pathlib import Path

import pytest

from tinyml.errors import FullDiskError, UsageError, reason_of
from tinyml.full_disk import full_disk_told
from tinyml.store import write_bytes


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a/.tmp-12345678"),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_one_line_about_the_file(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(FullDiskError) as caught, full_disk_told(tmp_path / "weights.bin", 3_000_000):
        raise error
    text = str(caught.value)
    assert text.startswith("no room for weights.bin (")
    assert "3.0 MB needed, " in text
    assert text.endswith("make room, or let --results name another place")
    assert "tmp-12345678" not in text


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), ValueError("no"), UsageError("no")])
def test_other_errors_stay_what_they_are(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)), full_disk_told(tmp_path / "weights.bin"):
        raise error


def test_a_limit_of_file_sizes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_bytes(path, b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(FullDiskError, match=r"no room for run\.json \(File too large\)"):
            write_bytes(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reason_has_no_number_and_one_line() -> None:
    assert reason_of(FileNotFoundError(2, "No such file or directory", "x")) == "No such file or directory"
    assert reason_of(OSError("cut\n  off")) == "cut off"
    assert reason_of(EOFError()) == "EOFError"
