"""From weights and value to output: the average that a query asked for."""

import math

from array_api_compat import array_namespace

from ._checks import check_attention
from ._precision import narrow, widen
from ._typing import Array
from .masks import causal_mask
from .weights import masked_softmax


def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    bias: Array | None = None,
    scale: float | None = None,
    causal: bool = False,
) -> tuple[Array, Array]:
    r"""Average the values, weighted by how well each key answers the query.

    .. math:: \mathrm{softmax}(Q K^\top / \sqrt{d_k} + B)\, V

    with :math:`B` for the ``bias``; the mask is applied within the softmax.

    Parameters
    ----------
    query : array
        Shape (..., n_q, d_k). From four axes on, the third from the end is the heads.
    key : array
        Shape (..., n_k, d_k), with the same leading axes; from four axes on it may
        have fewer heads: query head h reads head ``h // (num_heads // num_kv_heads)``.
    value : array
        Shape (..., n_k, d_v), with the leading axes of ``key``.
    mask : array, optional
        Boolean, True where a query may attend to a key: (n_q, n_k), or as many axes
        as the weights, with 1 where it is the same for all.
    bias : array, optional
        Added to the scaled scores; shapes as for ``mask``.
    scale : float, optional
        Factor for the dot products; ``1 / sqrt(d_k)`` when not given.
    causal : bool
        Also hide from query i every key after key i.

    Returns
    -------
    output : array
        Shape (..., n_q, d_v): one weighted mean of values per query, zero for a query
        that may attend to nothing.
    weights : array
        Shape (..., n_q, n_k): row i sums to 1 and says where query i looked; it is
        zero if query i may attend to nothing. One matrix per head, never averaged.

    Raises
    ------
    ValueError
        If shapes do not fit together, d_k is 0, or scale is beyond 1e15.
    TypeError
        If an input is not an array of real floats, the mask is not boolean, or
        libraries or dtypes differ.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.1, equation 1; fewer key-value heads: Shazeer
    (2019), Ainslie et al. (2023). Chapter: ``ch03_matrix_form``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> query, key, value = np.zeros((1, 2)), np.ones((3, 2)), np.eye(3) * 3
    >>> output, weights = ac.scaled_dot_product_attention(query, key, value)
    >>> output
    array([[1., 1., 1.]])
    """
    check_attention(query, key, value, mask, bias, scale, causal)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    if causal:
        in_order = causal_mask(query.shape[-2], key.shape[-2], like=query)
        mask = in_order if mask is None else mask & in_order
    key, value = _one_per_query_head(query, key), _one_per_query_head(query, value)

    xp = array_namespace(query)
    scores = widen(query) @ xp.matrix_transpose(widen(key)) * scale
    if bias is not None:
        scores = scores + widen(bias)
    weights = masked_softmax(scores, mask)
    output = weights @ widen(value)
    return narrow(output, like=query), narrow(weights, like=query)


def _one_per_query_head(query: Array, shared: Array) -> Array:
    """Repeat each key or value head for every query head of its group."""
    if query.ndim < 4 or query.shape[-3] == shared.shape[-3]:
        return shared
    group = query.shape[-3] // shared.shape[-3]
    return array_namespace(shared).repeat(shared, group, axis=-3)
