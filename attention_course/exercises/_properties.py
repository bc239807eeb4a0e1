"""Properties that many exercises share, each with the sentence for its failure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._model import Property

# A check looks at an array and says what is broken about "{what}", or None.
Check = Callable[[Any], str | None]


def not_negative(array: Any) -> str | None:
    """No entry is below zero."""
    if (array < 0).any():
        return f"{{what}} should not be negative; the smallest is {array.min():.3g}."
    return None


def sums_to_one(array: Any) -> str | None:
    """Each row sums to 1."""
    return _sums_to(1, array)


def sums_to_zero(array: Any) -> str | None:
    """Each row sums to 0."""
    return _sums_to(0, array)


def _sums_to(total: int, array: Any) -> str | None:
    totals = np.atleast_1d(array.sum(axis=-1))
    off = np.abs(totals - total) > 1e-4
    if not off.any():
        return None
    return (
        f"{{what}} of each row should add up to {total}; "
        f"one row adds up to {totals[off][0]:.5g}."
    )


def not_positive(array: Any) -> str | None:
    """No entry is above zero."""
    if (array > 0).any():
        return f"{{what}} should not be positive; the largest is {array.max():.3g}."
    return None


def in_words(what: str, check: Check, part: int | None = None) -> Property:
    """Apply a check to a result, or to one part of a tuple, and name it."""

    def broken(result: Any, *arguments: Any) -> str | None:
        text = check(result if part is None else result[part])
        return None if text is None else text.format(what=what[0].upper() + what[1:])

    return Property(f"{what}: {check.__name__}", broken)
