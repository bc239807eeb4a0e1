"""All exercises, found by themselves: every `Exercise` in a module named chNN_slug."""

import difflib
import importlib
import pkgutil
import re
from functools import cache
from types import ModuleType

from ._model import Exercise


@cache
def chapters() -> tuple[str, ...]:
    """Return the slugs of all chapters that have exercises, in order."""
    package = importlib.import_module(__package__)
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name for name in names if re.match(r"ch\d\d_", name)))


def chapter(slug: str) -> tuple[Exercise, ...]:
    """Return the exercises of one chapter, in the order of their definition."""
    module: ModuleType = importlib.import_module(f"{__package__}.{slug}")
    return tuple(v for v in vars(module).values() if isinstance(v, Exercise))


@cache
def every() -> tuple[Exercise, ...]:
    """Return all exercises of the course, chapter by chapter."""
    return tuple(exercise for slug in chapters() for exercise in chapter(slug))


@cache
def find(exercise_id: str) -> Exercise:
    """Return the exercise with this id; only its chapter's module is loaded."""
    if not isinstance(exercise_id, str):
        raise TypeError(
            "the first argument must be the id of an exercise, in quotes, for example "
            f"check('ch01.shares', shares_of); got {type(exercise_id).__name__}."
        )
    slugs = [slug for slug in chapters() if slug.startswith(f"{exercise_id[:4]}_")]
    for exercise in (e for slug in slugs for e in chapter(slug)):
        if exercise.id == exercise_id:
            return exercise
    close = difflib.get_close_matches(exercise_id, [e.id for e in every()], n=3)
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    raise ValueError(f"there is no exercise {exercise_id!r}.{meant}")
