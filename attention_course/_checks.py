"""Every check of an argument, so that the functions themselves stay formulas.

Each message says: function, argument, rule, reason, what came, what to try.
"""

import numbers
from collections.abc import Sequence
from itertools import pairwise
from reprlib import repr as shortened
from typing import NoReturn

from array_api_compat import array_namespace, device, is_array_api_obj

from ._typing import Array

# Beyond this, or below its inverse, a factor overflows or vanishes in float32.
LARGEST = 1e15


def _listed(arrays: dict[str, Array]) -> str:
    """Name the arrays and their shapes: "query (3, 4) and key (5, 2)"."""
    return " and ".join(f"{name} {tuple(a.shape)}" for name, a in arrays.items())


def _reject(function: str, text: str) -> NoReturn:
    raise ValueError(f"{function}: {text}")


def check_is_array(function: str, *, dtype: str = "float", **arrays: Array) -> None:
    """Refuse lists, numbers and whatever else has no axes."""
    for name, array in arrays.items():
        if not is_array_api_obj(array):
            raise TypeError(
                f"{function}: {name} must be an array (NumPy, PyTorch or another "
                "library of the array API standard), because shape and dtype are "
                f"read from it; got {type(array).__name__}. "
                f"Try np.asarray({name}, dtype={dtype})."
            )


def check_same_library(function: str, **arrays: Array) -> None:
    """Refuse a mixture of libraries or of devices."""
    for (name, one), (other_name, other) in pairwise(arrays.items()):
        libraries = [array_namespace(a).__name__.split(".")[-1] for a in (one, other)]
        if libraries[0] != libraries[1]:
            raise TypeError(
                f"{function}: {name} and {other_name} must come from one library, "
                f"because no operation works across two; got {name} from "
                f"{libraries[0]} and {other_name} from {libraries[1]}."
            )
        if device(one) != device(other):
            _reject(
                function,
                f"{name} and {other_name} must be on one device, because no operation "
                f"reads the memory of two; got {name} on {device(one)} and "
                f"{other_name} on {device(other)}.",
            )


def check_floating(function: str, **arrays: Array) -> None:
    """Refuse whatever is not an array of real floats; one library, one dtype."""
    check_is_array(function, **arrays)
    for name, array in arrays.items():
        if not array_namespace(array).isdtype(array.dtype, "real floating"):
            raise TypeError(
                f"{function}: {name} must hold real floating-point numbers, because "
                f"results are fractions; got dtype {array.dtype}. Convert it first, "
                "for example to float64."
            )
    check_same_library(function, **arrays)
    for (name, one), (other_name, other) in pairwise(arrays.items()):
        if one.dtype != other.dtype:
            raise TypeError(
                f"{function}: {name} and {other_name} must have the same dtype, "
                "because the result has it too; got "
                f"{name} {one.dtype} and {other_name} {other.dtype}."
            )


def check_boolean(
    function: str, mask: Array, like: Array, like_name: str = "scores"
) -> None:
    """Refuse masks that are not boolean arrays of the library of ``like``."""
    check_is_array(function, dtype="bool", mask=mask)
    if not array_namespace(mask).isdtype(mask.dtype, "bool"):
        raise TypeError(
            f"{function}: mask must be boolean, True where a query may attend to a "
            f"key; got dtype {mask.dtype}. Numbers to add to the scores are a bias, "
            "not a mask; for a mask of 0 and 1, pass mask == 1."
        )
    check_same_library(function, **{"mask": mask, like_name: like})


def check_integer(function: str, name: str, value: int) -> None:
    """Refuse whatever is not one integer."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{function}: {name} must be an integer, because it counts or numbers "
            f"something; got {shortened(value)}."
        )


def check_axis(function: str, name: str, array: Array, axis: int) -> None:
    """Refuse an axis that the array does not have."""
    check_integer(function, "axis", axis)
    if array.ndim == 0:
        _reject(
            function,
            f"{name} must have at least one axis, because a share is a share among "
            f"several; got a single number, {name} ().",
        )
    if not -array.ndim <= axis < array.ndim:
        _reject(
            function,
            f"axis must be one of the axes of {name}, from {-array.ndim} to "
            f"{array.ndim - 1}, because it says along which the numbers belong "
            f"together; got axis={axis} for {name} {tuple(array.shape)}.",
        )


def check_real(function: str, name: str, value: float) -> None:
    """Refuse whatever is not one real number of a size that float32 can take."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{function}: {name} must be one real number, because it is the same for "
            f"all entries; got {type(value).__name__}."
        )
    if not abs(value) <= LARGEST:
        _reject(
            function,
            f"{name} must be finite, and at most {LARGEST:g} in size, because "
            f"products with more can overflow float32; got {name}={shortened(value)}.",
        )


