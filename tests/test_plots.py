"""What the pictures show, not that they can be drawn."""

import functools
import io
import itertools
import re
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.colors import rgb_to_hsv, to_hex, to_rgb
from matplotlib.patches import Rectangle

from attention_course import plots

ROOT = Path(__file__).resolve().parent.parent
WORDS = ["the", "cat", "sat", "outside", "today"]
QUESTIONS = ["who", "when", "where or when"]
# softmax of [0, 2, 0, 0, 0], [0, 0, 0, 0, 2], [0, 0, 0, 2, 1]: e^2 / (e^2 + 4) = 0.65
SCORES = np.array([[0, 2, 0, 0, 0], [0, 0, 0, 0, 2], [0, 0, 0, 2, 1.0]])
WEIGHTS = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
VALUES = np.array([[0, 0], [4, 0], [0, 1], [-2, 3], [-2, -3.0]])
CAUSAL = np.tril(np.ones((5, 5), dtype=bool))


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def figure_of(drawn):
    return drawn if isinstance(drawn, mpl.figure.Figure) else drawn.get_figure()


def pixels(drawn):
    figure = figure_of(drawn)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba()).copy()


def cell_texts(ax):
    """Return what is written into the cells, by (row, column)."""
    return {
        (round(t.get_position()[1]), round(t.get_position()[0])): t.get_text()
        for t in ax.texts
    }


def hatched_cells(ax):
    boxes = [p for p in ax.patches if isinstance(p, Rectangle) and p.get_hatch()]
    return {(round(b.get_y() + 0.5), round(b.get_x() + 0.5)) for b in boxes}


def labels_and_colours(ticks):
    return [t.get_text() for t in ticks], {to_hex(t.get_color()) for t in ticks}


def role(name):
    return plots.PALETTE[name].lower()


# ------------------------------------------------------------------ the palette


def linear(colour):
    """Undo the sRGB transfer function (IEC 61966-2-1)."""
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Contrast ratio of WCAG 2.2, section 1.4.3."""
    dark, light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    """CIELAB of linear RGB, white point D65."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x = to_xyz @ rgb / to_xyz.sum(axis=1)
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation
# of Color Vision Deficiency", IEEE TVCG 15(6): their matrices at severity 1.0.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen_distance(one, other, sight):
    """Return the CIELAB distance of two colours, as someone with that sight sees it."""
    ends = [lab(np.clip(np.array(sight) @ linear(c), 0, 1)) for c in (one, other)]
    return float(np.linalg.norm(ends[0] - ends[1]))


@pytest.mark.parametrize(
    ("palette", "page"),
    [(plots.PALETTE, "#FFFFFF"), (plots.DARK_PALETTE, "#14181E")],
    ids=["light", "dark"],
)
def test_each_role_can_be_read_on_its_page(palette, page):
    for name, colour in palette.items():
        assert contrast(colour, page) >= 4.5, name


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(
    "palette", [plots.PALETTE, plots.DARK_PALETTE], ids=["light", "dark"]
)
def test_roles_differ_for_every_kind_of_sight(palette, sight):
    for one, other in itertools.combinations(palette, 2):
        distance = seen_distance(palette[one], palette[other], SIGHT[sight])
        assert distance >= 15, f"{one} and {other}: {distance:.1f}"


def test_machado_leaves_white_white():
    for matrix in SIGHT.values():
        np.testing.assert_allclose(np.array(matrix) @ np.ones(3), 1, atol=2e-6)


def test_the_style_sheet_has_the_same_palette():
    css = (ROOT / "book" / "_static" / "course.css").read_text("utf-8").lower()
    light, dark = css.split('html[data-theme="dark"] {', 1)
    for name in ("query", "key", "value"):
        assert f"--course-{name}: {role(name)};" in light
        assert f"--course-{name}: {plots.DARK_PALETTE[name].lower()};" in dark
        # ... and turns the formulas' colours into the dark ones.
        assert f'[style*="{role(name)}" i]' in dark


def test_the_scale_of_weights_starts_at_white_in_equal_steps():
    image = plots.weights_heatmap([[0.0, 1.0]], ["q"], ["a", "b"]).images[0]
    shades = image.cmap(np.linspace(0, 1, 52))[:, :3]
    assert to_hex(shades[0]) == "#ffffff"
    steps = np.linalg.norm(np.diff([lab(linear(c)) for c in shades], axis=0), axis=1)
    assert steps.min() > 0.95 * steps.mean()
    assert steps.max() < 1.05 * steps.mean()


# ------------------------------------------------------------------ heatmaps


def test_the_cells_show_the_weights_under_the_words():
    ax = plots.weights_heatmap(WEIGHTS, QUESTIONS, WORDS, title="Who?")
    np.testing.assert_array_equal(ax.images[0].get_array(), WEIGHTS)
    assert cell_texts(ax) == {
        (i, j): f"{WEIGHTS[i, j]:.2f}" for i in range(3) for j in range(5)
    }
    assert cell_texts(ax)[0, 1] == "0.65"  # e^2 / (e^2 + 4)
    assert labels_and_colours(ax.get_yticklabels()) == (QUESTIONS, {role("query")})
    assert labels_and_colours(ax.get_xticklabels()) == (WORDS, {role("key")})
    assert ax.get_ylabel() == "queries"
    assert ax.get_xlabel() == "keys"
    assert ax.get_title() == "Who?"
    assert ax.figure.axes[1].get_ylabel() == "weight"


def test_weights_without_a_word_for_them_have_no_colour_bar():
    ax = plots.weights_heatmap(WEIGHTS, QUESTIONS, WORDS, label="")
    assert ax.figure.axes == [ax]


@pytest.mark.parametrize("factor", [1.0, 0.1])
def test_weights_are_always_drawn_from_zero_to_one(factor):
    ax = plots.weights_heatmap(WEIGHTS * factor, QUESTIONS, WORDS)
    assert ax.images[0].get_clim() == (0.0, 1.0)


def on_the_dark_page(colour):
    """Show a colour as the dark page does: invert(1), hue-rotate(180deg), screen."""
    # Filter Effects 1, section 9.5: hueRotate, with cosine -1 and sine 0.
    rotated = np.array(
        [[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]]
    )
    shown = np.clip(rotated @ (1 - np.array(to_rgb(colour))), 0, 1)
    return 1 - (1 - shown) * (1 - np.array(to_rgb("#14181E")))


