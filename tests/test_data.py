"""The book's data: the example by hand, the stored vectors, and their extraction."""

import hashlib
import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from attention_course import data
from attention_course.data import extract as extraction

FOLDER = Path(str(files("attention_course.data")))
LOOKUPS = [data.word_vectors, data.sentence_vectors]


# --- The running example -----------------------------------------------------------


def test_running_example_has_the_scores_worked_by_hand():
    # who = being 2, cat = being 2: 2 * 2 / sqrt(4) = 2. "where or when" has place 2 and
    # time 1: 2 * 2 / 2 = 2 with outside and 1 * 2 / 2 = 1 with today. All else is 0.
    example = data.running_example()
    scores = example.query @ example.key.T / np.sqrt(4)
    by_hand = [[0, 2, 0, 0, 0], [0, 0, 0, 0, 2], [0, 0, 0, 2, 1]]
    np.testing.assert_array_equal(scores, by_hand)
    assert example.words == ("the", "cat", "sat", "outside", "today")
    assert example.questions == ("who", "when", "where or when")


def test_running_example_attends_as_worked_by_hand():
    # who: four words score 0 and cat scores 2, so cat gets e^2 / (e^2 + 4) = 0.649 and
    # every other word 1 / (e^2 + 4) = 0.0878. The values, weighted: first coordinate
    # 0.649 * 4 - 0.0878 * (2 + 2) = 2.244; second 0.0878 * (1 + 3 - 3) = 0.0878.
    example = data.running_example()
    exponentials = np.exp(example.query @ example.key.T / 2)
    weights = exponentials / exponentials.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(weights[0], [0.0878, 0.6488, *[0.0878] * 3], atol=5e-5)
    np.testing.assert_allclose((weights @ example.value)[0], [2.244, 0.0878], atol=5e-4)


def test_running_example_is_new_on_every_call():
    data.running_example().key[:] = 7
    assert data.running_example().key.max() == 2


def test_running_example_has_float64_arrays_of_the_documented_shapes():
    _, _, *arrays = data.running_example()
    assert [array.shape for array in arrays] == [(3, 4), (5, 4), (5, 2)]
    assert all(array.dtype == np.float64 for array in arrays)


# --- The stored vectors ------------------------------------------------------------


def test_words_are_unique_and_at_least_seventy():
    assert len(data.words()) >= 70
    assert len(set(data.words())) == len(data.words())


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_vectors_come_in_the_order_asked_for(lookup):
    three = lookup(["river", "22", "cat"])
    assert three.shape == (3, 384)
    assert three.dtype == np.float64
    for row, word in zip(three, ["river", "22", "cat"], strict=True):
        np.testing.assert_array_equal(row, lookup(word))
    assert lookup("river").shape == (384,)
    assert lookup([]).shape == (0, 384)


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_changing_a_result_leaves_the_stored_vectors_alone(lookup):
    before = lookup("cat").copy()
    lookup("cat")[:] = 0
    lookup(["cat", "dog"])[:] = 0
    np.testing.assert_array_equal(lookup("cat"), before)


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_all_rows_are_finite_and_different(lookup):
    rows = lookup(data.words())
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) == len(data.words())


def test_sentence_vectors_have_length_one_and_word_vectors_have_not():
    sentences = np.linalg.norm(data.sentence_vectors(data.words()), axis=-1)
    bare = np.linalg.norm(data.word_vectors(data.words()), axis=-1)
    np.testing.assert_allclose(sentences, 1, atol=1e-6)
    assert bare.min() > 0.5
    assert bare.max() - bare.min() > 0.1


def cosines(lookup, queries, keys):
    query, key = lookup(queries), lookup(keys)
    lengths = np.linalg.norm(query, axis=-1)[:, None] * np.linalg.norm(key, axis=-1)
    return query @ key.T / lengths


@pytest.mark.parametrize(
    ("lookup", "word", "expected"),
    [
        (data.sentence_vectors, "species", [0.325, 0.198, 0.324]),
        (data.word_vectors, "species", [0.078, 0.136, 0.158]),
        (data.sentence_vectors, "kind", [0.394, 0.300, 0.596]),
    ],
)
def test_cosines_to_color_age_and_type_are_those_of_the_published_model(
    lookup, word, expected
):
    # Reference: the transformers library (AutoModel) on the same checkpoint, 3 digits.
    found = cosines(lookup, [word], ["color", "age", "type"])[0]
    np.testing.assert_allclose(found, expected, atol=5.5e-4)


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize(
    ("word", "closest"),
    [("kind", "type"), ("category", "type"), ("hue", "color"), ("years", "age")],
)
def test_each_question_finds_its_key(lookup, word, closest):
    keys = ["color", "age", "type"]
    assert keys[cosines(lookup, [word], keys).argmax()] == closest


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize(
    ("words", "error", "content"),
    [
        ("colour", ValueError, "'colour'; nearest: color"),
        ("Paris", ValueError, "nearest: paris"),
        (["cat", "zyzzyva"], ValueError, "got 'zyzzyva'$"),
        (["blue", 22, "pickup"], TypeError, r"each must be a string, got 22 \(int\)"),
        (22, TypeError, r"a string or several strings, got 22 \(int\)"),
    ],
)
def test_a_word_that_is_not_there_is_named(lookup, words, error, content):
    with pytest.raises(error, match=f"^words: .*{content}"):
        lookup(words)


