"""Exercises of chapter 4: what is learned, and what is computed from it."""

# mypy: allow-untyped-defs

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property
from ._properties import in_words, not_negative, sums_to_one

# --- one step of gradient descent ---------------------------------------------------


def _examples():
    rng = np.random.default_rng(41)

    def case(label, n, d, rate):
        x = rng.normal(0.4, 1.0, (n, d))
        return Case(label, (rng.normal(0, 1, d), x, rng.normal(1, 2, n), rate))

    tiny = (np.array([1.0, 0.0]), np.array([[3.0, 1.0]]), np.array([6.0]), 0.05)
    return [
        Case("one example, two features", tiny),
        case("five examples, three features", 5, 3, 0.1),
        case("three examples, four features", 3, 4, 0.02),
    ]


def descend(w, x, y, rate):
    error = x @ w - y
    gradient = 2 * x.T @ error / len(y)
    return w - rate * gradient


def _descend_with(
    w, x, y, rate, *, sign=-1, factor=2, reduce="mean", step="rate", hands="w"
):
    error = x @ w - y
    divisor = {"mean": len(y), "sum": 1, "d": len(w), "all": x.size}[reduce]
    gradient = factor * x.T @ error / divisor
    if step == "unit":
        gradient = gradient / np.linalg.norm(gradient)
    moved = sign * (1 if step == "no rate" else rate) * gradient
    return {"w": w + moved, "gradient": gradient, "step": moved}[hands]


def _one_by_one(w, x, y, rate):
    for row, answer in zip(x, y, strict=True):
        w = w - rate * 2 * (row @ w - answer) * row
    return w


def _forgets_input(w, x, y, rate):
    return w - rate * 2 * (x @ w - y).mean()


def _multiplies_means(w, x, y, rate):
    return w - rate * 2 * (x @ w - y).mean() * x.mean(axis=0)


def _descend_in_loops(w, x, y, rate):
    gradient = np.zeros(len(w))
    for j in range(len(w)):
        for i in range(len(y)):
            gradient[j] += 2 * (sum(x[i] * w) - y[i]) * x[i, j] / len(y)
    return w - rate * gradient


def _descend_by_autograd(w, x, y, rate):
    import torch

    w = torch.as_tensor(w).clone().requires_grad_()
    loss = ((torch.as_tensor(x) @ w - torch.as_tensor(y)) ** 2).mean()
    loss.backward()
    return w - rate * w.grad


def _loss_grows(result, w, x, y, rate):
    before, after = (((x @ v - y) ** 2).mean() for v in (w, result))
    if after <= before:
        return None
    return (
        f"A small step should lower the loss; it went from {before:.4g} to {after:.4g}."
    )


gradient_step = Exercise(
    id="ch04.gradient-step",
    title="One step downhill",
    kind="implement",
    minutes=6,
    difficulty=2,
    section="ch04-learning",
    prompt="The step of this section, with several examples and several parameters. "
    "Write `descend(w, x, y, rate)`: the model predicts `x @ w` from `x` of shape "
    "`(n, d)` and parameters `w` of shape `(d,)`; the loss is the mean over the $n$ "
    "examples of the squared error, predicted minus right answer `y`, shape `(n,)`. "
    "Return the parameters after one gradient step with learning rate `rate`, a new "
    "array of shape `(d,)`; derive the gradient yourself.",
    starter='def descend(w, x, y, rate):\n    raise NotImplementedError("your code")',
    reference=descend,
    cases=_examples,
    switched=_descend_with,
    misconceptions=(
        Misconception(
            "uphill",
            "Your step makes the loss larger: it goes along the gradient.",
            "The gradient points to where the loss is small.",
            "Compute the loss before and after your step. If the derivative is "
            "negative, in which direction does the loss fall?",
            switch={"sign": 1},
        ),
        Misconception(
            "factor-two-lost",
            "Your step is half as long as it should be.",
            "The derivative of e² is e, without a factor of 2. (With "
            "half the squared error as the loss it is.)",
            "What is the derivative of e² with respect to e?",
            switch={"factor": 1},
        ),
        Misconception(
            "sum-of-examples",
            "Your step is n times too long: it adds up the examples' gradients.",
            "The loss is a sum over examples, and a mean only scales it.",
            "Give the function every example twice. Should the step be twice as long?",
            switch={"reduce": "sum"},
        ),
        Misconception(
            "divides-by-parameters",
            "You divide by d, the number of parameters, where n, the number of "
            "examples, belongs.",
            "`len(w)` is the number of terms of the mean.",
            "Over what does the prompt take the mean?",
            switch={"reduce": "d"},
        ),
        Misconception(
            "divides-by-all-entries",
            "You divide by n·d, the number of entries of x.",
            "The mean of an array divides by all its entries.",
            "Over what does the prompt take the mean, and how many of these are there?",
            switch={"reduce": "all"},
        ),
        Misconception(
            "means-multiplied",
            "Your gradient is the mean error times the mean input.",
            "The mean of a product is the product of the means.",
            "Take errors 1 and −1 and inputs 1 and −1. What is the mean of the "
            "products, and what do you get?",
            wrong=_multiplies_means,
        ),
        Misconception(
            "rate-lost",
            "Your step is the whole gradient; the learning rate does not change it.",
            "The gradient says how far to go.",
            "Call your function with rate 0. Should anything move?",
            switch={"step": "no rate"},
        ),
        Misconception(
            "unit-length",
            "Your step has length `rate` wherever you start: you divided the gradient "
            "by its length.",
            "The gradient gives the direction alone; the rate is the length of a step.",
            "What happens near the minimum if no step can be shorter than the rate?",
            switch={"step": "unit"},
        ),
        Misconception(
            "returns-gradient",
            "You return the gradient, not the parameters after the step.",
            "The function's job is the derivative; somebody else takes the step.",
            "What would you pass in as `w` for a second step?",
            switch={"hands": "gradient"},
        ),
        Misconception(
            "returns-step",
            "You return how far the parameters move, not where they arrive.",
            "The step is the result.",
            "With rate 0, which parameters should come back?",
            switch={"hands": "step"},
        ),
        Misconception(
            "one-example-at-a-time",
            "You take n steps, one for each example, each from where the last one "
            "ended.",
            "A loop over the examples may update as it goes.",
            "Change the order of the examples. Does your result change? Should a mean?",
            wrong=_one_by_one,
        ),
        Misconception(
            "input-forgotten",
            "All your parameters move by the same amount: the inputs do not enter.",
            "The derivative of a squared error is twice the error, and that is all.",
            "If feature 2 is zero in all examples, how much does `w[2]` matter to the "
            "loss?",
            wrong=_forgets_input,
        ),
    ),
    variants=(
        _descend_in_loops,
        _descend_by_autograd,
        lambda w, x, y, rate: w + 2 * rate * ((y - x @ w)[:, None] * x).mean(0),
        lambda w, x, y, rate: list(descend(w, x.astype(np.float32), y, rate)),
    ),
    properties=(Property("the loss falls", _loss_grows),),
    hints=(
        "One example, one parameter is this section: 2 (wx − y) x. What plays the "
        "role of x for parameter j?",
        "The gradient has the shape of w. Its entry j is the mean over the examples of "
        "twice the error times feature j.",
        "A mean over examples of error times feature, for all features at once, is a "
        "product with the transpose of x, divided by n. Then go against it.",
    ),
    insight="If the learning rate is too large, the step overshoots. Along the "
    "direction in which the loss bends most, with second derivative c, a step "
    "multiplies the distance to the minimum by 1 − rate·c: above rate = 2/c it grows "
    "with every step. For `x = [[3, 1]]` c is 20: try the rates 0.09 and 0.11, fifty "
    "steps each.",
)


# --- three projections of one input -------------------------------------------------


def _inputs_and_matrices():
    rng = np.random.default_rng(40)

    def case(label, shape, d_k, d_v):
        matrices = (rng.normal(0.2, 0.8, (shape[-1], w)) for w in (d_k, d_k, d_v))
        return Case(label, (rng.normal(0.5, 1.0, shape), *matrices))

    return [
        case("two words, two features", (2, 2), 2, 2),
        case("four words, five features", (4, 5), 3, 2),
        case("a batch of two sentences of three words", (2, 3, 6), 4, 5),
    ]


def project(x, w_query, w_key, w_value):
    query = x @ w_query
    key = x @ w_key
    value = x @ w_value
    return query, key, value


def _as_three(result, *arguments):
    """Three results in a list are as good as three in a tuple."""
    stacked = isinstance(result, np.ndarray) and result.ndim == arguments[0].ndim + 1
    return tuple(result) if stacked or isinstance(result, list) else result


def _with_each(combine):
    return lambda x, *matrices: tuple(combine(x, w) for w in matrices)


def _project_in_torch(x, w_query, w_key, w_value):
    import torch

    return tuple(torch.matmul(x, w) for w in (w_query, w_key, w_value))


