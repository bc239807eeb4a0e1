"""The one place where a mask means the opposite: ``torch.nn.MultiheadAttention``."""

import torch
from torch import Tensor

from .._checks import check_boolean
from .._typing import Array

NAME = "to_torch_key_padding_mask"


def to_torch_key_padding_mask(mask: Array) -> Tensor:
    """Turn our padding mask into the one that ``torch.nn.MultiheadAttention`` reads.

    In the course True means "may attend"; in its ``key_padding_mask`` True means
    "ignore this key".

    Parameters
    ----------
    mask : array
        Boolean, True for the keys that are real: shape (batch, n_k), or (batch, 1, n_k)
        as ``padding_mask`` returns it, from NumPy or PyTorch.

    Returns
    -------
    torch.Tensor
        Boolean, shape (batch, n_k), True for the keys that are padding.

    Raises
    ------
    ValueError
        If ``mask`` has another shape: torch's argument holds one row per example, so it
        cannot treat the queries of an example differently.
    TypeError
        If ``mask`` is not a boolean array.

    Notes
    -----
    Chapter: ``ch05_multi_head``.
    """
    check_boolean(NAME, mask, mask)
    if mask.ndim == 3 and mask.shape[1] == 1:
        mask = mask[:, 0, :]
    if mask.ndim != 2:
        raise ValueError(
            f"{NAME}: mask must have shape (batch, n_k) or (batch, 1, n_k), because "
            "torch's key_padding_mask is the same for all queries; got "
            f"{tuple(mask.shape)}."
        )
    return ~torch.as_tensor(mask)
