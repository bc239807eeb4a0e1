"""Cells that run in the page, in headless Chromium that reaches no other host."""

import json
import re

import pytest
from built import ROOT, UnderAPath, need_live_cells, opened, under_a_path

pytestmark = pytest.mark.book

PATIENCE = 60_000  # ms until Python has loaded, on a busy machine
SOFTMAX = "notebooks/ch01_softmax.html"
MATRIX = "notebooks/ch03_matrix_form.html"
RIGHT = "def shares_of(s):\ne = np.exp(s - s.max())\nreturn e / e.sum()"
WRONG = "def shares_of(s):\nreturn s / s.sum()"


# The page with its first cell of code after the imports there twice.
TWICE = """<script>{
  const cells = [...document.querySelectorAll("article div.cell")];
  const one = cells.find((cell) => cell.textContent.includes("divided by the sum"));
  one.after(one.cloneNode(true));
}</script></article>"""


class Losing(UnderAPath):
    """Serves the book but for files that have `lost` in their address."""

    lost = "nothing"

    def translate_path(self, path):
        return super().translate_path("/" if self.lost in path else path)


@pytest.fixture(scope="module")
def site():
    with under_a_path(Losing) as address:
        yield address


@pytest.fixture
def reader(request, browser, site):
    """Open a page, SOFTMAX unless told otherwise, and fail if anything goes wrong."""
    need_live_cells()
    with opened(browser, site + getattr(request, "param", SOFTMAX)) as (page, wrong):
        page.set_default_timeout(PATIENCE)
        page.wait_for_selector(".live-bar")
        yield Reader(page, wrong)
    assert wrong == []


class Reader:
    """What a reader does on a page."""

    def __init__(self, page, wrong=()):
        self.page = page
        self.wrong = wrong  # what went wrong on the page so far

    def cell(self, text):
        """Return the cell that can run and whose code in the book has this text."""
        return self.page.locator("div.cell.live").filter(has_text=text).first

    def exercise(self, exercise_id):
        heading = f"#ex-{exercise_id.replace('.', '-')}"
        return self.page.locator(f"{heading} ~ div.cell.live").first

    def in_the_book(self, cell):
        """Return what the book shows below a cell, also far from the screen."""
        return cell.locator(".cell_output pre").text_content().strip()

    def press(self, cell, words):
        cell.locator(".live-bar").get_by_role("button", name=words).first.click()

    def write(self, cell, code):
        if not cell.locator(".cm-content").count():
            self.press(cell, re.compile("Edit|Write"))
        content = cell.locator(".cm-content")
        content.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(code)

    def output(self, cell):
        """Return what a cell shows, once it has run to its end."""
        self.says(cell, re.compile("done|an error"))
        return cell.locator(".live-output").inner_text().strip()

    def verdict(self, cell, kind):
        """Wait for a panel of this kind below an exercise; return its text."""
        panel = cell.locator(
            f"xpath=following-sibling::*[1]//*[contains(@class,'{kind}')]"
        )
        panel.wait_for()
        return panel.inner_text()

    def says(self, cell, words):
        cell.locator(".live-status").filter(has_text=words).wait_for()

    def stored(self, key):
        return self.page.evaluate(f"localStorage.getItem('attention-course/{key}')")


def test_nothing_of_python_is_loaded_before_the_first_run(reader):
    asked = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.reload()
    reader.page.wait_for_selector(".live-bar")
    reader.page.wait_for_load_state("networkidle")
    heavy = ("pyodide", "worker.mjs", "editor.mjs", ".whl", "runtime.json")
    assert [url for url in asked if any(part in url for part in heavy)] == []
    reader.press(reader.cell("divided by the sum"), "Run")
    reader.output(reader.cell("divided by the sum"))
    assert any(url.endswith(".wasm") for url in asked)


def test_a_cell_shows_in_the_page_what_the_book_shows(reader):
    cell = reader.cell("divided by the sum")
    stored = reader.in_the_book(cell)
    reader.press(cell, "Run")
    assert reader.output(cell) == stored
    assert "divided by the sum: [0.645 0.323 0.032]" in stored
    assert not cell.locator(".cell_output").first.is_visible()
    spoken = reader.page.locator(".live-speech[aria-live]")
    spoken.filter(has_text="done: divided by the sum: [0.645").wait_for(
        state="attached"
    )


