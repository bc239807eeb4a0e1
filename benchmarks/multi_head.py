"""MultiHeadAttention against torch.nn.MultiheadAttention: time and memory.

Both hold the same parameters and see the same input: self-attention, batch 2, 8 heads
of 64, no mask, no dropout, float32. Three modes:

- inference: ``eval()`` and ``no_grad()``, where torch takes its fused fast path;
- forward: training mode, the graph for the backward pass is recorded;
- forward+backward.

The ratio is ours to torch's, of the medians of runs that alternate. Memory is reported
twice: ``tensor_ratio`` from torch's own allocator (exact), and ``resident_ratio`` from
the peak resident size of a fresh process per cell, which also sees buffers inside
the matrix library but is a little coarse.

    python benchmarks/multi_head.py [--seconds 6] [--name multi_head]
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _record import Row, interleaved, median_ratio, medians, peak_bytes, save
from torch import Tensor, nn

from attention_course.layers import MultiHeadAttention

BATCH, NUM_HEADS, D_HEAD = 2, 8, 64
LENGTHS = (128, 512, 2048)
MODES = ("inference", "forward", "forward+backward")
THREADS = 1


def build(n: int, weights: bool, mode: str) -> dict[str, Callable[[], Any]]:
    """Return the two runs of one cell, under the names ours and torch."""
    torch.manual_seed(0)
    d_model = NUM_HEADS * D_HEAD
    theirs = nn.MultiheadAttention(d_model, NUM_HEADS, batch_first=True)
    theirs.train(mode != "inference")
    ours = MultiHeadAttention.from_torch(theirs)
    x = torch.randn(BATCH, n, d_model)
    calls = {
        "ours": (ours, lambda: ours(x, need_weights=weights)),
        "torch": (
            theirs,
            lambda: theirs(x, x, x, need_weights=weights, average_attn_weights=False),
        ),
    }
    return {name: _in_mode(mode, *call, x) for name, call in calls.items()}


def _in_mode(
    mode: str, layer: nn.Module, call: Callable[[], Any], x: Tensor
) -> Callable[[], Any]:
    if mode == "inference":
        return torch.no_grad()(call)
    if mode == "forward":
        return call
    x.requires_grad_()
    gradient = torch.randn_like(x)

    def forward_and_backward() -> None:
        layer.zero_grad(set_to_none=True)
        x.grad = None
        call()[0].backward(gradient)

    return forward_and_backward


def resident_peak(run: Callable[[], Any]) -> int:
    """Return by how many bytes one run raises this process's resident size (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the peak
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith(field)]
    return 1024 * int(kilobytes)


def resident_peak_alone(who: str, n: int, weights: bool, mode: str) -> int:
    """Measure the same in a process of its own."""
    command = [
        sys.executable,
        __file__,
        "--alone",
        who,
        str(n),
        str(int(weights)),
        mode,
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout)


def _alone(who: str, n: str, weights: str, mode: str) -> None:
    torch.set_num_threads(THREADS)
    build(64, bool(int(weights)), mode)[who]()  # loads what is loaded on first use
    run = build(int(n), bool(int(weights)), mode)[who]
    print(resident_peak(run))


def measure(n: int, weights: bool, mode: str, seconds: float) -> Row:
    """Return the row of one cell."""
    runs = build(n, weights, mode)
    times = interleaved(runs, seconds=seconds)
    tensors = {name: peak_bytes(run) for name, run in runs.items()}
    resident = {name: resident_peak_alone(name, n, weights, mode) for name in runs}
    return {
        "n": n,
        "weights": weights,
        "mode": mode,
        "runs": len(times["ours"]),
        "ours_ms": round(1e3 * medians(times)["ours"], 3),
        "torch_ms": round(1e3 * medians(times)["torch"], 3),
        "ratio": round(median_ratio(times["ours"], times["torch"]), 3),
        "ours_mb": round(tensors["ours"] / 1e6, 2),
        "torch_mb": round(tensors["torch"] / 1e6, 2),
        "tensor_ratio": round(tensors["ours"] / tensors["torch"], 3),
        "resident_ratio": round(resident["ours"] / max(resident["torch"], 1), 3),
    }


def main() -> None:
    """Measure every cell and store the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6.0, help="per cell")
    parser.add_argument("--name", default="multi_head", help="of the record")
    parser.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        _alone(*options.alone)
        return
    torch.set_num_threads(THREADS)
    rows = [
        measure(n, weights, mode, options.seconds)
        for weights in (False, True)
        for mode in MODES
        for n in LENGTHS
    ]
    save(
        options.name,
        rows,
        batch=BATCH,
        num_heads=NUM_HEADS,
        d_head=D_HEAD,
        dtype="float32",
        threads=THREADS,
        seconds_per_cell=options.seconds,
    )


if __name__ == "__main__":
    main()
