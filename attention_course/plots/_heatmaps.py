"""Heatmaps: weights, scores, heads, positions and masks."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from .._typing import Array
from ._input import (
    Bools,
    Floats,
    as_array,
    as_finite,
    as_mask,
    as_names,
    as_roles,
    as_shares,
    first_bad,
    is_yes_or_no,
    number,
)
from ._style import (
    DIVERGING,
    GREY,
    GRID,
    SEQUENTIAL,
    WIDTH,
    colour_of,
    finish,
    laid_out,
    one_panel,
    panels,
    plural,
    styled,
)

CELL = 0.56  # inches
MIN_CELL = 0.15  # smaller cells have no room for their words
MIN_WRITTEN = 0.32  # ... and smaller ones than this none for their numbers
MAX_UNWRITTEN = 0.22  # cells without numbers need no more
MAX_ANNOTATED = 10
LETTER = 0.11  # inches of a cell that a letter of an upright word needs
HATCH = "////"


@styled
def weights_heatmap(
    weights: Array,
    queries: Sequence[str],
    keys: Sequence[str],
    *,
    mask: Array | None = None,
    ax: Axes | None = None,
    title: str | None = None,
    label: str = "weight",
    annotate: bool = True,
) -> Axes:
    """Draw attention weights: queries down the side, keys on top.

    The larger the weight, the stronger the colour. The scale is always 0 to 1, so two
    pictures can be compared.

    Parameters
    ----------
    weights : array_like
        Weights of shape (n_q, n_k), between 0 and 1; NaN is written as such.
    queries : sequence of str
        One word per row.
    keys : sequence of str
        One word per column.
    mask : array_like of bool, optional
        Shape (n_q, n_k), True where a query may attend; other cells are hatched.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.
    label : str
        What the numbers are, at the colour bar; an empty text leaves the bar out.
    annotate : bool
        Write the weights into the cells (up to ten keys).

    Returns
    -------
    Axes
        The panel.
    """
    shares = as_shares("weights", weights, "n_q", "n_k")
    ax, image = _heatmap(
        ax, shares, queries, keys, ("query", "key"), (0.0, 1.0), mask, annotate
    )
    if label:
        _colour_bar(image, ax, label)
    return finish(ax, title)


@styled
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
    top: float | None = None,
) -> Axes:
    """Draw numbers of either sign: slate positive, brick negative, zero uncoloured.

    Where nothing is negative, the scale begins at zero.

    Parameters
    ----------
    scores : array_like
        Shape (rows, columns); minus infinity (a forbidden score) is hatched, and
        booleans are written as yes and no.
    rows : sequence of str
        One word per row.
    columns : sequence of str
        One word per column.
    roles : tuple
        Role of rows and of columns; None for neither (a Jacobian, a weight matrix).
    mask : array_like of bool, optional
        True where a query may attend; other cells are hatched.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.
    label : str
        What the numbers are, at the colour bar; an empty text leaves the bar out.
    top : float, optional
        Where the scale ends, for panels that share one; the largest size by default.

    Returns
    -------
    Axes
        The panel.
    """
    array = as_array("scores", scores, "rows", "columns")
    forbidden = np.isneginf(array)
    if not np.isfinite(array[~forbidden]).all():
        bad = first_bad(np.where(forbidden, 0.0, array))
        raise ValueError(f"scores must be finite or minus infinity, got {bad}")
    if mask is None and forbidden.any():
        mask = ~forbidden
    drawn = array[~forbidden]
    top = top or float(np.abs(drawn).max(initial=0.0)) or 1.0
    limits = (-top if drawn.min(initial=0.0) < 0 else 0.0, top)
    write = _yes_or_no if is_yes_or_no(scores) else number
    ax, image = _heatmap(ax, array, rows, columns, roles, limits, mask, True, write)
    if label:
        _colour_bar(image, ax, label)
    return finish(ax, title)


def _yes_or_no(value: float) -> str:
    return "yes" if value else "no"


def _heatmap(
    ax: Axes | None,
    array: Floats,
    rows: Sequence[str],
    columns: Sequence[str],
    roles: tuple[str | None, str | None],
    limits: tuple[float, float],
    mask: Array | None,
    annotate: bool,
    write: Callable[[float], str] = number,
) -> tuple[Axes, AxesImage]:
    rows, columns = _named_axes(roles, rows, columns, array.shape)
    allowed = None if mask is None else as_mask(mask, array.shape)
    n_rows, n_columns = array.shape
    cell = min(CELL, (WIDTH - 1.6) / n_columns)
    margin = 1.2 + 0.08 * max(map(len, rows))
    if ax is None:
        ax = one_panel(ax, cell * n_columns + margin, cell * n_rows + 1.1)
        laid_out(ax).set_layout_engine("compressed")  # no room beside square cells
    image = ax.imshow(
        array,
        cmap=SEQUENTIAL if limits[0] == 0 else DIVERGING,
        vmin=limits[0],
        vmax=limits[1],
    )
    _word_axes(ax, rows, columns, roles)
    _cell_borders(ax, array.shape)
    if annotate and n_columns <= MAX_ANNOTATED:
        _write_cells(ax, image, array, allowed, write)
    if allowed is not None:
        _hatch(ax, ~allowed)
    return ax, image


def _word_axes(
    ax: Axes,
    rows: Sequence[str],
    columns: Sequence[str],
    roles: tuple[str | None, str | None],
    *,
    cell: float = CELL,
) -> None:
    """Write words down the side and on top, each in the colour of its role."""
    row_role, column_role = roles
    widest = max(map(len, columns))
    long = widest > cell / LETTER or (len(columns) > 6 and widest > 2)
    ax.set_yticks(range(len(rows)), rows, color=colour_of(row_role))
    ax.set_xticks(
        range(len(columns)),
        columns,
        color=colour_of(column_role),
        rotation=90 if long else 0,
    )
    ax.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    ax.spines[:].set_visible(False)
    if row_role:
        ax.set_ylabel(plural(row_role), color=colour_of(row_role))
    if column_role:
        ax.set_xlabel(plural(column_role), color=colour_of(column_role))
    ax.xaxis.set_label_position("top")
    ax.xaxis.labelpad = 8 if long else 4  # upright words reach up to the axis' name


def _named_axes(
    roles: tuple[str | None, str | None],
    rows: Iterable[str],
    columns: Iterable[str],
    shape: tuple[int, ...],
) -> tuple[list[str], list[str]]:
    """Check the words of both axes, under the names that their arguments have."""
    row_role, column_role = as_roles(roles, 2)
    row_name, column_name = plural(row_role or "row"), plural(column_role or "column")
    return (
        as_names(row_name, rows, shape[0], "rows"),
        as_names(column_name, columns, shape[1], "columns"),
    )


def _cell_borders(ax: Axes, shape: tuple[int, ...]) -> None:
    if max(shape) > 24:  # lines would cover the cells
        return
    ax.set_yticks(np.arange(shape[0] + 1) - 0.5, minor=True)
    ax.set_xticks(np.arange(shape[1] + 1) - 0.5, minor=True)
    ax.grid(which="minor", color=GRID, linewidth=0.6)
    ax.tick_params(which="minor", length=0)


def _write_cells(
    ax: Axes,
    image: AxesImage,
    array: Floats,
    allowed: Bools | None,
    write: Callable[[float], str],
) -> None:
    size = 9 if array.shape[1] <= 8 else 8
    for (i, j), value in np.ndenumerate(array):
        hatched = allowed is not None and not allowed[i, j]
        if hatched and value in (0.0, -np.inf):
            continue  # the hatching says it
        colour = "black" if _is_light(image, value) else "white"
        halo = [withStroke(linewidth=2.5, foreground="white")]
        ax.text(
            j, i, write(float(value)), ha="center", va="center", color=colour,
            fontsize=size, path_effects=halo if hatched and colour == "black" else None,
        )  # fmt: skip


def _is_light(image: AxesImage, value: float) -> bool:
    if not np.isfinite(value):
        return True  # drawn white
    # Where black and white can be told equally well, here and on the inverted page.
    return float(np.mean(image.to_rgba(np.array([value]))[0, :3])) > 0.53


def _hatch(ax: Axes, forbidden: Bools) -> None:
    for i, j in np.argwhere(forbidden):
        box = Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, hatch=HATCH, lw=0)
        ax.add_patch(box)


def _colour_bar(
    image: AxesImage,
    ax: Axes | Sequence[Axes],
    label: str,
    *,
    below: bool = False,
) -> None:
    figure = image.get_figure()
    assert isinstance(figure, Figure)
    place: dict[str, Any] = {"shrink": 0.9, "pad": 0.03}
    if below:
        place = {"location": "bottom", "shrink": 0.6, "aspect": 30, "pad": 0.03}
    bar = figure.colorbar(image, ax=ax, label=label, **place)
    bar.outline.set_edgecolor(GRID)
    bar.ax.tick_params(labelsize=8, color=GREY, width=0.6, length=3)


@styled
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
    queries : sequence of str
        One word per row, the same in every panel; left out where the cells are too
        small for words.
    keys : sequence of str
        One word per column, likewise.
    titles : sequence of str, optional
        One per panel; "head 0", "head 1" and so on by default.
    mask : array_like of bool, optional
        Shape (n_q, n_k), True where a query may attend.

    Returns
    -------
    Figure
        The figure.
    """
    shares = as_shares("weights", weights, "num_heads", "n_q", "n_k")
    count, n_q, n_k = shares.shape
    titles = titles or [f"head {i}" for i in range(count)]
    titles = as_names("titles", titles, count, "heads")
    queries, keys = _named_axes(("query", "key"), queries, keys, (n_q, n_k))
    mask = None if mask is None else as_mask(mask, (n_q, n_k))
    columns = _grid_columns(count, n_k)
    rows = math.ceil(count / columns)
    words = 0.5 + 0.08 * max(len(line) for q in queries for line in q.split("\n"))
    cell = min(0.5, (WIDTH - words) / (columns * n_k))
    if cell < MIN_WRITTEN:
        cell = min(cell, MAX_UNWRITTEN)
    height = cell * n_q + (1.6 if rows == 1 else 1.0)
    figure, axes = panels(columns, rows, height=height)
    figure.set_layout_engine("compressed")
    for index, ax in enumerate(axes):
        if index >= count:
            ax.set_visible(False)
            continue
        _, image = _heatmap(
            ax, shares[index], queries, keys, ("query", "key"), (0.0, 1.0), mask,
            annotate=cell >= MIN_WRITTEN,
        )  # fmt: skip
        ax.set_title(titles[index])
        if index % columns:
            ax.set(ylabel="")
        if index >= columns:
            ax.set(xlabel="")
        if index % columns or cell < MIN_CELL:
            ax.set(yticklabels=[])
        if index >= columns or cell < MIN_CELL:
            ax.set(xticklabels=[])
    _colour_bar(image, axes, "weight", below=True)
    return figure


