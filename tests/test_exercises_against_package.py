"""Each solution that a learner sees gives what the package's own function gives.

One row per exercise: its id, and what the package computes for the same arguments.
"""

import numpy as np
import pytest

import attention_course as ac
from attention_course.exercises._registry import find


def _jacobian(scores, temperature):
    """Nudge each score up and down through the package's softmax."""
    steps = 1e-6 * np.eye(scores.size)
    up = [ac.softmax(scores + h, temperature=temperature) for h in steps]
    down = [ac.softmax(scores - h, temperature=temperature) for h in steps]
    return (np.array(up) - np.array(down)).T / 2e-6


def _gradient(weights, gradient):
    """Nudge each score up and down, and add up what the loss does."""
    scores, result = np.log(weights), np.empty(weights.shape)
    for place in np.ndindex(weights.shape):
        h = np.zeros(weights.shape)
        h[place] = 1e-6
        moved = ac.softmax(scores + h) - ac.softmax(scores - h)
        result[place] = (moved * gradient).sum() / 2e-6
    return result


def _lookup(query, key, value, temperature):
    return ac.softmax(ac.cosine_scores(query, key), temperature=temperature) @ value


def _concat(query, key, w, v):
    width = query.shape[1]
    return ac.additive_scores(query, key, w[:width], w[width:], v)


def _head(x, w_query, w_key):
    return ac.scaled_dot_product_attention(x @ w_query, x @ w_key, x)[1]


def _sequence_first(*arrays):
    turned = (np.swapaxes(x, 0, 1) for x in arrays)
    return np.swapaxes(ac.scaled_dot_product_attention(*turned)[0], 0, 1)


def _causal_heads(query, key, value, num_heads):
    heads = (ac.split_heads(x, num_heads) for x in (query, key, value))
    return ac.merge_heads(ac.scaled_dot_product_attention(*heads, causal=True)[0])


def _without_head(heads, w_output, removed):
    others = [h for h in range(len(heads)) if h != removed]
    kept = np.repeat(np.isin(np.arange(len(heads)), others), heads.shape[2])
    return ac.merge_heads(heads[others]) @ w_output[kept]


def _from_parts(x, w_query, w_key, w_value, w_output, num_heads):
    heads = (ac.split_heads(x @ w, num_heads) for w in (w_query, w_key, w_value))
    return ac.merge_heads(ac.scaled_dot_product_attention(*heads)[0]) @ w_output


def _folded_heads(query, key, value, lengths):
    num_heads = len(query) // len(lengths)
    mask = ac.padding_mask(np.repeat(lengths, num_heads), key.shape[1])
    return ac.scaled_dot_product_attention(query, key, value, mask)[0]


def _masked_heads(scores, lengths):
    n = scores.shape[-1]
    mask = ac.padding_mask(lengths, n)[:, None] & ac.causal_mask(n)
    return ac.masked_softmax(scores, mask)


