"""First values of projection matrices, stored as (d_in, d_out)."""

import math

import torch
from torch import Tensor


@torch.no_grad()
def xavier_(weight: Tensor) -> Tensor:
    """Fill ``weight`` uniformly, with variance 2 / (d_in + d_out).

    Glorot and Bengio (2010), equation 16: between 1 / d_in, which keeps the variance of
    signals, and 1 / d_out, which keeps that of gradients.
    """
    d_in, d_out = weight.shape
    bound = math.sqrt(6.0 / (d_in + d_out))
    return weight.uniform_(-bound, bound)


@torch.no_grad()
def he_(weight: Tensor) -> Tensor:
    """Fill ``weight`` from a normal distribution of variance 2 / d_in.

    He et al. (2015), equation 10: right before a ReLU, which drops half the signal.
    (``torch.nn.init.kaiming_normal_`` reads the axes as (d_out, d_in) and would use the
    wrong one here.)
    """
    d_in, _ = weight.shape
    return weight.normal_(0.0, math.sqrt(2.0 / d_in))
