"""Whatever a learner passes is survived, with a verdict that helps."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from attention_course.exercises import check
from attention_course.exercises._registry import find
from attention_course.exercises._verdict import Outcome

ID = "ch01.shares"


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    file = tmp_path / "progress.jsonl"
    monkeypatch.setenv("ATTENTION_COURSE_PROGRESS", str(file))
    return file


def right(scores):
    exponentials = np.exp(scores - np.max(scores))
    return exponentials / exponentials.sum()


def generator(scores):
    yield from right(scores)


def endless(scores):
    while True:
        pass


def stubborn(scores):
    while True:
        try:
            scores = scores + 1
        except Exception:
            continue


def recursive(scores):
    return recursive(scores)


def greedy(scores):
    return np.ones(10**15)


def talkative(scores):
    print("x" * 10**6)
    return right(scores)


def raising(error):
    def answer(scores):
        raise error

    return answer


def in_place(scores):
    scores -= scores.max()
    return right(scores)


def seeding(scores):
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    return right(scores)


class Shares:
    """Somebody made a class of it."""


SURVIVED = {
    "nothing": (None, Outcome.PROPERTY, "without parentheses"),
    "a number": (3, Outcome.PROPERTY, "a int"),
    "a list": ([0.5, 0.5], Outcome.PROPERTY, "a list"),
    "a string": ("softmax", Outcome.PROPERTY, "a str"),
    "a class": (Shares, Outcome.PROPERTY, "is a class"),
    "too many parameters": (lambda a, b: a, Outcome.RAISED, "1 argument"),
    "too few parameters": (lambda: 1, Outcome.RAISED, "1 argument"),
    "a generator": (generator, Outcome.PROPERTY, "generator"),
    "not a number": (lambda s: s * np.nan, Outcome.PROPERTY, "NaN"),
    "infinite": (lambda s: s + np.inf, Outcome.PROPERTY, "infinity"),
    "complex": (lambda s: s * 1j, Outcome.PROPERTY, "complex"),
    "a fixed answer": (lambda s: np.ones(3) / 3, Outcome.PROPERTY, "shape"),
    "text": (lambda s: "shares", Outcome.PROPERTY, "got str"),
    "returns None": (lambda s: None, Outcome.PROPERTY, "return"),
    "an exit": (raising(SystemExit(1)), Outcome.RAISED, "SystemExit"),
    "an interrupt": (raising(KeyboardInterrupt()), Outcome.RAISED, "Keyboard"),
    "recursion": (recursive, Outcome.RAISED, "calls itself"),
    "endless": (endless, Outcome.UNFINISHED, "never ends"),
    "endless and catching": (stubborn, Outcome.UNFINISHED, "never ends"),
    "far too much memory": (greedy, Outcome.RAISED, "memory"),
    "a base exception": (raising(BaseException("x")), Outcome.RAISED, "BaseException"),
    "changed input": (in_place, Outcome.CHANGED_INPUT, "scores"),
    "the input itself": (lambda s: s, Outcome.DIAGNOSED, ""),
}


@pytest.mark.parametrize(
    ("answer", "outcome", "words"), SURVIVED.values(), ids=SURVIVED.keys()
)
def test_it_is_survived_and_told(answer, outcome, words, monkeypatch):
    monkeypatch.setattr("attention_course.exercises._run.SECONDS", 1.0)
    verdict = check(ID, answer)
    if outcome is Outcome.DIAGNOSED:
        assert verdict.outcome in (Outcome.DIAGNOSED, Outcome.PROPERTY), str(verdict)
    else:
        assert verdict.outcome is outcome, str(verdict)
    assert words in str(verdict)
    assert "<div" in verdict._repr_html_()


def test_a_right_answer_may_print_seed_and_be_called_as_it_likes():
    for answer in (talkative, seeding, lambda scores, scale=1: right(scores * scale)):
        assert check(ID, answer).is_correct


def test_global_seeds_come_out_as_they_went_in():
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    expected = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    random.seed(7)
    check(ID, seeding)
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


def test_a_random_answer_gets_the_same_verdict_each_time():
    def rolled(scores):
        return np.random.random(scores.shape)  # noqa: NPY002

    assert str(check(ID, rolled)) == str(check(ID, rolled))


def test_memory_that_was_never_written_is_no_answer():
    def half_written(scores):
        right(scores)  # its result is freed, and np.empty may get the same memory
        shares = np.empty(scores.shape)
        shares[:1] = right(scores)[:1]
        return shares

    before = np.empty, np.empty_like
    verdict = check(ID, half_written)
    assert "NaN" in str(verdict), str(verdict)
    assert (np.empty, np.empty_like) == before


@pytest.fixture
def _interruptible():
    """Hear Ctrl+C as a terminal does; what a shell starts in the background is deaf."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals arrive in the main thread only")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_the_users_own_interrupt_passes_through():
    def waiting(scores):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        return scores

    with pytest.raises(KeyboardInterrupt):
        check(ID, waiting)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_trace_function_of_others_is_put_back():
    def trace(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        check(ID, right)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)


def test_a_right_answer_is_judged_within_a_second():
    find(ID)  # the chapter is loaded once
    begin = time.perf_counter()
    assert check(ID, right).is_correct
    assert time.perf_counter() - begin < 1.0


def test_an_import_is_never_cut_short(tmp_path, monkeypatch):
    lines = ["import time", "half = True", *["time.sleep(0.02)"] * 20, "whole = True"]
    (tmp_path / "slow_to_import.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("attention_course.exercises._run.SECONDS", 0.1)

    def importing(scores):
        import slow_to_import

        assert slow_to_import.whole
        return right(scores)

    assert check(ID, importing).outcome is Outcome.UNFINISHED
    assert sys.modules.pop("slow_to_import").whole


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(ValueError, match=r"ch01\.shares"):
        check("ch01.share", right)
    with pytest.raises(TypeError, match="in quotes"):
        check(right, ID)


class TestTorch:
    """Answers written in torch are answers too."""

    torch = pytest.importorskip("torch")

    def test_tensors_with_gradients_are_compared_like_others(self):
        torch = self.torch

        def answer(scores):
            scores = torch.as_tensor(scores).requires_grad_()
            return torch.softmax(scores, -1)

        assert check(ID, answer).is_correct

    def test_an_answer_that_needs_tensors_gets_tensors(self):
        assert check(ID, lambda s: self.torch.softmax(s, -1)).is_correct
        assert check(ID, lambda s: s.softmax(dim=-1)).is_correct

    def test_a_result_elsewhere_is_told(self):
        verdict = check(ID, lambda s: self.torch.empty(3, device="meta"))
        assert not verdict.is_correct
        assert str(verdict)

    def test_half_precision_is_close_and_not_equal(self):
        verdict = check(ID, lambda s: right(s).astype(np.float16))
        assert verdict.outcome in (Outcome.VALUES, Outcome.PROPERTY)


FIRST_IMPORT = """
import time
import numpy as np
from attention_course.exercises import _run
from attention_course.exercises._registry import find

def shares(scores):
    import torch
    return torch.softmax(torch.as_tensor(scores), dim=-1).numpy()

start = time.monotonic()
runs = _run.run_all(find("ch01.shares"), shares, seconds=0.3)
print(time.monotonic() - start > 0.3, [run.error for run in runs if run.error])
"""


def test_the_first_import_of_torch_takes_nothing_of_the_answers_time():
    pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, "-c", FIRST_IMPORT], capture_output=True, text=True
    )
    assert done.stdout.split() == ["True", "[]"], done.stderr
