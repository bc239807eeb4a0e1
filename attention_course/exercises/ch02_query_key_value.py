"""Exercises of chapter 2, a dictionary that answers when no key matches."""

# mypy: allow-untyped-defs

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property, Remark
from ._properties import in_words, not_negative, sums_to_one


def _softmax(scores, axis=-1):
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def _overflows(*arguments):
    """Build a remark for answers that are right, but not on these arguments."""

    def applies(answer):
        result = answer(*arguments)
        parts = result if isinstance(result, tuple) else (result,)
        return not all(np.isfinite(np.asarray(part)).all() for part in parts)

    return Remark(
        "Scores above about 700 give NaN, since the exponential overflows. Subtract "
        "the largest score of each row first: the weights stay the same.",
        applies,
    )


def _swap(array):
    return np.swapaxes(array, -1, -2)


# --- cosine ------------------------------------------------------------------------


def _pairs():
    rng = np.random.default_rng(24)
    return [
        Case(
            "two queries, three keys",
            (
                np.array([[1.0, 2.0], [3.0, -1.0]]),
                np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 4.0]]),
            ),
        ),
        Case("more queries", (rng.normal(0.5, 1, (5, 3)), rng.normal(0.3, 1, (4, 3)))),
        Case("one query", (rng.normal(0.5, 1, (1, 6)), rng.normal(0.3, 1, (7, 6)))),
    ]


def dot_scores(query, key):
    scores = np.zeros((len(query), len(key)))
    for i in range(len(query)):
        for j in range(len(key)):
            scores[i, j] = (query[i] * key[j]).sum()
    return scores


def _dot_scores_with(query, key, *, pairing="dot", then="nothing", turned=False):
    if pairing == "sums":
        scores = query.sum(axis=1)[:, None] * key.sum(axis=1)
    elif pairing == "distance":
        scores = np.linalg.norm(query[:, None] - key[None], axis=2)
    elif pairing == "unit":
        scores = all_cosines(query, key)
    elif pairing == "mean":
        scores = (query[:, None] * key[None]).mean(axis=2)
    else:
        scores = query @ key.T
    if then == "softmax":
        scores = _softmax(scores)
    if then == "root":
        scores = scores / np.sqrt(query.shape[1])
    return scores.T if turned else scores


def _all_products(query, key):
    return query[:, None, :] * key[None, :, :]


def _only_queries(query, key):
    return query @ query.T


def _torch_dots(query, key):
    import torch

    return torch.einsum("id,jd->ij", query, key)


every_dot_product = Exercise(
    id="ch02.dot-scores",
    title="Every query meets every key",
    kind="implement",
    minutes=5,
    difficulty=1,
    section="ch02-word-vectors",
    prompt="Write `dot_scores(query, key)`: `query` has shape `(n_q, d_k)`, `key` "
    "`(n_k, d_k)`, and entry $(i, j)$ of the result `(n_q, n_k)` is the plain dot "
    "product of query $i$ and key $j$. Two loops are fine; if you find one product of "
    "matrices that does it, even better.",
    starter='def dot_scores(query, key):\n    raise NotImplementedError("your code")',
    reference=dot_scores,
    cases=_pairs,
    switched=_dot_scores_with,
    misconceptions=(
        Misconception(
            "keys-as-rows",
            "Your result has a row for each key: it is the transpose of what was "
            "asked.",
            "The dot product does not care for order, so the matrix does not either.",
            "Whose scores should stand side by side: those of one query or of one key?",
            switch={"turned": True},
        ),
        Misconception(
            "already-scaled",
            "Your scores are the dot products divided by the root of d_k.",
            "Scores are always scaled.",
            "What is [1, 2] · [1, 1], counted on your fingers?",
            switch={"then": "root"},
        ),
        Misconception(
            "already-weights",
            "Each of your rows adds up to 1: these are weights, not scores.",
            "Scores come out of the softmax.",
            "Which comes first, the comparison or the shares?",
            switch={"then": "softmax"},
        ),
        Misconception(
            "cosines",
            "No entry of yours exceeds 1: you divided by the lengths.",
            "A dot product is taken between vectors of length 1.",
            "What is [3, 4] · [3, 4]?",
            switch={"pairing": "unit"},
        ),
        Misconception(
            "mean-of-products",
            "You took the mean of the products of entries; a dot product is their sum.",
            "A wider vector should not get a larger score, so one averages.",
            "What is [1, 2] · [1, 1], counted on your fingers?",
            switch={"pairing": "mean"},
        ),
        Misconception(
            "product-of-sums",
            "You added up each vector first and multiplied the two sums.",
            "Summing and multiplying may change places.",
            "What is [1, −1] · [1, −1], by hand and by your function?",
            switch={"pairing": "sums"},
        ),
        Misconception(
            "distances",
            "Your entries are distances: 0 for a vector and itself.",
            "A score says how far the key is from the query.",
            "Should the key that fits best have the largest score or the smallest?",
            switch={"pairing": "distance"},
        ),
        Misconception(
            "products-not-added",
            "Your result has three axes: the products of entries stand side by side, "
            "not added up.",
            "The product of two vectors is a vector.",
            "How many numbers say how well one key answers one query?",
            wrong=_all_products,
        ),
        Misconception(
            "queries-among-themselves",
            "You compared queries with queries; the keys take no part.",
            "In attention everything is compared with everything.",
            "Change a key. Does your result change?",
            wrong=_only_queries,
        ),
    ),
    variants=(
        lambda query, key: query @ key.T,
        lambda query, key: (query[:, None] * key[None]).sum(-1),
        lambda query, key: [[sum(a * b) for b in key] for a in query],
        lambda query, key: (query @ key.T).astype(np.float32),
        _torch_dots,
    ),
    hints=(
        "How many scores are there for 2 queries and 3 keys? Which one stands in row "
        "0, column 2?",
        "Entry (i, j) of a matrix product is row i of the first times column j of the "
        "second. What must happen to the keys, which are rows?",
        "With loops: an outer one over queries, an inner one over keys, and inside "
        "multiply entry by entry and add up.",
    ),
    insight="One product, `query @ key.T`, does what these two loops do, with the same "
    "`n_q * n_k * d_k` multiplications, but in compiled code. Time both with 128 "
    "queries and 128 keys of width 64.",
)


# --- long or parallel -----------------------------------------------------------------


def _cosine_cases():
    rng = np.random.default_rng(20)
    key = rng.normal(0.5, 1.0, (4, 5))
    key[2] = 0.0
    query = rng.normal(-0.3, 1.5, (3, 5))
    short = rng.normal(1.0, 1.0, (2, 3)) * np.array([[1.0], [0.1]])
    return [
        Case(
            "one query, two keys",
            (np.array([[3.0, 4.0]]), np.array([[6.0, 8.0], [0.0, -2.0]])),
        ),
        Case("no zeros, one short key", (rng.normal(0.4, 2.0, (4, 3)), short)),
        Case("a key of zeros", (query, key)),
        Case("a query of zeros", (np.vstack([0 * query[0], query]), key[:2])),
    ]


def all_cosines(query, key):
    dots = query @ key.T
    of_query = np.linalg.norm(query, axis=1)[:, None]
    lengths = of_query * np.linalg.norm(key, axis=1)
    zeros = np.zeros_like(dots)
    return np.divide(dots, lengths, out=zeros, where=lengths > 0)


def _cosines_with(query, key, *, by="both", length="root", axis=1):
    lengths = {
        "root": lambda x: np.sqrt((x**2).sum(axis=axis, keepdims=True)),
        "square": lambda x: (x**2).sum(axis=axis, keepdims=True),
        "absolute": lambda x: np.abs(x).sum(axis=axis, keepdims=True),
    }[length]

    def unit(x):
        size = lengths(x)
        return x / np.where(size > 0, size, 1.0)

    left = unit(query) if by in ("both", "query") else query
    right = unit(key) if by in ("both", "key") else key
    return left @ right.T


def _nothing_counts_as_one(query, key):
    nothing = ~(query.any(axis=1)[:, None] & key.any(axis=1))
    return np.where(nothing, 1.0, all_cosines(query, key))


def _without_sign(query, key):
    return np.abs(all_cosines(query, key))


def _shares_of_cosines(query, key):
    return _softmax(all_cosines(query, key))


def _torch_cosines(query, key):
    import torch

    return torch.nn.functional.cosine_similarity(query[:, None], key[None], dim=-1)


def _loop_cosines(query, key):
    rows = []
    for q in query:
        sizes = [np.sqrt(q @ q) * np.sqrt(k @ k) for k in key]
        row = [q @ k / s if s else 0.0 for k, s in zip(key, sizes, strict=True)]
        rows.append(row)
    return rows


def _beyond_one(result):
    if (np.abs(result) > 1 + 1e-4).any():
        return f"{{what}} lie between −1 and 1; one is {np.abs(result).max():.3g}."
    return None


