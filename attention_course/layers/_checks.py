"""Argument checks of the layers: what is wrong, in the course's words."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .._checks import check_boolean, check_count, check_real

MULTI_HEAD = "MultiHeadAttention"


def check_divides(function: str, sizes: dict[str, int], reason: str) -> None:
    """Raise unless the first of the two named sizes is a multiple of the second."""
    (whole, total), (part, count) = sizes.items()
    if total % count:
        raise ValueError(
            f"{function}: {whole} must be divisible by {part}, because {reason}; "
            f"got {whole}={total} and {part}={count}."
        )


def check_choice(
    function: str, argument: str, choice: Any, known: Sequence[str]
) -> None:
    """Raise unless ``choice`` is one of the known names."""
    if choice not in known:
        options = " or ".join(repr(name) for name in known)
        raise ValueError(f"{function}: {argument} must be {options}; got {choice!r}.")


def check_probability(function: str, argument: str, probability: Any) -> None:
    """Raise unless ``probability`` is at least 0 and below 1."""
    check_real(function, argument, probability)
    if not 0.0 <= probability < 1.0:
        raise ValueError(
            f"{function}: {argument} must be at least 0 and below 1, because it is the "
            f"share of weights that is set to zero; got {probability}."
        )


def check_rows(function: str, argument: str, x: Any, width: int) -> None:
    """Raise unless ``x`` is a tensor of floats with rows of the given width."""
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{function}: {argument} must be a torch.Tensor, because a layer learns "
            f"through torch; got {type(x).__name__}."
        )
    if not x.is_floating_point():
        raise TypeError(
            f"{function}: {argument} must hold floating-point numbers; got {x.dtype}."
        )
    if x.ndim < 2 or x.shape[-1] != width:
        raise ValueError(
            f"{function}: {argument} must have shape (..., n, {width}), one row per "
            f"position; got {tuple(x.shape)}."
        )


def check_input(function: str, argument: str, x: Any, weight: Tensor) -> None:
    """Raise unless ``x @ weight`` works: rows of width d_in, in weight's dtype."""
    check_rows(function, argument, x, weight.shape[0])
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        raise TypeError(
            f"{function}: {argument} must have the dtype of the layer's parameters, "
            f"{weight.dtype}; got {x.dtype}. Convert the input or the layer."
        )


def check_values(function: str, key: Tensor, value: Any) -> None:
    """Raise unless ``value`` has one row per key and the key's leading axes."""
    if not isinstance(value, Tensor) or value.dtype != key.dtype:
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(
            f"{function}: value must be a torch.Tensor of the dtype of key, "
            f"{key.dtype}; got {kind}."
        )
    if value.ndim < 2 or value.shape[:-1] != key.shape[:-1]:
        raise ValueError(
            f"{function}: value must have shape (..., n_k, d_v), one row per key; got "
            f"key {tuple(key.shape)} and value {tuple(value.shape)}."
        )


def check_max_len(function: str, x: Tensor, max_len: int) -> None:
    """Raise if ``x`` has more positions than were learned."""
    if x.shape[-2] > max_len:
        raise ValueError(
            f"{function}: x must have at most max_len={max_len} positions, because no "
            f"vector was learned for the others; got n={x.shape[-2]}."
        )


def check_three_axes(function: str, argument: str, x: Tensor) -> None:
    """Raise unless ``x`` has exactly the axes batch, position and feature."""
    if x.ndim != 3:
        raise ValueError(
            f"{function}: {argument} must have three axes, (batch, n, features); got "
            f"shape {tuple(x.shape)}. Add a batch axis to a single example: x[None]."
        )


def check_aligned(function: str, query: Tensor, key: Tensor, value: Tensor) -> None:
    """Raise unless the three inputs form one batch of aligned examples."""
    if not query.shape[0] == key.shape[0] == value.shape[0]:
        raise ValueError(
            f"{function}: query, key and value must have the same batch size; got "
            f"{query.shape[0]}, {key.shape[0]} and {value.shape[0]}."
        )
    if key.shape[1] != value.shape[1]:
        raise ValueError(
            f"{function}: key and value must have the same number of rows (n_k), "
            f"because each key labels one value; got key {tuple(key.shape)} and value "
            f"{tuple(value.shape)}."
        )


