"""What the book adds to the notebooks: solutions, collapsed, and the matrix page.

Neither is typed anywhere: both come from the tested exercises while the book builds.
"""

import json
from dataclasses import replace
from typing import Any

from docutils import nodes
from sphinx_exercise.nodes import is_exercise_node

from attention_course.exercises._catalogue import catalogue, single
from attention_course.exercises._export import (
    checked_in,
    fenced_solution,
    solution_cell,
)
from attention_course.exercises._judge import judge
from attention_course.exercises._model import Exercise
from attention_course.exercises._registry import chapters, every
from attention_course.exercises._words import as_markdown

MATRIX_PLACE = "<!-- the matrix -->"


def solution_text(exercise: Exercise) -> str:
    """Return the collapsed solution as MyST Markdown."""
    return "\n".join(
        [
            f"::::{{solution}} {exercise.label}",
            ":class: dropdown",
            "",
            as_markdown(exercise.insight),
            "",
            fenced_solution(exercise),
            "::::",
        ]
    )


def _for_a_page(output: dict[str, Any], exercise: Exercise) -> dict[str, Any]:
    """Return a stored verdict without the call for a hint: a page has a button."""
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
        named = judge(exercise, single(exercise, one)).misconceptions
        mark = "named" if named == (one.id,) else "NOT NAMED"
        rows.append(f"| `{one.id}` | {_in_a_cell(one.result)} | {mark} |")
    for letter, choice in exercise.choices.items():
        if not choice.right:
            rows.append(f"| ({letter}) | {_in_a_cell(choice.reason)} | answered |")
    return rows


def _in_a_cell(text: str) -> str:
    return as_markdown(text).replace("|", r"\|")


def matrix_text() -> str:
    """Return one table per exercise: every wrong answer and what it is told."""
    lines = []
    for slug in chapters():
        lines += [f"## Chapter {int(slug[2:4])}, {slug[5:].replace('_', ' ')}", ""]
        for exercise in (e for e in every() if e.id[:4] == slug[:4]):
            pairs = sum(len(w.misconceptions) == 2 for w in _wrongs(exercise))
            count = f" Pairs of these that get both names: {pairs}." if pairs else ""
            lines += [
                f"### {exercise.title}",
                "",
                f"{{ref}}`{exercise.id} <{exercise.label}>`, {exercise.kind}, "
                f"{exercise.minutes} minutes, difficulty {exercise.difficulty} of 5."
                f"{count}",
                "",
                "| wrong answer | what it is told | verdict |",
                "|---|---|---|",
                *_rows(exercise),
                "",
                *_coinciding(exercise),
            ]
    return "\n".join(lines)


def _coinciding(exercise: Exercise) -> list[str]:
    """List the pairs that give what something smaller gives, collapsed."""
    if not exercise.is_code or not catalogue(exercise.id)[1]:
        return []
    pairs = [
        f"- `{'` and `'.join(one.ids)}`: {' and '.join(one.same_as) or 'right'}"
        for one in catalogue(exercise.id)[1]
    ]
    several = f"{len(pairs)} pairs that give" if len(pairs) > 1 else "A pair that gives"
    title = f":::{{admonition}} {several} what something else gives"
    return [title, ":class: dropdown", "", *pairs, ":::", ""]


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
