"""What holds for every function of the core: dtype, library, inputs, memory."""

import numpy as np
import pytest
from helpers import DTYPES, assert_close, assert_equal, dtype_name, in_library, to_numpy

import attention_course as ac


def normal(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


def shares(*shape):
    positive = np.abs(normal(*shape)) + 0.1
    return positive / positive.sum(axis=-1, keepdims=True)


def attention_output(query, key, value, bias):
    return ac.scaled_dot_product_attention(query, key, value, bias=bias)[0]


def attention_weights(query, key, value, bias):
    return ac.scaled_dot_product_attention(query, key, value, bias=bias)[1]


def rotate(x):
    xp = ac.positions.array_namespace(x)
    return ac.rotate(x, xp.asarray([3, 1, 4, 1, 5]))


def masked_softmax(scores):
    return ac.masked_softmax(scores, ac.causal_mask(5, 3, like=scores))


QUERY, KEY, VALUE = normal(2, 5, 4), normal(2, 3, 4), normal(2, 3, 6)
# name: a function of arrays alone, and its inputs
CALLS = {
    "dot_product_scores": (ac.dot_product_scores, (QUERY, KEY)),
    "scaled_dot_product_scores": (ac.scaled_dot_product_scores, (QUERY, KEY)),
    "cosine_scores": (ac.cosine_scores, (QUERY, KEY)),
    "additive_scores": (
        ac.additive_scores,
        (QUERY, KEY, normal(4, 7), normal(4, 7), normal(7)),
    ),
    "softmax": (ac.softmax, (normal(2, 5, 3),)),
    "masked_softmax": (masked_softmax, (normal(2, 5, 3),)),
    "entropy": (ac.entropy, (shares(2, 5, 3),)),
    "attention output": (attention_output, (QUERY, KEY, VALUE, normal(5, 3))),
    "attention weights": (attention_weights, (QUERY, KEY, VALUE, normal(5, 3))),
    "split_heads": (lambda x: ac.split_heads(x, 2), (QUERY,)),
    "merge_heads": (ac.merge_heads, (QUERY,)),
    "rotate": (rotate, (QUERY,)),
}
# A reshape: their docstrings say that they may share memory with x.
VIEWS = {"split_heads", "merge_heads"}
calls = pytest.mark.parametrize("name", CALLS)


def call(name, xp, dtype="float64"):
    function, inputs = CALLS[name]
    return function(*(in_library(xp, x, dtype) for x in inputs))


@calls
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_and_library_of_the_result_are_those_of_the_input(xp, name, dtype):
    like = in_library(xp, [0.0], dtype)
    result = call(name, xp, dtype)
    assert dtype_name(result) == dtype
    assert type(result) is type(like)


@calls
def test_all_libraries_give_what_numpy_gives(xp, name):
    function, inputs = CALLS[name]
    assert_close(call(name, xp), function(*inputs))


@calls
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_narrow_dtypes_differ_from_float64_by_rounding_alone(xp, name, dtype):
    function, inputs = CALLS[name]
    rounded = [to_numpy(in_library(xp, x, dtype)) for x in inputs]
    assert_close(call(name, xp, dtype), function(*rounded))


@calls
def test_inputs_may_be_read_only_and_are_not_changed(name):
    function, inputs = CALLS[name]
    copies = [x.copy() for x in inputs]
    for x in copies:
        x.setflags(write=False)
    function(*copies)
    for copy, x in zip(copies, inputs, strict=True):
        assert_equal(copy, x)


@calls
def test_inputs_of_torch_are_not_changed(name):
    torch = pytest.importorskip("torch")
    function, inputs = CALLS[name]
    tensors = [torch.from_numpy(x.copy()) for x in inputs]
    function(*tensors)
    for tensor, x in zip(tensors, inputs, strict=True):
        assert_equal(tensor, x)


@calls
def test_inputs_need_not_be_contiguous(name):
    function, inputs = CALLS[name]
    apart = [np.repeat(x, 2, axis=-1)[..., ::2] for x in inputs]
    backwards = [x[..., ::-1].copy()[..., ::-1] for x in inputs]
    assert_close(function(*apart), function(*inputs))
    assert_close(function(*backwards), function(*inputs))


@calls
def test_inputs_of_torch_may_be_transposed_and_require_gradients(name):
    torch = pytest.importorskip("torch")
    function, inputs = CALLS[name]
    tensors = [torch.from_numpy(x).mT.contiguous().mT for x in inputs if x.ndim > 1]
    tensors += [torch.from_numpy(x) for x in inputs if x.ndim == 1]
    result = function(*(t.requires_grad_() for t in tensors))
    assert result.requires_grad
    assert_close(result.detach(), function(*inputs))


@pytest.mark.parametrize("name", sorted(set(CALLS) - VIEWS))
def test_writing_into_a_result_changes_no_input(name):
    function, inputs = CALLS[name]
    result = function(*inputs)
    assert not any(np.shares_memory(result, x) for x in inputs)


def test_equal_heads_share_no_memory_with_the_output():
    value = np.ones((1, 2, 1, 3))
    output, weights = ac.scaled_dot_product_attention(value, value, value)
    assert not np.shares_memory(output, value)
    assert not np.shares_memory(weights, value)


def test_softmax_of_nothing_is_a_copy():
    scores = np.ones((2, 0))
    assert ac.softmax(scores) is not scores
