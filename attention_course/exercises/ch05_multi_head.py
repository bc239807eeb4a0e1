"""Exercises of chapter 5, several questions at once."""

# mypy: allow-untyped-defs

import numpy as np

from ._model import Case, Choice, Exercise, Misconception, Property, Remark
from ._properties import in_words, not_negative, sums_to_one


def _softmax(scores, axis=-1):
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def _swap(array):
    return np.swapaxes(array, -1, -2)


def _in_float32(function):
    def narrow(*arguments):
        return function(
            *(
                a.astype(np.float32)
                if isinstance(a, np.ndarray) and a.dtype.kind == "f"
                else a
                for a in arguments
            )
        )

    return narrow


def _as_pair(result, *arguments):
    """Take a list of two results as well as a tuple."""
    return tuple(result) if isinstance(result, list) else result


# --- splitting --------------------------------------------------------------------


def _cut_cases():
    rng = np.random.default_rng(50)
    tiny = np.array([[11.0, 12, 13, 14, 15, 16], [21, 22, 23, 24, 25, 26]])
    return [
        Case("two positions, three heads", (tiny, 3)),
        Case("a batch", (rng.normal(0.5, 1.0, (2, 5, 12)), 3)),
        Case("two leading axes", (rng.normal(-0.3, 2.0, (3, 2, 4, 10)), 5)),
    ]


