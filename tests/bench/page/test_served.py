"""The page served on this machine, and what it says when results change."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tinyml.bench.page.served import serving
from tinyml.errors import BenchError


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - an address of this machine
        return str(answer.read().decode())


def test_it_shows_new_results_and_tells_that_there_are_some(results: Path) -> None:
    with serving(results, 0) as address:
        assert address.startswith("http://127.0.0.1:")
        page, state = get(address), get(address + "state")
        assert "connect-src" in page
        assert "Mac99,1" in page
        assert get(address + "state") == state
        (results / "bench" / "fixture-macos" / "run.json").unlink()
        assert get(address + "state") != state
        assert "Mac99,1" not in get(address)


def test_it_serves_nothing_else(results: Path) -> None:
    with serving(results, 0) as address:
        for path in ("bench/fixture-linux/run.json", "../pyproject.toml", "page.css"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(address + path)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_cannot_be_is_refused(results: Path, port: int) -> None:
    with pytest.raises(BenchError, match="cannot serve at this port"), serving(results, port):
        pass


def test_a_port_that_is_taken_is_refused(results: Path) -> None:
    with serving(results, 0) as address:
        taken = int(address.rsplit(":", 1)[1].strip("/"))
        with pytest.raises(BenchError, match=str(taken)), serving(results, taken):
            pass
