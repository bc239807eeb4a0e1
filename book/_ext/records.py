"""Tables of the benchmark page, from the records that the benchmarks stored.

A line ``<!-- record NAME: column = heading, ... -->`` in a page becomes a sentence
about date and machine and a table with those columns. No number is typed.
"""

import json
import re
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "results"
PLACE = re.compile(r"<!-- record (\w+): (.*?) -->", re.DOTALL)


def record_text(name: str, columns: dict[str, str]) -> str:
    """Return one record as Markdown."""
    file = RESULTS / f"{name}.json"
    if not file.exists():
        raise FileNotFoundError(
            f"the record {name} is not stored: python benchmarks/{name}.py, and commit "
            f"benchmarks/results/{file.name}"
        )
    record = json.loads(file.read_text(encoding="utf-8"))
    machine = record["machine"]
    if unknown := columns.keys() - record["rows"][0].keys():
        raise KeyError(
            f"the record {name} has no column {sorted(unknown)}, but "
            f"{sorted(record['rows'][0])}"
        )
    head = list(columns.values())
    values = [[row[column] for row in record["rows"]] for column in columns]
    rows = zip(*map(_cells, values), strict=True)
    table = [head, [_rule(column) for column in values], *rows]
    about = (
        f"Measured on {record['date']}: {machine['processor']}, {machine['cores']} "
        f"cores, {machine['system']}, Python {machine['python']}, NumPy "
        f"{machine['numpy']}, PyTorch {machine['torch']}"
    )
    tools = record["settings"].get("versions", {})
    about += "".join(f", {tool} {version}" for tool, version in tools.items()) + "."
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    return "\n".join([about, "", *lines])


def _rule(values: list[Any]) -> str:
    """Return the line below a column's head; numbers stand on the right."""
    numbers = all(type(value) in (int, float) for value in values)
    return "---:" if numbers else "---"


def _cells(values: list[Any]) -> list[str]:
    """Return a column's cells; in one with fractions, all have as many decimals."""
    if not any(isinstance(value, float) for value in values):
        return list(map(_cell, values))
    decimals = _decimals(values)
    form = "#.4g" if decimals is None else f".{decimals}f"
    return [format(value, form).removesuffix(".") for value in values]


def _decimals(numbers: list[float]) -> int | None:
    """Return the decimals that show the largest number with at most 4 digits.

    None where they would change a small one by more than 1 %: from 0.1 to 1000 each
    number keeps 4 digits of its own.
    """
    written = [f"{number:.4g}".partition(".")[2] for number in numbers]
    whole = f"{int(max(map(abs, numbers)))}".lstrip("0")
    decimals = min(max(map(len, written)), max(0, 4 - len(whole)))
    changed = any(
        abs(round(number, decimals) - number) > 0.01 * abs(number) for number in numbers
    )
    return None if changed else decimals


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value > 9999:
        return f"{value:,}"
    return str(value).removeprefix("notebooks/").removeprefix("book/")  # pages


def filled(text: str) -> str:
    """Return a page's source with every record put in."""

    def put(match: re.Match[str]) -> str:
        pairs = (pair.split("=") for pair in match[2].split(","))
        return record_text(match[1], {name.strip(): to.strip() for name, to in pairs})

    return PLACE.sub(put, text)


def _on_read(app: Any, docname: str, source: list[str]) -> None:
    source[0] = filled(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", _on_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
