"""A book with and without the parts that run code in a page, built small."""

import hashlib
import io
import json
import re
import sys

import pytest
from built import ROOT, extension

nbformat = pytest.importorskip("nbformat")
Sphinx = pytest.importorskip("sphinx.application").Sphinx

CONF = """
extensions = ["myst_nb", "livecode"]
nb_execution_mode = "off"
html_theme = "basic"
"""


@pytest.fixture
def livecode(monkeypatch):
    module = extension("livecode")
    monkeypatch.setitem(sys.modules, "livecode", module)  # Sphinx finds it there
    return module


def notebook(path):
    cells = [nbformat.v4.new_markdown_cell("# A page")]
    cells.append(nbformat.v4.new_code_cell("1 + 1"))
    for tags in (["torch"], ["torch", "hide-input"]):
        cell = nbformat.v4.new_code_cell("import torch")
        cell.metadata["tags"] = tags
        cells.append(cell)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def runtime(folder):
    (folder / "pyodide-1").mkdir(parents=True)
    (folder / "pyodide-1" / "pyodide.mjs").write_text("", "utf-8")
    (folder / "pyodide-lock.json").write_text("{}", "utf-8")
    (folder / "runtime.json").write_text(json.dumps({"bytes": 1}), "utf-8")


@pytest.fixture
def build(livecode, monkeypatch, tmp_path):
    """Return a function that builds a page and gives its text and the build's words."""

    def built(live):
        monkeypatch.setattr(livecode, "RUNTIME", tmp_path / "live")
        if live:
            runtime(tmp_path / "live")
        source = tmp_path / "source"
        (source / "book").mkdir(parents=True)
        (source / "conf.py").write_text(CONF, "utf-8")
        how = "# How\n\n## Run it\n"
        (source / "book" / "how_to_use.md").write_text(how, "utf-8")
        (source / "index.md").write_text(
            "# A\n```{toctree}\nbook/how_to_use\npage\n```"
        )
        notebook(source / "page.ipynb")
        said = io.StringIO()
        out = tmp_path / "out"
        app = Sphinx(
            *(source, source, out, tmp_path / "trees", "html"),
            status=said,
            warning=sys.stderr,
        )
        app.build()
        return (out / "page.html").read_text("utf-8"), said.getvalue(), out

    return built


@pytest.mark.filterwarnings("ignore")
def test_without_the_runtime_page_and_build_say_so(build):
    page, said, out = build(live=False)
    assert page.count("was built without the parts that run code") == 1
    assert 'href="book/how_to_use.html#run-it"' in page
    assert "livecode" not in page
    assert "is not live" in said
    assert not list((out / "_static").glob("live-*"))


@pytest.mark.filterwarnings("ignore")
def test_with_the_runtime_a_page_loads_the_scripts_and_torch_cells_have_notes(build):
    page, said, out = build(live=True)
    (folder,) = (out / "_static").glob("live-*")
    assert f'src="_static/{folder.name}/livecode.js' in page
    assert 'data-page="page"' in page
    first, second = re.findall('<p class="live-note">(.*?)</p>', page)
    assert first.startswith("Needs PyTorch, which does not run in a browser. <a href=")
    assert re.fullmatch(
        '<a href="[^"]*#run-it" title="[^"]+">Needs PyTorch</a>', second
    )
    assert "is live" in said
    assert (folder / "editor.mjs").exists()
    assert (folder / "files/benchmarks/results/attention_cost.json").exists()
    assert (out / "_static" / "pyodide-1" / "pyodide.mjs").exists()
    assert "livecode" not in (out / "index.html").read_text("utf-8")


def test_a_changed_script_gives_another_folder(livecode, tmp_path):
    runtime(tmp_path)
    found = livecode.parts(tmp_path)
    before = livecode.folder_name(found)
    assert livecode.folder_name(found | {"livecode.js": b"other"}) != before
    assert livecode.folder_name(livecode.parts(tmp_path)) == before


def test_the_kept_files_are_the_ones_that_their_papers_name():
    text = (ROOT / "vendor" / "README.md").read_text("utf-8")
    (wheel,) = (ROOT / "vendor" / "numpy").glob("*.whl")
    assert wheel.name in text
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() in text


def test_readers_wait_no_longer_than_was_promised():
    record = ROOT / "benchmarks" / "results" / "live_cells.json"
    rows = {row["wait"]: row for row in json.loads(record.read_text("utf-8"))["rows"]}
    promised = {"first run, cold": 6, "first run, page loaded again": 4}
    promised |= {"a later run": 0.1, "a check": 1}
    assert rows.keys() == promised.keys()
    for wait, seconds in promised.items():
        assert rows[wait]["runs"] >= 5
        assert rows[wait]["median_s"] <= seconds, wait


def test_readers_are_told_how_much_they_download():
    record = ROOT / "benchmarks" / "results" / "live_cells.json"
    settings = json.loads(record.read_text("utf-8"))["settings"]
    first = "first_run_megabytes"
    plain, packed, drawing = (
        f"{settings[name]:.0f} MB"
        for name in (first, f"{first}_compressed", "drawing_megabytes")
    )
    told = (ROOT / "book" / "how_to_use.md").read_text("utf-8")
    told = told.replace("\u00a0", " ")
    assert f"about {plain} ({packed} where the server compresses)" in told
    assert f"loads Matplotlib, {drawing} more" in told
