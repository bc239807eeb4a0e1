"""Scaled dot-product attention, against hand, properties and torch."""

import math

import numpy as np
import pytest
from helpers import (
    DTYPES,
    assert_close,
    assert_equal,
    assert_zero,
    dtype_name,
    in_library,
    to_numpy,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import attention_course as ac
from attention_course import scaled_dot_product_attention as attend

# All different, so that a swapped axis cannot pass by luck.
N_Q, N_K, D_K, D_V = 5, 7, 3, 11
BATCHES = {
    "unbatched": (),
    "batch": (2,),
    "batch and heads": (2, 4),
    "two batches and heads": (2, 6, 4),
}
batches = pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
dtypes = pytest.mark.parametrize("dtype", DTYPES)

number = st.floats(-5, 5)
small_query = arrays(np.float64, (N_Q, D_K), elements=number)
small_key = arrays(np.float64, (N_K, D_K), elements=number)
small_value = arrays(np.float64, (N_K, 2), elements=number)


def draw_inputs(rng, batch=(), n_q=N_Q, n_k=N_K, kv_batch=None):
    kv_batch = batch if kv_batch is None else kv_batch
    return (
        rng.normal(size=(*batch, n_q, D_K)),
        rng.normal(size=(*kv_batch, n_k, D_K)),
        rng.normal(size=(*kv_batch, n_k, D_V)),
    )


def by_torch(query, key, value, **options):
    """Return the output of torch's own function, in float64."""
    torch = pytest.importorskip("torch")
    tensors = [torch.from_numpy(to_numpy(x)) for x in (query, key, value)]
    return torch.nn.functional.scaled_dot_product_attention(*tensors, **options)


def assert_agrees_with_torch(xp, inputs, dtype="float64", **options):
    """Output equals torch's; weights times values (repeated per group) give it."""
    torch = pytest.importorskip("torch")
    arrays_ = [in_library(xp, x, dtype) for x in inputs]
    theirs, ours = {}, dict(options)
    for name in ("mask", "bias"):
        if name in options:
            kind = "bool" if name == "mask" else dtype
            ours[name] = in_library(xp, options[name], kind)
            theirs["attn_mask"] = torch.from_numpy(to_numpy(ours[name]))
    if "scale" in options:
        theirs["scale"] = options["scale"]
    theirs["is_causal"] = options.get("causal", False)
    theirs["enable_gqa"] = inputs[0].ndim > 3
    output, weights = attend(*arrays_, **ours)
    assert (dtype_name(output), dtype_name(weights)) == (dtype, dtype)
    assert weights.shape == (*inputs[0].shape[:-1], inputs[1].shape[-2])
    assert_close(output, by_torch(*arrays_, **theirs))


# --- by hand


def test_two_keys_worked_by_hand(xp):
    # d_k = 4: q.k = 2 ln 3 and 0, over sqrt(4): ln 3 and 0. Weights 3/4 and 1/4.
    # Output 3/4 (4, 0) + 1/4 (0, 8) = (3, 2).
    query = in_library(xp, [[1.0, 1, 1, 1]])
    key = in_library(xp, [[math.log(3)] * 2 + [0.0] * 2, [0.0] * 4])
    value = in_library(xp, [[4.0, 0.0], [0.0, 8.0]])
    output, weights = attend(query, key, value)
    assert_close(weights, [[3 / 4, 1 / 4]])
    assert_close(output, [[3.0, 2.0]])


def test_mask_and_bias_worked_by_hand(xp):
    # Scores 0; the bias ln 2 doubles the first share: 2 : 1 : 1. Without key 1: 2 : 1.
    zeros = in_library(xp, np.zeros((3, 2)))
    value = in_library(xp, [[3.0], [100.0], [6.0]])
    bias = in_library(xp, [[math.log(2), 0.0, 0.0]])
    mask = xp.asarray([[True, False, True]])
    output, weights = attend(zeros[:1, :], zeros, value, mask, bias=bias)
    assert_close(weights, [[2 / 3, 0, 1 / 3]])
    assert_close(output, [[4.0]])


def test_causal_aligns_first_query_with_first_key_by_hand(xp):
    # Equal scores: query 0 sees 1 key, query 1 the mean of 2, whatever n_k is.
    query, key = in_library(xp, np.ones((2, 2))), in_library(xp, np.zeros((3, 2)))
    value = in_library(xp, [[1.0], [3.0], [100.0]])
    output, weights = attend(query, key, value, causal=True)
    assert_close(weights, [[1, 0, 0], [1 / 2, 1 / 2, 0]])
    assert_close(output, [[1.0], [2.0]])


def test_consecutive_query_heads_share_a_key_head_by_hand(xp):
    # 4 query heads, 2 value heads of 10 and 20: heads 0, 1 read 10; heads 2, 3 read 20.
    # Tiling would give 10, 20, 10, 20.
    query = in_library(xp, np.ones((1, 4, 1, 3)))
    key = in_library(xp, np.ones((1, 2, 5, 3)))
    value = in_library(xp, np.full((1, 2, 5, 1), 10.0) * [[[[1.0]], [[2.0]]]])
    output, _ = attend(query, key, value)
    assert_close(output[0, :, 0, 0], [10, 10, 20, 20])


# --- torch as the reference


@dtypes
@batches
def test_agrees_with_torch(xp, rng, batch, dtype):
    assert_agrees_with_torch(xp, draw_inputs(rng, batch), dtype)


@dtypes
@batches
def test_agrees_with_torch_under_a_mask_for_all(xp, rng, batch, dtype):
    mask = rng.random((N_Q, N_K)) < 0.6
    assert_agrees_with_torch(xp, draw_inputs(rng, batch), dtype, mask=mask)


@pytest.mark.parametrize("shape", [(2, 4, N_Q, N_K), (2, 1, 1, N_K), (1, 4, N_Q, 1)])
def test_agrees_with_torch_under_a_mask_per_head(xp, rng, shape):
    mask = rng.random(shape) < 0.7
    assert_agrees_with_torch(xp, draw_inputs(rng, (2, 4)), mask=mask)


def test_agrees_with_torch_under_a_mask_per_example(xp, rng):
    mask = rng.random((2, N_Q, N_K)) < 0.6
    assert_agrees_with_torch(xp, draw_inputs(rng, (2,)), mask=mask)


@dtypes
@pytest.mark.parametrize("shape", [(N_Q, N_K), (2, 4, N_Q, N_K), (1, 4, 1, N_K)])
def test_agrees_with_torch_with_a_bias(xp, rng, shape, dtype):
    inputs, bias = draw_inputs(rng, (2, 4)), rng.normal(size=shape)
    assert_agrees_with_torch(xp, inputs, dtype, bias=bias)


@dtypes
@pytest.mark.parametrize(("n_q", "n_k"), [(5, 7), (7, 5), (6, 6), (1, 4), (4, 1)])
def test_agrees_with_torch_when_causal(xp, rng, n_q, n_k, dtype):
    inputs = draw_inputs(rng, (2, 4), n_q, n_k)
    assert_agrees_with_torch(xp, inputs, dtype, causal=True)


@pytest.mark.parametrize("scale", [0.1, 1, -0.7, 0, np.float64(2), np.float32(0.5)])
def test_agrees_with_torch_at_any_scale(xp, rng, scale):
    assert_agrees_with_torch(xp, draw_inputs(rng, (2, 4)), scale=scale)


@dtypes
@pytest.mark.parametrize("num_kv_heads", [1, 2, 3, 6])
@pytest.mark.parametrize("lead", [(2,), (2, 4)], ids=["4-D", "5-D"])
def test_agrees_with_torch_when_heads_share_keys(xp, rng, lead, num_kv_heads, dtype):
    inputs = draw_inputs(rng, (*lead, 6), kv_batch=(*lead, num_kv_heads))
    mask = rng.random((N_Q, N_K)) < 0.7
    assert_agrees_with_torch(xp, inputs, dtype, mask=mask)


def test_mask_bias_and_causal_work_together_as_one_bias_in_torch(xp, rng):
    torch = pytest.importorskip("torch")
    inputs = draw_inputs(rng, (2, 4))
    mask, bias = rng.random((2, 1, N_Q, N_K)) < 0.6, rng.normal(size=(4, N_Q, N_K))
    allowed = mask & np.tril(np.ones((N_Q, N_K), dtype=bool))
    folded = torch.from_numpy(np.where(allowed, bias, -np.inf))
    output, _ = attend(
        *(in_library(xp, x) for x in inputs),
        xp.asarray(mask),
        bias=in_library(xp, bias[None]),
        causal=True,
    )
    assert_close(output, by_torch(*inputs, attn_mask=folded))


def test_weights_are_the_softmax_of_the_scaled_scores_in_torch(xp, rng):
    torch = pytest.importorskip("torch")
    query, key, value = draw_inputs(rng, (2, 4))
    q, k = torch.from_numpy(query), torch.from_numpy(key)
    expected = torch.softmax(q @ k.mT / math.sqrt(D_K), dim=-1)
    _, weights = attend(*(in_library(xp, x) for x in (query, key, value)))
    assert_close(weights, expected)


def test_numpy_and_torch_give_the_same(rng):
    torch = pytest.importorskip("torch")
    inputs, mask = draw_inputs(rng, (2, 4)), rng.random((2, 4, N_Q, N_K)) < 0.5
    ours = attend(*inputs, mask, causal=True)
    theirs = attend(*map(torch.from_numpy, (*inputs, mask)), causal=True)
    assert_close(ours[0], theirs[0])
    assert_close(ours[1], theirs[1])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kv_heads", [4, 2])
@pytest.mark.parametrize("kind", ["plain", "mask", "bias"])
def test_gradients_agree_with_torch(rng, kind, kv_heads, causal):
    torch = pytest.importorskip("torch")
    inputs = draw_inputs(rng, (2, 4), kv_batch=(2, kv_heads))
    tensors = [torch.from_numpy(x).requires_grad_() for x in inputs]
    bias = torch.from_numpy(rng.normal(size=(4, N_Q, N_K))).requires_grad_()
    mask = torch.from_numpy(rng.random((2, 1, N_Q, N_K)) < 0.6)
    allowed = mask if kind == "mask" else torch.ones_like(mask)
    if causal:
        allowed = allowed & torch.ones(N_Q, N_K, dtype=torch.bool).tril()
    folded = torch.zeros(allowed.shape, dtype=torch.float64)
    folded = folded.masked_fill(~allowed, -torch.inf)
    options = {"causal": causal}
    if kind == "mask":
        options["mask"] = mask
    if kind == "bias":
        options["bias"], folded = bias[None], folded + bias
        tensors.append(bias)
    output, _ = attend(*tensors[:3], **options)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *tensors[:3], attn_mask=folded, enable_gqa=True
    )
    cotangent = torch.from_numpy(rng.normal(size=output.shape))
    ours = torch.autograd.grad(output, tensors, cotangent)
    theirs = torch.autograd.grad(expected, tensors, cotangent)
    for our, their in zip(ours, theirs, strict=True):
        assert_close(our, their)


