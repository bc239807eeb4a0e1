"""Two ways to attend: torch's fused function, and step by step where weights are asked.

All arguments are per head: query (batch, num_heads, n_q, d_head), key and value
(batch, num_kv_heads, n_k, d_head); mask and bias broadcast to the scores
(batch, num_heads, n_q, n_k).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None,
    bias: Tensor | None,
    causal: bool,
    dropout: float,
) -> tuple[Tensor, None]:
    """Attend by torch's fused function, which need not store the scores."""
    if causal and (mask is not None or bias is not None):  # torch takes only one
        mask, causal = _and_causal(mask, query, key), False
    output = F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=_fold(mask, bias),
        dropout_p=dropout,
        is_causal=causal,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return output, None


def attend_with_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    mask: Tensor | None,
    bias: Tensor | None,
    causal: bool,
    dropout: float,
) -> tuple[Tensor, Tensor]:
    """Attend step by step, and return the weights as they were before dropout."""
    dtype = query.dtype
    if dtype in (torch.float16, torch.bfloat16):  # scores may overflow 16 bits
        query, key, value = query.float(), key.float(), value.float()
    if causal:
        mask = _and_causal(mask, query, key)
    scores = _matmul_per_group(query / math.sqrt(query.shape[-1]), key.mT)
    weights = _softmax_(scores, _fold(mask, bias))
    output = _matmul_per_group(F.dropout(weights, dropout), value)
    return output.to(dtype), weights.to(dtype)


def _and_causal(mask: Tensor | None, query: Tensor, key: Tensor) -> Tensor:
    """Return ``mask`` with the keys behind each query's own position removed."""
    shape = (query.shape[-2], key.shape[-2])
    causal = torch.ones(shape, dtype=torch.bool, device=query.device).tril()
    return causal if mask is None else mask & causal


def _fold(mask: Tensor | None, bias: Tensor | None) -> Tensor | None:
    """Write the mask into the bias as -inf, where there are both."""
    if mask is None or bias is None:
        return mask if bias is None else bias
    return torch.where(mask, bias, -math.inf)


def _matmul_per_group(x: Tensor, y: Tensor) -> Tensor:
    """Multiply the matrix of each head of x by that of the y head that it reads.

    The query heads that share a key head are stacked, (batch, num_heads, n_q, ...)
    -> (batch, num_kv_heads, group * n_q, ...), so y is never repeated.
    """
    batch, num_heads, n_q, width = x.shape
    stacked = x.reshape(batch, y.shape[1], num_heads // y.shape[1] * n_q, width)
    return (stacked @ y).view(batch, num_heads, n_q, y.shape[-1])


def _softmax_(scores: Tensor, mask_or_bias: Tensor | None) -> Tensor:
    """Return the weights, zero in a row without an allowed key; overwrites scores.

    Softmax of a row of -inf is NaN, and so is its gradient. Such rows keep their finite
    scores and lose their weights afterwards, which also makes their gradient zero.
    """
    if mask_or_bias is None:
        return torch.softmax(scores, dim=-1)
    is_mask = mask_or_bias.dtype == torch.bool
    forbidden = ~mask_or_bias if is_mask else mask_or_bias == -math.inf
    empty = forbidden.all(dim=-1, keepdim=True)
    if is_mask:
        scores.masked_fill_(forbidden & ~empty, -math.inf)
    else:
        scores += mask_or_bias.masked_fill(empty, 0.0)
    return torch.softmax(scores, dim=-1).masked_fill(empty, 0.0)