def test_the_dark_page_swaps_black_and_white_and_keeps_hues():
    assert to_hex(on_the_dark_page("white")) == "#14181e"
    assert to_hex(on_the_dark_page("black")) == "#ffffff"
    for name, colour in plots.PALETTE.items():
        shown = on_the_dark_page(colour)
        assert contrast(shown, "#14181E") >= 4.5, name
        hues = [rgb_to_hsv(to_rgb(c))[0] for c in (colour, shown)]
        assert abs(hues[0] - hues[1]) < 0.05, name


@pytest.mark.parametrize("page", [to_rgb, on_the_dark_page])
@pytest.mark.parametrize("lowest", [0.0, -1.0])
def test_numbers_can_be_read_on_their_cells(page, lowest):
    numbers = np.linspace(lowest, 1, 40)[:, None]
    ax = plots.scores_heatmap(numbers, [str(i) for i in range(40)], ["k"])
    image = ax.images[0]
    assert len(ax.texts) == 40
    for text, number in zip(ax.texts, numbers[:, 0], strict=True):
        shade = image.cmap(image.norm(number))[:3]
        assert contrast(page(text.get_color()), page(shade)) >= 3.5, number


def test_a_table_of_booleans_says_yes_and_no():
    table = np.array([[True, False]])
    for shown in (table, table.tolist()):
        ax = plots.scores_heatmap(shown, ["a"], ["x", "y"], roles=(None, None))
        assert cell_texts(ax) == {(0, 0): "yes", (0, 1): "no"}
    ax = plots.scores_heatmap(table.astype(int), ["a"], ["x", "y"])
    assert cell_texts(ax) == {(0, 0): "1.00", (0, 1): "0.00"}


def test_a_tensor_of_booleans_says_yes_and_no():
    torch = pytest.importorskip("torch")
    ax = plots.scores_heatmap(torch.tensor([[True, False]]), ["a"], ["x", "y"])
    assert cell_texts(ax) == {(0, 0): "yes", (0, 1): "no"}


@pytest.mark.parametrize("n", [3, 6])
def test_the_colour_bar_is_no_taller_than_its_table(n):
    names = [str(i) for i in range(n)]
    ax = plots.scores_heatmap(np.eye(n), names, names, roles=(None, None))
    ax.figure.draw_without_rendering()
    table, bar = (a.get_window_extent() for a in ax.figure.axes)
    assert bar.y0 >= table.y0 - 1
    assert bar.y1 <= table.y1 + 1


def test_forbidden_cells_are_hatched_and_say_nothing():
    weights = CAUSAL / CAUSAL.sum(axis=1, keepdims=True)
    ax = plots.weights_heatmap(weights, WORDS, WORDS, mask=CAUSAL)
    forbidden = {(i, j) for i in range(5) for j in range(5) if j > i}
    assert hatched_cells(ax) == forbidden
    assert not forbidden & set(cell_texts(ax))


def test_a_weight_on_a_forbidden_key_is_written():
    # A large finite fill instead of -inf gives a row without allowed keys 1/5 each.
    ax = plots.weights_heatmap(np.full((1, 5), 0.2), ["q"], WORDS, mask=[[False] * 5])
    assert set(cell_texts(ax).values()) == {"0.20"}
    assert len(hatched_cells(ax)) == 5


def test_not_a_number_is_written_as_such():
    ax = plots.weights_heatmap([[np.nan, 1.0]], ["q"], ["a", "b"])
    assert cell_texts(ax) == {(0, 0): "NaN", (0, 1): "1.00"}


def test_many_keys_and_annotate_false_leave_the_numbers_out():
    keys = [f"k{j}" for j in range(11)]
    assert not plots.weights_heatmap(np.full((2, 11), 1 / 11), ["a", "b"], keys).texts
    assert plots.weights_heatmap(np.full((2, 10), 0.1), ["a", "b"], keys[:10]).texts
    assert not plots.weights_heatmap(WEIGHTS, QUESTIONS, WORDS, annotate=False).texts


def test_scores_are_centred_on_zero_and_signed():
    scores = np.array([[-3.0, 0.0, 1.5], [2.0, -0.001, -np.inf]])
    ax = plots.scores_heatmap(scores, ["a", "b"], ["x", "y", "z"], label="logit")
    assert ax.images[0].get_clim() == (-3.0, 3.0)
    assert to_hex(ax.images[0].cmap(0.5)) in {"#ffffff", "#fefefe", "#fdfdfd"}
    assert cell_texts(ax) == {
        (0, 0): "−3.00", (0, 1): "0.00", (0, 2): "1.50", (1, 0): "2.00", (1, 1): "0.00"
    }  # fmt: skip
    assert hatched_cells(ax) == {(1, 2)}
    assert ax.figure.axes[1].get_ylabel() == "logit"


def test_numbers_without_a_negative_one_begin_at_white():
    ax = plots.scores_heatmap([[0.0, 2.0], [-np.inf, 0.5]], ["a", "b"], ["x", "y"])
    assert ax.images[0].get_clim() == (0.0, 2.0)
    assert to_hex(ax.images[0].cmap(0.0)) == "#ffffff"
    nothing = plots.scores_heatmap(np.zeros((2, 2)), ["a", "b"], ["x", "y"])
    assert nothing.images[0].get_clim() == (0.0, 1.0)


def test_panels_of_scores_can_share_one_scale():
    for numbers in ([[0.1, 0.2]], [[0.1, 4.0]]):
        ax = plots.scores_heatmap(numbers, ["a"], ["x", "y"], top=4.0)
        assert ax.images[0].get_clim() == (0.0, 4.0)
    signed = plots.scores_heatmap([[-0.1, 0.2]], ["a"], ["x", "y"], top=4.0)
    assert signed.images[0].get_clim() == (-4.0, 4.0)


def test_scores_whose_label_is_empty_have_no_colour_bar():
    ax = plots.scores_heatmap(np.eye(2), ["a", "b"], ["x", "y"], label="")
    assert ax.figure.axes == [ax]


@pytest.mark.parametrize(
    ("words", "rotation"),
    [
        (list("01234567"), 0),
        ([str(place) for place in range(12)], 0),
        (["cat"] * 6, 0),
        (["cat"] * 7, 90),
        (["outside"], 90),
    ],
)
def test_only_long_words_lie_on_their_side(words, rotation):
    ax = plots.scores_heatmap(np.ones((1, len(words))), ["a"], words)
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {rotation}


