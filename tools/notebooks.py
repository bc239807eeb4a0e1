"""Execute the notebooks whose code has changed and store them with clean metadata.

    python tools/notebooks.py                     every notebook whose code changed
    python tools/notebooks.py ch03_matrix_form    this one, if its code changed
    python tools/notebooks.py --all               every notebook, changed or not
    python tools/notebooks.py --check             write nothing, fail if one is stale

A notebook is stale when the sha256 of its code cells (sources and tags) differs from
the one in its metadata. The outputs that are stored here are the ones that the book
shows and that ``pytest --nbval`` compares with a fresh run, so whatever could differ
between two runs or two machines is removed or refused: versions, timestamps, the
chunks that a stream arrived in, the writer's name inside a picture.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
METADATA_KEY = "attention_course"
CELL_TIMEOUT_SECONDS = 120

# Sums depend on how many threads share them, so a stored number needs one thread.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py"},
}

# Front ends add more (collapsed, scrolled, timings): facts of a session, not the page.
CELL_METADATA = {"tags", "mystnb"}


class NotebookError(Exception):
    """A notebook that must not be stored: it names the cell and the reason."""


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the code cells in order."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def code_digest(notebook: NotebookNode) -> str:
    """Return the sha256 of all that decides what a run prints: code and tags."""
    code = [
        [cell.source, sorted(cell.metadata.get("tags", []))]
        for cell in code_cells(notebook)
    ]
    return hashlib.sha256(json.dumps(code).encode("utf-8")).hexdigest()


def stored_digest(notebook: NotebookNode) -> str | None:
    """Return the digest from the last stored run, or None before the first one."""
    return notebook.metadata.get(METADATA_KEY, {}).get("code_sha256")


def is_stale(notebook: NotebookNode) -> bool:
    """Tell whether the code has changed since the outputs were stored."""
    return stored_digest(notebook) != code_digest(notebook)


def merge_streams(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Join all text of one stream, since a run splits it where it likes."""
    merged: list[NotebookNode] = []
    first_of: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            merged.append(output)
        elif output.name in first_of:
            first_of[output.name].text += output.text
        else:
            first_of[output.name] = output
            merged.append(output)
    return merged


def clean_png(data: str) -> str:
    """Encode a picture again: the same pixels, no text chunks, one line of base64."""
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    pixels = Image.new(picture.mode, picture.size)
    pixels.paste(picture)
    stored = io.BytesIO()
    pixels.save(stored, format="PNG", optimize=True)
    return base64.b64encode(stored.getvalue()).decode("ascii")


def clean_cell(cell: NotebookNode) -> None:
    """Keep of a cell what a reader sees; put streams and pictures in one form."""
    kept = {k: v for k, v in cell.metadata.items() if k in CELL_METADATA}
    cell.metadata = nbformat.from_dict(kept)
    if cell.cell_type != "code":
        return
    cell.outputs = merge_streams(cell.outputs)
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            data["image/png"] = clean_png(data["image/png"])


def refuse_noise(cell: NotebookNode) -> None:
    """Raise if a cell wrote to stderr: warnings do not belong on a page."""
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            raise NotebookError(f"cell {cell.id} writes to stderr:\n{output.text}")


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in a fresh kernel and leave the notebook clean, or raise."""
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env=environment | KERNEL_ENVIRONMENT)
    except CellExecutionError as error:
        failed = next(
            cell
            for cell in code_cells(notebook)
            if any(output.output_type == "error" for output in cell.outputs)
        )
        raise NotebookError(f"cell {failed.id} fails:\n{error}") from None
    for cell in notebook.cells:
        clean_cell(cell)
    for cell in code_cells(notebook):
        refuse_noise(cell)
    notebook.metadata = nbformat.from_dict(
        NOTEBOOK_METADATA | {METADATA_KEY: {"code_sha256": code_digest(notebook)}}
    )


def read(path: Path) -> NotebookNode:
    """Read one notebook, after checking that it is a valid one."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write one notebook, byte for byte the same on every system."""
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def chosen_paths(names: Sequence[str]) -> list[Path]:
    """Return the notebooks that are meant: those named, or all, in reading order."""
    if not names:
        return sorted(FOLDER.glob("*.ipynb"))
    paths = [FOLDER / f"{Path(name).stem}.ipynb" for name in names]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise NotebookError(f"no such notebook in {FOLDER.name}/: {', '.join(missing)}")
    return paths


def refresh(path: Path) -> None:
    """Execute one notebook and store it; a notebook that fails stays as it was."""
    notebook = read(path)
    start = time.perf_counter()
    try:
        execute(notebook, path.parent)
    except NotebookError as error:
        raise NotebookError(f"{path.name}: {error}") from None
    write(notebook, path)
    print(f"{path.name}: executed in {time.perf_counter() - start:.1f} s")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", help="notebooks, such as ch01_softmax")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--all", action="store_true", help="execute also what is fresh")
    group.add_argument("--check", action="store_true", help="write nothing")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; 0 when every chosen notebook is fresh."""
    options = parse_arguments(arguments)
    try:
        paths = chosen_paths(options.names)
        stale = [path for path in paths if options.all or is_stale(read(path))]
        if options.check:
            for path in stale:
                print(f"{path.name}: its code has changed since it was executed")
            return 1 if stale else 0
        for path in stale:
            refresh(path)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(paths) - len(stale)} of {len(paths)} notebooks were up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