def test_gradients_agree_with_finite_differences_with_an_empty_row(rng):
    torch = pytest.importorskip("torch")
    inputs = [torch.from_numpy(x).requires_grad_() for x in draw_inputs(rng, (2,))]
    bias = torch.from_numpy(rng.normal(size=(2, N_Q, N_K))).requires_grad_()
    mask = torch.from_numpy(rng.random((2, N_Q, N_K)) < 0.6)
    mask[1, 3] = False

    def both(query, key, value, bias):
        return attend(query, key, value, mask, bias=bias)

    assert torch.autograd.gradcheck(both, (*inputs, bias))


# --- properties


@given(query=small_query, key=small_key, value=small_value, data=st.data())
def test_reordering_keys_and_values_together_changes_nothing(query, key, value, data):
    order = data.draw(st.permutations(range(N_K)))
    output, weights = attend(query, key, value)
    shuffled, shuffled_weights = attend(query, key[order], value[order])
    np.testing.assert_allclose(shuffled, output, atol=1e-12)
    np.testing.assert_allclose(shuffled_weights, weights[:, order], atol=1e-12)


@given(query=small_query, key=small_key, value=small_value, data=st.data())
def test_reordering_queries_reorders_rows(query, key, value, data):
    order = data.draw(st.permutations(range(N_Q)))
    output, weights = attend(query, key, value)
    shuffled, shuffled_weights = attend(query[order], key, value)
    np.testing.assert_allclose(shuffled, output[order], atol=1e-12)
    np.testing.assert_allclose(shuffled_weights, weights[order], atol=1e-12)


