"""Where a token stands: sines to add, or an angle to turn by."""

import array_api_compat
import numpy as np
from array_api_compat import array_namespace

from ._checks import check_floating, check_rotation, check_sinusoidal
from ._precision import narrow
from ._typing import Array


def _frequencies(width: int, base: float) -> np.ndarray:
    """Return base ** (-2 i / width) for each pair i, in float64."""
    pairs = np.arange(0, width, 2, dtype=np.float64)
    return np.asarray(float(base) ** (-pairs / width))


def sinusoidal_positions(
    n: int, d_model: int, *, base: float = 10000.0, like: Array | None = None
) -> Array:
    r"""Give each position a row of sines and cosines of falling frequency.

    .. math::
       P_{p, 2i} = \sin(p / b^{2i/d}), \quad P_{p, 2i+1} = \cos(p / b^{2i/d})

    Parameters
    ----------
    n : int
        Number of positions, counted from 0.
    d_model : int
        Width of a row, the d of the formula; even.
    base : float
        The b of the formula; the wavelengths run from 2π to almost 2π b.
    like : array, optional
        Gives library, device and dtype; NumPy and float64 when not given.

    Returns
    -------
    array
        Shape (n, d_model): sines on even columns, cosines on odd ones.

    Raises
    ------
    ValueError
        If d_model is odd, a size is negative or base is not above 0.
    TypeError
        If a size is not an integer or ``like`` not an array of real floats.

    Notes
    -----
    Vaswani et al. (2017), section 3.5. Chapter: ``ch06_position_encoding``.

    Examples
    --------
    >>> import attention_course as ac
    >>> ac.sinusoidal_positions(2, 4).round(3)
    array([[0.   , 1.   , 0.   , 1.   ],
           [0.841, 0.54 , 0.01 , 1.   ]])
    """
    check_sinusoidal(n, d_model, base)
    # In float64 whatever the result's dtype: a float32 angle of 100,000 is off by 0.004
    angles = np.arange(n)[:, None] * _frequencies(d_model, base)
    table = np.stack((np.sin(angles), np.cos(angles)), axis=-1).reshape(n, d_model)
    if like is None:
        return table
    check_floating("sinusoidal_positions", like=like)
    where = array_api_compat.device(like)
    return array_namespace(like).asarray(table, dtype=like.dtype, device=where)


def rotate(
    x: Array, positions: Array, *, base: float = 10000.0, interleaved: bool = True
) -> Array:
    r"""Turn each pair of coordinates by an angle that grows with the position.

    At position p, and for each i from 0 to :math:`d_k/2 - 1`,

    .. math::
       \begin{gathered}
       \begin{pmatrix} x_{2i} \\ x_{2i+1} \end{pmatrix} \mapsto
       \begin{pmatrix} \cos p\,\omega_i & -\sin p\,\omega_i \\
       \sin p\,\omega_i & \cos p\,\omega_i \end{pmatrix}
       \begin{pmatrix} x_{2i} \\ x_{2i+1} \end{pmatrix}, \\
       \omega_i = b^{-2i/d_k}
       \end{gathered}

    Parameters
    ----------
    x : array
        Shape (..., n, d_k), d_k even: queries or keys.
    positions : array
        The position p of each row of ``x``: shape (n,) if all examples and heads
        share them, else (..., n), where an axis of size 1 stands for all.
    base : float
        The b of the formula.
    interleaved : bool
        True pairs neighbours (0, 1), (2, 3), ...; False pairs column i with column
        ``i + d_k // 2``, as many checkpoints do. Queries and keys need the same choice.

    Returns
    -------
    array
        Shape and dtype of ``x``. Lengths stay; the dot product of two turned rows
        depends on their positions only through the difference.

    Raises
    ------
    ValueError
        If d_k is odd or 0, positions do not fit or base is not above 0.
    TypeError
        If ``x`` is not an array of real floats, or libraries differ.

    Notes
    -----
    Su et al. (2021), section 3.2.2, equations 14 and 15; computed as in section 3.4.2,
    equation 34. Chapter: ``ch06_position_encoding``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> ac.rotate(np.array([[1.0, 0.0]]), np.array([1])).round(4)
    array([[0.5403, 0.8415]])
    """
    check_rotation(x, positions, base, interleaved)
    xp = array_namespace(x)
    frequencies = xp.asarray(
        _frequencies(x.shape[-1], base), device=array_api_compat.device(x)
    )
    # float64, since position times frequency loses the angle in anything narrower
    angles = xp.astype(positions, xp.float64)[..., None] * frequencies
    cos, sin = xp.cos(angles), xp.sin(angles)
    wide, half = xp.astype(x, xp.float64), x.shape[-1] // 2
    if interleaved:
        first, second = wide[..., 0::2], wide[..., 1::2]
    else:
        first, second = wide[..., :half], wide[..., half:]
    turned = (first * cos - second * sin, first * sin + second * cos)
    if interleaved:
        return narrow(xp.reshape(xp.stack(turned, axis=-1), x.shape), like=x)
    return narrow(xp.concat(turned, axis=-1), like=x)
