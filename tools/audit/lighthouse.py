"""Run Lighthouse on the first page and every chapter, and store its four scores.

    python -m tools.audit.lighthouse [--runs 1]

Lighthouse's own profile: a mid-range phone on a slow network, against the built book
served compressed on this machine. The scores are for a simulated network; the first
text is also timed on one that is slowed down, twice a turn. Node and npm come with the
environment.
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

from tools.assets import CACHE, node_program
from tools.audit._site import ARGUMENTS, chromium, need_the_book, served, toc

HERE = Path(__file__).resolve().parent
FOLDER = CACHE.parent / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
# By default the slow network is computed from a fast run; with this it is made slow.
# Only the first text is timed there, so the rest of the page need not come.
SLOWED = (
    "--throttling-method=devtools",
    "--only-audits=first-contentful-paint",
    "--disable-full-page-screenshot",
    "--max-wait-for-load=4000",
)
SLOWED_A_TURN = 2
TARGETS = {"performance": 95, "accessibility": 95, "best-practices": 95, "seo": 100}


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


def report(program: Path, address: str, *options: str) -> dict[str, Any]:
    """Return Lighthouse's report on one page."""
    flags = " ".join(["--headless=new", "--disable-gpu", *ARGUMENTS[1:]])
    done = subprocess.run(
        [
            *node_program("node"),
            str(program),
            address,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={flags}",
            *options,
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
    bytes_sent = found["audits"]["total-byte-weight"]["numericValue"]
    return {**got, "paint_s": first_words(found), "kB": round(bytes_sent / 1000)}


def first_words(found: dict[str, Any]) -> float:
    """Return after how many seconds the first text of a page was drawn."""
    paint = found["audits"]["first-contentful-paint"]["numericValue"]
    return round(paint / 1000, 2)


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
    program: Path, addresses: Sequence[str], turns: int
) -> list[dict[str, Any]]:
    """Return what was measured of each page.

    The pages take turns, so that a minute in which the machine has other work to do
    slows one run of many pages and not all runs of one.
    """
    full: dict[str, list[dict[str, Any]]] = {address: [] for address in addresses}
    slowed: dict[str, list[float]] = {address: [] for address in addresses}
    for _ in range(turns):
        for address in addresses:
            found = report(program, address)
            full[address].append(scores(found))
            for _ in range(SLOWED_A_TURN):
                slowed[address].append(first_words(report(program, address, *SLOWED)))
            latest = [full[address][-1], slowed[address][-SLOWED_A_TURN:]]
            print(address, *latest, *failures(found), sep="\n    ", flush=True)
    return [summary(full[address], slowed[address]) for address in addresses]


def summary(full: list[dict[str, Any]], slowed: list[float]) -> dict[str, Any]:
    """Return the medians of a page's scores, and of its first text when slowed down."""
    medians = {
        name: statistics.median_low(one[name] for one in full) for name in full[0]
    }
    return {**medians, "slowed_s": statistics.median_low(slowed)}


def versions(program: Path) -> dict[str, str]:
    """Return what measured, and in which version."""
    package = program.parent.parent / "package.json"
    shown = subprocess.run(
        [chromium(), "--version"], check=True, capture_output=True, text=True
    ).stdout
    number = next(word for word in shown.split() if word[0].isdigit())
    lighthouse = json.loads(package.read_text(encoding="utf-8"))["version"]
    return {"Lighthouse": lighthouse, "Chromium": number}


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
    with served() as site:
        found = in_turns(program, [f"{site}{n}.html" for n in names], options.runs)
    rows = [{"page": n, **one} for n, one in zip(names, found, strict=True)]
    if not options.names:
        save("lighthouse", rows, runs=options.runs, versions=versions(program))
    else:
        print(*rows, sep="\n")
    return int(
        any(
            row[name.replace("-", "_")] < least
            for row in rows
            for name, least in TARGETS.items()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
