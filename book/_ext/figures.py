"""Figures to touch: data from the package, pictures and controls from `web/figures`.

A figure is a script of pure functions, the arrays that it draws, which are computed
here while the book builds, and a place in a chapter. The page holds the picture of the
first state, made once by `python book/_ext/figures.py` (which needs Node) and kept in
`web/figures/stills`: so the book builds without Node, and reads without scripts.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import attention_course as ac

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT))  # jupyter-book does not put the book's folder there

from tools.assets import node_program  # noqa: E402

FOLDER = ROOT / "web" / "figures"
STILLS = FOLDER / "stills"
SHARED = ["boot.mjs", "live.mjs", "kit.mjs", "figures.css"]
DIGITS = 12  # of the embedded arrays, after the point


def softmax_data() -> dict[str, Any]:
    """Return three scores and the temperatures of the slider."""
    return {
        "scores": [2.0, 1.0, 0.1],
        "temperatures": [0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10],
    }


def query_data() -> dict[str, Any]:
    """Return the running example, seen in the plane of being and time."""
    ex = ac.data.running_example()
    who, when = ex.query[0, [0, 3]], ex.query[1, [0, 3]]
    presets = {"who": who, "when": when, "both": who + when, "nothing": 0 * who}
    return {
        "words": ex.words,
        "key": ex.key,
        "value": ex.value,
        "axes": ["being", None, None, "time"],  # the two other features stay 0
        "query": who,
        "presets": presets,
    }


def scaling_data() -> dict[str, Any]:
    """Return mean weights by rank for each width and scale, as chapter 2 draws them."""
    widths = [4, 16, 64, 256, 1024]
    scales: list[Callable[[int], float]]
    scales = [lambda d: 1.0, lambda d: d**-0.5, lambda d: 1 / d]
    measured: list[dict[str, list[Any]]] = [
        {"weights": [], "entropy": []} for _ in scales
    ]
    for width in widths:
        rng = np.random.default_rng(4)
        query = rng.standard_normal((2000, width))
        key = rng.standard_normal((2000, 8, width))
        scores = ac.dot_product_scores(query[:, None], key)[:, 0]
        for scale, result in zip(scales, measured, strict=True):
            weights = ac.softmax(scale(width) * scores)
            ranked = np.sort(weights, axis=-1)[:, ::-1]
            result["weights"].append(ranked.mean(axis=0))
            result["entropy"].append(ac.entropy(weights).mean())
    return {
        "widths": widths,
        "names": ["no scaling", "1/√d_k", "1/d_k"],
        "said": ["without scaling", "with one over root d_k", "with one over d_k"],
        "measured": measured,
    }


def pipeline_data() -> dict[str, Any]:
    """Return the running example with its scores, before and after the scale."""
    ex = ac.data.running_example()
    return {
        "words": ex.words,
        "questions": ex.questions,
        "query": ex.query,
        "value": ex.value,
        "scores": ac.dot_product_scores(ex.query, ex.key),
        "scaled": ac.scaled_dot_product_scores(ex.query, ex.key),
    }


def _bits(mask: np.ndarray) -> Any:
    """Return rows of a mask as words of 0 and 1."""
    if mask.ndim > 1:
        return [_bits(row) for row in mask]
    return "".join(str(int(allowed)) for allowed in mask)


def masks_data() -> dict[str, Any]:
    """Return each mask of five queries and keys: by offset, window and length."""
    words = ac.data.running_example().words
    n, offsets = len(words), range(len(words))
    return {
        "words": words,
        "causal": [_bits(ac.causal_mask(n, n, offset=o)) for o in offsets],
        "window": [
            [_bits(ac.sliding_window_mask(n, n, window=w, offset=o)) for o in offsets]
            for w in range(1, n + 1)
        ],
        "padding": _bits(ac.padding_mask(range(n + 1), n)[:, 0]),
    }


def heads_data() -> dict[str, Any]:
    """Return the keys of the running example, cut for one, two and four heads."""
    ex = ac.data.running_example()
    counts = [1, 2, 4]
    return {
        "words": ex.words,
        "features": ["being", "action", "place", "time"],
        "query": [2.0, 0.0, 2.0, 0.0],
        "counts": counts,
        "split_keys": [ac.split_heads(ex.key, count) for count in counts],
    }


def waves_data() -> dict[str, Any]:
    """Return the codes of 61 places, eight columns wide, and the hands' speeds."""
    return {
        "table": ac.sinusoidal_positions(61, 8),
        "speeds": 10000.0 ** (-np.arange(0, 8, 2) / 8),
    }


