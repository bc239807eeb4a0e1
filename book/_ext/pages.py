"""What a page says about itself: time to read, downloads, description, card, sitemap.

Nothing of it is typed anywhere; all of it is computed from the page.
"""

import json
import os
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from sphinx import addnodes

from attention_course.exercises._registry import every

WORDS_A_MINUTE = 200
MINUTES_A_CELL = 0.4  # read its lines, look at what it gives
NOT_READ = {"exercise-prompt", "exercise", "check", "hide-input"}
WORD = re.compile(r"[A-Za-z][\w'’-]*")
CARD = "_static/landing.png"
DESCRIPTION_LENGTH = 160
SHORTEST_DESCRIPTION = 50
WITH, WITHOUT = "downloads/with-outputs", "downloads/without-outputs"

# ---- time to read ---------------------------------------------------------------


def minutes_to_read(notebook: dict[str, Any]) -> int:
    """Return how long a chapter takes, to five minutes: words, and a while per cell.

    Exercises count for themselves; cells whose code is hidden are not the lesson.
    """
    words = cells = 0
    for cell in notebook["cells"]:
        if set(cell["metadata"].get("tags", [])) & NOT_READ:
            continue
        if cell["cell_type"] == "markdown":
            words += len(WORD.findall("".join(cell["source"])))
        else:
            cells += 1
    return 5 * round((words / WORDS_A_MINUTE + cells * MINUTES_A_CELL) / 5)


def exercises_of(page: str) -> tuple[int, int]:
    """Return how many exercises a chapter has, and their minutes."""
    chapter = page.rsplit("/", 1)[-1][:4]
    found = [exercise for exercise in every() if exercise.id[:4] == chapter]
    return len(found), sum(exercise.minutes for exercise in found)


def facts(page: str, notebook: dict[str, Any]) -> list[str]:
    """Return in words what a chapter takes: to read it, and to do its exercises."""
    found = [f"About {minutes_to_read(notebook)} minutes to read"]
    count, minutes = exercises_of(page)
    if count:
        found.append(f"{count} exercise{'s' * (count > 1)}, {minutes} minutes")
    return found


def _title_line(page: str, notebook: dict[str, Any]) -> str:
    name = page.rsplit("/", 1)[-1]
    parts = [f"<span>{fact}</span>" for fact in facts(page, notebook)]
    links = [
        f'<a href="../{folder}/{name}.ipynb" download>{words}</a>'
        for folder, words in ((WITH, "with outputs"), (WITHOUT, "without"))
    ]
    parts.append(f"<span>Notebook {', '.join(links)}</span>")
    return f'<p class="course-about">{"".join(parts)}</p>'


def read_notebook(app: Any, page: str) -> dict[str, Any]:
    """Return a chapter as it is stored."""
    text = (Path(app.srcdir) / f"{page}.ipynb").read_text(encoding="utf-8")
    return json.loads(text)  # type: ignore[no-any-return]


def _add_title_line(app: Any, doctree: nodes.document, page: str) -> None:
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is None or not page.startswith("notebooks/"):
        return
    line = nodes.raw("", _title_line(page, read_notebook(app, page)), format="html")
    title.parent.insert(title.parent.index(title) + 1, line)


# ---- description and card ---------------------------------------------------------


def shortened(text: str, length: int = DESCRIPTION_LENGTH) -> str:
    """Return text of at most this length, ended at a sentence or at a word."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    start = text[: length + 1]
    sentence = max(start.rfind(mark) for mark in (". ", "? ", ": "))
    if sentence >= SHORTEST_DESCRIPTION:
        return start[: sentence + 1]
    return start[: start[:length].rfind(" ")].rstrip(",;:") + "…"


def description_of(doctree: nodes.document) -> str:
    """Return the first paragraph that stands alone: no formula, no link back."""
    for paragraph in doctree.findall(nodes.paragraph):
        plain = not any(
            isinstance(node, nodes.math | nodes.reference | addnodes.pending_xref)
            for node in paragraph.findall()
        )
        in_text = isinstance(paragraph.parent, nodes.section | nodes.document)
        if plain and in_text and len(paragraph.astext()) >= SHORTEST_DESCRIPTION:
            return shortened(paragraph.astext())
    return ""


def _base(app: Any) -> str:
    base = os.environ.get("BOOK_URL") or app.config.html_baseurl or ""
    return base.rstrip("/") + "/" if base else ""


def _set_base(app: Any, config: Any) -> None:
    config.html_baseurl = _base(app)


def meta_tags(site: str, title: str, about: str, address: str, card: str) -> str:
    """Return a page's description and its card for previews."""
    pairs = [
        ("name", "description", about),
        ("property", "og:type", "article"),
        ("property", "og:site_name", site),
        ("property", "og:title", title),
        ("property", "og:description", about),
        ("property", "og:url", address),
        ("property", "og:image", card),
        ("property", "og:image:alt", "Three questions share out their attention"),
        ("name", "twitter:card", "summary_large_image"),
    ]
    return "\n".join(
        f'<meta {kind}="{name}" content="{escape(value)}" />'
        for kind, name, value in pairs
        if value
    )


