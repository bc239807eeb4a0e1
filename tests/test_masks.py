"""Causal, padding and sliding-window masks."""

import array_api_compat
import numpy as np
import pytest
from helpers import assert_equal, dtype_name
from hypothesis import given
from hypothesis import strategies as st

import attention_course as ac

sizes = st.integers(0, 7)
offsets = st.integers(-9, 9)


def by_double_loop(n_q, n_k, may_attend):
    mask = np.zeros((n_q, n_k), dtype=bool)
    for i in range(n_q):
        for j in range(n_k):
            mask[i, j] = may_attend(i, j)
    return mask


# --- by hand


def test_each_word_sees_itself_and_the_words_before_it():
    assert_equal(ac.causal_mask(3), np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]]) == 1)


def test_first_query_is_aligned_with_first_key_when_there_are_more_keys():
    assert_equal(ac.causal_mask(2, 4), np.array([[1, 0, 0, 0], [1, 1, 0, 0]]) == 1)


def test_an_offset_lets_the_first_query_see_the_keys_of_the_cache():
    # Two keys came earlier: query 0 stands at position 2, query 1 at position 3.
    assert_equal(
        ac.causal_mask(2, offset=2), np.array([[1, 1, 1, 0], [1, 1, 1, 1]]) == 1
    )


def test_a_negative_offset_leaves_the_first_query_without_keys():
    assert_equal(ac.causal_mask(3, 2, offset=-1), np.array([[0, 0], [1, 0], [1, 1]]))


def test_padding_hides_all_keys_behind_the_length():
    expected = np.array([[[1, 1, 0]], [[0, 0, 0]], [[1, 1, 1]]]) == 1
    assert_equal(ac.padding_mask([2, 0, 3], 3), expected)


def test_a_window_of_two_shows_a_word_and_the_one_before_it():
    expected = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0]]) == 1
    assert_equal(ac.sliding_window_mask(3, 4, window=2), expected)


# --- against a plain double loop


@given(n_q=sizes, n_k=sizes, offset=offsets)
def test_causal_mask_equals_a_double_loop(xp, n_q, n_k, offset):
    like = xp.ones(1)
    mask = ac.causal_mask(n_q, n_k, offset=offset, like=like)
    assert_equal(mask, by_double_loop(n_q, n_k, lambda i, j: j <= i + offset))
    assert dtype_name(mask) == "bool"


@given(n_q=sizes, n_k=sizes, window=st.integers(1, 9), offset=offsets)
def test_sliding_window_mask_equals_a_double_loop(xp, n_q, n_k, window, offset):
    like = xp.ones(1)
    mask = ac.sliding_window_mask(n_q, n_k, window=window, offset=offset, like=like)
    expected = by_double_loop(
        n_q, n_k, lambda i, j: i + offset - window < j <= i + offset
    )
    assert_equal(mask, expected)


@given(n_q=sizes, offset=st.integers(0, 5), window=st.integers(1, 9))
def test_the_last_query_sees_the_last_key_when_n_k_is_not_given(n_q, offset, window):
    causal = ac.causal_mask(n_q, offset=offset)
    assert_equal(causal, ac.causal_mask(n_q, n_q + offset, offset=offset))
    near = ac.sliding_window_mask(n_q, window=window, offset=offset)
    assert near.shape == (n_q, n_q + offset)
    assert not n_q or (causal[-1, -1] and near[-1, -1])


@given(lengths=st.lists(st.integers(0, 6), max_size=4))
def test_padding_mask_equals_a_double_loop(xp, lengths):
    expected = by_double_loop(len(lengths), 6, lambda b, j: j < lengths[b])
    for given_as in (lengths, tuple(lengths)):
        mask = ac.padding_mask(given_as, 6, like=xp.ones(1))
        assert_equal(mask, expected[:, None, :])
    mask = ac.padding_mask(xp.asarray(lengths, dtype=xp.int32), 6)
    assert_equal(mask, expected[:, None, :])


# --- properties


@given(n=sizes)
def test_a_window_as_wide_as_the_text_is_the_causal_mask(n):
    assert_equal(ac.sliding_window_mask(n, window=n + 1), ac.causal_mask(n))


