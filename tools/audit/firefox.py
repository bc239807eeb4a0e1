"""Open every page of the book in Firefox, run one live cell there, store the result.

    python -m tools.audit.firefox

Firefox is driven over WebDriver BiDi by puppeteer-core, which Lighthouse brings along;
no geckodriver is needed. ``COURSE_FIREFOX`` names another browser than the path's.
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
from tools.audit._site import need_the_book, served, toc
from tools.audit.lighthouse import FOLDER, installed

SCRIPT = Path(__file__).with_name("firefox.mjs")
CHAPTER = "notebooks/ch01_softmax"
LIBRARY = "node_modules/puppeteer-core/lib/puppeteer/puppeteer-core.js"


def firefox() -> str:
    """Return the browser's path, or end the program."""
    names = ("firefox-esr", "firefox")
    found = os.environ.get("COURSE_FIREFOX") or next(
        filter(None, map(shutil.which, names)), None
    )
    if found is None:
        sys.exit(f"no Firefox: install firefox-esr (looked for {', '.join(names)})")
    return found


def visited(site: str) -> dict[str, Any]:
    """Return what Firefox saw on every page, and in the cell that it ran."""
    installed()
    library = str(FOLDER / LIBRARY)
    command = [*node_program("node"), str(SCRIPT), library, firefox(), site, CHAPTER]
    done = subprocess.run(
        [*command, *toc()], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"Firefox did not come to the end:\n{done.stderr}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def main() -> int:
    """Visit, store the record, and fail if a page had an error."""
    from _record import save

    need_the_book()
    with served() as site:
        seen = visited(site)
    for row in seen["rows"]:
        print(*row["errors"], sep="\n", end="")
        row["errors"] = len(row["errors"])
    name, _, number = seen["version"].partition("/")
    save("firefox", seen["rows"], versions={name.capitalize(): number})
    return int(any(row["errors"] for row in seen["rows"]))


if __name__ == "__main__":
    sys.exit(main())
