"""Dot product, scaled dot product, cosine, additive score."""

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_equal, dtype_name, in_library, to_numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import attention_course as ac

N_Q, N_K, D_K, D_HIDDEN = 4, 6, 3, 5
D_QUERY, D_KEY = 7, 2
BATCHES = [(), (2,), (2, 8), (2, 1, 8)]

SCORES = [ac.dot_product_scores, ac.scaled_dot_product_scores, ac.cosine_scores]

rows = st.floats(-10, 10)
queries = arrays(np.float64, (N_Q, D_K), elements=rows)
keys = arrays(np.float64, (N_K, D_K), elements=rows)


def torch_copy(array):
    torch = pytest.importorskip("torch")
    return torch.from_numpy(to_numpy(array))


def additive_inputs(xp, rng, batch, dtype="float64"):
    shapes = [
        (*batch, N_Q, D_QUERY),
        (*batch, N_K, D_KEY),
        (D_QUERY, D_HIDDEN),
        (D_KEY, D_HIDDEN),
        (D_HIDDEN,),
    ]
    return [in_library(xp, rng.normal(size=shape), dtype) for shape in shapes]


# --- by hand


def test_dot_products_of_two_queries_and_three_keys_by_hand(xp):
    # (1, 2) . (3, 4) = 11, (1, 2) . (5, 6) = 17, (1, 2) . (-2, 1) = 0
    # (0, -1) . (3, 4) = -4, (0, -1) . (5, 6) = -6, (0, -1) . (-2, 1) = -1
    query = in_library(xp, [[1.0, 2.0], [0.0, -1.0]])
    key = in_library(xp, [[3.0, 4.0], [5.0, 6.0], [-2.0, 1.0]])
    assert_equal(ac.dot_product_scores(query, key), [[11, 17, 0], [-4, -6, -1]])


def test_four_dimensions_halve_the_dot_product_by_hand(xp):
    # (1, 2, 3, 4) . (5, 6, 7, 8) = 5 + 12 + 21 + 32 = 70; 70 / sqrt(4) = 35
    query = in_library(xp, [[1.0, 2.0, 3.0, 4.0]])
    key = in_library(xp, [[5.0, 6.0, 7.0, 8.0]])
    assert_equal(ac.scaled_dot_product_scores(query, key), [[35]])
    assert_equal(ac.scaled_dot_product_scores(query, key, scale=0.1), [[7]])


def test_cosines_of_a_3_4_5_triangle_by_hand(xp):
    # (3, 4) has length 5. With (0, 2): 8 / (5 * 2) = 0.8; with (-3, -4): -1;
    # with (4, -3): 0; with (0, 0), which has no direction: 0.
    query = in_library(xp, [[3.0, 4.0]])
    key = in_library(xp, [[0.0, 2.0], [-3.0, -4.0], [4.0, -3.0], [0.0, 0.0]])
    assert_close(ac.cosine_scores(query, key), [[0.8, -1, 0, 0]])


def test_additive_score_by_hand(xp):
    # Hidden: query 1 * (1, 0) + key 2 * (0, 0.5) = (1, 1); for key 0: (1, 0).
    # v = (3, -2): 3 tanh 1 - 2 tanh 1 = tanh 1, and 3 tanh 1.
    query, key = in_library(xp, [[1.0]]), in_library(xp, [[2.0], [0.0]])
    w_query, w_key = in_library(xp, [[1.0, 0.0]]), in_library(xp, [[0.0, 0.5]])
    v = in_library(xp, [3.0, -2.0])
    scores = ac.additive_scores(query, key, w_query, w_key, v)
    assert_close(scores, [[math.tanh(1), 3 * math.tanh(1)]])


# --- properties


@pytest.mark.parametrize("score", SCORES)
@given(query=queries, key=keys)
def test_exchanging_query_and_key_transposes_the_scores(score, query, key):
    np.testing.assert_allclose(score(query, key), score(key, query).T, atol=1e-12)


