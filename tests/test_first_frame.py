"""What a page need not show in its first frame waits for the second."""

import pytest
from built import extension
from test_layout import slugs

PHONE = {"width": 390, "height": 844}
ARTICLE = '<article class="bd-article">'
CHAPTER = f"notebooks/{slugs()[3]}.html"
SHOWN = """(where) => [...document.querySelectorAll(where)].filter(
  (one) => one.checkVisibility({ contentVisibilityAuto: true })).length"""
LATER = ["article > section > section > h2", ".bd-sidebar-primary a"]
TITLE = f'{ARTICLE}\n<section id="a"><h1>A</h1>\n<p>An answer.</p>'


@pytest.fixture(scope="module")
def frame():
    return extension("first_frame")


def test_the_mark_stands_between_introduction_and_first_section(frame):
    rest = '\n<section id="b"><h2>B</h2></section>\n<section id="c"></section>'
    page = f"<body>{TITLE}{rest}</body>"
    assert frame.with_mark(page) == f"<body>{TITLE}{frame.BEGUN}{rest}</body>"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TITLE, id="no section below the title"),
        pytest.param("<h1>Not found</h1>\n<section></section>", id="no article"),
        pytest.param(f"{ARTICLE}\n<section>", id="no title"),
    ],
)
def test_a_page_without_an_introduction_stays_as_it_is(frame, text):
    assert frame.with_mark(f"<body>{text}</body>") == f"<body>{text}</body>"


def test_scripts_that_wait_stand_last_in_their_order(frame):
    a, b = (f'<script defer src="{name}.js"></script>\n' for name in "ab")
    module = '<script type="module" src="m.mjs"></script>\n'
    inline = "<script>let hint = 'Show';</script>\n"
    at_once = '<script src="searchtools.js"></script>\n'
    page = f"<head>\n{a}{inline}{module}</head><body>{at_once}{b}<p>text</p>\n</body>"
    want = f"<head>\n{inline}</head><body>{at_once}<p>text</p>\n{a}{module}{b}</body>"
    assert frame.with_scripts_last(page) == want
    without = want.replace(a + module + b, "")
    assert frame.with_scripts_last(without) == without


@pytest.mark.book
@pytest.mark.parametrize("where", LATER)
def test_what_can_wait_is_not_in_the_first_frame(browser, site, where):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.add_init_script("window.requestIdleCallback = () => 0")  # as in the beginning
    page.goto(site + CHAPTER)
    page.wait_for_selector("html[data-begun]")
    assert page.evaluate(SHOWN, where) > 0
    page.evaluate("delete document.documentElement.dataset.begun")
    assert page.evaluate(SHOWN, where) == 0
    context.close()


@pytest.mark.book
@pytest.mark.parametrize("page_has", ["frames", "no frame"])
def test_what_waited_comes(browser, site, page_has):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    if page_has == "no frame":  # as in a tab behind another
        page.add_init_script("window.requestAnimationFrame = () => 0")
    else:  # before the page is loaded
        page.route("**/*.js*", lambda route: route.abort())
    page.goto(site + CHAPTER)
    page.wait_for_selector("html[data-begun]")
    context.close()