def check_positive(function: str, name: str, value: float, because: str) -> None:
    """Refuse whatever is not one finite number above zero."""
    check_real(function, name, value)
    if value <= 0:
        _reject(
            function, f"{name} must be above 0, because {because}; got {name}={value}."
        )
    if value < 1 / LARGEST:
        _reject(
            function,
            f"{name} must be at least {1 / LARGEST:g}, because to divide by less "
            f"can overflow float32; got {name}={value}.",
        )


def check_count(function: str, name: str, value: int, minimum: int = 0) -> None:
    """Refuse whatever is not an integer of at least ``minimum``."""
    check_integer(function, name, value)
    if value < minimum:
        _reject(
            function,
            f"{name} must be at least {minimum}, because it is a number of things; "
            f"got {name}={value}.",
        )


def check_even_width(function: str, name: str, width: int) -> None:
    """Refuse an odd width, or none, where numbers come in pairs."""
    if width % 2 or width == 0:
        _reject(
            function,
            f"{name} must be even and at least 2, because sine and cosine (or the two "
            f"coordinates that turn together) come in pairs; got {name}={width}.",
        )


def check_flag(function: str, name: str, value: bool) -> None:
    """Refuse whatever is not True or False."""
    if not isinstance(value, bool):
        raise TypeError(
            f"{function}: {name} must be Python's True or False, because it switches "
            f"one thing on or off; got {shortened(value)}."
        )


def check_rows(function: str, **arrays: Array) -> None:
    """Each array is a stack of row vectors: two axes or more."""
    for name, array in arrays.items():
        if array.ndim < 2:
            _reject(
                function,
                f"{name} must have at least two axes, (n, width), because each row is "
                f"one position; got {name} {tuple(array.shape)}. "
                f"For a single vector pass {name}[None, :].",
            )


def check_leading_axes(function: str, **arrays: Array) -> None:
    """Refuse ranks that differ, or sizes that differ before the last two axes."""
    for (name, one), (other_name, other) in pairwise(arrays.items()):
        pair = {name: one, other_name: other}
        if one.ndim != other.ndim:
            _reject(
                function,
                f"{name} and {other_name} must have the same number of axes, because "
                f"examples and heads are matched one to one; got {_listed(pair)}.",
            )
        if one.shape[:-2] != other.shape[:-2]:
            _reject(
                function,
                f"{name} and {other_name} must agree on every leading axis, because "
                "each example is attended to on its own and nothing is repeated "
                f"silently; got {_listed(pair)}.",
            )


def check_same_width(function: str, query: Array, key: Array) -> None:
    """Query and key must live in the same space, of at least one dimension."""
    if query.shape[-1] != key.shape[-1]:
        _reject(
            function,
            "query and key must have the same last axis (d_k), because a score is "
            f"their dot product; got {_listed({'query': query, 'key': key})}. "
            "Pass key untransposed, as (..., n_k, d_k).",
        )
    if query.shape[-1] == 0:
        _reject(
            function,
            "query and key must be at least one number wide (d_k >= 1), because a "
            "vector without coordinates matches nothing; got "
            f"{_listed({'query': query, 'key': key})}.",
        )


def check_query_key(function: str, query: Array, key: Array) -> None:
    """All that a score needs: floats, rows, same leading axes, same width."""
    check_floating(function, query=query, key=key)
    check_rows(function, query=query, key=key)
    check_leading_axes(function, query=query, key=key)
    check_same_width(function, query, key)


def check_additive(
    query: Array, key: Array, w_query: Array, w_key: Array, v: Array
) -> None:
    """Shapes of additive attention's three parameters."""
    name = "additive_scores"
    check_floating(name, query=query, key=key, w_query=w_query, w_key=w_key, v=v)
    check_rows(name, query=query, key=key)
    check_leading_axes(name, query=query, key=key)
    hidden = tuple(v.shape)
    if len(hidden) != 1 or hidden[0] == 0:
        _reject(
            name,
            "v must have one axis, (d_hidden,), and at least one number, because it "
            f"weighs each hidden unit by one number; got v {hidden}.",
        )
    for side, rows, projection in (("query", query, w_query), ("key", key, w_key)):
        wanted = (rows.shape[-1], *hidden)
        if tuple(projection.shape) != wanted:
            _reject(
                name,
                f"w_{side} must have shape (d_{side}, d_hidden) = {wanted}, because it "
                f"takes {side} rows to the width of v; got "
                f"w_{side} {tuple(projection.shape)}.",
            )


