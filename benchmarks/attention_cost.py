"""Where n² begins to hurt: time and bytes of multi-head attention against n.

One layer of d_model 512 with 8 heads, one sequence, self-attention, no mask, no_grad,
float32. The parts are those of the operation count:

- projections: four products of (n, d) with (d, d), 4 n d² multiplications;
- scores: Q Kᵀ and weights V over all heads, 2 n² d multiplications, and the softmax of
  8 n² numbers, all matrices stored, as in the formula;
- reused: the same steps, written into arrays that were made beforehand, which tells
  what new memory costs;
- fused: the same by torch's scaled_dot_product_attention, which stores no n × n matrix.

Multiplications are counted, times and bytes measured. Bytes are the largest sum of
tensors alive during the part, beyond its inputs; the arrays of "reused" are inputs.

    python benchmarks/attention_cost.py [--seconds 3] [--name attention_cost]
"""

import argparse
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from _record import Row, interleaved, medians, peak_bytes, save
from torch import Tensor

D_MODEL, NUM_HEADS = 512, 8
D_HEAD = D_MODEL // NUM_HEADS
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
THREADS = 1


def parts(n: int) -> dict[str, Callable[[], Any]]:
    """Return the parts of attention over n positions, each as a run of its own."""
    torch.manual_seed(0)
    x = torch.randn(n, D_MODEL)
    matrices = [torch.randn(D_MODEL, D_MODEL) / math.sqrt(D_MODEL) for _ in range(4)]
    query, key, value = (torch.randn(NUM_HEADS, n, D_HEAD) for _ in range(3))
    stored, shared = (torch.empty(NUM_HEADS, n, n) for _ in range(2))
    output = torch.empty(NUM_HEADS, n, D_HEAD)

    def scores() -> Tensor:
        weights = torch.softmax(query @ key.mT / math.sqrt(D_HEAD), dim=-1)
        return weights @ value

    def reused() -> Tensor:
        torch.matmul(query, key.mT, out=stored).div_(math.sqrt(D_HEAD))
        torch.softmax(stored, dim=-1, out=shared)
        return torch.matmul(shared, value, out=output)

    return {
        "projections": lambda: [x @ w for w in matrices],
        "scores": scores,
        "reused": reused,
        "fused": lambda: F.scaled_dot_product_attention(
            query[None], key[None], value[None]
        ),
    }


def multiplications(n: int) -> dict[str, int]:
    """Return how many multiplications the matrix products of each part take."""
    quadratic = 2 * n**2 * D_MODEL
    same = dict.fromkeys(("scores", "reused", "fused"), quadratic)
    return {"projections": 4 * n * D_MODEL**2, **same}


@torch.no_grad()
def measure(n: int, seconds: float) -> list[Row]:
    """Return the rows of one length."""
    runs, counted = parts(n), multiplications(n)
    times = interleaved(runs, seconds=seconds)
    return [
        {
            "n": n,
            "part": part,
            "multiplications": counted[part],
            "ms": round(1e3 * medians(times)[part], 4),
            "bytes": peak_bytes(run),
            "runs": len(times[part]),
        }
        for part, run in runs.items()
    ]


def main() -> None:
    """Measure every length and store the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per length")
    parser.add_argument("--name", default="attention_cost", help="of the record")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    rows = [row for n in LENGTHS for row in measure(n, options.seconds)]
    save(
        options.name,
        rows,
        batch=1,
        d_model=D_MODEL,
        num_heads=NUM_HEADS,
        dtype="float32",
        threads=THREADS,
        seconds_per_length=options.seconds,
    )


if __name__ == "__main__":
    main()
