"""The book's own data: one small example by hand, and real vectors for a few words.

``running_example`` is made up so that every number can be checked by hand.
``word_vectors`` and ``sentence_vectors`` come from a published model,
all-MiniLM-L6-v2, under the Apache License 2.0. How they were taken from it stands in
``attention_course/data/SOURCES.md`` of the course's repository.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._words import WORDS

__all__ = [
    "RunningExample",
    "running_example",
    "sentence_vectors",
    "word_vectors",
    "words",
]

FloatArray = NDArray[np.float64]


class RunningExample(NamedTuple):
    """Five words, three questions, and the query, key and value made for them."""

    words: tuple[str, ...]
    """The five words of the sentence."""
    questions: tuple[str, ...]
    """What the three queries ask, in words."""
    query: FloatArray
    """One query a question, of shape (3, 4)."""
    key: FloatArray
    """One key a word, of shape (5, 4)."""
    value: FloatArray
    """One value a word, a point in the plane, of shape (5, 2)."""


def running_example() -> RunningExample:
    """Return the example that the whole book works with.

    The features of a query or key (d_k = 4) are being, action, place and time.
    Values are points in the plane (d_v = 2). The numbers are chosen so that the scores,
    divided by sqrt(d_k) = 2, are 0, 1 or 2.

    Returns
    -------
    RunningExample
        ``words`` (5 names), ``questions`` (3 names), ``query`` (3, 4), ``key`` (5, 4)
        and ``value`` (5, 2), new float64 arrays on every call.

    Examples
    --------
    >>> import attention_course as ac
    >>> example = ac.data.running_example()
    >>> example.query @ example.key.T / 2
    array([[0., 2., 0., 0., 0.],
           [0., 0., 0., 0., 2.],
           [0., 0., 0., 2., 1.]])
    """
    table = {
        # word:     being, action, place, time   value
        "the": ([0, 0, 0, 0], [0, 0]),
        "cat": ([2, 0, 0, 0], [4, 0]),
        "sat": ([0, 2, 0, 0], [0, 1]),
        "outside": ([0, 0, 2, 0], [-2, 3]),
        "today": ([0, 0, 0, 2], [-2, -3]),
    }
    questions = {
        "who": [2, 0, 0, 0],
        "when": [0, 0, 0, 2],
        "where or when": [0, 0, 2, 1],
    }
    return RunningExample(
        words=tuple(table),
        questions=tuple(questions),
        query=np.array(list(questions.values()), dtype=np.float64),
        key=np.array([key for key, _ in table.values()], dtype=np.float64),
        value=np.array([value for _, value in table.values()], dtype=np.float64),
    )


def words() -> tuple[str, ...]:
    """Return the words that ``word_vectors`` and ``sentence_vectors`` know.

    Returns
    -------
    tuple of str
        All in lower case: the model that the vectors come from ignores case.
    """
    return WORDS


def word_vectors(words: str | Iterable[str]) -> FloatArray:
    """Look words up in a trained model's embedding table.

    This is what a Transformer knows of a word before any attention: one fixed row
    per word, whatever stands around it.

    Parameters
    ----------
    words : str or list of str
        One word, or several, out of ``words``.

    Returns
    -------
    numpy.ndarray
        Shape (384,) for one word, (n, 384) for n words in the order given, float64.
        Rows are as the model has them: their lengths differ.

    Raises
    ------
    TypeError
        If something other than strings is asked for.
    ValueError
        If a word is not among ``words``.

    Notes
    -----
    Source: ``embeddings.word_embeddings.weight`` of all-MiniLM-L6-v2, Apache-2.0
    (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
    """
    return _load("word_vectors.npy")[_rows(words)]


def sentence_vectors(words: str | Iterable[str]) -> FloatArray:
    """Return what a whole trained model makes of sentences of one word each.

    The word went through six layers of attention together with the model's marks for
    the beginning and end of a sentence; the three results are averaged.

    Parameters
    ----------
    words : str or list of str
        One word, or several, out of ``words``.

    Returns
    -------
    numpy.ndarray
        Shape (384,) for one word, (n, 384) for n words in the order given, float64.
        Every row has length 1 (to float32 precision), so that the dot product of two
        rows is their cosine.

    Raises
    ------
    TypeError
        If something other than strings is asked for.
    ValueError
        If a word is not among ``words``.

    Notes
    -----
    Source: computed by ``attention_course.data.extract`` with all-MiniLM-L6-v2,
    Apache-2.0 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2).
    """
    return _load("sentence_vectors.npy")[_rows(words)]


@cache
def _load(name: str) -> FloatArray:
    with (files(__package__) / name).open("rb") as file:
        stored: NDArray[np.float32] = np.load(file, allow_pickle=False)
    vectors = stored.astype(np.float64)
    vectors.flags.writeable = False
    return vectors


def _rows(words: str | Iterable[str]) -> NDArray[np.intp]:
    """Row numbers of the words: shape () for one word, (n,) for several."""
    if isinstance(words, str):
        return np.array(_row(words), dtype=np.intp)
    if not isinstance(words, Iterable):
        raise TypeError(
            f"words: must be a string or several strings, got {words!r} "
            f"({type(words).__name__})"
        )
    return np.array([_row(word) for word in words], dtype=np.intp)


def _row(word: str) -> int:
    if not isinstance(word, str):
        raise TypeError(
            f"words: each must be a string, got {word!r} ({type(word).__name__})"
        )
    if word not in WORDS:
        close = get_close_matches(word.lower(), WORDS)
        nearest = f"; nearest: {', '.join(close)}" if close else ""
        raise ValueError(
            f"words: each must be one of the {len(WORDS)} words that "
            f"attention_course.data.words() lists, got {word!r}{nearest}"
        )
    return WORDS.index(word)
