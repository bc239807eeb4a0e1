"""Judging files of answers from outside: one process each, limits on both resources."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ._model import Exercise
from ._progress import VARIABLE

SECONDS, MEGABYTES = 120, 6144
COLUMNS = ("student", "exercise", "outcome", "misconceptions", "note")
Row = dict[str, Any]


def judged_apart(
    file: Path, seconds: float = SECONDS, megabytes: int = MEGABYTES
) -> tuple[list[Row], str]:
    """Judge one file in a process of its own.

    Returns what it found, one row per check, and how it ended ("" if well).
    """
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "verdicts.jsonl"
        command = [sys.executable, "-m", f"{__package__}._worker"]
        command += [str(file.resolve()), str(results), str(megabytes)]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, VARIABLE: str(Path(folder) / "progress.jsonl")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that its children can be ended with it
        )
        try:
            code = process.wait(timeout=seconds)
            ended = "" if code == 0 else f"the process ended with code {code}"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {seconds:g} seconds"
        finally:
            _end(process)
        return _rows(results), ended


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _rows(results: Path) -> list[Row]:
    if not results.exists():
        return []
    rows = []
    for line in results.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError):  # cut off in the middle of a line
            rows.append(json.loads(line))
    return rows


def grade(
    folder: Path, exercises: Sequence[Exercise], seconds: float, megabytes: int
) -> Iterable[Row]:
    """Yield one row per student and exercise, whatever the submissions do.

    A student is a file in ``folder``, or a folder in it with one file or several.
    """
    for student in sorted(folder.iterdir()):
        files = sorted(student.glob("**/*")) if student.is_dir() else [student]
        files = [file for file in files if file.suffix in (".ipynb", ".py")]
        if files or student.is_dir():
            yield from _of_student(student.stem, files, exercises, seconds, megabytes)


def _of_student(
    name: str,
    files: Sequence[Path],
    exercises: Sequence[Exercise],
    seconds: float,
    megabytes: int,
) -> Iterable[Row]:
    found: dict[str, Row] = {}
    ends = []
    for file in files:
        rows, ended = judged_apart(file, seconds, megabytes)
        found.update({row["exercise"]: row for row in rows})
        ends += [f"{file.name}: {ended}"] if ended else []
    for exercise in exercises:
        row = found.get(exercise.id, {})
        outcome = row.get("outcome", "UNFINISHED" if ends else "MISSING")
        yield {
            "student": name,
            "exercise": exercise.id,
            "outcome": outcome.lower().replace("_", " "),
            "misconceptions": " ".join(row.get("misconceptions", [])),
            "note": "" if row else "; ".join(ends),
        }


def write_csv(rows: Iterable[Row], file: Path) -> int:
    """Write the rows as they come; return how many there were."""
    count = 0
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            stream.flush()
            count += 1
    return count
