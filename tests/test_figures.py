"""Figures to touch: their numbers are the package's, and nobody is left out.

The scripts' pure functions run in Node, on the very data that a page holds.
"""

import itertools
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from built import ROOT, extension

import attention_course as ac
from tools.assets import node_program

NOTEBOOKS = ROOT / "notebooks"
MOST_BYTES = 60_000
CLOSE = {"rtol": 0, "atol": 1e-9}

figures = extension("figures")
NAMES = list(figures.FIGURES)
SCRIPTS = sorted(figures.FOLDER.glob("*.mjs"))
EX = ac.data.running_example()


def computed(name, changes, function="compute"):
    """Return what a script's function gives, one result per change of the start."""
    data = figures.figure_data(name)
    (first,) = figures.in_node([(name, "first", [data])])
    states = [first | change for change in changes]
    return figures.in_node([(name, function, [data, state]) for state in states])


def said(name, **change):
    return computed(name, [change], "say")[0]


def numbers(text):
    """Return the numbers of a sentence, in order."""
    return [float(n.replace("−", "-")) for n in re.findall(r"−?\d+\.?\d*", text)]


def cell(slug, cell_id):
    notebook = json.loads((NOTEBOOKS / f"{slug}.ipynb").read_text("utf-8"))
    (found,) = [one for one in notebook["cells"] if one["id"] == cell_id]
    return found


# ---- numbers: softmax ------------------------------------------------------------


def test_softmax_gives_the_packages_shares_at_every_temperature():
    temperatures = figures.softmax_data()["temperatures"]
    rows = [[2.0, 1.0, 0.1], [-3.0, 3.0, 0.0], [0.5, 0.5, 0.5]]
    pairs = list(itertools.product(range(len(temperatures)), rows))
    changes = [{"temperature": t, "scores": row} for t, row in pairs]
    for (t, row), got in zip(pairs, computed("softmax", changes), strict=True):
        right = ac.softmax(np.array(row), temperature=temperatures[t])
        np.testing.assert_allclose(got["shares"], right, **CLOSE)
        np.testing.assert_allclose(got["at_one"], ac.softmax(np.array(row)), **CLOSE)


def test_softmax_says_the_shares_of_the_chapter():
    # chapter 1, by hand: 7.3891, 2.7183 and 1.1052, each divided by 11.2125
    assert numbers(said("softmax")) == [1, 2, 1, 0.1, 0.659, 0.242, 0.099]
    right = ac.softmax(np.array([2, 1, 0.1]), temperature=0.5).round(3)
    index = figures.softmax_data()["temperatures"].index(0.5)
    assert numbers(said("softmax", temperature=index))[-3:] == right.tolist()


def test_the_shared_softmax_gives_a_row_of_hidden_scores_no_weight():
    rows = [[None, None, None], [1.0, None, 800.0], [0.3, -1.2, None]]
    got = figures.in_node([("kit", "softmax", [row]) for row in rows])
    scores = np.array([[-np.inf if s is None else s for s in row] for row in rows])
    np.testing.assert_allclose(got, ac.masked_softmax(scores), **CLOSE)


# ---- numbers: the query ----------------------------------------------------------


def test_the_turned_query_gets_the_packages_weights_and_output(rng):
    turned = rng.integers(-40, 41, size=(30, 2)) / 10
    changes = [{"being": b, "time": t} for b, t in turned.tolist()]
    query = np.zeros((30, 4))
    query[:, [0, 3]] = turned
    output, weights = ac.scaled_dot_product_attention(query, EX.key, EX.value)
    got = computed("query", changes)
    np.testing.assert_allclose([one["weights"] for one in got], weights, **CLOSE)
    np.testing.assert_allclose([one["output"] for one in got], output, **CLOSE)


def test_the_query_starts_with_the_numbers_of_the_chapter():
    # chapter 2, by hand: e^2 / (e^2 + 4) = 0.649, and (2.244, 0.088)
    assert numbers(said("query")) == [2, 0, 0.649, 0.088, 2.244, 0.088]


