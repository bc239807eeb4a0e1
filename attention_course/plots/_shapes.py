"""Diagrams: the shapes in a product of matrices, and who reads from whom."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .._typing import Array
from ._input import as_names, as_roles, as_shares
from ._style import (
    GREY,
    PALETTE,
    SLATE,
    WIDTH,
    colour_of,
    finish,
    one_panel,
    size_of,
    styled,
)

Part = tuple[str, Mapping[str, int], str | None]


@styled
def matrix_product(parts: Sequence[Part | str], *, title: str | None = None) -> Figure:
    """Draw matrices as boxes, with the signs of a formula between them.

    Sizes up to 12 are drawn cell by cell, larger ones by their square roots. A name
    stands below its box, where no line runs through it.

    Parameters
    ----------
    parts : sequence
        Signs such as "×" or "=", and matrices (name, {row axis: size, column axis:
        size}, role or None): ``("Q", {"n_q": 3, "d_k": 4}, "query")``.
        Two matrices around "×" must agree in their inner size.
    title : str, optional
        Title of the picture.

    Returns
    -------
    Figure
        The figure.
    """
    parts = list(parts)
    _check_product(parts)
    matrices = [part for part in parts if not isinstance(part, str)]
    sizes = [size for matrix in matrices for size in matrix[1].values()]
    small = max(sizes) <= 12
    side = {n: float(n) if small else 12 * math.sqrt(n / max(sizes)) for n in sizes}
    tallest = max(side[next(iter(p[1].values()))] for p in matrices)
    figure, ax = plt.subplots(layout="constrained")
    left = 0.0
    for part in parts:
        left = _draw_part(ax, part, left, side, cells=small)
    ax.set(xlim=(-0.4, left), ylim=(-tallest / 2 - 1.1, tallest / 2 + 1.3))
    ax.set_aspect("equal")
    ax.axis("off")
    scale = min(0.34, WIDTH / (left + 0.4))
    figure.set_size_inches((left + 0.4) * scale, (tallest + 2.4) * scale + 0.15)
    if title is not None:
        ax.set_title(title)
    return figure


def _check_product(parts: Sequence[Part | str]) -> None:
    if not any(not isinstance(part, str) for part in parts):
        raise ValueError("parts must hold at least one matrix, got none")
    for part in parts:
        if not isinstance(part, str) and len(part[1]) != 2:
            raise ValueError(f"parts must be matrices with 2 axes, got {part[1]}")
    for before, sign, after in zip(parts, parts[1:], parts[2:], strict=False):
        if sign != "×" or isinstance(before, str) or isinstance(after, str):
            continue
        inner, outer = list(before[1].values())[1], next(iter(after[1].values()))
        if inner != outer:
            raise ValueError(
                f"parts must agree in the inner size: {before[0]} has {inner} columns, "
                f"{after[0]} has {outer} rows"
            )


def _draw_part(
    ax: Axes, part: Part | str, left: float, side: Mapping[int, float], cells: bool
) -> float:
    """Draw a sign or a matrix from `left` on and return where it ends."""
    if isinstance(part, str):
        width = 0.9 + 0.3 * len(part)
        ax.text(left + width / 2, 0, part, ha="center", va="center", fontsize=13)
        return left + width
    name, axes, role = part
    n_rows, n_columns = axes.values()
    colour = colour_of(as_roles(role, 1)[0], GREY)
    left, width, height = left + 1.0, side[n_columns], side[n_rows]
    corner = (left, -height / 2)
    ax.add_patch(Rectangle(corner, width, height, fc=colour, ec="none", alpha=0.16))
    ax.add_patch(Rectangle(corner, width, height, fill=False, ec=colour, lw=0.9))
    if cells:
        inner: dict[str, Any] = {"colors": colour, "linewidths": 0.6}
        ax.hlines(np.arange(1, n_rows) - height / 2, left, left + width, **inner)
        ax.vlines(left + np.arange(1, n_columns), -height / 2, height / 2, **inner)
    at = left + width / 2
    down, across = (f"{_symbol(axis)} = {size}" for axis, size in axes.items())
    ax.text(
        at, -height / 2 - 0.25, name, ha="center", va="top", color=colour,
        weight="bold", fontsize=11,
    )  # fmt: skip
    ax.text(
        at, height / 2 + 0.2, across, ha="center", va="bottom",
        fontsize=size_of(across, 9.5),
    )  # fmt: skip
    ax.text(
        left - 0.5, 0, down, ha="center", va="center", rotation=90,
        fontsize=size_of(down, 9.5),
    )  # fmt: skip
    return left + width + 0.4


def _symbol(name: str) -> str:
    """Set the name of a size as a formula would: d_model gets a low, upright word."""
    letter, _, below = name.partition("_")
    if not re.fullmatch("[A-Za-z](_[A-Za-z0-9]+)?", name):
        return name
    below = below if len(below) < 2 else rf"\mathrm{{{below}}}"
    return f"${letter}_{{{below}}}$" if below else f"${letter}$"


@styled
def attention_links(
    weights: Array,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw each query linked to the keys it reads: the larger the weight, the thicker.

    Parameters
    ----------
    weights : array_like
        Shape (n_q, n_k), between 0 and 1; links below 0.01 are left out.
    queries : sequence of str
        One word per query; they stand on the left.
    keys : sequence of str
        One word per key; they stand on the right.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    shares = as_shares("weights", weights, "n_q", "n_k")
    queries = as_names("queries", queries, shares.shape[0], "rows")
    keys = as_names("keys", keys, shares.shape[1], "columns")
    count = max(shares.shape)
    left, right = (
        np.arange(size) + (count - size) / 2 for size in (len(queries), len(keys))
    )
    ax = one_panel(ax, 4.6, 0.42 * count + 0.6)
    for (i, j), weight in np.ndenumerate(shares):
        if weight >= 0.01:
            ends = [left[i], right[j]]
            ax.plot([0, 1], ends, color=SLATE[6], lw=7 * weight, solid_capstyle="butt")
    for y, word in zip(left, queries, strict=True):
        ax.text(-0.03, y, word, ha="right", va="center", color=PALETTE["query"])
    for y, word in zip(right, keys, strict=True):
        ax.text(1.03, y, word, ha="left", va="center", color=PALETTE["key"])
    ax.set(xlim=(-0.5, 1.5), ylim=(count - 0.5, -0.5))
    ax.axis("off")
    return finish(ax, title)
