"""Hints, solutions, progress: what is remembered, and where."""

import json
import re
import threading

import numpy as np
import pytest
from built import ROOT, extension

from attention_course.exercises import check, hint, progress, solution
from attention_course.exercises._judge import judge
from attention_course.exercises._progress import progress_file, record, records
from attention_course.exercises._registry import every, find
from attention_course.exercises._verdict import Note, Outcome, Verdict
from attention_course.exercises._words import as_html, as_markdown

ID = "ch01.shares"


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    file = tmp_path / "of a learner" / "progress.jsonl"
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", str(file))
    return file


def right(scores):
    exponentials = np.exp(scores - np.max(scores))
    return exponentials / exponentials.sum()


def not_started(scores):
    raise NotImplementedError("your code")


def test_hints_come_one_by_one_and_the_last_one_stays():
    hints = find(ID).hints
    notes = [hint(ID) for _ in range(len(hints) + 2)]
    told = [note.text for note in notes]
    again = ["it was the last" in note.title for note in notes]
    assert again == [False] * len(hints) + [True] * 2
    assert told == [*hints, hints[-1], hints[-1]]


def test_a_solution_is_shown_after_a_right_answer():
    check(ID, right)
    assert "def shares_of(scores):" in solution(ID).code


def test_a_solution_is_shown_after_all_hints():
    for _ in find(ID).hints:
        hint(ID)
    assert "def shares_of(scores):" in solution(ID).code


def test_before_that_the_first_call_says_what_is_open_and_the_second_shows_it():
    first, second = solution(ID), solution(ID)
    assert "hints are still open" in first.text
    assert not first.code
    assert "def shares_of(scores):" in second.code


def test_progress_counts_what_is_solved():
    assert "0 of" in progress().title
    check(ID, lambda scores: scores)
    assert f"… {ID}" in progress().code
    check(ID, right)
    assert "1 of" in progress().title
    assert f"✓ {ID}" in progress().code


def test_not_attempted_leaves_no_trace(own_progress):
    assert "Not attempted" in str(check(ID, not_started))
    assert not own_progress.exists()


def test_the_file_is_readable_and_says_where_it_is(own_progress):
    check(ID, right)
    entry = json.loads(own_progress.read_text())
    assert (entry["exercise"], entry["event"]) == (ID, "CORRECT")
    assert str(own_progress) in progress().text


def test_damaged_lines_are_passed_over(own_progress):
    check(ID, right)
    with own_progress.open("ab") as stream:
        stream.write(b'\xff\xfe{"exercise"\n[1, 2]\n"text"\n\n{"exercise": 3}\n')
    assert records()[ID].solved
    check(ID, right)
    assert records()[ID].checks == 2


def test_two_writers_at_once_lose_nothing():
    def write():
        for _ in range(200):
            record(ID, "hint")

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert records()[ID].hints == 800


