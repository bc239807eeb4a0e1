"""Put every exercise into its notebook, from the one place that defines it.

    python -m tools.exercises            fill all notebooks
    python -m tools.exercises --check    write nothing, fail if one is out of date

An exercise becomes three cells at the end of the section that it names: the prompt,
the starter and the check. Solutions are not in the notebooks; the book adds them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

import nbformat
from nbformat import NotebookNode

from attention_course.exercises import _registry
from attention_course.exercises._judge import function_name
from attention_course.exercises._model import Exercise
from attention_course.exercises._words import as_markdown
from tools.notebooks import FOLDER, read, write

OURS = {"exercise-prompt", "exercise", "check"}
IMPORTS = "\n".join(
    [
        "import numpy as np",
        "import attention_course as ac",
        "from attention_course.exercises import check, hint, solution, progress",
    ]
)


def prompt_text(exercise: Exercise) -> str:
    """Return the first of the three cells, as MyST Markdown."""
    facts = (
        f"*{exercise.kind}, about\N{NO-BREAK SPACE}{exercise.minutes} minutes, "
        f"difficulty {exercise.difficulty}\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}5*"
    )
    return "\n".join(
        [
            f"::::{{exercise}} {exercise.title}",
            f":label: {exercise.label}",
            ":nonumber:",
            "",
            facts,
            "",
            exercise.prompt,
            *(f"\n({k}) {as_markdown(c.text)}" for k, c in exercise.choices.items()),
            "::::",
        ]
    )


def cells_of(exercise: Exercise) -> list[NotebookNode]:
    """Return prompt, starter and check."""
    call = f'check("{exercise.id}", {function_name(exercise)})'
    prompt = nbformat.v4.new_markdown_cell(prompt_text(exercise))
    starter = nbformat.v4.new_code_cell(exercise.starter)
    check = nbformat.v4.new_code_cell(call)
    parts = zip(
        (prompt, starter, check),
        ("exercise-prompt", "exercise", "check"),
        ("prompt", "starter", "check"),
        strict=True,
    )
    for cell, tag, part in parts:
        cell.metadata["tags"] = [tag]
        cell["id"] = f"{exercise.label}-{part}"
    return [prompt, starter, check]


def without_exercises(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells that the chapter's author wrote."""
    return [c for c in notebook.cells if not OURS & set(c.metadata.get("tags", []))]


def end_of_section(cells: list[NotebookNode], label: str) -> int:
    """Split the cell in which the next section begins; return where to insert."""
    target, inside = f"({label})=", False
    for i, cell in enumerate(cells):
        if cell.cell_type != "markdown":
            continue
        lines = cell.source.split("\n")
        start = 0
        if not inside:
            if target not in (line.strip() for line in lines):
                continue
            inside = True
            start = next(n for n, text in enumerate(lines) if text.strip() == target)
            start += 2  # its own heading stands on the line after the label
        at = _next_heading(lines, start)
        if at is not None:
            return _split(cells, i, at)
    raise SystemExit(f"no section ({label})= followed by another one")


def _next_heading(lines: list[str], start: int) -> int | None:
    for n in range(start, len(lines)):
        if lines[n].startswith("## "):
            labelled = n > 0 and re.fullmatch(r"\([\w.-]+\)=", lines[n - 1].strip())
            return n - 1 if labelled else n
    return None


def _split(cells: list[NotebookNode], i: int, line: int) -> int:
    lines = cells[i].source.split("\n")
    before, after = "\n".join(lines[:line]).strip(), "\n".join(lines[line:]).strip()
    if not before:
        return i
    cells[i].source = before
    rest = nbformat.v4.new_markdown_cell(after)
    rest["id"] = f"{cells[i]['id']}-end"
    cells.insert(i + 1, rest)
    return i + 1


def filled(notebook: NotebookNode, exercises: Sequence[Exercise]) -> NotebookNode:
    """Return the notebook with these exercises in it, and outputs where still valid."""
    outputs = {
        c["id"]: c for c in notebook.cells if OURS & set(c.metadata.get("tags", []))
    }
    cells = without_exercises(notebook)
    first = next(c for c in cells if c.cell_type == "code")
    first.source = IMPORTS
    for exercise in exercises:
        at = end_of_section(cells, exercise.section)
        for new in cells_of(exercise):
            old = outputs.get(new["id"])
            cells.insert(
                at, old if old is not None and old.source == new.source else new
            )
            at += 1
    notebook.cells = cells
    return notebook


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the notebooks, or tell which are out of date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    stale = []
    for slug in _registry.chapters():
        path = FOLDER / f"{slug}.ipynb"
        before = nbformat.writes(read(path))
        notebook = filled(read(path), _registry.chapter(slug))
        if nbformat.writes(notebook) != before:
            stale.append(path.name)
            if not options.check:
                write(notebook, path)
    found = "out of date:" if options.check else "changed:"
    print(found if stale else "all notebooks hold their exercises", *stale)
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
