"""How long a reader waits for a live cell, in headless Chromium on this machine.

Needs a built book (`make book`). Each round opens a fresh browser: the first run in a
page (cold), then the page is loaded again (the browser has the files), a further run,
and a check.

    python -m tools.audit.live_cells [--runs 5]
"""

import argparse
import os
import statistics
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tools.audit._site import ARGUMENTS, HTML, chromium, need_the_book, served

PAGE = "notebooks/ch01_softmax.html"
TARGETS = {
    "first run, cold": 6.0,
    "first run, page loaded again": 4.0,
    "a later run": 0.1,
    "a check": 1.0,
}
WATCH = """(shown) => {
  const begin = () => (window.begun = performance.now());
  addEventListener("click", begin, {once: true, capture: true});
  window.took = new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(shown)) resolve(performance.now() - window.begun);
    };
    new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
  });
}"""
ANSWER = "def shares_of(s):\n    return s / s.sum()\n"


def waited(page: Any, press: Any, shown: str) -> float:
    """Press, and return the seconds until the page shows what it should.

    The page's own clock: a script of the test that polls would add its own pauses.
    """
    page.evaluate(WATCH, shown)
    press.click()
    return float(page.evaluate("window.took")) / 1000


def one_round(browser: Any, address: str) -> dict[str, float]:
    """Return the four waits of one fresh visit."""
    page = browser.new_page()
    seconds = {}
    for name in list(TARGETS)[:2]:
        page.goto(address + PAGE)
        page.wait_for_selector(".live-bar")
        page.wait_for_load_state("networkidle")
        runs = page.locator("div.cell.live > .live-bar > .live-main")
        seconds[name] = waited(page, runs.nth(1), ".live-output pre")
    page.wait_for_timeout(500)
    second = "div.cell.live:has(.live-output) ~ div.cell.live .live-output pre"
    seconds["a later run"] = waited(page, runs.nth(2), second)
    exercise = page.locator("#ex-ch01-shares ~ div.cell.live").first
    exercise.get_by_role("button", name="Write").click()
    exercise.locator(".cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(ANSWER)
    press = exercise.get_by_role("button", name="Check")
    seconds["a check"] = waited(page, press, ".live-output .ac-diagnosed")
    page.close()
    return seconds


def megabytes(folder: Path) -> tuple[float, float, float]:
    """Return what a first run loads, that compressed by the server, and a drawing's."""
    wheels = ("numpy", "array_api_compat", "attention_course")  # the others draw
    first = (*wheels, "pyodide", "python_stdlib", "course")
    sizes = {f.name: f.stat().st_size for f in folder.iterdir()}
    files = [f for f in folder.iterdir() if f.name.startswith(first)]
    plain = sum(sizes[f.name] for f in files)
    packed = sum(len(zlib.compress(f.read_bytes(), 6)) for f in files)
    drawing = sum(sizes.values()) - plain
    return round(plain / 1e6, 2), round(packed / 1e6, 2), round(drawing / 1e6, 2)


def measure(rounds: int) -> tuple[list[dict[str, Any]], str]:
    """Return one row per wait, and the browser's version."""
    path = chromium()
    waits: dict[str, list[float]] = {name: [] for name in TARGETS}
    with served() as address, sync_playwright() as running:
        for _ in range(rounds):
            browser = running.chromium.launch(executable_path=path, args=ARGUMENTS)
            for name, seconds in one_round(browser, address).items():
                waits[name].append(seconds)
            version = browser.version
            browser.close()
            time.sleep(2)
    rows = [
        {
            "wait": name,
            "runs": rounds,
            "median_s": round(statistics.median(seconds), 3),
            "smallest_s": round(min(seconds), 3),
            "largest_s": round(max(seconds), 3),
            "target_s": TARGETS[name],
        }
        for name, seconds in waits.items()
    ]
    return rows, version


def main() -> int:
    """Measure and store the record."""
    from _record import save

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    need_the_book()
    load = round(os.getloadavg()[0], 1)
    rows, version = measure(options.runs)
    (folder,) = (HTML / "_static").glob("pyodide-*")
    plain, packed, drawing = megabytes(folder)
    save(
        "live_cells",
        rows,
        browser=f"Chromium {version}",
        server="loopback",
        pyodide=folder.name.partition("-")[2],
        first_run_megabytes=plain,
        first_run_megabytes_compressed=packed,
        drawing_megabytes=drawing,
        load_before=load,
    )
    return int(any(row["median_s"] > row["target_s"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
