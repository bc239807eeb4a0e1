"""Charts: bars of distributions and quantities, and lines."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, ScalarFormatter

from .._typing import Array
from ._input import (
    Floats,
    as_finite,
    as_lines,
    as_names,
    as_roles,
    as_rows,
    check_positive,
    number,
    quantities,
)
from ._style import (
    GRID,
    INK,
    LINE_STYLES,
    SLATE,
    WIDTH,
    colour_of,
    finish,
    laid_out,
    one_panel,
    panels,
    plural,
    size_of,
    styled,
)


@styled
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
        Role of the labels, such as "key"; it colours them and names their axis.

    Returns
    -------
    Figure
        The figure.
    """
    rows = as_rows(probabilities)
    if len(rows) > 4:
        raise ValueError(f"probabilities must be at most 4 rows, got {len(rows)}")
    labels = as_names("labels", labels, rows.shape[1], "probabilities")
    titles = as_names("titles", titles or [""] * len(rows), len(rows), "distributions")
    (colour,) = {colour_of(r) for r in as_roles(role, 1)}
    figure, axes = panels(len(rows), height=0.32 * len(labels) + 0.95)
    for index, (ax, row) in enumerate(zip(axes, rows, strict=True)):
        _horizontal_bars(ax, row, [SLATE[6]] * len(labels), [number(p) for p in row])
        ax.set_yticks(range(len(labels)), labels if index == 0 else [], color=colour)
        ax.set(xlim=(0, 1.3), xlabel="share", title=titles[index])
        ax.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        ax.spines["bottom"].set_bounds(0, 1)  # beyond is room for the numbers
    if role:
        axes[0].set_ylabel(plural(role), color=colour)
    return figure


@styled
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
        Shape (n,), finite; positive when ``log``.
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
    array = as_finite("values", values, "n")
    labels = as_names("labels", labels, len(array), "values")
    colours = [colour_of(r, SLATE[6]) for r in as_roles(roles, len(array))]
    if log:
        check_positive("values", array)
    ax = one_panel(ax, WIDTH, 0.38 * len(array) + 0.75)
    _horizontal_bars(ax, array, colours, quantities(array))
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
    return finish(ax, title)


def _horizontal_bars(
    ax: Axes, values: Floats, colours: Sequence[str], texts: Sequence[str]
) -> None:
    bar_box = ax.barh(range(len(values)), values, color=colours, height=0.66)
    ax.bar_label(bar_box, texts, padding=3, fontsize=9, color=INK)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


@styled
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
    xlabel : str
        What ``x`` is, with its unit.
    ylabel : str
        What the lines show, with its unit.
    logx : bool
        Logarithmic axis for ``x``, which must then be positive.
    logy : bool
        Logarithmic axis for ``ys``, which must then be positive.
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
    across, up, labels = as_lines(x, ys, labels)
    if logx:
        check_positive("x", across)
    if logy:
        check_positive("ys", up[np.isfinite(up)])
    colours = [colour_of(r, "") for r in as_roles(roles, len(up))]
    ax = one_panel(ax, WIDTH, 3.2)
    ax.set_xlabel(xlabel, fontsize=size_of(xlabel, 10))
    ax.set_ylabel(ylabel, fontsize=size_of(ylabel, 10))
    ax.set_yscale("log" if logy else "linear")
    if logy:
        ax.tick_params(axis="y", labelsize=size_of("$10^{-5}$", 9))
    _x_scale(ax, across, logx)
    ax.grid(color=GRID, linewidth=0.5)
    every = max(1, math.ceil(len(across) / 10))
    for row, colour, style in zip(up, colours, LINE_STYLES, strict=False):
        own, marker, dash = style
        ax.plot(
            across, row, color=colour or own, linestyle=dash, marker=marker,
            markevery=every, markersize=4.5, linewidth=1.6,
        )  # fmt: skip
    finish(ax, title)
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


def _label_ends(ax: Axes, labels: Sequence[str]) -> None:
    """Write each line's name right of its last point, pushed apart where they meet."""
    figure = laid_out(ax)
    tips = []
    for line, label in zip(ax.get_lines(), labels, strict=True):
        points = np.asarray(line.get_xydata(), dtype=np.float64)
        end = points[np.isfinite(points[:, 1])][-1]
        tips.append((ax.transData.transform(end)[1], end, label, line.get_color()))
    tips.sort(key=lambda tip: tip[0])
    point = figure.dpi / 72
    for right in sorted({float(tip[1][0]) for tip in tips}):  # some lines end early
        here = [tip for tip in tips if tip[1][0] == right]
        heights = _spread([tip[0] / point for tip in here], gap=12.0)
        for height, (pixel, end, label, colour) in zip(heights, here, strict=True):
            ax.annotate(
                label, end, xytext=(7, height - pixel / point),
                textcoords="offset points", va="center", color=colour,
                fontsize=size_of(label, 9.5),
                annotation_clip=False,
            )  # fmt: skip


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
