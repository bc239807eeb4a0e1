"""Half precision is computed in float32 and cast back.

float16 ends at 65,504: a sum of 70,000 equal terms or a score of 80,000 is already
infinite. bfloat16 reaches further but keeps three digits.
"""

from array_api_compat import array_namespace

from ._typing import Array


def widen(x: Array) -> Array:
    """Return ``x`` in float32 if its dtype is narrower, else ``x`` itself."""
    xp = array_namespace(x)
    return xp.astype(x, xp.float32) if xp.finfo(x.dtype).bits < 32 else x


def narrow(x: Array, like: Array) -> Array:
    """Return ``x`` in the dtype of ``like``."""
    return array_namespace(x).astype(x, like.dtype, copy=False)
