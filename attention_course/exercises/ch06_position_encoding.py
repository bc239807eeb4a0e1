"""Exercises of chapter 6: how attention learns what comes first."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property, Remark

# --- what designs are run with ------------------------------------------------------


def _softmax(scores, mask=True):
    """Weights of each row; a row that may attend to nothing gets zeros."""
    masked = np.where(mask, scores, -np.inf)
    top = masked.max(axis=-1, keepdims=True)
    raised = np.exp(masked - np.where(np.isfinite(top), top, 0.0))
    total = raised.sum(axis=-1, keepdims=True)
    return raised / np.where(total == 0, 1.0, total)


def _two_arrays(result, first, second):
    """Take two arrays out of a result, or say what it should have been."""
    pair = isinstance(result, tuple) or getattr(result, "ndim", 0) == 3
    if not pair or len(result) != 2:
        raise ValueError(f"return two arrays, {first} and {second}.")
    return np.asarray(result[0]), np.asarray(result[1])


# --- what shuffling does ------------------------------------------------------------


@dataclass(frozen=True)
class _Rule:
    """A function of rows that says what it does when it is printed."""

    name: str
    why: str
    rule: Any

    def __call__(self, x):
        return self.rule(x)

    def __repr__(self):
        return self.name


_W_QUERY, _W_KEY, _W_VALUE = np.random.default_rng(6).normal(size=(3, 4, 4))


def _attention_of(x, mask=True):
    scores = (x @ _W_QUERY) @ (x @ _W_KEY).T / 2
    return _softmax(scores, mask) @ (x @ _W_VALUE)


def _causal_attention(x):
    return _attention_of(x, np.tri(len(x), dtype=bool))


def _blur(x):
    padded = np.pad(x, ((1, 1), (0, 0)))
    return padded[:-2] + 2 * x + padded[2:]


def _by_place(x):
    return x * np.maximum(np.arange(len(x)), 1)[:, None]


_RUNNING_TOTAL = _Rule(
    "the sum of the rows so far",
    "its first row of output is the first row of input, whichever that is.",
    lambda x: np.cumsum(x, axis=0),
)
_ATTENTION = _Rule(
    "self-attention",
    "the chapter proves that its rows move along, up to rounding.",
    _attention_of,
)
_CAUSAL = _Rule(
    "causal self-attention", "row i averages over the rows up to i.", _causal_attention
)
_EACH_ROW = _Rule(
    "2x + tanh x, number by number",
    "a row's output depends on that row alone, so it moves with its row.",
    lambda x: 2 * x + np.tanh(x),
)
_BLURRED = _Rule(
    "twice each row plus both its neighbours",
    "a shuffle gives most rows other neighbours; turning the order round does not.",
    _blur,
)
_PASSED_ON = _Rule(
    "each row plus the one before it, in a circle",
    "a shuffle gives most rows another row before them; a shift of all does not.",
    lambda x: x + np.roll(x, 1, axis=0),
)
_BY_PLACE = _Rule(
    "each row times its place (the first one times 1)",
    "rows 0 and 1 are treated alike and may trade places; the others may not.",
    _by_place,
)
_SORTED = _Rule(
    "the rows sorted by their first number",
    "its output forgets the order altogether, so nothing in it moves along.",
    lambda x: x[np.argsort(x[:, 0])],
)
_AVERAGE = _Rule(
    "the mean of the rows, repeated",
    "all rows of its output are equal, so any order of them is the same.",
    lambda x: np.repeat(x.mean(axis=0, keepdims=True), len(x), axis=0),
)


def _rules():
    rng = np.random.default_rng(61)
    x, longer = rng.normal(1.0, 2.0, (5, 4)), rng.normal(1.0, 2.0, (6, 4))
    rules = (_ATTENTION, _CAUSAL, _EACH_ROW, _BLURRED, _PASSED_ON, _BY_PLACE, _SORTED)
    return [
        Case("three rows", (_RUNNING_TOTAL, np.array([[1.0], [2.0], [4.0]]))),
        *(Case(rule.name, (rule, x)) for rule in rules),
        Case("six rows", (_AVERAGE, longer)),
    ]


def is_equivariant(f, x):
    rng = np.random.default_rng(0)
    for _ in range(20):
        order = rng.permutation(len(x))
        if not np.allclose(f(x[order]), f(x)[order]):
            return False
    return True


def _every_order(f, x):
    from itertools import permutations

    for order in map(list, permutations(range(len(x)))):
        if np.abs(f(x[order]) - f(x)[order]).max() > 1e-9:
            return False
    return True


def _matrix_of_an_order(f, x):
    rng = np.random.default_rng(3)
    matrices = [rng.permutation(np.eye(len(x))) for _ in range(30)]
    return all(np.allclose(f(m @ x), m @ f(x)) for m in matrices)


def _put_back_in_torch(f, x):
    import torch

    same = []
    for _ in range(25):
        order = torch.randperm(len(x)).numpy()
        back = np.argsort(order)
        one = torch.as_tensor(np.asarray(f(x[order]))[back])
        same.append(torch.allclose(one, torch.as_tensor(np.asarray(f(x)))))
    return torch.tensor(same).all()


def _orders(n, count=20):
    rng = np.random.default_rng(0)
    return [rng.permutation(n) for _ in range(count)]


def _one_order_is_all(answer):
    calls = []

    def counted(x):
        calls.append(1)
        return x

    answer(counted, np.arange(10.0).reshape(5, 2))
    return len(calls) <= 2


def _which_rule(result, f, x):
    verdict = "equivariant" if result else "not equivariant"
    return f"You call this function {verdict}: {f}. But {f.why}"


def _yes_or_no(result, f, x):
    if np.asarray(result).dtype.kind != "b" or np.size(result) != 1:
        kind = getattr(result, "dtype", type(result).__name__)
        raise TypeError(f"return one True or False; got {np.size(result)} of {kind}.")
    return bool(np.all(result))


permutation_test = Exercise(
    id="ch06.permutation-test",
    title="Is it blind to order?",
    kind="implement",
    minutes=12,
    difficulty=3,
    section="ch06-blind",
    prompt="Write `is_equivariant(f, x)`. `f` turns an array of shape `(n, d)` into "
    "another one with $n$ rows; `x` has shape `(n, d)`. Return `True` if shuffling "
    "the rows of `x` shuffles the rows of the output in the same way, and `False` if "
    "not.\n\nYour function is tried on attention, with and without a mask, and on "
    "others that survive one special shuffle and not the next.",
    starter='def is_equivariant(f, x):\n    raise NotImplementedError("your code")',
    reference=is_equivariant,
    cases=_rules,
    observe=_yes_or_no,
    libraries=("numpy",),
    misconceptions=(
        Misconception(
            "tests-invariance",
            "You call self-attention not equivariant and sorting equivariant: you ask "
            "whether the output stays the same when the input is shuffled.",
            "Blind to order means that the output does not change at all.",
            "Shuffle three rows and double each number. Is the output the same array, "
            "or the same rows in another order?",
            wrong=lambda f, x: all(np.allclose(f(x[o]), f(x)) for o in _orders(len(x))),
        ),
        Misconception(
            "moves-the-output-back",
            "You refuse self-attention and sorting alike, and accept the repeated "
            "mean: your two sides hold the right rows in different orders.",
            "Shuffling twice with the same order puts everything back.",
            "Take the order [1, 2, 0] and apply it twice to a, b, c. Where is a?",
            wrong=lambda f, x: all(
                np.allclose(f(x[o])[o], f(x)) for o in _orders(len(x))
            ),
        ),
        Misconception(
            "only-the-reverse",
            "You accept the function that adds both neighbours and see through the "
            "others: the one shuffle that it survives is turning the order round.",
            "If the rows may stand in opposite order, any order will do.",
            "Which neighbours does the middle row have after reversing? And after "
            "moving the first row to the end?",
            wrong=lambda f, x: np.allclose(f(x[::-1]), f(x)[::-1]),
        ),
        Misconception(
            "only-a-shift",
            "You accept the function that adds the row before, in a circle: the "
            "shuffle that it survives is moving all rows on together.",
            "Moving every row by one place is as good a shuffle as any.",
            "After a shift in a circle, which row stands before each row? And after "
            "two rows have traded places?",
            wrong=lambda f, x: np.allclose(
                f(np.roll(x, 1, axis=0)), np.roll(f(x), 1, axis=0)
            ),
        ),
        Misconception(
            "only-the-first-two",
            "You accept the function that multiplies by the place: it treats rows 0 "
            "and 1 alike, and these are the rows that your shuffle exchanges.",
            "If two rows can trade places, then any two can.",
            "Exchange the first and the last row, and compare again.",
            wrong=lambda f, x: np.allclose(
                f(x[[1, 0, *range(2, len(x))]]), f(x)[[1, 0, *range(2, len(x))]]
            ),
        ),
        Misconception(
            "shuffles-columns",
            "You accept the running sum and the blur and refuse self-attention: you "
            "exchange the columns, which are features, and not the rows.",
            "The order of the words is the order of the last axis.",
            "x has one row per word. Print `x.shape`, and what your shuffle makes of "
            "np.arange(6).reshape(3, 2).",
            wrong=lambda f, x: all(
                np.allclose(f(x[:, o]), f(x)[:, o]) for o in _orders(x.shape[1])
            ),
        ),
        Misconception(
            "exact-equality",
            "You refuse self-attention and the mean, which are equivariant up to "
            "rounding: sums in another order end in other last digits.",
            "Two ways to compute the same number give the same bits.",
            "Is `0.1 + 0.2 + 0.3 == 0.3 + 0.2 + 0.1`? How large is the difference?",
            wrong=lambda f, x: all(
                np.array_equal(f(x[o]), f(x)[o]) for o in _orders(len(x))
            ),
        ),
        Misconception(
            "always-true",
            "You accept every function, the running sum among them.",
            "Both sides are computed from the same rows, so they must agree.",
            "Is f applied to the shuffled input anywhere? What do you shuffle for the "
            "other side? Print both sides for np.cumsum.",
            wrong=lambda f, x: bool(np.allclose(f(x), f(x))),
        ),
    ),
    variants=(_every_order, _matrix_of_an_order, _put_back_in_torch),
    properties=(Property("which function is misjudged", _which_rule),),
    remarks=(
        Remark(
            "You look at one shuffle. A function can survive one by luck, as the blur "
            "survives the reverse; some twenty random ones leave luck no room.",
            _one_order_is_all,
        ),
    ),
    hints=(
        "There are two ways round: shuffle and then apply f, or apply f and then "
        "shuffle. What must hold between the two results?",
        "One order is one test. Which orders would the function pass by luck that adds "
        "up both neighbours?",
        "Draw an order with a random permutation of `len(x)`, use it on the rows of x "
        "and on the rows of `f(x)`, compare with np.allclose, and repeat.",
    ),
    insight="A test can refute equivariance with one shuffle and never prove it. Two "
    "shuffles do suffice if both are passed for all inputs x: a swap of two "
    "neighbours and a shift by one in a circle generate all n! orders.",
)

# --- a mask and equal words ---------------------------------------------------------

same_rows = Exercise(
    id="ch06.same-rows",
    title="How many different rows?",
    kind="predict",
    minutes=5,
    difficulty=3,
    section="ch06-causal",
    prompt="One attention layer, no positions, reads *row row your row boat*, five "
    "word vectors of which three are equal. How many of its five output rows are "
    "different from each other, without a mask and with a causal mask? Set "
    "`ch06_same_rows` to the two numbers: `(without, causal)`.",
    starter="ch06_same_rows = ...",
    reference=(3, 4),
    misconceptions=(
        Misconception(
            "every-place-is-new",
            "You count one row per place, with the mask and without.",
            "Each word stands somewhere else, so each gets its own answer.",
            "Without a mask and positions, what could tell the query at place 0 from "
            "the query at place 1?",
            wrong=(5, 5),
        ),
        Misconception(
            "mask-changes-nothing",
            "You count one row per different word, with the mask and without.",
            "Equal words have equal queries, so they get equal rows in any case.",
            "Which words may the first *row* average over, and which the third?",
            wrong=(3, 3),
        ),
        Misconception(
            "mask-tells-all-apart",
            "Your causal rows are all different.",
            "Each place sees another number of words, so each row differs.",
            "What is the average of one vector, and of two copies of it?",
            wrong=(3, 5),
        ),
        Misconception(
            "the-other-way-round",
            "You have the two numbers in the opposite order.",
            "A mask hides something, so fewer rows can differ.",
            "Without a mask all five queries see the same five words. Which of the "
            "queries differ?",
            wrong=(4, 3),
        ),
    ),
    hints=(
        "An output row is decided by its query and by the bag of words it may see.",
        "Without a mask all five see the same words: count the different queries.",
        "With the mask, the first word sees one *row*, the second sees two of them. "
        "What is the weighted mean of equal values?",
    ),
    insight="A mask tells rows apart by what they may see. A copy changes no average "
    "as long as nothing else has been seen, so the rows of places 0 and 1 agree; the "
    'copy at place 3, after "your", does change it. With a marker at the beginning, a '
    "word that is never repeated, every copy changes the average. So a network without "
    "positions can count.",
)

# --- the sinusoidal code ------------------------------------------------------------


def _places():
    return [
        Case("three places, four columns", (np.array([0, 1, 2]), 4, 10000.0)),
        Case("places in any order, base 100", (np.array([3, 0, 17, 5]), 6, 100.0)),
        Case("ten columns", (np.array([90, 40, 41, 7, 12]), 10, 10000.0)),
    ]


def place_code(places, d_model, base):
    speed = base ** (-np.arange(0, d_model, 2) / d_model)
    angle = places[:, None] * speed
    code = np.empty((len(places), d_model))
    code[:, 0::2] = np.sin(angle)
    code[:, 1::2] = np.cos(angle)
    return code


def _exponents(d_model, exponent, below):
    """Exponents of the sine and of the cosine of each hand, before the sign."""
    width = d_model - 2 if below == "d-2" else d_model
    i = np.arange(d_model // 2)
    if exponent == "column":
        return 2 * i / width, (2 * i + 1) / width
    powers = {"2i": 2 * i, "i": i, "4i": 4 * i}[exponent] / width
    return powers, powers


def _code_with(
    places,
    d_model,
    base,
    *,
    numbering="given",
    exponent="2i",
    below="d",
    layout="interleaved",
    first="sin",
    own_base=False,
    sign=-1,
    unit=1.0,
):
    counted = np.arange(len(places))
    p = {"given": places, "counted": counted, "from-one": places + 1}[numbering]
    speeds = [
        (10000.0 if own_base else base) ** (sign * e)
        for e in _exponents(d_model, exponent, below)
    ]
    angles = [p[:, None] * speed * unit for speed in speeds]
    one, other = (np.sin, np.cos) if first == "sin" else (np.cos, np.sin)
    columns = one(angles[0]), other(angles[1])
    if layout == "halves":
        return np.concatenate(columns, axis=1)
    return np.stack(columns, axis=-1).reshape(len(places), d_model)


def _code_in_loops(places, d_model, base):
    rows = []
    for p in places:
        row = []
        for i in range(d_model // 2):
            angle = p / base ** (2 * i / d_model)
            row += [np.sin(angle), np.cos(angle)]
        rows.append(row)
    return rows


def _code_as_phases(places, d_model, base):
    column = np.arange(d_model)
    speed = np.exp(-np.log(base) * (column - column % 2) / d_model)
    return np.sin(np.outer(places, speed) + np.pi / 2 * (column % 2))


def _code_in_torch(places, d_model, base):
    import torch

    hands = torch.arange(0, d_model, 2)
    angle = torch.as_tensor(places)[:, None] * base ** (-hands / d_model)
    return torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1).flatten(1)


def _code_from_circle(places, d_model, base):
    speed = base ** (-2 * np.arange(d_model // 2) / d_model)
    tip = np.exp(1j * places[:, None] * speed)
    return np.dstack([tip.imag, tip.real]).reshape(len(places), -1)


def _bounded(result, *arguments):
    if np.abs(result).max() <= 1 + 1e-6:
        return None
    return f"Sines and cosines lie between −1 and 1; yours reach {result.max():.3g}."


def _rows_have_one_length(result, places, d_model, base):
    length, wanted = np.linalg.norm(result, axis=1), np.sqrt(d_model / 2)
    if np.allclose(length, wanted, atol=1e-3):
        return None
    row = int(np.abs(length - wanted).argmax())
    return (
        f"Each row should have the length √(d_model / 2) = {wanted:.5g}, since "
        "sin² + cos² = 1 for each hand; the row of place "
        f"{places[row]} has {length[row]:.5g}. Do the sine and the cosine of a hand "
        "have the same angle?"
    )


def _starts_at_twelve(result, places, d_model, base):
    at_zero = result[places == 0]
    if np.allclose(at_zero, np.tile([0.0, 1.0], d_model // 2), atol=1e-3):
        return None
    with np.printoptions(precision=3, suppress=True):
        return (
            "At place 0 all sines are 0 and all cosines 1: the row is 0, 1, 0, 1, ..., "
            f"and yours is {at_zero[0]}."
        )


sinusoidal = Exercise(
    id="ch06.sinusoidal",
    title="The code of any places",
    kind="implement",
    minutes=10,
    difficulty=2,
    section="ch06-write-place",
    prompt="Write `place_code(places, d_model, base)`: the sinusoidal code of the "
    "places listed in `places`, integers of shape `(n,)` in any order. `d_model` is "
    "even. Return shape `(n, d_model)`, sines on the even columns and cosines on the "
    "odd ones, with the speeds of the formula above and the base that is given.",
    starter="def place_code(places, d_model, base):\n"
    '    raise NotImplementedError("your code")',
    reference=place_code,
    cases=_places,
    tolerance=1e-4,
    switched=_code_with,
    misconceptions=(
        Misconception(
            "halves",
            "All your sines stand on the left and all cosines on the right.",
            "The sines and the cosines are two tables to be put side by side.",
            "Which column of your result holds the cosine of the fastest hand, and "
            "which should?",
            switch={"layout": "halves"},
        ),
        Misconception(
            "cosine-first",
            "Your first column is a cosine: sines and cosines have changed places.",
            "A circle is written as cosine, sine.",
            "What should the row of place 0 be, number by number?",
            switch={"first": "cos"},
        ),
        Misconception(
            "counts-from-one",
            "Your row for place p is the code of place p + 1.",
            "The first word has the number one.",
            "By the formula, what is the sine column of place 0?",
            switch={"numbering": "from-one"},
        ),
        Misconception(
            "counts-instead-of-reading",
            "Your rows are the codes of 0, 1, 2, ..., whatever places were asked for.",
            "The places of n words are the numbers from 0 to n − 1.",
            "Call it with places [3] and with places [0]. Are the results different?",
            switch={"numbering": "counted"},
        ),
        Misconception(
            "exponent-i",
            "Your hands slow down half as fast as they should: hand i has the speed "
            "base^(-i/d).",
            "Hand i has the exponent i / d.",
            "At width 4, what should the speed of the second hand be: 1/10 or 1/100?",
            switch={"exponent": "i"},
        ),
        Misconception(
            "doubles-twice",
            "Your hands slow down twice as fast as they should: the exponent of hand "
            "i is 4i/d.",
            "The 2i of the formula is twice the number of the column.",
            "With `arange(0, d, 2)`, what is its second entry: i or 2i?",
            switch={"exponent": "4i"},
        ),
        Misconception(
            "a-speed-per-column",
            "The sine and the cosine of one hand turn at different speeds.",
            "Each column has its own exponent, column / d.",
            "Square and add columns 2 and 3 of one row. What should sin² + cos² give?",
            switch={"exponent": "column"},
        ),
        Misconception(
            "divides-by-d-minus-two",
            "Your slowest hand has exactly the speed 1/base.",
            "The speeds should run from 1 to 1/base, both included.",
            "What is the last exponent of the formula at width 4: 2/4 or 2/2?",
            switch={"below": "d-2"},
        ),
        Misconception(
            "own-base",
            "You use the base 10000, whatever base is given.",
            "The base of the formula is a constant.",
            "At width 4 and base 100, how fast should the second hand turn?",
            switch={"own_base": True},
        ),
        Misconception(
            "speeds-up",
            "Your hands turn faster from left to right: speed base^(+2i/d).",
            "Multiplying by the power or dividing by it comes to the same.",
            "How many words does your last hand need to go round once?",
            switch={"sign": 1},
        ),
        Misconception(
            "degrees",
            "Your fastest hand turns by one degree per word.",
            "Angles are given in degrees.",
            "After how many words has the fast hand gone round? The text says 6.28.",
            switch={"unit": np.pi / 180},
        ),
    ),
    variants=(_code_in_loops, _code_as_phases, _code_in_torch, _code_from_circle),
    properties=(
        Property("between −1 and 1", _bounded),
        Property("place 0", _starts_at_twelve),
        Property("length of rows", _rows_have_one_length),
    ),
    hints=(
        "One hand for every two columns: first find the speeds, shape "
        "`(d_model / 2,)`.",
        "A table of angles has one row per place and one column per hand: place times "
        "speed, by broadcasting `(n, 1)` with `(d_model / 2,)`.",
        "Make an empty array of shape `(n, d_model)` and fill every second column, "
        "from 0 with one function of the angles and from 1 with the other.",
    ),
    insight="Nothing in it needs the places to be whole numbers or in a row. That is "
    "how models of images code (x, y) and diffusion models code a moment in time; "
    "try places 0, 0.5 and 1.",
)

wavelength = Exercise(
    id="ch06.wavelength",
    title="Once round",
    kind="predict",
    minutes=4,
    difficulty=2,
    section="ch06-write-place",
    prompt="A code has `d_model = 8` and base 10000. After how many words do the two "
    "columns with the numbers 4 and 5 (counted from 0) repeat? Set `ch06_wavelength` "
    "to the number, to the nearest whole word or better.",
    starter="ch06_wavelength = ...",
    reference=628.3185,
    tolerance=0.5,
    misconceptions=(
        Misconception(
            "radians-not-rounds",
            "You give the words that it takes to turn by one radian.",
            "One over the speed is the time for one round.",
            "How many radians has a full circle?",
            wrong=100.0,
        ),
        Misconception(
            "the-speed",
            "You give the angle per word, not the words per round.",
            "The speed of a hand is its wavelength.",
            "A hand that turns by 0.01 radians a word: is it round after one word?",
            wrong=0.01,
        ),
        Misconception(
            "exponent-i-over-d",
            "Your exponent is i/d, half of what the formula has.",
            "Hand 2 of 8 columns has the exponent 2/8.",
            "There are four hands. By the formula, what are their four exponents?",
            wrong=62.8319,
        ),
        Misconception(
            "column-for-hand",
            "You took the number of the column for the number of the hand.",
            "Column 4 belongs to i = 4.",
            "Which i has 2i = 4? How many hands are there at all?",
            wrong=62831.853,
        ),
        Misconception(
            "counted-from-one",
            "That is the wavelength of the last hand, columns 6 and 7.",
            "Columns 4 and 5 belong to the third hand, so i = 3.",
            "Which i has the first hand, columns 0 and 1?",
            wrong=6283.1853,
        ),
        Misconception(
            "all-alike",
            "That is the wavelength of the fastest hand, columns 0 and 1.",
            "Every sine repeats after 2π.",
            "The sine of p/100: at which p has its argument grown by 2π?",
            wrong=6.2832,
        ),
    ),
    hints=(
        "Which hand i do the columns 4 and 5 belong to?",
        "The exponent is 2i/d with i = 2. What is 10000 to the power of minus that?",
        "The speed is 0.01 radians per word, and a full turn has 2π radians.",
    ),
    insight="The four wavelengths here are 6.28, 62.8, 628 and 6283: equal factors, "
    "not equal steps, as with the digits of a number. A text of 100 words moves the "
    "last hand by less than 6 degrees.",
)

# --- products of codes, and turning -------------------------------------------------


def _shifts():
    return [
        Case("one word on, two columns", (1, 2)),
        Case("three words on", (3, 6)),
        Case("twenty words back", (-20, 10)),
        Case("fifty words on", (50, 4)),
    ]


def shift_by(s, d_model):
    angle = s * 10000.0 ** (-np.arange(0, d_model, 2) / d_model)
    cos, sin = np.diag(np.cos(angle)), np.diag(np.sin(angle))
    return np.block([[cos, -sin], [sin, cos]])


def _shift_with(k, d_model, *, layout="halves", turn=1, speeds="all", times="angle"):
    hands = np.arange(0, d_model, 2)
    speed = 10000.0 ** (-hands / d_model) if speeds == "all" else np.ones(len(hands))
    angle = turn * speed * (k if times == "angle" else 1)
    cos, sin = np.diag(np.cos(angle)), np.diag(np.sin(angle))
    matrix = np.block([[cos, -sin], [sin, cos]])
    if times == "matrix":
        matrix = k * matrix
    if layout == "interleaved":
        order = np.arange(d_model).reshape(2, -1).T.ravel()
        matrix = matrix[np.ix_(order, order)]
    return matrix


def _mirror(k, d_model, signs=((1, 1), (1, -1))):
    angle = k * 10000.0 ** (-np.arange(0, d_model, 2) / d_model)
    cos, sin = np.diag(np.cos(angle)), np.diag(np.sin(angle))
    (a, b), (c, d) = signs
    return np.block([[a * cos, b * sin], [c * sin, d * cos]])


def _exchanged(k, d_model):
    angle = k * 10000.0 ** (-np.arange(0, d_model, 2) / d_model)
    cos, sin = np.diag(np.cos(angle)), np.diag(np.sin(angle))
    return np.block([[sin, cos], [-cos, sin]])


def _shift_in_loops(k, d_model):
    half = d_model // 2
    r = np.zeros((d_model, d_model))
    for i in range(half):
        angle = k / 10000 ** (2 * i / d_model)
        r[i, i] = r[half + i, half + i] = np.cos(angle)
        r[i, half + i], r[half + i, i] = -np.sin(angle), np.sin(angle)
    return r


def _shift_as_power(k, d_model):
    return np.linalg.matrix_power(_shift_in_loops(1, d_model), k)


def _shift_in_torch(k, d_model):
    import torch

    hands = torch.arange(0, d_model, 2, dtype=torch.float64)
    tip = torch.polar(torch.ones_like(hands), k * 10000.0 ** (-hands / d_model))
    cos, sin = torch.diag(tip.real), torch.diag(tip.imag)
    return torch.cat([torch.cat([cos, -sin], 1), torch.cat([sin, cos], 1)])


def _halves_code(places, d_model):
    angle = places[:, None] * 10000.0 ** (-np.arange(0, d_model, 2) / d_model)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def _keeps_lengths(result, k, d_model):
    if np.allclose(result @ result.T, np.eye(d_model), atol=1e-3):
        return None
    return "A turn keeps every length and angle: `R @ R.T` should be the identity."


def _moves_the_first(result, k, d_model):
    start, end = _halves_code(np.array([0, k]), d_model)
    if np.allclose(start @ result, end, atol=1e-3):
        return None
    with np.printoptions(precision=3, suppress=True):
        return (
            f"The code of place 0 times your matrix should be the code of place {k}, "
            f"{end}; it is {start @ result}."
        )


shift_matrix = Exercise(
    id="ch06.shift-matrix",
    title="The turn, in the other layout",
    kind="implement",
    minutes=12,
    difficulty=3,
    section="ch06-dot",
    prompt="Somebody else's code has all sines first and then all cosines, base "
    "10000. Write `shift_by(s, d_model)`: the matrix $R$ of shape `(d_model, "
    "d_model)` with `code[p] @ R` equal to `code[p + s]` for every place $p$, where "
    "`code[p]` is a row of that code. The offset `s` may be negative.",
    starter='def shift_by(s, d_model):\n    raise NotImplementedError("your code")',
    reference=shift_by,
    cases=_shifts,
    switched=_shift_with,
    misconceptions=(
        Misconception(
            "interleaved",
            "Your matrix turns neighbouring columns: it fits the interleaved layout.",
            "The chapter's matrix works for any order of the columns.",
            "In this layout, which column holds the cosine that belongs to the sine in "
            "column 0?",
            switch={"layout": "interleaved"},
        ),
        Misconception(
            "turns-back",
            "Your matrix moves a row back by s places, and not on.",
            "Whether the minus stands above or below is a matter of taste; or: the "
            "code stands to the right of the matrix, as a column.",
            "Take [0, 1], the code of place 0 at width 2, times your matrix for s = 1. "
            "Is its sine positive?",
            switch={"turn": -1},
        ),
        Misconception(
            "one-speed",
            "All your hands turn at the speed of the first.",
            "Moving s words on turns everything by s radians.",
            "By how much does the slow hand of a code of width 4 move in one word?",
            switch={"speeds": "one"},
        ),
        Misconception(
            "ignores-s",
            "Your matrix moves by one place, whatever s is.",
            "The matrix is a property of the code alone.",
            "How far should a hand turn in three words, if it turns by ω in one?",
            switch={"times": "none"},
        ),
        Misconception(
            "s-times-the-matrix",
            "You took the matrix for one place and multiplied it by s.",
            "Three steps are three times one step.",
            "Two steps are `code @ R @ R`. Is that the same as `code @ (2 * R)`? What "
            "happens to the length?",
            switch={"times": "matrix"},
        ),
        Misconception(
            "mirror",
            "Your matrix is a reflection: applied twice, it gives back the code.",
            "One minus sign is needed, and any of the four places will do.",
            "What should your matrix be for s = 0?",
            wrong=_mirror,
        ),
        Misconception(
            "no-minus",
            "Your matrix has no minus sign: the cosine grows where it should fall.",
            "Sine and cosine add up by the same rule.",
            "cos(a + b) is cos a cos b and then what? Try a = b = 1.",
            wrong=lambda k, d_model: _mirror(k, d_model, ((1, 1), (1, 1))),
        ),
        Misconception(
            "cosine-and-sine-exchanged",
            "For s = 0 your matrix is not the identity: sines stand on the diagonal.",
            "The order of the blocks follows the code, sine first.",
            "Which matrix moves a code by 0 places? Which of sin 0 and cos 0 is 1?",
            wrong=_exchanged,
        ),
    ),
    variants=(_shift_in_loops, _shift_as_power, _shift_in_torch),
    properties=(
        Property("keeps lengths", _keeps_lengths),
        Property("moves place 0", _moves_the_first),
    ),
    hints=(
        "Write down sin((p + s)ω) and cos((p + s)ω) with the addition rules. Which "
        "columns of the old row does each need?",
        "Column i of the new row needs columns i and i + d_model / 2 of the old one. "
        "So there are four square blocks, each with numbers on its diagonal only.",
        "np.diag makes a block from d_model / 2 numbers and np.block puts four of them "
        "together; the one minus sign belongs to the sine that reduces the cosine.",
    ),
    insight="R for s words is R for one word to the power s, and its transpose is R "
    "for −s. A matrix that is a turn loses nothing, however often it is applied.",
)


def _widths():
    return [Case(f"width {d}", (d,)) for d in (8, 16, 32, 64)]


_WINDOWS = (np.arange(7), np.arange(100, 109))


def _code(places, d_model, base=10000.0):
    return place_code(places, d_model, base)


def _weights_of_places(result, d_model):
    w_query, w_key = _two_arrays(result, "w_query", "w_key")
    if w_query.shape != w_key.shape or w_query.shape != (d_model, d_model):
        shapes = f"{w_query.shape} and {w_key.shape}"
        raise ValueError(f"both should be `(d_model, d_model)`; got {shapes}.")
    both = []
    for places in _WINDOWS:
        code = _code(places, d_model)
        scores = (code @ w_query) @ (code @ w_key).T
        both.append(_softmax(scores / np.sqrt(w_query.shape[-1]))[1:])
    return tuple(both)


def previous_word(d_model):
    w_query = np.zeros((d_model, d_model))
    for i in range(0, d_model, 2):
        speed = 10000.0 ** (-i / d_model)
        cos, sin = np.cos(speed), np.sin(speed)
        w_query[i : i + 2, i : i + 2] = [[cos, sin], [-sin, cos]]
    return 1000 * w_query, np.eye(d_model)


def _look_with(
    d_model, *, query_turn=-1, key_turn=0, sharp=1000.0, speeds="all", layout="ours"
):
    hands = np.arange(0, d_model, 2)
    speed = 10000.0 ** (-hands / d_model) if speeds == "all" else np.ones(len(hands))
    matrices = []
    for turn in (query_turn, key_turn):
        cos, sin = np.diag(np.cos(turn * speed)), np.diag(np.sin(turn * speed))
        matrix = np.block([[cos, -sin], [sin, cos]])
        if layout == "ours":
            order = np.arange(d_model).reshape(2, -1).T.ravel()
            matrix = matrix[np.ix_(order, order)]
        matrices.append(matrix)
    return sharp * matrices[0], matrices[1]


def _look_in_torch(d_model):
    import torch

    speed = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    cos, sin = torch.cos(speed), torch.sin(speed)
    blocks = torch.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)
    return 30 * torch.eye(d_model), 40 * torch.block_diag(*blocks)


def _look_by_fit(d_model):
    code = _code(np.arange(400), d_model)
    back = np.linalg.lstsq(code[1:], code[:-1], rcond=None)[0]
    return 2000 * back, np.eye(d_model)


def _sharp_enough(result, d_model):
    for weights in result:
        best = weights.argmax(axis=-1)
        if (best == np.arange(len(weights))).all():
            return (
                "Every word prefers the word before it, and not strongly enough: the "
                f"smallest of these weights is {np.diag(weights).min():.2f}, and at "
                "least 0.99 is asked for. What makes a softmax sharper?"
            )
    return None


def _where_it_looks(result, d_model):
    for weights, places in zip(result, _WINDOWS, strict=True):
        best = weights.argmax(axis=-1)
        row = int(np.argmax(best != np.arange(len(best))))
        if best[row] != row:
            at, seen = places[row + 1], places[best[row]]
            return f"The word at place {at} looks hardest at place {seen}."
    return None


look_back_design = Exercise(
    id="ch06.look-back",
    title="A head that looks one word back",
    kind="design",
    minutes=15,
    difficulty=4,
    section="ch06-dot",
    prompt="Choose the two projections of a head that reads nothing but the "
    "sinusoidal code (interleaved, base 10000) and gives at least 0.99 of each word's "
    "weight to the word before. Write `previous_word(d_model)`; it returns `(w_query, "
    "w_key)`, each of shape `(d_model, d_model)`. We compute the softmax of `(code @ "
    "w_query) @ (code @ w_key).T / sqrt(d_model)`, without a mask.\n\nThe same two "
    "matrices have to work at places 0 to 6 and at places 100 to 108. The first word "
    "of each text has nothing before it; its own row is not checked.",
    starter='def previous_word(d_model):\n    raise NotImplementedError("your code")',
    reference=previous_word,
    cases=_widths,
    observe=_weights_of_places,
    tolerance=0.05,
    switched=_look_with,
    misconceptions=(
        Misconception(
            "looks-ahead",
            "Each word looks at the word after it.",
            "A query turned on by a word, or a key turned back, meets the word before.",
            "If the query of place 5 is turned on by one word, the code of which place "
            "does it look like?",
            switch={"query_turn": 1},
        ),
        Misconception(
            "looks-at-itself",
            "Each word looks at itself: query and key are turned alike, or not at all.",
            "Turning both by one word moves the head by one word.",
            "Turn both arrows of a pair by one angle. What happens to the angle "
            "between them?",
            switch={"query_turn": 0},
        ),
        Misconception(
            "too-gentle",
            "The weights point to the word before, and are nearly even: your two "
            "matrices are turns and nothing more.",
            "The largest score gets the weight.",
            "Print the scores of one word for d_model = 8. By how much does the best "
            "beat the second, and what does a softmax make of that?",
            switch={"sharp": 1.0},
        ),
        Misconception(
            "one-speed",
            "You turn all hands by the same angle, one radian.",
            "One word back is one radian back.",
            "How far does the slowest hand of width 8 turn in one word?",
            switch={"speeds": "one"},
        ),
        Misconception(
            "other-layout",
            "Your turn is built for the layout with all sines first.",
            "Column i belongs with column i + d_model / 2.",
            "Which column of this code holds the cosine that belongs to the sine in "
            "column 0?",
            switch={"layout": "halves"},
        ),
        Misconception(
            "turns-both-apart",
            "Each word looks two words back: the query is turned back and the key is "
            "turned on.",
            "Query and key have to come towards each other, a word each.",
            "By how many words do your query and your key differ after both turns?",
            switch={"key_turn": 1},
        ),
    ),
    variants=(
        _look_in_torch,
        _look_by_fit,
        lambda d_model: _look_with(d_model, sharp=300.0),
        lambda d_model: (
            np.eye(d_model),
            500 * _look_with(d_model, query_turn=1, sharp=1.0)[0],
        ),
    ),
    properties=(
        Property("where it looks", _where_it_looks),
        Property("sharp enough", _sharp_enough),
    ),
    hints=(
        "With two identities each word looks at itself, since a code agrees most with "
        "itself. What should the query of place 5 look like instead?",
        "Like the code of place 4. The chapter has a matrix that moves every code by "
        "any number of words, for all places at once.",
        "Let w_key be the identity and w_query the turn by −1, and multiply one of "
        "them by a large number. The scores of width 8 differ by little: try 100 "
        "times, then more.",
    ),
    insight='Trained networks grow such heads, "previous-token heads". An induction '
    "head, which continues a pattern seen before, builds on what such a head has "
    "written (Olsson et al., 2022). No word enters here, so the head works on any "
    "text.",
)

# --- words and places in one score --------------------------------------------------

four_terms = Exercise(
    id="ch06.four-terms",
    title="What a place does to a score",
    kind="explain",
    minutes=5,
    difficulty=3,
    section="ch06-adding",
    prompt="Places are added to the words, $X + P$, and both go through $W_Q$ and "
    "$W_K$. Which are true of the score between word $i$ and word $j$, for arbitrary "
    "$W_Q$ and $W_K$? Set "
    '`ch06_four_terms` to all letters that are true, for example `"ac"`.',
    starter="ch06_four_terms = ...",
    choices={
        "a": Choice(
            "It depends on the two places through their distance only.",
            "This holds for rotary positions. Here the term place to place is p_i W_Q "
            "· p_j W_K. Only special matrices (turns among them) make it a function of "
            "the distance; the two mixed terms depend on one place each.",
        ),
        "b": Choice(
            "It holds a term in which no word occurs, only the two places.",
            "p_i W_Q · p_j W_K. The head that looks one word back lives on it.",
            right=True,
        ),
        "c": Choice(
            "The places add the same amount to all scores of one query.",
            "Then the softmax would not notice them at all. The terms with p_j differ "
            "from key to key, and these move the weights.",
        ),
        "d": Choice(
            "If the two words trade places, the score of one for the other can change.",
            "The mixed terms then pair a word with another place, so the score of the "
            "one's query with the other's key is a new sum.",
            right=True,
        ),
        "e": Choice(
            "Words and places stay in different columns, so they never mix.",
            "That would be so if the two were put side by side. Added, they share all "
            "columns, and the score holds two terms that mix a word with a place.",
        ),
    },
    hints=(
        "Multiply out (x_i + p_i) W_Q · (x_j + p_j) W_K: four terms.",
        "For each statement, ask which of the four terms it speaks about, and whether "
        "one of the other three spoils it.",
        "Two are true. Try each with W_Q and W_K the identity, then with one of them "
        "not symmetric.",
    ),
    insight="If the key matrix sends all places to one vector, both terms in which it "
    "meets the place of the key are the same for all keys, and the softmax drops "
    "them: so a network can switch terms off. Some later models give words and places "
    "projections of their own.",
)


def _placed_inputs():
    rng = np.random.default_rng(65)
    cases = []
    for label, n, d in (("two words", 2, 2), ("three", 3, 4), ("five", 5, 6)):
        x, code = rng.normal(0.5, 1.0, (n, d)), place_code(np.arange(n) + 2, d, 100.0)
        w_query, w_key = rng.normal(0.2, 0.8, (2, d, d))
        cases.append(Case(f"{label}, width {d}", (x, code, w_query, w_key)))
    return cases


def placed_scores(x, code, w_query, w_key):
    placed = x + code
    query, key = placed @ w_query, placed @ w_key
    return query @ key.T / np.sqrt(w_key.shape[1])


def _placed_with(
    x, code, w_query, w_key, *, in_query="before", in_key="before", root=0.5
):
    def projected(weight, where):
        before = {"before": code, "after": 0 * code, "both": code, "none": 0 * code}
        after = {"before": 0 * code, "after": code, "both": code, "none": 0 * code}
        return (x + before[where]) @ weight + after[where]

    query, key = projected(w_query, in_query), projected(w_key, in_key)
    return query @ key.T / w_key.shape[1] ** root


def _two_terms(x, code, w_query, w_key):
    words = (x @ w_query) @ (x @ w_key).T
    return (words + (code @ w_query) @ (code @ w_key).T) / np.sqrt(w_key.shape[1])


def _right_up_to_a_factor(result, *arguments):
    right = placed_scores(*arguments)
    factor = (result * right).sum() / (right**2).sum()
    if not np.allclose(result, factor * right, rtol=1e-3) or abs(factor - 1) < 1e-3:
        return None
    return f"Every score is {factor:.4g} times what it should be: look at the scale."


def _four_terms(x, code, w_query, w_key):
    terms = [(a @ w_query) @ (b @ w_key).T for a in (x, code) for b in (x, code)]
    return sum(terms) / w_key.shape[1] ** 0.5


def _one_matrix(x, code, w_query, w_key):
    return np.einsum("id,de,fe,jf->ij", x + code, w_query, w_key, x + code) / np.sqrt(
        x.shape[1]
    )


def _placed_in_torch(x, code, w_query, w_key):
    import torch

    x, code, w_query, w_key = map(torch.as_tensor, (x, code, w_query, w_key))
    query, key = (x + code) @ w_query, (x + code) @ w_key
    return torch.matmul(query, key.mT).div(key.shape[-1] ** 0.5)


placed_scores_debug = Exercise(
    id="ch06.placed-scores",
    title="The place, too late",
    kind="debug",
    minutes=8,
    difficulty=2,
    section="ch06-adding",
    prompt="`placed_scores(x, code, w_query, w_key)` should give the scaled scores of "
    "attention on $X + P$: `x` and `code` have shape `(n, d)`, the projections "
    "`(d, d)`, the result `(n, n)`. It runs, and $W_Q$ and $W_K$ can do nothing "
    "with the places. Repair it.",
    starter="def placed_scores(x, code, w_query, w_key):\n"
    "    query = x @ w_query + code\n"
    "    key = x @ w_key + code\n"
    "    return query @ key.T / w_key.shape[1] ** 0.5",
    reference=placed_scores,
    cases=_placed_inputs,
    switched=_placed_with,
    misconceptions=(
        Misconception(
            "after-the-projection",
            "The code is added to queries and keys, so no projection ever sees it: the "
            "term place to place is code times code, whatever was trained.",
            "Adding first or projecting first comes to the same.",
            "Set x to zeros. Which score still depends on w_query: yours, or the one "
            "in the formula with four terms?",
            wrong=lambda *given: _placed_with(*given, in_query="after", in_key="after"),
        ),
        Misconception(
            "query-only",
            "Your scores have no term with the place of the key.",
            "The place belongs to the word that asks.",
            "Which two of the four terms are left? Can this head look one word back?",
            switch={"in_key": "none"},
        ),
        Misconception(
            "key-only",
            "Your scores have no term with the place of the query.",
            "The place belongs to the word that is looked at.",
            "Which two of the four terms are left? Can this head look one word back?",
            switch={"in_query": "none"},
        ),
        Misconception(
            "query-repaired-only",
            "The code goes through W_Q, and is still added after W_K.",
            "One of the two lines was wrong.",
            "Set x and w_key to zeros. What should all scores be?",
            switch={"in_key": "after"},
        ),
        Misconception(
            "key-repaired-only",
            "The code goes through W_K, and is still added after W_Q.",
            "One of the two lines was wrong.",
            "Set x and w_query to zeros. What should all scores be?",
            switch={"in_query": "after"},
        ),
        Misconception(
            "added-twice",
            "The code is added before the projections and once more after them.",
            "The queries and the keys need it as well as the words.",
            "Set both projections to zeros. What should all scores be?",
            wrong=lambda *given: _placed_with(*given, in_query="both", in_key="both"),
        ),
        Misconception(
            "no-cross-terms",
            "Your scores add two of the four terms: words to words, places to places.",
            "Words have scores, places have scores, and these are added.",
            "Multiply out (a + b)(c + d). How many products are there?",
            wrong=_two_terms,
        ),
        Misconception(
            "unscaled",
            "Your scores are √d times too large.",
            "The scale is part of another step.",
            "Compare your result for d = 4 with the right one: what is the ratio?",
            switch={"root": 0.0},
        ),
    ),
    variants=(_four_terms, _one_matrix, _placed_in_torch),
    properties=(Property("the scale", _right_up_to_a_factor),),
    hints=(
        "Set x to zeros. Which numbers in the function still have an influence?",
        "The chapter adds P to X. How often does the code have to be added, and where?",
        "Both projections should read one and the same array, made before them.",
    ),
    insight="Rotary positions do act after the projection, and they turn instead of "
    "adding. What is wrong here is the mixture: weights trained on X + P have learned "
    "to read the code, and code times code is the same in every head.",
)

# --- learned places -----------------------------------------------------------------


def _chunks():
    rng = np.random.default_rng(66)
    sizes = (
        ("from the beginning", (2, 3, 2), 4, 0),
        ("after six words", (3, 4, 5), 32, 6),
        ("one word at a time", (2, 1, 3), 9, 5),
    )
    return [
        Case(label, (rng.normal(size=shape), rng.normal(1.0, 1.0, (rows, shape[2])), o))
        for label, shape, rows, o in sizes
    ]


def add_places(x, table, offset):
    n = x.shape[1]
    return x + table[offset : offset + n]


def _by_batch(x, table, offset):
    return np.stack([x[b] + table[offset + b] for b in range(len(x))])


def _places_with(x, table, offset, *, begin="offset", rows="slice", op="add", end=0):
    n = x.shape[1]
    start = {"offset": offset, "zero": 0, "late": offset + 1, "chunks": offset * n}
    first = start[begin]
    code = table[first : first + n]
    if rows == "one":
        code = code[:1]
    if rows == "reversed":
        code = code[::-1]
    if rows == "end":
        code = table[-n:]
    return x * code if op == "times" else x + code


def _places_in_loops(x, table, offset):
    y = x + 0
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            y[b, i] = y[b, i] + table[offset + i]
    return y


def _places_in_torch(x, table, offset):
    import torch

    places = offset + torch.arange(x.shape[1])
    return x + torch.nn.functional.embedding(places, table)


learned_table = Exercise(
    id="ch06.learned-table",
    title="The wrong axis of a table",
    kind="debug",
    minutes=8,
    difficulty=2,
    section="ch06-learned",
    prompt="`add_places(x, table, offset)` adds a table of learned places, shape "
    "`(n_max, d)`, to a chunk of a text: `x` has shape `(batch, n, d)`, and the "
    "chunk's first word stands at place `offset`. This code was written for arrays "
    "with the words on the first axis. It runs without complaint, and is wrong. "
    "Repair it.",
    starter="def add_places(x, table, offset):\n"
    "    code = table[offset : offset + x.shape[0]]\n"
    "    return x + code[:, None, :]",
    reference=add_places,
    cases=_chunks,
    switched=_places_with,
    misconceptions=(
        Misconception(
            "places-along-the-batch",
            "All words of one text get the same place, and each text another one.",
            "The first axis of an array of words is the words.",
            "Take x full of zeros. Are the rows of `result[0]` different from each "
            "other?",
            wrong=_by_batch,
        ),
        Misconception(
            "forgets-the-offset",
            "Your chunk begins at place 0, wherever it stands in the text.",
            "The first word of what I am handed is the first word.",
            "A text is read word by word, one call each. Which places do your words "
            "get?",
            switch={"begin": "zero"},
        ),
        Misconception(
            "one-too-far",
            "Your first word gets the place `offset + 1`.",
            "The offset is the last place that has been used.",
            "With offset 0, which row of the table does the first word get?",
            switch={"begin": "late"},
        ),
        Misconception(
            "offset-counts-chunks",
            "Your first word gets the place `offset` times n.",
            "The offset is the number of the chunk.",
            "Words 0 to 5 were read before, and a chunk of 4 follows: which places?",
            switch={"begin": "chunks"},
        ),
        Misconception(
            "one-place-for-all",
            "All words of the chunk get the place of its first word.",
            "The offset is the place of the chunk.",
            "Shuffle the words of one chunk. Does your result tell the difference?",
            switch={"rows": "one"},
        ),
        Misconception(
            "the-last-rows",
            "Your words get the last rows of the table.",
            "A chunk that continues a text stands at the end of the table.",
            "The table has n_max rows, more than the text has words. Which row belongs "
            "to place `offset`?",
            switch={"rows": "end"},
        ),
        Misconception(
            "multiplies",
            "You multiply words by places.",
            "A place weighs a word.",
            "What would a code with a zero in it do to the word?",
            switch={"op": "times"},
        ),
    ),
    variants=(
        _places_in_loops,
        _places_in_torch,
        lambda x, table, offset: x + table[None, offset + np.arange(x.shape[1])],
        lambda x, table, offset: (
            x + table[offset:, None].swapaxes(0, 1)[:, : x.shape[1]]
        ),
    ),
    hints=(
        "Give it zeros for x and look at the result: what differs between the words of "
        "one text, and what between the texts?",
        "Which axis of x holds the words? How many rows of the table are needed?",
        "The rows that you need have shape `(n, d)`, and broadcasting adds them to "
        "every text of the batch if nothing is put between.",
    ),
    insight="With a batch of one, this fault adds the same row to every word and no "
    "error tells: attention stays as blind to order as before. A test with two texts "
    "of equal words finds it.",
)

# --- turning queries and keys -------------------------------------------------------


def _rotary_inputs():
    rng = np.random.default_rng(67)
    tiny = np.array([[[1.0, 0.0], [1.0, 2.0]]])
    return [
        Case("one head, two words, one pair", (tiny, np.array([1, 3]), 10000.0)),
        Case(
            "two heads, base 100",
            (rng.normal(0.5, 1.0, (2, 3, 4)), np.array([5, 0, 9]), 100.0),
        ),
        Case(
            "a chunk from place 10",
            (rng.normal(-0.5, 1.0, (3, 5, 8)), np.arange(10, 15), 10000.0),
        ),
    ]


def turn_pairs(x, places, base):
    d_k = x.shape[-1]
    angle = places[:, None] * base ** (-np.arange(0, d_k, 2) / d_k)
    cos, sin = np.cos(angle), np.sin(angle)
    first, second = x[..., 0::2], x[..., 1::2]
    turned = np.empty(x.shape)
    turned[..., 0::2] = first * cos - second * sin
    turned[..., 1::2] = first * sin + second * cos
    return turned


def _turn_with(
    x,
    places,
    base,
    *,
    way=1,
    speeds="all",
    numbering="given",
    own_base=False,
    pairs="neighbours",
    step="turn",
):
    d_k, base = x.shape[-1], 10000.0 if own_base else base
    i = np.arange(d_k // 2)
    exponent = {"all": 2 * i, "one": 0 * i, "i": i, "4i": 4 * i}[speeds] / d_k
    counted = np.arange(len(places))
    p = {"given": places, "counted": counted, "same": 1 + 0 * counted}[numbering]
    angle = way * p[:, None] * base**-exponent
    cos, sin = np.cos(angle), np.sin(angle)
    one, two = x[..., 0::2], x[..., 1::2]
    if pairs == "halves":
        one, two = x[..., : d_k // 2], x[..., d_k // 2 :]
    new = one * cos - two * sin
    old = new if step == "overwritten" else one
    other = old * sin + two * cos
    if step == "mirror":
        new, other = one * cos + two * sin, one * sin - two * cos
    if pairs == "neighbours":
        return np.stack([new, other], axis=-1).reshape(x.shape)
    return np.concatenate([new, other], axis=-1)


def _turn_as_complex(x, places, base):
    d_k = x.shape[-1]
    speed = base ** (-np.arange(0, d_k, 2) / d_k)
    z = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * np.outer(places, speed))
    return np.stack([z.real, z.imag], axis=-1).reshape(x.shape)


def _turn_by_swapping(x, places, base):
    d_k = x.shape[-1]
    angle = np.repeat(np.outer(places, base ** (-np.arange(0, d_k, 2) / d_k)), 2, 1)
    swapped = np.stack([-x[..., 1::2], x[..., 0::2]], axis=-1).reshape(x.shape)
    return x * np.cos(angle) + swapped * np.sin(angle)


def _turn_in_loops(x, places, base):
    y = np.zeros(x.shape)
    for n, p in enumerate(places):
        for i in range(0, x.shape[-1], 2):
            a = p / base ** (i / x.shape[-1])
            matrix = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            y[:, n, i : i + 2] = x[:, n, i : i + 2] @ matrix.T
    return y


def _turn_in_torch(x, places, base):
    import torch

    d_k = x.shape[-1]
    angle = places[:, None] * base ** (-torch.arange(0, d_k, 2) / d_k)
    tip = torch.polar(torch.ones_like(angle), angle).to(torch.complex128)
    z = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(z * tip).flatten(-2)


def _keeps_every_length(result, x, places, base):
    before, after = np.linalg.norm(x, axis=-1), np.linalg.norm(result, axis=-1)
    if np.allclose(before, after, rtol=1e-3):
        return None
    at = np.unravel_index(np.abs(before - after).argmax(), before.shape)
    return (
        "A turn keeps the length of every row; one row had the length "
        f"{before[at]:.4g} and now has {after[at]:.4g}."
    )


def _place_zero_stays(result, x, places, base):
    if np.allclose(result[:, places == 0], x[:, places == 0], atol=1e-3):
        return None
    return "The row at place 0 should stay as it is: its angles are 0."


rotary = Exercise(
    id="ch06.rotary",
    title="Turn every pair",
    kind="implement",
    minutes=12,
    difficulty=3,
    section="ch06-rotary",
    prompt="Write `turn_pairs(x, places, base)`: rotary positions for several heads "
    "at once. `x` has shape `(num_heads, n, d_k)` with $d_k$ even, `places` holds $n$ "
    "integers, not always from 0 on. Neighbours $(0, 1), (2, 3), \\dots$ are pairs; "
    "pair $i$ at place $p$ turns from the first coordinate towards the second, by the "
    "angle $p \\cdot \\text{base}^{-2i/d_k}$. The result has the shape of `x`.",
    starter="def turn_pairs(x, places, base):\n"
    '    raise NotImplementedError("your code")',
    reference=turn_pairs,
    cases=_rotary_inputs,
    tolerance=1e-4,
    switched=_turn_with,
    misconceptions=(
        Misconception(
            "does-nothing",
            "Your result is the input, unchanged.",
            "The turn is done in place; or: it cancels anyway.",
            "What should become of the row (1, 0) at place 1, at width 2?",
            wrong=lambda x, places, base: x.copy(),
        ),
        Misconception(
            "turns-the-other-way",
            "Your pairs turn the other way.",
            "For the scores only the difference counts, so the direction is free.",
            "Where should (1, 0) point after a small turn: is its second coordinate "
            "positive? And if somebody else's code turns the keys?",
            switch={"way": -1},
        ),
        Misconception(
            "one-speed",
            "All your pairs turn at the speed of the first.",
            "A place is one angle.",
            "After how many words would every row be where it was? How many words does "
            "the slowest pair need?",
            switch={"speeds": "one"},
        ),
        Misconception(
            "exponent-i",
            "Your pairs slow down half as fast as they should: exponent i / d_k.",
            "Pair i has the exponent i / d_k.",
            "At width 4 and base 100, what is the speed of the second pair?",
            switch={"speeds": "i"},
        ),
        Misconception(
            "doubles-twice",
            "Your pairs slow down twice as fast as they should: exponent 4i / d_k.",
            "The 2i of the formula is twice the number of the column.",
            "With `arange(0, d_k, 2)`, what is its second entry: i or 2i?",
            switch={"speeds": "4i"},
        ),
        Misconception(
            "own-base",
            "You use the base 10000, whatever base is given.",
            "The base is a constant.",
            "At width 4 and base 100, what is the speed of the second pair?",
            switch={"own_base": True},
        ),
        Misconception(
            "counts-instead-of-reading",
            "Your rows are turned as if they stood at 0, 1, 2, ...",
            "The places of n rows are the numbers from 0 to n − 1.",
            "A text is continued at place 10. By how much should its next row turn?",
            switch={"numbering": "counted"},
        ),
        Misconception(
            "same-angle-everywhere",
            "All rows are turned by the same angles, those of place 1.",
            "The angle of a pair is its speed.",
            "Where do you use places? What would two rows turned alike tell each "
            "other?",
            switch={"numbering": "same"},
        ),
        Misconception(
            "pairs-across-halves",
            "Your pairs are column i and column i + d_k/2: the half-split layout.",
            "Rotary splits the row into a first and a second half.",
            "Which column is the partner of column 0 in the prompt, and in your code?",
            switch={"pairs": "halves"},
        ),
        Misconception(
            "left-apart",
            "The pairs are turned rightly, and then all first coordinates stand "
            "before all second ones.",
            "Putting two parts together is concatenating them.",
            "In which column should the second coordinate of the first pair be?",
            switch={"pairs": "apart"},
        ),
        Misconception(
            "overwrites-too-early",
            "The second coordinate is computed from the first one after its turn.",
            "The lines can be run one after the other, in place.",
            "When your second line runs, does its first coordinate hold the old number "
            "or the new one?",
            switch={"step": "overwritten"},
        ),
        Misconception(
            "mirror",
            "Your pairs are reflected: at place 0 the second coordinate changes sign.",
            "One minus sign is needed, and either line will do.",
            "What should become of a row at place 0?",
            switch={"step": "mirror"},
        ),
    ),
    variants=(_turn_as_complex, _turn_by_swapping, _turn_in_loops, _turn_in_torch),
    properties=(
        Property("lengths stay", _keeps_every_length),
        Property("place 0 stays", _place_zero_stays),
    ),
    hints=(
        "First the table of angles, `(n, d_k / 2)`: it is the one of the sinusoidal "
        "code. Broadcasting lends it to every head.",
        "Take the even columns as first coordinates and the odd ones as second; write "
        "down the turn of one pair by the angle a.",
        "Compute both new coordinates from the old ones, then put them back into every "
        "second column of an empty array of x's shape.",
    ),
    insight="The cache of a decoder holds keys that are turned already: each is "
    "turned once, at its own place, and never again. A head costs "
    "3\N{NO-BREAK SPACE}d_k operations per row for it, beside 2\N{NO-BREAK SPACE}d_k "
    "per score.",
)


def _bias_inputs():
    return [
        Case("two words, one head", (2, 2, np.array([1.0]), 0)),
        Case("two new words after three", (2, 5, np.array([0.5, 0.25]), 3)),
        Case("some keys lie ahead", (3, 7, np.array([1.0, 0.5, 0.125, 0.75]), 2)),
    ]


def distance_bias(n_q, n_k, slopes, offset):
    query_place = offset + np.arange(n_q)
    distance = np.abs(query_place[:, None] - np.arange(n_k))
    return -slopes[:, None, None] * distance


def _bias_with(
    n_q, n_k, slopes, offset, *, sign=-1, start="offset", form="distance", by="slope"
):
    begin = {"offset": offset, "zero": 0, "one-on": offset + 1, "end": n_k - n_q}
    gap = begin[start] + np.arange(n_q)[:, None] - np.arange(n_k)
    forms = {
        "distance": np.abs(gap),
        "signed": gap,
        "squared": gap**2,
        "behind": np.maximum(gap, 0),
        "place": np.broadcast_to(np.arange(n_k), gap.shape),
    }
    factor = slopes if by == "slope" else 1 / slopes
    return sign * factor[:, None, None] * forms[form]


def _heads_last(n_q, n_k, slopes, offset):
    return np.moveaxis(distance_bias(n_q, n_k, slopes, offset), 0, -1)


def _bias_in_loops(n_q, n_k, slopes, offset):
    return [
        [[-float(m) * abs(offset + i - j) for j in range(n_k)] for i in range(n_q)]
        for m in slopes
    ]


def _bias_in_torch(n_q, n_k, slopes, offset):
    import torch

    gap = torch.arange(offset, offset + n_q)[:, None] - torch.arange(n_k)
    return torch.einsum("h,ij->hij", torch.as_tensor(slopes), -gap.abs().double())


def _never_positive(result, *arguments):
    if (result <= 0).all():
        return None
    return (
        "The bias takes away and never adds: the largest entry should be 0, and yours "
        f"is {result.max():.3g}."
    )


def _zero_at_itself(result, n_q, n_k, slopes, offset):
    own = result[:, np.arange(n_q), offset + np.arange(n_q)]
    if np.allclose(own, 0, atol=1e-3):
        return None
    return (
        "A word is at distance 0 from itself: query i stands at place `offset + i`, so "
        "the bias should be 0 for the key of that number."
    )


relative_bias = Exercise(
    id="ch06.distance-bias",
    title="A score that falls with the distance",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch06-rotary",
    prompt="ALiBi (Press et al., 2022) adds to each score minus a slope times the "
    "distance between the two places. Write `distance_bias(n_q, n_k, slopes, offset)`. "
    "`slopes` has one number per head. Keys stand at places 0 to $n_k - 1$; the "
    "queries are a chunk that begins at place `offset`, as when a text is continued. "
    "Return shape `(num_heads, n_q, n_k)`. A key two places ahead of the query is as "
    "far from it as one two places behind.",
    starter="def distance_bias(n_q, n_k, slopes, offset):\n"
    '    raise NotImplementedError("your code")',
    reference=distance_bias,
    cases=_bias_inputs,
    switched=_bias_with,
    misconceptions=(
        Misconception(
            "forgets-the-offset",
            "Your queries stand at places 0, 1, 2, ..., wherever the chunk begins.",
            "The first query is the first word.",
            "Three words have been read, and a fourth comes. How far is it from the "
            "word at place 2?",
            switch={"start": "zero"},
        ),
        Misconception(
            "one-too-far",
            "Your queries stand one place further on than they should.",
            "The offset is the last place that has been used.",
            "With offset 0, how far is query 0 from key 0?",
            switch={"start": "one-on"},
        ),
        Misconception(
            "aligned-at-the-end",
            "Your last query stands at the place of the last key, whatever `offset` "
            "is.",
            "The newest query always belongs to the newest key.",
            "Where do you use `offset`? With 7 keys, 3 queries and offset 2, which key "
            "is at distance 0 from query 0?",
            switch={"start": "end"},
        ),
        Misconception(
            "rewards-distance",
            "Your bias grows with the distance, so words far away gain.",
            "The distance is added to the score.",
            "Which of two equal keys should get more weight, the near or the far one?",
            switch={"sign": 1},
        ),
        Misconception(
            "signed-distance",
            "Keys that lie ahead of the query gain by it, the more the further.",
            "Place minus place is the distance.",
            "How far is place 5 from place 2, and place 2 from place 5?",
            switch={"form": "signed"},
        ),
        Misconception(
            "ahead-costs-nothing",
            "Keys that lie ahead of the query cost nothing, however far they are.",
            "A distance is not negative, so what would be negative is 0.",
            "How far is place 5 from place 2?",
            switch={"form": "behind"},
        ),
        Misconception(
            "squared-distance",
            "Your bias grows with the square of the distance.",
            "A distance is measured by its square.",
            "With slope 1, what should the bias be at distance 3?",
            switch={"form": "squared"},
        ),
        Misconception(
            "place-of-the-key",
            "All your queries get the same row: it depends on the key's place alone.",
            "Words far along in the text are far away.",
            "How far is key 4 from a query at place 4?",
            switch={"form": "place"},
        ),
        Misconception(
            "heads-on-the-last-axis",
            "Your last axis is the heads; it should be the first.",
            "What is counted last goes last.",
            "The scores have shape `(num_heads, n_q, n_k)`. Can your result be added?",
            wrong=_heads_last,
        ),
    ),
    variants=(
        _bias_in_loops,
        _bias_in_torch,
        lambda n_q, n_k, slopes, offset: np.multiply.outer(
            slopes,
            -np.abs(np.subtract.outer(np.arange(offset, offset + n_q), np.arange(n_k))),
        ),
    ),
    properties=(
        Property("never positive", _never_positive),
        Property("zero at itself", _zero_at_itself),
    ),
    hints=(
        "At which place does query i stand? And key j?",
        "All differences at once: the places of the queries as a column, those of the "
        "keys as a row. Which function forgets the sign?",
        "The table of distances has shape `(n_q, n_k)`. Give slopes two more axes of "
        "length 1, so that each head scales its own copy, and mind the minus.",
    ),
    insight="With a causal mask all distances of a row may be replaced by minus the "
    "key's place: the two differ by a constant per row, which the softmax cannot see. "
    "The slopes are fixed, not trained: Press et al. take 1/2, 1/4, ..., 1/256 for 8 "
    "heads.",
)

# --- heads designed for a task -------------------------------------------------------


def _texts():
    words = ("noon", "banana", "mississippi", "level", "committee", "abcab", "aaaa")
    return [Case(f'"{word}"', (word,)) for word in words]


def _weights_of_letters(result, text):
    scores, mask = _two_arrays(result, "scores", "mask")
    if mask.dtype.kind != "b":
        raise TypeError(
            f"mask should be boolean, True where a letter may attend; got {mask.dtype}."
        )
    scores, mask, _ = np.broadcast_arrays(scores, mask, np.empty((len(text),) * 2))
    return _softmax(scores, mask)


def last_occurrence(text):
    letters, place = np.array(list(text)), np.arange(len(text))
    same = letters[:, None] == letters
    earlier = place < place[:, None]
    scores = np.tile(20.0 * place, (len(text), 1))
    return scores, same & earlier


def _last_with(text, *, slope=20.0, self_too=False, future=False, letter=True):
    letters, place = np.array(list(text)), np.arange(len(text))
    mask = place < place[:, None]
    if self_too:
        mask = place <= place[:, None]
    if future:
        mask = place != place[:, None]
    if letter:
        mask = mask & (letters[:, None] == letters)
    return np.tile(slope * place, (len(text), 1)), mask


def _last_inverted(text):
    scores, mask = last_occurrence(text)
    return scores, ~mask


def _last_transposed(text):
    scores, mask = last_occurrence(text)
    return scores, mask.T


def _last_in_loops(text):
    n = len(text)
    scores, mask = np.zeros((n, n)), np.zeros((n, n), dtype=bool)
    for i in range(n):
        j = text.rfind(text[i], 0, i)
        if j >= 0:
            mask[i, j] = True
    return scores, mask


def _last_by_distance(text):
    letters, place = np.array(list(text)), np.arange(len(text))
    distance = place[:, None] - place
    scores = np.where(letters[:, None] == letters, -15.0 * distance, -np.inf)
    return scores, np.tri(len(text), k=-1, dtype=bool)


def _last_in_torch(text):
    import torch

    codes = torch.tensor([ord(letter) for letter in text])
    one_hot = torch.nn.functional.one_hot(codes, 128).double()
    mask = (one_hot @ one_hot.T > 0).tril(-1)
    return 50.0 * torch.arange(len(text))[None, :], mask


def _empty_when_new(result, text):
    for i, letter in enumerate(text):
        if letter not in text[:i] and result[i].sum() > 1e-3:
            return (
                f"The first {letter!r} of {text!r} has no earlier one, so its mask "
                "should have no True and its weights should be 0."
            )
    return None


def _looks_at_the_letter(result, text):
    for i, letter in enumerate(text):
        right, best = text.rfind(letter, 0, i), int(result[i].argmax())
        if right < 0:
            continue
        if best != right or result[i].sum() < 0.5:
            where = f"place {best}" if result[i].sum() > 0.5 else "nowhere"
            return (
                f"{letter!r} at place {i} of {text!r} looks hardest at {where}; the "
                f"last {letter!r} before it is at place {right}."
            )
        if result[i, best] < 0.97:
            return (
                f"{letter!r} at place {i} of {text!r} gives the right place only "
                f"{result[i, best]:.2f} of its weight: make the scores steeper."
            )
    return None


last_occurrence_design = Exercise(
    id="ch06.last-occurrence",
    title="Where was this letter last?",
    kind="design",
    minutes=12,
    difficulty=3,
    section="ch06-tasks",
    prompt="Each letter of a text should attend to the last earlier place of the same "
    "letter: in *banana* the final *a* (place 5) to place 3. A letter that has not "
    "occurred before attends to nothing at all. Write `last_occurrence(text)`, which "
    "returns `(scores, mask)`, each of shape `(n, n)` for $n$ letters; the mask is "
    "boolean, `True` where a letter may attend. We compute the masked softmax, in "
    "which a row without any `True` gives zeros. At least 0.97 of the weight has to be "
    "on the right place.",
    starter='def last_occurrence(text):\n    raise NotImplementedError("your code")',
    reference=last_occurrence,
    cases=_texts,
    observe=_weights_of_letters,
    tolerance=0.04,
    switched=_last_with,
    misconceptions=(
        Misconception(
            "no-preference",
            "Each letter shares its weight evenly among all that the mask allows.",
            "The mask finds the letter; the scores do not matter.",
            "For the last *a* of banana the mask allows two places. Which number "
            "should be larger at the later one?",
            switch={"slope": 0.0},
        ),
        Misconception(
            "first-occurrence",
            "Each letter looks at the earliest place allowed, and not at the latest.",
            "The place nearest to the beginning comes first.",
            "Do your scores rise or fall with the place of the key?",
            switch={"slope": -20.0},
        ),
        Misconception(
            "too-gentle",
            "The scores rise by 1 with each place, so earlier places keep a share.",
            "The largest score gets the weight.",
            "In *aaaa*, what does softmax make of the scores 0, 1, 2?",
            switch={"slope": 1.0},
        ),
        Misconception(
            "looks-at-itself",
            "Your mask allows each letter to look at itself.",
            "A causal mask has True on the diagonal.",
            "Of all places up to i that hold the letter of place i, which is the last?",
            switch={"self_too": True},
        ),
        Misconception(
            "sees-the-future",
            "Your mask allows later places.",
            "The same letter is the same letter, wherever it stands.",
            "In *noon*, at which place may the first n look? Does it come earlier?",
            switch={"future": True},
        ),
        Misconception(
            "any-letter",
            "Your mask allows all earlier places, whatever letter stands there.",
            "The scores prefer the latest, and that is the last occurrence.",
            "Which place does the e of *level* at place 3 look at? Is there an e?",
            switch={"letter": False},
        ),
        Misconception(
            "inverted-mask",
            "Your mask is True where a letter may not attend.",
            "A mask marks what is hidden.",
            "How many True should the first row of the mask have?",
            wrong=_last_inverted,
        ),
        Misconception(
            "later-instead-of-earlier",
            "Your mask allows later places only, and no earlier one.",
            "`mask[i, j]` tells whether j may look at i; or: `triu` keeps what came "
            "before.",
            "Rows are queries. In which row should the True of *noon*'s last n be?",
            wrong=_last_transposed,
        ),
    ),
    variants=(
        _last_in_loops,
        _last_by_distance,
        _last_in_torch,
        lambda text: (
            [part.tolist() for part in last_occurrence(text)][0:1]
            and (last_occurrence(text)[0][:1], last_occurrence(text)[1])
        ),
    ),
    properties=(
        Property("new letters", _empty_when_new),
        Property("the right place", _looks_at_the_letter),
    ),
    hints=(
        "The job has two parts: which places are allowed at all, and which of these is "
        "preferred. Leave the first to the mask and the second to the scores.",
        "Allowed is what holds the same letter and stands earlier. Comparing an array "
        "of letters with itself, once as a column, gives all pairs at once.",
        "The scores need not know the letters: let each column's score grow with its "
        "place, steeply enough that one place more means nearly all the weight.",
    ),
    insight="One head does two jobs here: it matches the content and prefers the "
    "latest. One place further stands what followed the last time. Trained language "
    "models find it with a pair of heads, a previous-token head and an induction head "
    "(Olsson et al., 2022).",
)


def _brackets():
    texts = ("()", "(())", "()()", "(()())", "((()))()", "()(()(()))", "(()((())()))")
    cases = []
    for text in texts:
        opens = np.array([letter == "(" for letter in text])
        depth = np.cumsum(opens) - np.cumsum(~opens) + ~opens
        cases.append(Case(text, (depth, opens)))
    return cases


def _weights_of_closing(result, depth, opens):
    query, key = _two_arrays(result, "query", "key")
    if query.ndim != 2 or query.shape != key.shape or len(query) != len(depth):
        shapes = f"{query.shape} and {key.shape}"
        raise ValueError(f"query and key should both be `(n, d_k)`; got {shapes}.")
    scores = query @ key.T / np.sqrt(query.shape[-1])
    weights = _softmax(scores, np.tri(len(depth), dtype=bool))
    return weights[~opens]


def find_opening(depth, opens):
    same_depth = np.eye(depth.max() + 1)[depth]
    place = np.arange(len(depth))[:, None]
    query = np.hstack([1000 * same_depth, np.ones((len(depth), 1))])
    key = np.hstack([same_depth * opens[:, None], 10 * place])
    return query, key


def _opening_with(
    depth, opens, *, slope=10.0, gate=True, by_depth=1000.0, code="one-hot"
):
    place = np.arange(len(depth))[:, None]
    level = np.eye(depth.max() + 1)[depth] if code == "one-hot" else depth[:, None]
    query = np.hstack([by_depth * level, np.ones((len(depth), 1)), 1000 + 0 * place])
    penalty = (opens[:, None] - 1.0) * (2.0 if gate else 0.0)
    key = np.hstack([level, slope * place, penalty * depth.max() ** 2])
    return query, key


def _opening_by_distance(depth, opens):
    place, d = np.arange(len(depth)), depth.astype(float)
    query = np.stack([2000 * d, np.full(len(d), 1000.0)], axis=1)
    key = np.stack([d, -(d**2) - 9 * ~opens + 0.02 * place], axis=1)
    return query, key


def _opening_in_torch(depth, opens):
    import torch

    depth, opens = torch.as_tensor(depth), torch.as_tensor(opens)
    level = torch.nn.functional.one_hot(depth).double()
    latest = torch.arange(len(depth), dtype=torch.float64)[:, None]
    query = torch.cat([500 * level, 500 * torch.ones_like(latest)], 1)
    key = torch.cat([level, 0.02 * latest - 10.0 * (~opens[:, None]).double()], 1)
    return query, key


def _opening_as_scores(depth, opens):
    place = np.arange(len(depth))
    same = (depth[:, None] == depth) & opens
    scores = np.where(same, 12.0 * place, -1000.0)
    return scores * np.sqrt(len(depth)), np.eye(len(depth))


def _partner(depth, opens, closing):
    partners = [j for j in range(closing) if opens[j] and depth[j] == depth[closing]]
    return partners[-1]


def _finds_the_partner(result, depth, opens):
    text = "".join("(" if o else ")" for o in opens)
    for row, closing in zip(result, np.flatnonzero(~opens), strict=True):
        right, best = _partner(depth, opens, closing), int(row.argmax())
        which = f"In {text} the closing bracket at place {closing}"
        if best != right:
            return (
                f"{which} looks hardest at place {best} "
                f"({text[best]!r}, depth {depth[best]}); its partner is at {right}."
            )
        if row[best] < 0.97:
            other = int(np.where(np.arange(len(row)) == right, -1, row).argmax())
            return (
                f"{which} gives its partner {row[best]:.2f} of its weight, and "
                f"{row[other]:.2f} to place {other} ({text[other]!r}, depth "
                f"{depth[other]})."
            )
    return None


opening_bracket_design = Exercise(
    id="ch06.opening-bracket",
    title="Where did this bracket open?",
    kind="design",
    minutes=20,
    difficulty=5,
    section="ch06-tasks",
    prompt="Each closing bracket should attend to its partner. The features are "
    "given: `depth`, integers of shape `(n,)`, the same number for both partners, and "
    "`opens`, booleans of shape `(n,)`. For `(())`, depth is 1, 2, 2, 1. The partner "
    "is the **last** opening bracket of the **same depth**. Write "
    "`find_opening(depth, opens)`, which returns `(query, key)`, each of shape `(n, "
    "d_k)` with a width `d_k` of your choice. We apply the scaled dot product, a "
    "causal mask (each bracket sees itself and what stands before it) and the "
    "softmax, and look at the rows of the closing brackets: at least 0.97 of the "
    "weight has to be on the partner.",
    starter="def find_opening(depth, opens):\n"
    '    raise NotImplementedError("your code")',
    reference=find_opening,
    cases=_brackets,
    observe=_weights_of_closing,
    tolerance=0.04,
    switched=_opening_with,
    misconceptions=(
        Misconception(
            "all-of-the-depth",
            "Where several brackets of one depth have opened, they share the weight.",
            "The depth tells which bracket is meant.",
            "In ()() both brackets open at depth 1. What should make the second one's "
            "score larger?",
            switch={"slope": 0.0},
        ),
        Misconception(
            "the-earliest",
            "Each closing bracket looks at the earliest bracket of its depth.",
            "A bracket that opened first should be found first.",
            "Which sign does the place of the key have in your score?",
            switch={"slope": -10.0},
        ),
        Misconception(
            "finds-itself",
            "Each closing bracket looks at itself: it has the right depth, and none "
            "stands later.",
            "The last bracket of the same depth is the partner.",
            "Where do you use opens? Which brackets have the depth of the last one in "
            "()?",
            switch={"gate": False},
        ),
        Misconception(
            "any-depth",
            "Each closing bracket looks at the latest opening bracket, at any depth.",
            "The last one that opened is the first one to close.",
            "In (()), what stands between the last bracket and its partner?",
            switch={"by_depth": 0.0},
        ),
        Misconception(
            "depth-as-a-size",
            "Your closing brackets look at the deepest opening bracket before them.",
            "The product of two depths is largest when they are equal.",
            "What is 1 times 2, and what is 1 times 1? Which feature of a depth has "
            "its largest product with itself?",
            switch={"code": "number"},
        ),
        Misconception(
            "place-beats-depth",
            "One place further counts more than the right depth: most closing brackets "
            "look at the latest opening one.",
            "If both things count, the scores will sort it out.",
            "By how much does your score rise over ten places, and by how much when "
            "the depth is right? Which has to win?",
            wrong=lambda depth, opens: _opening_with(depth, opens, by_depth=12.0),
        ),
    ),
    variants=(_opening_by_distance, _opening_in_torch, _opening_as_scores),
    properties=(Property("the partner", _finds_the_partner),),
    hints=(
        "A score may be a sum of several wishes, one for each group of columns: the "
        "same depth, an opening bracket, as late as possible. Which has to be strong?",
        "For *same depth* give each depth a column of its own (one-hot): the product "
        "of two such rows is 1 if the depths are equal, and 0 if not.",
        "Multiply the one-hot key by opens, so that closing brackets offer nothing. "
        "Then one more column: 1 in every query, something that grows with the place "
        "in every key, small enough never to beat the right depth.",
    ),
    insight="A one-hot depth costs a column for each depth. Two columns do: minus the "
    "squared difference of two numbers, 2ab\N{NO-BREAK SPACE}−\N{NO-BREAK SPACE}"
    "b²\N{NO-BREAK SPACE}−\N{NO-BREAK SPACE}a², is the dot product of "
    "(2a,\N{NO-BREAK SPACE}1) and (b,\N{NO-BREAK SPACE}−b²), less the a² of the query, "
    "which the softmax cannot see.",
)
