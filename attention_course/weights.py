"""From scores to weights: shares that are positive and sum to one."""

from array_api_compat import array_namespace

from ._checks import check_mask_for_scores, check_softmax, check_weights
from ._precision import narrow, widen
from ._typing import Array


def softmax(scores: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    r"""Turn scores into shares along one axis.

    .. math:: p_i = \frac{e^{s_i / T}}{\sum_j e^{s_j / T}}

    Parameters
    ----------
    scores : array
        At least one axis. A score of minus infinity gets the weight 0; one of plus
        infinity makes its row NaN, since no share of infinity is defined.
    axis : int
        The axis along which the scores compete.
    temperature : float
        From 1e-15 to 1e15. Below 1 it sharpens the shares, above 1 it evens them
        out.

    Returns
    -------
    array
        Weights of the same shape and dtype, which sum to 1 along ``axis``; all zero
        where every score is minus infinity.

    Raises
    ------
    ValueError
        If the axis does not exist or the temperature is out of its range.
    TypeError
        If ``scores`` is not an array of real floats.

    Notes
    -----
    Bridle (1990); with a temperature, Hinton et al. (2015), equation 1.
    Chapter: ``ch01_softmax``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> ac.softmax(np.array([2.0, 1.0, 0.1])).round(3)
    array([0.659, 0.242, 0.099])
    """
    check_softmax("softmax", scores, axis, temperature)
    xp, axis = array_namespace(scores), int(axis)
    if scores.shape[axis] == 0:
        return xp.exp(scores)  # nothing competes, nothing is shared out
    wide = widen(scores)
    highest = xp.max(wide, axis=axis, keepdims=True)
    # With the highest at 0, exp never overflows. All -inf: leave them as they are.
    highest = xp.where(highest == -xp.inf, xp.zeros_like(highest), highest)
    exponentials = xp.exp((wide - highest) / float(temperature))
    total = xp.sum(exponentials, axis=axis, keepdims=True)
    total = xp.where(total == 0, xp.ones_like(total), total)
    return narrow(exponentials / total, like=scores)


def masked_softmax(
    scores: Array, mask: Array | None = None, *, axis: int = -1
) -> Array:
    r"""Turn scores into shares among the allowed entries alone.

    .. math:: p_i = \frac{m_i e^{s_i}}{\sum_j m_j e^{s_j}}

    where :math:`m_i` is 1 if the mask is True at entry i, and 0 if it is False.

    Parameters
    ----------
    scores : array
        At least one axis.
    mask : array, optional
        Boolean, True where a score counts; broadcast over ``scores``.
    axis : int
        The axis along which the scores compete.

    Returns
    -------
    array
        Weights of the same shape and dtype: 0 where the mask is False, and 0 in all
        of a row that may attend to nothing.

    Raises
    ------
    ValueError
        If the axis does not exist or the mask does not fit the scores.
    TypeError
        If ``scores`` is not an array of real floats, or ``mask`` is not boolean.

    Notes
    -----
    Vaswani et al. (2017), section 3.2.3: illegal connections are set to minus
    infinity before the softmax. Chapter: ``ch03_matrix_form``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> ac.masked_softmax(np.zeros(3), np.array([True, False, True]))
    array([0.5, 0. , 0.5])
    """
    check_softmax("masked_softmax", scores, axis)
    if mask is None:
        return softmax(scores, axis=axis)
    check_mask_for_scores("masked_softmax", mask, scores)
    xp = array_namespace(scores)
    forbidden = xp.full_like(scores, -xp.inf)
    return softmax(xp.where(mask, scores, forbidden), axis=axis)


def entropy(weights: Array, *, axis: int = -1) -> Array:
    r"""Measure how widely the weights are spread.

    .. math:: H(p) = -\sum_i p_i \ln p_i

    Parameters
    ----------
    weights : array
        Nowhere negative.
    axis : int
        The axis along which they sum to 1.

    Returns
    -------
    array
        Entropy in nats, without ``axis``: 0 when one entry has all the weight, ln n
        when all n are equal.

    Raises
    ------
    ValueError
        If the axis does not exist or a weight is negative.
    TypeError
        If ``weights`` is not an array of real floats.

    Notes
    -----
    Shannon (1948), section 6. Chapter: ``ch01_softmax``.

    Examples
    --------
    >>> import numpy as np
    >>> import attention_course as ac
    >>> print(ac.entropy(np.array([0.5, 0.5])).round(4))
    0.6931
    """
    check_weights("entropy", weights, axis)
    xp, axis = array_namespace(weights), int(axis)
    wide = widen(weights)
    # 0 ln 0 = 0; ln 1 = 0 stands in for it, so that gradients stay finite too
    logs = xp.log(xp.where(wide > 0, wide, xp.ones_like(wide)))
    # 0 - x and not -x, which would print certainty as -0
    return narrow(0 - xp.sum(wide * logs, axis=axis), like=weights)
