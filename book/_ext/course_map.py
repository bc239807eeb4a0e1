"""The map of the course: each chapter's question, and what it takes to answer it.

The directive ``course-map`` holds what only an author can say: what a chapter asks, and
which question it leaves to the next. Titles, minutes and exercises are computed, and so
is the sentence that sums them up. A reader's progress is put in by ``web/livecode/
map.mjs``.
"""

from typing import Any

import yaml
from docutils import nodes
from pages import exercises_of, facts, minutes_to_read, read_notebook
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective


def chapters_of(env: Any) -> list[str]:
    """Return the chapters that the book has, in the order of their numbers."""
    return sorted(name for name in env.found_docs if name.startswith("notebooks/"))


def hours(minutes: int) -> str:
    """Return a long time in hours, to the half."""
    return f"{round(minutes / 30) / 2:g} hours"


def summary(reading: list[int], exercises: list[tuple[int, int]]) -> str:
    """Return the size of the course in two sentences."""
    count = sum(number for number, _ in exercises)
    solving = sum(minutes for _, minutes in exercises)
    return (
        f"A chapter takes {min(reading)} to {max(reading)} minutes to read, all "
        f"{len(reading)} together about {hours(sum(reading))}. The {count} exercises "
        f"take about {hours(solving)} more."
    )


def _paragraph(kind: str, *children: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *children, classes=[f"course-{kind}"])


def _link(page: str, source: str) -> addnodes.pending_xref:
    """Return a link to a chapter, which is called what the chapter is called."""
    return addnodes.pending_xref(
        "",
        nodes.inline(),
        refdomain="std",
        reftype="doc",
        refexplicit=False,
        reftarget=f"/{page}",
        refdoc=source,
        refwarn=True,
    )


class CourseMap(SphinxDirective):
    """Every chapter of the book, as a way from question to question."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the summary and one entry per chapter."""
        told = yaml.safe_load("\n".join(self.content))
        pages = chapters_of(self.env)
        slugs = [page.rsplit("/", 1)[-1] for page in pages]
        if list(told) != slugs:
            raise self.error(f"the map names {list(told)}, the book has {slugs}")
        notebooks = [read_notebook(self.env.app, page) for page in pages]
        entries = nodes.enumerated_list(
            classes=["course-map"], enumtype="arabic", prefix="", suffix="."
        )
        entries["start"] = int(slugs[0][2:4])
        for page, slug, notebook in zip(pages, slugs, notebooks, strict=True):
            entries += self._entry(page, notebook, **told[slug])
        reading = [minutes_to_read(notebook) for notebook in notebooks]
        size = summary(reading, [exercises_of(page) for page in pages])
        return [_paragraph("size", nodes.Text(size)), entries]

    def _entry(
        self, page: str, notebook: dict[str, Any], asks: str, leaves: str = ""
    ) -> nodes.list_item:
        number = str(int(page.rsplit("/", 1)[-1][2:4]))
        parts = [nodes.inline("", fact) for fact in facts(page, notebook)]
        entry = nodes.list_item()
        entry += [
            _paragraph("number", nodes.Text(number)),
            _paragraph("question", _link(page, self.env.docname)),
            _paragraph("asks", nodes.Text(asks)),
            _paragraph("facts", *parts),
        ]
        if leaves:
            entry += _paragraph("leaves", nodes.Text(leaves))
        return entry


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.add_directive("course-map", CourseMap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
