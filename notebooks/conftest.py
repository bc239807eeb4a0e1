"""What nbval does not compare: pictures.

nbval skips ``image/png``. So after each cell that it has run, the pictures of the fresh
run are compared with the stored ones: as many, of the same size, the same to the eye.
"""

import base64
import io

import numpy as np
import pytest

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
    for ours, theirs in zip(stored, fresh, strict=True):
        assert ours.shape == theirs.shape, (
            f"the stored picture is {ours.shape}, the new one {theirs.shape}"
        )
        off = np.abs(ours.astype(int) - theirs.astype(int)).max(axis=-1)
        different = int((off > CHANNEL_TOLERANCE).sum())
        assert different <= MAX_DIFFERENT_PIXELS, (
            f"{different} pixels of the stored picture differ; if the new picture is "
            "right, run: python tools/notebooks.py --all"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Compare the pictures of a notebook's cell once nbval has run it."""
    result = yield
    fresh = getattr(item, "test_outputs", None)
    if fresh is not None:
        assert_same_pictures(pictures(item.cell.outputs), pictures(fresh))
    return result
