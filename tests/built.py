"""The built book, its server and a browser, for the tests that look at pages.

Needs a browser of the system: ``COURSE_CHROMIUM``, or one of those on the path. Without
one these tests are skipped, except where CI is set.
"""

import contextlib
import http.server
import importlib.util
import os

import pytest

from tools.audit._site import HTML, NO_BROWSER, ROOT, find_chromium, served

BASE = "some/path/"  # a project page is not at the root of its host


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
    return find_chromium() or without(NO_BROWSER)


def need_live_cells():
    """Skip the test, or fail it under CI, where no cell runs in the pages."""
    if not list(HTML.glob("_static/live-*")):
        without("the book is not live: python -m tools.live, then make book")


class UnderAPath(http.server.SimpleHTTPRequestHandler):
    """Serves the book below BASE, as a plain server would."""

    def translate_path(self, path):
        if not path.startswith(f"/{BASE}"):
            return str(HTML / "no such file")
        return super().translate_path(path[len(BASE) :])

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def under_a_path(kind=UnderAPath):
    """Serve the book on a free port, and give the address of its folder."""
    with served(kind=kind) as address:
        yield address + BASE


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
        # unhurried.js has done its work; the page for wrong addresses goes without.
        page.wait_for_selector("html[data-ready], html:not([data-theme])")
    yield page, wrong
    context.close()
