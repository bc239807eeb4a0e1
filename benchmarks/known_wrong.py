"""Run the usual wrong attention code through our checks.

The wrong versions are those with which the checks of other courses were measured, and
the usual slips of the same kinds, as far as an exercise here asks for the thing. They
are written out here from their descriptions alone; nothing comes from the catalogues
of the exercises. Beside each stands the name that a true diagnosis has, if there is
one. The catalogues began from the same descriptions: that most of these are named is
what they are for, and no estimate for mistakes that nobody has thought of.

    python benchmarks/known_wrong.py [--name known_wrong]
"""

# mypy: allow-untyped-defs, allow-untyped-calls

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from _record import Row, save

from attention_course.exercises import check
from attention_course.exercises._verdict import Outcome

Version = tuple[str, str, tuple[str, ...], Callable[..., Any]]
VERSIONS: list[Version] = []


def wrong(exercise: str, what: str, *names: str) -> Callable[..., Any]:
    """Note a wrong version of an exercise, and the names that would be true of it."""

    def note(function: Callable[..., Any]) -> Callable[..., Any]:
        VERSIONS.append((exercise, what, names, function))
        return function

    return note


def softmax(scores, axis=-1):
    """Return shares along an axis."""
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def turned(x):
    """Exchange the last two axes."""
    return np.moveaxis(x, -1, -2)


# --- softmax ------------------------------------------------------------------------


@wrong("ch01.keepdims", "always over the first axis", "softmax-over-columns")
def _(scores):
    return softmax(scores, axis=0)


@wrong(
    "ch01.keepdims",
    "over all entries",
    "one-whole-for-the-table",
    "lowered-by-the-highest-of-all",
)
def _(scores):
    return softmax(scores.reshape(-1)).reshape(scores.shape)


@wrong("ch01.safe", "no largest score subtracted", "no-shift")
def _(left, right):
    raised = np.exp(np.append(left, right))
    return raised / raised.sum()


# --- online softmax: a row in two parts ---------------------------------------------


@wrong("ch01.safe", "numerators not rescaled", "each-part-its-own-shift")
def _(left, right):
    a, b = np.exp(left - left.max()), np.exp(right - right.max())
    return np.append(a, b) / (a.sum() + b.sum())


@wrong("ch01.safe", "running denominator not rescaled")
def _(left, right):
    highest = max(left.max(), right.max())
    total = np.exp(left - left.max()).sum() + np.exp(right - highest).sum()
    return np.exp(np.append(left, right) - highest) / total


# --- scaled dot products ------------------------------------------------------------


@wrong("ch02.scaled-scores", "no scaling", "no-scaling")
def _(query, key):
    return query @ turned(key)


@wrong("ch02.scaled-scores", "divided by d, not its root", "divides-by-width")
def _(query, key):
    return query @ turned(key) / query.shape[-1]


@wrong("ch03.attention", "no scaling", "no-scale")
def _(query, key, value):
    weights = softmax(query @ key.T)
    return weights @ value, weights


@wrong("ch03.attention", "scaled by the value width", "root-of-value-width")
def _(query, key, value):
    weights = softmax(query @ key.T / value.shape[-1] ** 0.5)
    return weights @ value, weights


@wrong("ch03.attention", "divided by d, not its root", "divides-by-width")
def _(query, key, value):
    weights = softmax(query @ key.T / query.shape[-1])
    return weights @ value, weights


@wrong("ch03.attention", "softmax over the queries", "softmax-over-queries")
def _(query, key, value):
    weights = softmax(query @ key.T / query.shape[-1] ** 0.5, axis=-2)
    return weights @ value, weights


@wrong("ch03.attention", "Q and K exchanged", "queries-and-keys-exchanged")
def _(query, key, value):
    weights = softmax(key @ query.T / query.shape[-1] ** 0.5)
    return weights @ value, weights


@wrong("ch03.attention", "plain average", "plain-average")
def _(query, key, value):
    weights = np.full((len(query), len(key)), 1 / len(key))
    return weights @ value, weights


