import re
import subprocess
import sys

import pytest

from tinyml.bench.environment import describe, peak_memory_bytes, versions


def test_this_machine_is_described():
    found = describe(("numpy", "no-such-package"))
    assert found.cores >= 1
    assert found.memory_bytes > 2**20
    assert re.match(r"cpython 3\.1\d", found.runtime)
    assert set(found.packages) == {"numpy"}
    assert versions(()) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_peak_is_this_processes_own_and_not_its_parents():
    block = bytearray(200_000_000)
    for i in range(0, len(block), 4096):
        block[i] = 1
    code = "from tinyml.bench.environment import peak_memory_bytes as p; print(p())"
    child = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert peak_memory_bytes() > 200_000_000
    assert 5_000_000 < child < 150_000_000
