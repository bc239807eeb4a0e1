"""Draw the course's pictures: one function per kind, one palette, one style.

Blue is a query, orange is a key, teal is a value, in pictures as in formulas; an
output is ink. No picture is told by colour alone: cells carry numbers, forbidden
cells are hatched, lines have markers and their names at their ends.

A function with one panel returns its ``Axes``, one with several its ``Figure``. End the
cell with a semicolon, and the notebook shows the picture once. The ``describe_``
functions say the same in words, for readers who cannot see it. Importing this module
imports Matplotlib.
"""

from ._charts import bars, distribution_bars, lines
from ._heatmaps import (
    heads_grid,
    mask_grid,
    position_heatmap,
    scores_heatmap,
    weights_heatmap,
)
from ._plane import convex_hull_plane, vectors_plane
from ._shapes import attention_links, matrix_product
from ._style import DARK_PALETTE, PALETTE, panels
from ._words import (
    describe_bars,
    describe_distributions,
    describe_heads,
    describe_hull,
    describe_lines,
    describe_mask,
    describe_positions,
    describe_scores,
    describe_vectors,
    describe_weights,
)

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
