"""The example of CONTRIBUTING is a whole exercise, and passes the proof."""

import re
from pathlib import Path

import pytest
import test_exercises as proof

from attention_course.exercises import _registry

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8")


@pytest.fixture
def example(tmp_path, monkeypatch):
    """Return the exercise that CONTRIBUTING prints, as if it were in its chapter."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "example.py"  # a real file: solutions are read from it
    file.write_text(code, encoding="utf-8")
    namespace = {"__name__": "example"}
    exec(compile(code, str(file), "exec"), namespace)
    find = _registry.find
    exercise = namespace["winner"]

    def found(exercise_id):
        return exercise if exercise_id == exercise.id else find(exercise_id)

    monkeypatch.setattr(_registry, "find", found)
    return exercise


def test_the_example_passes_the_whole_proof(example):
    proof.test_the_starter_is_not_attempted(example)
    proof.test_the_reference_is_correct(example)
    for variant in example.variants:
        proof.test_every_accepted_variant_is_correct(example, variant)
    for misconception in example.misconceptions:
        proof.test_every_misconception_gets_its_own_diagnosis(example, misconception)
    proof.test_pairs_of_faults_get_both_names(example)
    proof.test_no_two_diagnoses_are_possible_for_one_answer(example)
    proof.test_every_fault_is_far_from_right(example)
    proof.test_the_reference_with_noise_is_wrong_but_not_diagnosed(example)
    proof.test_no_hint_gives_a_whole_statement_of_the_solution_away(example)
    proof.test_an_exercise_is_complete(example)
    proof.test_a_diagnosis_speaks_plainly(example)


def test_commands_and_files_that_are_named_exist():
    root = Path(__file__).parent.parent
    for name in re.findall(r"`((?:tools|tests|book|benchmarks)/[\w./-]+\.\w+)`", TEXT):
        assert (root / name).exists(), name
    targets = re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.M)
    for target in re.findall(r"`make ([a-z]+)`", TEXT):
        assert target in targets, target