cosine_of_every_pair = Exercise(
    id="ch02.cosine-scores",
    title="The cosine of every pair",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch02-word-vectors",
    prompt="Write `all_cosines(query, key)` for whole matrices: `query` has shape "
    "`(n_q, d_k)`, `key` has shape `(n_k, d_k)`, and the result, `(n_q, n_k)`, holds "
    "the cosine of every query with every key. A row of zeros has no direction: let "
    "its cosines be 0, not NaN.",
    starter='def all_cosines(query, key):\n    raise NotImplementedError("your code")',
    reference=all_cosines,
    cases=_cosine_cases,
    switched=_cosines_with,
    misconceptions=(
        Misconception(
            "dot-product",
            "Your scores grow with the vectors: they are plain dot products.",
            "The dot product already measures the angle.",
            "Make a key ten times as long. Which of its scores may change?",
            switch={"by": "none"},
        ),
        Misconception(
            "query-length-left-in",
            "Double a query and its row of your result doubles: only the lengths of "
            "the keys were divided out.",
            "The keys are compared with each other, so only their lengths matter.",
            "What is the cosine of [3, 4] with itself, and what do you get?",
            switch={"by": "key"},
        ),
        Misconception(
            "key-length-left-in",
            "Double a key and its column of your result doubles: only the lengths of "
            "the queries were divided out.",
            "One length is enough to normalise a product.",
            "What is the cosine of [3, 4] with [6, 8], and what do you get?",
            switch={"by": "query"},
        ),
        Misconception(
            "no-root",
            "Double a vector and its cosines halve: you divided by squared lengths.",
            "x · x is the length of x.",
            "What is the length of [3, 4]? And [3, 4] · [3, 4]?",
            switch={"length": "square"},
        ),
        Misconception(
            "sum-of-absolute-values",
            "You divided by the sum of the absolute entries: [3, 4] counted as 7 long.",
            "The length of a vector is what its entries add up to.",
            "How far from the origin is the point (3, 4)?",
            switch={"length": "absolute"},
        ),
        Misconception(
            "length-of-columns",
            "You divided each feature by its length over all rows: these are lengths "
            "of columns, and a vector here is a row.",
            "`axis=0` means: one result for each row.",
            "How many lengths does a query matrix of shape (3, 5) have, 3 or 5?",
            switch={"axis": 0},
        ),
        Misconception(
            "length-of-the-matrix",
            "All rows were divided by one number: the length of the whole matrix.",
            "norm gives one length for each row by itself.",
            "Print the lengths that you divide by. How many should there be?",
            switch={"axis": None},
        ),
        Misconception(
            "zeros-count-as-one",
            "A vector of zeros has the cosine 1 with everything in your result.",
            "Nothing divided by nothing is one.",
            "Does a vector of zeros point the same way as [3, 4]?",
            wrong=_nothing_counts_as_one,
        ),
        Misconception(
            "sign-lost",
            "None of your cosines is negative: opposite directions count as the same.",
            "A cosine is a size, so it is positive.",
            "What is the cosine of [1, 0] with [−1, 0]?",
            wrong=_without_sign,
        ),
        Misconception(
            "already-weights",
            "Each of your rows adds up to 1: these are weights, not cosines.",
            "Scores come out of the softmax.",
            "What is the cosine of a vector with itself? And in your result?",
            wrong=_shares_of_cosines,
        ),
    ),
    variants=(
        _loop_cosines,
        _torch_cosines,
        _cosines_with,
        lambda query, key: all_cosines(
            query.astype(np.float32), key.astype(np.float32)
        ),
        lambda query, key: (
            np.einsum("id,jd->ij", query, key)
            / (np.sqrt((query**2).sum(1))[:, None] * np.sqrt((key**2).sum(1)) + 1e-12)
        ),
        lambda query, key: np.nan_to_num(
            query @ key.T / np.linalg.norm(query, axis=1)[:, None] / _length(key)
        ),
    ),
    properties=(in_words("the cosines", _beyond_one),),
    hints=(
        "For one pair the chapter divides the dot product by two lengths. How many "
        "pairs are there, and how many lengths?",
        "The lengths of the queries form a column, those of the keys a row. What does "
        "NumPy make of their product?",
        "Where a length is 0, the dot product is 0 too. Divide by something harmless "
        "there, 1 for example, and the result is 0.",
    ),
    insight="A cosine is the dot product of two vectors of length 1. Whoever compares "
    "many queries with the same keys scales each key once, when it is stored, and "
    "computes plain dot products ever after.",
)


def _length(rows):
    return np.linalg.norm(rows, axis=1)


# --- the soft lookup -----------------------------------------------------------------


def _lookup_cases():
    rng = np.random.default_rng(21)
    tiny = np.array([[1.0, 2.0]]), np.array([[2.0, 1.0], [-1.0, 3.0], [0.5, 0.5]])
    return [
        Case("one query", (*tiny, np.array([[10.0], [20.0], [60.0]]), 0.5)),
        Case(
            "a low temperature",
            (
                rng.normal(0.3, 1.5, (4, 6)),
                rng.normal(0.5, 1.2, (5, 6)),
                rng.normal(2.0, 1.0, (5, 3)),
                0.2,
            ),
        ),
        Case(
            "a high temperature",
            (
                rng.normal(0.3, 1.5, (2, 4)),
                rng.normal(0.5, 1.2, (3, 4)),
                rng.normal(-1.0, 2.0, (3, 7)),
                2.0,
            ),
        ),
    ]


def answer_all(query, key, value, temperature):
    unit_query = query / np.linalg.norm(query, axis=1, keepdims=True)
    unit_key = key / np.linalg.norm(key, axis=1, keepdims=True)
    scores = unit_query @ unit_key.T / temperature
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=1, keepdims=True)
    return weights @ value


def _answer_all_with(
    query, key, value, temperature, *, heat="divide", score="cosine", mix="softmax"
):
    left, right = query, key
    if score in ("cosine", "cosine-scaled"):
        left = query / _length(query)[:, None]
        right = key / _length(key)[:, None]
    scores = left @ right.T
    if score in ("scaled", "cosine-scaled"):
        scores = scores / np.sqrt(query.shape[1])
    if heat in ("divide", "multiply"):
        scores = scores / temperature if heat == "divide" else scores * temperature
    if mix == "queries":
        weights = _softmax(scores, axis=0)
    elif mix == "hard":
        weights = np.eye(len(key))[scores.argmax(axis=1)]
    elif mix == "none":
        weights = scores
    elif mix == "matrix":
        weights = np.exp(scores) / np.exp(scores).sum()
    elif mix == "plain":
        weights = scores / scores.sum(axis=1, keepdims=True)
    else:
        weights = _softmax(scores)
    return (weights / temperature if heat == "after" else weights) @ value


def _mixes_keys(query, key, value, temperature):
    return _answer_all_with(query, key, key, temperature)


def _hands_over_weights(query, key, value, temperature):
    return _answer_all_with(query, key, np.eye(len(key)), temperature)


def _torch_lookup(query, key, value, temperature):
    import torch

    normal = torch.nn.functional.normalize
    scores = normal(query, dim=-1) @ normal(key, dim=-1).T
    return torch.softmax(scores / temperature, dim=-1) @ value


def _loop_lookup(query, key, value, temperature):
    outputs = []
    for q in query:
        raised = [np.exp(q @ k / np.sqrt(q @ q * (k @ k)) / temperature) for k in key]
        outputs.append(sum(r * v for r, v in zip(raised, value, strict=True)))
        outputs[-1] = outputs[-1] / sum(raised)
    return outputs


def _outside(result, query, key, value, temperature):
    low, high = value.min(axis=0) - 1e-6, value.max(axis=0) + 1e-6
    if result.shape[-1] == len(low) and ((result < low) | (result > high)).any():
        return (
            "An output is a weighted mean of the values, so it lies between the "
            "smallest and the largest of them. One of yours does not."
        )
    return None


lookup_with_temperature = Exercise(
    id="ch02.soft-lookup",
    title="A dictionary for many questions",
    kind="implement",
    minutes=10,
    difficulty=2,
    section="ch02-never-no",
    prompt="Write `answer_all(query, key, value, temperature)`, the soft lookup of "
    "several questions at once: `query` `(n_q, d_k)`, `key` `(n_k, d_k)`, `value` "
    "`(n_k, d_v)`. Scores are cosines; the result `(n_q, d_v)` holds one answer a "
    "row. No row is all zeros.",
    starter="def answer_all(query, key, value, temperature):\n"
    '    raise NotImplementedError("your code")',
    reference=answer_all,
    cases=_lookup_cases,
    switched=_answer_all_with,
    misconceptions=(
        Misconception(
            "multiplies-by-temperature",
            "Your answers at T are the right ones at 1/T: you multiplied by T.",
            "A higher temperature means stronger scores.",
            "Should one key win more clearly at T = 0.05 or at T = 20?",
            switch={"heat": "multiply"},
        ),
        Misconception(
            "temperature-ignored",
            "Your answers are the same at every temperature: they belong to T = 1.",
            "The temperature is a detail that leaves the weights as they are.",
            "Call it with T = 0.01 and T = 100. What should each answer be?",
            switch={"heat": "never"},
        ),
        Misconception(
            "temperature-after-softmax",
            "Your answers are those of T = 1, divided by T: the weights add up to 1/T.",
            "Dividing the weights does the same as dividing the scores.",
            "What do your weights add up to at T = 0.5?",
            switch={"heat": "after"},
        ),
        Misconception(
            "dot-product-scores",
            "Your weights depend on how long the vectors are: these scores are dot "
            "products.",
            "The dot product is the cosine.",
            "Make one key ten times as long. Should its weight change?",
            switch={"score": "dot"},
        ),
        Misconception(
            "scaled-dot-product-scores",
            "These scores are dot products over the root of d_k, not cosines.",
            "Dividing by the root of the width removes the lengths.",
            "Make one key ten times as long. Should its weight change?",
            switch={"score": "scaled"},
        ),
        Misconception(
            "softmax-over-queries",
            "Each column of your weights adds up to 1: your softmax runs over the "
            "queries.",
            "`axis=0` is the axis of the keys.",
            "Ask one question alone, then together with another. Should its answer "
            "change?",
            switch={"mix": "queries"},
        ),
        Misconception(
            "best-key-only",
            "Each answer is the value of one key: the best took all the weight.",
            "A lookup returns one entry.",
            "At which temperature would two keys of nearly equal cosine share?",
            switch={"mix": "hard"},
        ),
        Misconception(
            "no-softmax",
            "Your scores multiply the values as they are: no shares were made of them.",
            "Scores are weights already.",
            "What do the numbers in front of the values add up to? Are all positive?",
            switch={"mix": "none"},
        ),
        Misconception(
            "divided-by-sum",
            "Your weights are scores divided by their sum, without an exponential.",
            "Shares are made by dividing by the total.",
            "What weight gets a key with a negative cosine?",
            switch={"mix": "plain"},
        ),
        Misconception(
            "cosine-and-root",
            "Your scores are cosines over the root of d_k: scaled twice.",
            "Every score is divided by the root of d_k.",
            "Do cosines grow when vectors get wider?",
            switch={"score": "cosine-scaled"},
        ),
        Misconception(
            "shares-of-the-whole-matrix",
            "All your weights together add up to 1: the questions share one whole.",
            "The sum runs over everything that was computed.",
            "Ask one question alone, then with another. Should its answer change?",
            switch={"mix": "matrix"},
        ),
        Misconception(
            "mixes-keys",
            "Your answers are weighted means of the keys.",
            "What was found is what is handed over.",
            "Put other values in. Does your answer change?",
            wrong=_mixes_keys,
        ),
        Misconception(
            "hands-over-weights",
            "Your result is the matrix of weights; the values are not in it.",
            "The weights are the answer of the lookup.",
            "How wide is an answer, n_k or d_v?",
            wrong=_hands_over_weights,
        ),
    ),
    variants=(
        _loop_lookup,
        _torch_lookup,
        lambda query, key, value, temperature: (
            _softmax(all_cosines(query, key) / temperature).astype(np.float32) @ value
        ),
        lambda query, key, value, temperature: np.einsum(
            "ij,jd->id",
            _softmax(1 / temperature * all_cosines(query, key), axis=1),
            value,
        ),
    ),
    properties=(Property("between the values", _outside),),
    remarks=(_overflows(np.ones((1, 2)), np.ones((2, 2)), np.ones((2, 3)), 0.001),),
    hints=(
        "Three steps: scores, shares, weighted mean. Which of them does T belong to?",
        "All scores form a matrix `(n_q, n_k)`. Along which axis must shares add up to "
        "1 so that every question is answered on its own?",
        "Bring queries and keys to length 1, multiply the one by the transpose of the "
        "other, divide by T; then shares along the last axis; then a product with the "
        "values.",
    ),
    insight="As T falls towards 0, each answer becomes the value of its best key, as "
    "in a dictionary; as T grows, each becomes the plain mean of all values. In "
    "between, it moves smoothly, and that is what lets a model learn by small steps.",
)


