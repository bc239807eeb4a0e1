"""What the book makes of docstrings, citations and exercises, on its pages."""

import re

import pytest
from built import HTML, extension

from tools.audit._site import toc

bs4 = pytest.importorskip("bs4")


def soup(name):
    text = (HTML / f"{name}.html").read_text("utf-8")
    return bs4.BeautifulSoup(text, "html.parser")


def plain(label):
    """Return authors and year without the signs that differ between kinds."""
    return " ".join(re.sub(r"[\[\],]", " ", label).split())


def test_a_docstring_names_its_chapter_and_the_page_links_to_it():
    line = "section 3.1. Chapter: ``ch02_query_key_value``."
    assert extension("reference").with_links(line) == (
        "section 3.1. Explained in :doc:`chapter 2 </notebooks/ch02_query_key_value>`."
    )


@pytest.mark.book
def test_every_function_of_the_api_links_to_a_chapter_that_is_there():
    page = soup("book/api")
    assert "Chapter: " not in page.article.text
    links = page.article.find_all("a", string=re.compile(r"^chapter\s\d$"))
    assert len(links) > 20
    for link in links:
        number = int(link.text[-1])
        assert link["href"].startswith(f"../notebooks/ch0{number}_")
        assert (HTML / "book" / link["href"]).exists()


@pytest.mark.book
def test_the_contents_of_the_api_lead_to_ids_that_are_selectors():
    page = soup("book/api")
    entries = page.select(".bd-sidebar-secondary a[href^='#']")
    assert len(entries) > 40
    for entry in entries:
        assert "." not in entry["href"]
        assert page.find(id=entry["href"][1:])


@pytest.mark.book
def test_a_source_has_one_name_in_the_text_and_in_the_bibliography():
    page = soup("book/bibliography")
    labels = {
        entry["id"]: plain(entry.select_one(".label").text)
        for entry in page.select("div.citation")
    }
    assert len(set(labels.values())) == len(labels) > 40
    cited = set()
    for name in toc():
        for link in soup(name).select('article a[href*="bibliography.html#"]'):
            target = link["href"].partition("#")[2]
            if target in labels:
                before = reversed(link.find_all_previous(string=True, limit=9))
                assert plain("".join(before) + link.text).endswith(labels[target])
                cited.add(target)
    assert len(cited) > 40


@pytest.mark.book
@pytest.mark.parametrize("name", [n for n in toc() if n.startswith("notebooks/")])
def test_exercises_and_solutions_have_titles_that_read_well(name):
    page = soup(name)
    for kind, title in (("exercise", r"Exercise · \w.*[^)]"), ("solution", "Solution")):
        found = page.select(f"div.{kind}.admonition > .admonition-title")
        assert len(found) >= 5
        for one in found:
            assert re.fullmatch(title, one.text.strip())


@pytest.mark.book
def test_the_index_lists_the_terms_under_their_english_names():
    entries = [entry.text for entry in soup("genindex").select("article li > a")]
    assert {"query, 查询", "key, 键", "value, 值"} <= set(entries)
    assert not [entry for entry in entries if re.match(r"\(\W*[\u4e00-\u9fff]", entry)]
