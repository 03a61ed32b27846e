"""Who is nearest to whom, in blocks, so that memory does not grow with the square of the people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Vectors

__all__ = ["distances", "nearest", "profiles", "ranks", "squares", "standardised"]

ROWS = 512
PROFILE = 96
"""Numbers that describe a person's distances to all others, most of them about near ones."""


def squares(a: Vectors, b: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Yield squared Euclidean distances of some rows of `a` at a time to all rows of `b`."""
    centre = b.mean(axis=0)
    b = b - centre
    sizes = np.square(b).sum(axis=1)
    b *= -2
    for start in range(0, len(a), ROWS):
        rows = a[start : start + ROWS] - centre
        found = rows @ b.T
        found += sizes
        found += np.square(rows).sum(axis=1)[:, None]
        yield slice(start, start + len(rows)), np.maximum(found, 0, out=found)


def distances(a: Vectors, b: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Yield Euclidean distances of some rows of `a` at a time to all rows of `b`."""
    for rows, found in squares(a, b):
        yield rows, np.sqrt(found, out=found)


def nearest(a: Vectors, b: Vectors) -> NDArray[np.intp]:
    """Return for each row of `a` its nearest row of `b`."""
    return np.concatenate([found.argmin(axis=1) for _, found in squares(a, b)])


def ranks(a: Vectors, b: Vectors, true: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each row of `a` how many rows of `b` are at least as near as its true one; 1 is the best.

    Ties count against the attacker: an estimate that is the same for all finds nobody.
    """
    counts = [(found <= found[np.arange(len(found)), true[rows]][:, None]).sum(axis=1) for rows, found in squares(a, b)]
    return np.concatenate(counts)


def profiles(x: Vectors, *, size: int | None = None) -> Vectors:
    """Return each person's sorted log distances to all others at some places, standardised place by place.

    Standardising makes profiles comparable where a transform has stretched or bent all distances alike. With `size`,
    places are those of so many people, moved to as many as there are.
    """
    size = len(x) if size is None else size
    places = np.unique(np.geomspace(1, size - 1, PROFILE).astype(int))
    places = np.maximum(1, np.rint(places * (len(x) - 1) / (size - 1)).astype(int))
    # place 0 is the person
    found = np.sqrt(np.vstack([_sorted(rows)[:, places] for _, rows in squares(x, x)]))
    logs = np.log(found + 1e-6 * found.mean())
    return np.asarray((logs - logs.mean(axis=0)) / (logs.std(axis=0) + 1e-6), dtype=np.float32)


def _sorted(rows: Vectors) -> Vectors:
    rows.sort(axis=1)
    return rows


def standardised(x: Vectors) -> Vectors:
    """Return centred rows of unit mean square."""
    centred = x - x.mean(axis=0)
    return np.asarray(centred / (np.sqrt(np.square(centred).mean()) + 1e-30), dtype=np.float32)