# --- one query ---------------------------------------------------------------------


def _best_cases():
    rng = np.random.default_rng(22)

    def some(n_k, d_k, d_v, count):
        query, key = rng.normal(0.5, 1.2, d_k), rng.normal(0.2, 1.3, (n_k, d_k))
        return query, key, rng.normal(1.0, 2.0, (n_k, d_v)), count

    tiny = np.array([2.0, 0.0]), np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.0]])
    return [
        Case("the best two of three", (*tiny, np.array([[9.0], [3.0], [6.0]]), 2)),
        Case("the best three of six", some(6, 4, 3, 3)),
        Case("the best alone", some(5, 3, 7, 1)),
        Case("all seven", some(7, 5, 2, 7)),
    ]


def attend_best(query, key, value, count):
    scores = np.array([query @ k for k in key]) / np.sqrt(len(query))
    best = np.argsort(scores)[-count:]
    exponentials = np.exp(scores[best] - scores.max())
    weights = np.zeros(len(key))
    weights[best] = exponentials / exponentials.sum()
    output = sum(w * v for w, v in zip(weights, value, strict=True))
    return output, weights


def _attend_best_with(query, key, value, count, *, scale="root", keep="best", cut=""):
    divisor = {
        "root": np.sqrt(len(query)),
        "none": 1.0,
        "no-root": len(query),
        "d_v": np.sqrt(value.shape[1]),
        "n_k": np.sqrt(len(key)),
    }[scale]
    scores = key @ query / divisor
    order = {
        "best": np.argsort(-scores)[:count],
        "worst": np.argsort(scores)[:count],
        "first": np.arange(count),
        "all": np.arange(len(key)),
    }[keep]
    kept = np.zeros(len(key))
    kept[order] = 1.0
    if cut == "after":
        weights = _softmax(scores) * kept
    elif cut == "score-zero":
        weights = _softmax(scores * kept)
    elif cut == "equal":
        weights = kept / kept.sum()
    else:
        weights = _softmax(np.where(kept > 0, scores, -np.inf))
    return weights @ value, weights


def _unsorted_best(query, key, value, count):
    weights = _softmax(key @ query / np.sqrt(len(query)))
    shares = np.sort(weights)[::-1][:count]
    shares = np.append(shares / shares.sum(), np.zeros(len(key) - count))
    return shares @ value, shares


def _torch_best(query, key, value, count):
    import torch

    scores = key @ query / query.shape[0] ** 0.5
    top = torch.topk(scores, count)
    kept = torch.full_like(scores, float("-inf")).scatter(0, top.indices, top.values)
    weights = kept.softmax(dim=0)
    return weights @ value, weights


def _renormalised_best(query, key, value, count):
    weights = _softmax(key @ query * len(query) ** -0.5)
    weights = weights * (weights >= np.sort(weights)[-count])
    weights = weights / weights.sum()
    return weights @ value, weights


def _as_pair(result, *arguments):
    """Take [output, weights] for (output, weights)."""
    return tuple(result) if isinstance(result, list) else result


attend_to_the_best = Exercise(
    id="ch02.best-keys",
    title="One question, and only the best keys answer",
    kind="implement",
    minutes=12,
    difficulty=3,
    section="ch02-who",
    prompt="Write `attend_best(query, key, value, count)`: the attention of one query, "
    "in which only the `count` keys with the largest scores answer. Shapes: `query` "
    "`(d_k,)`, `key` `(n_k, d_k)`, `value` `(n_k, d_v)`. Return the output `(d_v,)` "
    "and the weights `(n_k,)`, in this order: the weights of the chosen keys are the "
    "softmax of their scaled scores and add up to 1, all others are 0. No two scores "
    "are equal. Loops are welcome.",
    starter="def attend_best(query, key, value, count):\n"
    '    raise NotImplementedError("your code")',
    reference=attend_best,
    observe=_as_pair,
    cases=_best_cases,
    switched=_attend_best_with,
    misconceptions=(
        Misconception(
            "no-scaling",
            "Your weights are those of unscaled dot products.",
            "Scores are dot products, and nothing more.",
            "By what is q · k divided in the chapter's first example by hand?",
            switch={"scale": "none"},
        ),
        Misconception(
            "divides-by-width",
            "Your scores are the dot products over d_k; the root is missing.",
            "A sum of d_k terms is divided by d_k.",
            "For d_k = 4, is a score of 4 divided by 4 or by 2?",
            switch={"scale": "no-root"},
        ),
        Misconception(
            "scales-by-value-width",
            "Your scores change with the width of the values: you took the root of "
            "d_v.",
            "All vectors have the same width, so any of them will do.",
            "Which two vectors does the dot product multiply? How wide are they?",
            switch={"scale": "d_v"},
        ),
        Misconception(
            "scales-by-number-of-keys",
            "Your scores shrink as keys are added: you took the root of n_k.",
            "`len(key)` is the width of a key.",
            "How many terms does one dot product add up?",
            switch={"scale": "n_k"},
        ),
        Misconception(
            "cut-after-softmax",
            "Your chosen weights add up to less than 1: keys were dropped after their "
            "shares had been dealt out.",
            "A dropped key takes its share with it, and the others keep theirs.",
            "When you keep the best key alone, what should its weight be?",
            switch={"cut": "after"},
        ),
        Misconception(
            "score-zero",
            "A dropped key still gets weight: its score was set to 0.",
            "A score of 0 means a weight of 0.",
            "What is e to the power 0?",
            switch={"cut": "score-zero"},
        ),
        Misconception(
            "plain-mean-of-the-best",
            "All chosen keys weigh the same: you averaged their values.",
            "Choosing the keys is all that the scores are for.",
            "Should the best and the second best of two chosen keys count alike?",
            switch={"cut": "equal"},
        ),
        Misconception(
            "keeps-the-worst",
            "You kept the keys with the smallest scores.",
            "argsort puts the largest first.",
            "What is np.argsort([5, 1, 3])? Which entry comes first?",
            switch={"keep": "worst"},
        ),
        Misconception(
            "keeps-the-first",
            "You kept the first keys of the matrix, whatever their scores.",
            "The keys come ordered by score.",
            "Put the best key last. Does it still answer?",
            switch={"keep": "first"},
        ),
        Misconception(
            "count-ignored",
            "All keys answer: `count` changes nothing.",
            "The softmax leaves out the small ones by itself.",
            "How many of your weights are above 0 when count is 1?",
            switch={"keep": "all"},
        ),
        Misconception(
            "sorted-weights-meet-unsorted-values",
            "Your weights are sorted, and the values are not: the best weight went to "
            "the first key.",
            "Sorting the weights keeps track of whose they are.",
            "After sorting, which key does your first weight belong to?",
            wrong=_unsorted_best,
        ),
    ),
    variants=(
        _torch_best,
        _renormalised_best,
        _attend_best_with,
        lambda query, key, value, count: list(attend_best(query, key, value, count)),
    ),
    properties=(
        in_words("the weights", not_negative, part=1),
        in_words("the weights", sums_to_one, part=1),
    ),
    remarks=(_overflows(np.full(4, 50.0), np.eye(4)[:3] * 50.0, np.ones((3, 2)), 2),),
    hints=(
        "Ordinary attention of one query comes first. At which of its steps must a key "
        "be left out so that the others still share a whole of 1?",
        "argsort gives indices, from the smallest score to the largest. The last count "
        "of them are the chosen ones.",
        "Begin with weights that are all 0, and write the softmax of the chosen scores "
        "at the chosen indices.",
    ),
    insight="With `count = n_k` this is ordinary attention. Keeping few keys saves "
    "reading the other values, but not computing their scores: these decide which are "
    "left out.",
)


# --- designs: three matrices that make a head do a job ------------------------------