def _project_side_by_side(x, w_query, w_key, w_value):
    together = x @ np.concatenate([w_query, w_key, w_value], axis=1)
    d_k = w_query.shape[1]
    return tuple(np.split(together, [d_k, 2 * d_k], axis=-1))


_SHAPES_CLASH = (ValueError, RuntimeError)  # of NumPy, of torch

projections = Exercise(
    id="ch04.projections",
    title="Three projections of one input",
    kind="implement",
    minutes=4,
    difficulty=1,
    section="ch04-three-projections",
    prompt="Write `project(x, w_query, w_key, w_value)`: return the queries, keys and "
    "values, in this order. The input `x` has shape `(n, d)`, or `(batch, n, d)` for "
    "several sentences of one length; `w_query` and `w_key` have shape `(d, d_k)` and "
    "`w_value` has shape `(d, d_v)`.",
    starter="def project(x, w_query, w_key, w_value):\n"
    '    raise NotImplementedError("your code")',
    reference=project,
    cases=_inputs_and_matrices,
    observe=_as_three,
    misconceptions=(
        Misconception(
            "matrix-first",
            "Your queries are `w_query` times the input: the matrix stands on the "
            "left. It runs while all sizes are equal.",
            "A matrix acts on what stands to its right, as in most mathematics books.",
            "A word is a row of x here. Which side of x has length d, and which side "
            "of w_query?",
            wrong=_with_each(lambda x, w: w @ x),
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "matrix-transposed",
            "Your queries are the input times the transpose of `w_query`. It runs "
            "while d and d_k are equal.",
            "A layer computes x Wᵀ. For `torch.nn.Linear` this is so, since it stores "
            "its matrix as `(d_out, d_in)`.",
            "What is the shape of w_query here, and which of its two axes is as long "
            "as a word has features?",
            wrong=_with_each(lambda x, w: x @ w.T),
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "input-transposed",
            "Your queries are the transpose of the input times `w_query`: each row "
            "belongs to a feature, not to a word.",
            "Something has to be transposed before two matrices can be multiplied.",
            "Write the shapes side by side, `(n, d)` and `(d, d_k)`. Which lengths "
            "meet?",
            wrong=_with_each(lambda x, w: np.swapaxes(x, -2, -1) @ w),
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "adds",
            "Your queries are the input plus `w_query`, entry by entry.",
            "Weights are added to the input, as a bias is.",
            "What shape must a query have, and which operation gets there from "
            "`(n, d)` and `(d, d_k)`?",
            wrong=_with_each(lambda x, w: x + w),
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "entry-by-entry",
            "Your queries are the input times `w_query`, entry by entry.",
            "The sign `*` multiplies matrices.",
            "Try `[[1, 2]] * [[3], [4]]` and `[[1, 2]] @ [[3], [4]]` as arrays. Which "
            "one gives the single number 11?",
            wrong=_with_each(lambda x, w: x * w),
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "one-matrix",
            "Your queries, keys and values are equal: all three come from `w_query`.",
            "In self-attention Q, K and V are the same thing, since x is the same.",
            "How long must a value be in the second input, and how long is yours?",
            wrong=lambda x, a, b, c: (x @ a, x @ a, x @ a),
        ),
        Misconception(
            "keys-from-query-matrix",
            "Your keys equal your queries: both come from `w_query`.",
            "Query and key live in one space, so they share a matrix.",
            "If q = k for every word, can word 1 give word 2 another score than word 2 "
            "gives word 1?",
            wrong=lambda x, a, b, c: (x @ a, x @ a, x @ c),
        ),
        Misconception(
            "values-not-projected",
            "Your values are the input itself.",
            "What a word hands over is the word; only the comparison is learned.",
            "Which of your three matrices is never used?",
            wrong=lambda x, a, b, c: (x @ a, x @ b, x),
        ),
        Misconception(
            "order-swapped",
            "Your first result holds the keys and your second the queries.",
            "The order does not matter, since both have shape `(n, d_k)`.",
            "The caller unpacks `query, key, value = ...`. What lands in `query`?",
            wrong=lambda x, a, b, c: (x @ b, x @ a, x @ c),
        ),
        Misconception(
            "key-value-swapped",
            "Your second result holds the values and your third the keys.",
            "Query, value, key: each order of the three is as good.",
            "Compare the shapes of your second and third result with `(n, d_k)`, "
            "`(n, d_v)`.",
            wrong=lambda x, a, b, c: (x @ a, x @ c, x @ b),
        ),
    ),
    variants=(
        lambda x, a, b, c: tuple(np.einsum("...nd,dk->...nk", x, w) for w in (a, b, c)),
        lambda x, a, b, c: [np.dot(x, w).astype(np.float32) for w in (a, b, c)],
        _project_in_torch,
        _project_side_by_side,
    ),
    hints=(
        "A word is a row of x, d numbers long. What has to come out for one word?",
        "In a matrix product the inner lengths meet: `(n, d)` times `(d, d_k)`.",
        "The same product three times, each with another matrix, x on the left. "
        "`@` leaves a batch axis in front alone.",
    ),
    insight="The three matrices can lie side by side in one of shape "
    "`(d, 2 * d_k + d_v)`: one product, then a split. `torch.nn.MultiheadAttention` "
    "stores its `in_proj_weight` so when all widths are equal (transposed, with shape "
    "`(3d, d)`).",
)


# --- how many numbers ---------------------------------------------------------------

predict_parameters = Exercise(
    id="ch04.count-parameters",
    title="How many numbers does training move?",
    kind="predict",
    minutes=4,
    difficulty=2,
    section="ch04-three-projections",
    prompt="The sentence model all-MiniLM-L6-v2 has width $d = 384$ and 12 heads with "
    "$d_k = d_v = 32$. In one of its layers, every head has its own three projections, "
    "and each projection adds a learned bias vector of its output's width. Set "
    "`ch04_predict_parameters` to the number of learned numbers in the query, key and "
    "value projections of this layer, all heads together, for sentences of 20 words.",
    starter="ch04_predict_parameters = ...",
    reference=3 * 12 * (384 * 32 + 32),
    misconceptions=(
        Misconception(
            "no-biases",
            "442,368 counts the matrices alone.",
            "A projection is a matrix, and a matrix is all it learns.",
            "How long is the bias vector of one head's query projection?",
            wrong=3 * 12 * 384 * 32,
        ),
        Misconception(
            "one-head",
            "36,960 is right for one head.",
            "The heads share their projections.",
            "If all heads had the same three matrices, how would their weights differ?",
            wrong=3 * (384 * 32 + 32),
        ),
        Misconception(
            "one-projection",
            "147,840 is right for the queries of all heads, without keys and values.",
            "The three projections use one matrix.",
            "How many different matrices multiply the input in one head?",
            wrong=12 * (384 * 32 + 32),
        ),
        Misconception(
            "every-head-full-width",
            "5,322,240 gives each head three matrices of shape (384, 384).",
            "A head is as wide as the model.",
            "How long is one head's query, and so how many columns has its matrix?",
            wrong=3 * 12 * (384 * 384 + 384),
        ),
        Misconception(
            "bias-as-long-as-the-input",
            "456,192 gives each head's projection a bias of 384 numbers.",
            "A bias is added to the input, so it is as long as the input.",
            "To which array is the bias added, and how long are its rows?",
            wrong=3 * 12 * (384 * 32 + 384),
        ),
        Misconception(
            "computed-numbers",
            "23,040 is the number of entries of Q, K and V for 20 words.",
            "Queries, keys and values are what is learned.",
            "Does this number change with the length of the sentence? Can a learned "
            "number appear when a sentence gets longer?",
            wrong=3 * 20 * 384,
        ),
    ),
    hints=(
        "Does the length of the sentence matter?",
        "Begin with one projection of one head: the shape of its matrix, then its "
        "bias.",
        "One head's query projection has (384 + 1) · 32 numbers. How many are there "
        "of this kind?",
    ),
    insight="Twelve matrices of shape (384, 32) side by side are one of shape (384, "
    "384): three such matrices and three biases of 384 numbers, and the number of "
    "heads drops out of the count. The six layers hold 2,661,120 "
    "such numbers, about 12 percent of the model's 22.7 million; most of the rest is "
    "the table of word vectors.",
)


# --- which shape, which rows --------------------------------------------------------

