"""Compare every verdict of the course between browsers and the Python of the tests.

    python -m tools.audit.verdicts

In Chromium and in Firefox, in the worker that runs a reader's cells: the starter, the
right answer, every choice and every wrong answer of every exercise. Each verdict must
be the one of CPython, to the last letter of its panel.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from tools.assets import node_program
from tools.audit._site import ARGUMENTS, ROOT, chromium, need_the_book, served, toc
from tools.audit.firefox import firefox
from tools.audit.lighthouse import puppeteer

SCRIPT = ROOT / "tools" / "audit" / "verdicts.mjs"
SOURCE = ROOT / "tests" / "live_verdicts.py"
COMPARED = ("outcome", "misconceptions", "html")

Verdicts = dict[str, dict[str, Any]]


def program(last: str) -> str:
    """Return a program that judges every answer and ends in this line."""
    return f"{SOURCE.read_text(encoding='utf-8')}\n\nimport json\n{last}\n"


def here() -> Verdicts:
    """Return the verdicts of this Python, in a process without torch."""
    command = [sys.executable, "-c", program("print(json.dumps(verdicts()))")]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Verdicts = json.loads(done.stdout)
    return found


def in_a_page(kind: str, path: str, site: str) -> tuple[Verdicts, str]:
    """Return the verdicts of the Python in a page of a browser, and its version."""
    asked = {
        "library": str(puppeteer()),
        "kind": kind,
        "executablePath": path,
        "flags": ARGUMENTS,
        "address": f"{site}{toc()[2]}.html",
        "program": program("json.dumps(verdicts())"),
    }
    command = [*node_program("node"), str(SCRIPT), json.dumps(asked)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(f"{kind} did not come to the end")
    told = json.loads(done.stdout)
    if told["errors"]:
        sys.exit(f"{kind}: {told['errors']}")
    found: Verdicts = json.loads(ast.literal_eval(told["text"]))
    return found, told["version"].partition("/")[2]


def differing(ours: Verdicts, theirs: Verdicts) -> list[str]:
    """Return the answers whose verdicts are not the same, or on one side only."""
    nothing: dict[str, Any] = {}
    return sorted(
        name
        for name in ours.keys() | theirs.keys()
        if any(
            ours.get(name, nothing).get(part) != theirs.get(name, nothing).get(part)
            for part in COMPARED
        )
    )


def row(name: str, ours: Verdicts, theirs: Verdicts, seconds: float) -> dict[str, Any]:
    """Return the counts of one browser."""
    outcomes = Counter(verdict["outcome"] for verdict in theirs.values())
    return {
        "browser": name,
        "exercises": len({name.split()[0] for name in theirs}),
        "verdicts": len(theirs),
        "correct": outcomes["CORRECT"],
        "named": outcomes["DIAGNOSED"],
        "not_attempted": outcomes["NOT_ATTEMPTED"],
        "differing": len(differing(ours, theirs)),
        "longest_s": max(verdict["seconds"] for verdict in theirs.values()),
        "seconds": round(seconds, 1),
    }


def main() -> int:
    """Compare, store the record, and fail if a verdict differs."""
    from _record import save

    need_the_book()
    browsers = {"Chromium": ("chrome", chromium()), "Firefox": ("firefox", firefox())}
    ours, rows, versions = here(), [], {}
    with served() as site:
        for name, (kind, path) in browsers.items():
            begin = time.perf_counter()
            theirs, versions[name] = in_a_page(kind, path, site)
            rows.append(row(name, ours, theirs, time.perf_counter() - begin))
            print(name, *differing(ours, theirs), sep="\n    ")
    save("verdicts", rows, versions=versions)
    return int(any(one["differing"] for one in rows))


if __name__ == "__main__":
    sys.exit(main())
