"""Exercises of chapter 7, what averages cannot do and a network at each position."""

# mypy: allow-untyped-defs

import math
from itertools import pairwise

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property

_SHAPES_CLASH = (ValueError, RuntimeError)  # of NumPy, of torch


def _erf(z):
    return np.vectorize(math.erf)(z)


def _some_rows(reference):
    """Say which rows are right, where some are and some are not."""

    def broken(result, *arguments):
        wanted = reference(*arguments)
        close = 1e-4 * (1 + np.abs(wanted).max())
        right = np.abs(result - wanted).max(axis=-1) < close
        if right.all() or not right.any():
            return None
        good, bad = (tuple(np.argwhere(mask)[0].tolist()) for mask in (right, ~right))
        good, bad = (at[0] if len(at) == 1 else at for at in (good, bad))
        return (
            f"Row {good} of your result (counted from 0) is right, and row {bad} is "
            f"not: it is {np.round(result[bad], 3) + 0.0}, and should be "
            f"{np.round(wanted[bad], 3) + 0.0}. What sets the two rows apart?"
        )

    return Property("some rows and not others", broken)


# --- inside the hull ---------------------------------------------------------------

hull = Exercise(
    id="ch07.hull",
    title="As far as an average can go",
    kind="predict",
    minutes=4,
    difficulty=2,
    section="ch07-hull",
    prompt="A head attends to three words with the values $(1, 2)$, $(4, 0)$ and "
    "$(-2, 5)$. Its output $(x, y)$ then goes through a matrix of shape `(2, 1)` with "
    "the entries 1 and 2: what leaves the layer is the number $x + 2y$. There are no "
    "biases. Queries and keys are not known. Set `ch07_predict_hull` to `(lowest, "
    "highest)`: the closest two numbers between which the result lies in any case.",
    starter="ch07_predict_hull = ...",
    reference=(4.0, 8.0),
    tolerance=0.01,
    misconceptions=(
        Misconception(
            "each-feature-alone",
            "−2 and 14 come from the smallest x with the smallest y, and the largest "
            "x with the largest y.",
            "Each feature finds its own best word.",
            "The largest x belongs to one word and the largest y to another. How much "
            "weight can both have at once?",
            wrong=(-2.0, 14.0),
        ),
        Misconception(
            "matrix-left-out",
            "−2 and 4 are the bounds of x, before the matrix.",
            "The output stays among the values, whatever comes after the average.",
            "What does the layer give if one word has all the weight?",
            wrong=(-2.0, 4.0),
        ),
        Misconception(
            "weights-without-a-sum",
            "0 and 17 are right for weights that lie between 0 and 1 each, whatever "
            "their sum.",
            "A weight is a number between 0 and 1, and that is all.",
            "If one word has the weight 1, what is left for the two others?",
            wrong=(0.0, 17.0),
        ),
        Misconception(
            "down-to-zero",
            "Your upper bound holds. 0 would need weights that are all near 0.",
            "A head that finds nothing gives nothing.",
            "What do the weights of a question add up to that fits no key?",
            wrong=(0.0, 8.0),
        ),
        Misconception(
            "even-weights",
            "17 / 3 is the result for even weights.",
            "An average is the middle.",
            "What comes out for a question whose weight is nearly all on one word?",
            wrong=(17 / 3, 17 / 3),
        ),
        Misconception(
            "highest-first",
            "Your two numbers are right; the lowest is asked for first.",
            "The order does not matter.",
            "Which of the two is the lowest?",
            wrong=(8.0, 4.0),
        ),
    ),
    hints=(
        "The matrix may be applied before the average: which number does each word "
        "get?",
        "The three numbers are 1 + 4, 4 + 0 and −2 + 10. An average of them is asked "
        "for.",
        "Neither bound is quite reached, since a softmax gives each word something.",
    ),
    insight="At the three values x + 2y is 5, 4 and 8, and an average of them lies "
    "between 4 and 8. So a bound on what a head can say is read off its values, "
    "without a look at queries or keys. A later layer that needs a 9 here must get it "
    "from elsewhere.",
)


# --- a network with a job ----------------------------------------------------------

_REACH = 20.0  # features lie between -20 and 20


def _places():
    return [
        Case("two features, the larger of both", (2, 0, 1)),
        Case("five features, of which 3 and 1", (5, 3, 1)),
        Case("four features, of which 1 and 2", (4, 1, 2)),
        Case("seven features, of which 0 and 6", (7, 0, 6)),
    ]


def _words(d):
    """Words that show mistakes: both signs, ties, and the ends of the range."""
    small = np.array(
        [[1, 3], [3, 1], [-1, -3], [-3, -1], [2, -2], [-2, 2], [0, 0], [-4, -4]]
    )
    if d == 2:
        return small.astype(float)
    rng = np.random.default_rng(70 + d)
    ends = np.where(rng.random((8, d)) < 0.5, -_REACH, _REACH)
    return np.vstack([rng.normal(0, 3, (25, d)).clip(-9, 9), ends])


def _answers(result, d, i, j):
    """Run a network with these parameters on many words."""
    if not isinstance(result, (tuple, list)) or len(result) != 4:
        raise ValueError("it should be four arrays, `(w_1, b_1, w_2, b_2)`.")
    w_1, b_1, w_2, b_2 = (np.asarray(part, dtype=float) for part in result)
    if w_1.ndim != 2 or len(w_1) != d:
        raise ValueError(f"w_1 needs the shape `({d}, d_ff)`; it has {w_1.shape}.")
    d_ff = w_1.shape[1]
    if b_1.shape not in ((d_ff,), (1, d_ff), ()):
        raise ValueError(f"b_1 needs the shape ({d_ff},); it has {b_1.shape}.")
    if w_2.shape not in ((d_ff, 1), (d_ff,)):
        raise ValueError(f"w_2 needs the shape ({d_ff}, 1); it has {w_2.shape}.")
    if b_2.size != 1:
        raise ValueError(f"b_2 needs the shape (1,); it has {b_2.shape}.")
    hidden = np.maximum(0, _words(d) @ w_1 + b_1)
    return hidden @ w_2.reshape(d_ff) + b_2.reshape(())


def _first_wrong_word(result, d, i, j):
    for word, answer in zip(_words(d), result, strict=True):
        wanted = max(word[i], word[j])
        if abs(answer - wanted) > 1e-3:
            return (
                f"For a word with {word[i]:.4g} in feature {i} and {word[j]:.4g} in "
                f"feature {j} your network answers {answer:.4g}; the larger is "
                f"{wanted:.4g}."
            )
    return None


def larger_of(d, i, j):
    w_1 = np.zeros((d, 3))
    w_1[i, 0], w_1[j, 0] = 1, -1  # by how much x[i] leads, if it does
    w_1[j, 1], w_1[j, 2] = 1, -1  # x[j], its positive and its negative part
    w_2 = np.array([[1.0], [1.0], [-1.0]])
    return w_1, np.zeros(3), w_2, np.zeros(1)


def _network_of(d, i, j, *units):
    """Each unit reads `a` of x[i] and `b` of x[j] and counts `c`."""
    w_1 = np.zeros((d, len(units)))
    for unit, (a, b, _) in enumerate(units):
        w_1[i, unit], w_1[j, unit] = a, b
    w_2 = np.array([[float(c)] for _, _, c in units])
    return w_1, np.zeros(len(units)), w_2, np.zeros(1)


def _larger_with(d, i, j, *, carry="both", lead="ahead", at="named"):
    carried = {
        "both": [(0, 1, 1), (0, -1, -1)],
        "positive": [(0, 1, 1)],
        "size": [(0, 1, 1), (0, -1, 1)],
        "nothing": [],
    }[carry]
    led = {
        "ahead": [(1, -1, 1)],
        "turned": [(-1, 1, 1)],
        "below": [(-1, 1, -1)],
        "either": [(1, -1, 1), (-1, 1, 1)],
    }[lead]
    i, j = (i, j) if at == "named" else (0, 1)
    return _network_of(d, i, j, *led, *carried)


def _both_positive_parts(d, i, j):
    return _network_of(d, i, j, (1, 0, 1), (0, 1, 1))


def _twice_the_larger(d, i, j):
    return _network_of(d, i, j, (1, 1, 1), (-1, -1, -1), (1, -1, 1), (-1, 1, 1))


def _positive_half_sum(d, i, j):
    return _network_of(d, i, j, (1, 1, 0.5), (1, -1, 0.5), (-1, 1, 0.5))


def _half_sum_half_gap(d, i, j):
    half = [(1, 1, 0.5), (-1, -1, -0.5), (1, -1, 0.5), (-1, 1, 0.5)]
    return list(_network_of(d, i, j, *half))


