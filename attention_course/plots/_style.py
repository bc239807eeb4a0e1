"""One look for every picture: palette, scales, letters, and the panels they fill."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

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
SLATE = [
    *("#FFFFFF", "#E1E3E7", "#C3C8D0", "#A6ADBA", "#8993A3"),
    *("#6D7A8E", "#526279", "#374B64", "#1B3550"),
]
BRICK = [
    *("#FFFFFF", "#F1E3DF", "#E2C8C0", "#D3ADA2", "#C29384"),
    *("#B17968", "#A0604D", "#8D4733", "#7A2E1A"),
]
SEQUENTIAL = LinearSegmentedColormap.from_list("slate", SLATE)
DIVERGING = LinearSegmentedColormap.from_list("brick-slate", [*BRICK[:0:-1], *SLATE])

# Lines without a role: colours that no role has, each with its own marker and dash.
LINE_STYLES = [
    ("#0E2A33", "o", "-"),
    ("#8D2E79", "s", "--"),
    ("#5D7E27", "^", "-."),
    ("#85716F", "D", ":"),
    ("#5A0A00", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#360A62", "P", (0, (1, 1))),
]

WIDTH = 5.2  # inches: fills the text column; on a phone a point is about a pixel
LEGIBLE = 7.7  # points: no letter is smaller, raised and lowered ones included
SCRIPT = 0.7  # how much smaller matplotlib sets a raised or lowered letter

STYLE: dict[str, Any] = {
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


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in the course's style and leave the reader's alone.

    Only the style's own settings are put back. ``rc_context`` puts all of them back,
    so a notebook's backend, which turns interactive when the first figure is made,
    would be switched off again, and every later picture would stay away.
    """

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        before = {name: plt.rcParams[name] for name in STYLE}
        plt.rcParams.update(STYLE)
        try:
            return draw(*args, **kwargs)
        finally:
            plt.rcParams.update(before)

    return wrapper


@styled
def panels(
    columns: int, rows: int = 1, *, height: float = 2.6
) -> tuple[Figure, list[Axes]]:
    """Open a figure with several panels, to be handed to other functions as ``ax``.

    Parameters
    ----------
    columns : int
        How many panels side by side.
    rows : int
        How many rows of panels.
    height : float
        Height of one row in inches; the width is the book's column.

    Returns
    -------
    tuple of Figure and list of Axes
        The figure and its panels, row by row.
    """
    size = (WIDTH, height * rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=size, squeeze=False, layout="constrained"
    )
    for ax in grid.flat:
        _quiet_ticks(ax)
    return figure, list(grid.flat)


def one_panel(ax: Axes | None, width: float, height: float) -> Axes:
    """Return ``ax``, or the panel of a new figure of that size in inches."""
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=(min(width, WIDTH), height), layout="constrained")
    _quiet_ticks(ax)
    return ax


def _quiet_ticks(ax: Axes) -> None:
    """Give the ticks their small letters and thin marks."""
    # Said per axis: ticks are made when the figure is drawn, outside our style.
    ax.tick_params(labelsize=9, labelcolor=INK, color=GREY, width=0.6, length=3)


def finish(ax: Axes, title: str | None) -> Axes:
    """Write the title, if there is one, and hand the panel back."""
    if title is not None:
        ax.set_title(title)
    return ax


def laid_out(ax: Axes) -> Figure:
    """Let the figure settle, so that data become pixels as they will be drawn."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return figure


def size_of(text: str, size: float) -> float:
    """Return the size of a text, larger where it holds raised or lowered letters."""
    low_or_high = "$" in text and ("_" in text or "^" in text)
    return max(size, LEGIBLE / SCRIPT) if low_or_high else size


def colour_of(role: str | None, default: str = INK) -> str:
    """Return the colour of a role, or the default where there is none."""
    return default if role is None else PALETTE[role]


def plural(role: str) -> str:
    """Name an axis after its role: queries, keys."""
    return {"query": "queries"}.get(role, f"{role}s")
