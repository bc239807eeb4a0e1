"""What the page of the API adds to the docstrings: links, and contents that follow.

A docstring names its chapter by the file, which is what a reader of the code looks for.
"""

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes

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


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", _link, priority=400)
    app.connect("doctree-read", _put_plain_ids_first, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
