"""The one converter to the opposite mask convention."""

import numpy as np
import pytest
from helpers import assert_equal

import attention_course as ac

torch = pytest.importorskip("torch")
to_torch_key_padding_mask = ac.layers.to_torch_key_padding_mask


def test_a_mask_worked_by_hand():
    mask = torch.tensor([[True, True, False], [True, False, False]])
    expected = torch.tensor([[False, False, True], [False, True, True]])
    assert_equal(to_torch_key_padding_mask(mask), expected)


@pytest.mark.parametrize("like", [None, torch.empty(0)], ids=["numpy", "torch"])
def test_takes_what_padding_mask_returns_and_gives_a_tensor(like):
    mask = ac.padding_mask([3, 1], 4, like=like)
    converted = to_torch_key_padding_mask(mask)
    assert isinstance(converted, torch.Tensor)
    assert converted.dtype == torch.bool
    assert_equal(converted, np.array([[0, 0, 0, 1], [0, 1, 1, 1]], dtype=bool))


def test_hides_the_padding_from_torch_s_layer():
    torch.manual_seed(0)
    module = torch.nn.MultiheadAttention(6, 3, batch_first=True)
    x = torch.randn(2, 4, 6)
    hidden = to_torch_key_padding_mask(ac.padding_mask([3, 1], 4))
    _, weights = module(x, x, x, key_padding_mask=hidden, average_attn_weights=False)
    assert_equal(weights[1, :, :, 1:].detach(), torch.zeros(3, 4, 3))
    assert (weights[0, :, :, :3] > 0).all()


def test_leaves_its_input_alone():
    mask = torch.tensor([[True, False]])
    to_torch_key_padding_mask(mask)
    assert_equal(mask, torch.tensor([[True, False]]))


MISTAKES = {
    "float": (torch.ones(2, 4), TypeError, "boolean"),
    "list": ([[True, False]], TypeError, "list"),
    "per query": (torch.ones(2, 5, 4) > 0, ValueError, "same for all queries"),
    "one example": (torch.ones(4) > 0, ValueError, "batch"),
    "four axes": (torch.ones(2, 1, 1, 4) > 0, ValueError, "batch"),
}


@pytest.mark.parametrize(
    ("mask", "kind", "word"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_mistakes_are_named(mask, kind, word):
    with pytest.raises(kind, match=word) as caught:
        to_torch_key_padding_mask(mask)
    assert str(caught.value).startswith("to_torch_key_padding_mask")