ROWS = [
    ("ch01.shares", ac.softmax),
    ("ch01.safe", lambda left, right: ac.softmax(np.concatenate([left, right]))),
    ("ch01.keepdims", ac.softmax),
    (
        "ch01.temperature",
        lambda scores, temperature: np.array(
            [
                ac.softmax(row, temperature=t)
                for row, t in zip(scores, temperature, strict=True)
            ]
        ),
    ),
    ("ch01.entropy", ac.entropy),
    ("ch01.jacobian", _jacobian),
    ("ch01.gradient", _gradient),
    ("ch02.cosine-scores", ac.cosine_scores),
    ("ch02.soft-lookup", _lookup),
    ("ch02.dot-scores", ac.dot_product_scores),
    ("ch02.additive-scores", _concat),
    ("ch02.scaled-scores", ac.scaled_dot_product_scores),
    ("ch02.mend-scaling", _head),
    ("ch06.sinusoidal", lambda p, d, b: ac.sinusoidal_positions(100, d, base=b)[p]),
    (
        "ch06.placed-scores",
        lambda x, code, w_query, w_key: ac.scaled_dot_product_scores(
            (x + code) @ w_query, (x + code) @ w_key
        ),
    ),
    ("ch06.rotary", lambda x, places, base: ac.rotate(x, places, base=base)),
    (
        "ch03.last-query",
        lambda *arrays: ac.scaled_dot_product_attention(*arrays)[0][..., -1, :],
    ),
    ("ch03.sequence-first", _sequence_first),
    ("ch03.causal-mask", lambda n_q, n_k, o: ac.causal_mask(n_q, n_k, offset=o)),
    ("ch03.decoder-mask", lambda n, k: ac.causal_mask(k) & ac.padding_mask(n, k)),
    (
        "ch03.inverted-mask",
        lambda query, key, value, lengths: ac.scaled_dot_product_attention(
            query, key, value, ac.padding_mask(lengths, key.shape[1])
        )[0],
    ),
    (
        "ch03.leaking-mask",
        lambda *arrays: ac.scaled_dot_product_attention(*arrays, causal=True)[0],
    ),
    ("ch03.masked-softmax", ac.masked_softmax),
    ("ch05.split", ac.split_heads),
    ("ch05.merge", ac.merge_heads),
    ("ch05.mend-merge", _causal_heads),
    ("ch05.without-head", _without_head),
    ("ch05.from-parts", _from_parts),
    ("ch05.mend-fold", _folded_heads),
    ("ch05.masked-heads", _masked_heads),
    (
        "ch05.grouped-heads",
        lambda *arrays: ac.scaled_dot_product_attention(*arrays)[0],
    ),
]


@pytest.mark.parametrize(("exercise_id", "package"), ROWS, ids=[row[0] for row in ROWS])
def test_a_solution_agrees_with_the_package(exercise_id, package):
    exercise = find(exercise_id)
    for case in exercise.cases():
        expected = package(*case.arguments)
        np.testing.assert_allclose(
            exercise.reference(*case.arguments),
            expected,
            rtol=1e-9,
            atol=1e-8,
            err_msg=case.label,
        )


def test_cross_attention_agrees_with_the_package():
    exercise = find("ch05.cross-attention")
    for case in exercise.cases():
        x, source, *matrices, w_output, num_heads = case.arguments
        heads = (
            ac.split_heads(a @ w, num_heads)
            for a, w in zip((x, source, source), matrices, strict=True)
        )
        found, expected = ac.scaled_dot_product_attention(*heads)
        output, weights = exercise.reference(*case.arguments)
        np.testing.assert_allclose(output, ac.merge_heads(found) @ w_output)
        np.testing.assert_allclose(weights, expected)


def test_converted_masks_do_in_torch_what_they_do_here():
    torch = pytest.importorskip("torch")
    exercise = find("ch05.torch-masks")
    for case in exercise.cases():
        padding, pairs, num_heads = case.arguments
        batch, n_q, n_k = pairs.shape
        d_model = 2 * num_heads
        layer = torch.nn.MultiheadAttention(d_model, num_heads, batch_first=True)
        ask, read = torch.randn(batch, n_q, d_model), torch.randn(batch, n_k, d_model)
        hidden, pairs_hidden = map(torch.as_tensor, exercise.reference(*case.arguments))
        options = dict(key_padding_mask=hidden, attn_mask=pairs_hidden)
        _, weights = layer(ask, read, read, **options, average_attn_weights=False)
        np.testing.assert_array_equal(
            weights.detach().numpy() > 0,
            np.broadcast_to((padding & pairs)[:, None], weights.shape),
        )


def test_predicted_sizes_are_those_of_the_layers():
    torch = pytest.importorskip("torch")
    layers = pytest.importorskip("attention_course.layers")

    def size(layer):
        return sum(p.numel() for p in layer.parameters())

    with torch.device("meta"):
        shared = layers.MultiHeadAttention(
            4096, 32, num_kv_heads=8, projection_bias=False
        )
    assert size(shared) == find("ch05.shared-parameters").reference
    ask, read = torch.zeros(3, 5, 24), torch.zeros(3, 7, 24)
    _, weights = layers.MultiHeadAttention(24, 6)(ask, read, read, need_weights=True)
    assert tuple(weights.shape) == find("ch05.weights-shape").reference


