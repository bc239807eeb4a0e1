"""From an answer to a verdict, in the order that helps most."""

import ast
import inspect
import math
import numbers
import re
import textwrap
import time
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any

import numpy as np

from ._catalogue import Wrong, diagnose, right_outputs
from ._compare import NEARLY, agree, distance, is_number_array, plain
from ._model import Case, Exercise
from ._run import SECONDS, OutOfTime, Run, describe, names_of, observed, run, run_all
from ._verdict import Outcome, Verdict

_SHOWN = 24  # numbers; larger arrays are described by their shape


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Decide what an answer is. Never raises what the answer raises."""
    if answer is ...:
        return _not_attempted(exercise)
    if exercise.choices:
        return _judge_choice(exercise, answer)
    if not exercise.is_code:
        return _judge_value(exercise, answer)
    return _judge_function(exercise, answer)


def _verdict(
    exercise: Exercise, outcome: Outcome, *sections: tuple[str, str], named: Any = ()
) -> Verdict:
    return Verdict(exercise.id, outcome, exercise.title, sections, tuple(named))


def _not_attempted(exercise: Exercise) -> Verdict:
    way_out = f"If you are stuck: `hint({exercise.id!r})`"
    return Verdict(exercise.id, Outcome.NOT_ATTEMPTED, "", (("", way_out),))


# --- answers that are values -----------------------------------------------------


def _judge_choice(exercise: Exercise, answer: Any) -> Verdict:
    letters = ", ".join(exercise.choices)
    chosen = "".join(answer) if isinstance(answer, (list, tuple, set)) else answer
    if not isinstance(chosen, str) or not chosen.strip():
        text = f"Answer with a letter in quotes: one of {letters}. You gave {answer!r}."
        return _verdict(exercise, Outcome.PROPERTY, ("", text))
    words = [word for word in re.findall(r"\w+", chosen.lower()) if word != "and"]
    picked = sorted(set("".join(words)))
    unknown = [letter for letter in picked if letter not in exercise.choices]
    if unknown:
        text = f"The choices are {letters}; there is no {', '.join(unknown)}."
        return _verdict(exercise, Outcome.PROPERTY, ("", text))
    told = reasons(exercise, picked)
    right = [k for k, choice in exercise.choices.items() if choice.right]
    if picked == right:
        return _verdict(
            exercise, Outcome.CORRECT, *told, ("Worth knowing", exercise.insight)
        )
    wrong = [k for k in picked if k not in right]
    if not wrong:
        told.append(("", "What you chose is right, and it is not all that is right."))
    return _verdict(exercise, Outcome.DIAGNOSED, *told, named=wrong)


def reasons(exercise: Exercise, letters: Iterable[str]) -> list[tuple[str, str]]:
    """Return what there is to say to these letters of a choice, each with its head."""
    choices = [(letter, exercise.choices[letter]) for letter in letters]
    return [
        (f"({letter}) {'Right' if choice.right else 'Not right'}", choice.reason)
        for letter, choice in choices
    ]


def _judge_value(exercise: Exercise, answer: Any) -> Verdict:
    if callable(answer):
        text = "Give the value itself, not a function: write it down before you run it."
        return _verdict(exercise, Outcome.PROPERTY, ("", text))
    if _same_value(exercise, answer, exercise.reference):
        section = ("Worth knowing", exercise.insight)
        return _verdict(exercise, Outcome.CORRECT, section)
    for one in exercise.misconceptions:
        if _same_value(exercise, answer, one.wrong):
            return _verdict(
                exercise,
                Outcome.DIAGNOSED,
                ("", one.result),
                ("You may have thought", one.belief),
                ("Look at this", one.question),
                named=(one.id,),
            )
    return _verdict(exercise, Outcome.VALUES, ("", _value_hint(exercise, answer)))


def _same_value(exercise: Exercise, answer: Any, value: Any) -> bool:
    """Exact for shapes, words and counts; within the tolerance for measured numbers."""
    if isinstance(value, str) or isinstance(answer, str):
        same = isinstance(answer, str) and isinstance(value, str)
        return same and answer.strip().lower() == value.strip().lower()
    mine, theirs = _numbers(answer), _numbers(value)
    if mine is None or theirs is None or mine.shape != theirs.shape:
        return False
    if theirs.dtype.kind in "iub":
        return bool(np.array_equal(mine, theirs))
    return bool(np.all(np.abs(mine - theirs) <= exercise.tolerance))


def _numbers(value: Any) -> Any:
    """Return numbers as an array; None for whatever is no array of numbers."""
    try:
        array = np.asarray(plain(value))
    except (ValueError, TypeError):
        return None
    return array if is_number_array(array) else None


def _value_hint(exercise: Exercise, answer: Any) -> str:
    wanted, got = _numbers(exercise.reference), _numbers(answer)
    if isinstance(exercise.reference, str):
        return f"Not {answer!r}. The answer is a word, in quotes."
    counts = _counts(wanted)
    if got is None:
        quotes = ", without quotes" if isinstance(answer, str) else ""
        return f"The answer is {counts}{quotes}; you gave {answer!r}."
    if got.shape != wanted.shape:
        return f"The answer is {counts}; you gave {answer!r}."
    if wanted.dtype.kind == "f" and 0 < distance(got, wanted) < 0.1:
        return f"Not {answer!r}, and close. Give it with three digits."
    return f"Not {answer!r}. Work it out on paper, then run the cells above."


def _counts(wanted: Any) -> str:
    if wanted.ndim > 1:
        return f"{len(wanted)} tuples of {wanted.shape[1]} numbers, in a tuple"
    return f"{wanted.size} numbers, as a tuple" if wanted.size > 1 else "one number"


# --- answers that are functions ---------------------------------------------------


def _judge_function(exercise: Exercise, answer: Any) -> Verdict:
    refusal = _no_function(exercise, answer)
    if refusal:
        return _verdict(exercise, Outcome.PROPERTY, ("", refusal))
    if is_starter(exercise, answer):
        return _not_attempted(exercise)
    mismatch = _wrong_parameters(exercise, answer)
    if mismatch:
        return _verdict(exercise, Outcome.RAISED, ("", mismatch))
    runs = run_all(exercise, answer)
    last = runs[-1]
    if isinstance(last.error, NotImplementedError) and len(runs) == 1:
        return _not_attempted(exercise)
    if last.error is not None:
        match = _known_failure(exercise, runs)
        if match:
            return _diagnosed(exercise, match, runs, _what_was_raised(last))
        return _failed(exercise, answer, last)
    if all(one.value is None for one in runs):
        text = "Your function returns None. Is there a return at its end?"
        return _verdict(exercise, Outcome.PROPERTY, ("", text), *_output_of(runs))
    if last.changed:
        return _changed(exercise, last)
    return _compare(exercise, answer, runs)


def _compare(exercise: Exercise, answer: Any, runs: list[Run]) -> Verdict:
    unusable = _unusable(exercise, runs)
    if unusable:
        return _verdict(exercise, Outcome.PROPERTY, unusable, *_output_of(runs))
    outputs = tuple(observed(exercise, one.value, one.case) for one in runs)
    right = right_outputs(exercise.id)
    wrong_at = [
        i
        for i, (mine, theirs) in enumerate(zip(outputs, right, strict=True))
        if not agree(mine, theirs, exercise.tolerance)
    ]
    if not wrong_at:
        return _correct(exercise, answer)
    match = diagnose(exercise, outputs)
    if match:
        return _diagnosed(exercise, match, runs)
    return _undiagnosed(exercise, runs, outputs, wrong_at)


def _no_function(exercise: Exercise, answer: Any) -> str | None:
    if inspect.isclass(answer):
        return (
            f"{answer.__name__} is a class. The exercise asks for a function: pass it "
            "without making an object."
        )
    if callable(answer):
        return None
    kind = "nothing (None)" if answer is None else f"a {type(answer).__name__}"
    return (
        f"The second argument must be your function itself, without parentheses: "
        f"check({exercise.id!r}, {function_name(exercise)}). You passed {kind}; "
        "a function called with () hands over its result instead of itself."
    )


def function_name(exercise: Exercise) -> str:
    """Return the name that the starter defines."""
    for node in ast.parse(exercise.starter).body:
        if isinstance(node, ast.FunctionDef):
            return node.name
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            return node.targets[0].id
    raise ValueError(f"{exercise.id}: the starter defines nothing")


def is_starter(exercise: Exercise, answer: Any) -> bool:
    """Whether the answer is the cell as handed out: same bytecode, same constants."""
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    wanted = function_name(exercise)
    module = compile(textwrap.dedent(exercise.starter), "<starter>", "exec")
    handed_out = [c for c in module.co_consts if isinstance(c, CodeType)]
    return any(c.co_name == wanted and _same_code(c, code) for c in handed_out)


def _same_code(one: CodeType, other: CodeType) -> bool:
    if (one.co_code, one.co_names, one.co_varnames) != (
        other.co_code,
        other.co_names,
        other.co_varnames,
    ):
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    return all(
        _same_code(a, b) if isinstance(a, CodeType) else repr(a) == repr(b)
        for a, b in zip(one.co_consts, other.co_consts, strict=True)
        if isinstance(a, CodeType) == isinstance(b, CodeType)
    )


def _wrong_parameters(exercise: Exercise, answer: Any) -> str | None:
    arguments = exercise.cases()[0].arguments
    try:
        inspect.signature(answer).bind(*arguments)
    except TypeError:
        wanted = ", ".join(names_of(exercise.reference, len(arguments)))
        return (
            f"Your function is called with {len(arguments)} "
            f"argument{'s' if len(arguments) != 1 else ''}, ({wanted}), and its "
            f"parameters are {inspect.signature(answer)}."
        )
    except ValueError:  # a built-in without a signature: let it run
        pass
    return None


def _known_failure(exercise: Exercise, runs: list[Run]) -> Wrong | None:
    """Return the catalogued answer that ends like this one, after the same values."""
    finished = runs[:-1]
    if not finished or any(one.value is None for one in finished):
        return None
    try:
        outputs = tuple(observed(exercise, one.value, one.case) for one in finished)
    except Exception:
        return None
    return diagnose(exercise, outputs, runs[-1].error)


def _what_was_raised(run: Run) -> str:
    message = textwrap.shorten(str(run.error), 400) or "without a message"
    return f"{type(run.error).__name__}: {message}"


def _failed(exercise: Exercise, answer: Callable[..., Any], run: Run) -> Verdict:
    inputs = ("Inputs", _inputs(exercise, run))
    error = run.error
    if isinstance(error, OutOfTime):
        text = f"It was stopped after {SECONDS:g} seconds."
        text += " Is there a loop that never ends?"
        return _verdict(exercise, Outcome.UNFINISHED, ("", text), inputs)
    what = _what_was_raised(run)
    where = [("At", run.line)] if run.line else []
    extra = _about_error(error)
    return _verdict(
        exercise, Outcome.RAISED, ("", what), *where, inputs, *extra, *_output_of([run])
    )


def _about_error(error: BaseException | None) -> list[tuple[str, str]]:
    if isinstance(error, RecursionError):
        return [("", "Your function calls itself without an end.")]
    if isinstance(error, NameError):
        return [("", "Is the name defined in your cell, or in a cell above?")]
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return [("", "A function hands back a result; it does not end the program.")]
    if isinstance(error, MemoryError):
        return [("", "It asks for far more memory than its result needs.")]
    return []


def _changed(exercise: Exercise, run: Run) -> Verdict:
    text = (
        f"The call changed {' and '.join(f'`{name}`' for name in run.changed)}. "
        "Whoever called you may still need what was there: compute a new array."
    )
    return _verdict(
        exercise,
        Outcome.CHANGED_INPUT,
        ("", text),
        ("", "Does it assign into an argument: `x[...] =`, `x +=`, `x.sort()`?"),
    )


def _unusable(exercise: Exercise, runs: list[Run]) -> tuple[str, str] | None:
    """Say in plain words why a result can be compared with nothing."""
    rights = right_outputs(exercise.id)
    for one, right in zip(runs, rights, strict=True):
        value = one.value
        if inspect.isgenerator(value):
            return ("", "Your function is a generator: it says yield. Use return.")
        if value is None:
            return ("", f"It returns None for one of the inputs: {one.case.label}.")
        try:
            result = observed(exercise, value, one.case)
        except Exception as error:
            text = f"What it returns cannot be used here: {error}"
            return ("", f"{text} (inputs: {one.case.label})")
        unfit = _wrong_kind(result, right)
        if unfit:
            return ("", f"{unfit} Inputs: {one.case.label}.")
    return None


def _wrong_kind(result: Any, right: Any) -> str | None:
    if isinstance(right, tuple):
        if isinstance(result, tuple) and len(result) == len(right):
            pairs = zip(result, right, strict=True)
            return next(filter(None, (_wrong_kind(a, b) for a, b in pairs)), None)
        got = f"{len(result)}" if isinstance(result, tuple) else "one"
        return f"It should return {len(right)} results, separated by commas; got {got}."
    if not is_number_array(right):
        return None
    if isinstance(result, bool):
        result = np.array(result)
    if not is_number_array(result):
        return f"It should return numbers; got {type(result).__name__}."
    if result.dtype.kind == "c":
        return "The result holds complex numbers; all here is real."
    return None


def _diagnosed(
    exercise: Exercise, match: Wrong, runs: list[Run], raised: str = ""
) -> Verdict:
    sections = [("It ended in", raised)] if raised else []
    count = len(match.misconceptions)
    if count > 1:
        text = "Two faults together give exactly your result. Each alone would mean:"
        sections.append(("", text))
    for number, one in enumerate(match.misconceptions, start=1):
        sections += [
            (str(number) if count > 1 else "", one.result),
            ("You may have thought", one.belief),
            ("Look at this", one.question),
        ]
    named = tuple(one.id for one in match.misconceptions)
    return _verdict(
        exercise, Outcome.DIAGNOSED, *sections, *_output_of(runs), named=named
    )


def _undiagnosed(
    exercise: Exercise, runs: list[Run], outputs: tuple[Any, ...], wrong_at: list[int]
) -> Verdict:
    right = right_outputs(exercise.id)
    broken = _first_broken(exercise, runs, outputs, wrong_at)
    if broken:
        return _verdict(exercise, Outcome.PROPERTY, broken, *_output_of(runs))
    smallest = min(wrong_at, key=lambda i: _size(runs[i].case.arguments))
    sections = [("", _how_wrong(outputs, right, wrong_at))]
    sections += _shown(exercise, runs[smallest], outputs[smallest], right[smallest])
    return _verdict(exercise, Outcome.VALUES, *sections, *_output_of(runs))


def _first_broken(
    exercise: Exercise, runs: list[Run], outputs: tuple[Any, ...], wrong_at: list[int]
) -> tuple[str, str] | None:
    right = right_outputs(exercise.id)
    for i in wrong_at:
        text = _broken_shape(outputs[i], right[i])
        if text:
            return ("", f"{text} Inputs: {_inputs(exercise, runs[i])}.")
    for one in exercise.properties:
        for i in wrong_at:
            text = one.broken(outputs[i], *runs[i].case.arguments)
            if text:
                return ("", f"{text} Inputs: {_inputs(exercise, runs[i])}.")
    return None


def _inputs(exercise: Exercise, run: Run) -> str:
    names = names_of(exercise.reference, len(run.case.arguments))
    return f"{run.case.label}: {describe(names, run.case.arguments)}"


def _broken_shape(result: Any, right: Any) -> str | None:
    if isinstance(right, tuple):
        pairs = enumerate(zip(result, right, strict=True), start=1)
        texts = ((i, _broken_shape(a, b)) for i, (a, b) in pairs)
        return next((f"Result {i}: {text}" for i, text in texts if text), None)
    if not is_number_array(right):
        return None
    result = np.asarray(result)
    if result.shape != right.shape:
        return f"Its shape is {result.shape}; it should be {right.shape}."
    if right.dtype.kind == "b" and result.dtype.kind != "b":
        return f"It should be boolean, True or False; got {result.dtype}."
    if result.dtype.kind == "b" and right.dtype.kind != "b":
        return "It should hold numbers; got True and False."
    if np.isfinite(right).all() and not np.isfinite(result).all():
        kind = "NaN (not a number)" if np.isnan(result).any() else "infinity"
        return f"It contains {kind}."
    return None


def _how_wrong(
    outputs: tuple[Any, ...], right: tuple[Any, ...], wrong_at: list[int]
) -> str:
    if len(outputs) > 1 and all(agree(o, outputs[0], 0.0) for o in outputs[1:]):
        return "It gives the same result whatever it is given."
    if max(distance(outputs[i], right[i]) for i in wrong_at) < NEARLY:
        return (
            "Your numbers are close, and not equal. Does something round: a narrow "
            "dtype, a constant typed with few digits?"
        )
    if len(wrong_at) < len(outputs):
        passed = len(outputs) - len(wrong_at)
        return (
            f"Right on {passed} of {len(outputs)} inputs. The smallest where it fails:"
        )
    return "The values differ. The smallest of the inputs:"


def _size(arguments: Any) -> int:
    return sum(int(np.size(a)) for a in arguments if isinstance(a, np.ndarray))


def _shown(
    exercise: Exercise, run: Run, result: Any, right: Any
) -> list[tuple[str, str]]:
    names = names_of(exercise.reference, len(run.case.arguments))
    given = [
        f"{name} = {_text(value)}"
        for name, value in zip(names, run.case.arguments, strict=True)
    ]
    return [
        ("Inputs", "\n".join([run.case.label, *given])),
        ("Yours", f"\n{_text(result)}"),
        ("Expected", f"\n{_text(right)}"),
    ]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "\n".join(_text(part) for part in value)
    if not isinstance(value, np.ndarray):
        if isinstance(value, numbers.Real) and not isinstance(value, (bool, int)):
            return f"{float(value):.4g}" if math.isfinite(value) else str(value)
        return repr(value)
    if value.size > _SHOWN:
        return f"an array of shape {value.shape}"
    return np.array2string(value, precision=3, suppress_small=True)


def _output_of(runs: list[Run]) -> list[tuple[str, str]]:
    """Repeat what the answer printed, since whoever prints wants to see it."""
    printed = next((one.printed for one in runs if one.printed.strip()), "")
    if not printed:
        return []
    lines = printed.strip().splitlines()
    kept = "\n".join(lines[:5] + (["..."] if len(lines) > 5 else []))
    return [("It printed", f"\n{kept}")]


def _correct(exercise: Exercise, answer: Callable[..., Any]) -> Verdict:
    sections = [("Worth knowing", exercise.insight)]
    for remark in exercise.remarks:
        if _applies(remark.applies, answer):
            sections.append(("It could be better", remark.text))
    return _verdict(exercise, Outcome.CORRECT, *sections)


def _applies(probe: Callable[..., bool], answer: Callable[..., Any]) -> bool:
    """Run a probe on the answer; a probe that fails says nothing."""
    outcome = run(probe, Case("probe", (answer,)), time.monotonic() + 2.0)
    return outcome.error is None and bool(outcome.value)