predict_shape = Exercise(
    id="ch04.gradient-shape",
    title="The shape of a gradient",
    kind="predict",
    minutes=3,
    difficulty=2,
    section="ch04-gradient",
    prompt="A layer of width $d = 512$ has 8 heads of width 64. It reads a batch of 3 "
    "sentences of 20 words each, and the loss is the mean over the whole batch. One "
    "head stores its key matrix as this chapter does. Set `ch04_predict_shape` to the "
    "shape, a tuple, of the gradient with respect to that matrix.",
    starter="ch04_predict_shape = ...",
    reference=(512, 64),
    misconceptions=(
        Misconception(
            "one-for-each-sentence",
            "(3, 512, 64) keeps one gradient for each sentence.",
            "Each sentence has its own gradient. It has, and the gradient of the loss "
            "is their mean.",
            "How many key matrices does the head have for the three sentences?",
            wrong=(3, 512, 64),
        ),
        Misconception(
            "shape-of-keys",
            "(3, 20, 64) is the shape of the keys, and so of the derivative for them.",
            "What is learned are the keys.",
            "Which array survives when the next batch comes in?",
            wrong=(3, 20, 64),
        ),
        Misconception(
            "shape-of-keys-of-one-sentence",
            "(20, 64) is the shape of one sentence's keys in this head.",
            "What is learned are the keys.",
            "Would a sentence of 21 words need another matrix?",
            wrong=(20, 64),
        ),
        Misconception(
            "stored-transposed",
            "(64, 512) is how `torch.nn.Linear(512, 64)` stores its matrix.",
            "A matrix has one row for each number that comes out.",
            "This chapter writes K = X W_K. Which lengths meet?",
            wrong=(64, 512),
        ),
        Misconception(
            "full-width",
            "(512, 512) is the shape of the key matrices of all 8 heads side by side.",
            "A projection does not change the width.",
            "How long is one head's key?",
            wrong=(512, 512),
        ),
        Misconception(
            "all-heads",
            "(8, 512, 64) holds the gradients of all 8 heads.",
            "The heads are one more axis, as in the scores.",
            "The question is about one head's matrix. How many axes has it?",
            wrong=(8, 512, 64),
        ),
        Misconception(
            "heads-for-width",
            "(512, 8) has one column for each head.",
            "h = 8 is the width of a head.",
            "How many numbers are left for each head if 8 heads share 512?",
            wrong=(512, 8),
        ),
    ),
    hints=(
        "A gradient with respect to a matrix has the shape of that matrix.",
        "Does W_K depend on how many sentences there are, or on how long they are?",
        "K = X W_K: a word is a row of 512 numbers, and one head's key has 64.",
    ),
    insight="Neither the batch nor the length is in it: every word of every sentence "
    "adds its part to the same matrix. So a batch can be cut into pieces, the "
    "gradients added up, and the step taken once (gradient accumulation) when memory "
    "is short. (If the loss is a mean, each piece counts by its share of the batch.)",
)

predict_rows = Exercise(
    id="ch04.rows-that-learn",
    title="Which rows can learn?",
    kind="predict",
    minutes=6,
    difficulty=3,
    section="ch04-gradient",
    prompt="Take the sentence and the three matrices of this chapter: six features, "
    "`article`, `noun`, `verb`, `adverb`, `place`, `time`, one row of each matrix for "
    "each. Now a causal mask is added: a word may attend to itself and to the words "
    "before it. The loss looks at the output of *outside* alone (an adverb of place, "
    "the fourth of *the cat sat outside today*); its derivative for that output is [1, "
    "1]. Set `ch04_predict_rows` to three numbers: how many rows of the gradient are "
    "not zero for $W_Q$, for $W_K$ and for $W_V$.",
    starter="ch04_predict_rows = ...",
    reference=(2, 5, 5),
    misconceptions=(
        Misconception(
            "mask-forgotten",
            "Six rows for W_K and W_V: this is right without the mask.",
            "A mask changes the weights, not who learns.",
            "Which weight does `today` get, and how much does its value then matter?",
            wrong=(2, 6, 6),
        ),
        Misconception(
            "all-rows",
            "Every row of every matrix: the whole layer learns at each step.",
            "All parameters take part in the computation, so all get a gradient.",
            "The query of `cat` is computed too. Does the output of `outside` use it?",
            wrong=(6, 6, 6),
        ),
        Misconception(
            "words-not-features",
            "You counted words: one that asks and four that are looked at.",
            "Each word has its own row of the matrices.",
            "The row of x for `outside` holds two ones. Which rows of W_Q do they "
            "pick?",
            wrong=(1, 4, 4),
        ),
        Misconception(
            "words-on-the-key-side",
            "You counted the four words that are looked at; one of them has two "
            "features.",
            "Each word has its own row of W_K and W_V.",
            "Which rows of W_K are added up for the key of `outside`?",
            wrong=(2, 4, 4),
        ),
        Misconception(
            "one-feature-asks",
            "One row for W_Q, as for `sat` in the text; `outside` is described by "
            "more.",
            "One word asks, so one row learns.",
            "Add up the row of x that belongs to `outside`.",
            wrong=(1, 5, 5),
        ),
        Misconception(
            "own-features-only",
            "Only the features of `outside` itself in all three matrices.",
            "The loss looks at one word, so only that word's features learn.",
            "From whose values is the output of `outside` a mean?",
            wrong=(2, 2, 2),
        ),
        Misconception(
            "all-visible-words-ask",
            "Five rows for W_Q too: the features of all words that `outside` may see.",
            "Whoever is part of the weighted mean learns to ask.",
            "Which row of the scores is needed for the output of `outside`, and whose "
            "query is in it?",
            wrong=(5, 5, 5),
        ),
        Misconception(
            "mask-excludes-itself",
            "You left `outside` out of what it may attend to.",
            "Causal means: only the words before.",
            "What does the prompt's mask let the first word attend to?",
            wrong=(2, 3, 3),
        ),
        Misconception(
            "zero-rows-left-out",
            "Three rows for W_K: you left out those that are zero now, `article` and "
            "`adverb`.",
            "What is zero takes no part, so it cannot learn.",
            "Raise one entry of the row `adverb` a little. Does the score that "
            "`outside` gives itself move?",
            wrong=(2, 3, 5),
        ),
        Misconception(
            "one-key-row-left-out",
            "One row of W_K is missing. That a row is zero now, as `article` and "
            "`adverb` are, is no reason to leave it out.",
            "A word that cannot be found has no part in the scores.",
            "Raise one entry of that row a little. Which score moves?",
            wrong=(2, 4, 5),
        ),
        Misconception(
            "values-from-one",
            "W_V learns from all visible words: each value has a positive weight.",
            "What `outside` hands over is what its output shows.",
            "From whose values is the output of `outside` a mean?",
            wrong=(2, 5, 2),
        ),
    ),
    hints=(
        "A row of W_Q gets its gradient from the words that have this feature and "
        "whose query matters to the loss.",
        "Which four words does `outside` attend to? Their keys and their values "
        "matter.",
        "List the features of these four words: `outside` brings two, the others one "
        "each. Then list the features of the one that asks.",
    ),
    insight="Only `outside` asks, and it has two features: two rows of W_Q. The four "
    "words that it sees have five features between them: five rows of W_K and of W_V. "
    "So rows of rare features learn rarely. With word vectors looked up in a "
    "table it is the same one step earlier: in a batch, only the vectors of words that "
    "occur get a gradient, which is why libraries offer sparse gradients for that "
    "table.",
)


# --- the gradient with respect to W_Q -----------------------------------------------


def _backward():
    rng = np.random.default_rng(42)

    def case(label, n_q, n_k, d, d_k, d_v):
        x = rng.normal(0.3, 1.0, (n_q, d))
        w_query = rng.normal(0.1, 1.0, (d, d_k))
        key, value = rng.normal(0.3, 1.0, (n_k, d_k)), rng.normal(0.5, 2, (n_k, d_v))
        return Case(label, (x, w_query, key, value, rng.normal(0.2, 1, (n_q, d_v))))

    return [
        case("one query, two keys", 1, 2, 3, 2, 1),
        case("three queries, four keys", 3, 4, 5, 2, 6),
        case("five queries, three keys", 5, 3, 2, 6, 4),
    ]


def gradient_w_query(x, w_query, key, value, d_output):
    root = np.sqrt(key.shape[1])
    scores = x @ w_query @ key.T / root
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=1, keepdims=True)
    d_weights = d_output @ value.T
    mean = (weights * d_weights).sum(axis=1, keepdims=True)
    d_scores = weights * (d_weights - mean)
    d_query = d_scores @ key / root
    return x.T @ d_query


def _softmax(scores, axis=-1):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _gradient_with(
    x,
    w_query,
    key,
    value,
    d_output,
    *,
    forward=0.5,
    backward=0.5,
    through="jacobian",
    sign=1,
    mean=False,
    result="w_query",
):
    d_k = key.shape[1]
    weights = _softmax(x @ w_query @ key.T / d_k**forward)
    d_weights = d_output @ value.T
    product = weights * d_weights
    d_scores = {
        "jacobian": product - weights * product.sum(axis=1, keepdims=True),
        "weights": product,
        "diagonal": product * (1 - weights),
        "plain mean": weights * (d_weights - d_weights.mean(axis=1, keepdims=True)),
        "columns": product - weights * product.sum(axis=0, keepdims=True),
        "nothing": d_weights,
        "centred": d_weights - product.sum(axis=1, keepdims=True),
    }[through]
    d_query = sign * d_scores @ key / d_k**backward / (len(x) if mean else 1)
    return {"w_query": x.T @ d_query, "query": d_query, "turned": d_query.T @ x}[result]


