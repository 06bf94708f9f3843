import subprocess
import sys
from pathlib import Path

import pytest

from tinyml.machine import available_memory_bytes, peak_memory_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_is_this_processes_own_and_not_its_parents() -> None:
    block = bytearray(200_000_000)
    for i in range(0, len(block), 4096):
        block[i] = 1
    code = "from tinyml.machine import peak_memory_bytes as p; print(p())"
    child = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert peak_memory_bytes() > 200_000_000
    assert 5_000_000 < child < 150_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("folder", "limit", "used", "files"),
    [
        (".", "memory.max", "memory.current", "inactive_file"),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
    ids=["version 2", "version 1"],
)
def test_a_container_has_no_more_memory_than_its_limit(
    folder: str, limit: str, used: str, files: str, tmp_path: Path
) -> None:
    assert available_memory_bytes(tmp_path) > 3000  # no control group here: the machine's own
    (tmp_path / folder).mkdir(exist_ok=True)
    for name, text in ((limit, "3000"), (used, "2500"), ("memory.stat", f"anon 900\n{files} 1500")):
        (tmp_path / folder / name).write_text(f"{text}\n")
    assert available_memory_bytes(tmp_path) == 2000
    (tmp_path / folder / limit).write_text("max\n")
    assert available_memory_bytes(tmp_path) > 3000