@given(
    query=small_query,
    key=small_key,
    value=small_value,
    mask=arrays(np.bool_, (N_Q, N_K)),
)
def test_weights_of_each_query_sum_to_one_or_to_zero(query, key, value, mask):
    _, weights = attend(query, key, value, mask)
    assert_close(weights.sum(axis=-1), mask.any(axis=-1).astype(float))
    assert_equal(weights[~mask], np.zeros((~mask).sum()))


@given(
    query=small_query,
    key=small_key,
    value=small_value,
    direction=arrays(np.float64, 2, elements=number),
)
def test_output_lies_in_the_convex_hull_of_the_values(query, key, value, direction):
    # A point is in the hull when no direction takes it beyond all of the corners.
    output, _ = attend(query, key, value)
    reach = value @ direction
    assert (output @ direction <= reach.max() + 1e-12).all()
    assert (output @ direction >= reach.min() - 1e-12).all()


@given(query=small_query, key=small_key, value=small_value, constant=number)
def test_adding_a_constant_to_all_scores_changes_nothing(query, key, value, constant):
    bias = np.full((N_Q, 1), constant)
    np.testing.assert_allclose(
        attend(query, key, value, bias=bias)[0],
        attend(query, key, value)[0],
        atol=1e-12,
    )


def test_identical_keys_give_the_mean_of_the_values(xp, rng):
    query, key, value = draw_inputs(rng)
    key[:] = key[0]
    output, _ = attend(*(in_library(xp, x) for x in (query, key, value)))
    assert_close(output, np.broadcast_to(value.mean(axis=0), (N_Q, D_V)))


