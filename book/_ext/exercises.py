"""What the book adds to the notebooks: solutions, collapsed, and the matrix page.

Neither is typed anywhere: both come from the tested exercises while the book builds.
"""

import json
from typing import Any

from attention_course.exercises import solution_code
from attention_course.exercises._catalogue import catalogue, single
from attention_course.exercises._judge import judge
from attention_course.exercises._model import Exercise
from attention_course.exercises._registry import chapters, every, find

MATRIX_PLACE = "<!-- the matrix -->"


def _label(exercise: Exercise) -> str:
    return f"ex-{exercise.id.replace('.', '-')}"


def solution_text(exercise: Exercise) -> str:
    """Return the collapsed solution as MyST Markdown."""
    code = solution_code(exercise)
    shown = f"```python\n{code}\n```" if exercise.is_code else f"```text\n{code}\n```"
    return "\n".join(
        [
            f"::::{{solution}} {_label(exercise)}",
            ":class: dropdown",
            "",
            exercise.insight,
            "",
            shown,
            "::::",
        ]
    )


def _solution_cell(exercise: Exercise) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": f"{_label(exercise)}-solution",
        "metadata": {},
        "source": solution_text(exercise),
    }


def with_solutions(text: str) -> str:
    """Return a notebook's JSON with a solution after each check cell."""
    notebook = json.loads(text)
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if "check" in cell["metadata"].get("tags", []):
            exercise_id = "".join(cell["source"]).split('"')[1]
            cells.append(_solution_cell(find(exercise_id)))
    notebook["cells"] = cells
    return json.dumps(notebook)


def _rows(exercise: Exercise) -> list[str]:
    rows = []
    for one in exercise.misconceptions:
        wrong = single(exercise, one) if exercise.is_code else one.wrong
        named = judge(exercise, wrong).misconceptions
        mark = "named" if named == (one.id,) else "NOT NAMED"
        rows.append(f"| `{one.id}` | {one.result} | {mark} |")
    for letter, choice in exercise.choices.items():
        if not choice.right:
            rows.append(f"| ({letter}) | {choice.reason} | answered |")
    return rows


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
                f"{{ref}}`{exercise.id} <{_label(exercise)}>`, {exercise.kind}, "
                f"{exercise.minutes} minutes, difficulty {exercise.difficulty} of 5."
                f"{count}",
                "",
                "| wrong answer | what it is told | verdict |",
                "|---|---|---|",
                *_rows(exercise),
                "",
            ]
    return "\n".join(lines)


def _wrongs(exercise: Exercise) -> Any:
    return catalogue(exercise.id)[0] if exercise.is_code else ()


def _add(app: Any, docname: str, source: list[str]) -> None:
    if docname.startswith("notebooks/"):
        source[0] = with_solutions(source[0])
    elif MATRIX_PLACE in source[0]:
        source[0] = source[0].replace(MATRIX_PLACE, matrix_text())


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", _add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
