"""Compile what a page imports; runs in the page's Python, for tools/bytecode.py.

Imports as a page does: first numpy and the course, then Matplotlib where it is there.
`result` holds the compiled modules in base64, by group and by where Python looks for
them.
"""

import base64
import importlib.util
import json
import py_compile
import sys
import tempfile
import zipimport
from pathlib import Path

import runner

COURSE = (
    "import numpy as np\nnp.random.default_rng(0).normal(size=(2, 3)) @ np.ones(3)",
    "import attention_course as ac\nac.data\nac.softmax('no numbers')",
    "from attention_course.exercises import check, hint, progress, solution",
    "check('ch01.shares', lambda scores: scores)",
    "hint('ch01.shares')",
    "progress()",
    "from attention_course.exercises._registry import every\nevery()",
)
MATPLOTLIB = (
    "import matplotlib.pyplot as plt\nplt.plot([0, 1], label='a line')\nplt.legend()",
    "plt.imshow([[0, 1]])",
    "from attention_course import plots",
)


def run(cells: tuple[str, ...]) -> None:
    """Run cells as a page does; an error has modules of its own, and is no failure."""
    for cell in cells:
        runner.run(cell, "cell", lambda stream, text: None)


def source(path: str) -> bytes:
    """Return a module's source; the standard library lies in an archive."""
    archive, zipped, inside = path.partition(".zip/")
    if zipped:
        return zipimport.zipimporter(f"{archive}.zip").get_data(inside)
    return Path(path).read_bytes()


def imported() -> dict[str, bytes]:
    """Return the sources of the modules that have been imported, by their paths."""
    paths = {getattr(module, "__file__", None) for module in sys.modules.values()}
    kept = {p for p in paths if p and p.endswith(".py") and p.startswith("/lib/python")}
    return {path: source(path) for path in sorted(kept)}


def bytecode(path: str, code: bytes) -> str:
    """Return a compiled module that Python loads without a look at its source."""
    with tempfile.TemporaryDirectory() as folder:
        file, compiled = Path(folder) / "source.py", Path(folder) / "source.pyc"
        file.write_bytes(code)
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(file), str(compiled), path, True, -1, mode)
        return base64.b64encode(compiled.read_bytes()).decode()


def place(path: str) -> str:
    """Return where Python looks for a compiled module; in an archive, at its source."""
    return f"{path}c" if ".zip/" in path else importlib.util.cache_from_source(path)


runner.start("/", "/progress.jsonl")
run(COURSE)
course = imported()
run(MATPLOTLIB)
groups = {"course": course, "matplotlib": imported()}
for path in course:
    del groups["matplotlib"][path]
result = json.dumps(
    {
        group: {place(path): bytecode(path, code) for path, code in sources.items()}
        for group, sources in groups.items()
    }
)