def test_attention_to_the_best_keys_is_attention_under_their_mask():
    exercise = find("ch02.best-keys")
    for case in exercise.cases():
        query, key, value, count = case.arguments
        scores = ac.scaled_dot_product_scores(query[None], key)
        mask = scores >= np.sort(scores)[:, [-count]]
        expected = ac.scaled_dot_product_attention(query[None], key, value, mask)
        for mine, (theirs,) in zip(
            exercise.reference(*case.arguments), expected, strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, err_msg=case.label)


def test_a_designed_head_does_its_job_in_the_package():
    string = np.array([2, 0, 2, 1, 1, 0])
    x = np.hstack([np.eye(3)[string], np.eye(7)[:6]])
    copy, so_far = find("ch02.copy-first"), find("ch02.so-far")
    outputs = [
        ac.scaled_dot_product_attention(*(x @ w for w in one.reference(3, 7)))[0]
        for one in (copy, so_far)
    ]
    np.testing.assert_allclose(outputs[0], np.eye(3)[[2] * 6], atol=1e-6)
    counts = np.eye(3)[string].cumsum(axis=0)
    np.testing.assert_allclose(outputs[1], counts / counts.sum(1)[:, None], atol=1e-4)


def _numeric(function, parameter):
    """Nudge each entry of a parameter up and down."""
    gradient = np.empty(parameter.shape)
    for place in np.ndindex(parameter.shape):
        h = np.zeros(parameter.shape)
        h[place] = 1e-5
        gradient[place] = (function(parameter + h) - function(parameter - h)) / 2e-5
    return gradient


def test_the_gradients_of_chapter_4_agree_with_finite_differences():
    question, step = find("ch04.gradient-w-query"), find("ch04.gradient-step")
    for case in question.cases():
        x, w_query, key, value, d_output = case.arguments

        def loss(w, x=x, key=key, value=value, d_output=d_output):
            output, _ = ac.scaled_dot_product_attention(x @ w, key, value)
            return (output * d_output).sum()

        mine = question.reference(*case.arguments)
        np.testing.assert_allclose(mine, _numeric(loss, w_query), atol=1e-7)
    for case in step.cases():
        w, x, y, rate = case.arguments
        slope = _numeric(lambda v, x=x, y=y: ((x @ v - y) ** 2).mean(), w)
        mine = step.reference(w, x, y, rate)
        np.testing.assert_allclose(mine, w - rate * slope, atol=1e-7)


def test_self_attention_of_chapter_4_is_the_layer():
    torch = pytest.importorskip("torch")
    project, attend = find("ch04.projections"), find("ch04.self-attention")
    for case in attend.cases():
        x, *matrices = case.arguments
        projected = project.reference(*case.arguments)
        theirs = ac.scaled_dot_product_attention(*projected)
        for mine, wanted in zip(attend.reference(*case.arguments), theirs, strict=True):
            np.testing.assert_allclose(mine, wanted, rtol=1e-9)
        layer = ac.layers.SelfAttention(*matrices[0].shape).double()
        layer.w_value = torch.nn.Parameter(torch.empty(matrices[2].shape))
        for own, matrix in zip(layer.parameters(), matrices, strict=True):
            own.data = torch.as_tensor(matrix)
        output, weights = layer(torch.as_tensor(x))
        mine = attend.reference(*case.arguments)
        np.testing.assert_allclose(mine[0], output.detach(), rtol=1e-9)
        np.testing.assert_allclose(mine[1], weights.detach(), rtol=1e-9)


def test_additive_weights_of_chapter_4_are_those_of_the_package():
    exercise = find("ch04.additive-mixed")
    for case in exercise.cases():
        query, states, w, v = case.arguments
        width = query.shape[1]
        scores = ac.additive_scores(query[:, None], states, w[:width], w[width:], v)
        mine = exercise.reference(*case.arguments)
        np.testing.assert_allclose(mine, ac.softmax(scores)[:, 0], rtol=1e-9)


