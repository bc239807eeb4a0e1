"""Positions as layers: X + P."""

import math

import pytest
from helpers import assert_close, assert_equal

import attention_course as ac

torch = pytest.importorskip("torch")
LearnedPositions = ac.layers.LearnedPositions
SinusoidalPositions = ac.layers.SinusoidalPositions

BATCH, N, D_MODEL, MAX_LEN = 2, 5, 6, 9


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=torch.float64).to(dtype)


def test_sines_and_cosines_worked_by_hand():
    # Width 4, base 100: frequencies 1 and 100^(-2/4) = 0.1. Position 1: sin 1, cos 1,
    # sin 0.1, cos 0.1; position 0: 0, 1, 0, 1. The input adds 10.
    x = torch.full((1, 2, 4), 10.0, dtype=torch.float64)
    row = [math.sin(1), math.cos(1), math.sin(0.1), math.cos(0.1)]
    rows = [[0.0, 1.0, 0.0, 1.0], row]
    expected = torch.tensor([rows], dtype=torch.float64) + 10
    assert_close(SinusoidalPositions(4, base=100.0)(x), expected)


@pytest.mark.parametrize("leading", [(), (BATCH,), (4, BATCH)], ids=str)
def test_sinusoidal_adds_the_core_s_table(leading):
    x = random(*leading, N, D_MODEL)
    expected = x + torch.as_tensor(ac.sinusoidal_positions(N, D_MODEL))
    assert_close(SinusoidalPositions(D_MODEL)(x), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("kind", ["sinusoidal", "learned"])
def test_dtype_in_is_dtype_out(kind, dtype):
    layer = (
        SinusoidalPositions(D_MODEL)
        if kind == "sinusoidal"
        else LearnedPositions(D_MODEL, max_len=MAX_LEN).to(dtype)
    )
    x = random(BATCH, N, D_MODEL, dtype=dtype)
    assert layer(x).dtype == dtype
    assert_close(layer(x), layer.double()(x.double()))


def test_sinusoidal_learns_nothing_and_passes_the_gradient_on():
    layer, x = SinusoidalPositions(D_MODEL), random(N, D_MODEL).requires_grad_()
    layer(x).sum().backward()
    assert list(layer.parameters()) == []
    assert list(layer.state_dict()) == []
    assert_equal(x.grad, torch.ones(N, D_MODEL))


@pytest.mark.parametrize("leading", [(), (BATCH,), (4, BATCH)], ids=str)
@pytest.mark.parametrize("n", [N, MAX_LEN, 0])
def test_learned_agrees_with_torch_s_embedding(leading, n):
    layer = LearnedPositions(D_MODEL, max_len=MAX_LEN).double()
    embedding = torch.nn.Embedding.from_pretrained(layer.positions.detach())
    x = random(*leading, n, D_MODEL)
    assert_close(layer(x), x + embedding(torch.arange(n)))


def test_learned_positions_beyond_the_input_get_no_gradient():
    # Two examples share each position: the gradient of a sum is 2 for positions 0 to 4.
    layer = LearnedPositions(D_MODEL, max_len=MAX_LEN).double()
    layer(random(BATCH, N, D_MODEL)).sum().backward()
    expected = torch.zeros(MAX_LEN, D_MODEL)
    expected[:N] = 2.0
    assert_equal(layer.positions.grad, expected)


def test_learned_gradients_agree_with_finite_differences():
    layer = LearnedPositions(D_MODEL, max_len=MAX_LEN).double()
    x = random(BATCH, N, D_MODEL).requires_grad_()

    def outputs(x, positions):
        return torch.func.functional_call(layer, {"positions": positions}, (x,))

    assert torch.autograd.gradcheck(outputs, (x, layer.positions))


def test_learned_positions_start_small():
    layer = LearnedPositions(100, max_len=200)
    assert layer.positions.std().item() == pytest.approx(0.02, rel=0.03)


def test_state_dict_survives_a_round_trip():
    one, other = (LearnedPositions(D_MODEL, max_len=MAX_LEN) for _ in range(2))
    other.load_state_dict(one.state_dict())
    assert_equal(other.positions.detach(), one.positions.detach())
    assert "max_len=9" in repr(one)
    assert "base=10000.0" in repr(SinusoidalPositions(D_MODEL))


X = torch.zeros(BATCH, N, D_MODEL)
MISTAKES = {
    "odd": (lambda: SinusoidalPositions(5), ValueError, "even"),
    "zero": (lambda: SinusoidalPositions(0), ValueError, "d_model"),
    "base": (lambda: SinusoidalPositions(6, base=-1.0), ValueError, "base"),
    "width": (lambda: SinusoidalPositions(4)(X), ValueError, r"\(\.\.\., n, 4\)"),
    "list": (lambda: SinusoidalPositions(6)([[0.0]]), TypeError, "list"),
    "integers": (lambda: SinusoidalPositions(6)(X.long()), TypeError, "int64"),
    "no length": (lambda: LearnedPositions(6, max_len=0), ValueError, "max_len"),
    "fraction": (lambda: LearnedPositions(6, max_len=9.0), TypeError, "max_len"),
    "too long": (lambda: LearnedPositions(6, max_len=4)(X), ValueError, "got n=5"),
    "columns": (lambda: LearnedPositions(4, max_len=9)(X), ValueError, "n, 4"),
    "dtype": (lambda: LearnedPositions(6, max_len=9)(X.half()), TypeError, "float16"),
}


@pytest.mark.parametrize(
    ("mistake", "kind", "word"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_mistakes_are_named(mistake, kind, word):
    with pytest.raises(kind, match=word):
        mistake()
