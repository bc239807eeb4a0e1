"""Judge every reference changed in one place: the checks must reject it.

Every exercise's reference is changed by the operators of ``_mutations``, one place at
a time, and judged as a learner's answer is. A mutant that does the same as the
reference is listed in ``equivalent_mutants.json`` with the reason; of the others at
least 99 % must be rejected, or this script fails.

    python benchmarks/mutants.py [--only ch01] [--name mutants]
"""

import argparse
import inspect
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _mutations import Mutant, mutants
from _record import Row, save

from attention_course.exercises import _run
from attention_course.exercises._judge import judge
from attention_course.exercises._model import Exercise
from attention_course.exercises._registry import every
from attention_course.exercises._verdict import Outcome
from attention_course.exercises._worker import limit_memory

AT_LEAST = 0.99
SECONDS = 2.0  # for a mutant that never ends
MEGABYTES = 8000  # of address space, for one that asks for too much
EQUIVALENT = Path(__file__).parent / "equivalent_mutants.json"
Key = tuple[str, str, str]  # exercise, statement before, statement after


@dataclass
class Tally:
    """What became of the mutants of one exercise."""

    exercise: str
    outcomes: list[Outcome] = field(default_factory=list)
    equivalent: int = 0
    survivors: list[Key] = field(default_factory=list)
    mistaken: list[Key] = field(default_factory=list)  # listed, and yet rejected

    def row(self) -> Row:
        """Return the counts."""
        count = len(self.outcomes)
        rejected = count - self.equivalent - len(self.survivors)
        return {
            "exercise": self.exercise,
            "mutants": count,
            "equivalent": self.equivalent,
            "rejected": rejected,
            "raised": self.outcomes.count(Outcome.RAISED),
            "named": self.outcomes.count(Outcome.DIAGNOSED),
            "survivors": len(self.survivors),
            "rate": round(rejected / max(1, count - self.equivalent), 4),
        }


def equivalents() -> dict[Key, str]:
    """Return the mutants that do the same as the reference, each with its reason."""
    entries = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return {(e["exercise"], e["before"], e["after"]): e["reason"] for e in entries}


def code_exercises() -> list[Exercise]:
    """Return the exercises whose answer is a function."""
    return [exercise for exercise in every() if exercise.is_code]


def mutants_of(exercise: Exercise) -> tuple[Mutant, ...]:
    """Return the mutants of an exercise's reference."""
    return mutants(inspect.getsource(exercise.reference))


def tally(exercise: Exercise, listed: dict[Key, str]) -> Tally:
    """Judge every mutant of an exercise."""
    result = Tally(exercise.id)
    for mutant in mutants_of(exercise):
        outcome = judge(exercise, mutant.compiled(np=np)).outcome
        result.outcomes.append(outcome)
        key = (exercise.id, mutant.before, mutant.after)
        if outcome is Outcome.CORRECT:
            result.equivalent += key in listed
            result.survivors += [key] * (key not in listed)
        elif key in listed:
            result.mistaken.append(key)
    return result


def total(rows: list[Row]) -> Row:
    """Return the sum of all rows, and the rate of the whole."""
    summed: Row = {name: sum(r[name] for r in rows) for name in list(rows[0])[1:-1]}
    judged = summed["mutants"] - summed["equivalent"]
    rate = round(summed["rejected"] / judged, 4)
    return {"exercise": "all", **summed, "rate": rate}


def main() -> None:
    """Judge all mutants, store the record, and fail if too many survive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="ids that begin so; stores nothing")
    parser.add_argument("--name", default="mutants", help="of the record")
    options = parser.parse_args()
    _run.SECONDS = SECONDS
    limit_memory(MEGABYTES)
    chosen = [e for e in code_exercises() if e.id.startswith(options.only)]
    listed = equivalents()
    tallies = [tally(exercise, listed) for exercise in chosen]
    rows = [one.row() for one in tallies]
    rows.append(total(rows))
    survivors = [key for one in tallies for key in one.survivors]
    mistaken = [key for one in tallies for key in one.mistaken]
    for key in survivors:
        print("survives:", " | ".join(key))
    for key in mistaken:
        print("listed as equivalent, and rejected:", " | ".join(key))
    if not options.only:
        save(options.name, rows, seconds=SECONDS, survivors=survivors)
    if rows[-1]["rate"] < AT_LEAST or mistaken:
        sys.exit(f"too few are rejected, or the list is wrong: {rows[-1]}")


if __name__ == "__main__":
    main()
