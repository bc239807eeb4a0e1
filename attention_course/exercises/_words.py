"""Formulas and code in running words: plain in a terminal, set elsewhere.

The texts of exercises are written as a terminal shows them: p_i, e^(s+c), np.exp(s),
*this* one. A panel sets them as HTML, the book as Markdown.
"""

import re
from collections.abc import Callable
from html import escape

_CALL = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"  # parentheses, up to three deep
_MARKS = re.compile(
    r"`(?P<ticked>[^`]+)`"
    r"|(?P<code>"
    rf"\b(?:np|torch|F|math)\.\w+(?:\.\w+|{_CALL})*"  # np.exp(1000.0)
    rf"|\b[A-Za-z]{{2,}}\w*_\w+(?:={_CALL}|=\w+|{_CALL})?"  # num_heads, is_causal=True
    r"|\bw_[a-z]{2,}"  # w_query is an argument, W_Q the matrix
    r")"
    r"|(?<!\w)\*(?P<stressed>\w[^*]*)\*(?!\w)"  # *this* one
    r"|(?<![\w.])(?P<letter>[A-Za-z])_(?P<index>[A-Za-z]+|\d+)(?![^\Wᵀ])"
    r"(?P<value> [=<>] [-−]?\d+(?:\.\d+)?)?"  # d_k, h_12, d_k = 64
    r"|(?P<base>\b(?:[A-Za-z]+|[\d.]+))?"
    r"\^(?:\((?P<group>[^()]*)\)|(?P<power>[-−+]?\w+(?:\.\d+)?))"  # e^s, 2^53, e^(s+c)
)


def as_html(text: str) -> str:
    """Return a text as HTML."""
    return _with(text, escape, _html_mark)


def as_markdown(text: str) -> str:
    """Return a text as Markdown with formulas in TeX."""
    return _with(text, str, _markdown_mark)


def _with(
    text: str, words: Callable[[str], str], mark: Callable[[re.Match[str]], str]
) -> str:
    parts, end = [], 0
    for match in _MARKS.finditer(text):
        parts += [words(_minus(text[end : match.start()])), mark(match)]
        end = match.end()
    return "".join([*parts, words(_minus(text[end:]))])


def _minus(text: str) -> str:
    return text.replace(" - ", " − ")


def _html_mark(match: re.Match[str]) -> str:
    code = match["ticked"] or match["code"]
    if code:
        return f"<code>{escape(code)}</code>"
    if match["stressed"]:
        return f"<em>{escape(match['stressed'])}</em>"
    if match["letter"]:
        value = escape(match["value"] or "").replace(" ", "\N{NO-BREAK SPACE}")
        index = _html_letters(match["index"])
        return f"<i>{match['letter']}</i><sub>{index}</sub>{value}"
    exponent = _with(_exponent(match).replace("-", "−"), _html_letters, _html_mark)
    return f"{_html_letters(match['base'] or '')}<sup>{exponent}</sup>"


def _html_letters(text: str) -> str:
    """Return a piece of a formula: a letter is slanted, a longer name is not."""
    return re.sub(r"\b[A-Za-z]\b", r"<i>\g<0></i>", escape(text))


def _exponent(match: re.Match[str]) -> str:
    return match["power"] if match["group"] is None else match["group"]


def _markdown_mark(match: re.Match[str]) -> str:
    code = match["ticked"] or match["code"]
    if match["stressed"]:
        return match[0]
    return f"`{code}`" if code else f"${_tex(match)}$"


def _tex(match: re.Match[str]) -> str:
    if match["letter"]:
        index = (
            match["index"] if len(match["index"]) == 1 else _tex_word(match["index"])
        )
        return f"{match['letter']}_{index}{match['value'] or ''}"
    inside = _with(_exponent(match).replace("−", "-"), _tex_words, _tex)
    return f"{_tex_word(match['base'] or '')}^{{{inside}}}"


def _tex_words(text: str) -> str:
    return re.sub(r"[A-Za-z]{2,}", lambda name: _tex_word(name[0]), text)


def _tex_word(word: str) -> str:
    """Return a name of one letter or a number as it is, a longer name upright."""
    return (
        rf"{{\text{{{word}}}}}" if word.isalpha() and len(word) > 1 else f"{{{word}}}"
    )
