"""The pages of the book as one document, ready to be printed.

Each page becomes one part, in reading order: ids get the part's name, links between
pages become links inside the document, and boxes that fold on the screen stand open. So
one page numbering and one set of links holds for all.
"""

from __future__ import annotations

import copy
import html
import posixpath
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from tools.audit._site import HTML, ROOT

POINTS_TO_AN_ID = ("for", "aria-labelledby", "aria-describedby")
FURNITURE = (
    "script, noscript, .headerlink, .prev-next-footer, .prev-next-area, .copybtn, "
    ".bd-header-article, #live-keys, .live-bar"
)
SHEET = Path(__file__).with_name("paper.css")
UNKNOWN = "000"  # as wide as any page number, so that lines break where they will
LISTED = (1, 2)  # levels of headings in the contents


@dataclass(frozen=True)
class Heading:
    """A heading of the one document."""

    level: int
    text: str
    anchor: str


def soup(page: str) -> BeautifulSoup:
    """Return a page of the built book."""
    text = (HTML / f"{page}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


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


def part(text: BeautifulSoup, page: str, pages: list[str]) -> Any:
    """Return the article of a page, ready to stand in the one document."""
    article = text.select_one("article.bd-article")
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


def words(heading: Any) -> str:
    """Return a heading as plain text; a formula's root and index stay readable."""
    plain = copy.copy(heading)
    for root in plain.select("msqrt"):
        root.insert(0, "√")
    for index in plain.select("msub > :last-child"):
        index.insert(0, "_")
    return " ".join(plain.get_text().split())


def headings(articles: list[Any]) -> list[Heading]:
    """Return the headings in order; a page's own leads to the top of its part."""
    found = []
    for article in articles:
        for element in article.select("h1, h2, h3, h4, h5, h6"):
            level = int(element.name[1])
            home = article if level == 1 else element.find_parent(id=True)
            found.append(Heading(level, words(element), home["id"]))
    return found


def contents(found: list[Heading], numbers: dict[str, int]) -> str:
    """Return the list of parts and sections with their page numbers."""
    lines = [
        f'<a class="paper-{one.level}" href="#{one.anchor}">'
        f"<span>{html.escape(one.text)}</span>"
        f"<span>{numbers.get(one.anchor, UNKNOWN)}</span></a>"
        for one in found
        if one.level in LISTED
    ]
    return (
        '<article class="bd-article" id="contents" style="break-before: page">'
        f'<h1>Contents</h1><nav class="paper-contents">{"".join(lines)}</nav></article>'
    )


def _cover(name: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return (
        '<article class="bd-article paper-title"><img src="_static/logo.svg" alt="" />'
        f'<p class="paper-name">{html.escape(name)}</p>'
        f"<p>{html.escape(project['description'])}</p>"
        f"<p>Version {project['version']}</p></article>"
    )


def _sheets(pages: dict[str, BeautifulSoup]) -> str:
    """Return links to the whole style sheets of all pages, each once."""
    sheets: dict[str, str] = {}
    for page, text in pages.items():
        for style in text.select("style[data-from]"):  # each page has a part of them
            sheets |= dict.fromkeys(str(style["data-from"]).split(), "all")
        for link in text.select("link[rel=stylesheet]"):
            sheets[inside(str(link["href"]), page, [])] = str(link["media"])
    return "\n".join(
        f'<link rel="stylesheet" href="{href}" media="{media}" />'
        for href, media in sheets.items()
    )


class Paper:
    """The whole book as one document, whose contents can be given page numbers."""

    def __init__(self, pages: list[str]) -> None:
        texts = {page: soup(page) for page in pages}
        self.sheets = _sheets(texts)
        articles = [part(text, page, pages) for page, text in texts.items()]
        self.headings = headings(articles)
        self.title = self.headings[0].text
        self.cover = _cover(self.title)
        self.body = "\n".join(map(str, articles))

    @property
    def outline(self) -> list[str]:
        """Return the titles of all headings, in order."""
        return ["Contents", *(one.text for one in self.headings)]

    def document(self, numbers: dict[str, int]) -> str:
        """Return the document with these page numbers in its contents."""
        parts = [self.cover, contents(self.headings, numbers), self.body]
        return (
            '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light">'
            f'<head><meta charset="utf-8" /><title>{html.escape(self.title)}</title>\n'
            f"{self.sheets}\n<style>{SHEET.read_text(encoding='utf-8')}</style></head>"
            '<body><main class="bd-main"><div class="bd-content">'
            f'<div class="bd-article-container">{"".join(parts)}</div></div></main>'
            "</body></html>"
        )


def dangling(document: str) -> list[str]:
    """Return the links inside a document that lead nowhere."""
    text = BeautifulSoup(document, "html.parser")
    there = Counter(str(element["id"]) for element in text.select("[id]"))
    links = [str(link["href"]) for link in text.select('a[href^="#"]')]
    return sorted({link for link in links if not there[link[1:]]})
