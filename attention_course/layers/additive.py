"""Additive attention: the score is a small network of query and key."""

import torch
from torch import Tensor, nn

from .._checks import check_count
from ..scores import additive_scores
from ..weights import masked_softmax
from . import _checks
from ._init import xavier_

NAME = "AdditiveAttention"


class AdditiveAttention(nn.Module):
    r"""Score each query with each key by a network with one hidden layer.

    .. math::
        \mathrm{score}(q, k) = \tanh(q\, W_q + k\, W_k)\, v

    Queries and keys may have different widths: in translation a query is a state of the
    decoder, and a key one of the encoder.

    Parameters
    ----------
    d_query : int
        Width of a query.
    d_key : int
        Width of a key.
    d_hidden : int
        Width of the hidden layer.

    Attributes
    ----------
    w_query : torch.nn.Parameter
        Shape (d_query, d_hidden), used as ``query @ w_query``.
    w_key : torch.nn.Parameter
        Shape (d_key, d_hidden), used as ``key @ w_key``.
    v : torch.nn.Parameter
        Shape (d_hidden,), with Xavier's scale, which shrinks as d_hidden grows; with
        entries of a fixed size, the spread of the scores would grow with it and the
        softmax would start near saturation.

    Raises
    ------
    ValueError
        If a size is below 1.
    TypeError
        If a size is not a whole number.

    Notes
    -----
    Bahdanau et al. (2015), appendix A.1.2. Chapter: ``ch04_trainable_weights``.
    """

    def __init__(self, d_query: int, d_key: int, d_hidden: int) -> None:
        super().__init__()
        sizes = {"d_query": d_query, "d_key": d_key, "d_hidden": d_hidden}
        for argument, size in sizes.items():
            check_count(NAME, argument, size, minimum=1)
        self.w_query = nn.Parameter(xavier_(torch.empty(d_query, d_hidden)))
        self.w_key = nn.Parameter(xavier_(torch.empty(d_key, d_hidden)))
        self.v = nn.Parameter(xavier_(torch.empty(d_hidden, 1)).squeeze(-1))

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Let every query collect from the values.

        Parameters
        ----------
        query : torch.Tensor
            Shape (..., n_q, d_query); one decoder state per example is
            (batch, 1, d_query).
        key : torch.Tensor
            Shape (..., n_k, d_key).
        value : torch.Tensor, optional
            Shape (..., n_k, d_v), any d_v; ``key`` by default, as in the paper.
        mask : torch.Tensor, optional
            Boolean, True where a query may attend; broadcasts to (..., n_q, n_k).

        Returns
        -------
        output : torch.Tensor
            Shape (..., n_q, d_v).
        weights : torch.Tensor
            Shape (..., n_q, n_k); zero in a row that may attend to nothing.

        Raises
        ------
        ValueError
            If shapes do not fit each other or the layer.
        TypeError
            If an input is not a tensor of the layer's dtype, or ``mask`` not boolean.
        """
        value = key if value is None else value
        _checks.check_input(NAME, "query", query, self.w_query)
        _checks.check_input(NAME, "key", key, self.w_key)
        _checks.check_values(NAME, key, value)
        scores = additive_scores(query, key, self.w_query, self.w_key, self.v)
        weights = masked_softmax(scores, mask)
        return weights @ value, weights

    def extra_repr(self) -> str:
        """Return the sizes that ``print(layer)`` shows."""
        d_query, d_hidden = self.w_query.shape
        return f"d_query={d_query}, d_key={self.w_key.shape[0]}, d_hidden={d_hidden}"
