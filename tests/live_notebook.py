"""The live cells of a notebook, run by the worker's own runner.

Not a test: tests/test_live_parity.py runs it in the browser's Python.
"""

import json
import os
import time
from pathlib import Path

import live_runner
import numpy as np


def live_cells(notebook):
    """Yield the place and the cell of everything that a page runs."""
    for place, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code" and "torch" not in cell["metadata"].get(
            "tags", []
        ):
            yield place, cell


def stored(cell):
    """Return a cell and what the book shows for it: text, and how many pictures."""
    text, pictures = "", 0
    for output in cell["outputs"]:
        data = output.get("data", {})
        text += "".join(output.get("text", []))
        if "image/png" in data:
            pictures += 1
        elif "text/plain" in data:
            text += "".join(data["text/plain"])
    source = "".join(cell["source"])
    return {"source": source, "text": text.rstrip(), "pictures": pictures}


def shown(source, name):
    """Run a cell; return the same of what it shows, the error and the seconds."""
    printed = []
    begin = time.perf_counter()
    result = live_runner.run(source, name, lambda stream, text: printed.append(text))
    text = "".join(printed) + result.get("text", "")
    return {
        "text": text.rstrip(),
        "pictures": len(result.get("images", [])),
        "error": result.get("error", ""),
        "seconds": round(time.perf_counter() - begin, 3),
    }


def rerun(path, folder):
    """Run a notebook's live cells in order; return stored and shown, cell by cell."""
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    before = Path.cwd()
    live_runner.start(folder, f"{folder}/progress.jsonl")
    results = {}
    with np.printoptions():  # what a notebook sets is its own
        for place, cell in live_cells(notebook):
            now = shown("".join(cell["source"]), f"cell {place}")
            results[f"{Path(path).stem} cell {place}"] = [stored(cell), now]
    os.chdir(before)
    return results
