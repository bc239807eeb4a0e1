"""Exercises of chapter 3: attention as matrices, and who may see whom."""

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property, Remark
from ._properties import in_words, not_negative, sums_to_one


def _arrays(seed, n_q, n_k, d_k, d_v, batch=()):
    """Draw query, key and value with scores of order 1 to 3 and values off centre."""
    rng = np.random.default_rng(seed)
    query = rng.normal(0.4, 1.4, (*batch, n_q, d_k))
    key = rng.normal(0.3, 1.2, (*batch, n_k, d_k))
    return query, key, rng.normal(1.0, 1.5, (*batch, n_k, d_v))


def _softmax(scores, axis=-1):
    exponentials = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _safe_softmax(scores, mask):
    """Softmax over what the mask allows; a row that may see nothing gets zeros."""
    scores = np.where(mask, scores, -np.inf)
    highest = scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(scores - np.where(np.isfinite(highest), highest, 0.0))
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total == 0, 1.0, total)


def _scaled(query, key, scale="root d_k"):
    d_k = query.shape[-1]
    divisor = {
        "root d_k": np.sqrt(d_k),
        "none": 1.0,
        "d_k": d_k,
        "half": d_k / 2,
        "twice": 2 * d_k,
        "root n_k": np.sqrt(key.shape[-2]),
        "times": 1 / np.sqrt(d_k),
    }
    return query @ key.mT / divisor[scale]


def _shared(scores, over="keys"):
    if over == "argmax":
        return np.eye(scores.shape[-1])[scores.argmax(axis=-1)]
    if over == "average":
        return np.full_like(scores, 1 / scores.shape[-1])
    if over == "no softmax":
        return scores
    if over == "plain ratio":
        return scores / scores.sum(axis=-1, keepdims=True)
    if over == "no sum":
        return np.exp(scores)
    if over == "all":
        return np.exp(scores) / np.exp(scores).sum()
    return _softmax(scores, axis=-2 if over == "queries" else -1)


# --- attention as two products -------------------------------------------------------


def _one_text():
    query = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0]])
    key = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])
    value = np.array([[1.0], [2.0], [6.0]])
    return [
        Case("three queries, three keys", (query, key, value)),
        Case("fewer queries than keys", _arrays(31, 3, 5, 7, 2)),
        Case("more queries than keys", _arrays(32, 6, 4, 3, 8)),
    ]