@wrong("ch03.attention", "argmax, no softmax", "largest-takes-all")
def _(query, key, value):
    weights = np.eye(len(key))[(query @ key.T).argmax(axis=-1)]
    return weights @ value, weights


# --- projections --------------------------------------------------------------------


def projected(x, w_query, w_key, w_value, scale, axis=-1):
    """Return self-attention's output and weights, with a scale and an axis."""
    scores = (x @ w_query) @ turned(x @ w_key) / scale
    weights = softmax(scores, axis)
    return weights @ (x @ w_value), weights


@wrong("ch04.self-attention", "no scaling", "no-scale")
def _(x, w_query, w_key, w_value):
    return projected(x, w_query, w_key, w_value, 1.0)


@wrong("ch04.self-attention", "root of d_model", "scale-by-input-width")
def _(x, w_query, w_key, w_value):
    return projected(x, w_query, w_key, w_value, np.sqrt(x.shape[-1]))


@wrong("ch04.self-attention", "divided by d, not its root", "divides-by-d-k")
def _(x, w_query, w_key, w_value):
    return projected(x, w_query, w_key, w_value, w_key.shape[-1])


@wrong("ch04.self-attention", "softmax over the queries", "softmax-over-queries")
def _(x, w_query, w_key, w_value):
    return projected(x, w_query, w_key, w_value, w_key.shape[-1] ** 0.5, axis=-2)


@wrong("ch04.self-attention", "keys from W_Q", "keys-from-query-matrix")
def _(x, w_query, w_key, w_value):
    return projected(x, w_query, w_query, w_value, w_query.shape[-1] ** 0.5)


@wrong("ch04.self-attention", "Q and K exchanged", "roles-swapped")
def _(x, w_query, w_key, w_value):
    return projected(x, w_key, w_query, w_value, w_key.shape[-1] ** 0.5)


@wrong("ch04.dropout-left-on", "dropout left on in evaluation", "left-on")
def _(weights, value, keep, rate, training):
    return np.where(keep, weights / (1 - rate), 0) @ value


# --- masks --------------------------------------------------------------------------


@wrong("ch03.causal-mask", "no mask")
def _(n_q, n_k, offset):
    return np.full((n_q, n_k), True)


@wrong("ch03.causal-mask", "the diagonal hidden, too", "not-itself")
def _(n_q, n_k, offset):
    return np.tri(n_q, n_k, offset - 1, dtype=bool)


@wrong("ch03.causal-mask", "no column offset for a cache", "offset-forgotten")
def _(n_q, n_k, offset):
    return np.tri(n_q, n_k, dtype=bool)


@wrong("ch03.causal-mask", "dropped once there is a cache")
def _(n_q, n_k, offset):
    if offset:
        return np.ones((n_q, n_k), dtype=bool)
    return np.tri(n_q, n_k, dtype=bool)


@wrong("ch03.causal-mask", "polarity turned", "inverted")
def _(n_q, n_k, offset):
    return ~np.tri(n_q, n_k, offset, dtype=bool)


@wrong("ch03.decoder-mask", "padding or causal, not both", "joined-by-or")
def _(lengths, n):
    real = np.array([[j < length for j in range(n)] for length in lengths])
    return np.tri(n, dtype=bool)[None] | real[:, None]


@wrong("ch03.inverted-mask", "NaN of the turned mask replaced", "nan-painted-over")
def _(query, key, value, lengths):
    padding = np.arange(key.shape[1]) >= np.reshape(lengths, (-1, 1, 1))
    scores = query @ turned(key) / query.shape[-1] ** 0.5
    return np.nan_to_num(softmax(np.where(padding, scores, -np.inf)) @ value)


def causal(query, key, value, scale, reach=0):
    """Return causal attention with a scale; `reach` moves the diagonal."""
    scores = query @ turned(key) / scale
    n = query.shape[-2]
    return softmax(np.where(np.tri(n, n, reach) > 0, scores, -np.inf)) @ value


