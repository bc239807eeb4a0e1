"""Student and instructor versions of the chapters' notebooks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import solution_code
from ._judge import reasons
from ._model import Exercise
from ._registry import find
from ._words import as_markdown


def checked_in(cell: dict[str, Any]) -> Exercise | None:
    """Return the exercise that a notebook's cell checks, if it is a check cell."""
    if "check" not in cell["metadata"].get("tags", []):
        return None
    return find("".join(cell["source"]).split('"')[1])


def solution_markdown(exercise: Exercise) -> str:
    """Return what is worth knowing, and the code, the value or all letters' reasons."""
    insight = as_markdown(exercise.insight)
    if exercise.choices:
        lines = (
            f"- **{head}.** {as_markdown(reason)}"
            for head, reason in reasons(exercise, exercise.choices)
        )
        return "\n".join([insight, "", *lines])
    language = "python" if exercise.is_code else "text"
    return f"{insight}\n\n```{language}\n{solution_code(exercise)}\n```"


def solution_cell(exercise: Exercise, source: str) -> dict[str, Any]:
    """Return the cell below the check that shows a solution."""
    return {
        "cell_type": "markdown",
        "id": f"{exercise.label}-solution",
        "metadata": {},
        "source": source,
    }


def exported(notebook: dict[str, Any], *, solutions: bool) -> dict[str, Any]:
    """Return a notebook without outputs; with a solution after each check, if asked."""
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell = {**cell, "outputs": [], "execution_count": None}
        cells.append(cell)
        exercise = checked_in(cell) if solutions else None
        if exercise is not None:
            text = f"**Solution.** {solution_markdown(exercise)}"
            cells.append(solution_cell(exercise, text))
    return {**notebook, "cells": cells}


def export(
    notebooks: Path, slugs: Sequence[str], target: Path, *, solutions: bool
) -> list[Path]:
    """Write the chapters to ``target``; return the files."""
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for slug in slugs:
        source = notebooks / f"{slug}.ipynb"
        notebook = json.loads(source.read_text(encoding="utf-8"))
        file = target / source.name
        text = json.dumps(exported(notebook, solutions=solutions), indent=1)
        file.write_text(f"{text}\n", encoding="utf-8")
        files.append(file)
    return files
