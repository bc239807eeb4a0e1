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
    rows = [[_cell(row[column]) for column in columns] for row in record["rows"]]
    rules = [_rule([row[column] for row in record["rows"]]) for column in columns]
    table = [head, rules, *rows]
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


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value > 9999:
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


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
