"""The built book: its pages, a server on loopback and the browser that looks at them.

The audits look at it as a host on the web would send it, compressed; the tests of the
pages take from here what they share with the audits.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import io
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
HTML = ROOT / "_build" / "html"
GENERATED = ("search", "genindex", "404")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = f"no browser: install chromium (looked for {', '.join(BROWSERS)})"
ARGUMENTS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
    "--no-sandbox",  # containers allow none, and only pages of our own are opened
]
TEXT = (".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt", ".ipynb")

sys.path.insert(0, str(ROOT / "benchmarks"))


def toc() -> list[str]:
    """Return the names of the pages, in the order in which they are read."""
    table = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [entry["file"] for part in table["parts"] for entry in part["chapters"]]
    return [table["root"], *chapters]


def find_chromium() -> str | None:
    """Return the path of a browser of the Chromium family, if there is one."""
    found = map(shutil.which, BROWSERS)
    return os.environ.get("COURSE_CHROMIUM") or next(filter(None, found), None)


def chromium() -> str:
    """Return the path of a browser of the Chromium family, or end the program."""
    return find_chromium() or sys.exit(NO_BROWSER)


def need_the_book() -> None:
    """End the program unless there are pages to look at."""
    if not (HTML / "book" / "index.html").exists():
        sys.exit("there is no built book: make book")


@cache
def _compressed(path: str, changed: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), compresslevel=9)


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves files; text is sent compressed to whoever accepts that."""

    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012 - the base class has it like this
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def send_head(self) -> Any:
        """Send the headers, and return what to send after them."""
        path = Path(self.translate_path(self.path))
        if "gzip" not in self.headers.get("Accept-Encoding", ""):
            return super().send_head()
        if not path.is_file() or path.suffix not in TEXT:
            return super().send_head()
        body = _compressed(str(path), path.stat().st_mtime_ns)
        kind = self.guess_type(str(path))
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Does not mind a browser that leaves before it has everything."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong, unless the connection was closed."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def served(
    folder: Path = HTML,
    kind: type[http.server.SimpleHTTPRequestHandler] = Compressing,
) -> Iterator[str]:
    """Serve a folder on a free port, and give its address with a slash at its end."""
    handler = partial(kind, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
