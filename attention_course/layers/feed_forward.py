"""The feed-forward layer: the same two matrices at every position."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._checks import check_count
from . import _checks
from ._init import he_, xavier_

NAME = "FeedForward"
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class FeedForward(nn.Module):
    r"""Transform each position alone: widen, apply a nonlinearity, narrow again.

    .. math::
        \mathrm{output} = \max(0,\; x W_1 + b_1)\, W_2 + b_2

    Parameters
    ----------
    d_model : int
        Width of input and output.
    d_ff : int
        Width between the two matrices.
    activation : str
        ``"relu"``, or ``"gelu"`` for x Φ(x) with the exact normal distribution function
        (Hendrycks and Gimpel 2016, section 2).

    Attributes
    ----------
    w_1 : torch.nn.Parameter
        Shape (d_model, d_ff), used as ``x @ w_1``; starts with He's scale.
    b_1 : torch.nn.Parameter
        Shape (d_ff,); zero at the start.
    w_2 : torch.nn.Parameter
        Shape (d_ff, d_model), used as ``hidden @ w_2``; starts with Xavier's scale.
    b_2 : torch.nn.Parameter
        Shape (d_model,); zero at the start.

    Raises
    ------
    ValueError
        If a size is below 1, or ``activation`` is not one of the two names.
    TypeError
        If a size is not a whole number.

    Notes
    -----
    Vaswani et al. (2017), section 3.3, equation 2. Chapter: ``ch07_feed_forward``.
    """

    def __init__(self, d_model: int, d_ff: int, *, activation: str = "relu") -> None:
        super().__init__()
        check_count(NAME, "d_model", d_model, minimum=1)
        check_count(NAME, "d_ff", d_ff, minimum=1)
        _checks.check_choice(NAME, "activation", activation, tuple(ACTIVATIONS))
        self.activation = activation
        self.w_1 = nn.Parameter(he_(torch.empty(d_model, d_ff)))
        self.b_1 = nn.Parameter(torch.zeros(d_ff))
        self.w_2 = nn.Parameter(xavier_(torch.empty(d_ff, d_model)))
        self.b_2 = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Transform every position.

        Parameters
        ----------
        x : torch.Tensor
            Shape (..., n, d_model).

        Returns
        -------
        torch.Tensor
            Shape (..., n, d_model).

        Raises
        ------
        ValueError
            If the last axis of ``x`` is not d_model.
        TypeError
            If ``x`` is not a tensor of the layer's dtype.
        """
        _checks.check_input(NAME, "x", x, self.w_1)
        hidden = ACTIVATIONS[self.activation](x @ self.w_1 + self.b_1)
        return hidden @ self.w_2 + self.b_2

    def extra_repr(self) -> str:
        """Return the sizes that ``print(layer)`` shows."""
        d_model, d_ff = self.w_1.shape
        return f"d_model={d_model}, d_ff={d_ff}, activation={self.activation!r}"
