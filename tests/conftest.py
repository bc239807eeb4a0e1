"""Fixtures that every test may ask for."""

import array_api_compat
import numpy as np
import pytest

try:
    import torch
except ImportError:  # the core is tested without torch too
    torch = None
else:
    torch.set_num_threads(1)  # sums then come out in one order

LIBRARIES = ["numpy", "torch", "strict"]


def _namespace(name):
    if name == "numpy":
        return array_api_compat.array_namespace(np.empty(0))
    if name == "torch":
        pytest.importorskip("torch")
        return array_api_compat.array_namespace(torch.empty(0))
    return pytest.importorskip("array_api_strict")


@pytest.fixture(params=LIBRARIES)
def xp(request):
    """Return the functions of NumPy, PyTorch and array-api-strict in turn."""
    return _namespace(request.param)


@pytest.fixture
def rng():
    """Return a random generator that starts the same way in every test."""
    return np.random.default_rng(20261120)
