"""Random sabotage: the operators do what they say, and the stored record is whole."""

import ast
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def scripts():
    """Import the scripts; they find each other as when they are run."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        names = ("_mutations", "mutants", "known_wrong")
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def mutations(scripts):
    return scripts["_mutations"]


def expressions(mutations, operator, expression):
    """Return what an operator makes of an expression."""
    source = f"def f(x, y, z):\n    a = {expression}\n    return a"
    found = [m for m in mutations.all_mutants(source) if m.operator == operator]
    return {m.after[4:] for m in found if m.after.startswith("a = ")}


@pytest.mark.parametrize(
    ("operator", "expression", "expected"),
    [
        ("swapped_operands", "x - y", {"y - x"}),
        ("swapped_operands", "x / y", {"y / x"}),
        ("swapped_operands", "x + y", set()),
        ("swapped_operands", "x @ y @ z", {"z @ (x @ y)", "y @ x @ z"}),
        ("other_operator", "x + y", {"x - y"}),
        ("other_operator", "x * y", {"x / y"}),
        ("other_operator", "x & y", {"x | y"}),
        ("dropped_term", "x * y", {"x", "y"}),
        ("dropped_term", "x and y", {"x", "y"}),
        ("dropped_sign", "-x", {"x"}),
        ("dropped_sign", "~x", {"x"}),
        ("dropped_sign", "not x", {"x"}),
        ("other_constant", "3", {"4", "0", "6", "-3"}),
        ("other_constant", "-1", {"0", "-2", "1"}),
        ("other_constant", "True", {"False"}),
        ("other_constant", "x.sum(keepdims=True)", {"x.sum(keepdims=False)"}),
        ("other_comparison", "x < 1", {"x <= 1", "x > 1", "x >= 1"}),
        ("other_comparison", "x == y", {"x != y"}),
        ("negated_condition", "y if x else z", {"y if not x else z"}),
        ("dropped_keyword", "x.sum(axis=1)", {"x.sum()"}),
        ("dropped_keyword", "x.sum(keepdims=True)", set()),
        ("swapped_arguments", "f(x, y)", {"f(y, x)"}),
        ("swapped_arguments", "(x, y)", {"(y, x)"}),
        ("swapped_arguments", "f(x, x)", set()),
        ("dropped_call", "np.exp(x)", {"x"}),
        ("dropped_call", "np.linalg.norm(x, axis=1)", {"x"}),
        ("dropped_call", "x.max(axis=1)", {"x"}),
        ("sibling_function", "np.sin(x)", {"np.cos(x)"}),
        ("sibling_function", "x.max()", {"x.min()"}),
        ("sibling_function", "np.zeros(3)", {"np.ones(3)"}),
        ("sibling_function", "max(x, y)", {"min(x, y)"}),
        ("other_transpose", "x.T", {"x"}),
        ("other_transpose", "x @ y", {"x.T @ y", "x @ y.T"}),
        (
            "shifted_slice",
            "x[y:z]",
            {"x[y + 1:z]", "x[:z]", "x[y:z - 1]", "x[y:]"},
        ),
        ("shifted_slice", "x[0::2]", {"x[0:]"}),
        ("other_name", "x.T", {"y.T"}),
    ],
)
def test_each_operator_makes_what_it_says(mutations, operator, expression, expected):
    assert expressions(mutations, operator, expression) == expected


@pytest.mark.parametrize(
    ("operator", "body", "expected"),
    [
        ("other_return", "return x", {"return y", "return z"}),
        ("other_operator", "x += y\n    return x", {"x -= y"}),
        ("negated_condition", "if x:\n        y = z\n    return y", {"if not x:"}),
        ("dropped_statement", "x += 1\n    return x", {"(dropped)"}),
        ("dropped_statement", "a = x\n    return a", set()),
        ("dropped_statement", "a = x\n    return x", {"(dropped)"}),
    ],
)
def test_operators_on_statements_make_what_they_say(
    mutations, operator, body, expected
):
    source = f"def f(x, y, z):\n    {body}"
    found = mutations.all_mutants(source)
    assert {m.after for m in found if m.operator == operator} == expected


def test_every_mutant_differs_from_the_others_and_can_be_compiled(mutations):
    source = (
        "def f(x, y):\n    z = np.exp(x[1:, None]) - y\n    return z / z.sum(axis=-1)"
    )
    found = mutations.all_mutants(source)
    assert len({m.source() for m in found}) == len(found) >= 20
    assert ast.unparse(ast.parse(source)) not in {m.source() for m in found}
    for mutant in found:
        assert mutant.compiled(np=np).__name__ == "f"
        assert mutant.before != mutant.after


def test_a_mutant_runs_as_it_reads(mutations):
    (mutant,) = (
        m
        for m in mutations.all_mutants("def f(x, y):\n    return x - y")
        if m.operator == "swapped_operands"
    )
    assert mutant.compiled()(5, 3) == -2


def test_a_long_function_gives_as_many_as_allowed_from_beginning_to_end(mutations):
    lines = "\n".join(f"    a{i} = x + {i + 3}" for i in range(20))
    source = f"def f(x):\n{lines}\n    return a19"
    some, every = mutations.mutants(source), mutations.all_mutants(source)
    assert len(some) == mutations.LIMIT < len(every)
    assert some[0].source() == every[0].source()
    assert some[-1].before == "return a19"


def stored(name):
    path = BENCHMARKS / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"]


def test_the_record_covers_every_exercise_with_code_as_it_is_now(scripts):
    rows = {row["exercise"]: row for row in stored("mutants")}
    exercises = scripts["mutants"].code_exercises()
    assert set(rows) == {e.id for e in exercises} | {"all"}
    for exercise in exercises:
        count = len(scripts["mutants"].mutants_of(exercise))
        assert rows[exercise.id]["mutants"] == count, (
            f"{exercise.id} has changed: run python benchmarks/mutants.py"
        )


def test_at_least_99_of_100_mutants_are_rejected():
    *rows, total = stored("mutants")
    for name in ("mutants", "equivalent", "rejected", "named", "survivors"):
        assert total[name] == sum(row[name] for row in rows)
    judged = total["mutants"] - total["equivalent"]
    assert total["rejected"] / judged >= 0.99
    assert total["rejected"] + total["survivors"] == judged
    assert total["rate"] == pytest.approx(total["rejected"] / judged, abs=1e-4)


def test_every_mutant_left_out_still_exists_and_has_a_reason(scripts):
    listed = scripts["mutants"].equivalents()
    alive = {
        (exercise.id, mutant.before, mutant.after)
        for exercise in scripts["mutants"].code_exercises()
        for mutant in scripts["mutants"].mutants_of(exercise)
    }
    assert not set(listed) - alive, "these are mutants no longer"
    assert all(len(reason) > 20 for reason in listed.values())
    counts = {row["exercise"]: row["equivalent"] for row in stored("mutants")}
    assert counts["all"] == len(listed), "two mutants share one entry, or one is stale"


def test_a_mutant_listed_as_the_same_is_told_when_it_is_rejected(scripts):
    module = scripts["mutants"]
    exercise = next(e for e in module.code_exercises() if e.id == "ch01.keepdims")
    mutant = next(
        m for m in module.mutants_of(exercise) if m.after == "return exponentials"
    )
    key = (exercise.id, mutant.before, mutant.after)
    result = module.tally(exercise, {key: "claimed, and not true"})
    assert key in result.mistaken
    assert result.row()["equivalent"] == 0
    assert result.row()["survivors"] > 0, "nothing else is listed here"


def test_the_usual_wrong_versions_are_rejected_and_none_is_misnamed(scripts):
    rows = scripts["known_wrong"].measure()
    assert rows == stored("known_wrong"), "run python benchmarks/known_wrong.py"
    assert len(rows) >= 70
    for row in rows:
        assert row["rejected"], row
        assert row["named"] != "wrongly", row
