"""The built book in headless Chromium, with every other host out of reach."""

from urllib.parse import quote

import pytest
from built import HTML, opened
from test_layout import slugs
from test_pages_offline import RAW_TEX

from tools.audit._site import GENERATED, toc

ROLES = {
    "query": ("#1747B5", "rgb(23, 71, 181)", "rgb(125, 179, 255)"),
    "key": ("#C8500A", "rgb(200, 80, 10)", "rgb(255, 166, 87)"),
    "value": ("#008577", "rgb(0, 133, 119)", "rgb(69, 214, 184)"),
}

pytestmark = pytest.mark.book


def raw_formulas(page):
    """Return the text of what should have been set as a formula and was not."""
    texts, unset = page.evaluate("""() => {
      const article = document.querySelector("article") ?? document.body;
      const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode()) {
        const inCode = walker.currentNode.parentElement.closest("pre, code, script");
        if (!inCode) texts.push(walker.currentNode.textContent);
      }
      const unset = [...article.querySelectorAll("mjx-merror")];
      for (const math of article.querySelectorAll(".math")) {
        const box = math.querySelector("mjx-container");
        const shown = math.checkVisibility();
        if (!box || (shown && box.getBoundingClientRect().width < 2)) unset.push(math);
      }
      return [texts, unset.map((element) => element.textContent)];
    }""")
    return [text for text in texts if RAW_TEX.search(text)] + unset


def scroll_through(page):
    """Bring each part of a page into view, and wait for what loads only then."""
    page.evaluate("""async () => {
      for (let y = 0; y < document.body.scrollHeight; y += innerHeight) {
        scrollTo(0, y);
        await new Promise(requestAnimationFrame);
      }
    }""")
    page.wait_for_load_state("networkidle")


def broken_pictures(page):
    """Return the addresses of pictures that the browser cannot show."""
    return page.evaluate("""async () => {
      const images = [...document.querySelectorAll("img")];
      for (const image of images) image.loading = "eager";
      await Promise.all(images.map((image) => image.decode().catch(() => {})));
      const bad = images.filter((image) => !image.naturalWidth);
      return bad.map((image) => image.src);
    }""")


@pytest.mark.parametrize("name", [*toc(), *GENERATED])
def test_a_page_loads_alone_and_whole(browser, site, name):
    with opened(browser, f"{site}{name}.html") as (page, wrong):
        scroll_through(page)
        assert raw_formulas(page) == []
        assert broken_pictures(page) == []
        assert wrong == []


def test_a_formula_is_drawn_in_its_own_font(browser, site):
    with opened(browser, f"{site}notebooks/ch01_softmax.html") as (page, _):
        loaded = page.evaluate("""async () => {
          await document.fonts.ready;
          return [...document.fonts].filter((f) => f.status === "loaded")
            .map((f) => f.family.replaceAll('"', ""));
        }""")
        assert {"MJXTEX", "MJXTEX-I", "Font Awesome 6 Free"} <= set(loaded)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_formulas_have_the_colours_of_the_roles(browser, site, theme):
    address = f"{site}notebooks/ch03_matrix_form.html"
    with opened(browser, address, color_scheme=theme) as (page, _):
        for role, (name, light, dark) in ROLES.items():
            part = page.locator(f'mjx-mstyle[style*="{name}" i]').first
            colour = part.evaluate("e => getComputedStyle(e).color")
            assert colour == (light if theme == "light" else dark), role


@pytest.mark.parametrize("name", ["book/index", slugs()[3]])
def test_a_page_can_be_read_from_a_disk(browser, name):
    name = name if "/" in name else f"notebooks/{name}"
    with opened(browser, (HTML / f"{name}.html").as_uri()) as (page, wrong):
        assert [w for w in wrong if "another host" in w] == []
        assert raw_formulas(page) == []
        assert len(page.locator("article").inner_text().split()) > 100


def test_a_page_can_be_read_without_scripts(browser, site):
    address = f"{site}notebooks/ch01_softmax.html"
    with opened(browser, address, java_script_enabled=False) as (page, wrong):
        assert wrong == []
        assert page.locator("article mjx-container").count() > 20
        assert page.locator("article h1").is_visible()


def test_the_first_page_leads_to_the_book(browser, site):
    with opened(browser, f"{site}index.html") as (page, wrong):
        page.wait_for_url("**/book/index.html")
        assert wrong == []


