"""Rules that every stored notebook keeps. What its cells print is nbval's to check."""

import ast
import base64
import copy
import io
import json
import os
import re
import subprocess
import symtable
import sys
from pathlib import Path

import pytest
from PIL import Image

nbformat = pytest.importorskip("nbformat")

from tools import exercises  # noqa: E402
from tools import notebooks as tool  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))

MAX_CODE_LINES = 12
MAX_HIDDEN_CODE_LINES = 25
MAX_PRINTED_CHARACTERS = 88  # 717 px, less the margins, of letters 7.8 px wide
MIN_ALT_CHARACTERS = 40
TAGS = {"torch", "hide-input", "exercise-prompt", "exercise", "check"}

FILLER = (
    r"simply|just|obvious(?:ly)?|of course|easily|trivial(?:ly)?|crucial(?:ly)?"
    r"|leverag\w+|seamless(?:ly)?|delv\w+|it is worth noting"
)
MACHINE_PATH = re.compile(r"(?<![\w.])(?:/(?:home|root|Users|tmp|work|mnt)/|[A-Z]:\\)")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
NBVAL_COMMENT = re.compile(r"#\s*(?:NBVAL_|PYTEST_VALIDATE)")

# Runs the untagged cells as the browser will: one namespace, no torch, no IPython.
RUN_WITHOUT_TORCH = """
import json, sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("torch is blocked", name="torch")

sys.meta_path.insert(0, NoTorch())
space = {"__name__": "__main__", "display": print}
for name, source in json.load(sys.stdin):
    try:
        exec(compile(source, name, "exec"), space)
    except Exception as error:
        sys.exit(f"{name}: {type(error).__name__}: {error}")
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
"""


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return list(tool.code_cells(notebook))


def markdown_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def prose(cell):
    """Return a Markdown cell's words: no code, formulas, targets, roles, links."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", cell.source, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\$[^$\n]*\$", " ", text)
    return re.sub(r"\]\([^)]*\)|^\([\w-]+\)=|https?://\S+", " ", text, flags=re.M)


def headings(notebook, level):
    """Return the headings of one level, outside code fences."""
    found = []
    for cell in markdown_cells(notebook):
        text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
        found += re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)
    return found


def output_texts(cell):
    """Yield each piece of text that a cell shows."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        # a kernel's order of kinds is not the order in which they are stored
        for kind, data in sorted(output.get("data", {}).items()):
            if kind.startswith("text/"):
                yield data


