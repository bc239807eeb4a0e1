"""The map of the course: built small, and in the book with a reader's progress."""

import contextlib
import importlib
import io
import json

import pytest
from built import ROOT, need_live_cells, opened
from test_layout import slugs

from attention_course.exercises._registry import every

nbformat = pytest.importorskip("nbformat")
Sphinx = pytest.importorskip("sphinx.application").Sphinx

CONF = """
extensions = ["myst_nb", "course_map"]
nb_execution_mode = "off"
html_theme = "basic"
"""
INDEX = """# A course

```{{course-map}}
{content}
```

```{{toctree}}
notebooks/ch01_one
notebooks/ch02_two
```
"""
CONTENT = """ch01_one:
  asks: Half of it.
  leaves: And the rest?
ch02_two:
  asks: The rest.
"""


@pytest.fixture
def course_map(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    return importlib.import_module("course_map")


@pytest.fixture
def build(course_map, tmp_path):
    """Return a function that builds a page with a map; it gives HTML and warnings."""

    def built(content, words=(400, 2200)):
        folder = tmp_path / "source" / "notebooks"
        folder.mkdir(parents=True)
        (folder.parent / "conf.py").write_text(CONF, "utf-8")
        (folder.parent / "index.md").write_text(INDEX.format(content=content), "utf-8")
        for name, count in zip(("ch01_one", "ch02_two"), words, strict=True):
            text = f"# What is {name[5:]}?\n\n{'word ' * count}"
            notebook = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_markdown_cell(text)]
            )
            nbformat.write(notebook, folder / f"{name}.ipynb")
        out, said = tmp_path / "out", io.StringIO()
        places = (folder.parent, folder.parent, out, tmp_path / "trees", "html")
        Sphinx(*places, status=None, warning=said).build()
        return (out / "index.html").read_text("utf-8"), said.getvalue()

    return built


@pytest.mark.filterwarnings("ignore")
def test_the_map_leads_to_each_chapter_and_says_what_it_takes(build):
    page, said = build(CONTENT)
    assert "course_map" not in said
    assert "ERROR" not in said
    for number, name in ((1, "one"), (2, "two")):
        assert f'<p class="course-number">{number}</p>' in page
        address = f"notebooks/ch0{number}_{name}.html"
        link = f'href="{address}"><span class="doc">What is {name}?</span>'
        assert link in page
        minutes = sum(e.minutes for e in every() if e.id.startswith(f"ch0{number}."))
        assert f", {minutes} minutes</span>" in page
    assert "<span>About 0 minutes to read</span>" in page  # 400 words: to five minutes
    assert "<span>About 10 minutes to read</span>" in page
    assert page.count('<p class="course-leaves">') == 1
    assert "<table" not in page


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("content", [CONTENT.split("ch02")[0], CONTENT + "ch03_x: {}"])
def test_a_map_that_is_not_that_of_the_book_stops_the_build(build, content):
    _, said = build(content)
    assert "the book has ['ch01_one', 'ch02_two']" in said


def test_the_size_of_the_course_is_summed_up(course_map):
    words = course_map.summary([30, 20, 40], [(6, 20), (0, 0), (12, 100)])
    assert words == (
        "A chapter takes 20 to 40 minutes to read, all 3 together about 1.5 hours. "
        "The 18 exercises take about 2 hours more."
    )


# ---- in the book ------------------------------------------------------------------


def of(chapter):
    return [e.id for e in every() if e.id.startswith(f"{chapter}.")]


def solved(*ids):
    """Return a file of progress in which these exercises were solved."""
    events = [{"exercise": one, "event": "CORRECT", "time": 1} for one in ids]
    return "".join(f"{json.dumps(event)}\n" for event in events)


@contextlib.contextmanager
def reading(browser, address, text):
    """Open a page of the live book in a browser that has kept this progress."""
    need_live_cells()
    with opened(browser, address) as (page, wrong):
        keep = "text => localStorage.setItem('attention-course/progress', text)"
        page.evaluate(keep, text)
        page.reload()
        yield page, wrong


def stops(page):
    return page.locator(".course-map > li")


def beside(page, slug):
    """Return what stands beside a chapter in the contents, seen and heard."""
    place = slugs().index(slug)
    entry = page.locator(".bd-links a.reference").filter(has_text=f"{place}. ")
    return entry.first.locator(".course-count")


