"""The first frame of a page has its title and what stands above its first section.

A browser would draw a frame for a menu and another for a row of buttons, and lay out in
the next all that is near the screen; each keeps a slow phone from the text by a
twentieth of a second. So the first frame waits for the end of the introduction (HTML
Living Standard, link type "expect", in browsers that know it), what course.css names
waits for the second, and scripts are asked for when the text has come.
"""

import re
from pathlib import Path
from typing import Any

ARTICLE = '<article class="bd-article"'
SECTION = "\n<section"
MARK = "first-frame"
STYLE = "<style data-from"  # of styles.py
EXPECT = f'<link rel="expect" href="#{MARK}" blocking="render">\n'
# The first callback comes in the first frame, the second in the one after it.
BEGUN = f"""
<script id="{MARK}">
  requestAnimationFrame(() => requestAnimationFrame(() => {{
    document.documentElement.dataset.begun = "";
  }}));
</script>"""
WAITING = re.compile(r'[ \t]*<script [^>]*(?:defer|"module")[^>]*></script>\n?')


def with_mark(page: str) -> str:
    """Return a page whose first frame waits for what stands above its first section."""
    title = page.find("<h1", page.find(ARTICLE))
    place = page.find(SECTION, title)
    if ARTICLE not in page or title < 0 or place < 0:
        return page
    page = page[:place] + BEGUN + page[place:]
    return page.replace(STYLE, EXPECT + STYLE, 1)


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