def _gradient_by_jacobians(x, w_query, key, value, d_output):
    total, root = 0.0, len(key.T) ** 0.5
    for row, upstream in zip(x, d_output, strict=True):
        p = _softmax(row @ w_query @ key.T / root)
        jacobian = np.diag(p) - np.outer(p, p)
        total = total + np.outer(row, key.T @ jacobian @ value @ upstream) / root
    return total


def _gradient_by_autograd(x, w_query, key, value, d_output):
    import torch

    x, key, value, d_output = map(torch.as_tensor, (x, key, value, d_output))
    w_query = torch.as_tensor(w_query).clone().requires_grad_()
    out = torch.nn.functional.scaled_dot_product_attention(x @ w_query, key, value)
    out.backward(d_output)
    return w_query.grad


def _gradient_by_differences(x, w_query, key, value, d_output):
    def loss(w):
        weights = _softmax(x @ w @ key.T / np.sqrt(key.shape[1]))
        return (weights @ value * d_output).sum()

    gradient = np.zeros(w_query.shape)
    for entry in np.ndindex(*w_query.shape):
        nudge = np.zeros(w_query.shape)
        nudge[entry] = 1e-5
        gradient[entry] = (loss(w_query + nudge) - loss(w_query - nudge)) / 2e-5
    return gradient


def _differs_from_differences(result, *arguments):
    numeric = _gradient_by_differences(*arguments)
    worst = np.unravel_index(np.abs(result - numeric).argmax(), numeric.shape)
    return (
        f"Move entry {tuple(map(int, worst))} of w_query by ±0.00001 and the loss "
        f"changes by {numeric[worst]:.4g} per unit; your gradient says "
        f"{result[worst]:.4g}."
    )


gradient_of_question = Exercise(
    id="ch04.gradient-w-query",
    title="The gradient of the query matrix",
    kind="implement",
    minutes=15,
    difficulty=4,
    section="ch04-gradient",
    prompt="Write `gradient_w_query(x, w_query, key, value, d_output)`. The queries "
    "come from `x`, shape `(n_q, d)`, by `w_query`, shape `(d, d_k)`; the keys `(n_k, "
    "d_k)` and values `(n_k, d_v)` come from elsewhere and are given. The output is "
    "scaled dot-product attention, and `d_output`, shape `(n_q, d_v)`, is the "
    "derivative of the loss for the output. Return the derivative of the loss for "
    "`w_query`, without autograd. Here $n_q$ and $n_k$ differ, so the shapes help you.",
    starter="def gradient_w_query(x, w_query, key, value, d_output):\n"
    '    raise NotImplementedError("your code")',
    reference=gradient_w_query,
    cases=_backward,
    switched=_gradient_with,
    misconceptions=(
        Misconception(
            "scale-lost-on-the-way-back",
            "Your gradient is too large by the root of d_k.",
            "The scaling belongs to the forward pass; a derivative does not need it.",
            "If s = u/3, what is the derivative of s with respect to u?",
            switch={"backward": 0.0},
        ),
        Misconception(
            "scale-lost-on-the-way-forward",
            "Your gradient belongs to weights from scores without the scaling.",
            "The weights are the softmax of the query times the keys.",
            "Compute your weights for the first input and compare them with those of "
            "`ac.scaled_dot_product_attention`.",
            switch={"forward": 0.0},
        ),
        Misconception(
            "divides-by-d-k-forward",
            "Your gradient belongs to weights from scores divided by d_k, not its "
            "root.",
            "Scaling means dividing by the number of terms, as in a mean.",
            "By how much does the spread of a sum of d_k products grow with d_k?",
            switch={"forward": 1.0},
        ),
        Misconception(
            "divides-by-d-k-backward",
            "Your gradient is too small by the root of d_k.",
            "The scaling counts once for the scores and once for the derivative.",
            "How often does the root stand between the queries and the scores?",
            switch={"backward": 1.0},
        ),
        Misconception(
            "softmax-skipped",
            "Your gradient would be right if the scores were the weights: the softmax "
            "was not differentiated.",
            "The softmax only rescales, so the derivative passes through unchanged.",
            "Add up a row of what you take for the derivative of the scores. If all "
            "scores of a row grow by the same, how much does the loss change?",
            switch={"through": "nothing"},
        ),
        Misconception(
            "mean-not-subtracted",
            "Your derivative of the scores is the weights times the derivative of the "
            "weights, with no mean subtracted. Its rows do not add up to 0.",
            "The derivative of an exponential is itself, so the softmax's is the "
            "weight.",
            "When one weight grows, what must the others do?",
            switch={"through": "weights"},
        ),
        Misconception(
            "only-the-diagonal",
            "You used p (1 − p) alone: each weight's dependence on its own score.",
            "Each weight depends on its own score.",
            "Raise one of three scores. How many of the three weights change?",
            switch={"through": "diagonal"},
        ),
        Misconception(
            "plain-mean",
            "You subtracted the plain mean of each row, not the mean under the "
            "weights.",
            "The average that a word gets is the average over all keys.",
            "What has a key of weight 0 to do with the average that the query gets?",
            switch={"through": "plain mean"},
        ),
        Misconception(
            "sum-over-queries",
            "You summed over the queries, down the columns, where the sum runs over "
            "the keys of one query.",
            "`axis=0` goes along a row.",
            "Which axis did the softmax run over? Its weights add up to 1 along it.",
            switch={"through": "columns"},
        ),
        Misconception(
            "weights-left-out",
            "You subtracted the right mean, but did not multiply by the weights.",
            "A score should change by what its value is better than the mean.",
            "How much does the output change with the score of a key of weight 0?",
            switch={"through": "centred"},
        ),
        Misconception(
            "mean-over-queries",
            "Your gradient is divided by the number of queries.",
            "The queries are examples, and a gradient is a mean over examples.",
            "`d_output` already says how the loss treats the queries. If the loss were "
            "a mean over them, where would 1/n_q stand?",
            switch={"mean": True},
        ),
        Misconception(
            "stops-at-the-queries",
            "You return the derivative for the queries, shape `(n_q, d_k)`.",
            "Changing the question is changing the queries.",
            "The queries are computed. Which product computes them, and what does the "
            "rule for a product say about its right factor?",
            switch={"result": "query"},
        ),
        Misconception(
            "transposed",
            "Your gradient is the transpose of the right one, shape `(d_k, d)`.",
            "The order of the factors does not matter if the shapes fit.",
            "A gradient has the shape of what it is the gradient for. Which is yours?",
            switch={"result": "turned"},
        ),
        Misconception(
            "negated",
            "Your gradient has the opposite sign in every entry.",
            "The gradient is the direction in which the loss falls.",
            "Which part subtracts: the derivative, or the step that is taken with it?",
            switch={"sign": -1},
        ),
    ),
    variants=(
        _gradient_by_jacobians,
        _gradient_by_autograd,
        _gradient_by_differences,
        lambda *arguments: gradient_w_query(*(a.astype(np.float32) for a in arguments)),
    ),
    properties=(Property("finite differences", _differs_from_differences),),
    hints=(
        "Compute forward first and write down the shape of every matrix. Each "
        "derivative has the shape of its matrix.",
        "Go back one product at a time: output, weights, scores, queries, W_Q. For "
        "Y = AB the derivative for A is that for Y times the transpose of B.",
        "Through the softmax: each row of weights times (the derivative for the "
        "weights minus its mean under these weights).",
        "From the scores to the queries: multiply by the keys and divide by the root "
        "of d_k. From the queries to W_Q: the transpose of x stands on the left.",
    ),
    insight="The way back through the softmax needs the weights, and never the scores. "
    "That is why a library has to keep only one n by n matrix for it, or none: "
    "FlashAttention computes the weights a second time, block by block, because this "
    "is faster than reading them from memory.",
)


# --- the layer ----------------------------------------------------------------------


def _batches():
    rng = np.random.default_rng(43)

    def case(label, batch, n, d, d_k, d_v):
        x = rng.normal(0.4, 1.0, (batch, n, d))
        size = 1.3 / np.sqrt(d)
        w_query, w_key = rng.normal(0.1, size, (2, d, d_k)) * 1.2
        return Case(label, (x, w_query, w_key, rng.normal(0.3, 1, (d, d_v))))

    return [
        case("one sentence of two words", 1, 2, 3, 2, 1),
        case("two sentences of four words", 2, 4, 6, 3, 5),
        case("three sentences of five words", 3, 5, 4, 7, 2),
    ]