long_or_parallel = Exercise(
    id="ch02.long-or-parallel",
    title="Long or parallel?",
    kind="predict",
    minutes=4,
    difficulty=2,
    section="ch02-scores",
    prompt="The query is $[0, 2]$. Key 0 is $[0, 3]$, key 1 is $[5, 4]$ and key 2 is "
    "$[-6, 0]$. Which key gets the largest score by dot product, by cosine, and by "
    "scaled dot product (divided by $\\sqrt{d_k}$, with $d_k = 2$)? Set `ch02_winners` "
    "to a tuple of three key numbers, in this order, before you compute anything.",
    starter="ch02_winners = ...",
    reference=(1, 0, 1),
    misconceptions=(
        Misconception(
            "always-the-parallel-one",
            "Key 0 everywhere: the one that points as the query does.",
            "The larger the dot product, the more similar the vectors.",
            "Work out 0·5 + 2·4 and 0·0 + 2·3.",
            wrong=(0, 0, 0),
        ),
        Misconception(
            "always-the-long-one",
            "Key 1 everywhere, for the cosine too.",
            "A score is a score: if one key wins, it wins by every measure.",
            "What is the largest value a cosine can have, and which key reaches it?",
            wrong=(1, 1, 1),
        ),
        Misconception(
            "scaling-removes-length",
            "Key 1 by dot product, but key 0 after scaling.",
            "Dividing by the root of d_k removes the lengths, as the cosine does.",
            "Divide 8 and 6 by the same number. Which is larger afterwards?",
            wrong=(1, 0, 0),
        ),
        Misconception(
            "dot-and-cosine-swapped",
            "Dot product and cosine have changed places in your answer.",
            "The cosine is the one that looks at lengths.",
            "Make key 1 ten times as long. Which of the two scores changes?",
            wrong=(0, 1, 0),
        ),
        Misconception(
            "largest-entries",
            "Key 2 by dot product: it has the largest entry, and a dot product of 0.",
            "The size of the entries decides, whatever the direction.",
            "What is 0·(−6) + 2·0?",
            wrong=(2, 0, 2),
        ),
        Misconception(
            "counted-from-one",
            "Your order is right if the keys are counted from 1; here they are 0, 1, "
            "2.",
            "The first key is number 1.",
            "Which number stands in front of [0, 3] in the question?",
            wrong=(2, 1, 2),
        ),
    ),
    hints=(
        "Only one of the three measures ignores how long a key is.",
        "The query has one entry that is not zero. Which entry of a key counts?",
        "Dot products: twice the second entry of each key. Scaling divides all three "
        "by the same number.",
    ),
    insight="The dot products are 6, 8 and 0, the cosines 1, 0.62 and 0, and scaling "
    "makes 6, 8 and 0 into 4.24, 5.66 and 0. A factor that is the same for all keys "
    "never changes which key wins, only how clearly. Scaling is such a factor; the "
    "length of a key is not.",
)


# --- orthogonal ---------------------------------------------------------------------


orthogonal_or_independent = Exercise(
    id="ch02.orthogonal",
    title="Orthogonal, independent, ignored",
    kind="explain",
    minutes=4,
    difficulty=2,
    section="ch02-scores",
    prompt="The query is $q = [2, 1]$; the keys are $u = [-1, 2]$, $w = [3, 0]$ and "
    "$z = [0, 0]$. Which of these sentences are true? There may be more than one: set "
    '`ch02_orthogonal` to all their letters, such as "ce".',
    starter="ch02_orthogonal = ...",
    choices={
        "a": Choice(
            "w and q are linearly independent, though their dot product is 6.",
            "Neither is a multiple of the other, so they are independent, and 6 is not "
            "0: independent vectors need not be orthogonal.",
            right=True,
        ),
        "b": Choice(
            "z and q have the dot product 0, so they are linearly independent.",
            "z is 0 times q, a multiple of it: the pair is dependent. Orthogonal "
            "vectors are independent only if neither of them is zero.",
        ),
        "c": Choice(
            "A key with dot product 0, such as u, gets the weight 0 in a softmax.",
            "e to the power 0 is 1: a score of 0 is a score like any other. Here u "
            "gets as much weight as z, and more than a key with a negative score "
            "would.",
        ),
        "d": Choice(
            "u and q are orthogonal, and as neither is zero, independent too.",
            "−2 + 2 = 0: a right angle. Of two non-zero vectors at a right angle "
            "neither is a multiple of the other.",
            right=True,
        ),
        "e": Choice(
            "Doubling u raises its dot product with q, as it would for key w.",
            "Twice 0 is 0. A longer key has a higher score on the query's side and a "
            "lower one on the other side; at a right angle length does nothing.",
        ),
    },
    hints=(
        "Compute the three dot products first.",
        "Two vectors are linearly dependent if one is a multiple of the other. Is the "
        "zero vector a multiple of q?",
        "For the sentence about weights, ask what e to the power of the score is.",
    ),
    insight="Two random vectors of width d_k are practically always independent, from "
    "width 2 on. Their cosine is about 1 over the root of d_k in size, so wide ones "
    "are nearly orthogonal too.",
)


# --- additive -----------------------------------------------------------------------


def _additive_cases():
    rng = np.random.default_rng(25)

    def some(n_q, n_k, d_query, d_key, d_hidden):
        return (
            rng.normal(0.4, 1.0, (n_q, d_query)),
            rng.normal(-0.3, 1.0, (n_k, d_key)),
            rng.normal(0.1, 0.5, (d_query + d_key, d_hidden)),
            rng.normal(0.3, 1.0, d_hidden),
        )

    tiny = np.array([[1.0]]), np.array([[0.5], [-2.0]])
    return [
        Case("widths of 1", (*tiny, np.array([[0.6], [0.4]]), np.array([2.0]))),
        Case("a wide key", some(3, 4, 2, 5, 6)),
        Case("a wide query", some(2, 5, 4, 3, 7)),
    ]


def additive_scores(query, key, w, v):
    d_query = query.shape[1]
    from_query = query @ w[:d_query]
    from_key = key @ w[d_query:]
    hidden = np.tanh(from_query[:, None, :] + from_key[None, :, :])
    return hidden @ v


def _additive_with(
    query, key, w, v, *, bend="tanh", first="query", turned=False, soft=False
):
    parts = (query, key) if first == "query" else (key, query)
    cut = parts[0].shape[1]
    one, two = parts[0] @ w[:cut], parts[1] @ w[cut:]
    if first == "key":
        one, two = two, one
    one, two = one[:, None], two[None]
    hidden = {
        "tanh": lambda: np.tanh(one + two),
        "none": lambda: one + two,
        "relu": lambda: np.maximum(one + two, 0.0),
        "sigmoid": lambda: 1 / (1 + np.exp(-(one + two))),
        "each": lambda: np.tanh(one) + np.tanh(two),
        "product": lambda: np.tanh(one * two),
        "outside": lambda: one + two,
    }[bend]()
    scores = np.tanh(hidden @ v) if bend == "outside" else hidden @ v
    scores = _softmax(scores) if soft else scores
    return scores.T if turned else scores


def _without_v(query, key, w, v):
    return _additive_with(query, key, w, np.ones_like(v))


def _tanh_first(query, key, w, v):
    return _additive_with(np.tanh(query), np.tanh(key), w, v, bend="none")


def _scaled_additive(query, key, w, v):
    return _additive_with(query, key, w, v) / np.sqrt(len(v))


def _pairs_in_line(query, key, w, v):
    rows = [np.tanh(np.concatenate([q, k]) @ w) @ v for q in query for k in key]
    return np.array(rows)


def _loop_additive(query, key, w, v):
    return [[np.tanh(np.append(q, k) @ w) @ v for k in key] for q in query]


def _torch_additive(query, key, w, v):
    import torch

    n_q, n_k = len(query), len(key)
    left = query[:, None].expand(n_q, n_k, query.shape[1])
    right = key[None].expand(n_q, n_k, key.shape[1])
    return torch.tanh(torch.cat([left, right], dim=-1) @ w) @ v


def _repeat_additive(query, key, w, v):
    pairs = np.hstack(
        [np.repeat(query, len(key), axis=0), np.tile(key, (len(query), 1))]
    )
    return (np.tanh(pairs @ w) @ v).reshape(len(query), len(key))


