"""The modules that a page fetches compiled: they are its sources', and none lacks."""

import _imp
import io
import json
import zipfile

import pytest
from built import without
from test_live_parity import RUNTIME, in_the_page

from tools import bytecode
from tools.assets import AssetError

UNCHECKED = 1  # PEP 552: a hash, which Python does not compare
PAGE = """
import os
import sys
import zipfile
from importlib.util import cache_from_source

import numpy as np
import attention_course as ac
from attention_course.exercises import check, hint, progress, solution

os.environ["ATTENTION_COURSE_PROGRESS"] = "/progress.jsonl"
check("ch05.split", lambda *given: None)
library = next(path for path in sys.path if path.endswith(".zip"))
compiled = set(zipfile.ZipFile(library).namelist())
result = []
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None) or ""
    if not file.endswith(".py"):
        continue
    inside = file.partition(".zip/")[2]
    place = cache_from_source(file)
    if not (f"{inside}c" in compiled if inside else os.path.exists(place)):
        result.append(name)
"""


def archive(pattern):
    """Return the files of an archive in the runtime."""
    found = list(RUNTIME.glob(f"pyodide-*/{pattern}"))
    if not found:
        without("no runtime: python -m tools.live")
    with zipfile.ZipFile(found[0]) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def source_of(place):
    """Return the name of the source of a compiled module, inside its wheel."""
    folder, name = place.split("site-packages/")[1].split("__pycache__/")
    return f"{folder}{name.split('.')[0]}.py"


def is_of(compiled, source):
    """Return whether a module was compiled from a source (PEP 552)."""
    magic, flags = (int.from_bytes(compiled[i : i + 4], "little") for i in (0, 4))
    return flags == UNCHECKED and compiled[8:16] == _imp.source_hash(magic, source)


def test_the_library_keeps_its_sources_and_what_was_compiled_from_them():
    files = archive("python_stdlib-*.zip")
    compiled = [name for name in files if name.endswith(".pyc")]
    assert len(compiled) > 150
    assert [n for n in compiled if not is_of(files[n], files[n[:-1]])] == []


@pytest.mark.parametrize("group", ["course", "matplotlib"])
def test_modules_of_wheels_are_compiled_from_what_the_wheels_hold(group):
    compiled = archive(f"{group}-????????.zip")
    wheels = {}
    for wheel in RUNTIME.glob("pyodide-*/*.whl"):
        wheels |= archive(wheel.name)
    assert len(compiled) > 80
    wrong = [p for p, code in compiled.items() if not is_of(code, wheels[source_of(p)])]
    assert wrong == []


def test_a_page_compiles_no_module_that_it_imports(tmp_path):
    (tmp_path / "files").mkdir()
    lacking = in_the_page(PAGE, tmp_path)
    assert lacking == [], "add a cell that imports them to tools/compiled.py"


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    monkeypatch.setattr(bytecode, "KEPT", tmp_path / "kept")
    file = tmp_path / "runtime" / "pyodide-314.0.0" / "a.whl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"first")
    return file


def test_modules_are_compiled_again_only_when_a_file_differs(runtime, monkeypatch):
    folder, made = runtime.parent.parent, []

    def run(place):
        made.append(place)
        return json.dumps({"course": {"/a.pyc": f"run {len(made)}"}})

    monkeypatch.setattr(bytecode, "_run_in_node", run)
    first = bytecode.compiled(folder)
    assert bytecode.compiled(folder) == first == {"course": {"/a.pyc": "run 1"}}
    runtime.write_bytes(b"second")
    assert bytecode.compiled(folder)["course"] == {"/a.pyc": "run 2"}
    assert len(list(bytecode.KEPT.iterdir())) == 1


def test_an_error_of_the_pages_python_is_told(runtime):
    said = r"the pages' modules could not be compiled: .*runtime\.json"
    with pytest.raises(AssetError, match=said):
        bytecode.compiled(runtime.parent.parent)


def test_archives_of_the_same_files_are_the_same():
    files = {"b/c.py": b"1", "a.py": b"2" * 1000}
    assert bytecode.packed(files) == bytecode.packed(files)
    with zipfile.ZipFile(io.BytesIO(bytecode.packed(files))) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == files
