"""Layers with trainable parameters, as ``torch.nn.Module`` objects.

Importing this module imports torch.

Every projection matrix is stored as (d_in, d_out) and used as ``x @ w``, so that the
formula ``X W_Q`` of the chapters is the code. ``torch.nn.Linear`` stores the transpose.
"""

from .additive import AdditiveAttention
from .converters import to_torch_key_padding_mask
from .feed_forward import FeedForward
from .multi_head import MultiHeadAttention
from .positions import LearnedPositions, SinusoidalPositions
from .self_attention import SelfAttention

__all__ = [
    "AdditiveAttention",
    "FeedForward",
    "LearnedPositions",
    "MultiHeadAttention",
    "SelfAttention",
    "SinusoidalPositions",
    "to_torch_key_padding_mask",
]