@wrong("ch03.leaking-mask", "no scaling")
def _(query, key, value):
    return causal(query, key, value, 1)


@wrong("ch03.leaking-mask", "divided by d, not its root")
def _(query, key, value):
    return causal(query, key, value, query.shape[-1])


@wrong("ch03.leaking-mask", "Q and K exchanged")
def _(query, key, value):
    return causal(key, query, value, query.shape[-1] ** 0.5)


@wrong("ch03.leaking-mask", "no mask")
def _(query, key, value):
    return softmax(query @ turned(key) / query.shape[-1] ** 0.5) @ value


@wrong("ch03.leaking-mask", "after the softmax, not renormalised", "zeroed-afterwards")
def _(query, key, value):
    weights = softmax(query @ turned(key) / query.shape[-1] ** 0.5)
    return np.tril(weights) @ value


@wrong("ch03.leaking-mask", "plain average over the past")
def _(query, key, value):
    past = np.tri(query.shape[-2])
    return past / past.sum(axis=1, keepdims=True) @ value


@wrong("ch03.masked-softmax", "NaN in a row without keys", "nan-without-keys")
def _(scores, mask):
    return softmax(np.where(mask, scores, -np.inf))


@wrong("ch03.masked-softmax", "-1e9 for minus infinity", "finite-fill")
def _(scores, mask):
    return softmax(np.where(mask, scores, -1e9))


@wrong("ch03.masked-softmax", "after the softmax", "zeroed-afterwards")
def _(scores, mask):
    return softmax(scores) * mask


@wrong("ch03.masked-softmax", "softmax over the queries", "softmax-over-queries")
def _(scores, mask):
    shares = softmax(np.where(mask, scores, -np.inf), axis=-2)
    return np.nan_to_num(shares)


# --- heads --------------------------------------------------------------------------


