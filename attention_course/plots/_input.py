"""What may be drawn: conversion and checks, in the course's words."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._style import LINE_STYLES, PALETTE

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def as_array(name: str, values: Any, *shape: str) -> Floats:
    """Return `values` as float64 (a tensor without importing torch), rank checked."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != len(shape):
        wanted = f"({', '.join(shape)}{',' if len(shape) == 1 else ''})"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    return array


def is_yes_or_no(values: Any) -> bool:
    """Tell whether `values` are booleans: an array, a tensor or a list."""
    kind = getattr(values, "dtype", None)
    return str(np.asarray(values).dtype if kind is None else kind).endswith("bool")


def as_finite(name: str, values: Any, *shape: str) -> Floats:
    """Return `values` as float64, rank checked, without NaN or infinity."""
    array = as_array(name, values, *shape)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {first_bad(array)}")
    return array


def first_bad(array: Floats) -> str:
    """Say which entry is not finite, and where."""
    where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"{array[where]} at index {where}"


def as_shares(name: str, values: Any, *shape: str) -> Floats:
    """Return `values` in [0, 1]; NaN may pass, because ch03 shows where it appears."""
    array = as_array(name, values, *shape)
    wrong = array[(array < 0) | (array > 1 + 1e-6)]
    if wrong.size:
        raise ValueError(
            f"{name} must lie between 0 and 1, got {wrong[0]:.4g}; "
            "scores, before the softmax, are drawn by scores_heatmap"
        )
    return array


def as_rows(probabilities: Any) -> Floats:
    """Return one or several distributions as the rows of a matrix."""
    rank = getattr(probabilities, "ndim", None) or np.ndim(probabilities)
    if rank != 1:
        return as_shares("probabilities", probabilities, "m", "n")
    return as_shares("probabilities", probabilities, "n")[None]


def as_lines(
    x: Any, ys: Any, labels: Sequence[str]
) -> tuple[Floats, Floats, list[str]]:
    """Return x, the lines over it as rows, and their names."""
    across = as_finite("x", x, "n")
    if isinstance(ys, (list, tuple)):
        ys = [as_array("ys, each line of it,", y, "n") for y in ys]
        if any(len(y) != len(across) for y in ys):
            lengths = ", ".join(str(len(y)) for y in ys)
            raise ValueError(
                f"ys must have as many points as x, {len(across)}, got {lengths}"
            )
    up = as_array("ys", ys, "m", "n")
    if up.shape[1] != len(across):
        raise ValueError(
            f"ys must have as many points as x, {len(across)}, got {up.shape[1]}"
        )
    if len(up) > len(LINE_STYLES):
        raise ValueError(f"ys must be at most 6 lines, got {len(up)}")
    if not np.isfinite(up).any(axis=1).all():
        raise ValueError("ys must have a finite value on each line, got none on one")
    return across, up, as_names("labels", labels, len(up), "lines")


def as_plane(name: str, vectors: Any) -> Floats:
    """Return vectors of width 2, finite."""
    array = as_finite(name, vectors, "n", "2")
    if array.shape[1] != 2:
        raise ValueError(f"{name} must have shape (n, 2), got {array.shape}")
    return array


def as_feet(feet: Mapping[int, Any], count: int) -> dict[int, Floats]:
    """Return points of the plane by the place of the vector that each belongs to."""
    for place in feet:
        if place not in range(count):
            raise ValueError(f"feet must name a vector by its place, got {place!r}")
    if not feet:
        return {}
    ends = as_plane("feet", list(feet.values()))
    return dict(zip(feet, ends, strict=True))


def as_names(name: str, names: Iterable[str], count: int, what: str) -> list[str]:
    """Return a list of `count` names."""
    if isinstance(names, str):
        raise TypeError(f"{name} must be a list of names, got the string {names!r}")
    listed = [str(n) for n in names]
    if len(listed) != count:
        raise ValueError(
            f"{name} must name each of the {count} {what}, got {len(listed)} names"
        )
    return listed


def as_mask(mask: Any, shape: tuple[int, ...]) -> Bools:
    """Return a boolean mask of that shape."""
    if hasattr(mask, "detach"):
        mask = mask.detach().cpu().numpy()
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        raise TypeError(f"mask must be boolean (True: may attend), got {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"mask must have shape {shape}, got {array.shape}")
    return array


def as_roles(roles: str | Sequence[str | None] | None, count: int) -> list[str | None]:
    """Return one role for each of `count` things, from one for all or a list."""
    listed = [roles] * count if roles is None or isinstance(roles, str) else [*roles]
    for role in listed:
        if role is not None and role not in PALETTE:
            raise ValueError(f"roles must be among {', '.join(PALETTE)}, got {role!r}")
    if len(listed) != count:
        raise ValueError(f"roles must give {count} roles, got {len(listed)}")
    return listed


def check_positive(name: str, array: Floats) -> None:
    """Raise unless a logarithmic axis can show every entry."""
    if not (array > 0).all():
        raise ValueError(
            f"{name} must be positive on a logarithmic axis, got {array.min():.4g}"
        )


def number(value: float, digits: int = 2) -> str:
    """Write a cell's number: `digits` decimals, a true minus sign, no minus zero."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def quantity(value: float) -> str:
    """Write a measured or counted quantity: whole numbers in full, others short."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def quantities(values: Floats) -> list[str]:
    """Write quantities that stand below each other, all with as many decimals."""
    texts = [quantity(float(v)) for v in values]
    if any("e" in text or len(text) > 6 for text in texts):
        return texts
    digits = max(len(text.partition(".")[2]) for text in texts)
    return [number(float(v), digits) for v in values]