def check_heads(function: str, query: Array, key: Array, value: Array) -> None:
    """Leading axes of attention: equal, but for fewer key-value heads from rank 4."""
    check_leading_axes(function, key=key, value=value)
    if query.ndim < 4 or query.ndim != key.ndim:
        check_leading_axes(function, query=query, key=key)
        return
    if query.shape[:-3] != key.shape[:-3]:
        _reject(
            function,
            "query and key must agree on every axis before the heads, because each "
            "example is attended to on its own; got "
            f"{_listed({'query': query, 'key': key})}.",
        )
    num_heads, num_kv_heads = query.shape[-3], key.shape[-3]
    shared = num_kv_heads > 0 and num_heads % num_kv_heads == 0
    if num_heads != num_kv_heads and not shared:
        _reject(
            function,
            "the number of query heads (axis -3) must be a multiple of the number of "
            "key and value heads, because each of those serves a group of equal size; "
            f"got {num_heads} query heads and {num_kv_heads} key and value heads.",
        )


def check_over_weights(
    function: str, name: str, array: Array, shape: Sequence[int]
) -> None:
    """Refuse what is neither (n_q, n_k) nor of the weights' rank; 1 broadcasts."""
    got = tuple(array.shape)
    if len(got) not in (2, len(shape)):
        fewer = len(got) < len(shape)
        _reject(
            function,
            f"{name} must have two axes (n_q, n_k), or as many as the weights, "
            f"{tuple(shape)}, because with any other number an axis of examples could "
            f"be taken for an axis of heads; got {name} {got}."
            + (" Put in the missing axes with size 1." if fewer else ""),
        )
    pairs = zip(reversed(got), reversed(tuple(shape)), strict=False)
    if any(size not in (1, wanted) for size, wanted in pairs):
        _reject(
            function,
            f"{name} must fit the weights (..., n_q, n_k) = {tuple(shape)}, each axis "
            f"equal or 1, because it says something about every pair of query and "
            f"key; got {name} {got}.",
        )


def check_attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    bias: Array | None,
    scale: float | None,
    causal: bool,
) -> None:
    """Everything that ``scaled_dot_product_attention`` is handed."""
    name = "scaled_dot_product_attention"
    optional = {} if bias is None else {"bias": bias}
    check_floating(name, query=query, key=key, value=value, **optional)
    check_rows(name, query=query, key=key, value=value)
    check_same_width(name, query, key)
    if key.shape[-2] != value.shape[-2]:
        _reject(
            name,
            "key and value must have the same number of rows (n_k), because each key "
            f"labels one value; got {_listed({'key': key, 'value': value})}.",
        )
    check_heads(name, query, key, value)
    weights_shape = (*query.shape[:-1], key.shape[-2])
    if mask is not None:
        check_boolean(name, mask, query, "query")
        check_over_weights(name, "mask", mask, weights_shape)
    if bias is not None:
        check_over_weights(name, "bias", bias, weights_shape)
    if scale is not None:
        check_real(name, "scale", scale)
    check_flag(name, "causal", causal)


def check_softmax(
    function: str, scores: Array, axis: int, temperature: float = 1.0
) -> None:
    """Scores, the axis along which they compete, and the temperature."""
    check_floating(function, scores=scores)
    check_axis(function, "scores", scores, axis)
    check_positive(
        function,
        "temperature",
        temperature,
        "scores are divided by it and must keep their order",
    )


def check_mask_for_scores(function: str, mask: Array, scores: Array) -> None:
    """Refuse a mask that cannot be laid over the scores."""
    check_boolean(function, mask, scores)
    got, wanted = tuple(mask.shape), tuple(scores.shape)
    pairs = zip(reversed(got), reversed(wanted), strict=False)
    if len(got) > len(wanted) or any(size not in (1, w) for size, w in pairs):
        _reject(
            function,
            "mask must fit the scores, each axis equal or 1, because it says of every "
            f"score whether it counts; got mask {got} for scores {wanted}.",
        )