def test_dropout_of_chapter_4_is_torchs():
    torch = pytest.importorskip("torch")
    exercise = find("ch04.dropout-left-on")
    for case in exercise.cases():
        weights, value, _, rate, training = case.arguments
        drop = torch.nn.functional.dropout
        torch.manual_seed(1)
        keep = drop(torch.ones(weights.shape), rate).numpy() > 0
        torch.manual_seed(1)
        dropped = drop(torch.as_tensor(weights), rate, training).numpy()
        mine = exercise.reference(weights, value, keep, rate, training)
        np.testing.assert_allclose(mine, dropped @ value, rtol=1e-6)


def test_starting_scales_of_chapter_4_are_those_of_the_recipes():
    torch = pytest.importorskip("torch")
    bound, std = find("ch04.starting-scales").reference(700, 300)
    torch.manual_seed(0)
    stored = torch.empty(300, 700)  # torch reads it as (d_out, d_in)
    drawn = torch.nn.init.xavier_uniform_(stored).abs().max().item()
    assert 0.999 * bound < drawn < 1.001 * bound
    drawn = torch.nn.init.kaiming_normal_(stored, nonlinearity="relu").std().item()
    assert 0.99 * std < drawn < 1.01 * std


def test_predictions_of_chapter_4_are_what_happens():
    torch = pytest.importorskip("torch")
    heads = [torch.nn.Linear(384, 32) for _ in range(3 * 12)]
    count = sum(p.numel() for head in heads for p in head.parameters())
    assert find("ch04.count-parameters").reference == count

    layer = ac.layers.SelfAttention(512, 64)
    layer(torch.randn(3, 20, 512))[0].mean().backward()
    assert find("ch04.gradient-shape").reference == tuple(layer.w_key.grad.shape)

    eye = torch.eye(6, dtype=torch.float64)
    features = [[0], [1], [2], [3, 4], [3, 5]]
    x = torch.stack([eye[one].sum(0) for one in features])
    matrices = [
        torch.tensor(w, dtype=torch.float64, requires_grad=True)
        for w in (
            [
                [2, 0, 0, 0],
                [0, 0, 2, 1],
                [2, 0, 0, 0],
                [0] * 4,
                [0, 0, 0, 2],
                [0, 2, 0, 0],
            ],
            [[0] * 4, [2, 0, 0, 0], [0, 2, 0, 0], [0] * 4, [0, 0, 2, 0], [0, 0, 0, 2]],
            [[0, 0], [4, 0], [0, 1], [-2, 0], [0, 3], [0, -3]],
        )
    ]
    projected = (x @ w for w in matrices)
    output, _ = ac.scaled_dot_product_attention(*projected, causal=True)
    output[3].sum().backward()
    learning = [(w.grad.abs().amax(1) > 1e-12).sum().item() for w in matrices]
    assert find("ch04.rows-that-learn").reference == tuple(learning)


def test_attention_of_chapter_3_is_the_package_s_with_its_weights():
    exercise = find("ch03.attention")
    for case in exercise.cases():
        theirs = ac.scaled_dot_product_attention(*case.arguments)
        for mine, wanted in zip(
            exercise.reference(*case.arguments), theirs, strict=True
        ):
            np.testing.assert_allclose(mine, wanted, rtol=1e-9, err_msg=case.label)


def test_a_mask_of_chapter_3_averages_what_came_before_in_its_text():
    exercise = find("ch03.average-before")
    for case in exercise.cases():
        (texts,) = case.arguments
        n, value = len(texts), np.arange(1.0, 2 * len(texts) + 1).reshape(-1, 2)
        mask, nothing = exercise.reference(texts), np.zeros((n, 3))
        output, _ = ac.scaled_dot_product_attention(nothing, nothing, value, mask)
        for i in range(n):
            before = [value[j] for j in range(i) if texts[j] == texts[i]]
            wanted = sum(before) / len(before) if before else np.zeros(2)
            np.testing.assert_allclose(output[i], wanted, err_msg=case.label)