def test_scores_without_roles_are_in_ink():
    ax = plots.scores_heatmap(np.eye(2), ["a", "b"], ["x", "y"], roles=(None, None))
    assert labels_and_colours(ax.get_yticklabels()) == (["a", "b"], {role("output")})
    assert ax.get_ylabel() == ax.get_xlabel() == ""


def test_the_two_signs_differ_for_every_kind_of_sight():
    ax = plots.scores_heatmap([[-1.0, 1.0]], ["a"], ["x", "y"])
    low, high = (to_hex(ax.images[0].cmap(v)) for v in (0.25, 0.75))
    for name, matrix in SIGHT.items():
        assert seen_distance(low, high, matrix) >= 15, name


def test_heads_share_one_scale_and_their_titles():
    weights = np.stack([WEIGHTS * s for s in (1, 0.5, 0.2, 0.1, 0.9)])
    figure = plots.heads_grid(weights, QUESTIONS, WORDS)
    shown = [ax for ax in figure.axes if ax.images and ax.get_visible()]
    assert [ax.get_title() for ax in shown] == [f"head {i}" for i in range(5)]
    for ax, expected in zip(shown, weights, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), expected)
        assert ax.images[0].get_clim() == (0.0, 1.0)
        assert cell_texts(ax)[0, 1] == f"{expected[0, 1]:.2f}"
    with_rows = [[t.get_text() for t in ax.get_yticklabels()] for ax in shown]
    assert with_rows[0] == with_rows[2] == QUESTIONS
    assert set(with_rows[1]) == {""}
    assert [ax.get_xlabel() for ax in figure.axes].count("weight") == 1  # one bar


def test_heads_can_be_before_and_after():
    titles = ["before", "after"]
    figure = plots.heads_grid([WEIGHTS, WEIGHTS], QUESTIONS, WORDS, titles=titles)
    assert [ax.get_title() for ax in figure.axes[:2]] == titles


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("rows", [WORDS, ["Ben →\nCleo, Finn"] * 5])
def test_numbers_in_a_grid_of_heads_keep_their_distance(count, rows):
    figure = plots.heads_grid(np.full((count, 5, 5), 0.2), rows, WORDS)
    figure.draw_without_rendering()
    for ax in figure.axes[:count]:
        boxes = [t.get_window_extent() for t in ax.texts[:5]]  # the first row
        gaps = [b.x0 - a.x1 for a, b in itertools.pairwise(boxes)]
        assert min(gaps) >= 0.05 * figure.dpi


def test_a_grid_whose_cells_are_too_narrow_has_no_numbers():
    digits = list("01234567")
    figure = plots.heads_grid(np.full((2, 8, 8), 0.125), digits, digits)
    assert not any(ax.texts for ax in figure.axes)


def test_words_that_would_overlap_are_left_out_of_a_grid():
    words = [f"word {i}" for i in range(20)]
    figure = plots.heads_grid(np.full((4, 20, 20), 0.05), words, words)
    assert not any(t.get_text() for t in figure.axes[0].get_yticklabels())
    assert figure.axes[0].get_ylabel() == "queries"


def test_position_codes_are_drawn_as_they_are():
    codes = np.random.default_rng(0).normal(size=(7, 4))
    ax = plots.position_heatmap(codes)
    np.testing.assert_array_equal(ax.images[0].get_array(), codes)
    low, high = ax.images[0].get_clim()
    assert -low == high == np.abs(codes).max()
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("position", "dimension")


def test_masks_are_filled_where_a_query_may_attend():
    padding = np.repeat([[True, True, True, True, False]], 5, axis=0)
    masks = {"causal": CAUSAL, "padding": padding, "both": CAUSAL & padding}
    figure = plots.mask_grid(masks, WORDS, WORDS)
    for ax, (title, mask) in zip(figure.axes, masks.items(), strict=True):
        assert ax.get_title() == title
        assert hatched_cells(ax) == {(i, j) for i, j in np.argwhere(~mask)}
        np.testing.assert_array_equal(ax.images[0].get_array() > 0.5, mask)
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend == ["may attend", "may not attend"]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("words", [WORDS[:3], WORDS, [*WORDS[:3], "–", "–"]])
def test_the_words_and_the_legend_of_masks_fit(count, words):
    mask = np.ones((len(words), len(words)), dtype=bool)
    figure = plots.mask_grid({str(i): mask for i in range(count)}, words, words)
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [t.get_window_extent() for t in ax.get_xticklabels()]
        gaps = [b.x0 - a.x1 for a, b in itertools.pairwise(boxes)]
        assert min(gaps) > 0.04 * figure.dpi
    bottom = figure.axes[0].get_window_extent().y0
    gap = (bottom - figure.legends[0].get_window_extent().y1) / figure.dpi
    assert 0 <= gap < 0.2  # inches
    assert figure.get_tightbbox().y1 <= figure.get_figheight() + 0.05


# ------------------------------------------------------------------ bars and lines


def test_distributions_share_a_scale_and_show_their_numbers():
    # softmax of [2, 1, 0.1], by hand 0.659, 0.242, 0.099
    rows = [[0.659, 0.242, 0.099], [1 / 3, 1 / 3, 1 / 3]]
    labels, titles = ["cat", "dog", "bird"], ["T = 1", "T = ∞"]
    figure = plots.distribution_bars(rows, labels, titles=titles, role="key")
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    for ax, row, title in zip(figure.axes, rows, titles, strict=True):
        assert [bar.get_width() for bar in ax.patches] == row
        assert [t.get_text() for t in ax.texts] == [f"{p:.2f}" for p in row]
        assert ax.get_title() == title
        assert ax.yaxis_inverted()  # the first label stands on top
    named = labels_and_colours(figure.axes[0].get_yticklabels())
    assert named == (labels, {role("key")})
    assert [ax.get_ylabel() for ax in figure.axes] == ["keys", ""]
    assert to_hex(figure.axes[0].yaxis.label.get_color()) == role("key")