def test_a_dragged_query_lands_where_the_finger_is():
    data = figures.query_data()
    data = figures._plain(data)
    state = {"being": 1.5, "time": -2.5}
    (at,) = figures.in_node([("query", "handle", [data, state])])
    place = [data, state, at["left"], at["top"]]
    drag, nudge, edge = figures.in_node(
        [
            ("query", "dragged", place),
            ("query", "nudged", [data, state, 1, -10]),
            ("query", "dragged", [data, state, -1, 9]),
        ]
    )
    assert drag == state
    assert nudge == {"being": 1.6, "time": -3.5}
    assert edge == {"being": -4, "time": -4}, "a query outside of its slider's range"


# ---- numbers: scaling ------------------------------------------------------------


def test_the_three_scales_show_the_table_that_chapter_2_stores():
    lines = cell("ch02_query_key_value", "ch02-083")["outputs"][0]["text"]
    rows = [line.split() for line in lines if re.match(r" *\d+  ", line)]
    data = figures.scaling_data()
    shown = [
        [str(width), f"{one['weights'][i][0]:.2f}", f"{one['entropy'][i]:.2f}"]
        for i, width in enumerate(data["widths"])
        for one in data["measured"]
    ]
    assert len(rows) == 15
    assert shown == [[row[0], row[2], row[3]] for row in rows]


def test_weights_by_rank_fall_and_make_one_whole():
    for one in figures.scaling_data()["measured"]:
        ranked = np.array(one["weights"])
        assert (np.diff(ranked, axis=1) < 0).all()
        np.testing.assert_allclose(ranked.sum(axis=1), 1, **CLOSE)


def test_scaling_says_what_was_measured():
    data = figures.scaling_data()
    for i, width in enumerate(data["widths"]):
        found = numbers(said("scaling", width=i))
        right = [[one["weights"][i][0], one["entropy"][i]] for one in data["measured"]]
        assert found == [width, *np.round(right, 2).ravel().tolist()]


# ---- numbers: the pipeline -------------------------------------------------------


def every_hidden():
    return [list(row) for row in itertools.product([False, True], repeat=5)]


def test_every_step_of_the_pipeline_is_the_packages():
    pairs = list(itertools.product(range(3), every_hidden()))
    changes = [{"question": q, "hidden": hidden} for q, hidden in pairs]
    for (q, hidden), got in zip(pairs, computed("pipeline", changes), strict=True):
        mask = ~np.array([hidden])
        query = EX.query[q : q + 1]
        scores = ac.scaled_dot_product_scores(query, EX.key)
        output, weights = ac.scaled_dot_product_attention(query, EX.key, EX.value, mask)
        np.testing.assert_allclose(got["scores"], (query @ EX.key.T)[0], **CLOSE)
        np.testing.assert_allclose(got["scaled"], scores[0], **CLOSE)
        np.testing.assert_allclose(got["weights"], weights[0], **CLOSE)
        np.testing.assert_allclose(got["output"], output[0], **CLOSE)
        exponentials = np.where(mask, np.exp(scores), 0)
        np.testing.assert_allclose(got["exponentials"], exponentials[0], **CLOSE)
        np.testing.assert_allclose(got["total"], exponentials.sum(), **CLOSE)


def test_the_pipeline_says_the_numbers_of_the_text():
    # chapter 3: "the exponentials are 1, 1, 1, 7.389, 2.718, with the sum 13.107. The
    # shares are 0.076 three times, 0.564 and 0.207"
    text = "".join(cell("ch03_matrix_form", "ch03-005")["source"])
    for number in ("7.389", "2.718", "13.107", "0.076", "0.564", "0.207"):
        assert number in text
        assert number in computed("pipeline", [{}], "draw")[0]
    assert numbers(said("pipeline", step=3))[-4:] == [13.107, 0.564, 0.207, 0.076]
    output, _ = ac.scaled_dot_product_attention(EX.query, EX.key, EX.value)
    assert numbers(said("pipeline"))[-2:] == output[2].round(3).tolist()


def test_the_pipeline_says_when_nothing_may_be_attended_to():
    nothing = {"hidden": [True] * 5}
    (picture,) = computed("pipeline", [nothing], "draw")
    assert "÷ 0.000" not in picture
    assert "nothing may be seen" in picture
    for step in (3, 4):
        words = said("pipeline", step=step, **nothing)
        assert "Nothing may be attended to, and every weight is 0" in words
    some = {"hidden": [True] * 4 + [False]}
    assert "Nothing may" not in said("pipeline", **some)


