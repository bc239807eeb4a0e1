"""The proof, generated from the registry: nothing to write per exercise."""

import ast
import inspect
import json
import re
import subprocess
import sys
import textwrap
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from attention_course.exercises import solution_code
from attention_course.exercises._catalogue import catalogue, right_outputs, single
from attention_course.exercises._compare import distance
from attention_course.exercises._judge import function_name, judge
from attention_course.exercises._model import KINDS
from attention_course.exercises._registry import chapters, every
from attention_course.exercises._verdict import Outcome

EXERCISES = {exercise.id: exercise for exercise in every()}
CODE = [e for e in EXERCISES.values() if e.is_code]
WITH_MISCONCEPTIONS = [
    pytest.param(e, m, id=f"{e.id}-{m.id}")
    for e in EXERCISES.values()
    for m in e.misconceptions
]
VARIANTS = [
    pytest.param(e, v, id=f"{e.id}-{i}")
    for e in EXERCISES.values()
    for i, v in enumerate(e.variants)
]
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"

each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())
each_code = pytest.mark.parametrize("exercise", CODE, ids=[e.id for e in CODE])


def started(exercise):
    """Run the starter cell as handed out; return what it defines."""
    namespace = {"np": np}
    exec(compile(exercise.starter, exercise.id, "exec"), namespace)
    return namespace[function_name(exercise)]


def handed_in(exercise):
    """Return the right answer in the form in which a learner passes it."""
    if exercise.choices:
        return "".join(k for k, c in exercise.choices.items() if c.right)
    return exercise.reference


@each
def test_the_line_that_a_starter_asks_to_replace_fits_a_phone(exercise):
    asks = [s for s in exercise.starter.split("\n") if "NotImplementedError" in s]
    assert all(len(line) <= 42 for line in asks)  # what 390 pixels show


@each
def test_the_starter_is_not_attempted(exercise):
    assert judge(exercise, started(exercise)).outcome is Outcome.NOT_ATTEMPTED


@each
def test_the_reference_is_correct(exercise):
    verdict = judge(exercise, handed_in(exercise))
    assert verdict.outcome is Outcome.CORRECT, str(verdict)
    assert "could be better" not in str(verdict), "the reference deserves no remark"


@pytest.mark.parametrize(("exercise", "variant"), VARIANTS)
def test_every_accepted_variant_is_correct(exercise, variant):
    verdict = judge(exercise, variant)
    assert verdict.outcome is Outcome.CORRECT, str(verdict)


@pytest.mark.parametrize(("exercise", "misconception"), WITH_MISCONCEPTIONS)
def test_every_misconception_gets_its_own_diagnosis(exercise, misconception):
    wrong = single(exercise, misconception) if exercise.is_code else misconception.wrong
    verdict = judge(exercise, wrong)
    assert verdict.outcome is Outcome.DIAGNOSED, str(verdict)
    assert verdict.misconceptions == (misconception.id,), str(verdict)


@each_code
def test_pairs_of_faults_get_both_names(exercise):
    for wrong in catalogue(exercise.id)[0]:
        if len(wrong.misconceptions) == 2:
            verdict = judge(exercise, wrong.answer)
            names = {m.id for m in wrong.misconceptions}
            assert verdict.outcome is Outcome.DIAGNOSED, str(verdict)
            assert set(verdict.misconceptions) == names, str(verdict)


@each_code
def test_no_two_diagnoses_are_possible_for_one_answer(exercise):
    wrongs, _ = catalogue(exercise.id)
    for i, one in enumerate(wrongs):
        for other in wrongs[:i]:
            if len(one.outputs) != len(other.outputs):
                continue  # one of them raises an error that the other does not
            apart = max(map(distance, one.outputs, other.outputs))
            names = [[m.id for m in w.misconceptions] for w in (one, other)]
            assert apart > exercise.tolerance, f"{names} cannot be told apart"


@each_code
def test_every_fault_is_far_from_right(exercise):
    right = right_outputs(exercise.id)
    for wrong in catalogue(exercise.id)[0]:
        # If it raises, the cases before must show what is wrong: hence the default.
        apart = max(map(distance, wrong.outputs, right), default=0.0)
        assert apart > 1e3 * exercise.tolerance or apart > 0.02, wrong.misconceptions


@each_code
def test_a_fault_handed_out_is_in_the_catalogue(exercise):
    if exercise.kind != "debug":
        pytest.skip("only an exercise to debug hands out an answer")
    verdict = judge(exercise, partial(started(exercise)))
    assert verdict.outcome is Outcome.DIAGNOSED, str(verdict)
    assert len(verdict.misconceptions) >= 1