def _grid_columns(count: int, n_k: int) -> int:
    """Choose as many panels beside each other as leave room to write the weights."""
    if count <= 2 or count * n_k <= 12:
        return count
    if count <= 4 or n_k <= 6:
        return 2
    return 3 if count % 3 == 0 else 4


@styled
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
    array = as_finite("codes", codes, "n", "d_model")
    top = float(np.abs(array).max()) or 1.0
    ax = one_panel(ax, WIDTH, 3.4)
    image = ax.imshow(array, cmap=DIVERGING, vmin=-top, vmax=top, aspect="auto")
    image.set_interpolation("nearest")
    ax.set(xlabel="dimension", ylabel="position")
    ax.locator_params(integer=True)
    _colour_bar(image, ax, "value of the code")
    return finish(ax, title)


@styled
def mask_grid(
    masks: Mapping[str, Array], queries: Sequence[str], keys: Sequence[str]
) -> Figure:
    """Draw masks side by side: filled where a query may attend, hatched where not.

    Parameters
    ----------
    masks : mapping of str to array_like of bool
        Title and mask of shape (n_q, n_k), such as causal, padding and both together.
    queries : sequence of str
        One word per row.
    keys : sequence of str
        One word per column.

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
    drawn = [as_mask(mask, shape) for mask in masks.values()]
    cell = min(0.42, (WIDTH - 1.4) / (len(masks) * shape[1]))
    figure, axes = panels(len(masks), height=cell * shape[0] + 1.5)
    for index, (ax, title, allowed) in enumerate(zip(axes, masks, drawn, strict=True)):
        ax.imshow(allowed * 0.75, cmap=SEQUENTIAL, vmin=0, vmax=1)
        _word_axes(ax, [*queries], [*keys], ("query", "key"), cell=cell)
        _cell_borders(ax, shape)
        _hatch(ax, ~allowed)
        ax.set_title(title)
        if index:
            ax.set(yticklabels=[], ylabel="")
    filled = Patch(facecolor=SEQUENTIAL(0.75), label="may attend")
    hatched = Patch(facecolor="white", hatch=HATCH, lw=0, label="may not attend")
    legend = figure.legend(
        handles=[filled, hatched], loc="outside lower center", ncols=2, frameon=False
    )
    _close_gap(figure, axes[0], legend)
    return figure


def _close_gap(figure: Figure, ax: Axes, legend: Legend) -> None:
    """Take away the height that square cells leave empty above the legend."""
    laid_out(ax)
    gap = ax.get_window_extent().y0 - legend.get_window_extent().y1
    figure.set_figheight(figure.get_figheight() - max(0.0, gap) / figure.dpi)