def rotary_data() -> dict[str, Any]:
    """Return (1, 0) turned for 21 places, and the scores by distance."""
    places = np.arange(21)
    turned = ac.rotate(np.tile([1.0, 0.0], (21, 1)), places)
    backward = ac.dot_product_scores(turned[-1:], turned)[0]
    forward = ac.dot_product_scores(turned[:1], turned)[0]
    return {"turned": turned, "by_distance": [*backward[:-1], *forward]}


def feedforward_data() -> dict[str, Any]:
    """Return the network that chapter 7 made by hand, at five words."""
    ex = ac.data.running_example()
    x = ex.key[:, 2:] / 2  # place and time: half its key, as the chapter has it
    w_1 = np.array([[1.0, -1, 1, -1], [-1, 1, 1, -1]])
    b_1 = np.array([0.0, 0, -1, 1])
    w_2 = np.array([[1.0, 1], [1, 1], [0, 1], [0, 0]])
    return {
        "words": ex.words,
        "units": ["place alone", "time alone", "both", "neither"],
        "outputs": ["exactly one", "or"],
        "x": x,
        **{"w_1": w_1, "b_1": b_1, "w_2": w_2, "b_2": np.zeros(2)},
        "output": np.maximum(0, x @ w_1 + b_1) @ w_2,
        "attention": ac.scaled_dot_product_attention(x, x, x)[0],
    }


class Figure(NamedTuple):
    """One figure: where it stands, what it draws and the one point that it makes."""

    chapter: str
    after: str  # a picture's name, a section's label or a cell's id
    data: Callable[[], dict[str, Any]]
    caption: str


FIGURES = {
    "softmax": Figure(
        "ch01_softmax",
        "fig-ch01-temperature",
        softmax_data,
        "Temperature changes the contrast, never the order: whatever the scores, the "
        "largest keeps the largest share.",
    ),
    "query": Figure(
        "ch02_query_key_value",
        "fig-ch02-who",
        query_data,
        "Drag the ring: the direction of a query says whom it asks, its length how "
        "firmly, and the output is drawn towards the value of the key it points at. Of "
        "the four features two are shown; *action* and *place* of the query stay 0.",
    ),
    "scaling": Figure(
        "ch02_query_key_value",
        "fig-ch02-largest",
        scaling_data,
        "As $d_k$ grows, weights without scaling pile up on one key and weights with "
        "$1/d_k$ become even; with $1/\\sqrt{d_k}$ they keep their shape. Means over "
        "2000 random queries, each with 8 keys ordered by weight.",
    ),
    "pipeline": Figure(
        "ch03_matrix_form",
        "ch03-044",
        pipeline_data,
        "One row of attention, step by step. Hide a word: its share goes to the others "
        "in the proportions that they had.",
    ),
    "masks": Figure(
        "ch03_matrix_form",
        "ch03-052",
        masks_data,
        "Masks combine with *and*, so each one more can only take pairs away; the "
        "offset says beside which key the first query stands.",
    ),
    "heads": Figure(
        "ch05_multi_head",
        "ch05-024",
        heads_data,
        "Each head shares out a whole of its own: a query that asks for a being and "
        "for a place gets 0.81 of each from two heads, and 0.42 of each from one.",
    ),
    "waves": Figure(
        "ch06_position_encoding",
        "fig-ch06-code",
        waves_data,
        "One word on, the fast hand leaps and the slow ones creep: together they give "
        "each place a row of its own. (Width $d = 8$: four hands.)",
    ),
    "rotary": Figure(
        "ch06_position_encoding",
        "fig-ch06-rotary",
        rotary_data,
        "Move both places by the same number of words: both arrows turn, and the score "
        "stays.",
    ),
    "feedforward": Figure(
        "ch07_feed_forward",
        "ch07-026",
        feedforward_data,
        "The network of four units answers each row alone: whatever becomes of one "
        "word, only its own row moves, while attention would move others too.",
    ),
}


def _plain(value: Any) -> Any:
    """Return arrays as lists, with numbers short enough to travel."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        short = round(float(value), DIGITS)
        return int(short) if short == int(short) else short
    return value


def figure_data(name: str) -> dict[str, Any]:
    """Return what the script of a figure is given, as JSON can hold it."""
    plain: dict[str, Any] = _plain(FIGURES[name].data())
    return plain


def in_node(calls: list[tuple[str, str, list[Any]]]) -> list[Any]:
    """Call functions of the scripts, (file, function, arguments) each, in Node."""
    program = """
    const calls = JSON.parse(require("fs").readFileSync(0, "utf8"));
    Promise.all(calls.map(async ([file, name, given]) => {
      const script = await import(file);
      return typeof script[name] === "function" ? script[name](...given) : script[name];
    })).then((results) => process.stdout.write(JSON.stringify(results)));
    """
    files = [
        ((FOLDER / f"{file}.mjs").as_uri(), name, args) for file, name, args in calls
    ]
    done = subprocess.run(
        [*node_program("node"), "--eval", program],
        input=json.dumps(files),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"Node could not run the figures' scripts: {done.stderr}")
    results: list[Any] = json.loads(done.stdout)
    return results


def still_text(name: str) -> str:
    """Return picture and words of the first state, made by the figure's own script."""
    data = figure_data(name)
    (state,) = in_node([(name, "first", [data])])
    picture, said = in_node([(name, part, [data, state]) for part in ("draw", "say")])
    (words,) = in_node([("kit", "lowered", [said])])
    return (
        f'<div class="ac-stage"><div>{picture}</div></div>\n'
        f'<p class="ac-words">{words}</p>\n'
    )