def test_the_pipeline_shows_no_step_before_its_turn():
    for step in range(5):
        (picture,) = computed("pipeline", [{"step": step}], "draw")
        assert ("13.107" in picture) == (step >= 3)
        assert ("the weighted sum" in picture) == (step == 4)


# ---- numbers: masks --------------------------------------------------------------


def mask_states():
    for queries, offset, causal, length, window in itertools.product(
        (1, 3, 5), range(5), (False, True), (None, 0, 3, 5), (None, 1, 2, 5)
    ):
        yield {
            "queries": queries,
            "offset": offset,
            "causal": causal,
            "padding": length is not None,
            "length": length or 0,
            "sliding": window is not None,
            "window": window or 1,
        }


def package_mask(state):
    n, offset = state["queries"], state["offset"]
    mask = np.ones((n, 5), dtype=bool)
    if state["causal"]:
        mask &= ac.causal_mask(n, 5, offset=offset)
    if state["padding"]:
        mask &= ac.padding_mask([state["length"]], 5)[0]
    if state["sliding"]:
        mask &= ac.sliding_window_mask(n, 5, window=state["window"], offset=offset)
    return mask


def test_combined_masks_are_the_packages():
    states = list(mask_states())
    assert len(states) == 480
    for state, got in zip(states, computed("masks", states), strict=True):
        np.testing.assert_array_equal(got, package_mask(state).astype(int), str(state))


def test_masks_say_how_many_pairs_are_allowed_and_which():
    words = said("masks")  # it begins with two queries and three keys before them
    assert "9 of 10 pairs" in words  # chapter 3: four keys, then all five
    assert "query 0 sees 0, 1, 2, 3;" in words
    assert "query 1 sees 0, 1, 2, 3, 4." in words
    assert "query 0 sees nothing" in said("masks", padding=True, length=0)


# ---- numbers: heads --------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 4])
def test_every_head_gets_the_packages_weights(count, rng):
    queries = rng.integers(0, 9, size=(6, 4)) / 2
    index = figures.heads_data()["counts"].index(count)
    changes = [{"heads": index, "query": row} for row in queries.tolist()]
    q, k = ac.split_heads(queries, count), ac.split_heads(EX.key, count)
    right = np.swapaxes(ac.softmax(ac.scaled_dot_product_scores(q, k)), 0, 1)
    got = [[head["weights"] for head in one] for one in computed("heads", changes)]
    np.testing.assert_allclose(got, right, **CLOSE)


def test_two_heads_find_what_one_head_halves():
    one, two = computed("heads", [{"heads": 0}, {"heads": 1}])
    assert one[0]["weights"][1] == one[0]["weights"][3] < 0.5
    largest = [int(np.argmax(head["weights"])) for head in two]
    assert [EX.words[j] for j in largest] == ["cat", "outside"]
    # e^(4 / sqrt 2) / (e^(4 / sqrt 2) + 4) = 16.919 / 20.919
    assert "cat 0.809" in said("heads")
    assert "outside 0.809" in said("heads")


# ---- numbers: positions ----------------------------------------------------------


def test_waves_say_the_packages_code_of_a_place():
    table = ac.sinusoidal_positions(61, 8)
    for place in (0, 3, 37, 60):
        (row,) = computed("waves", [{"place": place}])
        np.testing.assert_allclose(row, table[place], **CLOSE)
        found = np.reshape(numbers(said("waves", place=place))[1:], (4, 3))
        np.testing.assert_allclose(found[:, 1:].ravel(), table[place].round(3))
        np.testing.assert_allclose(found[:, 0], [1, 0.1, 0.01, 0.001])


def test_the_lines_between_the_places_run_through_the_packages_points():
    data = figures.waves_data()
    angle = np.arange(61)[:, None] * data["speeds"]
    np.testing.assert_allclose(np.sin(angle), data["table"][:, 0::2], **CLOSE)
    np.testing.assert_allclose(np.cos(angle), data["table"][:, 1::2], **CLOSE)
    distance = np.arange(-20, 21)
    scores = figures.rotary_data()["by_distance"]
    np.testing.assert_allclose(scores, np.cos(distance), **CLOSE)


