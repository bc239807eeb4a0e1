"""What the book adds to the notebooks: solutions, collapsed, and the matrix page.

Neither is typed anywhere: both come from the tested exercises while the book builds.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx_exercise.nodes import is_exercise_node

from attention_course.exercises._catalogue import catalogue, single
from attention_course.exercises._export import (
    checked_in,
    solution_cell,
    solution_markdown,
)
from attention_course.exercises._judge import judge
from attention_course.exercises._model import Exercise
from attention_course.exercises._registry import chapters, every
from attention_course.exercises._words import as_markdown

ROOT = Path(__file__).resolve().parent.parent.parent
MATRIX_PLACE = "<!-- the matrix -->"


def solution_text(exercise: Exercise) -> str:
    """Return the collapsed solution as MyST Markdown."""
    return "\n".join(
        [
            f"::::{{solution}} {exercise.label}",
            ":class: dropdown",
            "",
            solution_markdown(exercise),
            "::::",
        ]
    )


def _for_a_page(output: dict[str, Any], exercise: Exercise) -> dict[str, Any]:
    """Return the output of an untouched check without the call for a hint.

    A page has a button for it.
    """
    verdict = replace(judge(exercise, ...), sections=())
    panel, words = [verdict._repr_html_()], [str(verdict)]
    return output | {"data": {"text/html": panel, "text/plain": words}}


def with_solutions(text: str) -> str:
    """Return a notebook's JSON with a solution after each check cell."""
    notebook = json.loads(text)
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        exercise = checked_in(cell)
        if exercise is not None:
            cell["outputs"] = [_for_a_page(one, exercise) for one in cell["outputs"]]
            cells.append(solution_cell(exercise, solution_text(exercise)))
    notebook["cells"] = cells
    return json.dumps(notebook)


def _rows(exercise: Exercise) -> list[str]:
    rows = []
    for one in exercise.misconceptions:
        named = judge(exercise, single(exercise, one)).misconceptions == (one.id,)
        rows.append((f"`{one.id}`", one.result, named))
    for letter, choice in exercise.choices.items():
        if not choice.right:
            named = letter in judge(exercise, letter).misconceptions
            rows.append((f"({letter}) {choice.text}", choice.reason, named))
    return [
        f"| {_in_a_cell(wrong)} | {_in_a_cell(told)} | {'✓' if named else 'no'} |"
        for wrong, told, named in rows
    ]


def _in_a_cell(text: str) -> str:
    return as_markdown(text).replace("|", r"\|")


@cache
def _titles() -> dict[str, str]:
    """Return the chapters' short titles, as the contents list them."""
    table = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in table["parts"] for entry in part["chapters"]]
    return {Path(one["file"]).name: one["title"] for one in entries if "title" in one}


def matrix_text() -> str:
    """Return one table per exercise: every wrong answer and what it is told."""
    lines = []
    for slug in chapters():
        lines += [f"### {_titles()[slug]}", ""]
        for exercise in (e for e in every() if e.id[:4] == slug[:4]):
            pairs = sum(len(w.misconceptions) == 2 for w in _wrongs(exercise))
            count = f" {pairs} pairs of these faults get both names." if pairs else ""
            lines += [
                f"#### {exercise.title}",
                "",
                f"{{ref}}`{exercise.id} <{exercise.label}>`, {exercise.kind}, "
                f"{exercise.minutes} minutes, difficulty {exercise.difficulty} of 5."
                f"{count}",
                "",
                "| wrong answer | what it is told | named |",
                "|---|---|---|",
                *_rows(exercise),
                "",
                *_coinciding(exercise),
            ]
    return "\n".join(lines)


def _coinciding(exercise: Exercise) -> list[str]:
    """List the pairs that give what something else gives, collapsed."""
    if not exercise.is_code or not catalogue(exercise.id)[1]:
        return []
    pairs = [
        f"- {_names(one.ids)} give what {_names(one.same_as)} "
        + ("gives" if len(one.same_as) == 1 else "give")
        if one.same_as
        else f"- {_names(one.ids)} together are right: the two faults cancel"
        for one in catalogue(exercise.id)[1]
    ]
    several = (
        f"{len(pairs)} pairs of faults have no result of their own"
        if len(pairs) > 1
        else "A pair of faults has no result of its own"
    )
    title = f":::{{admonition}} {several}"
    return [title, ":class: dropdown", "", *pairs, ":::", ""]


def _names(ids: Sequence[str]) -> str:
    return " and ".join(f"`{one}`" for one in ids)


def _wrongs(exercise: Exercise) -> Any:
    return catalogue(exercise.id)[0] if exercise.is_code else ()


def _add(app: Any, docname: str, source: list[str]) -> None:
    if docname.startswith("notebooks/"):
        source[0] = with_solutions(source[0])
    elif MATRIX_PLACE in source[0]:
        source[0] = source[0].replace(MATRIX_PLACE, matrix_text())


def _put_titles(app: Any, doctree: nodes.document, docname: str) -> None:
    """Set "Exercise (Title)" as "Exercise · Title"."""
    for exercise in doctree.findall(is_exercise_node):
        title = exercise[0]
        name, _opening, *words, _closing = title.children
        title.children = [name, nodes.Text(" · "), *words]


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", _add)
    app.connect("doctree-resolved", _put_titles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
