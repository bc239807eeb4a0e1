"""Exercises of chapter 1, how scores become shares."""

# mypy: allow-untyped-defs

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property, Remark
from ._properties import (
    in_words,
    not_negative,
    not_positive,
    sums_to_one,
    sums_to_zero,
)

SHARES = (in_words("the shares", not_negative), in_words("the shares", sums_to_one))
UNEQUAL = (ValueError, RuntimeError)  # shapes that do not fit: NumPy's, torch's


def _softmax(scores, axis=-1):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


# --- by hand -----------------------------------------------------------------------


def _rows():
    rng = np.random.default_rng(1)
    return [
        Case("three scores", (np.array([2.0, 1.0, 0.1]),)),
        Case("five scores, some negative", (rng.normal(0.0, 2.0, 5),)),
        Case("two equal scores", (np.array([0.7, 0.7]),)),
    ]


def shares_of(scores):
    exponentials = np.exp(scores)
    return exponentials / exponentials.sum()


def _shares_with(scores, *, base=np.e, transform="exp", divide="sum"):
    raised = {
        "exp": base**scores,
        "none": scores,
        "sign": np.exp(-scores),
        "logistic": 1 / (1 + np.exp(-scores)),
    }[transform]
    by = {
        "sum": raised.sum(),
        "largest": raised.max(),
        "length": np.linalg.norm(raised),
        "scores": scores.sum(),
        "nothing": 1.0,
    }
    return raised / by[divide]


def _shares_in_torch(scores):
    import torch

    return torch.softmax(scores, dim=0)


by_hand = Exercise(
    id="ch01.shares",
    title="From scores to shares",
    kind="implement",
    minutes=5,
    difficulty=1,
    section="ch01-by-hand",
    prompt="Write `shares_of(scores)`: the softmax of one row of scores, shape `(n,)`, "
    "result `(n,)`. Use an exponential function and no ready-made softmax.",
    starter='def shares_of(scores):\n    raise NotImplementedError("your code")',
    reference=shares_of,
    cases=_rows,
    switched=_shares_with,
    misconceptions=(
        Misconception(
            "not-divided",
            "Your numbers are positive and in the right proportion, and their sum is "
            "not 1: they are not divided by their total.",
            "An exponential is already a share.",
            "Add up what you return for [0.7, 0.7]. What should a whole be?",
            switch={"divide": "nothing"},
        ),
        Misconception(
            "divided-by-scores",
            "You divided by the sum of the scores.",
            "The total is that of the numbers you began with.",
            "The parts of a whole add up to it. Which numbers are the parts here?",
            switch={"divide": "scores"},
        ),
        Misconception(
            "divided-by-largest",
            "Your largest share is 1: you divided by the largest entry.",
            "A share compares an entry with the best one.",
            "Add up your shares for [0.7, 0.7]. What should a whole be?",
            switch={"divide": "largest"},
        ),
        Misconception(
            "divided-by-length",
            "The squares of your shares add up to 1: you divided by the length.",
            "Normalising means length 1, as for a vector.",
            "What do the shares of [0.7, 0.7] add up to, and what is half and half?",
            switch={"divide": "length"},
        ),
        Misconception(
            "no-exponential",
            "You worked with the scores themselves; no exponential was taken.",
            "Dividing by the sum is enough to get shares.",
            "What share does the score −2 get beside a score of 3?",
            switch={"transform": "none"},
        ),
        Misconception(
            "base-two",
            "One point more doubles a share's ratio to any other: you raised 2, not e.",
            "Any base does, so it does not matter which.",
            "What base turns a difference of 1 into a factor of 2.718?",
            switch={"base": 2.0},
        ),
        Misconception(
            "sign-turned",
            "Your largest share belongs to the lowest score.",
            "The exponent has a minus, as in many formulas with e.",
            "Which of the scores 2.0, 1.0 and 0.1 should get most?",
            switch={"transform": "sign"},
        ),
        Misconception(
            "logistic",
            "Each score went through 1 / (1 + e^-s) on its own.",
            "Any function that squeezes scores between 0 and 1 gives shares.",
            "For scores 2 and 1, what is the ratio of your two shares, and what is e?",
            switch={"transform": "logistic"},
        ),
    ),
    variants=(
        lambda scores: _softmax(scores),
        lambda scores: np.exp(scores) / np.sum(np.exp(scores)),
        lambda scores: [float(x) for x in shares_of(scores)],
        lambda scores: shares_of(scores.astype(np.float32)),
        lambda scores: 1 / np.exp(scores[None, :] - scores[:, None]).sum(1),
        _shares_in_torch,
    ),
    properties=SHARES,
    hints=(
        "Which two things must shares have, whatever the scores are?",
        "Exponentials are positive. What do you divide them by to make a whole of 1?",
        "Compute all exponentials into one array; its total divides every entry.",
    ),
    insight="Exponentials are positive and keep the order; divided by their sum they "
    "are shares. A score of 1000 overflows here; the next section repairs that, since "
    "only differences of scores count: e^(s+c) = e^s e^c, and e^c cancels.",
)


# --- only differences count --------------------------------------------------------

ratio = Exercise(
    id="ch01.ratio",
    title="Two of many",
    kind="predict",
    minutes=3,
    difficulty=2,
    section="ch01-differences",
    prompt="A row has 100 scores. One of them is 5, another is 3; the others are not "
    "known. Set `ch01_predict_ratio` to the number that says how many times as large "
    "the share of the 5 is as the share of the 3.",
    starter="ch01_predict_ratio = ...",
    reference=7.389,
    tolerance=0.06,
    misconceptions=(
        Misconception(
            "ratio-of-scores",
            "Your answer is 5 / 3, the ratio of the scores.",
            "Shares are proportional to scores.",
            "What would your rule say for the scores 2 and 0, or 1 and −1?",
            wrong=5 / 3,
        ),
        Misconception(
            "the-difference",
            "Your answer is the difference of the scores.",
            "Two points more means twice as much.",
            "What is the ratio if the two scores are equal, and what is the "
            "difference?",
            wrong=2.0,
        ),
        Misconception(
            "base-two",
            "Your answer is 2 to the power of the difference.",
            "Each point doubles a share.",
            "Which number is raised to the score in a softmax?",
            wrong=4.0,
        ),
        Misconception(
            "share-of-two",
            "Your answer, 0.88, is the share of the 5 if these two were alone.",
            "A ratio is asked for, so the part in the whole of the two.",
            "How many times as large as 0.12 is 0.88?",
            wrong=float(1 / (1 + np.exp(-2.0))),
        ),
        Misconception(
            "upside-down",
            "Your answer is the share of the 3 divided by that of the 5.",
            "The order of the two does not matter.",
            "Which of the two is the larger one?",
            wrong=float(np.exp(-2.0)),
        ),
        Misconception(
            "power-of-quotient",
            "Your answer is e to the power of 5 / 3.",
            "Dividing powers divides their exponents.",
            "What is e^5 / e^3, written out as a product of e's?",
            wrong=float(np.exp(5 / 3)),
        ),
    ),
    hints=(
        "Do the 98 unknown scores matter?",
        "Write both shares as fractions. What do they have in common?",
        "The denominator cancels; e^5 divided by e^3 is left.",
    ),
    insight="e^5 / e^3 = e^2 = 7.389: the denominator of the two shares is the same "
    "and cancels. The other 98 scores change both shares by the same factor. One more "
    "word in the row never changes who is ahead of whom, as long as the scores of the "
    "others stay.",
)