@wrong("ch05.split", "reshaped, not transposed", "bare-reshape")
def _(x, num_heads):
    *before, n, d_model = x.shape
    return x.reshape((*before, num_heads, n, d_model // num_heads))


@wrong("ch05.merge", "reshaped, not transposed", "bare-reshape")
def _(heads):
    *before, num_heads, n, d_v = heads.shape
    return heads.reshape((*before, n, num_heads * d_v))


def divided(x, num_heads, transposed=True):
    """Return (..., num_heads, n, width), by columns or by a bare reshape."""
    if transposed:
        return np.stack(np.split(x, num_heads, axis=-1), axis=-3)
    n, d = x.shape[-2:]
    return x.reshape((*x.shape[:-2], num_heads, n, d // num_heads))


def joined(heads, transposed=True):
    """Return (..., n, num_heads * width), side by side or by a bare reshape."""
    if transposed:
        return np.concatenate(np.moveaxis(heads, -3, 0), axis=-1)
    num_heads, n, d = heads.shape[-3:]
    return heads.reshape((*heads.shape[:-3], n, num_heads * d))


def many_heads(x, source, w, num_heads, *, scale=None, axis=-1, split=True, merge=True):
    """Return attention of several heads with one fault, before W_O, and its weights."""
    asked, seen = x @ w[0], (source @ w[1], source @ w[2])
    query = divided(asked, num_heads, split)
    key, value = (divided(part, num_heads, split) for part in seen)
    scores = query @ turned(key) / (scale or query.shape[-1] ** 0.5)
    weights = softmax(scores, axis)
    return joined(weights @ value, merge), weights


@wrong("ch05.from-parts", "no scaling", "not-scaled")
def _(x, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    return many_heads(x, x, w, num_heads, scale=1.0)[0] @ w_output


@wrong("ch05.from-parts", "root of d_model", "scaled-by-d-model")
def _(x, w_query, w_key, w_value, w_output, num_heads):
    w, root = (w_query, w_key, w_value), x.shape[-1] ** 0.5
    return many_heads(x, x, w, num_heads, scale=root)[0] @ w_output


@wrong("ch05.from-parts", "softmax over the queries", "softmax-over-queries")
def _(x, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    return many_heads(x, x, w, num_heads, axis=-2)[0] @ w_output


@wrong("ch05.from-parts", "heads split by a bare reshape", "bare-split")
def _(x, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    return many_heads(x, x, w, num_heads, split=False)[0] @ w_output


@wrong("ch05.from-parts", "heads merged by a bare reshape", "bare-merge")
def _(x, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    return many_heads(x, x, w, num_heads, merge=False)[0] @ w_output


@wrong("ch05.from-parts", "no output projection", "no-output-projection")
def _(x, w_query, w_key, w_value, w_output, num_heads):
    return many_heads(x, x, (w_query, w_key, w_value), num_heads)[0]


@wrong("ch05.cross-attention", "no scaling", "not-scaled")
def _(x, source, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    output, weights = many_heads(x, source, w, num_heads, scale=1.0)
    return output @ w_output, weights


@wrong("ch05.cross-attention", "root of d_model", "scaled-by-width-of-x")
def _(x, source, w_query, w_key, w_value, w_output, num_heads):
    w, root = (w_query, w_key, w_value), x.shape[-1] ** 0.5
    output, weights = many_heads(x, source, w, num_heads, scale=root)
    return output @ w_output, weights


@wrong("ch05.cross-attention", "softmax over the queries", "softmax-over-queries")
def _(x, source, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    output, weights = many_heads(x, source, w, num_heads, axis=-2)
    return output @ w_output, weights


@wrong("ch05.cross-attention", "heads split by a bare reshape", "bare-split")
def _(x, source, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    output, weights = many_heads(x, source, w, num_heads, split=False)
    return output @ w_output, weights


@wrong("ch05.cross-attention", "heads merged by a bare reshape", "bare-merge")
def _(x, source, w_query, w_key, w_value, w_output, num_heads):
    w = w_query, w_key, w_value
    output, weights = many_heads(x, source, w, num_heads, merge=False)
    return output @ w_output, weights


@wrong("ch05.cross-attention", "no output projection", "no-output-projection")
def _(x, source, w_query, w_key, w_value, w_output, num_heads):
    return many_heads(x, source, (w_query, w_key, w_value), num_heads)


def shared(query, key, value, *, scale=None, axis=-1, tiled=False):
    """Return grouped-query attention with one fault."""
    times = query.shape[1] // key.shape[1]
    groups = np.arange(query.shape[1])
    groups = groups % key.shape[1] if tiled else groups // times
    scores = query @ turned(key[:, groups]) / (scale or query.shape[-1] ** 0.5)
    return softmax(scores, axis) @ value[:, groups]


@wrong("ch05.grouped-heads", "no scaling", "not-scaled")
def _(query, key, value):
    return shared(query, key, value, scale=1.0)


@wrong("ch05.grouped-heads", "root of d_model", "scaled-by-all-heads")
def _(query, key, value):
    d_model = query.shape[1] * query.shape[3]
    return shared(query, key, value, scale=d_model**0.5)


@wrong("ch05.grouped-heads", "softmax over the queries", "softmax-over-queries")
def _(query, key, value):
    return shared(query, key, value, axis=-2)


@wrong("ch05.grouped-heads", "key-value heads tiled, not repeated", "tiled")
def _(query, key, value):
    return shared(query, key, value, tiled=True)


@wrong("ch05.torch-masks", "polarity not turned", "not-inverted")
def _(padding, pairs, num_heads):
    return padding[:, 0], pairs.repeat(num_heads, axis=0)


@wrong("ch05.masked-heads", "after the softmax", "masked-after-the-softmax")
def _(scores, lengths):
    n = scores.shape[-1]
    real = np.arange(n) < lengths.reshape(-1, 1, 1, 1)
    return softmax(scores) * (np.tri(n) * real)


# --- positions ----------------------------------------------------------------------


@wrong("ch06.sinusoidal", "all sines, then all cosines", "halves")
def _(places, d_model, base):
    speed = 1 / base ** (np.arange(d_model // 2) / (d_model / 2))
    angle = np.multiply.outer(places, speed)
    return np.hstack([np.sin(angle), np.cos(angle)])


@wrong("ch06.learned-table", "rows from 0, whatever the offset", "forgets-the-offset")
def _(x, table, offset):
    return x + table[: x.shape[1]]


@wrong("ch06.learned-table", "places moved by one", "one-too-far")
def _(x, table, offset):
    return x + table[offset + 1 : offset + 1 + x.shape[1]]


@wrong("ch06.learned-table", "table not sliced")
def _(x, table, offset):
    return x + table


def rotated(x, angle, sign=1):
    """Turn neighbours by angles (n, d_k / 2), as complex numbers; or mirror them."""
    pairs = x[..., 0::2] + 1j * sign * x[..., 1::2]
    moved = pairs * np.exp(1j * angle)
    return np.stack([moved.real, moved.imag], axis=-1).reshape(x.shape)


def angles(places, d_k, base):
    """Return the angle of every place and pair."""
    return np.multiply.outer(places, base ** (-2.0 * np.arange(d_k // 2) / d_k))


@wrong("ch06.rotary", "nothing turned", "does-nothing")
def _(x, places, base):
    return x.copy()


@wrong("ch06.rotary", "one frequency for all pairs", "one-speed")
def _(x, places, base):
    angle = np.multiply.outer(places, np.ones(x.shape[-1] // 2))
    return rotated(x, angle)


@wrong("ch06.rotary", "wrong base", "own-base")
def _(x, places, base):
    return rotated(x, angles(places, x.shape[-1], 10000.0))


@wrong("ch06.rotary", "same angle at every position", "same-angle-everywhere")
def _(x, places, base):
    return rotated(x, angles(np.ones(len(places)), x.shape[-1], base))


@wrong("ch06.rotary", "turned the other way", "turns-the-other-way")
def _(x, places, base):
    return rotated(x, -angles(places, x.shape[-1], base))


@wrong("ch06.rotary", "reflection instead of rotation", "mirror")
def _(x, places, base):
    return rotated(x, angles(places, x.shape[-1], base), sign=-1)


# --- the network behind attention ---------------------------------------------------


@wrong("ch07.gelu", "ReLU for GELU", "relu")
def _(z):
    return np.where(z > 0, z, 0.0)


@wrong("ch07.from-linears", "weights not turned", "stored-the-other-way")
def _(x, weight_1, bias_1, weight_2, bias_2):
    return np.maximum(x @ weight_1 + bias_1, 0) @ weight_2 + bias_2


@wrong("ch07.from-linears", "output bias dropped", "second-bias-lost")
def _(x, weight_1, bias_1, weight_2, bias_2):
    return np.maximum(x @ weight_1.T + bias_1, 0) @ weight_2.T


# --- the measurement ----------------------------------------------------------------


def judged(version: Version) -> Row:
    """Check one wrong version, and say how it was named."""
    exercise, what, names, function = version
    verdict = check(exercise, function)
    told = verdict.misconceptions
    if not told:
        named = "no"
    else:
        named = "rightly" if set(told) == set(names) else "wrongly"
    return {
        "exercise": exercise,
        "wrong": what,
        "rejected": verdict.outcome is not Outcome.CORRECT,
        "named": named,
        "told": ", ".join(told),
    }


def measure() -> list[Row]:
    """Check all wrong versions, with a progress file that nobody keeps."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ATTENTION_COURSE_PROGRESS"] = f"{folder}/progress.jsonl"
        return [judged(version) for version in VERSIONS]


def main() -> None:
    """Judge all versions, store the record, and fail if one is accepted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="known_wrong", help="of the record")
    options = parser.parse_args()
    rows = measure()
    save(options.name, rows)
    accepted = [row for row in rows if not row["rejected"] or row["named"] == "wrongly"]
    print(f"{len(rows)} wrong versions, {sum(r['rejected'] for r in rows)} rejected")
    if accepted:
        sys.exit(f"accepted, or named wrongly: {accepted}")


if __name__ == "__main__":
    main()
