"""Student and instructor versions of the chapters' notebooks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ._registry import find


def exported(notebook: dict[str, Any], *, solutions: bool) -> dict[str, Any]:
    """Return a notebook without outputs; with a solution after each check, if asked."""
    from . import solution_code

    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell = {**cell, "outputs": [], "execution_count": None}
        cells.append(cell)
        if solutions and "check" in cell["metadata"].get("tags", []):
            exercise = find("".join(cell["source"]).split('"')[1])
            fence = "python" if exercise.is_code else "text"
            text = f"**Solution.** {exercise.insight}\n\n```{fence}\n"
            cells.append(
                {
                    "cell_type": "markdown",
                    "id": f"{cell['id']}-solution",
                    "metadata": {},
                    "source": f"{text}{solution_code(exercise)}\n```",
                }
            )
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