def self_attention(x, w_query, w_key, w_value):
    query, key, value = x @ w_query, x @ w_key, x @ w_value
    scores = query @ np.swapaxes(key, -2, -1) / np.sqrt(key.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights @ value, weights


def _self_attention_with(
    x,
    w_query,
    w_key,
    w_value,
    *,
    scale="d_k",
    axis=-1,
    softmax=True,
    keys="own",
    turned="transposed",
    collects="rows",
    values="own",
    roles="as asked",
    order="output first",
):
    (n, d), d_k, d_v = x.shape[-2:], w_query.shape[1], w_value.shape[1]
    query = x @ w_query
    key = {"own": x @ w_key, "from queries": query}[keys]
    value = {"own": x @ w_value, "input": x}[values]
    if roles == "swapped":
        query, key = key, query
    roots = {"d_k": d_k, "none": 1, "square": d_k**2, "input": d, "n": n, "d_v": d_v}
    keys_across = np.swapaxes(key, -2, -1)
    if turned == "reshaped":
        keys_across = key.reshape(keys_across.shape)
    scores = query @ keys_across / np.sqrt(roots[scale])
    weights = _softmax(scores, axis) if softmax else scores
    output = (weights if collects == "rows" else np.swapaxes(weights, -2, -1)) @ value
    return (output, weights) if order == "output first" else (weights, output)


def _self_attention_in_loops(x, w_query, w_key, w_value):
    outputs, all_weights = [], []
    for sentence in x:
        q, k, v = (sentence @ w for w in (w_query, w_key, w_value))
        rows = [_softmax(k @ one / np.sqrt(len(one))) for one in q]
        outputs.append([row @ v for row in rows])
        all_weights.append(rows)
    return np.array(outputs), np.array(all_weights)


def _self_attention_in_torch(x, w_query, w_key, w_value):
    import torch

    scores = (x @ w_query) @ (x @ w_key).mT / w_key.shape[1] ** 0.5
    weights = torch.softmax(scores, dim=-1)
    return weights @ (x @ w_value), weights


def _self_attention_by_m(x, w_query, w_key, w_value):
    m = w_query @ w_key.T / np.sqrt(w_key.shape[1])
    weights = _softmax(np.einsum("bid,de,bje->bij", x, m, x))
    return [weights @ x @ w_value, weights]


def _some_weight_is_zero(result, *arguments):
    if (result[1] > 0).all():
        return None
    return (
        "Some weights are exactly 0. A softmax gives every word a share above 0; is "
        "there a mask? Here every word may attend to every other."
    )


def _as_two(result, *arguments):
    """Two results in a list are as good as two in a tuple."""
    return tuple(result) if isinstance(result, list) else result


self_attention_layer = Exercise(
    id="ch04.self-attention",
    title="Self-attention from an input and three matrices",
    kind="implement",
    minutes=10,
    difficulty=3,
    section="ch04-layer",
    prompt="The layer without torch and for a whole batch. Write `self_attention(x, "
    "w_query, w_key, w_value)` for `x` of shape `(batch, n, d)`, `w_query` and `w_key` "
    "of shape `(d, d_k)`, `w_value` of shape `(d, d_v)`. Return the output `(batch, n, "
    "d_v)` and the weights `(batch, n, n)`, in this order. No function of `ac`: the "
    "softmax is yours too.",
    starter="def self_attention(x, w_query, w_key, w_value):\n"
    '    raise NotImplementedError("your code")',
    reference=self_attention,
    cases=_batches,
    observe=_as_two,
    switched=_self_attention_with,
    misconceptions=(
        Misconception(
            "no-scale",
            "Your scores are too large by the root of d_k: nothing divides them.",
            "The score of a query and a key is their dot product.",
            "What happens to the largest weight when d_k grows to 512?",
            switch={"scale": "none"},
        ),
        Misconception(
            "divides-by-d-k",
            "Your scores are too small: they are divided by d_k, not by its root.",
            "A sum of d_k products is divided by the number of its terms.",
            "The variance of the sum is d_k. What is its standard deviation?",
            switch={"scale": "square"},
        ),
        Misconception(
            "scale-by-input-width",
            "Your scores are divided by the root of d, the width of the input.",
            "The factor is the root of the model's width, as some texts have it.",
            "How many products are added up in one score of one query with one key?",
            switch={"scale": "input"},
        ),
        Misconception(
            "scale-by-length",
            "Your scores are divided by the root of n, the number of words.",
            "`len` or `shape[1]` gives the width of a key.",
            "Print the shape of your keys. Which axis is d_k?",
            switch={"scale": "n"},
        ),
        Misconception(
            "scale-by-value-width",
            "Your scores are divided by the root of d_v, the width of a value.",
            "Keys and values are equally wide.",
            "Are the values known when a query meets a key?",
            switch={"scale": "d_v"},
        ),
        Misconception(
            "softmax-over-queries",
            "Each column of your weights sums to 1: your softmax runs over the "
            "queries.",
            "In an array with a batch, axis 1 is the axis of the keys.",
            "The shares of which words should one query hand out? Which axis is that?",
            switch={"axis": -2},
        ),
        Misconception(
            "one-softmax-for-all",
            "All weights of the whole batch together sum to 1.",
            "`sum()` adds up each row.",
            "Add up one row of your weights. What should one query's shares sum to?",
            switch={"axis": (0, 1, 2)},
        ),
        Misconception(
            "no-softmax",
            "Your weights are the scores themselves: some are negative, no row sums to "
            "1.",
            "A large score already means a large weight.",
            "What does a weight of −1.2 take from a value?",
            switch={"softmax": False},
        ),
        Misconception(
            "keys-from-query-matrix",
            "Your keys are your queries: with the softmax left out, word 1 would give "
            "word 2 the same score as word 2 gives word 1.",
            "One input, so one projection for both sides of the comparison.",
            "Which of the matrices does your result not depend on? Fill it with zeros.",
            switch={"keys": "from queries"},
        ),
        Misconception(
            "values-not-projected",
            "Your output is a mean of the rows of x: it is d wide, not d_v.",
            "Attention collects words, and the words are x.",
            "Which of the matrices does your output not depend on?",
            switch={"values": "input"},
        ),
        Misconception(
            "roles-swapped",
            "Your row i holds what the other words ask of word i: queries and keys "
            "have changed places.",
            "K Qᵀ and Q Kᵀ hold the same numbers. They do, one transposed.",
            "Whose scores should stand in one row before the softmax: those of one "
            "query, or those of one key?",
            switch={"roles": "swapped"},
        ),
        Misconception(
            "keys-reshaped",
            "Your keys were given the shape `(batch, d_k, n)` by `reshape`, which "
            "keeps the numbers in their order: a column holds parts of different keys.",
            "Reshaping to the transposed shape transposes.",
            "Compare `np.arange(6).reshape(2, 3).T` with "
            "`np.arange(6).reshape(2, 3).reshape(3, 2)`.",
            switch={"turned": "reshaped"},
        ),
        Misconception(
            "collects-by-columns",
            "Your weights are right, and your output uses their transpose: the weights "
            "with which the values are added up do not sum to 1.",
            "In the last product the weights have to be turned so that the shapes fit.",
            "Row i of the weights belongs to query i. Which row of the output is made "
            "with it?",
            switch={"collects": "columns"},
        ),
        Misconception(
            "weights-first",
            "Your first result holds the weights and your second the output.",
            "The weights are computed first, so they are returned first.",
            "The caller writes `output, weights = ...`. What lands in `output`?",
            switch={"order": "weights first"},
        ),
    ),
    variants=(
        _self_attention_in_loops,
        _self_attention_in_torch,
        _self_attention_by_m,
        lambda *arguments: self_attention(*(a.astype(np.float32) for a in arguments)),
    ),
    properties=(
        in_words("the weights", not_negative, part=1),
        in_words("the weights", sums_to_one, part=1),
        Property("nothing is masked", _some_weight_is_zero),
    ),
    hints=(
        "Three projections, then the three steps of chapter 3: scores, weights, "
        "output.",
        "The transpose of the keys must swap their last two axes only; `.T` turns all "
        "three. And over which axis does the softmax run?",
        "Scores `(batch, n, n)`: queries times keys with the last two axes swapped, "
        "divided by the root of d_k. The softmax runs over the last axis, with "
        "`keepdims=True`.",
    ),
    insight="Put the words of a sentence in another order: the rows of the output come "
    "in that order, and no number changes. A layer of self-attention does not know "
    "which word came first; chapter 6 tells it.",
)

learned_or_computed = Exercise(
    id="ch04.learned-or-computed",
    title="Learned, or computed from it?",
    kind="explain",
    minutes=4,
    difficulty=2,
    section="ch04-layer",
    prompt="A layer of self-attention has been trained, and its parameters stay as "
    "they are from now on. Which of these statements are true? Set "
    '`ch04_explain_learned` to the letters of all that are, for example `"bc"`.',
    starter="ch04_explain_learned = ...",
    reference="ae",
    choices={
        "a": Choice(
            "W_Q times the transpose of W_K is the same for every sentence.",
            "Both factors are parameters, and these stay as they are. The product, "
            "divided by the root of d_k, says which feature looks for which, whatever "
            "the words.",
            right=True,
        ),
        "b": Choice(
            "The attention weights were learned, so from now on they are the same for "
            "every sentence.",
            "The weights are a softmax of scores, and the scores are computed from the "
            'sentence. "Weight" has two meanings: a share of attention here, and in '
            "most of machine learning a parameter.",
        ),
        "c": Choice(
            "W_Q needs as many rows as the longest sentence that the "
            "layer may read has words.",
            "W_Q has one row for each feature of a word. The length is in x, and in Q; "
            "the same matrix serves three words and three thousand.",
        ),
        "d": Choice(
            "The keys began as random numbers, and the training has moved them to "
            "where they are now.",
            "Matrices began as random numbers. Keys are computed anew from each input; "
            "there is nothing of theirs to store between two sentences.",
        ),
        "e": Choice(
            "The same word can get another output in another sentence, though its "
            "query is the same.",
            "Its query is its own row of x times W_Q. The keys that it meets and the "
            "values that it collects are those of its neighbours.",
            right=True,
        ),
    },
    hints=(
        "What is in the file that is saved after training, and what is not?",
        "Write down the formula from x to the output. Which letters come from outside "
        "the layer with each sentence?",
        "For each statement, ask what changes when one word of the sentence is "
        "replaced by another.",
    ),
    insight="Saved to a file, the layer is three matrices and nothing else. Keys and "
    "values of past words can be kept while one text is being written, since the words "
    "do not change any more: that is the KV cache of chapter 3.",
)


def _dropped():
    rng = np.random.default_rng(44)

    def case(label, n_q, n_k, d_v, rate, training):
        keep = rng.random((n_q, n_k)) >= rate
        keep[:, 0], keep[:, -1] = True, False  # in each row one is kept, one dropped
        weights = _softmax(rng.normal(0, 1, (n_q, n_k)))
        value = rng.normal(0.5, 1, (n_k, d_v))
        return Case(label, (weights, value, keep, rate, training))

    return [
        case("one query, in evaluation", 1, 3, 2, 0.25, False),
        case("two queries, in training", 2, 4, 3, 0.25, True),
        case("three queries, in training, rate 0.4", 3, 5, 2, 0.4, True),
        case("four queries, in evaluation, rate 0.4", 4, 3, 5, 0.4, False),
    ]


def attend_with_dropout(weights, value, keep, rate, training):
    if training:
        weights = weights * keep / (1 - rate)
    return weights @ value


def _dropout_with(
    weights,
    value,
    keep,
    rate,
    training,
    *,
    evaluation="as it is",
    scale="kept",
    mask="keep",
    flag="right",
    whole=True,
):
    training = training == (flag == "right")
    kept = keep if mask == "keep" else ~keep
    dropped = weights * kept
    totals = dropped.sum(axis=-1, keepdims=True)
    divisor = {
        "kept": 1 - rate,
        "none": 1,
        "rate": rate,
        "down": 1 / (1 - rate),
        "row": totals,
        "share": kept.mean(),
    }
    if training and whole:
        return dropped / divisor[scale] @ value
    in_evaluation = {
        "as it is": weights,
        "dropped": dropped / (1 - rate),
        "only dropped": dropped,
        "row": dropped / totals,
        "shrunk": weights * (1 - rate),
        "grown": weights / (1 - rate),
    }
    return (weights if training else in_evaluation[evaluation]) @ value


dropout_left_on = Exercise(
    id="ch04.dropout-left-on",
    title="A layer that answers differently each time",
    kind="debug",
    minutes=6,
    difficulty=2,
    section="ch04-layer",
    prompt="**Dropout** sets each weight to 0 with probability `rate` during "
    "training, so that a layer does not rely on one word alone. The weights that are "
    "kept are divided by `1 - rate`: on average the output is then what it would be "
    "without dropout, and after training, in evaluation, nothing has to be done. This "
    "function is in use, and users complain that the trained model gives another "
    "answer each time. Repair `attend_with_dropout(weights, value, keep, rate, "
    "training)`. `weights`, of shape `(n_q, n_k)`, come from the softmax; `value` has "
    "shape `(n_k, d_v)`; `keep`, of shape `(n_q, n_k)`, is True where a weight is kept "
    "(drawn at random by the caller); and `training` is True or False.",
    starter="def attend_with_dropout(weights, value, keep, rate, training):\n"
    "    dropped = np.where(keep, weights, 0.0)\n"
    "    dropped = dropped / (1 - rate)\n"
    "    return dropped @ value",
    reference=attend_with_dropout,
    cases=_dropped,
    switched=_dropout_with,
    misconceptions=(
        Misconception(
            "left-on",
            "In evaluation weights are dropped as in training: your result depends on "
            "`keep` whatever `training` says.",
            "Dropout is part of the layer, and so it always runs.",
            "Call your function twice with `training=False` and two different `keep`. "
            "Should a trained model give two answers?",
            switch={"evaluation": "dropped"},
        ),
        Misconception(
            "drops-without-scaling-in-evaluation",
            "In evaluation you leave out the division, but weights are still dropped.",
            "The scaling is what belongs to training; the mask stays.",
            "Does your result in evaluation depend on `keep`?",
            switch={"evaluation": "only dropped"},
        ),
        Misconception(
            "shrinks-in-evaluation",
            "In evaluation your output is multiplied by `1 - rate`.",
            "In evaluation all weights are there, so they must be made smaller. (In "
            "the first form of dropout they were, and training did not divide.)",
            "What do the weights of a row add up to in evaluation, and on average over "
            "many `keep` in training?",
            switch={"evaluation": "shrunk"},
        ),
        Misconception(
            "grows-in-evaluation",
            "In evaluation your output is divided by `1 - rate`, though nothing is "
            "dropped.",
            "The mask belongs to training; the scaling stays.",
            "What do your weights of one row add up to in evaluation?",
            switch={"evaluation": "grown"},
        ),
        Misconception(
            "not-scaled-in-training",
            "In training the weights that are kept are not made larger.",
            "What is dropped is gone; the others are what they were.",
            "With a rate of 0.4, what do the weights of a row add up to on average in "
            "training? And in evaluation?",
            switch={"scale": "none"},
        ),
        Misconception(
            "divided-by-rate",
            "In training the kept weights are divided by `rate`.",
            "The rate is the share that is kept.",
            "With a rate near 0 almost nothing is dropped. How large are your weights?",
            switch={"scale": "rate"},
        ),
        Misconception(
            "scaled-down",
            "In training the kept weights are multiplied by `1 - rate`, not divided "
            "by it.",
            "A share of `1 - rate` is kept, so this is the factor.",
            "Should a kept weight grow or shrink to make up for those that are "
            "missing?",
            switch={"scale": "down"},
        ),
        Misconception(
            "rows-made-whole",
            "In training each row of weights sums to 1 again: you divided by what was "
            "left of it.",
            "Weights are shares, and shares must add up to 1.",
            "If a row keeps one weight only, what becomes of it, whatever it was? And "
            "if it keeps none?",
            switch={"scale": "row"},
        ),
        Misconception(
            "rows-made-whole-in-evaluation",
            "In evaluation weights are dropped, and each row is made to sum to 1 "
            "again.",
            "If the weights sum to 1 again, dropping does no harm.",
            "Call your function twice with `training=False` and two different `keep`. "
            "Should a trained model give two answers?",
            switch={"evaluation": "row"},
        ),
        Misconception(
            "divided-by-share-kept",
            "In training the kept weights are divided by the share of True in `keep`.",
            "The share that was really kept is more exact than the one that was meant.",
            "Read in the prompt what the weights are divided by. What would your "
            "division do if `keep` had no True at all?",
            switch={"scale": "share"},
        ),
        Misconception(
            "mask-turned",
            "In training you drop what should be kept, and keep what should be "
            "dropped.",
            "True in a mask marks what is taken out.",
            "Read in the prompt what True means in `keep`.",
            switch={"mask": "drop"},
        ),
        Misconception(
            "switch-turned",
            "You drop weights in evaluation, and none in training.",
            "The word `training` stood for the other case.",
            "In which of the two cases do users want the same answer twice?",
            switch={"flag": "wrong"},
        ),
        Misconception(
            "never-drops",
            "Nothing is dropped in training either.",
            "The line that drops is the fault, so it has to go.",
            "What is the argument `keep` for?",
            switch={"whole": False},
        ),
    ),
    variants=(
        lambda weights, value, keep, rate, training: (
            np.where(keep, weights / (1 - rate), 0) @ value
            if training
            else weights @ value
        ),
        lambda weights, value, keep, rate, training: (
            weights * (keep / (1 - rate) if training else 1.0) @ value
        ),
        lambda weights, value, keep, rate, training: (
            (weights * (keep | (not training)))
            @ value
            / (1 - (rate if training else 0.0))
        ),
    ),
    hints=(
        "In which of the two cases should the result depend on `keep`?",
        "Which of the arguments is never used in the function as it stands?",
        "In evaluation the weights of the softmax meet the values as they are: nothing "
        "dropped, nothing scaled. Both belong to the other case.",
    ),
    insight="`torch.nn.functional.scaled_dot_product_attention` does not know whether "
    "you train: it drops whenever `dropout_p` is above 0. A module has to pass 0.0 in "
    "evaluation itself, and `model.eval()` has no effect on a bare function.",
)


# --- where to begin -----------------------------------------------------------------


def _widths():
    return [
        Case("from 8 to 4", (8, 4)),
        Case("from 512 to 64", (512, 64)),
        Case("from 20 to 300", (20, 300)),
    ]


def starting_scales(d_in, d_out):
    xavier_bound = np.sqrt(6 / (d_in + d_out))
    he_std = np.sqrt(2 / d_in)
    return xavier_bound, he_std


def _scales_with(d_in, d_out, *, xavier="bound", he="std", order="as asked"):
    both = d_in + d_out
    bounds = {
        "bound": np.sqrt(6 / both),
        "std": np.sqrt(2 / both),
        "no root": 6 / both,
        "variance": 2 / both,
        "d_in": np.sqrt(6 / d_in),
        "d_out": np.sqrt(6 / d_out),
        "one over": np.sqrt(1 / d_in),
        "half": np.sqrt(3 / both),
        "mean": np.sqrt(12 / both),
    }
    stds = {
        "std": np.sqrt(2 / d_in),
        "variance": 2 / d_in,
        "d_out": np.sqrt(2 / d_out),
        "one": np.sqrt(1 / d_in),
        "bound": np.sqrt(6 / d_in),
        "both": np.sqrt(2 / both),
    }
    result = bounds[xavier], stds[he]
    return result if order == "as asked" else result[::-1]


def _variance_of_uniform(result, d_in, d_out):
    is_, should = float(result[0]) ** 2 / 3, 2 / (d_in + d_out)
    if abs(is_ - should) < 1e-6 * should:
        return None
    return (
        f"Numbers drawn evenly between ±{float(result[0]):.4g}, your first result, "
        f"have variance {is_:.3g} (a third of the square); Xavier asks for "
        f"{should:.3g}."
    )


def _variance_of_normal(result, d_in, d_out):
    is_, should = float(result[1]) ** 2, 2 / d_in
    if abs(is_ - should) < 1e-6 * should:
        return None
    return (
        f"Your second result is a standard deviation of {float(result[1]):.4g}, so the "
        f"variance is {is_:.3g}; He asks for {should:.3g}."
    )


def _as_two_numbers(result, *arguments):
    """Two numbers in a list or an array are as good as two in a tuple."""
    return tuple(result) if getattr(result, "shape", None) == (2,) else result


def _scales_from_variances(d_in, d_out):
    xavier_variance, he_variance = 2 / (d_in + d_out), 2 / d_in
    return (3 * xavier_variance) ** 0.5, he_variance**0.5


def _scales_in_torch(d_in, d_out):
    import torch

    weight = torch.empty(d_out, d_in)
    gain = torch.nn.init.calculate_gain("relu")
    fan_in = torch.nn.init._calculate_correct_fan(weight, "fan_in")
    return torch.tensor(6 / (d_in + d_out)).sqrt(), gain / fan_in**0.5


scales = Exercise(
    id="ch04.starting-scales",
    title="How large are the first numbers?",
    kind="implement",
    minutes=6,
    difficulty=2,
    section="ch04-init",
    prompt="A matrix of shape `(d_in, d_out)` is to be filled. Write "
    "`starting_scales(d_in, d_out)` and return two numbers: the bound $b$ of Xavier's "
    "recipe, whose numbers are drawn evenly between $-b$ and $b$, and the standard "
    "deviation of He's recipe, whose numbers are drawn from a normal distribution. "
    "The variances are in the text; numbers drawn evenly between $-b$ and $b$ have "
    "variance $b^2/3$.",
    starter="def starting_scales(d_in, d_out):\n"
    '    raise NotImplementedError("your code")',
    reference=starting_scales,
    cases=_widths,
    observe=_as_two_numbers,
    switched=_scales_with,
    misconceptions=(
        Misconception(
            "xavier-standard-deviation",
            "Your first number is Xavier's standard deviation, not the bound: numbers "
            "drawn evenly within it have a third of the variance.",
            "The bound of an even distribution is its standard deviation.",
            "Draw a million numbers evenly between −1 and 1. What is their variance?",
            switch={"xavier": "std"},
        ),
        Misconception(
            "xavier-no-root",
            "Your first number is the square of the bound.",
            "The recipe gives the size of the numbers, and it is 6 over the widths.",
            "Variance is measured in squares. How do you get back to a size?",
            switch={"xavier": "no root"},
        ),
        Misconception(
            "xavier-variance",
            "Your first number is the variance of Xavier's numbers.",
            "The recipe says 2 over the sum of the widths, so that is the bound.",
            "If b²/3 is to be this number, what is b?",
            switch={"xavier": "variance"},
        ),
        Misconception(
            "xavier-input-only",
            "Your first number looks at d_in alone; it belongs to a variance of "
            "2/d_in.",
            "Only what comes in is added up, so only d_in matters.",
            "In which direction does the gradient pass, and how many terms are added "
            "up for one of its numbers?",
            switch={"xavier": "d_in"},
        ),
        Misconception(
            "xavier-output-only",
            "Your first number looks at d_out alone; it belongs to a variance of "
            "2/d_out.",
            "What matters is how many numbers come out.",
            "Does your bound change when d_in changes? How many products are added up "
            "for one number that comes out?",
            switch={"xavier": "d_out"},
        ),
        Misconception(
            "xavier-linear-default",
            "Your first number is 1 over the root of d_in: the bound with which "
            "`torch.nn.Linear` starts, a variance of 1/(3 d_in).",
            "What the library does by default is the recipe with the well-known name.",
            "Does your bound change when d_out changes?",
            switch={"xavier": "one over"},
        ),
        Misconception(
            "xavier-half-the-variance",
            "Your first number belongs to a variance of 1/(d_in + d_out), half of "
            "Xavier's.",
            "The widths are added up; their mean is not taken.",
            "Xavier's variance lies between 1/d_in and 1/d_out. Does yours if both are "
            "equal?",
            switch={"xavier": "half"},
        ),
        Misconception(
            "xavier-twice-the-variance",
            "Your first number belongs to a variance of 4/(d_in + d_out), twice "
            "Xavier's.",
            "The interval from -b to b has width b, or: the 2 of He's recipe enters "
            "too.",
            "How wide is the interval from -b to b, and what is the variance of an "
            "even distribution of width 1?",
            switch={"xavier": "mean"},
        ),
        Misconception(
            "he-variance",
            "Your second number is the variance of He's numbers, not their standard "
            "deviation.",
            "The recipe says 2 over d_in, and that is what one passes on.",
            "`rng.normal(0, s)` takes a standard deviation. What is its square?",
            switch={"he": "variance"},
        ),
        Misconception(
            "he-output-width",
            "Your second number uses d_out where d_in belongs.",
            "The first axis of a matrix is what comes out. In `torch.nn.Linear` it is.",
            "In x W, how many products are added up for one number of the result?",
            switch={"he": "d_out"},
        ),
        Misconception(
            "he-without-two",
            "Your second number belongs to a variance of 1/d_in: the 2 for the ReLU is "
            "missing.",
            "Keeping the variance means 1 over the number of terms.",
            "What share of the mean square is left when a ReLU sets all negative "
            "numbers to zero?",
            switch={"he": "one"},
        ),
        Misconception(
            "he-bound",
            "Your second number is the bound of an even distribution with He's "
            "variance.",
            "Both recipes draw evenly between two bounds.",
            "Which of the two distributions has a bound at all?",
            switch={"he": "bound"},
        ),
        Misconception(
            "he-both-widths",
            "Your second number uses the sum of both widths: it is Xavier's standard "
            "deviation.",
            "He's recipe is Xavier's with a normal distribution.",
            "Change d_out alone. Should He's number change?",
            switch={"he": "both"},
        ),
        Misconception(
            "order-swapped",
            "Your two numbers are in the other order.",
            "Each number speaks for itself, in whatever order.",
            "Which one does the caller expect first?",
            switch={"order": "swapped"},
        ),
    ),
    variants=(
        _scales_from_variances,
        _scales_in_torch,
        lambda d_in, d_out: [np.sqrt(3 * 2 / (d_in + d_out)), (d_in / 2) ** -0.5],
        lambda d_in, d_out: (np.float32(6 / (d_in + d_out)) ** 0.5, (2 / d_in) ** 0.5),
    ),
    properties=(
        Property("Xavier's variance", _variance_of_uniform),
        Property("He's variance", _variance_of_normal),
    ),
    hints=(
        "Both recipes name a variance. A standard deviation is its root.",
        "Xavier's variance is 2 over the sum of both widths, He's is 2 over d_in.",
        "Set b²/3 equal to Xavier's variance and solve for b: three times the "
        "variance, then the root.",
    ),
    insight="`torch.nn.init.kaiming_normal_` reads a matrix as `(d_out, d_in)`. Handed "
    "one that is stored as `(d_in, d_out)`, it takes the wrong width, and nothing is "
    "raised: from 512 to 64 the first numbers come out 2.8 times too large.",
)


# --- additive attention -------------------------------------------------------------


def _pairs():
    rng = np.random.default_rng(45)

    def case(label, batch, n, d_q, d_key, d_h):
        query = rng.normal(0.3, 1.2, (batch, d_q))
        w = rng.normal(0.1, 0.7, (d_q + d_key, d_h))
        states = rng.normal(0.2, 1.0, (batch, n, d_key))
        return Case(label, (query, states, w, rng.normal(0.3, 1.5, d_h)))

    return [
        case("two examples of two words", 2, 2, 1, 3, 2),
        case("three examples of five words", 3, 5, 2, 4, 6),
        case("four examples of four words", 4, 4, 3, 2, 5),
        case("one example of three words", 1, 3, 2, 5, 4),
        case("five examples of two words", 5, 2, 4, 3, 6),
    ]


def additive_weights(query, states, w, v):
    n = states.shape[1]
    repeated = np.repeat(query[:, None, :], n, axis=1)
    pairs = np.concatenate([repeated, states], axis=-1)
    scores = np.tanh(pairs @ w) @ v
    exponentials = np.exp(scores)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _repeated(query, n, how):
    batch = len(query)
    return {
        "right": np.repeat(query[:, None], n, axis=1),
        "tile": np.tile(query, (n, 1)).reshape(batch, n, -1),
        "reshaped": np.repeat(query, n, axis=0).reshape(n, batch, -1).swapaxes(0, 1),
        "first": np.broadcast_to(query[:1, None], (batch, n, query.shape[1])),
        "mean": np.broadcast_to(query.mean(0), (batch, n, query.shape[1])),
    }[how]


def _additive_with(
    query, states, w, v, *, repeat="right", axis=1, tanh=True, order="query first"
):
    parts = [_repeated(query, states.shape[1], repeat), states]
    if order == "states first":
        parts.reverse()
    hidden = np.concatenate(parts, axis=-1) @ w
    scores = (np.tanh(hidden) if tanh else hidden) @ v
    return scores if axis is None else _softmax(scores, axis)


def _additive_of_the_notes(query, states, w, v):
    n = states.shape[1]
    repeated = np.broadcast_to(query, (n, *query.shape))
    pairs = np.concatenate([repeated, states], axis=-1)
    return _softmax(np.tanh(pairs @ w) @ v)


def _additive_in_two_products(query, states, w, v):
    d_q = query.shape[1]
    hidden = np.tanh((query @ w[:d_q])[:, None] + states @ w[d_q:])
    return _softmax(hidden @ v)


def _additive_in_torch(query, states, w, v):
    import torch

    n = states.shape[1]
    repeated = query.repeat_interleave(n, dim=0).reshape(len(query), n, -1)
    scores = torch.tanh(torch.cat([repeated, states], dim=-1) @ w) @ v
    return torch.softmax(scores, dim=1)


def _additive_in_loops(query, states, w, v):
    rows = []
    for q, words in zip(query, states, strict=True):
        rows.append(_softmax(np.array([np.tanh(np.r_[q, k] @ w) @ v for k in words])))
    return rows


def _leaks(result, query, states, w, v):
    alone = np.concatenate(
        [additive_weights(query[[i]], states[[i]], w, v) for i in range(len(query))]
    )
    worst = int(np.abs(result - alone).max(axis=1).argmax())
    return (
        f"Example {worst} alone, a batch of 1, should have weights "
        f"{np.round(alone[worst], 3).tolist()}; in the batch yours are "
        f"{np.round(result[worst], 3).tolist()}."
    )


mixed_batch = Exercise(
    id="ch04.additive-mixed",
    title="Whose query is it?",
    kind="debug",
    minutes=10,
    difficulty=3,
    section="ch04-additive",
    prompt="Somebody has repaired the function above, for states that come batch "
    "first, and now it runs for every batch and every length. In a batch of one it is "
    "right. Find out what it does in larger ones, and repair `additive_weights(query, "
    "states, w, v)`. The shapes: `query` has `(batch, d_q)`, one row for each example; "
    "`states` has `(batch, n, d_key)`; `w` has `(d_q + d_key, d_h)`, the query's rows "
    "first; and `v` has `(d_h,)`. It returns each example's weights over its own $n$ "
    "words, `(batch, n)`.",
    starter="def additive_weights(query, states, w, v):\n"
    "    batch, n, _ = states.shape\n"
    "    repeated = np.tile(query, (n, 1)).reshape(batch, n, -1)\n"
    "    pairs = np.concatenate([repeated, states], axis=-1)\n"
    "    scores = np.tanh(pairs @ w) @ v\n"
    "    exponentials = np.exp(scores)\n"
    "    return exponentials / exponentials.sum(axis=1, keepdims=True)",
    reference=additive_weights,
    cases=_pairs,
    switched=_additive_with,
    misconceptions=(
        Misconception(
            "tiled",
            "The words of one example are scored by the queries of different examples: "
            "the queries are laid down as 0, 1, 2, 0, 1, 2 and cut into rows of n.",
            "Repeating n times and reshaping to `(batch, n, ...)` gives each example "
            "its query n times.",
            "Set query to `[[0], [1], [2]]` and n to 2, and print `repeated`. Which "
            "example does each row belong to?",
            switch={"repeat": "tile"},
        ),
        Misconception(
            "repeated-then-cut-wrongly",
            "The queries are repeated as 0, 0, 1, 1, and then cut and turned so that "
            "they land at other examples.",
            "Swapping two axes puts a `(n, batch)` array right, whatever was in it.",
            "Set query to `[[0], [1], [2]]` and n to 2, and print `repeated`. Is row 1 "
            "full of ones?",
            switch={"repeat": "reshaped"},
        ),
        Misconception(
            "repeated-over-the-batch",
            "Word j of every example is scored by the query of example j. Where the "
            "batch is not as large as the sentence is long, it cannot run.",
            "The new axis comes first; which of the two axes it is makes no "
            "difference.",
            "Entry (i, j) of the states is word j of example i. What is entry (i, j) "
            "of your repeated queries?",
            wrong=_additive_of_the_notes,
            raises=_SHAPES_CLASH,
        ),
        Misconception(
            "first-query-for-all",
            "All examples are scored by the query of example 0.",
            "There is one query, and it is repeated.",
            "Change the query of example 1. Which of your weights change?",
            switch={"repeat": "first"},
        ),
        Misconception(
            "mean-query-for-all",
            "All examples are scored by the mean of all queries.",
            "A batch shares its query.",
            "Change the query of example 1. Whose weights should change, and whose do?",
            switch={"repeat": "mean"},
        ),
        Misconception(
            "softmax-over-examples",
            "Each column of your weights sums to 1: the softmax runs over the "
            "examples.",
            "The first axis is the one to sum over.",
            "Add up the weights of one example. What should they come to?",
            switch={"axis": 0},
        ),
        Misconception(
            "one-softmax-for-all",
            "The weights of all examples together sum to 1.",
            "`sum()` adds up each row.",
            "Add up the weights of one example. What should they come to?",
            switch={"axis": (0, 1)},
        ),
        Misconception(
            "no-softmax",
            "You return the scores: some may be negative, and no row sums to 1.",
            "What the small network gives are the weights.",
            "Add up the numbers of one example. What should they come to?",
            switch={"axis": None},
        ),
        Misconception(
            "tanh-lost",
            "Your scores have no tanh: the query adds the same to all words of its "
            "example, and the softmax does not see it.",
            "The tanh only squeezes the numbers; the order stays as it is.",
            "Change a query. Do your weights change at all?",
            switch={"tanh": False},
        ),
        Misconception(
            "states-before-query",
            "The first rows of `w` meet the states: the two parts are joined in the "
            "other order.",
            "Which part comes first does not matter, since w is learned.",
            "How many rows of w belong to the query, and which numbers do they meet?",
            switch={"order": "states first"},
        ),
    ),
    variants=(
        _additive_in_two_products,
        _additive_in_torch,
        _additive_in_loops,
        lambda query, states, w, v: additive_weights(
            query.astype(np.float32), states, w, v
        ),
    ),
    properties=(
        in_words("the weights", not_negative),
        in_words("the weights", sums_to_one),
        Property("alone as in the batch", _leaks),
    ),
    hints=(
        "Compute a batch of three, then each example alone. Where do they differ?",
        "Set query to `[[0.], [1.], [2.]]` and print `repeated` for n = 2. What should "
        "row 1 hold?",
        "Every word of example i needs query i. Give the query a new axis where the "
        "words are, and repeat along this axis; then no reshape is needed.",
    ),
    insight="The same trap has two names: NumPy's `tile` is torch's `repeat`, and "
    "NumPy's `repeat` is torch's `repeat_interleave`. Sizes cannot tell them apart; "
    'the test "together and alone" can. Faster still: multiply query and states by '
    "their own rows of `w`, and let broadcasting add the two.",
)
