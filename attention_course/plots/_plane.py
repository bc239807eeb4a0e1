"""The plane: vectors as arrows, and averages within the hull of their values."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation

from .._typing import Array
from ._input import Floats, as_feet, as_names, as_plane, as_roles
from ._style import GREY, GRID, PALETTE, colour_of, finish, laid_out, one_panel, styled

# How many points a label may stand from its own, and what that costs, in its area.
ROOMY = {8.0: 0.0, 18.0: 0.5}
CROWDED = {8.0: 0.0, 14.0: 0.01, 28.0: 0.02, 44.0: 0.03, 60.0: 0.04}
LEADER = 20.0  # farther away, a thin line joins the label to its point


@styled
def vectors_plane(
    vectors: Array,
    labels: Sequence[str],
    *,
    roles: str | Sequence[str | None] | None = None,
    reach: float | None = None,
    feet: Mapping[int, Array] | None = None,
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
    reach : float, optional
        How far both axes go from the origin, the same in panels to be compared;
        otherwise as far as the vectors need.
    feet : mapping of int to array_like, optional
        Where the shadow of a vector ends, shape (2,), by the vector's place among
        ``vectors``: a dotted line leads there from its tip, in its colour.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    array = as_plane("vectors", vectors)
    labels = as_names("labels", labels, len(array), "vectors")
    colours = [colour_of(r) for r in as_roles(roles, len(array))]
    ends = as_feet(feet or {}, len(array))
    ax = one_panel(ax, 4.8, 4.0)
    _plane_axes(ax, array)
    if reach is not None:
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    for (x, y), colour in zip(array, colours, strict=True):
        if x == y == 0:
            ax.plot(0, 0, "o", color=colour, markersize=5)
        else:
            arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8}
            arrow |= {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 11}
            ax.annotate("", (x, y), (0, 0), arrowprops=arrow)
    drops = _drop_feet(ax, array, colours, ends)
    finish(ax, title)
    _place_labels(ax, array, labels, colours, arrows=True, avoid=_boxes(ax, drops))
    return ax


def _drop_feet(
    ax: Axes, vectors: Floats, colours: Sequence[str], feet: Mapping[int, Floats]
) -> list[Floats]:
    """Draw a dotted line from a tip to its foot; return points along each line."""
    steps = np.linspace(0, 1, 100)[:, None]
    drops = []
    for place, end in feet.items():
        tip = vectors[place]
        ax.plot(*np.stack([tip, end]).T, "o:", color=colours[place], markevery=[1])
        drops.append(tip + steps * (end - tip))
    return drops


def _boxes(ax: Axes, paths: Sequence[Floats]) -> list[Floats]:
    """Return small boxes in pixels over the points of each path."""
    laid_out(ax)
    return [
        np.concatenate([p - 6, p + 6])
        for path in paths
        for p in ax.transData.transform(path)
    ]


@styled
def convex_hull_plane(
    values: Array,
    outputs: Array,
    value_labels: Sequence[str],
    output_labels: Sequence[str],
    *,
    others: Array | None = None,
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
    value_labels : sequence of str
        One name per value.
    output_labels : sequence of str
        One name per output.
    others : array_like, optional
        Shape (n, 2), outputs of more queries, crosses without names; a legend then
        tells the three kinds of points apart.
    ax : Axes, optional
        A panel to draw into.
    title : str, optional
        Title of the panel.

    Returns
    -------
    Axes
        The panel.
    """
    inner, outer = as_plane("outputs", outputs), as_plane("values", values)
    labels = as_names("value_labels", value_labels, len(outer), "values")
    labels += as_names("output_labels", output_labels, len(inner), "outputs")
    ax = one_panel(ax, 4.8, 4.2)
    more = np.empty((0, 2)) if others is None else as_plane("others", others)
    both = np.concatenate([outer, inner])
    _plane_axes(ax, np.concatenate([both, more]))
    corners = hull(outer)
    outline = corners[[*range(len(corners)), 0]]
    ax.fill(*corners.T, facecolor=PALETTE["value"], alpha=0.12, edgecolor="none")
    ax.plot(*outline.T, color=PALETTE["value"], lw=0.9)
    # An output on a value shows as a diamond within a circle, so it must be smaller.
    ax.plot(*outer.T, "o", color=PALETTE["value"], markersize=9, label="values")
    ax.plot(
        *inner.T, "D", color=PALETTE["output"], markersize=5, markeredgecolor="white",
        markeredgewidth=0.6, label="outputs",
    )  # fmt: skip
    if len(more):
        ax.plot(
            *more.T, "x", color=GREY, markersize=5, label="outputs of other queries",
            zorder=1.9,
        )  # fmt: skip
    finish(ax, title)
    avoid = _hull_boxes(ax, outline, more)
    colours = [PALETTE["value"]] * len(outer) + [PALETTE["output"]] * len(inner)
    _place_labels(ax, both, labels, colours, avoid=avoid, places=CROWDED)
    return ax