def _lifted_by_a_bias(d, i, j):
    w_1, _, w_2, _ = _network_of(d, i, j, (1, -1, 1), (0, 1, 1))
    return w_1, np.array([0.0, 1000.0]), w_2[:, 0], -1000.0


def _larger_from_the_first(d, i, j):
    w_1, b_1, w_2, b_2 = larger_of(d, j, i)  # x[i] is carried, x[j] may lead
    return w_1 * 2, b_1, w_2 / 2, b_2


def _larger_in_torch(d, i, j):
    import torch

    w_1 = torch.zeros(d, 3)
    w_1[i] += torch.tensor([1.0, 0.0, 0.0])
    w_1[j] += torch.tensor([-1.0, 1.0, -1.0])
    w_2 = torch.tensor([[1.0], [1.0], [-1.0]], requires_grad=True)
    return w_1, torch.zeros(3), w_2, torch.zeros(1)


larger = Exercise(
    id="ch07.larger-of",
    title="A network that picks the larger number",
    kind="design",
    minutes=12,
    difficulty=3,
    section="ch07-by-hand",
    prompt="The words of a sentence are rows of `d` features, all between $-20$ and "
    "20. Write `larger_of(d, i, j)`, which returns four arrays `(w_1, b_1, w_2, b_2)` "
    "of shapes `(d, d_ff)`, `(d_ff,)`, `(d_ff, 1)` and `(1,)`, such that the network "
    "`max(0, x @ w_1 + b_1) @ w_2 + b_2` of this section answers with the larger of "
    "the two features `x[i]` and `x[j]` for every word. Choose `d_ff` as you like.",
    starter='def larger_of(d, i, j):\n    raise NotImplementedError("your code")',
    reference=larger_of,
    observe=_answers,
    tolerance=1e-4,
    cases=_places,
    switched=_larger_with,
    misconceptions=(
        Misconception(
            "positive-only",
            "Your network is right where the feature that it passes on is positive. A "
            "negative one becomes 0 on the way.",
            "A ReLU with weight 1 hands a number on.",
            "What does your network answer for −1 and −3?",
            switch={"carry": "positive"},
        ),
        Misconception(
            "lead-alone",
            "Your network answers by how much `x[i]` is ahead of `x[j]`, and 0 if it "
            "is not.",
            "Whoever is ahead is known from the difference, so the difference is "
            "enough.",
            "From a lead of 2 alone, can you tell whether the numbers were 3 and 1 or "
            "10 and 8?",
            switch={"carry": "nothing"},
        ),
        Misconception(
            "size-passed-on",
            "Your network passes on `x[j]` without its sign: −3 arrives as 3.",
            "The two halves of a number add up to it.",
            "The half for negative numbers gives 3 for −3. With which sign should it "
            "count?",
            switch={"carry": "size"},
        ),
        Misconception(
            "lead-turned",
            "Your network adds `x[j] - x[i]` to `x[j]` if that is positive: the one "
            "that is ahead already gets more.",
            "It does not matter which of the two is subtracted.",
            "For `x[i]` = 3 and `x[j]` = 1, what must be added to `x[j]`? What do you "
            "add?",
            switch={"lead": "turned"},
        ),
        Misconception(
            "smaller-of-both",
            "Your network answers with the smaller of the two.",
            "What is taken away from the one leaves the other.",
            "For `x[i]` = 1 and `x[j]` = 3 you take 2 away from 3. Which number is "
            "left?",
            switch={"lead": "below"},
        ),
        Misconception(
            "gap-in-both-directions",
            "Your network adds the size of the gap to `x[j]`, whichever of the two is "
            "ahead.",
            "The larger is the other one and the distance between them.",
            "For `x[i]` = 1 and `x[j]` = 3, what must be added to `x[j]`?",
            switch={"lead": "either"},
        ),
        Misconception(
            "first-two-features",
            "Your network compares features 0 and 1, whatever `i` and `j` are.",
            "A pair has the places 0 and 1.",
            "Which rows of w_1 should be other than zero for d = 5, i = 3, j = 1?",
            switch={"at": "first"},
        ),
        Misconception(
            "positive-parts-added",
            "Your network adds up the positive parts of both numbers.",
            "A maximum is what ReLU takes, so one for each number takes the larger.",
            "With what is each number compared in max(0, x)?",
            wrong=_both_positive_parts,
        ),
        Misconception(
            "twice-the-larger",
            "Your answer is twice the larger number: sum plus gap.",
            "The sum of two numbers and their distance give the larger.",
            "Work it out for 3 and 1: their sum, their distance, and both together.",
            wrong=_twice_the_larger,
        ),
        Misconception(
            "half-sum-cut-off",
            "Your network is right while the sum of the two is positive. A negative "
            "sum becomes 0.",
            "A ReLU with weight 1 hands a number on.",
            "What does the unit for the sum give for −1 and −3?",
            wrong=_positive_half_sum,
        ),
    ),
    variants=(
        _half_sum_half_gap,
        _lifted_by_a_bias,
        _larger_from_the_first,
        _larger_in_torch,
    ),
    properties=(Property("the first wrong word", _first_wrong_word),),
    hints=(
        "Start from one of the two numbers. What must be added to it to get the "
        "larger, and when?",
        "The larger is `x[j] + max(0, x[i] - x[j])`. The second part is one unit.",
        "`x[j]` has to come through a ReLU unharmed, negative or not: a number is its "
        "positive part less the positive part of its opposite.",
    ),
    insight="Units that pass a number on unbent are not free: here two of three do "
    "only that. A residual connection, which adds the input to the output, would save "
    "them.",
)


# --- from two linear layers --------------------------------------------------------


def _linears():
    rng = np.random.default_rng(71)

    def case(label, shape, d_ff):
        d = shape[-1]
        weights = rng.normal(0.1, 0.8, (d_ff, d)), rng.normal(0.1, 0.8, (d, d_ff))
        b_1, b_2 = rng.normal(0.2, 0.7, d_ff), rng.normal(-0.3, 0.7, d)
        x = rng.normal(0.3, 1.2, shape)
        return Case(label, (x, weights[0], b_1, weights[1], b_2))

    tiny = (
        np.array([[1.0, -1.0], [2.0, 0.5]]),
        np.array([[1.0, 2.0], [-1.0, 1.0]]),
        np.array([0.5, 1.5]),
        np.array([[1.0, -2.0], [3.0, 1.0]]),
        np.array([-0.5, 0.25]),
    )
    return [
        Case("two words, d_model and d_ff both 2", tiny),
        case("four words, d_model 3, d_ff 5", (4, 3), 5),
        case("two sentences of three words, d_model 4, d_ff 7", (2, 3, 4), 7),
    ]


def from_linears(x, weight_1, bias_1, weight_2, bias_2):
    hidden = np.maximum(0, x @ weight_1.T + bias_1)
    return hidden @ weight_2.T + bias_2


def _linears_with(
    x,
    weight_1,
    bias_1,
    weight_2,
    bias_2,
    *,
    bend="relu",
    first="x",
    last="as is",
    inner="before",
    outer="added",
    residual=False,
):
    start = np.maximum(0, x) if first == "relu" else x
    sums = start @ weight_1.T + (bias_1 if inner == "before" else 0)
    bent = {
        "relu": np.maximum(0, sums),
        "none": sums,
        "tanh": np.tanh(sums),
        "logistic": 1 / (1 + np.exp(-sums)),
        "size": np.abs(sums),
        "minimum": np.minimum(0, sums),
        "gelu": sums / 2 * (1 + _erf(sums / np.sqrt(2))),
    }[bend]
    hidden = bent + bias_1 if inner == "after" else bent
    output = hidden @ weight_2.T + (bias_2 if outer == "added" else 0)
    output = np.maximum(0, output) if last == "relu" else output
    return x + output if residual else output


def _not_transposed(x, weight_1, bias_1, weight_2, bias_2):
    return np.maximum(0, x @ weight_1 + bias_1) @ weight_2 + bias_2


