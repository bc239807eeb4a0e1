"""The pictures in words, with the same numbers, for readers who cannot see them."""

from collections.abc import Sequence

import numpy as np

from .._typing import Array
from ._input import (
    Bools,
    Floats,
    as_array,
    as_finite,
    as_lines,
    as_mask,
    as_names,
    as_plane,
    as_rows,
    as_shares,
    number,
    quantities,
    quantity,
)
from ._plane import hull, turn_of


def describe_weights(
    weights: Array,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    mask: Array | None = None,
) -> str:
    """Say what a heatmap or links of attention weights show, for the alt text.

    Parameters
    ----------
    weights : array_like
        Shape (n_q, n_k), between 0 and 1.
    queries : sequence of str
        One word per row.
    keys : sequence of str
        One word per column.
    mask : array_like of bool, optional
        Shape (n_q, n_k), True where a query may attend.

    Returns
    -------
    str
        The size, the largest weight of each query, and what is forbidden.
    """
    shares = as_shares("weights", weights, "n_q", "n_k")
    queries = as_names("queries", queries, shares.shape[0], "rows")
    keys = as_names("keys", keys, shares.shape[1], "columns")
    said = [f"{q}: {_strongest(r, keys)}" for q, r in zip(queries, shares, strict=True)]
    text = (
        f"Attention weights of {len(queries)} queries over {len(keys)} keys. "
        f"Largest weight of each query: {'; '.join(said)}."
    )
    if mask is not None:
        text += " " + _forbidden(as_mask(mask, shares.shape), queries, keys)
    return text


def _strongest(row: Floats, keys: Sequence[str]) -> str:
    if np.isnan(row).any():
        return "NaN"
    top = float(row.max())
    if top == 0:
        return "none, all weights are 0"
    # Equal as printed, so that the sentence agrees with the numbers in the cells.
    first = [k for k, w in zip(keys, row, strict=True) if number(w) == number(top)]
    if len(first) == len(keys) > 1:
        return f"all keys equally, {number(top)}"
    return f"{_listed(first)}, {number(top)}{' each' if len(first) > 1 else ''}"


def _forbidden(allowed: Bools, queries: Sequence[str], keys: Sequence[str]) -> str:
    if allowed.all():
        return "Nothing is forbidden."
    said = []
    for query, row in zip(queries, allowed, strict=True):
        out = [key for key, may in zip(keys, row, strict=True) if not may]
        if out:
            said.append(f"{query}: {'all keys' if not row.any() else _listed(out)}")
    return f"Forbidden keys of each query: {'; '.join(said)}."


def describe_heads(
    weights: Array,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
) -> str:
    """Say what a grid of heads shows, one sentence per panel.

    Parameters
    ----------
    weights : array_like
        Shape (num_heads, n_q, n_k), between 0 and 1.
    queries : sequence of str
        One word per row.
    keys : sequence of str
        One word per column.
    titles : sequence of str, optional
        One per panel; "head 0", "head 1" and so on by default.

    Returns
    -------
    str
        The size, and for each panel the largest weight of each query.
    """
    shares = as_shares("weights", weights, "num_heads", "n_q", "n_k")
    titles = titles or [f"head {i}" for i in range(len(shares))]
    titles = as_names("titles", titles, len(shares), "heads")
    said = []
    for title, one in zip(titles, shares, strict=True):
        sentence = describe_weights(one, queries, keys).split(". ", 1)[1]
        said.append(f"{title}: {sentence[0].lower()}{sentence[1:]}")
    size = f"{len(queries)} queries over {len(keys)} keys"
    return f"{len(shares)} panels of attention weights of {size}. {' '.join(said)}"


