"""Formulas become HTML while the book builds; readers get markup, a sheet and fonts.

One run of MathJax in Node turns every formula of the book into the markup that MathJax
would make in the browser, with hidden MathML for screen readers. So a page shows its
formulas at once, without a script, also from a disk. A formula that MathJax does not
understand stops the build.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util.math import get_node_equation_number

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT))  # jupyter-book does not put the book's folder there

from tools import assets  # noqa: E402

SCRIPT = Path(__file__).with_name("formulas.cjs")
SHEET = "formulas/formulas.css"
ERROR = re.compile(r'data-mjx-error="([^"]*)"')
FONT = re.compile(r"MathJax_[\w-]+\.woff")
CLOSING = re.compile(r"[.,;:!?)\]’”]+")  # what no line begins with
# Queries, keys and values as matrices, and the matrices that make them, also of head i,
# W_Q^{(i)}; commands, names in words and indices pass by.
ROLE = re.compile(
    r"\\(?:text|mathrm|operatorname)\{[^}]*\}|\\[A-Za-z]+|_\{[^}]*\}"
    r"|(?P<role>W_(?P<made>[QKV])(?:\^\{\(\w\)(?:\\top)?\})?|[QKV])"
)
COLOURS = {"Q": "#1747B5", "K": "#C8500A", "V": "#008577"}


def wrapped(text: str) -> str:
    """Return a displayed formula as TeX: lines and paragraphs become an alignment."""
    parts = [part for part in text.split("\n\n") if part.strip()]
    lines = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part
        for part in parts
    ]
    if len(lines) < 2:
        return "".join(lines)
    rows = r" \\ ".join(lines)
    return rf"\begin{{aligned}}{rows}\end{{aligned}}"


def in_roles_colours(text: str) -> str:
    """Return an inline formula with its Q, K and V coloured, unless it has colours."""
    if r"\textcolor" in text:
        return text
    return ROLE.sub(_coloured, text)


def _coloured(match: re.Match[str]) -> str:
    if not match["role"]:
        return match[0]
    colour = COLOURS[match["made"] or match[0]]
    return rf"{{\textcolor{{{colour}}}{{{match[0]}}}}}"


def formula_of(node: nodes.Node) -> tuple[str, bool]:
    """Return a node's TeX, and whether it is displayed."""
    text = node.astext().replace(",)", "{,})")  # (d_k,) is a shape: no room in it
    if isinstance(node, nodes.math):
        return in_roles_colours(text), False
    return (text if node.get("nowrap") else wrapped(text)), True


def typeset(formulas: list[tuple[str, bool]]) -> dict[str, Any]:
    """Return the HTML of each formula and the sheet that they all need.

    Raises
    ------
    ExtensionError
        If Node or MathJax is missing, or a formula is wrong.
    """
    try:
        folder = assets.fetch(assets.find("mathjax"))
        node = assets.node_program("node")
    except assets.AssetError as error:
        raise ExtensionError(f"formulas cannot be set: {error}") from error
    done = subprocess.run(
        [*node, str(SCRIPT), str(folder / "es5")],
        input=json.dumps([{"tex": tex, "display": show} for tex, show in formulas]),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise ExtensionError(f"MathJax failed:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    for (tex, _show), html in zip(formulas, result["html"], strict=True):
        wrong = ERROR.search(html)
        if wrong:
            raise ExtensionError(f"{wrong[1]}, in the formula {tex!r}")
    return result


class Formulas:
    """Every formula of the book, set in one go when the first is written."""

    def __init__(self, env: Any) -> None:
        found = {
            formula_of(node)
            for name in sorted(env.found_docs)
            for node in env.get_doctree(name).findall()
            if isinstance(node, nodes.math | nodes.math_block)
        }
        ordered = sorted(found)
        result = typeset(ordered)
        self.html: dict[tuple[str, bool], str] = dict(
            zip(ordered, result["html"], strict=True)
        )
        self.sheet: str = result["css"]

    def of(self, node: nodes.Node) -> str:
        """Return a node's HTML."""
        formula = formula_of(node)
        if formula not in self.html:
            raise ExtensionError(f"{formula[0]!r} came after the formulas were set")
        return self.html[formula]


def _formulas(builder: Any) -> Formulas:
    if not hasattr(builder, "course_formulas"):
        builder.course_formulas = Formulas(builder.env)
    return builder.course_formulas  # type: ignore[no-any-return]


def _keep_together(app: Any, doctree: nodes.document, page: str) -> None:
    """Keep a formula and the comma after it on one line."""
    for formula in list(doctree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        closing = isinstance(after, nodes.Text) and CLOSING.match(after)
        if closing:
            siblings = (
                after.parent.children
            )  # an equal text may stand before: by identity
            place = next(i for i, one in enumerate(siblings) if one is after)
            after.parent[place] = nodes.Text(after[closing.end() :])
            kept = nodes.inline(classes=["course-kept"])
            formula.parent.replace(formula, kept)
            kept += [formula, nodes.Text(closing[0])]


def _inline(self: Any, node: nodes.Element) -> None:
    html = _formulas(self.builder).of(node)
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate"))
    self.body.append(f"{html}</span>")
    raise nodes.SkipNode


def _displayed(self: Any, node: nodes.Element) -> None:
    html = _formulas(self.builder).of(node)
    self.body.append(self.starttag(node, "div", CLASS="math notranslate"))
    if node.get("number"):
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append(f"{html}</div>\n")
    raise nodes.SkipNode


def _link_sheet(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    has = doctree is not None and any(
        isinstance(node, nodes.math | nodes.math_block) for node in doctree.findall()
    )
    if has:
        app.add_css_file(SHEET)


def _write_sheet(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    sheet = _formulas(app.builder).sheet
    target = Path(app.outdir) / "_static" / SHEET
    fonts = target.parent / "fonts"
    shutil.rmtree(target.parent, ignore_errors=True)
    fonts.mkdir(parents=True)
    target.write_text(sheet, encoding="utf-8")
    folder = assets.find("mathjax").folder
    for name in sorted(set(FONT.findall(sheet))):
        shutil.copy(folder / "es5/output/chtml/fonts/woff-v2" / name, fonts / name)
    shutil.copy(folder / "LICENSE", target.parent / "LICENSE")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.add_html_math_renderer("typeset", (_inline, None), (_displayed, None))
    app.connect("doctree-resolved", _keep_together)
    app.connect("html-page-context", _link_sheet)
    app.connect("build-finished", _write_sheet)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
