"""Shared by all benchmarks: interleaved timing, peak memory, and the record.

A record is a JSON file in ``results/``: what was measured, when, on which machine (its
processor and versions, never its name or paths), and a list of flat rows.
"""

import datetime
import gc
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # torch's profiler talks otherwise

RESULTS = Path(__file__).parent / "results"
Row = dict[str, Any]


def machine(packages: Sequence[str] = ("numpy", "torch")) -> Row:
    """Return processor, cores and versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def interleaved(
    runs: dict[str, Callable[[], Any]], *, seconds: float, at_least: int = 7
) -> dict[str, list[float]]:
    """Time the runs in turn, so that a busy machine slows all of them alike.

    The order is reversed every round; the garbage collector waits outside. Returns the
    seconds of each run, after two rounds of warming up.
    """
    for run in [*runs.values(), *runs.values()]:
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    order = list(runs.items())
    begin = time.perf_counter()
    while len(times[order[0][0]]) < at_least or time.perf_counter() - begin < seconds:
        order.reverse()
        for name, run in order:
            times[name].append(_once(run))
    return times


def _once(run: Callable[[], Any]) -> float:
    gc.collect(0)
    gc.disable()
    try:
        begin = time.perf_counter()
        run()
        return time.perf_counter() - begin
    finally:
        gc.enable()


def medians(times: dict[str, list[float]]) -> dict[str, float]:
    """Return the median of each list."""
    return {name: statistics.median(values) for name, values in times.items()}


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the ratio of the two medians."""
    return statistics.median(ours) / statistics.median(theirs)


def peak_bytes(run: Callable[[], Any]) -> int:
    """Return by how much the tensors alive during ``run`` exceed those before it.

    torch reports every allocation and release of its processor allocator; the peak of
    their running sum is exact and the same on each call. Buffers inside a matrix
    library are not part of it.
    """
    import torch

    run()
    gc.collect()
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        run()
    events = profile.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    alive = peak = 0
    for _, change in sorted(changes, key=lambda change: change[0]):
        alive += change
        peak = max(peak, alive)
    return peak


def save(name: str, rows: list[Row], **settings: Any) -> Path:
    """Write ``results/<name>.json`` and print the rows as a table."""
    record = {
        "benchmark": name,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(),
        "settings": settings,
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(rows))
    return path


def table(rows: list[Row]) -> str:
    """Return the rows as aligned text, one column per key of the first row."""
    names = list(rows[0])
    cells = [names, *([_text(row[name]) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in cells
    )


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
