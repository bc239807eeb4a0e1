"""Exercises that know which mistake you made: check, hint, solution, progress."""

import inspect
import textwrap
from typing import Any

from ._judge import judge, reasons
from ._model import Exercise
from ._progress import Record, progress_file, record, records
from ._registry import every, find
from ._verdict import Note, Outcome, Verdict

__all__ = ["check", "hint", "progress", "solution"]


def check(exercise_id: str, answer: Any) -> Verdict:
    """Say whether an answer is right, or which mistake it makes.

    Parameters
    ----------
    exercise_id : str
        For example ``"ch02.scaled-scores"``.
    answer : object
        Your function itself (without parentheses), or your value or letter.

    Returns
    -------
    Verdict
        Shown as a panel in a notebook and as text elsewhere.

    Raises
    ------
    ValueError
        If there is no such exercise. Whatever the answer does is survived.
    """
    verdict = judge(find(exercise_id), answer)
    if verdict.outcome is not Outcome.NOT_ATTEMPTED:
        record(exercise_id, verdict.outcome.name)
    return verdict


def hint(exercise_id: str) -> Note:
    """Give the next hint: each is more concrete than the one before.

    Parameters
    ----------
    exercise_id : str
        For example ``"ch02.scaled-scores"``.

    Returns
    -------
    Note
        The hint; after the last one, the last one again, which the title says.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    hints = find(exercise_id).hints
    given = records().get(exercise_id, Record()).hints
    number = min(given, len(hints) - 1)
    record(exercise_id, "hint")
    again = " (again: it was the last)" if given > number else ""
    title = f"Hint {number + 1} of {len(hints)}, {exercise_id}{again}"
    return Note(title, hints[number])


def solution(exercise_id: str) -> Note:
    """Show the solution: at once when it is earned, else on the second call.

    Parameters
    ----------
    exercise_id : str
        For example ``"ch02.scaled-scores"``.

    Returns
    -------
    Note
        The code and what is worth knowing about it, or what is still open to try.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    exercise = find(exercise_id)
    so_far = records().get(exercise_id, Record())
    left = len(exercise.hints) - so_far.hints
    if not so_far.solved and left > 0 and not so_far.asked_for_solution:
        record(exercise_id, "solution")
        tried = f"{so_far.checks or 'no'} check{'s' * (so_far.checks != 1)} so far"
        text = (
            f"Not yet: {left} of {len(exercise.hints)} hints are still open, and "
            f"{tried}. Ask for a hint, or once more for the solution to see it."
        )
        return Note(f"Solution, {exercise_id}", text)
    record(exercise_id, "solution")
    return Note(
        f"Solution, {exercise_id}",
        exercise.insight,
        solution_code(exercise),
        tuple(reasons(exercise, exercise.choices)),
    )


def solution_code(exercise: Exercise) -> str:
    """Return the reference as text: tested code or the right value; "" for a choice."""
    if exercise.choices:
        return ""
    if exercise.is_code:
        return textwrap.dedent(inspect.getsource(exercise.reference)).rstrip()
    return repr(exercise.reference)


def progress() -> Note:
    """List all exercises and what you have done of each.

    Returns
    -------
    Note
        A table, and where the file lies that remembers it.
    """
    done, lines = records(), []
    for exercise in every():
        one = done.get(exercise.id, Record())
        mark = "✓" if one.solved else ("…" if one.checks else "○")
        lines.append(
            f"{mark} {exercise.id:<34} {exercise.kind:<10} {exercise.minutes:>3} min"
        )
    solved = sum(one.solved for one in done.values())
    return Note(
        f"Progress: {solved} of {len(every())} solved",
        f"Kept in `{progress_file()}`; delete the file to start again.",
        "\n".join(lines),
    )
