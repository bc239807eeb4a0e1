"""All wrong answers of an exercise: single faults, then pairs of switches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from typing import Any

from . import _registry
from ._compare import agree
from ._model import Exercise, Misconception
from ._run import observations


@dataclass(frozen=True)
class Wrong:
    """A wrong answer and the smallest set of misconceptions that gives it."""

    misconceptions: tuple[Misconception, ...]
    answer: Callable[..., Any]
    outputs: tuple[Any, ...]  # fewer than cases if it raises
    raises: tuple[type[Exception], ...] = ()


@dataclass(frozen=True)
class Dropped:
    """A pair that is not told apart, and what it coincides with."""

    ids: tuple[str, ...]
    same_as: tuple[str, ...]  # empty: the right answer


@cache
def right_outputs(exercise_id: str) -> tuple[Any, ...]:
    """Return what the reference gives on each case."""
    exercise = _registry.find(exercise_id)
    return observations(exercise, exercise.reference)


def single(exercise: Exercise, misconception: Misconception) -> Any:
    """Return the wrong answer of one misconception: a function, or a value."""
    if misconception.switch is None:
        return misconception.wrong
    assert exercise.switched is not None, f"{exercise.id}: switch without switched"
    return partial(exercise.switched, **misconception.switch)


def _pairs(exercise: Exercise) -> list[tuple[Misconception, Misconception]]:
    """Two faults can be made at once when they turn different switches."""
    switched = [m for m in exercise.misconceptions if m.switch]
    return [
        (one, other)
        for one, other in combinations(switched, 2)
        if not set(one.switch or ()) & set(other.switch or ())
    ]


@cache
def catalogue(exercise_id: str) -> tuple[tuple[Wrong, ...], tuple[Dropped, ...]]:
    """Run every wrong answer; return those told apart, and the pairs that are not."""
    exercise = _registry.find(exercise_id)
    right = right_outputs(exercise_id)
    kept, dropped = [], []
    for one in exercise.misconceptions:
        answer = single(exercise, one)
        outputs = observations(exercise, answer, one.raises)
        kept.append(Wrong((one,), answer, outputs, one.raises))
    for pair in _pairs(exercise):
        switches = {**(pair[0].switch or {}), **(pair[1].switch or {})}
        answer = partial(exercise.switched, **switches)  # type: ignore[arg-type, misc]
        ids = tuple(m.id for m in pair)
        try:
            outputs = observations(exercise, answer)
        except Exception:  # two faults together may not even run: nothing to name
            continue
        if _all_agree(exercise, outputs, right):
            dropped.append(Dropped(ids, ()))
            continue
        twin = next((w for w in kept if _all_agree(exercise, outputs, w.outputs)), None)
        if twin is not None:
            dropped.append(Dropped(ids, tuple(m.id for m in twin.misconceptions)))
        else:
            kept.append(Wrong(pair, answer, outputs))
    return tuple(kept), tuple(dropped)


def _all_agree(
    exercise: Exercise, some: tuple[Any, ...], others: tuple[Any, ...]
) -> bool:
    return len(some) == len(others) and all(
        agree(a, b, exercise.tolerance) for a, b in zip(some, others, strict=True)
    )


def diagnose(
    exercise: Exercise, outputs: tuple[Any, ...], error: BaseException | None = None
) -> Wrong | None:
    """Return the wrong answer that gives exactly these outputs, if there is one.

    With an ``error``, the one that gives them and then raises an error of that kind.
    """
    for wrong in catalogue(exercise.id)[0]:
        ends_alike = error is None or isinstance(error, wrong.raises)
        if ends_alike and _all_agree(exercise, outputs, wrong.outputs):
            return wrong
    return None
