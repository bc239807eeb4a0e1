"""Exercises of chapter 1: how do scores become shares?"""

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Remark
from ._properties import in_words, not_negative, sums_to_one


def _scores() -> list[Case]:
    rng = np.random.default_rng(1)
    return [
        Case("three scores", (np.array([2.0, 1.0, 0.1]),)),
        Case("five scores, some negative", (rng.normal(0.0, 2.0, 5),)),
        Case("two equal scores", (np.array([0.7, 0.7]),)),
    ]


def shares(scores):
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def _shares_with(scores, *, base=np.e, divide="sum", transform="exp", order=1):
    raised = base**scores if transform == "exp" else np.abs(scores)
    by = {"sum": raised.sum(), "max": raised.max(), "norm": np.linalg.norm(raised)}
    return raised / by[divide]


def _overflows(answer):
    return not np.isfinite(answer(np.array([1000.0, 999.0]))).all()


softmax_by_hand = Exercise(
    id="ch01.shares",
    title="From scores to shares",
    kind="implement",
    minutes=5,
    difficulty=1,
    section="ch01-by-hand",
    prompt="Write `shares(scores)`: the softmax of one row of scores, shape `(n,)`, "
    "result `(n,)`. Use NumPy's `exp` and no softmax of any library.",
    starter='def shares(scores):\n    raise NotImplementedError("your code here")',
    reference=shares,
    cases=_scores,
    switched=_shares_with,
    misconceptions=(
        Misconception(
            "divides-by-largest",
            "Your largest share is 1: you divided by the largest exponential.",
            "A share compares an entry with the best one.",
            "Add up your shares for [0.7, 0.7]. What should a whole be?",
            switch={"divide": "max"},
        ),
        Misconception(
            "divides-by-length",
            "The squares of your shares add up to 1: you divided by the length.",
            "Normalising means length 1, as for a vector.",
            "What do the shares of [0.7, 0.7] add up to, and what is half and half?",
            switch={"divide": "norm"},
        ),
        Misconception(
            "base-two",
            "Your shares are powers of 2 in proportion: you raised 2, not e.",
            "Any base does, so it does not matter which.",
            "What base turns a difference of 1 into a factor of 2.718?",
            switch={"base": 2.0},
        ),
        Misconception(
            "no-exponential",
            "Your shares are proportional to the sizes of the scores.",
            "Dividing by the sum is enough to get shares.",
            "What share does the score -2 get, and what does it get beside a score 2?",
            switch={"transform": "none"},
        ),
    ),
    variants=(
        lambda scores: np.exp(scores) / np.sum(np.exp(scores)),
        lambda scores: [float(x) for x in shares(scores)],
        lambda scores: shares(scores.astype(np.float32)),
        lambda scores: 1 / np.exp(scores[None, :] - scores[:, None]).sum(1),
    ),
    properties=(in_words("the shares", not_negative), in_words("the shares", sums_to_one)),
    remarks=(
        Remark(
            "Scores of 1000 give NaN, since exp overflows. Subtract the largest score "
            "first: the shares stay the same.",
            _overflows,
        ),
    ),
    hints=(
        "Which two things must shares have, whatever the scores are?",
        "Exponentials are positive. What do you divide them by to make a whole of 1?",
        "Compute all exponentials into one array; its total divides every entry.",
    ),
    insight="Only differences of scores count: e^(s+c) = e^s e^c, and e^c cancels.",
)
