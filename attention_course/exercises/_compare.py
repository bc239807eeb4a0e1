"""When two results are the same, whatever library they come from."""

import math
import numbers
from typing import Any

import numpy as np

NEARLY = 2e-2  # this close, and yet wrong: something rounds


def plain(value: Any) -> Any:
    """Return a NumPy copy of whatever an answer returned; tuples stay tuples."""
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    if hasattr(value, "detach"):  # a tensor, on whatever device
        value = value.detach().cpu()
        if "bfloat16" in str(value.dtype):
            value = value.float()
        return np.array(value.numpy())
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, numbers.Rational) and not isinstance(value, int):
        return np.array(float(value))  # Fraction(1, 3) is as good as 1 / 3
    if isinstance(value, (numbers.Number, np.ndarray, np.generic)):
        return np.array(value)
    if isinstance(value, list):
        return _from_list(value)
    return value


def _from_list(value: list[Any]) -> Any:
    """Make an array of a list of numbers, or of arrays of one shape."""
    try:
        array = np.array([plain(part) for part in value])
    except (ValueError, TypeError):
        return value
    return value if array.dtype == object else array


def is_number_array(value: Any) -> bool:
    """Whether ``value`` is a NumPy array of numbers or truth values."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "biufc"


def distance(actual: Any, expected: Any) -> float:
    """Relative distance by norm; infinite when the two cannot be compared."""
    if isinstance(expected, tuple):
        if not isinstance(actual, tuple) or len(actual) != len(expected):
            return math.inf
        return max(map(distance, actual, expected), default=0.0)
    if isinstance(expected, bool):
        expected = np.array(expected)
    if isinstance(actual, bool):
        actual = np.array(actual)
    if not (is_number_array(actual) and is_number_array(expected)):
        return (
            0.0 if type(actual) is type(expected) and actual == expected else math.inf
        )
    if actual.shape != expected.shape:
        return math.inf
    if (actual.dtype.kind == "b") != (expected.dtype.kind == "b"):
        return math.inf
    if expected.dtype.kind == "b":
        return float(np.mean(actual != expected)) if actual.size else 0.0
    return _distance_of_numbers(actual, expected)


def _distance_of_numbers(actual: Any, expected: Any) -> float:
    known = np.isfinite(expected)
    same_gaps = np.array_equal(actual[~known], expected[~known], equal_nan=True)
    if not same_gaps or not np.isfinite(actual[known]).all():
        return math.inf
    norm = float(np.linalg.norm(expected[known].astype(float)))
    error = float(np.linalg.norm(actual[known] - expected[known]))
    return error / norm if norm else error


def agree(actual: Any, expected: Any, tolerance: float) -> bool:
    """Whether two plain results are the same within the tolerance."""
    return distance(actual, expected) <= tolerance