def test_a_turned_pair_has_the_packages_score():
    one = np.array([[1.0, 0.0]])
    pairs = [(2, 5), (12, 15), (20, 0), (7, 7)]
    changes = [{"query": m, "key": n} for m, n in pairs]
    for (m, n), got in zip(pairs, computed("rotary", changes), strict=True):
        query, key = ac.rotate(one, np.array([m])), ac.rotate(one, np.array([n]))
        np.testing.assert_allclose(got["query"], query[0], **CLOSE)
        np.testing.assert_allclose(got["key"], key[0], **CLOSE)
        np.testing.assert_allclose(got["score"], (query @ key.T).item(), **CLOSE)
    # chapter 6, by hand: (-0.416, 0.909) and (0.284, -0.959), and -0.990 = cos 3
    right = [2, -0.416, 0.909, 5, 0.284, -0.959, 3, -0.990]
    assert numbers(said("rotary")) == right


def test_a_query_and_a_key_at_one_place_are_drawn_beside_each_other():
    def hands(picture):
        found = re.findall(r'<line ([^>]*)class="(?:query|key) thick"', picture)
        return [[float(n) for n in re.findall(r'="([^"]*)"', one)] for one in found]

    for place in (0, 7):
        (picture,) = computed("rotary", [{"query": place, "key": place}], "draw")
        query, key = hands(picture)
        start, end = np.subtract(query, key).reshape(2, 2)
        gap = np.hypot(*start), np.hypot(*end)
        np.testing.assert_allclose(gap, 6, atol=0.02)


# ---- numbers: feed-forward -------------------------------------------------------


def test_the_feed_forward_network_is_the_one_of_chapter_7():
    source = "".join(cell("ch07_feed_forward", "ch07-020")["source"])
    made = {"np": np}
    for line in source.splitlines():
        if line.startswith(("w_1 =", "b_1 =", "w_2 =")):
            exec(line, made)
    data = figures.feedforward_data()
    for name in ("w_1", "b_1", "w_2"):
        np.testing.assert_array_equal(data[name], made[name], name)
    words = " ".join(cell("ch07_feed_forward", "ch07-019")["source"])
    assert all(unit in words for unit in data["units"])


def test_a_changed_word_gets_what_the_layer_gives(rng):
    torch = pytest.importorskip("torch")
    data = figures.feedforward_data()
    layer = ac.layers.FeedForward(2, 4).double()
    names = ("w_1", "b_1", "w_2", "b_2")
    layer.load_state_dict({name: torch.from_numpy(data[name]) for name in names})
    changed = rng.integers(-2, 5, size=(12, 2)) / 2
    changes = [{"word": i % 5, "x": x} for i, x in enumerate(changed.tolist())]
    for i, got in enumerate(computed("feedforward", changes)):
        rows = data["x"].copy()
        rows[i % 5] = changed[i]
        with torch.no_grad():
            right = layer(torch.from_numpy(rows)).numpy()
        attended, _ = ac.scaled_dot_product_attention(rows, rows, rows)
        np.testing.assert_allclose(got["output"], right, **CLOSE)
        np.testing.assert_allclose(got["attention"], attended, **CLOSE)
        np.testing.assert_allclose(got["sums"], rows @ data["w_1"] + data["b_1"])


def test_only_the_changed_row_moves_and_attention_moves_more():
    (got,) = computed("feedforward", [{"word": 2, "x": [1.5, -0.5]}])
    assert got["moved"] == [False, False, True, False, False]
    assert sum(got["attention_moved"]) > 1
    words = said("feedforward", word=4, x=[1, 1])
    # chapter 7: "the four sums are 0, 0, 1, -1, and after the ReLU 0, 0, 1, 0"
    assert numbers(words) == [1, 1, 0, 1, 0, 0, 1, -1, 0, 0, 1, 0, 0, 1]
    assert "Rows that moved: today." in words


# ---- what every figure has -------------------------------------------------------