additive_of_every_pair = Exercise(
    id="ch02.additive-scores",
    title="The additive score, written as concat",
    kind="implement",
    minutes=12,
    difficulty=3,
    section="ch02-scores",
    prompt="Luong's way of writing the additive score puts query and key side by side, "
    "query first, and multiplies by one matrix: the score is "
    "`v · tanh([q, k] @ w)`. Write `additive_scores(query, key, w, v)` for every "
    "pair: `query` `(n_q, d_query)`, `key` `(n_k, d_key)`, `w` "
    "`(d_query + d_key, d_hidden)`, `v` `(d_hidden,)`, result `(n_q, n_k)`.",
    starter="def additive_scores(query, key, w, v):\n"
    '    raise NotImplementedError("your code")',
    reference=additive_scores,
    cases=_additive_cases,
    switched=_additive_with,
    misconceptions=(
        Misconception(
            "no-tanh",
            "Your rows differ from each other by a constant only: the tanh is missing, "
            "so every query would get the same weights.",
            "The tanh is decoration.",
            "Take the softmax of each of your rows. What do you notice?",
            switch={"bend": "none"},
        ),
        Misconception(
            "tanh-of-each",
            "Your rows differ by a constant only: tanh was taken of query and key "
            "apart, before they were added.",
            "`tanh(a) + tanh(b)` is `tanh(a + b)`.",
            "What is `tanh(1) + tanh(1)`, and how large can `tanh(2)` be?",
            switch={"bend": "each"},
        ),
        Misconception(
            "tanh-at-the-end",
            "All your scores lie between −1 and 1: tanh was taken of the finished "
            "score.",
            "The nonlinearity comes last.",
            "With v all 5s, how large can a score be in the formula?",
            switch={"bend": "outside"},
        ),
        Misconception(
            "multiplies-the-parts",
            "Query's part and key's part were multiplied; the additive score adds "
            "them.",
            "Query and key meet by multiplication, as in a dot product.",
            "What is `[q, k] @ w` when q is zero? Does the key still count?",
            switch={"bend": "product"},
        ),
        Misconception(
            "relu",
            "Your hidden numbers are never negative and have no upper end: a ReLU "
            "stands where the tanh should.",
            "Any nonlinearity gives the same score.",
            "What are `tanh(-2)` and `max(-2, 0)`?",
            switch={"bend": "relu"},
        ),
        Misconception(
            "sigmoid",
            "Your hidden numbers lie between 0 and 1: a sigmoid stands where the tanh "
            "should.",
            "Sigmoid and tanh are two names for one curve.",
            "What are `tanh(0)` and `sigmoid(0)`?",
            switch={"bend": "sigmoid"},
        ),
        Misconception(
            "key-first",
            "The first rows of w were multiplied with the key: side by side, but the "
            "wrong way round.",
            "The order inside the brackets does not matter.",
            "If d_query is 2, which rows of w belong to the query?",
            switch={"first": "key"},
        ),
        Misconception(
            "keys-as-rows",
            "Your result has a row for each key: it is the transpose of what was "
            "asked.",
            "It does not matter which of the two gets the rows.",
            "What shape should 3 queries and 4 keys give?",
            switch={"turned": True},
        ),
        Misconception(
            "already-weights",
            "Each of your rows adds up to 1: these are weights, not scores.",
            "A score includes the softmax.",
            "Can a score be negative? Can yours?",
            switch={"soft": True},
        ),
        Misconception(
            "v-left-out",
            "You added up the hidden numbers without weighting them by v.",
            "v is a value, and values come after the softmax.",
            "How many of your arguments does your function use?",
            wrong=_without_v,
        ),
        Misconception(
            "all-pairs-in-one-line",
            "The scores are right and stand in one line: n_q times n_k of them.",
            "A list of all pairs is a matrix of all pairs.",
            "Which of your numbers belong to query 1?",
            wrong=_pairs_in_line,
        ),
        Misconception(
            "tanh-of-the-inputs",
            "Your rows differ by a constant only: tanh was taken of the inputs, before "
            "w.",
            "It does not matter where the nonlinearity stands.",
            "Can a key still change how a query counts, after the tanh of each alone?",
            wrong=_tanh_first,
        ),
        Misconception(
            "scaled-too",
            "Your scores are additive scores over the root of d_hidden.",
            "Every score is divided by the root of its width.",
            "Between which bounds does an additive score lie, whatever the inputs?",
            wrong=_scaled_additive,
        ),
    ),
    variants=(
        _loop_additive,
        _torch_additive,
        _repeat_additive,
        lambda query, key, w, v: additive_scores(
            *(x.astype(np.float32) for x in (query, key, w, v))
        ),
    ),
    hints=(
        "Begin with one pair: a vector of width d_query + d_key, times w, is the "
        "hidden vector. Two loops around that are a full answer.",
        "Without loops: `[q, k] @ w` is a part that depends on q alone plus a part "
        "that depends on k alone. Which rows of w make which part?",
        "Parts of shape `(n_q, d_hidden)` and `(n_k, d_hidden)` become all sums of "
        "pairs when the first is `(n_q, 1, d_hidden)` and the second "
        "`(1, n_k, d_hidden)`.",
    ),
    insight="Splitting w saves work: each query and each key is multiplied once, not "
    "once a pair. What remains per pair is d_hidden additions, tanhs and "
    "multiplications by v, and the hidden numbers have to be stored; a dot product "
    "stores one number a pair.",
)


# --- scaling ------------------------------------------------------------------------


spread_of_scores = Exercise(
    id="ch02.spread",
    title="How large is a dot product?",
    kind="predict",
    minutes=5,
    difficulty=3,
    section="ch02-scaling",
    prompt="All entries are independent with mean 0. Those of the query have standard "
    "deviation 3, those of the key 1, and $d_k = 100$. What is the standard deviation "
    "of $q \\cdot k$, and what is it after dividing by $\\sqrt{d_k}$? Set "
    "`ch02_spread` to a tuple of the two numbers.",
    starter="ch02_spread = ...",
    reference=(30.0, 3.0),
    tolerance=0.05,
    misconceptions=(
        Misconception(
            "variance",
            "900 is the variance of q · k, and 9 the variance after scaling.",
            "Variance and standard deviation are the same measure.",
            "If all scores are multiplied by 2, what happens to each of the two?",
            wrong=(900.0, 9.0),
        ),
        Misconception(
            "variance-over-root",
            "900 is the variance of q · k; 90 is that variance over the root of d_k.",
            "A variance shrinks by the factor by which the numbers shrink.",
            "What is the unit of a standard deviation, and what of a variance?",
            wrong=(900.0, 90.0),
        ),
        Misconception(
            "grows-with-width",
            "300 = 3 times 100: you let the size grow with d_k itself.",
            "100 terms of size 3 add up to 300.",
            "Do the 100 terms all have the same sign?",
            wrong=(300.0, 30.0),
        ),
        Misconception(
            "query-ignored",
            "10 and 1 hold for entries of standard deviation 1; the query's have 3.",
            "The spread depends on d_k alone.",
            "By what factor does q · k change when q is three times as long?",
            wrong=(10.0, 1.0),
        ),
        Misconception(
            "scaled-is-always-one",
            "30 is right; scaling does not always lead to 1.",
            "Dividing by the root of d_k gives standard deviation 1, whatever comes "
            "in.",
            "Divide 30 by the root of 100.",
            wrong=(30.0, 1.0),
        ),
        Misconception(
            "divided-by-width",
            "30 is right; 0.3 is what is left after dividing by d_k itself.",
            "Scaling divides by d_k.",
            "What is the root of 100?",
            wrong=(30.0, 0.3),
        ),
        Misconception(
            "mean-instead-of-spread",
            "0 is the mean of q · k. The question is how far from it scores lie.",
            "Random signs cancel, so nothing is left.",
            "Toss a coin 100 times: how often is it exactly 50 heads?",
            wrong=(0.0, 0.0),
        ),
        Misconception(
            "multiplied-by-the-variance",
            "90 = 9 times 10: the query's variance was multiplied by the root of d_k.",
            "Each term is as large as the variance of the query's entries.",
            "What is the standard deviation of one product of entries?",
            wrong=(90.0, 9.0),
        ),
        Misconception(
            "grows-with-width-and-query-ignored",
            "100 and 10: the size of 100 terms of size 1, all of one sign.",
            "100 terms add up to 100.",
            "Do the 100 terms all have the same sign? And how large is one?",
            wrong=(100.0, 10.0),
        ),
        Misconception(
            "grows-and-divided-by-width",
            "300 = 3 times 100, and 3 is that over d_k: the second number is right by "
            "a double slip.",
            "The sum grows with d_k, and scaling divides by d_k.",
            "Do the 100 terms all have the same sign? What is the root of 100?",
            wrong=(300.0, 3.0),
        ),
        Misconception(
            "one-term",
            "3 is the standard deviation of one term; q · k adds 100 of them.",
            "A sum of terms spreads as one term does.",
            "Toss one coin, then 100. In which case does the count of heads vary more?",
            wrong=(3.0, 0.3),
        ),
    ),
    hints=(
        "Begin with one term: a query entry times a key entry. What is its variance?",
        "Variances of independent terms add up; standard deviations do not.",
        "One term has variance 9. There are 100 of them. Take the root at the end.",
    ),
    insight="Each product has variance 9 · 1, the sum of 100 has 900, and the root of "
    "900 is 30; divided by the root of 100, 3 is left. The scaling keeps the spread "
    "from growing with d_k; it does not set it to 1. How loud queries and keys are is "
    "left to the learned matrices: here the scores keep the query's 3.",
)


def _scaled_cases():
    rng = np.random.default_rng(26)

    def some(*shape):
        *leading, n_q, n_k, d_k = shape
        query = rng.normal(0.4, 1.0, (*leading, n_q, d_k))
        return query, rng.normal(0.2, 1.0, (*leading, n_k, d_k))

    tiny = np.array([[2.0, 0.0, 1.0, 1.0]]), np.array([[1.0, 5.0, 0.0, 2.0], [3.0] * 4])
    return [
        Case("no leading axes", tiny),
        Case("batch and heads", some(2, 3, 4, 5, 7)),
        Case("batch only", some(3, 5, 2, 6)),
    ]


def scaled_scores(query, key):
    d_k = query.shape[-1]
    key_as_columns = np.swapaxes(key, -1, -2)
    return query @ key_as_columns / np.sqrt(d_k)


def _scaled_with(query, key, *, scale="root", turned=False):
    d_k = query.shape[-1]
    factor = {
        "root": d_k**-0.5,
        "none": 1.0,
        "no-root": 1 / d_k,
        "multiplied": d_k**0.5,
        "second-axis": query.shape[1] ** -0.5,
        "first-axis": query.shape[0] ** -0.5,
        "n_k": key.shape[-2] ** -0.5,
        "n_q": query.shape[-2] ** -0.5,
        "twice": 1 / (2 * d_k) ** 0.5,
        "heads": (d_k * (query.shape[1] if query.ndim == 4 else 1)) ** -0.5,
        "half": 2 / d_k,
        "half-of-it": 0.5 / d_k,
    }[scale]
    scores = factor * (query @ _swap(key))
    return _swap(scores) if turned else scores


def _every_example_with_every(query, key):
    return np.dot(query, _swap(key)) / np.sqrt(query.shape[-1])


def _by_lengths(query, key):
    lengths = np.linalg.norm(query, axis=-1)[..., None]
    return query @ _swap(key) / (lengths * np.linalg.norm(key, axis=-1)[..., None, :])


def _soft_scores(query, key):
    return _softmax(scaled_scores(query, key))


def _torch_scaled(query, key):
    import torch

    return torch.einsum("...id,...jd->...ij", query, key) / query.shape[-1] ** 0.5


