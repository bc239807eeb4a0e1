"""Cells that run in the page: puts the runtime and the scripts into the built book.

`tools/live.py` assembles the runtime. Without it the book is complete but not live: the
pages and the build's output say so. All files but the runtime lie in a folder named
after their content, so that no browser mixes two versions.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.util import logging

from attention_course.exercises._registry import every

ROOT = Path(__file__).resolve().parent.parent.parent
RUNTIME = ROOT / ".cache" / "live"
SCRIPTS = ROOT / "web" / "livecode"
EDITOR = ROOT / "vendor" / "codemirror"
RECORDS = ROOT / "benchmarks" / "results"  # what a cell reads
HOW = "book/how_to_use"
ON_YOURS = "Run it on your own machine"

# Nothing is loaded for a reader who has solved nothing. The key is that of store.mjs.
WHEN_SOLVED = """addEventListener("pageshow", () => {{
  try {{
    if (!localStorage.getItem("attention-course/progress")) return;
  }} catch {{
    return;
  }}
  import("./{address}").then((map) => map.showProgress());
}});"""

log = logging.getLogger(__name__)


def exercise_list() -> str:
    """Return the module that tells the scripts which exercises each chapter has."""
    found: dict[str, list[str]] = {}
    for exercise in every():
        found.setdefault(exercise.id.split(".")[0], []).append(exercise.id)
    return f"export const exercises = {json.dumps(found)};\n"


def parts(runtime: Path) -> dict[str, bytes]:
    """Return what the page loads, by its place in the folder."""
    files = {file.name: file for file in SCRIPTS.iterdir() if file.is_file()}
    files |= {name: EDITOR / name for name in ("editor.mjs", "LICENSES.txt")}
    files |= {name: runtime / name for name in ("runtime.json", "pyodide-lock.json")}
    for record in RECORDS.glob("*.json"):
        files[f"files/benchmarks/results/{record.name}"] = record
    found = {name: file.read_bytes() for name, file in files.items()}
    return found | {"exercises.mjs": exercise_list().encode()}


def folder_name(found: dict[str, bytes]) -> str:
    """Return the folder's name: another one whenever a file differs."""
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + found[name])
    return f"live-{digest.hexdigest()[:10]}"


def _install(app: Any) -> None:
    app.live_folder = None
    if app.builder.format != "html":
        return
    if not (RUNTIME / "runtime.json").exists():
        log.info("The book is not live: no cell runs in a page (python -m tools.live).")
        return
    static = Path(app.outdir) / "_static"
    for old in [*static.glob("live-*"), *static.glob("pyodide-*")]:
        shutil.rmtree(old)
    found = parts(RUNTIME)
    app.live_folder = folder_name(found)
    for name, content in found.items():
        target = static / app.live_folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for folder in RUNTIME.glob("pyodide-*/"):
        shutil.copytree(folder, static / folder.name)
    log.info("The book is live: cells run in the page.")


def _cells(doctree: nodes.document) -> list[nodes.container]:
    return [
        node
        for node in doctree.findall(nodes.container)
        if "cell" in node["classes"] and _input(node) is not None
    ]


def _input(cell: nodes.container) -> int | None:
    """Return the place of a cell's code, which may be collapsed, among its children."""
    for place, child in enumerate(cell.children):
        for node in child.findall(nodes.container):
            if "cell_input" in node["classes"]:
                return place
    return None


class Difference(NamedTuple):
    """What a reader should know who would run a cell in the page."""

    short: str
    whole: str


NO_TORCH = Difference(
    "Needs PyTorch", "Needs PyTorch, which does not run in a browser."
)
NO_WARNING = Difference(
    "No warning in a browser",
    "In a browser NumPy cannot warn: WebAssembly does not note overflows.",
)


def _note(text: str, link: str) -> nodes.raw:
    html = f'{text} <a href="{link}">{ON_YOURS}</a>.'
    return nodes.raw("", f'<p class="live-note">{html}</p>', format="html")


def _short_note(differs: Difference, link: str) -> nodes.raw:
    """Return the note for readers to whom the page has said the whole before."""
    html = f'<a href="{link}" title="{differs.whole} {ON_YOURS}.">{differs.short}</a>'
    return nodes.raw("", f'<p class="live-note">{html}</p>', format="html")


def _put_below(cell: nodes.container, note: nodes.raw) -> None:
    place = _input(cell)
    assert place is not None
    cell.insert(place + 1, note)


def _add_notes(app: Any, doctree: nodes.document, docname: str) -> None:
    """Say at a cell that it does not run here, and how it can be run."""
    if app.builder.format != "html":
        return
    cells = _cells(doctree)
    link = app.builder.get_relative_uri(docname, HOW) + "#run-it"
    if cells and app.live_folder is None:
        text = (
            "This copy of the book was built without the parts that run code in a page."
        )
        _put_below(cells[0], _note(text, link))
        return
    said = set()
    for cell in cells:
        differs = _differs(cell)
        if differs is None:
            continue
        again = differs in said
        said.add(differs)
        whole = _note(differs.whole, link)
        _put_below(cell, _short_note(differs, link) if again else whole)


def _differs(cell: nodes.container) -> Difference | None:
    if "tag_torch" in cell["classes"]:
        return NO_TORCH
    return NO_WARNING if "catch_warnings(record" in cell.astext() else None


def _add_script(
    app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the scripts on the pages that have cells; the others show progress only."""
    if app.live_folder is None:
        return
    if doctree is None or not _cells(doctree):
        address = context["pathto"](f"_static/{app.live_folder}/map.mjs", 1)
        app.add_js_file(None, body=WHEN_SOLVED.format(address=address))
        return
    up = app.builder.get_relative_uri(pagename, HOW) + "#run-it"
    app.add_css_file(f"{app.live_folder}/livecode.css")
    attributes = {
        "data-page": pagename,
        "data-how": up,
        "data-exercises": str(len(every())),
    }
    app.add_js_file(f"{app.live_folder}/livecode.js", defer="defer", **attributes)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", _install)
    app.connect("doctree-resolved", _add_notes)
    app.connect("html-page-context", _add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
