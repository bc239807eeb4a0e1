"""AdditiveAttention: batched, for any batch size and any length."""

import copy
import math

import pytest
from helpers import assert_close, assert_equal

import attention_course as ac

torch = pytest.importorskip("torch")
AdditiveAttention = ac.layers.AdditiveAttention

BATCH, N_Q, N_K, D_QUERY, D_KEY, D_HIDDEN, D_V = 4, 2, 5, 3, 7, 6, 8


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=torch.float64).to(dtype)


def build(dtype=torch.float64):
    return AdditiveAttention(D_QUERY, D_KEY, D_HIDDEN).to(dtype)


def inputs(dtype=torch.float64, batch=BATCH, n_k=N_K):
    shapes = ((batch, N_Q, D_QUERY), (batch, n_k, D_KEY), (batch, n_k, D_V))
    return [random(*shape, dtype=dtype) for shape in shapes]


def test_one_query_and_two_keys_worked_by_hand():
    # All widths 1, w_query = w_key = 1, v = ln 3 / tanh(1). Query 0, keys 1 and 0:
    # scores v tanh(1) = ln 3 and v tanh(0) = 0, weights 3/4 and 1/4; values 8 and 4: 7.
    layer = AdditiveAttention(1, 1, 1).double()
    with torch.no_grad():
        layer.w_query.fill_(1.0)
        layer.w_key.fill_(1.0)
        layer.v.fill_(math.log(3) / math.tanh(1))
    query, key, value = (
        torch.tensor(rows).double()
        for rows in ([[[0.0]]], [[[1.0], [0.0]]], [[[8.0], [4.0]]])
    )
    output, weights = layer(query, key, value)
    assert_close(weights, torch.tensor([[[0.75, 0.25]]]))
    assert_close(output, torch.tensor([[[7.0]]]))


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(("batch", "n_k"), [(4, 5), (5, 5), (1, 9)], ids=str)
def test_agrees_with_the_paper_s_loop(batch, n_k, masked):
    layer, (query, key, value) = build(), inputs(batch=batch, n_k=n_k)
    mask = torch.rand(batch, N_Q, n_k) < 0.6 if masked else None
    if masked:
        mask[..., 0] = True
    output, weights = layer(query, key, value, mask)
    linear = torch.nn.functional.linear
    for example in range(batch):
        for i in range(N_Q):
            scores = torch.stack(
                [
                    torch.dot(
                        layer.v,
                        torch.tanh(
                            linear(query[example, i], layer.w_query.T)
                            + linear(key[example, j], layer.w_key.T)
                        ),
                    )
                    for j in range(n_k)
                ]
            )
            if masked:
                scores[~mask[example, i]] = -math.inf
            expected = torch.softmax(scores, dim=0)
            assert_close(weights[example, i], expected)
            assert_close(output[example, i], expected @ value[example])


@pytest.mark.parametrize("n_k", [N_K, BATCH], ids=["n_k-differs", "n_k-is-batch-size"])
def test_one_example_s_query_changes_no_other_example(n_k):
    layer, (query, key, value) = build(), inputs(n_k=n_k)
    before, _ = layer(query, key, value)
    query[1] = 3.0
    after, _ = layer(query, key, value)
    others = [0, 2, 3]
    assert_close(after[others], before[others])
    assert (after[1] - before[1]).norm() > 0.01


def test_value_defaults_to_key():
    layer, (query, key, _) = build(), inputs()
    assert_equal(layer(query, key)[0].detach(), layer(query, key, key)[0])


def test_leading_axes_may_be_missing_or_several():
    layer, (query, key, value) = build(), inputs()
    output, weights = layer(query, key, value)
    alone, _ = layer(query[1], key[1], value[1])
    assert_close(alone, output[1])
    wide = [x.reshape(2, 2, *x.shape[1:]) for x in (query, key, value)]
    assert_close(layer(*wide)[1], weights.reshape(2, 2, N_Q, N_K))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_a_query_that_may_attend_to_nothing_gets_zero_there_and_back(dtype):
    layer = build(dtype)
    tensors = [x.requires_grad_() for x in inputs(dtype)]
    mask = torch.ones(BATCH, N_Q, N_K, dtype=torch.bool)
    mask[2, 1] = False
    output, weights = layer(*tensors, mask)
    output.sum().backward()
    assert_equal(output[2, 1], torch.zeros(D_V))
    assert_equal(weights[2, 1], torch.zeros(N_K))
    for tensor in (*tensors, *layer.parameters()):
        assert torch.isfinite(tensor.grad).all()


@pytest.mark.parametrize("size", [1e4, -1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_extreme_scores_stay_finite_there_and_back(dtype, size):
    layer = build(dtype)
    with torch.no_grad():
        layer.v.fill_(size)
    tensors = [x.requires_grad_() for x in inputs(dtype)]
    output, _ = layer(*tensors)
    output.float().mean().backward()
    assert torch.isfinite(output).all()
    for tensor in tensors:
        assert torch.isfinite(tensor.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_dtype_in_is_dtype_out(dtype):
    layer = build(dtype)
    exact = copy.deepcopy(layer).double()
    tensors = inputs(dtype)
    expected = exact(*(x.double() for x in tensors))
    for actual, wanted in zip(layer(*tensors), expected, strict=True):
        assert actual.dtype == dtype
        assert_close(actual, wanted)


def test_gradients_agree_with_finite_differences():
    layer = build()
    names = ("w_query", "w_key", "v")
    tensors = [x[:2].requires_grad_() for x in inputs()]

    def outputs(query, key, value, *parameters):
        values = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, values, (query, key, value))

    assert torch.autograd.gradcheck(outputs, (*tensors, *layer.parameters()))


def test_v_starts_with_both_signs():
    v = AdditiveAttention(3, 4, 1000).v.detach()
    assert 0.4 < (v > 0).double().mean() < 0.6


def test_state_dict_survives_a_round_trip():
    one, other = build(), build()
    other.load_state_dict(one.state_dict())
    tensors = inputs()
    assert_equal(other(*tensors)[0].detach(), one(*tensors)[0])
    assert list(one.state_dict()) == ["w_query", "w_key", "v"]
    assert "d_hidden=6" in repr(one)


Q, K = torch.zeros(4, 2, 3), torch.zeros(4, 5, 7)
V = torch.zeros(4, 5, 8)


def call(*tensors):
    return lambda: build(torch.float32)(*tensors)


MISTAKES = {
    "zero": (lambda: AdditiveAttention(3, 7, 0), ValueError, "d_hidden"),
    "fraction": (lambda: AdditiveAttention(3.0, 7, 6), TypeError, "d_query"),
    "swapped": (call(K, Q), ValueError, "query must have shape"),
    "key width": (call(Q, Q), ValueError, "key must have shape"),
    "batches": (call(Q, K[:3], V[:3]), ValueError, "leading axis"),
    "pairs": (call(Q, K, V[:, :4]), ValueError, "one row per key"),
    "list": (call([[0.0]], K), TypeError, "query must be a torch.Tensor"),
    "value list": (call(Q, K, [[0.0]]), TypeError, "value must be"),
    "value dtype": (call(Q, K, V.double()), TypeError, "float64"),
    "integers": (call(Q, K.long()), TypeError, "int64"),
    "mask dtype": (call(Q, K, V, torch.ones(2, 5)), TypeError, "mask"),
    "mask shape": (call(Q, K, V, torch.ones(5, 2) > 0), ValueError, "mask"),
}


@pytest.mark.parametrize(
    ("mistake", "kind", "word"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_mistakes_are_named(mistake, kind, word):
    with pytest.raises(kind, match=word):
        mistake()
