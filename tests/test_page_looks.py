"""How the pages look, measured: what "What makes a page good" in CONTRIBUTING holds.

Each test opens a page once and asks the browser for what is wrong, in words.
"""

import io
import statistics

import pytest
from built import opened
from PIL import Image
from test_layout import slugs

from tools.audit._site import GENERATED, toc

pytestmark = pytest.mark.book

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
CHAPTERS = [f"notebooks/{slug}" for slug in slugs()]
MUTED = [CHAPTERS[3], "book/benchmarks"]  # captions, notes, folds; tables

QUIET = (
    ".course-about, figcaption p, .caption-text, .live-note, summary p, .live-button, "
    ".admonition-title, .eqno, thead th"
)
PRINTED = "p, pre, pre span, .admonition-title, figcaption p, th, td"

# What folds stands open while it is measured.
UNFOLD = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const box of document.querySelectorAll(".toggle-hidden"))
    box.classList.remove("toggle-hidden");
}"""

# The full lines of running text: not the last of a paragraph, and without formulas and
# code, whose letters have other widths.
LINES = """() => {
  const middle = (box) => (box.top + box.bottom) / 2;
  const lines = [];
  const running = "article section > p:not(.course-about), article section > ul p";
  for (const paragraph of document.querySelectorAll(running)) {
    const rows = [];
    const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const plain = !node.parentElement.closest("mjx-container, code");
      for (const word of node.data.matchAll(/\\S+/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const box = range.getClientRects()[0];
        if (!box) continue;
        let row = rows.at(-1);
        if (!row || middle(box) - row.y > 12)
          rows.push((row = { y: middle(box), words: [] }));
        row.plain = (row.plain ?? true) && plain;
        row.words.push(word[0]);
      }
    }
    lines.push(...rows.slice(0, -1).filter((row) => row.plain));
  }
  return lines.map((row) => row.words.join(" "));
}"""

SCROLLED_CODE = """() => [...document.querySelectorAll("article .cell_input pre")]
  .filter((code) => code.scrollWidth > code.clientWidth)
  .map((code) => code.textContent.slice(0, 60))"""

# Beyond the edge is only what lies in a box that scrolls; hidden is nothing.
STICKS_OUT = """() => {
  const wrong = [];
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) wrong.push(`the page is ${wide} px wide`);
  const scrolls = (element) => {
    for (let box = element; (box = box.parentElement) !== document.body; )
      if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return true;
    return false;
  };
  for (const element of document.querySelectorAll("article, article *")) {
    const box = element.getBoundingClientRect();
    const apart = element.closest("mjx-container *, .live-speech, .visually-hidden");
    if (apart || !element.checkVisibility() || !box.width) continue;
    const name = `${element.tagName} ${element.textContent.trim().slice(0, 40)}`;
    const out = box.right > innerWidth + 0.5 || box.left < -0.5;
    if (out && !scrolls(element)) wrong.push(`sticks out: ${name}`);
    const hides = ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
    const cut = element.scrollWidth - element.clientWidth;
    if (hides && cut > 1) wrong.push(`cuts ${cut} px: ${name}`);
  }
  return wrong;
}"""

SMALL_PRINT = """() => {
  const wrong = [];
  const check = (selector, smallest, spacing) => {
    for (const element of document.querySelectorAll(selector)) {
      const style = getComputedStyle(element);
      const size = parseFloat(style.fontSize);
      const line = parseFloat(style.lineHeight) / size;
      const name = element.textContent.slice(0, 40);
      if (size < smallest || line < spacing)
        wrong.push(`${size} px, line ${line.toFixed(2)}: ${name}`);
    }
  };
  check("article section > p:not(.course-about), article section > ul p", 16, 1.5);
  check("article pre", 12.5, 1.5);
  return wrong;
}"""

UNDESCRIBED = """() => [
  ...[...document.querySelectorAll("article figure")]
    .filter((figure) => !figure.querySelector("figcaption")?.textContent.trim()),
  ...[...document.querySelectorAll("article img")].filter((img) => !img.alt.trim()),
].map((element) => element.outerHTML.slice(0, 120))"""

# The contrast ratio of WCAG 2, section 1.4.3, against the nearest painted background.
FAINT = """(which) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (colour) => [0.2126, 0.7152, 0.0722]
    .reduce((sum, share, i) => sum + share * linear(colour[i] / 255), 0);
  const behind = (element) => {
    for (let box = element; box; box = box.parentElement) {
      const [r, g, b, opacity = 1] = numbers(getComputedStyle(box).backgroundColor);
      if (opacity === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const seen = [...document.querySelectorAll(`article :is(${which})`)];
  const faint = seen.filter((element) => {
    const [low, high] = [numbers(getComputedStyle(element).color), behind(element)]
      .map(light).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05) < 4.5;
  });
  return [seen.length, faint.map((element) => element.outerHTML.slice(0, 120))];
}"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_line_has_60_to_75_letters_and_code_is_not_cut(browser, site, name):
    with opened(browser, f"{site}{name}.html", viewport=DESKTOP) as (page, _):
        lines = page.evaluate(LINES)
        page.evaluate(UNFOLD)
        assert page.locator("article .cell_input pre").count() > 10
        assert page.evaluate(SCROLLED_CODE) == []
    assert len(lines) > 50
    assert statistics.median(map(len, lines)) >= 60
    assert len(max(lines, key=len)) <= 75, max(lines, key=len)


@pytest.mark.parametrize("name", toc())
def test_a_page_fits_on_a_phone_and_can_be_read_there(browser, site, name):
    with opened(browser, f"{site}{name}.html", viewport=PHONE) as (page, _):
        page.evaluate(UNFOLD)
        assert page.evaluate(STICKS_OUT) == []  # a formula scrolls in its container
        assert page.evaluate(SMALL_PRINT) == []
        assert page.evaluate(UNDESCRIBED) == []


WIDE_FORMULAS = """() => [...document.querySelectorAll("article div.math")]
  .filter((formula) => {
    const box = formula.querySelector("mjx-container");
    return box.scrollWidth > box.clientWidth;
  })
  .map((formula) => formula.id || formula.closest("section").id)"""


@pytest.mark.parametrize("name", toc())
def test_no_displayed_formula_scrolls_on_a_phone(browser, site, name):
    with opened(browser, f"{site}{name}.html", viewport=PHONE) as (page, _):
        page.evaluate(UNFOLD)
        assert page.evaluate(WIDE_FORMULAS) == []


NUMBERS_BELOW = """() => [...document.querySelectorAll("article .eqno")]
  .filter((number) => {
    const formula = number.parentElement.querySelector("mjx-math");
    const { bottom } = formula.getBoundingClientRect();
    return number.getBoundingClientRect().top > bottom;
  })
  .map((number) => number.textContent)"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_number_of_a_formula_stands_beside_it_on_a_phone(browser, site, name):
    with opened(browser, f"{site}{name}.html", viewport=PHONE) as (page, _):
        assert page.locator("article .eqno").count() > 0
        assert page.evaluate(NUMBERS_BELOW) == []


@pytest.mark.parametrize("name", GENERATED)
def test_a_page_that_nobody_wrote_fits_on_a_phone(browser, site, name):
    with opened(browser, f"{site}{name}.html", viewport=PHONE) as (page, _):
        assert page.evaluate(STICKS_OUT) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", MUTED)
def test_quiet_text_is_not_faint(browser, site, name, theme):
    address = f"{site}{name}.html"
    with opened(browser, address, viewport=DESKTOP, color_scheme=theme) as (page, _):
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        seen, faint = page.evaluate(FAINT, QUIET)
    assert seen > 10
    assert faint == []


def test_a_dark_page_is_printed_dark_on_white(browser, site):
    address = f"{site}{CHAPTERS[3]}.html"
    with opened(browser, address, viewport=DESKTOP, color_scheme="dark") as (page, _):
        page.emulate_media(media="print")
        seen, faint = page.evaluate(FAINT, PRINTED)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert seen > 1000
    assert faint == []


# What follows a formula and stands to the left of its end is on the next line.
TORN_OFF = r"""() => {
  const torn = (formula) => {
    const after = formula.nextSibling;
    if (!/^[.,;:!?)]/.test(after?.data ?? "")) return false;
    const range = document.createRange();
    range.setStart(after, 0);
    range.setEnd(after, 1);
    const mark = range.getBoundingClientRect();
    return mark.width && mark.left < formula.getBoundingClientRect().right - 3;
  };
  const formulas = [...document.querySelectorAll("article span.math")];
  return formulas.filter(torn).map((formula) => formula.closest("p")?.textContent);
}"""


@pytest.mark.parametrize("name", [CHAPTERS[3], CHAPTERS[6]])
def test_no_line_begins_with_the_comma_of_a_formula(browser, site, name):
    with opened(browser, f"{site}{name}.html", viewport=PHONE) as (page, _):
        assert page.evaluate(TORN_OFF) == []


def ground_and_ink(picture):
    """Return a picture's corner, and the mean of its colours, as the page shows it."""
    shot = Image.open(io.BytesIO(picture.screenshot())).convert("RGB")
    return shot.getpixel((1, 1)), shot.resize((1, 1)).getpixel((0, 0))


@pytest.mark.parametrize(
    ("theme", "media", "ground"),
    [
        ("light", "screen", (255, 255, 255)),
        ("dark", "screen", (20, 24, 30)),  # the page's own
        ("dark", "print", (255, 255, 255)),
    ],
)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_picture_has_the_ground_of_its_page(
    browser, site, size, theme, media, ground
):
    address = f"{site}{CHAPTERS[2]}.html#main-content"
    with opened(browser, address, viewport=size, color_scheme=theme) as (page, _):
        page.emulate_media(media=media, color_scheme=theme)
        picture = page.locator("#fig-ch02-geometry img")
        picture.scroll_into_view_if_needed()
        page.wait_for_function(
            "document.querySelector('#fig-ch02-geometry img').complete"
        )
        corner, mean = ground_and_ink(picture)
    assert corner == ground
    assert (sum(mean) > sum(corner)) == (ground != (255, 255, 255))  # ink is seen on it
