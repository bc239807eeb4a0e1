"""Softmax, masked softmax, entropy."""

import math

import numpy as np
import pytest
from helpers import (
    DTYPES,
    assert_close,
    assert_equal,
    dtype_name,
    in_library,
    to_numpy,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import attention_course as ac

N_Q, N_K = 4, 6

# Scores that a network can produce, in arrays of one to three axes.
some_scores = arrays(
    np.float64,
    array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5),
    elements=st.floats(-50, 50),
)


def some_distribution(data):
    """Draw shares that sum to 1 along the last axis, zeros among them."""
    shares = data.draw(
        arrays(np.float64, (3, 5), elements=st.one_of(st.just(0.0), st.floats(0.1, 9)))
    )
    shares[:, 2] += 1.0
    return shares / shares.sum(axis=-1, keepdims=True)


# --- by hand


def test_softmax_of_logarithms_gives_shares_by_hand(xp):
    # e^ln 1 = 1, e^ln 2 = 2, e^ln 5 = 5; the sum is 8.
    scores = in_library(xp, [math.log(1), math.log(2), math.log(5)])
    assert_close(ac.softmax(scores), [1 / 8, 2 / 8, 5 / 8])


def test_half_the_temperature_squares_the_ratios(xp):
    # Dividing ln 2 by 1/2 gives ln 4: the ratios 1 : 2 : 5 become 1 : 4 : 25, sum 30.
    scores = in_library(xp, [math.log(1), math.log(2), math.log(5)])
    assert_close(ac.softmax(scores, temperature=0.5), [1 / 30, 4 / 30, 25 / 30])


def test_scores_compete_along_the_axis_that_was_named(xp):
    # Down the columns: ln 1 against ln 3 is 1 : 3; ln 1 against ln 1 is 1 : 1.
    scores = in_library(xp, [[0.0, 0.0], [math.log(3), 0.0]])
    assert_close(ac.softmax(scores, axis=0), [[1 / 4, 1 / 2], [3 / 4, 1 / 2]])
    assert_close(ac.softmax(scores), [[1 / 2, 1 / 2], [3 / 4, 1 / 4]])


def test_a_masked_entry_leaves_its_share_to_the_others_by_hand(xp):
    # Without the 2 of 1 : 2 : 5, the shares are 1/6 and 5/6.
    scores = in_library(xp, [math.log(1), math.log(2), math.log(5)])
    mask = xp.asarray([True, False, True])
    assert_close(ac.masked_softmax(scores, mask), [1 / 6, 0, 5 / 6])