@given(query=queries, key=keys, factor=st.floats(0.01, 100))
def test_cosine_ignores_lengths(query, key, factor):
    # A vector shorter than 0.1 has few digits of direction left after rounding.
    query[:, 0] += np.where(query[:, 0] < 0, -0.1, 0.1)
    key[:, 0] += np.where(key[:, 0] < 0, -0.1, 0.1)
    expected = ac.cosine_scores(query, key)
    np.testing.assert_allclose(
        ac.cosine_scores(query * factor, key), expected, atol=1e-12
    )
    np.testing.assert_allclose(
        ac.cosine_scores(query, key * factor), expected, atol=1e-12
    )


@given(query=queries, key=keys)
def test_cosine_lies_between_minus_one_and_one(query, key):
    assert np.abs(ac.cosine_scores(query, key)).max() <= 1 + 1e-12


@given(query=queries)
def test_cosine_with_itself_is_one(query):
    query[:, 1] += np.where(query[:, 1] < 0, -1, 1)
    assert_close(np.diagonal(ac.cosine_scores(query, query)), np.ones(N_Q))


@given(query=queries, key=keys)
def test_scaled_scores_are_dot_products_over_the_root_of_the_width(query, key):
    expected = ac.dot_product_scores(query, key) / math.sqrt(3)
    np.testing.assert_allclose(
        ac.scaled_dot_product_scores(query, key), expected, atol=1e-12
    )


def test_scale_keeps_the_variance_at_one_whatever_the_width(rng):
    for d_k in (4, 64, 1024):
        query, key = rng.normal(size=(200, d_k)), rng.normal(size=(300, d_k))
        variance = ac.scaled_dot_product_scores(query, key).var()
        assert abs(variance - 1) < 0.1


def test_additive_scores_are_bounded_by_the_sum_of_v(xp, rng):
    inputs = additive_inputs(xp, rng, (2,))
    largest = np.abs(to_numpy(ac.additive_scores(*inputs))).max()
    assert largest <= np.abs(to_numpy(inputs[-1])).sum()


def test_additive_scores_equal_a_loop_over_pairs(rng):
    query, key, w_query, w_key, v = additive_inputs(np, rng, ())
    expected = np.empty((N_Q, N_K))
    for i in range(N_Q):
        for j in range(N_K):
            hidden = [
                math.tanh(query[i] @ w_query[:, m] + key[j] @ w_key[:, m])
                for m in range(D_HIDDEN)
            ]
            expected[i, j] = sum(a * b for a, b in zip(v, hidden, strict=True))
    assert_close(ac.additive_scores(query, key, w_query, w_key, v), expected)


@pytest.mark.parametrize("score", SCORES)
def test_scores_of_one_example_ignore_the_others(xp, rng, score):
    query = rng.normal(size=(3, N_Q, D_K))
    key = rng.normal(size=(3, N_K, D_K))
    together = score(in_library(xp, query), in_library(xp, key))
    alone = score(in_library(xp, query[1]), in_library(xp, key[1]))
    assert_close(together[1, ...], alone)


# --- torch as the reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("scale", [None, 0.3, -2])
def test_dot_products_agree_with_einsum(xp, rng, dtype, batch, scale):
    torch = pytest.importorskip("torch")
    query = in_library(xp, rng.normal(size=(*batch, N_Q, D_K)), dtype)
    key = in_library(xp, rng.normal(size=(*batch, N_K, D_K)), dtype)
    dots = torch.einsum("...id,...jd->...ij", torch_copy(query), torch_copy(key))
    factor = D_K**-0.5 if scale is None else scale
    plain = ac.dot_product_scores(query, key)
    scaled = ac.scaled_dot_product_scores(query, key, scale=scale)
    assert (dtype_name(plain), dtype_name(scaled)) == (dtype, dtype)
    assert_close(plain, dots)
    assert_close(scaled, dots * factor)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_cosines_agree_with_torch(xp, rng, dtype, batch):
    torch = pytest.importorskip("torch")
    query = in_library(xp, rng.normal(size=(*batch, N_Q, D_K)), dtype)
    key = in_library(xp, rng.normal(size=(*batch, N_K, D_K)), dtype)
    expected = torch.nn.functional.cosine_similarity(
        torch_copy(query)[..., :, None, :], torch_copy(key)[..., None, :, :], dim=-1
    )
    scores = ac.cosine_scores(query, key)
    assert dtype_name(scores) == dtype
    assert_close(scores, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES)