def _two_parts():
    # Multiples of one half: exact in float32, too, however large.
    return [
        Case("two scores and one", (np.array([1.0, 0.5]), np.array([2.0]))),
        Case("around 1000", (np.array([1000.0, 999.5]), np.array([998, 1001, 999.0]))),
        Case("a low part", (np.array([-1000.0, -1001.5]), np.array([900, 899, 898.5]))),
        Case(
            "all below −990",
            (np.array([-998, -999.5, -1000]), np.array([-999, -998.5])),
        ),
        Case("a high part", (np.array([900.0, 899.5]), np.array([-1e3, -998, -999.5]))),
        Case(
            "far apart", (np.array([-3000, 20000.0]), np.array([20001, 19998.5, 0.0]))
        ),
    ]


def shares_of_both(left, right):
    scores = np.concatenate([left, right])
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum()


def _moved(scores, shift):
    by = {
        "largest": scores.max(),
        "none": 0.0,
        "mean": scores.mean(),
        "size": np.abs(scores).max(),
        "lowest": scores.min(),
    }
    if shift == "clip":
        return np.clip(scores, -700, 700)
    if shift == "quotient":
        return scores / np.abs(scores).max()
    return scores - by[shift]


def _joined(left, right, *, shift="largest", whole="one"):
    joined = np.concatenate([left, right])
    if whole != "one":  # each part has its own shift, so "own" and "left" say nothing
        shift = "largest" if shift in ("own", "left") else shift
        raised = [np.exp(_moved(part, shift)) for part in (left, right)]
        wholes = np.concatenate([part / part.sum() for part in raised])
        return wholes / 2 if whole == "halves" else wholes
    if shift == "own":
        moved = np.concatenate([left - left.max(), right - right.max()])
    else:
        moved = joined - left.max() if shift == "left" else _moved(joined, shift)
    return np.exp(moved) / np.exp(moved).sum()


def _both_with_log(left, right):
    highest = max(left.max(), right.max())
    total = np.exp(left - highest).sum() + np.exp(right - highest).sum()
    return np.exp(np.r_[left, right] - highest - np.log(total))


def _both_rescaled(left, right):
    a, b = np.exp(left - left.max()), np.exp(right - right.max())
    gap = right.max() - left.max()
    a, b = (a * np.exp(-gap), b) if gap > 0 else (a, b * np.exp(gap))
    return np.append(a, b) / (a.sum() + b.sum())


def _both_in_torch(left, right):
    import torch

    return torch.softmax(torch.cat([left, right]), dim=0)


both = Exercise(
    id="ch01.safe",
    title="A softmax that never overflows",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch01-differences",
    prompt="A row of scores arrives in two parts, `left` of shape `(n,)` and `right` "
    "of "
    "shape `(m,)`. Write `shares_of_both(left, right)`: the shares of all `n + m` "
    "scores in one softmax, shape `(n + m,)`, left part first. A score may be as large "
    "as 20,000 or as small as −20,000.",
    starter="def shares_of_both(left, right):\n"
    '    raise NotImplementedError("your code")',
    reference=shares_of_both,
    cases=_two_parts,
    switched=_joined,
    misconceptions=(
        Misconception(
            "no-shift",
            "The small scores come out right, and those around 1000 give NaN: the "
            "exponentials overflow.",
            "Mathematics does not change with the size of the numbers.",
            "What does np.exp(1000.0) print, and what is that divided by itself?",
            switch={"shift": "none"},
        ),
        Misconception(
            "shifts-by-mean",
            "It works until one score lies more than 709 above the mean: then NaN.",
            "Centred numbers are small numbers.",
            "Which exponent is the largest one that you compute for [0, 0, 0, 4000]?",
            switch={"shift": "mean"},
        ),
        Misconception(
            "shifts-by-size",
            "It works for positive scores; where all are near −1000, every exponential "
            "becomes 0, and you divide 0 by 0.",
            "The number to subtract is the one that is largest in size.",
            "For scores of −1000 and −999, which number do you subtract, and what is "
            "left?",
            switch={"shift": "size"},
        ),
        Misconception(
            "shifts-by-left",
            "It works until the right part lies far above the left one: then NaN.",
            "The largest score of the first part serves for both.",
            "Which exponent is computed for the right part if left is 0 and right "
            "1000?",
            switch={"shift": "left"},
        ),
        Misconception(
            "shifts-by-lowest",
            "It works until two scores lie more than 709 apart: then NaN.",
            "Any common shift does, since the shares stay the same.",
            "On paper any does. Which one makes sure that no exponent is above 0?",
            switch={"shift": "lowest"},
        ),
        Misconception(
            "each-part-its-own-shift",
            "Within each part the ratios are right, between the parts they are not: "
            "each part was lowered by its own largest score.",
            "A shift changes nothing, so each part may have its own.",
            "Try `left = [0.0]` and `right = [1.0]`. What do you get, and which is "
            "higher?",
            switch={"shift": "own"},
        ),
        Misconception(
            "two-wholes",
            "Your result adds up to 2: each part was shared out by itself.",
            "The softmax of a joined row is the two softmaxes, joined.",
            "What happens to a share of the left part when right grows by 5?",
            switch={"whole": "two"},
        ),
        Misconception(
            "half-each",
            "The left part gets one half in all, whatever the scores are.",
            "Two parts share out the whole evenly.",
            "Try `left = [0.0]` and `right = [5.0]`. Should they get the same?",
            switch={"whole": "halves"},
        ),
        Misconception(
            "clipped",
            "Nothing overflows, and scores beyond 700 became equal.",
            "Cutting off what is too large keeps the order.",
            "Which shares should 1000 and 999.5 have, and which do they get?",
            switch={"shift": "clip"},
        ),
        Misconception(
            "divides-by-largest",
            "Nothing overflows, and the shares are far too even: the scores were "
            "divided by the largest size among them.",
            "Scaling brings numbers into range as well as shifting does.",
            "What happens to the *difference* of two scores when both are divided?",
            switch={"shift": "quotient"},
        ),
    ),
    variants=(
        _both_with_log,
        _both_rescaled,
        _both_in_torch,
        lambda left, right: shares_of_both(np.float32(left), np.float32(right)),
    ),
    properties=SHARES,
    hints=(
        "Which exponent may safely be the largest one of all?",
        "You may subtract any number, as long as it is the same for all n + m scores.",
        "Join both parts first; then the largest of the joined row is to become 0.",
    ),
    insight="The two parts share one shift, the largest score of all: no exponent is "
    "then above 0. Attention over long texts need not hold the whole row at once: it "
    "can keep the largest score so far and the total so far, and multiply the total by "
    "e^(old − new) when a larger score arrives.",
)