class Seen(HTMLParser):
    """Collects elements with their attributes, and complains of unclosed ones."""

    VOID = frozenset({"br", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def one(self, tag):
        (attrs,) = [attrs for name, attrs in self.found if name == tag]
        return attrs


def test_there_are_at_least_eight_figures():
    assert len(NAMES) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_and_all_that_it_loads_stay_small(name):
    assert figures.weight_in_bytes(name) <= MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_without_scripts_holds_picture_and_words(name):
    html = figures.figure_html(name)
    picture = Seen(html).one("svg")
    assert picture["role"] == "img"
    assert len(picture["aria-label"].split()) >= 4
    words = re.search(r'<p class="ac-words">(.+?)</p>', html)[1]
    assert len(words.split()) >= 8
    assert "\n\n" not in html, "an empty line would end the HTML block"


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_picture_is_what_the_script_draws_first(name):
    stored = (figures.STILLS / f"{name}.html").read_text("utf-8")
    assert stored == figures.still_text(name), "run: python book/_ext/figures.py"


def test_every_stored_picture_belongs_to_a_figure():
    assert {path.stem for path in figures.STILLS.iterdir()} == set(NAMES)
    scripts = {path.name for path in figures.FOLDER.glob("*.mjs")}
    assert scripts == {f"{name}.mjs" for name in [*NAMES, "boot", "live", "kit"]}


@pytest.mark.parametrize("name", NAMES)
def test_the_embedded_data_are_the_packages_arrays(name):
    html = figures.figure_html(name)
    stored = re.search(r'<script type="application/json">(.*?)</script>', html)[1]
    fresh = figures.FIGURES[name].data()
    assert json.loads(stored) == figures._plain(fresh)
    for key, value in fresh.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(json.loads(stored)[key], value, **CLOSE)


def given_controls(name):
    """Return the controls with what their functions say, as the page builds them."""
    program = """
    const [file, data] = JSON.parse(require("fs").readFileSync(0, "utf8"));
    import(file).then((figure) => {
      const first = figure.first(data);
      const flat = (spec) => spec.kind === "group" ? spec.parts.flatMap(flat) : [spec];
      const told = figure.controls(data).flatMap(flat).map((spec) => ({
        ...spec, said: spec.words?.(first), off: spec.off?.(first) ?? false,
        buttons: spec.buttons?.filter((one) => !one.off?.(first)).map((one) => (
          { label: one.label, change: one.change(first) })),
      }));
      process.stdout.write(JSON.stringify([first, told]));
    });
    """
    file = (figures.FOLDER / f"{name}.mjs").as_uri()
    done = subprocess.run(
        [*node_program("node"), "--eval", program],
        input=json.dumps([file, figures.figure_data(name)]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout)


def other_values(control, first):
    """Return states that a control can bring about, from the first one."""
    if control["kind"] == "buttons":
        return [first | button["change"] for button in control["buttons"]]
    key, _, index = control["name"].partition(".")
    now = first[key][int(index)] if index else first[key]
    values = {
        "range": lambda: [control["min"], control["max"]],
        "check": lambda: [not now],
        "choice": lambda: range(len(control["options"])),
    }[control["kind"]]()
    states = []
    for value in values:
        if value == now:
            continue
        changed = [*first[key]] if index else value
        if index:
            changed[int(index)] = value
        states.append(first | {key: changed})
    return states


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_label_and_changes_picture_and_words(name):
    data = figures.figure_data(name)
    first, controls = given_controls(name)
    assert controls
    calls = []
    for control in controls:
        assert control["label"]
        assert control["kind"] != "range" or control["said"]
        states = other_values(control, first)
        assert states or control["off"]
        calls += [(control, state) for state in states if not control["off"]]
    shown = {
        part: figures.in_node([(name, part, [data, state]) for _, state in calls])
        for part in ("draw", "say")
    }
    start = {part: computed(name, [{}], part)[0] for part in shown}
    for part, results in shown.items():
        for (control, state), result in zip(calls, results, strict=True):
            same_state = state == first
            assert (result == start[part]) == same_state, (part, control["label"])
            assert "NaN" not in result
            assert "undefined" not in result
            assert "null" not in result


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.name for path in SCRIPTS])
def test_scripts_move_nothing_by_themselves_and_ask_no_other_host(path):
    source = path.read_text("utf-8")
    for word in ("requestAnimationFrame", "setInterval", "animate", "http", "fetch("):
        assert word not in source
    style = (figures.FOLDER / "figures.css").read_text("utf-8")
    assert not re.search(r"animation|transition|@import|url\(", style)


def test_colours_of_pictures_are_those_of_the_course():
    style = (figures.FOLDER / "figures.css").read_text("utf-8")
    course = (ROOT / "book" / "_static" / "course.css").read_text("utf-8")
    used = set(re.findall(r"var\((--course-[a-z]+)\)", style))
    assert {"--course-query", "--course-key", "--course-value"} <= used
    assert all(f"{name}:" in course for name in used)
    for path in [*SCRIPTS, *figures.STILLS.iterdir()]:
        assert not re.search(r'(fill|stroke)="|#[0-9a-f]{6}', path.read_text("utf-8"))


# ---- places ----------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_stands_in_its_chapter_after_its_place(name):
    figure = figures.FIGURES[name]
    text = (NOTEBOOKS / f"{figure.chapter}.ipynb").read_text("utf-8")
    cells = json.loads(figures.with_figures(figure.chapter, text))["cells"]
    (at,) = [i for i, one in enumerate(cells) if one.get("id") == f"figure-{name}"]
    assert figure.after in figures._names(cells[at - 1])
    assert f"{{live-figure}} {name}" in cells[at]["source"]


def notebook_of(*cells):
    return json.dumps({"cells": list(cells), "nbformat": 4, "metadata": {}})


@pytest.mark.parametrize("count", [0, 2])
def test_a_place_that_is_missing_or_double_is_an_error(count):
    place = {"source": "(fig-ch01-temperature)=\n# There", "metadata": {}}
    with pytest.raises(ValueError, match=f"{count} such places"):
        figures.with_figures("ch01_softmax", notebook_of(*[place] * count))


def test_a_figure_without_a_stored_picture_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(figures, "STILLS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"run python book/_ext/figures\.py"):
        figures.figure_html("softmax")


def test_a_script_that_fails_is_an_error_with_its_message():
    with pytest.raises(RuntimeError, match="Cannot read properties of undefined"):
        figures.in_node([("softmax", "compute", [{}, {}])])


# ---- the page --------------------------------------------------------------------

CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
sys.path.insert(0, {str(ROOT)!r})
extensions = ["myst_nb", "figures"]
nb_execution_mode = "off"
numfig = True
suppress_warnings = ["myst.xref_missing", "ref.doc"]
exclude_patterns = ["out"]
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Build a book of one chapter with a figure and one page without."""
    pytest.importorskip("myst_nb")
    folder = tmp_path_factory.mktemp("book")
    (folder / "notebooks").mkdir()
    markdown = {"cell_type": "markdown", "metadata": {}}
    cells = [markdown | {"id": "title", "source": "# A chapter"}]
    for number, figure in enumerate(figures.FIGURES.values()):
        if figure.chapter == "ch01_softmax":
            source = f"({figure.after})=\n## A section\n\nText."
            cells.append(markdown | {"id": f"place-{number}", "source": source})
    see = markdown | {"id": "see", "source": "See {numref}`fig-live-softmax`."}
    text = json.loads(notebook_of(*cells, see)) | {"nbformat_minor": 5}
    (folder / "notebooks" / "ch01_softmax.ipynb").write_text(json.dumps(text))
    toc = "# Index\n\n```{toctree}\nnotebooks/ch01_softmax\n```\n"
    (folder / "index.md").write_text(toc)
    (folder / "conf.py").write_text(CONF)
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", ".", "out"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_the_page_has_figure_caption_number_and_script(pages):
    html = (pages / "notebooks" / "ch01_softmax.html").read_text("utf-8")
    figure = re.search(r"<figure.*?</figure>", html, re.DOTALL)[0]
    assert 'id="fig-live-softmax"' in figure
    assert 'data-figure="softmax"' in figure
    caption = re.search(r"<figcaption>(.*)</figcaption>", figure, re.DOTALL)[1]
    assert "Temperature changes the contrast" in caption
    assert "caption-number" in caption
    assert 'href="#fig-live-softmax"><span class="std std-numref">Fig. 1' in html
    assert re.search(r'<script type="module" src="[^"]*figures/boot\.mjs', html)
    assert re.search(r'href="[^"]*figures/figures\.css', html)
    for file in ("boot.mjs", "live.mjs", "kit.mjs", "softmax.mjs", "figures.css"):
        ours = (figures.FOLDER / file).read_bytes()
        assert (pages / "_static" / "figures" / file).read_bytes() == ours


def test_a_page_without_a_figure_loads_nothing_for_one(pages):
    assert "figures/" not in (pages / "index.html").read_text("utf-8")