def figure_html(name: str) -> str:
    """Return what a page holds of a figure, besides its caption."""
    still = STILLS / f"{name}.html"
    if not still.exists():
        raise FileNotFoundError(
            f"the figure {name} has no still picture: run python book/_ext/figures.py"
        )
    data = json.dumps(figure_data(name), ensure_ascii=False, separators=(",", ":"))
    data = data.replace("</", "<\\/")  # or a "</script>" in it would end the element
    return (
        f'<div data-figure="{name}">\n{still.read_text(encoding="utf-8")}'
        f'<script type="application/json">{data}</script>\n</div>'
    )


def weight_in_bytes(name: str) -> int:
    """Return what a reader loads for a figure alone, uncompressed."""
    files = [FOLDER / file for file in [*SHARED, f"{name}.mjs"]]
    return sum(len(file.read_bytes()) for file in files) + len(
        figure_html(name).encode()
    )


def _names(cell: dict[str, Any]) -> set[str]:
    """Return by which names a cell of a notebook can be found."""
    figure = cell["metadata"].get("mystnb", {}).get("figure", {})
    lines = "".join(cell["source"]).splitlines()
    labels = {
        line[1:-2] for line in lines if line.startswith("(") and line[-2:] == ")="
    }
    return {cell.get("id", ""), figure.get("name", ""), *labels} - {""}


def with_figures(chapter: str, text: str) -> str:
    """Return a notebook's JSON with the chapter's figures after their places."""
    notebook = json.loads(text)
    for name, figure in FIGURES.items():
        if figure.chapter != chapter:
            continue
        places = [
            i
            for i, cell in enumerate(notebook["cells"])
            if figure.after in _names(cell)
        ]
        if len(places) != 1:
            raise ValueError(
                f"the figure {name} belongs after {figure.after} in {chapter}, which "
                f"has {len(places)} such places"
            )
        cell = {
            "cell_type": "markdown",
            "id": f"figure-{name}",
            "metadata": {},
            "source": f"```{{live-figure}} {name}\n```",
        }
        notebook["cells"].insert(places[0] + 1, cell)
    return json.dumps(notebook)


def _on_read(app: Any, docname: str, source: list[str]) -> None:
    chapter = docname.removeprefix("notebooks/")
    if any(figure.chapter == chapter for figure in FIGURES.values()):
        source[0] = with_figures(chapter, source[0])


def _on_page(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    from docutils import nodes

    if doctree is not None and any(
        "ac-live" in figure["classes"] for figure in doctree.findall(nodes.figure)
    ):
        app.add_css_file("figures/figures.css")
        app.add_js_file("figures/boot.mjs", type="module")


def _on_finish(app: Any, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / "figures"
        target.mkdir(parents=True, exist_ok=True)
        for file in [*SHARED, *(f"{name}.mjs" for name in FIGURES)]:
            (target / file).write_bytes((FOLDER / file).read_bytes())


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    from docutils import nodes
    from sphinx.util.docutils import SphinxDirective

    class LiveFigure(SphinxDirective):
        required_arguments = 1

        def run(self) -> list[nodes.Node]:
            name = self.arguments[0]
            shown = nodes.raw("", figure_html(name), format="html")
            words, problems = self.parse_inline(FIGURES[name].caption)
            figure = nodes.figure(
                "", shown, nodes.caption("", "", *words), classes=["ac-live"]
            )
            figure["names"].append(f"fig-live-{name}")
            self.state.document.note_explicit_target(figure, figure)
            self.set_source_info(figure)
            return [figure, *problems]

    app.add_directive("live-figure", LiveFigure)
    app.connect("source-read", _on_read)
    app.connect("html-page-context", _on_page)
    app.connect("build-finished", _on_finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main() -> None:
    """Write the still picture of every figure."""
    STILLS.mkdir(exist_ok=True)
    for name in FIGURES:
        (STILLS / f"{name}.html").write_text(still_text(name), encoding="utf-8")
        print(f"{name}: {weight_in_bytes(name):,} bytes")


if __name__ == "__main__":
    main()