def test_bars_are_as_long_as_their_numbers():
    values = [1_050_624, 2.5, -7]
    ax = plots.bars(values, ["a", "b", "c"], "things", roles=["query", None, "value"])
    assert [bar.get_width() for bar in ax.patches] == values
    assert [t.get_text() for t in ax.texts] == ["1,050,624", "2.5", "−7"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b", "c"]
    assert ax.get_xlabel() == "things"
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert (colours[0], colours[2]) == (role("query"), role("value"))
    assert colours[1] not in {role(name) for name in plots.PALETTE}


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.27, 1.0, 0.5], ["0.27", "1.00", "0.50"]),
        ([0.5, 0.997], ["0.500", "0.997"]),
        ([512, 64], ["512", "64"]),
        ([1.5e-7, 2.0], ["1.5e−07", "2"]),
    ],
)
def test_numbers_below_each_other_have_as_many_decimals(values, texts):
    ax = plots.bars(values, ["a", "b", "c"][: len(values)], "share")
    assert [t.get_text() for t in ax.texts] == texts


def test_a_logarithmic_bar_leaves_room_for_the_smallest():
    ax = plots.bars([3.0, 3000.0], ["a", "b"], "operations", log=True)
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] < 3.0
    assert ax.get_xlim()[1] > 3000.0


def test_lines_pass_through_their_points():
    x, ys = np.array([1.0, 2, 4]), np.array([[5.0, 3, 2], [1, 1, 8]])
    ax = plots.lines(x, ys, ["loss", "other"], "step", "nats", roles=["query", None])
    for line, y in zip(ax.get_lines(), ys, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([x, y]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "nats")
    assert ax.get_lines()[0].get_color() == plots.PALETTE["query"]
    assert {t.get_text(): t.get_color() for t in ax.texts} == {
        "loss": plots.PALETTE["query"], "other": ax.get_lines()[1].get_color()
    }  # fmt: skip


def test_six_lines_differ_with_and_without_colour():
    ax = plots.lines([0, 1], np.arange(12.0).reshape(6, 2), list("abcdef"), "x", "y")
    drawn = ax.get_lines()
    assert len({line.get_marker() for line in drawn}) == 6
    assert len({str(line._unscaled_dash_pattern) for line in drawn}) == 6
    for name, matrix in SIGHT.items():
        for one, other in itertools.combinations(drawn, 2):
            distance = seen_distance(one.get_color(), other.get_color(), matrix)
            assert distance >= 20, f"{name}: {one.get_color()}, {other.get_color()}"
    assert all(contrast(line.get_color(), "white") >= 4.5 for line in drawn)


def test_names_at_the_ends_of_lines_do_not_overlap():
    ys = [[0, 1.0], [0, 1.001], [2, 1.002], [9, 9], [3, 1.0]]
    ax = plots.lines([0, 1], ys, list("abcde"), "x", "y")
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert all(box.x0 > ax.transData.transform((1, 0))[0] for box in boxes)


def test_a_name_stands_at_the_height_of_its_line():
    ax = plots.lines([0, 1], [[0, 5.0], [0, 1.0]], ["up", "low"], "x", "y")
    ax.figure.canvas.draw()
    for text, end in zip(ax.texts, [1.0, 5.0], strict=True):  # from the lowest up
        box = text.get_window_extent()
        middle = (box.y0 + box.y1) / 2
        assert middle == pytest.approx(ax.transData.transform((1, end))[1], abs=3)
    assert [t.get_text() for t in ax.texts] == ["low", "up"]


def test_a_gap_moves_the_name_to_the_last_number():
    ax = plots.lines([0, 1, 2], [[1.0, 4.0, np.nan]], ["a"], "x", "y")
    assert ax.texts[0].xy[1] == 4.0


def test_a_line_that_ends_early_has_its_name_there():
    ys = [[9, 5, np.nan, np.nan], [9, 5.01, np.nan, np.nan], [9, 9, 9, 9.0]]
    ax = plots.lines([0, 1, 2, 3], ys, ["a", "b", "whole"], "x", "y")
    ax.figure.canvas.draw()
    boxes = {t.get_text(): t.get_window_extent() for t in ax.texts}
    assert not boxes["a"].overlaps(boxes["b"])
    for name, end in [("a", 1), ("b", 1), ("whole", 3)]:
        gap = boxes[name].x0 - ax.transData.transform((end, 0))[0]
        assert 0 < gap < 0.15 * ax.figure.dpi, name


def test_logarithmic_axes_are_set_and_powers_of_two_marked():
    ax = plots.lines([2, 4, 8], [[1, 2, 3.0]], ["a"], "d", "y", logx=True, logy=True)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.xaxis.get_transform().base == 2
    ax = plots.lines([1, 10, 30], [[1, 2, 3.0]], ["a"], "d", "y", logx=True)
    assert ax.xaxis.get_transform().base == 10
    assert ax.get_yscale() == "linear"


# ------------------------------------------------------------------ the plane


def test_arrows_end_at_their_vectors_in_the_colours_of_their_roles():
    outputs = WEIGHTS @ VALUES
    vectors, labels = np.vstack([VALUES, outputs]), WORDS + QUESTIONS
    roles = ["value"] * 5 + ["output"] * 3
    ax = plots.vectors_plane(vectors, labels, roles=roles)
    arrows = [t for t in ax.texts if not t.get_text()]
    np.testing.assert_array_equal([a.xy for a in arrows], vectors[1:])  # the = 0
    assert all(tuple(a.xyann) == (0, 0) for a in arrows)
    named = {t.get_text(): t.get_color() for t in ax.texts if t.get_text()}
    assert list(named) == labels
    assert named["cat"] == plots.PALETTE["value"]
    assert named["who"] == plots.PALETTE["output"]
    assert ax.get_aspect() == 1.0


@pytest.mark.parametrize("draw", ["vectors", "hull"])
def test_labels_in_the_plane_do_not_overlap(draw):
    outputs = WEIGHTS @ VALUES
    if draw == "hull":
        ax = plots.convex_hull_plane(VALUES, outputs, WORDS, QUESTIONS)
    else:
        ax = plots.vectors_plane(np.vstack([VALUES, outputs]), WORDS + QUESTIONS)
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text()]
    assert len(boxes) == 8
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def test_no_line_through_the_origin_strikes_a_label_through():
    ax = plots.vectors_plane(VALUES, [f"{word} 0.09" for word in WORDS])
    ax.figure.canvas.draw()
    x, y = ax.transData.transform((0, 0))
    named = {t.get_text(): t.get_window_extent() for t in ax.texts if t.get_text()}
    for name, box in named.items():
        assert not box.y0 < y < box.y1, name
        assert not box.x0 < x < box.x1, name


