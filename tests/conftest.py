"""Fixtures that every test may ask for."""

import array_api_compat
import hypothesis
import numpy as np
import pytest
from built import chromium, under_a_path, without

from tools.audit._site import ARGUMENTS

# The same examples in every run, and no verdict that depends on a busy machine.
hypothesis.settings.register_profile(
    "course",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("course")

try:
    import torch
except ImportError:  # the core is tested without torch too
    torch = None
else:
    torch.set_num_threads(1)  # sums then come out in one order


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    """Start torch's generator the same way in every test."""
    if torch is not None:
        torch.manual_seed(20261120)


# Run in the browser's Python by test_live_parity, where there is no torch to import.
collect_ignore = ["live_notebook.py", "live_verdicts.py"]

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


@pytest.fixture(scope="module")
def site():
    """Serve the built book below a path; return its address."""
    with under_a_path() as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    """Return a headless Chromium that reaches no other host."""
    path = chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        without("no playwright: make setup")
    with sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()
