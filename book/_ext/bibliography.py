"""The bibliography's entries are called what the text calls them: by author and year.

The styles that come with pybtex number the entries or abbreviate the names.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pybtex.plugin
from pybtex.style.formatting.plain import Style as Plain
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting import BaseSortingStyle
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


class ByLabel(BaseSortingStyle):  # type: ignore[misc]
    """The order of the labels, with the years of the same names one after the other."""

    person = PersonStyle()

    def sorting_key(self, entry: Any) -> tuple[str, str]:
        """Return the names as the label has them, and the year."""
        names = self.person.names("author", full=False)
        text = names.format_data({"entry": entry, "style": self}).render_as("text")
        return text.casefold(), entry.fields["year"]


class Style(Plain):  # type: ignore[misc]
    """The plain style with these labels, in their order."""

    default_label_style = AuthorAndYear
    default_sorting_style = ByLabel


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    pybtex.plugin.register_plugin("pybtex.style.formatting", NAME, Style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
