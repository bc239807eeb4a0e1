"""Positions added to an input: X + P, with P computed or learned."""

import torch
from torch import Tensor, nn

from .._checks import check_count, check_even_width, check_positive
from ..positions import sinusoidal_positions
from . import _checks


class SinusoidalPositions(nn.Module):
    """Add sines and cosines of each position; nothing is learned, any length works.

    Parameters
    ----------
    d_model : int
        Width of the input; even.
    base : float
        The slowest wave has the wavelength
        ``2 * pi * base ** ((d_model - 2) / d_model)``.

    Raises
    ------
    ValueError
        If ``d_model`` is odd or below 1, or ``base`` is not positive.
    TypeError
        If ``d_model`` is not a whole number.

    Notes
    -----
    Vaswani et al. (2017), section 3.5. Chapter: ``ch06_position_encoding``.
    """

    def __init__(self, d_model: int, *, base: float = 10000.0) -> None:
        super().__init__()
        check_count("SinusoidalPositions", "d_model", d_model, minimum=1)
        check_even_width("SinusoidalPositions", "d_model", d_model)
        check_positive(
            "SinusoidalPositions", "base", base, "wavelengths are powers of it"
        )
        self.d_model = d_model
        self.base = base

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus its positions.

        Parameters
        ----------
        x : torch.Tensor
            Shape (..., n, d_model); row i is position i.

        Returns
        -------
        torch.Tensor
            Shape (..., n, d_model).

        Raises
        ------
        ValueError
            If the last axis of ``x`` is not d_model.
        TypeError
            If ``x`` is not a tensor of real numbers.
        """
        _checks.check_rows("SinusoidalPositions", "x", x, self.d_model)
        n = x.shape[-2]
        return x + sinusoidal_positions(n, self.d_model, base=self.base, like=x)

    def extra_repr(self) -> str:
        """Return the sizes that ``print(layer)`` shows."""
        return f"d_model={self.d_model}, base={self.base}"


class LearnedPositions(nn.Module):
    """Add a trainable vector for each position, up to a largest length.

    Parameters
    ----------
    d_model : int
        Width of the input.
    max_len : int
        Number of positions that have a vector.

    Attributes
    ----------
    positions : torch.nn.Parameter
        Shape (max_len, d_model); normal with standard deviation 0.02 at the start.

    Raises
    ------
    ValueError
        If a size is below 1.
    TypeError
        If a size is not a whole number.

    Notes
    -----
    Gehring et al. (2017), section 3.1; the first scale is that of Radford et al.
    (2018), section 4.1. Chapter: ``ch06_position_encoding``.
    """

    def __init__(self, d_model: int, *, max_len: int) -> None:
        super().__init__()
        check_count("LearnedPositions", "d_model", d_model, minimum=1)
        check_count("LearnedPositions", "max_len", max_len, minimum=1)
        self.positions = nn.Parameter(torch.empty(max_len, d_model))
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus its positions.

        Parameters
        ----------
        x : torch.Tensor
            Shape (..., n, d_model) with n at most max_len; row i is position i.

        Returns
        -------
        torch.Tensor
            Shape (..., n, d_model).

        Raises
        ------
        ValueError
            If ``x`` is longer than max_len, or its last axis is not d_model.
        TypeError
            If ``x`` is not a tensor of the layer's dtype.
        """
        _checks.check_input("LearnedPositions", "x", x, self.positions.T)
        _checks.check_max_len("LearnedPositions", x, self.positions.shape[0])
        return x + self.positions[: x.shape[-2]]

    def extra_repr(self) -> str:
        """Return the sizes that ``print(layer)`` shows."""
        max_len, d_model = self.positions.shape
        return f"d_model={d_model}, max_len={max_len}"
