"""What the course says to its own answers; run by CPython and in the browser's Python.

Not a test: tests/test_live_parity.py runs it in both and compares.
"""

import sys
import time

import numpy as np

from attention_course.exercises._catalogue import single
from attention_course.exercises._judge import function_name, judge
from attention_course.exercises._registry import every


class WithoutTorch:
    """No browser has torch, so CPython does without it too."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, WithoutTorch)


def started(exercise):
    """Return what the starter cell defines."""
    namespace = {"np": np}
    exec(compile(exercise.starter, exercise.id, "exec"), namespace)
    return namespace[function_name(exercise)]


def answers(exercise):
    """Yield a name and an answer: the starter, the right one, each wrong one."""
    yield "starter", started(exercise)
    right = exercise.reference
    if exercise.choices:
        right = "".join(k for k, c in exercise.choices.items() if c.right)
        yield from ((f"({letter})", letter) for letter in exercise.choices)
    yield "reference", right
    for one in exercise.misconceptions:
        yield one.id, single(exercise, one) if exercise.is_code else one.wrong


def verdicts(step=1):
    """Return the verdict on every answer of each ``step``-th exercise."""
    found = {}
    for exercise in every()[::step]:
        for name, answer in answers(exercise):
            begin = time.perf_counter()
            verdict = judge(exercise, answer)
            found[f"{exercise.id} {name}"] = {
                "outcome": verdict.outcome.name,
                "misconceptions": list(verdict.misconceptions),
                "text": str(verdict),
                "html": verdict._repr_html_(),
                "seconds": round(time.perf_counter() - begin, 3),
            }
    return found
