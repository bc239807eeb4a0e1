"""Attention, from scores to several heads and positions, each function on one screen.

The functions take NumPy arrays and PyTorch tensors alike, and return what they were
given. Those that are given sizes alone return NumPy arrays, unless ``like`` says
otherwise. ``layers`` (PyTorch modules), ``plots`` (Matplotlib) and ``data`` (NumPy
arrays) are loaded on first use.
"""

import importlib
from types import ModuleType

from .attention import scaled_dot_product_attention as scaled_dot_product_attention
from .heads import merge_heads as merge_heads
from .heads import split_heads as split_heads
from .masks import causal_mask as causal_mask
from .masks import padding_mask as padding_mask
from .masks import sliding_window_mask as sliding_window_mask
from .positions import rotate as rotate
from .positions import sinusoidal_positions as sinusoidal_positions
from .scores import additive_scores as additive_scores
from .scores import cosine_scores as cosine_scores
from .scores import dot_product_scores as dot_product_scores
from .scores import scaled_dot_product_scores as scaled_dot_product_scores
from .weights import entropy as entropy
from .weights import masked_softmax as masked_softmax
from .weights import softmax as softmax

_ON_FIRST_USE = ("data", "layers", "plots")


def __getattr__(name: str) -> ModuleType:
    if name in _ON_FIRST_USE:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_ON_FIRST_USE])