def check_bias_dtype(function: str, bias: Any, dtype: torch.dtype) -> None:
    """Raise unless ``bias`` is a tensor that can be added to the scores."""
    if not isinstance(bias, Tensor) or bias.dtype != dtype:
        kind = bias.dtype if isinstance(bias, Tensor) else type(bias).__name__
        raise TypeError(
            f"{function}: bias must be a tensor of {dtype}, the dtype of the inputs, "
            f"because it is added to the scores; got {kind}. What may not be attended "
            "to is the argument mask."
        )


def check_score_shape(
    function: str, argument: str, x: Tensor, shape: tuple[int, int, int, int]
) -> None:
    """Raise unless ``x`` broadcasts to the scores under the layers' rank rule."""
    without_heads = (shape[0], *shape[2:])
    expected = {2: shape[2:], 3: without_heads, 4: shape}.get(x.ndim)
    if expected is None:
        raise ValueError(
            f"{function}: {argument} must have shape (n_q, n_k), (batch, n_q, n_k) or "
            f"(batch, num_heads, n_q, n_k); got {x.ndim} axes, {tuple(x.shape)}."
        )
    if any(size not in (1, full) for size, full in zip(x.shape, expected, strict=True)):
        raise ValueError(
            f"{function}: {argument} must have shape {tuple(expected)}, or 1 where it "
            "is the same for all, because it has one entry per score; got "
            f"{tuple(x.shape)}."
        )


def check_head_sizes(
    d_model: int,
    num_heads: int,
    num_kv_heads: int,
    input_widths: dict[str, int],
) -> None:
    """Raise unless the sizes fit each other."""
    counts = {"num_heads": num_heads, "num_kv_heads": num_kv_heads}
    for argument, size in {"d_model": d_model, **counts, **input_widths}.items():
        check_count(MULTI_HEAD, argument, size, minimum=1)
    check_divides(
        MULTI_HEAD,
        {"d_model": d_model, "num_heads": num_heads},
        "each head gets an equal share of the projected vector",
    )
    check_divides(
        MULTI_HEAD, counts, "equally many query heads read each key and value head"
    )


def check_convertible(module: nn.MultiheadAttention) -> None:
    """Raise unless ``module`` computes what a MultiHeadAttention computes."""
    function = f"{MULTI_HEAD}.from_torch"
    if not isinstance(module, nn.MultiheadAttention):
        raise TypeError(
            f"{function}: module must be a torch.nn.MultiheadAttention; "
            f"got {type(module).__name__}."
        )
    for option, used in {
        "add_bias_kv": module.bias_k is not None,
        "add_zero_attn": module.add_zero_attn,
    }.items():
        if used:
            raise ValueError(
                f"{function}: module must be built without {option}, because that "
                f"appends a key and a value of its own; got {option}=True."
            )


def check_heads_inputs(layer: Any, query: Tensor, key: Tensor, value: Tensor) -> None:
    """Raise unless the inputs fit the projections and each other."""
    inputs = {"query": query, "key": key, "value": value}
    for argument, x in inputs.items():
        w = getattr(layer, f"w_{argument}")
        check_input(MULTI_HEAD, argument, x, w)
        check_three_axes(MULTI_HEAD, argument, x)
    check_aligned(MULTI_HEAD, query, key, value)


def check_heads_options(
    layer: Any,
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
) -> None:
    """Raise unless mask and bias have one entry per score."""
    shape = (query.shape[0], layer.num_heads, query.shape[1], key.shape[1])
    if mask is not None:
        check_boolean(MULTI_HEAD, mask, query)
        check_score_shape(MULTI_HEAD, "mask", mask, shape)
    if bias is not None:
        check_bias_dtype(MULTI_HEAD, bias, query.dtype)
        check_score_shape(MULTI_HEAD, "bias", bias, shape)
