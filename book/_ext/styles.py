"""A page brings its own style: one sheet inside it, of the rules that it can use.

The theme and its helpers link sixteen sheets, of which a page uses a seventh, and no
word is drawn before the last of them has come. Here each page gets the rules whose
classes and ids it has or its scripts can give it; the sheets that this book wrote come
whole, since Python running in the page makes elements too. What is printed waits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

import tinycss2

LINK = re.compile(r'[ \t]*<link (?![^>]*media="print")[^>]*rel="stylesheet"[^>]*>\n?')
HREF = re.compile(r'href="([^"?]+)')
ADDRESS = re.compile(r'url\((["\']?)(?!data:|https?:|#)([^)"\'?]+)[^)"\']*\1\)')
IMPORT = re.compile(r'@import "([^"]+)";')
NAMES = re.compile(r'\b(?:class|id)="([^"]*)"')
WORD = re.compile(r"[A-Za-z_][\w-]*")
# Only a template has several lines; so an apostrophe in a comment opens no string.
STRING = re.compile(
    r"""("|')(?P<text>(?:(?!\1)[^\\\n]|\\.)*)\1|`(?P<template>(?:[^\\`]|\\.)*)`""",
    re.S,
)
# A custom property and its value, where no quote or bracket hides another semicolon.
PROPERTY = re.compile(
    r"(?<=[{;])\s*(--[\w-]+)\s*:(?:[^;{}\"'()]|\([^;{}\"'()]*\))*(?:;|(?=\}))"
)
NEW_LINE = re.compile(r"[ \t\r]*\n[ \t\r\n]*")
WRITTEN_HERE = ("course.css", "livecode.css", "figures.css")
GROUPS = ("media", "supports", "layer", "container")
# Scripts that give no element a class of these sheets: the runtime draws nothing, and
# the editor brings a style of its own.
APART = ("pyodide", "editor.mjs")
# Parts of Bootstrap and of the theme that no page has, though their scripts know them.
NOT_BUILT = (
    *("bd-header-announcement", "carousel", "dropdown-menu-dark", "dropend"),
    *("dropstart", "dropup", "list-group", "margin", "modal", "offcanvas", "popover"),
    *("pst-button-link", "sidebar", "sidenote", "toast", "version-switcher"),
)


def split_at_commas(prelude: list[Any]) -> list[list[Any]]:
    """Return the selectors of a rule, each as its tokens."""
    selectors: list[list[Any]] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            selectors.append([])
        else:
            selectors[-1].append(token)
    return selectors


def names_in(selector: list[Any]) -> Iterator[str]:
    """Yield the classes and ids that an element must have, not those in :not()."""
    for before, token in zip([None, *selector], selector, strict=False):
        after_dot = before is not None and before.type == "literal"
        if token.type == "ident" and after_dot and before.value == ".":
            yield token.value
        elif token.type == "hash":
            yield token.value


@dataclass
class Words:
    """The names that a page has or that its scripts can make, whole or by beginning."""

    known: set[str]
    beginnings: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Note what ends in a dash: scripts add the rest."""
        self.beginnings = tuple(sorted(w for w in self.known if w.endswith("-")))

    def have(self, name: str) -> bool:
        """Return whether an element may have this class or id."""
        return name in self.known or name.startswith(self.beginnings)


def words_of_strings(script: str) -> Iterator[str]:
    """Yield the words that a script may give to an element as its class or id."""
    for found in STRING.finditer(script):
        yield from WORD.findall(found["text"] or found["template"] or "")


def usable(sheet: str, words: Words) -> str:
    """Return a style sheet without the rules that no element of a page can meet."""
    options = {"skip_comments": True, "skip_whitespace": True}
    return "".join(_kept(tinycss2.parse_stylesheet(sheet, **options), words))


def _kept(rules: list[Any], words: Words) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [
                tinycss2.serialize(selector).strip()
                for selector in split_at_commas(rule.prelude)
                if all(map(words.have, names_in(selector)))
            ]
            body = tinycss2.serialize(rule.content).strip()
            if selectors and body:
                yield f"{','.join(selectors)}{{{body}}}"
        elif rule.lower_at_keyword in GROUPS and rule.content is not None:
            parts = tinycss2.parse_rule_list(rule.content, True, True)
            if inner := "".join(_kept(parts, words)):
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}"
        else:
            yield rule.serialize()


def moved(sheet: str, place: str, page: str) -> str:
    """Return a sheet whose addresses are right in a page (paths in the book)."""

    def put(match: re.Match[str]) -> str:
        target = normpath(join(dirname(place), match[2]))
        return f'url("{relpath(target, dirname(page) or ".")}")'

    return ADDRESS.sub(put, sheet)


def without_unread(style: str, page: str, scripts: set[str]) -> str:
    """Return a page's style without custom properties that nothing reads."""
    read = set(re.findall(r"var\(\s*(--[\w-]+)", style))
    read |= set(re.findall(r"--[\w-]+", page))
    read |= {f"--{word}" for word in scripts}
    return PROPERTY.sub(lambda match: match[0] if match[1] in read else "", style)


def with_imports(place: str, sheets: dict[str, str]) -> str:
    """Return a sheet in which those that it imports stand."""

    def put(match: re.Match[str]) -> str:
        imported = normpath(join(dirname(place), match[1]))
        return moved(sheets[imported], imported, place)

    return IMPORT.sub(put, sheets[place])


def with_style(text: str, page: str, sheets: dict[str, str], scripts: set[str]) -> str:
    """Return a page whose linked sheets stand in it, in their order.

    Parameters
    ----------
    text, page : str
        The page, and its path in the book.
    sheets : dict of str to str
        All sheets of the book, by path.
    scripts : set of str
        The words in the scripts of the book.
    """
    links = LINK.findall(text)
    if not links:
        return text
    names = {name for found in NAMES.findall(text) for name in found.split()}
    words = Words(names | scripts)
    places = [normpath(join(dirname(page), HREF.findall(link)[0])) for link in links]
    parts = []
    for place in places:
        whole = place.rsplit("/", 1)[-1] in WRITTEN_HERE
        sheet = with_imports(place, sheets)
        sheet = sheet if whole else usable(sheet, words)
        parts.append(moved(sheet, place, page))
    style = NEW_LINE.sub(" ", re.sub(r"/\*.*?\*/", "", "\n".join(parts), flags=re.S))
    style = without_unread(style, text, scripts)
    mark = f'<style data-from="{" ".join(places)}">'  # for who needs them whole
    text = text.replace(links[0], f"{mark}{style}</style>\n", 1)
    for link in links[1:]:
        text = text.replace(link, "", 1)
    return text


def _read(folder: Path, *patterns: str) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for pattern in patterns
        for path in sorted(folder.rglob(pattern))
        if not path.name.startswith(APART)
    }


def _finish(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    sheets = _read(out, "*.css")
    found = _read(out / "_static", "*.js", "*.mjs").values()
    scripts = {
        word
        for text in found
        for word in words_of_strings(text)
        if not word.startswith(NOT_BUILT)
    }
    for page, text in _read(out, "*.html").items():
        styled = with_style(text, page, sheets, scripts)
        (out / page).write_text(styled, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", _finish, priority=950)  # when all sheets are there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
