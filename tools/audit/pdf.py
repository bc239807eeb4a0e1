"""Print the whole book into one PDF, with headless Chromium.

    python -m tools.audit.pdf [--to _build/attention-course.pdf]

Each page of the book becomes one part of a single document, in reading order: ids get
the part's name, links between pages become links inside the document, and boxes that
fold on the screen stand open. So one page numbering and one set of links holds for all.
"""

from __future__ import annotations

import argparse
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

from tools.audit._site import ARGUMENTS, HTML, chromium, need_the_book, served, toc

PRINTED = "print.html"  # beside index.html while it is printed
POINTS_TO_AN_ID = ("for", "aria-labelledby", "aria-describedby")
FURNITURE = (
    "script, noscript, .headerlink, .prev-next-footer, .prev-next-area, .copybtn, "
    ".bd-header-article, #live-keys, .live-bar"
)
FOOTER = (
    '<div style="width:100%;font:8px system-ui,sans-serif;color:#56616e;'
    'text-align:center"><span class="pageNumber"></span></div>'
)
PREPARE = """async () => {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((i) => i.decode().catch(() => {})));
  await document.fonts.ready;
}"""


def anchor(page: str, fragment: str = "") -> str:
    """Return the id, in the one document, of a page or of an element on it."""
    part = page.replace("/", "-")
    return f"{part}--{fragment}" if fragment else part


def inside(address: str, page: str, pages: list[str]) -> str:
    """Return where a link of a page leads to in the one document."""
    if re.match(r"[a-z]+:", address):
        return address
    path, _, fragment = address.partition("#")
    folder = posixpath.dirname(page)
    target = posixpath.normpath(posixpath.join(folder, path)) if path else page
    name = target.removesuffix(".html")
    if name in pages:
        return "#" + anchor(name, fragment)
    return target + ("#" + fragment if fragment else "")


def part(page: str, pages: list[str]) -> Any:
    """Return the article of a page, ready to stand in the one document."""
    text = (HTML / f"{page}.html").read_text(encoding="utf-8")
    article = BeautifulSoup(text, "html.parser").select_one("article.bd-article")
    assert article is not None, f"{page} has no article"
    for furniture in article.select(FURNITURE):
        furniture.decompose()
    for element in article.find_all(True):
        _in_place(element, page, pages)
    article["id"] = anchor(page)
    article["style"] = "break-before: page"
    return article


def _in_place(element: Any, page: str, pages: list[str]) -> None:
    if element.get("id"):
        element["id"] = anchor(page, element["id"])
    for name in POINTS_TO_AN_ID:
        if element.get(name):
            element[name] = " ".join(anchor(page, i) for i in element[name].split())
    if element.get("href") is not None:
        href = inside(element["href"], page, pages)
        if re.match(r"#|[a-z]+:", href):
            element["href"] = href
        else:  # a file beside the book, which paper cannot open
            del element["href"]
    if element.get("src"):
        element["src"] = inside(element["src"], page, [])
    if element.name == "details":
        element["open"] = ""


def document(pages: list[str]) -> str:
    """Return the whole book as one page."""
    first = BeautifulSoup(
        (HTML / f"{pages[0]}.html").read_text(encoding="utf-8"), "html.parser"
    )
    sheets: dict[str, str] = {}
    for page in pages:
        text = (HTML / f"{page}.html").read_text(encoding="utf-8")
        read = BeautifulSoup(text, "html.parser")
        for style in read.select("style[data-from]"):  # each page has a part of them
            sheets |= dict.fromkeys(str(style["data-from"]).split(), "all")
        for link in read.select("link[rel=stylesheet]"):
            sheets[inside(str(link["href"]), page, [])] = str(link["media"])
    links = "\n".join(
        f'<link rel="stylesheet" href="{href}" media="{media}" />'
        for href, media in sheets.items()
    )
    title = first.title.get_text() if first.title else ""
    articles = "\n".join(str(part(page, pages)) for page in pages)
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8" /><title>{title}</title>\n{links}</head>\n'
        f'<body><main class="bd-main"><div class="bd-content">'
        f'<div class="bd-article-container">{articles}</div></div></main></body></html>'
    )


def printed(address: str, to: Path) -> None:
    """Print a page into a file, with outline, tags and page numbers."""
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=chromium(), args=list(ARGUMENTS)
        )
        page = browser.new_page(java_script_enabled=True)
        page.emulate_media(media="print", color_scheme="light")
        page.goto(address, wait_until="networkidle")
        page.evaluate(PREPARE)
        page.pdf(
            path=to,
            prefer_css_page_size=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        browser.close()


def main() -> int:
    """Write the PDF, and say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=HTML.parent / "attention-course.pdf")
    to = parser.parse_args().to
    need_the_book()
    page = HTML / PRINTED
    page.write_text(document(toc()), encoding="utf-8")
    try:
        with served() as site:
            printed(f"{site}{PRINTED}", to)
    finally:
        page.unlink()
    print(f"{to}: {to.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