def test_changing_a_masked_key_and_its_value_changes_nothing(xp, rng):
    inputs = draw_inputs(rng, (2,))
    mask = rng.random((2, N_Q, N_K)) < 0.7
    mask[..., 4] = False
    before, _ = attend(*(in_library(xp, x) for x in inputs), xp.asarray(mask))
    inputs[1][:, 4], inputs[2][:, 4] = 1e3, -1e3
    after, _ = attend(*(in_library(xp, x) for x in inputs), xp.asarray(mask))
    assert_equal(after, before)


def test_changing_a_later_token_changes_no_earlier_output(xp, rng):
    inputs = draw_inputs(rng, (2, 4), 6, 6)
    before, _ = attend(*(in_library(xp, x) for x in inputs), causal=True)
    for x in inputs:
        x[..., 3, :] += 1.0
    after, _ = attend(*(in_library(xp, x) for x in inputs), causal=True)
    assert_equal(after[..., :3, :], to_numpy(before)[..., :3, :])
    changed = np.abs(to_numpy(after) - to_numpy(before)).max(axis=-1)
    assert (changed[..., 3:] > 1e-6).all()


@pytest.mark.parametrize("cell", [(0, 0), (1, 2)])
def test_no_head_of_one_example_leaks_into_another(xp, rng, cell):
    inputs = draw_inputs(rng, (2, 4))
    before = to_numpy(attend(*(in_library(xp, x) for x in inputs))[0])
    for x in inputs:
        x[cell] += 1.0
    after = to_numpy(attend(*(in_library(xp, x) for x in inputs))[0])
    same = np.ones((2, 4), dtype=bool)
    same[cell] = False
    assert_equal(after[same], before[same])
    assert np.abs(after[cell] - before[cell]).min() > 1e-6