def test_a_head_of_chapter_3_gives_the_share_of_a_letter():
    exercise = find("ch03.letter-share")
    for case in exercise.cases():
        text, letter = case.arguments
        chosen = exercise.reference(text, letter)
        output, _ = ac.scaled_dot_product_attention(*chosen)
        shares = [text[: i + 1].count(letter) / (i + 1) for i in range(len(text))]
        np.testing.assert_allclose(output[:, 0], shares, err_msg=case.label)


def test_predictions_of_chapter_3_are_what_happens():
    query, key, value = np.ones((7, 16)), np.ones((5, 16)), np.ones((5, 6))
    output, weights = ac.scaled_dot_product_attention(query, key, value)
    assert find("ch03.shapes").reference == (weights.shape, output.shape)
    scores, means = 10 * 30 * 8, 10 * 30 * 5
    assert find("ch03.multiply-adds").reference == scores + means


def test_the_turn_of_chapter_6_moves_every_place_of_the_other_layout():
    exercise = find("ch06.shift-matrix")
    for case in exercise.cases():
        k, d_model = case.arguments
        code = ac.sinusoidal_positions(120, d_model)
        halves = np.concatenate([code[:, 0::2], code[:, 1::2]], axis=1)
        places = np.arange(30, 60)
        moved = halves[places] @ exercise.reference(k, d_model)
        np.testing.assert_allclose(moved, halves[places + k], atol=1e-12)


def test_learned_places_of_chapter_6_are_the_layers():
    torch = pytest.importorskip("torch")
    exercise = find("ch06.learned-table")
    for case in exercise.cases():
        x, table, offset = case.arguments
        layer = ac.layers.LearnedPositions(x.shape[2], max_len=len(table)).double()
        layer.positions.data = torch.as_tensor(table)
        padded = np.pad(x, ((0, 0), (offset, 0), (0, 0)))
        expected = layer(torch.as_tensor(padded)).detach()[:, offset:]
        np.testing.assert_allclose(exercise.reference(x, table, offset), expected)


def test_the_designed_heads_of_chapter_6_do_their_job_in_the_package():
    code = ac.sinusoidal_positions(12, 32)
    w_query, w_key = find("ch06.look-back").reference(32)
    _, weights = ac.scaled_dot_product_attention(code @ w_query, code @ w_key, code)
    np.testing.assert_allclose(weights[1:, :-1], np.eye(11), atol=1e-6)

    scores, mask = find("ch06.last-occurrence").reference("banana")
    expected = np.zeros((6, 6))
    expected[[3, 4, 5], [1, 2, 3]] = 1.0
    np.testing.assert_allclose(ac.masked_softmax(scores, mask), expected, atol=1e-6)

    depth, opens = np.array([1, 2, 2, 2, 2, 1]), np.array([1, 1, 0, 1, 0, 0]) > 0
    query, key = find("ch06.opening-bracket").reference(depth, opens)
    _, weights = ac.scaled_dot_product_attention(query, key, key, causal=True)
    np.testing.assert_allclose(weights[~opens], np.eye(6)[[1, 3, 0]], atol=1e-3)


def test_only_distances_count_for_the_bias_of_chapter_6():
    exercise = find("ch06.distance-bias")
    for case in exercise.cases():
        n_q, n_k, slopes, offset = case.arguments
        bias = exercise.reference(n_q, n_k, slopes, offset)
        for head, i, j in np.ndindex(bias.shape):
            wanted = -slopes[head] * max(offset + i - j, j - offset - i)
            assert bias[head, i, j] == wanted


def test_predictions_of_chapter_6_are_what_happens():
    rng = np.random.default_rng(0)
    row, your, boat = rng.normal(size=(3, 4))
    x = np.stack([row, row, your, row, boat])
    w_query, w_key, w_value = rng.normal(size=(3, 4, 4))
    counts = []
    for causal in (False, True):
        output, _ = ac.scaled_dot_product_attention(
            x @ w_query, x @ w_key, x @ w_value, causal=causal
        )
        counts.append(len(np.unique(output.round(9), axis=0)))
    assert find("ch06.same-rows").reference == tuple(counts)

    slow = ac.sinusoidal_positions(2, 8)[1, 4:6]  # one word turns by its angle
    once_round = 2 * np.pi / np.arctan2(*slow)
    np.testing.assert_allclose(find("ch06.wavelength").reference, once_round, rtol=1e-6)


