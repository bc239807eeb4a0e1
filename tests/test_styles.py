"""A page's own style keeps each rule that an element can meet, and no other."""

import re

import pytest
from built import HTML, extension

pytest.importorskip("tinycss2")


@pytest.fixture(scope="module")
def styles():
    return extension("styles")


def usable(styles, sheet, *names):
    return styles.usable(sheet, styles.Words(set(names)))


@pytest.mark.parametrize(
    "rule",
    [
        "p{color:red}",
        ".box{color:red}",
        "#top{color:red}",
        "div.box>p:first-child{color:red}",
        ".box:not(.closed){color:red}",  # holds where the class is missing
        "[data-theme=dark] .box{color:red}",
        ":root{--ink:black}",
        "@font-face{font-family:Icons;src:url(icons.woff)}",
        "@keyframes turn{to{rotate:360deg}}",
        ".tip-left{color:red}",  # a script makes it of "tip-" and a side
    ],
)
def test_a_rule_that_may_be_met_stays(styles, rule):
    assert usable(styles, rule, "box", "top", "tip-") == rule


@pytest.mark.parametrize(
    "rule",
    [
        ".carousel{color:red}",
        "#carousel{color:red}",
        ".box .carousel{color:red}",
        ".box.carousel:hover{color:red}",
        ".carousel:not(.box){color:red}",
        "@media print{.carousel{color:red}}",
        ".box{}",
    ],
)
def test_a_rule_that_nothing_meets_goes(styles, rule):
    assert usable(styles, rule, "box", "tip-") == ""


def test_of_several_selectors_those_stay_that_may_be_met(styles):
    sheet = "@media (width>9px){.a,.b:is(.c,.d),.e{margin:0}.e{top:0}}/* x */"
    kept = "@media (width>9px){.a,.b:is(.c,.d){margin:0}}"
    assert usable(styles, sheet, "a", "b") == kept


def test_a_script_makes_what_its_strings_say_and_not_what_it_calls_things(styles):
    script = (
        """const modal = "shown card-"; el.className = `open ${modal}`; f('it\\'s')"""
    )
    words = set(styles.words_of_strings(script))
    assert {"shown", "card-", "open"} <= words
    assert "const" not in words
    assert "className" not in words


def test_an_apostrophe_in_a_comment_begins_no_string(styles):
    script = "// the reader's page\nel.className = 'shown';\nf(`two\nlines`, 'open');"
    assert set(styles.words_of_strings(script)) == {"shown", "two", "lines", "open"}


def test_a_property_that_nothing_reads_goes(styles):
    style = (
        ":root{--ink:black; --gone:rgba(0, 0, 0, .5);--by-page:1px;--by-script:2px;"
        '--kept-in-doubt:url("data:a;b");--last:var(--ink)}p{color:var( --last )}'
    )
    got = styles.without_unread(style, 'style="left:var(--by-page)"', {"by-script"})
    assert got == style.replace(" --gone:rgba(0, 0, 0, .5);", "")


def test_addresses_are_those_of_the_page(styles):
    sheet = 'a{b:url("../fonts/x.woff?v=3")}c{d:url(data:abc)}e{f:url(#g)}'
    moved = styles.moved(sheet, "_static/styles/theme.css", "notebooks/ch01.html")
    assert moved == (
        'a{b:url("../_static/fonts/x.woff")}c{d:url(data:abc)}e{f:url(#g)}'
    )
    moved = styles.moved("a{b:url(x.woff)}", "_static/icons.css", "search.html")
    assert moved == 'a{b:url("_static/x.woff")}'


def test_a_page_gets_its_sheets_in_their_order(styles):
    sheets = {
        "_static/theme/main.css": '@import "../basic.css";\n\n.gone{top:0} p{top:2px}',
        "_static/basic.css": "/* a\nnote */ p{top:1px}\n.box::after{content:'  '}",
        "_static/course.css": ".made-by-python{top:3px}",
    }
    text = """<head><title>x</title>
  <link href="../_static/theme/main.css" rel="stylesheet" />
  <link rel="stylesheet" type="text/css" href="../_static/course.css?v=1" />
  <link media="print" rel="stylesheet" href="../_static/print.css" />
</head><body><p class="other box"></p></body>"""
    got = styles.with_style(text, "notebooks/ch01.html", sheets, set())
    style = got[got.index("<style") : got.index("</style>")]
    assert style == (
        '<style data-from="_static/theme/main.css _static/course.css">'
        'p{top:1px}.box::after{content:"  "}p{top:2px} .made-by-python{top:3px}'
    )
    assert got.count("<link") == 1
    assert '<link media="print"' in got


def test_a_page_without_sheets_stays_as_it_is(styles):
    text = "<head><style>p{top:0}</style></head>"
    assert styles.with_style(text, "404.html", {}, set()) == text


@pytest.mark.book
@pytest.mark.parametrize("page", ["book/index", "notebooks/ch05_multi_head"])
def test_a_page_has_no_style_of_what_the_theme_does_not_build_here(styles, page):
    text = (HTML / f"{page}.html").read_text(encoding="utf-8")
    style = re.search(r"<style data-from[^>]*>(.*?)</style>", text, re.S)[1]
    elsewhere = text.replace(style, "")
    for part in re.findall(r"[.#]([A-Za-z][\w-]*)", style):
        assert part in elsewhere or not part.startswith(styles.NOT_BUILT), part