def _hull_boxes(ax: Axes, outline: Floats, more: Floats) -> list[Floats]:
    """Return boxes in pixels over the outline, the crosses and the legend of these."""
    steps = np.linspace(0, 1, 100)[:, None]
    edges = [a + steps * (b - a) for a, b in itertools.pairwise(outline)]
    legend = ax.legend(loc="best", fontsize=9, frameon=False) if len(more) else None
    boxes = _boxes(ax, [*edges, more])
    if legend is not None:
        boxes.append(np.asarray(legend.get_window_extent().extents))
    return boxes


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


def hull(points: Floats) -> Floats:
    """Return the corners of the convex hull, counter-clockwise (monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})

    def chain(path: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
        corners: list[tuple[float, float]] = []
        for p in path:
            while len(corners) > 1 and turn_of(corners[-2], corners[-1], p) <= 0:
                corners.pop()
            corners.append(p)
        return corners[:-1]

    corners = chain(ordered) + chain(ordered[::-1])
    return np.array(corners or ordered)


def turn_of(
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
    avoid: Sequence[Floats] = (),
    places: dict[float, float] = ROOMY,
) -> None:
    """Write each label near its point, where it covers no point and no other label."""
    laid_out(ax)
    along = np.linspace(0.1, 1, 25) if arrows else np.ones(1)
    pixels = ax.transData.transform(np.concatenate([points * t for t in along]))
    reach = 4 if arrows else 12
    taken: list[Floats] = [np.concatenate([p - reach, p + reach]) for p in pixels]
    taken += [*_lines_through_origin(ax), *avoid]
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for point, label, colour in zip(points, labels, colours, strict=True):
        text = ax.annotate(
            label, point, (0, 0), textcoords="offset points", color=colour,
            fontsize=9.5, path_effects=halo,
        )  # fmt: skip
        inside = np.asarray(ax.bbox.extents)
        taken.append(_best_place(text, point, taken, inside, places))


def _lines_through_origin(ax: Axes) -> list[Floats]:
    """Return the boxes of the two axes' lines, which would strike a label through."""
    x, y = ax.transData.transform((0.0, 0.0))
    left, bottom, right, top = ax.bbox.extents
    return [
        np.array([x - 2, bottom, x + 2, top]),
        np.array([left, y - 2, right, y + 2]),
    ]


def _best_place(
    text: Annotation,
    point: Floats,
    taken: Sequence[Floats],
    inside: Floats,
    places: dict[float, float],
) -> Floats:
    """Try places around the point, outwards from the origin first; keep the freest."""
    outward = math.atan2(point[1], point[0])
    turns = [0.0, *(s * k / 8 for k in range(1, 8) for s in (1, -1)), 1.0]
    best: tuple[float, float, float] | None = None
    for far, turn in itertools.product(places, turns):
        angle = outward + turn * math.pi
        box = _move(text, angle, far)
        covered = sum(_overlap(box, other) for other in taken) + _outside(box, inside)
        covered += places[far] * float(np.prod(box[2:] - box[:2]))
        if best is None or covered < best[0] - 1:
            best = covered, angle, far
    assert best is not None
    if best[2] > LEADER:
        _draw_leader(text, *best[1:])
    return _move(text, *best[1:])


def _draw_leader(text: Annotation, angle: float, far: float) -> None:
    """Join a label that stands far from its point to the point."""
    line = {"arrowstyle": "-", "color": text.get_color(), "lw": 0.7}
    line |= {"shrinkA": 0, "shrinkB": 5}
    end = (far * math.cos(angle), far * math.sin(angle))
    assert isinstance(text.axes, Axes)
    text.axes.annotate("", text.xy, end, textcoords="offset points", arrowprops=line)


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
