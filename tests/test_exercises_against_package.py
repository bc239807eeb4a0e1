"""Each solution that a learner sees gives what the package's own function gives.

One row per exercise: its id, and what the package computes for the same arguments.
"""

import numpy as np
import pytest

import attention_course as ac
from attention_course.exercises._registry import find


def _jacobian(scores, temperature):
    """Nudge each score up and down through the package's softmax."""
    steps = 1e-6 * np.eye(scores.size)
    up = [ac.softmax(scores + h, temperature=temperature) for h in steps]
    down = [ac.softmax(scores - h, temperature=temperature) for h in steps]
    return (np.array(up) - np.array(down)).T / 2e-6


def _gradient(weights, gradient):
    """Nudge each score up and down, and add up what the loss does."""
    scores, result = np.log(weights), np.empty(weights.shape)
    for place in np.ndindex(weights.shape):
        h = np.zeros(weights.shape)
        h[place] = 1e-6
        moved = ac.softmax(scores + h) - ac.softmax(scores - h)
        result[place] = (moved * gradient).sum() / 2e-6
    return result


ROWS = [
    ("ch01.shares", ac.softmax),
    ("ch01.safe", lambda left, right: ac.softmax(np.concatenate([left, right]))),
    ("ch01.keepdims", ac.softmax),
    (
        "ch01.temperature",
        lambda scores, temperature: np.array(
            [
                ac.softmax(row, temperature=t)
                for row, t in zip(scores, temperature, strict=True)
            ]
        ),
    ),
    ("ch01.entropy", ac.entropy),
    ("ch01.jacobian", _jacobian),
    ("ch01.gradient", _gradient),
]


@pytest.mark.parametrize(("exercise_id", "package"), ROWS, ids=[row[0] for row in ROWS])
def test_a_solution_agrees_with_the_package(exercise_id, package):
    exercise = find(exercise_id)
    for case in exercise.cases():
        expected = package(*case.arguments)
        np.testing.assert_allclose(
            exercise.reference(*case.arguments),
            expected,
            rtol=1e-9,
            atol=1e-8,
            err_msg=case.label,
        )
