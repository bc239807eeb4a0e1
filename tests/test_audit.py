"""The tools of `make audit`, without a browser: what they count, keep and refuse."""

import gzip
import urllib.request

import pytest

pytest.importorskip("bs4")
pytest.importorskip("pikepdf")
pytest.importorskip("playwright")

import pikepdf
from bs4 import BeautifulSoup

from tools.audit import _paper, _site, axe, firefox, lighthouse, pdf, verdicts
from tools.audit.first_text import NETWORK, first_text

# ---- the server


@pytest.fixture
def site(tmp_path):
    (tmp_path / "page.html").write_text("long words " * 500, "utf-8")
    (tmp_path / "code.wasm").write_bytes(bytes(5000))
    with _site.served(tmp_path) as address:
        yield address


def answer(address, accepts):
    request = urllib.request.Request(address, headers={"Accept-Encoding": accepts})
    with urllib.request.urlopen(request) as response:
        return response.headers, response.read()


def test_text_is_compressed_for_whoever_asks(site):
    headers, body = answer(f"{site}page.html", "br, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert int(headers["Content-Length"]) == len(body) < 500
    assert gzip.decompress(body).decode() == "long words " * 500


@pytest.mark.parametrize(
    ("name", "accepts"), [("page.html", "identity"), ("code.wasm", "gzip")]
)
def test_others_get_the_file_as_it_is(site, name, accepts):
    headers, body = answer(site + name, accepts)
    assert "Content-Encoding" not in headers
    assert len(body) >= 5000


def test_a_file_that_changes_is_compressed_anew(site, tmp_path):
    answer(f"{site}page.html", "gzip")
    (tmp_path / "page.html").write_text("other words", "utf-8")
    _, body = answer(f"{site}page.html", "gzip")
    assert gzip.decompress(body) == b"other words"


# ---- axe-core


def test_a_row_of_axe_counts_elements_and_names_each_rule_once():
    found = [
        {"id": "label", "impact": "serious", "nodes": ["a", "b"]},
        {"id": "label", "impact": "serious", "nodes": ["a"]},
        {"id": "empty-table-header", "impact": "minor", "nodes": ["th"]},
    ]
    assert axe.row("book/index", found) == {
        "page": "book/index",
        "critical": 0,
        "serious": 3,
        "moderate": 0,
        "minor": 1,
        "rules": "empty-table-header, label",
    }
    assert axe.row("book/index", [])["rules"] == "none"


def test_a_page_is_looked_at_in_both_themes_at_both_widths(monkeypatch):
    seen = []

    def violations(browser, address, theme, width):
        seen.append((address, theme, width))
        return [{"id": "label", "impact": "minor", "nodes": ["a"]}]

    monkeypatch.setattr(axe, "violations", violations)
    row = axe.looked_at(None, "http://here/", "book/index")
    assert row["minor"] == len(set(seen)) == 4
    assert {address for address, *_ in seen} == {"http://here/book/index.html"}
    assert {width for *_, width in seen} == {1280, 390}


# ---- Lighthouse


def report(performance=0.97, paint=1234.5):
    """Return a report of the shape of Lighthouse's, with two audits for speed."""
    audits = {
        "first-contentful-paint": {"score": 0.95, "numericValue": paint},
        "total-byte-weight": {
            "score": 0.4,
            "numericValue": 240_600,
            "displayValue": "241 KiB",
        },
        "informative": {"score": None},
    }
    refs = [{"id": name, "weight": 1} for name in audits]
    categories = {name: {"score": 1, "auditRefs": []} for name in lighthouse.CATEGORIES}
    categories["performance"] = {"score": performance, "auditRefs": refs}
    return {"categories": categories, "audits": audits}


def test_the_scores_of_a_report():
    assert lighthouse.scores(report()) == {
        "performance": 97,
        "accessibility": 100,
        "best_practices": 100,
        "seo": 100,
        "paint_s": 1.23,
        "kB": 241,
    }


def test_only_what_lowers_a_score_is_named():
    found = report()
    assert lighthouse.failures(found) == ["performance: total-byte-weight 0.4 241 KiB"]
    found["categories"]["performance"]["auditRefs"][1]["weight"] = 0
    assert lighthouse.failures(found) == []


def test_pages_take_turns_and_each_number_is_the_median_of_its_own(monkeypatch):
    simulated = iter([report(0.9, 3000), report(0.99, 1000), report(0.93, 2000)])
    seconds = iter([1.9, 0.7, 0.9, 0.8, 0.6, 1.7])
    asked = []

    def run(program, address):
        asked.append(address)
        return report(0.5) if address == "b" else next(simulated)

    def loaded(kind, address):
        asked.append(address)
        return 2.5 if address == "b" else next(seconds)

    monkeypatch.setattr(lighthouse, "report", run)
    monkeypatch.setattr(lighthouse, "first_text", loaded)
    found, other = lighthouse.in_turns(None, None, ["a", "b"], 3)
    assert (found["performance"], found["paint_s"]) == (93, 2.0)
    assert found["text_s"] == 0.85
    assert (other["performance"], other["text_s"]) == (50, 2.5)
    assert "".join(asked) == 3 * "aaabbb"


GOOD = {**lighthouse.TARGETS, "text_s": 1.0, "kB": 599}


def test_a_page_that_meets_each_target_exactly_is_good_enough():
    assert lighthouse.met(GOOD)


@pytest.mark.parametrize(
    "worse",
    [{name: least - 1} for name, least in lighthouse.TARGETS.items()]
    + [{"text_s": 1.01}, {"kB": 600}],
    ids=str,
)
def test_lighthouse_fails_below_a_target(worse):
    assert not lighthouse.met({**GOOD, **worse})


HEADER_FIRST = """<body><header>%s</header><script>
  const article = '<article><h1>Title</h1></article>';
  setTimeout(() => document.body.insertAdjacentHTML("beforeend", article), 1500);
</script></body>"""


def test_what_stands_above_the_article_is_not_its_first_text(browser, tmp_path):
    """Short words in the header, as a larger text hides a smaller one that follows."""
    (tmp_path / "late.html").write_text(HEADER_FIRST % "Go", "utf-8")
    (tmp_path / "early.html").write_text("<article>Title</article>", "utf-8")
    with _site.served(tmp_path) as site:
        late = first_text(browser.browser_type, f"{site}late.html")
        early = first_text(browser.browser_type, f"{site}early.html")
    assert early < 1.5 < late < 5
    assert early > NETWORK["latency"] / 1000


def test_a_page_without_an_article_has_no_first_text(browser, tmp_path):
    (tmp_path / "none.html").write_text("<p>Text, but no article.</p>", "utf-8")
    with _site.served(tmp_path) as site:
        assert first_text(browser.browser_type, f"{site}none.html") == float("inf")


# ---- Firefox and the verdicts


def seen(*errors, seconds):
    row = {"page": "p", "what": "loads", "formulas": 3, "errors": [], "seconds": 1.0}
    return [row, {**row, "what": "runs", "errors": [*errors], "seconds": seconds}]


def test_both_themes_become_one_row_with_all_their_errors():
    themes = {"light": seen("a", seconds=2.0), "dark": seen("b", "c", seconds=5.0)}
    first, second = firefox.combined(themes)
    assert first["errors"] == 0
    assert second == {
        "page": "p",
        "what": "runs",
        "formulas": 3,
        "light_s": 2.0,
        "dark_s": 5.0,
        "errors": 3,
    }


def verdict(**changed):
    usual = {
        "outcome": "DIAGNOSED",
        "misconceptions": ["a"],
        "html": "<p>",
        "seconds": 1,
    }
    return {**usual, **changed}


@pytest.mark.parametrize(
    "changed", [{"outcome": "CORRECT"}, {"misconceptions": ["b"]}, {"html": "<b>"}]
)
def test_a_verdict_that_differs_in_anything_a_reader_sees_is_found(changed):
    ours = {"ch01.a x": verdict(), "ch01.a y": verdict()}
    theirs = {"ch01.a x": verdict(seconds=9), "ch01.a y": verdict(**changed)}
    assert verdicts.differing(ours, theirs) == ["ch01.a y"]
    assert verdicts.row("Firefox", ours, theirs, 12.34)["differing"] == 1


def test_a_verdict_on_one_side_only_differs():
    both = {"ch01.a x": verdict()}
    assert verdicts.differing(both, {}) == verdicts.differing({}, both) == ["ch01.a x"]


def test_a_row_of_verdicts_counts_exercises_and_outcomes():
    found = {
        "ch01.a starter": verdict(outcome="NOT_ATTEMPTED", seconds=2),
        "ch01.a reference": verdict(outcome="CORRECT"),
        "ch02.b wrong": verdict(),
    }
    assert verdicts.row("Chromium", found, found, 3.14159) == {
        "browser": "Chromium",
        "exercises": 2,
        "verdicts": 3,
        "correct": 1,
        "named": 1,
        "not_attempted": 1,
        "differing": 0,
        "longest_s": 2,
        "seconds": 3.1,
    }


# ---- paper

PAGES = ["book/index", "notebooks/ch01"]
CHAPTER = """<html><head><style data-from="_static/a.css _static/b.css">p {}</style>
<link rel="stylesheet" href="../_static/print.css" media="print"/></head><body>
<article class="bd-article"><section id="ch01">
<h1>Scores<a class="headerlink">#</a></h1>
<p><a href="../book/index.html#map">map</a> <a href="#eq">here</a>
<a href="../_sources/x.ipynb">file</a> <a href="https://example.org/">far</a></p>
<div class="live-bar">Run</div><script>1</script>
<details><summary>more</summary><img src="../_images/a.png"/></details>
<section id="eq">
<h2>Why <math><msqrt><msub><mi>d</mi><mi>k</mi></msub></msqrt></math>?</h2>
</section></section></article></body></html>"""
INDEX = """<html><head><style data-from="_static/a.css">p {}</style></head><body>
<article class="bd-article"><section id="eq">
<h1>Title</h1><section id="map"><h2>Map</h2>
<a href="../notebooks/ch01.html">one</a></section></section></article></body></html>"""


@pytest.fixture
def paper(tmp_path, monkeypatch):
    for page, text in zip(PAGES, [INDEX, CHAPTER], strict=True):
        file = tmp_path / f"{page}.html"
        file.parent.mkdir()
        file.write_text(text, "utf-8")
    monkeypatch.setattr(_paper, "HTML", tmp_path)
    return _paper.Paper(PAGES)


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("ch01.html", "#notebooks-ch01"),
        ("#eq", "#notebooks-ch01--eq"),
        ("../book/index.html#map", "#book-index--map"),
        ("../_sources/a.ipynb", "_sources/a.ipynb"),
        ("https://example.org/#a", "https://example.org/#a"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_where_a_link_of_a_page_leads_on_paper(address, leads_to):
    assert _paper.inside(address, "notebooks/ch01", PAGES) == leads_to


def test_the_pages_become_one_document(paper):
    text = BeautifulSoup(paper.document({}), "html.parser")
    ids = [element["id"] for element in text.select("article.bd-article [id]")]
    assert sorted(ids) == sorted(set(ids))
    assert {"book-index--eq", "notebooks-ch01--eq"} <= set(ids)
    part = text.select_one("#notebooks-ch01")
    links = [link.get("href") for link in part.select("a")]
    assert links == [
        "#book-index--map",
        "#notebooks-ch01--eq",
        None,
        "https://example.org/",
    ]
    assert part.select("details[open] img[src='_images/a.png']")
    assert not part.select("script, .live-bar, .headerlink")
    sheets = {
        link["href"]: link["media"] for link in text.select("link[rel=stylesheet]")
    }
    assert sheets == {
        "_static/a.css": "all",
        "_static/b.css": "all",
        "_static/print.css": "print",
    }


def test_the_contents_name_pages_and_the_outline_keeps_formulas(paper):
    assert paper.outline == ["Contents", "Title", "Map", "Scores", "Why √d_k?"]
    text = BeautifulSoup(paper.document({"notebooks-ch01--eq": 17}), "html.parser")
    lines = {a["href"]: a.get_text(" ") for a in text.select(".paper-contents a")}
    assert lines["#notebooks-ch01--eq"] == "Why √d_k? 17"
    assert lines["#notebooks-ch01"] == f"Scores {_paper.UNKNOWN}"


def test_a_link_that_leads_nowhere_is_found(paper):
    document = paper.document({})
    assert _paper.dangling(document) == []
    broken = document.replace('id="book-index--map"', "")
    assert _paper.dangling(broken) == ["#book-index--map"]


def small_pdf(path):
    """Write three pages, a place on the second, and an outline with lost words."""
    with pikepdf.new() as made:
        for _ in range(3):
            made.add_blank_page()
        place = pikepdf.Array([made.pages[1].obj, pikepdf.Name("/Fit")])
        made.Root.Dests = pikepdf.Dictionary({"/notebooks-ch01--eq": place})
        with made.open_outline() as outline:
            for level in range(3):
                outline.root.append(pikepdf.OutlineItem("lost", level))
            outline.root[0].children.append(pikepdf.OutlineItem("lost", 1))
            outline.root[2].children.append(pikepdf.OutlineItem("lost", 2))
        made.save(path)


def test_the_places_of_a_pdf_get_their_page_numbers(tmp_path):
    small_pdf(tmp_path / "a.pdf")
    with pikepdf.open(tmp_path / "a.pdf") as made:
        assert pdf.page_numbers(made) == {"notebooks-ch01--eq": 2}


def test_the_outline_of_a_pdf_gets_the_headings_words(tmp_path, paper):
    small_pdf(tmp_path / "a.pdf")
    pdf.finish(tmp_path / "a.pdf", paper)
    with pikepdf.open(tmp_path / "a.pdf") as made, made.open_outline() as outline:
        titles = [entry.title for entry in pdf._entries(outline.root)]
        assert titles == paper.outline
        assert made.docinfo["/Title"] == "Title"
