"""SelfAttention: three projections of one input, one head."""

import copy
import math

import pytest
from helpers import assert_close, assert_equal

import attention_course as ac

torch = pytest.importorskip("torch")
SelfAttention = ac.layers.SelfAttention

BATCH, N, D_MODEL, D_K = 2, 5, 7, 3


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=torch.float64).to(dtype)


def test_two_words_worked_by_hand():
    # d_model 2, d_k 1. w_query and w_value pick column 0, w_key picks column 1.
    # X = [[ln 2, 0], [0, 1]]: queries (ln 2, 0), keys (0, 1), values (ln 2, 0).
    # Row 0: scores (0, ln 2), weights (1/3, 2/3), output ln 2 / 3.
    # Row 1: scores (0, 0), weights (1/2, 1/2), output ln 2 / 2.
    layer = SelfAttention(2, 1).double()
    with torch.no_grad():
        layer.w_query.copy_(torch.tensor([[1.0], [0.0]]))
        layer.w_key.copy_(torch.tensor([[0.0], [1.0]]))
        layer.w_value.copy_(torch.tensor([[1.0], [0.0]]))
    ln2 = math.log(2)
    x = torch.tensor([[ln2, 0.0], [0.0, 1.0]], dtype=torch.float64)
    output, weights = layer(x)
    shares = torch.tensor([[1 / 3, 2 / 3], [0.5, 0.5]], dtype=torch.float64)
    assert_close(weights, shares)
    assert_close(output, torch.tensor([[ln2 / 3], [ln2 / 2]], dtype=torch.float64))


@pytest.mark.parametrize("leading", [(), (BATCH,), (4, BATCH)], ids=str)
@pytest.mark.parametrize("masked", [True, False])
def test_agrees_with_torch_s_function(leading, masked):
    layer = SelfAttention(D_MODEL, D_K).double()
    x = random(*leading, N, D_MODEL)
    mask = ac.causal_mask(N, like=x) if masked else None
    output, weights = layer(x, mask)
    q, k, v = (x @ w for w in (layer.w_query, layer.w_key, layer.w_value))
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)
    assert_close(output, expected)
    assert_close(weights @ v, expected)


def test_permuting_the_input_permutes_the_output():
    layer, x = SelfAttention(D_MODEL, D_K).double(), random(BATCH, N, D_MODEL)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert_close(layer(x[:, order])[0], layer(x)[0][:, order])


def test_a_row_that_may_attend_to_nothing_is_zero_there_and_back():
    layer = SelfAttention(D_MODEL, D_K).double()
    x = random(BATCH, N, D_MODEL).requires_grad_()
    mask = torch.ones(N, N, dtype=torch.bool)
    mask[2] = False
    output, weights = layer(x, mask)
    output.sum().backward()
    assert_equal(output[:, 2], torch.zeros(BATCH, D_K))
    assert_equal(weights[:, 2], torch.zeros(BATCH, N))
    for tensor in (x, *layer.parameters()):
        assert torch.isfinite(tensor.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_dtype_in_is_dtype_out(dtype):
    exact = SelfAttention(D_MODEL, D_K).double()
    layer = copy.deepcopy(exact).to(dtype)
    x = random(BATCH, N, D_MODEL, dtype=dtype)
    exact.load_state_dict(layer.state_dict())
    for actual, expected in zip(layer(x), exact(x.double()), strict=True):
        assert actual.dtype == dtype
        assert_close(actual, expected)


def test_gradients_agree_with_finite_differences():
    layer = SelfAttention(D_MODEL, D_K).double()
    names = ("w_query", "w_key", "w_value")
    x = random(N, D_MODEL).requires_grad_()

    def outputs(x, *parameters):
        values = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, values, (x,))

    assert torch.autograd.gradcheck(outputs, (x, *layer.parameters()))


def test_xavier_uses_both_widths_and_he_the_input_s():
    # Uniform on [-b, b] with b = sqrt(6 / (900 + 100)) has standard deviation
    # sqrt(2 / 1000) = 0.0447. He: sqrt(2 / 900) = 0.0471, and a normal's tail.
    xavier = SelfAttention(900, 100).w_value.detach()
    he = SelfAttention(900, 100, init="he").w_value.detach()
    assert xavier.std().item() == pytest.approx(math.sqrt(2 / 1000), rel=0.01)
    assert xavier.abs().max() <= math.sqrt(6 / 1000)
    assert he.std().item() == pytest.approx(math.sqrt(2 / 900), rel=0.01)
    assert he.abs().max() > 3.5 * math.sqrt(2 / 900)


def test_state_dict_survives_a_round_trip():
    one, other = SelfAttention(D_MODEL, D_K), SelfAttention(D_MODEL, D_K)
    other.load_state_dict(one.state_dict())
    x = random(N, D_MODEL, dtype=torch.float32)
    assert_equal(other(x)[0].detach(), one(x)[0])
    assert list(one.state_dict()) == ["w_query", "w_key", "w_value"]
    assert "d_k=3" in repr(one)


X = torch.zeros(BATCH, N, D_MODEL)
MISTAKES = {
    "zero width": (lambda: SelfAttention(0, 3), ValueError, "d_model"),
    "fraction": (lambda: SelfAttention(7, 1.5), TypeError, "d_k"),
    "init": (lambda: SelfAttention(7, 3, init="zeros"), ValueError, "init"),
    "width": (lambda: SelfAttention(9, 3)(X), ValueError, r"\(\.\.\., n, 9\)"),
    "vector": (lambda: SelfAttention(7, 3)(X[0, 0]), ValueError, "one row per"),
    "list": (lambda: SelfAttention(7, 3)([[0.0]]), TypeError, "list"),
    "integers": (lambda: SelfAttention(7, 3)(X.int()), TypeError, "int32"),
    "dtype": (lambda: SelfAttention(7, 3)(X.half()), TypeError, "float16"),
    "mask": (lambda: SelfAttention(7, 3)(X, X[0, :, :5]), TypeError, "mask"),
    "mask shape": (lambda: SelfAttention(7, 3)(X, X[0] > 0), ValueError, "mask"),
}


@pytest.mark.parametrize(
    ("mistake", "kind", "word"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_mistakes_are_named(mistake, kind, word):
    with pytest.raises(kind, match=word):
        mistake()
