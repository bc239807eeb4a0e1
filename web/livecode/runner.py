"""Run cells as a notebook does: in one namespace, with what they print and show.

The worker of a page loads this module; the tests run it under CPython too.
"""

import ast
import base64
import io
import linecache
import os
import pprint
import sys
import time
import tokenize
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

WIDTH = 79  # of a printed container, as in a notebook
CHARACTERS = 100_000  # of output per run: an endless loop that prints fills no page
PAUSE = 0.05  # seconds between two pieces of output

Emit = Callable[[str, str], Any]

_namespace: dict[str, Any] = {}


class _Stream(io.TextIOBase):
    """Hands text on in pieces, not too often and not without end."""

    def __init__(self, name: str, emit: Emit) -> None:
        self.name, self.emit = name, emit
        self.waiting, self.left, self.last = "", CHARACTERS, 0.0

    def write(self, text: str) -> int:
        if self.left > 0:
            self.waiting += text[: self.left]
            self.left -= len(text)
            if self.left <= 0:
                self.waiting += f"\n[cut after {CHARACTERS:,} characters]\n"
        if self.waiting and time.monotonic() - self.last > PAUSE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.waiting:
            self.emit(self.name, self.waiting)
            self.waiting = ""
        self.last = time.monotonic()


def start(folder: str, progress: str) -> None:
    """Begin with an empty namespace, in this folder, with this file of progress."""
    os.environ["MPLBACKEND"] = "agg"
    os.environ["ATTENTION_COURSE_PROGRESS"] = progress
    os.chdir(folder)
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    global _namespace
    _namespace = main.__dict__


def run(source: str, name: str, emit: Emit) -> dict[str, Any]:
    """Run one cell and return what it shows.

    The keys are those of `html`, `text`, `images` and `error` that there are. What is
    printed goes to ``emit(stream, text)`` while the cell runs.
    """
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    streams = _Stream("stdout", emit), _Stream("stderr", emit)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = streams
    shown: dict[str, Any] = {}
    try:
        shown.update(_display(_value(source, name)))
    except BaseException as error:
        shown["error"] = _explained(error, name) + _elsewhere(error)
    finally:
        images = _figures()
        for stream in streams:
            stream.flush()
        sys.stdout, sys.stderr = before
    return shown | ({"images": images} if images else {})


def _value(source: str, name: str) -> Any:
    """Execute a cell; return the value of its last line if that is to be shown."""
    tree = ast.parse(source, name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, name, "exec"), _namespace)
        return None
    del tree.body[-1]
    exec(compile(tree, name, "exec"), _namespace)
    value = eval(compile(ast.Expression(last.value), name, "eval"), _namespace)
    return None if _ends_in_semicolon(source) else value


def _ends_in_semicolon(source: str) -> bool:
    """Whether the last sign that is no comment is a semicolon."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    signs = [token.string for token in tokens if token.type not in skipped]
    return bool(signs) and signs[-1] == ";"


def _display(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    _namespace["_"] = value
    if hasattr(value, "_repr_html_"):
        return {"html": value._repr_html_(), "text": str(value)}
    if type(value) in (dict, list, tuple, set):
        return {"text": pprint.pformat(value, width=WIDTH, sort_dicts=False)}
    return {"text": repr(value)}


def _explained(error: BaseException, name: str) -> str:
    """Return the traceback from the cell's own first line on."""
    step = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename != name:
        step = step.tb_next
    error.__context__ = None if step is None else error.__context__
    return "".join(traceback.format_exception(type(error), error, step)).rstrip()


def _elsewhere(error: BaseException) -> str:
    """Return what to do where a package is missing that has no version for browsers."""
    missing = isinstance(error, ModuleNotFoundError) and error.name == "torch"
    return "\nPyTorch does not run in a browser: see “How to use”." if missing else ""


def _figures() -> list[str]:
    """Return the open figures as PNG in base64, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    images = []
    for number in pyplot.get_fignums():
        file = io.BytesIO()
        figure = pyplot.figure(number)
        sharp = 2 * figure.dpi  # as the book's own pictures: two points per pixel
        figure.savefig(file, format="png", bbox_inches="tight", dpi=sharp)
        images.append(base64.b64encode(file.getvalue()).decode())
    pyplot.close("all")
    return images


def progress_text() -> str:
    """Return what the file of progress holds."""
    file = Path(os.environ["ATTENTION_COURSE_PROGRESS"])
    return file.read_text(encoding="utf-8") if file.exists() else ""


def put_progress(text: str) -> None:
    """Replace what the file of progress holds."""
    file = Path(os.environ["ATTENTION_COURSE_PROGRESS"])
    file.write_text(text, encoding="utf-8")