def test_a_wrong_answer_is_named_and_a_right_one_is_remembered(reader):
    cell = reader.exercise("ch01.shares")
    reader.write(cell, WRONG)
    reader.press(cell, "Check")
    told = reader.verdict(cell, "ac-diagnosed")
    assert "ch01.shares" in told
    assert not cell.locator(".live-mark").count()
    reader.write(cell, RIGHT)  # a slash, too: the page's search must not take it
    assert "return e / e.sum()" in cell.locator(".cm-content").inner_text()
    assert "\n    e = np.exp" in cell.locator(".cm-content").inner_text()
    reader.page.keyboard.press("Shift+Enter")
    assert "Correct" in reader.verdict(cell, "ac-correct")
    reader.page.locator(".bd-links .course-count", has_text="1/").wait_for()
    events = [json.loads(line) for line in reader.stored("progress").splitlines()]
    assert [one["event"] for one in events] == ["DIAGNOSED", "CORRECT"]
    reader.page.reload()
    reader.page.wait_for_selector("#ex-ch01-shares .live-mark")
    assert "return e / e.sum()" in cell.locator(".live-plain").inner_text()
    assert "Solved: 1 of" in reader.page.locator(".live-panel").inner_text()
    reader.press(cell, "Reset")
    assert cell.locator(".live-plain").count() == 0
    assert reader.stored("edit/ch01.shares") is None


def test_a_verdict_belongs_to_the_code_that_it_judged(reader):
    cell = reader.exercise("ch01.shares")
    untouched = reader.page.locator(".live-check .ac-not-attempted").first
    assert untouched.is_visible()
    reader.write(cell, RIGHT)
    reader.press(cell, "Check")
    reader.verdict(cell, "ac-correct")
    reader.write(cell, "def shares_of(s) return s")
    old = cell.locator("xpath=following-sibling::*[1]//*[contains(@class,'live-old')]")
    assert old.count() == 1
    reader.press(cell, "Check")
    assert "SyntaxError" in reader.output(cell)
    panels = cell.locator("xpath=following-sibling::*[1]//*[contains(@class,'ac-')]")
    assert not any(panel.is_visible() for panel in panels.all())
    reader.page.reload()
    reader.page.wait_for_selector("#ex-ch01-shares .live-mark")
    assert not untouched.is_visible(), "it was attempted, and solved"


def test_where_there_is_nothing_to_check_the_page_says_so(reader):
    cell = reader.exercise("ch01.shares")
    reader.press(cell, "Check")
    reader.says(cell, "nothing to check yet: press Write")
    assert "hint(" not in reader.verdict(cell, "live-output")
    reader.write(cell, RIGHT)
    reader.press(cell, "Check")
    assert "Correct" in reader.verdict(cell, "ac-correct")
    reader.write(cell, "def share_of(s):\nreturn s")  # Python still knows shares_of
    reader.press(cell, "Check")
    reader.says(cell, "nothing to check: shares_of is not in this cell")
    panels = cell.locator("xpath=following-sibling::*[1]//*[contains(@class,'ac-')]")
    assert not any(panel.is_visible() for panel in panels.all())


def test_an_error_for_want_of_the_cells_above_goes_when_they_have_run(reader):
    cell = reader.cell("ratio of the first two shares")
    stored = reader.in_the_book(cell)
    reader.press(cell, "Run cell")
    assert "name 'shares' is not defined" in reader.output(cell)
    reader.press(cell, "Run all above")
    reader.says(cell, "all cells above have run")
    assert not cell.locator(".live-output, .live-offer").count()
    assert cell.locator(".cell_output pre").inner_text().strip() == stored


def test_a_name_that_no_cell_above_has_leads_nowhere(reader):
    cell = reader.cell("ratio of the first two shares")
    reader.write(cell, "nowhere")
    reader.press(cell, "Run cell")
    assert "name 'nowhere' is not defined" in reader.output(cell)
    assert not cell.locator(".live-offer").count()


def test_a_reset_can_be_undone(reader):
    cell = reader.exercise("ch01.shares")
    reader.write(cell, RIGHT)
    reader.press(cell, "Reset")
    assert reader.stored("edit/ch01.shares") is None
    reader.press(cell, "Bring back")
    assert "e.sum()" in cell.locator(".live-plain").inner_text()
    assert "e.sum()" in reader.stored("edit/ch01.shares")


def test_another_tab_shows_what_was_written_here(reader, site):
    other = reader.page.context.new_page()
    other.goto(site + SOFTMAX)
    other.wait_for_selector(".live-bar")
    cell = reader.exercise("ch01.shares")
    reader.write(cell, WRONG)
    there = Reader(other).exercise("ch01.shares")
    there.locator(".live-plain").filter(has_text="s / s.sum()").wait_for()
    Reader(other).write(there, RIGHT)
    reader.says(cell, "another tab")
    assert "s / s.sum()" in cell.locator(".cm-content").inner_text()


