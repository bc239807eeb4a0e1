"""Store what requirements.txt brings along, in the versions that are installed.

Only what the requirements reach is written, so a package that somebody has added to the
environment by hand does not become a constraint.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FILES = ("requirements.txt", "requirements-lab.txt")
HEADER = """\
# What requirements.txt and requirements-lab.txt bring along, in the versions that the
# book was built with. Written by `make constraints`.
"""


def normalised(name: str) -> str:
    """Return a package's name in the one form that compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned_names(path: Path) -> list[str]:
    """Return the names that a requirements file pins."""
    return re.findall(r"^([\w.-]+)==", path.read_text("utf-8"), re.MULTILINE)


def installed_requirements(name: str, extras: set[str]) -> list[Requirement]:
    """Return what an installed package needs on this platform; nothing if absent."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return []
    environments = [{"extra": extra} for extra in extras | {""}]
    needed = [Requirement(line) for line in lines]
    return [
        requirement
        for requirement in needed
        if requirement.marker is None
        or any(requirement.marker.evaluate(env) for env in environments)
    ]


def reachable(names: list[str]) -> set[str]:
    """Return the normalised names of all that these packages need, themselves too."""
    seen: set[str] = set()
    open_ends: list[tuple[str, set[str]]] = [(name, set()) for name in names]
    while open_ends:
        name, extras = open_ends.pop()
        if normalised(name) in seen and not extras:
            continue
        seen.add(normalised(name))
        for requirement in installed_requirements(name, extras):
            if normalised(requirement.name) not in seen:
                open_ends.append((requirement.name, set(requirement.extras)))
    return seen


def main() -> None:
    """Write constraints.txt."""
    direct = [name for file in FILES for name in pinned_names(ROOT / file)]
    lines = []
    for name in sorted(reachable(direct) - {normalised(name) for name in direct}):
        try:
            lines.append(f"{name}=={distribution(name).version.split('+')[0]}\n")
        except PackageNotFoundError:
            continue
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