def _loop_scaled(query, key):
    if query.ndim == 2:
        return [[q @ k / np.sqrt(len(q)) for k in key] for q in query]
    return [_loop_scaled(q, k) for q, k in zip(query, key, strict=True)]


scaled_with_leading_axes = Exercise(
    id="ch02.scaled-scores",
    title="Scaled scores, whatever comes before",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch02-scaling",
    prompt="Write `scaled_scores(query, key)` so that it works for any leading axes: "
    "`query` `(..., n_q, d_k)`, `key` `(..., n_k, d_k)`, result `(..., n_q, n_k)`. The "
    "dots may stand for nothing, for one axis of examples, or for two; examples do not "
    "meet each other. For arrays with more than two axes, `@` multiplies the last two "
    "and takes those before as a stack of matrices.",
    starter="def scaled_scores(query, key):\n"
    '    raise NotImplementedError("your code")',
    reference=scaled_scores,
    cases=_scaled_cases,
    switched=_scaled_with,
    misconceptions=(
        Misconception(
            "no-scaling",
            "Your scores are plain dot products: nothing divides them.",
            "Scaling happens later, or does not matter.",
            "How does the spread of q · k change from d_k = 4 to d_k = 400?",
            switch={"scale": "none"},
        ),
        Misconception(
            "divides-by-width",
            "You divided by d_k; the root is missing.",
            "A sum of d_k terms is divided by d_k.",
            "If d_k terms of random sign are added, how does their sum grow?",
            switch={"scale": "no-root"},
        ),
        Misconception(
            "multiplies",
            "Your scores are d_k times too large: you multiplied by the root of d_k.",
            "Scaling makes scores larger.",
            "Should the scale shrink or grow when vectors get wider?",
            switch={"scale": "multiplied"},
        ),
        Misconception(
            "second-axis",
            "Right without leading axes; otherwise you divided by the root of the "
            "second axis, which is then no longer the width.",
            "The width is always `shape[1]`.",
            "Which axis is d_k in the shape (2, 3, 4, 7)? Counted from which end?",
            switch={"scale": "second-axis"},
        ),
        Misconception(
            "first-axis",
            "You divided by the root of the first axis: `len(query)` counts rows or "
            "examples.",
            "`len` of an array is the width of its vectors.",
            "What is `len` of an array of shape (2, 3, 4, 7)?",
            switch={"scale": "first-axis"},
        ),
        Misconception(
            "number-of-keys",
            "You divided by the root of n_k: scores would shrink as keys are added.",
            "Scores are averaged over the keys.",
            "How many terms does one dot product add up?",
            switch={"scale": "n_k"},
        ),
        Misconception(
            "number-of-queries",
            "You divided by the root of n_q: another query would change this one's "
            "scores.",
            "`shape[-2]` is the width.",
            "How many terms does one dot product add up?",
            switch={"scale": "n_q"},
        ),
        Misconception(
            "width-of-both",
            "You divided by the root of 2 d_k, as if both widths added up.",
            "Query and key both contribute d_k numbers.",
            "How many products does q · k add up?",
            switch={"scale": "twice"},
        ),
        Misconception(
            "keys-as-rows",
            "Within each example your scores are transposed: a row for each key.",
            "key times query is the same as query times key.",
            "In `(..., n_q, n_k)`, whose scores form a row?",
            switch={"turned": True},
        ),
        Misconception(
            "every-example-meets-every-example",
            "Your result has too many axes: np.dot pairs every example with every "
            "other.",
            "np.dot and `@` are the same.",
            "What is np.dot of shapes (3, 5, 6) and (3, 6, 2)? And with `@`?",
            wrong=_every_example_with_every,
        ),
        Misconception(
            "cosines",
            "Your scores are cosines: you divided by lengths instead of the root of "
            "d_k.",
            "Scaling removes the lengths.",
            "Double a key. Should its scaled score double?",
            wrong=_by_lengths,
        ),
        Misconception(
            "already-weights",
            "Each of your rows adds up to 1: these are weights, not scores.",
            "The softmax belongs to the score.",
            "Which comes first, the comparison or the shares?",
            wrong=_soft_scores,
        ),
        Misconception(
            "width-of-all-heads",
            "Right with one head; with more you divided by the root of d_model, the "
            "width of all heads together.",
            "The scale belongs to the model, not to the head.",
            "How many terms does the dot product of one head add up?",
            switch={"scale": "heads"},
        ),
        Misconception(
            "half-instead-of-root",
            "You divided by half of d_k: Python reads `d ** 1 / 2` as `(d ** 1) / 2`.",
            "1 / 2 in an exponent needs no parentheses.",
            "What is `9 ** 1 / 2` in Python?",
            switch={"scale": "half"},
        ),
        Misconception(
            "twice-the-width",
            "You divided by 2 d_k: Python reads `x / d ** 1 / 2` from left to right, "
            "as `x / d / 2`.",
            "1 / 2 in an exponent needs no parentheses.",
            "What is `9 ** 1 / 2` in Python?",
            switch={"scale": "half-of-it"},
        ),
    ),
    variants=(
        _torch_scaled,
        _loop_scaled,
        lambda query, key: np.einsum("...id,...jd->...ij", query / _root(query), key),
        lambda query, key: (query / _root(query)).astype(np.float32) @ _swap(key),
        lambda query, key: (
            (query[..., :, None, :] * key[..., None, :, :]).sum(-1) / _root(key)
        ),
    ),
    hints=(
        "How many terms does each dot product add? Which axis of query has that size, "
        "counted from the end?",
        "`.T` reverses all axes. Which two of them should change places?",
        "np.swapaxes exchanges two axes and leaves those before alone; `@` multiplies "
        "the last two and keeps the others side by side.",
    ),
    insight="Dividing the queries beforehand gives the same scores with `n_q * d_k` "
    "divisions instead of `n_q * n_k`: fewer once there are more keys than d_k.",
)


def _root(array):
    return np.sqrt(array.shape[-1])


def _head_cases():
    rng = np.random.default_rng(27)

    def some(n, d_model, d_k):
        x = rng.normal(0.3, 1.0, (n, d_model))
        return x, *rng.normal(0.1, 0.7, (2, d_model, d_k))

    tiny = np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 1.0, 2.0]])
    return [
        Case("two tokens, d_k = 1", (tiny, np.eye(4)[:, 1:2], np.eye(4)[:, 3:])),
        Case("five tokens", some(5, 6, 3)),
        Case("four tokens", some(4, 8, 2)),
    ]


def head_weights(x, w_query, w_key):
    query, key = x @ w_query, x @ w_key
    d_k = query.shape[-1]
    scores = query @ key.T / np.sqrt(d_k)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _head_with(x, w_query, w_key, *, width="d_k", order="before", axis=-1, roles="qk"):
    query, key = x @ w_query, x @ w_key
    query, key = {"qk": (query, key), "kq": (key, query), "qq": (query, query)}[roles]
    d_k, d_model = w_query.shape[1], x.shape[1]
    factor = {
        "d_k": d_k**-0.5,
        "d_model": d_model**-0.5,
        "n": len(x) ** -0.5,
        "none": 1.0,
        "grows": d_model**0.5,
        "no-root": 1 / d_model,
        "d_k-no-root": 1 / d_k,
        "d_k-grows": d_k**0.5,
        "both": (d_k * d_model) ** -0.5,
    }[width]
    if order == "after":
        return _softmax(query @ key.T, axis) * factor
    return _softmax(query @ key.T * factor, axis)


def _torch_head(x, w_query, w_key):
    import torch

    query, key = x @ w_query, x @ w_key
    return torch.softmax(query @ key.T * query.shape[-1] ** -0.5, dim=-1)


def _loop_head(x, w_query, w_key):
    rows = []
    for q in x @ w_query:
        raised = np.exp([q @ k / len(q) ** 0.5 for k in x @ w_key])
        rows.append(raised / raised.sum())
    return rows


