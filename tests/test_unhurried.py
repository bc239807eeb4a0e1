"""A long page is laid out a little at a time, and ends as if it had been at once."""

import re

import pytest
from built import HTML, extension, opened
from sphinx.errors import ExtensionError
from test_layout import slugs

pytestmark = pytest.mark.book

DESKTOP = {"width": 1280, "height": 900}
LONG = f"notebooks/{slugs()[4]}.html"
READY = "html[data-ready]"
# Fractions of pixels add up over a page.
ALIKE = 4  # pixels

PLACES = """() => [...document.querySelectorAll("article section[id] > h2")].map(
  (heading) => heading.getBoundingClientRect().top + scrollY)"""
SKIPPED = """() => [...document.querySelectorAll("article > section > section")].filter(
  (one) => !one.firstElementChild.checkVisibility({ contentVisibilityAuto: true })
).length"""
FAR = """() => [
  ...document.querySelectorAll("article > section > section:first-of-type > .cell")
].filter(
  (one) => !one.firstElementChild.checkVisibility({ contentVisibilityAuto: true })
).length"""
UNFINISHED = """() => [...document.querySelectorAll("article > section section > *")]
  .filter((one) => !one.matches("section")
    && getComputedStyle(one).contentVisibility !== "visible").length"""
ON_SCREEN = """(heading) => {
  const { top } = document.querySelector(heading).getBoundingClientRect();
  return 0 <= top && top < innerHeight;
}"""
WITHOUT_SCROLLING_KEYS = """() => [...document.querySelectorAll("mjx-container, pre")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0
    && !box.closest(".toggle-hidden, details"))
  .map((box) => box.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def early(browser, site):
    with opened(browser, site + LONG, viewport=DESKTOP) as (page, wrong):
        yield page
        assert wrong == []


@pytest.fixture(scope="module")
def whole(browser, site):
    address = site + LONG + "#main-content"
    with opened(browser, address, viewport=DESKTOP) as (page, wrong):
        yield page
        assert wrong == []


def test_what_is_far_from_the_screen_is_skipped(early):
    assert early.evaluate(SKIPPED) > 3


def test_of_the_section_on_the_screen_only_what_is_near_is_laid_out(browser, site):
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.add_init_script("window.requestIdleCallback = () => 0")
    page.goto(site + LONG)
    assert page.evaluate(FAR) > 0
    assert page.evaluate(UNFINISHED) > 0
    context.close()


def test_in_the_end_a_section_hides_no_part_of_it(early):
    assert early.evaluate(UNFINISHED) == 0


def test_who_comes_to_a_place_gets_the_whole_page(whole):
    assert whole.evaluate(SKIPPED) == 0


def test_each_heading_stands_where_it_stands_in_the_whole_page(early, whole):
    skipping, complete = early.evaluate(PLACES), whole.evaluate(PLACES)
    assert len(skipping) == len(complete) > 5
    assert skipping == pytest.approx(complete, abs=ALIKE)


def test_who_comes_back_to_a_page_gets_the_whole_page(browser, site):
    with opened(browser, site + LONG, viewport=DESKTOP) as (page, _):
        page.reload()
        page.wait_for_selector(READY)
        assert page.evaluate(SKIPPED) == 0


def test_what_a_reader_looks_at_stays_while_the_rest_is_laid_out(browser, site):
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(site + LONG, wait_until="domcontentloaded")
    heading = "article > section > section:nth-of-type(5) > h2"
    page.evaluate("(one) => document.querySelector(one).scrollIntoView()", heading)
    page.wait_for_selector(READY)
    assert page.evaluate(SKIPPED) > 3
    assert page.evaluate(ON_SCREEN, heading)
    context.close()


def test_a_link_to_a_skipped_section_leads_there(browser, site):
    with opened(browser, site + LONG, viewport=DESKTOP) as (page, _):
        link = page.locator(".bd-toc-nav a.nav-link").last
        link.click()
        page.wait_for_function(ON_SCREEN, arg=link.get_attribute("href") + " > h2")


def test_the_contents_follow_the_reader(browser, site):
    with opened(browser, site + LONG, viewport=DESKTOP) as (page, _):
        last = page.locator("article > section > section > h2").last
        last.scroll_into_view_if_needed()
        page.wait_for_selector(".bd-toc-nav a.active")


def test_what_scrolls_takes_the_focus_though_it_is_skipped(browser, site):
    phone = {"width": 390, "height": 844}
    with opened(browser, site + LONG, viewport=phone) as (page, _):
        assert page.evaluate(SKIPPED) > 3
        assert page.evaluate(WITHOUT_SCROLLING_KEYS) == []


def test_paper_skips_nothing(browser, site):
    with opened(browser, site + LONG, viewport=DESKTOP) as (page, _):
        page.emulate_media(media="print")
        assert page.evaluate(SKIPPED) == 0


def test_a_page_without_scripts_skips_nothing(browser, site):
    with opened(browser, site + LONG, java_script_enabled=False) as (page, _):
        section = page.locator("article > section > section").last
        assert section.evaluate("(s) => getComputedStyle(s).contentVisibility") == (
            "visible"
        )


def test_no_script_treats_the_whole_page_at_once():
    offline = extension("offline")
    for name, (found, better) in offline.AT_ONCE.items():
        assert offline.unhurried(name, f"before {found} after") == (
            f"before {better} after"
        )
        with pytest.raises(ExtensionError, match="mend AT_ONCE"):
            offline.unhurried(name, "document.querySelectorAll('pre')")
        (built,) = (HTML / "_static").rglob(name)
        text = built.read_text("utf-8")
        assert found not in text
        assert better in text
    assert offline.unhurried("other.js", "1") == "1"


def test_every_code_gets_its_button_and_it_copies(browser, site):
    with opened(browser, site + LONG, viewport=DESKTOP) as (page, wrong):
        codes = page.locator("div.highlight pre").count()
        assert page.locator("div.highlight pre + button.copybtn").count() == codes > 20
        button = page.locator("button.copybtn").nth(codes - 1)
        button.evaluate("(one) => one.click()")
        assert "success" in button.get_attribute("class")
        assert wrong == []


def test_no_page_has_a_note_in_the_margin():
    """The theme's script, which looked for them, no longer does: offline.py."""
    words = ("marginnote", "sidenote", "margin", "margin[-_]caption", "full[-_]width")
    names = "|".join((*words, "sidebar", "popout"))
    note = re.compile(rf'class="(?:[^"]* )?(?:tag_)?(?:{names})(?: [^"]*)?"')
    assert note.search('<div class="cell tag_full-width docutils">')
    assert not note.search('<div class="bd-sidebar">')
    with_notes = [
        page.name
        for page in HTML.rglob("*.html")
        if note.search(page.read_text("utf-8"))
    ]
    assert with_notes == []
