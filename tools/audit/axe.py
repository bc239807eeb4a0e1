"""Run axe-core on every page of the book, light and dark, and store what it finds.

    python -m tools.audit.axe

Ends with an error if anything is serious or critical.
"""

from __future__ import annotations

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


def violations(browser: Browser, address: str, theme: Any) -> list[dict[str, Any]]:
    """Return what axe-core holds against a page in one of the themes."""
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(address, wait_until="networkidle")  # cells get their buttons late
    page.add_script_tag(path=str(fetch(AXE) / "axe.min.js"))
    found: list[dict[str, Any]] = page.evaluate(RUN)
    context.close()
    return found


def row(name: str, theme: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the numbers of elements by impact, and which rules they break."""
    counts = dict.fromkeys(IMPACTS, 0)
    for violation in found:
        counts[violation["impact"]] += len(violation["nodes"])
    rules = ", ".join(sorted(violation["id"] for violation in found)) or "none"
    return {"page": name, "theme": theme, **counts, "rules": rules}


def main(names: list[str]) -> int:
    """Look at the named pages, all without names; store the record if all."""
    from _record import save

    need_the_book()
    rows = []
    with sync_playwright() as running, served() as site:
        browser = running.chromium.launch(
            executable_path=chromium(), args=list(ARGUMENTS)
        )
        for name in names or [*toc(), *GENERATED]:
            for theme in THEMES:
                found = violations(browser, f"{site}{name}.html", theme)
                rows.append(row(name, theme, found))
                for violation in found:
                    print(name, theme, violation["impact"], violation["id"])
                    print("   ", "\n    ".join(violation["nodes"][:5]))
        versions = {"axe-core": AXE.version, "Chromium": browser.version}
        browser.close()
    if not names:
        save("axe", rows, versions=versions)
    return int(any(line["critical"] or line["serious"] for line in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
