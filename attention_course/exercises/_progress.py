"""What a learner has done, as lines of a file of their own. Nothing is sent."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "ATTENTION_COURSE_PROGRESS"


def progress_file() -> Path:
    """Return the file that the events are written to."""
    if VARIABLE in os.environ:
        return Path(os.environ[VARIABLE])
    from platformdirs import user_data_dir

    return Path(user_data_dir("attention-course", appauthor=False)) / "progress.jsonl"


def record(exercise_id: str, event: str) -> None:
    """Append one event: an outcome, "hint" or "solution".

    One short line in one write, so that two notebooks cannot mix their lines. A file
    that cannot be written is no reason to lose a verdict.
    """
    line = json.dumps(
        {"exercise": exercise_id, "event": event, "time": int(time.time())}
    )
    try:
        file = progress_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{line}\n".encode())
        finally:
            os.close(handle)
    except OSError:
        return


@dataclass
class Record:
    """What has happened to one exercise."""

    checks: int = 0
    hints: int = 0
    solved: bool = False
    asked_for_solution: bool = False


def records() -> dict[str, Record]:
    """Read the file; lines that are damaged are passed over."""
    try:
        lines = (
            progress_file().read_text(encoding="utf-8", errors="replace").splitlines()
        )
    except OSError:
        lines = []
    found: dict[str, Record] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            exercise_id, event = str(entry["exercise"]), str(entry["event"])
        except (ValueError, KeyError, TypeError):
            continue
        one = found.setdefault(exercise_id, Record())
        if event == "hint":
            one.hints += 1
        elif event == "solution":
            one.asked_for_solution = True
        else:
            one.checks += 1
            one.solved = one.solved or event == "CORRECT"
    return found
