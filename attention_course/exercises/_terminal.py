"""The course in a terminal: list, check, hint, solution, progress, export, grade."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import hint, progress, solution
from ._export import export
from ._grade import MEGABYTES, SECONDS, grade, judged_apart, write_csv
from ._model import Exercise
from ._progress import record
from ._registry import chapters, every
from ._verdict import ANSI, Outcome


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    main = argparse.ArgumentParser(prog="attention-course", description=__doc__)
    words = main.add_subparsers(dest="word", required=True)
    listing = words.add_parser("list", help="all exercises, or those of some chapters")
    listing.add_argument("chapters", nargs="*", help="for example ch02")
    checking = words.add_parser(
        "check", help="run a script or notebook with checks in it"
    )
    checking.add_argument("file", type=Path)
    for word in ("hint", "solution"):
        one = words.add_parser(word, help=f"the {word} of one exercise")
        one.add_argument("id", help="for example ch02.scaled-scores")
    words.add_parser("progress", help="what you have done")
    exporting = words.add_parser("export", help="notebooks for students or instructors")
    exporting.add_argument("chapters", nargs="*", help="for example ch02; all if none")
    exporting.add_argument("--notebooks", type=Path, default=Path("notebooks"))
    exporting.add_argument("--to", type=Path, required=True, help="a folder")
    exporting.add_argument("--instructor", action="store_true", help="with solutions")
    grading = words.add_parser("grade", help="a folder of submissions, into a CSV file")
    grading.add_argument("folder", type=Path)
    grading.add_argument("chapters", nargs="*", help="for example ch02; all if none")
    grading.add_argument("--to", type=Path, default=Path("grades.csv"), help="a file")
    for limited in (checking, grading):
        limited.add_argument("--seconds", type=float, default=SECONDS, help="per file")
        limited.add_argument(
            "--megabytes", type=int, default=MEGABYTES, help="per file"
        )
    return main


def chosen(names: Sequence[str]) -> list[str]:
    """Return the slugs that are meant by beginnings such as ch02; all for none."""
    slugs = [s for s in chapters() if not names or s.startswith(tuple(names))]
    missing = [n for n in names if not any(s.startswith(n) for s in chapters())]
    if missing:
        raise SystemExit(f"no chapter begins with {', '.join(missing)}")
    return slugs


def _exercises(names: Sequence[str]) -> list[Exercise]:
    beginnings = tuple(slug[:4] for slug in chosen(names))
    return [exercise for exercise in every() if exercise.id[:4] in beginnings]


def _list(names: Sequence[str]) -> int:
    for one in _exercises(names):
        facts = f"{one.kind:<10} {one.minutes:>3} min  {'●' * one.difficulty:<5}"
        print(f"{one.id:<32} {facts}  {one.title}")
    return 0


def _coloured(text: str, outcome: str) -> str:
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    first, _, rest = text.partition("\n")
    return f"\x1b[{ANSI[Outcome[outcome]]}m{first}\x1b[0m\n{rest}"


def _check(file: Path, seconds: float, megabytes: int) -> int:
    if not file.exists():
        raise SystemExit(f"there is no file {file}")
    rows, ended = judged_apart(file, seconds, megabytes)
    for row in rows:
        print(_coloured(row["text"], row["outcome"]), end="\n\n")
        if row["outcome"] != Outcome.NOT_ATTEMPTED.name:
            record(row["exercise"], row["outcome"])
    if ended:
        print(f"The file did not run to its end: {ended}.")
    elif not rows:
        print('No check found. Add a line such as check("ch01.shares", shares_of).')
    right = all(row["outcome"] == Outcome.CORRECT.name for row in rows)
    return 0 if rows and right and not ended else 1


def _export(options: argparse.Namespace) -> int:
    slugs = chosen(options.chapters)
    if not options.notebooks.is_dir():
        raise SystemExit(
            f"there is no folder {options.notebooks}: run this in a copy of the "
            "repository, or say where the chapters are with --notebooks"
        )
    for file in export(
        options.notebooks, slugs, options.to, solutions=options.instructor
    ):
        print(file)
    return 0


def _grade(options: argparse.Namespace) -> int:
    exercises = _exercises(options.chapters)
    if not options.folder.is_dir():
        raise SystemExit(f"there is no folder {options.folder} with submissions")
    rows = grade(options.folder, exercises, options.seconds, options.megabytes)
    print(f"{write_csv(rows, options.to)} rows in {options.to}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 if all that was checked is correct."""
    options = parser().parse_args(arguments)
    if options.word == "list":
        return _list(options.chapters)
    if options.word == "check":
        return _check(options.file, options.seconds, options.megabytes)
    if options.word == "export":
        return _export(options)
    if options.word == "grade":
        return _grade(options)
    try:
        notes = {"hint": hint, "solution": solution}
        note = notes[options.word](options.id) if "id" in options else progress()
    except ValueError as error:
        raise SystemExit(str(error)) from None
    print(note)
    return 0
