"""What an exercise is: data, all of it. Nothing here runs an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KINDS = ("implement", "predict", "debug", "design", "explain")


@dataclass(frozen=True)
class Case:
    """One set of inputs: a label in plain words, and the arguments."""

    label: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that somebody gives for a reason.

    ``wrong`` is the answer itself: a function, or a value for a prediction. An
    exercise with ``switched`` gives ``switch`` instead: the keyword arguments that
    turn this one fault on.

    A fault that cannot run on every input names in ``raises`` how it ends there. It
    is recognised by its values on the cases before: one of these must be wrong.
    """

    id: str
    result: str  # what the answer's result is: "Each column of your weights sums to 1"
    belief: str  # what the learner may have believed
    question: str  # a question or a small experiment that leads out of it
    wrong: Any = None
    switch: Mapping[str, Any] | None = None
    raises: tuple[type[Exception], ...] = ()


@dataclass(frozen=True)
class Property:
    """Something that every right result has, checked before values are compared.

    ``broken(result, *arguments)`` returns a sentence about what is broken, or None.
    """

    name: str
    broken: Callable[..., str | None]


@dataclass(frozen=True)
class Remark:
    """What can be better about a right answer; shown when ``applies(answer)``."""

    text: str
    applies: Callable[[Callable[..., Any]], bool]


@dataclass(frozen=True)
class Choice:
    """One option of a question, and what there is to say to whoever takes it."""

    text: str
    reason: str
    right: bool = False


def _as_they_are(result: Any, *arguments: Any) -> Any:
    """Compare what was returned (``observe`` of most exercises)."""
    return result


@dataclass(frozen=True)
class Exercise:
    """One exercise; CONTRIBUTING walks through the fields."""

    id: str
    title: str
    kind: str
    minutes: int
    difficulty: int  # 1 to 5
    section: str  # label of the section of the notebook that it closes
    prompt: str  # Markdown
    starter: str  # the cell as handed out
    hints: tuple[str, ...]  # from vague to concrete; the last is a step short
    insight: str  # one thing worth knowing, told with "correct"
    reference: Any = None  # the answer written out as a reader should see it
    cases: Callable[[], Sequence[Case]] = lambda: (Case("no input"),)
    misconceptions: tuple[Misconception, ...] = ()
    variants: tuple[Callable[..., Any], ...] = ()  # right answers that look different
    switched: Callable[..., Any] | None = None  # the faults as keyword arguments
    properties: tuple[Property, ...] = ()
    observe: Callable[..., Any] = _as_they_are  # (result, *arguments) -> compared
    remarks: tuple[Remark, ...] = ()
    choices: Mapping[str, Choice] = field(default_factory=dict)
    libraries: tuple[str, ...] = ("numpy", "torch")
    tolerance: float = 1e-5  # relative, by norm; absolute for a predicted number

    @property
    def label(self) -> str:
        """The label of its prompt in the book: ``ex-ch02-scaled-scores``."""
        return f"ex-{self.id.replace('.', '-')}"

    @property
    def is_code(self) -> bool:
        """Whether the answer is a function."""
        return self.kind in ("implement", "debug", "design")