def test_shared_heads_equal_heads_repeated_one_by_one(xp, rng):
    query, key, value = draw_inputs(rng, (2, 6), kv_batch=(2, 3))
    output, weights = attend(*(in_library(xp, x) for x in (query, key, value)))
    assert weights.shape == (2, 6, N_Q, N_K)
    for h in range(6):
        alone, _ = attend(query[:, h], key[:, h // 2], value[:, h // 2])
        assert_close(output[:, h, ...], alone)


# --- a query that may attend to nothing


@dtypes
def test_a_query_that_may_attend_to_nothing_gets_zeros(xp, rng, dtype):
    inputs = [in_library(xp, x, dtype) for x in draw_inputs(rng, (2,))]
    mask = np.ones((2, N_Q, N_K), dtype=bool)
    mask[1, 3] = False
    output, weights = attend(*inputs, xp.asarray(mask))
    assert_equal(output[1, 3, :], np.zeros(D_V))
    assert_equal(weights[1, 3, :], np.zeros(N_K))
    assert np.abs(to_numpy(output)[0]).min() > 0


@dtypes
def test_a_query_that_may_attend_to_nothing_gets_no_gradient(rng, dtype):
    torch = pytest.importorskip("torch")
    inputs = [
        torch.from_numpy(x).to(getattr(torch, dtype)).requires_grad_()
        for x in draw_inputs(rng, (2,))
    ]
    bias = torch.zeros(N_Q, N_K, dtype=inputs[0].dtype, requires_grad=True)
    mask = torch.ones(2, N_Q, N_K, dtype=torch.bool)
    mask[:, 3] = False
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        attend(*inputs, mask, bias=bias)[0].sum().backward()
    assert_equal(inputs[0].grad[:, 3], np.zeros((2, D_K)))
    assert_equal(bias.grad[3], np.zeros(N_K))
    for x in inputs:
        assert np.isfinite(to_numpy(x.grad)).all()


def test_a_bias_of_minus_infinity_hides_a_key_as_a_mask_does(xp, rng):
    inputs = [in_library(xp, x) for x in draw_inputs(rng)]
    mask = rng.random((N_Q, N_K)) < 0.5
    mask[2] = False
    hidden = in_library(xp, np.where(mask, 0.0, -np.inf))
    by_bias, by_mask = attend(*inputs, bias=hidden), attend(*inputs, xp.asarray(mask))
    assert_equal(by_bias[0], by_mask[0])
    assert_equal(by_bias[1], by_mask[1])


# --- empty axes


@batches
@pytest.mark.parametrize("causal", [False, True])
def test_without_keys_the_output_is_zero(xp, rng, batch, causal):
    query, key, value = draw_inputs(rng, batch, n_k=0)
    output, weights = attend(
        *(in_library(xp, x) for x in (query, key, value)), causal=causal
    )
    assert weights.shape == (*batch, N_Q, 0)
    assert_equal(output, np.zeros((*batch, N_Q, D_V)))
    if not causal:
        assert_equal(output, by_torch(query, key, value))


@batches
@pytest.mark.parametrize("causal", [False, True])
def test_without_queries_there_is_no_output(xp, rng, batch, causal):
    inputs = [in_library(xp, x) for x in draw_inputs(rng, batch, n_q=0)]
    mask = xp.asarray(np.ones((0, N_K), dtype=bool))
    output, weights = attend(*inputs, mask, causal=causal)
    assert output.shape == (*batch, 0, D_V)
    assert weights.shape == (*batch, 0, N_K)


def test_without_keys_the_gradient_is_zero(rng):
    torch = pytest.importorskip("torch")
    inputs = [torch.from_numpy(x).requires_grad_() for x in draw_inputs(rng, n_k=0)]
    attend(*inputs)[0].sum().backward()
    assert_zero(inputs[0].grad)


def test_an_empty_batch_works(xp, rng):
    inputs = [in_library(xp, x) for x in draw_inputs(rng, (0, 4))]
    assert attend(*inputs)[0].shape == (0, 4, N_Q, D_V)


# --- stability


@dtypes
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_scores_of_ten_thousand_pick_one_key(xp, dtype, size):
    # q.k = 100 * 100 = 1e4 for key 0, -1e4 for key 1, 0 for key 2.
    query = in_library(xp, [[100.0]], dtype)
    key = in_library(xp, [[size / 100], [-size / 100], [0.0]], dtype)
    value = in_library(xp, [[1.0], [2.0], [3.0]], dtype)
    output, weights = attend(query, key, value)
    assert_equal(weights, [[1, 0, 0]] if size > 0 else [[0, 1, 0]])
    assert_equal(output, [[1.0]] if size > 0 else [[2.0]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_scores_of_eighty_thousand_do_not_overflow_half_precision(xp, dtype):
    # 4 * 200 * 200 / sqrt(4) = 80,000, and float16 ends at 65,504.
    query = in_library(xp, np.full((1, 4), 200.0), dtype)
    key = in_library(xp, [[200.0] * 4, [200.0] * 4, [0.0] * 4], dtype)
    value = in_library(xp, [[1.0], [3.0], [9.0]], dtype)
    output, weights = attend(query, key, value)
    assert_equal(weights, [[0.5, 0.5, 0.0]])
    assert_equal(output, [[2.0]])


def test_gradients_at_scores_beyond_float16_are_finite():
    torch = pytest.importorskip("torch")
    query = torch.full((1, 4), 200.0, dtype=torch.float16, requires_grad=True)
    key = torch.full((3, 4), 200.0, dtype=torch.float16, requires_grad=True)
    value = torch.tensor([[1.0], [3.0], [5.0]], dtype=torch.float16, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        attend(query, key, value)[0].sum().backward()
    # Weights 1/3; d output / d key 0 = 1/3 (1 - 3) 200 / sqrt(4) = -66.7
    assert_close(key.grad, np.outer([-200 / 3, 0, 200 / 3], np.ones(4)))
    assert_close(value.grad, np.full((3, 1), 1 / 3))
    assert_zero(query.grad)


def test_weights_meet_the_values_before_they_are_rounded_to_float16(xp):
    # e^-16 is 1.13e-7, which float16 rounds to 1.19e-7: 6 % more.
    query = in_library(xp, [[1.0]], "float16")
    key = in_library(xp, [[0.0], [-16.0]], "float16")
    value = in_library(xp, [[0.0], [60_000.0]], "float16")
    share = math.exp(-16) / (1 + math.exp(-16))
    assert_close(attend(query, key, value)[0], [[60_000 * share]])


def test_seventy_thousand_equal_keys_do_not_overflow_float16(xp):
    query = in_library(xp, np.ones((1, 2)), "float16")
    key = in_library(xp, np.ones((70_000, 2)), "float16")
    value = in_library(xp, np.full((70_000, 1), 3.0), "float16")
    output, weights = attend(query, key, value)
    assert_close(output, [[3.0]])
    assert_close(weights, np.full((1, 70_000), 1 / 70_000))


# --- the running example of the book


def test_the_running_example_has_the_weights_that_the_book_gives():
    words, _, query, key, value = ac.data.running_example()
    output, weights = attend(query, key, value)
    # who: scores 0, 2, 0, 0, 0
    share = math.exp(2) / (math.exp(2) + 4)
    other = 1 / (math.exp(2) + 4)
    assert_close(weights[0], [other, share, other, other, other])
    assert_close(output[0], share * value[1] + other * (value.sum(axis=0) - value[1]))
    assert len(words) == weights.shape[1]