def test_an_answer_may_use_what_a_cell_above_defines(reader):
    cell = reader.exercise("ch01.safe")
    name = re.search(r"def (\w+)", cell.locator("pre").first.text_content())[1]
    reader.write(cell, f"def {name}(*given, **more):\nreturn softmax(*given, **more)")
    reader.press(cell, "Check")
    assert "NameError" in reader.verdict(cell, "ac-raised")
    check = cell.locator("xpath=following-sibling::*[1]")
    check.get_by_role("button", name="Run all cells above").click()
    reader.says(cell, re.compile("running \\d+ of \\d+ cells above|loading"))
    run = cell.get_by_role("button", name="Check your answer")
    assert run.get_attribute("aria-disabled") == "true"
    panel = check.locator(".live-output .ac-verdict")
    panel.filter(has_not_text="NameError").wait_for()


def test_a_drawing_without_matplotlib_says_what_lacks_and_python_goes_on(reader):
    cell = reader.cell("divided by the sum")
    reader.press(cell, "Run")
    reader.output(cell)
    drawing = reader.cell("ratio of the first two shares")
    reader.write(drawing, "ac.plots.lines")
    reader.page.context.set_offline(True)
    reader.press(drawing, "Run")
    assert "Matplotlib could not be downloaded" in reader.output(drawing)
    reader.write(drawing, "6 * 7")
    reader.press(drawing, "Run")
    assert reader.output(drawing) == "42"


def test_stop_ends_an_endless_loop_and_python_starts_anew(reader):
    cell = reader.cell("divided by the sum")
    reader.write(cell, "print('begun', flush=True)\nwhile True: pass")
    reader.press(cell, "Run")
    cell.locator(".live-output").filter(has_text="begun").wait_for()
    reader.press(cell, "Stop")
    reader.says(cell, "Stopped")
    reader.press(cell, "Reset")
    reader.press(cell, "Run")
    assert "one score negative: [ 4.  2. -5.]" in reader.output(cell)


def test_reset_does_nothing_while_a_cell_runs(reader):
    cell = reader.cell("divided by the sum")
    # An endless cell: one that ends by itself may be done before the slow press.
    reader.write(cell, "print('begun', flush=True)\nwhile True: pass")
    reader.press(cell, "Run")
    output = cell.locator(".live-output")
    output.filter(has_text="begun").wait_for()
    reset = cell.get_by_role("button", name="Reset")
    assert reset.get_attribute("aria-disabled") == "true"
    reset.click(force=True)  # a reader does not wait, as the test would
    assert output.inner_text().strip() == "begun"
    assert "while True" in cell.locator(".cm-content").inner_text()
    reader.press(cell, "Stop")
    reader.says(cell, "Stopped")
    reader.press(cell, "Reset")
    assert not output.count()
    assert cell.locator(".cell_output").is_visible()


def test_an_endless_answer_gets_a_verdict(reader):
    cell = reader.exercise("ch01.shares")
    reader.write(cell, "def shares_of(scores):\nwhile True: pass")
    reader.press(cell, "Check")
    assert "Did not finish" in reader.verdict(cell, "ac-unfinished")


def test_everything_works_from_the_keyboard(reader):
    page, cell = reader.page, reader.cell("divided by the sum")
    name = "document.activeElement.textContent"
    cell.get_by_role("button", name="Run cell 2").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(name) == "Edit"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('.cm-content')")
    page.keyboard.press("Control+a")
    page.keyboard.type("6 * 7")
    page.keyboard.press("Escape")
    assert page.evaluate(name) == "▶ Run"
    page.keyboard.press("Enter")
    assert reader.output(cell) == "42"
    assert page.evaluate(name) == "▶ Run", "the focus stays where it was"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(name) == "Reset"
    page.keyboard.press("Enter")
    assert page.evaluate(name) == "Edit"
    assert not cell.locator(".live-output").count()


def test_a_missing_name_leads_to_the_cells_above(reader):
    cell = reader.cell("ratio of the first two shares")
    stored = reader.in_the_book(cell)
    reader.press(cell, "Run")
    assert "NameError: name 'shares' is not defined" in reader.output(cell)
    cell.get_by_role("button", name="Run all cells above, then this one").click()
    reader.says(cell, "done")  # the error of the first run stands there until then
    assert reader.output(cell) == stored


def test_a_cell_that_draws_gives_the_books_picture_and_words(reader):
    cell = reader.page.locator("div.cell.live", has=reader.page.locator("figure")).first
    alt = cell.locator("figure img").get_attribute("alt")
    reader.page.evaluate(
        "for (const d of document.querySelectorAll('details')) d.open = true"
    )
    reader.press(cell, "Run all above")
    reader.says(cell, "all cells above")
    reader.press(cell, "Run cell")
    image = cell.locator(".live-output img")
    image.wait_for()
    assert image.get_attribute("alt") == alt
    assert (
        image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    )