def _word_by_word(x, weight_1, bias_1, weight_2, bias_2):
    result = np.empty(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        hidden = weight_1 @ x[place] + bias_1
        hidden[hidden < 0] = 0
        result[place] = weight_2 @ hidden + bias_2
    return result


def _unit_by_unit(x, weight_1, bias_1, weight_2, bias_2):
    result = np.zeros(x.shape) + bias_2
    for unit, bias in enumerate(bias_1):
        on = np.maximum(0, (x * weight_1[unit]).sum(-1) + bias)
        result = result + on[..., None] * weight_2[:, unit]
    return result.astype(np.float32)


def _linears_in_torch(x, weight_1, bias_1, weight_2, bias_2):
    from torch.nn.functional import linear, relu

    return linear(relu(linear(x, weight_1, bias_1)), weight_2, bias_2)


linears = Exercise(
    id="ch07.from-linears",
    title="A network from stored parameters",
    kind="implement",
    minutes=6,
    difficulty=2,
    section="ch07-positions",
    prompt="A model file holds the four parameters of a position-wise feed-forward "
    "network as two `torch.nn.Linear` layers store them: `weight_1` of shape "
    "`(d_ff, d_model)` and `bias_1` of `(d_ff,)`, then `weight_2` of shape `(d_model, "
    "d_ff)` and `bias_2` of `(d_model,)`. The nonlinearity is ReLU. Write "
    "`from_linears(x, weight_1, bias_1, weight_2, bias_2)` for `x` of shape `(n, "
    "d_model)` or `(batch, n, d_model)`; the output has the shape of `x`.",
    starter="def from_linears(x, weight_1, bias_1, weight_2, bias_2):\n"
    '    raise NotImplementedError("your code")',
    reference=from_linears,
    cases=_linears,
    properties=(_some_rows(from_linears),),
    switched=_linears_with,
    misconceptions=(
        Misconception(
            "stored-the-other-way",
            "You multiply x by the matrices as they are stored. It runs while d_ff "
            "equals d_model, and each unit gets the weights of others.",
            "A weight matrix has the shape `(in, out)`, as in the formula x W.",
            "How many rows has weight_1, and is that the number of features or of "
            "units?",
            wrong=_not_transposed,
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "no-bend",
            "Twice the input gives output that moves twice as far: there is no "
            "nonlinearity between your two layers.",
            "Two layers are more than one, with a bend or without.",
            "What should a unit pass on whose sum is −3? What does it pass on here?",
            switch={"bend": "none"},
        ),
        Misconception(
            "bend-at-the-end",
            "No entry of your output is negative: it goes through a ReLU as well.",
            "After each linear layer comes a nonlinearity.",
            "Which of the two matrices does equation 2 of the paper put outside of "
            "max(0, ...)?",
            switch={"last": "relu"},
        ),
        Misconception(
            "bend-at-the-start",
            "Negative features of x have no influence on your output: x itself goes "
            "through a ReLU.",
            "A ReLU stands before each layer.",
            "Change a feature of x from −1 to −2. Should the output move?",
            switch={"first": "relu"},
        ),
        Misconception(
            "tanh",
            "Your hidden units lie between −1 and 1: tanh is in the place of ReLU.",
            "Any nonlinearity does, so it does not matter which.",
            "What should a unit pass on whose sum is 5, and one whose sum is −5?",
            switch={"bend": "tanh"},
        ),
        Misconception(
            "logistic",
            "Your hidden units lie between 0 and 1: the logistic function is in the "
            "place of ReLU.",
            "A unit is on or off, or something between.",
            "What should a unit pass on whose sum is 5?",
            switch={"bend": "logistic"},
        ),
        Misconception(
            "gelu",
            "Your units dip a little below 0 for negative sums: they are GELUs.",
            "The nonlinearity of a Transformer is GELU. (Of many it is.)",
            "Which function does the prompt name, and what does it make of −1?",
            switch={"bend": "gelu"},
        ),
        Misconception(
            "sign-removed",
            "Your units pass on a negative sum without its sign: −3 becomes 3.",
            "Rectified means made positive. (There is such a rectifier; ReLU keeps "
            "one half only.)",
            "What is max(0, −3)?",
            switch={"bend": "size"},
        ),
        Misconception(
            "the-other-half",
            "Your units pass on negative sums and cut off positive ones.",
            "`minimum` sets a lower limit.",
            "Compare np.minimum(0, 3) with np.maximum(0, 3). Which one is ReLU?",
            switch={"bend": "minimum"},
        ),
        Misconception(
            "first-bias-lost",
            "`bias_1` has no influence on your result.",
            "A bias only shifts the result, and the last one does so already.",
            "Without bias_1, which hidden units are on for a word of zeros?",
            switch={"inner": "lost"},
        ),
        Misconception(
            "first-bias-after-the-bend",
            "`bias_1` is added after the ReLU, so it does not decide which units are "
            "on.",
            "It belongs to the first layer, and the order within does not matter.",
            "A unit has the sum −1 and the bias 3. Is it on?",
            switch={"inner": "after"},
        ),
        Misconception(
            "second-bias-lost",
            "`bias_2` has no influence on your result.",
            "The formula has one bias.",
            "What should come out if all hidden units are off?",
            switch={"outer": "lost"},
        ),
        Misconception(
            "input-added",
            "Your result is the input plus the network's output.",
            "A feed-forward network comes with its residual connection. (In a "
            "Transformer it does; it is not part of the network.)",
            "If weight_2 and bias_2 were zero, what should come out?",
            switch={"residual": True},
        ),
    ),
    variants=(
        _word_by_word,
        _unit_by_unit,
        _linears_in_torch,
        lambda x, w, b, v, c: (
            np.einsum(
                "...f,df->...d",
                np.clip(np.einsum("...d,fd->...f", x, w) + b, 0, None),
                v,
            )
            + c
        ),
    ),
    hints=(
        "Write down the shapes from left to right. Between which two does ReLU stand?",
        "torch.nn.Linear computes `x @ weight.T + bias`.",
        "The hidden layer has shape `(..., d_ff)`: a product, a bias, then the maximum "
        "with 0. The output needs another product and another bias.",
    ),
    insight="Reading a checkpoint is mostly this: finding out which way a matrix lies. "
    "GPT\N{NON-BREAKING HYPHEN}2's file stores `(in, out)`, most others `(out, in)`. "
    "With `d_ff = 4 * d_model` a slip raises an error; in the square matrices of "
    "attention it does not.",
)


# --- a convolution of any width ----------------------------------------------------


def _slides():
    rng = np.random.default_rng(72)

    def case(label, n, k, d_in, d_out):
        x = rng.normal(0.4, 1.0, (n, d_in))
        kernel = rng.normal(0.1, 0.8, (k, d_in, d_out))
        return Case(label, (x, kernel, rng.normal(0.5, 0.7, d_out)))

    digits = np.array([[[1.0]], [[10.0]], [[100.0]]])
    tiny = (np.array([[1.0], [2.0], [4.0]]), digits, np.array([0.5]))
    return [
        Case("three positions, one feature, width 3", tiny),
        case("five positions, width 1", 5, 1, 3, 2),
        case("six positions, width 3", 6, 3, 2, 4),
        case("seven positions, width 5", 7, 5, 3, 2),
        case("two positions, width 5", 2, 5, 4, 3),
    ]


def convolve(x, kernel, bias):
    n, width = len(x), len(kernel)
    half = width // 2
    padded = np.pad(x, ((half, half), (0, 0)))  # zeros before and after
    return bias + sum(padded[s : s + n] @ kernel[s] for s in range(width))


def _neighbour(x, place, edge):
    n = len(x)
    if 0 <= place < n:
        return np.zeros_like(x[0]) if edge == "skips first" and place == 0 else x[place]
    if edge == "wrap" or (edge == "wrap left" and place < 0):
        return x[place % n]
    if edge == "repeat":
        return x[min(max(place, 0), n - 1)]
    return np.zeros_like(x[0])


def _convolve_with(
    x, kernel, bias, *, taps="in order", edge="zeros", align="centre", added="once"
):
    width = len(kernel)
    offset = {"centre": width // 2, "past": width - 1, "future": 0}[align]
    times = {"once": 1, "never": 0, "each": width}[added]
    kernel = kernel[::-1] if taps == "flipped" else kernel
    rows = []
    for i in range(len(x)):
        row = times * bias
        for s in range(width):
            row = row + _neighbour(x, i + s - offset, edge) @ kernel[s]
        rows.append(row)
    return np.array(rows)


def _centre_only(x, kernel, bias):
    return x @ kernel[len(kernel) // 2] + bias


def _never_shifted(x, kernel, bias):
    return x @ kernel.sum(axis=0) + bias


def _only_complete(x, kernel, bias):
    n, width = len(x), len(kernel)
    rows = [np.zeros((0, kernel.shape[2]))]
    for i in range(n - width + 1):
        row = sum(x[i + s] @ kernel[s] for s in range(width))
        rows.append((row + bias)[None])
    return np.concatenate(rows)


def _divided_by_width(x, kernel, bias):
    return (convolve(x, kernel, bias) - bias) / len(kernel) + bias


def _side_by_side(x, kernel, bias):
    """Lay the neighbours of a position side by side, then one matrix."""
    width, d_in, d_out = kernel.shape
    padded = np.pad(x, ((width // 2, width // 2), (0, 0)))
    windows = np.stack([padded[i : i + width].ravel() for i in range(len(x))])
    return windows @ kernel.reshape(width * d_in, d_out) + bias


def _by_shares(x, kernel, bias):
    """Add to each position that a neighbour reaches, as the transpose does."""
    result = np.tile(bias, (len(x), 1)).astype(np.float32)
    for j, word in enumerate(x):
        for s, tap in enumerate(kernel):
            i = j - s + len(kernel) // 2
            if 0 <= i < len(x):
                result[i] += word @ tap
    return result


def _convolve_in_torch(x, kernel, bias):
    from torch.nn.functional import conv1d

    turned = kernel.permute(2, 1, 0)  # (out, in, width)
    return conv1d(x.T[None], turned, bias, padding="same")[0].T


convolution = Exercise(
    id="ch07.convolution",
    title="A window that slides",
    kind="implement",
    minutes=10,
    difficulty=3,
    section="ch07-positions",
    prompt="Write `convolve(x, kernel, bias)` for any odd width $k$, so that its case "
    "$k = 1$ is one linear layer of a feed-forward network. `x` has shape `(n, d_in)`, "
    "`kernel` has shape `(k, d_in, d_out)` and `bias` `(d_out,)`; the result has shape "
    "`(n, d_out)`. For $k = 3$, row $i$ of the result is\n\n"
    "```python\n"
    "(x[i - 1] @ kernel[0] + x[i] @ kernel[1]\n"
    "    + x[i + 1] @ kernel[2] + bias)\n"
    "```\n\n"
    "and a wider kernel reaches as far to the left as to the right. Before the first "
    "and after the last position stand zeros.",
    starter="def convolve(x, kernel, bias):\n"
    '    raise NotImplementedError("your code")',
    reference=convolve,
    cases=_slides,
    properties=(_some_rows(convolve),),
    switched=_convolve_with,
    misconceptions=(
        Misconception(
            "one-position",
            "Each row of your result depends on one position only: the middle of the "
            "kernel is all that is used.",
            "A convolution in a feed-forward network has width 1, so one matrix is "
            "enough.",
            "Change `x[0]`. Which rows of the result should move for k = 3?",
            wrong=_centre_only,
        ),
        Misconception(
            "never-shifted",
            "Each row of your result depends on its own position only: all k matrices "
            "are applied to the same row of x.",
            "The kernel slides by itself.",
            "Which row of x belongs to `kernel[0]` in row i of the result?",
            wrong=_never_shifted,
        ),
        Misconception(
            "kernel-flipped",
            "Your kernel runs backwards: its first matrix meets the neighbour on the "
            "right.",
            "A convolution flips its kernel. (In mathematics, and in np.convolve, it "
            "does; the layers of neural networks do not.)",
            "In the formula of the prompt, which neighbour meets `kernel[0]`?",
            switch={"taps": "flipped"},
        ),
        Misconception(
            "wraps-around",
            "The first position reads the last one, and the last the first: your "
            "window wraps around.",
            "`np.roll` shifts the rows, and what falls out at one end does no harm.",
            "What does np.roll([1, 2, 4], 1) put in the first place?",
            switch={"edge": "wrap"},
        ),
        Misconception(
            "wraps-at-the-left",
            "The right end is as it should be; at the left end the first position "
            "reads the last one.",
            "An index before the first row raises an error, as one after the last "
            "does.",
            "What is `x[-1]` of an array with three rows?",
            switch={"edge": "wrap left"},
        ),
        Misconception(
            "first-position-skipped",
            "Position 0 is never read: your result is the same whatever stands in "
            "`x[0]`.",
            "A valid index is larger than 0.",
            "Try a sentence of zeros but for `x[0]`. Which rows should not be the "
            "bias?",
            switch={"edge": "skips first"},
        ),
        Misconception(
            "edge-repeated",
            "Beyond the ends your window reads the first and the last row again.",
            "What lies outside is best continued by what is at the edge.",
            "Which sum of three products should row 0 be, if `x[-1]` counts as zeros?",
            switch={"edge": "repeat"},
        ),
        Misconception(
            "looks-back-only",
            "Row i of your result reads positions up to i and none after it.",
            "A window ends at the position that it belongs to. (In a model that writes "
            "text it has to.)",
            "Which matrix should meet `x[i]` for k = 3, and which does here?",
            switch={"align": "past"},
        ),
        Misconception(
            "looks-ahead-only",
            "Row i of your result reads positions from i on and none before it.",
            "A window begins at the position that it belongs to.",
            "Which matrix should meet `x[i]` for k = 3, and which does here?",
            switch={"align": "future"},
        ),
        Misconception(
            "complete-windows-only",
            "Your result has k − 1 rows fewer than x: there is one for each window "
            "that fits in.",
            "Where a neighbour is missing, there is no result.",
            "What stands before the first position, according to the prompt?",
            wrong=_only_complete,
        ),
        Misconception(
            "bias-lost",
            "`bias` has no influence on your result.",
            "The kernel is all that is learned.",
            "What should come out for an x of zeros?",
            switch={"added": "never"},
        ),
        Misconception(
            "bias-for-each-neighbour",
            "Your bias is counted k times, once for each matrix of the kernel.",
            "Each of the k products is a linear layer, with its bias.",
            "What should come out for an x of zeros, and what does?",
            switch={"added": "each"},
        ),
        Misconception(
            "mean-of-neighbours",
            "The products are divided by k before the bias is added.",
            "A window takes an average.",
            "For k = 3 and a kernel of ones, what is the sum of 1, 1 and 1?",
            wrong=_divided_by_width,
        ),
    ),
    variants=(_side_by_side, _by_shares, _convolve_in_torch),
    hints=(
        "For one i and one s: which row of x does `kernel[s]` meet? Try k = 3, then 5.",
        "The middle matrix has the index `k // 2`, and it meets `x[i]` itself.",
        "If `k // 2` rows of zeros stand before and after x, no index leaves the "
        "array: matrix s meets the padded rows from s to s + n.",
    ),
    insight="With k\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1 nothing is shifted and "
    "nothing padded: `x @ kernel[0] + bias`. For k\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
    "3 a layer sees one neighbour on each side, so a word 512 places away is reached "
    "after 512 layers; attention needs one.",
)


# --- the network that mixed positions ----------------------------------------------


def _sentences():
    rng = np.random.default_rng(73)

    def case(label, batch, n, d, d_ff):
        w_1, w_2 = rng.normal(0.1, 0.8, (d, d_ff)), rng.normal(0.1, 0.8, (d_ff, d))
        b_1, b_2 = rng.normal(0.2, 0.7, d_ff), rng.normal(-0.3, 0.7, d)
        return Case(label, (rng.normal(0.3, 1.0, (batch, n, d)), w_1, b_1, w_2, b_2))

    return [
        case("one sentence of two words, three features", 1, 2, 3, 2),
        case("two sentences of five words, four features", 2, 5, 4, 6),
        case("three sentences of two words, five features", 3, 2, 5, 7),
    ]


def by_channels(x, w_1, b_1, w_2, b_2):
    channels = np.swapaxes(x, 1, 2)
    hidden = np.maximum(0, w_1.T @ channels + b_1[:, None])
    output = w_2.T @ hidden + b_2[:, None]
    return np.swapaxes(output, 1, 2)


def _channels_with(
    x, w_1, b_1, w_2, b_2, *, into="turned", back="turned", bend="relu", last="as is"
):
    batch, n, d = x.shape
    channels = {
        "turned": lambda: np.swapaxes(x, 1, 2),
        "reshaped": lambda: x.reshape(batch, d, n),
        "fortran": lambda: x.reshape(batch, d, n, order="F"),
    }[into]()
    sums = w_1.T @ channels + b_1[:, None]
    hidden = np.maximum(0, sums) if bend == "relu" else sums
    output = w_2.T @ hidden + b_2[:, None]
    output = np.maximum(0, output) if last == "relu" else output
    return {
        "turned": lambda: np.swapaxes(output, 1, 2),
        "reshaped": lambda: output.reshape(batch, n, d),
        "fortran": lambda: output.reshape(batch, n, d, order="F"),
        "not": lambda: output,
    }[back]()


def _channels_in_torch(x, w_1, b_1, w_2, b_2):
    from torch.nn.functional import conv1d, relu

    hidden = relu(conv1d(x.transpose(1, 2), w_1.T[:, :, None], b_1))
    return conv1d(hidden, w_2.T[:, :, None], b_2).transpose(1, 2)


def _one_at_a_time(x, w_1, b_1, w_2, b_2):
    return [[np.maximum(0, w @ w_1 + b_1) @ w_2 + b_2 for w in s] for s in x]


def _flattened(x, w_1, b_1, w_2, b_2):
    rows = x.reshape(-1, x.shape[-1]).astype(np.float32)
    return (np.maximum(0, rows @ w_1 + b_1) @ w_2 + b_2).reshape(x.shape)


mixing = Exercise(
    id="ch07.mend-mixing",
    title="A word that changed its neighbours",
    kind="debug",
    minutes=7,
    difficulty=3,
    section="ch07-positions",
    prompt="Convolutions want the features on the middle axis, so somebody wrote the "
    "feed-forward network this way. All shapes are right. But when one word of a "
    "sentence is replaced, the outputs of other words change as well. Mend "
    "`by_channels(x, w_1, b_1, w_2, b_2)`: `x` has shape `(batch, n, d_model)`, the "
    "parameters are those of this section, and the result has the shape of `x`.",
    starter="def by_channels(x, w_1, b_1, w_2, b_2):\n"
    "    batch, n, d_model = x.shape\n"
    "    channels = x.reshape(batch, d_model, n)\n"
    "    hidden = np.maximum(0, w_1.T @ channels + b_1[:, None])\n"
    "    output = w_2.T @ hidden + b_2[:, None]\n"
    "    return output.reshape(batch, n, d_model)",
    reference=by_channels,
    cases=_sentences,
    switched=_channels_with,
    misconceptions=(
        Misconception(
            "mixed-on-the-way-in",
            "What enters the network as one word is made of numbers of several: "
            "`reshape` cuts the same row of numbers at other places.",
            "Reshaping `(n, d)` to `(d, n)` exchanges the axes.",
            "Compare np.arange(6).reshape(2, 3).reshape(3, 2) with "
            "np.arange(6).reshape(2, 3).T. Which one keeps 0, 1, 2 together?",
            switch={"into": "reshaped"},
        ),
        Misconception(
            "mixed-on-the-way-out",
            "The network works on whole words, and then its results are cut at other "
            "places: a row of your output holds numbers of several words.",
            "Reshaping `(d, n)` to `(n, d)` exchanges the axes.",
            "Print np.array([[0, 1, 2], [10, 11, 12]]).reshape(3, 2). Which word do 0 "
            "and 10 belong to before, and after?",
            switch={"back": "reshaped"},
        ),
        Misconception(
            "not-turned-back",
            "Your output has the shape `(batch, d_model, n)`: the features are still "
            "on the middle axis.",
            "The network's output has the order of its input again.",
            "Which axis counts the words in the array that you return?",
            switch={"back": "not"},
        ),
        Misconception(
            "order-f-in",
            'With `order="F"` on the way in, what enters the network as one word is '
            "still made of numbers of several.",
            "The other order of reading is the exchange of the axes.",
            "In order F the first axis runs fastest. Which axis is the first one here: "
            "words, features, or sentences?",
            switch={"into": "fortran"},
        ),
        Misconception(
            "order-f-out",
            'With `order="F"` on the way out, a row of your output still holds numbers '
            "of several words.",
            "The other order of reading is the exchange of the axes.",
            "In order F the first axis runs fastest. Which axis is the first one here: "
            "words, features, or sentences?",
            switch={"back": "fortran"},
        ),
        Misconception(
            "bend-lost",
            "There is no ReLU in your network any more.",
            "The maximum was part of the fault.",
            "Which of the lines that were handed out moves numbers from one word to "
            "another, and which works on each number alone?",
            switch={"bend": "none"},
        ),
        Misconception(
            "bend-at-the-end",
            "No entry of your output is negative: it goes through a ReLU as well.",
            "After each linear layer comes a nonlinearity.",
            "Which lines of the code that was handed out held a ReLU?",
            switch={"last": "relu"},
        ),
    ),
    variants=(
        lambda x, w_1, b_1, w_2, b_2: np.maximum(0, x @ w_1 + b_1) @ w_2 + b_2,
        _channels_in_torch,
        _one_at_a_time,
        _flattened,
    ),
    properties=(_some_rows(by_channels),),
    hints=(
        "Put in a sentence whose words are 0, 0, 0 and 1, 1, 1, and print `channels`.",
        "`reshape` reads the numbers in the order of their indices, the last axis "
        "fastest. Which operation exchanges two axes?",
        "Two lines have the same fault: one on the way in, one on the way out. "
        "Exchanging two axes is what both want to do.",
    ),
    insight="Shapes cannot show this fault, since both operations give the same shape. "
    "A test can: replace one word, and see which rows of the output move.",
)


# --- without the bend --------------------------------------------------------------


def _three_layers():
    rng = np.random.default_rng(74)

    def case(label, *widths):
        parameters = []
        for d_in, d_out in pairwise(widths):
            matrix = rng.normal(0.2, 0.8, (d_in, d_out))
            parameters += [matrix, rng.normal(0.4, 0.8, d_out)]
        return Case(label, tuple(parameters))

    tiny = (
        np.array([[1.0, 2.0], [0.0, 1.0]]),
        np.array([1.0, 0.0]),
        np.array([[2.0, 0.0], [1.0, 1.0]]),
        np.array([0.0, 3.0]),
        np.array([[1.0, -1.0], [2.0, 1.0]]),
        np.array([0.5, 1.0]),
    )
    return [
        Case("all widths 2", tiny),
        case("widths 3, 5, 4, 2", 3, 5, 4, 2),
        case("widths 4, 2, 6, 3", 4, 2, 6, 3),
    ]


def collapse(w_1, b_1, w_2, b_2, w_3, b_3):
    matrix = w_1 @ w_2 @ w_3
    bias = (b_1 @ w_2 + b_2) @ w_3 + b_3
    return matrix, bias


def _as_two(result, *arguments):
    """Two results in a list are as good as two in a tuple."""
    return tuple(result) if isinstance(result, list) else result


def _collapse_with(
    w_1, b_1, w_2, b_2, w_3, b_3, *, first=1, second=1, third=1, turned=False
):
    bias = (first * b_1 @ w_2 + second * b_2) @ w_3 + third * b_3
    matrix = w_1 @ w_2 @ w_3
    return matrix.T if turned else matrix, bias


def _two_of_three(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_1 @ w_2, b_1 @ w_2 + b_2


def _no_bias(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_1 @ w_2 @ w_3, np.zeros(w_3.shape[1])


def _biases_only_added(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_1 @ w_2 @ w_3, b_1 + b_2 + b_3


def _one_matrix_late(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_1 @ w_2 @ w_3, (b_1 @ w_1 + b_2) @ w_2 + b_3


def _backwards(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_3 @ w_2 @ w_1, (b_1 @ w_2 + b_2) @ w_3 + b_3


def _entrywise(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_1 * w_2 * w_3, b_1 * b_2 * b_3


def _only_the_last_bias(w_1, b_1, w_2, b_2, w_3, b_3):
    return w_1 @ w_2 @ w_3, b_3


def _bias_first(w_1, b_1, w_2, b_2, w_3, b_3):
    return collapse(w_1, b_1, w_2, b_2, w_3, b_3)[::-1]


def _collapse_by_trying(w_1, b_1, w_2, b_2, w_3, b_3):
    """Ask the three layers: zeros show the bias, unit vectors the rows."""
    probes = np.vstack([np.zeros(len(w_1)), np.eye(len(w_1))])
    answers = ((probes @ w_1 + b_1) @ w_2 + b_2) @ w_3 + b_3
    return [answers[1:] - answers[0], answers[0]]


def _collapse_with_a_one(w_1, b_1, w_2, b_2, w_3, b_3):
    """Give each word one more feature, always 1, and each matrix a row for it."""
    whole = np.eye(len(w_1) + 1)
    for w, b in ((w_1, b_1), (w_2, b_2), (w_3, b_3)):
        corner = np.append(np.zeros(len(w)), 1.0)[:, None]
        whole = whole @ np.hstack([np.vstack([w, b]), corner])
    return whole[:-1, :-1].astype(np.float32), whole[-1, :-1]


def _collapse_in_torch(w_1, b_1, w_2, b_2, w_3, b_3):
    import torch

    after = torch.matmul(w_2, w_3)
    return torch.linalg.multi_dot([w_1, w_2, w_3]), b_1 @ after + b_2 @ w_3 + b_3


def _same_answers(result, w_1, b_1, w_2, b_2, w_3, b_3):
    bias = ((np.zeros(len(w_1)) @ w_1 + b_1) @ w_2 + b_2) @ w_3 + b_3
    if np.allclose(result[1], bias, atol=1e-4):
        return "Your bias is right; the matrix is not."
    if np.allclose(result[0], w_1 @ w_2 @ w_3, atol=1e-4):
        return (
            "Your matrix is right; the bias is not. What do the three layers answer to "
            "a word of zeros?"
        )
    return None


collapsed = Exercise(
    id="ch07.collapse",
    title="Three layers in one",
    kind="implement",
    minutes=6,
    difficulty=2,
    section="ch07-collapse",
    prompt="Three linear layers follow each other without a bend between them: `((x @ "
    "w_1 + b_1) @ w_2 + b_2) @ w_3 + b_3`, of widths $d$ to $f$ to $g$ to $h$. Write "
    "`collapse(w_1, b_1, w_2, b_2, w_3, b_3)`, which returns `(matrix, bias)` of "
    "shapes `(d, h)` and `(h,)` such that `x @ matrix + bias` is the same for every "
    "`x`.",
    starter="def collapse(w_1, b_1, w_2, b_2, w_3, b_3):\n"
    '    raise NotImplementedError("your code")',
    reference=collapse,
    cases=_three_layers,
    observe=_as_two,
    switched=_collapse_with,
    misconceptions=(
        Misconception(
            "only-the-last-bias",
            "Your bias is `b_3` alone.",
            "The earlier biases disappear in the product of the matrices.",
            "What do the three layers answer to a word of zeros?",
            wrong=_only_the_last_bias,
        ),
        Misconception(
            "biases-only-added",
            "Your bias is the sum of the three biases as they are. That fits while all "
            "widths are equal.",
            "What is added in a layer is added to the result.",
            "What happens to b_1 on its way through the second layer?",
            wrong=_biases_only_added,
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "each-bias-through-its-own-matrix",
            "Your biases go through the matrices of their own layers: `b_1` is "
            "multiplied by `w_1`.",
            "A layer's bias belongs to its matrix.",
            "Is b_1 added before or after `x @ w_1`? Which matrices come later?",
            wrong=_one_matrix_late,
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "first-bias-lost",
            "`b_1` has no influence on your result.",
            "After two more layers nothing is left of it.",
            "Raise b_1 and ask the three layers about a word of zeros.",
            switch={"first": 0},
        ),
        Misconception(
            "second-bias-lost",
            "`b_2` has no influence on your result.",
            "The bias in the middle is part of the matrices around it.",
            "Raise b_2 and ask the three layers about a word of zeros.",
            switch={"second": 0},
        ),
        Misconception(
            "last-bias-lost",
            "`b_3` has no influence on your result.",
            "What is added last is not part of the layers.",
            "Raise b_3 and ask the three layers about a word of zeros.",
            switch={"third": 0},
        ),
        Misconception(
            "backwards",
            "Your matrix is the product from the last to the first: it fits while all "
            "widths are equal.",
            "The last layer is the outermost, so it stands on the left. (For columns, "
            "W x, it does.)",
            "Here x stands on the left. Which matrix does it meet first?",
            wrong=_backwards,
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "entry-by-entry",
            "Your matrix multiplies the three entry by entry.",
            "The sign `*` multiplies matrices.",
            "Which shape must come out of (3, 5), (5, 4) and (4, 2)?",
            wrong=_entrywise,
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "matrix-turned",
            "Your matrix is the transpose of the right one, shape `(h, d)`.",
            "A layer stores its matrix as `(out, in)`. (torch.nn.Linear does.)",
            "Which shape makes `x @ matrix` fit?",
            switch={"turned": True},
        ),
        Misconception(
            "third-layer-left-out",
            "Your matrix and bias are those of the first two layers.",
            "The chapter's formula has two matrices.",
            "What is the width of `x @ matrix`, and what is h?",
            wrong=_two_of_three,
        ),
        Misconception(
            "no-bias",
            "Your bias is zero.",
            "A product of matrices is all that is left of three layers.",
            "What do the three layers answer to a word of zeros?",
            wrong=_no_bias,
        ),
        Misconception(
            "bias-returned-first",
            "Both results are right; the bias comes first.",
            "The order does not matter, since the shapes tell them apart.",
            "The caller unpacks `matrix, bias = ...`. What lands in `matrix`?",
            wrong=_bias_first,
        ),
    ),
    variants=(_collapse_by_trying, _collapse_with_a_one, _collapse_in_torch),
    properties=(Property("matrix or bias", _same_answers),),
    hints=(
        "Begin with two layers: multiply (x W_1 + b_1) W_2 + b_2 out. What stands "
        "beside x?",
        "The bias is what the layers answer to a word of zeros.",
        "b_1 passes through two matrices on its way, b_2 through one, b_3 through "
        "none.",
    ),
    insight="The one matrix has at most the rank of the narrowest layer, so depth "
    "without a bend can only lose. In training it is not quite the same as one layer, "
    "though: gradient descent takes other steps through a product.",
)

bend = Exercise(
    id="ch07.why-bend",
    title="What is lost without the bend",
    kind="explain",
    minutes=4,
    difficulty=2,
    section="ch07-collapse",
    prompt="To save time, a colleague takes the ReLU out of all feed-forward networks "
    "of a stack of attention layers (without layer normalisation), before training. "
    "The widths stay 384, 1536, 384. "
    "Set `ch07_why_bend` to the letters of all statements that are true, in one "
    "string.",
    starter="ch07_why_bend = ...",
    choices={
        "a": Choice(
            "A larger hidden width makes up for it: 15,360 units without a bend do as "
            "much.",
            "Any width collapses to one matrix of shape `(384, 384)`. Width adds "
            "pieces to a bent function and nothing to a straight one.",
        ),
        "b": Choice(
            "The harm is that outputs may now be negative, which ReLU had prevented.",
            "The output of the network was never cut off: ReLU stands before the "
            "second matrix, whose entries and bias may have any sign.",
        ),
        "c": Choice(
            "Each network could be stored as "
            "384\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}384\N{NO-BREAK SPACE}+"
            "\N{NO-BREAK SPACE}384 numbers without a loss.",
            "The product of its matrices has the shape `(384, 384)`, and the two "
            "biases become one of length 384: 147,840 numbers in place of 1,181,568.",
            right=True,
        ),
        "d": Choice(
            "Attention bends as well, so that nothing is lost for a sentence of one "
            "word.",
            "With one key the softmax gives 1, whatever the score. For a word alone, "
            "attention of any depth is one matrix and a constant.",
        ),
        "e": Choice(
            "For a sentence of one word the whole stack is one matrix and a constant.",
            "Attention to one word is a matrix, and now the networks between are, too. "
            "A product of such steps, with added constants, is one more of the kind.",
            right=True,
        ),
    },
    hints=(
        "Multiply (x W_1 + b_1) W_2 + b_2 out, with the shapes 384, 1536, 384.",
        "Which part of attention bends, and what does it do with a single key?",
        "Two statements are true: one about a network, one about a word alone.",
    ),
    insight="Little time is saved. The bend costs 1536 comparisons a word, beside "
    "1,179,648 multiply-adds. The saving comes only when the two matrices are "
    "multiplied beforehand: then 147,456 multiply-adds a word are left, for what one "
    "matrix can do.",
)


# --- counting ----------------------------------------------------------------------

_ATTENTION = 4 * (768 * 768 + 768)
_NETWORK = 2 * 768 * 3072 + 3072 + 768

parameters = Exercise(
    id="ch07.count-parameters",
    title="One layer of GPT-2",
    kind="predict",
    minutes=5,
    difficulty=2,
    section="ch07-note-shapes",
    prompt="A layer of the smallest GPT-2 has $d_{\\text{model}} = 768$, 12 heads "
    "of width 64 and $d_{\\text{ff}} = 3072$. Attention has query, key, value and "
    "output projections; these and both layers of the feed-forward network have "
    "biases. Set `ch07_predict_parameters` to the number of parameters in attention "
    "and feed-forward network together, without the layer normalisations, for a text "
    "of 10 words.",
    starter="ch07_predict_parameters = ...",
    reference=_ATTENTION + _NETWORK,
    misconceptions=(
        Misconception(
            "no-biases",
            "7,077,888 is 12 times 768 squared: the six matrices without their biases.",
            "A layer is its matrix.",
            "How many biases are there in the six layers, and how long is each?",
            wrong=4 * 768**2 + 2 * 768 * 3072,
        ),
        Misconception(
            "biases-of-attention-lost",
            "You counted the biases of the feed-forward network and not those of "
            "attention.",
            "A projection is a matrix and no more.",
            "How long is the bias of the query projection, all heads together?",
            wrong=4 * 768**2 + _NETWORK,
        ),
        Misconception(
            "biases-of-the-network-lost",
            "You counted the biases of attention and not those of the feed-forward "
            "network.",
            "The feed-forward network is two matrices and no more.",
            "What are b_1 and b_2 in the formula, and how long are they?",
            wrong=_ATTENTION + 2 * 768 * 3072,
        ),
        Misconception(
            "output-projection-lost",
            "You counted three projections: the one after the heads is missing.",
            "Attention has a matrix for queries, one for keys and one for values.",
            "What mixes the results of the 12 heads?",
            wrong=3 * (768 * 768 + 768) + _NETWORK,
        ),
        Misconception(
            "one-matrix-of-the-network",
            "You counted the first layer of the feed-forward network and not the "
            "second.",
            "The network is one layer with 3072 units.",
            "What brings 3072 units back to a width of 768?",
            wrong=_ATTENTION + 768 * 3072 + 3072,
        ),
        Misconception(
            "second-bias-as-wide-as-the-first",
            "You gave both layers of the network a bias of length 3072.",
            "Each bias of the network is as long as its hidden layer.",
            "To which array is b_2 added?",
            wrong=_ATTENTION + 2 * 768 * 3072 + 2 * 3072,
        ),
        Misconception(
            "full-width-heads",
            "You counted the attention 12 times, once for each head.",
            "Each head is an attention of the full width.",
            "How wide are the queries of one head, and so how many columns has its "
            "matrix?",
            wrong=12 * _ATTENTION + _NETWORK,
        ),
        Misconception(
            "all-times-twelve",
            "You counted everything 12 times, once for each head.",
            "Each head is a layer of its own.",
            "How often is the feed-forward network there in a layer with 12 heads?",
            wrong=12 * (_ATTENTION + _NETWORK),
        ),
        Misconception(
            "a-network-for-each-word",
            "You counted ten feed-forward networks, one for each word.",
            "Position-wise means that each position has its own network.",
            "What would become of the eleventh word?",
            wrong=_ATTENTION + 10 * _NETWORK,
        ),
        Misconception(
            "network-alone",
            "4,722,432 is the feed-forward network alone.",
            "The parameters are in the feed-forward networks.",
            "How many matrices of shape (768, 768) has attention?",
            wrong=_NETWORK,
        ),
        Misconception(
            "layer-norms-counted",
            "7,087,872 is right for the whole layer, with two layer normalisations of "
            "2 · 768 numbers each.",
            "They belong to the layer. (They do; this question leaves them out.)",
            "How far is your number from 7,084,800?",
            wrong=_ATTENTION + _NETWORK + 4 * 768,
        ),
    ),
    hints=(
        "Do the length of the text and the number of heads matter?",
        "Four layers are 768 to 768; one is 768 to 3072, and one goes back.",
        "A layer from a to b with a bias has (a + 1) · b parameters. Add up six of "
        "them.",
    ),
    insight="Attention has 4\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}(768² + 768) = "
    "2,362,368 parameters, the network 2\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}"
    "768\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}3072 + 3072 + 768 = 4,722,432; together "
    "7,084,800. Two layer normalisations of 2\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}768 "
    "numbers each add 3072: a whole layer has 7,087,872. Twelve are 85,054,464 of "
    "GPT\N{NON-BREAKING HYPHEN}2's 124,439,808 parameters. Nearly all others are the "
    "tables of word and position vectors.",
)

operations = Exercise(
    id="ch07.where-operations-meet",
    title="From which length on",
    kind="predict",
    minutes=4,
    difficulty=3,
    section="ch07-note-shapes",
    prompt="A layer has $d_{\\text{model}} = 400$ and a feed-forward network with "
    "$d_{\\text{ff}} = 1400$, less than $4 d_{\\text{model}}$. Count one multiply-add "
    "per weight and word for the "
    "network's two matrices, biases left out. From which length $n$ on do the scores "
    "and the weighted averages, together, cost more than the network? The projections "
    "of attention are not counted. Set `ch07_predict_operations` to the $n$ at which "
    "both cost the same.",
    starter="ch07_predict_operations = ...",
    reference=1400,
    misconceptions=(
        Misconception(
            "four-times-the-width",
            "1600 is four times d_model: right for a network with d_ff = 4 d_model.",
            "The rule n = 4d holds for every network.",
            "How wide is the hidden layer here, and where does the 4 in the rule come "
            "from?",
            wrong=1600,
        ),
        Misconception(
            "scores-alone",
            "2800 is where the scores alone cost as much as the network.",
            "The weights are what costs n squared; the average is cheap.",
            "How many multiply-adds does `(n, n)` times `(n, d)` take?",
            wrong=2800,
        ),
        Misconception(
            "one-matrix-of-the-network",
            "700 is where scores and averages cost as much as one of the network's two "
            "matrices.",
            "The network is one layer with d_ff units.",
            "What brings 1400 units back to a width of 400?",
            wrong=700,
        ),
        Misconception(
            "projections-counted",
            "600 is where attention with its four projections draws level.",
            "Attention's cost is all of its cost.",
            "Which part of attention does the prompt leave out?",
            wrong=600,
        ),
        Misconception(
            "n-equals-d",
            "400 is where n² d equals n d².",
            "The two costs are n² d and n d², so they meet at n = d. (So it is in the "
            "paper's comparison with a recurrent network.)",
            "Which two sizes multiply in one matrix of this network?",
            wrong=400,
        ),
    ),
    hints=(
        "Write both costs with n, d and d_ff. Each has two products.",
        "The network takes n · d · d_ff twice; the scores take n · n · d.",
        "Set 2 n² d equal to 2 n d d_ff and divide by what both sides have.",
    ),
    insight="Scores and averages take `n * n * d` each, the network's two matrices "
    "`n * d * d_ff` each: the costs are equal where n is d_ff, whatever d is. Further "
    'on, the section "One more attention" reads the network as attention to d_ff '
    "learned keys: each costs as much as a word of the text.",
)


# --- a rounder bend ----------------------------------------------------------------


def _sums():
    rng = np.random.default_rng(75)
    return [
        Case("two words, three units", (np.array([[-1.0, 0.0, 1.0], [-3.0, 0.5, 2]]),)),
        Case("negative sums only", (rng.uniform(-3.6, -2.4, (3, 4)),)),
        Case("thirteen sums from −6 to 6", (np.linspace(-6, 6, 13),)),
        Case("two sentences", (rng.normal(-0.5, 2.0, (2, 3, 4)),)),
    ]


def exact_gelu(z):
    from math import erf, sqrt

    below = [(1 + erf(number / sqrt(2))) / 2 for number in z.ravel()]
    return z * np.reshape(below, z.shape)


def _gelu_by_tanh(z):
    return z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


def _density(z):
    return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _gelu_from_a_table(z):
    """Abramowitz and Stegun's 7.1.26: exact to 1.5e-7."""
    size = np.abs(z) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * size)
    series = 0.254829592 + t * (
        -0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))
    )
    tail = t * series * np.exp(-(size**2)) / 2
    return np.where(z < 0, z * tail, z * (1 - tail))


def _gelu_by_one_number(z):
    if z.ndim == 0:
        return float(z) * math.erfc(-float(z) / 2**0.5) / 2
    return [_gelu_by_one_number(part) for part in z]


def _gelu_in_torch(z):
    from torch.nn.functional import gelu

    return gelu(z.float())


def _large_are_kept(result, z):
    large = z > 3
    if large.any() and np.abs(result[large] - z[large]).max() > 0.02:
        return (
            "A large positive sum should pass nearly unchanged, as with ReLU; "
            f"{z[large].max():.3g} becomes {result[large][z[large].argmax()]:.3g}."
        )
    return None


def _not_too_low(result, z):
    if result.min() < -0.171:
        at = np.unravel_index(result.argmin(), z.shape)
        lowest = f"{result[at]:.3g} at {z[at]:.3g}".replace("-", "−")
        return f"GELU is nowhere below −0.17; yours is {lowest}."
    return None


def _zero_at_zero(result, z):
    at_zero = result[z == 0]
    if at_zero.size and np.abs(at_zero).max() > 1e-3:
        return f"GELU of 0 is 0; yours is {at_zero[0]:.3g}."
    return None


rounder = Exercise(
    id="ch07.gelu",
    title="GELU, exactly",
    kind="implement",
    minutes=6,
    difficulty=2,
    section="ch07-gelu",
    prompt="Write `exact_gelu(z)`, the exact form of the paper's Gaussian error linear "
    "unit, for an array `z` of any shape, such as `(n, d_ff)` or `(batch, n, d_ff)`. "
    "The result has the shape of `z`. `math.erf` takes one number at a time.",
    starter='def exact_gelu(z):\n    raise NotImplementedError("your code")',
    reference=exact_gelu,
    cases=_sums,
    tolerance=1e-4,
    misconceptions=(
        Misconception(
            "tanh-form",
            "Your result is the approximation with tanh. Near z = 2.7 and z = −2.7 it "
            "is 0.0005 off, which is 5 percent of GELU at −2.7.",
            "The form with 0.044715 is the definition.",
            "Compare your exact_gelu(-2.7) with −2.7 times the probability that a "
            "standard normal number is below −2.7, 0.003467.",
            wrong=_gelu_by_tanh,
        ),
        Misconception(
            "logistic-form",
            "Your result is z / (1 + e^(−1.702 z)), the paper's rougher approximation.",
            "Φ is the logistic function.",
            "Compare your exact_gelu(1) with the 0.8413 of this section.",
            wrong=lambda z: z / (1 + np.exp(-1.702 * z)),
        ),
        Misconception(
            "silu",
            "Your result is z / (1 + e^(−z)), which is called SiLU or Swish.",
            "All smooth versions of ReLU are the same.",
            "Where is your function lowest? GELU is at −0.75.",
            wrong=lambda z: z / (1 + np.exp(-z)),
        ),
        Misconception(
            "relu",
            "Your result is ReLU: negative sums give exactly 0.",
            "GELU is another name for it.",
            "What is GELU of −1, according to the section?",
            wrong=lambda z: np.maximum(0, z),
        ),
        Misconception(
            "root-of-two-lost",
            "Your bend is too sharp: erf is taken of z, not of z divided by the root "
            "of 2.",
            "erf is the normal distribution function.",
            "The share of normal numbers within 1 of the mean is 0.683. What is "
            "math.erf(1)?",
            wrong=lambda z: z / 2 * (1 + _erf(z)),
        ),
        Misconception(
            "half-lost",
            "Large sums come out twice as large: 2 becomes nearly 4.",
            "1 + erf is the probability.",
            "What is 1 + erf(10), and what is the largest that a probability can be?",
            wrong=lambda z: z * (1 + _erf(z / np.sqrt(2))),
        ),
        Misconception(
            "one-lost",
            "Your function has the same value at z and at −z: the 1 before erf is "
            "missing.",
            "erf itself goes from 0 to 1.",
            "What is math.erf(-10)?",
            wrong=lambda z: z / 2 * _erf(z / np.sqrt(2)),
        ),
        Misconception(
            "share-alone",
            "Your results lie between 0 and 1: they are Φ(z), by which z is to be "
            "multiplied.",
            "The unit's output is the probability.",
            "What does GELU do with a sum of 100?",
            wrong=lambda z: (1 + _erf(z / np.sqrt(2))) / 2,
        ),
        Misconception(
            "cut-off-at-zero",
            "Positive sums come out right; negative ones give exactly 0.",
            "A rectifier lets nothing negative through.",
            "What is GELU of −1, according to the section?",
            wrong=lambda z: np.maximum(0, exact_gelu(z)),
        ),
        Misconception(
            "wrong-side",
            "Positive sums are cut off and negative ones pass: z is multiplied by the "
            "probability of being above it.",
            "The tail beyond z is what counts.",
            "What should become of a sum of 5?",
            wrong=lambda z: z / 2 * (1 - _erf(z / np.sqrt(2))),
        ),
        Misconception(
            "density",
            "Your results go back to 0 for large sums: z is multiplied by the normal "
            "density, not by the distribution function.",
            "Gaussian means the bell curve.",
            "How probable is it that a standard normal number is below 5?",
            wrong=lambda z: z * _density(z),
        ),
    ),
    variants=(
        lambda z: z / 2 * (1 + np.vectorize(math.erf)(z / np.sqrt(2))),
        _gelu_by_one_number,
        _gelu_from_a_table,
        _gelu_in_torch,
    ),
    properties=(
        Property("zero at zero", _zero_at_zero),
        Property("large sums pass", _large_are_kept),
        Property("the lowest value", _not_too_low),
    ),
    hints=(
        "What is multiplied with what, and which of the two is a probability?",
        "Begin with one number: the formula, with `math.erf` and `math.sqrt`.",
        "For an array: make a flat list of the numbers, treat each, and give the "
        "result the shape of z; `np.vectorize` does this for a function of one number.",
    ),
    insight="Far to the left, 1 + erf loses its digits: at z = −9 it is exactly 0. "
    "`math.erfc(-z / math.sqrt(2)) / 2` is the same probability and keeps them.",
)


# --- the network as a memory -------------------------------------------------------

_KEYED = np.array([3.0, -2.0, 1.0])  # what the three keys say, biases included
_STORED = np.array([[2.0, 0.0], [5.0, 5.0], [-1.0, 4.0]])
_LAST = np.array([1.0, -1.0])


def _recalled(shares):
    return tuple((shares @ _STORED + _LAST).tolist())


_RAISED = np.exp(_KEYED) / np.exp(_KEYED).sum()

memory = Exercise(
    id="ch07.memory",
    title="What the memory answers",
    kind="predict",
    minutes=4,
    difficulty=2,
    section="ch07-memory",
    prompt="A feed-forward network has three hidden units. For one word, `x @ w_1 + "
    "b_1` is $(3, -2, 1)$. The rows of `w_2` are $(2, 0)$, $(5, 5)$ and $(-1, 4)$, "
    "and `b_2` is $(1, -1)$. Set `ch07_predict_memory` to the output for this word, "
    "two numbers as a tuple.",
    starter="ch07_predict_memory = ...",
    reference=(6.0, 3.0),
    tolerance=0.02,
    misconceptions=(
        Misconception(
            "no-bend",
            "The second value was counted with its share of −2.",
            "A key that does not fit takes its value away.",
            "What does the unit with the sum −2 pass on?",
            wrong=_recalled(_KEYED),
        ),
        Misconception(
            "softmax-shares",
            "Your answer takes the softmax of the three sums as shares.",
            "Where keys are compared and values added up, there is a softmax.",
            "Which function stands in the place of the softmax in a feed-forward "
            "network?",
            wrong=_recalled(_RAISED),
        ),
        Misconception(
            "shares-made-whole",
            "Your shares are 3/4, 0 and 1/4: they add up to 1.",
            "Shares are parts of a whole.",
            "By what does ReLU divide?",
            wrong=_recalled(np.array([0.75, 0.0, 0.25])),
        ),
        Misconception(
            "on-or-off",
            "Each unit that is on counted once, whatever its sum.",
            "ReLU says yes or no.",
            "What is max(0, 3)?",
            wrong=_recalled(np.array([1.0, 0.0, 1.0])),
        ),
        Misconception(
            "best-key-only",
            "Your answer has the first value alone.",
            "A memory answers with the key that fits best.",
            "What does the unit with the sum 1 pass on?",
            wrong=_recalled(np.array([3.0, 0.0, 0.0])),
        ),
        Misconception(
            "signs-removed",
            "The second value was counted twice: −2 became 2.",
            "Rectified means made positive.",
            "What is max(0, −2)?",
            wrong=_recalled(np.abs(_KEYED)),
        ),
        Misconception(
            "last-bias-lost",
            "(5, 4) is right before `b_2` is added.",
            "The answer is the sum of the values.",
            "What should come out if all units are off?",
            wrong=(5.0, 4.0),
        ),
        Misconception(
            "bend-after-the-values",
            "You added up the values with 3, −2 and 1, and cut off what was negative "
            "afterwards.",
            "It does not matter whether the bend comes before or after the second "
            "matrix.",
            "Which of the two, `w_1` or `w_2`, stands inside of max(0, ...)?",
            wrong=(1.0, -1.0),
        ),
    ),
    hints=(
        "Which shares do the three values get?",
        "ReLU makes (3, −2, 1) into (3, 0, 1). Nothing is divided.",
        "Three times the first value, once the third, and one thing more is added.",
    ),
    insight="Before `b_2` is added, the answer is (5,\N{NO-BREAK SPACE}4), outside the "
    "triangle of the three values. Dividing the shares by their total would put it "
    "back on the triangle's edge, and bring back the limit that this chapter began "
    "with.",
)