def test_a_dotted_line_leads_to_the_foot_and_no_label_lies_on_it():
    vectors = np.array([[4, 3], [1.6, 1.2], [8, -6], [-3, 4.0]])
    names, foot = ["query", "parallel", "long", "orthogonal"], np.array([2.24, 1.68])
    roles = ["query", "key", "key", "key"]
    ax = plots.vectors_plane(vectors, names, roles=roles, feet={2: foot})
    (drop,) = [line for line in ax.get_lines() if line.get_linestyle() == ":"]
    np.testing.assert_array_equal(drop.get_xydata(), [vectors[2], foot])
    assert drop.get_color() == plots.PALETTE["key"]
    ax.figure.canvas.draw()
    dots = pixels_along(ax, [vectors[2], foot])
    for text in [t for t in ax.texts if t.get_text()]:
        box = text.get_window_extent()
        assert not any(box.contains(*dot) for dot in dots), text.get_text()


def test_labels_of_vectors_that_nearly_agree_do_not_overlap():
    near = [[1, 1], [1.02, 1], [1, 1.03], [0.97, 1.01]]
    ax = plots.vectors_plane(near, ["first", "second", "third", "fourth"])
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text()]
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)


def pixels_along(ax, corners):
    """Return points in pixels, close together, on the closed line through corners."""
    steps = np.linspace(0, 1, 400)[:, None]
    closed = [*corners, corners[0]]
    edges = [a + steps * (b - a) for a, b in itertools.pairwise(map(np.array, closed))]
    return ax.transData.transform(np.concatenate(edges))


OUTPUTS = {
    "averages": (WEIGHTS @ VALUES, QUESTIONS),
    "one on a value": ([[8, 0], [-4, -6], [-6, 3], [0, 0]], [*QUESTIONS, "none of it"]),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_no_label_lies_across_the_hull_or_on_a_point(case):
    outputs, names = OUTPUTS[case]
    ax = plots.convex_hull_plane(VALUES, outputs, WORDS, names)
    ax.figure.canvas.draw()
    outline = pixels_along(ax, [[4, 0], [-2, 3], [-2, -3]])
    marks = ax.transData.transform(np.concatenate([VALUES, outputs]))
    boxes = {t.get_text(): t.get_window_extent() for t in ax.texts if t.get_text()}
    for name, box in boxes.items():
        assert not any(box.contains(*p) for p in [*outline, *marks]), name
    for one, other in itertools.combinations(boxes.values(), 2):
        assert not one.overlaps(other)


def test_a_label_far_from_its_point_is_joined_to_it():
    outputs, names = OUTPUTS["one on a value"]
    ax = plots.convex_hull_plane(VALUES, outputs, WORDS, names)
    (leader,) = [t for t in ax.texts if not t.get_text()]
    (label,) = [t for t in ax.texts if t.get_text() == "none of it"]
    assert tuple(leader.xy) == tuple(label.xy) == (0, 0)
    assert leader.get_position() == pytest.approx(label.get_position())
    assert leader.arrow_patch is not None


def test_an_output_on_a_value_leaves_the_value_to_be_seen():
    ax = plots.convex_hull_plane(VALUES, VALUES[:1], WORDS, ["same"])
    values, outputs = ax.get_lines()[-2:]
    diagonal = 2**0.5 * outputs.get_markersize() + outputs.get_markeredgewidth()
    assert diagonal < values.get_markersize()


def test_other_outputs_have_their_own_mark_and_a_legend_names_all_three():
    others = np.array([[1.0, 0.5], [-1, -1]])
    args = VALUES, WEIGHTS @ VALUES, WORDS, QUESTIONS
    ax = plots.convex_hull_plane(*args, others=others)
    marks = {line.get_label(): line for line in ax.get_lines()}
    names = ["values", "outputs", "outputs of other queries"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == names
    assert len({marks[name].get_marker() for name in names}) == 3
    np.testing.assert_array_equal(marks[names[2]].get_xydata(), others)
    assert marks[names[2]].get_zorder() < marks["values"].get_zorder()
    assert plots.convex_hull_plane(*args).get_legend() is None


def test_planes_of_the_same_reach_have_the_same_axes_and_room_for_labels():
    _, axes = plots.panels(2, height=3.0)
    for ax, turn in zip(axes, [0.0, 10.0], strict=True):
        ends = [[np.cos(turn + a), np.sin(turn + a)] for a in (2, 5)]
        plots.vectors_plane(ends, ["query at 2", "key at 5"], reach=1.7, ax=ax)
        assert ax.get_xlim() == ax.get_ylim() == (-1.7, 1.7)
    axes[0].figure.canvas.draw()
    for ax in axes:
        x, y = ax.transData.transform((0, 0))
        for box in [t.get_window_extent() for t in ax.texts if t.get_text()]:
            assert not box.x0 < x < box.x1
            assert not box.y0 < y < box.y1


def test_the_hull_leaves_out_what_lies_inside():
    # the = (0, 0) and sat = (0, 1) lie inside the triangle of the other three.
    ax = plots.convex_hull_plane(VALUES, WEIGHTS @ VALUES, WORDS, QUESTIONS)
    corners = {tuple(p) for p in ax.patches[0].get_xy()}
    assert corners == {(4.0, 0.0), (-2.0, 3.0), (-2.0, -3.0)}
    outline, values, outputs = ax.get_lines()[-3:]
    assert outline.get_xydata().tolist()[0] == outline.get_xydata().tolist()[-1]
    assert {tuple(p) for p in outline.get_xydata()} == corners
    np.testing.assert_array_equal(values.get_xydata(), VALUES)
    np.testing.assert_array_equal(outputs.get_xydata(), WEIGHTS @ VALUES)


points = arrays(np.float64, (6, 2), elements=st.integers(-9, 9).map(float))
shares = arrays(np.float64, (3, 6), elements=st.integers(0, 9).map(float))


@given(values=points, parts=shares)
def test_a_weighted_mean_lies_in_the_hull(values, parts):
    weights = (parts + 0.1) / (parts + 0.1).sum(axis=1, keepdims=True)
    names = list("abcdef")
    said = plots.describe_hull(values, weights @ values, names, QUESTIONS)
    assert "all outputs inside" in said


@given(values=points)
def test_what_lies_beyond_every_value_is_outside_the_hull(values):
    beyond = values.max(axis=0) + np.array([0.001, 0.0])
    said = plots.describe_hull(values, [beyond, values[0]], list("abcdef"), ["x", "y"])
    assert said.endswith("outside: x.")


# ------------------------------------------------------------------ shapes and links


def test_a_product_shows_names_shapes_and_signs():
    q = ("Q", {"n_q": 3, "d_k": 4}, "query")
    k = ("Kᵀ", {"d_k": 4, "n_k": 5}, "key")
    figure = plots.matrix_product([q, "×", k, "=", ("S", {"n_q": 3, "n_k": 5}, None)])
    ax = figure.axes[0]
    texts = [t.get_text() for t in ax.texts]
    assert texts == [
        "Q", "$d_{k}$ = 4", "$n_{q}$ = 3", "×", "Kᵀ", "$n_{k}$ = 5", "$d_{k}$ = 4", "=",
        "S", "$n_{k}$ = 5", "$n_{q}$ = 3",
    ]  # fmt: skip
    sizes = {(p.get_height(), p.get_width()) for p in ax.patches}
    assert sizes == {(3, 4), (4, 5), (3, 5)}


def test_no_line_of_a_product_runs_through_a_text():
    figure = plots.matrix_product(
        [
            ("weights", {"n_q": 3, "n_k": 5}, None),
            "×",
            ("V", {"n_k": 5, "d_v": 2}, "value"),
        ]
    )
    figure.draw_without_rendering()
    (ax,) = figure.axes
    assert {t.get_text() for t in ax.texts} >= {"weights", "V", "×"}
    inside = figure.bbox
    for text in ax.texts:
        box = text.get_window_extent()
        assert not any(box.overlaps(p.get_window_extent()) for p in ax.patches)
        assert inside.contains(box.x0, box.y0)
        assert inside.contains(box.x1, box.y1)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("n", "$n$"),
        ("d_model", r"$d_{\mathrm{model}}$"),
        ("heads", "heads"),
        ("num_heads", "num_heads"),
    ],
)
def test_a_size_is_written_as_in_a_formula_and_a_word_as_a_word(name, written):
    texts = plots.matrix_product([("W", {name: 2, "m": 3}, None)]).axes[0].texts
    assert [t.get_text() for t in texts] == ["W", "$m$ = 3", f"{written} = 2"]


