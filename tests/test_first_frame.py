"""The first frame of a page has its title and what stands above its first section."""

import time

import pytest
from built import HTML, UnderAPath, extension, under_a_path
from test_layout import slugs

PHONE = {"width": 390, "height": 844}
ARTICLE = '<article class="bd-article">'
CHAPTER = f"notebooks/{slugs()[3]}.html"
# The browser notes when it has drawn what is marked so.
TIMED = (("<h1", '<h1 elementtiming="title"'), ("<p>", '<p elementtiming="text">'))
DRAWN = """() => new Promise((done) => {
  const times = {};
  const note = (list) => {
    for (const one of list.getEntries()) {
      times[one.identifier || one.name] = one.renderTime || one.startTime;
    }
    if (["title", "text", "first-contentful-paint"].every((one) => one in times)) {
      done(times);
    }
  };
  for (const type of ["element", "paint"]) {
    new PerformanceObserver(note).observe({ type, buffered: true });
  }
  setTimeout(() => done(times), 20000);
})"""
SHOWN = """(where) => [...document.querySelectorAll(where)].filter(
  (one) => one.checkVisibility({ contentVisibilityAuto: true })).length"""
LATER = ["article > section > section > h2", ".bd-sidebar-primary a"]
BEGUN = "document.documentElement.dataset.begun"


@pytest.fixture(scope="module")
def frame():
    return extension("first_frame")


def page_of(*parts):
    head = '<head>\n<style data-from="a.css">p{top:0}</style>\n</head>\n<body>\n'
    return "".join([head, *parts, "</body>"])


TITLE = f'{ARTICLE}\n<section id="a"><h1>A</h1>\n<p>An answer.</p>'


def test_the_mark_stands_between_introduction_and_first_section(frame):
    rest = '\n<section id="b"><h2>B</h2></section>\n<section id="c"></section>'
    got = frame.with_mark(page_of(TITLE, rest))
    intro, mark = got.index("An answer."), got.index(f'<script id="{frame.MARK}"')
    assert intro < mark < got.index('<section id="b">')
    assert got.count(f'id="{frame.MARK}"') == 1
    link = f'<link rel="expect" href="#{frame.MARK}" blocking="render">'
    assert got.index(link) < got.index("<style")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([TITLE], id="no section below the title"),
        pytest.param(["<h1>Not found</h1>\n<section></section>"], id="no article"),
        pytest.param([f"{ARTICLE}\n<section>"], id="no title"),
    ],
)
def test_a_page_without_an_introduction_stays_as_it_is(frame, parts):
    assert frame.with_mark(page_of(*parts)) == page_of(*parts)


def test_scripts_that_wait_stand_last_in_their_order(frame):
    a, b = (f'<script defer src="{name}.js"></script>\n' for name in "ab")
    module = '<script type="module" src="m.mjs"></script>\n'
    inline = "<script>let hint = 'Show';</script>\n"
    at_once = '<script src="searchtools.js"></script>\n'
    page = f"<head>\n{a}{inline}{module}</head><body>{at_once}{b}<p>text</p>\n</body>"
    got = frame.with_scripts_last(page)
    want = f"<head>\n{inline}</head><body>{at_once}<p>text</p>\n{a}{module}{b}</body>"
    assert got == want
    assert frame.with_scripts_last(want.replace(a + module + b, "")) == (
        want.replace(a + module + b, "")
    )


class InTwoParts(UnderAPath):
    """Sends a page's article half a second after what stands above it."""

    def do_GET(self):
        if not self.path.endswith(CHAPTER):
            super().do_GET()
            return
        above, article = (HTML / CHAPTER).read_text(encoding="utf-8").split(ARTICLE)
        for plain, timed in TIMED:
            article = article.replace(plain, timed, 1)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(above.encode())
        time.sleep(0.5)
        self.wfile.write(f"{ARTICLE}{article}".encode())


@pytest.mark.book
def test_title_and_text_come_in_the_first_frame(browser):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    with under_a_path(kind=InTwoParts) as site:
        page.goto(site + CHAPTER)
        times = page.evaluate(DRAWN)
    context.close()
    assert times["title"] == times["text"] == times["first-contentful-paint"] > 500


@pytest.mark.book
@pytest.mark.parametrize("where", LATER)
def test_sections_and_what_is_out_of_sight_wait_for_the_second(browser, site, where):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.add_init_script("window.requestIdleCallback = () => 0")  # as in the beginning
    page.goto(site + CHAPTER)
    page.wait_for_selector("html[data-begun]")
    assert page.evaluate(SHOWN, where) > 0
    page.evaluate(f"delete {BEGUN}")
    assert page.evaluate(SHOWN, where) == 0
    context.close()


@pytest.mark.book
def test_a_page_that_no_frame_was_drawn_of_begins_when_it_is_loaded(browser, site):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.add_init_script("window.requestAnimationFrame = () => 0")
    page.goto(site + CHAPTER)
    page.wait_for_selector("html[data-begun]")
    context.close()