@pytest.mark.parametrize("reader", [MATRIX], indirect=True)
def test_a_cell_reads_a_file_of_the_course(reader):
    cell = reader.cell("attention_cost.json")
    stored = reader.in_the_book(cell)
    reader.press(cell, "Run")
    assert reader.output(cell) == stored


def test_hints_become_more_concrete_and_are_counted_across_visits(reader):
    cell = reader.exercise("ch01.shares")
    reader.press(cell, "Hint")
    cell.locator(".ac-note").filter(has_text="Hint 1 of 3").wait_for()
    reader.page.reload()
    reader.press(cell, "Hint")
    cell.locator(".ac-note").filter(has_text="Hint 2 of 3").wait_for()


def test_progress_can_be_taken_along(reader, tmp_path):
    line = '{"exercise": "ch01.shares", "event": "CORRECT", "time": 1}\n'
    page = reader.page
    page.evaluate(f"localStorage.setItem('attention-course/progress', {line!r})")
    page.reload()
    page.locator(".live-panel summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save your progress").click()
    file = tmp_path / "progress.jsonl"
    download.value.save_as(file)
    assert file.read_text("utf-8") == line
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget").click()
    page.wait_for_function("!document.querySelector('.live-mark')")
    file.write_text(f"{line}no line of ours\n", "utf-8")
    page.locator(".live-panel input[type=file]").set_input_files(file)
    page.wait_for_selector("#ex-ch01-shares .live-mark")
    assert reader.stored("progress") == line


def test_a_drawing_needs_no_compiled_matplotlib(reader, monkeypatch):
    about = json.loads((ROOT / ".cache/live/runtime.json").read_text("utf-8"))
    monkeypatch.setattr(Losing, "lost", about["compiled"]["matplotlib"])
    cell = reader.cell("divided by the sum")
    reader.write(cell, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    reader.press(cell, "Run")
    cell.locator(".live-output img").wait_for()
    assert reader.wrong  # the compiled modules were asked for
    reader.wrong.clear()


@pytest.mark.parametrize("part", [".wasm", "/python_stdlib", "/course-", "worker.mjs"])
def test_a_page_stays_usable_when_python_cannot_be_loaded(reader, part, monkeypatch):
    monkeypatch.setattr(Losing, "lost", part)
    cell = reader.cell("divided by the sum")
    reader.press(cell, "Run")
    reader.says(cell, "Python could not be loaded")
    assert "divided by the sum: [0.645" in cell.locator(".cell_output").inner_text()
    assert cell.locator(".live-status a").get_attribute("href").endswith("#run-it")
    monkeypatch.undo()
    reader.press(cell, "Try again")
    assert "[0.645 0.323 0.032]" in reader.output(cell)
    reader.wrong.clear()  # a part was asked for in vain: that was the point


def test_of_two_cells_alike_each_keeps_its_own_edit(reader):
    page = reader.page

    def answer(route):
        response = route.fetch()
        body = response.text().replace("</article>", TWICE)
        route.fulfill(response=response, body=body)

    page.route(f"**/{SOFTMAX}", answer)
    page.reload()
    cells = page.locator("div.cell.live").filter(has_text="divided by the sum")
    cells.nth(1).wait_for()
    one, other = cells.all()
    reader.write(other, "6 * 7")
    page.reload()
    page.locator(".live-plain").first.wait_for()
    edited = [cell.locator(".live-plain").count() for cell in cells.all()]
    assert edited == [0, 1]
    reader.write(one, "1 + 1")
    page.reload()
    page.locator(".live-plain").nth(1).wait_for()
    kept = [cell.locator(".live-plain").text_content() for cell in cells.all()]
    assert kept == ["1 + 1", "6 * 7"]


@pytest.mark.parametrize(
    "reader", ["notebooks/ch04_trainable_weights.html"], indirect=True
)
def test_a_cell_that_needs_torch_says_so_and_has_no_button(reader):
    cells = reader.page.locator("div.cell.tag_torch")
    assert cells.count() > 10
    assert cells.locator(".live-bar").count() == 0
    first, *later = cells.locator(".live-note").all()
    assert len(later) == cells.count() - 1
    assert first.text_content() == (
        "Needs PyTorch, which does not run in a browser. Run it on your own machine."
    )
    assert {note.text_content() for note in later} == {"Needs PyTorch"}
    for note in later:
        link = note.get_by_role("link", name="Needs PyTorch")
        assert link.get_attribute("href").endswith("how_to_use.html#run-it")
        assert "does not run in a browser" in link.get_attribute("title")