def test_additive_scores_agree_with_two_torch_layers(xp, rng, dtype, batch):
    torch = pytest.importorskip("torch")
    inputs = additive_inputs(xp, rng, batch, dtype)
    query, key, w_query, w_key, v = (torch_copy(x) for x in inputs)
    # One linear layer over query and key side by side, as Bahdanau et al. draw it.
    shape = (*batch, N_Q, N_K)
    pairs = torch.cat(
        [
            query[..., :, None, :].expand(*shape, D_QUERY),
            key[..., None, :, :].expand(*shape, D_KEY),
        ],
        dim=-1,
    )
    hidden = torch.nn.functional.linear(pairs, torch.cat([w_query, w_key]).T)
    expected = torch.nn.functional.linear(torch.tanh(hidden), v[None])[..., 0]
    scores = ac.additive_scores(*inputs)
    assert dtype_name(scores) == dtype
    assert_close(scores, expected)


# --- gradients


@pytest.mark.parametrize("score", SCORES)
def test_gradients_of_scores_agree_with_finite_differences(rng, score):
    torch = pytest.importorskip("torch")
    query = torch.from_numpy(rng.normal(size=(2, N_Q, D_K))).requires_grad_()
    key = torch.from_numpy(rng.normal(size=(2, N_K, D_K))).requires_grad_()
    assert torch.autograd.gradcheck(score, (query, key))


def test_gradients_of_additive_scores_agree_with_finite_differences(rng):
    torch = pytest.importorskip("torch")
    xp = torch
    inputs = [xp.from_numpy(x).requires_grad_() for x in additive_inputs(np, rng, (2,))]
    assert torch.autograd.gradcheck(ac.additive_scores, inputs)


def test_gradient_of_the_cosine_is_finite_at_a_vector_of_zeros():
    torch = pytest.importorskip("torch")
    query = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        ac.cosine_scores(query, torch.tensor([[1.0, 0.0]])).sum().backward()
    # d cos / dq = (k - cos q / |q|) / |q| = ((1, 0) - 0.6 (0.6, 0.8)) / 5
    assert_close(query.grad[1], [0.128, -0.096])
    assert torch.isfinite(query.grad).all()


# --- stability


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        ("float64", 1e200),
        ("float64", 1e-200),
        ("float32", 1e30),
        ("float32", 1e-30),
        ("bfloat16", 1e30),
        ("float16", 6e4),
        ("float16", 1e-6),
    ],
)
def test_cosine_survives_very_long_and_very_short_vectors(xp, dtype, size):
    query = in_library(xp, [[3 * size / 4, size]], dtype)
    key = in_library(xp, [[size, 0.0], [0.0, -size]], dtype)
    exact = to_numpy(query) / np.linalg.norm(to_numpy(query) / size) / size
    scores = ac.cosine_scores(query, key)
    assert_close(scores, exact * [1, -1])


def test_float16_inputs_are_summed_in_float32(xp):
    # 4096 products of 1 and then one of 1: float16 stops counting at 2048.
    query = in_library(xp, np.ones((1, 4097)), "float16")
    scores = ac.scaled_dot_product_scores(query, query, scale=1 / 4097)
    assert_equal(scores, [[1.0]])


def test_a_float16_score_is_scaled_before_it_is_rounded(xp):
    # 4 * 150 * 150 = 90,000 is beyond float16; 90,000 / sqrt(4) = 45,000 is not.
    query = in_library(xp, np.full((1, 4), 150.0), "float16")
    assert_close(ac.scaled_dot_product_scores(query, query), [[45_000]])


@pytest.mark.parametrize("scale", [np.float64(0.5), np.float32(0.5), Fraction(1, 2)])
def test_scale_may_be_any_kind_of_real_number(xp, scale):
    query = in_library(xp, [[1.0, 2.0, 2.0]], "float32")
    scores = ac.scaled_dot_product_scores(query, query, scale=scale)
    assert dtype_name(scores) == "float32"
    assert_equal(scores, [[4.5]])


# --- empty axes


@pytest.mark.parametrize("score", SCORES)
def test_no_queries_or_no_keys_give_no_scores(xp, score):
    none, some = in_library(xp, np.ones((0, D_K))), in_library(xp, np.ones((2, D_K)))
    assert score(none, some).shape == (0, 2)
    assert score(some, none).shape == (2, 0)
