"""Run Lighthouse on the first page and every chapter, and store its four scores.

    python -m tools.audit.lighthouse [--runs 1]

Lighthouse's own profile: a mid-range phone on a slow network, against the built book
served compressed on this machine. The scores are for a simulated network; how long the
first text takes is also timed on one that is slowed down, twice a turn. Node and npm
come with the environment.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserType, sync_playwright

from tools.assets import CACHE, node_program
from tools.audit._site import chromium, need_the_book, served, toc
from tools.audit.first_text import FLAGS, first_text

HERE = Path(__file__).resolve().parent
FOLDER = CACHE.parent / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SLOWED_A_TURN = 2
TARGETS = {"performance": 95, "accessibility": 95, "best_practices": 95, "seo": 100}
FIRST_TEXT = 1.0  # seconds, at most
WEIGHT = 600  # kB


def chapters() -> list[str]:
    """Return the first page of the book and its chapters."""
    return [name for name in toc() if name.startswith("notebooks/") or name == toc()[0]]


def installed() -> Path:
    """Return Lighthouse's program, installed as the lock file says (with hashes)."""
    program = FOLDER / "node_modules" / "lighthouse" / "cli" / "index.js"
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    kept = FOLDER / "package-lock.json"
    if not (program.exists() and kept.exists() and kept.read_text("utf-8") == lock):
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            (FOLDER / name).write_bytes((HERE / name).read_bytes())
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        command = [*node_program("npm"), "ci", *options]
        subprocess.run(command, cwd=FOLDER, check=True)
    return program


def puppeteer() -> Path:
    """Return the library that drives browsers, which Lighthouse brings along."""
    installed()
    folder = FOLDER / "node_modules" / "puppeteer-core" / "lib" / "puppeteer"
    return folder / "puppeteer-core.js"


def report(program: Path, address: str) -> dict[str, Any]:
    """Return Lighthouse's report on one page."""
    flags = " ".join(["--headless=new", *FLAGS[1:]])
    done = subprocess.run(
        [
            *node_program("node"),
            str(program),
            address,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={flags}",
        ],
        env={**os.environ, "CHROME_PATH": chromium()},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    found: dict[str, Any] = json.loads(done.stdout)
    if error := found.get("runtimeError"):
        raise RuntimeError(f"Lighthouse on {address}: {error['message']}")
    return found


def scores(found: dict[str, Any]) -> dict[str, float]:
    """Return the four scores of a report, of 100, and two of its measurements."""
    got = {
        name.replace("-", "_"): round(100 * found["categories"][name]["score"])
        for name in CATEGORIES
    }
    paint, sent = (
        found["audits"][name]["numericValue"]
        for name in ("first-contentful-paint", "total-byte-weight")
    )
    return {**got, "paint_s": round(paint / 1000, 2), "kB": round(sent / 1000)}


def failures(found: dict[str, Any]) -> list[str]:
    """Return what lowers a score, as Lighthouse calls it."""
    lines = []
    for name in CATEGORIES:
        for ref in found["categories"][name]["auditRefs"]:
            audit = found["audits"][ref["id"]]
            if ref["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                shown = audit.get("displayValue", "")
                lines.append(f"{name}: {ref['id']} {audit['score']} {shown}")
    return lines


def in_turns(
    program: Path, kind: BrowserType, addresses: Sequence[str], turns: int
) -> list[dict[str, Any]]:
    """Return what was measured of each page.

    The pages take turns, so that a minute in which the machine has other work to do
    slows one run of many pages and not all runs of one.
    """
    full: dict[str, list[dict[str, Any]]] = {address: [] for address in addresses}
    text: dict[str, list[float]] = {address: [] for address in addresses}
    for _ in range(turns):
        for address in addresses:
            found = report(program, address)
            full[address].append(scores(found))
            waits = [first_text(kind, address) for _ in range(SLOWED_A_TURN)]
            text[address] += waits
            latest = [full[address][-1], waits]
            print(address, *latest, *failures(found), sep="\n    ", flush=True)
    return [summary(full[address], text[address]) for address in addresses]


def summary(full: list[dict[str, Any]], text: list[float]) -> dict[str, Any]:
    """Return the medians of a page's scores, and of its first text when slowed down."""
    medians = {
        name: statistics.median_low(one[name] for one in full) for name in full[0]
    }
    return {**medians, "text_s": round(statistics.median(text), 2)}


def versions(program: Path) -> dict[str, str]:
    """Return what measured, and in which version."""
    package = program.parent.parent / "package.json"
    shown = subprocess.run(
        [chromium(), "--version"], check=True, capture_output=True, text=True
    ).stdout
    number = next(word for word in shown.split() if word[0].isdigit())
    lighthouse = json.loads(package.read_text(encoding="utf-8"))["version"]
    return {"Lighthouse": lighthouse, "Chromium": number}


def met(row: dict[str, Any]) -> bool:
    """Return whether a page is as good as we want every page to be."""
    scored = all(row[name] >= least for name, least in TARGETS.items())
    return scored and row["text_s"] <= FIRST_TEXT and row["kB"] < WEIGHT


def main() -> int:
    """Measure the pages; store the record if all were asked for."""
    from _record import save

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1, help="turns of each page")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    need_the_book()
    program = installed()
    names = options.names or chapters()
    with served() as site, sync_playwright() as running:
        addresses = [f"{site}{n}.html" for n in names]
        found = in_turns(program, running.chromium, addresses, options.runs)
    rows = [{"page": n, **one} for n, one in zip(names, found, strict=True)]
    if not options.names:
        loads = SLOWED_A_TURN * options.runs
        ran = versions(program)
        save("lighthouse", rows, runs=options.runs, slowed_loads=loads, versions=ran)
    else:
        print(*rows, sep="\n")
    return int(not all(map(met, rows)))


if __name__ == "__main__":
    sys.exit(main())
