"""Formulas of running text have the colours of their roles, as displayed ones do."""

import pytest
from built import extension
from docutils import nodes, utils

from attention_course.plots._style import PALETTE

formulas = extension("formulas")


def coloured(role, text):
    return rf"{{\textcolor{{{PALETTE[role]}}}{{{text}}}}}"


QUERY, KEY, VALUE = (
    coloured(role, letter)
    for role, letter in (("query", "Q"), ("key", "K"), ("value", "V"))
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Q", QUERY),
        ("XW_K = 0", f"X{coloured('key', 'W_K')} = 0"),
        (r"QK^\top V", rf"{QUERY}{KEY}^\top {VALUE}"),
        (r"\bar Q", rf"\bar {QUERY}"),
        (r"\overline{W_V}", rf"\overline{{{coloured('value', 'W_V')}}}"),
        (r"W_Q^{(i)}", coloured("query", "W_Q^{(i)}")),
        (r"W_K^{(i)\top}", coloured("key", r"W_K^{(i)\top}")),
    ],
)
def test_matrices_of_queries_keys_and_values_are_coloured(text, wanted):
    assert formulas.in_roles_colours(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        r"\operatorname{Query}",
        r"\text{Keys}",
        "W_{QK}",
        r"\Vert q \Vert",
        "q k v",
        r"A\textcolor{#008577}{V} K",
    ],
)
def test_words_commands_indices_and_what_is_coloured_are_left(text):
    assert formulas.in_roles_colours(text) == text


def test_the_comma_after_a_formula_is_kept_with_it_though_another_stands_before():
    document = utils.new_document("page")
    parts = [nodes.literal("", "f(x)"), nodes.Text(", "), nodes.math("", "y")]
    document += nodes.paragraph("", "", *parts, nodes.Text(", "), nodes.Text("end"))
    formulas._keep_together(None, document, "page")
    assert document.astext() == "f(x), y, end"
    (kept,) = document.findall(nodes.inline)
    assert kept.astext() == "y,"


@pytest.mark.parametrize("kind", [nodes.math, nodes.math_block])
def test_a_shape_of_one_size_has_no_room_after_its_comma(kind):
    assert formulas.formula_of(kind("", "(d_k,)"))[0] == "(d_k{,})"
