"""Running an answer on inputs, and surviving whatever it does."""

import contextlib
import inspect
import io
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from ._compare import plain
from ._model import Case, Exercise

SECONDS = 5.0  # for all cases of one exercise together
PRINTED = 2000  # characters of an answer's own output that are kept


class OutOfTime(BaseException):
    """The answer did not finish. No `except Exception` in it can catch this."""


@dataclass
class Run:
    """What one call of an answer did."""

    case: Case
    value: Any = None
    error: BaseException | None = None
    line: str = ""  # the answer's own line that raised
    changed: tuple[str, ...] = ()  # arguments that it changed
    printed: str = ""


class _Kept(io.TextIOBase):
    """A stream that keeps the beginning and swallows the rest."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        if len(self.text) < PRINTED:
            self.text += text[: PRINTED - len(self.text)]
        return len(text)


@contextlib.contextmanager
def quietly() -> Iterator[_Kept]:
    """Keep what is printed from the screen, and warnings too."""
    stream = _Kept()
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(contextlib.redirect_stdout(stream))
        stack.enter_context(contextlib.redirect_stderr(stream))
        warnings.simplefilter("ignore")
        yield stream


@contextlib.contextmanager
def _deadline(end: float) -> Iterator[None]:
    """Raise OutOfTime in any Python line that runs after ``end``.

    A trace function works in a browser and on Windows, where neither threads nor
    alarm signals can stop a loop. By instruction: `while True: pass` is one line only.
    Installed libraries are looked at call by call: the first `backward` of a process
    imports 500 modules, and by instruction that alone can take the five seconds.
    """

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > end and not _importing(frame):
            raise OutOfTime
        if "site-packages" in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def _importing(frame: FrameType | None) -> bool:
    """Whether an import is under way: cut short, it leaves half a module behind."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def _same_seeds() -> Iterator[None]:
    """Start from fixed global seeds, and give the caller's back afterwards."""
    torch = sys.modules.get("torch")
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002
    kept_torch = torch.random.get_rng_state() if torch else None
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    if torch:
        torch.manual_seed(0)
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        if torch:
            torch.random.set_rng_state(kept_torch)


def _with_nan(make: Callable[..., Any]) -> Callable[..., Any]:
    def empty(*args: Any, **options: Any) -> Any:
        array = make(*args, **options)
        if array.dtype.kind in "fc":
            array.fill(np.nan)
        return array

    return empty


@contextlib.contextmanager
def _empty_is_not_a_number() -> Iterator[None]:
    """Fill with NaN what np.empty gives.

    Otherwise it may hold the right result of an earlier run, and an answer that leaves
    it so would be right by chance.
    """
    kept = {name: getattr(np, name) for name in ("empty", "empty_like")}
    for name, make in kept.items():
        setattr(np, name, _with_nan(make))
    try:
        yield
    finally:
        for name, make in kept.items():
            setattr(np, name, make)


@contextlib.contextmanager
def _noting_interrupts() -> Iterator[Callable[[], bool]]:
    """Tell a KeyboardInterrupt of the user from one that the answer raises."""
    pressed = False

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield lambda: True  # cannot tell: assume the user
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


def copied(value: Any) -> Any:
    """Copy arrays (also inside tuples, lists and dictionaries); share the rest."""
    if isinstance(value, (tuple, list)):
        return type(value)(copied(part) for part in value)
    if isinstance(value, dict):
        return {name: copied(part) for name, part in value.items()}
    if hasattr(value, "detach"):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if hasattr(one, "detach"):
        one, other = one.detach().numpy(), other.detach().numpy()
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    return one is other or one == other


def names_of(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Return the names of the first ``count`` parameters, as far as they are known."""
    try:
        names = tuple(inspect.signature(function).parameters)[:count]
    except (TypeError, ValueError):
        names = ()
    return names + tuple(f"argument {i + 1}" for i in range(len(names), count))


def _own_line(error: BaseException, function: Callable[..., Any]) -> str:
    """Return the line of the answer's own file on which the error arose."""
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if code is not None and f.filename == code.co_filename]
    if not own:
        return ""
    text = f": {own[-1].line}" if own[-1].line else ""
    return f"line {own[-1].lineno}{text}"