def cut_into_heads(x, num_heads):
    *leading, n, d_model = x.shape
    per_row = x.reshape(*leading, n, num_heads, d_model // num_heads)
    return np.swapaxes(per_row, -3, -2)


def _cut(x, num_heads, how="right"):
    *leading, n, width = x.shape
    if how == "reshape":
        return x.reshape(*leading, num_heads, n, width // num_heads)
    if how == "interleaved":
        dealt = x.reshape(*leading, n, width // num_heads, num_heads)
        return np.moveaxis(dealt, -1, -3)
    return cut_into_heads(x, num_heads)


def _stops_after_the_reshape(x, num_heads):
    return x.reshape(*x.shape[:-1], num_heads, x.shape[-1] // num_heads)


def _cut_with_axes_one_and_two(x, num_heads):
    return np.swapaxes(_stops_after_the_reshape(x, num_heads), 1, 2)


def _heads_before_the_batch(x, num_heads):
    return np.array(np.split(x, num_heads, axis=-1))


def _d_k_heads(x, num_heads):
    return cut_into_heads(x, x.shape[-1] // num_heads)


def _batch_flattened_first(x, num_heads):
    flat = x.reshape(-1, num_heads, x.shape[-1] // num_heads).swapaxes(0, 1)
    return flat.reshape(*x.shape[:-2], num_heads, x.shape[-2], -1)


def _whole_rows_for_every_head(x, num_heads):
    return np.repeat(x[..., None, :, :], num_heads, axis=-3)


def _torch_cut(x, num_heads):
    import torch

    return torch.stack(x.chunk(num_heads, dim=-1), dim=-3)


def _loop_cut(x, num_heads):
    d_k = x.shape[-1] // num_heads
    pieces = [x[..., h * d_k : (h + 1) * d_k] for h in range(num_heads)]
    return np.stack(pieces, axis=-3)


split_with_leading_axes = Exercise(
    id="ch05.split",
    title="Cut into heads, whatever comes before",
    kind="implement",
    minutes=8,
    difficulty=2,
    section="ch05-by-hand",
    prompt="The chapter's `split` takes one sentence. Write `cut_into_heads(x, "
    "num_heads)` for any leading axes: `x` has shape `(..., n, d_model)`, the result "
    "`(..., num_heads, n, d_k)` with `d_k = d_model / num_heads`. Head 0 gets the "
    "first `d_k` columns of every row, head 1 the next, and so on. The dots may stand "
    "for nothing, for a batch, or for two axes.",
    starter="def cut_into_heads(x, num_heads):\n"
    '    raise NotImplementedError("your code")',
    reference=cut_into_heads,
    cases=_cut_cases,
    misconceptions=(
        Misconception(
            "bare-reshape",
            "Head 0 holds the first rows of the sentence, cut up, instead of the first "
            "columns of every row: a reshape alone cannot exchange two axes.",
            "If the shape is right, the numbers are where they should be.",
            "Fill each row of x with its own number. Which numbers does head 0 hold?",
            wrong=lambda x, num_heads: _cut(x, num_heads, "reshape"),
        ),
        Misconception(
            "heads-interleaved",
            "Columns are dealt to the heads in turn: head 0 holds every num_heads-th "
            "column instead of the first d_k.",
            "It is all the same to a reshape which of the two new axes comes first.",
            "Cut a row 11, 12, 13, 14, 15, 16 for three heads. What does head 0 hold?",
            wrong=lambda x, num_heads: _cut(x, num_heads, "interleaved"),
        ),
        Misconception(
            "d-k-heads",
            "You have d_k heads, each num_heads wide: the two sizes have changed "
            "places.",
            "num_heads says how wide a head is.",
            "x has 12 columns and num_heads is 3. How many heads do you return?",
            wrong=_d_k_heads,
        ),
        Misconception(
            "not-exchanged",
            "Your axes are `(..., n, num_heads, d_k)`: each row is cut, and the heads "
            "still stand behind the positions.",
            "Cutting the rows is all there is to do.",
            "Attention multiplies the last two axes. Which two should these be?",
            wrong=_stops_after_the_reshape,
        ),
        Misconception(
            "axes-counted-from-the-front",
            "Right for a batch of sentences, and for nothing else: axes 1 and 2 change "
            "places, whatever they are.",
            "Positions are always axis 1.",
            "Write out the shape after cutting, for one sentence and for a batch. "
            "Counted from which end do the two axes have fixed numbers?",
            wrong=_cut_with_axes_one_and_two,
        ),
        Misconception(
            "heads-before-the-batch",
            "Right for one sentence; with a batch, the heads come before it, and axis "
            "0 no longer counts examples.",
            "A new axis goes to the front.",
            "What is `result[0]` for a batch: everything of the first example, or head "
            "0 of all examples?",
            wrong=_heads_before_the_batch,
        ),
        Misconception(
            "batch-mixed-with-heads",
            "Right for one sentence. In a batch, numbers of one example turn up in "
            "another: the examples were laid end to end, and cut apart again "
            "elsewhere.",
            "The batch can be flattened and put back with two reshapes.",
            "Set the second example to zeros. Where in your result are the zeros?",
            wrong=_batch_flattened_first,
        ),
        Misconception(
            "positions-last",
            "Your axes are `(..., num_heads, d_k, n)`: positions and features have "
            "changed places.",
            "Heads are cut from the transposed matrix.",
            "In `(num_heads, n, d_k)`, what is `result[0][0]`: a word's piece, or one "
            "feature of all words?",
            wrong=lambda x, num_heads: _swap(cut_into_heads(x, num_heads)),
        ),
        Misconception(
            "whole-rows",
            "Every head got all columns: nothing was cut.",
            "Each head sees the whole vector, so each gets a copy.",
            "How many numbers go in, and how many come out?",
            wrong=_whole_rows_for_every_head,
        ),
    ),
    variants=(
        _torch_cut,
        _loop_cut,
        _in_float32(cut_into_heads),
        lambda x, num_heads: np.moveaxis(
            _stops_after_the_reshape(x, num_heads), -2, -3
        ),
        lambda x, num_heads: np.stack(np.split(x, num_heads, axis=-1), axis=-3),
    ),
    hints=(
        "There are two steps, and only one of them is a reshape.",
        "The reshape may only cut the last axis in two. Which of the two new axes "
        "must come first, so that head 0 gets the first d_k columns?",
        "After it the axes are `(..., n, num_heads, d_k)`. Exchange two of them, "
        "counted from the end.",
    ),
    insight="The reshape costs nothing and neither does the exchange: both only change "
    "how the same memory is walked through. Try np.shares_memory(x, your result).",
)


# --- merging ----------------------------------------------------------------------


def _merge_cases():
    rng = np.random.default_rng(51)
    tiny = np.array([[[11.0, 12], [21, 22], [31, 32]], [[13, 14], [23, 24], [33, 34]]])
    return [
        Case("two heads, three positions", (tiny,)),
        Case("a batch", (rng.normal(0.5, 1.0, (2, 3, 4, 5)),)),
        Case("two leading axes", (rng.normal(-0.3, 2.0, (3, 2, 4, 6, 2)),)),
    ]


def side_by_side(heads):
    per_row = np.swapaxes(heads, -3, -2)
    *leading, num_heads, d_v = per_row.shape
    return per_row.reshape(*leading, num_heads * d_v)


def _flat(per_row):
    return per_row.reshape(*per_row.shape[:-2], -1)


def _shaped(array, heads):
    """Give an array, in whatever order, the shape that merging gives."""
    return array.reshape(*heads.shape[:-3], heads.shape[-2], -1)


def _join(heads, how="right"):
    if how == "reshape":
        return _shaped(heads, heads)
    if how == "interleaved":
        return _flat(np.moveaxis(heads, -3, -1))
    if how == "features":
        return _shaped(_swap(heads), heads)
    return side_by_side(heads)


def _torch_merge(heads):
    return heads.transpose(-3, -2).flatten(-2)


def _loop_merge(heads):
    pieces = [heads[..., h, :, :] for h in range(heads.shape[-3])]
    return np.concatenate(pieces, axis=-1)


def _einsum_merge(heads):
    return _shaped(np.einsum("...hnd->...nhd", heads), heads)


merge_with_leading_axes = Exercise(
    id="ch05.merge",
    title="And back again",
    kind="implement",
    minutes=6,
    difficulty=2,
    section="ch05-by-hand",
    prompt="Write `side_by_side(heads)`, the way back for any leading axes: `heads` "
    "has shape `(..., num_heads, n, d_v)`, the result `(..., n, num_heads * d_v)`. "
    "Each row holds what head 0 found for that position, then what head 1 found, and "
    "so on.",
    starter='def side_by_side(heads):\n    raise NotImplementedError("your code")',
    reference=side_by_side,
    cases=_merge_cases,
    misconceptions=(
        Misconception(
            "bare-reshape",
            "Row 0 holds the first numbers of head 0, those of several positions, "
            "instead of one position from every head.",
            "Splitting needed two steps, and merging only flattens.",
            "Let every number of position i be i. What should row 0 hold, and what "
            "does it hold?",
            wrong=lambda heads: _join(heads, "reshape"),
        ),
        Misconception(
            "heads-interleaved",
            "Within a row the heads take turns, number by number: feature 0 of every "
            "head, then feature 1.",
            "The order within a row does not matter, since W_O mixes it.",
            "Which rows of W_O should meet head 0: the first d_v, or every "
            "num_heads-th?",
            wrong=lambda heads: _join(heads, "interleaved"),
        ),
        Misconception(
            "heads-added",
            "The heads are added up: your result is one head wide.",
            "The heads' answers end up as a sum.",
            "Can you tell from your result what head 0 found? Which matrix should come "
            "before the sum?",
            wrong=lambda heads: heads.sum(axis=-3),
        ),
        Misconception(
            "heads-averaged",
            "The heads are averaged: your result is one head wide.",
            "Several heads are several opinions, and the mean is the answer.",
            "One head found the subject, one the object. What is their mean?",
            wrong=lambda heads: heads.mean(axis=-3),
        ),
        Misconception(
            "below-each-other",
            "The heads stand below each other: num_heads times as many rows, each one "
            "head wide.",
            "Concatenating means appending rows.",
            "How many positions went in? How many rows come out?",
            wrong=lambda heads: heads.reshape(*heads.shape[:-3], -1, heads.shape[-1]),
        ),
        Misconception(
            "not-flattened",
            "Your axes are `(..., n, num_heads, d_v)`: exchanged, and not yet joined.",
            "Neighbouring axes are one axis already.",
            "W_O has `num_heads * d_v` rows. What does your last axis have?",
            wrong=lambda heads: np.swapaxes(heads, -3, -2),
        ),
        Misconception(
            "axes-counted-from-the-front",
            "Right for a batch of sentences, and for nothing else: axes 1 and 2 change "
            "places, whatever they are.",
            "The heads are always axis 1.",
            "Write out the shape without a batch, with one, and with two leading axes. "
            "Counted from which end do heads and positions have fixed numbers?",
            wrong=lambda heads: _shaped(np.swapaxes(heads, 1, 2), heads),
        ),
        Misconception(
            "axis-zero-side-by-side",
            "Right for one sentence; otherwise what lies along axis 0 is laid side by "
            "side, and these are examples, not heads.",
            "A loop over the array runs through the heads.",
            "What does `for part in heads` run through, if there is a batch?",
            wrong=lambda heads: np.concatenate(list(heads), axis=-1),
        ),
        Misconception(
            "features-exchanged",
            "The right shape in a wrong order: you exchanged positions with features "
            "before flattening, not heads with positions.",
            "The last two axes are the ones to exchange, as with keys.",
            "A reshape can join two axes that stand beside each other. Which two "
            "should stand there?",
            wrong=lambda heads: _join(heads, "features"),
        ),
        Misconception(
            "all-axes-reversed",
            "The right shape in a wrong order: all axes were turned around before "
            "flattening, which is what `.T` does here.",
            "The transpose undoes the splitting.",
            "What is the shape of `heads.T` for heads of shape (2, 3, 4, 5)?",
            wrong=lambda heads: _shaped(heads.T, heads),
        ),
        Misconception(
            "last-head-first",
            "The heads stand in reverse order within each row.",
            "Heads have no order, so any will do.",
            "Which rows of W_O were trained for head 0?",
            wrong=lambda heads: side_by_side(heads[..., ::-1, :, :]),
        ),
    ),
    variants=(
        _torch_merge,
        _loop_merge,
        _einsum_merge,
        _in_float32(side_by_side),
        lambda heads: np.block([[heads[..., h, :, :] for h in range(heads.shape[-3])]]),
    ),
    hints=(
        "A reshape can join two axes that stand beside each other, in the order in "
        "which they stand.",
        "Which two axes should become one? Which axis stands between them or in the "
        "wrong place?",
        "Bring the axes to `(..., n, num_heads, d_v)`, then join the last two.",
    ),
    insight="Here the reshape must copy: after the exchange, a row's numbers no longer "
    "lie side by side in memory. It is why PyTorch code has `.contiguous()` before a "
    "`.view()` at this place, and why `.view()` without it refuses.",
)


# --- the reshape, found in code ---------------------------------------------------


def _causal_cases():
    rng = np.random.default_rng(52)

    def some(batch, n, num_heads, d_k, d_v):
        widths = num_heads * d_k, num_heads * d_k, num_heads * d_v
        q, k, v = (rng.normal(0.3, 1.2, (batch, n, w)) for w in widths)
        return q, k, v, num_heads

    tiny = np.array([[[1.0, 0], [0, 1]]])
    return [
        Case(
            "two positions, two heads",
            (tiny, 2 * tiny, np.array([[[10.0, 20], [30, 50]]]), 2),
        ),
        Case("a batch of three", some(3, 4, 2, 5, 3)),
        Case("a batch of two", some(2, 5, 3, 4, 2)),
    ]


def causal_heads(query, key, value, num_heads):
    def split(x):
        return x.reshape(batch, n, num_heads, -1).swapaxes(1, 2)

    batch, n, _ = query.shape
    query, key, value = split(query), split(key), split(value)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = raised / raised.sum(axis=-1, keepdims=True)
    return (weights @ value).swapaxes(1, 2).reshape(batch, n, -1)


def _causal_with(
    query,
    key,
    value,
    num_heads,
    *,
    split="right",
    merge="right",
    mask="",
    scale="d_k",
    axis=-1,
):
    n, width = query.shape[1:]
    factor = {"d_k": num_heads / width, "all": 1 / width, "none": 1.0}[scale] ** 0.5
    q, k, v = (_cut(x, num_heads, split) for x in (query, key, value))
    scores = q @ _swap(k) * factor
    masks = {"none": np.ones((n, n)), "later": np.tri(n).T, "strict": np.tri(n, k=-1)}
    scores = np.where(masks.get(mask, np.tri(n)) > 0, scores, -np.inf)
    weights = _softmax(scores, axis)
    if merge == "mean":
        return (weights @ v).mean(axis=1)
    return _join(weights @ v, merge)


def _torch_causal(query, key, value, num_heads):
    import torch

    heads = (
        x.unflatten(-1, (num_heads, -1)).transpose(1, 2) for x in (query, key, value)
    )
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(*heads, is_causal=True).transpose(1, 2).flatten(2)


def _loop_causal(query, key, value, num_heads):
    parts = (np.split(x, num_heads, axis=-1) for x in (query, key, value))
    found = []
    for q, k, v in zip(*parts, strict=True):
        scores = np.einsum("bid,bjd->bij", q, k) / np.sqrt(q.shape[-1])
        scores = scores - 1e9 * (1 - np.tri(q.shape[1]))
        found.append(_softmax(scores) @ v)
    return np.concatenate(found, axis=-1)


def _first_is_not_its_own(result, query, key, value, num_heads):
    if np.allclose(result[:, 0], value[:, 0], rtol=1e-4, atol=1e-5):
        return None
    return (
        "Under a causal mask the first position may attend to itself alone, so its "
        "output is its own value. Yours is something else."
    )


mend_the_merge = Exercise(
    id="ch05.mend-merge",
    title="A mask that is right, and a leak",
    kind="debug",
    minutes=7,
    difficulty=3,
    section="ch05-reshape",
    prompt="This `causal_heads(query, key, value, num_heads)` takes what the "
    "projections gave: `query` and `key` of shape `(batch, n, num_heads * d_k)`, "
    "`value` of shape `(batch, n, num_heads * d_v)`. It should return causal "
    "attention, head by head, side by side, of shape `(batch, n, num_heads * d_v)`. "
    "Every row of its weights adds up to 1, no weight lies on a later position, and "
    "yet a model trained with it reads the future. Mend it.",
    starter="def causal_heads(query, key, value, num_heads):\n"
    "    def split(x):\n"
    "        return x.reshape(batch, n, num_heads, -1).swapaxes(1, 2)\n"
    "\n"
    "    batch, n, _ = query.shape\n"
    "    query, key, value = split(query), split(key), split(value)\n"
    "    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])\n"
    "    scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)\n"
    "    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
    "    weights = raised / raised.sum(axis=-1, keepdims=True)\n"
    "    return (weights @ value).reshape(batch, n, -1)",
    reference=causal_heads,
    cases=_causal_cases,
    switched=_causal_with,
    misconceptions=(
        Misconception(
            "bare-merge",
            "The first rows of your output come from head 0 alone, and hold several "
            "positions each: the heads were flattened as they stand, head "
            "by head.",
            "The last line brings back the right shape, so it is right.",
            "Change the last word of the input. Which rows of the output move?",
            switch={"merge": "reshape"},
        ),
        Misconception(
            "merge-interleaved",
            "The right numbers in each row, in a wrong order: the heads take turns, "
            "number by number.",
            "Positions must come first; the rest may be in any order.",
            "Which columns of value did head 0 work on? Which columns hold its answer?",
            switch={"merge": "interleaved"},
        ),
        Misconception(
            "merge-exchanges-features",
            "Positions are still mixed: the last two axes were exchanged before the "
            "reshape, and the heads still stand before the positions.",
            "Some exchange was missing, and keys are turned with `(-1, -2)`.",
            "Write the shape before the last reshape. Which two axes should be "
            "neighbours at the end?",
            switch={"merge": "features"},
        ),
        Misconception(
            "merge-averages",
            "Your output is one head wide: the heads were averaged.",
            "The heads' answers must be combined into one.",
            "What is the last axis of the result in the prompt?",
            switch={"merge": "mean"},
        ),
        Misconception(
            "bare-split",
            "Each head works on a stretch of the sentence: the split is a reshape "
            "without the exchange of axes.",
            "Split and merge must undo each other, so either both exchange axes or "
            "neither does.",
            "What does head 0 hold, the first columns or the first words?",
            switch={"split": "reshape"},
        ),
        Misconception(
            "split-interleaved",
            "Columns were dealt to the heads in turn when splitting.",
            "The fault is that heads are cut from neighbouring columns.",
            "Which columns of `x @ W_Q` are head 0's?",
            switch={"split": "interleaved"},
        ),
        Misconception(
            "mask-gone",
            "Every position attends to every other: the mask is gone.",
            "If there is a leak, the mask must be wrong.",
            "Print the weights of the code as handed out. Does any lie above the "
            "diagonal?",
            switch={"mask": "none"},
        ),
        Misconception(
            "mask-turned",
            "Your mask hides the past and shows the future: it is turned around.",
            "If the future leaks, the mask must be upside down.",
            "Print np.tri(3). May the first position attend to the third?",
            switch={"mask": "later"},
        ),
        Misconception(
            "not-itself",
            "A position may not attend to itself any more, and the first one is left "
            "with nothing: NaN.",
            "The leak is on the diagonal.",
            "Does a word that reads itself read the future?",
            switch={"mask": "strict"},
        ),
        Misconception(
            "softmax-over-queries",
            "Each column of the weights adds up to 1: the softmax runs over the "
            "queries now.",
            "The axis of the softmax must be the fault.",
            "Print the sums of the rows and of the columns, in the code as handed out.",
            switch={"axis": -2},
        ),
        Misconception(
            "scaled-by-all-heads",
            "The scores are divided by the root of the width of all heads together.",
            "The width is that of the array that came in.",
            "How many terms does one head's dot product add up?",
            switch={"scale": "all"},
        ),
        Misconception(
            "not-scaled",
            "The scores are not divided by anything.",
            "The factor belongs to the layer, not to the head.",
            "What does a head of width 64 do to the spread of its scores?",
            switch={"scale": "none"},
        ),
    ),
    variants=(
        _torch_causal,
        _loop_causal,
        _causal_with,
        _in_float32(causal_heads),
    ),
    properties=(Property("the first position sees itself", _first_is_not_its_own),),
    hints=(
        "Move one word of the input, as the section does, and see which rows of the "
        "output move.",
        "The weights are right. So is everything before them. What is left?",
        "Before the last reshape the axes are `(batch, num_heads, n, d_v)`. In which "
        "order must they stand for it to join a position's heads?",
    ),
    insight="The function can be tested without knowing a single right number: under a "
    "causal mask the first row of the output is the first row of the value. "
    "It fails here at once.",
)


# --- what is split ----------------------------------------------------------------

what_a_head_reads = Exercise(
    id="ch05.what-is-split",
    title="What is cut, and what is not",
    kind="explain",
    minutes=4,
    difficulty=2,
    section="ch05-note-parts",
    prompt="A layer has $d = 512$ and eight heads. Somebody says that each head looks "
    "at 64 of the 512 features of a word. Set `ch05_what_is_split` to the letters of "
    "all statements that are true, in one string.",
    starter="ch05_what_is_split = ...",
    choices={
        "a": Choice(
            "The features are cut in order, so head 0 reads features 0 to 63 of each "
            "word.",
            "What is cut in order is the projection `x @ W_Q`. Each of its columns is "
            "a sum over all 512 features, so head 0 reads them all.",
        ),
        "b": Choice(
            "Each head's queries may depend on all 512 features of the word that asks.",
            "Head i has 64 columns of W_Q, and a column has 512 entries, one for each "
            "feature. In the section's figure no derivative for the input is zero.",
            right=True,
        ),
        "c": Choice(
            "The 64 numbers are mixtures of features, and training decides which "
            "mixtures.",
            "The columns of W_Q are trained. Shuffle the features and the rows of W_Q "
            "alike, and nothing changes: only the mixtures matter.",
            right=True,
        ),
        "d": Choice(
            "The weights of all heads are one n by n matrix, cut into eight parts.",
            "Each head has a whole n by n matrix of its own, with rows that add up to "
            "1. What all heads share is the input.",
        ),
        "e": Choice(
            "Without the cut, one head would compute the eight weight matrices as "
            "well.",
            "One head adds up the eight heads' scores before the softmax and gets one "
            "matrix. The eight cannot be got back from their sum.",
        ),
    },
    hints=(
        "Two things are called x in such sentences: the input, and the input times a "
        "matrix. Which of them is cut?",
        "How many entries has one column of W_Q, and what does each multiply?",
        "Two letters are right. For each of the five, name the array that it speaks "
        "about and its shape.",
    ),
    insight="Each head's score is `x_i M x_jᵀ`, where M is the query matrix times the "
    "transpose of the key matrix, divided by the root of the width of a head. M is of "
    "rank at most 64: the whole of both words is read, through a narrow matrix.",
)


# --- leaving a head out -----------------------------------------------------------


def _without_cases():
    rng = np.random.default_rng(53)

    def some(num_heads, n, d_v, d_model):
        heads = rng.normal(0.6, 1.0, (num_heads, n, d_v))
        return heads, rng.normal(0.2, 1.0, (num_heads * d_v, d_model))

    tiny = np.array([[[1.0, 2]], [[10, 20]]]), np.array([[1.0], [2], [3], [4]])
    return [
        Case("two heads, one position", (*tiny, 1)),
        Case("four heads, the second removed", (*some(4, 3, 2, 8), 1)),
        Case("three heads, the first removed", (*some(3, 5, 2, 7), 0)),
        Case("three heads, the last removed", (*some(3, 2, 4, 5), 2)),
    ]


def without_head(heads, w_output, removed):
    num_heads, _, d_v = heads.shape
    blocks = w_output.reshape(num_heads, d_v, -1)
    contributions = heads @ blocks  # (num_heads, n, d_model)
    return contributions.sum(axis=0) - contributions[removed]


def _without_with(
    heads, w_output, removed, *, kept="others", blocks="rows", size="sum"
):
    num_heads, _, d_v = heads.shape
    cut = {
        "rows": w_output.reshape(num_heads, d_v, -1),
        "interleaved": w_output.reshape(d_v, num_heads, -1).swapaxes(0, 1),
        "first": np.broadcast_to(w_output[:d_v], (num_heads, d_v, w_output.shape[1])),
    }
    if blocks == "memory":
        taken = np.full(num_heads, True)
        taken[removed] = kept == "all"
        return _join(heads * taken[:, None, None], "reshape") @ w_output
    parts = heads @ cut[blocks]
    chosen = {
        "others": np.delete(parts, removed, axis=0),
        "all": parts,
        "only": parts[[removed]],
        "next": np.delete(parts, (removed + 1) % num_heads, axis=0),
        "previous": np.delete(parts, removed - 1, axis=0),
        "before": parts[:removed],
    }[kept]
    factor = {"sum": 1.0, "mean": 1 / num_heads, "others": 1 / (num_heads - 1)}
    factor["grown"] = num_heads / (num_heads - 1)
    return chosen.sum(axis=0) * factor[size]


def _later_heads_move_up(heads, w_output, removed):
    rest = np.delete(heads, removed, axis=0)
    return side_by_side(rest) @ w_output[: rest.shape[0] * rest.shape[2]]


def _one_row_zeroed(heads, w_output, removed):
    kept = w_output.copy()
    kept[removed] = 0
    return side_by_side(heads) @ kept


def _columns_zeroed(heads, w_output, removed):
    d_v, kept = heads.shape[2], w_output.copy()
    kept[:, removed * d_v : (removed + 1) * d_v] = 0
    return side_by_side(heads) @ kept


def _zeroed(heads, w_output, removed):
    kept = heads.copy()
    kept[removed] = 0
    return side_by_side(kept) @ w_output


def _rows_deleted(heads, w_output, removed):
    d_v = heads.shape[2]
    rows = np.delete(w_output, slice(removed * d_v, (removed + 1) * d_v), axis=0)
    return side_by_side(np.delete(heads, removed, axis=0)) @ rows


def _loop_without(heads, w_output, removed):
    d_v, total = heads.shape[2], 0.0
    for h, head in enumerate(heads):
        if h != removed:
            total = total + head @ w_output[h * d_v : (h + 1) * d_v]
    return total


def _torch_without(heads, w_output, removed):
    import torch

    kept = torch.arange(heads.shape[0]) != removed
    blocks = w_output.unflatten(0, (heads.shape[0], -1))
    return torch.einsum("hnd,hdm->nm", heads[kept], blocks[kept])


leave_one_out = Exercise(
    id="ch05.without-head",
    title="A layer with one head removed",
    kind="implement",
    minutes=9,
    difficulty=3,
    section="ch05-sum",
    prompt="To learn what a head is good for, people take it out and see what breaks. "
    "Write `without_head(heads, w_output, removed)`: `heads` has shape `(num_heads, "
    "n, d_v)`, `w_output` has shape `(num_heads * d_v, d_model)`, and `removed` is the "
    "number of one head, counted from 0. Return the layer's output, `(n, d_model)`, as "
    "it would be if that head contributed nothing, and all else stayed as it is.",
    starter="def without_head(heads, w_output, removed):\n"
    '    raise NotImplementedError("your code")',
    reference=without_head,
    cases=_without_cases,
    switched=_without_with,
    misconceptions=(
        Misconception(
            "only-that-head",
            "Your result is what the removed head adds, and nothing else.",
            "removed says which head to look at.",
            "Add your result to the output without that head. What should come out?",
            switch={"kept": "only"},
        ),
        Misconception(
            "nothing-removed",
            "Your result is the output of all heads: none was removed.",
            "What is removed after the product no longer matters.",
            "Does your result change with removed?",
            switch={"kept": "all"},
        ),
        Misconception(
            "counted-from-one",
            "The head before the one asked for is gone: yours are counted from 1.",
            "The first head has number 1.",
            "Which head is missing if removed is 0?",
            switch={"kept": "previous"},
        ),
        Misconception(
            "next-head-removed",
            "The head after the one asked for is gone.",
            "A cut at `removed * d_v` ends where the head ends.",
            "Where do the columns of head h begin, and where do they end?",
            switch={"kept": "next"},
        ),
        Misconception(
            "later-heads-lost",
            "All heads from the removed one on are gone, not that one alone.",
            "A slice up to removed leaves out one head.",
            "How many heads should be left of four, if head 1 is removed?",
            switch={"kept": "before"},
        ),
        Misconception(
            "rows-interleaved",
            "Head h met rows `h`, `h + num_heads`, ... of W_O instead of d_v rows in a "
            "block.",
            "The rows of W_O go to the heads in turn.",
            "Side by side, which columns belong to head 0? Which rows do they meet?",
            switch={"blocks": "interleaved"},
        ),
        Misconception(
            "same-block-for-all",
            "Every head met the first d_v rows of W_O: the other rows play no part.",
            "One block maps a head to the output, the same for all.",
            "Change the last row of W_O. Does your result change?",
            switch={"blocks": "first"},
        ),
        Misconception(
            "bare-merge",
            "The heads were flattened as they stand, head by head: "
            "a row holds several positions of one head.",
            "Setting a head to zero is the hard part; after it a reshape will do.",
            "With one head zeroed, in which columns should the zeros be in every row?",
            switch={"blocks": "memory"},
        ),
        Misconception(
            "averaged",
            "Your result is divided by the number of all heads.",
            "The layer's output is the mean of its heads.",
            "Is concatenating and multiplying a sum or a mean?",
            switch={"size": "mean"},
        ),
        Misconception(
            "averaged-over-the-rest",
            "Your result is divided by the number of heads that are left.",
            "The layer's output is the mean of its heads.",
            "Is concatenating and multiplying a sum or a mean?",
            switch={"size": "others"},
        ),
        Misconception(
            "rest-grown",
            "The heads that are left count `num_heads / (num_heads - 1)` times: they "
            "make up for the missing one, as in dropout.",
            "The output must keep its size.",
            "The prompt says that all else stays as it is. Do the other terms of the "
            "sum?",
            switch={"size": "grown"},
        ),
        Misconception(
            "later-heads-move-up",
            "The heads after the removed one met the rows of the head before them: the "
            "head was deleted, and its rows of W_O were not.",
            "What is left is laid side by side, and meets W_O from the top.",
            "After deleting head 0, which rows of W_O does head 1 meet?",
            wrong=_later_heads_move_up,
        ),
        Misconception(
            "one-row-removed",
            "One single row of W_O is gone, row number `removed`; the head still "
            "reaches the output through others.",
            "Row h of W_O belongs to head h.",
            "W_O has `num_heads * d_v` rows. How many of them does one head meet?",
            wrong=_one_row_zeroed,
        ),
        Misconception(
            "columns-removed",
            "Columns of W_O were set to zero: some features of the output miss all "
            "heads, and the others miss none.",
            "A head owns columns everywhere.",
            "In heads side by side, times W_O: what meets the columns on the left, the "
            "rows or the columns on the right?",
            wrong=_columns_zeroed,
        ),
    ),
    variants=(
        _zeroed,
        _rows_deleted,
        _loop_without,
        _torch_without,
        _in_float32(without_head),
    ),
    hints=(
        "Write the output as a sum with one term for each head. Which term goes?",
        "Each head meets d_v rows of W_O of its own. A reshape of W_O makes a block "
        "for each head, and `@` multiplies head by head.",
        "Or set that head's numbers to zero before they are laid side by side. (In a "
        "copy: heads belongs to whoever called you.)",
    ),
    insight="All num_heads ablations cost one forward pass: compute the terms once "
    "and leave out one after the other. Within one layer this is exact. Removing two "
    "heads changes the output by the sum of the two terms; what that does to the "
    "layers above is no longer a sum.",
)


# --- multi-head attention from parts ----------------------------------------------


def _parts_cases():
    rng = np.random.default_rng(54)

    def some(batch, n, d_model, num_heads, d_k, d_v):
        x = rng.normal(0.4, 1.0, (batch, n, d_model))
        size = 1.3 / np.sqrt(d_model)
        w_query, w_key = rng.normal(0.1, size, (2, d_model, num_heads * d_k))
        w_value = rng.normal(0.2, size, (d_model, num_heads * d_v))
        w_output = rng.normal(0.1, 0.6, (num_heads * d_v, d_model))
        return x, w_query, w_key, w_value, w_output, num_heads

    tiny = np.array([[[1.0, 0], [1, 2]]])
    w = [[[2.0, 0], [0, 1]], [[1, 1], [0, 1]], [[10, 0], [0, 20]], [[1, 1], [0, 2]]]
    return [
        Case("two words, two heads", (tiny, *(np.array(a, float) for a in w), 2)),
        Case("a batch of two", some(2, 4, 6, 2, 5, 3)),
        Case("a batch of three", some(3, 5, 12, 4, 2, 3)),
        Case("values of another width", some(2, 3, 5, 3, 4, 2)),
    ]


def all_heads(x, w_query, w_key, w_value, w_output, num_heads):
    def split(columns):
        per_row = columns.reshape(*x.shape[:2], num_heads, -1)
        return per_row.swapaxes(1, 2)  # (batch, num_heads, n, d_k)

    query, key = split(x @ w_query), split(x @ w_key)
    value = split(x @ w_value)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    per_row = (weights @ value).swapaxes(1, 2)  # (batch, n, num_heads, d_v)
    return per_row.reshape(*x.shape[:2], -1) @ w_output


def _scale(kind, d_model, d_k, num_heads, n_k, d_v=1):
    return {
        "d_v": d_v**-0.5,
        "d_k": d_k**-0.5,
        "d_model": d_model**-0.5,
        "all": (d_k * num_heads) ** -0.5,
        "none": 1.0,
        "no-root": 1 / d_k,
        "grows": d_k**0.5,
        "heads": num_heads**-0.5,
        "n_k": n_k**-0.5,
    }[kind]


def _parts_with(
    x,
    w_query,
    w_key,
    w_value,
    w_output,
    num_heads,
    *,
    scale="d_k",
    split="right",
    merge="right",
    axis=-1,
    weights="own",
    roles="qk",
    output="projected",
):
    w_query, w_key = {
        "qk": (w_query, w_key),
        "kq": (w_key, w_query),
        "qq": (w_query, w_query),
        "kk": (w_key, w_key),
    }[roles]
    q, k, v = (_cut(x @ w, num_heads, split) for w in (w_query, w_key, w_value))
    widths = x.shape[-1], q.shape[-1], num_heads, x.shape[1], v.shape[-1]
    scores = q @ _swap(k) * _scale(scale, *widths)
    if weights == "causal":
        scores = np.where(np.tri(x.shape[1]) > 0, scores, -np.inf)
    shares = _softmax(scores, axis)
    if weights == "averaged":
        shares = shares.mean(axis=1, keepdims=True)
    if weights == "first":
        shares = shares[:, :1]
    joined = _join(shares @ v, merge)
    return joined @ w_output if output == "projected" else joined


def _one_big_head(x, w_query, w_key, w_value, w_output, num_heads):
    return all_heads(x, w_query, w_key, w_value, w_output, 1)


def _values_not_projected(x, w_query, w_key, w_value, w_output, num_heads):
    if x.shape[-1] != w_value.shape[1]:
        raise ValueError("x does not fit where its projection belongs")
    identity = np.eye(x.shape[-1])
    return all_heads(x, w_query, w_key, identity, w_output, num_heads)


def _output_transposed(x, w_query, w_key, w_value, w_output, num_heads):
    return all_heads(x, w_query, w_key, w_value, w_output.T, num_heads)


def _loop_parts(x, w_query, w_key, w_value, w_output, num_heads):
    parts = (np.split(w, num_heads, axis=1) for w in (w_query, w_key, w_value))
    blocks = np.split(w_output, num_heads)
    total = np.zeros((*x.shape[:2], w_output.shape[1]))
    for w_q, w_k, w_v, w_o in zip(*parts, blocks, strict=True):
        scores = (x @ w_q) @ (x @ w_k).transpose(0, 2, 1) / np.sqrt(w_q.shape[1])
        total += _softmax(scores) @ (x @ w_v) @ w_o
    return total


def _torch_parts(x, w_query, w_key, w_value, w_output, num_heads):
    import torch

    q, k, v = (
        (x @ w).unflatten(-1, (num_heads, -1)).transpose(1, 2)
        for w in (w_query, w_key, w_value)
    )
    heads = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return heads.transpose(1, 2).flatten(2) @ w_output


def _einsum_parts(x, w_query, w_key, w_value, w_output, num_heads):
    q, k, v = (
        np.einsum("bnd,dhk->bhnk", x, w.reshape(len(w), num_heads, -1))
        for w in (w_query, w_key, w_value)
    )
    weights = _softmax(np.einsum("bhik,bhjk->bhij", q, k) * q.shape[-1] ** -0.5)
    blocks = w_output.reshape(num_heads, -1, w_output.shape[1])
    return np.einsum("bhij,bhjv,hvd->bid", weights, v, blocks)


def _breaks_for_large_scores(answer):
    big = 60 * np.eye(2)[None]
    result = answer(big, *[np.eye(2)] * 4, 1)
    return not np.isfinite(np.asarray(result)).all()


_OVERFLOWS = Remark(
    "Scores in the thousands give NaN, since the exponential overflows. Subtract the "
    "largest score of each row first: the weights stay the same.",
    _breaks_for_large_scores,
)

from_parts = Exercise(
    id="ch05.from-parts",
    title="Multi-head attention from its parts",
    kind="implement",
    minutes=18,
    difficulty=4,
    section="ch05-sum",
    prompt="Everything so far, in one function of your own: `all_heads(x, w_query, "
    "w_key, w_value, w_output, num_heads)`. A batch of sentences `x` of shape `(batch, "
    "n, d_model)` attends to itself. `w_query` and `w_key` are `(d_model, num_heads * "
    "d_k)`, `w_value` is `(d_model, num_heads * d_v)`, and `w_output` is `(num_heads * "
    "d_v, d_model)`; each head owns neighbouring columns, and `d_k` and `d_v` may "
    "differ. Return `(batch, n, d_model)`. No masks, no biases, and NumPy or torch "
    "without their ready-made attention.",
    starter="def all_heads(x, w_query, w_key, w_value, w_output, num_heads):\n"
    '    raise NotImplementedError("your code")',
    reference=all_heads,
    cases=_parts_cases,
    switched=_parts_with,
    misconceptions=(
        Misconception(
            "scaled-by-d-model",
            "Your scores are divided by the root of d_model, the width of x; a head's "
            "dot product adds d_k terms.",
            "The scale belongs to the model, not to the head.",
            "How many terms does the dot product of one head add up?",
            switch={"scale": "d_model"},
        ),
        Misconception(
            "scaled-by-all-heads",
            "Your scores are divided by the root of `num_heads * d_k`, the width of "
            "all heads together.",
            "The width is that of `x @ w_query`.",
            "Was the width taken before the split or after it?",
            switch={"scale": "all"},
        ),
        Misconception(
            "scaled-by-d-v",
            "Right where d_k and d_v are equal; elsewhere your scores are divided by "
            "the root of d_v, the width of a value.",
            "A head has one width.",
            "Which two vectors does a score multiply, and how long are they?",
            switch={"scale": "d_v"},
        ),
        Misconception(
            "not-scaled",
            "Your scores are plain dot products: nothing divides them.",
            "Heads are narrow, so scaling no longer matters.",
            "How does the spread of q · k grow with d_k?",
            switch={"scale": "none"},
        ),
        Misconception(
            "divided-by-d-k",
            "Your scores are divided by d_k; the root is missing.",
            "A sum of d_k terms is divided by d_k.",
            "If d_k terms of random sign are added, how does their sum grow?",
            switch={"scale": "no-root"},
        ),
        Misconception(
            "multiplied",
            "Your scores are multiplied by the root of d_k.",
            "Scaling makes scores larger.",
            "Should the factor shrink or grow when heads get wider?",
            switch={"scale": "grows"},
        ),
        Misconception(
            "scaled-by-number-of-heads",
            "Your scores are divided by the root of num_heads.",
            "More heads need smaller scores.",
            "Which axis did you read the width from?",
            switch={"scale": "heads"},
        ),
        Misconception(
            "scaled-by-length",
            "Your scores are divided by the root of n, the number of words.",
            "The scale can be read from the shape of the scores.",
            "Should the score of two words change when a third joins?",
            switch={"scale": "n_k"},
        ),
        Misconception(
            "bare-split",
            "Each head works on a stretch of the sentence: the split is a reshape "
            "without the exchange of axes.",
            "If the shape is right, the numbers are where they should be.",
            "Fill each row of x with its own number. What does head 0 hold?",
            switch={"split": "reshape"},
        ),
        Misconception(
            "split-interleaved",
            "Head 0 got every num_heads-th column of each projection instead of the "
            "first ones.",
            "Columns may go to the heads in any order.",
            "The prompt says that a head owns neighbouring columns. Which are head "
            "0's?",
            switch={"split": "interleaved"},
        ),
        Misconception(
            "bare-merge",
            "Each row of what w_output gets holds several words of one head: the merge "
            "is a reshape without the exchange of axes.",
            "Merging only flattens.",
            "With one head zeroed, in which columns should the zeros be in every row?",
            switch={"merge": "reshape"},
        ),
        Misconception(
            "merge-interleaved",
            "The heads take turns in each row, number by number, so they meet rows of "
            "w_output that belong to others.",
            "The order within a row does not matter.",
            "Which rows of w_output belong to head 0?",
            switch={"merge": "interleaved"},
        ),
        Misconception(
            "merge-exchanges-features",
            "Rows of w_output meet mixed positions: features and positions were "
            "exchanged before flattening, not heads and positions.",
            "The exchange is the same as for the keys.",
            "Which two axes should be neighbours before they are joined?",
            switch={"merge": "features"},
        ),
        Misconception(
            "softmax-over-queries",
            "For each key, the weights of all words add up to 1: your softmax runs "
            "over the queries.",
            "The axis before the last is that of the keys.",
            "In `(batch, num_heads, n, n)`, whose shares form a row?",
            switch={"axis": -2},
        ),
        Misconception(
            "softmax-over-heads",
            "The weights of all heads add up to 1 for each pair of words: your softmax "
            "runs over the heads.",
            "Axis 1 is that of the keys.",
            "With a batch and heads in front, which number has the axis of the keys?",
            switch={"axis": -3},
        ),
        Misconception(
            "weights-averaged",
            "All heads use the mean of the heads' weights.",
            "The heads agree on where to look.",
            "If all heads look at the same place, what are the others for?",
            switch={"weights": "averaged"},
        ),
        Misconception(
            "causal",
            "No word looks at a later one: there is a causal mask, and the exercise "
            "has none.",
            "Self-attention is always causal.",
            "Who reads a sentence from left to right, a decoder or any layer?",
            switch={"weights": "causal"},
        ),
        Misconception(
            "first-heads-weights",
            "All heads use the weights of head 0.",
            "There is one matrix of weights, as with one head.",
            "Change the last column of w_query. Does your result change?",
            switch={"weights": "first"},
        ),
        Misconception(
            "keys-from-w-query",
            "Your keys were made with w_query; w_key plays no part.",
            "In self-attention, query and key are the same.",
            "Change w_key. Does your result change?",
            switch={"roles": "qq"},
        ),
        Misconception(
            "queries-from-w-key",
            "Your queries were made with w_key; w_query plays no part.",
            "In self-attention, query and key are the same.",
            "Change w_query. Does your result change?",
            switch={"roles": "kk"},
        ),
        Misconception(
            "query-and-key-swapped",
            "Row i compares key i with every query: the two have changed places.",
            "The order of the product does not matter when both come from x.",
            "In scores of shape `(n, n)`, whose question is row 0?",
            switch={"roles": "kq"},
        ),
        Misconception(
            "no-output-projection",
            "Your heads stand side by side: w_output plays no part.",
            "Concatenating is the last step.",
            "Multiply w_output by 10. Does your result change?",
            switch={"output": "none"},
        ),
        Misconception(
            "one-big-head",
            "Your result is that of one head of the whole width: the softmax ran once, "
            "over the scores of all heads added up.",
            "The matrices have room for all heads, so the rest happens by itself.",
            "Does your result change with num_heads? Before or after the softmax are "
            "the heads added up?",
            wrong=_one_big_head,
        ),
        Misconception(
            "values-not-projected",
            "Your heads mix columns of x itself: w_value plays no part.",
            "The values are the words.",
            "Multiply w_value by 10. Does your result change?",
            wrong=_values_not_projected,
            raises=(ValueError, RuntimeError),
        ),
        Misconception(
            "output-matrix-transposed",
            "Wherever w_output is square you used its transpose.",
            "A layer multiplies by the transposed matrix.",
            "Which axis of w_output has `num_heads * d_v` entries, the first or the "
            "last?",
            wrong=_output_transposed,
            raises=(ValueError, RuntimeError),
        ),
    ),
    variants=(
        _loop_parts,
        _torch_parts,
        _einsum_parts,
        _parts_with,
        _in_float32(all_heads),
    ),
    remarks=(_OVERFLOWS,),
    hints=(
        "Five steps: project, split, attend, merge, mix. Write the shape after each "
        "one before any code.",
        "A small function that splits serves all three projections. After it, "
        "attention is that of chapter 3: heads are one more leading axis.",
        "The scale is the root of the last axis of the queries after the split. The "
        "merge exchanges axes 1 and 2 back before it reshapes; then comes w_output.",
    ),
    insight="The same numbers come out of a loop over heads, each with its own columns "
    "of the three matrices and its own rows of w_output, adding up as it goes. Then no "
    "array ever holds all heads, and the weights need memory for one head at a time.",
)


# --- the shape of the weights -----------------------------------------------------

predict_weights_shape = Exercise(
    id="ch05.weights-shape",
    title="The shape of the weights",
    kind="predict",
    minutes=3,
    difficulty=2,
    section="ch05-layer",
    prompt="`ac.layers.MultiHeadAttention(24, 6)` is called with a query of shape "
    "`(3, 5, 24)`, key and value of shape `(3, 7, 24)`, and `need_weights=True`. What "
    "is the shape of the weights? Write it into `ch05_shape_of_weights` as a tuple.",
    starter="ch05_shape_of_weights = ...",
    reference=(3, 6, 5, 7),
    misconceptions=(
        Misconception(
            "averaged",
            "These are weights averaged over the heads, as PyTorch's layer returns "
            "them unless told otherwise.",
            "There is one matrix of weights for each example.",
            "How many softmaxes run for each example?",
            wrong=(3, 5, 7),
        ),
        Misconception(
            "transposed",
            "A row for each key: queries and keys have changed places.",
            "Keys come first.",
            "Each query's weights add up to 1 along the last axis. Over what are they "
            "spread?",
            wrong=(3, 6, 7, 5),
        ),
        Misconception(
            "self-attention",
            "This would be right if the query attended to itself.",
            "Weights are always square.",
            "How many keys can a query choose from?",
            wrong=(3, 6, 5, 5),
        ),
        Misconception(
            "folded",
            "This is the shape with heads folded into the batch: 3 times 6 examples.",
            "Heads are more examples.",
            "Note 2 keeps its heads so. On which axis does the course keep them?",
            wrong=(18, 5, 7),
        ),
        Misconception(
            "heads-first",
            "The heads stand before the examples.",
            "Heads come first, as they do for a single sentence.",
            "The split works on the last two axes. Where does it leave a batch?",
            wrong=(6, 3, 5, 7),
        ),
        Misconception(
            "heads-behind-positions",
            "The heads stand behind the queries, as before the exchange of axes.",
            "Cutting the rows is the last step of a split.",
            "Which two axes does one product of queries and keys make?",
            wrong=(3, 5, 6, 7),
        ),
        Misconception(
            "output-of-heads",
            "This is the shape of the heads' answers: the last axis is the width of a "
            "head.",
            "Weights have the shape of what they make.",
            "After the scores, which axis has been summed away: the keys, or the "
            "features?",
            wrong=(3, 6, 5, 4),
        ),
        Misconception(
            "output-of-the-layer",
            "This is the shape of the output.",
            "Weights have the shape of what they make.",
            "A weight belongs to a pair. Of what?",
            wrong=(3, 5, 24),
        ),
        Misconception(
            "width-of-a-head-as-heads",
            "Your second axis is 4, the width of a head; it should count the heads.",
            "24 divided by 6 is the number of heads.",
            "What does the second argument of the layer say?",
            wrong=(3, 4, 5, 7),
        ),
        Misconception(
            "batch-forgotten",
            "This is the shape for one example.",
            "The layer works through the batch one by one.",
            "How many examples went in, and may they share weights?",
            wrong=(6, 5, 7),
        ),
    ),
    hints=(
        "A weight is a number for one example, one head, one query and one key.",
        "How many of each are there? The width 24 tells nothing about pairs.",
        "The order is that of `(batch, num_heads, n_q, n_k)`.",
    ),
    insight="Count them: 630 weights for 360 numbers of output. In a layer with 12 "
    "heads and 4,096 positions, weights take 201 million numbers for each example, "
    "which is why need_weights is False unless asked for.",
)


# --- cross-attention --------------------------------------------------------------


def _cross_cases():
    rng = np.random.default_rng(55)

    def some(n_q, n_k, d_x, d_source, num_heads, d_k, d_v, d_model):
        x = rng.normal(0.4, 1.0, (n_q, d_x))
        source = rng.normal(-0.2, 1.0, (n_k, d_source))
        w_query = rng.normal(0.1, 1.2 / np.sqrt(d_x), (d_x, num_heads * d_k))
        w_key = rng.normal(0.1, 1.2 / np.sqrt(d_source), (d_source, num_heads * d_k))
        w_value = rng.normal(0.2, 0.8, (d_source, num_heads * d_v))
        w_output = rng.normal(0.1, 0.6, (num_heads * d_v, d_model))
        return x, source, w_query, w_key, w_value, w_output, num_heads

    tiny = np.array([[1.0, 0], [1, 2]]), np.array([[0.0, 1], [2, 1]])
    w = [[[2.0, 0], [0, 1]], [[1, 1], [0, 1]], [[10, 0], [0, 20]], [[1, 1], [0, 2]]]
    return [
        Case("two words look at two", (*tiny, *(np.array(a, float) for a in w), 2)),
        Case("four words look at five", some(4, 5, 6, 6, 2, 3, 4, 6)),
        Case("inputs of different width", some(4, 3, 5, 7, 3, 2, 4, 5)),
    ]


def cross_heads(x, source, w_query, w_key, w_value, w_output, num_heads):
    def split(columns):
        n, width = columns.shape
        return columns.reshape(n, num_heads, width // num_heads).swapaxes(0, 1)

    query, key, value = (
        split(x @ w_query),
        split(source @ w_key),
        split(source @ w_value),
    )
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    per_row = (weights @ value).swapaxes(0, 1)  # (n_q, num_heads, d_v)
    return per_row.reshape(len(x), -1) @ w_output, weights


def _cross_with(
    x,
    source,
    w_query,
    w_key,
    w_value,
    w_output,
    num_heads,
    *,
    inputs="xss",
    scale="d_k",
    merge="right",
    split="right",
    axis=-1,
    given="weights",
    output="projected",
):
    rows = [{"x": x, "s": source}[letter] for letter in inputs]
    matrices = w_query, w_key, w_value
    q, k, v = (
        _cut(a @ w, num_heads, split) for a, w in zip(rows, matrices, strict=True)
    )
    factor = _scale(scale, x.shape[-1], q.shape[-1], num_heads, k.shape[-2])
    scores = q @ _swap(k) * factor
    weights = _softmax(scores, axis)
    joined = _join(weights @ v, merge)
    result = joined @ w_output if output == "projected" else joined
    shown = {
        "weights": weights,
        "mean": weights.mean(axis=0),
        "turned": _swap(weights),
        "scores": scores,
        "queries-first": weights.swapaxes(0, 1),
    }
    return result, shown[given]


def _torch_cross(x, source, w_query, w_key, w_value, w_output, num_heads):
    import torch

    q, k, v = (
        (a @ w).unflatten(-1, (num_heads, -1)).transpose(0, 1)
        for a, w in ((x, w_query), (source, w_key), (source, w_value))
    )
    weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
    return (weights @ v).transpose(0, 1).flatten(1) @ w_output, weights


def _loop_cross(x, source, w_query, w_key, w_value, w_output, num_heads):
    parts = (np.split(w, num_heads, axis=1) for w in (w_query, w_key, w_value))
    heads, weights = [], []
    for w_q, w_k, w_v in zip(*parts, strict=True):
        scores = x @ w_q @ (source @ w_k).T / np.sqrt(w_q.shape[1])
        weights.append(_softmax(scores))
        heads.append(weights[-1] @ (source @ w_v))
    return np.hstack(heads) @ w_output, weights


def _from_the_wrong_side(name, inputs, result, belief, question):
    return Misconception(
        name,
        result,
        belief,
        question,
        switch={"inputs": inputs},
        raises=(ValueError, RuntimeError),
    )


cross_attention = Exercise(
    id="ch05.cross-attention",
    title="Looking at another sentence",
    kind="implement",
    minutes=14,
    difficulty=3,
    section="ch05-layer",
    prompt="A translator's decoder looks at the source sentence. Write "
    "`cross_heads(x, source, w_query, w_key, w_value, w_output, num_heads)` for one "
    "pair of sentences: the words `x` of shape `(n_q, d_x)` ask, the words `source` "
    "of shape `(n_k, d_source)` are looked at. `w_query` is `(d_x, num_heads * d_k)`, "
    "`w_key` is `(d_source, num_heads * d_k)`, `w_value` is `(d_source, num_heads * "
    "d_v)`, and `w_output` is `(num_heads * d_v, d_model)`. Return two results: the "
    "output, `(n_q, d_model)`, and the weights of every head, `(num_heads, n_q, n_k)`.",
    starter="def cross_heads(x, source, w_query, w_key, w_value, w_output, "
    "num_heads):\n"
    '    raise NotImplementedError("your code")',
    reference=cross_heads,
    cases=_cross_cases,
    observe=_as_pair,
    switched=_cross_with,
    misconceptions=(
        _from_the_wrong_side(
            "keys-from-the-asker",
            "xxs",
            "Your words compare themselves with each other, and then take the values "
            "of the source: the keys were made from x.",
            "Queries and keys belong together, so they come from one sentence.",
            "A weight says how much of which value is taken. Who must be compared for "
            "that?",
        ),
        _from_the_wrong_side(
            "values-from-the-asker",
            "xsx",
            "Your words find places in the source, and then take values of their own "
            "sentence: the values were made from x.",
            "What is mixed is what came in.",
            "If x asks where to look in the source, whose words should it bring home?",
        ),
        _from_the_wrong_side(
            "self-attention",
            "xxx",
            "Your words attend to their own sentence: the source plays no part.",
            "All three roles come from x, as in self-attention.",
            "Change the source. Does your result change?",
        ),
        _from_the_wrong_side(
            "source-asks",
            "sxx",
            "The two sentences have changed places: the source asks, and x is looked "
            "at.",
            "The source is where the queries come from.",
            "How many rows should the output have, n_q or n_k? Whose words are they?",
        ),
        _from_the_wrong_side(
            "source-asks-itself",
            "sss",
            "The source attends to itself: x plays no part.",
            "All three come from the source that is to be read.",
            "Change x. Does your result change?",
        ),
        Misconception(
            "scaled-by-width-of-x",
            "Your scores are divided by the root of d_x, the width of the words that "
            "ask.",
            "The scale belongs to the input.",
            "How many terms does the dot product of one head add up?",
            switch={"scale": "d_model"},
        ),
        Misconception(
            "scaled-by-all-heads",
            "Your scores are divided by the root of `num_heads * d_k`, the width of "
            "all heads together.",
            "The width is that of `x @ w_query`.",
            "Was the width taken before the split or after it?",
            switch={"scale": "all"},
        ),
        Misconception(
            "not-scaled",
            "Your scores are plain dot products: nothing divides them.",
            "Two different sentences need no scaling.",
            "Does the spread of q · k depend on where q and k come from, or on d_k?",
            switch={"scale": "none"},
        ),
        Misconception(
            "bare-split",
            "Each head works on a stretch of the sentences: the split is a reshape "
            "without the exchange of axes.",
            "If the shape is right, the numbers are where they should be.",
            "What does head 0 hold, the first columns or the first words?",
            switch={"split": "reshape"},
        ),
        Misconception(
            "bare-merge",
            "The weights are right. In the output a row mixes several words of one "
            "head: the merge is a reshape without the exchange of axes.",
            "Merging only flattens.",
            "Let every number of position i be i. What does row 0 hold after merging?",
            switch={"merge": "reshape"},
        ),
        Misconception(
            "merge-interleaved",
            "The weights are right. In the output the heads take turns in each row, "
            "number by number, before w_output.",
            "The order within a row does not matter.",
            "Which rows of w_output belong to head 0?",
            switch={"merge": "interleaved"},
        ),
        Misconception(
            "softmax-over-queries",
            "For each word of the source, the weights of all queries add up to 1: your "
            "softmax runs over the queries.",
            "The words of the source share out their attention.",
            "Take one word of x away. Should the others' weights change?",
            switch={"axis": -2},
        ),
        Misconception(
            "softmax-over-heads",
            "For each pair of words the weights of the heads add up to 1: your softmax "
            "runs over the heads.",
            "Axis 0 is that of the keys.",
            "In `(num_heads, n_q, n_k)`, which axis are the keys?",
            switch={"axis": 0},
        ),
        Misconception(
            "weights-averaged",
            "The output is right. The weights are the mean over the heads, as PyTorch "
            "returns them unless told otherwise.",
            "One picture of the attention is enough.",
            "Has any head attended like the mean?",
            switch={"given": "mean"},
        ),
        Misconception(
            "weights-turned",
            "The output is right. The weights that you return are transposed: a row "
            "for each word of the source.",
            "The source comes first.",
            "In `(num_heads, n_q, n_k)`, what does each row add up to?",
            switch={"given": "turned"},
        ),
        Misconception(
            "weights-queries-first",
            "The output is right. The weights that you return have the heads as their "
            "second axis.",
            "Heads are exchanged back everywhere, as in the merge.",
            "What should `weights[0]` be: head 0, or the first word?",
            switch={"given": "queries-first"},
        ),
        Misconception(
            "scores-returned",
            "The output is right. In place of the weights you return the scores, "
            "before the softmax.",
            "Scores and weights are two names of one thing.",
            "What does each row of your second result add up to?",
            switch={"given": "scores"},
        ),
        Misconception(
            "no-output-projection",
            "The weights are right. The output holds the heads side by side: w_output "
            "plays no part.",
            "Concatenating is the last step.",
            "Multiply w_output by 10. Does your result change?",
            switch={"output": "none"},
        ),
    ),
    variants=(
        _torch_cross,
        _loop_cross,
        lambda *arguments: list(cross_heads(*arguments)),
        _cross_with,
        _in_float32(cross_heads),
    ),
    properties=(
        in_words("the weights", not_negative, part=1),
        in_words("the weights", sums_to_one, part=1),
    ),
    hints=(
        "For each of the three projections: which sentence is multiplied? The shapes "
        "of the matrices tell, when d_x and d_source differ.",
        "The split must not assume one length: x has n_q rows, source has n_k.",
        "The weights are `(num_heads, n_q, n_k)`; the heads after them have n_q rows. "
        "Exchange heads and positions back, join, multiply by w_output.",
    ),
    insight="Keys and values depend on the source alone. A decoder that writes a "
    "hundred words computes them once, keeps them, and only makes a new query for "
    "each word.",
)


# --- heads folded into the batch --------------------------------------------------


def _folded_cases():
    rng = np.random.default_rng(56)

    def some(lengths, num_heads, n_q, n_k, d_k, d_v):
        folded = len(lengths) * num_heads
        shapes = (folded, n_q, d_k), (folded, n_k, d_k), (folded, n_k, d_v)
        q, k, v = (rng.normal(0.4, 1.2, shape) for shape in shapes)
        return q, k, v, np.array(lengths)

    ones = np.ones((4, 2, 1))
    value = np.array([[10.0, 30], [20, 60], [1, 2], [3, 5]])[..., None]
    return [
        Case("two sentences, two heads", (ones, 0 * ones, value, np.array([1, 2]))),
        Case("as many queries as keys", some([4, 1, 3], 2, 4, 4, 3, 5)),
        Case("two sentences, three heads", some([2, 5], 3, 4, 6, 3, 5)),
    ]


def folded_attention(query, key, value, lengths):
    num_heads = len(query) // len(lengths)
    scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
    of_each = np.repeat(lengths, num_heads)  # examples first: 0, 0, 1, 1
    hidden = np.arange(key.shape[1]) >= of_each[:, None]
    scores = np.where(hidden[:, None, :], -np.inf, scores)
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True) @ value


def _folded_with(
    query,
    key,
    value,
    lengths,
    *,
    order="repeat",
    scale="d_k",
    hide="late",
    fill=-np.inf,
):
    num_heads, d_k = len(query) // len(lengths), query.shape[-1]
    n_q, n_k = query.shape[1], key.shape[1]
    factor = _scale(scale, d_k * num_heads, d_k, num_heads, n_k)
    scores = query @ _swap(key) * factor
    of_each = {
        "repeat": np.repeat(lengths, num_heads),
        "tile": np.tile(lengths, num_heads),
        "reversed": np.repeat(lengths[::-1], num_heads),
        "longest": np.full(len(query), lengths.max()),
        "shortest": np.full(len(query), lengths.min()),
    }[order][:, None, None]
    places = np.arange(n_k)[None, None, :]
    hidden = {
        "late": places >= of_each,
        "early": places < of_each,
        "one-less": places > of_each,
        "queries": np.arange(n_q)[None, :, None] >= of_each,
        "nothing": np.zeros((1, 1, n_k), dtype=bool),
    }[hide]
    return _softmax(np.where(hidden, fill, scores)) @ value


def _folded_masked_after(query, key, value, lengths):
    of_each = np.repeat(lengths, len(query) // len(lengths))[:, None, None]
    weights = _softmax(query @ _swap(key) / np.sqrt(query.shape[-1]))
    return weights * (np.arange(key.shape[1]) < of_each) @ value


def _torch_folded(query, key, value, lengths):
    import torch

    of_each = lengths.repeat_interleave(len(query) // len(lengths))
    seen = torch.arange(key.shape[1]) < of_each[:, None, None]
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(query, key, value, attn_mask=seen)


def _loop_folded(query, key, value, lengths):
    num_heads, rows = len(query) // len(lengths), []
    for i, (q, k, v) in enumerate(zip(query, key, value, strict=True)):
        n = lengths[i // num_heads]
        rows.append(_softmax(q @ k[:n].T / np.sqrt(q.shape[-1])) @ v[:n])
    return rows


def _unfolded(query, key, value, lengths):
    def unfold(x):
        return x.reshape(len(lengths), -1, *x.shape[1:])

    q, k, v = unfold(query), unfold(key), unfold(value)
    scores = q @ _swap(k) / np.sqrt(q.shape[-1])
    hidden = np.arange(k.shape[2]) >= lengths[:, None, None, None]
    return (_softmax(np.where(hidden, -1e9, scores)) @ v).reshape(*query.shape[:2], -1)


def _outside_of_values(result, query, key, value, *rest):
    low, high = value.min(axis=-2) - 1e-4, value.max(axis=-2) + 1e-4
    if result.shape[:1] != value.shape[:1]:
        return None
    if ((result < low[..., None, :]) | (result > high[..., None, :])).any():
        return (
            "An output is a weighted mean of its head's values, so it lies between the "
            "smallest and the largest of them. One of yours does not."
        )
    return None


mend_the_fold = Exercise(
    id="ch05.mend-fold",
    title="Heads that pose as examples",
    kind="debug",
    minutes=9,
    difficulty=4,
    section="ch05-layer",
    prompt="Note 2 folds the heads into the batch: axis 0 of `query`, `key` and "
    "`value` has `batch * num_heads` entries, examples first, so the heads of one "
    "sentence are neighbours. This `folded_attention(query, key, value, lengths)` gets "
    "`query` of shape `(batch * num_heads, n_q, d_k)`, `key` and `value` likewise with "
    "`n_k` keys and widths `d_k` and `d_v`, and `lengths` of shape `(batch,)`, how "
    "many keys of each sentence are real. Every head should hide the padding of its "
    "own sentence and be scaled as a head is. The function holds two faults. Mend "
    "them.",
    starter="def folded_attention(query, key, value, lengths):\n"
    "    num_heads = len(query) // len(lengths)\n"
    "    d_model = num_heads * query.shape[-1]\n"
    "    scores = query @ key.swapaxes(1, 2) / np.sqrt(d_model)\n"
    "    of_each = np.tile(lengths, num_heads)\n"
    "    hidden = np.arange(key.shape[1]) >= of_each[:, None]\n"
    "    scores = np.where(hidden[:, None, :], -np.inf, scores)\n"
    "    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))\n"
    "    return raised / raised.sum(axis=-1, keepdims=True) @ value",
    reference=folded_attention,
    cases=_folded_cases,
    switched=_folded_with,
    misconceptions=(
        Misconception(
            "lengths-tiled",
            "Heads of one sentence hide the padding of different sentences: the "
            "lengths follow as 0, 1, 0, 1, as if heads came first.",
            "Repeating a list gives every head its length.",
            "Two sentences, two heads: which sentence is at place 1 of axis 0? Which "
            "length do you give it?",
            switch={"order": "tile"},
        ),
        Misconception(
            "lengths-reversed",
            "The lengths stand in reverse order: the first sentence has the last "
            "one's.",
            "The order of the lengths must be the fault.",
            "Which length belongs to place 0 of axis 0?",
            switch={"order": "reversed"},
        ),
        Misconception(
            "longest-for-all",
            "All heads hide what lies beyond the longest sentence; the padding of the "
            "shorter ones is seen.",
            "One mask serves the whole batch.",
            "Change a padded value of the shortest sentence. Does your result change?",
            switch={"order": "longest"},
        ),
        Misconception(
            "shortest-for-all",
            "All heads see as many keys as the shortest sentence has; real words of "
            "the longer ones are hidden.",
            "One mask serves the whole batch.",
            "Change the last value of the longest sentence. Does your result change?",
            switch={"order": "shortest"},
        ),
        Misconception(
            "scaled-by-d-model",
            "Your scores are divided by the root of d_model, the width of all heads "
            "together: the weights come out too even.",
            "The scale belongs to the model, not to the head.",
            "How many terms does the dot product of one head add up?",
            switch={"scale": "d_model"},
        ),
        Misconception(
            "not-scaled",
            "Your scores are plain dot products: the scale is gone.",
            "If the scale is wrong, it is not needed.",
            "How does the spread of q · k grow with d_k?",
            switch={"scale": "none"},
        ),
        Misconception(
            "divided-by-d-k",
            "Your scores are divided by d_k; the root is missing.",
            "Only the width was wrong, and the width is d_k.",
            "If d_k terms of random sign are added, how does their sum grow?",
            switch={"scale": "no-root"},
        ),
        Misconception(
            "scaled-by-heads",
            "Your scores are divided by the root of num_heads.",
            "A head's share of the width is one over num_heads.",
            "How many terms does the dot product of one head add up?",
            switch={"scale": "heads"},
        ),
        Misconception(
            "scaled-by-number-of-keys",
            "Your scores are divided by the root of n_k, the number of keys.",
            "The last axis of the scores tells the scale.",
            "Should the score of a key change when another joins?",
            switch={"scale": "n_k"},
        ),
        Misconception(
            "mask-inverted",
            "Real words are hidden and padding is seen (or nothing, where there is no "
            "padding).",
            "The comparison must be the fault.",
            "For a sentence of length 1, which places should be hidden: 0, or all from "
            "1 on?",
            switch={"hide": "early"},
        ),
        Misconception(
            "one-padding-seen",
            "The first padded key of each sentence is still seen.",
            "A length of 3 means that place 3 is the last.",
            "With length 1, is place 1 real?",
            switch={"hide": "one-less"},
        ),
        Misconception(
            "queries-hidden",
            "Whole rows are hidden instead of keys: the lengths were applied to the "
            "axis of the queries.",
            "Padding is a matter of rows.",
            "Whose lengths are these? Which axis of the scores has one place for each "
            "key?",
            switch={"hide": "queries"},
        ),
        Misconception(
            "mask-gone",
            "Nothing is hidden: padding takes part.",
            "If the mask is wrong, it is not needed.",
            "Change a padded value. Does your result change?",
            switch={"hide": "nothing"},
        ),
        Misconception(
            "filled-with-zero",
            "Hidden scores were set to 0, and e to the 0 is 1: padding gets weight.",
            "A score of zero means no attention.",
            "What is the softmax of [0, 0]?",
            switch={"fill": 0.0},
        ),
        Misconception(
            "masked-after-the-softmax",
            "Padding gets weight zero, and the other weights no longer add up to 1: "
            "the mask came after the softmax.",
            "What is hidden is multiplied by zero.",
            "What do the weights of a sentence of length 1 look like?",
            wrong=_folded_masked_after,
        ),
    ),
    variants=(
        _torch_folded,
        _loop_folded,
        _unfolded,
        _folded_with,
        _in_float32(folded_attention),
    ),
    properties=(Property("between the values", _outside_of_values),),
    hints=(
        "One fault is a width, the other an order. Both disappear when there is one "
        "head.",
        "Axis 0 runs: sentence 0 head 0, sentence 0 head 1, sentence 1 head 0, ... "
        "Write down of_each for lengths 1 and 2 and two heads, as it is and as it "
        "should be.",
        "NumPy has two ways to repeat: the whole list again, or each entry several "
        "times in place.",
    ),
    insight="With the lengths all equal, or with one head, the wrong order is right: a "
    "test with one length sees nothing. An axis of its own for the heads, "
    "`(batch, 1, 1, n_k)` against `(batch, num_heads, n_q, n_k)`, leaves no order to "
    "get wrong.",
)


# --- masks for heads --------------------------------------------------------------


def _mask_cases():
    rng = np.random.default_rng(57)
    tiny = np.log(np.array([[1.0, 1, 1], [1, 2, 1], [1, 2, 3]]))
    return [
        Case(
            "two sentences, two heads",
            (np.stack([[tiny, tiny * 2], [-tiny, 0 * tiny]]), np.array([3, 2])),
        ),
        Case(
            "three sentences, two heads",
            (rng.normal(0.5, 1.5, (3, 2, 6, 6)), np.array([4, 1, 5])),
        ),
        Case(
            "two sentences, four heads",
            (rng.normal(-0.5, 1.5, (2, 4, 5, 5)), np.array([3, 5])),
        ),
    ]


def masked_heads(scores, lengths):
    n = scores.shape[-1]
    real = np.arange(n) < lengths[:, None, None, None]  # (batch, 1, 1, n)
    causal = np.tri(n, dtype=bool)  # (n, n)
    scores = np.where(real & causal, scores, -np.inf)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _masked_with(
    scores, lengths, *, real="keys", causal="past", both="and", fill=-np.inf, axis=-1
):
    n = scores.shape[-1]
    place, length = np.arange(n), lengths[:, None, None, None]
    is_real = {
        "keys": place < length,
        "queries": place[:, None] < length,
        "inverted": place >= length,
        "one-more": place <= length,
        "left": place >= n - length,
        "longest": place < lengths.max(),
        "none": np.ones((1, 1, 1, n), dtype=bool),
    }[real]
    allowed = {
        "past": np.tri(n, dtype=bool),
        "strict": np.tri(n, k=-1, dtype=bool),
        "future": np.tri(n, dtype=bool).T,
        "none": np.ones((n, n), dtype=bool),
    }[causal]
    mask = is_real & allowed if both == "and" else is_real | allowed
    return _softmax(np.where(mask, scores, fill), axis)


def _mask_meets_heads(scores, lengths):
    n = scores.shape[-1]
    real = np.arange(n) < lengths[:, None, None]  # (batch, 1, n)
    return _softmax(np.where(real & np.tri(n, dtype=bool), scores, -np.inf))


def _even_rows_of_padding(scores, lengths):
    return _masked_with(scores, lengths, real="queries", fill=-1e9)


def _not_itself_even(scores, lengths):
    return _masked_with(scores, lengths, causal="strict", fill=-1e9)


def _masked_after(scores, lengths):
    kept = np.isfinite(np.log(masked_heads(scores, lengths)))
    return _softmax(scores) * kept


def _torch_masked(scores, lengths):
    import torch

    n = scores.shape[-1]
    real = torch.arange(n) < lengths[:, None, None, None]
    mask = real & torch.ones(n, n, dtype=torch.bool).tril()
    return scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)


def _loop_masked(scores, lengths):
    weights = np.zeros(scores.shape)
    for b, h, i in np.ndindex(scores.shape[:3]):
        seen = min(i + 1, lengths[b])
        weights[b, h, i, :seen] = _softmax(scores[b, h, i, :seen])
    return weights


def _renormalised(scores, lengths):
    kept = np.exp(scores - scores.max()) * (masked_heads(scores, lengths) > 0)
    return kept / kept.sum(axis=-1, keepdims=True)


def _looks_ahead(result, scores, lengths):
    if (np.triu(np.abs(result), 1) > 1e-6).any():
        return "A word has weight on a word that comes after it."
    return None


def _looks_at_padding(result, scores, lengths):
    late = np.arange(scores.shape[-1]) >= lengths[:, None, None, None]
    if (np.abs(result) * late > 1e-6).any():
        return "A word has weight on padding: on a key at or beyond its length."
    return None


mask_for_heads = Exercise(
    id="ch05.masked-heads",
    title="One mask for all heads",
    kind="implement",
    minutes=9,
    difficulty=3,
    section="ch05-layer",
    prompt="A decoder reads a padded batch: `scores` have shape `(batch, num_heads, n, "
    "n)`, and `lengths`, of shape `(batch,)`, says how many words of each sentence are "
    "real. Write `masked_heads(scores, lengths)`: the weights, of the same shape as "
    "the scores, where a word attends to itself and to earlier words only, and to no "
    "padding. Padding comes last, every sentence has at least one word, and rows of "
    "padded queries are treated like any other.",
    starter="def masked_heads(scores, lengths):\n"
    '    raise NotImplementedError("your code")',
    reference=masked_heads,
    cases=_mask_cases,
    switched=_masked_with,
    misconceptions=(
        Misconception(
            "lengths-meet-heads",
            "Where batch and heads are equally many, head h uses the length of "
            "sentence h; elsewhere the shapes do not fit. A mask `(batch, n, n)` meets "
            "the axis of the heads.",
            "The batch is the first axis of both, so the two find each other.",
            "Write (2, 3, 3) below (2, 2, 3, 3), aligned at the right, as NumPy does. "
            "What stands below the batch?",
            wrong=_mask_meets_heads,
            raises=(ValueError, RuntimeError),
        ),
        Misconception(
            "padding-seen",
            "No word looks ahead, but padding takes part: the lengths play no role.",
            "Padding comes last, so the causal mask hides it already.",
            "A padded query, at the end of a short sentence: what comes before it?",
            switch={"real": "none"},
        ),
        Misconception(
            "future-seen",
            "Padding is hidden, but words look ahead: there is no causal mask.",
            "The lengths say all that there is to hide.",
            "Which weights of the first word should be zero?",
            switch={"causal": "none"},
        ),
        Misconception(
            "future-instead-of-past",
            "Words attend to themselves and to later words: the triangle is turned.",
            "The upper triangle is the past.",
            "In row 0, which columns may be attended to?",
            switch={"causal": "future"},
        ),
        Misconception(
            "not-itself",
            "A word may not attend to itself: your triangle leaves out the diagonal, "
            "and the first word is left with nothing.",
            "The past does not include the present.",
            "What can the first word attend to?",
            switch={"causal": "strict"},
        ),
        Misconception(
            "not-itself-even",
            "A word may not attend to itself. The first one is left with nothing, and "
            "a finite fill makes its row even: it looks at later words and at padding.",
            "The past does not include the present.",
            "What can the first word attend to?",
            wrong=_not_itself_even,
        ),
        Misconception(
            "either-is-enough",
            "A key is seen if it is real or earlier; it should be both.",
            "Two masks are joined with or.",
            "May a word look at a real word that comes after it?",
            switch={"both": "or"},
        ),
        Misconception(
            "queries-hidden",
            "Right in the rows of real words. Rows of padded queries are hidden as a "
            "whole, and the softmax of nothing is NaN.",
            "A padded word takes no part, so its row is masked.",
            "Along which axis of the scores do the keys run? What does the prompt say "
            "about padded queries?",
            switch={"real": "queries"},
        ),
        Misconception(
            "queries-hidden-even",
            "Right in the rows of real words. Rows of padded queries are hidden as a "
            "whole, and a finite fill leaves them even: weight 1/n on every key, "
            "padding and later words too.",
            "A padded word takes no part, so its row is masked.",
            "Along which axis of the scores do the keys run? What does the prompt say "
            "about padded queries?",
            wrong=_even_rows_of_padding,
        ),
        Misconception(
            "padding-inverted",
            "Real words are hidden, padding is seen.",
            "True means hidden, as in `nn.MultiheadAttention`.",
            "For length 2 of 3, which keys may be attended to?",
            switch={"real": "inverted"},
        ),
        Misconception(
            "one-padding-seen",
            "The first padded key of each sentence is still seen.",
            "A length of 2 means that place 2 is the last.",
            "With length 2, which places are real?",
            switch={"real": "one-more"},
        ),
        Misconception(
            "padding-at-the-left",
            "You hid the first words of a short sentence instead of the places after "
            "its last.",
            "Padding comes first.",
            "With length 2 of 3, which place is padding?",
            switch={"real": "left"},
        ),
        Misconception(
            "longest-for-all",
            "All sentences are treated as if they were as long as the longest.",
            "One length serves the batch.",
            "Does the shortest sentence's weight on its padding vanish?",
            switch={"real": "longest"},
        ),
        Misconception(
            "filled-with-zero",
            "Hidden scores were set to 0, and e to the 0 is 1: hidden keys get weight.",
            "A score of zero means no attention.",
            "What is the softmax of [0, 0]?",
            switch={"fill": 0.0},
        ),
        Misconception(
            "softmax-over-queries",
            "Each column of your weights adds up to 1: your softmax runs over the "
            "queries.",
            "The axis before the last is that of the keys.",
            "Whose shares form a row of the weights?",
            switch={"axis": -2},
        ),
        Misconception(
            "masked-after-the-softmax",
            "The hidden weights are zero, and the rest do not add up to 1: the mask "
            "came after the softmax.",
            "What is hidden is multiplied by zero.",
            "What does the first row add up to?",
            wrong=_masked_after,
        ),
    ),
    variants=(
        _torch_masked,
        _loop_masked,
        _renormalised,
        _masked_with,
        lambda scores, lengths: _masked_with(scores, lengths, fill=-1e9),
        _in_float32(masked_heads),
    ),
    properties=(
        Property("no weight ahead", _looks_ahead),
        Property("no weight on padding", _looks_at_padding),
        in_words("the weights", not_negative),
        in_words("the weights", sums_to_one),
    ),
    hints=(
        "Two conditions, both must hold. Write the shape of each so that it lines up "
        "with `(batch, num_heads, n, n)` at the right.",
        "The causal condition is the same for all sentences and heads: `(n, n)`. The "
        "other depends on sentence and key: which axes are of size 1?",
        "Compare the numbers 0 to n − 1 with the lengths in the shape "
        "`(batch, 1, 1, 1)`. What may not be seen gets `-inf` before the softmax.",
    ),
    insight="Two sentences and two heads are the sizes that hide the fault: a mask of "
    "`(batch, n, n)` then fits the axis of the heads and no error is raised. Test with "
    "a batch size that differs from the number of heads.",
)


# --- masks for torch --------------------------------------------------------------


def _converter_cases():
    rng = np.random.default_rng(58)

    def some(lengths, n_q, n_k, num_heads):
        padding = np.arange(n_k) < np.array(lengths)[:, None, None]
        pairs = rng.random((len(lengths), n_q, n_k)) < 0.6
        pairs[..., 0] = True
        return padding, pairs, num_heads

    padding = np.array([[[True, False]], [[True, True]]])
    pairs = np.array([[[True, False]], [[True, True]]])
    return [
        Case("two sentences, one query", (padding, pairs, 2)),
        Case("three sentences, two heads", some([4, 2, 5], 4, 5, 2)),
        Case("two sentences, three heads", some([6, 3], 4, 6, 3)),
    ]


def torch_masks(padding, pairs, num_heads):
    key_padding_mask = ~padding[:, 0]  # (batch, n_k)
    # Examples first: 0, 0, 1, 1.
    attn_mask = np.repeat(~pairs, num_heads, axis=0)
    return key_padding_mask, attn_mask


def _converted_with(
    padding, pairs, num_heads, *, flip="both", order="repeat", axes="dropped", kept=""
):
    key = ~padding if flip in ("both", "first") else padding
    pair = ~pairs if flip in ("both", "second") else pairs
    key = key if axes == "kept" else key[:, 0]
    if axes == "per-head":
        key = np.repeat(key, num_heads, axis=0)
    if kept == "one":
        return key, pair
    if kept == "axis":
        return key, np.repeat(pair[:, None], num_heads, axis=1)
    repeat = np.repeat if order == "repeat" else _tiled
    return key, repeat(pair, num_heads, axis=0)


def _tiled(array, count, axis):
    return np.concatenate([array] * count, axis=axis)


def _merged_into_pairs(padding, pairs, num_heads):
    return ~padding[:, 0], np.repeat(~(padding & pairs), num_heads, axis=0)


def _hidden_only_if_both(padding, pairs, num_heads):
    return ~padding[:, 0], np.repeat(~(padding | pairs), num_heads, axis=0)


def _queries_as_keys(padding, pairs, num_heads):
    return ~padding[:, 0], np.repeat(~_swap(pairs), num_heads, axis=0)


def _as_numbers(padding, pairs, num_heads):
    masks = torch_masks(padding, pairs, num_heads)
    return tuple(mask.astype(float) for mask in masks)


def _as_added_numbers(padding, pairs, num_heads):
    masks = torch_masks(padding, pairs, num_heads)
    return tuple(np.where(mask, -np.inf, 0.0) for mask in masks)


def _torch_converted(padding, pairs, num_heads):
    return ~padding.squeeze(1), ~pairs.repeat_interleave(num_heads, dim=0)


def _loop_converted(padding, pairs, num_heads):
    rows = [~pair for pair in pairs for _ in range(num_heads)]
    return np.logical_not(padding).reshape(len(padding), -1), np.array(rows)


def _reshaped(padding, pairs, num_heads):
    shape = len(pairs), num_heads, *pairs.shape[1:]
    spread = np.broadcast_to(pairs[:, None], shape).reshape(-1, *pairs.shape[1:])
    return padding[:, 0, :] == False, spread ^ True  # noqa: E712


convert_masks = Exercise(
    id="ch05.torch-masks",
    title="The other meaning of True",
    kind="implement",
    minutes=7,
    difficulty=3,
    section="ch05-torch",
    prompt="Your masks follow the course: True = may attend. A model uses "
    "`nn.MultiheadAttention`, where True = hidden. Write `torch_masks(padding, pairs, "
    "num_heads)`, which takes `padding` of shape `(batch, 1, n_k)` and `pairs` of "
    "shape `(batch, n_q, n_k)`, and returns the two boolean arrays that this layer "
    "wants: `key_padding_mask` of shape `(batch, n_k)` from the first and `attn_mask` "
    "of shape `(batch * num_heads, n_q, n_k)` from the second, examples first. All "
    "heads of an example get the same mask. Each array speaks for itself: do not "
    "combine them.",
    starter="def torch_masks(padding, pairs, num_heads):\n"
    '    raise NotImplementedError("your code")',
    reference=torch_masks,
    cases=_converter_cases,
    observe=_as_pair,
    switched=_converted_with,
    misconceptions=(
        Misconception(
            "not-inverted",
            "Both masks still say True = may attend: torch would hide what should be "
            "seen.",
            "One library has one meaning of True.",
            "In your result, is the first word of a sentence hidden?",
            switch={"flip": "none"},
        ),
        Misconception(
            "pairs-not-inverted",
            "key_padding_mask is turned around; attn_mask still says True = may "
            "attend.",
            "Only the padding mask has the other meaning; attn_mask is like the one of "
            "F.scaled_dot_product_attention.",
            "Look at the convention box: for which of the two masks of the layer does "
            "True mean hidden?",
            switch={"flip": "first"},
        ),
        Misconception(
            "padding-not-inverted",
            "attn_mask is turned around; key_padding_mask still says True = may "
            "attend.",
            "A padding mask marks what is real.",
            "In key_padding_mask, what is True for the padding of a short sentence?",
            switch={"flip": "second"},
        ),
        Misconception(
            "heads-first",
            "Your attn_mask runs through all examples, then again for the next head: "
            "heads first. Examples share each other's masks then.",
            "Repeating the array gives every head its copy.",
            "Two examples, two heads: whose mask is at place 1, example 0's or "
            "example 1's?",
            switch={"order": "tile"},
        ),
        Misconception(
            "axis-kept",
            "key_padding_mask still has the axis of size 1 between batch and keys.",
            "An axis of size 1 does no harm.",
            "Which shape does the table in this section give for key_padding_mask?",
            switch={"axes": "kept"},
        ),
        Misconception(
            "padding-per-head",
            "key_padding_mask is repeated for every head; the layer wants one row for "
            "each example.",
            "Both masks are needed head by head.",
            "Which shape does the table in this section give for key_padding_mask?",
            switch={"axes": "per-head"},
        ),
        Misconception(
            "not-repeated",
            "attn_mask has one mask for each example, and none for its heads.",
            "The heads share the mask by themselves.",
            "What does the layer take attn_mask of three axes for: what must the first "
            "of them count?",
            switch={"kept": "one"},
        ),
        Misconception(
            "heads-on-their-own-axis",
            "attn_mask has four axes: the heads have their own, and are not folded "
            "into the batch.",
            "The layer keeps `(batch, num_heads, n_q, n_k)`, as the course does.",
            "How many axes may attn_mask have?",
            switch={"kept": "axis"},
        ),
        Misconception(
            "padding-merged-into-pairs",
            "key_padding_mask is right. attn_mask hides padding as well: the two were "
            "combined.",
            "A pair may be seen only if its key is real, so both go into one mask.",
            "The layer gets both masks. Who combines them?",
            wrong=_merged_into_pairs,
        ),
        Misconception(
            "hidden-only-if-both",
            "key_padding_mask is right. In attn_mask a pair is hidden only if its key "
            "is padding as well: the two were combined with or.",
            "Masks are joined with or.",
            "May a pair be hidden although its key is real?",
            wrong=_hidden_only_if_both,
        ),
        Misconception(
            "pairs-transposed",
            "attn_mask has a row for each key: queries and keys have changed places.",
            "Keys come first.",
            "Which of n_q and n_k comes first in the prompt's shape?",
            wrong=_queries_as_keys,
        ),
        Misconception(
            "zeros-and-ones",
            "Your masks hold the numbers 0 and 1. Torch adds floats to the scores: "
            "what should be hidden would gain 1.",
            "1.0 and True are the same to a mask.",
            "What does the table in this section say about floats in attn_mask?",
            wrong=_as_numbers,
        ),
        Misconception(
            "minus-infinity",
            "Your masks hold 0 and `-inf`, to be added to scores. The layer takes that "
            "too; the exercise asks for True and False.",
            "A mask is what is added to scores.",
            "Which dtype does the prompt name?",
            wrong=_as_added_numbers,
        ),
    ),
    variants=(
        _torch_converted,
        _loop_converted,
        lambda *arguments: list(torch_masks(*arguments)),
        _reshaped,
        _converted_with,
        lambda padding, pairs, num_heads: (
            np.logical_not(padding[:, 0, :]),
            np.kron(~pairs, np.ones((num_heads, 1, 1), dtype=bool)),
        ),
    ),
    hints=(
        "Two things change in each mask: the meaning of True, and the shape.",
        "key_padding_mask loses an axis of size 1. attn_mask gains entries on axis 0: "
        "write down their order for two examples and two heads.",
        "NumPy has two ways to repeat: the whole array again, or each entry several "
        "times in place. Examples first means the second.",
    ),
    insight="A mask that is wrong in meaning raises no error and hides the words "
    "instead of the padding. The cheap test is the one for reshapes: change a padded "
    "word and see whether anything moves.",
)


# --- shared keys ------------------------------------------------------------------


def _grouped_cases():
    rng = np.random.default_rng(59)

    def some(batch, num_heads, groups, n_q, n_k, d_k, d_v):
        shapes = (num_heads, n_q, d_k), (groups, n_k, d_k), (groups, n_k, d_v)
        return tuple(rng.normal(0.4, 1.1, (batch, *shape)) for shape in shapes)

    ones = np.ones((1, 6, 1, 1))
    value = np.array([[1.0, 3], [10, 30], [100, 300]])[None, :, :, None]
    return [
        Case("six heads, three groups", (ones, np.zeros((1, 3, 2, 1)), value)),
        Case("eight heads, four groups", some(2, 8, 4, 3, 5, 6, 2)),
        Case("six heads, two groups", some(3, 6, 2, 4, 5, 3, 7)),
        Case("four heads, one group", some(2, 4, 1, 3, 6, 5, 2)),
    ]


def grouped_heads(query, key, value):
    group = query.shape[1] // key.shape[1]  # query heads that share a key head
    key, value = np.repeat(key, group, axis=1), np.repeat(value, group, axis=1)
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return weights @ value


def _read_by(order, num_heads, groups):
    """Return which key head and which value head each query head reads."""
    consecutive = np.arange(num_heads) // (num_heads // groups)
    if order == "confused":
        return np.arange(num_heads) // groups
    return {
        "consecutive": consecutive,
        "tiled": np.arange(num_heads) % groups,
        "reversed": groups - 1 - consecutive,
        "first": 0 * consecutive,
        "last": 0 * consecutive + groups - 1,
    }[order]


def _grouped_with(query, key, value, *, order="consecutive", scale="d_k", axis=-1):
    num_heads, groups, d_k = query.shape[1], key.shape[1], query.shape[-1]
    factor = _scale(scale, d_k * num_heads, d_k, groups, key.shape[2])
    if order == "mean":
        key, value = (x.mean(axis=1, keepdims=True) for x in (key, value))
        read = np.zeros(num_heads, dtype=int)
    elif order == "pooled":
        key, value = (x.reshape(len(x), 1, -1, x.shape[-1]) for x in (key, value))
        read = np.zeros(num_heads, dtype=int)
    else:
        read = _read_by(order, num_heads, groups)
    weights = _softmax(query @ _swap(key[:, read]) * factor, axis)
    return weights @ value[:, read]


def _values_tiled(query, key, value):
    num_heads, groups = query.shape[1], key.shape[1]
    values = value[:, _read_by("tiled", num_heads, groups)]
    keys = key[:, _read_by("consecutive", num_heads, groups)]
    return _softmax(query @ _swap(keys) / np.sqrt(query.shape[-1])) @ values


def _queries_averaged(query, key, value):
    batch, groups = key.shape[:2]
    shared = query.reshape(batch, groups, -1, *query.shape[2:]).mean(axis=2)
    return _softmax(shared @ _swap(key) / np.sqrt(query.shape[-1])) @ value


def _torch_grouped(query, key, value):
    import torch

    attend = torch.nn.functional.scaled_dot_product_attention
    return attend(query, key, value, enable_gqa=True)


def _loop_grouped(query, key, value):
    group, heads = query.shape[1] // key.shape[1], []
    for h in range(query.shape[1]):
        q, k, v = query[:, h], key[:, h // group], value[:, h // group]
        heads.append(_softmax(q @ _swap(k) / np.sqrt(q.shape[-1])) @ v)
    return np.stack(heads, axis=1)


def _without_copies(query, key, value):
    groups = key.shape[1]
    by_group = query.reshape(len(query), groups, -1, *query.shape[2:])
    scores = np.einsum("bghid,bgjd->bghij", by_group, key) / np.sqrt(query.shape[-1])
    mixed = np.einsum("bghij,bgjv->bghiv", _softmax(scores), value)
    return mixed.reshape(*query.shape[:3], -1)


def _reads_other_groups(result, query, key, value):
    group = query.shape[1] // key.shape[1]
    if result.shape[1] != query.shape[1]:
        return None
    own = np.repeat(value, group, axis=1)
    low, high = own.min(axis=2) - 1e-4, own.max(axis=2) + 1e-4
    outside = (result < low[:, :, None]) | (result > high[:, :, None])
    if outside.any():
        head = int(np.argwhere(outside)[0][1])
        return (
            f"Query head {head} reads the values of group {head // group}, and its "
            "outputs are means of them. One of yours lies outside of these values."
        )
    return None


shared_keys = Exercise(
    id="ch05.grouped-heads",
    title="Six questions, three sets of keys",
    kind="implement",
    minutes=10,
    difficulty=3,
    section="ch05-shared",
    prompt="Write `grouped_heads(query, key, value)`, grouped-query attention without "
    "the package: `query` has shape `(batch, num_heads, n_q, d_k)`, `key` has `(batch, "
    "num_kv_heads, n_k, d_k)`, and `value` has `(batch, num_kv_heads, n_k, d_v)`, "
    "where `num_kv_heads` divides `num_heads`. Neighbouring query heads share a key "
    "head (consecutive order). Return what each query head takes home, `(batch, "
    "num_heads, n_q, d_v)`.",
    starter="def grouped_heads(query, key, value):\n"
    '    raise NotImplementedError("your code")',
    reference=grouped_heads,
    cases=_grouped_cases,
    switched=_grouped_with,
    misconceptions=(
        Misconception(
            "tiled",
            "Your query heads take the key heads in turn, 0, 1, 2, 0, 1, 2: tiled, not "
            "consecutive.",
            "Repeating the key heads gives each query head one, in whatever order.",
            "Six query heads, three key heads: which one does query head 1 read in the "
            "consecutive order? And yours?",
            switch={"order": "tiled"},
        ),
        Misconception(
            "group-and-groups-confused",
            "Query head i reads key head `i // num_kv_heads`: you divided by the "
            "number of groups instead of the size of a group.",
            "There are num_kv_heads query heads in a group.",
            "Eight query heads, four key heads: how many share one? Which key heads "
            "does nobody read in your result?",
            switch={"order": "confused"},
            raises=(IndexError, ValueError, RuntimeError),
        ),
        Misconception(
            "groups-reversed",
            "The first query heads read the last key head: the groups stand in reverse "
            "order.",
            "The order of the groups does not matter.",
            "Which key head does query head 0 read in the consecutive order?",
            switch={"order": "reversed"},
        ),
        Misconception(
            "first-group-for-all",
            "All query heads read key head 0; the other key heads play no part.",
            "Sharing means that all heads share one.",
            "Change the last key head. Does your result change?",
            switch={"order": "first"},
        ),
        Misconception(
            "last-group-for-all",
            "All query heads read the last key head; the others play no part.",
            "Sharing means that all heads share one.",
            "Change the first key head. Does your result change?",
            switch={"order": "last"},
        ),
        Misconception(
            "groups-averaged",
            "All query heads read the mean of the key heads and of the value heads.",
            "What is shared is an average.",
            "Should query head 0 notice a change in the last key head?",
            switch={"order": "mean"},
        ),
        Misconception(
            "groups-pooled",
            "Every query head chooses among the keys of all groups, laid end to end in "
            "one softmax.",
            "Sharing means that all keys are open to all.",
            "How many keys does one query choose from, n_k or num_kv_heads times as "
            "many?",
            switch={"order": "pooled"},
        ),
        Misconception(
            "keys-consecutive-values-tiled",
            "Keys are shared in consecutive order and values in turn: a query head "
            "looks in one group and takes home from another.",
            "Keys and values may be spread in different ways.",
            "Query head 1 of six: which key head does it read, and which value head?",
            wrong=_values_tiled,
        ),
        Misconception(
            "queries-averaged",
            "You have one result for each key head: the queries of a group were "
            "averaged.",
            "A group asks one question.",
            "What is the second axis of the result in the prompt?",
            wrong=_queries_averaged,
        ),
        Misconception(
            "scaled-by-all-heads",
            "Your scores are divided by the root of the width of all heads together.",
            "The scale belongs to the model.",
            "How many terms does the dot product of one head add up?",
            switch={"scale": "d_model"},
        ),
        Misconception(
            "not-scaled",
            "Your scores are plain dot products: nothing divides them.",
            "Sharing changes the scale.",
            "How does the spread of q · k grow with d_k?",
            switch={"scale": "none"},
        ),
        Misconception(
            "softmax-over-queries",
            "For each key, the weights of all queries add up to 1: your softmax runs "
            "over the queries.",
            "The axis before the last is that of the keys.",
            "Whose shares form a row of the weights?",
            switch={"axis": -2},
        ),
        Misconception(
            "softmax-over-heads",
            "For each pair the weights of the heads add up to 1: your softmax runs "
            "over the heads.",
            "Axis 1 is that of the keys.",
            "In `(batch, num_heads, n_q, n_k)`, which axis are the keys?",
            switch={"axis": 1},
        ),
    ),
    variants=(
        _torch_grouped,
        _loop_grouped,
        _without_copies,
        _grouped_with,
        _in_float32(grouped_heads),
    ),
    properties=(Property("own group", _reads_other_groups),),
    hints=(
        "How many query heads share a key head? Which key head does query head i read?",
        "Give each query head its own copy of the keys and values it reads; after that "
        "it is attention as always.",
        "NumPy has two ways to repeat along an axis: the whole sequence again, or each "
        "entry several times in place. Neighbours share: it is the second.",
    ),
    insight="The copies are not needed: with the queries as "
    "`(batch, num_kv_heads, group, n_q, d_k)` the key heads broadcast over the group. "
    "Then the cache is not only smaller: each key is read once for its whole group, "
    "which is what makes writing faster.",
)


predict_shared_parameters = Exercise(
    id="ch05.shared-parameters",
    title="What sharing saves",
    kind="predict",
    minutes=4,
    difficulty=3,
    section="ch05-shared",
    prompt="A layer has $d = 4096$, 32 query heads of width 128, 8 key–value heads of "
    "the same width, no biases, and an output projection back to 4096. How many "
    "parameters does it have? Write the number into `ch05_shared_parameters`; an "
    "expression is fine.",
    starter="ch05_shared_parameters = ...",
    reference=2 * 4096 * 4096 + 2 * 4096 * 1024,
    misconceptions=(
        Misconception(
            "nothing-saved",
            "This is the layer in which every head has its own keys and values.",
            "The number of heads never changes the parameters.",
            "How wide is the key of a word, all 8 key heads together?",
            wrong=4 * 4096 * 4096,
        ),
        Misconception(
            "all-four-cut",
            "All four matrices became four times smaller; only two of them should.",
            "Sharing divides the layer by the size of a group.",
            "How many query heads are there still? How wide is W_O's input?",
            wrong=4 * 4096 * 1024,
        ),
        Misconception(
            "output-forgotten",
            "The output projection is missing.",
            "Query, key and value are all that is learned.",
            "What mixes the 32 heads once they stand side by side?",
            wrong=4096 * 4096 + 2 * 4096 * 1024,
        ),
        Misconception(
            "keys-only",
            "The keys became narrower and the values did not.",
            "Only keys are shared: the questions are put to keys.",
            "How many value heads does the cache hold, if there are 8 key heads?",
            wrong=3 * 4096 * 4096 + 4096 * 1024,
        ),
        Misconception(
            "output-cut-too",
            "The output projection shrank as well, as if only 8 heads came out.",
            "The output mixes the values, and there are 8 value heads.",
            "How many heads take something home, 8 or 32?",
            wrong=4096 * 4096 + 3 * 4096 * 1024,
        ),
        Misconception(
            "one-key-head",
            "Keys and values are those of one head: that is multi-query attention.",
            "Sharing means that all share one.",
            "How many key–value heads does the layer have?",
            wrong=2 * 4096 * 4096 + 2 * 4096 * 128,
        ),
        Misconception(
            "group-size-for-groups",
            "Keys and values have 4 heads here: 32 / 8 is the size of a group, not the "
            "number of groups.",
            "32 query heads and 8 key heads make 4 groups.",
            "How many key heads are there, and how many query heads share one?",
            wrong=2 * 4096 * 4096 + 2 * 4096 * 512,
        ),
    ),
    hints=(
        "Four matrices. Which of them does a query head own alone, and which does it "
        "share?",
        "W_Q and W_O know 32 heads of width 128. How many columns have W_K and W_V?",
        "Two matrices of 4096 by 4096, and two of 4096 by 8 times 128.",
    ),
    insight="Two matrices of 4096 by 4096 and two of 4096 by 1024: 41,943,040 instead "
    "of 67,108,864. Less than two fifths are saved, while the cache shrinks to a "
    "quarter: 2,048 numbers for each word and layer instead of 8,192. These are "
    "the sizes of an attention layer of Llama 3 8B.",
)
