"""Where lines of running text break, and which of its words are Chinese."""

import pytest
from built import extension, opened
from test_layout import slugs

typography = extension("typography")
with_breaks = typography.with_breaks
OPEN = "document.querySelectorAll('details').forEach((box) => (box.open = true))"
LITERAL = "docutils literal notranslate"


def code(*words, classes=LITERAL):
    inside = " ".join(f'<span class="pre">{word}</span>' for word in words)
    return f'<code class="{classes}">{inside}</code>'


def test_what_is_short_is_marked_and_not_broken():
    assert with_breaks(code("(n_q,", "d_k)")) == code(
        "(n_q,", "d_k)", classes=f"{LITERAL} course-short course-narrow"
    )
    assert "course-narrow" not in with_breaks(code("(n_q,", "d_key)"))
    assert "course-short" in with_breaks(code("&lt;" * 24))  # 24 letters, 96 to write
    assert "course-short" not in with_breaks(code("a" * 25))


def test_what_is_short_may_break_in_a_column_of_a_table():
    assert "<wbr>" not in with_breaks(code("num_heads,", "d_k"))
    column = '<wbr class="course-column">'
    assert f"need_{column}weights" in with_breaks(code("need_weights"))
    assert "course" not in with_breaks(code("average_attention_weights"))


def test_a_long_name_may_break_after_its_dots_and_underscores():
    assert with_breaks(code("torch.nn.MultiheadAttention")) == code(
        "torch.<wbr>nn.<wbr>MultiheadAttention"
    )
    assert with_breaks(code("scaled_dot_product_of(0.25,", "a_name)")) == code(
        "scaled_<wbr>dot_<wbr>product_<wbr>of(0.25,", "a_name)"
    )


def test_other_code_is_left():
    for text in ("<pre>torch.nn.functional.softmax(x)</pre>", "<code>a.b</code>"):
        assert with_breaks(text) == text


def test_a_number_stays_with_the_word_before_it():
    page = "<p>Chapter 3, <code>width 2</code>, figure 12</p><pre>step 1</pre>a head 2"
    assert typography.with_ties(page).replace("\N{NO-BREAK SPACE}", "~") == (
        "<p>Chapter~3, <code>width 2</code>, figure~12</p><pre>step 1</pre>a head~2"
    )


def test_a_number_stays_with_its_unit_and_et_with_al():
    page = "<p>6 exercises, 20 minutes; 0.3 percent (Ba et al. 2016) of 2 minuets</p>"
    page += "<p>at 1.6 Mbit/s 5 s, 12 kB; 2 sums [He <em>et al.</em>, 2016]</p>"
    assert typography.with_ties(page).replace("\N{NO-BREAK SPACE}", "~") == (
        "<p>6 exercises, 20~minutes; 0.3~percent (Ba~et~al. 2016) of 2 minuets</p>"
        "<p>at 1.6~Mbit/s 5~s, 12~kB; 2 sums [He~<em>et~al.</em>, 2016]</p>"
    )


def test_a_point_stays_with_its_number_and_a_model_with_its_own():
    page = "<p>(1) GPT-2, (12 words), GPT-like</p><code>(1) GPT-2</code>"
    ties = str.maketrans({"\N{NO-BREAK SPACE}": "~", "\N{WORD JOINER}": "+"})
    assert typography.with_ties(page).translate(ties) == (
        "<p>(1)~GPT-+2, (12 words), GPT-like</p><code>(1) GPT-2</code>"
    )


def test_chinese_words_say_so_and_attributes_are_left():
    page = '<dt title="查询">query (查询, 键)</dt>'
    assert typography.with_languages(page) == (
        '<dt title="查询">query (<span lang="zh-Hans">查询</span>, '
        '<span lang="zh-Hans">键</span>)</dt>'
    )


@pytest.mark.book
@pytest.mark.parametrize(
    ("place", "short"),
    [
        (f"notebooks/{slugs()[3]}", ":is(p, li):not(td *) code.course-short"),
        ("book/exercises", "td code.course-narrow"),
    ],
)
def test_short_code_stays_on_one_line_on_a_phone(browser, site, place, short):
    address = f"{site}{place}.html#main-content"
    phone = {"width": 390, "height": 844}
    with opened(browser, address, viewport=phone) as (page, _):
        page.evaluate(OPEN)
        found = page.locator(f"article {short}")
        lines = found.evaluate_all("all => all.map((c) => c.getClientRects().length)")
    assert lines.count(1) > 50
    assert set(lines) <= {0, 1}  # 0: in a box that is folded