def test_entropy_of_a_half_and_two_quarters_by_hand(xp):
    # 1/2 ln 2 + 2 (1/4 ln 4) = 1/2 ln 2 + ln 2 = 3/2 ln 2
    weights = in_library(xp, [[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    assert_close(ac.entropy(weights), [1.5 * math.log(2), 0.0])


# --- properties


@given(scores=some_scores)
def test_weights_sum_to_one_and_none_is_negative(xp, scores):
    weights = ac.softmax(in_library(xp, scores))
    assert_close(xp.sum(weights, axis=-1), np.ones(scores.shape[:-1]))
    assert to_numpy(weights).min() >= 0


@given(scores=some_scores, constant=st.floats(-1000, 1000))
def test_adding_a_constant_to_all_scores_changes_nothing(xp, scores, constant):
    # 1000 + score is rounded to 1e-13, so the comparison is not at 1e-12.
    shifted = ac.softmax(in_library(xp, scores + constant))
    np.testing.assert_allclose(
        to_numpy(shifted), to_numpy(ac.softmax(in_library(xp, scores))), rtol=1e-11
    )


@given(scores=some_scores, temperature=st.floats(0.1, 10))
def test_temperature_divides_the_scores(scores, temperature):
    assert_close(
        ac.softmax(scores, temperature=temperature), ac.softmax(scores / temperature)
    )


@given(scores=some_scores, data=st.data())
def test_permuting_scores_permutes_weights(scores, data):
    order = data.draw(st.permutations(range(scores.shape[-1])))
    assert_close(ac.softmax(scores[..., order]), ac.softmax(scores)[..., order])


@given(scores=some_scores)
def test_a_higher_score_never_gets_a_lower_weight(scores):
    order = np.argsort(scores, axis=-1)
    sorted_weights = np.take_along_axis(ac.softmax(scores), order, axis=-1)
    assert np.all(np.diff(sorted_weights, axis=-1) >= 0)


def test_low_temperature_picks_the_highest_and_high_temperature_shares_equally(xp):
    scores = in_library(xp, [1.0, 3.0, 2.0])
    assert_close(ac.softmax(scores, temperature=1e-15), [0.0, 1.0, 0.0])
    assert_close(ac.softmax(scores, temperature=1e15), [1 / 3] * 3)


@given(data=st.data())
def test_masking_equals_leaving_the_entries_out(xp, data):
    scores = data.draw(arrays(np.float64, 7, elements=st.floats(-50, 50)))
    mask = data.draw(arrays(np.bool_, 7))
    mask[3] = True
    weights = to_numpy(ac.masked_softmax(in_library(xp, scores), xp.asarray(mask)))
    assert_close(weights[mask], ac.softmax(scores[mask]))
    assert_equal(weights[~mask], np.zeros((~mask).sum()))


@given(scores=some_scores)
def test_a_mask_that_allows_all_changes_nothing(scores):
    everything = np.ones(scores.shape, dtype=bool)
    assert_equal(ac.masked_softmax(scores, everything), ac.softmax(scores))
    assert_equal(ac.masked_softmax(scores), ac.softmax(scores))


@given(data=st.data())
def test_entropy_lies_between_zero_and_the_logarithm_of_the_count(data):
    weights = some_distribution(data)
    entropy = ac.entropy(weights)
    assert entropy.min() >= -1e-15
    assert entropy.max() <= math.log(weights.shape[-1]) + 1e-12


def test_equal_weights_have_the_largest_entropy(xp):
    assert_close(ac.entropy(in_library(xp, np.full((2, 7), 1 / 7))), [math.log(7)] * 2)


def test_certainty_has_entropy_zero_and_not_minus_zero(xp):
    entropy = to_numpy(ac.entropy(in_library(xp, [[1.0, 0.0], [0.0, 1.0]])))
    assert_equal(np.signbit(entropy), [False, False])


# --- torch as the reference


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [-1, 0, 1, -3])
def test_softmax_agrees_with_torch(xp, rng, dtype, axis):
    torch = pytest.importorskip("torch")
    scores = in_library(xp, rng.normal(size=(2, N_Q, N_K)) * 3, dtype)
    expected = torch.softmax(torch.from_numpy(to_numpy(scores)), dim=axis)
    weights = ac.softmax(scores, axis=axis)
    assert dtype_name(weights) == dtype
    assert_close(weights, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize(
    "mask_shape", [(2, N_Q, N_K), (N_Q, N_K), (2, 1, N_K), (N_K,), (2, N_Q, 1)]
)
def test_masked_softmax_agrees_with_torch(xp, rng, dtype, axis, mask_shape):
    torch = pytest.importorskip("torch")
    scores = in_library(xp, rng.normal(size=(2, N_Q, N_K)) * 3, dtype)
    mask = rng.random(mask_shape) < 0.6
    filled = torch.from_numpy(to_numpy(scores)).masked_fill(
        torch.from_numpy(~mask), -torch.inf
    )
    # torch gives NaN where everything is masked; the course gives zero.
    expected = torch.softmax(filled, dim=axis).nan_to_num()
    weights = ac.masked_softmax(scores, xp.asarray(mask), axis=axis)
    assert dtype_name(weights) == dtype
    assert_close(weights, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [-1, 0])
def test_entropy_agrees_with_torch(xp, rng, dtype, axis):
    torch = pytest.importorskip("torch")
    shares = rng.dirichlet(np.ones(N_K), size=N_Q)
    shares[0, 1] = 0.0
    weights = in_library(xp, shares, dtype)
    expected = torch.special.entr(torch.from_numpy(to_numpy(weights))).sum(dim=axis)
    entropy = ac.entropy(weights, axis=axis)
    assert dtype_name(entropy) == dtype
    assert_close(entropy, expected)


# --- gradients


def test_gradient_of_softmax_agrees_with_finite_differences():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    scores = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: ac.softmax(s, temperature=0.7), scores)
    assert torch.autograd.gradcheck(lambda s: ac.softmax(s, axis=0), scores)


def test_gradient_of_masked_softmax_agrees_with_finite_differences():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    scores = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]]) == 1
    assert torch.autograd.gradcheck(lambda s: ac.masked_softmax(s, mask), scores)