def test_large_matrices_keep_their_order_of_size():
    w = ("W", {"d_model": 512, "d_k": 64}, None)
    box = plots.matrix_product([w]).axes[0].patches[0]
    assert box.get_height() == 12
    assert box.get_width() == pytest.approx(12 * (64 / 512) ** 0.5)


def test_links_are_as_thick_as_their_weights():
    weights = np.array([[0.75, 0.25, 0.0], [0.0, 0.005, 0.995]])
    ax = plots.attention_links(weights, ["q0", "q1"], WORDS[:3])
    assert [line.get_linewidth() / 7 for line in ax.get_lines()] == [0.75, 0.25, 0.995]
    where = {t.get_text(): t.get_position()[1] for t in ax.texts}
    for line, (q, k) in zip(
        ax.get_lines(), [("q0", "the"), ("q0", "cat"), ("q1", "sat")], strict=True
    ):
        assert list(line.get_ydata()) == [where[q], where[k]]


# ------------------------------------------------------------------ every picture


def product_parts():
    return [("A", {"n": 3, "d": 2}, "query"), "×", ("B", {"d": 2, "m": 4}, None)]


# One call each; arrays come first, so that a test can turn them into tensors.
CALLS = {
    "weights_heatmap": ([WEIGHTS], [QUESTIONS, WORDS]),
    "scores_heatmap": ([SCORES], [QUESTIONS, WORDS]),
    "heads_grid": ([np.stack([WEIGHTS] * 3)], [QUESTIONS, WORDS]),
    "position_heatmap": ([np.sin(np.outer(np.arange(9), np.arange(1, 7)))], []),
    "distribution_bars": ([WEIGHTS], [WORDS]),
    "bars": ([np.array([3.0, 20.0])], [["a", "b"], "count"]),
    "lines": ([np.arange(5.0), np.ones((2, 5))], [["a", "b"], "x", "y"]),
    "vectors_plane": ([VALUES], [WORDS]),
    "convex_hull_plane": ([VALUES, WEIGHTS @ VALUES], [WORDS, QUESTIONS]),
    "attention_links": ([WEIGHTS], [QUESTIONS, WORDS]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_tensor_gives_the_same_picture(name):
    torch = pytest.importorskip("torch")
    given_arrays, rest = CALLS[name]
    tensors = [torch.tensor(a, requires_grad=True) for a in given_arrays]
    draw = getattr(plots, name)
    np.testing.assert_array_equal(
        pixels(draw(*tensors, *rest)), pixels(draw(*given_arrays, *rest))
    )


def test_a_tensor_mask_and_a_narrow_dtype_are_understood():
    torch = pytest.importorskip("torch")
    weights = torch.full((5, 5), 0.25, dtype=torch.bfloat16)
    ax = plots.weights_heatmap(weights, WORDS, WORDS, mask=torch.tensor(CAUSAL))
    assert cell_texts(ax)[0, 0] == "0.25"
    assert len(hatched_cells(ax)) == 10
    figure = plots.mask_grid({"causal": torch.tensor(CAUSAL)}, WORDS, WORDS)
    assert len(hatched_cells(figure.axes[0])) == 10


def test_lines_and_one_distribution_may_be_tensors_in_a_list():
    torch = pytest.importorskip("torch")
    loss = torch.tensor([3.0, 2.0, 1.0], requires_grad=True)
    ax = plots.lines([0, 1, 2], [loss], ["loss"], "step", "nats")
    assert list(ax.get_lines()[0].get_ydata()) == [3, 2, 1]
    figure = plots.distribution_bars(torch.tensor([0.25, 0.75]), ["a", "b"])
    assert [t.get_text() for t in figure.axes[0].texts] == ["0.25", "0.75"]


EXTRA = {
    "mask_grid": functools.partial(plots.mask_grid, {"m": CAUSAL}, WORDS, WORDS),
    "matrix_product": lambda: plots.matrix_product(product_parts()),
}


@pytest.mark.parametrize("name", [*CALLS, *EXTRA])
def test_a_picture_is_drawn_the_same_twice_and_without_a_date(name):
    def png():
        draw = EXTRA.get(name) or functools.partial(
            getattr(plots, name), *CALLS[name][0], *CALLS[name][1]
        )
        stream = io.BytesIO()
        figure_of(draw()).savefig(stream, format="png")
        return stream.getvalue()

    first = png()
    assert first == png()
    assert b"tIME" not in first
    assert b"Creation" not in first


@pytest.mark.parametrize("name", [*CALLS, *EXTRA])
def test_a_picture_fits_the_column_and_leaves_the_readers_style_alone(
    name, monkeypatch
):
    monkeypatch.setitem(mpl.rcParams, "font.size", 33.0)
    monkeypatch.setitem(mpl.rcParams, "figure.dpi", 55.0)
    before = dict(mpl.rcParams)
    draw = EXTRA.get(name) or functools.partial(
        getattr(plots, name), *CALLS[name][0], *CALLS[name][1]
    )
    figure = figure_of(draw())
    assert dict(mpl.rcParams) == before
    assert len(plt.get_fignums()) == 1  # one call, one picture
    assert figure.get_figwidth() <= 5.2 + 1e-9
    assert figure.get_dpi() == 144
    assert to_hex(figure.get_facecolor()) == "#ffffff"
    sizes = [t.get_fontsize() for t in figure.findobj(mpl.text.Text) if t.get_text()]
    assert min(sizes) >= 8.0


def test_raised_and_lowered_letters_can_be_read_on_a_phone():
    names = ["$1/d_k$", "plain"]
    ax = plots.lines([1, 2], [[1, 1e-4], [1, 2]], names, "$d_k$", "$10^2$", logy=True)
    product = plots.matrix_product(
        [*product_parts()[:1], ("Q", {"n_q": 2, "d_k": 3}, None)]
    )
    texts = [*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_yticklabels()]
    texts += product.axes[0].texts
    small = [t for t in texts if re.search(r"\$.*[_^]", t.get_text())]
    assert len(small) > 5
    # matplotlib sets such a letter at 0.7 of the size; a point is a pixel on a phone
    assert min(t.get_fontsize() * 0.7 for t in small) >= 7.5
    assert {t.get_fontsize() for t in ax.texts if t.get_text() == "plain"} == {9.5}


def test_all_pictures_are_in_these_tests():
    drawing = {n for n in plots.__all__ if not n.startswith("describe") and n.islower()}
    assert drawing - {"panels"} == {*CALLS, *EXTRA}


@pytest.mark.parametrize("name", sorted({*CALLS} - {"heads_grid", "distribution_bars"}))
def test_a_picture_can_be_drawn_into_a_panel(name):
    figure, (left, right) = plots.panels(2)
    drawn = getattr(plots, name)(*CALLS[name][0], *CALLS[name][1], ax=right, title="B")
    assert drawn is right
    assert right.get_title() == "B"
    assert not left.has_data()
    assert plt.get_fignums() == [figure.number]


def test_each_cell_of_a_notebook_shows_its_picture_once():
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    cells = [
        "import attention_course as ac",
        "ac.plots.weights_heatmap([[0.5, 0.5]], ['q'], ['a', 'b']);",
        "ac.plots.lines([0, 1], [[0, 1]], ['a'], 'x', 'y');",
        "ac.plots.heads_grid([[[1.0]], [[1.0]]], ['q'], ['k']);",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    path = {"metadata": {"path": str(ROOT)}}
    client.NotebookClient(book, timeout=60, resources=path).execute()
    shown = [[sorted(o.get("data", o)) for o in cell.outputs] for cell in book.cells]
    assert shown == [[], *[[["image/png", "text/plain"]]] * 3]


# ------------------------------------------------------------------ errors


ERRORS = [
    (plots.weights_heatmap, ([0.5, 0.5], ["q"], ["k"]), ValueError,
     r"weights must have shape \(n_q, n_k\), got \(2,\)"),
    (plots.weights_heatmap, ([[0.5, 0.5]], ["q"], ["k"]), ValueError,
     "keys must name each of the 2 columns, got 1 names"),
    (plots.weights_heatmap, ([[1.0]], "q", ["k"]), TypeError, "list of names, got the"),
    (plots.weights_heatmap, ([[2.0]], ["q"], ["k"]), ValueError, "between 0 and 1.*2"),
    (plots.weights_heatmap, ([[-0.1]], ["q"], ["k"]), ValueError, "between 0 and 1"),
    (plots.heads_grid, ([[1.0]], ["q"], ["k"]), ValueError, "num_heads"),
    (plots.heads_grid, (np.empty((0, 2, 3)), ["q", "r"], ["k"]), ValueError, "empty"),
    (plots.heads_grid, ([[[1.0]]], ["q", "r"], ["k"]), ValueError, "queries must name"),
    (plots.scores_heatmap, ([[np.nan]], ["q"], ["k"]), ValueError, "minus infinity"),
    (plots.scores_heatmap, ([[np.inf]], ["q"], ["k"]), ValueError, "index .0, 0"),
    (plots.position_heatmap, ([[np.nan, 0]],), ValueError, "codes must be finite"),
    (plots.mask_grid, ({"m": [[1, 0]]}, ["q"], ["a", "b"]), TypeError, "boolean"),
    (plots.mask_grid, ({"m": [[True]]}, ["q"], ["a", "b"]), ValueError, "shape"),
    (plots.mask_grid, ([[True]], ["q"], ["k"]), TypeError, "map titles to masks"),
    (plots.mask_grid, ({}, ["q"], ["k"]), ValueError, "at least one"),
    (plots.distribution_bars, (np.ones((5, 1)), ["a"]), ValueError, "at most"),
    (plots.distribution_bars, ([0.5, 0.5], ["a"]), ValueError, "labels must name"),
    (plots.bars, ([1.0, np.inf], ["a", "b"], "x"), ValueError, "finite"),
    (plots.lines, ([0, 1], [[1, 2, 3]], ["a"], "x", "y"), ValueError, "as many points"),
    (plots.lines, ([0, 1], np.ones((1, 3)), ["a"], "x", "y"), ValueError, "as many"),
    (plots.lines, ([0], [[1]] * 7, ["a"] * 7, "x", "y"), ValueError, "at most 6 lines"),
    (plots.lines, ([0], [[np.nan]], ["a"], "x", "y"), ValueError, "finite value"),
    (plots.vectors_plane, ([[1, 2, 3]], ["a"]), ValueError, r"\(n, 2\), got \(1, 3\)"),
    (plots.convex_hull_plane, ([[1, 2]], [[1]], ["a"], ["b"]), ValueError, "outputs"),
    (functools.partial(plots.vectors_plane, feet={1: [0, 0]}), ([[1, 2]], ["a"]),
     ValueError, "feet must name a vector by its place, got 1"),
    (functools.partial(plots.vectors_plane, feet={0: [0]}), ([[1, 2]], ["a"]),
     ValueError, r"feet must have shape \(n, 2\), got \(1, 1\)"),
    (plots.matrix_product, (["="],), ValueError, "at least one matrix"),
    (plots.matrix_product, ([("A", {"n": 2}, None)],), ValueError, "2 axes"),
    (plots.matrix_product,
     ([("A", {"n": 2, "d": 3}, None), "×", ("B", {"d": 4, "m": 5}, None)],),
     ValueError, "A has 3 columns, B has 4 rows"),
    (plots.attention_links, ([[1.5]], ["q"], ["k"]), ValueError, "between 0 and 1"),
]  # fmt: skip


@pytest.mark.parametrize(("draw", "arguments", "error", "message"), ERRORS)
def test_bad_input_is_named(draw, arguments, error, message):
    with pytest.raises(error, match=message):
        draw(*arguments)
    assert not plt.get_fignums()  # before anything is drawn


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.bars([1.0], ["a"], "x", roles="head"), "roles must be among"),
        (lambda: plots.bars([1.0], ["a"], "x", roles=["key"] * 2), "1 roles, got 2"),
        (lambda: plots.bars([0.0], ["a"], "x", log=True), "values must be positive"),
        (lambda: plots.lines([1], [[0]], ["a"], "x", "y", logy=True), "ys must be pos"),
        (lambda: plots.lines([0], [[1]], ["a"], "x", "y", logx=True), "x must be pos"),
        (
            lambda: plots.weights_heatmap([[1.0]], ["q"], ["k"], mask=[[True, True]]),
            "mask must have shape",
        ),
    ],
)
def test_bad_options_are_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