def _noisy(function, *arguments):
    rng = np.random.default_rng(0)

    def shaken(value):
        if isinstance(value, tuple):
            return tuple(shaken(part) for part in value)
        array = np.asarray(value)
        if array.dtype.kind == "b":
            flipped = array.copy()
            flipped.flat[:1] = ~flipped.flat[:1]
            return flipped
        if array.dtype.kind in "iu":
            return array + 1_000_003
        return array + 1e-3 * (1 + np.abs(array)) * rng.standard_normal(array.shape)

    return shaken(function(*arguments))


def _named_like(function, wrapper):
    wrapper.__signature__ = inspect.signature(function)
    return wrapper


@each_code
def test_the_reference_with_noise_is_wrong_but_not_diagnosed(exercise):
    if exercise.kind == "design":
        pytest.skip("a design is judged by what it does; noise may do it as well")
    noisy = _named_like(exercise.reference, partial(_noisy, exercise.reference))
    verdict = judge(exercise, noisy)
    assert verdict.outcome in (Outcome.VALUES, Outcome.PROPERTY), str(verdict)


@each
def test_no_hint_gives_a_whole_statement_of_the_solution_away(exercise):
    if not exercise.is_code:
        return
    source = textwrap.dedent(inspect.getsource(exercise.reference))
    statements = {
        ast.unparse(node).replace(" ", "")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Assign, ast.Return, ast.AugAssign))
    }
    for text in (*exercise.hints, *(m.question for m in exercise.misconceptions)):
        packed = text.replace(" ", "").replace("`", "")
        given = [s for s in statements if len(s) > 12 and s in packed]
        assert not given, f"{given} stands in: {text}"


@each
def test_an_exercise_is_complete(exercise):
    assert exercise.kind in KINDS
    assert re.fullmatch(r"ch\d\d\.[a-z0-9-]+", exercise.id)
    assert 1 <= exercise.difficulty <= 5
    assert 1 <= exercise.minutes <= 45
    assert len(exercise.hints) >= 3
    assert all(len(hint) > 20 for hint in exercise.hints)
    assert len(exercise.prompt) > 40
    assert len(exercise.insight) > 40
    assert f"`{function_name(exercise)}" in exercise.prompt
    assert bool(solution_code(exercise)) != bool(exercise.choices)
    if exercise.is_code:
        assert len(exercise.misconceptions) >= 4
        assert len(exercise.variants) >= 2
        assert len(exercise.cases()) >= 2
        assert function_name(exercise) == exercise.reference.__name__
    elif not exercise.choices:
        assert len(exercise.misconceptions) >= 2


@each
def test_a_diagnosis_speaks_plainly(exercise):
    ids = [m.id for m in exercise.misconceptions]
    assert len(set(ids)) == len(ids)
    for one in exercise.misconceptions:
        assert re.fullmatch(r"[a-z0-9-]+", one.id)
        for text in (one.result, one.belief, one.question):
            assert len(text) > 15
            assert text[-1] in ".?!)", text
        assert not re.search(r"\b(simply|just|obviously|of course)\b", one.result)


@each
def test_choices_do_not_betray_the_right_one(exercise):
    if not exercise.choices:
        return
    lengths = {k: len(c.text) for k, c in exercise.choices.items()}
    assert max(lengths.values()) <= 1.8 * min(lengths.values()), lengths
    assert all(len(c.reason) > 30 for c in exercise.choices.values())
    assert any(c.right for c in exercise.choices.values())
    assert list(exercise.choices) == list("abcdefgh"[: len(exercise.choices)])


def test_the_right_choices_are_spread_over_positions_and_lengths():
    questions = [e for e in EXERCISES.values() if e.choices]
    firsts = [next(k for k, c in e.choices.items() if c.right) for e in questions]
    longest = [
        max(e.choices, key=lambda k: len(e.choices[k].text)) in handed_in(e)
        for e in questions
    ]
    assert max(map(firsts.count, firsts)) <= max(2, 0.5 * len(questions)), firsts
    assert sum(longest) <= max(2, 0.6 * len(questions)), longest


def test_ids_begin_with_their_chapter_and_are_unique():
    for slug in chapters():
        for exercise in every():
            if exercise.id.startswith(f"{slug[:4]}."):
                break
        else:
            pytest.fail(f"{slug} has no exercise")
    assert len({e.id for e in every()}) == len(every())


def test_inputs_are_the_same_on_every_call():
    for exercise in CODE:
        for one, other in zip(exercise.cases(), exercise.cases(), strict=True):
            np.testing.assert_equal(one.arguments, other.arguments)


