"""Where lines may break in running text, and which words are Chinese.

Short code stays whole. A long name breaks after a dot or an underscore, before it
breaks anywhere; a shorter one does so only in a table's column. "Chapter 3" and
"20 minutes" do not break. Browsers and screen readers choose fonts and voices by
language.
"""

import re
from html import unescape
from typing import Any

CODE = re.compile(r'<code class="([^"]*\bliteral\b[^"]*)">(.*?)</code>', re.DOTALL)
PART = re.compile(r'(?<=<span class="pre">)[^<]*')
JOINT = re.compile(r"(?<=[A-Za-z0-9][._])(?=[A-Za-z])")
TAG = re.compile(r"<[^>]*>")
BETWEEN_TAGS = re.compile(r"(?<=>)[^<>]*[\u4e00-\u9fff][^<>]*(?=<)")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")
CODE_OR_NOT = re.compile(r"(<(?P<tag>pre|code|script)\b.*?</(?P=tag)>)", re.DOTALL)
NUMBERED = re.compile(
    r"\b(chapter|section|figure|note|place|width|step|head|python) (?=\d)",
    re.IGNORECASE,
)
UNIT = re.compile(
    r"(?<=\d) (?=(?:minutes?|hours?|percent|[kM]B|M|Mbit/s|ms|s)\b)"
    r"|(?<=\w) (?=(?:<em>)?et al\.)|(?<=\bet) (?=al\.)|(?<=\(\d\)) (?=\w)"
)
MODEL = re.compile(r"(?<=\bGPT-)(?=\d)")
SHORT = 24  # letters: half a line on a phone
NARROW = 11  # letters: a column of a table there


def _of_word(match: re.Match[str]) -> str:
    """Return a word of code that may break, some only in a table's column."""
    letters = len(unescape(match[0]))
    if letters <= NARROW:
        return match[0]
    mark = "<wbr>" if letters > SHORT else '<wbr class="course-column">'
    return JOINT.sub(mark, match[0])


def _of_code(match: re.Match[str]) -> str:
    classes, inside = match.groups()
    letters = len(unescape(TAG.sub("", inside)))
    if letters <= SHORT:
        classes += " course-short"
    if letters <= NARROW:
        classes += " course-narrow"
    return f'<code class="{classes}">{PART.sub(_of_word, inside)}</code>'


def with_breaks(body: str) -> str:
    """Return a page's HTML that says where its code may break."""
    return CODE.sub(_of_code, body)


def with_ties(body: str) -> str:
    """Return a page's HTML where "chapter 3" does not break; code is left."""
    pieces, end = [], 0
    for code in CODE_OR_NOT.finditer(body):
        pieces += [_tied(body[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*pieces, _tied(body[end:])])


def _tied(text: str) -> str:
    tied = NUMBERED.sub("\\1\N{NO-BREAK SPACE}", text)
    tied = UNIT.sub("\N{NO-BREAK SPACE}", tied)
    return MODEL.sub("\N{WORD JOINER}", tied)


def with_languages(body: str) -> str:
    """Return a page's HTML that says which of its words are Chinese."""

    def mark(text: re.Match[str]) -> str:
        return CHINESE.sub(r'<span lang="zh-Hans">\g<0></span>', text[0])

    return BETWEEN_TAGS.sub(mark, body)


def _set(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    if "body" in context:
        context["body"] = with_languages(with_ties(with_breaks(context["body"])))


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", _set, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
