"""Figures to touch, in headless Chromium: each answers to keys and to dragging."""

import pytest
from built import extension, opened

FIGURES = {name: one.chapter for name, one in extension("figures").FIGURES.items()}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}

pytestmark = pytest.mark.book


def alive(page, name):
    """Bring a figure into view, and return it once it answers."""
    figure = page.locator(f'[data-figure="{name}"]')
    figure.evaluate("""figure => {
      const boxes = [...document.querySelectorAll("details")];
      for (const box of boxes.filter((one) => one.contains(figure))) box.open = true;
      figure.scrollIntoView({block: "center", behavior: "instant"});
    }""")
    page.locator(f'[data-figure="{name}"].ac-alive').wait_for()
    return figure


def looks(figure):
    """Return what a figure shows and what it says."""
    picture = figure.locator(".ac-stage svg").evaluate("svg => svg.innerHTML")
    return picture, figure.locator(".ac-words").inner_text()


@pytest.mark.parametrize(("name", "slug"), FIGURES.items())
def test_every_control_of_a_figure_answers_to_keys(browser, site, name, slug):
    with opened(browser, f"{site}notebooks/{slug}.html") as (page, wrong):
        figure = alive(page, name)
        first = looks(figure)
        controls = figure.locator("input:enabled").all()
        assert controls
        for control in controls:
            figure.get_by_role("button", name="Start again").click()
            kind = control.get_attribute("type")
            before = control.evaluate("c => c.type === 'range' ? c.value : c.checked")
            control.focus()
            at_end = before == control.get_attribute("max")
            page.keyboard.press(
                ("ArrowLeft" if at_end else "ArrowRight")
                if kind == "range"
                else "Space"
            )
            assert looks(figure) != first or (kind == "radio" and before), control
        figure.get_by_role("button", name="Start again").click()
        assert looks(figure) == first
        assert wrong == []


def test_a_query_is_turned_by_keys_and_by_dragging(browser, site):
    with opened(browser, f"{site}notebooks/{FIGURES['query']}.html", **PHONE) as (
        page,
        wrong,
    ):
        figure = alive(page, "query")
        first, handle = looks(figure), figure.locator(".ac-handle")
        handle.focus()
        page.keyboard.press("ArrowUp")
        turned = looks(figure)
        assert turned != first
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 40, y + 30)
        page.mouse.up()
        assert looks(figure) not in (first, turned)
        assert min(box["width"], box["height"]) >= 40, "a finger must hit it"
        assert wrong == []


@pytest.mark.parametrize(("name", "slug"), FIGURES.items())
def test_a_figure_fits_a_phone_and_says_what_it_shows(browser, site, name, slug):
    with opened(browser, f"{site}notebooks/{slug}.html", **PHONE) as (page, _):
        figure = alive(page, name)
        box = figure.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["viewport"]["width"]
        assert figure.evaluate("figure => figure.scrollWidth <= figure.clientWidth")
        for control in figure.locator("input, button:not(.ac-handle)").all():
            height = control.evaluate("c => (c.closest('label') ?? c).offsetHeight")
            assert height >= 24  # WCAG 2.2, success criterion 2.5.8
        assert len(figure.locator(".ac-words").inner_text().split()) > 5
        assert figure.locator("svg[role=img]").get_attribute("aria-label")


def test_nothing_is_fetched_for_a_figure_that_is_far_away(browser, site):
    asked = []
    with opened(browser, f"{site}book/index.html") as (page, _):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site}notebooks/{FIGURES['softmax']}.html")
        page.wait_for_load_state("networkidle")
        assert [url for url in asked if url.endswith(("/live.mjs", "/kit.mjs"))] == []
        alive(page, "softmax")
        assert any(url.endswith("/softmax.mjs") for url in asked)


def test_without_scripts_a_figure_is_a_picture_with_its_words(browser, site):
    address = f"{site}notebooks/{FIGURES['softmax']}.html"
    with opened(browser, address, java_script_enabled=False) as (page, _):
        figure = page.locator('[data-figure="softmax"]')
        assert figure.locator("svg").bounding_box()["height"] > 100
        assert "0.659, 0.242, 0.099" in figure.locator(".ac-words").inner_text()
        assert figure.locator("input").count() == 0