def _one_row():
    return [
        Case("three scores", (np.array([2.0, 1.0, 0.0]),)),
        Case("one far below", (np.array([0.5, -800.0, 1.5, 1.0]),)),
        Case("around 1000", (np.array([1000.0, 998.5, 1000.5, 999.0, 996.0]),)),
        Case("two below −900", (np.array([-900.5, -902.0]),)),
    ]


def log_shares(scores):
    lowered = scores - scores.max()
    return lowered - np.log(np.exp(lowered).sum())


def _log_with(scores, *, way="stable", base=1.0, sign=1.0):
    lowered = scores - scores.max()
    result = {
        "stable": log_shares(scores),
        "after": np.log(_softmax(scores)),
        "overflows": scores - np.log(np.exp(scores).sum()),
        "shift-lost": scores - np.log(np.exp(lowered).sum()),
        "total-as-is": lowered - np.exp(lowered).sum(),
        "no-total": lowered,
        "no-log": _softmax(scores),
    }[way]
    return sign * result / base


def _log_in_torch(scores):
    import torch

    return torch.log_softmax(scores, dim=-1)


def _differences_of_scores(result, scores):
    if np.allclose(result - result.max(), scores - scores.max(), atol=1e-3):
        return None
    return (
        "The difference of two logarithms of shares should be the difference of their "
        "scores, since ln(p/q) = s − t. Here it is not."
    )


log_softmax = Exercise(
    id="ch01.log-shares",
    title="The logarithm of a share",
    kind="implement",
    minutes=8,
    difficulty=3,
    section="ch01-differences",
    prompt="Training needs logarithms of shares, and small ones matter most. Write "
    "`log_shares(scores)`: the natural logarithm of each share of one row, shape "
    "`(n,)`, "
    "result `(n,)`, finite for every finite score. For the scores 0 and $-800$ the "
    "second result is $-800$, although a share of $e^{-800}$ is stored as 0.",
    starter='def log_shares(scores):\n    raise NotImplementedError("your code")',
    reference=log_shares,
    cases=_one_row,
    switched=_log_with,
    misconceptions=(
        Misconception(
            "log-after-softmax",
            "Where a share is too small to be stored, your result is minus infinity: "
            "you took the logarithm of the finished share.",
            "Two right steps one after another are right.",
            "Write ln(e^s / z) as a difference. Is the exponential of s still needed?",
            switch={"way": "after"},
        ),
        Misconception(
            "total-overflows",
            "Small scores come out right; at 1000 the total of the exponentials is "
            "infinite, and below −900 it is 0.",
            "A logarithm makes any number small again.",
            "The logarithm comes after the exponential. What is "
            "np.log(np.exp(1000.0))?",
            switch={"way": "overflows"},
        ),
        Misconception(
            "shift-lost",
            "The differences are right, and the whole row is off by the largest score: "
            "it was subtracted in one place and not in the other.",
            "A shift drops out, so it may stand anywhere.",
            "It drops out if both the score and the total are shifted. Are they, in "
            "your formula?",
            switch={"way": "shift-lost"},
        ),
        Misconception(
            "total-without-log",
            "The differences are right, and you subtracted the total itself, not its "
            "logarithm.",
            "Dividing becomes subtracting, and what is subtracted stays the same.",
            "What is ln(a / b)?",
            switch={"way": "total-as-is"},
        ),
        Misconception(
            "no-total",
            "Your largest result is 0, as if the largest share were 1.",
            "Subtracting the largest score is the whole of the softmax.",
            "What do the exponentials of your results add up to?",
            switch={"way": "no-total"},
        ),
        Misconception(
            "no-logarithm",
            "These are the shares themselves.",
            "The exercise asks for a softmax that does not overflow.",
            "Which sign does the logarithm of a share have?",
            switch={"way": "no-log"},
        ),
        Misconception(
            "base-two",
            "Each number is 1.4427 times as large as it should be: logarithms of base "
            "2.",
            "The base of a logarithm is a matter of taste.",
            "Which logarithm undoes the exponential function?",
            switch={"base": float(np.log(2.0))},
        ),
        Misconception(
            "sign-turned",
            "Your numbers have the right size and the opposite sign.",
            "What training minimises is the negative logarithm.",
            "The prompt asks for ln p. Is ln 0.5 above or below zero?",
            switch={"sign": -1.0},
        ),
    ),
    variants=(
        _log_in_torch,
        lambda scores: scores - np.logaddexp.reduce(scores),
        lambda scores: [-np.logaddexp.reduce(scores - s) for s in scores],
        lambda scores: log_shares(scores.astype(np.float32)),
    ),
    properties=(
        in_words("the logarithms", not_positive),
        Property("differences of scores", _differences_of_scores),
    ),
    hints=(
        "Write the logarithm of the fraction as a difference. What becomes of ln e^s?",
        "The total still holds exponentials. What keeps them from overflowing?",
        "Lower the scores by their maximum first. The result is a lowered score minus "
        "one number, the same for all: the logarithm of a sum.",
    ),
    insight="The logarithm of e^s divided by the total is s minus the logarithm of "
    "the total; the scores were lowered first, all by the same number. So log-softmax "
    "has no division and no logarithm of a small number. PyTorch has it as "
    "log_softmax, and cross_entropy takes raw scores for this reason.",
)


# --- the axis ----------------------------------------------------------------------


def _tables():
    rng = np.random.default_rng(2)
    return [
        Case("two questions, two words", (np.array([[2.0, 0.0], [1.0, 1.5]]),)),
        Case("three questions, five words", (rng.normal(1.0, 1.5, (3, 5)),)),
        Case("a batch of two, three by four", (rng.normal(0.5, 1.5, (2, 3, 4)),)),
        Case(
            "one row 1000 below the other",
            (np.array([[1e3, 1001, 1002], [0, 2, 1]]),),
        ),
    ]


def softmax_rows(scores):
    lowered = scores - scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(lowered)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _rows_with(scores, *, axis=-1, keepdims=True, lower="row", total="axis"):
    highest = {
        "row": scores.max(axis=axis, keepdims=True),
        "table": scores.max(),
        "nothing": 0.0,
    }[lower]
    exponentials = np.exp(scores - highest)
    if total == "table":
        return exponentials / exponentials.sum()
    return exponentials / exponentials.sum(axis=axis, keepdims=keepdims)


def _row_by_row(scores):
    rows = [_softmax(row) for row in scores.reshape(-1, scores.shape[-1])]
    return np.array(rows).reshape(scores.shape)