def test_a_file_that_cannot_be_written_costs_no_verdict(tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", str(blocked / "progress.jsonl"))
    assert check(ID, right).is_correct
    assert "0 of" in progress().title


def test_without_the_variable_it_lies_in_the_users_own_data(monkeypatch):
    monkeypatch.delenv("ATTENTION_COURSE_PROGRESS")
    assert "attention-course" in str(progress_file())


def test_words_are_shown_as_panels_too():
    for note in (hint(ID), solution(ID), progress()):
        assert note._repr_html_().startswith("<div")
        assert repr(note) == str(note)


def test_a_page_of_the_book_names_no_call_where_it_has_a_button():
    stored = (ROOT / "notebooks" / "ch01_softmax.ipynb").read_text("utf-8")
    on_the_page = extension("exercises").with_solutions(stored)
    told = {}
    for name, text in (("notebook", stored), ("page", on_the_page)):
        cells = json.loads(text)["cells"]
        checks = [c for c in cells if "check" in c["metadata"].get("tags", [])]
        told[name] = [json.dumps(cell["outputs"]) for cell in checks]
    assert len(told["page"]) == len(told["notebook"]) > 10
    assert all("hint(" in panel for panel in told["notebook"])
    for panel in told["page"]:
        assert "hint(" not in panel
        assert "stuck" not in panel
        assert "Not attempted" in panel


# As a terminal shows it, in a panel, in Markdown.
SET = [
    (
        "p_i p_j",
        "<i>p</i><sub><i>i</i></sub> <i>p</i><sub><i>j</i></sub>",
        "$p_i$ $p_j$",
    ),
    ("e^(s+c)", "<i>e</i><sup><i>s</i>+<i>c</i></sup>", "${e}^{s+c}$"),
    ("e^(old - s)", None, r"${e}^{{\text{old}} − s}$"),
    ("1 + e^-s.", "1 + <i>e</i><sup>−<i>s</i></sup>.", "1 + ${e}^{-s}$."),
    ("e^(s_i)", "<i>e</i><sup><i>s</i><sub><i>i</i></sub></sup>", "${e}^{s_i}$"),
    ("e^9.2 or 2^53.", "<i>e</i><sup>9.2</sup> or 2<sup>53</sup>.", None),
    ("n, d_model", "n, <i>d</i><sub>model</sub>", r"n, $d_{\text{model}}$"),
    ("W_Kᵀ", "<i>W</i><sub><i>K</i></sub>ᵀ", "$W_K$ᵀ"),
    ("w_key", "<code>w_key</code>", "`w_key`"),
    ("d_k - 1", "<i>d</i><sub><i>k</i></sub> − 1", "$d_k$ − 1"),
    (
        "for d_k = 64.",
        "for <i>d</i><sub><i>k</i></sub>\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}64.",
        "for $d_k = 64$.",
    ),
    ("the *last a*'s", "the <em>last a</em>&#x27;s", "the *last a*'s"),
    ("2 * 3 ** 4*x", "2 * 3 ** 4*x", "2 * 3 ** 4*x"),
    ("num_heads?", "<code>num_heads</code>?", "`num_heads`?"),
    ("np.log(np.exp(9.0)).", "<code>np.log(np.exp(9.0))</code>.", None),
    ("a < b & `c<d`", "a &lt; b &amp; <code>c&lt;d</code>", "a < b & `c<d`"),
]


@pytest.mark.parametrize(("text", "html", "markdown"), SET)
def test_formulas_and_code_in_running_words_are_set(text, html, markdown):
    if html is not None:
        assert as_html(text) == html
    if markdown is not None:
        assert as_markdown(text) == markdown


def authored(exercise):
    """Yield every text of an exercise that a panel or a page sets."""
    yield from (exercise.insight, *exercise.hints)
    for one in exercise.misconceptions:
        yield from (one.result, one.belief, one.question)
    for choice in exercise.choices.values():
        yield from (choice.text, choice.reason)


@pytest.mark.parametrize("exercise", every(), ids=lambda exercise: exercise.id)
def test_no_text_shows_a_raw_formula(exercise):
    for text in authored(exercise):
        words = re.sub(r"<code>.*?</code>", "", as_html(text))
        assert not set(words) & set("_^`"), words
        assert not re.search(r"\*\w", words), words
        words = re.sub(r"`[^`]*`|\$[^$]*\$", "", as_markdown(text))
        assert not set(words) & set("_^`$"), words


def test_what_the_learner_wrote_is_shown_as_it_is():
    raised = Verdict(ID, Outcome.RAISED, "", (("", "name 'p_i' is not defined"),))
    assert "name &#x27;p_i&#x27; is not defined" in raised._repr_html_()
    shown = Verdict(ID, Outcome.VALUES, "", (("Yours", "x_1"), ("", "x_2")))
    assert "x_1" in shown._repr_html_()
    assert "<i>x</i><sub>2</sub>" in shown._repr_html_()
    assert "<sub>" in Note("Hint", "Divide by d_k")._repr_html_()


def test_the_solution_of_a_choice_says_why_of_every_letter():
    exercise = next(one for one in every() if one.choices)
    solution(exercise.id)
    note = solution(exercise.id)
    for letter, choice in exercise.choices.items():
        head = f"({letter}) {'Right' if choice.right else 'Not right'}"
        assert f"{head}: {choice.reason}" in str(note)
        assert f"<strong>{head}.</strong>" in note._repr_html_()


def test_before_the_first_try_a_panel_repeats_nothing_of_the_prompt():
    exercise = find(ID)
    words = str(judge(exercise, ...))
    assert (
        words.split()
        == f"○ Not attempted {ID} If you are stuck: `hint('{ID}')`".split()
    )


def test_who_forgets_the_inner_parentheses_is_told_of_the_pairs():
    told = str(judge(find("ch03.shapes"), (7, 5, 7, 6)))
    assert "2 tuples of 2 numbers, in a tuple; you gave (7, 5, 7, 6)." in told


def test_what_a_call_changed_is_named():
    def shares_of(scores):
        scores -= scores.max()
        return np.exp(scores) / np.exp(scores).sum()

    told = judge(find(ID), shares_of)
    assert told.outcome is Outcome.CHANGED_INPUT
    assert "<code>scores</code>" in told._repr_html_()


def test_a_head_of_what_is_shown_as_it_is_ends_in_a_colon():
    sections = (("Yours", "x_1"), ("Look at this", "A question?"))
    panel = Verdict(ID, Outcome.VALUES, "", sections)._repr_html_()
    assert "<strong>Yours:</strong> x_1" in panel
    assert "<strong>Look at this.</strong> A question?" in panel