def check_weights(function: str, weights: Array, axis: int) -> None:
    """Weights are floats that are nowhere negative."""
    check_floating(function, weights=weights)
    check_axis(function, "weights", weights, axis)
    if bool(array_namespace(weights).any(weights < 0)):
        _reject(
            function,
            "weights must not be negative, because they are shares of a whole; got "
            "a negative number. Scores become weights by softmax.",
        )


def check_mask_sizes(function: str, n_q: int, n_k: int | None, offset: int) -> None:
    """Sizes of a mask that is made from positions."""
    check_count(function, "n_q", n_q)
    check_integer(function, "offset", offset)
    if n_k is not None:
        check_count(function, "n_k", n_k)
    elif int(n_q) + int(offset) < 0:
        _reject(
            function,
            "n_q + offset must not be below 0, because it is the number of keys when "
            f"n_k is not given; got n_q={n_q} and offset={offset}.",
        )


def check_lengths(lengths: Array, n_k: int) -> None:
    """Lengths of sequences: integers from 0 to ``n_k``, one per example."""
    name = "padding_mask"
    check_count(name, "n_k", n_k)
    if is_array_api_obj(lengths):
        if lengths.ndim != 1:
            _reject(
                name,
                "lengths must have one axis, (batch,), because each example has one "
                f"length; got lengths {tuple(lengths.shape)}.",
            )
        if not array_namespace(lengths).isdtype(lengths.dtype, "integral"):
            raise TypeError(
                f"{name}: lengths must be integers, because they count tokens; "
                f"got dtype {lengths.dtype}."
            )
    elif isinstance(lengths, (str, bytes)) or not isinstance(lengths, Sequence):
        raise TypeError(
            f"{name}: lengths must be a sequence or array of integers, because each "
            f"example has one length; got {type(lengths).__name__}."
        )
    else:
        for length in lengths:
            check_integer(name, "each of lengths", length)
    for example, length in enumerate(lengths):
        if not 0 <= int(length) <= n_k:
            _reject(
                name,
                f"lengths must lie between 0 and n_k = {n_k}, because no sequence is "
                f"longer than the keys; got {int(length)} for example {example}.",
            )


def check_split(x: Array, num_heads: int) -> None:
    """Rows whose width can be cut into equal heads."""
    check_floating("split_heads", x=x)
    check_rows("split_heads", x=x)
    check_count("split_heads", "num_heads", num_heads, minimum=1)
    if x.shape[-1] % num_heads:
        _reject(
            "split_heads",
            "d_model (the last axis of x) must be divisible by num_heads, because "
            f"each head gets an equal share; got d_model={x.shape[-1]} and "
            f"num_heads={num_heads}.",
        )


def check_merge(x: Array) -> None:
    """Heads that can be put side by side again."""
    check_floating("merge_heads", x=x)
    if x.ndim < 3:
        _reject(
            "merge_heads",
            "x must have at least three axes, (..., num_heads, n, d_k), because the "
            f"heads are put side by side; got x {tuple(x.shape)}.",
        )


def check_sinusoidal(n: int, d_model: int, base: float) -> None:
    """Sizes of a table of sines and cosines."""
    name = "sinusoidal_positions"
    check_count(name, "n", n)
    check_count(name, "d_model", d_model)
    check_even_width(name, "d_model", d_model)
    check_positive(name, "base", base, "wavelengths are powers of it")


def check_rotation(x: Array, positions: Array, base: float, interleaved: bool) -> None:
    """Rows to turn, and one position for each row."""
    name = "rotate"
    check_floating(name, x=x)
    check_rows(name, x=x)
    check_even_width(name, "d_k (the last axis of x)", x.shape[-1])
    check_is_array(name, positions=positions)
    check_same_library(name, x=x, positions=positions)
    kinds = ("integral", "real floating")
    if not array_namespace(positions).isdtype(positions.dtype, kinds):
        raise TypeError(
            f"{name}: positions must be numbers, because an angle grows with the "
            f"position; got dtype {positions.dtype}."
        )
    rows = tuple(x.shape[:-1])
    got = tuple(positions.shape)
    pairs = zip(reversed(got), reversed(rows), strict=False)
    fits = all(size in (1, row) for size, row in pairs)
    if not 1 <= len(got) <= len(rows) or not fits or got[-1] != rows[-1]:
        _reject(
            name,
            "positions must give one position per row of x: shape (n,), or the leading "
            f"shape of x, {rows}; got positions {got} for x {tuple(x.shape)}.",
        )
    check_positive(name, "base", base, "wavelengths are powers of it")
    check_flag(name, "interleaved", interleaved)
