"""Three things that nbval does not do.

It skips ``image/png``. So after each cell that it has run, the pictures of the fresh
run are compared with the stored ones: as many, the same size, the same to the eye.

It runs cells without history, where IPython looks for the semicolon that ends a plot's
cell, so the plot's return value would appear in its run and in nobody else's.

It starts kernels in the environment of the shell; sums depend on its thread counts.
"""

import base64
import io
import os

import numpy as np
import pytest

from tools.notebooks import KERNEL_ENVIRONMENT

os.environ.update(KERNEL_ENVIRONMENT)
os.environ.pop("MPLBACKEND", None)

# A pixel differs when a channel is off by more than this; the edges of glyphs and lines
# stay below it when a last digit moves, a changed letter or curve does not.
CHANNEL_TOLERANCE = 40
MAX_DIFFERENT_PIXELS = 20


def pictures(outputs):
    """Return the pictures among a cell's outputs as arrays (height, width, channel)."""
    from PIL import Image

    encoded = [output.get("data", {}).get("image/png") for output in outputs]
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))
        for data in encoded
        if data is not None
    ]


def assert_same_pictures(stored, fresh):
    """Raise unless both runs drew the same pictures."""
    assert len(stored) == len(fresh), (
        f"the notebook stores {len(stored)} pictures, this run drew {len(fresh)}"
    )
    for old, new in zip(stored, fresh, strict=True):
        assert old.shape == new.shape, (
            f"the stored picture is {old.shape}, the new one {new.shape}"
        )
        off = np.abs(old.astype(int) - new.astype(int)).max(axis=-1)
        different = int((off > CHANNEL_TOLERANCE).sum())
        assert different <= MAX_DIFFERENT_PIXELS, (
            f"{different} pixels of the stored picture differ; if the new picture is "
            "right, run: python tools/notebooks.py --all"
        )


def keep_history(kernel):
    """Make nbval's kernel run a cell as notebooks do, with history."""

    def execute(source, allow_stdin=None):
        return kernel.kc.execute(
            source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False
        )

    kernel.execute_cell_input = execute


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run a notebook's cell by nbval, then compare its pictures."""
    kernel = getattr(item.parent, "kernel", None)
    if kernel is None:
        return (yield)
    keep_history(kernel)
    result = yield
    assert_same_pictures(pictures(item.cell.outputs), pictures(item.test_outputs))
    return result