# Found in karpathy/ng-video-lecture#6 (the width) and FrancescoSaverioZuppichini/ViT#2
# (after the softmax); the code is ours.
mend_the_scaling = Exercise(
    id="ch02.mend-scaling",
    title="Two faults that do not crash",
    kind="debug",
    minutes=6,
    difficulty=2,
    section="ch02-head",
    prompt="This `head_weights(x, w_query, w_key)` runs without an error. It should "
    "give the weights of scaled dot-product attention, `(n, n)`, for queries and keys "
    "made from `x` `(n, d_model)` by two matrices `(d_model, d_k)`. It holds two "
    "faults, both from published code (the solution says whose). Mend them.",
    starter="def head_weights(x, w_query, w_key):\n"
    "    query, key = x @ w_query, x @ w_key\n"
    "    scores = query @ key.T\n"
    "    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
    "    weights = raised / raised.sum(axis=-1, keepdims=True)\n"
    "    return weights * x.shape[-1] ** -0.5",
    reference=head_weights,
    cases=_head_cases,
    switched=_head_with,
    misconceptions=(
        Misconception(
            "scaled-after-softmax",
            "Your rows do not add up to 1: the factor was applied after the softmax, "
            "to the weights.",
            "A factor may stand before or after, since the softmax passes it on.",
            "What do the weights of one query add up to? What should they?",
            switch={"order": "after"},
        ),
        Misconception(
            "scaled-by-d-model",
            "Your factor follows the width of x, d_model; the dot products add d_k "
            "terms.",
            "The factor belongs to the width of the input.",
            "How many columns do query and key have?",
            switch={"width": "d_model"},
        ),
        Misconception(
            "not-scaled",
            "Your weights are those of plain dot products: the factor is gone.",
            "If it stands in the wrong place, it is not needed.",
            "What does d_k = 1024 do to the largest weight without a factor?",
            switch={"width": "none"},
        ),
        Misconception(
            "scaled-by-number-of-tokens",
            "Your factor is 1 over the root of n, the number of tokens.",
            "The shape of the scores tells the factor.",
            "Should the score of two tokens change when a third joins?",
            switch={"width": "n"},
        ),
        Misconception(
            "multiplied-by-root-of-d-model",
            "You multiplied the scores by the root of d_model.",
            "Scaling up is what the factor is for.",
            "With wider vectors, do dot products get larger or smaller by themselves?",
            switch={"width": "grows"},
        ),
        Misconception(
            "divided-by-d-model",
            "You divided the scores by d_model, and without the root.",
            "Dividing by the width keeps a sum of that many terms at one size.",
            "How many terms are added, and do they have the same sign?",
            switch={"width": "no-root"},
        ),
        Misconception(
            "softmax-over-queries",
            "Each column adds up to 1 (or to one factor): the softmax runs over the "
            "queries.",
            "The axis was one of the faults.",
            "Whose shares form a row of the weights?",
            switch={"axis": 0},
        ),
        Misconception(
            "query-and-key-swapped",
            "Row i compares key i with every query: the two have changed places.",
            "One of the faults must be the order of the product.",
            "In scores of shape `(n, n)`, whose question is row 0?",
            switch={"roles": "kq"},
        ),
        Misconception(
            "divided-by-d-k",
            "You divided the scores by d_k: the right width, without its root.",
            "Dividing by the width keeps a sum of that many terms at one size.",
            "Do d_k terms of random sign add up to d_k?",
            switch={"width": "d_k-no-root"},
        ),
        Misconception(
            "multiplied-by-root-of-d-k",
            "You multiplied the scores by the root of d_k, the right width.",
            "Scaling up is what the factor is for.",
            "With wider vectors, do dot products get larger or smaller by themselves?",
            switch={"width": "d_k-grows"},
        ),
        Misconception(
            "both-widths",
            "You divided by the roots of d_k and of d_model: a right factor was added "
            "and the wrong one kept.",
            "Each width needs its own factor.",
            "How many factors does the formula have?",
            switch={"width": "both"},
        ),
        Misconception(
            "keys-play-no-part",
            "You compared queries with queries; w_key plays no part.",
            "In self-attention all three come from x, so they are the same.",
            "Change w_key. Do your weights change?",
            switch={"roles": "qq"},
        ),
    ),
    variants=(
        _torch_head,
        _loop_head,
        _head_with,
        lambda x, w_query, w_key: _softmax(
            (x @ w_query) @ (x @ w_key / _root(w_key)).T
        ),
        lambda x, w_query, w_key: head_weights(
            *(a.astype(np.float32) for a in (x, w_query, w_key))
        ),
    ),
    properties=(
        in_words("the weights", not_negative),
        in_words("the weights", sums_to_one),
    ),
    remarks=(_overflows(np.eye(2), np.full((2, 1), 40.0), np.full((2, 1), 40.0)),),
    hints=(
        "Call it and add up each row. One fault shows at once.",
        "The other is a width. Print the shapes of x and query for a case in which "
        "they differ.",
        "The factor belongs to the scores, before the exponential, and counts the "
        "terms of a dot product.",
    ),
    insight="Both faults stood in published code until readers reported them. The "
    "factor after the softmax (issue 2 of FrancescoSaverioZuppichini/ViT on GitHub) "
    "leaves rows that do not add up to 1. The width of the input in place of the key's "
    "(pull request 6 of karpathy/ng-video-lecture) only makes the weights flatter, by "
    "a temperature of the root of d_model / d_k, and hides wherever d_model equals "
    "d_k.",
)


def _sizes():
    return [
        Case("2 letters, 4 positions", (2, 4)),
        Case("3 letters, 7 positions", (3, 7)),
        Case("5 letters, 10 positions", (5, 10)),
    ]


def _strings(n_letters, n_positions):
    rng = np.random.default_rng(23)
    lengths = [2, 3, *rng.integers(2, n_positions + 1, 5), n_positions]
    return [rng.integers(0, n_letters, n) for n in lengths]


def _attended(result, n_letters, n_positions):
    """Run a head with these matrices on many strings; all its outputs, as rows."""
    if not isinstance(result, (tuple, list, np.ndarray)) or len(result) != 3:
        raise ValueError("it should be three matrices: w_query, w_key, w_value.")
    w_query, w_key, w_value = (np.asarray(w, dtype=float) for w in result)
    _refuse_misfits(w_query, w_key, w_value, n_letters + n_positions)
    if w_value.shape[1] not in (n_letters, n_letters + n_positions):
        raise ValueError(
            f"w_value needs {n_letters} columns, n_letters, since its columns are "
            "those "
            f"of the output; it has {w_value.shape[1]}."
        )
    outputs = []
    for string in _strings(n_letters, n_positions):
        letters, places = np.eye(n_letters)[string], np.eye(n_positions)[: len(string)]
        x = np.hstack([letters, places])
        scores = (x @ w_query) @ (x @ w_key).T / np.sqrt(w_query.shape[1])
        outputs.append(_softmax(scores) @ (x @ w_value))
    return np.vstack(outputs)


def _refuse_misfits(w_query, w_key, w_value, n_features):
    named = {"w_query": w_query, "w_key": w_key, "w_value": w_value}
    for name, matrix in named.items():
        if matrix.ndim != 2 or matrix.shape[0] != n_features or not matrix.size:
            raise ValueError(
                f"{name} needs one row for each of the {n_features} features, shape "
                f"`({n_features}, d)`; it has shape {matrix.shape}."
            )
        if not np.isfinite(matrix).all():
            raise ValueError(f"{name} must be finite; a large number does as well.")
    if w_query.shape[1] != w_key.shape[1]:
        raise ValueError(
            "w_query and w_key need the same number of columns, d_k; they have "
            f"{w_query.shape[1]} and {w_key.shape[1]}."
        )


def _worst_row(wanted):
    """Name the token whose output is furthest from right, and its string."""

    def broken(result, n_letters, n_positions):
        strings = _strings(n_letters, n_positions)
        targets = np.vstack([wanted(string, n_letters) for string in strings])
        row = np.abs(result - targets).max(axis=1).round(2).argmax()
        at = [(string, place) for string in strings for place in range(len(string))]
        string, place = at[row]
        word = "".join("abcdefgh"[i] for i in string)
        return (
            f'In the string "{word}", the token at position {place} (counted from 0) '
            f"gets {result[row].round(2) + 0.0}; it should get {targets[row].round(2)}."
        )

    return Property("the token furthest from right", broken)


def copy_first(n_letters, n_positions):
    n_features = n_letters + n_positions
    w_query = np.ones((n_features, 1))
    w_key = np.zeros((n_features, 1))
    w_key[n_letters] = 20.0
    w_value = np.eye(n_features, n_letters)
    return w_query, w_key, w_value


def _copy_with(
    n_letters, n_positions, *, ask="all", find="first", height=20.0, whole=False
):
    n_features = n_letters + n_positions
    identity = np.eye(n_features)
    letters, places = identity[:, :n_letters], identity[:, n_letters:]
    first = places[:, :1]
    w_query = np.ones((n_features, 1)) if ask == "all" else first
    w_key = {
        "first": first,
        "last-slot": places[:, -1:],
        "second": places[:, 1:2],
        "nobody": 0 * first,
        "sign": -first,
        "letter-a": letters[:, :1],
        "own-letter": letters,
    }[find]
    if find == "own-letter":
        w_query = letters
    root = np.sqrt(w_key.shape[1])
    return w_query, height * root * w_key, identity if whole else letters


def _last_row_copy(n_letters, n_positions):
    # Position features only, with queries that subtract every other place.
    n_features = n_letters + n_positions
    places = np.eye(n_features)[:, n_letters:]
    preference = np.full((n_positions, n_positions), -40.0)
    preference[:, 0] = 40.0
    return places @ preference, places, np.eye(n_features)[:, :n_letters]


def _torch_copy(n_letters, n_positions):
    import torch

    x = torch.eye(n_letters + n_positions)
    key = 100 * x[:, n_letters : n_letters + 1]
    return x.sum(dim=1, keepdim=True), key, x[:, :n_letters]


def _loud_copy(n_letters, n_positions):
    w_query, w_key, w_value = copy_first(n_letters, n_positions)
    return [3.0 * w_query, w_key, w_value]


def _first_letters(string, n_letters):
    return np.eye(n_letters)[np.full(len(string), string[0])]


