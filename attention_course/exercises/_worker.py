"""One submission in a process of its own, with a limit on memory.

    python -m attention_course.exercises._worker SUBMISSION RESULTS MEGABYTES

Each verdict is a line of JSON in RESULTS as soon as it is known, so that what a
submission does later cannot take it back.
"""

import json
import sys
from pathlib import Path

from ._submission import verdicts
from ._verdict import Verdict


def limit_memory(megabytes: int) -> None:
    """Limit the address space, where the system can (not on Windows)."""
    try:
        import resource
    except ImportError:
        return
    size = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def as_line(verdict: Verdict) -> str:
    """Return a verdict as one line of JSON."""
    return json.dumps(
        {
            "exercise": verdict.exercise,
            "outcome": verdict.outcome.name,
            "misconceptions": list(verdict.misconceptions),
            "text": str(verdict),
        }
    )


def main(arguments: list[str]) -> None:
    """Judge one file and write the verdicts."""
    submission, results, megabytes = arguments
    limit_memory(int(megabytes))
    # a line at a time: what is written stays, whatever the submission does next
    with Path(results).open("w", encoding="utf-8", buffering=1) as stream:
        verdicts(Path(submission), lambda one: print(as_line(one), file=stream))


if __name__ == "__main__":
    main(sys.argv[1:])