def _cells():
    for path in sorted(NOTEBOOKS.glob("ch*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            yield path.stem, cell, "".join(cell["source"])


@each
def test_an_exercise_stands_once_in_its_notebook_with_its_prompt_and_starter(exercise):
    call = f'check("{exercise.id}", {function_name(exercise)})'
    cells = list(_cells())
    at = [i for i, (_, c, text) in enumerate(cells) if call == text.strip()]
    assert len(at) == 1, f"{call} stands in {len(at)} cells"
    slug, cell, _ = cells[at[0]]
    assert slug.startswith(exercise.id[:4])
    assert "check" in cell["metadata"].get("tags", [])
    assert cells[at[0] - 1][2].strip() == exercise.starter.strip()
    assert "exercise" in cells[at[0] - 1][1]["metadata"].get("tags", [])
    assert exercise.prompt.strip() in cells[at[0] - 2][2]


def _names_used_by_the_author(slug):
    """Return all names in the chapter's own code cells."""
    names = set()
    for stem, cell, text in _cells():
        ours = {"exercise", "check"} & set(cell["metadata"].get("tags", []))
        if stem[:4] != slug[:4] or cell["cell_type"] != "code" or ours:
            continue
        names |= {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
        names |= {n.name for n in ast.walk(ast.parse(text)) if hasattr(n, "name")}
    return names


@pytest.mark.parametrize("slug", chapters())
def test_a_starter_takes_no_name_that_the_chapter_uses(slug):
    names = [function_name(e) for e in EXERCISES.values() if e.id[:4] == slug[:4]]
    assert len(set(names)) == len(names), "two exercises define the same name"
    taken = sorted(set(names) & _names_used_by_the_author(slug))
    assert not taken, f"{taken}: solving these would break cells further down"


def test_the_course_has_enough_of_everything():
    misconceptions = sum(len(e.misconceptions) for e in every())
    assert len([e for e in every() if not e.id.startswith("ch00")]) >= 40
    assert misconceptions >= 220
    for slug in chapters()[1:]:
        assert len([e for e in every() if e.id[:4] == slug[:4]]) >= 5, slug
    assert {e.kind for e in every()} == set(KINDS)


def test_letters_are_read_whatever_stands_between_them():
    exercise = EXERCISES["ch01.who-competes"]
    for answer in ("bc", "c, b", "b and c", "(b), (c)", ["b", "c"], {"c", "b"}, "B C"):
        assert judge(exercise, answer).outcome is Outcome.CORRECT, answer
    assert "no z" in str(judge(exercise, "b z"))


def test_a_fraction_is_a_number():
    shares = (Fraction(3, 4), 0, Fraction(1, 4))
    assert judge(EXERCISES["ch01.no-share"], shares).outcome is Outcome.CORRECT


def test_a_fault_that_ends_in_an_error_is_named_with_the_error():
    def softmax_rows(scores):
        raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return raised / raised.sum(axis=-1)

    verdict = judge(EXERCISES["ch01.keepdims"], softmax_rows)
    assert verdict.misconceptions == ("sum-without-its-axis",)
    assert "could not be broadcast" in str(verdict)


def test_an_error_alone_is_no_evidence_of_a_fault():
    def softmax_rows(scores):
        if scores.shape != (2, 2):
            raise ValueError("something else")
        return EXERCISES["ch01.keepdims"].reference(scores)

    verdict = judge(EXERCISES["ch01.keepdims"], softmax_rows)
    assert verdict.outcome is Outcome.RAISED
    assert "something else" in str(verdict)


def test_the_values_of_a_fault_with_another_error_are_no_evidence_either():
    def softmax_rows(scores):
        raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
        if scores.shape != (2, 2):
            raise KeyError("something else")
        return raised / raised.sum(axis=-1)

    verdict = judge(EXERCISES["ch01.keepdims"], softmax_rows)
    assert verdict.outcome is Outcome.RAISED, str(verdict)


def test_the_error_shown_is_that_of_the_library_in_use():
    torch = pytest.importorskip("torch")

    def shares(scores):
        return torch.softmax(scores, dim=1)

    verdict = judge(EXERCISES["ch01.shares"], shares)
    assert "Dimension out of range" in str(verdict)
    assert "numpy.ndarray" not in str(verdict)


WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "platformdirs"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
from attention_course.exercises._judge import judge
from attention_course.exercises._registry import every

for exercise in every():
    right = "".join(k for k, c in exercise.choices.items() if c.right)
    if "numpy" in exercise.libraries:
        verdict = judge(exercise, right or exercise.reference)
        assert verdict.is_correct, verdict
print(len(every()))
"""


def test_the_exercises_work_without_torch():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        capture_output=True,
        text=True,
        cwd=NOTEBOOKS.parent,
    )
    assert done.stdout.strip() == str(len(every())), done.stderr