# --- The files ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["word_vectors.npy", "sentence_vectors.npy"])
def test_sources_records_every_data_file(name):
    row = re.search(
        rf"`{name}` \| \((\d+), (\d+)\) float32 \| (\d+) \| `([0-9a-f]{{64}})`",
        (FOLDER / "SOURCES.md").read_text(encoding="utf-8"),
    )
    assert row is not None, f"SOURCES.md has no row for {name}"
    content = (FOLDER / name).read_bytes()
    stored = np.load(FOLDER / name)
    assert stored.dtype == np.float32
    assert (int(row[1]), int(row[2])) == stored.shape == (len(data.words()), 384)
    assert int(row[3]) == len(content) < 200_000
    assert row[4] == hashlib.sha256(content).hexdigest()


def test_sources_records_the_words_in_the_order_of_the_rows():
    digest = hashlib.sha256("\n".join(data.words()).encode()).hexdigest()
    assert digest in (FOLDER / "SOURCES.md").read_text(encoding="utf-8")


def test_sources_records_the_checkpoint_that_the_script_accepts():
    sources = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for name, digest in extraction.SHA256.items():
        assert re.search(rf"`{name}` .*`{digest}`", sources)


def test_data_needs_neither_torch_nor_matplotlib():
    code = (
        "import sys; from attention_course import data; data.word_vectors('cat'); "
        "raise SystemExit(bool({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- The extraction, on a small made-up checkpoint ----------------------------------

D_MODEL, NUM_HEADS, D_FF, NUM_LAYERS = 12, 3, 20, 2
VOCABULARY = ["[PAD]", "[CLS]", "cat", "dog", "[SEP]"]


def made_up_tensors():
    rng = np.random.default_rng(0)
    shapes = {
        "embeddings.word_embeddings.weight": (len(VOCABULARY), D_MODEL),
        "embeddings.position_embeddings.weight": (7, D_MODEL),
        "embeddings.token_type_embeddings.weight": (2, D_MODEL),
        "embeddings.LayerNorm.weight": (D_MODEL,),
        "embeddings.LayerNorm.bias": (D_MODEL,),
    }
    for i in range(NUM_LAYERS):
        linears = {
            "attention.self.query": (D_MODEL, D_MODEL),
            "attention.self.key": (D_MODEL, D_MODEL),
            "attention.self.value": (D_MODEL, D_MODEL),
            "attention.output.dense": (D_MODEL, D_MODEL),
            "intermediate.dense": (D_FF, D_MODEL),
            "output.dense": (D_MODEL, D_FF),
            "attention.output.LayerNorm": (D_MODEL,),
            "output.LayerNorm": (D_MODEL,),
        }
        for name, shape in linears.items():
            shapes[f"encoder.layer.{i}.{name}.weight"] = shape
            shapes[f"encoder.layer.{i}.{name}.bias"] = shape[:1]
    tensors = {
        name: rng.normal(0, 0.6, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    position_ids = np.arange(7, dtype=np.int64)[None]
    return {"embeddings.position_ids": position_ids, **tensors}


def write_checkpoint(folder, tensors):
    """Write the format's three parts: header length, header, bytes."""
    header, body = {"__metadata__": {"format": "made up"}}, b""
    for name, array in tensors.items():
        start, body = len(body), body + array.tobytes()
        header[name] = {
            "dtype": {"float32": "F32", "int64": "I64"}[array.dtype.name],
            "shape": array.shape,
            "data_offsets": [start, len(body)],
        }
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + body
    (folder / "model.safetensors").write_bytes(content)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    names = ["model.safetensors", "vocab.txt"]
    return {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}


@pytest.fixture
def checkpoint(tmp_path):
    tensors = made_up_tensors()
    return tmp_path, tensors, write_checkpoint(tmp_path, tensors)


def extract_made_up(folder, hashes, output, words=("dog", "cat")):
    return extraction.extract(
        folder, output, words=words, hashes=hashes, num_heads=NUM_HEADS
    )


def test_reader_returns_every_tensor_as_it_was_written(checkpoint):
    folder, tensors, _ = checkpoint
    found = extraction.read_safetensors(folder / "model.safetensors")
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_reader_agrees_with_the_safetensors_library(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "model.safetensors"
    library.save_file(made_up_tensors(), path)
    found = extraction.read_safetensors(path)
    for name, array in library.load_file(path).items():
        np.testing.assert_array_equal(found.pop(name), array, strict=True)
    assert not found


def test_word_vectors_are_rows_of_the_embedding_table(checkpoint, tmp_path):
    folder, tensors, hashes = checkpoint
    words, _ = extract_made_up(folder, hashes, tmp_path)
    table = tensors["embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(np.load(words), table[[3, 2]], strict=True)


def test_encoder_agrees_with_torch_on_a_made_up_checkpoint(checkpoint, tmp_path):
    folder, tensors, hashes = checkpoint
    _, sentences = extract_made_up(folder, hashes, tmp_path)
    tokens = np.array([[1, 3, 4], [1, 2, 4]])
    expected = torch_encoder(tensors, tokens)
    found = extraction.encode(tokens, tensors, NUM_HEADS)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error < 1e-12

    mean = expected.mean(axis=1)
    unit = mean / np.sqrt((mean**2).sum(axis=1, keepdims=True))
    assert np.load(sentences).dtype == np.float32
    np.testing.assert_allclose(np.load(sentences), unit, rtol=1e-6, atol=1e-7)


def torch_encoder(tensors, tokens):
    """Run torch's own encoder with the made-up weights, in float64."""
    torch = pytest.importorskip("torch")
    tensors = {name: torch.tensor(array).double() for name, array in tensors.items()}
    x = tensors["embeddings.word_embeddings.weight"][tokens]
    x = x + tensors["embeddings.position_embeddings.weight"][: tokens.shape[1]]
    x = x + tensors["embeddings.token_type_embeddings.weight"][0]
    norm = [tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")]
    x = torch.nn.functional.layer_norm(x, (D_MODEL,), *norm, eps=1e-12)
    for i in range(NUM_LAYERS):
        x = torch_layer(torch, tensors, f"encoder.layer.{i}")(x)
    return x.detach().numpy()


def torch_layer(torch, tensors, name):
    layer = torch.nn.TransformerEncoderLayer(
        D_MODEL,
        NUM_HEADS,
        D_FF,
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-12,
        batch_first=True,
        dtype=torch.float64,
    )
    ours = {
        "self_attn.out_proj": "attention.output.dense",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm1": "attention.output.LayerNorm",
        "norm2": "output.LayerNorm",
    }
    state = {}
    for part in ("weight", "bias"):
        roles = ("query", "key", "value")
        projections = [tensors[f"{name}.attention.self.{r}.{part}"] for r in roles]
        state[f"self_attn.in_proj_{part}"] = torch.cat(projections)
        for theirs, own in ours.items():
            state[f"{theirs}.{part}"] = tensors[f"{name}.{own}.{part}"]
    layer.load_state_dict(state)
    return layer


def test_extracting_twice_writes_the_same_bytes(checkpoint, tmp_path):
    folder, _, hashes = checkpoint
    first = [p.read_bytes() for p in extract_made_up(folder, hashes, tmp_path)]
    assert first == [p.read_bytes() for p in extract_made_up(folder, hashes, tmp_path)]


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_a_changed_file_is_refused_before_anything_is_written(
    checkpoint, tmp_path, name
):
    folder, _, hashes = checkpoint
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} must be the published file") as error:
        extract_made_up(folder, hashes, tmp_path)
    assert hashes[name] in str(error.value)
    assert f"got {len(content)} bytes" in str(error.value)
    assert not list(tmp_path.glob("*.npy"))


def test_the_command_refuses_a_checkpoint_that_is_not_the_published_one(checkpoint):
    folder, _, _ = checkpoint
    with pytest.raises(ValueError, match=extraction.SHA256["model.safetensors"]):
        extraction.main(["--model", str(folder), "--output", str(folder)])


def test_a_folder_without_the_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors is not in"):
        extraction.main(["--model", str(tmp_path)])


def test_a_word_that_is_not_one_token_is_refused(checkpoint, tmp_path):
    folder, _, hashes = checkpoint
    with pytest.raises(ValueError, match="single token of the model, got 'catlike'"):
        extract_made_up(folder, hashes, tmp_path, words=["cat", "catlike"])


# --- The extraction, on the published checkpoint -------------------------------------


@pytest.mark.skipif(
    "ATTENTION_COURSE_CHECKPOINT" not in os.environ,
    reason="set ATTENTION_COURSE_CHECKPOINT to a folder with all-MiniLM-L6-v2",
)
def test_the_published_checkpoint_gives_the_stored_files(tmp_path, capsys):
    model = os.environ["ATTENTION_COURSE_CHECKPOINT"]
    extraction.main(["--model", model, "--output", str(tmp_path)])
    printed = capsys.readouterr().out
    for name in ["word_vectors.npy", "sentence_vectors.npy"]:
        content = (tmp_path / name).read_bytes()
        assert content == (FOLDER / name).read_bytes()
        assert f"{hashlib.sha256(content).hexdigest()}  {name}" in printed
