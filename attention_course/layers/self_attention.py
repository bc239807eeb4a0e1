"""Self-attention with one head: three projections of one input."""

import torch
from torch import Tensor, nn

from .._checks import check_count
from ..attention import scaled_dot_product_attention
from . import _checks
from ._init import he_, xavier_

NAME = "SelfAttention"
INITIALIZERS = {"xavier": xavier_, "he": he_}


class SelfAttention(nn.Module):
    r"""Let the positions of one sequence attend to each other, with one head.

    .. math::
        \mathrm{output} = \mathrm{softmax}\!\left(
        \frac{X W_Q (X W_K)^\top}{\sqrt{d_k}}\right) X W_V

    Parameters
    ----------
    d_model : int
        Width of the input.
    d_k : int
        Width of queries, keys and values.
    init : str
        How the projections start: ``"xavier"`` (Glorot and Bengio 2010, equation 16) or
        ``"he"`` (He et al. 2015, equation 10).

    Attributes
    ----------
    w_query : torch.nn.Parameter
        Shape (d_model, d_k), used as ``x @ w_query``. No projection has a bias.
    w_key : torch.nn.Parameter
        Shape (d_model, d_k), used as ``x @ w_key``.
    w_value : torch.nn.Parameter
        Shape (d_model, d_k), used as ``x @ w_value``.

    Raises
    ------
    ValueError
        If a size is below 1, or ``init`` is not one of the two names.
    TypeError
        If a size is not a whole number.

    Notes
    -----
    Vaswani et al. (2017), sections 3.2.1 and 3.2.3.
    Chapter: ``ch04_trainable_weights``.
    """

    def __init__(self, d_model: int, d_k: int, *, init: str = "xavier") -> None:
        super().__init__()
        check_count(NAME, "d_model", d_model, minimum=1)
        check_count(NAME, "d_k", d_k, minimum=1)
        _checks.check_choice(NAME, "init", init, tuple(INITIALIZERS))
        initialize = INITIALIZERS[init]
        self.w_query = nn.Parameter(initialize(torch.empty(d_model, d_k)))
        self.w_key = nn.Parameter(initialize(torch.empty(d_model, d_k)))
        self.w_value = nn.Parameter(initialize(torch.empty(d_model, d_k)))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Replace each row by a weighted mean of the projected rows.

        Parameters
        ----------
        x : torch.Tensor
            Shape (..., n, d_model).
        mask : torch.Tensor, optional
            Boolean, True where a position may attend; broadcasts to (..., n, n).

        Returns
        -------
        output : torch.Tensor
            Shape (..., n, d_k).
        weights : torch.Tensor
            Shape (..., n, n); row i says where position i looked.

        Raises
        ------
        ValueError
            If the last axis of ``x`` is not d_model, or ``mask`` does not fit.
        TypeError
            If ``x`` is not a tensor of the layer's dtype, or ``mask`` not boolean.
        """
        _checks.check_input(NAME, "x", x, self.w_query)
        return scaled_dot_product_attention(
            x @ self.w_query, x @ self.w_key, x @ self.w_value, mask
        )

    def extra_repr(self) -> str:
        """Return the sizes that ``print(layer)`` shows."""
        d_model, d_k = self.w_query.shape
        return f"d_model={d_model}, d_k={d_k}"