copy_the_first_letter = Exercise(
    id="ch02.copy-first",
    title="A head that copies the first letter",
    kind="design",
    minutes=15,
    difficulty=3,
    section="ch02-head",
    prompt="Each letter of a string is a token. Its features are which letter it is "
    "and which position it has, both *one-hot*, that is, a 1 in one place and 0 in all "
    "others: a row `x` of width `n_letters + n_positions` with two ones. A head turns "
    "it into a query `x @ w_query`, a key `x @ w_key` and a value `x @ w_value`. Every "
    "token asks all tokens of the string, by scaled dot products.\n\nWrite "
    "`copy_first(n_letters, n_positions)`, which returns three matrices `(w_query, "
    "w_key, w_value)` with `n_letters + n_positions` rows each, such that every "
    "token's output is the one-hot letter of the string's first token, shape "
    "`(n_letters,)`. The same matrices must do for every string of up to `n_positions` "
    "letters. Up to 0.02 of the weight may go elsewhere.",
    starter="def copy_first(n_letters, n_positions):\n"
    '    raise NotImplementedError("your code")',
    reference=copy_first,
    observe=_attended,
    tolerance=0.03,
    cases=_sizes,
    switched=_copy_with,
    misconceptions=(
        Misconception(
            "too-quiet",
            "All letters blend in: the first token's score leads by 2 only, which "
            "makes its weight e² = 7.4 times that of each other token.",
            "The largest score takes all the weight.",
            "By how much must one score lead for 9 others to share 0.02 of the weight?",
            switch={"height": 1.0},
        ),
        Misconception(
            "far-too-quiet",
            "All letters blend in: the first token's score leads by 1 only, which "
            "makes its weight e = 2.7 times that of each other token.",
            "A 1 in the right place is enough, and 0 means no weight.",
            "What is e to the power 0, and how many tokens have that score?",
            switch={"height": 0.5},
        ),
        Misconception(
            "only-the-first-token-asks",
            "The first token's output is right; all other tokens get the mean of the "
            "whole string, since their queries are zero.",
            "Query and key must both say 'first'.",
            "What are the scores of a query of zeros?",
            switch={"ask": "first"},
        ),
        Misconception(
            "avoids-the-first",
            "Every token attends to all tokens but the first: its score is the lowest.",
            "The first of a row has the smallest score.",
            "Print the weights of one string. Which column is empty?",
            switch={"find": "sign"},
        ),
        Misconception(
            "own-letter",
            "Each output is the token's own letter: every token finds itself, by its "
            "letter or by its position.",
            "Query and key of a token must match, so both are made of the same "
            "feature.",
            "Which position must the query of the token at position 3 ask for?",
            switch={"find": "own-letter"},
        ),
        Misconception(
            "first-letter-of-the-alphabet",
            "Every token looks for the first letter of the alphabet, not of the "
            "string.",
            "The first feature stands for the first token.",
            "Which columns of x are letters, and where do positions begin?",
            switch={"find": "letter-a"},
        ),
        Misconception(
            "last-position",
            "Every token looks for the last position slot. A shorter string has nobody "
            "there, and gets the mean of all its letters.",
            "Position features end with the first position.",
            "Which feature is 1 for the token at position 0?",
            switch={"find": "last-slot"},
        ),
        Misconception(
            "value-holds-all-features",
            "Your output is the whole feature row, letter and position; only the "
            "letter is asked for.",
            "A value is the token itself.",
            "How many columns must w_value have for an output of n_letters numbers?",
            switch={"whole": True},
        ),
        Misconception(
            "everybody-alike",
            "Every token gets the mean of the whole string: all its scores are equal.",
            "A query that is loud enough finds the first token by itself.",
            "Take one query. What distinguishes its score with the first key from the "
            "others?",
            switch={"find": "nobody"},
        ),
        Misconception(
            "second-letter",
            "Every token copies the second letter.",
            "Positions are counted from 1.",
            "Which feature is 1 for the token at position 0?",
            switch={"find": "second"},
        ),
    ),
    variants=(_last_row_copy, _torch_copy, _loud_copy),
    properties=(_worst_row(_first_letters),),
    hints=(
        "Three separate decisions: who asks for what (query), who can be found by what "
        "(key), what is handed over (value). Begin with the value.",
        "All tokens ask the same, so all queries may be equal. One column, d_k = 1, is "
        "enough. Which feature tells the first token from the others?",
        "A query of 1 or 2, the same for all; a key of 0 for everybody but the first. "
        "How large must that one key be so that the softmax leaves 0.02 to the rest?",
    ),
    insight="Two features of a token are 1, so every query is 2; only position 0 has a "
    "key, 20. The first token's score is 40, all others are 0. Trained language models "
    "do something like it: weights must add up to 1, and where there is nothing to "
    "fetch, many heads put most of the weight on the first token (an attention "
    "sink: Xiao et al., 2023).",
)


def so_far(n_letters, n_positions):
    places = np.eye(n_letters + n_positions)[:, n_letters:]
    not_later = np.tril(np.ones((n_positions, n_positions)))
    w_query = 15.0 * np.sqrt(n_positions) * places @ not_later
    w_key = places
    w_value = np.eye(n_letters + n_positions)[:, :n_letters]
    return w_query, w_key, w_value


def _long_strings_too():
    # The root of d_k grows with the positions: what leads by enough among 10 does not
    # among 24.
    return [*_sizes(), Case("4 letters, 24 positions", (4, 24))]


def _so_far_with(n_letters, n_positions, *, look="back", height=15.0):
    features = np.eye(n_letters + n_positions)
    places, ones = features[:, n_letters:], np.ones((n_positions, n_positions))
    pattern = {
        "back": np.tril(ones),
        "ahead": np.triu(ones),
        "before": np.tril(ones, -1),
        "everywhere": 0 * ones,
        "self": np.eye(n_positions),
        "previous": np.eye(n_positions, k=-1),
    }[look]
    w_query = height * np.sqrt(n_positions) * places @ pattern
    return w_query, places, features[:, :n_letters]


def _gradual(n_letters, n_positions):
    # The key counts up, the query leans on it: later means more, without an end.
    w_query, w_key = np.ones((2, n_letters + n_positions, 1))
    w_key = w_key * 0
    w_key[n_letters:, 0] = -15.0 * np.arange(n_positions)
    return w_query, w_key, np.eye(n_letters + n_positions)[:, :n_letters]


def _unscaled_pattern(n_letters, n_positions):
    return _so_far_with(n_letters, n_positions, height=n_positions**-0.5)


def _penalised(n_letters, n_positions):
    places = np.eye(n_letters + n_positions)[:, n_letters:]
    later = np.triu(np.ones((n_positions, n_positions)), 1)
    w_value = np.eye(n_letters + n_positions)[:, :n_letters]
    return -100.0 * places @ later, places, w_value


def _mirrored(n_letters, n_positions):
    # The key says from where on it may be read; the query says where it stands.
    places = np.eye(n_letters + n_positions)[:, n_letters:]
    from_here_on = np.triu(np.ones((n_positions, n_positions)))
    w_value = np.eye(n_letters + n_positions)[:, :n_letters]
    return 60.0 * places, places @ from_here_on, w_value


def _shares_so_far(string, n_letters):
    counts = np.cumsum(np.eye(n_letters)[string], axis=0)
    return counts / np.arange(1, len(string) + 1)[:, None]


shares_of_letters_so_far = Exercise(
    id="ch02.so-far",
    title="A head that counts shares so far",
    kind="design",
    minutes=20,
    difficulty=4,
    section="ch02-head",
    prompt="Tokens and features are those of the exercise before: a row `x` holds the "
    "letter and then the position, both one-hot. "
    "Write `so_far(n_letters, n_positions)`, which returns "
    "`(w_query, w_key, w_value)` such that the output at position $i$, shape "
    "`(n_letters,)`, holds the share of each letter among the tokens 0 to $i$, the "
    'token itself included. For "aab" the three outputs are $[1, 0]$, $[1, 0]$, '
    "$[2/3, 1/3]$. One set of matrices for every string of up to `n_positions` "
    "letters; errors up to 0.01 do not matter.",
    starter="def so_far(n_letters, n_positions):\n"
    '    raise NotImplementedError("your code")',
    reference=so_far,
    observe=_attended,
    tolerance=0.05,
    cases=_long_strings_too,
    switched=_so_far_with,
    misconceptions=(
        Misconception(
            "whole-string",
            "Every position gets the shares of the whole string: all scores are equal.",
            "Attention reads from left to right by itself.",
            "Does the output at position 0 know what comes later? Should it?",
            switch={"look": "everywhere"},
        ),
        Misconception(
            "from-here-on",
            "Position i gets the shares of the tokens from i to the end.",
            "A triangle is a triangle: rows and columns of the pattern mean the same.",
            "With which keys does the query at position 0 score high? With which "
            "should it?",
            switch={"look": "ahead"},
        ),
        Misconception(
            "without-itself",
            "Position i gets the shares of the tokens before it, without its own; "
            "position 0 asks for nobody, and so gets the whole string.",
            "So far means: before this one.",
            "What should the first output be for a string that begins with a?",
            switch={"look": "before"},
        ),
        Misconception(
            "itself-only",
            "Each output is the token's own letter: every token finds itself, by its "
            "position or by its letter.",
            "Query and key of a token must match, so both are made of the same "
            "feature.",
            "Which tokens should the one at position 3 find, besides itself?",
            switch={"look": "self"},
        ),
        Misconception(
            "previous-only",
            "Each token gets the letter of the one before it, and the first gets the "
            "mean of all.",
            "What came before is kept in the previous token.",
            "How many of your weights are not nearly 0 at position 3? How many should?",
            switch={"look": "previous"},
        ),
        Misconception(
            "too-quiet",
            "Tokens so far get e times the weight of later ones, so later letters leak "
            "in.",
            "A score of 0 means a weight of 0.",
            "By how much must the scores so far lead over the scores of later tokens?",
            switch={"height": 1.0},
        ),
        Misconception(
            "far-too-quiet",
            "Later letters leak in: a score of 1 is divided by the root of d_k, so "
            "tokens so far get hardly more weight than later ones.",
            "A 1 in the right place is enough, and 0 means no weight.",
            "What is e to the power 0? And e to the power 1 over the root of d_k?",
            wrong=_unscaled_pattern,
        ),
        Misconception(
            "first-letter-always",
            "Every token gets the first letter alone: scores fall from place to place, "
            "and the first one wins.",
            "An earlier token must have a larger score than a later one.",
            "What scores must two tokens have to weigh the same?",
            wrong=_gradual,
        ),
    ),
    variants=(
        _penalised,
        _mirrored,
        lambda n_letters, n_positions: list(so_far(n_letters, n_positions)),
        lambda n_letters, n_positions: _so_far_with(
            n_letters, n_positions, height=300.0
        ),
    ),
    properties=(_worst_row(_shares_so_far),),
    hints=(
        "All tokens so far must weigh the same, so their scores must be equal; and far "
        "above those of later tokens.",
        "Let the key be the position, one-hot. Then entry j of a query is its score "
        "for position j. Which entries of query i should be large?",
        "The query at position i is a row of a triangle of ones, times a number that "
        "outweighs the root of d_k. np.tril makes such a triangle.",
    ),
    insight="The scores of position i are 15 for the places 0 to i and 0 for later "
    "ones. You have built a causal mask out of positions. It costs `n_positions` "
    "columns of query and key, and leaves a little weight on later tokens; the mask of "
    "the next chapter needs no columns and gives exact zeros.",
)


# --- dot products --------------------------------------------------------------------
