import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tinyml.errors import DataError
from tinyml.trainer.data.download import Download, fetch

CONTENT = os.urandom(2_500_000)


class Server:
    """A real HTTP server on the loopback; `cut_at` ends its next answer after so many bytes."""

    def __init__(self) -> None:
        self.ranges = True
        self.cut_at: list[int] = []
        self.status: int | None = None
        self.asked: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                outer.asked.append(wanted)
                if outer.status is not None:
                    self.send_error(outer.status)
                    return
                start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and outer.ranges else 0
                body = CONTENT[start:]
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.cut_at.pop(0)] if outer.cut_at else body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def download(self, sha256: str | None = None) -> Download:
        return Download(
            url=f"http://127.0.0.1:{self.http.server_port}/data.zip",
            file="data.zip",
            size_bytes=len(CONTENT),
            sha256=sha256 or hashlib.sha256(CONTENT).hexdigest(),
        )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def test_fetched_once(server: Server, tmp_path: Path) -> None:
    path = fetch(server.download(), tmp_path / "new", hint="x")
    assert path.read_bytes() == CONTENT
    assert fetch(server.download(), tmp_path / "new", hint="x") == path
    assert server.asked == [None]
    assert [file.name for file in path.parent.iterdir()] == ["data.zip"]


def test_a_cut_is_resumed_at_once(server: Server, tmp_path: Path) -> None:
    server.cut_at = [1_000_000]
    assert fetch(server.download(), tmp_path, hint="x").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-"]


def test_cuts_are_resumed_by_the_next_call(server: Server, tmp_path: Path) -> None:
    server.cut_at = [700_000, 300_000, 500_000]
    with pytest.raises(DataError, match=r"cut off at 1,500,000 of 2,500,000 bytes.*goes on from there.*; do this"):
        fetch(server.download(), tmp_path, hint="do this")
    assert [file.name for file in tmp_path.iterdir()] == ["data.zip.part"]
    assert fetch(server.download(), tmp_path, hint="x").read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=1500000-"


def test_a_server_without_ranges_starts_again(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    server.cut_at = [1_000_000]
    assert fetch(server.download(), tmp_path, hint="x").read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the file expected"):
        fetch(server.download(sha256="0" * 64), tmp_path, hint="x")
    assert list(tmp_path.iterdir()) == []


def test_a_longer_file_is_refused_early(server: Server, tmp_path: Path) -> None:
    short = Download(url=server.download().url, file="data.zip", size_bytes=100_000, sha256="0" * 64)
    with pytest.raises(DataError, match="not the file expected"):
        fetch(short, tmp_path, hint="x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [404, 500, 416])
def test_refusals_are_told(status: int, server: Server, tmp_path: Path) -> None:
    server.status = status
    (tmp_path / "data.zip.part").write_bytes(CONTENT[:10])
    with pytest.raises(DataError, match=f"HTTP {status}.*do this"):
        fetch(server.download(), tmp_path, hint="do this")
    assert (tmp_path / "data.zip.part").exists() == (status != 416)


def test_no_server_at_all(server: Server, tmp_path: Path) -> None:
    download = server.download()
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(DataError, match=r"Connection refused.*do this") as caught:
        fetch(download, tmp_path, hint="do this")
    assert "\n" not in str(caught.value)