def run(
    function: Callable[..., Any],
    case: Case,
    end: float,
    convert: Callable[[Any], Any] = lambda value: value,
) -> Run:
    """Call ``function`` on copies of the case's arguments; never raise its errors."""
    given = tuple(convert(copied(a)) for a in case.arguments)
    kept = tuple(copied(a) for a in given)
    outcome = Run(case)
    with contextlib.ExitStack() as stack:
        pressed = stack.enter_context(_noting_interrupts())
        stack.enter_context(_same_seeds())
        stack.enter_context(_empty_is_not_a_number())
        stream = stack.enter_context(quietly())
        try:
            with _deadline(end):
                value = function(*given)
            outcome.value = value if inspect.isgenerator(value) else plain(value)
        except KeyboardInterrupt as error:
            if pressed():
                raise
            outcome.error = error
        except BaseException as error:
            outcome.error = error
    if outcome.error is not None:
        outcome.line = _own_line(outcome.error, function)
    else:
        names = names_of(function, len(given))
        outcome.changed = tuple(
            n for n, a, b in zip(names, kept, given, strict=True) if not _same(a, b)
        )
    outcome.printed = stream.text
    return outcome


def to_torch(value: Any) -> Any:
    """Turn arrays into tensors, also inside tuples, lists and dictionaries."""
    import torch

    if isinstance(value, (tuple, list)):
        return type(value)(to_torch(part) for part in value)
    if isinstance(value, dict):
        return {name: to_torch(part) for name, part in value.items()}
    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def run_all(
    exercise: Exercise, function: Callable[..., Any], seconds: float | None = None
) -> list[Run]:
    """Run every case, stopping at the first that fails.

    NumPy first. An answer written in torch stumbles over arrays: if it raises, all
    cases again as tensors. If both fail, the error is shown of the library that the
    answer is written for.
    """
    seconds = SECONDS if seconds is None else seconds
    _import_torch_for(function)
    if exercise.libraries[0] == "torch":
        return _run_cases(exercise, function, seconds, to_torch)
    runs = _run_cases(exercise, function, seconds)
    failed = isinstance(runs[-1].error, Exception)
    if failed and "torch" in exercise.libraries and "torch" in sys.modules:
        again = _run_cases(exercise, function, seconds, to_torch)
        if again[-1].error is None or _is_torch(runs, again):
            return again
    return runs


def _import_torch_for(function: Callable[..., Any]) -> None:
    """Import torch for an answer that does: its seconds are not the answer's."""
    code = getattr(function, "__code__", None)
    if code is not None and "torch" in code.co_names:
        with contextlib.suppress(ImportError):
            import torch  # noqa: F401


def _is_torch(as_arrays: list[Run], as_tensors: list[Run]) -> bool:
    """Whether tensors led further, or the error with arrays asks for them."""
    wants_tensors = "Tensor" in str(as_arrays[-1].error)
    return len(as_tensors) > len(as_arrays) or wants_tensors


def _run_cases(
    exercise: Exercise,
    function: Callable[..., Any],
    seconds: float,
    convert: Callable[[Any], Any] = lambda value: value,
) -> list[Run]:
    end, runs = time.monotonic() + seconds, []
    for case in exercise.cases():
        runs.append(run(function, case, end, convert))
        if runs[-1].error is not None or runs[-1].changed:
            break
    return runs


def observations(
    exercise: Exercise,
    function: Callable[..., Any],
    raises: tuple[type[Exception], ...] = (),
) -> tuple[Any, ...]:
    """Return what is compared, case by case, for an answer of our own.

    Errors rise, unless they are expected: then the cases before are all there is.
    """
    runs = run_all(exercise, function, seconds=60.0)
    error = runs[-1].error
    if error is not None and not isinstance(error, raises):
        raise error
    finished = (one for one in runs if one.error is None)
    return tuple(observed(exercise, one.value, one.case) for one in finished)


def observed(exercise: Exercise, value: Any, case: Case) -> Any:
    """Return what an exercise compares: the result itself, or what comes of it."""
    with np.errstate(all="ignore"):
        return plain(exercise.observe(value, *case.arguments))


def describe(names: Sequence[str], arguments: Sequence[Any]) -> str:
    """Name the arguments and their shapes: "query (2, 3), mask None"."""
    parts = []
    for name, value in zip(names, arguments, strict=True):
        shape = getattr(value, "shape", None)
        parts.append(f"{name} {value!r}" if shape is None else f"{name} {tuple(shape)}")
    return ", ".join(parts)
