"""Finding things: links and contents of the page of the API, the index, the search.

A docstring names its chapter by the file, which is what a reader of the code looks for.
"""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

CHAPTER = re.compile(r"Chapter: ``(ch(\d\d)_\w+)``")


def with_links(line: str) -> str:
    """Return a line of a docstring in which a chapter is a link."""

    def put(match: re.Match[str]) -> str:
        return f"Explained in :doc:`chapter {int(match[2])} </notebooks/{match[1]}>`"

    return CHAPTER.sub(put, line)


def _link(
    app: Any, what: str, name: str, subject: Any, options: Any, lines: list[str]
) -> None:
    lines[:] = map(with_links, lines)


def _put_plain_ids_first(app: Any, doctree: nodes.document) -> None:
    """Give each entry of the contents a first id that the theme can find.

    To mark what is being read, it takes ids for selectors, where a dot begins a class.
    The id with dots stays: it is the one that references use.
    """
    for kind in (nodes.section, addnodes.desc_signature):
        for node in doctree.findall(kind):
            ids = node["ids"]
            if ids and "." in ids[0]:
                ids.insert(0, ids[0].replace(".", "-"))


class TermsInIndex(SphinxTransform):
    """List a term of the glossary under its English name: "key, 键", not "(键)".

    The index puts what stands in parentheses below another entry of the same name.
    """

    default_priority = 800  # the index is collected at 850

    def apply(self, **kwargs: Any) -> None:
        """Rewrite the entries of all terms."""
        for term in self.document.findall(nodes.term):
            for index in term.findall(addnodes.index):
                index["entries"] = [
                    (kind, text.replace(" (", ", ").replace(")", ""), *rest)
                    for kind, text, *rest in index["entries"]
                ]


def _add_script(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    if page == "search":
        app.add_js_file("searching.js", defer="defer")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", _link, priority=400)
    app.connect("doctree-read", _put_plain_ids_first, priority=400)
    app.add_transform(TermsInIndex)
    app.connect("html-page-context", _add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
