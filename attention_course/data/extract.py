"""Take the few vectors that the book uses out of the published checkpoint.

Run ``python -m attention_course.data.extract --model FOLDER``, where FOLDER holds
``model.safetensors`` and ``vocab.txt`` of all-MiniLM-L6-v2; ``SOURCES.md`` says where
to get them. It writes ``word_vectors.npy`` and ``sentence_vectors.npy``.

The model is a BERT encoder (Devlin et al., 2019, arXiv:1810.04805, section 3) with six
layers. Its attention is the book's own `scaled_dot_product_attention`. Everything is
computed in float64 and rounded to float32 at the end, so that the stored bytes do not
depend on the order in which a machine adds numbers.
"""

import argparse
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..attention import scaled_dot_product_attention
from ..heads import merge_heads, split_heads
from ._words import WORDS

Tensors = Mapping[str, NDArray[Any]]
FloatArray = NDArray[np.float64]

SHA256 = {
    "model.safetensors": (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
NUM_HEADS = 12
LAYER_NORM_EPSILON = 1e-12
SAFETENSORS_DTYPES = {"F32": "<f4", "I64": "<i8"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, extract, and print the hashes for ``SOURCES.md``."""
    parser = argparse.ArgumentParser(
        prog="python -m attention_course.data.extract",
        description="Extract the book's word and sentence vectors.",
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(arguments)
    for path in extract(options.model, options.output):
        print(f"{sha256(path)}  {path.name}  {path.stat().st_size} bytes")


def extract(
    model: Path,
    output: Path,
    *,
    words: Sequence[str] = WORDS,
    hashes: Mapping[str, str] = SHA256,
    num_heads: int = NUM_HEADS,
) -> tuple[Path, Path]:
    """Write the vectors of ``words`` to two files and return their paths.

    Parameters
    ----------
    model : pathlib.Path
        Folder that holds the files named in ``hashes``.
    output : pathlib.Path
        Folder to write ``word_vectors.npy`` and ``sentence_vectors.npy`` to.
    words : list of str
        Each must be a single token of the model.
    hashes : dict
        The SHA-256 of the checkpoint's two files.
    num_heads : int
        Heads per layer; a checkpoint does not say it, since it holds the projections
        of all heads side by side.

    Returns
    -------
    tuple
        The paths of the two files, float32 arrays of shape (number of words, d_model).

    Raises
    ------
    FileNotFoundError
        If a file is missing from ``model``.
    ValueError
        If a file is not the expected one, or a word is not a single token.
    """
    check_files(model, hashes)
    tensors = read_safetensors(model / "model.safetensors")
    vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").split("\n")
    tokens = token_ids(words, vocabulary)

    results = {
        "word_vectors.npy": word_embeddings(tokens, tensors)[:, 1],
        "sentence_vectors.npy": sentence_embeddings(tokens, tensors, num_heads),
    }
    for name, vectors in results.items():
        np.save(output / name, vectors.astype("<f4"), allow_pickle=False)
    return output / "word_vectors.npy", output / "sentence_vectors.npy"


def check_files(model: Path, hashes: Mapping[str, str]) -> None:
    """Raise unless every file in ``hashes`` is there and has the SHA-256 given."""
    for name, expected in hashes.items():
        path = model / name
        if not path.is_file():
            raise FileNotFoundError(
                f"model: must be a folder that holds {', '.join(hashes)}; "
                f"{name} is not in {model}"
            )
        found = sha256(path)
        if found != expected:
            raise ValueError(
                f"model: {name} must be the published file with SHA-256 {expected}, "
                f"got {path.stat().st_size} bytes with SHA-256 {found}; it may be "
                "another model, or a download that was cut off"
            )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Read every tensor of a safetensors file.

    The file is: the header's length (8 bytes, little-endian), the header (JSON: dtype,
    shape and place of every tensor), then the tensors' bytes, row by row.
    """
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header: dict[str, dict[str, Any]] = json.loads(content[8:start])
    header.pop("__metadata__", None)

    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        data = content[start + first : start + last]
        array = np.frombuffer(data, dtype=SAFETENSORS_DTYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"])
    return tensors


def token_ids(words: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.intp]:
    """Turn every word into a sentence of three tokens, ``[CLS] word [SEP]``.

    The result has shape (number of words, 3).
    """
    ids = {token: i for i, token in enumerate(vocabulary)}
    for word in words:
        if word not in ids:
            raise ValueError(
                f"words: each must be a single token of the model, got {word!r}, which "
                "its vocabulary does not list"
            )
    return np.array([[ids["[CLS]"], ids[word], ids["[SEP]"]] for word in words])


def word_embeddings(tokens: NDArray[np.intp], tensors: Tensors) -> FloatArray:
    """Look tokens (..., n) up in the embedding table: (..., n, d_model)."""
    table = tensors["embeddings.word_embeddings.weight"]
    return table[tokens].astype(np.float64)


def sentence_embeddings(
    tokens: NDArray[np.intp], tensors: Tensors, num_heads: int
) -> FloatArray:
    """Turn sentences of equal length (batch, n) into unit vectors (batch, d_model).

    The model's results for the tokens are averaged, then divided by their length.
    """
    sentences = encode(tokens, tensors, num_heads).mean(axis=-2)
    result: FloatArray = sentences / np.linalg.norm(sentences, axis=-1, keepdims=True)
    return result


def encode(tokens: NDArray[np.intp], tensors: Tensors, num_heads: int) -> FloatArray:
    """Run the encoder: tokens (batch, n) to vectors (batch, n, d_model)."""
    n = tokens.shape[-1]
    x = word_embeddings(tokens, tensors)
    x = x + tensors["embeddings.position_embeddings.weight"][:n]
    x = x + tensors["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(x, tensors, "embeddings.LayerNorm")

    query_weight = "attention.self.query.weight"
    num_layers = sum(name.endswith(query_weight) for name in tensors)
    for i in range(num_layers):
        x = encoder_layer(x, tensors, f"encoder.layer.{i}", num_heads)
    return x


def encoder_layer(
    x: FloatArray, tensors: Tensors, layer: str, num_heads: int
) -> FloatArray:
    """One layer: attention, then feed-forward, each added to its input and normed."""
    attended = self_attention(x, tensors, f"{layer}.attention", num_heads)
    x = layer_norm(x + attended, tensors, f"{layer}.attention.output.LayerNorm")

    hidden = gelu(linear(x, tensors, f"{layer}.intermediate.dense"))
    changed = linear(hidden, tensors, f"{layer}.output.dense")
    return layer_norm(x + changed, tensors, f"{layer}.output.LayerNorm")


def self_attention(
    x: FloatArray, tensors: Tensors, name: str, num_heads: int
) -> FloatArray:
    """Multi-head self-attention: (batch, n, d_model) to the same shape."""
    query, key, value = (
        split_heads(linear(x, tensors, f"{name}.self.{role}"), num_heads)
        for role in ("query", "key", "value")
    )
    output, _ = scaled_dot_product_attention(query, key, value)
    return linear(merge_heads(output), tensors, f"{name}.output.dense")


def linear(x: FloatArray, tensors: Tensors, name: str) -> FloatArray:
    """Apply a linear layer; the checkpoint stores its weight as (out, in)."""
    result: FloatArray = x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]
    return result


def layer_norm(x: FloatArray, tensors: Tensors, name: str) -> FloatArray:
    """Give every vector mean 0 and variance 1, then scale and shift its features."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.mean(centred**2, axis=-1, keepdims=True)
    normed = centred / np.sqrt(variance + LAYER_NORM_EPSILON)
    result: FloatArray = normed * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]
    return result


def gelu(x: FloatArray) -> FloatArray:
    """Multiply x by the normal distribution function of x (arXiv:1606.08415)."""
    erf = np.vectorize(math.erf, otypes=[np.float64])
    result: FloatArray = 0.5 * x * (1 + erf(x / math.sqrt(2)))
    return result


if __name__ == "__main__":
    main()