def attention_with_weights(query, key, value):
    scores = query @ key.T / np.sqrt(query.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights @ value, weights


def _attention_with(query, key, value, *, scale="root d_k", over="keys", gives=""):
    if scale == "root d_v":
        scores = query @ key.T / np.sqrt(value.shape[-1])
    else:
        scores = _scaled(query, key, scale)
    weights = _shared(scores, over)
    if gives == "keys":
        return weights @ key, weights
    if gives == "exchanged":
        return weights, weights @ value
    return weights @ value, scores if gives == "scores" else weights


def _attention_swapped(query, key, value):
    weights = _softmax(key @ query.T / np.sqrt(query.shape[-1]))
    return weights @ value, weights


def _attention_without_keepdims(query, key, value):
    exponentials = np.exp(query @ key.T / np.sqrt(query.shape[-1]))
    weights = exponentials / exponentials.sum(axis=-1)
    return weights @ value, weights


def _attention_scaled_after(query, key, value):
    weights = _softmax(query @ key.T) / np.sqrt(query.shape[-1])
    return weights @ value, weights


def _attention_cosine(query, key, value):
    lengths = [np.linalg.norm(x, axis=-1, keepdims=True) for x in (query, key)]
    weights = _softmax((query / lengths[0]) @ (key / lengths[1]).T)
    return weights @ value, weights


def _attention_by_einsum(query, key, value):
    scores = np.einsum("qd,kd->qk", query, key) / query.shape[1] ** 0.5
    weights = np.exp(scores) / np.exp(scores).sum(1)[:, None]
    return np.einsum("qk,kd->qd", weights, value), weights


def _attention_by_loops(query, key, value):
    all_weights, outputs = [], []
    for q in query:
        scores = np.array([q @ k for k in key]) / np.sqrt(len(q))
        weights = np.exp(scores) / sum(np.exp(scores))
        all_weights.append(weights)
        outputs.append(sum(w * v for w, v in zip(weights, value, strict=True)))
    return [outputs, all_weights]


def _attention_in_torch(query, key, value):
    import torch

    weights = torch.softmax(query @ key.T / query.shape[-1] ** 0.5, dim=-1)
    return weights @ value, weights


def _pair(result, *arguments):
    """Take a list of two as two results."""
    is_list = isinstance(result, list)
    is_stack = isinstance(result, np.ndarray) and result.ndim == 3
    if (is_list or is_stack) and len(result) == 2:
        return tuple(np.asarray(part) for part in result)
    return result


def _outside_the_values(result, query, key, value):
    output = result[0]
    low, high = value.min(axis=0) - 1e-6, value.max(axis=0) + 1e-6
    if ((output < low) | (output > high)).any():
        return (
            "A mean of values lies between the smallest and the largest of them, in "
            "every column; your output goes beyond."
        )
    return None


def _overflows(answer):
    big = np.array([[60.0, 60.0]]), np.array([[60.0, 60.0], [0.0, 1.0]])
    return not all(np.isfinite(x).all() for x in answer(*big, np.ones((2, 1))))


_SCALES = (
    Misconception(
        "no-scale",
        "Your weights are those of the dot products as they are, undivided.",
        "The division only changes the size of the scores, and shares do not care.",
        "Compare the softmax of [0, 2] with that of [0, 4]. Which is nearer to 0 and "
        "1?",
        switch={"scale": "none"},
    ),
    Misconception(
        "divides-by-width",
        "Your scores are divided by d_k itself, so the weights are flatter than due.",
        "The scale is the number of features: a mean instead of a sum.",
        "If each of d_k products has variance 1, what is the standard deviation of "
        "their sum?",
        switch={"scale": "d_k"},
    ),
    Misconception(
        "root-of-value-width",
        "Your scores are divided by the root of d_v, the width of a value.",
        "The width of the model is one number, whichever array shows it.",
        "Which array takes no part in the scores at all?",
        switch={"scale": "root d_v"},
    ),
    Misconception(
        "root-of-key-count",
        "Your scores are divided by the root of n_k, the number of keys.",
        "The number of terms is the number of keys.",
        "A score is a sum over one axis. Does that sum grow when a key is added?",
        switch={"scale": "root n_k"},
    ),
)

_SHARES = (
    Misconception(
        "softmax-over-queries",
        "Each column of your weights was shared out: your softmax runs over the "
        "queries.",
        "Axis 0 is the first thing to share among.",
        "Who has one whole to give away: a key, or a query? Add up along both axes.",
        switch={"over": "queries"},
    ),
    Misconception(
        "softmax-over-everything",
        "All exponentials together make one whole: you divided by a single total.",
        "`sum()` without an axis is the sum of a row.",
        "What should the weights of the first query add up to if there were no second?",
        switch={"over": "all"},
    ),
    Misconception(
        "no-softmax",
        "Your weights are the scores themselves: some are negative, and no row sums "
        "to 1.",
        "The scores already say how much each key counts.",
        "What does a weight of −1 do to a value?",
        switch={"over": "no softmax"},
    ),
    Misconception(
        "largest-takes-all",
        "Each row of your weights has a single 1: the best key takes everything.",
        "Attention picks the key that fits best.",
        "What happens to a key whose score is only a little below the best?",
        switch={"over": "argmax"},
    ),
    Misconception(
        "plain-average",
        "All your weights are equal: the scores have no part in them.",
        "The values are averaged, so each counts the same.",
        "Double one query. Do your weights move? Should they?",
        switch={"over": "average"},
    ),
)

attention_as_matrices = Exercise(
    id="ch03.attention",
    title="Attention, with its weights",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch03-products",
    prompt="Write `attention_with_weights(query, key, value)` from nothing: without a "
    "loop, and without a softmax of ours or of any library. The shapes are "
    "`(n_q, d_k)`, `(n_k, d_k)` and `(n_k, d_v)`. Return two arrays, the output "
    "`(n_q, d_v)` and then the weights `(n_q, n_k)`.",
    starter="def attention_with_weights(query, key, value):\n"
    '    raise NotImplementedError("your code")',
    reference=attention_with_weights,
    cases=_one_text,
    switched=_attention_with,
    observe=_pair,
    misconceptions=(
        *_SCALES,
        Misconception(
            "divides-by-half-the-width",
            "Your scores are divided by d_k / 2.",
            "`d_k ** 1/2` is the square root of d_k.",
            "Print `9 ** 1/2`. Which is done first, the power or the division?",
            switch={"scale": "half"},
        ),
        Misconception(
            "divides-by-twice-the-width",
            "Your scores are divided by 2 d_k.",
            "`scores / d_k ** 1/2` are scores over the root of d_k.",
            "Print `16 / 4 ** 1/2` and `16 / 4 ** 0.5`. In which order does Python "
            "compute the first?",
            switch={"scale": "twice"},
        ),
        Misconception(
            "multiplies-by-root",
            "Your scores are d_k times too large: the root multiplies them.",
            "Scaling by a number means multiplying by it.",
            "Should long vectors give sharper or tamer scores than without the scale?",
            switch={"scale": "times"},
        ),
        *_SHARES,
        Misconception(
            "no-total",
            "Your weights are bare exponentials: rows add up to more than 1.",
            "The exponential makes weights of scores.",
            "What is the mean of two values with the weights 3 and 3?",
            switch={"over": "no sum"},
        ),
        Misconception(
            "no-exponential",
            "Your weights are the scores divided by their row's sum.",
            "A share is a part divided by the whole.",
            "What are the shares of the scores 1 and −1?",
            switch={"over": "plain ratio"},
        ),
        Misconception(
            "keys-in-place-of-values",
            "Your output is a mixture of the keys: its width is d_k.",
            "What was found is what is read.",
            "In a dictionary, do you get back what you looked under, or what stood "
            "there?",
            switch={"gives": "keys"},
        ),
        Misconception(
            "results-exchanged",
            "The weights come first and the output second.",
            "They are returned in the order in which they arise.",
            "Which of the two does the prompt name first?",
            switch={"gives": "exchanged"},
        ),
        Misconception(
            "scores-returned",
            "Your second result holds scores, from before they were made into shares.",
            "Scores and weights are two words for one thing.",
            "What should each row of the second result add up to?",
            switch={"gives": "scores"},
        ),
        Misconception(
            "queries-and-keys-exchanged",
            "Row i of your weights belongs to key i: keys ask and queries answer.",
            "A dot product has no order, so the product of matrices has none.",
            "Entry (0, 1) of your scores: which query and which key is it? With "
            "fewer queries than keys, what shape have they?",
            wrong=_attention_swapped,
            raises=(ValueError, RuntimeError),
        ),
        Misconception(
            "row-totals-beside-columns",
            "Column j of your weights is divided by the total of row j.",
            "An array of n totals lines up with the rows it came from.",
            "Print the shapes of the exponentials and of their sums. NumPy lines "
            "shapes up from the right: which axis do the totals meet?",
            wrong=_attention_without_keepdims,
            raises=(ValueError, RuntimeError),
        ),
        Misconception(
            "scale-after-softmax",
            "Each row of your weights adds up to 1 over the root of d_k.",
            "Dividing before or after the softmax is the same.",
            "Which does the softmax see: your scores, or scores that are divided?",
            wrong=_attention_scaled_after,
        ),
        Misconception(
            "cosine-scores",
            "Your scores are cosines, between −1 and 1, whatever the lengths.",
            "Scaling means giving all vectors the length 1.",
            "Double a query. Do your weights change? Do those of the formula?",
            wrong=_attention_cosine,
        ),
    ),
    variants=(
        _attention_by_einsum,
        _attention_by_loops,
        _attention_in_torch,
        lambda query, key, value: attention_with_weights(
            *(x.astype(np.float32) for x in (query, key, value))
        ),
        lambda query, key, value: (
            (w := _softmax((query / np.sqrt(key.shape[1])) @ key.T)) @ value,
            w,
        ),
    ),
    properties=(
        in_words("the weights", not_negative, part=1),
        in_words("the weights", sums_to_one, part=1),
        Property("the output is a mean", _outside_the_values),
    ),
    remarks=(
        Remark(
            "With large queries and keys the exponential overflows and gives NaN. "
            "Subtract each row's largest score first: the shares stay the same.",
            _overflows,
        ),
    ),
    hints=(
        "Three steps: a score for each pair, shares along each row, means of values. "
        "Write the shape behind each before you write code.",
        "The scores have shape `(n_q, n_k)`. The features are summed away, so they "
        "must be the inner axis of the product.",
        "The total of a row must divide that row. Keep the axis that you summed over, "
        "with size 1, and the shapes `(n_q, n_k)` and `(n_q, 1)` fit.",
        "The weights `(n_q, n_k)` multiply the values `(n_k, d_v)` from the left.",
    ),
    insight="Subtracting each row's largest score costs nothing and saves you at large "
    "scores. Returning the weights is what a fused function refuses: it never holds "
    "the whole `(n_q, n_k)` array.",
)


# --- shapes --------------------------------------------------------------------------

shapes = Exercise(
    id="ch03.shapes",
    title="Two shapes",
    kind="predict",
    minutes=3,
    difficulty=1,
    section="ch03-shapes",
    prompt="The query has shape `(7, 16)`, the key `(5, 16)`, the value `(5, 6)`. "
    "What shapes do the scores and the output have? Set `ch03_predict_shapes` to a "
    "pair of pairs, `((rows, columns), (rows, columns))`, scores first.",
    starter="ch03_predict_shapes = ...",
    reference=((7, 5), (7, 6)),
    misconceptions=(
        Misconception(
            "scores-transposed",
            "The scores have one row for each key.",
            "K stands first because it is what is searched.",
            "The softmax runs along rows, and each query shares out one whole. Whose "
            "are the rows?",
            wrong=((5, 7), (7, 6)),
        ),
        Misconception(
            "output-as-wide-as-the-query",
            "The output has the width of the query.",
            "A query is replaced by its answer, so both have one shape.",
            "The output is a mean of which rows? How wide is one of them?",
            wrong=((7, 5), (7, 16)),
        ),
        Misconception(
            "one-output-per-value",
            "The output has as many rows as there are values.",
            "Each value is weighted, and stays.",
            "How many questions were asked, and how many answers does each get?",
            wrong=((7, 5), (5, 6)),
        ),
        Misconception(
            "features-stay",
            "The scores keep the axis of the features.",
            "The scores are the query, adjusted.",
            "In a matrix product, what becomes of the two inner axes?",
            wrong=((7, 16), (7, 6)),
        ),
        Misconception(
            "square-scores",
            "The scores are square, queries by queries.",
            "Attention compares the words of a text with each other.",
            "How many keys is each of the 7 queries compared with?",
            wrong=((7, 7), (7, 6)),
        ),
        Misconception(
            "output-before-scores",
            "The shapes are right and stand in the other order.",
            "The output is the result, so it comes first.",
            "Which shape does the prompt ask for first?",
            wrong=((7, 6), (7, 5)),
        ),
    ),
    hints=(
        "Write the name of each axis under each number: n_q, n_k, d_k, d_v.",
        "In each of the two products, the inner axes agree and vanish.",
        "The scores lose the axis of size 16. The output loses the axis of the keys.",
    ),
    insight="16 appears in neither: d_k is a private matter between queries and keys. "
    "Widening d_k changes no shape behind the scores.",
)


# --- leading axes --------------------------------------------------------------------


def _stacks():
    return [
        Case("two of everything", _arrays(44, 2, 2, 2, 1, batch=(2,))),
        Case("one text, no leading axis", _arrays(41, 2, 3, 4, 1)),
        Case("two texts", _arrays(42, 3, 4, 6, 5, batch=(2,))),
        Case("two texts, three heads", _arrays(43, 4, 6, 5, 7, batch=(2, 3))),
    ]


def answer_last(query, key, value):
    last = query[..., -1:, :]
    scores = last @ key.mT / np.sqrt(last.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return (weights @ value)[..., 0, :]


def _last_with(query, key, value, *, scale="root d_k", over="keys", pick="last"):
    if scale == "root d_v":
        scores = query @ key.mT / np.sqrt(value.shape[-1])
    else:
        scores = _scaled(query, key, scale)
    output = _shared(scores, over) @ value
    if pick == "first":
        return output[..., 0, :]
    if pick == "mean":
        return output.mean(axis=-2)
    if pick == "kept":
        return output[..., -1:, :]
    return output[-1] if pick == "example" else output[..., -1, :]


def _last_of_all_texts(query, key, value):
    flat_key = key.reshape(-1, key.shape[-1])
    flat_value = value.reshape(-1, value.shape[-1])
    return answer_last(query, flat_key, flat_value)


def _last_transposed(query, key, value):
    weights = _softmax(query @ key.T / np.sqrt(query.shape[-1]))
    return (weights @ value)[..., -1, :]


def _last_shared_among_one(query, key, value):
    scores = query[..., -1:, :] @ key.mT / np.sqrt(query.shape[-1])
    return (_softmax(scores, axis=-2) @ value)[..., 0, :]


def _last_by_einsum(query, key, value):
    scores = np.einsum("...d,...kd->...k", query[..., -1, :], key)
    weights = _softmax(scores / np.sqrt(key.shape[-1]))
    return np.einsum("...k,...kv->...v", weights, value)


def _last_by_loop(query, key, value):
    if query.ndim == 2:
        return (_softmax(query @ key.T / np.sqrt(key.shape[1])) @ value)[-1]
    examples = zip(query, key, value, strict=True)
    return np.stack([_last_by_loop(*example) for example in examples])


def _last_in_torch(query, key, value):
    import torch

    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(query[..., -1:, :], key, value).squeeze(-2)


last_query = Exercise(
    id="ch03.last-query",
    title="Only the last answer",
    kind="implement",
    minutes=10,
    difficulty=2,
    section="ch03-batches",
    prompt="A model that writes needs the answer of its last query alone. Write "
    "`answer_last(query, key, value)`: arrays of shapes `(*batch, n_q, d_k)`, "
    "`(*batch, n_k, d_k)` and `(*batch, n_k, d_v)`, with any number of leading axes, "
    "also none. Return what scaled dot-product attention, without a mask, gives for "
    "the last query of each example, shape `(*batch, d_v)`.",
    starter="def answer_last(query, key, value):\n"
    '    raise NotImplementedError("your code")',
    reference=answer_last,
    cases=_stacks,
    switched=_last_with,
    misconceptions=(
        *_SCALES,
        Misconception(
            "softmax-over-queries",
            "The weights were shared out among the queries, for each key apart.",
            "The axis in the middle is the one to share among.",
            "What do the weights of the last query add up to, over its keys?",
            switch={"over": "queries"},
        ),
        Misconception(
            "softmax-over-everything",
            "One total divides the exponentials of all queries and examples.",
            "`sum()` without an axis is the sum of a row.",
            "Should an example's answer change when another joins the batch?",
            switch={"over": "all"},
        ),
        Misconception(
            "plain-average",
            "Your result is the plain mean of the values: the query has no part in it.",
            "A mean of values is a mean.",
            "Double the last query. Does your result move? Should it?",
            switch={"over": "average"},
        ),
        Misconception(
            "last-example",
            "You took the last entry of the first axis: all queries of one example.",
            "`[-1]` is the last query, as it is for one text.",
            "Which axis does `[-1]` count along, when there are axes before?",
            switch={"pick": "example"},
        ),
        Misconception(
            "first-query",
            "Your result is the answer of query 0.",
            "The newest query stands first.",
            "Which row of `query` is the last of three: row 0, or row 2?",
            switch={"pick": "first"},
        ),
        Misconception(
            "mean-of-answers",
            "Your result is the mean of the answers of all queries.",
            "The axis of the queries has to go, and a mean makes it go.",
            "Change the first query only. Does your result move? Should it?",
            switch={"pick": "mean"},
        ),
        Misconception(
            "axis-kept",
            "Your result still has an axis of size 1 where the queries were.",
            "A slice of one element is that element.",
            "Compare the shapes of `x[-1:]` and `x[-1]`.",
            switch={"pick": "kept"},
        ),
        Misconception(
            "examples-read-each-other",
            "Each query reads the keys of all examples as if they were one text.",
            "Putting all rows below each other changes no result, only the shape.",
            "Change a key of example 0. Does the answer of example 1 move?",
            wrong=_last_of_all_texts,
        ),
        Misconception(
            "all-axes-reversed",
            "In a stack, your scores mix the examples: all axes of the key were "
            "reversed.",
            "The transpose of a stack is a stack of transposes.",
            "Print the shape of np.zeros((2, 5, 4)).T. Where has the axis of the "
            "examples gone?",
            wrong=_last_transposed,
            raises=(ValueError, RuntimeError),
        ),
        Misconception(
            "shares-of-one",
            "All your weights are 1: your result is the sum of the values.",
            "Axis −2 is the one to share among.",
            "With one query, how many entries lie along the axis of the queries?",
            wrong=_last_shared_among_one,
        ),
    ),
    variants=(
        _last_by_einsum,
        _last_by_loop,
        _last_in_torch,
        lambda query, key, value: _last_with(query, key, value),
        lambda query, key, value: answer_last(
            *(x.astype(np.float32) for x in (query, key, value))
        ),
    ),
    remarks=(
        Remark(
            "With large queries and keys the exponential overflows and gives NaN. "
            "Subtract each row's largest score first: the shares stay the same.",
            _overflows,
        ),
    ),
    hints=(
        "Do you need the scores of the other queries at all?",
        "An index that counts from the end works with any number of axes before it: "
        "think of `...` and of negative axes.",
        "Swap the last two axes of the key, and no others. `.T` reverses them all.",
        "Take the last query as an array with one row, so that `@` still sees "
        "matrices, and remove that axis from the result.",
    ),
    insight="With n keys of width d, the work of one query grows as n d, that of n "
    "queries as n² d. This is why a program that writes keeps its keys and values: "
    "each new word then asks one question.",
)


# --- the sequence comes first --------------------------------------------------------


def _sequence_first():
    def turned(seed, batch, n, d_k, d_v):
        arrays = _arrays(seed, n, n, d_k, d_v, batch=(batch,))
        return tuple(np.ascontiguousarray(np.swapaxes(x, 0, 1)) for x in arrays)

    return [
        Case("three words, two texts", turned(51, 2, 3, 4, 1)),
        Case("five words, three texts", turned(52, 3, 5, 2, 4)),
        Case("two words, four texts", turned(53, 4, 2, 6, 3)),
    ]


def texts_apart(query, key, value):
    query, key, value = (np.swapaxes(x, 0, 1) for x in (query, key, value))
    scores = query @ key.mT / np.sqrt(query.shape[-1])
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.swapaxes(weights @ value, 0, 1)


def _batch_first(query, key, value):
    return _softmax(_scaled(query, key)) @ value


def _not_turned_back(query, key, value):
    return _batch_first(*(np.swapaxes(x, 0, 1) for x in (query, key, value)))


def _reshaped(query, key, value):
    n, batch, _ = query.shape
    folded = _batch_first(*(x.reshape(batch, n, -1) for x in (query, key, value)))
    return folded.reshape(n, batch, -1)


def _turned_then_reshaped(query, key, value):
    n, batch, _ = query.shape
    return _not_turned_back(query, key, value).reshape(n, batch, -1)


def _all_in_one_row(query, key, value):
    n, batch, _ = query.shape
    flat = (x.reshape(n * batch, -1) for x in (query, key, value))
    return _batch_first(*flat).reshape(n, batch, -1)


def _apart_over_queries(query, key, value):
    query, key, value = (np.swapaxes(x, 0, 1) for x in (query, key, value))
    weights = _softmax(_scaled(query, key), axis=-2)
    return np.swapaxes(weights @ value, 0, 1)


def _apart_over_texts(query, key, value):
    scores = np.einsum("qbd,kbd->qkb", query, key) / np.sqrt(query.shape[-1])
    return np.einsum("qkb,kbd->qbd", _softmax(scores), value)


def _apart_by_einsum(query, key, value):
    scores = np.einsum("qbd,kbd->bqk", query, key) / np.sqrt(key.shape[-1])
    return np.einsum("bqk,kbv->qbv", _softmax(scores), value)


def _apart_by_loop(query, key, value):
    texts = range(query.shape[1])
    return np.stack(
        [_batch_first(query[:, b], key[:, b], value[:, b]) for b in texts], axis=1
    )


def _apart_in_torch(query, key, value):
    import torch

    turned = (x.transpose(0, 1) for x in (query, key, value))
    output = torch.nn.functional.scaled_dot_product_attention(*turned)
    return output.permute(1, 0, 2)


sequence_first = Exercise(
    id="ch03.sequence-first",
    title="Texts that read each other",
    kind="debug",
    minutes=8,
    difficulty=3,
    section="ch03-batches",
    prompt="`texts_apart(query, key, value)` gets its arrays with the words on the "
    "first axis: `(n, batch, d_k)`, `(n, batch, d_k)` and `(n, batch, d_v)`, which is "
    "also what `torch.nn.MultiheadAttention` expects unless told otherwise. It should "
    "return attention within each text, shape `(n, batch, d_v)`. It runs, the shape is "
    "right, and the result is wrong. Mend it.",
    starter="def texts_apart(query, key, value):\n"
    "    scores = query @ key.mT / np.sqrt(query.shape[-1])\n"
    "    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
    "    weights = weights / weights.sum(axis=-1, keepdims=True)\n"
    "    return weights @ value",
    reference=texts_apart,
    cases=_sequence_first,
    misconceptions=(
        Misconception(
            "attends-across-the-batch",
            "Word i of each text reads word i of all texts, and no other word: the "
            "batch is attended over.",
            "The axis before the features is the axis of the words.",
            "Change one text of the batch. Whose outputs move? Which axis does `@` "
            "multiply over?",
            wrong=_batch_first,
        ),
        Misconception(
            "not-turned-back",
            "The numbers are right, and the texts are on the first axis.",
            "Whoever called can turn the axes back.",
            "Which shape did the arguments have, and which has your result?",
            wrong=_not_turned_back,
        ),
        Misconception(
            "reshaped-in",
            "Your texts are mixed from words of several texts.",
            "`reshape` exchanges two axes when given their sizes in the other order.",
            "Print np.arange(6).reshape(3, 2), and then reshape that to (2, 3). Is it "
            "the transpose?",
            wrong=_reshaped,
        ),
        Misconception(
            "reshaped-out",
            "The attention is right, and its rows come back at the wrong places.",
            "`reshape` undoes an exchange of axes.",
            "Where does row 1 of text 0 stand in your result, and where should it?",
            wrong=_turned_then_reshaped,
        ),
        Misconception(
            "one-long-text",
            "Every word reads every word of every text.",
            "If all words are in one row, none is missed.",
            "Should a text's output change when another text joins the batch?",
            wrong=_all_in_one_row,
        ),
        Misconception(
            "softmax-over-queries",
            "The texts are apart, and the shares of each key add up to 1 over the "
            "queries: your softmax runs over the queries.",
            "With the axes turned, the axis of the softmax has to turn as well.",
            "What do the weights of one query add up to?",
            wrong=_apart_over_queries,
        ),
        Misconception(
            "shares-among-texts",
            "For each pair of query and key, the texts share one whole: the softmax "
            "ran over the batch.",
            "The last axis is always that of the keys.",
            "Name the axes of your scores in order. Which of them should add up to 1?",
            wrong=_apart_over_texts,
        ),
    ),
    variants=(
        _apart_by_einsum,
        _apart_by_loop,
        _apart_in_torch,
        lambda query, key, value: texts_apart(
            *(x.astype(np.float32) for x in (query, key, value))
        ),
    ),
    hints=(
        "Print the shape of the scores for three words of two texts. Which pairs are "
        "there?",
        "`@` multiplies the last two axes. Which two axes should they be?",
        "Exchange the first two axes of all three arrays, attend, and exchange the "
        "first two axes of the result. An exchange of axes is no reshape.",
    ),
    insight="With one text in the batch every weight is 1 and each word returns its "
    "own value; a test with batch 1 and n = 1 sees nothing. "
    "With several queries and several keys, the slip is an error as soon as their "
    "numbers differ.",
)


# --- the causal mask, and a test for leaks -------------------------------------------

why_before = Exercise(
    id="ch03.why-before",
    title="Zero afterwards",
    kind="explain",
    minutes=4,
    difficulty=2,
    section="ch03-causal",
    prompt="A colleague sets the forbidden weights to 0 *after* the softmax and leaves "
    "it at that: no row is divided anew. In this version of a causal mask, which "
    "statements are true? Set `ch03_why_before` to the letters of all "
    'that are, for example `"ac"`.',
    starter="ch03_why_before = ...",
    choices={
        "a": Choice(
            "The leak goes through the values of later words: with values of zero "
            "there, the future would be hidden.",
            "A word can act in two ways: through its value, and through its share in "
            "the total that divides the others. The first is closed already, and the "
            "second needs no value.",
        ),
        "b": Choice(
            "Raise a query's score for a later word, and the weights left in its row "
            "shrink.",
            "The exponential of the later word is in the total of the row, so all "
            "allowed weights shrink, and the weights that are left add up to less.",
            right=True,
        ),
        "c": Choice(
            "Every row of the weights is wrong, that of the last word included.",
            "The last query may see all keys. Nothing is set to zero in its row, and "
            "nothing is missing from it.",
        ),
        "d": Choice(
            "On paper, dividing each row by its new sum gives what −∞ before gives.",
            "The total cancels. In floating point it can fail all the same: if a "
            "forbidden score is far above the others, the allowed weights underflow to "
            "0 first.",
            right=True,
        ),
    },
    hints=(
        "Write down one weight as a fraction. Where do the forbidden scores stand in "
        "it?",
        "Take the scores 0 and 0 with the second one forbidden. What is left of row 0?",
        "Now take 0 and 5 instead. What is left of row 0, and who has caused the "
        "change?",
    ),
    insight="The leak is quiet: the values of later words are gone, and only the size "
    "of the output tells of them. `sees` in this section finds it, since it asks "
    "whether anything moves and not what.",
)


# --- share of a letter, by values and mask -------------------------------------------


def _letters():
    texts = [
        ("aba", "a"),
        ("abacus", "a"),
        ("mississippi", "s"),
        ("banana", "n"),
        ("xyz", "q"),
        ("attention", "t"),
        ("eee", "e"),
        ("thecatsatoutside", "t"),
    ]
    return [Case(f"{letter!r} in {text!r}", (text, letter)) for text, letter in texts]


def share_so_far(text, letter):
    n = len(text)
    query = key = np.zeros((n, 1))
    value = np.array([[1.0 if other == letter else 0.0] for other in text])
    mask = np.tri(n, dtype=bool)
    return query, key, value, mask


def _head(result, text, letter):
    """Run attention with what was chosen; one number comes out for each letter."""
    if not isinstance(result, (tuple, list)) or len(result) != 4:
        raise ValueError("it must be four things: query, key, value, mask")
    arrays = [np.asarray(x) for x in result[:3]]
    if any(x.dtype.kind not in "biuf" for x in arrays):
        raise ValueError("query, key and value must be arrays of numbers")
    query, key, value = (x.astype(float) for x in arrays)
    n = len(text)
    if query.ndim != 2 or key.ndim != 2 or query.shape[1] != key.shape[1]:
        raise ValueError(f"query {query.shape} and key {key.shape} must be `(n, d_k)`")
    if value.shape not in ((n, 1), (n,)):
        raise ValueError(f"value has shape {value.shape}, and ({n}, 1) is asked for")
    mask = np.ones((n, n), bool) if result[3] is None else np.asarray(result[3])
    if mask.dtype.kind not in "bui":
        raise ValueError("a mask is an array of True and False")
    if (len(query), len(key), mask.shape) != (n, n, (n, n)):
        shapes = f"{query.shape}, {key.shape}, {mask.shape}"
        raise ValueError(f"query, key and mask are {shapes}, and the text has {n}")
    weights = _safe_softmax(_scaled(query, key), mask.astype(bool))
    return (weights @ value.reshape(n, 1))[:, 0]


def _share_with(text, letter, *, see="so far", read="is it", match="equal"):
    n = len(text)
    codes = np.array([ord(other) for other in text])
    hits = (codes == ord(letter)).astype(float)[:, None]
    query, key = np.zeros((n, 1)), np.zeros((n, 1))
    if match == "letters":
        query = key = (codes[:, None] == np.unique(codes)).astype(float) * 3.0
    if match == "hits":
        query, key = np.ones((n, 1)), 20 * hits
    value = {
        "is it": hits,
        "plus minus": 2 * hits - 1,
        "count": np.cumsum(hits)[:, None],
        "is not": 1 - hits,
    }[read]
    mask = {
        "so far": np.tri(n, dtype=bool),
        "all": np.ones((n, n), dtype=bool),
        "before": np.tri(n, k=-1, dtype=bool),
        "to come": ~np.tri(n, k=-1, dtype=bool),
        "hidden": ~np.tri(n, dtype=bool),
    }[see]
    return query, key, value, mask


def _share_in_torch(text, letter):
    import torch

    n = len(text)
    value = torch.tensor([[float(other == letter)] for other in text])
    return torch.zeros(n, 4), torch.ones(n, 4), value, torch.ones(n, n).tril().bool()


def _share_by_lists(text, letter):
    n = len(text)
    mask = [[j <= i for j in range(n)] for i in range(n)]
    return [[[1]] * n, [[2]] * n, [[int(c == letter)] for c in text], mask]


def _share_computed_in_values(text, letter):
    hits = np.array([other == letter for other in text])
    shares = np.cumsum(hits) / np.arange(1, len(text) + 1)
    nothing = np.zeros((len(text), 1))
    return nothing, nothing, shares[:, None], np.eye(len(text), dtype=bool)


def _in_the_head(answer):
    value = answer("abab", "b")[2]
    return np.unique(np.asarray(value)).size > 2


letter_share = Exercise(
    id="ch03.letter-share",
    title="The share of a letter so far",
    kind="design",
    minutes=10,
    difficulty=3,
    section="ch03-causal",
    prompt="Build a head, one attention, that counts in shares. `share_so_far(text, "
    "letter)` gets a string and one letter and returns four arrays `(query, key, "
    "value, mask)`, with shapes `(n, d_k)`, `(n, d_k)`, `(n, 1)` and boolean `(n, n)`, "
    "for `n` letters and any `d_k`. Attention with them must give, at each place, the "
    'share of `letter` among the letters up to and including it: for `"abacus"` and '
    '`"a"` it is 1, 1/2, 2/3, 1/2, 2/5, 1/3. The head does the averaging.',
    starter="def share_so_far(text, letter):\n"
    '    raise NotImplementedError("your code")',
    reference=share_so_far,
    cases=_letters,
    observe=_head,
    tolerance=0.02,
    switched=_share_with,
    misconceptions=(
        Misconception(
            "whole-text",
            "Each place sees the whole text, so all places get one number.",
            "A share is a share of the text.",
            "What should the first place of 'aba' get, and does the mask let it?",
            switch={"see": "all"},
        ),
        Misconception(
            "without-itself",
            "Each place leaves its own letter out; the first gets 0.",
            "So far means before.",
            "What should the first place of 'aba' get for 'a'?",
            switch={"see": "before"},
        ),
        Misconception(
            "the-rest-of-the-text",
            "Each place averages from itself to the end.",
            "The triangle is the upper one.",
            "Row 0 is the first letter. How many keys should it see?",
            switch={"see": "to come"},
        ),
        Misconception(
            "inverted-mask",
            "Each place averages what comes after it; the last gets 0.",
            "True hides a key.",
            "What does True mean in this book?",
            switch={"see": "hidden"},
        ),
        Misconception(
            "plus-and-minus-one",
            "Your values are 1 for the letter and −1 for others: the output is a "
            "difference of shares.",
            "Yes and no are 1 and −1.",
            "What is the mean of 1 and −1, and what is the share of one in two?",
            switch={"read": "plus minus"},
        ),
        Misconception(
            "values-that-count",
            "Your values are counts already, and the head takes their mean.",
            "The head needs to know how many there were.",
            "What are the values of 'aa', and what is their mean at the second place?",
            switch={"read": "count"},
        ),
        Misconception(
            "share-of-the-others",
            "Your output is the share of all the other letters.",
            "A value of 0 marks what was found.",
            "What should 'eee' give for 'e'?",
            switch={"read": "is not"},
        ),
        Misconception(
            "looks-for-its-own-letter",
            "Each place listens more to letters like its own, so shares are tilted.",
            "A query should ask for something.",
            "How large should the weight of an 'a' be beside that of a 'b' here?",
            switch={"match": "letters"},
        ),
        Misconception(
            "looks-for-the-letter",
            "Once the letter has been seen, it gets all the attention.",
            "To count a letter, attend to it.",
            "A share needs a whole. Which letters are the whole, and do they get "
            "weight?",
            switch={"match": "hits"},
        ),
    ),
    variants=(
        _share_in_torch,
        _share_by_lists,
        _share_computed_in_values,
        lambda text, letter: (
            np.ones((len(text), 2)),
            np.zeros((len(text), 2)),
            (np.array(list(text)) == letter)[:, None],
            np.tri(len(text)).astype(int),
        ),
    ),
    remarks=(
        Remark(
            "Your values hold finished shares, and the head only copies them. Can you "
            "leave the averaging to the head, with values of 0 and 1?",
            _in_the_head,
        ),
    ),
    hints=(
        "A share is a mean. Of which numbers, one for each letter?",
        "All letters up to a place count alike. What do queries and keys look like if "
        "all scores are equal?",
        "Values of 1 and 0, a causal mask with the diagonal, and queries and keys that "
        "say nothing.",
    ),
    insight="A head gives shares, never counts: 'a' and 'aaaa' look the same to it. To "
    "count, a model needs something of known number to compare with, such as one "
    "marker at the beginning.",
)


# --- masks ---------------------------------------------------------------------------


def _sizes():
    return [
        Case("three words, nothing before them", (3, 3, 0)),
        Case("two new words after three", (2, 5, 3)),
        Case("more keys than are seen", (3, 7, 1)),
        Case("more queries than keys", (6, 4, 0)),
        Case("four new words after two, and one beyond", (4, 7, 2)),
    ]


def causal_from(n_q, n_k, offset):
    query_position = np.arange(n_q)[:, None] + offset
    key_position = np.arange(n_k)[None, :]
    return key_position <= query_position


def _causal_with(n_q, n_k, offset, *, reach=0, start="offset", allow="past", turn=0):
    begin = {
        "offset": offset,
        "none": 0,
        "minus": -offset,
        "last": n_k - n_q,
    }[start]
    ahead = np.arange(n_k)[None, :] - np.arange(n_q)[:, None] - begin - reach
    mask = {"past": ahead <= 0, "future": ahead > 0, "from here": ahead >= 0}[allow]
    return mask.T if turn else mask


def _causal_by_loop(n_q, n_k, offset):
    return [[j <= i + offset for j in range(n_k)] for i in range(n_q)]


def _causal_in_torch(n_q, n_k, offset):
    import torch

    return torch.ones(n_q, n_k, dtype=torch.bool).tril(diagonal=offset)


def _keys_of_each_query(result, n_q, n_k, offset):
    for i, row in enumerate(result):
        wanted, got = min(i + offset + 1, n_k), int(row.sum())
        if got != wanted:
            return f"Number of keys that query {i} may see: {wanted}; in yours: {got}."
    return None


causal = Exercise(
    id="ch03.causal-mask",
    title="Causal, wherever the queries begin",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch03-padding",
    prompt="Write `causal_from(n_q, n_k, offset)`, a boolean mask of shape "
    "`(n_q, n_k)`, `True` where a query may attend: before query 0 there are `offset` "
    "keys, and each query sees these, the keys of the queries before it, and its own. "
    "Three integers come in; there may be more keys than anybody may see.",
    starter="def causal_from(n_q, n_k, offset):\n"
    '    raise NotImplementedError("your code")',
    reference=causal_from,
    cases=_sizes,
    switched=_causal_with,
    misconceptions=(
        Misconception(
            "not-itself",
            "Your edge is one key early: a query does not see its own key.",
            "Causal means strictly before.",
            "With offset 0, what may query 0 attend to?",
            switch={"reach": -1},
        ),
        Misconception(
            "one-too-many",
            "Your edge is one key late: a query sees the key after its own.",
            "A count and an index are the same number.",
            "With offset 0, how many keys may query 0 see? Count yours.",
            switch={"reach": 1},
        ),
        Misconception(
            "offset-forgotten",
            "Your mask does not depend on the offset.",
            "The mask is a lower triangle, whatever came before.",
            "A text has three words and gets a fourth. Which keys may the fourth see?",
            switch={"start": "none"},
        ),
        Misconception(
            "offset-backwards",
            "A larger offset hides more: your queries moved to the left.",
            "Keys before the first query push it back.",
            "How many keys may query 0 see if three keys came before it?",
            switch={"start": "minus"},
        ),
        Misconception(
            "last-to-last",
            "Your last query stands beside the last key, whatever the offset.",
            "n_k - n_q is how many keys came before.",
            "Three queries, seven keys, offset 1. Which is the last key that the last "
            "query may see? When are there keys beyond it?",
            switch={"start": "last"},
        ),
        Misconception(
            "inverted",
            "True stands where a key is hidden.",
            "A mask says what is masked.",
            "What does `ac.causal_mask(3)[0, 0]` say, and what does yours?",
            switch={"allow": "future"},
        ),
        Misconception(
            "upper-triangle",
            "Your queries see from their edge on to the right: the future and not the "
            "past.",
            "The triangle that is allowed is the upper one.",
            "Row 0 is the first query. Should it be the fullest row?",
            switch={"allow": "from here"},
        ),
        Misconception(
            "keys-down-the-side",
            "Your mask has one row for each key.",
            "Either axis will do for a triangle.",
            "What is the shape of the scores that this mask is laid over?",
            switch={"turn": 1},
        ),
    ),
    variants=(
        lambda n_q, n_k, offset: np.tril(np.ones((n_q, n_k), dtype=bool), k=offset),
        lambda n_q, n_k, offset: ~np.triu(np.ones((n_q, n_k)), offset + 1).astype(bool),
        lambda n_q, n_k, offset: np.tri(n_q, n_k, offset, dtype=bool),
        lambda n_q, n_k, offset: np.fromfunction(
            lambda i, j: j - i < offset + 1, (n_q, n_k)
        ),
        _causal_by_loop,
        _causal_in_torch,
    ),
    properties=(Property("the keys of each query", _keys_of_each_query),),
    hints=(
        "Number all words of the text. What is the number of query i?",
        "A query may see a key when the key's number is not larger than its own.",
        "Compare a column of query numbers with a row of key numbers: shapes "
        "`(n_q, 1)` and `(1, n_k)` give `(n_q, n_k)`.",
    ),
    insight="With a cache, `offset` is its length. PyTorch's is_causal=True has no "
    "offset: of two new words after three it shows the first only one of the five "
    "keys.",
)


def _lengths():
    return [
        Case("two texts of 3 places", (np.array([3, 2]), 3)),
        Case("three texts of 5 places", (np.array([2, 5, 1]), 5)),
        Case("two texts of 7 places", (np.array([4, 6]), 7)),
    ]


def decoder_mask(lengths, n):
    position = np.arange(n)
    past = position[None, :] <= position[:, None]
    real = position[None, None, :] < lengths[:, None, None]
    return past & real


def _decoder_with(
    lengths, n, *, join="and", side="key", past="<=", real="<", turn=False
):
    i, j = np.arange(n)[:, None], np.arange(n)[None, :]
    counts = lengths[:, None, None]
    causal_part = {"<=": j <= i, "<": j < i, ">": j > i, ">=": j >= i}[past]
    place = {"key": j, "query": i}[side] + 0 * counts
    padding_part = {
        "<": place < counts,
        "<=": place <= counts,
        ">=": place >= counts,
    }[real]
    joined = {
        "and": causal_part & padding_part,
        "or": causal_part | padding_part,
        "causal": causal_part | (counts < 0),
        "padding": padding_part | np.zeros((n, n), dtype=bool),
    }[join]
    return ~joined if turn else joined


def _decoder_by_loop(lengths, n):
    mask = np.zeros((len(lengths), n, n), dtype=bool)
    for example, length in enumerate(lengths):
        for i in range(n):
            mask[example, i, : min(i + 1, length)] = True
    return mask


def _decoder_in_torch(lengths, n):
    import torch

    real = torch.arange(n) < torch.as_tensor(lengths)[:, None]
    return torch.tril(torch.ones(n, n, dtype=torch.bool)) & real[:, None, :]


def _sees_padding(result, lengths, n):
    for example, length in enumerate(lengths):
        if result[example, :, length:].any():
            return (
                f"Example {example} has {length} real words, and your mask lets a "
                f"query see a key at place {length} or later."
            )
    return None


def _sees_the_future(result, lengths, n):
    if result[:, ~np.tri(n, dtype=bool)].any():
        return "Your mask lets a query see a key that comes after it."
    return None


causal_and_padding = Exercise(
    id="ch03.decoder-mask",
    title="Real, and not in the future",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch03-padding",
    prompt="Write `decoder_mask(lengths, n)` without the package's masks. `lengths` "
    "has shape `(batch,)`: how many of the `n` places of each text are real words; "
    "padding stands behind them. Return a boolean array `(batch, n, n)`, `True` where "
    "a query may attend to a key: the key is a real word, and it stands at the query's "
    "own place or before it. "
    "Places of padding keep their rows as *queries*; nobody reads them.",
    starter='def decoder_mask(lengths, n):\n    raise NotImplementedError("your code")',
    reference=decoder_mask,
    cases=_lengths,
    switched=_decoder_with,
    misconceptions=(
        Misconception(
            "joined-by-or",
            "A key is allowed when one of the two conditions holds.",
            "Two masks are put together, so what either allows is allowed.",
            "May a query see a real word of the future? Which of your masks said yes?",
            switch={"join": "or"},
        ),
        Misconception(
            "causal-alone",
            "Your mask is the same for all texts: the lengths have no part in it.",
            "Padding stands behind the words, so the causal mask hides it anyway.",
            "True for the rows of real words. What do the rows of padding see?",
            switch={"join": "causal"},
        ),
        Misconception(
            "padding-alone",
            "All rows of a text are alike: nothing depends on the query's place.",
            "The mask of the lengths is all that a batch needs.",
            "May query 0 see key 1? What is it to predict?",
            switch={"join": "padding"},
        ),
        Misconception(
            "padding-of-queries",
            "The lengths cut off rows: places of padding see nothing.",
            "A mask of padding belongs to the places, whichever axis they are on.",
            "Which axis of the scores do the weights run along, and who must get the "
            "weight 0? Read the prompt's last sentence again.",
            switch={"side": "query"},
        ),
        Misconception(
            "padding-inverted",
            "The condition on the lengths is turned round: it asks for padding.",
            "A mask of padding is True where there is padding.",
            "A text has 3 of 5 places. Is place 0 one that may be seen?",
            switch={"real": ">="},
        ),
        Misconception(
            "one-padding-seen",
            "The edge of the padding is one place late.",
            "A text of length 3 ends at place 3.",
            "Which places has a text of three words, counted from 0?",
            switch={"real": "<="},
        ),
        Misconception(
            "not-itself",
            "The causal part leaves out each word's own place.",
            "Causal means strictly before.",
            "What may the first word attend to?",
            switch={"past": "<"},
        ),
        Misconception(
            "future-instead",
            "The causal part is turned round: it asks for keys after the query.",
            "True marks what a causal mask hides.",
            "What does True mean in this book?",
            switch={"past": ">"},
        ),
        Misconception(
            "upper-triangle",
            "The causal part asks for keys from the query's place on.",
            "A row looks to the right.",
            "Row 0 is the first query. Should it be the fullest row?",
            switch={"past": ">="},
        ),
        Misconception(
            "all-inverted",
            "True and False of the finished mask are exchanged.",
            "A mask says what is masked.",
            "May the first word see itself? What does your mask say at (0, 0, 0)?",
            switch={"turn": True},
        ),
    ),
    variants=(
        _decoder_by_loop,
        _decoder_in_torch,
        lambda lengths, n: (
            np.stack([np.tri(n, dtype=bool)] * len(lengths))
            & (np.arange(n) < lengths[:, None])[:, None, :]
        ),
        lambda lengths, n: (
            np.arange(n)
            < np.minimum(np.arange(1, n + 1)[:, None], lengths[:, None, None])
        ),
        lambda lengths, n: [
            [[j <= i and j < length for j in range(n)] for i in range(n)]
            for length in lengths
        ],
    ),
    properties=(
        Property("padding is hidden", _sees_padding),
        Property("the future is hidden", _sees_the_future),
    ),
    hints=(
        "Two questions for each pair: is the key real, and is it not after the query?",
        "Only one of the two questions depends on the text. Give its array the axes "
        "`(batch, 1, n)` and the other `(n, n)`.",
        "Both must be answered yes: `&` stretches the two arrays to `(batch, n, n)`.",
    ),
    insight="With padding behind the text, the causal mask alone already protects the "
    "rows of real words. With padding in front it does not, and some rows see nothing.",
)


# --- an inverted mask ----------------------------------------------------------------


def _padded_batch():
    def batch(seed, lengths, n_q, n_k, d_k, d_v):
        arrays = _arrays(seed, n_q, n_k, d_k, d_v, batch=(len(lengths),))
        return (*arrays, np.array(lengths))

    return [
        Case("one question, one padding", batch(61, [2], 1, 3, 4, 2)),
        Case("two texts, both padded", batch(62, [3, 1], 4, 5, 6, 3)),
        Case("three texts, one of them full", batch(63, [4, 6, 2], 5, 6, 3, 7)),
    ]


def read_batch(query, key, value, lengths):
    def attention(query, key, value, mask):  # mask: True means "may attend"
        scores = query @ key.mT / np.sqrt(query.shape[-1])
        scores = np.where(mask, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True) @ value

    real = np.arange(key.shape[-2]) < lengths[:, None, None]
    return attention(query, key, value, mask=real)


def _read_under(query, key, value, mask):
    scores = np.where(mask, _scaled(query, key), -np.inf)
    return _softmax(scores) @ value


def _read_with(query, key, value, lengths, *, how):
    places = np.arange(key.shape[-2])
    counts = lengths[:, None, None]
    real = places < counts
    masks = {
        "inverted": ~real,
        "one late": places <= counts,
        "longest": np.broadcast_to(places < lengths.max(), real.shape),
        "none": np.ones_like(real),
    }
    if how == "painted over":
        return np.nan_to_num(_read_under(query, key, value, ~real))
    if how == "zero keys":
        return _read_under(query, key * real.mT, value, masks["none"])
    if how == "zero both":
        return _read_under(query, key * real.mT, value * real.mT, masks["none"])
    if how == "zero values":
        return _read_under(query, key, value * real.mT, masks["none"])
    return _read_under(query, key, value, masks[how])


def _read_each_alone(query, key, value, lengths):
    examples = zip(query, key, value, lengths, strict=True)
    return np.stack([_softmax(_scaled(q, k[:n])) @ v[:n] for q, k, v, n in examples])


def _read_with_large_number(query, key, value, lengths):
    padding = np.arange(key.shape[-2]) >= lengths[:, None, None]
    return _softmax(np.where(padding, -1e9, _scaled(query, key))) @ value


def _read_in_torch(query, key, value, lengths):
    import torch

    real = torch.arange(key.shape[-2]) < lengths[:, None, None]
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(query, key, value, attn_mask=real)


def _read_narrow(query, key, value, lengths):
    narrow = (x.astype(np.float32) for x in (query, key, value))
    return read_batch(*narrow, lengths)


def _read_with_integers(query, key, value, lengths):
    padding = np.arange(key.shape[-2]) >= lengths[:, None, None]
    return _read_under(query, key, value, 1 - padding)


inverted_mask = Exercise(
    id="ch03.inverted-mask",
    title="A mask from another library",
    kind="debug",
    minutes=6,
    difficulty=2,
    section="ch03-padding",
    prompt="`read_batch(query, key, value, lengths)` should answer the queries of each "
    "text from its real words, the first `lengths[b]` keys of text `b`; the rest is "
    "padding. Shapes are `(batch, n_q, d_k)`, `(batch, n_k, d_k)`, `(batch, n_k, d_v)` "
    "and `(batch,)`. Its mask was written for another library. A text without padding "
    "comes out as NaN; the others only look healthy. Mend it for all.",
    starter="def read_batch(query, key, value, lengths):\n"
    '    def attention(query, key, value, mask):  # mask: True means "may attend"\n'
    "        scores = query @ key.mT / np.sqrt(query.shape[-1])\n"
    "        scores = np.where(mask, scores, -np.inf)\n"
    "        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
    "        return weights / weights.sum(axis=-1, keepdims=True) @ value\n"
    "\n"
    "    padding = np.arange(key.shape[-2]) >= lengths[:, None, None]\n"
    "    return attention(query, key, value, mask=padding)",
    reference=read_batch,
    cases=_padded_batch,
    misconceptions=(
        Misconception(
            "reads-the-padding",
            "Your output is a mean of the padding alone, and NaN where there is none.",
            "A mask of padding is what a function that masks padding wants.",
            "What does True mean to the function, and what to whoever made the mask?",
            wrong=lambda *a: _read_with(*a, how="inverted"),
        ),
        Misconception(
            "nan-painted-over",
            "Your output is a mean of the padding alone, and zeros where there is "
            "none.",
            "NaN is the fault, so it has to be replaced.",
            "Change a key of the padding. Does the output of that text move?",
            wrong=lambda *a: _read_with(*a, how="painted over"),
        ),
        Misconception(
            "one-padding-seen",
            "The first place of padding is read as a word.",
            "The opposite of > is what is needed, or >= and <= are opposites.",
            "A text of two words has the places 0 and 1. Is 2 among the allowed?",
            wrong=lambda *a: _read_with(*a, how="one late"),
        ),
        Misconception(
            "no-mask-left",
            "All keys are read, padding included.",
            "What gives NaN is best left out.",
            "Change a key behind the end of a text. Does your output move?",
            wrong=lambda *a: _read_with(*a, how="none"),
        ),
        Misconception(
            "longest-for-all",
            "Every text is read up to the length of the longest.",
            "A batch has one length.",
            "Which shape has your mask, and does it differ from text to text?",
            wrong=lambda *a: _read_with(*a, how="longest"),
        ),
        Misconception(
            "keys-set-to-zero",
            "The padding has the score 0, and its values still get a share.",
            "A key of zeros is found by no query.",
            "What is the score of a key of zeros, and what is e to that power?",
            wrong=lambda *a: _read_with(*a, how="zero keys"),
        ),
        Misconception(
            "keys-and-values-set-to-zero",
            "The padding is zero, and takes a share all the same.",
            "Zeros add nothing.",
            "What do the weights of the real words add up to?",
            wrong=lambda *a: _read_with(*a, how="zero both"),
        ),
        Misconception(
            "values-set-to-zero",
            "The padding's values are gone, and what they took is missing from the "
            "rest.",
            "What counts is that no value of the padding gets through.",
            "If all real values are 1, what should the output be, and what is yours?",
            wrong=lambda *a: _read_with(*a, how="zero values"),
        ),
    ),
    variants=(
        _read_each_alone,
        _read_with_large_number,
        _read_in_torch,
        _read_narrow,
        _read_with_integers,
    ),
    hints=(
        "Read the comment in the first line of the inner function aloud, and then the "
        "name of what it is given.",
        "For a text of two words and three places, write the mask down. Which entry "
        "should be True?",
        "One operator turns one meaning into the other; or build the mask from the "
        "opposite comparison. The opposite of `>=` has no equals sign.",
    ),
    insight="torch.nn.MultiheadAttention takes True for hidden, "
    "torch.nn.functional.scaled_dot_product_attention takes True for allowed. Only a "
    "text without padding made this fault visible. To test a text with padding, change "
    "the padding: nothing may move.",
)


# --- a mask that leaks ---------------------------------------------------------------


def _quiet_and_loud():
    quiet = _arrays(91, 3, 3, 2, 1)
    query, key, value = _arrays(92, 4, 4, 3, 5)
    key = np.abs(key) + 0.5
    loud = np.abs(query) + 0.5
    return [
        Case("three words, usual scores", quiet),
        Case("four words, all scores below -1e4", (-8e3 * loud, key, value)),
        Case("four words, scores around -1e30", (-1e15 * loud, 1e15 * key, value)),
        Case("two texts, usual scores", _arrays(93, 5, 5, 4, 2, batch=(2,))),
    ]


def keep_the_future_out(query, key, value):
    n = query.shape[-2]
    scores = query @ key.mT / np.sqrt(query.shape[-1])
    future = np.triu(np.ones((n, n), dtype=bool), k=1)
    scores = np.where(future, -np.inf, scores)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return weights @ value


def _future_with(query, key, value, *, fill=-np.inf, how="put", first=1):
    n = query.shape[-2]
    future = np.triu(np.ones((n, n), dtype=bool), k=first)
    scores = _scaled(query, key)
    if how == "added":
        return _softmax(scores + np.where(future, fill, 0.0)) @ value
    if how == "after":
        return np.where(future, 0.0, _softmax(scores)) @ value
    if how == "after, divided":
        left = np.where(future, 0.0, _softmax(scores))
        return left / left.sum(axis=-1, keepdims=True) @ value
    if how == "clipped":
        return _softmax(np.where(future, -1e4, np.clip(scores, -1e3, 1e3))) @ value
    if how == "inverted":
        return _softmax(np.where(future, scores, -np.inf)) @ value
    if how == "lowest":
        return _softmax(np.where(future, scores.min() - 1.0, scores)) @ value
    return _softmax(np.where(future, fill, scores)) @ value


def _future_by_beginnings(query, key, value):
    rows = [
        _softmax(_scaled(query[..., i : i + 1, :], key[..., : i + 1, :]))
        @ value[..., : i + 1, :]
        for i in range(query.shape[-2])
    ]
    return np.concatenate(rows, axis=-2)


def _future_in_torch(query, key, value):
    import torch

    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(query, key, value, is_causal=True)


leaking_mask = Exercise(
    id="ch03.leaking-mask",
    title="Perfect in training, lost in use",
    kind="debug",
    minutes=8,
    difficulty=3,
    section="ch03-note-neg-inf",
    prompt="`keep_the_future_out(query, key, value)` is causal attention of texts to "
    "themselves. Query and key have the shape `(*batch, n, d_k)`, value and result "
    "`(*batch, n, d_v)`. A model with it predicted every word of its training texts, "
    "and wrote nonsense. Its users printed the scores of a layer and found numbers "
    "around $-15000$. Mend it so that the future is hidden whatever the scores are, "
    "and leave the allowed scores as they are.",
    starter="def keep_the_future_out(query, key, value):\n"
    "    n = query.shape[-2]\n"
    "    scores = query @ key.mT / np.sqrt(query.shape[-1])\n"
    "    future = np.triu(np.ones((n, n), dtype=bool), k=1)\n"
    "    scores = np.where(future, -1e4, scores)\n"
    "    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
    "    weights = weights / weights.sum(axis=-1, keepdims=True)\n"
    "    return weights @ value",
    reference=keep_the_future_out,
    cases=_quiet_and_loud,
    switched=_future_with,
    misconceptions=(
        Misconception(
            "minus-1e4-in-place",
            "Where the allowed scores lie far below `-1e4`, each query but the last "
            "reads its future and nothing else.",
            "−10000 is lower than any score, so the fault must be elsewhere.",
            "A row has the allowed score −15000 and the hidden score −10000. Who wins?",
            switch={"fill": -1e4},
        ),
        Misconception(
            "lower-and-still-finite",
            "With scores around −15000 the future is hidden now; with scores below "
            "your number it is read again.",
            "The number was not low enough; a lower one settles it.",
            "Is there a number that no training can get below?",
            switch={"fill": -1e9},
        ),
        Misconception(
            "zero-in-place",
            "Hidden scores are 0, and get a share.",
            "A score of zero means that there is nothing to share.",
            "What is e to the power 0? Which of your allowed scores are below it?",
            switch={"fill": 0.0},
        ),
        Misconception(
            "inverted",
            "The past and the word itself are hidden, and the last word sees nothing: "
            "NaN.",
            "The mask marks what may be seen.",
            "Print `future` for three words. What is done where it is True?",
            switch={"how": "inverted"},
        ),
        Misconception(
            "minus-1e4-added",
            "Hidden scores are 1e4 lower than before; one that is higher by more still "
            "wins.",
            "Lowering the future is enough to hide it.",
            "A row has the allowed score −40000 and the future −10000. Subtract 10000: "
            "who wins?",
            switch={"fill": -1e4, "how": "added"},
        ),
        Misconception(
            "minus-1e9-added",
            "Hidden scores are 1e9 lower than before; one that is higher by more still "
            "wins.",
            "Lowering the future by enough is enough to hide it.",
            "How far apart can two scores be?",
            switch={"fill": -1e9, "how": "added"},
        ),
        Misconception(
            "scores-clipped",
            "The future is hidden, and large scores have lost their differences.",
            "Scores of −15000 are the fault, and they must not occur.",
            "Which key should a query choose whose scores are −15000 and −20000? Which "
            "does it choose with yours?",
            switch={"how": "clipped"},
        ),
        Misconception(
            "lower-than-the-lowest",
            "Hidden scores lie 1 below the lowest score, and still get a share.",
            "What is lower than all others gets nothing.",
            "How large is e to the power −1?",
            switch={"how": "lowest"},
        ),
        Misconception(
            "zeroed-afterwards",
            "Rows add up to less than 1: what the future took is missing.",
            "Zeros after the softmax cannot be beaten by a score.",
            "Raise the score of a later word. Do earlier outputs move?",
            switch={"how": "after"},
        ),
        Misconception(
            "zeroed-and-divided",
            "Where a hidden score is far above the allowed ones, your row is 0 / 0: "
            "NaN.",
            "Zeros after the softmax, and a division, repair everything.",
            "What are the shares of the scores −40000 and −10000? Now hide the second.",
            switch={"how": "after, divided"},
        ),
        Misconception(
            "hides-itself",
            "The diagonal is hidden too: the first word has nothing to attend to.",
            "The leak comes through the diagonal.",
            "Which keys may query 0 attend to?",
            switch={"first": 0},
        ),
        Misconception(
            "sees-the-next",
            "Each word sees the word after it.",
            "k counts the diagonals that are allowed.",
            "Print np.triu(np.ones((3, 3)), k=2). Which pairs are hidden?",
            switch={"first": 2},
        ),
    ),
    variants=(
        _future_by_beginnings,
        _future_in_torch,
        lambda query, key, value: _future_with(
            query, key, value, fill=np.finfo(float).min
        ),
        lambda query, key, value: _future_with(query, key, value, how="added"),
        lambda query, key, value: keep_the_future_out(
            *(x.astype(np.float32) for x in (query, key, value))
        ),
    ),
    hints=(
        "Work through a row with one allowed score of −15000 and one hidden. What are "
        "the two numbers in the softmax?",
        "A rule that holds for any score needs a fill that no score can be below.",
        "IEEE floating point has a number for this, and its exponential is exactly 0.",
    ),
    insight="It happened: karpathy/minGPT issue 75 reports GPT-2 code with `-1e4`, "
    "where training drove allowed scores below it and so copied the future. A finite "
    "fill is part of the model, and training finds what pays.",
)


# --- shares of what is allowed -------------------------------------------------------


def _masked_scores():
    rng = np.random.default_rng(81)
    hide = np.array([[True, True, False], [False, False, False]])
    return [
        Case(
            "one key hidden",
            (np.array([[2.0, 1.0, 3.0]]), np.array([[True, True, False]])),
        ),
        Case("the second query may see nothing", (rng.normal(0, 2, (2, 3)), hide)),
        Case(
            "allowed scores of -2e9, and a usual row",
            (
                np.array([[-2e9, -2e9, 5.0], [1.0, 2.0, 0.5]]),
                np.array([[True, True, False], [True, True, True]]),
            ),
        ),
        Case(
            "a hidden score of 1000",
            (np.array([[1.0, 2.0, 1000.0]]), np.array([[True, True, False]])),
        ),
        Case(
            "two texts, one mask for both",
            (rng.normal(0.5, 2, (2, 4, 5)), np.tri(4, 5, -1, dtype=bool)),
        ),
    ]


def allowed_shares(scores, mask):
    scores = np.where(mask, scores, -np.inf)
    highest = scores.max(axis=-1, keepdims=True)
    highest = np.where(highest == -np.inf, 0.0, highest)
    exponentials = np.exp(scores - highest)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / np.where(total == 0, 1.0, total)


def _allowed_with(scores, mask, *, how):
    full = np.broadcast_to(mask, scores.shape)
    empty = ~full.any(axis=-1, keepdims=True)
    if how == "after":
        return _softmax(scores) * full
    if how == "after, divided":
        left = _softmax(scores) * full
        return left / np.maximum(left.sum(axis=-1, keepdims=True), 1e-300)
    if how == "after, divided, unguarded":
        left = _softmax(scores) * full
        return left / left.sum(axis=-1, keepdims=True)
    if how.startswith("no shift"):
        raised = np.exp(np.where(full, scores, -np.inf))
        total = raised.sum(axis=-1, keepdims=True)
        return raised / (total if "unguarded" in how else np.maximum(total, 1e-300))
    if how == "added":
        return _softmax(scores + np.where(full, 0.0, -1e9))
    if how == "inverted":
        return _safe_softmax(scores, ~full)
    if how == "queries":
        return _safe_softmax(scores.mT, full.mT).mT
    fill = {"zero": 0.0, "zero, guarded": 0.0, "1e9, guarded": -1e9, "1e9": -1e9}
    fill |= {"nan": -np.inf, "lowest": np.finfo(float).min}
    weights = _softmax(np.where(full, scores, fill[how]))
    return np.where(empty, 0.0, weights) if "guarded" in how else weights


def _allowed_by_loop(scores, mask):
    weights = np.zeros(scores.shape)
    for row in np.ndindex(scores.shape[:-1]):
        allowed = np.broadcast_to(mask, scores.shape)[row]
        if allowed.any():
            weights[row][allowed] = _softmax(scores[row][allowed])
    return weights


def _allowed_in_torch(scores, mask):
    import torch

    weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=-1)
    return torch.nan_to_num(weights)


def _hidden_gets_a_share(result, scores, mask):
    if (np.abs(result)[~np.broadcast_to(mask, scores.shape)] > 0).any():
        return "A hidden key should have the weight 0, exactly; one of yours has more."
    return None


def _rows_of_one(result, scores, mask):
    some = np.broadcast_to(mask, scores.shape).any(axis=-1)
    text = sums_to_one(result[some])
    return None if text is None else text.format(what="The weights")


masked_softmax_exercise = Exercise(
    id="ch03.masked-softmax",
    title="Shares among the allowed",
    kind="implement",
    minutes=12,
    difficulty=3,
    section="ch03-empty-row",
    prompt="Write `allowed_shares(scores, mask)`: the softmax along the last axis, "
    "among the keys that the mask allows. `scores` has shape `(*batch, n_q, n_k)`; "
    "`mask` is boolean, `True` for may attend, and has that shape or `(n_q, n_k)`. "
    "Hidden keys get exactly 0, whatever the scores, $-2 \\cdot 10^9$ included; a "
    "query that may attend to nothing gets zeros.",
    starter="def allowed_shares(scores, mask):\n"
    '    raise NotImplementedError("your code")',
    reference=allowed_shares,
    cases=_masked_scores,
    switched=_allowed_with,
    misconceptions=(
        Misconception(
            "zero-is-no-mask",
            "Your hidden keys have the score 0, and a share.",
            "A score of zero means that there is nothing to share.",
            "What is e to the power 0? Which scores are below it?",
            switch={"how": "zero"},
        ),
        Misconception(
            "zero-is-no-mask-but-for-empty-rows",
            "A query without keys gets zeros; elsewhere hidden keys have the score 0.",
            "A score of zero means that there is nothing to share.",
            "What is e to the power 0? Which scores are below it?",
            switch={"how": "zero, guarded"},
        ),
        Misconception(
            "zeroed-afterwards",
            "The rows with hidden keys add up to less than 1.",
            "A weight set to 0 is a hidden key, and the others are right.",
            "Where did the share of the hidden keys go? Raise a hidden score: do the "
            "others move?",
            switch={"how": "after"},
        ),
        Misconception(
            "divided-afterwards",
            "A row with a hidden score far above the allowed ones is lost: all zeros.",
            "Zeros after the softmax, and a division, repair everything.",
            "What is e to the power 1 − 1000, and e to the power `-2e9`, in floating "
            "point? Which score was subtracted as the largest?",
            switch={"how": "after, divided"},
        ),
        Misconception(
            "divided-afterwards-by-nothing",
            "You get NaN for a query without keys, and wherever a hidden score is far "
            "above the allowed ones.",
            "Hidden scores may take part in the exponentials; zeros and a division "
            "repair that.",
            "With the allowed scores 1 and 2 and the hidden 1000: what are the three "
            "exponentials, and what is left to divide by?",
            switch={"how": "after, divided, unguarded"},
        ),
        Misconception(
            "allowed-scores-underflow",
            "Allowed scores of `-2e9` get zeros; everything else is right.",
            "The exponential of an allowed score is above 0.",
            "What is e to the power `-2e9` in floating point? What may be added to a "
            "whole row without changing its shares?",
            switch={"how": "no shift"},
        ),
        Misconception(
            "allowed-scores-underflow-to-nan",
            "You get NaN for a query without keys, and for allowed scores of `-2e9`.",
            "The exponential of an allowed score is above 0, so there is always "
            "something to divide by.",
            "Which two rows have a total of 0, and is it for the same reason?",
            switch={"how": "no shift, unguarded"},
        ),
        Misconception(
            "finite-fill",
            "Allowed scores of `-2e9` lose to hidden ones, and a query without keys "
            "gets equal shares of those.",
            "A number that is low enough works as minus infinity.",
            "What if the allowed scores are below your number? And what are the shares "
            "of a row in which every score is your number?",
            switch={"how": "1e9"},
        ),
        Misconception(
            "finite-fill-and-a-guard",
            "A query without keys is right, and allowed scores of `-2e9` lose to "
            "hidden ones.",
            "There is a number below every score that can occur.",
            "Is there a number that is below all others, and may a score be it?",
            switch={"how": "1e9, guarded"},
        ),
        Misconception(
            "minus-1e9-added",
            "Hidden scores are 1e9 lower than before: a query without keys gets the "
            "shares it would have without a mask.",
            "Adding a large negative number is the same as putting it in place.",
            "What does the softmax do with a constant that is added to a whole row?",
            switch={"how": "added"},
        ),
        Misconception(
            "lowest-number",
            "All is right but one thing: a query without keys gets equal shares of "
            "hidden ones.",
            "The lowest number there is works as minus infinity.",
            "If all scores of a row are equal, what are the shares?",
            switch={"how": "lowest"},
        ),
        Misconception(
            "nan-without-keys",
            "All is right but one thing: a query without keys gets NaN.",
            "Minus infinity takes care of everything.",
            "What is −∞ − (−∞)? Which number is the largest of a row of −∞?",
            switch={"how": "nan"},
        ),
        Misconception(
            "inverted",
            "The hidden keys share among themselves, and the allowed ones get 0.",
            "True marks what is masked.",
            "What does True mean in this book? Look at the first case.",
            switch={"how": "inverted"},
        ),
        Misconception(
            "softmax-over-queries",
            "Each column adds up to 1: the queries share a key.",
            "The first of the two axes is the one to share among.",
            "One query, three keys: what are the shares of a row?",
            switch={"how": "queries"},
        ),
    ),
    variants=(
        _allowed_by_loop,
        _allowed_in_torch,
        lambda scores, mask: _safe_softmax(scores.astype(np.float32), mask),
        lambda scores, mask: np.nan_to_num(_softmax(np.where(mask, scores, -np.inf))),
        lambda scores, mask: np.where(
            mask, _softmax(np.where(mask, scores, np.finfo(float).min)), 0.0
        ),
        lambda scores, mask: _softmax(np.where(mask, scores, -1e300)) * mask,
    ),
    properties=(
        in_words("the weights", not_negative),
        Property("hidden keys get nothing", _hidden_gets_a_share),
        Property("rows with a key sum to one", _rows_of_one),
    ),
    hints=(
        "Which score has the exponential 0, exactly?",
        "Minus infinity handles everything but the empty row. What goes wrong there, "
        "and at which of your lines?",
        "Two guards: one for the largest of a row, when it is not a number to "
        "subtract, and one for the total, when there is nothing to divide by.",
        "Where the largest is minus infinity, subtract 0 instead; where the total is "
        "0, divide by 1.",
    ),
    insight="Repairing NaN afterwards (nan_to_num) gives the same numbers here, and "
    "would also hide a NaN that came in with the scores. The guards touch nothing "
    "else.",
)


# --- a mask to design ----------------------------------------------------------------


def _packed():
    rng = np.random.default_rng(71)
    rows = [
        Case("two texts in one row", (np.array([4, 4, 4, 1, 1]),)),
        Case("one text", (np.zeros(4, dtype=int),)),
        Case("texts of one word", (np.array([0, 1, 2, 2, 2, 3]),)),
    ]
    for length in (7, 9, 12):
        texts = np.array([3, 0, 7, 1])[np.sort(rng.integers(0, 4, length))]
        rows.append(Case(f"{length} words", (texts,)))
    return rows


def mask_of_texts(texts):
    n = len(texts)
    same = texts[:, None] == texts[None, :]
    before = np.arange(n)[None, :] < np.arange(n)[:, None]
    return same & before


def _head_of_equal_scores(result, texts):
    """Return the output of a head that scores all keys alike, under a mask."""
    mask = np.asarray(result)
    if mask.dtype.kind not in "bui" or not np.isin(mask, (0, 1)).all():
        raise ValueError("a mask is an array of True and False")
    mask = mask.astype(bool)
    n = len(texts)
    if mask.shape != (n, n):
        raise ValueError(f"the mask has shape {mask.shape}, and the row has {n} words")
    value = np.random.default_rng(7).normal(1.0, 2.0, (n, 3))
    return _safe_softmax(np.zeros((n, n)), mask) @ value


def _texts_with(texts, *, when="before", where="same"):
    i, j = np.arange(len(texts))[:, None], np.arange(len(texts))[None, :]
    seen = {
        "before": j < i,
        "and itself": j <= i,
        "others": j != i,
        "all": j > -1 - i,
        "after": j > i,
        "last": j == i - 1,
    }[when]
    same = texts[:, None] == texts[None, :]
    if where == "or":
        return same | seen
    if where == "hidden":
        return ~(same & seen)
    return seen & {"same": same, "any": same | ~same, "other": ~same}[where]


def _texts_by_loop(texts):
    words = range(len(texts))
    return [[bool(texts[i] == texts[j] and j < i) for j in words] for i in words]


def _texts_in_torch(texts):
    import torch

    texts = torch.as_tensor(texts)
    return (texts[:, None] == texts).tril(-1)


average_before = Exercise(
    id="ch03.average-before",
    title="The average so far, text by text",
    kind="design",
    minutes=10,
    difficulty=3,
    section="ch03-empty-row",
    prompt="To waste no place on padding, several texts are packed into one row: "
    "`texts = [4, 4, 4, 1, 1]` says that three words belong to text 4 and the next two "
    "to text 1; the numbers are names, in no order. A head gives all pairs the same "
    "score, so its mask alone decides. Write `mask_of_texts(texts)`: it gets such an "
    "array, shape `(n,)`, and returns a boolean `(n, n)` mask, `True` for may attend, "
    "with which each output is the mean of the values *before* its word, in its own "
    "text. The first word of a text has none before it: let it attend to nothing, and "
    "the head gives it zeros.",
    starter='def mask_of_texts(texts):\n    raise NotImplementedError("your code")',
    reference=mask_of_texts,
    cases=_packed,
    observe=_head_of_equal_scores,
    tolerance=0.02,
    switched=_texts_with,
    misconceptions=(
        Misconception(
            "with-itself",
            "Each word's own place is in its mean.",
            "A causal mask always contains the diagonal.",
            "What should the first word of a text get, and what does it get from you?",
            switch={"when": "and itself"},
        ),
        Misconception(
            "across-texts",
            "The texts make no difference: your mask is the same for all rows of a "
            "length.",
            "What stands before in the row is before.",
            "Which words may the first word of the second text see?",
            switch={"where": "any"},
        ),
        Misconception(
            "all-but-itself",
            "A word also sees the places after its own.",
            "Leaving out itself is what counts.",
            "What should the first word of a text get?",
            switch={"when": "others"},
        ),
        Misconception(
            "whole-text",
            "A word sees places before its own, its own, and those after.",
            "The mask keeps the texts apart, and the head does the rest.",
            "All scores are equal. Who tells the head what is before and what is "
            "after?",
            switch={"when": "all"},
        ),
        Misconception(
            "after-instead",
            "A word sees places after its own, and none before.",
            "Rows are keys and columns are queries.",
            "Which entry of the mask says whether word 2 may see word 0?",
            switch={"when": "after"},
        ),
        Misconception(
            "only-the-previous",
            "A word sees the one place before it.",
            "Before means directly before.",
            "How many keys does the last of three words see in your mask?",
            switch={"when": "last"},
        ),
        Misconception(
            "either-condition",
            "A pair is allowed if it is in one text, or in the right order.",
            "Two conditions are added up.",
            "Must a key meet one of the two conditions, or both?",
            switch={"where": "or"},
        ),
        Misconception(
            "other-texts",
            "A word sees words of other texts only.",
            "The mask marks the boundaries between texts.",
            "Which words may the second word of the first text see?",
            switch={"where": "other"},
        ),
        Misconception(
            "inverted",
            "True marks the pairs to hide.",
            "A mask says what is masked.",
            "What does True mean in this book?",
            switch={"where": "hidden"},
        ),
    ),
    variants=(
        _texts_by_loop,
        _texts_in_torch,
        lambda texts: np.tril(np.equal.outer(texts, texts), -1),
        lambda texts: mask_of_texts(texts).astype(int),
        lambda texts: (
            np.tri(len(texts), k=-1, dtype=bool) * (texts[:, None] - texts == 0)
        ),
    ),
    hints=(
        "Two conditions for a pair: one on the places, one on the texts.",
        "The mean is over the allowed keys. Which are allowed for the first word of a "
        "text?",
        "Compare `texts` as a column with `texts` as a row; do the same with the "
        "places, and ask for both.",
    ),
    insight="Equal scores turn attention into a mean over what the mask allows, so a "
    "mask is a program of its own. A mask that keeps packed texts apart, with each "
    "word's own place in it, lets a model train without padding.",
)


# --- what it costs -------------------------------------------------------------------

operations = Exercise(
    id="ch03.multiply-adds",
    title="Count the work",
    kind="predict",
    minutes=4,
    difficulty=2,
    section="ch03-cost",
    prompt="How many multiply-adds do the two matrix products of attention take, with "
    "10 queries, 30 keys, $d_k = 8$ and $d_v = 5$? One multiplication with its "
    "addition counts as one. Set `ch03_predict_work` to the number.",
    starter="ch03_predict_work = ...",
    reference=3900,
    misconceptions=(
        Misconception(
            "scores-alone",
            "2400 is the work of the scores.",
            "Attention is the comparison of queries and keys.",
            "What is done with the weights afterwards?",
            wrong=2400,
        ),
        Misconception(
            "means-alone",
            "1500 is the work of the means.",
            "The scores are there already.",
            "Where do the 300 scores come from, and what does one cost?",
            wrong=1500,
        ),
        Misconception(
            "one-width",
            "4800 takes d_k for the width of the values too.",
            "Attention has one width.",
            "How many numbers has one row of the output?",
            wrong=4800,
        ),
        Misconception(
            "each-counted-twice",
            "7800 counts multiplications and additions apart.",
            "An addition is an operation too.",
            "True, and many papers count so. What does the prompt count as one?",
            wrong=7800,
        ),
        Misconception(
            "bracketed-to-the-right",
            "1600 is the work of KᵀV, and then of Q times that.",
            "The order of the products is free.",
            "What stands between the two products of attention?",
            wrong=1600,
        ),
        Misconception(
            "sizes-multiplied",
            "12000 multiplies all four sizes.",
            "Both products are over everything.",
            "The two products are done one after the other. Do their costs multiply?",
            wrong=12000,
        ),
        Misconception(
            "entries-not-work",
            "300 is the number of scores.",
            "Each score is one operation.",
            "How many products are added up in one score?",
            wrong=300,
        ),
        Misconception(
            "square-of-the-keys",
            "11700 counts as many queries as keys.",
            "Attention costs the square of the length.",
            "The square of which length, when there are 10 queries?",
            wrong=11700,
        ),
    ),
    hints=(
        "A product of shapes `(a, b)` and `(b, c)` takes a · b · c multiply-adds.",
        "The first product has the shapes (10, 8) and (8, 30).",
        "The second has (10, 30) and (30, 5). Add the two.",
    ),
    insight="n_q n_k (d_k + d_v) = 10 · 30 · 13. Counted apart, multiplications and "
    "additions (FLOPs) are about twice as many; read which of the two a paper counts "
    "before you compare.",
)
