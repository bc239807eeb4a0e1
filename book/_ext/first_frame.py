"""What a page need not show in its first frame waits for the second.

A browser lays out at once all that is near the screen, more than it shows, and a slow
phone shows no word before that is done. So in the first frame the sections below the
introduction wait, and contents that are out of sight (course.css): until a second one
has begun, which a script above the first section says. Scripts that wait for the text
stand behind it, since asking for them keeps a slow phone from reading on.
"""

import re
from pathlib import Path
from typing import Any

ARTICLE = '<article class="bd-article"'
SECTION = "\n<section"
# The first callback comes in the first frame, the second in the one after it.
BEGUN = """
<script>
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.begun = "";
  }));
</script>"""
WAITING = re.compile(r'[ \t]*<script [^>]*(?:defer|"module")[^>]*></script>\n?')


def with_mark(page: str) -> str:
    """Return a page that says, above its first section, when a second frame begins."""
    title = page.find("<h1", page.find(ARTICLE))
    place = page.find(SECTION, title)
    if place < 0:
        return page
    return page[:place] + BEGUN + page[place:]


def with_scripts_last(page: str) -> str:
    """Return a page whose waiting scripts stand behind its text, in their order."""
    scripts = WAITING.findall(page)
    if not scripts:
        return page
    text = WAITING.sub("", page)
    end = text.rindex("</body>")
    return text[:end] + "".join(scripts) + text[end:]


def _finish(app: Any, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    for path in sorted(Path(app.outdir).rglob("*.html")):
        page = with_scripts_last(with_mark(path.read_text(encoding="utf-8")))
        path.write_text(page, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", _finish, priority=960)  # after styles.py
    return {"parallel_read_safe": True, "parallel_write_safe": True}
