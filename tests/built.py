"""The built book, its server and a browser, for the tests that look at pages.

Needs a browser of the system: ``COURSE_CHROMIUM`` or one of NAMES on the path. Without
one these tests are skipped, except where CI is set.
"""

import contextlib
import functools
import http.server
import importlib.util
import os
import shutil
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BASE = "/some/path/"  # a project page is not at the root of its host
ARGUMENTS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # the tests run in containers, and open pages of our own only
]


def extension(name):
    """Return a module of book/_ext, loaded from its file."""
    file = ROOT / "book" / "_ext" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without(message):
    """Skip the test, saying what lacks; under CI nothing may lack."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def chromium():
    """Return the browser's path; skip the test, or fail it under CI, without one."""
    found = os.environ.get("COURSE_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if found:
        return found
    return without(f"no browser: install chromium (looked for {', '.join(NAMES)})")


def need_live_cells():
    """Skip the test, or fail it under CI, where no cell runs in the pages."""
    if not list(HTML.glob("_static/live-*")):
        without("the book is not live: python -m tools.live, then make book")


class UnderAPath(http.server.SimpleHTTPRequestHandler):
    """Serves the book below BASE, as a plain server would."""

    def translate_path(self, path):
        if not path.startswith(BASE):
            return str(HTML / "no such file")
        return super().translate_path(path[len(BASE) - 1 :])

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(kind=UnderAPath):
    """Serve the book on a free port, and give the address of its folder."""
    handler = functools.partial(kind, directory=str(HTML))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{BASE}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def opened(browser, address, **options):
    """Give a page with what went wrong on it: requests elsewhere, errors, failures."""
    context = browser.new_context(**options)
    wrong = []

    def on_request(request):
        local = ("http://127.0.0.1:", "data:", "blob:", "file:")
        if not request.url.startswith(local):
            wrong.append(f"asks another host: {request.url}")

    def on_response(response):
        if response.status >= 400:
            wrong.append(f"{response.status}: {response.url}")

    def on_console(message):
        if message.type in {"error", "warning"}:
            wrong.append(f"console: {message.text}")

    page = context.new_page()
    page.on("request", on_request)
    page.on("response", on_response)
    page.on("console", on_console)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.goto(address, wait_until="load")
    if options.get("java_script_enabled", True):  # else no frame may ever be asked for
        page.wait_for_function("document.fonts.status === 'loaded'")
        page.wait_for_selector("html[data-ready]")  # unhurried.js
    yield page, wrong
    context.close()
