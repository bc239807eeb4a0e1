"""A page asks nothing of another host, and loads no more than it needs.

Takes away what Jupyter Book adds for services that this book does not use (Thebe,
Binder, the CDN's MathJax), lets scripts and pictures wait until the text is there, and
replaces Font Awesome by a font of the icons that the theme shows.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image
from sphinx.builders.html._assets import _JavaScript
from sphinx.errors import ExtensionError

# What pages do without: services elsewhere, and variables that nothing reads.
UNUSED = ("sphinx-thebe", "THEBE_JS_URL", "DOCUMENTATION_OPTIONS.pagename")
TABS = "design-tabs.js"  # only where there are tabs
FIXED = re.compile(r'(<img [^>]*?) style="width: \d+px; height: \d+px;"')
PICTURE = re.compile(r'<img (?![^>]*loading=)[^>]*?src="([^"?]+)[^"]*"')
DRAWN = "jupyter_execute"  # the folder of the pictures out of notebooks
IN_BODY = ("text/x-thebe-config", "kernelName =")

# The icons of the theme's buttons, and of its sheets (boxes, links, versions).
ICONS = {
    "angle-left": 0xF104,
    "angle-right": 0xF105,
    "arrow-up": 0xF062,
    "bars": 0xF0C9,
    "circle-half-stroke": 0xF042,
    "download": 0xF019,
    "expand": 0xF065,
    "file": 0xF15B,
    "file-pdf": 0xF1C1,
    "list": 0xF03A,
    "magnifying-glass": 0xF002,
    "moon": 0xF186,
    "print": 0xF02F,
    "sun": 0xF185,
    "xmark": 0xF00D,
}
ICONS_OF_SHEETS = (
    *(0xF0F3, 0xF058, 0xF06A, 0xF071, 0xF35D, 0xF05A, 0xF0EB, 0xF303),
    *(0xF010, 0xF064, 0xF057, 0xF107, 0xF0C1),
)
FONT = "fa-solid-900.ttf"
# A few at a time, when the browser has nothing else to do; Safari has no idle time.
IDLY = """\
const idly = (cells, add) => {
  const waiting = [...cells.entries()]
  const ask = window.requestIdleCallback
    ?? (work => setTimeout(work, 20, { timeRemaining: () => 0 }))
  const some = time => {
    do {
      const [index, cell] = waiting.shift()
      add(cell, index)
    } while (waiting.length > 0 && time.timeRemaining() > 40)
    if (waiting.length > 0) ask(some)
  }
  if (waiting.length > 0) ask(some)
}
idly(codeCells, (codeCell, index) => {"""
# What scripts of the theme and its helpers do to a whole page at once: look at every
# block of text, to measure it (scrollers.js does it by sections), or for notes in the
# margin, of which this book has none; and give every code its button.
AT_ONCE = {
    "pydata-sphinx-theme.js": (
        'document.querySelectorAll("pre, .nboutput > .output_area, '
        '.cell_output > .output, .jp-RenderedHTMLCommon")',
        "[]",
    ),
    "sphinx-book-theme.js": ('document.querySelectorAll(n.join(", "))', "[]"),
    "copybutton.js": ("codeCells.forEach((codeCell, index) => {", IDLY),
}
SHEET = """\
/* Icons of Font Awesome Free 6.5.2 (SIL OFL 1.1, LICENSE.txt), those that pages use. */
@font-face {
  font-family: "Font Awesome 6 Free";
  font-weight: 900;
  font-display: block;
  src: url("icons.woff") format("woff");
}
:root { --fa-style-family-classic: "Font Awesome 6 Free"; }
.fa-solid, .fas {
  -webkit-font-smoothing: antialiased;
  display: inline-block;
  font-family: "Font Awesome 6 Free";
  font-style: normal;
  font-weight: 900;
  line-height: 1;
}
.fa-lg { font-size: 1.25em; line-height: 0.05em; vertical-align: -0.075em; }
"""


def _source(asset: Any) -> str:
    return str(getattr(asset, "filename", asset) or "")


def _body(asset: Any) -> str:
    return (getattr(asset, "attributes", None) or {}).get("body") or ""


def wanted(asset: Any, *, tabs: bool) -> bool:
    """Return whether a page keeps a script or a sheet."""
    source = _source(asset)
    if source.startswith(("http://", "https://", "//")):
        return False
    if source.endswith(TABS):
        return tabs
    return not any(word in source or word in _body(asset) for word in UNUSED)


def later(asset: Any) -> Any:
    """Return a script that waits for the text; what is written inline stays."""
    waits = {"async", "defer", "type"} & set(getattr(asset, "attributes", {}))
    if not _source(asset) or waits:
        return asset
    attributes = {**asset.attributes, "defer": "defer"}
    return _JavaScript(asset.filename, priority=asset.priority, **attributes)


def _unique(found: list[Any]) -> list[Any]:
    seen: dict[tuple[str, str], Any] = {}
    for asset in found:
        seen.setdefault((_source(asset), _body(asset)), asset)
    return list(seen.values())


def with_sizes(body: str, sizes: dict[str, tuple[int, int]]) -> str:
    """Return a page's text whose pictures wait until they are near, at their size.

    The size keeps the text from jumping when a picture comes; as a style it would also
    keep a picture wider than a phone.
    """

    def put(match: re.Match[str]) -> str:
        name = match[1].rsplit("/", 1)[-1]
        size = 'width="{}" height="{}" '.format(*sizes[name]) if name in sizes else ""
        return f'<img loading="lazy" decoding="async" {size}{match[0][5:]}'

    return PICTURE.sub(put, FIXED.sub(r"\1", body))


def _sizes(builder: Any) -> dict[str, tuple[int, int]]:
    """Return width and height of the book's pictures, by their published name.

    What a notebook drew has two points per pixel of the page.
    """
    if not hasattr(builder, "course_sizes"):
        builder.course_sizes = {}
    for source, name in builder.images.items():
        if name not in builder.course_sizes and not name.endswith(".svg"):
            with Image.open(Path(builder.srcdir) / source) as picture:
                width, height = picture.size
            points = 2 if DRAWN in Path(source).parts else 1
            builder.course_sizes[name] = (width // points, height // points)
    return builder.course_sizes  # type: ignore[no-any-return]


def _clean(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    tabs = "sd-tab-set" in (context.get("body") or "")
    if context.get("body"):
        context["body"] = with_sizes(context["body"], _sizes(app.builder))
    for kind in ("css_files", "script_files"):
        kept = [a for a in context.get(kind, []) if wanted(a, tabs=tabs)]
        context[kind] = _unique(kept)
    if page != "search":  # its template runs scripts that need these at once
        context["script_files"] = [later(a) for a in context["script_files"]]
    context["default_mode"] = "auto"  # the theme's script complains of an empty one


def _clean_body(app: Any, doctree: nodes.document, page: str) -> None:
    for node in list(doctree.findall(nodes.raw)):
        if any(word in node.astext() for word in IN_BODY):
            node.parent.remove(node)


def _write_icons(folder: Path, theme: Path) -> None:
    options = subset.Options()
    options.flavor = "woff"
    options.recalc_timestamp = False
    font = TTFont(theme / "webfonts" / FONT, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[*ICONS.values(), *ICONS_OF_SHEETS])
    subsetter.subset(font)
    folder.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(folder / "icons.woff"), options)
    rules = [
        f'.fa-{name}::before {{ content: "\\{code:x}"; }}'
        for name, code in ICONS.items()
    ]
    sheet = SHEET + "\n".join(rules) + "\n"
    (folder / "icons.css").write_text(sheet, encoding="utf-8")
    shutil.copy(theme / "LICENSE.txt", folder)


def unhurried(name: str, script: str) -> str:
    """Return a script that does nothing to the whole page at once."""
    if name not in AT_ONCE:
        return script
    found, better = AT_ONCE[name]
    if found not in script:
        raise ExtensionError(
            f"{name} no longer does what AT_ONCE in offline.py says; look there how "
            "it treats the whole page, and mend AT_ONCE"
        )
    return script.replace(found, better)


def _finish(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    (theme,) = (static / "vendor" / "fontawesome").iterdir()
    _write_icons(static / "icons", theme)
    shutil.rmtree(static / "vendor" / "fontawesome")
    for unused in ("sphinx-thebe.js", "sphinx-thebe.css", "play-solid.svg"):
        (static / unused).unlink(missing_ok=True)
    for leftover in (*static.rglob("*.map"), *static.glob("*webpack-macros.html")):
        leftover.unlink()
    for script in (*static.glob("scripts/*.js"), static / "copybutton.js"):
        text = script.read_text(encoding="utf-8")
        text = re.sub(r"\n?//# sourceMappingURL=.*", "", text)
        script.write_text(unhurried(script.name, text), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", _clean, priority=900)
    app.connect("doctree-resolved", _clean_body, priority=900)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
