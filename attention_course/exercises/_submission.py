"""Running a file of answers: a script or a notebook with `check` calls in it.

Used by the terminal and by grading, in a process of its own: see `_worker`.
"""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ._judge import judge
from ._registry import find
from ._run import quietly
from ._verdict import Outcome, Verdict

WORDS = {"check", "hint", "solution", "progress"}


def sources(file: Path) -> list[str]:
    """Return the code of a script, or of each code cell of a notebook."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".ipynb":
        return [text]
    cells = json.loads(text)["cells"]
    code = ("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    return [_without_magics(source) for source in code]


def _without_magics(source: str) -> str:
    lines = source.split("\n")
    return "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)


def _asked(statement: ast.stmt) -> ast.Call | None:
    """Return the call if the statement is ``check("chNN.name", answer)``."""
    value = getattr(statement, "value", None)
    called = isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
    if not called or value.func.id not in WORDS:  # type: ignore[union-attr]
        return None
    return value


def verdicts(
    file: Path, tell: Callable[[Verdict], None] | None = None
) -> list[Verdict]:
    """Run a file and judge each answer where it is checked.

    A statement that fails ends its cell only; the exercises checked there are then
    "raised an error". Nothing that the file prints is shown.
    """
    found: list[Verdict] = []
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for source in sources(file):
        for verdict in _of_cell(source, namespace):
            found.append(verdict)
            if tell:
                tell(verdict)
    return found


def _of_cell(source: str, namespace: dict[str, Any]) -> Iterator[Verdict]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        for exercise_id in _named_in(source):
            yield _broken(exercise_id, error)
        return
    failed: BaseException | None = None
    for statement in statements:
        call = _asked(statement)
        if call is None and failed is None:
            failed = _executed(statement, namespace)
        elif call is not None and call.func.id == "check":  # type: ignore[attr-defined]
            yield from _judged(call, namespace, failed)


def _named_in(source: str) -> Iterator[str]:
    """Return the ids that a cell which cannot be read meant to check."""
    for part in source.split("check(")[1:]:
        pieces = part.replace("'", '"').split('"')
        if len(pieces) > 1:
            yield pieces[1]


def _executed(statement: ast.stmt, namespace: dict[str, Any]) -> BaseException | None:
    code = compile(ast.Module([statement], []), "<submission>", "exec")
    with quietly():
        try:
            exec(code, namespace)
        except BaseException as error:
            return error
    return None


def _judged(
    call: ast.Call, namespace: dict[str, Any], failed: BaseException | None
) -> Iterator[Verdict]:
    if len(call.args) != 2 or not isinstance(call.args[0], ast.Constant):
        return
    exercise_id = str(call.args[0].value)
    if failed is not None:
        yield _broken(exercise_id, failed)
        return
    try:
        exercise = find(exercise_id)
    except ValueError as error:
        yield _broken(exercise_id, error)
        return
    expression = compile(ast.Expression(call.args[1]), "<submission>", "eval")
    try:
        with quietly():
            answer = eval(expression, namespace)
    except BaseException as error:
        yield _broken(exercise_id, error)
        return
    yield judge(exercise, answer)


def _broken(exercise_id: str, error: BaseException) -> Verdict:
    text = f"{type(error).__name__}: {error}"[:400]
    return Verdict(exercise_id, Outcome.RAISED, "", (("", text),))
