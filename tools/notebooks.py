"""Execute the notebooks whose code has changed and store them with clean metadata.

    python tools/notebooks.py                     every notebook whose code changed
    python tools/notebooks.py ch03_matrix_form    this one, if its code changed
    python tools/notebooks.py --all               every notebook, changed or not
    python tools/notebooks.py --check             write nothing, fail if one is stale

A notebook is stale when the sha256 of its code cells (sources and tags) differs from
the one in its metadata, or when a front end ran its cells in another order. One that is
not stale is still put in order: cells get their names, and facts of a session go.

The outputs that are stored here are the ones that the book
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
import re
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
    "IPYTHONDIR": str(Path(__file__).resolve().parent / "ipython"),  # how kernels draw
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


def ran_in_order(notebook: NotebookNode) -> bool:
    """Tell whether every code cell ran once, from the first to the last."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    return counts == list(range(1, len(counts) + 1))


def needs_run(notebook: NotebookNode) -> bool:
    """Tell whether the stored outputs are not those of this code, run in order."""
    return is_stale(notebook) or not ran_in_order(notebook)


def is_own_id(name: str, chapter: str) -> bool:
    """Tell whether a cell's id is one of ``ch03``: ``ch03-012``, or an exercise's."""
    exercise = r"ex-{0}-[a-z0-9-]+-(prompt|starter|check)"
    pattern = (r"{0}-\d{{3}}(-end)*|" + exercise).format(chapter)
    return re.fullmatch(pattern, name) is not None


def name_cells(notebook: NotebookNode, chapter: str) -> None:
    """Give the next free number to each cell that a front end named at random."""
    own = [cell.id for cell in notebook.cells if is_own_id(cell.id, chapter)]
    numbers = [int(name.split("-")[1]) for name in own if name.startswith(chapter)]
    new = [cell for cell in notebook.cells if cell.id not in own]
    for number, cell in enumerate(new, start=max(numbers, default=0) + 1):
        cell["id"] = f"{chapter}-{number:03d}"


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


def clean_metadata(notebook: NotebookNode) -> None:
    """Keep what the page and the next run need, of the notebook and of its cells."""
    stored = {METADATA_KEY: {"code_sha256": stored_digest(notebook)}}
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA | stored)
    for cell in notebook.cells:
        kept = {k: v for k, v in cell.metadata.items() if k in CELL_METADATA}
        cell.metadata = nbformat.from_dict(kept)


def clean_outputs(cell: NotebookNode) -> None:
    """Put streams and pictures in one form."""
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
    for cell in code_cells(notebook):
        clean_outputs(cell)
        refuse_noise(cell)
    notebook.metadata[METADATA_KEY] = {"code_sha256": code_digest(notebook)}
    clean_metadata(notebook)


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


def put_in_order(path: Path) -> None:
    """Name the cells and clean the metadata; what a run would change stays."""
    notebook = read(path)
    before = nbformat.writes(notebook)
    name_cells(notebook, path.stem.split("_")[0])
    clean_metadata(notebook)
    if nbformat.writes(notebook) != before:
        write(notebook, path)
        print(f"{path.name}: put in order")


def refresh(path: Path) -> None:
    """Execute one notebook and store it; a notebook that fails stays as it was."""
    notebook, before = read(path), path.read_bytes()
    start = time.perf_counter()
    try:
        execute(notebook, path.parent)
    except NotebookError as error:
        raise NotebookError(f"{path.name}: {error}") from None
    if path.read_bytes() != before:
        raise NotebookError(f"{path.name}: it was edited while it ran; run it again")
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
        stale = [path for path in paths if options.all or needs_run(read(path))]
        if options.check:
            for path in stale:
                print(f"{path.name}: must be executed (make notebooks)")
            return 1 if stale else 0
        for path in paths:
            put_in_order(path)
        for path in stale:
            refresh(path)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(paths) - len(stale)} of {len(paths)} notebooks were up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
