"""Draw the course's pictures: one function per kind, one palette, one style.

Blue is a query, orange is a key, teal is a value, in pictures as in formulas; an
output is ink. No picture is told by colour alone: cells carry numbers, forbidden
cells are hatched, lines have markers and their names at their ends.

A function with one panel returns its ``Axes``, one with several its ``Figure``. End the
cell with a semicolon, and the notebook shows the picture once. The ``describe_``
functions say the same in words, for readers who cannot see it.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from ._typing import Array

__all__ = [
    "DARK_PALETTE",
    "PALETTE",
    "attention_links",
    "bars",
    "convex_hull_plane",
    "describe_bars",
    "describe_distributions",
    "describe_heads",
    "describe_hull",
    "describe_lines",
    "describe_mask",
    "describe_positions",
    "describe_scores",
    "describe_vectors",
    "describe_weights",
    "distribution_bars",
    "heads_grid",
    "lines",
    "mask_grid",
    "matrix_product",
    "panels",
    "position_heatmap",
    "scores_heatmap",
    "vectors_plane",
    "weights_heatmap",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
P = ParamSpec("P")
R = TypeVar("R")

PALETTE = {
    "query": "#1747B5",
    "key": "#C8500A",
    "value": "#008577",
    "output": "#1F2933",
}
"""Colour of each role on a white page; the formulas use the same."""

DARK_PALETTE = {
    "query": "#7DB3FF",
    "key": "#FFA657",
    "value": "#45D6B8",
    "output": "#E6EAEF",
}
"""Colour of each role on the dark page (``#14181E``); the style sheet uses the same."""

INK, GREY, GRID = "#1F2933", "#6B7785", "#D9DEE4"

# Anchors that are equally far apart in CIELAB, so that equal steps look equal.
_SLATE = [
    *("#FFFFFF", "#E1E3E7", "#C3C8D0", "#A6ADBA", "#8993A3"),
    *("#6D7A8E", "#526279", "#374B64", "#1B3550"),
]
_BRICK = [
    *("#FFFFFF", "#F1E3DF", "#E2C8C0", "#D3ADA2", "#C29384"),
    *("#B17968", "#A0604D", "#8D4733", "#7A2E1A"),
]
_SEQUENTIAL = LinearSegmentedColormap.from_list("slate", _SLATE)
_DIVERGING = LinearSegmentedColormap.from_list("brick-slate", [*_BRICK[:0:-1], *_SLATE])

# Lines without a role: colours that no role has, each with its own marker and dash.
_LINE_STYLES = [
    ("#0E2A33", "o", "-"),
    ("#8D2E79", "s", "--"),
    ("#5D7E27", "^", "-."),
    ("#85716F", "D", ":"),
    ("#5A0A00", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#360A62", "P", (0, (1, 1))),
]

_WIDTH = 5.6  # inches: fills the text column, with text legible on a phone
_CELL = 0.56
_MAX_ANNOTATED = 10
_HATCH = "////"

_STYLE: dict[str, Any] = {
    "axes.edgecolor": GREY,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "axes.unicode_minus": True,
    "figure.dpi": 144,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "hatch.color": GREY,
    "hatch.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def _styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in the course's style and leave the reader's alone.

    Only the style's own settings are put back. ``rc_context`` puts all of them back,
    so a notebook's backend, which turns interactive when the first figure is made,
    would be switched off again, and every later picture would stay away.
    """

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        before = {name: plt.rcParams[name] for name in _STYLE}
        plt.rcParams.update(_STYLE)
        try:
            return draw(*args, **kwargs)
        finally:
            plt.rcParams.update(before)

    return wrapper


# ---------------------------------------------------------------- what may be drawn


def _array(name: str, values: Any, *shape: str) -> Floats:
    """Return `values` as float64 (a tensor without importing torch), rank checked."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != len(shape):
        wanted = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    return array


def _finite(name: str, values: Any, *shape: str) -> Floats:
    array = _array(name, values, *shape)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {_first_bad(array)}")
    return array


def _first_bad(array: Floats) -> str:
    where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"{array[where]} at index {where}"


def _shares(name: str, values: Any, *shape: str) -> Floats:
    """Return `values` in [0, 1]; NaN may pass, because ch03 shows where it appears."""
    array = _array(name, values, *shape)
    wrong = array[(array < 0) | (array > 1 + 1e-6)]
    if wrong.size:
        raise ValueError(
            f"{name} must lie between 0 and 1, got {wrong[0]:.4g}; "
            "scores, before the softmax, are drawn by scores_heatmap"
        )
    return array


def _names(name: str, names: Iterable[str], count: int, what: str) -> list[str]:
    if isinstance(names, str):
        raise TypeError(f"{name} must be a list of names, got the string {names!r}")
    listed = [str(n) for n in names]
    if len(listed) != count:
        raise ValueError(
            f"{name} must name each of the {count} {what}, got {len(listed)} names"
        )
    return listed


def _mask(mask: Any, shape: tuple[int, ...]) -> Bools:
    if hasattr(mask, "detach"):
        mask = mask.detach().cpu().numpy()
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        raise TypeError(f"mask must be boolean (True: may attend), got {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"mask must have shape {shape}, got {array.shape}")
    return array


def _roles(roles: str | Sequence[str | None] | None, count: int) -> list[str | None]:
    listed = [roles] * count if roles is None or isinstance(roles, str) else [*roles]
    for role in listed:
        if role is not None and role not in PALETTE:
            raise ValueError(f"roles must be among {', '.join(PALETTE)}, got {role!r}")
    if len(listed) != count:
        raise ValueError(f"roles must give {count} roles, got {len(listed)}")
    return listed


def _colour(role: str | None, default: str = INK) -> str:
    return default if role is None else PALETTE[role]


def _number(value: float, digits: int = 2) -> str:
    """Write a cell's number: `digits` decimals, a true minus sign, no minus zero."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def _quantity(value: float) -> str:
    """Write a measured or counted quantity: whole numbers in full, others short."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


# ---------------------------------------------------------------- panels and axes


@_styled
def panels(
    columns: int, rows: int = 1, *, height: float = 2.6
) -> tuple[Figure, list[Axes]]:
    """Open a figure with several panels, to be handed to other functions as `ax`.

    Parameters
    ----------
    columns, rows : int
        How many panels beside and below each other.
    height : float
        Height of one row in inches; the width is the book's column.

    Returns
    -------
    tuple of Figure and list of Axes
        The figure and its panels, row by row.
    """
    size = (_WIDTH, height * rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained"
    )
    for ax in grid.flat:
        _quiet_ticks(ax)
    return figure, list(grid.flat)


def _one_panel(ax: Axes | None, width: float, height: float) -> Axes:
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=(min(width, _WIDTH), height), layout="constrained")
    _quiet_ticks(ax)
    return ax


def _quiet_ticks(ax: Axes) -> None:
    # Said per axis: ticks are made when the figure is drawn, outside our style.
    ax.tick_params(labelsize=9, labelcolor=INK, color=GREY, width=0.6, length=3)


def _finish(ax: Axes, title: str | None) -> Axes:
    if title is not None:
        ax.set_title(title)
    return ax


def _word_axes(
    ax: Axes,
    rows: Sequence[str],
    columns: Sequence[str],
    roles: tuple[str | None, str | None],
) -> None:
    """Write words down the side and on top, each in the colour of its role."""
    row_role, column_role = roles
    long = max(map(len, columns)) > 5 or len(columns) > 6
    ax.set_yticks(range(len(rows)), rows, color=_colour(row_role))
    ax.set_xticks(
        range(len(columns)),
        columns,
        color=_colour(column_role),
        rotation=90 if long else 0,
    )
    ax.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    ax.spines[:].set_visible(False)
    if row_role:
        ax.set_ylabel(_plural(row_role), color=_colour(row_role))
    if column_role:
        ax.set_xlabel(_plural(column_role), color=_colour(column_role))
        ax.xaxis.set_label_position("top")


def _plural(role: str) -> str:
    return {"query": "queries"}.get(role, f"{role}s")


# ---------------------------------------------------------------- heatmaps


@_styled
def weights_heatmap(
    weights: Array,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    mask: Array | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    annotate: bool = True,
) -> Axes:
    """Draw attention weights: queries down the side, keys on top, white to slate.

    The scale is always 0 to 1, so two pictures can be compared.

    Parameters
    ----------
    weights : array_like
        Weights of shape (n_q, n_k), between 0 and 1; NaN is written as such.
    queries, keys : sequence of str
        One word per row and per column.
    mask : array_like of bool, optional
        Shape (n_q, n_k), True where a query may attend; other cells are hatched.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.
    annotate : bool
        Write the weights into the cells (up to ten keys).

    Returns
    -------
    Axes
        The panel.
    """
    shares = _shares("weights", weights, "n_q", "n_k")
    ax, image = _heatmap(
        ax, shares, queries, keys, ("query", "key"), (0.0, 1.0), mask, annotate
    )
    _colour_bar(image, ax, "weight")
    return _finish(ax, title)


@_styled
def scores_heatmap(
    scores: Array,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    roles: tuple[str | None, str | None] = ("query", "key"),
    mask: Array | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    label: str = "score",
) -> Axes:
    """Draw numbers of either sign: white is zero, slate positive, brick negative.

    Parameters
    ----------
    scores : array_like
        Shape (rows, columns); minus infinity (a forbidden score) is hatched.
    rows, columns : sequence of str
        One word per row and per column.
    roles : tuple
        Role of rows and of columns; None for neither (a Jacobian, a weight matrix).
    mask : array_like of bool, optional
        True where a query may attend; other cells are hatched.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.
    label : str
        What the numbers are, at the colour bar.

    Returns
    -------
    Axes
        The panel.
    """
    array = _array("scores", scores, "rows", "columns")
    forbidden = np.isneginf(array)
    if not np.isfinite(array[~forbidden]).all():
        bad = _first_bad(np.where(forbidden, 0.0, array))
        raise ValueError(f"scores must be finite or minus infinity, got {bad}")
    if mask is None and forbidden.any():
        mask = ~forbidden
    top = float(np.abs(array[~forbidden]).max(initial=0.0)) or 1.0
    ax, image = _heatmap(ax, array, rows, columns, roles, (-top, top), mask, True)
    _colour_bar(image, ax, label)
    return _finish(ax, title)


def _heatmap(
    ax: Axes | None,
    array: Floats,
    rows: Sequence[str],
    columns: Sequence[str],
    roles: tuple[str | None, str | None],
    limits: tuple[float, float],
    mask: Array | None,
    annotate: bool,
) -> tuple[Axes, AxesImage]:
    rows, columns = _named_axes(roles, rows, columns, array.shape)
    allowed = None if mask is None else _mask(mask, array.shape)
    n_rows, n_columns = array.shape
    cell = min(_CELL, (_WIDTH - 1.6) / n_columns)
    margin = 1.2 + 0.08 * max(map(len, rows))
    ax = _one_panel(ax, cell * n_columns + margin, cell * n_rows + 1.1)
    image = ax.imshow(
        array,
        cmap=_SEQUENTIAL if limits[0] == 0 else _DIVERGING,
        vmin=limits[0],
        vmax=limits[1],
    )
    _word_axes(ax, rows, columns, roles)
    _cell_borders(ax, array.shape)
    if annotate and n_columns <= _MAX_ANNOTATED:
        _write_cells(ax, image, array, allowed)
    if allowed is not None:
        _hatch(ax, ~allowed)
    return ax, image


def _named_axes(
    roles: tuple[str | None, str | None],
    rows: Iterable[str],
    columns: Iterable[str],
    shape: tuple[int, ...],
) -> tuple[list[str], list[str]]:
    """Check the words of both axes, under the names that their arguments have."""
    row_role, column_role = _roles(roles, 2)
    row_name, column_name = _plural(row_role or "row"), _plural(column_role or "column")
    return (
        _names(row_name, rows, shape[0], "rows"),
        _names(column_name, columns, shape[1], "columns"),
    )


def _cell_borders(ax: Axes, shape: tuple[int, ...]) -> None:
    if max(shape) > 24:  # lines would cover the cells
        return
    ax.set_yticks(np.arange(shape[0] + 1) - 0.5, minor=True)
    ax.set_xticks(np.arange(shape[1] + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=GRID, linewidth=0.6)
    ax.tick_params(which="minor", length=0)


def _write_cells(
    ax: Axes, image: AxesImage, array: Floats, allowed: Bools | None
) -> None:
    size = 9 if array.shape[1] <= 6 else 7.5
    for (i, j), value in np.ndenumerate(array):
        if allowed is not None and not allowed[i, j] and value in (0.0, -np.inf):
            continue  # the hatching says it
        colour = INK if _is_light(image, value) else "white"
        text = _number(float(value))
        ax.text(j, i, text, ha="center", va="center", color=colour, fontsize=size)


def _is_light(image: AxesImage, value: float) -> bool:
    if not np.isfinite(value):
        return True  # drawn white
    return float(np.mean(image.to_rgba(np.array([value]))[0, :3])) > 0.55


def _hatch(ax: Axes, forbidden: Bools) -> None:
    for i, j in np.argwhere(forbidden):
        box = Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, hatch=_HATCH, lw=0)
        ax.add_patch(box)


def _colour_bar(
    image: AxesImage, ax: Axes | Sequence[Axes], label: str, shrink: float = 0.9
) -> None:
    figure = image.get_figure()
    assert isinstance(figure, Figure)
    bar = figure.colorbar(image, ax=ax, label=label, shrink=shrink, pad=0.03)
    bar.outline.set_edgecolor(GRID)
    bar.ax.tick_params(labelsize=8, color=GREY, width=0.6, length=3)


@_styled
def heads_grid(
    weights: Array,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    mask: Array | None = None,
) -> Figure:
    """Draw several weight matrices on one scale: heads, or before and after training.

    Parameters
    ----------
    weights : array_like
        Shape (num_heads, n_q, n_k), between 0 and 1.
    queries, keys : sequence of str
        One word per row and per column, the same in every panel.
    titles : sequence of str, optional
        One per panel; "head 0", "head 1" and so on by default.
    mask : array_like of bool, optional
        Shape (n_q, n_k), True where a query may attend.

    Returns
    -------
    Figure
        The figure.
    """
    shares = _shares("weights", weights, "num_heads", "n_q", "n_k")
    count, n_q, n_k = shares.shape
    titles = titles or [f"head {i}" for i in range(count)]
    titles = _names("titles", titles, count, "heads")
    queries, keys = _named_axes(("query", "key"), queries, keys, (n_q, n_k))
    mask = None if mask is None else _mask(mask, (n_q, n_k))
    columns = _grid_columns(count, n_k)
    rows = math.ceil(count / columns)
    cell = min(0.5, (_WIDTH - 1.8) / (columns * n_k))
    height = cell * n_q + (1.1 if rows == 1 else 0.75)
    figure, axes = panels(columns, rows, height=height)
    for index, ax in enumerate(axes):
        if index >= count:
            ax.set_visible(False)
            continue
        _, image = _heatmap(
            ax, shares[index], queries, keys, ("query", "key"), (0.0, 1.0), mask,
            annotate=cell >= 0.3,
        )  # fmt: skip
        ax.set_title(titles[index])
        if index % columns:
            ax.set(yticklabels=[], ylabel="")
        if index >= columns:
            ax.set(xticklabels=[], xlabel="")
    _colour_bar(image, axes, "weight", shrink=0.9 / rows)
    return figure


def _grid_columns(count: int, n_k: int) -> int:
    """Choose as many panels beside each other as leave room to write the weights."""
    if count <= 2 or count * n_k <= 12:
        return count
    if count <= 4 or n_k <= 6:
        return 2
    return 3 if count % 3 == 0 else 4


@_styled
def position_heatmap(
    codes: Array, *, ax: Axes | None = None, title: str | None = None
) -> Axes:
    """Draw position codes: positions down the side, dimensions across.

    Parameters
    ----------
    codes : array_like
        Shape (n, d_model); white is zero.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    array = _finite("codes", codes, "n", "d_model")
    top = float(np.abs(array).max()) or 1.0
    ax = _one_panel(ax, _WIDTH, 3.4)
    image = ax.imshow(array, cmap=_DIVERGING, vmin=-top, vmax=top, aspect="auto")
    image.set_interpolation("nearest")
    ax.set(xlabel="dimension", ylabel="position")
    ax.locator_params(integer=True)
    _colour_bar(image, ax, "value of the code")
    return _finish(ax, title)


@_styled
def mask_grid(
    masks: Mapping[str, Array], queries: Sequence[str], keys: Sequence[str]
) -> Figure:
    """Draw masks side by side: filled where a query may attend, hatched where not.

    Parameters
    ----------
    masks : mapping of str to array_like of bool
        Title and mask of shape (n_q, n_k), such as causal, padding and both together.
    queries, keys : sequence of str
        One word per row and per column.

    Returns
    -------
    Figure
        The figure.
    """
    if not isinstance(masks, Mapping):
        raise TypeError(f"masks must map titles to masks, got {type(masks).__name__}")
    if not masks:
        raise ValueError("masks must hold at least one mask, got none")
    shape = (len(queries), len(keys))
    drawn = [_mask(mask, shape) for mask in masks.values()]
    cell = min(0.42, (_WIDTH - 1.4) / (len(masks) * shape[1]))
    figure, axes = panels(len(masks), height=cell * shape[0] + 1.5)
    for index, (ax, title, allowed) in enumerate(zip(axes, masks, drawn, strict=True)):
        ax.imshow(allowed * 0.75, cmap=_SEQUENTIAL, vmin=0, vmax=1)
        _word_axes(ax, [*queries], [*keys], ("query", "key"))
        _cell_borders(ax, shape)
        _hatch(ax, ~allowed)
        ax.set_title(title)
        if index:
            ax.set(yticklabels=[], ylabel="")
    filled = Patch(facecolor=_SEQUENTIAL(0.75), label="may attend")
    hatched = Patch(facecolor="white", hatch=_HATCH, lw=0, label="may not attend")
    figure.legend(
        handles=[filled, hatched], loc="outside lower center", ncols=2, frameon=False
    )
    return figure


# ---------------------------------------------------------------- bars


@_styled
def distribution_bars(
    probabilities: Array,
    labels: Sequence[str],
    *,
    titles: Sequence[str] | None = None,
    role: str | None = None,
) -> Figure:
    """Draw one or several distributions over the same things, one panel for each.

    Parameters
    ----------
    probabilities : array_like
        Shape (n,), or (m, n) for m distributions (at most four), between 0 and 1.
    labels : sequence of str
        What the n probabilities belong to.
    titles : sequence of str, optional
        What tells the m distributions apart, such as "temperature 0.5".
    role : str, optional
        Role of the labels, such as "key".

    Returns
    -------
    Figure
        The figure.
    """
    rows = _rows(probabilities)
    if len(rows) > 4:
        raise ValueError(f"probabilities must be at most 4 rows, got {len(rows)}")
    labels = _names("labels", labels, rows.shape[1], "probabilities")
    titles = _names("titles", titles or [""] * len(rows), len(rows), "distributions")
    (colour,) = {_colour(r) for r in _roles(role, 1)}
    figure, axes = panels(len(rows), height=0.32 * len(labels) + 0.95)
    for index, (ax, row) in enumerate(zip(axes, rows, strict=True)):
        _horizontal_bars(ax, row, [_SLATE[6]] * len(labels), [_number(p) for p in row])
        ax.set_yticks(range(len(labels)), labels if index == 0 else [], color=colour)
        ax.set(xlim=(0, 1.3), xlabel="probability", title=titles[index])
        ax.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    return figure


def _rows(probabilities: Any) -> Floats:
    rank = getattr(probabilities, "ndim", None) or np.ndim(probabilities)
    if rank != 1:
        return _shares("probabilities", probabilities, "m", "n")
    return _shares("probabilities", probabilities, "n")[None]


def _horizontal_bars(
    ax: Axes, values: Floats, colours: Sequence[str], texts: Sequence[str]
) -> None:
    bar_box = ax.barh(range(len(values)), values, color=colours, height=0.66)
    ax.bar_label(bar_box, texts, padding=3, fontsize=9, color=INK)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


@_styled
def bars(
    values: Array,
    labels: Sequence[str],
    xlabel: str,
    *,
    log: bool = False,
    roles: str | Sequence[str | None] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw named quantities side by side, such as numbers of parameters.

    Parameters
    ----------
    values : array_like
        Shape (n,), finite; positive when `log`.
    labels : sequence of str
        One name per bar.
    xlabel : str
        What is counted or measured, with its unit.
    log : bool
        Logarithmic axis, where a bar's length says nothing but its end does.
    roles : str or sequence of str, optional
        Role of each bar, which colours it.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    array = _finite("values", values, "n")
    labels = _names("labels", labels, len(array), "values")
    colours = [_colour(r, _SLATE[6]) for r in _roles(roles, len(array))]
    if log:
        _positive("values", array)
    ax = _one_panel(ax, _WIDTH, 0.38 * len(array) + 0.75)
    _horizontal_bars(ax, array, colours, [_quantity(float(v)) for v in array])
    ax.set_yticks(range(len(labels)), labels)
    ax.set_xlabel(xlabel)
    if log:
        ax.set_xscale("log")
        ax.set_xlim(10 ** math.floor(math.log10(array.min()) - 0.3), None)
    else:
        ax.locator_params(axis="x", nbins=5)
        if np.abs(array).max() >= 1e4:
            ax.xaxis.set_major_formatter(EngFormatter())
    ax.margins(x=0.22)
    return _finish(ax, title)


def _positive(name: str, array: Floats) -> None:
    if not (array > 0).all():
        raise ValueError(
            f"{name} must be positive on a logarithmic axis, got {array.min():.4g}"
        )


# ---------------------------------------------------------------- lines


@_styled
def lines(
    x: Array,
    ys: Array,
    labels: Sequence[str],
    xlabel: str,
    ylabel: str,
    *,
    logx: bool = False,
    logy: bool = False,
    roles: str | Sequence[str | None] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw up to six lines over one axis, each with its name at its end.

    Parameters
    ----------
    x : array_like
        Shape (n,), finite.
    ys : array_like
        Shape (m, n), one row per line; NaN leaves a gap.
    labels : sequence of str
        One name per line.
    xlabel, ylabel : str
        What the axes show, with units.
    logx, logy : bool
        Logarithmic axes; everything on them must be positive.
    roles : str or sequence of str, optional
        Role of each line, which colours it.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    across, up, labels = _checked_lines(x, ys, labels)
    if logx:
        _positive("x", across)
    if logy:
        _positive("ys", up[np.isfinite(up)])
    colours = [_colour(r, "") for r in _roles(roles, len(up))]
    ax = _one_panel(ax, _WIDTH, 3.2)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_yscale("log" if logy else "linear")
    _x_scale(ax, across, logx)
    ax.grid(color=GRID, linewidth=0.5)
    every = max(1, math.ceil(len(across) / 10))
    for row, colour, style in zip(up, colours, _LINE_STYLES, strict=False):
        own, marker, dash = style
        ax.plot(
            across, row, color=colour or own, linestyle=dash, marker=marker,
            markevery=every, markersize=4.5, linewidth=1.6,
        )  # fmt: skip
    _finish(ax, title)
    _label_ends(ax, labels)
    return ax


def _x_scale(ax: Axes, across: Floats, log: bool) -> None:
    """Put ticks at whole numbers if x is whole, at powers of two if x is that."""
    if not log:
        whole = bool((across == np.round(across)).all())
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=whole))
    elif (np.log2(across) == np.round(np.log2(across))).all():
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter(ScalarFormatter())
    else:
        ax.set_xscale("log")


def _checked_lines(
    x: Any, ys: Any, labels: Sequence[str]
) -> tuple[Floats, Floats, list[str]]:
    across = _finite("x", x, "n")
    if isinstance(ys, (list, tuple)):
        ys = [_array("ys, each line of it,", y, "n") for y in ys]
        if any(len(y) != len(across) for y in ys):
            lengths = ", ".join(str(len(y)) for y in ys)
            raise ValueError(
                f"ys must have as many points as x, {len(across)}, got {lengths}"
            )
    up = _array("ys", ys, "m", "n")
    if up.shape[1] != len(across):
        raise ValueError(
            f"ys must have as many points as x, {len(across)}, got {up.shape[1]}"
        )
    if len(up) > len(_LINE_STYLES):
        raise ValueError(f"ys must be at most 6 lines, got {len(up)}")
    if not np.isfinite(up).any(axis=1).all():
        raise ValueError("ys must have a finite value on each line, got none on one")
    return across, up, _names("labels", labels, len(up), "lines")


def _label_ends(ax: Axes, labels: Sequence[str]) -> None:
    """Write each line's name right of its last point, pushed apart where they meet."""
    figure = _laid_out(ax)
    tips = []
    for line, label in zip(ax.get_lines(), labels, strict=True):
        points = np.asarray(line.get_xydata(), dtype=np.float64)
        end = points[np.isfinite(points[:, 1])][-1]
        tips.append((ax.transData.transform(end)[1], end, label, line.get_color()))
    tips.sort(key=lambda tip: tip[0])
    point = figure.dpi / 72
    heights = _spread([tip[0] / point for tip in tips], gap=12.0)
    right = max(float(tip[1][0]) for tip in tips)
    for height, (pixel, end, label, colour) in zip(heights, tips, strict=True):
        ax.annotate(
            label, (right, end[1]), xytext=(7, height - pixel / point),
            textcoords="offset points", va="center", color=colour, fontsize=9.5,
            annotation_clip=False,
        )  # fmt: skip


def _laid_out(ax: Axes) -> Figure:
    """Let the figure settle, so that data become pixels as they will be drawn."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return figure


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Move sorted heights apart to at least `gap`, each cluster about its middle."""
    clusters: list[list[float]] = []
    for height in heights:
        clusters.append([height])
        while len(clusters) > 1 and _bottom(clusters[-1], gap) < (
            _bottom(clusters[-2], gap) + len(clusters[-2]) * gap
        ):
            last = clusters.pop()
            clusters[-1] += last
    return [_bottom(c, gap) + i * gap for c in clusters for i in range(len(c))]


def _bottom(cluster: Sequence[float], gap: float) -> float:
    return sum(cluster) / len(cluster) - gap * (len(cluster) - 1) / 2


# ---------------------------------------------------------------- the plane


@_styled
def vectors_plane(
    vectors: Array,
    labels: Sequence[str],
    *,
    roles: str | Sequence[str | None] | None = None,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw vectors of width 2 as arrows from the origin, in the colours of their roles.

    Parameters
    ----------
    vectors : array_like
        Shape (n, 2).
    labels : sequence of str
        One name per vector.
    roles : str or sequence of str, optional
        Role of all vectors or of each.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    array = _plane("vectors", vectors)
    labels = _names("labels", labels, len(array), "vectors")
    colours = [_colour(r) for r in _roles(roles, len(array))]
    ax = _one_panel(ax, 4.8, 4.0)
    _plane_axes(ax, array)
    for (x, y), colour in zip(array, colours, strict=True):
        if x == y == 0:
            ax.plot(0, 0, "o", color=colour, markersize=5)
        else:
            arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8}
            arrow |= {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}
            ax.annotate("", (x, y), (0, 0), arrowprops=arrow)
    _finish(ax, title)
    _place_labels(ax, array, labels, colours, arrows=True)
    return ax


@_styled
def convex_hull_plane(
    values: Array,
    outputs: Array,
    value_labels: Sequence[str],
    output_labels: Sequence[str],
    *,
    ax: Axes | None = None,
    title: str | None = None,
) -> Axes:
    """Draw outputs among the values they are averaged from, whose hull is shaded.

    Parameters
    ----------
    values : array_like
        Shape (n_k, 2), teal circles.
    outputs : array_like
        Shape (n_q, 2), ink diamonds.
    value_labels, output_labels : sequence of str
        One name per value and per output.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    inner, outer = _plane("outputs", outputs), _plane("values", values)
    labels = _names("value_labels", value_labels, len(outer), "values")
    labels += _names("output_labels", output_labels, len(inner), "outputs")
    ax = _one_panel(ax, 4.8, 4.2)
    both = np.concatenate([outer, inner])
    _plane_axes(ax, both)
    corners = _hull(outer)
    ax.fill(*corners.T, facecolor=PALETTE["value"], alpha=0.12, edgecolor="none")
    ax.plot(*corners[[*range(len(corners)), 0]].T, color=PALETTE["value"], lw=0.9)
    ax.plot(*outer.T, "o", color=PALETTE["value"], markersize=7)
    ax.plot(*inner.T, "D", color=PALETTE["output"], markersize=6)
    colours = [PALETTE["value"]] * len(outer) + [PALETTE["output"]] * len(inner)
    _finish(ax, title)
    _place_labels(ax, both, labels, colours)
    return ax


def _plane(name: str, vectors: Any) -> Floats:
    array = _finite(name, vectors, "n", "2")
    if array.shape[1] != 2:
        raise ValueError(f"{name} must have shape (n, 2), got {array.shape}")
    return array


def _plane_axes(ax: Axes, points: Floats) -> None:
    """Set equal scales, thin lines through the origin, and room for the labels."""
    corners = np.concatenate([points, np.zeros((1, 2))])
    low, high = corners.min(axis=0), corners.max(axis=0)
    low, high = (low, high) if (high > low).any() else (low - 1, high + 1)
    x, y = np.array([0.3, 0.18]) * max(high - low)
    ax.set(xlim=(low[0] - x, high[0] + x), ylim=(low[1] - y, high[1] + y))
    ax.set(xlabel="dimension 0", ylabel="dimension 1", aspect="equal")
    ax.grid(color=GRID, linewidth=0.5)
    ax.axhline(0, color=GREY, linewidth=0.7)
    ax.axvline(0, color=GREY, linewidth=0.7)
    ax.set_axisbelow(True)


def _hull(points: Floats) -> Floats:
    """Return the corners of the convex hull, counter-clockwise (monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})

    def chain(path: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
        corners: list[tuple[float, float]] = []
        for p in path:
            while len(corners) > 1 and _turn(corners[-2], corners[-1], p) <= 0:
                corners.pop()
            corners.append(p)
        return corners[:-1]

    corners = chain(ordered) + chain(ordered[::-1])
    return np.array(corners or ordered)


def _turn(
    a: Sequence[float] | Floats,
    b: Sequence[float] | Floats,
    c: Sequence[float] | Floats,
) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _place_labels(
    ax: Axes,
    points: Floats,
    labels: Sequence[str],
    colours: Sequence[str],
    *,
    arrows: bool = False,
) -> None:
    """Write each label near its point, where it covers no point and no other label."""
    _laid_out(ax)
    along = np.linspace(0.1, 1, 25) if arrows else np.ones(1)
    pixels = ax.transData.transform(np.concatenate([points * t for t in along]))
    reach = 4 if arrows else 9
    taken: list[Floats] = [np.concatenate([p - reach, p + reach]) for p in pixels]
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for point, label, colour in zip(points, labels, colours, strict=True):
        text = ax.annotate(
            label, point, (0, 0), textcoords="offset points", color=colour,
            fontsize=9.5, path_effects=halo,
        )  # fmt: skip
        inside = np.asarray(ax.bbox.extents)
        taken.append(_best_place(text, point, taken, inside))


def _best_place(
    text: Annotation, point: Floats, taken: Sequence[Floats], inside: Floats
) -> Floats:
    """Try places around the point, outwards from the origin first; keep the freest."""
    outward = math.atan2(point[1], point[0])
    turns = [0, 0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 1]
    best: tuple[float, float, float] | None = None
    for far, turn in itertools.product([8, 18], turns):
        angle = outward + turn * math.pi
        box = _move(text, angle, far)
        covered = sum(_overlap(box, other) for other in taken) + _outside(box, inside)
        covered += (far > 8) * 0.5 * float(np.prod(box[2:] - box[:2]))
        if best is None or covered < best[0] - 1:
            best = covered, angle, far
    assert best is not None
    return _move(text, *best[1:])


def _move(text: Annotation, angle: float, far: float) -> Floats:
    """Put the text `far` points from its point and return its box in pixels."""
    x, y = math.cos(angle), math.sin(angle)
    text.set_position((far * x, far * y))
    text.set_horizontalalignment(
        "left" if x > 0.3 else "right" if x < -0.3 else "center"
    )
    text.set_verticalalignment("bottom" if y > 0.3 else "top" if y < -0.3 else "center")
    extents = np.asarray(text.get_window_extent().extents)
    return extents + np.array([-3, -1, 3, 1])


def _overlap(a: Floats, b: Floats) -> float:
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(max(width, 0) * max(height, 0))


def _outside(box: Floats, frame: Floats) -> float:
    return float(np.prod(box[2:] - box[:2])) - _overlap(box, frame)


# ---------------------------------------------------------------- shapes and links


Part = tuple[str, Mapping[str, int], str | None]


@_styled
def matrix_product(parts: Sequence[Part | str], *, title: str | None = None) -> Figure:
    """Draw matrices as boxes, with the signs of a formula between them.

    Sizes up to 12 are drawn cell by cell, larger ones by their square roots.

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
    ax.set(xlim=(-0.4, left), ylim=(-tallest / 2 - 0.5, tallest / 2 + 1.3))
    ax.set_aspect("equal")
    ax.axis("off")
    scale = min(0.34, _WIDTH / (left + 0.4))
    figure.set_size_inches((left + 0.4) * scale, (tallest + 1.8) * scale + 0.15)
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
    (row_axis, n_rows), (column_axis, n_columns) = axes.items()
    colour = _colour(_roles(role, 1)[0], GREY)
    left, width, height = left + 1.0, side[n_columns], side[n_rows]
    corner = (left, -height / 2)
    ax.add_patch(Rectangle(corner, width, height, fc=colour, ec="none", alpha=0.16))
    ax.add_patch(Rectangle(corner, width, height, fill=False, ec=colour, lw=0.9))
    if cells:
        inner: dict[str, Any] = {"colors": colour, "linewidths": 0.6}
        ax.hlines(np.arange(1, n_rows) - height / 2, left, left + width, **inner)
        ax.vlines(left + np.arange(1, n_columns), -height / 2, height / 2, **inner)
    at = left + width / 2
    small: dict[str, Any] = {"fontsize": 8.5, "ha": "center"}
    halo = [withStroke(linewidth=4, foreground="white")]
    ax.text(at, 0, name, ha="center", va="center", color=colour, weight="bold",
            fontsize=11, path_effects=halo)  # fmt: skip
    ax.text(at, height / 2 + 0.2, f"{column_axis} = {n_columns}", va="bottom", **small)
    ax.text(left - 0.5, 0, f"{row_axis} = {n_rows}", va="center", rotation=90, **small)
    return left + width + 0.4


@_styled
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
    queries, keys : sequence of str
        Queries stand on the left, keys on the right.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    shares = _shares("weights", weights, "n_q", "n_k")
    queries = _names("queries", queries, shares.shape[0], "rows")
    keys = _names("keys", keys, shares.shape[1], "columns")
    count = max(shares.shape)
    left, right = (
        np.arange(size) + (count - size) / 2 for size in (len(queries), len(keys))
    )
    ax = _one_panel(ax, 4.6, 0.42 * count + 0.6)
    for (i, j), weight in np.ndenumerate(shares):
        if weight >= 0.01:
            ends = [left[i], right[j]]
            ax.plot([0, 1], ends, color=_SLATE[6], lw=7 * weight, solid_capstyle="butt")
    for y, word in zip(left, queries, strict=True):
        ax.text(-0.03, y, word, ha="right", va="center", color=PALETTE["query"])
    for y, word in zip(right, keys, strict=True):
        ax.text(1.03, y, word, ha="left", va="center", color=PALETTE["key"])
    ax.set(xlim=(-0.5, 1.5), ylim=(count - 0.5, -0.5))
    ax.axis("off")
    return _finish(ax, title)


# ---------------------------------------------------------------- the same in words


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


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
    queries, keys : sequence of str
        One word per row and per column.
    mask : array_like of bool, optional
        Shape (n_q, n_k), True where a query may attend.

    Returns
    -------
    str
        The size, the largest weight of each query, and what is forbidden.
    """
    shares = _shares("weights", weights, "n_q", "n_k")
    queries = _names("queries", queries, shares.shape[0], "rows")
    keys = _names("keys", keys, shares.shape[1], "columns")
    said = [f"{q}: {_strongest(r, keys)}" for q, r in zip(queries, shares, strict=True)]
    text = (
        f"Attention weights of {len(queries)} queries over {len(keys)} keys. "
        f"Largest weight of each query: {'; '.join(said)}."
    )
    if mask is not None:
        text += " " + _forbidden(_mask(mask, shares.shape), queries, keys)
    return text


def _strongest(row: Floats, keys: Sequence[str]) -> str:
    if np.isnan(row).any():
        return "NaN"
    top = float(row.max())
    if top == 0:
        return "none, all weights are 0"
    # Equal as printed, so that the sentence agrees with the numbers in the cells.
    first = [k for k, w in zip(keys, row, strict=True) if _number(w) == _number(top)]
    if len(first) == len(keys) > 1:
        return f"all keys equally, {_number(top)}"
    return f"{_listed(first)}, {_number(top)}{' each' if len(first) > 1 else ''}"


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
    queries, keys : sequence of str
        One word per row and per column.
    titles : sequence of str, optional
        One per panel; "head 0", "head 1" and so on by default.

    Returns
    -------
    str
        The size, and for each panel the largest weight of each query.
    """
    shares = _shares("weights", weights, "num_heads", "n_q", "n_k")
    titles = titles or [f"head {i}" for i in range(len(shares))]
    titles = _names("titles", titles, len(shares), "heads")
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
    rows, columns : sequence of str
        One word per row and per column.

    Returns
    -------
    str
        The size, the largest and the smallest number with their places.
    """
    array = _array("scores", scores, "rows", "columns")
    rows = _names("rows", rows, array.shape[0], "rows")
    columns = _names("columns", columns, array.shape[1], "columns")
    finite = np.where(np.isneginf(array), np.nan, array)
    ends = []
    for name, where in (("Largest", np.nanargmax), ("smallest", np.nanargmin)):
        i, j = np.unravel_index(where(finite), array.shape)
        ends.append(f"{name} {_number(array[i, j])} at {rows[i]}, {columns[j]}")
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
    rows = _rows(probabilities)
    labels = _names("labels", labels, rows.shape[1], "probabilities")
    titles = _names("titles", titles or [""] * len(rows), len(rows), "distributions")
    said = []
    for title, row in zip(titles, rows, strict=True):
        pairs = [f"{k} {_number(p)}" for k, p in zip(labels, row, strict=True)]
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
    array = _finite("values", values, "n")
    labels = _names("labels", labels, len(array), "values")
    pairs = [f"{k} {_quantity(float(v))}" for k, v in zip(labels, array, strict=True)]
    return f"Bars of {xlabel}: {'; '.join(pairs)}."


def describe_lines(
    x: Array, ys: Array, labels: Sequence[str], xlabel: str, ylabel: str
) -> str:
    """Say what lines show: where each begins and ends, and its turning extreme.

    Parameters
    ----------
    x : array_like
        Shape (n,).
    ys : array_like
        Shape (m, n), one row per line.
    labels : sequence of str
        One name per line.
    xlabel, ylabel : str
        What the axes show, with units.

    Returns
    -------
    str
        The axes and, for each line, its first and last value, and its smallest and
        largest where they lie between.
    """
    across, up, labels = _checked_lines(x, ys, labels)
    said = [f"{k}: {_course_of(across, r)}" for k, r in zip(labels, up, strict=True)]
    span = f"{_quantity(float(across[0]))} to {_quantity(float(across[-1]))}"
    return f"Lines of {ylabel} against {xlabel} from {span}. {'; '.join(said)}."


def _course_of(x: Floats, y: Floats) -> str:
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    text = f"from {_quantity(float(y[0]))} to {_quantity(float(y[-1]))}"
    for name, where in (("largest", int(y.argmax())), ("smallest", int(y.argmin()))):
        if y[where] not in (y[0], y[-1]):
            at = _quantity(float(x[where]))
            text += f", {name} {_quantity(float(y[where]))} at {at}"
    return text


def describe_mask(mask: Array, queries: Sequence[str], keys: Sequence[str]) -> str:
    """Say what one mask shows: which keys are forbidden to which query.

    Parameters
    ----------
    mask : array_like of bool
        Shape (n_q, n_k), True where a query may attend.
    queries, keys : sequence of str
        One word per row and per column.

    Returns
    -------
    str
        The size, how many pairs are allowed, and what is forbidden.
    """
    allowed = _mask(mask, (len(queries), len(keys)))
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
    array = _plane("vectors", vectors)
    labels = _names("labels", labels, len(array), "vectors")
    return f"Arrows from the origin: {_coordinates(array, labels)}."


def _coordinates(points: Floats, labels: Sequence[str]) -> str:
    return "; ".join(
        f"{k} ({_number(x)}, {_number(y)})"
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
    values, outputs : array_like
        Shapes (n_k, 2) and (n_q, 2).
    value_labels, output_labels : sequence of str
        One name per value and per output.

    Returns
    -------
    str
        All coordinates, and each output outside the hull.
    """
    outer, inner = _plane("values", values), _plane("outputs", outputs)
    value_labels = _names("value_labels", value_labels, len(outer), "values")
    output_labels = _names("output_labels", output_labels, len(inner), "outputs")
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
    corners = _hull(points)
    if len(corners) < 3:
        corners = np.concatenate([corners, corners.mean(axis=0, keepdims=True)])
    slack = 1e-9 * max(1.0, float(np.abs(corners).max())) ** 2
    ends = np.roll(corners, -1, axis=0)
    turns = [_turn(a, b, point) for a, b in zip(corners, ends, strict=True)]
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
    array = _finite("codes", codes, "n", "d_model")
    flips = [int((np.diff(array[:, d] < 0)).sum()) for d in (0, -1)]
    return (
        f"Position codes of {array.shape[0]} positions in {array.shape[1]} dimensions, "
        f"between {_number(array.min())} and {_number(array.max())}. Going down, "
        f"dimension 0 changes sign {flips[0]} times, "
        f"dimension {array.shape[1] - 1} {flips[1]} times."
    )