def test_the_theme_switch_and_the_search_box_work(browser, site):
    with opened(browser, f"{site}book/index.html") as (page, wrong):
        before = page.evaluate("document.documentElement.dataset.mode")
        page.locator(".theme-switch-button").first.click()
        assert page.evaluate("document.documentElement.dataset.mode") != before
        page.keyboard.press("Control+k")
        page.locator(".search-button__wrapper.show #search-input").fill("softmax")
        page.keyboard.press("Enter")
        page.wait_for_selector("#search-results li a")
        assert wrong == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sliding_window_mask", "book/api.html#attention_course.sliding_window_mask"),
        ("MultiHeadAttention", "book/api.html#attention_course.layers.Multi"),
        ("sqrt d_k", f"notebooks/{slugs()[2]}.html"),  # words of a formula only
        ("omega cos sin", f"notebooks/{slugs()[6]}.html"),
    ],
)
def test_the_search_finds_names_and_the_words_of_formulas(browser, site, words, found):
    with opened(browser, f"{site}search.html?q={quote(words)}") as (page, wrong):
        page.locator(f'#search-results li a[href*="{found}"]').first.wait_for()
        assert wrong == []


def test_what_the_search_shows_of_a_page_begins_and_ends_between_words(browser, site):
    with opened(browser, f"{site}search.html?q=temperature") as (page, _):
        page.locator("#search-results li .context").nth(3).wait_for()
        shown = page.locator("#search-results li .context").all_inner_texts()
        whole = page.locator("#search-results li a").first.evaluate(
            """async (link) => {
              const answer = await fetch(link.href.split("#")[0]);
              const page = new DOMParser()
                .parseFromString(await answer.text(), "text/html");
              return page.body.textContent;
            }"""
        )
    words = set(whole.split())
    begun = [text for text in shown if text.startswith("… ")]
    assert begun
    assert not any("..." in text for text in shown)
    assert {begun[0].split()[1], begun[0].split()[-2]} <= words


def test_the_contents_of_the_api_show_which_function_is_read(browser, site):
    name = "scaled_dot_product_scores"
    address = f"{site}book/api.html#attention_course.{name}"
    with opened(browser, address) as (page, wrong):
        entry = page.locator(".bd-sidebar-secondary a.active", has_text=f"{name}()")
        entry.wait_for()
        assert wrong == []


# A rule that an element meets now, pseudo-elements and states aside, must be there.
MISSING_RULES = r"""async () => {
  const inside = (rule) => rule.cssRules ?? rule.styleSheet?.cssRules ?? [];
  const names = (rule) => rule.style?.length ? rule.selectorText?.split(/,\s*/) : [];
  const selectors = (rules) => [...rules].flatMap(
    (rule) => [...(names(rule) ?? []), ...selectors(inside(rule))]);
  const state = /::?(before|after|hover|focus[a-z-]*|active|marker)/g;
  const met = (selector) => CSS.supports(`selector(${selector})`)
    && document.querySelector(selector);
  const own = document.querySelector("style[data-from]");
  const there = new Set(selectors(own.sheet.cssRules));
  const missing = [];
  for (const place of own.dataset.from.split(" ")) {
    const href = new URL(place, new URL("../", location));
    const link = document.createElement("link");
    Object.assign(link, {rel: "stylesheet", href});
    document.head.append(link);
    await new Promise((done) => { link.onload = done; });
    for (const selector of selectors(link.sheet.cssRules)) {
      if (met(selector.replace(state, "") || "*") && !there.has(selector)) {
        missing.push(selector);
      }
    }
  }
  return missing;
}"""


@pytest.mark.parametrize("name", ["book/index", "book/api", f"notebooks/{slugs()[5]}"])
def test_a_page_has_every_rule_of_the_sheets_that_an_element_meets(browser, site, name):
    with opened(browser, f"{site}{name}.html") as (page, _):
        assert page.evaluate(MISSING_RULES) == []


@pytest.mark.parametrize("width", [320, 1280])  # some are too wide for 320 pixels
def test_a_formula_takes_the_focus_only_where_it_scrolls(browser, site, width):
    address = f"{site}notebooks/ch06_position_encoding.html"
    viewport = {"width": width, "height": 800}
    with opened(browser, address, viewport=viewport) as (page, wrong):
        marked, moved = page.evaluate("""() => {
          const all = [...document.querySelectorAll("article mjx-container")];
          const moves = (box) => {
            box.scrollLeft = 9;
            return box.scrollLeft > 1; // a pixel is a matter of rounding
          };
          return [all.map((box) => box.tabIndex === 0), all.map(moves)];
        }""")
        assert marked == moved
        assert sum(marked) < 10
        assert any(marked) == (width == 320)
        assert wrong == []
