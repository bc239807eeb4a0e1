"""MultiHeadAttention against torch.nn.MultiheadAttention, and where it goes further."""

import copy
import itertools
import math

import pytest
from helpers import assert_close, assert_equal, assert_zero

import attention_course as ac

torch = pytest.importorskip("torch")
MultiHeadAttention = ac.layers.MultiHeadAttention

# All sizes differ, so that a swapped axis cannot pass by luck.
BATCH, N_Q, N_K, D_MODEL, NUM_HEADS, D_KEY, D_VALUE = 2, 5, 7, 12, 3, 8, 10
LENGTHS = (7, 4)


def random(*shape, dtype=torch.float64):
    return torch.randn(*shape, dtype=torch.float64).mul(1.5).to(dtype)


def torch_layer(dtype=torch.float64, **options):
    """Return a torch layer with non-zero biases and scores of order 1."""
    layer = torch.nn.MultiheadAttention(D_MODEL, NUM_HEADS, dtype=dtype, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(random(*parameter.shape) * 0.3)
    return layer


def allowing(*shape):
    """Return a random mask in which every query may attend to key 0."""
    mask = torch.rand(shape) < 0.6
    mask[..., 0] = True
    return mask


def gradients(output, inputs):
    """Return the gradients of a sum in which every entry counts differently."""
    pull = torch.cos(torch.arange(output.numel(), dtype=torch.float64))
    loss = (output * pull.reshape(output.shape).to(output.dtype)).sum()
    return torch.autograd.grad(loss, inputs)


def assert_gradient_close(actual, expected):
    if (
        expected.norm() < 1e-9
    ):  # the bias of the keys: shifts all scores of a query alike
        assert_zero(actual)
    else:
        assert_close(actual, expected)


# --- the grid against torch.nn.MultiheadAttention -------------------------------------

WIDTHS = {
    "one-width": {},
    "kdim": {"kdim": D_KEY},
    "vdim": {"vdim": D_VALUE},
    "kdim-and-vdim": {"kdim": D_KEY, "vdim": D_VALUE},
}
MASKS = ("no-mask", "2-D", "3-D", "causal", "causal-and-3-D")
GRID = list(
    itertools.product(
        WIDTHS, (True, False), (True, False), MASKS, (True, False), (True, False)
    )
)


def masks_for_both(kind, padded):
    """Return our arguments and torch's for the same restriction."""
    ours, theirs = {}, {}
    allowed = torch.ones(BATCH, NUM_HEADS, N_Q, N_K, dtype=torch.bool)
    if kind == "2-D":
        mask = allowing(N_Q, N_K)
        allowed = allowed & mask
        theirs["attn_mask"] = ~mask
        ours["mask"] = mask
    if "3-D" in kind:  # torch: one per head of each example
        mask = allowing(BATCH, NUM_HEADS, N_Q, N_K)
        allowed = allowed & mask
        ours["mask"] = mask
    if "causal" in kind:
        allowed = allowed & ac.causal_mask(N_Q, N_K, like=allowed)
        ours["causal"] = True
    if kind not in ("no-mask", "2-D"):
        theirs["attn_mask"] = ~allowed.flatten(0, 1)
    if padded:
        padding = ac.padding_mask(LENGTHS, N_K, like=allowed)  # (batch, 1, n_k)
        theirs["key_padding_mask"] = ac.layers.to_torch_key_padding_mask(padding)
        mask = ours.get("mask", torch.ones(N_Q, N_K, dtype=torch.bool))
        ours["mask"] = (mask & padding) if mask.ndim == 2 else mask & padding[:, None]
    return ours, theirs


def matched_parameters(layer, module):
    """Pair our parameters with slices of torch's, both as (ours, theirs)."""
    names = ("query", "key", "value")
    if module.in_proj_weight is not None:
        theirs = [(module.in_proj_weight, i) for i in range(3)]
    else:
        whole = (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
        theirs = [(w, None) for w in whole]
    pairs = {f"w_{name}": pair for name, pair in zip(names, theirs, strict=True)}
    pairs["w_output"] = (module.out_proj.weight, None)
    if module.in_proj_bias is not None:
        pairs |= {f"b_{name}": (module.in_proj_bias, i) for i, name in enumerate(names)}
        pairs["b_output"] = (module.out_proj.bias, None)
    return pairs


@pytest.mark.parametrize(
    ("widths", "projection_bias", "batch_first", "kind", "padded", "need_weights"),
    GRID,
    ids=lambda part: str(part),
)
def test_from_torch_gives_torch_s_output_weights_and_gradients(
    widths, projection_bias, batch_first, kind, padded, need_weights
):
    module = torch_layer(
        bias=projection_bias, batch_first=batch_first, **WIDTHS[widths]
    )
    layer = MultiHeadAttention.from_torch(module)
    inputs = [
        random(BATCH, N_Q, D_MODEL).requires_grad_(),
        random(BATCH, N_K, module.kdim).requires_grad_(),
        random(BATCH, N_K, module.vdim).requires_grad_(),
    ]
    our_masks, their_masks = masks_for_both(kind, padded)

    output, weights = layer(*inputs, need_weights=need_weights, **our_masks)
    theirs = inputs if batch_first else [x.transpose(0, 1) for x in inputs]
    expected, expected_weights = module(
        *theirs,
        need_weights=need_weights,
        average_attn_weights=False,
        **their_masks,
    )
    expected = expected if batch_first else expected.transpose(0, 1)

    assert_close(output, expected)
    if need_weights:
        assert_close(weights, expected_weights)
    else:
        assert weights is None

    pairs = matched_parameters(layer, module)
    ours = gradients(output, [*inputs, *(getattr(layer, name) for name in pairs)])
    wholes = list({id(whole): whole for whole, _ in pairs.values()}.values())
    found = gradients(expected, [*inputs, *wholes])
    per_whole = dict(zip(map(id, wholes), found[3:], strict=True))
    for actual, wanted in zip(ours[:3], found[:3], strict=True):
        assert_gradient_close(actual, wanted)
    for actual, (whole, part) in zip(ours[3:], pairs.values(), strict=True):
        gradient = per_whole[id(whole)]
        gradient = gradient if part is None else gradient.chunk(3)[part]
        assert_gradient_close(actual, gradient.T if gradient.ndim == 2 else gradient)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_from_torch_agrees_with_torch_in_every_dtype(dtype, need_weights):
    module = torch_layer(dtype, batch_first=True)
    layer = MultiHeadAttention.from_torch(module)
    reference = MultiHeadAttention.from_torch(module).double()
    x = random(BATCH, N_Q, D_MODEL, dtype=dtype)
    output, weights = layer(x, need_weights=need_weights)
    theirs, _ = module(x, x, x, need_weights=False)
    exact, exact_weights = reference(x.double(), need_weights=True)
    assert output.dtype == dtype
    assert_close(output, exact, dtype=str(dtype).split(".")[-1])
    assert_close(output, theirs)
    if need_weights:
        assert weights.dtype == dtype
        assert_close(weights, exact_weights, dtype=str(dtype).split(".")[-1])


def test_self_attention_in_eval_mode_agrees_with_torch_s_fast_path():
    module = torch.nn.MultiheadAttention(D_MODEL, 4, batch_first=True).double().eval()
    layer = MultiHeadAttention.from_torch(module)
    x = random(BATCH, N_Q, D_MODEL)
    with torch.no_grad():
        expected, _ = module(x, x, x, need_weights=False)
        output, _ = layer(x)
    assert_close(output, expected)


def test_from_torch_takes_over_dtype_dropout_and_mode():
    module = torch_layer(torch.float32, dropout=0.25).eval()
    layer = MultiHeadAttention.from_torch(module)
    assert layer.w_query.dtype == torch.float32
    assert layer.dropout == 0.25
    assert not layer.training
    assert MultiHeadAttention.from_torch(module.train()).training


def test_from_torch_copies_so_that_training_one_leaves_the_other_alone():
    module = torch_layer()
    layer = MultiHeadAttention.from_torch(module)
    before = module.in_proj_weight.detach().clone()
    with torch.no_grad():
        layer.w_query.zero_()
    assert_equal(module.in_proj_weight, before)


# --- by hand, and against the functional core ----------------------------------------


@pytest.mark.parametrize("need_weights", [True, False])
def test_two_heads_worked_by_hand(need_weights):
    # d_model 2, two heads of width 1, all projections the identity: head 0 sees
    # column 0, head 1 column 1, and the scale is 1. Query (ln 3, 0) meets keys (1, 0)
    # and (0, 0). Head 0: scores (ln 3, 0), weights (3/4, 1/4). Head 1: scores (0, 0),
    # weights (1/2, 1/2). Values (4, 0) and (0, 2): head 0 gives 3/4 * 4 = 3, head 1
    # gives 1/2 * 2 = 1.
    layer = MultiHeadAttention(2, 2, projection_bias=False).double()
    with torch.no_grad():
        for w in layer.parameters():
            w.copy_(torch.eye(2))
    query = torch.tensor([[[math.log(3), 0.0]]], dtype=torch.float64)
    key = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    value = torch.tensor([[[4.0, 0.0], [0.0, 2.0]]], dtype=torch.float64)
    output, weights = layer(query, key, value, need_weights=need_weights)
    assert_close(output, torch.tensor([[[3.0, 1.0]]]), "float64")
    if need_weights:
        expected = torch.tensor([[[[0.75, 0.25]], [[0.5, 0.5]]]])
        assert_close(weights, expected, "float64")


def grouped_layer(num_heads=6, num_kv_heads=2, **options):
    """Return a layer with d_head 2 and biases that are not zero."""
    layer = MultiHeadAttention(
        D_MODEL,
        num_heads,
        d_query=9,
        d_key=D_KEY,
        d_value=D_VALUE,
        num_kv_heads=num_kv_heads,
        **options,
    ).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(random(*parameter.shape) * 0.4)
    return layer


def cross_inputs(dtype=torch.float64):
    shapes = ((BATCH, N_Q, 9), (BATCH, N_K, D_KEY), (BATCH, N_K, D_VALUE))
    return [random(*shape, dtype=dtype) for shape in shapes]


def through_the_core(layer, query, key, value, **options):
    """Return what the functional core makes of the layer's parameters."""
    q = ac.split_heads(query @ layer.w_query + layer.b_query, layer.num_heads)
    k = ac.split_heads(key @ layer.w_key + layer.b_key, layer.num_kv_heads)
    v = ac.split_heads(value @ layer.w_value + layer.b_value, layer.num_kv_heads)
    heads, weights = ac.scaled_dot_product_attention(q, k, v, **options)
    return ac.merge_heads(heads) @ layer.w_output + layer.b_output, weights


@pytest.mark.parametrize("num_kv_heads", [1, 2, 3, 6])
@pytest.mark.parametrize("causal", [True, False], ids=["causal", "not-causal"])
@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize(
    "mask_shape",
    [
        None,
        (N_Q, N_K),
        (1, N_K),
        (N_Q, 1),
        (BATCH, 1, N_K),
        (BATCH, N_Q, N_K),
        (1, 6, N_Q, N_K),
        (BATCH, 1, 1, N_K),
    ],
    ids=str,
)
def test_both_paths_equal_the_functional_core(
    num_kv_heads, causal, with_bias, mask_shape
):
    layer = grouped_layer(num_kv_heads=num_kv_heads)
    inputs = cross_inputs()
    mask = None if mask_shape is None else torch.rand(mask_shape) < 0.5
    bias = random(6, N_Q, N_K)[None] if with_bias else None
    output, weights = layer(
        *inputs, mask=mask, bias=bias, causal=causal, need_weights=True
    )
    fused, none = layer(*inputs, mask=mask, bias=bias, causal=causal)
    if mask is not None and mask.ndim == 3:
        mask = mask[:, None]
    expected, expected_weights = through_the_core(
        layer, *inputs, mask=mask, bias=bias, causal=causal
    )
    assert_close(output, expected)
    assert_close(fused, expected)
    assert_close(weights, expected_weights)
    assert none is None


@pytest.mark.parametrize("need_weights", [True, False])
def test_grouped_heads_equal_a_layer_whose_key_heads_are_repeated(need_weights):
    layer = grouped_layer(num_heads=6, num_kv_heads=2)
    expanded = grouped_layer(num_heads=6, num_kv_heads=6)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            source = parameter
            if name in ("w_key", "w_value", "b_key", "b_value"):
                # columns (2 heads, 2) -> (6 heads, 2): heads 0 0 0 1 1 1
                heads = parameter.unflatten(-1, (2, 2))
                source = heads.repeat_interleave(3, dim=-2).flatten(-2)
            getattr(expanded, name).copy_(source)
    inputs = cross_inputs()
    output, weights = layer(*inputs, need_weights=need_weights)
    expected, expected_weights = expanded(*inputs, need_weights=need_weights)
    assert_close(output, expected)
    if need_weights:
        assert_close(weights, expected_weights)


def test_key_defaults_to_query_and_value_to_key():
    layer = MultiHeadAttention(D_MODEL, NUM_HEADS).double()
    x, memory = random(BATCH, N_Q, D_MODEL), random(BATCH, N_K, D_MODEL)
    assert_equal(layer(x)[0], layer(x, x, x)[0])
    assert_equal(layer(x, memory)[0], layer(x, memory, memory)[0])


def test_bias_shapes_follow_the_rule_of_masks():
    layer, inputs = grouped_layer(), cross_inputs()
    bias = random(BATCH, N_Q, N_K)
    output, _ = layer(*inputs, bias=bias, need_weights=True)
    expected, _ = through_the_core(layer, *inputs, bias=bias[:, None])
    assert_close(output, expected)
    assert_close(layer(*inputs, bias=bias)[0], expected)


# --- properties ----------------------------------------------------------------------


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_hidden_key_changes_nothing(need_weights):
    layer = grouped_layer()
    query, key, value = cross_inputs()
    mask = torch.ones(N_Q, N_K, dtype=torch.bool)
    mask[:, 3] = False
    before, _ = layer(query, key, value, mask=mask, need_weights=need_weights)
    key[:, 3], value[:, 3] = 100.0, -100.0
    after, _ = layer(query, key, value, mask=mask, need_weights=need_weights)
    assert_equal(after, before)


@pytest.mark.parametrize("need_weights", [True, False])
def test_with_causal_the_future_changes_nothing(need_weights):
    layer = MultiHeadAttention(D_MODEL, NUM_HEADS).double()
    x = random(BATCH, N_Q, D_MODEL)
    before, _ = layer(x, causal=True, need_weights=need_weights)
    x[:, 3:] = 50.0
    after, _ = layer(x, causal=True, need_weights=need_weights)
    assert_equal(after[:, :3], before[:, :3])
    assert (after[:, 3:] - before[:, 3:]).norm() > 0.1


def test_weights_of_each_query_sum_to_one_in_each_head():
    _, weights = grouped_layer()(*cross_inputs(), need_weights=True)
    assert weights.shape == (BATCH, 6, N_Q, N_K)
    assert_close(weights.sum(-1), torch.ones(BATCH, 6, N_Q), "float64")


def test_every_head_has_a_share_of_d_model_and_xavier_s_scale():
    layer = MultiHeadAttention(512, 8, d_key=64, num_kv_heads=2)
    assert layer.w_query.shape == (512, 512)
    assert layer.w_key.shape == (64, 128)
    assert layer.w_value.shape == (512, 128)
    bound = math.sqrt(6 / (64 + 128))
    assert 0.99 * bound < layer.w_key.abs().max() <= bound
    assert layer.w_key.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert_zero(layer.b_value.detach())


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_gradients_agree_with_finite_differences(need_weights, causal):
    layer = grouped_layer()
    inputs = [x.requires_grad_() for x in cross_inputs()]
    bias = random(6, N_Q, N_K)[None].requires_grad_()
    mask = torch.rand(BATCH, N_Q, N_K) < 0.5
    mask[:, 2] = False

    def outputs(query, key, value, bias):
        output, weights = layer(
            query,
            key,
            value,
            mask=mask,
            bias=bias,
            causal=causal,
            need_weights=need_weights,
        )
        return (output, weights) if need_weights else output

    assert torch.autograd.gradcheck(outputs, (*inputs, bias))


# --- stable --------------------------------------------------------------------------

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def assert_finite_there_and_back(layer, inputs, **options):
    """Run both ways under torch's own watch for NaN in any step of the way back."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    with torch.autograd.set_detect_anomaly(True):
        output, weights = layer(*inputs, **options)
        loss = output.double().sum()
        if weights is not None:
            loss = loss + (weights.double() ** 2).sum()
        loss.backward()
    for x in (output, *inputs, *layer.parameters()):
        tensor = x if x is output else x.grad
        assert torch.isfinite(tensor).all()
    return output, weights


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("how", ["mask", "bias", "mask-and-bias", "causal-mask"])
def test_a_query_that_may_attend_to_nothing_gets_the_output_bias(
    how, dtype, need_weights
):
    layer = grouped_layer().to(dtype)
    mask = allowing(N_Q, N_K)
    mask[2] = False
    bias = torch.zeros(N_Q, N_K, dtype=dtype).masked_fill(~mask, -math.inf)
    options = {
        "mask": {"mask": mask},
        "bias": {"bias": bias},
        "mask-and-bias": {"mask": mask, "bias": random(N_Q, N_K, dtype=dtype)},
        # causal leaves query 0 key 0 alone, which the mask forbids
        "causal-mask": {
            "mask": (torch.arange(N_K) > 2).expand(N_Q, N_K),
            "causal": True,
        },
    }[how]
    output, weights = assert_finite_there_and_back(
        layer, cross_inputs(dtype), need_weights=need_weights, **options
    )
    assert_equal(output[:, 2], layer.b_output.expand(BATCH, -1))
    if need_weights:
        assert_equal(weights[:, :, 2], torch.zeros(BATCH, 6, N_K))


def test_torch_s_own_layer_gives_nan_for_such_a_query():
    # The reason why the grid above leaves these rows out.
    module = torch_layer(batch_first=True)
    hidden = torch.zeros(N_Q, N_K, dtype=torch.bool)
    hidden[2] = True
    query, key = random(BATCH, N_Q, D_MODEL), random(BATCH, N_K, D_MODEL)
    output, _ = module(query, key, key, attn_mask=hidden, need_weights=True)
    assert torch.isnan(output[:, 2]).all()


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [1e4, -1e4, -math.inf])
def test_extreme_scores_stay_finite(size, dtype, need_weights):
    bias = random(N_Q, N_K, dtype=dtype)
    bias[:, ::2] = size
    bias[3] = size
    layer = grouped_layer().to(dtype)
    assert_finite_there_and_back(
        layer, cross_inputs(dtype), bias=bias, need_weights=need_weights
    )


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_scores_beyond_float16_pick_one_key(dtype, need_weights):
    # One head of width 4, identity projections: query 400 and key 400 or 300 in each
    # column give scores 4 * 400 * 400 / 2 = 320,000 and 240,000. float16 ends at
    # 65,504.
    layer = MultiHeadAttention(4, 1, projection_bias=False)
    with torch.no_grad():
        for w in layer.parameters():
            w.copy_(torch.eye(4))
    layer = layer.to(dtype)
    query = torch.full((1, 2, 4), 400.0, dtype=dtype)
    key = torch.full((1, 3, 4), 300.0, dtype=dtype)
    key[:, 1] = 400.0
    output, weights = assert_finite_there_and_back(
        layer, (query, key), need_weights=need_weights
    )
    assert_equal(output, torch.full((1, 2, 4), 400.0))
    if need_weights:
        assert_equal(weights, torch.tensor([0.0, 1.0, 0.0]).expand(1, 1, 2, 3))


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize(
    ("n_q", "n_k"), [(5, 0), (0, 7)], ids=["no-keys", "no-queries"]
)
def test_no_keys_give_the_output_bias_and_no_queries_give_nothing(
    n_q, n_k, need_weights
):
    layer = grouped_layer()
    query, key, value = cross_inputs()
    inputs = (query[:, :n_q], key[:, :n_k], value[:, :n_k])
    output, weights = assert_finite_there_and_back(
        layer, inputs, need_weights=need_weights, causal=True
    )
    assert_equal(output, layer.b_output.expand(BATCH, n_q, -1))
    if need_weights:
        assert weights.shape == (BATCH, 6, n_q, n_k)


# --- as a torch module ---------------------------------------------------------------


@pytest.mark.parametrize("projection_bias", [True, False])
def test_state_dict_survives_a_round_trip(projection_bias):
    one = MultiHeadAttention(D_MODEL, NUM_HEADS, projection_bias=projection_bias)
    other = MultiHeadAttention(D_MODEL, NUM_HEADS, projection_bias=projection_bias)
    other.load_state_dict(one.state_dict())
    x = random(BATCH, N_Q, D_MODEL, dtype=torch.float32)
    assert_equal(other(x)[0], one(x)[0])
    kinds = "wb" if projection_bias else "w"
    names = {f"{k}_{n}" for k in kinds for n in ("query", "key", "value", "output")}
    assert set(one.state_dict()) == names


def test_a_deep_copy_is_equal_and_independent():
    layer = grouped_layer()
    twin, inputs = copy.deepcopy(layer), cross_inputs()
    before = layer(*inputs)[0]
    assert_equal(twin(*inputs)[0], before)
    with torch.no_grad():
        twin.w_output.zero_()
    assert_equal(layer(*inputs)[0], before)


def test_autocast_may_hand_one_layer_s_output_to_the_next():
    layer = MultiHeadAttention(D_MODEL, NUM_HEADS)
    x = random(BATCH, N_Q, D_MODEL, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _ = layer(layer(x)[0])
    assert_close(output, layer(layer(x)[0])[0], "bfloat16")


def test_printing_shows_the_sizes():
    assert "num_kv_heads=2" in repr(grouped_layer())


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_is_off_in_eval_mode(need_weights):
    layer, inputs = grouped_layer(dropout=0.5), cross_inputs()
    twin = grouped_layer()
    twin.load_state_dict(layer.state_dict())
    expected = twin(*inputs)[0]
    assert_close(layer.eval()(*inputs, need_weights=need_weights)[0], expected)
    different = layer.train()(*inputs, need_weights=need_weights)[0]
    assert (different - expected).norm() / expected.norm() > 0.05


def test_returned_weights_are_those_before_dropout():
    layer, inputs = grouped_layer(dropout=0.5), cross_inputs()
    _, dropped = layer.train()(*inputs, need_weights=True)
    _, weights = layer.eval()(*inputs, need_weights=True)
    assert_equal(dropped, weights)


@pytest.mark.parametrize("need_weights", [True, False])
def test_dropout_keeps_the_mean(need_weights):
    # Value 1 everywhere, identity projections: an output is the sum of the surviving
    # weights, each divided by 1 - dropout, so its mean is 1. With 64 equal keys and
    # dropout 0.25 its variance is 0.25 / 0.75 / 64 = 1/192, and over 4,000 queries the
    # mean has a standard error of 0.0011.
    layer = MultiHeadAttention(1, 1, projection_bias=False, dropout=0.25)
    with torch.no_grad():
        for w in layer.parameters():
            w.fill_(1.0)
    ones = torch.ones(1, 64, 1)
    output, _ = layer(torch.zeros(1, 4000, 1), ones, need_weights=need_weights)
    assert abs(output.mean().item() - 1.0) < 0.006
    assert output.std().item() == pytest.approx(math.sqrt(1 / 3 / 64), rel=0.1)


# --- messages ------------------------------------------------------------------------

X = torch.zeros(BATCH, N_Q, D_MODEL)
MEMORY = torch.zeros(BATCH, N_K, D_MODEL)


def build(*sizes, **options):
    return lambda: MultiHeadAttention(*sizes, **options)


def call(*inputs, **options):
    return lambda: MultiHeadAttention(D_MODEL, NUM_HEADS)(*inputs, **options)


def convert(**options):
    return lambda: MultiHeadAttention.from_torch(
        torch.nn.MultiheadAttention(D_MODEL, NUM_HEADS, **options)
    )


def trues(*shape):
    return torch.ones(shape, dtype=torch.bool)


MISTAKES = {
    "not divisible": (build(10, 3), ValueError, "d_model=10 and num_heads=3"),
    "kv heads": (build(12, 6, num_kv_heads=4), ValueError, "num_kv_heads=4"),
    "kv above": (build(12, 3, num_kv_heads=6), ValueError, "num_kv_heads=6"),
    "zero width": (build(0, 3), ValueError, "d_model"),
    "negative heads": (build(12, -3), ValueError, "num_heads"),
    "zero kv heads": (build(12, 3, num_kv_heads=0), ValueError, "num_kv_heads"),
    "fraction": (build(12, 3.0), TypeError, "num_heads"),
    "truth": (build(12, True), TypeError, "num_heads"),
    "key width": (build(12, 3, d_key=-1), ValueError, "d_key"),
    "value width": (build(12, 3, d_value="8"), TypeError, "d_value"),
    "dropout": (build(12, 3, dropout=1.0), ValueError, "dropout"),
    "dropout text": (build(12, 3, dropout="no"), TypeError, "dropout"),
    "list": (call([[1.0]]), TypeError, "query must be a torch.Tensor"),
    "numpy": (call(X.numpy()), TypeError, "got ndarray"),
    "integers": (call(X.long()), TypeError, "int64"),
    "other dtype": (call(X.double()), TypeError, "float64"),
    "unbatched": (call(X[0]), ValueError, "three axes"),
    "four axes": (call(X[None]), ValueError, "three axes"),
    "query width": (call(X[..., :9]), ValueError, "query must have shape"),
    "key columns": (call(X, X[..., :9]), ValueError, "key must have shape"),
    "value columns": (call(X, X, X[..., :9]), ValueError, "value must have shape"),
    "batches": (call(X, MEMORY[:1]), ValueError, "batch size"),
    "pairs": (call(X, MEMORY, X), ValueError, "n_k"),
    "no key": (call(X, None, X), ValueError, "no key"),
    "mask shape": (call(X, mask=trues(N_Q, 4)), ValueError, r"\(5, 5\)"),
    "mask batch": (call(X, mask=trues(3, N_Q, N_Q)), ValueError, r"\(2, 5, 5\)"),
    "mask heads": (call(X, mask=trues(2, 4, 5, 5)), ValueError, r"\(2, 3, 5, 5\)"),
    "mask rank 1": (call(X, mask=trues(N_Q)), ValueError, "got 1 axes"),
    "mask rank 5": (call(X, mask=trues(1, 1, 1, 5, 5)), ValueError, "got 5 axes"),
    "float mask": (call(X, mask=torch.ones(5, 5)), TypeError, "mask must be boolean"),
    "list mask": (call(X, mask=[[True]]), TypeError, "mask"),
    "boolean bias": (call(X, bias=trues(5, 5)), TypeError, "bias must be"),
    "bias dtype": (call(X, bias=torch.ones(5, 5).double()), TypeError, "float32"),
    "bias shape": (call(X, bias=torch.ones(5, 4)), ValueError, "bias must have"),
    "causal mask": (call(X, causal=trues(5, 5)), TypeError, "causal"),
    "flag": (call(X, need_weights=1), TypeError, "need_weights"),
    "bias_kv": (convert(add_bias_kv=True), ValueError, "add_bias_kv"),
    "zero_attn": (convert(add_zero_attn=True), ValueError, "add_zero_attn"),
    "not torch's": (
        lambda: MultiHeadAttention.from_torch(torch.nn.Linear(2, 3)),
        TypeError,
        "Linear",
    ),
}


@pytest.mark.parametrize(
    ("mistake", "kind", "word"), MISTAKES.values(), ids=MISTAKES.keys()
)
def test_mistakes_are_named(mistake, kind, word):
    with pytest.raises(kind, match=word) as caught:
        mistake()
    assert str(caught.value).startswith("MultiHeadAttention")