def code_lines(source):
    """Count the lines of code: comments, docstrings and blank lines are free."""
    documentation = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            text = node.body[0]
            documentation |= set(range(text.lineno, text.end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#")
        for number, line in enumerate(source.splitlines(), start=1)
        if number not in documentation
    )


def bound_names(source):
    """Return the names that a cell gives a value to, at any level."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return names


def lasting_names(source):
    """Return the names that are there when the cell has run."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def used_names(source):
    """Return the names that a cell reads."""
    return {
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def imports_torch(source):
    return any(
        name.split(".")[0] == "torch"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    )


def test_the_stored_code_is_the_code_that_was_executed(notebook, path):
    assert not tool.is_stale(notebook), (
        f"the code of {path.name} has changed since its last run: make notebooks"
    )


def test_cells_were_executed_once_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert tool.ran_in_order(notebook), f"{counts}: make notebooks"


def test_no_output_is_an_error_or_a_warning(notebook):
    noisy = [
        cell.id
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert not noisy, f"errors or stderr in cells {noisy}"


def test_metadata_holds_nothing_of_the_machine(notebook):
    cleaned = copy.deepcopy(notebook)
    tool.clean_metadata(cleaned)
    assert notebook.metadata == cleaned.metadata, "facts of a machine: make notebooks"
    wrong = [c.id for c, d in zip(notebook.cells, cleaned.cells, strict=True) if c != d]
    assert not wrong, f"facts of a session in cells {wrong}: make notebooks"


def test_cell_ids_are_stable_and_named_after_the_chapter(notebook, path):
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    wrong = [name for name in ids if not tool.is_own_id(name, path.stem.split("_")[0])]
    assert not wrong, f"cells named by a front end, {wrong}: make notebooks"


def test_only_known_tags_are_used(notebook):
    unknown = {cell.id: tags(cell) - TAGS for cell in notebook.cells}
    assert not any(unknown.values()), {k: v for k, v in unknown.items() if v}


def test_no_comment_hides_a_cell_from_nbval(notebook):
    hidden = [c.id for c in code_cells(notebook) if NBVAL_COMMENT.search(c.source)]
    assert not hidden


def test_the_title_carries_the_slug_and_asks_a_question(notebook, path):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith(f"({path.stem})=\n# "), first.source[:80]
    titles = headings(notebook, 1)
    assert len(titles) == 1, f"one title, not {titles}"
    assert "?" in titles[0], titles[0]


def test_the_notebooks_hold_the_import_cell_and_the_exercises_as_they_are_defined():
    assert exercises.main(["--check"]) == 0, "put the exercises in: make notebooks"


def test_code_cells_are_short(notebook):
    too_long = {
        cell.id: code_lines(cell.source)
        for cell in code_cells(notebook)
        if code_lines(cell.source)
        > (MAX_HIDDEN_CODE_LINES if "hide-input" in tags(cell) else MAX_CODE_LINES)
    }
    assert not too_long, f"lines of code per cell: {too_long}"


# On the dark page light and dark change places in a picture: say "strong", or a number.
SHADES = r"(?i)\b(?:dark|light|pale)(?:er|est)?\b|\b(?:black|white|grey)\b"


def test_what_is_said_of_a_picture_is_true_on_the_dark_page_too(notebook):
    wrong = [
        f"{cell.id}: {shade}"
        for cell in notebook.cells
        for shade in re.findall(SHADES, json.dumps(cell.metadata.get("mystnb", {})))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_picture_has_a_caption_and_a_description(notebook):
    wrong = []
    for cell in code_cells(notebook):
        drawn = sum("image/png" in output.get("data", {}) for output in cell.outputs)
        mystnb = cell.metadata.get("mystnb", {})
        if drawn and not mystnb.get("figure", {}).get("caption", "").strip():
            wrong.append(f"{cell.id}: no caption")
        if drawn and len(mystnb.get("image", {}).get("alt", "")) < MIN_ALT_CHARACTERS:
            wrong.append(f"{cell.id}: alt text under {MIN_ALT_CHARACTERS} characters")
        if drawn > 1:
            wrong.append(f"{cell.id}: {drawn} pictures, one caption")
        if "figure" in mystnb and not drawn:
            wrong.append(f"{cell.id}: a caption, but no picture")
    assert not wrong, wrong


def test_every_figure_object_comes_with_its_picture(notebook):
    bare = [
        cell.id
        for cell in code_cells(notebook)
        for output in cell.outputs
        if "<Figure size" in output.get("data", {}).get("text/plain", "")
        and "image/png" not in output.data
    ]
    assert not bare, f"the picture of these cells is missing: {bare}"


def test_every_picture_is_sharp_on_a_dense_screen(notebook):
    blurred = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if data := output.get("data", {}).get("image/png"):
                pixels = Image.open(io.BytesIO(base64.b64decode(data))).size
                shown = output.metadata.get("image/png", {})
                points = [2 * shown.get(side, 0) for side in ("width", "height")]
                off = [abs(a - b) for a, b in zip(pixels, points, strict=True)]
                blurred += [cell.id] if max(off) > 1 else []
    assert not blurred, f"not two points per pixel: {blurred}; run: make notebooks"


def test_pictures_in_prose_have_a_description(notebook):
    empty_alt = re.compile(r"!\[\s*\]\(")
    bare = [c.id for c in markdown_cells(notebook) if empty_alt.search(c.source)]
    assert not bare, f"empty alt text: {bare}"


def test_nothing_names_a_path_of_the_machine(notebook):
    texts = [(cell.id, cell.source) for cell in notebook.cells]
    texts += [(c.id, text) for c in code_cells(notebook) for text in output_texts(c)]
    wrong = [name for name, text in texts if MACHINE_PATH.search(text)]
    assert not wrong, f"a path of somebody's machine in cells {wrong}"


def test_no_printed_line_is_wider_than_the_page(notebook):
    for cell in code_cells(notebook):
        if "except" in cell.source:
            continue  # the message of an error is a sentence, which wraps
        for output in cell.outputs:
            text = output.get("text", output.get("data", {}).get("text/plain", ""))
            for line in text.splitlines():
                assert len(line) <= MAX_PRINTED_CHARACTERS, (cell.id, line)


def test_no_output_shows_an_address(notebook):
    wrong = [
        cell.id
        for cell in code_cells(notebook)
        for text in output_texts(cell)
        if ADDRESS.search(text)
    ]
    assert not wrong, f"an address, which changes with each run, in cells {wrong}"


def test_prose_has_no_filler(notebook):
    found = {
        cell.id: words
        for cell in markdown_cells(notebook)
        if (words := re.findall(rf"\b(?:{FILLER})\b", prose(cell), re.IGNORECASE))
    }
    assert not found, found


def test_only_tagged_cells_import_torch(notebook):
    wrong = [
        cell.id
        for cell in code_cells(notebook)
        if "torch" not in tags(cell) and imports_torch(cell.source)
    ]
    assert not wrong, f"tag these cells with torch: {wrong}"


def test_untagged_cells_use_no_name_from_tagged_ones(notebook):
    free, from_torch, wrong = set(), set(), {}
    for cell in code_cells(notebook):
        if "torch" in tags(cell):
            from_torch |= bound_names(cell.source)
            continue
        free |= bound_names(cell.source)
        if borrowed := used_names(cell.source) & (from_torch - free):
            wrong[cell.id] = sorted(borrowed)
    assert not wrong, f"untagged cells that use names from torch cells: {wrong}"


def test_no_cell_takes_a_name_that_the_first_cell_gave(notebook):
    first, *others = code_cells(notebook)
    given = lasting_names(first.source)
    taken = {
        cell.id: sorted(names)
        for cell in others
        if (names := lasting_names(cell.source) & given)
    }
    assert not taken, f"the exercises below need these names: {taken}"


def test_no_exercise_takes_a_name_that_a_later_cell_of_the_chapter_uses(notebook):
    asked, taken = set(), {}
    for cell in code_cells(notebook):
        if "exercise" in tags(cell):
            asked |= lasting_names(cell.source)
        elif "check" not in tags(cell) and (
            names := used_names(cell.source) & asked - bound_names(cell.source)
        ):
            taken[cell.id] = sorted(names)
    assert not taken, f"these cells would use the reader's answer: {taken}"


def test_untagged_cells_run_without_torch(notebook, path):
    cells = [
        [f"{path.name} cell {cell.id}", cell.source]
        for cell in code_cells(notebook)
        if "torch" not in tags(cell)
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUN_WITHOUT_TORCH],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
        env=os.environ | {"MPLBACKEND": "Agg"},
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr


@pytest.mark.audit
def test_executing_again_changes_no_byte_of_text(notebook, path):
    again = nbformat.read(path, as_version=4)
    tool.execute(again, path.parent)
    for stored, fresh in zip(code_cells(notebook), code_cells(again), strict=True):
        assert list(output_texts(fresh)) == list(output_texts(stored)), stored.id


def test_a_changed_source_a_changed_tag_and_a_new_cell_make_a_notebook_stale():
    new = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    new.metadata[tool.METADATA_KEY] = {"code_sha256": tool.code_digest(new)}
    assert not tool.is_stale(new)
    new.cells[0].source = "1 + 2"
    assert tool.is_stale(new)
    new.cells[0].source = "1 + 1"
    new.cells[0].metadata["tags"] = ["torch"]
    assert tool.is_stale(new)
    new.cells[0].metadata.clear()
    new.cells.append(nbformat.v4.new_markdown_cell("text"))
    assert not tool.is_stale(new)
    new.cells.append(nbformat.v4.new_code_cell(""))
    assert tool.is_stale(new)


def test_cells_that_a_front_end_named_get_the_next_numbers_and_the_others_keep_theirs():
    names = ["ch04-007", "5a1b2c3d", "ex-ch04-one-check", "ch05-001", "ch04-002-end"]
    cells = [nbformat.v4.new_markdown_cell("text", id=name) for name in names]
    new = nbformat.v4.new_notebook(cells=cells)
    tool.name_cells(new, "ch04")
    kept, first, exercise, second, end = (cell.id for cell in new.cells)
    assert (kept, exercise, end) == (names[0], names[2], names[4])
    assert (first, second) == ("ch04-008", "ch04-009")


def test_cells_that_ran_in_another_order_are_noticed():
    cells = [nbformat.v4.new_code_cell("1", execution_count=n) for n in (1, 2)]
    new = nbformat.v4.new_notebook(cells=cells)
    assert tool.ran_in_order(new)
    new.cells.reverse()
    assert not tool.ran_in_order(new)
    new.cells[0].execution_count = None
    assert not tool.ran_in_order(new)


def test_a_notebook_saved_by_a_front_end_is_put_in_order_without_a_run(tmp_path):
    original = PATHS[0].read_text("utf-8")
    path = tmp_path / PATHS[0].name
    saved = json.loads(original)
    saved["metadata"]["language_info"]["version"] = "3.11.9"
    saved["cells"][0]["metadata"]["collapsed"] = True
    path.write_text(json.dumps(saved, indent=1, ensure_ascii=False), "utf-8")
    tool.put_in_order(path)
    assert path.read_text("utf-8") == original
