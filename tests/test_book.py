"""The built book: each page of _toc.yml is there, with content.

Version 2 of Jupyter Book, given these files, builds nothing and says nothing.
"""

import re
from html.parser import HTMLParser

import pytest

from tools.audit._site import HTML, toc

MIN_WORDS = 20

pytestmark = pytest.mark.book


class Article(HTMLParser):
    """Collects the text inside <article>, where the theme puts a page's content."""

    def __init__(self):
        super().__init__()
        self.depth = 0
        self.text = []

    def handle_starttag(self, tag, attrs):
        self.depth += tag == "article"

    def handle_endtag(self, tag):
        self.depth -= tag == "article"

    def handle_data(self, data):
        if self.depth:
            self.text.append(data)


def article_text(path):
    article = Article()
    article.feed(path.read_text("utf-8"))
    return " ".join(article.text)


@pytest.mark.parametrize("name", toc())
def test_every_page_exists_and_has_content(name):
    page = HTML / f"{name}.html"
    assert page.exists(), f"{name} is in _toc.yml, but the build wrote no {page.name}"
    words = article_text(page).split()
    assert len(words) >= MIN_WORDS, f"{name}.html holds only {len(words)} words"


@pytest.mark.parametrize("name", toc())
def test_every_page_is_linked_from_every_other(name):
    index = (HTML / "book" / "index.html").read_text("utf-8")
    target = name.removeprefix("book/") if name.startswith("book/") else f"../{name}"
    if name != "book/index":
        assert f'href="{target}.html"' in index


def test_the_first_page_leads_to_the_book():
    first = (HTML / "index.html").read_text("utf-8")
    assert re.search(r"book/index\.html", first)


def test_every_picture_is_there():
    missing = []
    for page in HTML.rglob("*.html"):
        for source in re.findall(r'<img[^>]*\ssrc="([^"]+)"', page.read_text("utf-8")):
            if not source.startswith(("http", "data:")):
                target = (page.parent / source.split("?")[0]).resolve()
                missing += [] if target.exists() else [f"{page.name}: {source}"]
    assert not missing
