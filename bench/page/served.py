"""`tinyml report --serve`: the page on this machine's own address, made anew whenever the results change."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tinyml.errors import BenchError

from .project import SOURCES, files, read
from .render import html

ADDRESS = "127.0.0.1"


def state(root: Path) -> str:
    """Changes with any file that the page is made from: their paths, sizes and times."""
    whole = hashlib.sha256()
    for path in files(root, *SOURCES):
        about = path.stat()
        whole.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return whole.hexdigest()


@contextmanager
def serving(root: Path, port: int, *, web_runtime: Path | None = None) -> Iterator[str]:
    """Serves the page of the results below `root` while the block runs, and yields its address.

    Args:
        root: The results folder.
        port: Where; 0 takes any that is free.
        web_runtime: As of `read`.

    Raises:
        BenchError: The port is taken or not allowed.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers: dict[str, tuple[str, Callable[[], str]]] = {
                "/": ("text/html; charset=utf-8", lambda: html(read(root, web_runtime=web_runtime), served=True)),
                "/state": ("text/plain", lambda: state(root)),
            }
            # The page's address carries what the reader chose behind '#', which never reaches a server.
            if self.path not in answers:
                self.send_error(404, "Not Found")
                return
            kind, make = answers[self.path]
            body = make().encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keeps the terminal quiet: one page is asked for its state every two seconds."""

    try:
        server = ThreadingHTTPServer((ADDRESS, port), Handler)
    except (OSError, OverflowError) as error:
        raise BenchError(
            "cannot serve at this port",
            value=port,
            allowed="a free port from 1024 to 65535, or 0 for any",
            hint=getattr(error, "strerror", None) or str(error),
        ) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{ADDRESS}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