def test_gradient_of_entropy_agrees_with_finite_differences():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    weights = torch.rand(3, 5, dtype=torch.float64) + 0.1
    assert torch.autograd.gradcheck(ac.entropy, weights.requires_grad_())


def test_gradient_of_entropy_is_finite_at_a_weight_of_zero():
    torch = pytest.importorskip("torch")
    weights = torch.tensor([0.0, 0.25, 0.75], requires_grad=True)
    ac.entropy(weights).backward()
    # dH/dp = -(ln p + 1); at 0, where it is infinite, the course gives 0.
    assert_close(weights.grad, [0.0, -math.log(0.25) - 1, -math.log(0.75) - 1])


# --- stability

EXTREMES = {
    "1e4": ([1e4, 0.0, -1e4], [1, 0, 0]),
    "all 1e4": ([1e4, 1e4, 1e4], [1 / 3] * 3),
    "all -1e4": ([-1e4, -1e4, -1e4], [1 / 3] * 3),
    "one -inf": ([0.0, -np.inf, 0.0], [1 / 2, 0, 1 / 2]),
    "one finite": ([-np.inf, -1e4, -np.inf], [0, 1, 0]),
    "all -inf": ([-np.inf, -np.inf, -np.inf], [0, 0, 0]),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", EXTREMES)
def test_extreme_scores_give_the_limit_and_no_warning(xp, dtype, case):
    scores, expected = EXTREMES[case]
    assert_close(ac.softmax(in_library(xp, scores, dtype)), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", EXTREMES)
def test_gradients_at_extreme_scores_are_finite(dtype, case):
    torch = pytest.importorskip("torch")
    scores = torch.tensor(EXTREMES[case][0], dtype=getattr(torch, dtype))
    scores.requires_grad_()
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        (ac.softmax(scores) * torch.tensor([1.0, 2, 4])).sum().backward()
    assert np.isfinite(to_numpy(scores.grad)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_that_may_attend_to_nothing_is_zero_and_has_no_gradient(dtype):
    torch = pytest.importorskip("torch")
    scores = torch.randn(2, 3).to(getattr(torch, dtype)).requires_grad_()
    mask = torch.tensor([[True, True, False], [False, False, False]])
    with torch.autograd.set_detect_anomaly(True, check_nan=True):
        weights = ac.masked_softmax(scores, mask)
        (weights * torch.tensor([1.0, 2, 4])).sum().backward()
    assert_equal(weights[1].detach(), [0, 0, 0])
    assert_equal(scores.grad[1], [0, 0, 0])
    assert scores.grad[0, 0] != 0


def test_a_sum_beyond_float16_does_not_overflow(xp):
    # 70,000 equal scores: the sum of e^0 is 70,000, and float16 ends at 65,504.
    weights = ac.softmax(in_library(xp, np.zeros(70_000), "float16"))
    assert_close(weights, np.full(70_000, 1 / 70_000))


def test_a_score_of_plus_infinity_makes_all_of_its_row_nan():
    torch = pytest.importorskip("torch")
    weights = ac.softmax(torch.tensor([[torch.inf, 0.0], [0.0, 0.0]]))
    assert_equal(torch.isnan(weights), [[True, True], [False, False]])


@pytest.mark.parametrize("temperature", [np.float64(0.5), np.float32(0.5), 0.5])
def test_temperature_may_be_a_number_of_numpy(xp, temperature):
    scores = in_library(xp, [0.0, math.log(3)], "float32")
    weights = ac.softmax(scores, temperature=temperature)
    assert dtype_name(weights) == "float32"
    assert_close(weights, [0.1, 0.9])


# --- empty axes


def test_no_scores_get_no_weights(xp):
    assert ac.softmax(in_library(xp, np.zeros((2, 0)))).shape == (2, 0)
    assert ac.softmax(in_library(xp, np.zeros((0, 3)))).shape == (0, 3)
    assert_equal(ac.entropy(in_library(xp, np.zeros((2, 0)))), [0.0, 0.0])