def _feed_forward(x, *parameters):
    import torch

    layer = ac.layers.FeedForward(*parameters[0].shape).double()
    tensors = map(torch.as_tensor, parameters)
    layer.load_state_dict(dict(zip(("w_1", "b_1", "w_2", "b_2"), tensors, strict=True)))
    with torch.no_grad():
        return layer(torch.as_tensor(x)).numpy()


def test_networks_of_chapter_7_are_the_layer():
    pytest.importorskip("torch")
    for case in find("ch07.mend-mixing").cases():
        mine = find("ch07.mend-mixing").reference(*case.arguments)
        np.testing.assert_allclose(mine, _feed_forward(*case.arguments), rtol=1e-9)
    for case in find("ch07.from-linears").cases():
        x, weight_1, bias_1, weight_2, bias_2 = case.arguments
        mine = find("ch07.from-linears").reference(*case.arguments)
        theirs = _feed_forward(x, weight_1.T, bias_1, weight_2.T, bias_2)
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_a_network_with_the_parameters_of_chapter_7_picks_the_larger_number():
    x = np.random.default_rng(0).uniform(-20, 20, (50, 5))
    parameters = find("ch07.larger-of").reference(5, 3, 1)
    hidden = np.maximum(0, x @ parameters[0] + parameters[1])
    answers = (hidden @ parameters[2] + parameters[3])[:, 0]
    np.testing.assert_allclose(answers, x[:, [3, 1]].max(axis=1), atol=1e-12)


def test_gelu_and_convolution_of_chapter_7_are_torchs():
    torch = pytest.importorskip("torch")
    for case in find("ch07.gelu").cases():
        theirs = torch.nn.functional.gelu(torch.as_tensor(case.arguments[0])).numpy()
        mine = find("ch07.gelu").reference(*case.arguments)
        np.testing.assert_allclose(mine, theirs, atol=1e-12)
    for case in find("ch07.convolution").cases():
        x, kernel, bias = map(torch.as_tensor, case.arguments)
        theirs = torch.nn.functional.conv1d(
            x.T[None], kernel.permute(2, 1, 0), bias, padding=len(kernel) // 2
        )
        mine = find("ch07.convolution").reference(*case.arguments)
        np.testing.assert_allclose(mine, theirs[0].T.numpy(), rtol=1e-9)


def test_predictions_of_chapter_7_are_what_happens():
    torch = pytest.importorskip("torch")
    parts = (
        ac.layers.MultiHeadAttention(768, 12),
        ac.layers.FeedForward(768, 3072),
    )
    count = sum(p.numel() for part in parts for p in part.parameters())
    assert find("ch07.count-parameters").reference == count

    value = np.array([[1.0, 2], [4, 0], [-2, 5]])
    rng = np.random.default_rng(0)
    query, key = 30 * rng.standard_normal((500, 2)), rng.standard_normal((3, 2))
    output, _ = ac.scaled_dot_product_attention(query, key, value)
    numbers = output @ [1.0, 2.0]
    lowest, highest = find("ch07.hull").reference
    assert lowest - 1e-9 <= numbers.min() < lowest + 0.01
    assert highest - 0.01 < numbers.max() <= highest + 1e-9

    bent = torch.relu(torch.tensor([3.0, -2, 1]))
    answer = bent @ torch.tensor([[2.0, 0], [5, 5], [-1, 4]]) + torch.tensor([1.0, -1])
    assert find("ch07.memory").reference == tuple(answer.tolist())


def test_one_layer_of_chapter_7_answers_as_the_three_do():
    x = np.random.default_rng(0).standard_normal((6, 9))
    for case in find("ch07.collapse").cases():
        w_1, b_1, w_2, b_2, w_3, b_3 = case.arguments
        words = x[:, : len(w_1)]
        matrix, bias = find("ch07.collapse").reference(*case.arguments)
        three = ((words @ w_1 + b_1) @ w_2 + b_2) @ w_3 + b_3
        np.testing.assert_allclose(words @ matrix + bias, three, atol=1e-12)
