"""Splitting into heads and merging them."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_equal, dtype_name, in_library
from hypothesis import given
from hypothesis import strategies as st

import attention_course as ac

NUM_HEADS, N, D_K = 3, 5, 2
BATCHES = [(), (4,), (4, 7)]
shapes = st.tuples(
    st.lists(st.integers(0, 3), max_size=2),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(0, 3),
)


def test_head_zero_gets_the_left_half_of_every_row_by_hand(xp):
    # Rows (1 2 | 3 4), (5 6 | 7 8) and (9 10 | 11 12), cut at the bar.
    x = in_library(xp, [[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    left, right = [[1, 2], [5, 6], [9, 10]], [[3, 4], [7, 8], [11, 12]]
    assert_equal(ac.split_heads(x, 2), [left, right])


def test_merging_puts_the_heads_of_a_position_side_by_side_by_hand(xp):
    heads = in_library(xp, [[[1.0, 2], [5, 6], [9, 10]], [[3, 4], [7, 8], [11, 12]]])
    expected = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert_equal(ac.merge_heads(heads), expected)


@pytest.mark.parametrize("batch", BATCHES)
def test_splitting_equals_slicing_columns(xp, rng, batch):
    x = rng.normal(size=(*batch, N, NUM_HEADS * D_K))
    heads = ac.split_heads(in_library(xp, x), NUM_HEADS)
    assert heads.shape == (*batch, NUM_HEADS, N, D_K)
    for h in range(NUM_HEADS):
        assert_equal(heads[..., h, :, :], x[..., h * D_K : (h + 1) * D_K])


@pytest.mark.parametrize("batch", BATCHES)
def test_merging_equals_concatenating_columns(xp, rng, batch):
    heads = rng.normal(size=(*batch, NUM_HEADS, N, D_K))
    merged = ac.merge_heads(in_library(xp, heads))
    columns = [heads[..., h, :, :] for h in range(NUM_HEADS)]
    assert_equal(merged, np.concatenate(columns, axis=-1))


@given(sizes=shapes)
def test_merging_undoes_splitting(xp, sizes):
    batch, num_heads, n, d_k = sizes
    size = int(np.prod([*batch, n, num_heads * d_k]))
    x = in_library(xp, np.arange(size).reshape(*batch, n, num_heads * d_k))
    assert_equal(ac.merge_heads(ac.split_heads(x, num_heads)), x)


def test_splitting_agrees_with_unflatten_of_torch(rng):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(rng.normal(size=(4, N, NUM_HEADS * D_K)))
    expected = x.unflatten(-1, (NUM_HEADS, D_K)).transpose(-2, -3)
    assert_equal(ac.split_heads(x, NUM_HEADS), expected)
    assert_equal(ac.merge_heads(expected), x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_and_dtype_stay(xp, rng, dtype):
    x = in_library(xp, rng.normal(size=(N, NUM_HEADS * D_K)), dtype)
    heads = ac.split_heads(x, NUM_HEADS)
    assert (dtype_name(heads), dtype_name(ac.merge_heads(heads))) == (dtype, dtype)
    assert_equal(ac.merge_heads(heads), x)


def test_gradients_pass_through_unchanged(rng):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(rng.normal(size=(4, N, 6))).requires_grad_()
    factor = torch.from_numpy(rng.normal(size=(4, N, 6)))
    (ac.merge_heads(ac.split_heads(x, NUM_HEADS)) * factor).sum().backward()
    assert_close(x.grad, factor)


def test_attention_per_head_reads_only_its_own_columns(rng):
    # Changing the columns of head 1 changes the columns of head 1 alone.
    x = rng.normal(size=(N, 6))
    changed = x.copy()
    changed[:, 2:4] += 1.0

    def attend(rows):
        heads = ac.split_heads(rows, NUM_HEADS)
        return ac.merge_heads(ac.scaled_dot_product_attention(heads, heads, heads)[0])

    before, after = attend(x), attend(changed)
    assert_equal(after[:, [0, 1, 4, 5]], before[:, [0, 1, 4, 5]])
    assert np.abs(after[:, 2:4] - before[:, 2:4]).min() > 0.01


def test_the_number_of_heads_may_be_an_integer_of_numpy(xp):
    x = in_library(xp, np.ones((N, 6)))
    assert ac.split_heads(x, np.int64(NUM_HEADS)).shape == (NUM_HEADS, N, 2)
