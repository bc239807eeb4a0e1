"""Several heads: cut the width into shares, and put them side by side again."""

from array_api_compat import array_namespace

from ._checks import check_merge, check_split
from ._typing import Array


def split_heads(x: Array, num_heads: int) -> Array:
    """Cut each row into ``num_heads`` shares and give each head its own matrix.

    Parameters
    ----------
    x : array
        Shape (..., n, d_model).
    num_heads : int
        How many heads; it must divide d_model.

    Returns
    -------
    array
        Shape (..., num_heads, n, d_k), with ``d_k = d_model // num_heads``: head h
        holds the columns ``h * d_k`` to ``(h + 1) * d_k - 1`` of every row. A view
        where the library allows one, as after any reshape: copy it before writing
        into it.

    Raises
    ------
    ValueError
        If d_model is not divisible by num_heads.
    TypeError
        If ``x`` is not an array of real floats or num_heads not an integer.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.2. Chapter: ``ch05_multi_head``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> ac.split_heads(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]), 2)
    array([[[1., 2.],
            [5., 6.]],
    <BLANKLINE>
           [[3., 4.],
            [7., 8.]]])
    """
    check_split(x, num_heads)
    xp = array_namespace(x)
    *batch, n, d_model = x.shape
    # (..., n, d_model) -> (..., n, num_heads, d_k) -> (..., num_heads, n, d_k)
    per_row = xp.reshape(x, (*batch, n, num_heads, d_model // num_heads))
    return xp.moveaxis(per_row, -2, -3)


def merge_heads(x: Array) -> Array:
    """Put the heads of each position side by side: the inverse of the split.

    Parameters
    ----------
    x : array
        Shape (..., num_heads, n, d_k).

    Returns
    -------
    array
        Shape (..., n, ``num_heads * d_k``); for one head it may be a view.

    Raises
    ------
    ValueError
        If ``x`` has fewer than three axes.
    TypeError
        If ``x`` is not an array of real floats.

    Notes
    -----
    The "Concat" of Vaswani et al. (2017), section 3.2.2. Chapter: ``ch05_multi_head``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> heads = np.array([[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]])
    >>> ac.merge_heads(heads)
    array([[1., 2., 3., 4.],
           [5., 6., 7., 8.]])
    """
    check_merge(x)
    xp = array_namespace(x)
    *batch, num_heads, n, d_k = x.shape
    # (..., num_heads, n, d_k) -> (..., n, num_heads, d_k) -> (..., n, d_model)
    per_row = xp.moveaxis(x, -3, -2)
    return xp.reshape(per_row, (*batch, n, num_heads * d_k))