def _rows_by_einsum(scores):
    exponentials = np.exp(scores - scores.max(-1)[..., None])
    return np.einsum("...n,...->...n", exponentials, 1 / exponentials.sum(-1))


def _rows_in_torch(scores):
    import torch

    return torch.softmax(scores, -1)


keepdims = Exercise(
    id="ch01.keepdims",
    title="It worked on my square table",
    kind="debug",
    minutes=6,
    difficulty=2,
    section="ch01-axis",
    prompt="This function was tried on a table of two questions and two words, and it "
    "ran. Mend `softmax_rows(scores)`: for scores of shape `(..., n_q, n_k)` it is to "
    "give shares of the same shape, each row adding up to 1. `n_q` counts the "
    "questions, `n_k` the words; the dots are any axes before, or none.",
    starter="def softmax_rows(scores):\n"
    "    lowered = scores - scores.max(axis=-1, keepdims=True)\n"
    "    exponentials = np.exp(lowered)\n"
    "    return exponentials / exponentials.sum(axis=-1)",
    reference=softmax_rows,
    cases=_tables,
    switched=_rows_with,
    misconceptions=(
        Misconception(
            "sum-without-its-axis",
            "On the square table, column j is divided by the total of row j: row "
            "totals are matched with columns. On three by five nothing matches.",
            "One total per row finds its row by itself.",
            "Which shape has the sum, and with which axis of `(2, 2)` does NumPy line "
            "up its last axis?",
            switch={"keepdims": False},
            raises=UNEQUAL,
        ),
        Misconception(
            "softmax-over-columns",
            "On a table with two axes each column adds up to 1: the first axis "
            "competes.",
            "Axis 0 is the rows, so axis 0 makes rows add up.",
            "`axis` says which index runs in the sum. Which index runs along a row?",
            switch={"axis": 0},
        ),
        Misconception(
            "axis-counted-from-the-front",
            "With two axes it is right, with three the middle axis adds up to 1: the "
            "axis is counted from the front.",
            "The words stand on axis 1.",
            "What is the number of the last axis of `(3, 5)`, and of `(2, 3, 4)`?",
            switch={"axis": 1},
        ),
        Misconception(
            "one-whole-for-the-table",
            "All your shares together add up to 1, not those of each row.",
            "A total without an axis is the total of each row.",
            "How many wholes are there to share out for three questions?",
            switch={"total": "table"},
        ),
        Misconception(
            "lowered-by-the-highest-of-all",
            "Right until one row lies far below another: then its exponentials are all "
            "0, and you divide 0 by 0.",
            "One shift for all rows is as good as one for each.",
            "With the highest score of the *table* subtracted, what is left of a row "
            "that lies 1000 below it?",
            switch={"lower": "table"},
        ),
        Misconception(
            "not-lowered",
            "Right for small scores; a row around 1000 is NaN, since its exponentials "
            "overflow.",
            "Lowering changes no share, so the line can go.",
            "What does np.exp(1000.0) print, and what is that divided by itself?",
            switch={"lower": "nothing"},
        ),
    ),
    variants=(
        _row_by_row,
        _rows_by_einsum,
        _rows_in_torch,
        lambda scores: softmax_rows(scores.astype(np.float32)),
        lambda scores: softmax_rows(scores.swapaxes(-1, -2).copy().swapaxes(-1, -2)),
    ),
    properties=SHARES,
    hints=(
        "Give it a table of three by five and read the error.",
        "Print the shape of the sum. NumPy lines shapes up from the right.",
        "The line above does the same with the maximum, and does it right.",
    ),
    insight="The sum keeps its axis, so every total meets its own row. Squares hide "
    "this fault, and real batches are often square: attention of "
    "a "
    "text to itself has n_q = n_k. Test with sizes that all differ.",
)

who_competes = Exercise(
    id="ch01.who-competes",
    title="Who competes with whom?",
    kind="explain",
    minutes=3,
    difficulty=2,
    section="ch01-axis",
    prompt="Scores of shape `(3, 5)` say how well five words fit three questions. A "
    "softmax runs over `axis=0`. Set `ch01_who_competes` to the letters of all "
    "statements that are true, in one string.",
    starter="ch01_who_competes = ...",
    choices={
        "a": Choice(
            "Each question gives shares that add up to 1 over the words.",
            "Axis 0 is summed away: one total for each of the five columns is left. "
            "The "
            "sum along a row can be anything between 0 and 5.",
        ),
        "b": Choice(
            "A word that fits no question still gives shares adding up to 1.",
            "Each column is shared out whole, whatever its scores: with three equal "
            "scores, however low, each question gets a third.",
            right=True,
        ),
        "c": Choice(
            "All shares of the result, added up over the table, make 5.",
            "There are five columns, and each of them adds up to 1.",
            right=True,
        ),
        "d": Choice(
            "The result has another shape than with `axis=-1`, namely `(5, 3)`.",
            "A softmax keeps the shape of its scores on every axis. That is why the "
            "slip "
            "is hard to see.",
        ),
    },
    hints=(
        "Which of the two indices runs through the sum in the denominator?",
        "How many separate wholes are there: three, five or one?",
        "Take a column of three equal scores, `[-9, -9, -9]`, and work out its shares.",
    ),
    insight="A softmax over the questions is not always a slip: slot attention uses "
    "it, so that questions compete for the inputs (Locatello et al., 2020).",
)


# --- the temperature ---------------------------------------------------------------


def _tempered():
    rng = np.random.default_rng(3)
    # Differences of 2**-10: exact in float32, too, after the division by T.
    steep = np.array([[2.0, 2.0 - 2.0**-10, 0.0, -1.0], [3.0, 1.0, 3.0 - 2.0**-9, 0.5]])
    return [
        Case("two by two", (np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0.5, 2.0]))),
        Case(
            "three by five", (rng.normal(0.5, 1.5, (3, 5)), np.array([1.0, 0.25, 4.0]))
        ),
        Case("nearly zero", (steep, np.array([2.0**-10, 2.0**-9]))),
        Case("one nearly zero, one warm", (steep, np.array([2.0**-10, 2.0]))),
    ]


