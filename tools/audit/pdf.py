"""Print the whole book into one PDF, with headless Chromium.

    python -m tools.audit.pdf [--to _build/attention-course.pdf] [--record]

It is printed twice: only then is it known on which page each section begins, which the
contents tell. The outline gets the headings' words, since Chromium loses a space where
a heading breaks and every formula; and the file is packed to half of its size.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
from playwright.sync_api import Browser, sync_playwright

from tools.audit._paper import LISTED, Paper, dangling
from tools.audit._site import ARGUMENTS, HTML, chromium, need_the_book, served, toc

PRINTED = "print.html"  # beside index.html while it is printed
FOOTER = (
    '<div style="width:100%;font:8px system-ui,sans-serif;color:#56616e;'
    'text-align:center"><span class="pageNumber"></span></div>'
)
PREPARE = """async () => {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map((i) => i.decode().catch(() => {})));
  await document.fonts.ready;
}"""

WIDTH = 665  # of a page between its margins, in CSS pixels: print.css sets the margins
WIDER = """() => {
  const kinds = "article :is(pre, table, mjx-math, img, svg)";
  const wide = (one) => one.getBoundingClientRect().right > innerWidth + 1;
  const told = (one) => `${one.closest("[id]").id}: ${one.textContent.slice(0, 60)}`;
  return [...document.querySelectorAll(kinds)].filter(wide).map(told);
}"""


def printed(browser: Browser, address: str, to: Path) -> None:
    """Print a page into a file, with outline, tags and page numbers.

    Ends the program if something is wider than the paper: it would be cut.
    """
    page = browser.new_page(viewport={"width": WIDTH, "height": 970})
    page.emulate_media(media="print", color_scheme="light")
    page.goto(address, wait_until="networkidle")
    page.evaluate(PREPARE)
    if wider := page.evaluate(WIDER):
        sys.exit(f"wider than the paper: {wider}")
    page.pdf(
        path=to,
        prefer_css_page_size=True,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        outline=True,
        tagged=True,
    )
    page.close()


def page_numbers(pdf: pikepdf.Pdf) -> dict[str, int]:
    """Return the page of each place that a link leads to, by the place's id."""
    number_of = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
    places: dict[str, Any] = dict(pdf.Root.Dests.items())
    return {
        name.removeprefix("/"): number_of[target[0].objgen]
        for name, target in places.items()
    }


def _entries(entries: Any) -> Iterator[Any]:
    for entry in entries:
        yield entry
        yield from _entries(entry.children)


def finish(to: Path, paper: Paper) -> None:
    """Give the outline its words and the file its name, and pack it."""
    with pikepdf.open(to, allow_overwriting_input=True) as pdf:
        with pdf.open_outline(max_depth=8) as outline:
            found = list(_entries(outline.root))
            for entry, title in zip(found, paper.outline, strict=True):
                entry.title = title
        pdf.docinfo["/Title"] = paper.title
        packed = pikepdf.ObjectStreamMode.generate
        pdf.save(to, object_stream_mode=packed, recompress_flate=True)


def print_book(paper: Paper, to: Path) -> int:
    """Print until the contents tell the pages that they have; return their number."""
    listed = {one.anchor for one in paper.headings if one.level in LISTED}
    told: dict[str, int] = {}
    with sync_playwright() as running, served() as site:
        browser = running.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for _ in range(3):
            (HTML / PRINTED).write_text(paper.document(told), encoding="utf-8")
            printed(browser, f"{site}{PRINTED}", to)
            with pikepdf.open(to) as pdf:
                found, count = page_numbers(pdf), len(pdf.pages)
            if listed <= told.keys() and told == found:
                browser.close()
                return count
            told = found
    sys.exit("the page numbers of the contents do not settle")


def main() -> int:
    """Write the PDF, store what it weighs, and say where it is."""
    from _record import save

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=HTML.parent / "attention-course.pdf")
    parser.add_argument("--record", action="store_true", help="store its size")
    options = parser.parse_args()
    need_the_book()
    begin = time.perf_counter()
    paper = Paper(toc())
    if lost := dangling(paper.document({})):
        sys.exit(f"links that lead nowhere on paper: {lost}")
    try:
        count = print_book(paper, options.to)
    finally:
        (HTML / PRINTED).unlink(missing_ok=True)
    finish(options.to, paper)
    seconds = round(time.perf_counter() - begin, 1)
    size = round(options.to.stat().st_size / 1e6, 1)
    print(f"{options.to}: {count} pages, {size} MB, printed in {seconds} s")
    if options.record:
        save("pdf", [{"pages": count, "megabytes": size, "seconds": seconds}])
    return 0


if __name__ == "__main__":
    sys.exit(main())