def describe_scores(scores: Array, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Say what a heatmap of signed numbers shows: its size and its extremes.

    Parameters
    ----------
    scores : array_like
        Shape (rows, columns); minus infinity counts as forbidden.
    rows : sequence of str
        One word per row.
    columns : sequence of str
        One word per column.

    Returns
    -------
    str
        The size, the largest and the smallest number with their places.
    """
    array = as_array("scores", scores, "rows", "columns")
    rows = as_names("rows", rows, array.shape[0], "rows")
    columns = as_names("columns", columns, array.shape[1], "columns")
    finite = np.where(np.isneginf(array), np.nan, array)
    ends = []
    for name, where in (("Largest", np.nanargmax), ("smallest", np.nanargmin)):
        i, j = np.unravel_index(where(finite), array.shape)
        ends.append(f"{name} {number(array[i, j])} at {rows[i]}, {columns[j]}")
    size = f"{len(rows)} rows ({_listed(rows)}) and {len(columns)} columns"
    text = f"A table of {size} ({_listed(columns)}). {'; '.join(ends)}."
    count = int(np.isneginf(array).sum())
    return text + (f" Minus infinity in {count} cells." if count else "")


def describe_distributions(
    probabilities: Array,
    labels: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
) -> str:
    """Say what bars of distributions show: every number, panel by panel.

    Parameters
    ----------
    probabilities : array_like
        Shape (n,) or (m, n), between 0 and 1.
    labels : sequence of str
        What the n probabilities belong to.
    titles : sequence of str, optional
        What tells the m distributions apart.

    Returns
    -------
    str
        Each distribution's probabilities.
    """
    rows = as_rows(probabilities)
    labels = as_names("labels", labels, rows.shape[1], "probabilities")
    titles = as_names("titles", titles or [""] * len(rows), len(rows), "distributions")
    said = []
    for title, row in zip(titles, rows, strict=True):
        pairs = [f"{k} {number(p)}" for k, p in zip(labels, row, strict=True)]
        said.append(f"{title + ': ' if title else ''}{', '.join(pairs)}.")
    return f"Bars of probabilities. {' '.join(said)}"


def describe_bars(values: Array, labels: Sequence[str], xlabel: str) -> str:
    """Say what bars show: every number.

    Parameters
    ----------
    values : array_like
        Shape (n,).
    labels : sequence of str
        One name per bar.
    xlabel : str
        What is counted or measured, with its unit.

    Returns
    -------
    str
        Each name with its number.
    """
    array = as_finite("values", values, "n")
    labels = as_names("labels", labels, len(array), "values")
    pairs = [f"{k} {v}" for k, v in zip(labels, quantities(array), strict=True)]
    return f"Bars of {xlabel}: {'; '.join(pairs)}."


def describe_lines(
    x: Array, ys: Array, labels: Sequence[str], xlabel: str, ylabel: str
) -> str:
    """Say what lines show: where each begins and ends, and how far it goes between.

    Parameters
    ----------
    x : array_like
        Shape (n,).
    ys : array_like
        Shape (m, n), one row per line.
    labels : sequence of str
        One name per line.
    xlabel : str
        What ``x`` is, with its unit.
    ylabel : str
        What the lines show, with its unit.

    Returns
    -------
    str
        The axes and, for each line, its first and last value; its smallest and its
        largest too, where these lie between its ends.
    """
    across, up, labels = as_lines(x, ys, labels)
    said = [f"{k}: {_course_of(across, r)}" for k, r in zip(labels, up, strict=True)]
    span = f"{quantity(float(across[0]))} to {quantity(float(across[-1]))}"
    return f"Lines of {ylabel} against {xlabel} from {span}. {'; '.join(said)}."


def _course_of(x: Floats, y: Floats) -> str:
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    text = f"from {quantity(float(y[0]))} to {quantity(float(y[-1]))}"
    for name, where in (("largest", int(y.argmax())), ("smallest", int(y.argmin()))):
        if y[where] not in (y[0], y[-1]):
            at = quantity(float(x[where]))
            text += f", {name} {quantity(float(y[where]))} at {at}"
    return text


def describe_mask(mask: Array, queries: Sequence[str], keys: Sequence[str]) -> str:
    """Say what one mask shows: which keys are forbidden to which query.

    Parameters
    ----------
    mask : array_like of bool
        Shape (n_q, n_k), True where a query may attend.
    queries : sequence of str
        One word per row.
    keys : sequence of str
        One word per column.

    Returns
    -------
    str
        The size, how many pairs are allowed, and what is forbidden.
    """
    allowed = as_mask(mask, (len(queries), len(keys)))
    size = f"{len(queries)} queries and {len(keys)} keys"
    count = f"{int(allowed.sum())} of {allowed.size} pairs are allowed"
    forbidden = _forbidden(allowed, [*queries], [*keys])
    return f"Mask for {size}; {count}. {forbidden}"


def describe_vectors(vectors: Array, labels: Sequence[str]) -> str:
    """Say where vectors in the plane point: every coordinate.

    Parameters
    ----------
    vectors : array_like
        Shape (n, 2).
    labels : sequence of str
        One name per vector.

    Returns
    -------
    str
        Each name with its coordinates.
    """
    array = as_plane("vectors", vectors)
    labels = as_names("labels", labels, len(array), "vectors")
    return f"Arrows from the origin: {_coordinates(array, labels)}."


def _coordinates(points: Floats, labels: Sequence[str]) -> str:
    return "; ".join(
        f"{k} ({number(x)}, {number(y)})"
        for k, (x, y) in zip(labels, points, strict=True)
    )


def describe_hull(
    values: Array,
    outputs: Array,
    value_labels: Sequence[str],
    output_labels: Sequence[str],
) -> str:
    """Say where outputs lie among the values, and whether inside their convex hull.

    Parameters
    ----------
    values : array_like
        Shape (n_k, 2).
    outputs : array_like
        Shape (n_q, 2).
    value_labels : sequence of str
        One name per value.
    output_labels : sequence of str
        One name per output.

    Returns
    -------
    str
        All coordinates, and each output outside the hull.
    """
    outer, inner = as_plane("values", values), as_plane("outputs", outputs)
    value_labels = as_names("value_labels", value_labels, len(outer), "values")
    output_labels = as_names("output_labels", output_labels, len(inner), "outputs")
    outside = [
        k for k, p in zip(output_labels, inner, strict=True) if not _within(p, outer)
    ]
    place = f"outside: {_listed(outside)}" if outside else "all outputs inside"
    return (
        f"Values: {_coordinates(outer, value_labels)}. "
        f"Outputs: {_coordinates(inner, output_labels)}. "
        f"Convex hull of the values: {place}."
    )


def _within(point: Floats, points: Floats) -> bool:
    """Tell whether the hull keeps its corners when the point is added."""
    corners = hull(points)
    if len(corners) < 3:
        corners = np.concatenate([corners, corners.mean(axis=0, keepdims=True)])
    slack = 1e-9 * max(1.0, float(np.abs(corners).max())) ** 2
    ends = np.roll(corners, -1, axis=0)
    turns = [turn_of(a, b, point) for a, b in zip(corners, ends, strict=True)]
    low, high = corners.min(axis=0) - slack, corners.max(axis=0) + slack
    return min(turns) >= -slack and bool(((point >= low) & (point <= high)).all())


def describe_positions(codes: Array) -> str:
    """Say what a heatmap of position codes shows: its size and how columns alternate.

    Parameters
    ----------
    codes : array_like
        Shape (n, d_model).

    Returns
    -------
    str
        The size, the range, and how often the first and last dimension change sign.
    """
    array = as_finite("codes", codes, "n", "d_model")
    flips = [int((np.diff(array[:, d] < 0)).sum()) for d in (0, -1)]
    return (
        f"Position codes of {array.shape[0]} positions in {array.shape[1]} dimensions, "
        f"between {number(array.min())} and {number(array.max())}. Going down, "
        f"dimension 0 changes sign {flips[0]} times, "
        f"dimension {array.shape[1] - 1} {flips[1]} times."
    )


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