@pytest.mark.book
def test_the_map_and_the_contents_count_what_was_solved(browser, site):
    first, second = of("ch00"), of("ch01")
    text = solved(*first, *second[:2], second[0], "ch01.gone") + "no line of ours\n"
    with reading(browser, f"{site}book/index.html", text) as (page, wrong):
        stops(page).locator("progress").first.wait_for()
        counts = stops(page).locator(".course-progress").all_inner_texts()
        expected = {0: len(first), 1: 2}
        assert [count.strip() for count in counts] == [
            f"{expected.get(place, 0)} of {len(of(slug[:4]))} solved"
            for place, slug in enumerate(slugs())
        ]
        bar = page.get_by_label(f"2 of {len(second)} solved")
        assert bar.evaluate("bar => [bar.value, bar.max]") == [2, len(second)]
        contents = [beside(page, slug).count() for slug in slugs()]
        assert contents == [1, 1] + [0] * (len(slugs()) - 2)
        done = f" {len(first)} of {len(first)} exercises solved"
        assert beside(page, slugs()[0]).text_content() == f"✓{done}"
        assert beside(page, slugs()[1]).text_content().startswith(f"2/{len(second)} 2")
        assert wrong == []


@pytest.mark.book
def test_the_first_page_leads_on_where_the_reader_stopped(browser, site):
    text = solved(of("ch03")[0], *of("ch00"), *of("ch02"))  # chapter 2 is done last
    with reading(browser, f"{site}book/index.html", text) as (page, wrong):
        card = page.locator(".course-begin")
        card.filter(has_text="Continue with chapter 3").wait_for()
        onward = page.get_by_role("link", name="Continue: ")
        for link in (card.locator("a"), onward):
            assert link.get_attribute("href").endswith(f"notebooks/{slugs()[3]}.html")
        with page.context.expect_page() as other:  # another tab of the same reader
            page.evaluate("window.open('how_to_use.html')")
        other.value.evaluate("localStorage.removeItem('attention-course/progress')")
        card.filter(has_text="Start with chapter 0").wait_for()
        assert not page.locator("[class*=course-count], .course-progress").count()
        assert not onward.count()
        assert wrong == []


@pytest.mark.book
def test_a_chapter_counts_anew_after_forgetting_and_after_a_file(
    browser, site, tmp_path
):
    slug, ids = slugs()[1], of("ch01")
    address = f"{site}notebooks/{slug}.html"
    with reading(browser, address, solved(ids[0])) as (page, wrong):
        seen = beside(page, slug).locator("[aria-hidden]")
        seen.filter(has_text=f"1/{len(ids)}").wait_for()
        page.on("dialog", lambda dialog: dialog.accept())
        page.locator(".live-panel summary").click()
        page.get_by_role("button", name="Forget").click()
        beside(page, slug).wait_for(state="detached")
        file = tmp_path / "progress.jsonl"
        file.write_text(solved(*ids[:3]), "utf-8")
        page.locator(".live-panel input[type=file]").set_input_files(file)
        seen.filter(has_text=f"3/{len(ids)}").wait_for()
        assert wrong == []


@pytest.mark.book
def test_progress_moves_nothing_in_the_contents(browser, site):
    address = f"{site}book/notation.html"
    height = "document.querySelector('.bd-links').getBoundingClientRect().height"
    with opened(browser, address) as (page, _):
        before = page.evaluate(height)
    text = solved(*(of(slug[:4])[0] for slug in slugs()))
    with reading(browser, address, text) as (page, wrong):
        page.locator(".course-count").nth(len(slugs()) - 1).wait_for()
        assert page.evaluate(height) == before
        heard = page.locator(".course-count .visually-hidden").first
        assert heard.evaluate("words => words.offsetWidth") <= 1
        assert wrong == []


@pytest.mark.book
def test_without_progress_nothing_is_loaded_for_it(browser, site):
    with opened(browser, f"{site}book/index.html") as (page, wrong):
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.reload(wait_until="networkidle")
        assert asked
        assert not [url for url in asked if "/live-" in url]
        assert stops(page).count() == len(slugs())
        assert not page.locator(".course-progress, .course-continue").count()
        assert wrong == []


@pytest.mark.book
def test_without_scripts_the_map_shows_the_facts(browser, site):
    address = f"{site}book/index.html"
    with opened(browser, address, java_script_enabled=False) as (page, wrong):
        assert stops(page).count() == len(slugs())
        for place, slug in enumerate(slugs()):
            told = stops(page).nth(place).inner_text()
            assert "minutes to read" in told
            assert f"{len(of(slug[:4]))} exercises" in told
        assert not page.locator("progress, .course-count").count()
        assert wrong == []
