"""The built book without a browser: its links lead somewhere, and all of it is here.

The whole of _build/html is read as text, so nothing is missed that a click would need.
"""

import json
import re
import xml.etree.ElementTree as ET
from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
from built import HTML, ROOT
from test_layout import slugs

from tools.audit._site import toc

LOADS = {  # (tag, attribute) whose address a browser fetches without a click
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("audio", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("use", "href"),
    ("link", "href"),
}
NOT_FETCHED = {"canonical", "search", "index", "next", "prev"}  # kinds of <link>
RAW_TEX = re.compile(r"\\\(|\\\[|\$\$|\\begin\{")
NEVER = {"script", "style", "pre", "code", "template"}

pytestmark = pytest.mark.book


class Page(HTMLParser):
    """Collects what a page links to, loads and is called by, and its article's text."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids, self.metas = [], [], set(), {}
        self.lang, self.words = None, []
        self.icons = set(re.findall(r"[\" ](fa-[a-z-]+)", text))  # scripts write some
        self.open, self.inside = [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        self._take_addresses(tag, values)
        if tag == "html":
            self.lang = values.get("lang")
        elif tag == "meta":
            name = values.get("name") or values.get("property")
            self.metas[name] = values.get("content")
        self.inside += tag == "article"
        if tag in NEVER:
            self.open.append(tag)

    def _take_addresses(self, tag, values):
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        for name, value in values.items():
            fetched = not NOT_FETCHED & set(values.get("rel", "").split())
            if (tag, name) in LOADS and fetched:
                self.loads.append(value)

    def handle_endtag(self, tag):
        self.inside -= tag == "article"
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data):
        if self.inside and not self.open:
            self.words.append(data)


@cache
def page(path):
    return Page(path.read_text("utf-8"))


def html_files():
    return sorted(HTML.rglob("*.html"))


def sheets():
    return sorted(HTML.rglob("*.css"))


def relative(paths):
    return [path.relative_to(HTML).as_posix() for path in paths]


def elsewhere(address):
    return bool(urlsplit(address).netloc)


def assert_leads_somewhere(path, address):
    """Raise unless an address on a page is a file of the book, with that anchor."""
    parts = urlsplit(address)
    if parts.scheme in {"data", "mailto", "javascript"} or parts.netloc:
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    where = f"{path.relative_to(HTML)} -> {address}"
    assert target.is_relative_to(HTML.resolve()), f"{where} leaves the book"
    assert target.is_file(), f"{where}: no such file"
    if parts.fragment and target.suffix == ".html":
        assert unquote(parts.fragment) in page(target).ids, f"{where}: no such anchor"


def test_there_are_pages_to_look_at():
    assert len(html_files()) >= len(toc())
    assert len(sheets()) > 5


@pytest.mark.parametrize("path", html_files(), ids=relative(html_files()))
def test_every_link_and_picture_leads_somewhere(path):
    if path.name == "404.html":
        pytest.skip("its links start at the root of the published site")
    for address in [*page(path).links, *page(path).loads]:
        assert_leads_somewhere(path, address)


def test_the_links_of_the_page_for_wrong_addresses_lead_somewhere():
    links = page(HTML / "404.html").links
    assert len(links) == len(slugs()) + 2
    missing = [a for a in links if not (HTML / a.removeprefix("/")).is_file()]
    assert not missing


@pytest.mark.parametrize("path", html_files(), ids=relative(html_files()))
def test_a_page_loads_nothing_from_another_host(path):
    assert [address for address in page(path).loads if elsewhere(address)] == []


def assert_loads_files_of_the_book_only(path, sheet):
    text = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    found = re.findall(r"url\(\s*[\"']?([^\"')]+)", text)
    found += re.findall(r"@import\s+[\"']([^\"']+)", text)
    for address in found:
        assert not elsewhere(address), address
        assert_leads_somewhere(path, address)


@pytest.mark.parametrize("path", sheets(), ids=relative(sheets()))
def test_a_sheet_loads_files_of_the_book_only(path):
    assert_loads_files_of_the_book_only(path, path.read_text("utf-8"))


@pytest.mark.parametrize("path", html_files(), ids=relative(html_files()))
def test_a_page_brings_its_style_and_waits_for_no_sheet(path):
    text = path.read_text("utf-8")
    styles = re.findall(r"<style[^>]*>(.*?)</style>", text, flags=re.DOTALL)
    assert_loads_files_of_the_book_only(path, "\n".join(styles))
    links = re.findall(r'<link[^>]*rel="stylesheet"[^>]*>', text)
    assert all('media="print"' in link for link in links), links
    assert "@import" not in "".join(styles)


@pytest.mark.parametrize("name", toc())
def test_a_page_has_no_unrendered_formula(name):
    text = " ".join(page(HTML / f"{name}.html").words)
    found = RAW_TEX.search(text)
    assert not found, text[max(0, found.start() - 60) : found.start() + 60]
    assert "<mjx-merror" not in (HTML / f"{name}.html").read_text("utf-8")


def test_every_icon_of_a_page_is_in_the_font_of_icons():
    used = set().union(*(page(path).icons for path in html_files()))
    sheet = (HTML / "_static/icons/icons.css").read_text("utf-8")
    known = set(re.findall(r"\.(fa-[a-z-]+)", sheet))
    assert {"fa-bars", "fa-sun"} <= used
    assert used <= known, f"add to ICONS of book/_ext/offline.py: {used - known}"


@pytest.mark.parametrize("name", toc())
def test_a_page_says_what_it_is_about(name):
    found = page(HTML / f"{name}.html")
    assert found.lang == "en"
    assert "main-content" in found.ids
    assert "#main-content" in found.links, "no link that skips to the text"
    assert 40 <= len(found.metas["description"]) <= 161
    for kind in ("og:title", "og:description", "og:image"):
        assert found.metas[kind], kind


def test_no_two_pages_say_the_same_about_themselves():
    found = [page(HTML / f"{name}.html").metas["description"] for name in toc()]
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize("slug", slugs())
def test_a_chapter_offers_its_notebook_with_and_without_outputs(slug):
    links = page(HTML / f"notebooks/{slug}.html").links
    stored = json.loads((ROOT / "notebooks" / f"{slug}.ipynb").read_text("utf-8"))
    assert f"../downloads/with-outputs/{slug}.ipynb" in links
    assert f"../downloads/without-outputs/{slug}.ipynb" in links
    full, empty = (
        json.loads((HTML / f"downloads/{kind}/{slug}.ipynb").read_text("utf-8"))
        for kind in ("with-outputs", "without-outputs")
    )
    assert full == stored
    assert [c["source"] for c in empty["cells"]] == [
        c["source"] for c in stored["cells"]
    ]
    assert not any(c.get("outputs") or c.get("execution_count") for c in empty["cells"])


def test_the_sitemap_names_every_page():
    tree = ET.fromstring((HTML / "sitemap.xml").read_text("utf-8"))
    addresses = [element.text for element in tree.iter() if element.tag.endswith("loc")]
    assert len(addresses) == len(toc())
    for name in toc():
        assert any(address.endswith(f"{name}.html") for address in addresses), name
