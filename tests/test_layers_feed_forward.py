"""FeedForward: two matrices and a nonlinearity at every position alone."""

import copy
import math

import pytest
from helpers import assert_close, assert_equal, assert_zero

import attention_course as ac

torch = pytest.importorskip("torch")
FeedForward = ac.layers.FeedForward

BATCH, N, D_MODEL, D_FF = 2, 5, 3, 7


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=torch.float64).to(dtype)


def build(activation="relu", dtype=torch.float64):
    layer = FeedForward(D_MODEL, D_FF, activation=activation).to(dtype)
    with torch.no_grad():
        layer.b_1.copy_(random(D_FF))
        layer.b_2.copy_(random(D_MODEL))
    return layer


def test_one_position_worked_by_hand():
    # x = 2, hidden units x - 1 = 1 and -x = -2; ReLU keeps 1 and 0: 3 * 1 + 4 = 7.
    # GELU(z) = z (1 + erf(z / sqrt 2)) / 2: 0.841345 and -0.045500; 3 * 0.841345
    # - 5 * 0.045500 + 4 = 6.2965.
    relu = FeedForward(1, 2).double()
    gelu = FeedForward(1, 2, activation="gelu").double()
    for layer in (relu, gelu):
        with torch.no_grad():
            layer.w_1.copy_(torch.tensor([[1.0, -1.0]]))
            layer.b_1.copy_(torch.tensor([-1.0, 0.0]))
            layer.w_2.copy_(torch.tensor([[3.0], [5.0]]))
            layer.b_2.fill_(4.0)
    x = torch.tensor([[2.0]]).double()
    assert_close(relu(x), torch.tensor([[7.0]]))
    by_hand = 3 * (1 + math.erf(1 / math.sqrt(2))) / 2
    by_hand += 5 * -2 * (1 + math.erf(-math.sqrt(2))) / 2 + 4
    assert round(by_hand, 4) == 6.2965
    assert_close(gelu(x), torch.tensor([[by_hand]], dtype=torch.float64))


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("leading", [(), (BATCH,), (4, BATCH)], ids=str)
def test_agrees_with_torch_s_linear_layers(activation, leading):
    layer = build(activation)
    nonlinearity = torch.nn.ReLU() if activation == "relu" else torch.nn.GELU()
    reference = torch.nn.Sequential(
        torch.nn.Linear(D_MODEL, D_FF), nonlinearity, torch.nn.Linear(D_FF, D_MODEL)
    ).double()
    with torch.no_grad():
        reference[0].weight.copy_(layer.w_1.T)
        reference[0].bias.copy_(layer.b_1)
        reference[2].weight.copy_(layer.w_2.T)
        reference[2].bias.copy_(layer.b_2)
    x = random(*leading, N, D_MODEL)
    assert_close(layer(x), reference(x))


def test_equals_two_convolutions_of_width_one():
    layer, x = build(), random(BATCH, N, D_MODEL)
    conv = torch.nn.functional.conv1d
    hidden = torch.relu(conv(x.mT, layer.w_1.T[..., None], layer.b_1))
    assert_close(layer(x), conv(hidden, layer.w_2.T[..., None], layer.b_2).mT)


def test_a_position_changes_no_other_position():
    layer, x = build(), random(BATCH, N, D_MODEL)
    before = layer(x)
    x[:, 2] = 9.0
    after = layer(x)
    others = [0, 1, 3, 4]
    assert_close(after[:, others], before[:, others])


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_gradients_agree_with_finite_differences(activation):
    layer = build(activation)
    names = [name for name, _ in layer.named_parameters()]
    x = random(N, D_MODEL).requires_grad_()

    def outputs(x, *parameters):
        values = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(layer, values, (x,))

    assert torch.autograd.gradcheck(outputs, (x, *layer.parameters()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_dtype_in_is_dtype_out(activation, dtype):
    layer = build(activation, dtype)
    exact = copy.deepcopy(layer).double()
    x = random(BATCH, N, D_MODEL, dtype=dtype)
    assert layer(x).dtype == dtype
    assert_close(layer(x), exact(x.double()))


def test_the_hidden_layer_starts_with_the_scale_of_the_input():
    # He before ReLU: the hidden layer's mean square equals the input's, E[x^2] = 1.
    layer = FeedForward(400, 900)
    hidden = torch.relu(torch.randn(500, 400) @ layer.w_1)
    assert (hidden**2).mean().item() == pytest.approx(1.0, rel=0.03)
    bound = math.sqrt(6 / 1300)
    assert 0.99 * bound < layer.w_2.abs().max() <= bound
    assert_zero(layer.b_1.detach())
    assert_zero(layer.b_2.detach())


def test_state_dict_survives_a_round_trip():
    one, other = build(), build()
    other.load_state_dict(one.state_dict())
    x = random(N, D_MODEL)
    assert_equal(other(x).detach(), one(x))
    assert list(one.state_dict()) == ["w_1", "b_1", "w_2", "b_2"]
    assert "activation='relu'" in repr(one)


X = torch.zeros(BATCH, N, D_MODEL)
MISTAKES = {
    "zero": (lambda: FeedForward(3, 0), ValueError, "d_ff"),
    "text": (lambda: FeedForward("3", 7), TypeError, "d_model"),
    "activation": (lambda: FeedForward(3, 7, activation="tanh"), ValueError, "tanh"),
    "width": (lambda: FeedForward(4, 7)(X), ValueError, r"\(\.\.\., n, 4\)"),
    "list": (lambda: FeedForward(3, 7)([[0.0]]), TypeError, "list"),
    "dtype": (lambda: FeedForward(3, 7)(X.double()), TypeError, "float64"),
    "integers": (lambda: FeedForward(3, 7)(X.long()), TypeError, "int64"),
}


@pytest.mark.parametrize(
    ("mistake", "kind", "word"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_mistakes_are_named(mistake, kind, word):
    with pytest.raises(kind, match=word):
        mistake()
