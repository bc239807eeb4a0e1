"""The bibliography's entries are called what the text calls them: by author and year.

The styles that come with pybtex number the entries or abbreviate the names.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pybtex.plugin
from pybtex.style.formatting.plain import Style as Plain
from pybtex.style.labels import BaseLabelStyle
from sphinxcontrib.bibtex.style.referencing import PersonStyle

NAME = "author_year"


class AuthorAndYear(BaseLabelStyle):  # type: ignore[misc]
    """Labels such as "Vaswani et al., 2017", with the names as citations have them."""

    person = PersonStyle()

    def format_labels(self, sorted_entries: Iterable[Any]) -> Iterator[str]:
        """Yield the label of each entry."""
        names = self.person.names("author", full=False)
        for entry in sorted_entries:
            authors = names.format_data({"entry": entry, "style": self})
            yield f"{authors.render_as('text')}, {entry.fields['year']}"


class Style(Plain):  # type: ignore[misc]
    """The plain style, whose order is that of authors and years, with these labels."""

    default_label_style = AuthorAndYear


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    pybtex.plugin.register_plugin("pybtex.style.formatting", NAME, Style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
