import subprocess
import sys

import pytest

from tinyml.machine import peak_memory_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_is_this_processes_own_and_not_its_parents() -> None:
    block = bytearray(200_000_000)
    for i in range(0, len(block), 4096):
        block[i] = 1
    code = "from tinyml.machine import peak_memory_bytes as p; print(p())"
    child = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert peak_memory_bytes() > 200_000_000
    assert 5_000_000 < child < 150_000_000
