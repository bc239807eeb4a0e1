"""What ``import attention_course`` adds to numpy's own import.

Each run is a fresh process that imports numpy, then the package, and times both. It
also says whether torch or matplotlib came along: they should not.

    python benchmarks/import_time.py [--runs 30] [--name import_time]
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from _record import Row, save

PROGRAM = """
import json, sys, time
begin = time.perf_counter()
import numpy
between = time.perf_counter()
import attention_course
end = time.perf_counter()
heavy = [name for name in ("torch", "matplotlib") if name in sys.modules]
print(json.dumps([between - begin, end - between, heavy]))
"""


def one_process() -> tuple[float, float, list[str]]:
    """Return seconds for numpy, seconds for the package, heavy libraries loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parent.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    numpy_seconds, package_seconds, heavy = json.loads(done.stdout)
    return numpy_seconds, package_seconds, heavy


def measure(runs: int) -> list[Row]:
    """Return one row per import, after two processes that warm the file cache."""
    results = [one_process() for _ in range(runs + 2)][2:]
    heavy = sorted({name for _, _, names in results for name in names})
    rows = []
    columns = {
        "numpy": [numpy_seconds for numpy_seconds, _, _ in results],
        "attention_course": [package_seconds for _, package_seconds, _ in results],
    }
    for what, seconds in columns.items():
        rows.append(
            {
                "import": what,
                "runs": runs,
                "median_s": round(statistics.median(seconds), 4),
                "smallest_s": round(min(seconds), 4),
                "largest_s": round(max(seconds), 4),
                "heavy": ", ".join(heavy) or "none",
            }
        )
    return rows


def main() -> None:
    """Measure and store the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--name", default="import_time", help="of the record")
    options = parser.parse_args()
    save(options.name, measure(options.runs))


if __name__ == "__main__":
    main()
