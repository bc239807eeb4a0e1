"""Mends what axe-core holds against the markup of the theme and of its helpers.

A label that hides the visible text, a list whose items are none, a sidebar outside
every landmark: each is one replacement in the finished pages, and a replacement that
finds nothing in the whole book stops the build, since it has outlived its reason.
`scrollers.js` makes boxes that scroll take the keyboard's focus, which only the
browser can know.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError

MENDED = (
    # A button or summary is called by what it shows: speech control needs that.
    (re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"'),
     r"\1"),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # The role of an entry is deprecated, and a list may hold list items only.
    (re.compile(r'(<div class="citation"[^>]*) role="doc-biblioentry"'),
     r'\1 role="listitem"'),
    (re.compile(r'<div class="bd-sidebar-primary bd-sidebar">'),
     '<div class="bd-sidebar-primary bd-sidebar" role="region" '
     'aria-label="Search and contents">'),
)  # fmt: skip


def mended(text: str) -> tuple[str, list[int]]:
    """Return a page's HTML without these faults, and how often each was there."""
    counts = []
    for pattern, better in MENDED:
        text, count = pattern.subn(better, text)
        counts.append(count)
    return text, counts


def _finish(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    totals = [0] * len(MENDED)
    for path in sorted(Path(app.outdir).rglob("*.html")):
        text, counts = mended(path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
    for (pattern, _), total in zip(MENDED, totals, strict=True):
        if not total:
            raise ExtensionError(f"no page has {pattern.pattern!r} any more")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.add_js_file("scrollers.js", defer="defer")
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