# ------------------------------------------------------------------ in words


def test_weights_in_words_have_the_numbers_of_the_cells():
    said = plots.describe_weights(WEIGHTS, QUESTIONS, WORDS)
    assert said == (
        "Attention weights of 3 queries over 5 keys. Largest weight of each query: "
        "who: cat, 0.65; when: today, 0.65; where or when: outside, 0.56."
    )


def test_weights_in_words_name_what_is_forbidden_and_what_is_equal():
    mask = np.array([[True, False, True], [False] * 3, [True] * 3])
    weights = [[0.5, 0, 0.5], [0, 0, 0], [1 / 3] * 3]
    said = plots.describe_weights(weights, ["a", "b", "c"], ["x", "y", "z"], mask=mask)
    assert "a: x and z, 0.50 each; b: none, all weights are 0" in said
    assert "c: all keys equally, 0.33" in said
    assert said.endswith("Forbidden keys of each query: a: y; b: all keys.")
    free = plots.describe_weights([[1.0]], ["a"], ["x"], mask=[[True]])
    assert free.endswith("Nothing is forbidden.")
    assert "a: NaN" in plots.describe_weights([[np.nan]], ["a"], ["x"])


@given(
    parts=arrays(np.float64, (2, 4), elements=st.integers(0, 99).map(float)),
)
def test_the_largest_weight_in_words_is_the_largest(parts):
    weights = (parts + 1) / (parts + 1).sum(axis=1, keepdims=True)
    said = plots.describe_weights(weights, ["a", "b"], ["w", "x", "y", "z"])
    numbers = [float(n) for n in re.findall(r"0\.\d\d", said)]
    np.testing.assert_allclose(numbers, weights.max(axis=1), atol=0.005 + 1e-9)


