"""Read the book in Firefox as a reader would, in both themes, and store the result.

    python -m tools.audit.firefox

Firefox is driven over WebDriver BiDi by puppeteer-core, which Lighthouse brings along;
no geckodriver is needed. ``COURSE_FIREFOX`` names another browser than the path's. The
steps are in `firefox.mjs`: what tests/test_live_cells.py does in Chromium, in short.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.assets import node_program
from tools.audit._site import GENERATED, need_the_book, served, toc
from tools.audit.lighthouse import puppeteer

SCRIPT = Path(__file__).with_name("firefox.mjs")
THEMES = ("light", "dark")


def firefox() -> str:
    """Return the browser's path, or end the program."""
    names = ("firefox-esr", "firefox")
    found = os.environ.get("COURSE_FIREFOX") or next(
        filter(None, map(shutil.which, names)), None
    )
    if found is None:
        sys.exit(f"no Firefox: install firefox-esr (looked for {', '.join(names)})")
    return found


def visited(site: str, theme: str, pages: list[str]) -> dict[str, Any]:
    """Return what Firefox saw in a theme: a row for each page and each step."""
    asked = {
        "library": str(puppeteer()),
        "executablePath": firefox(),
        "site": site,
        "theme": theme,
        "pages": pages,
    }
    command = [*node_program("node"), str(SCRIPT), json.dumps(asked)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit("Firefox did not come to the end")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def combined(by_theme: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return one row for each page and step, with each theme's seconds."""
    rows = []
    for several in zip(*by_theme.values(), strict=True):
        seconds = zip(by_theme, (one["seconds"] for one in several), strict=True)
        rows.append(
            {
                **{name: several[0][name] for name in ("page", "what", "formulas")},
                **{f"{theme}_s": took for theme, took in seconds},
                "errors": sum(len(one["errors"]) for one in several),
            }
        )
    return rows


def main() -> int:
    """Visit in both themes, store the record, and fail if anything went wrong."""
    from _record import save

    need_the_book()
    by_theme = {}
    with served() as site:
        for theme in THEMES:
            seen = visited(site, theme, [*toc(), *GENERATED])
            by_theme[theme] = seen["rows"]
            for row in seen["rows"]:
                for error in row["errors"]:
                    print(theme, row["page"], f"{row['what']}: {error}")
    rows = combined(by_theme)
    name, _, number = seen["version"].partition("/")
    save("firefox", rows, versions={name.capitalize(): number})
    return int(any(row["errors"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
