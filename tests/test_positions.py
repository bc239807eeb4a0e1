"""Sinusoidal and rotary positions."""

import math

import array_api_compat
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

N, D_MODEL, D_K = 9, 10, 6
layouts = pytest.mark.parametrize(
    "interleaved", [True, False], ids=["neighbours", "halves"]
)
one_row = arrays(np.float64, (1, D_K), elements=st.floats(-3, 3))
places = st.integers(0, 10_000)


def by_formula(n, d_model, base=10000.0):
    """Evaluate section 3.5 of Vaswani et al. (2017), entry by entry."""
    table = [[0.0] * d_model for _ in range(n)]
    for position in range(n):
        for i in range(d_model // 2):
            angle = position / base ** (2 * i / d_model)
            table[position][2 * i] = math.sin(angle)
            table[position][2 * i + 1] = math.cos(angle)
    return np.array(table).reshape(n, d_model)


def by_complex_numbers(x, positions, base=10000.0, interleaved=True):
    """Turn pairs as complex numbers: multiply by exp(i p theta)."""
    half = x.shape[-1] // 2
    theta = np.array([base ** (-2 * i / x.shape[-1]) for i in range(half)])
    turn = np.exp(1j * np.asarray(positions, dtype=float)[..., None] * theta)
    if interleaved:
        z = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.stack([z.real, z.imag], axis=-1).reshape(x.shape)
    z = (x[..., :half] + 1j * x[..., half:]) * turn
    return np.concatenate([z.real, z.imag], axis=-1)


# --- sinusoidal, by hand


def test_position_zero_is_zeros_and_ones(xp):
    table = ac.sinusoidal_positions(1, 6, like=xp.ones(1, dtype=xp.float64))
    assert_equal(table, [[0, 1, 0, 1, 0, 1]])


def test_four_columns_by_hand():
    # 10000 ** (2/4) = 100: the second pair turns a hundred times as slowly.
    row = [math.sin(3), math.cos(3), math.sin(0.03), math.cos(0.03)]
    assert_close(ac.sinusoidal_positions(4, 4)[3], row)


@pytest.mark.parametrize(("n", "d_model"), [(N, D_MODEL), (1, 2), (0, 4), (300, 8)])
@pytest.mark.parametrize("base", [10000.0, 100, 2.5])
def test_every_entry_is_the_papers_formula(n, d_model, base):
    table = ac.sinusoidal_positions(n, d_model, base=base)
    assert_close(table, by_formula(n, d_model, base))


# --- sinusoidal, properties


@given(k=st.integers(0, 40))
def test_dot_products_depend_on_the_distance_alone(k):
    table = ac.sinusoidal_positions(60, D_MODEL)
    along = [table[p] @ table[p + k] for p in range(60 - k)]
    np.testing.assert_allclose(along, along[0], atol=1e-12)


def test_every_row_has_the_same_length():
    table = ac.sinusoidal_positions(500, D_MODEL)
    assert_close((table**2).sum(axis=-1), np.full(500, D_MODEL / 2))


def test_shifting_by_a_position_is_a_rotation():
    # (sin, cos) turned by minus the angle of k is (sin, cos) k positions later.
    table = ac.sinusoidal_positions(20, D_MODEL)
    shifted = ac.rotate(table[:15], np.full(15, -5))
    assert_close(shifted, table[5:])


# --- sinusoidal, torch as the reference; library and dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_sinusoidal_positions_agree_with_torch(xp, dtype):
    torch = pytest.importorskip("torch")
    like = in_library(xp, [0.0], dtype)
    table = ac.sinusoidal_positions(N, D_MODEL, like=like)
    rates = torch.exp(
        -math.log(10000) * torch.arange(0, D_MODEL, 2, dtype=torch.float64) / D_MODEL
    )
    angles = torch.outer(torch.arange(N, dtype=torch.float64), rates)
    expected = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
    assert type(table) is type(like)
    assert dtype_name(table) == dtype
    assert_close(table, expected)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_distant_positions_are_as_exact_as_near_ones(xp, dtype):
    # A float32 angle of 100,000 would be off by 0.004.
    table = ac.sinusoidal_positions(100_001, 4, like=in_library(xp, [0.0], dtype))
    row = [math.sin(1e5), math.cos(1e5), math.sin(1e3), math.cos(1e3)]
    assert_close(table[100_000, :], row)


def test_like_gives_the_device_of_positions():
    strict = pytest.importorskip("array_api_strict")
    like = strict.ones(1, device=strict.Device("device1"))
    assert ac.sinusoidal_positions(2, 4, like=like).device == like.device
    x = strict.ones((2, 4), device=like.device)
    positions = strict.asarray([0, 1], device=like.device)
    assert array_api_compat.device(ac.rotate(x, positions)) == like.device


def test_without_like_positions_come_from_numpy_in_float64():
    table = ac.sinusoidal_positions(np.int64(2), np.int32(4))
    assert isinstance(table, np.ndarray)
    assert dtype_name(table) == "float64"


# --- rotary, by hand


def test_a_quarter_turn_by_hand(xp):
    # theta_0 = 1, so position pi/2 turns (2, 1) by 90 degrees, to (-1, 2).
    x = in_library(xp, [[2.0, 1.0]])
    assert_close(ac.rotate(x, in_library(xp, [math.pi / 2])), [[-1.0, 2.0]])


def test_the_two_layouts_pair_other_columns_by_hand(xp):
    # base 4, d_k = 4: theta = 1, 1/2. At position pi: half a turn, a quarter turn.
    # Neighbours (1, 2), (3, 4): (-1, -2), (-4, 3). Halves (1, 3), (2, 4):
    # (-1, -3), (-4, 2), so columns (-1, -4, -3, 2).
    x = in_library(xp, [[1.0, 2.0, 3.0, 4.0]])
    at = in_library(xp, [math.pi])
    assert_close(ac.rotate(x, at, base=4), [[-1, -2, -4, 3]])
    assert_close(ac.rotate(x, at, base=4, interleaved=False), [[-1, -4, -3, 2]])


# --- rotary, properties


@layouts
def test_position_zero_changes_nothing(xp, rng, interleaved):
    x = in_library(xp, rng.normal(size=(1, D_K)))
    assert_equal(ac.rotate(x, xp.asarray([0]), interleaved=interleaved), x)


@layouts
@given(x=one_row, position=places)
def test_turning_keeps_the_length(x, position, interleaved):
    turned = ac.rotate(x, np.array([position]), interleaved=interleaved)
    np.testing.assert_allclose(
        np.linalg.norm(turned), np.linalg.norm(x), rtol=1e-12, atol=1e-300
    )


@layouts
@given(query=one_row, key=one_row, p=places, q=places, shift=places)
def test_scores_depend_on_the_distance_alone(query, key, p, q, shift, interleaved):
    def score(at, other):
        turned = ac.rotate(query, np.array([at]), interleaved=interleaved)
        against = ac.rotate(key, np.array([other]), interleaved=interleaved)
        return ac.dot_product_scores(turned, against)

    # A position of 20,000 has an angle rounded to 4e-12.
    np.testing.assert_allclose(
        score(p + shift, q + shift), score(p, q), atol=1e-9, rtol=0
    )


@layouts
@given(x=one_row, p=places, q=places)
def test_turning_twice_adds_the_positions(x, p, q, interleaved):
    once = ac.rotate(x, np.array([p + q]), interleaved=interleaved)
    first = ac.rotate(x, np.array([p]), interleaved=interleaved)
    twice = ac.rotate(first, np.array([q]), interleaved=interleaved)
    np.testing.assert_allclose(twice, once, atol=1e-10)


def test_mixing_the_layouts_gives_other_scores(rng):
    query, key = rng.normal(size=(2, N, D_K))
    positions = np.arange(N)
    same = ac.rotate(query, positions) @ ac.rotate(key, positions).T
    mixed = ac.rotate(query, positions) @ ac.rotate(key, positions, interleaved=False).T
    assert np.abs(same - mixed).max() > 0.5


def test_a_permutation_of_columns_carries_one_layout_into_the_other(rng):
    x, positions = rng.normal(size=(N, D_K)), np.arange(N)
    order = [0, 2, 4, 1, 3, 5]
    halves = ac.rotate(x[:, order], positions, interleaved=False)
    assert_close(halves, ac.rotate(x, positions)[:, order])


# --- rotary, references

POSITION_SHAPES = [(N,), (1, N), (2, N), (2, 1, N), (2, 3, N)]


@layouts
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", POSITION_SHAPES)
def test_rotation_agrees_with_complex_numbers(xp, rng, shape, dtype, interleaved):
    lead = (2, 3) if len(shape) != 2 else (2,)
    x = in_library(xp, rng.normal(size=(*lead, N, D_K)), dtype)
    positions = rng.integers(0, 1000, size=shape)
    turned = ac.rotate(x, xp.asarray(positions), base=500, interleaved=interleaved)
    expected = by_complex_numbers(to_numpy(x), positions, 500, interleaved)
    assert dtype_name(turned) == dtype
    assert_close(turned, expected)


def test_neighbours_agree_with_complex_multiplication_in_torch(rng):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(rng.normal(size=(2, 3, N, D_K)))
    theta = 10000.0 ** (-torch.arange(0, D_K, 2, dtype=torch.float64) / D_K)
    angles = torch.outer(torch.arange(N, dtype=torch.float64), theta)
    turn = torch.polar(torch.ones_like(angles), angles)
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    expected = torch.view_as_real(pairs * turn).flatten(-2)
    assert_close(ac.rotate(x, torch.arange(N)), expected)


def test_halves_agree_with_the_rotate_half_of_checkpoints(rng):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(rng.normal(size=(2, 3, N, D_K)))
    theta = 10000.0 ** (-torch.arange(0, D_K, 2, dtype=torch.float64) / D_K)
    angles = torch.outer(torch.arange(N, dtype=torch.float64), theta).repeat(1, 2)
    left, right = x.chunk(2, dim=-1)
    swapped = torch.cat([-right, left], dim=-1)
    expected = x * angles.cos() + swapped * angles.sin()
    assert_close(ac.rotate(x, torch.arange(N), interleaved=False), expected)


@layouts
@pytest.mark.parametrize("kind", ["uint8", "int32", "int64", "float32"])
def test_positions_may_be_of_any_real_dtype(xp, rng, kind, interleaved):
    x = rng.normal(size=(3, D_K))
    positions = xp.asarray([0, 7, 200], dtype=getattr(xp, kind))
    turned = ac.rotate(in_library(xp, x), positions, interleaved=interleaved)
    assert_close(turned, by_complex_numbers(x, [0, 7, 200], interleaved=interleaved))


@layouts
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_distant_position_turns_by_the_exact_angle(xp, dtype, interleaved):
    x = in_library(xp, [[0.5, -1.0, 2.0, 0.25]], dtype)
    turned = ac.rotate(x, xp.asarray([1_000_003]), interleaved=interleaved)
    expected = by_complex_numbers(to_numpy(x), [1_000_003], interleaved=interleaved)
    assert_close(turned, expected)


@layouts
def test_gradient_of_a_rotation_is_the_rotation_back(rng, interleaved):
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(rng.normal(size=(2, N, D_K))).requires_grad_()
    positions = torch.arange(N)

    def turn(rows):
        return ac.rotate(rows, positions, interleaved=interleaved)

    assert torch.autograd.gradcheck(turn, x)
    cotangent = torch.from_numpy(rng.normal(size=(2, N, D_K)))
    (gradient,) = torch.autograd.grad(turn(x), x, cotangent)
    back = ac.rotate(cotangent, -positions, interleaved=interleaved)
    assert_zero(gradient - back)


@layouts
def test_no_rows_stay_no_rows(xp, interleaved):
    x, positions = in_library(xp, np.ones((2, 0, D_K))), xp.asarray([], dtype=xp.int64)
    assert ac.rotate(x, positions, interleaved=interleaved).shape == (2, 0, D_K)