def test_heads_in_words_go_panel_by_panel():
    said = plots.describe_heads([[[1.0, 0]], [[0.4, 0.6]]], ["q"], ["a", "b"])
    assert said.startswith("2 panels of attention weights of 1 queries over 2 keys.")
    assert "head 0: largest weight of each query: q: a, 1.00." in said
    assert "head 1: largest weight of each query: q: b, 0.60." in said


def test_scores_in_words_have_their_extremes():
    said = plots.describe_scores([[1.5, -2], [-np.inf, 0]], ["a", "b"], ["x", "y"])
    assert "Largest 1.50 at a, x; smallest −2.00 at a, y." in said
    assert said.endswith("Minus infinity in 1 cells.")


def test_distributions_bars_and_vectors_in_words_have_every_number():
    said = plots.describe_distributions([[0.25, 0.75]], ["a", "b"], titles=["T = 1"])
    assert said == "Bars of probabilities. T = 1: a 0.25, b 0.75."
    said = plots.describe_bars([1_050_624, 0.25], ["a", "b"], "parameters")
    assert said == "Bars of parameters: a 1,050,624; b 0.25."
    said = plots.describe_vectors([[1, -2.5]], ["a"])
    assert said == "Arrows from the origin: a (1.00, −2.50)."


def test_lines_in_words_say_where_they_begin_end_and_turn():
    ys = [[1, 9, 4], [4, 2, np.nan], [3, -1, 5]]
    said = plots.describe_lines([1, 2, 3], ys, ["a", "b", "c"], "step", "loss")
    assert said == (
        "Lines of loss against step from 1 to 3. a: from 1 to 4, largest 9 at 2; "
        "b: from 4 to 2; c: from 3 to 5, smallest −1 at 2."
    )


def test_a_mask_in_words_counts_and_names_pairs():
    said = plots.describe_mask(CAUSAL[:3, :3], ["a", "b", "c"], ["x", "y", "z"])
    assert said == (
        "Mask for 3 queries and 3 keys; 6 of 9 pairs are allowed. "
        "Forbidden keys of each query: a: y and z; b: z."
    )


def test_positions_in_words_count_the_changes_of_sign():
    codes = np.array([[1, 1], [-1, 1], [1, 1], [-1, -1.0]])
    said = plots.describe_positions(codes)
    assert "4 positions in 2 dimensions, between −1.00 and 1.00" in said
    assert said.endswith("dimension 0 changes sign 3 times, dimension 1 1 times.")
