"""What the learner is told: data first, then plain text, then a panel."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from html import escape

from ._words import as_html


class Outcome(Enum):
    """The eight ways a check can end. Each has a word, a symbol and a colour."""

    NOT_ATTEMPTED = "not attempted"
    CORRECT = "correct"
    DIAGNOSED = "wrong, and here is why"
    PROPERTY = "wrong, a property fails"
    VALUES = "wrong, values differ"
    RAISED = "raised an error"
    UNFINISHED = "did not finish"
    CHANGED_INPUT = "changed its input"


_LOOK = {
    Outcome.NOT_ATTEMPTED: ("○", "Not attempted", "#6B7785"),
    Outcome.CORRECT: ("✓", "Correct", "#00806A"),
    Outcome.DIAGNOSED: ("✗", "Not yet", "#C8500A"),
    Outcome.PROPERTY: ("✗", "Not yet", "#C8500A"),
    Outcome.VALUES: ("✗", "Not yet", "#C8500A"),
    Outcome.RAISED: ("!", "Raised an error", "#B3261E"),
    Outcome.UNFINISHED: ("!", "Did not finish", "#B3261E"),
    Outcome.CHANGED_INPUT: ("!", "Changed its input", "#B3261E"),
}


# Green, yellow and red, as terminals know them; grey for what was not attempted.
ANSI = {
    Outcome.NOT_ATTEMPTED: 90,
    Outcome.CORRECT: 32,
    Outcome.DIAGNOSED: 33,
    Outcome.PROPERTY: 33,
    Outcome.VALUES: 33,
    Outcome.RAISED: 31,
    Outcome.UNFINISHED: 31,
    Outcome.CHANGED_INPUT: 31,
}


# What the learner's code got, did and gave is shown as it is.
_VERBATIM = {"At", "Inputs", "Yours", "Expected", "It ended in", "It printed"}
_BLOCK = "margin:.3em 0;padding:.2em .9em;overflow-x:auto"


@dataclass(frozen=True)
class Verdict:
    """The answer to a ``check``."""

    exercise: str
    outcome: Outcome
    title: str
    sections: tuple[tuple[str, str], ...] = ()  # (label, text); "" for no label
    misconceptions: tuple[str, ...] = field(default=())

    @property
    def is_correct(self) -> bool:
        """Whether the exercise is solved."""
        return self.outcome is Outcome.CORRECT

    def __str__(self) -> str:
        symbol, word, _ = _LOOK[self.outcome]
        lines = [f"{symbol} {word}  {self.exercise}  {self.title}".rstrip()]
        for label, text in self.sections:
            head = f"{label}: " if label else ""
            first, *rest = (head + text).split("\n")
            lines += [f"  {first}", *(f"    {line}" for line in rest)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        symbol, word, colour = _LOOK[self.outcome]
        raised = self.outcome is Outcome.RAISED
        rows = "".join(
            _section(label, text, escape if raised or label in _VERBATIM else as_html)
            for label, text in self.sections
        )
        return (
            f'<div class="ac-verdict ac-{self.outcome.name.lower().replace("_", "-")}" '
            f'role="status" style="border:1px solid {colour};border-left-width:6px;'
            'border-radius:6px;padding:.6em .9em;margin:.4em 0;max-width:46em">'
            f'<div><strong style="color:{colour}">{symbol} {word}</strong> '
            f"<code>{escape(self.exercise)}</code> {escape(self.title)}</div>"
            f"{rows}</div>"
        )


def _section(label: str, text: str, words: Callable[[str], str]) -> str:
    mark = ":" if label in _VERBATIM else "."
    head = f"<strong>{escape(label)}{mark}</strong> " if label else ""
    if "\n" in text:
        first, _, rest = text.partition("\n")
        block = f'<pre style="{_BLOCK}">{escape(rest)}</pre>'
        return f'<div style="margin-top:.4em">{head}{words(first)}{block}</div>'
    return f'<div style="margin-top:.4em">{head}{words(text)}</div>'


@dataclass(frozen=True)
class Note:
    """A hint, a solution or the table of progress: a text, also as a panel."""

    title: str
    text: str
    code: str = ""
    sections: tuple[tuple[str, str], ...] = ()  # (label, text), as in a verdict

    def __str__(self) -> str:
        parts = (f"{label}: {text}" for label, text in self.sections)
        body = "\n".join([self.title, self.text, *parts]).rstrip()
        return f"{body}\n\n{self.code}".rstrip() if self.code else body

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = [("", line) for line in self.text.split("\n")]
        text = "".join(_section(*one, as_html) for one in (*lines, *self.sections))
        code = f'<pre style="{_BLOCK}">{escape(self.code)}</pre>' if self.code else ""
        return (
            '<div class="ac-note" style="border:1px solid #6B7785;border-radius:6px;'
            'padding:.6em .9em;margin:.4em 0;max-width:46em">'
            f"<strong>{escape(self.title)}</strong>{text}{code}</div>"
        )
