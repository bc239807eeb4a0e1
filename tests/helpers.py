"""What every test compares with. Helpers raise; they never return a verdict."""

import numpy as np
import pytest

# Relative error by norm, ||a - b|| / ||b||. It belongs to the dtype, not to a test.
TOLERANCE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}
# Gradients that are zero in theory have no norm to compare with.
ABSOLUTE = {"float64": 1e-12, "float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}
DTYPES = list(TOLERANCE)


def in_library(xp, values, dtype="float64"):
    """Return the values as an array of ``xp``; skip a dtype that it does not have."""
    if not hasattr(xp, dtype):
        pytest.skip(f"{xp.__name__} has no {dtype}")
    return xp.astype(xp.asarray(np.asarray(values)), getattr(xp, dtype))


def dtype_name(array):
    """Return "float32" for NumPy's, torch's and the strict library's float32."""
    dtype = array.dtype if hasattr(array, "dtype") else np.asarray(array).dtype
    return str(dtype).split(".")[-1]


def to_numpy(array):
    """Return a float64 (or boolean, or integer) NumPy copy of any array."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        if array.is_floating_point():
            array = array.double()
        return array.numpy().copy()
    array = np.array(array)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def assert_close(actual, expected, dtype=None):
    """Same shape, and equal within the tolerance of the dtype (of ``actual``)."""
    tolerance = TOLERANCE[dtype or dtype_name(actual)]
    ours, theirs = to_numpy(actual), to_numpy(expected)
    assert ours.shape == theirs.shape, f"shape {ours.shape}, expected {theirs.shape}"
    assert np.isfinite(ours).all(), f"not finite: {ours}"
    norm = np.linalg.norm(theirs)
    error = np.linalg.norm(ours - theirs) / (norm if norm else 1.0)
    assert error <= tolerance, (
        f"relative error {error:.3g} is above {tolerance:g}\n{ours}\nexpected\n{theirs}"
    )


def assert_zero(actual, dtype=None):
    """Every entry is zero within the absolute tolerance of the dtype."""
    largest = np.abs(to_numpy(actual)).max(initial=0.0)
    assert largest <= ABSOLUTE[dtype or dtype_name(actual)], f"largest is {largest:.3g}"


def assert_equal(actual, expected):
    """Same shape and exactly the same entries: for masks, and for copies."""
    np.testing.assert_array_equal(to_numpy(actual), to_numpy(expected), strict=False)
    assert to_numpy(actual).shape == to_numpy(expected).shape
