import re

from tinyml.bench.environment import this_environment, versions


def test_this_machine_is_described() -> None:
    found = this_environment(("numpy", "no-such-package"))
    assert found.cores >= 1
    assert found.memory_bytes > 2**20
    assert re.match(r"cpython 3\.1\d", found.runtime)
    assert set(found.packages) == {"numpy"}
    assert versions(()) == {}