@given(n=st.integers(1, 7), window=st.integers(1, 7))
def test_no_query_sees_more_keys_than_the_window(n, window):
    counts = ac.sliding_window_mask(n, window=window).sum(axis=-1)
    assert_equal(counts, np.minimum(np.arange(n) + 1, window))


@given(n=sizes, cached=sizes)
def test_queries_after_a_cache_see_what_they_saw_in_one_go(n, cached):
    whole = ac.causal_mask(cached + n)
    assert_equal(ac.causal_mask(n, offset=cached), whole[cached:])


# --- torch as the reference


@pytest.mark.parametrize(("n_q", "n_k"), [(4, 4), (3, 5), (5, 3), (0, 2), (2, 0)])
def test_causal_mask_agrees_with_torch(n_q, n_k):
    torch = pytest.importorskip("torch")
    bias = pytest.importorskip("torch.nn.attention.bias")
    theirs = bias.causal_upper_left(n_q, n_k)
    ours = ac.causal_mask(n_q, n_k, like=torch.ones(1))
    assert_equal(ours, theirs._materialize().to(torch.bool))
    last_to_last = torch.ones(n_q, n_k, dtype=torch.bool).tril(n_k - n_q)
    assert_equal(ac.causal_mask(n_q, n_k, offset=n_k - n_q), last_to_last)


def test_padding_mask_agrees_with_padding_by_torch():
    torch = pytest.importorskip("torch")
    sequences = [torch.ones(2), torch.ones(5), torch.ones(0)]
    padded = torch.nn.utils.rnn.pad_sequence(sequences, batch_first=True)
    mask = ac.padding_mask(torch.tensor([2, 5, 0]), 5)
    assert_equal(mask[:, 0, :], padded == 1)


# --- library, device and kinds of sizes

MASKS = {
    "causal": lambda like: ac.causal_mask(2, like=like),
    "padding": lambda like: ac.padding_mask([1, 2], 3, like=like),
    "window": lambda like: ac.sliding_window_mask(2, window=1, like=like),
}


@pytest.mark.parametrize("make", MASKS.values(), ids=MASKS)
def test_like_gives_the_library(xp, make):
    like = xp.ones(1, dtype=xp.float32)
    mask = make(like)
    assert type(mask) is type(like)
    assert dtype_name(mask) == "bool"
    assert array_api_compat.device(mask) == array_api_compat.device(like)


@pytest.mark.parametrize("make", MASKS.values(), ids=MASKS)
def test_like_gives_the_device(make):
    strict = pytest.importorskip("array_api_strict")
    elsewhere = strict.Device("device1")
    assert make(strict.ones(1, device=elsewhere)).device == elsewhere


@pytest.mark.parametrize("make", MASKS.values(), ids=MASKS)
def test_without_like_a_mask_comes_from_numpy(make):
    assert isinstance(make(None), np.ndarray)


def test_padding_mask_comes_from_the_library_of_the_lengths(xp):
    lengths = xp.asarray([1, 2])
    assert type(ac.padding_mask(lengths, 3)) is type(lengths)


def test_like_has_more_to_say_than_the_lengths(xp):
    assert type(ac.padding_mask(np.array([1, 2]), 3, like=xp.ones(1))) is type(
        xp.ones(1)
    )


def test_sizes_may_be_integers_of_numpy(xp):
    like = xp.ones(1)
    three, one = np.int64(3), np.int32(1)
    mask = ac.causal_mask(three, offset=one, like=like)
    assert_equal(mask, ac.causal_mask(3, offset=1))
    near = ac.sliding_window_mask(three, window=one, offset=one, like=like)
    assert_equal(near, ac.sliding_window_mask(3, window=1, offset=1))
    assert_equal(ac.padding_mask([one], three, like=like), [[[True, False, False]]])


def test_narrow_integers_do_not_wrap_around():
    # In uint8, 200 + 100 is 44, and 1 - 3 is 254.
    assert ac.causal_mask(np.uint8(200), offset=np.uint8(100)).shape == (200, 300)
    near = ac.sliding_window_mask(np.uint8(4), window=np.uint8(3), offset=np.uint8(1))
    assert_equal(near, ac.sliding_window_mask(4, window=3, offset=1))
