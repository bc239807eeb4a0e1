"""Run axe-core on every page: light and dark, on a laptop and a phone; store it.

    python -m tools.audit.axe

Ends with an error if anything at all is found.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tools.assets import Asset, fetch
from tools.audit._site import (
    ARGUMENTS,
    GENERATED,
    chromium,
    need_the_book,
    served,
    toc,
)

AXE = Asset(
    name="axe-core",
    version="4.14.1",
    registry="npm",
    sha256="e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
    files=("LICENSE", "axe.min.js"),
    licence="MPL-2.0",
)
THEMES = ("light", "dark")
WIDTHS = (1280, 390)  # a laptop and a phone
IMPACTS = ("critical", "serious", "moderate", "minor")
RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.map((v) => ({
    id: v.id, impact: v.impact,
    nodes: v.nodes.map((n) => `${n.target.join(" ")}: ${n.failureSummary}`),
  }));
}"""


def violations(
    browser: Browser, address: str, theme: Any, width: int
) -> list[dict[str, Any]]:
    """Return what axe-core holds against a page, in a theme and at a width."""
    context = browser.new_context(
        color_scheme=theme,
        reduced_motion="reduce",
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    page.goto(address, wait_until="networkidle")  # cells get their buttons late
    page.wait_for_selector("html[data-ready], html:not([data-theme])")  # unhurried.js
    page.add_script_tag(path=str(fetch(AXE) / "axe.min.js"))
    found: list[dict[str, Any]] = page.evaluate(RUN)
    context.close()
    return found


def row(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a page's numbers of elements by impact, and which rules they break."""
    counts = dict.fromkeys(IMPACTS, 0)
    for violation in found:
        counts[violation["impact"]] += len(violation["nodes"])
    rules = ", ".join(sorted({violation["id"] for violation in found})) or "none"
    return {"page": name, **counts, "rules": rules}


def looked_at(browser: Browser, site: str, name: str) -> dict[str, Any]:
    """Look at a page in each theme and at each width; print what is found."""
    everything = []
    for theme, width in itertools.product(THEMES, WIDTHS):
        for violation in violations(browser, f"{site}{name}.html", theme, width):
            print(name, theme, width, violation["impact"], violation["id"])
            print("   ", "\n    ".join(violation["nodes"][:5]), flush=True)
            everything.append(violation)
    return row(name, everything)


def main(names: list[str]) -> int:
    """Look at the named pages, all without names; store the record if all."""
    from _record import save

    need_the_book()
    with sync_playwright() as running, served() as site:
        browser = running.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        pages = names or [*toc(), *GENERATED]
        rows = [looked_at(browser, site, name) for name in pages]
        versions = {"axe-core": AXE.version, "Chromium": browser.version}
        browser.close()
    if not names:
        save("axe", rows, versions=versions, themes=THEMES, widths=WIDTHS)
    return int(any(line[impact] for line in rows for impact in IMPACTS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