def _plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def _add_meta(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    site = app.config.html_title
    title = _plain(context.get("title") or site)
    about = description_of(doctree) if doctree is not None else ""
    about = about or f"{title}: a page of the course “{site}”."
    base = _base(app)
    card = base + CARD if base else context["pathto"](CARD, 1)
    address = f"{base}{page}.html" if base else ""
    tags = meta_tags(site, title, about, address, card)
    context["metatags"] = f"{context.get('metatags') or ''}\n{tags}"


# ---- downloads ----------------------------------------------------------------------


def _download_button(page: str, path_to: Any) -> dict[str, Any]:
    name = page.rsplit("/", 1)[-1]
    links = [
        {
            "type": "link",
            "url": path_to(f"{folder}/{name}.ipynb", 1),
            "text": words,
            "icon": "fas fa-file",
            "tooltip": f"Download this notebook {words}",
            "label": "download-notebook-button",
        }
        for folder, words in ((WITH, "with outputs"), (WITHOUT, "without outputs"))
    ]
    return {
        "type": "group",
        "tooltip": "Download this page",
        "icon": "fas fa-download",
        "buttons": links if page.startswith("notebooks/") else [],
        "label": "download-buttons",
    }


def _add_buttons(app: Any, page: str, template: str, context: Any, doc: Any) -> None:
    if doc is None:
        return
    group = _download_button(page, context["pathto"])
    print_button = {
        "type": "javascript",
        "javascript": "window.print()",
        "text": "print, or PDF",
        "icon": "fas fa-file-pdf",
        "tooltip": "Print this page",
        "label": "download-pdf-button",
    }
    group["buttons"] = [*group["buttons"], print_button]
    # The theme's own group links to sources, which this book does not publish.
    others = [b for b in context["header_buttons"] if b["label"] != group["label"]]
    context["header_buttons"] = [group, *others]


def without_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as if nobody had run it."""
    cells = [
        {**cell, "outputs": [], "execution_count": None}
        if cell["cell_type"] == "code"
        else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def _write_downloads(app: Any, folder: Path) -> None:
    for page in sorted(app.env.found_docs):
        if page.startswith("notebooks/"):
            name = page.rsplit("/", 1)[-1]
            notebook = read_notebook(app, page)
            for place, content in (
                (WITH, notebook),
                (WITHOUT, without_outputs(notebook)),
            ):
                target = folder / place / f"{name}.ipynb"
                target.parent.mkdir(parents=True, exist_ok=True)
                text = json.dumps(content, indent=1, ensure_ascii=False)
                target.write_text(text + "\n", encoding="utf-8")


# ---- sitemap, first page, 404 --------------------------------------------------------


def sitemap(pages: list[str], base: str) -> str:
    """Return the addresses of all pages; without a base they are relative."""
    lines = [f"  <url><loc>{escape(urljoin(base, p))}.html</loc></url>" for p in pages]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
            *lines,
            "</urlset>\n",
        ]
    )


def first_page(app: Any) -> str:
    """Return the page at the root: it leads on, and has the card of the course."""
    target, site, base = app.config.root_doc, app.config.html_title, _base(app)
    about = description_of(app.env.get_doctree(target))
    card = base + CARD if base else CARD
    return f"""<!DOCTYPE html>
<html lang="{app.config.language}">
<head>
<meta charset="utf-8" />
<title>{escape(site)}</title>
<meta http-equiv="refresh" content="0; url={target}.html" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<link rel="icon" href="_static/favicon.svg" type="image/svg+xml" />
{meta_tags(site, site, about, base, card)}
</head>
<body><main><h1>{escape(site)}</h1>
<p><a href="{target}.html">Read the course</a></p></main></body>
</html>
"""


def _collect(app: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    # A server shows this page at any address, so its links start at the site's root.
    root = urlsplit(_base(app)).path or "/"
    chapters = [
        (f"{root}{name}.html", _plain(app.env.longtitles[name].astext()))
        for name in sorted(app.env.found_docs)
        if name.startswith("notebooks/")
    ]
    first = f"{root}{app.config.root_doc}.html"
    context = {"root": root, "first": first, "chapters": chapters}
    yield "404", {**context, "title": "Not found"}, "404.html"


def _finish(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    _write_downloads(app, out)
    pages = sorted(app.env.found_docs)
    (out / "sitemap.xml").write_text(sitemap(pages, _base(app)), encoding="utf-8")
    (out / "index.html").write_text(first_page(app), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("config-inited", _set_base)
    app.connect("doctree-resolved", _add_title_line)
    app.connect("html-page-context", _add_meta)
    app.connect("html-page-context", _add_buttons, priority=600)
    app.connect("html-collect-pages", _collect)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
