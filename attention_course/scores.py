"""From query and key to scores: how well each key answers each query."""

import math

from array_api_compat import array_namespace

from ._checks import check_additive, check_query_key, check_real
from ._precision import narrow, widen
from ._typing import Array


def dot_product_scores(query: Array, key: Array) -> Array:
    r"""Score every pair of query and key by their dot product.

    .. math:: S = Q K^\top

    Parameters
    ----------
    query : array
        Shape (..., n_q, d_k): one query a row.
    key : array
        Shape (..., n_k, d_k), with the same leading axes.

    Returns
    -------
    array
        Scores of shape (..., n_q, n_k), in the dtype of ``query``.

    Raises
    ------
    ValueError
        If widths or leading axes differ, or d_k is 0.
    TypeError
        If an input is not an array of real floats, or libraries or dtypes differ.

    Notes
    -----
    Luong et al. (2015), section 3.1, "dot". Chapter: ``ch02_query_key_value``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> query = np.array([[2.0, 1.0]])
    >>> ac.dot_product_scores(query, np.array([[1.0, 0.0], [1.0, 3.0]]))
    array([[2., 5.]])
    """
    check_query_key("dot_product_scores", query, key)
    xp = array_namespace(query)
    return narrow(widen(query) @ xp.matrix_transpose(widen(key)), like=query)


def scaled_dot_product_scores(
    query: Array, key: Array, *, scale: float | None = None
) -> Array:
    r"""Score by dot product, scaled so that the spread does not grow with d_k.

    .. math:: S = Q K^\top / \sqrt{d_k}

    Parameters
    ----------
    query : array
        Shape (..., n_q, d_k).
    key : array
        Shape (..., n_k, d_k), with the same leading axes.
    scale : float, optional
        Factor for the dot products; ``1 / sqrt(d_k)`` when not given.

    Returns
    -------
    array
        Scores of shape (..., n_q, n_k), in the dtype of ``query``.

    Raises
    ------
    ValueError
        If widths or leading axes differ, d_k is 0, or scale is beyond 1e15.
    TypeError
        If an input is not an array of real floats, or libraries or dtypes differ.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.1. Chapter: ``ch02_query_key_value``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> query = np.array([[1.0, 1.0, 1.0, 1.0]])
    >>> ac.scaled_dot_product_scores(query, np.array([[1.0, 2.0, 3.0, 4.0]]))
    array([[5.]])
    """
    check_query_key("scaled_dot_product_scores", query, key)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    check_real("scaled_dot_product_scores", "scale", scale)
    scale = float(scale)
    xp = array_namespace(query)
    scores = widen(query) @ xp.matrix_transpose(widen(key)) * scale
    return narrow(scores, like=query)


def cosine_scores(query: Array, key: Array) -> Array:
    r"""Score by the cosine of the angle, whatever the lengths.

    .. math:: S_{ij} = \frac{q_i \cdot k_j}{\lVert q_i \rVert \lVert k_j \rVert}

    Parameters
    ----------
    query : array
        Shape (..., n_q, d_k).
    key : array
        Shape (..., n_k, d_k), with the same leading axes.

    Returns
    -------
    array
        Scores of shape (..., n_q, n_k), each from −1 to 1 (but for rounding); 0 for a
        vector of zeros, which has no direction.

    Raises
    ------
    ValueError
        If widths or leading axes differ, or d_k is 0.
    TypeError
        If an input is not an array of real floats, or libraries or dtypes differ.

    Notes
    -----
    Used as "content-based addressing" by Graves et al. (2014), section 3.3.1,
    equation 6. Chapter: ``ch02_query_key_value``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> query = np.array([[3.0, 4.0]])
    >>> ac.cosine_scores(query, np.array([[30.0, 40.0], [0.0, 2.0]]))
    array([[1. , 0.8]])
    """
    check_query_key("cosine_scores", query, key)
    xp = array_namespace(query)
    scores = _unit(widen(query)) @ xp.matrix_transpose(_unit(widen(key)))
    return narrow(scores, like=query)


def _unit(rows: Array) -> Array:
    """Divide each row by its length; a row of zeros stays."""
    xp = array_namespace(rows)
    # With the largest entry at 1, no square overflows or vanishes.
    largest = xp.max(xp.abs(rows), axis=-1, keepdims=True)
    rows = rows / xp.where(largest > 0, largest, xp.ones_like(largest))
    squared = xp.sum(rows * rows, axis=-1, keepdims=True)
    # 1 stands in for 0 before the root: its gradient there would be infinite.
    return rows / xp.sqrt(xp.where(squared > 0, squared, xp.ones_like(squared)))


def additive_scores(
    query: Array, key: Array, w_query: Array, w_key: Array, v: Array
) -> Array:
    r"""Score by a small network with one hidden layer.

    .. math:: S_{ij} = \tanh(q_i W_q + k_j W_k)\, v

    Parameters
    ----------
    query : array
        Shape (..., n_q, d_query).
    key : array
        Shape (..., n_k, d_key), with the same leading axes.
    w_query : array
        Shape (d_query, d_hidden).
    w_key : array
        Shape (d_key, d_hidden).
    v : array
        Shape (d_hidden,).

    Returns
    -------
    array
        Scores of shape (..., n_q, n_k), in the dtype of ``query``.

    Raises
    ------
    ValueError
        If a parameter's shape does not fit, or leading axes differ.
    TypeError
        If an input is not an array of real floats, or libraries or dtypes differ.

    Notes
    -----
    Bahdanau et al. (2015), appendix A.1.2. Chapter: ``ch02_query_key_value``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> one = np.ones((1, 1))
    >>> ac.additive_scores(one, 0 * one, one, one, np.array([2.0])).round(4)
    array([[1.5232]])
    """
    check_additive(query, key, w_query, w_key, v)
    from_query = widen(query) @ widen(w_query)
    from_key = widen(key) @ widen(w_key)
    # (..., n_q, 1, d_hidden) + (..., 1, n_k, d_hidden): every query meets every key
    hidden = from_query[..., :, None, :] + from_key[..., None, :, :]
    xp = array_namespace(hidden)
    return narrow(xp.tanh(hidden) @ widen(v), like=query)
