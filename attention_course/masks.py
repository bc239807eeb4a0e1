"""From sizes and lengths to masks: True means "may attend"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj

from ._checks import check_count, check_is_array, check_lengths, check_mask_sizes
from ._typing import Array


def _library(function: str, like: Array | None) -> tuple[Any, Any]:
    """Return the namespace and device of ``like``; NumPy's when there is none."""
    if like is None:
        return np, None
    check_is_array(function, like=like)
    return array_namespace(like), device(like)


def causal_mask(
    n_q: int, n_k: int | None = None, *, offset: int = 0, like: Array | None = None
) -> Array:
    """Allow each query the keys up to its own position.

    Query i may attend to the keys from 0 to ``i + offset``.

    Parameters
    ----------
    n_q : int
        Number of queries.
    n_k : int, optional
        Number of keys; ``n_q + offset`` when not given.
    offset : int
        How many keys precede the first query. 0 aligns first with first, as torch,
        JAX and ONNX do; a cache passes its length; ``n_k - n_q`` aligns last with last.
    like : array, optional
        Gives library and device; NumPy when not given.

    Returns
    -------
    array
        Boolean, of shape (n_q, n_k), True where a query may attend to a key.

    Raises
    ------
    ValueError
        If a size is negative.
    TypeError
        If a size or the offset is not an integer.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.3. Chapter: ``ch03_matrix_form``.

    Examples
    --------
    >>> import attention_course as ac
    >>> ac.causal_mask(2, offset=1).astype(int)
    array([[1, 1, 0],
           [1, 1, 1]])
    """
    check_mask_sizes("causal_mask", n_q, n_k, offset)
    xp, where = _library("causal_mask", like)
    # int: sizes of NumPy's narrow integers would wrap around when added
    n_q, offset = int(n_q), int(offset)
    n_k = n_q + offset if n_k is None else int(n_k)
    query_position = xp.arange(n_q, device=where)[:, None] + offset
    key_position = xp.arange(n_k, device=where)[None, :]
    return key_position <= query_position


def padding_mask(
    lengths: Array | Sequence[int], n_k: int, *, like: Array | None = None
) -> Array:
    """Allow the real tokens of each example and hide the padding behind them.

    Parameters
    ----------
    lengths : array or sequence
        Integers of shape (batch,): how many of the ``n_k`` keys are real.
    n_k : int
        Number of keys, padding included.
    like : array, optional
        Gives library and device; those of ``lengths`` when not given, NumPy for a
        list.

    Returns
    -------
    array
        Boolean, of shape (batch, 1, n_k): the same for every query.

    Raises
    ------
    ValueError
        If a length is below 0 or beyond ``n_k``.
    TypeError
        If lengths are not integers.

    Notes
    -----
    Chapter: ``ch03_matrix_form``.

    Examples
    --------
    >>> import attention_course as ac
    >>> ac.padding_mask([3, 1], 3).astype(int)
    array([[[1, 1, 1]],
    <BLANKLINE>
           [[1, 0, 0]]])
    """
    check_lengths(lengths, n_k)
    if like is None and is_array_api_obj(lengths):
        like = lengths
    xp, where = _library("padding_mask", like)
    counts = [int(length) for length in lengths]
    real = xp.asarray(counts, dtype=xp.int64, device=where)[:, None, None]
    return xp.arange(int(n_k), device=where)[None, None, :] < real


def sliding_window_mask(
    n_q: int,
    n_k: int | None = None,
    *,
    window: int,
    offset: int = 0,
    like: Array | None = None,
) -> Array:
    """Allow each query a window of keys that ends at its own position.

    Query i may attend to the keys from ``i + offset - window + 1`` to ``i + offset``.

    Parameters
    ----------
    n_q : int
        Number of queries.
    n_k : int, optional
        Number of keys; ``n_q + offset`` when not given.
    window : int
        Number of keys that a query may see, its own position included.
    offset : int
        How many keys precede the first query.
    like : array, optional
        Gives library and device; NumPy when not given.

    Returns
    -------
    array
        Boolean, of shape (n_q, n_k), True where a query may attend to a key.

    Raises
    ------
    ValueError
        If a size is negative or the window below 1.
    TypeError
        If a size, the window or the offset is not an integer.

    Notes
    -----
    Beltagy et al. (2020), section 3.1; causal, as in Jiang et al. (2023), section 2.
    Chapter: ``ch03_matrix_form``.

    Examples
    --------
    >>> import attention_course as ac
    >>> ac.sliding_window_mask(3, window=2).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [0, 1, 1]])
    """
    check_mask_sizes("sliding_window_mask", n_q, n_k, offset)
    check_count("sliding_window_mask", "window", window, minimum=1)
    if like is not None:
        check_is_array("sliding_window_mask", like=like)
    up_to_here = causal_mask(n_q, n_k, offset=offset, like=like)
    n_k = up_to_here.shape[1]
    too_old = int(offset) - int(window)
    out_of_sight = causal_mask(n_q, n_k, offset=too_old, like=like)
    return up_to_here & ~out_of_sight