def softmax_at(scores, temperature):
    tempered = scores / temperature[:, None]
    exponentials = np.exp(tempered - tempered.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _tempered_with(scores, temperature, *, use="divide", axis=-1, shift="row"):
    column = temperature[:, None]
    tempered = {
        "divide": lambda: scores / column,
        "multiply": lambda: scores * column,
        "by-word": lambda: scores / temperature,
        "after": lambda: scores,
        "no": lambda: scores,
        "first": lambda: scores / temperature[0],
    }[use]()
    highest = {
        "row": tempered.max(axis=axis, keepdims=True),
        "table": tempered.max(),
        "none": 0.0,
    }[shift]
    exponentials = np.exp(tempered - highest)
    result = exponentials / exponentials.sum(axis=axis, keepdims=True)
    return result / column if use == "after" else result


def _powers_of_shares(scores, temperature):
    p = _softmax(scores)
    powers = (p / p.max(axis=-1, keepdims=True)) ** (1 / temperature[:, None])
    return powers / powers.sum(axis=-1, keepdims=True)


def _each_row_at(scores, temperature):
    pairs = zip(scores, temperature, strict=True)
    return np.array([_softmax(row / t) for row, t in pairs])


def _tempered_in_torch(scores, temperature):
    import torch

    return torch.softmax(scores / temperature.unsqueeze(-1), dim=-1)


temperature = Exercise(
    id="ch01.temperature",
    title="A temperature for each question",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch01-temperature",
    prompt="Write `softmax_at(scores, temperature)`: scores of shape `(n_q, n_k)`, one "
    "row for each question, and one temperature above zero for each row, shape "
    "`(n_q,)`. The result has shape `(n_q, n_k)`, each row a softmax at its own "
    "temperature. A temperature of 0.001 must work.",
    starter="def softmax_at(scores, temperature):\n"
    '    raise NotImplementedError("your code")',
    reference=softmax_at,
    cases=_tempered,
    switched=_tempered_with,
    misconceptions=(
        Misconception(
            "multiplied",
            "Your rows are sharp where T is large: the scores are multiplied by T.",
            "Hotter means more contrast; or T and its inverse, beta, were exchanged.",
            "Which temperature should give shares that are nearly even?",
            switch={"use": "multiply"},
        ),
        Misconception(
            "one-temperature-per-word",
            "On the two by two table each *column* has its own temperature; on three "
            "by five the shapes do not fit.",
            "The first axis of both arrays is the same, so NumPy will pair them.",
            "From which end does NumPy line up `(3, 5)` and `(3,)`?",
            switch={"use": "by-word"},
            raises=UNEQUAL,
        ),
        Misconception(
            "divided-after-softmax",
            "Your rows add up to 1/T: the shares were divided, not the scores.",
            "It does not matter on which side of the softmax T stands.",
            "What is each row's sum, and which number of your input is its inverse?",
            switch={"use": "after"},
        ),
        Misconception(
            "no-effect",
            "These are the shares at temperature 1; T changes nothing in your result.",
            "Dividing the exponentials by T, or dividing at the end, changes the "
            "shares.",
            "Divide all exponentials of a row by the same number, then by their new "
            "total. What has changed?",
            switch={"use": "no"},
        ),
        Misconception(
            "first-temperature-for-all",
            "All rows have the temperature of the first one.",
            "The temperature is one number.",
            "What changes in your result when the last temperature is doubled?",
            switch={"use": "first"},
        ),
        Misconception(
            "overflows-when-cold",
            "Right at usual temperatures, and NaN near zero: the exponent is no longer "
            "small after the division by T.",
            "Scores of 2 or 3 need no shift.",
            "How large is the exponent for a score of 3 at a temperature of 0.001?",
            switch={"shift": "none"},
        ),
        Misconception(
            "one-shift-for-all-rows",
            "Right until a cold row stands beside a warm one, which then is NaN: "
            "every row is lowered by the largest exponent of the whole table.",
            "Any number may be subtracted, so one for all rows will do.",
            "Take 2048, the largest exponent of another row, from an exponent of 1. "
            "What is e to that power, and what is the total of such a row?",
            switch={"shift": "table"},
        ),
        Misconception(
            "softmax-over-columns",
            "Your columns add up to 1 instead of your rows.",
            "Axis 0 is the rows, so axis 0 makes rows add up.",
            "`axis` says which index runs in the sum. Which index runs along a row?",
            switch={"axis": 0},
        ),
    ),
    variants=(
        _each_row_at,
        _powers_of_shares,
        _tempered_in_torch,
        lambda scores, temperature: softmax_at(
            scores.astype(np.float32), temperature.astype(np.float32)
        ),
        lambda scores, temperature: _softmax((scores.T / temperature).T),
    ),
    properties=SHARES,
    hints=(
        "What does a temperature do to the difference of two scores?",
        "For the division to go row by row, one array needs one more axis.",
        "Give the temperature the shape `(n_q, 1)`. Then subtract the largest of what "
        "really stands in the exponent.",
    ),
    insight="Temperatures of shape `(n_q, 1)` meet one row each, and the shift comes "
    "after the division. A softmax at T is the softmax at 1 to the power 1/T, divided "
    "by its new sum. Attention's division by the root of d_k is a temperature, too.",
)


def _weights():
    rng = np.random.default_rng(4)
    five = _softmax(rng.normal(0.0, 1.5, (2, 3, 5)))
    five[0, 1, 2:] = 0.0
    five /= five.sum(axis=-1, keepdims=True)
    return [
        Case(
            "half and half, and one of three", (np.array([[0.5, 0.5, 0], [0, 1, 0]]),)
        ),
        Case("three by four, no zero", (_softmax(rng.normal(0.0, 1.0, (3, 4))),)),
        Case("a batch with zeros", (five,)),
        Case("one row", (np.array([0.1, 0.2, 0.0, 0.7]),)),
    ]


def entropy_of(weights):
    logarithms = np.log(np.where(weights > 0, weights, 1.0))
    return -(weights * logarithms).sum(axis=-1)


def _entropy_with(weights, *, zeros="one", base=1.0, sign=-1, over=-1, finish="sum"):
    safe = np.where(weights > 0, weights, 1.0) if zeros == "one" else weights
    terms = sign * weights * np.log(safe) / base
    result = terms.mean(axis=over) if finish == "mean" else terms.sum(axis=over)
    return np.exp(result) if finish == "exp" else result


def _entropy_masked(weights):
    result = np.zeros(weights.shape[:-1])
    for place in np.ndindex(result.shape):
        kept = weights[place][weights[place] > 0]
        result[place] = -(kept * np.log(kept)).sum()
    return result


def _entropy_in_torch(weights):
    import torch

    return torch.special.entr(weights).sum(dim=-1)


entropy = Exercise(
    id="ch01.entropy",
    title="How many are in play?",
    kind="implement",
    minutes=8,
    difficulty=3,
    section="ch01-temperature",
    prompt="Write `entropy_of(weights)`: for weights of shape `(..., n)`, each row "
    "adding "
    "up to 1, the entropy of each row in nats (natural logarithm), shape `(...)`. A "
    "weight may be exactly 0; it adds nothing to the entropy.",
    starter='def entropy_of(weights):\n    raise NotImplementedError("your code")',
    reference=entropy_of,
    cases=_weights,
    switched=_entropy_with,
    misconceptions=(
        Misconception(
            "zero-times-minus-infinity",
            "A row with a weight of 0 gives NaN: ln 0 is minus infinity, and 0 times "
            "infinity is not a number.",
            "A factor of 0 makes any product 0.",
            "What does `0.0 * np.log(0.0)` print? And p ln p for p = 0.1, 0.001, 1e-9?",
            switch={"zeros": "as they are"},
        ),
        Misconception(
            "one-entropy-for-all",
            "You return one number for the whole array: the entropies of all rows, "
            "added.",
            "The code for one row works for a table.",
            "`weights[weights > 0]` of a table: what is its shape, and where are the "
            "rows?",
            switch={"over": None},
        ),
        Misconception(
            "bits",
            "Your numbers are 1.4427 times as large: they are in bits, not in nats.",
            "Entropy is defined with logarithms of base 2.",
            "What is the entropy of half and half in bits, and in nats?",
            switch={"base": float(np.log(2.0))},
        ),
        Misconception(
            "minus-lost",
            "Your entropies are below zero.",
            "The sum is the entropy.",
            "Which sign has ln p for a share p, and which sign has uncertainty?",
            switch={"sign": 1},
        ),
        Misconception(
            "over-columns",
            "You added up along the first axis, not along the last.",
            "Axis 0 is the rows.",
            "For weights of shape `(3, 4)`, how many entropies should come out?",
            switch={"over": 0},
        ),
        Misconception(
            "mean-of-terms",
            "Your numbers are n times too small: the terms were averaged.",
            "Entropy is a mean, so the terms are averaged.",
            "It is the mean of −ln p, but weighted. With which weights, and are they "
            "in "
            "there already?",
            switch={"finish": "mean"},
        ),
        Misconception(
            "number-in-play",
            "You went one step further: e^H, the number of entries in play.",
            "The entropy of two equal shares is 2.",
            "What is the logarithm of the numbers that you return?",
            switch={"finish": "exp"},
        ),
    ),
    variants=(
        _entropy_masked,
        _entropy_in_torch,
        lambda weights: -np.nansum(weights * np.log(weights), axis=-1),
        lambda weights: -np.sum(weights * np.log(weights + 1e-12), axis=-1),
        lambda weights: entropy_of(weights.astype(np.float32)),
        lambda weights: -np.log(weights**weights).sum(-1),
    ),
    properties=(in_words("the entropies", not_negative),),
    hints=(
        "Which weight makes trouble in p ln p, and what should its term be?",
        "Inside the logarithm you may replace a 0: the weight before it is 0 anyway.",
        "np.where gives 1 in place of 0, and ln 1 is 0. Then one sum along the last "
        "axis.",
    ),
    insight="A weight of 0 adds 0, so its logarithm may be that of 1. The entropy of "
    "a row that picks one word is near 0, that of a row that averages all n words near "
    "ln n: one number tells the two apart.",
)


# --- the Jacobian ------------------------------------------------------------------


def _scores_and_temperature():
    return [
        Case("two scores, T = 2", (np.array([1.0, 0.0]), 2.0)),
        Case("four scores, T = 0.5", (np.array([0.5, -0.5, 1.0, 0.2]), 0.5)),
        Case("three scores, T = 1", (np.array([2.0, 1.0, 0.1]), 1.0)),
    ]


def jacobian_at(scores, temperature):
    exponentials = np.exp((scores - scores.max()) / temperature)
    p = exponentials / exponentials.sum()
    return (np.diag(p) - np.outer(p, p)) / temperature


def _jacobian_with(
    scores, temperature, *, form="outer", chain="divide", of="tempered", sign=1
):
    p = {
        "tempered": _softmax(scores / temperature),
        "plain": _softmax(scores),
        "scores": scores / temperature,
    }[of]
    result = {
        "outer": np.diag(p) - np.outer(p, p),
        "by-entry": np.diag(p) - p * p,
        "diagonal": np.diag(p * (1 - p)),
        "vector": p * (1 - p),
        "plus": np.diag(p) + np.outer(p, p),
        "no-cross": np.outer(p, 1 - p),
    }[form]
    factor = {"divide": 1 / temperature, "forget": 1.0, "multiply": temperature}[chain]
    return sign * result * factor


def _jacobian_by_entry(scores, temperature):
    p = _softmax(scores / temperature)
    size = len(p)
    result = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            result[i, j] = p[i] * ((i == j) - p[j]) / temperature
    return result


def _jacobian_measured(scores, temperature):
    step = 1e-5 * np.eye(len(scores))
    up = [_softmax((scores + h) / temperature) for h in step]
    down = [_softmax((scores - h) / temperature) for h in step]
    return (np.array(up) - np.array(down)).T / 2e-5


def _jacobian_in_torch(scores, temperature):
    import torch

    def tempered(s):
        return torch.softmax(s / temperature, dim=0)

    return torch.autograd.functional.jacobian(tempered, scores)


def _columns_cancel(result, *arguments):
    totals = result.sum(axis=0)
    if np.abs(totals).max() < 1e-4:
        return None
    return (
        "Each column should add up to 0, since the shares always make 1; one column "
        f"adds up to {totals[np.abs(totals).argmax()]:.4g}."
    )


jacobian = Exercise(
    id="ch01.jacobian",
    title="How every share reacts to every score",
    kind="implement",
    minutes=10,
    difficulty=3,
    section="ch01-jacobian",
    prompt="Write `jacobian_at(scores, temperature)`: for scores of shape `(n,)` and "
    "one "
    "temperature, a number, the matrix of shape `(n, n)` whose entry in row `i` and "
    "column `j` is the derivative of share `i` with respect to score `j`. The share is "
    "that of the softmax *at this temperature*.",
    starter="def jacobian_at(scores, temperature):\n"
    '    raise NotImplementedError("your code")',
    reference=jacobian_at,
    cases=_scores_and_temperature,
    switched=_jacobian_with,
    misconceptions=(
        Misconception(
            "inner-derivative-lost",
            "Your matrix is T times what it should be: the derivative with respect to "
            "s/T, not to s.",
            "The temperature is in the shares already.",
            "Raise a score by 0.001. By how much does the exponent s/T rise at T = 2?",
            switch={"chain": "forget"},
        ),
        Misconception(
            "temperature-ignored",
            "Your matrix is that of the softmax at temperature 1: T changes nothing.",
            "The formula of the chapter holds as it stands.",
            "At which two places does T come in: in the shares, and where else?",
            switch={"of": "plain", "chain": "forget"},
        ),
        Misconception(
            "inner-derivative-turned",
            "Your matrix is T squared times what it should be: you multiplied by T.",
            "The inner derivative of s/T is T.",
            "Raise a score by 0.001. By how much does the exponent s/T rise at T = 2?",
            switch={"chain": "multiply"},
        ),
        Misconception(
            "shares-at-temperature-one",
            "The shares in your matrix are those at temperature 1.",
            "The temperature enters only as the factor in front.",
            "At which temperature are the shares whose derivative is asked for?",
            switch={"of": "plain"},
        ),
        Misconception(
            "scores-for-shares",
            "Your matrix is made from the scores (divided by T), not from their "
            "shares.",
            "p stands for what goes in.",
            "What do the rows of your matrix add up to, and what should they?",
            switch={"of": "scores"},
        ),
        Misconception(
            "product-by-entry",
            "From each column j you subtracted p_j squared, in every row.",
            "In NumPy, p times p is the product of column and row.",
            "Which shape has `p * p`, and how many products p_i p_j are there?",
            switch={"form": "by-entry"},
        ),
        Misconception(
            "only-the-diagonal",
            "Off the diagonal your matrix is zero: no score moves another's share.",
            "Share i depends on score i, as with the logistic function.",
            "If share 1 rises, what do the others do, given that all make 1?",
            switch={"form": "diagonal"},
        ),
        Misconception(
            "a-vector-of-reactions",
            "You return n numbers, p(1 − p): each share's reaction to its own score.",
            "A function of n numbers has n derivatives.",
            "How many pairs of one share and one score are there?",
            switch={"form": "vector"},
        ),
        Misconception(
            "everything-rises",
            "Off the diagonal your numbers are positive: raising one score raises all "
            "shares.",
            "The quotient rule has a plus.",
            "What do the columns of your matrix add up to? Can all shares rise at "
            "once?",
            switch={"form": "plus"},
        ),
        Misconception(
            "one-minus-everywhere",
            "Each entry is p_i (1 − p_j), also off the diagonal.",
            "The 1 in p(1 − p) is there for every pair.",
            "The 1 comes from the numerator. Does e^(s_i) depend on s_j?",
            switch={"form": "no-cross"},
        ),
        Misconception(
            "sign-turned",
            "Every number has the opposite sign: a higher score lowers its own share.",
            "The product comes first, then the diagonal.",
            "Which sign should the diagonal have?",
            switch={"sign": -1},
        ),
    ),
    variants=(
        _jacobian_by_entry,
        _jacobian_measured,
        _jacobian_in_torch,
        lambda scores, temperature: jacobian_at(scores.astype(np.float32), temperature),
    ),
    properties=(
        in_words("the derivatives", sums_to_zero),
        Property("columns cancel", _columns_cancel),
    ),
    hints=(
        "The shares are a function of s/T. Which two derivatives are multiplied?",
        "The matrix for the exponents has p on its diagonal, less all products p_i "
        "p_j.",
        "np.diag makes a matrix of a vector, np.outer all products of two vectors. One "
        "factor is left: the derivative of s/T with respect to s.",
    ),
    insight="It is the Jacobian at the tempered scores, times 1/T by the chain rule. "
    "That factor makes a cold softmax react strongly near a tie, where p(1 − p) = 1/4, "
    "and hardly at all elsewhere.",
)


def _upstream():
    rng = np.random.default_rng(5)
    return [
        Case(
            "two rows of two",
            (np.array([[[0.5, 0.5], [0.2, 0.8]]]), np.array([[[1.0, 2], [4, 1]]])),
        ),
        Case(
            "two batches, three by four",
            (_softmax(rng.normal(0, 1.2, (2, 3, 4))), rng.normal(0.7, 1.5, (2, 3, 4))),
        ),
        Case(
            "three batches, two by five",
            (_softmax(rng.normal(0, 1.2, (3, 2, 5))), rng.normal(-0.5, 2, (3, 2, 5))),
        ),
    ]


def scores_gradient(weights, gradient):
    mean = (weights * gradient).sum(axis=-1, keepdims=True)
    return weights * (gradient - mean)


def _gradient_with(
    weights, gradient, *, mean="weighted", axis=-1, keep=True, weigh=True, sign=1
):
    products = weights * gradient
    centre = {
        "weighted": products.sum(axis=axis, keepdims=keep),
        "plain": gradient.mean(axis=axis, keepdims=True),
        "none": 0.0,
        "own": products,
        "all": products.sum(),
        "weights": weights,
    }[mean]
    return sign * (weights if weigh else 1.0) * (gradient - centre)


def _gradient_by_matrix(weights, gradient):
    n = weights.shape[-1]
    matrix = weights[..., None] * (np.eye(n) - weights[..., None, :])
    return (matrix @ gradient[..., None])[..., 0]


def _gradient_by_einsum(weights, gradient):
    mean = np.einsum("bqk,bqk->bq", weights, gradient)
    return weights * gradient - np.einsum("bqk,bq->bqk", weights, mean)


def _gradient_by_loop(weights, gradient):
    result = np.empty_like(weights)
    for place in np.ndindex(weights.shape[:2]):
        p, g = weights[place], gradient[place]
        result[place] = p * (g - p @ g)
    return result


def _gradient_by_backward(weights, gradient):
    import torch

    scores = torch.log(weights).requires_grad_()
    torch.softmax(scores, dim=-1).backward(gradient)
    return scores.grad


def _builds_the_matrix(answer):
    """Whether 1500 weights cost as much memory as 1500 x 1500 (18 MB)."""
    import tracemalloc

    if tracemalloc.is_tracing():
        return False
    weights = np.full((1, 1, 1500), 1 / 1500)
    tracemalloc.start()
    try:
        answer(weights, weights)
        return tracemalloc.get_traced_memory()[1] > 10_000_000
    finally:
        tracemalloc.stop()


gradient = Exercise(
    id="ch01.gradient",
    title="Back through the softmax",
    kind="implement",
    minutes=10,
    difficulty=4,
    section="ch01-jacobian",
    prompt="`weights` of shape `(batch, n_q, n_k)` came out of a softmax along the "
    "last axis. `gradient`, of the same shape, says how much the error in training, "
    "one number, would change with each weight. Write `scores_gradient(weights, "
    "gradient)`: how much it would change with each *score*, same shape, without ever "
    "building a matrix of shape `(n_k, n_k)`.",
    starter="def scores_gradient(weights, gradient):\n"
    '    raise NotImplementedError("your code")',
    reference=scores_gradient,
    cases=_upstream,
    switched=_gradient_with,
    misconceptions=(
        Misconception(
            "only-weighted",
            "Your result is weights times gradient: nothing is subtracted.",
            "The derivative of an exponential is itself, so p is the derivative.",
            "Let every weight matter equally: gradient all 1. What can raising a score "
            "change, and what do you return?",
            switch={"mean": "none"},
        ),
        Misconception(
            "only-its-own-share",
            "Your result is p(1 − p) times the gradient: the diagonal of the Jacobian.",
            "A score moves its own share only, as with the logistic function.",
            "Let every weight matter equally: gradient all 1. What can raising a score "
            "change, and what do you return?",
            switch={"mean": "own"},
        ),
        Misconception(
            "plain-mean",
            "You subtracted the plain mean of the gradient, in which all weights count "
            "alike.",
            "Centring means subtracting the average.",
            "What do your rows add up to? Which mean makes the sum of p(g − mean) "
            "zero?",
            switch={"mean": "plain"},
        ),
        Misconception(
            "not-weighed-again",
            "You subtracted the right mean, and the result is not weighed by the "
            "shares.",
            "Once the mean is gone, the work is done.",
            "A share of 0.001 hardly moves. Does your result say so?",
            switch={"weigh": False},
        ),
        Misconception(
            "mean-over-the-questions",
            "The sums run over the questions: each *column* of a batch entry adds up "
            "to 0 in your result.",
            "The first of the two axes is the one to sum over.",
            "Along which axis did the scores compete?",
            switch={"axis": -2},
        ),
        Misconception(
            "mean-without-its-axis",
            "On the square rows, the mean of one row is subtracted in a column; with "
            "other sizes nothing matches.",
            "One mean per row finds its row by itself.",
            "Which shape has the sum for weights of `(2, 3, 4)`, and how does NumPy "
            "line that up?",
            switch={"keep": False},
            raises=UNEQUAL,
        ),
        Misconception(
            "one-mean-for-the-batch",
            "One number, summed over all rows of all batches, is subtracted "
            "everywhere.",
            "A product of p and g is one number.",
            "`p @ g` was one number for one row. How many rows are there here?",
            switch={"mean": "all"},
        ),
        Misconception(
            "subtracts-the-weights",
            "You subtracted the weights themselves from the gradient.",
            "It is the formula of softmax with cross-entropy, share minus target.",
            "What are the units of g, and what those of p? What was p multiplied with?",
            switch={"mean": "weights"},
        ),
        Misconception(
            "sign-turned",
            "Your numbers have the right size and the opposite sign.",
            "Training goes downhill, so the gradient gets a minus.",
            "The prompt asks for the slope. Who decides to walk down?",
            switch={"sign": -1},
        ),
    ),
    variants=(
        _gradient_by_loop,
        _gradient_by_einsum,
        _gradient_by_matrix,
        _gradient_by_backward,
        lambda weights, gradient: scores_gradient(
            weights.astype(np.float32), gradient.astype(np.float32)
        ),
    ),
    properties=(in_words("the gradient", sums_to_zero),),
    remarks=(
        Remark(
            "A matrix of n_k by n_k is built on the way. For a text of 10,000 words "
            "that "
            "is 100 million numbers per row; `p * (g - mean)` needs 10,000.",
            _builds_the_matrix,
        ),
    ),
    hints=(
        "Multiply the Jacobian, diag(p) less the outer product, with g on paper.",
        "The outer product times g is p times one number per row. Which number?",
        "One number per row, with its axis kept so that it lines up; subtract it from "
        "the gradient, then weigh by the shares.",
    ),
    insight="The Jacobian is symmetric, and its product with g is p(g − mean), with "
    "the mean of g under the shares. This line is in every attention layer's backward "
    "pass. FlashAttention gets the mean without the weights: it equals the dot product "
    "of the output and its gradient.",
)


# --- saturation --------------------------------------------------------------------

saturation = Exercise(
    id="ch01.saturation",
    title="Sure, and wrong",
    kind="explain",
    minutes=4,
    difficulty=3,
    section="ch01-saturation",
    prompt="Inside a network, a row has the shares 0.9999 and 0.0001, and the larger "
    "one is on the wrong word. Training asks for more of the other word: the gradient "
    "that arrives at the two *shares* is about 1 in size. Set `ch01_saturation` to the "
    "letter of what comes through to the two *scores*.",
    starter="ch01_saturation = ...",
    choices={
        "a": Choice(
            "A large correction, because a share of 0.9999 on the wrong word is a "
            "large "
            "error.",
            "The error is large, and the gradient at the shares is not small. It is "
            "then multiplied by the Jacobian, whose entries are all about 0.0001.",
        ),
        "b": Choice(
            "A large step for the high score, none for the low one, whose share is "
            "nearly 0.",
            "Both scores get the same small step in opposite directions: each row and "
            "each column of the Jacobian adds up to zero.",
        ),
        "c": Choice(
            "NaN, because the exponentials of scores so far apart overflow in the "
            "computer.",
            "The two scores are about 9.2 apart: one exponential is 9,999 times the "
            "other. That is far from any overflow, and a shifted softmax never "
            "overflows at all.",
        ),
        "d": Choice(
            "Almost nothing: what comes back is multiplied by p(1 − p), about one in "
            "ten "
            "thousand.",
            "0.9999 times 0.0001 is 0.0001. A saturated softmax passes on a "
            "ten-thousandth "
            "of what it is told, so it stays where it is for a long time.",
            right=True,
        ),
    },
    hints=(
        "The gradient with respect to the shares is about 1. What is it multiplied by "
        "next?",
        "Write down the Jacobian of two shares: all four entries have the same size.",
        "Compute 0.9999 times 0.0001.",
    ),
    insight="With cross-entropy directly behind the softmax the correction is not "
    "lost: the logarithm's derivative, 1/p, cancels p. Inside attention nothing "
    "cancels it.",
)


# --- minus infinity ----------------------------------------------------------------

no_share = Exercise(
    id="ch01.no-share",
    title="A score of minus infinity",
    kind="predict",
    minutes=3,
    difficulty=2,
    section="ch01-minus-infinity",
    prompt="The scores of three words are $\\ln 3$, $-\\infty$ and 0. Set "
    "`ch01_predict_no_share` to their three shares, as a tuple.",
    starter="ch01_predict_no_share = ...",
    reference=(0.75, 0.0, 0.25),
    tolerance=0.004,
    misconceptions=(
        Misconception(
            "infinity-as-zero",
            "These are the shares if the second score were 0.",
            "No score is a score of 0.",
            "What is e^0? Does a word with a score of 0 get nothing?",
            wrong=(0.6, 0.2, 0.2),
        ),
        Misconception(
            "zero-gets-nothing",
            "The first word takes all, and the score of 0 gets nothing.",
            "A score of 0 means a share of 0.",
            "Which score makes e^s zero, and what is e^0?",
            wrong=(1.0, 0.0, 0.0),
        ),
        Misconception(
            "hidden-after-the-softmax",
            "Your shares add up to 0.8: the second one was set to 0 after the softmax.",
            "Taking a share away does not concern the others.",
            "Who gets the share that was taken away?",
            wrong=(0.6, 0.0, 0.2),
        ),
        Misconception(
            "half-and-half",
            "The two words that count share evenly.",
            "A hidden word makes the others equal.",
            "What is e^(ln 3), and what is e^0?",
            wrong=(0.5, 0.0, 0.5),
        ),
    ),
    hints=(
        "Write down the three exponentials first.",
        "e to the power of minus infinity is exactly 0, and e^0 is not.",
        "The three exponentials are 3, 0 and 1. What is their sum?",
    ),
    insight="The exponentials are 3, 0 and 1, their sum is 4: shares of 3/4, 0 and "
    "1/4. So a score of 0 and a hidden word are different things: 0 is an ordinary "
    "score. Chapter 3 sees what happens where this is mixed up.",
)
