"""Who is nearest to whom, in blocks, so that memory does not grow with the square of the people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Vectors

__all__ = [
    "above_rounding", "distance_profiles", "distances", "mean_of_least", "nearest", "profiles_of", "ranks",
    "squared_distances", "standardised",
]  # fmt: skip

BLOCK_ROWS = 512
WHOLE_ROWS: Final = 12_288
"""Rows up to which all distances within a set are held at once, in at most 600 MB: each pair is then computed once."""
LEAST_OF: Final = 20
"""Numbers of a row of which the least is taken first, where only few of the least are wanted."""
STANDARD_ROWS: Final = 1024
"""Rows by which the profiles of a few are standardised."""
PROFILE_LENGTH = 96
"""Numbers that describe a person's distances to all others, most of them about near ones."""
ROUNDING = 8 * float(np.sqrt(np.finfo(np.float32).eps))
"""Distances below this share of a row's own length (.0028) may be rounding.

|a - b|^2 is computed as |a|^2 - 2ab + |b|^2, whose terms are of size |a|^2 where a and b are near. In float32 their sum
is wrong by a few eps |a|^2, so that a distance of zero comes out as a few sqrt(eps) |a|: up to 4 sqrt(eps) as measured,
of 40 to 1,024 numbers.
"""


def squared_distances(a: Vectors, b: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Yield squared Euclidean distances of some rows of `a` at a time to all rows of `b`."""
    centre = b.mean(axis=0)
    b = b - centre
    sizes = np.square(b).sum(axis=1)
    b *= -2
    for start in range(0, len(a), BLOCK_ROWS):
        rows = a[start : start + BLOCK_ROWS] - centre
        found = rows @ b.T
        found += sizes
        found += np.square(rows).sum(axis=1)[:, None]
        yield slice(start, start + len(rows)), np.maximum(found, 0, out=found)


def distances(a: Vectors, b: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Yield Euclidean distances of some rows of `a` at a time to all rows of `b`."""
    for rows, found in squared_distances(a, b):
        yield rows, np.sqrt(found, out=found)


def nearest(a: Vectors, b: Vectors) -> NDArray[np.intp]:
    """Return for each row of `a` its nearest row of `b`."""
    return np.concatenate([found.argmin(axis=1) for _, found in squared_distances(a, b)])


def ranks(a: Vectors, b: Vectors, true: NDArray[np.intp], label: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
    """Return for each row of `a` the rank of its true row of `b`: 1, and one for each row that is at least as near.

    Ties count against the attacker: an estimate that is the same for all finds nobody. Rows of one label, who have the
    same original, are one: the nearest of them stands for all, and they do not count against each other.
    """
    label = np.arange(len(b)) if label is None else label
    counts = []
    for rows, found in squared_distances(a, b):
        own = label[true[rows]][:, None] == label
        nearest_own = np.where(own, found, np.inf).min(axis=1, keepdims=True)
        counts.append(1 + ((found <= nearest_own) & ~own).sum(axis=1))
    return np.concatenate(counts)


def distance_profiles(x: Vectors, *, size: int | None = None) -> Vectors:
    """Return each person's sorted log distances to all others at some places, standardised place by place.

    Standardising makes profiles comparable where a transform has stretched or bent all distances alike. With `size`,
    places are those of so many people, moved to as many as there are. Distances to equal rows are as small as rounding
    allows to tell (`above_rounding`): the logarithm of rounding itself would be the largest difference of two profiles.
    """
    logs = _logs(_distances_in_order(x, None, size))
    return _standardised_by(logs, logs)


def profiles_of(x: Vectors, rows: NDArray[np.intp]) -> Vectors:
    """Return the distance profiles of some rows among all.

    Where they are few, means and deviations of a place are those of 1,024 rows, evenly chosen by how far they are from
    the middle: most of how distances differ between people is told by that, so that the means are hardly off.
    """
    if len(rows) + STANDARD_ROWS > len(x) // 2:
        return distance_profiles(x)[rows]
    sizes = np.square(x - x.mean(axis=0)).sum(axis=1)
    some = np.argsort(sizes, kind="stable")[np.linspace(0, len(x), STANDARD_ROWS + 2).astype(np.intp)[1:-1]]
    logs = _logs(_distances_in_order(x, np.concatenate([some, rows])))
    return _standardised_by(logs[STANDARD_ROWS:], logs[:STANDARD_ROWS])


def _distances_in_order(x: Vectors, rows: NDArray[np.intp] | None, size: int | None = None) -> Vectors:
    """Return the sorted distances of rows, all by default, at the places of a profile; place 0 is the person."""
    size = len(x) if size is None else size
    places = np.unique(np.geomspace(1, size - 1, PROFILE_LENGTH).astype(int))
    places = np.maximum(1, np.rint(places * (len(x) - 1) / (size - 1)).astype(int))
    return above_rounding(np.sqrt(_squared_distances_in_order(x, places, rows)), x if rows is None else x[rows], x)


def _logs(found: Vectors) -> Vectors:
    return np.asarray(np.log(found + 1e-6 * found.mean()))


def _standardised_by(logs: Vectors, those: Vectors) -> Vectors:
    return np.asarray((logs - those.mean(axis=0)) / (those.std(axis=0) + 1e-6), dtype=np.float32)


def above_rounding(far: Vectors, a: Vectors, b: Vectors) -> Vectors:
    """Return distances of rows of `a` to rows of `b`, none of them less than what rounding may make of zero."""
    lengths = np.sqrt(np.square(a - b.mean(axis=0)).sum(axis=1))
    return np.asarray(np.maximum(far, np.float32(ROUNDING) * lengths[:, None]), dtype=np.float32)


def mean_of_least(values: Vectors, count: int, *, axis: int) -> Vectors:
    """Return the mean of the least `count` numbers along an axis of a matrix, as a sort of all would give it.

    Of each of some parts the least number is taken; the `count`-th least of these is a bound that at least `count`
    numbers keep, and hardly more, so that only those are sorted.
    """
    parts = values.shape[axis] // LEAST_OF
    if parts < count:
        return np.asarray(np.partition(values, count - 1, axis=axis).take(range(count), axis).mean(axis=axis))
    # the parts lie across one another, so that whole rows of numbers are compared at a time
    some = values.take(range(parts * LEAST_OF), axis) if values.shape[axis] % LEAST_OF else values
    shape = (LEAST_OF, parts, -1) if axis == 0 else (-1, LEAST_OF, parts)
    least = some.reshape(shape).min(axis=axis)
    bound = np.partition(least.T if axis == 0 else least, count - 1, axis=1)[:, count - 1]
    places = np.flatnonzero(values <= (bound if axis == 0 else bound[:, None]))
    found, width = values.ravel()[places], values.shape[1]
    line = places % width if axis == 0 else places // width
    found = found[np.lexsort((found, line))]
    kept = np.bincount(line, minlength=len(bound))
    return np.asarray(found[(np.cumsum(kept) - kept)[:, None] + np.arange(count)].mean(axis=1))


def _squared_distances_in_order(x: Vectors, places: NDArray[np.intp], some: NDArray[np.intp] | None = None) -> Vectors:
    """Return squared distances of rows to all rows of the same set at some places of their order, shape (n, places).

    What all numbers of a row have in common is added when they are sorted: (|b|^2 / 2 - ab) * 2 + |a|^2.
    """
    centred = x - x.mean(axis=0)
    sizes = np.einsum("ij,ij->i", centred, centred)
    # of a product of a matrix with its own transpose only one half is computed
    whole = centred @ centred.T if len(x) <= WHOLE_ROWS and some is None else None
    asked = np.arange(len(x)) if some is None else some
    found = np.empty((len(asked), len(places)), dtype=np.float32)
    for start in range(0, len(asked), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        rows = centred[asked[block]] @ centred.T if whole is None else whole[block]
        np.subtract(sizes / 2, rows, out=rows)
        rows.sort(axis=1)
        found[block] = rows[:, places] * 2 + sizes[asked[block], None]
    return np.maximum(found, 0, out=found)


def standardised(x: Vectors) -> Vectors:
    """Return centred rows of unit mean square."""
    centred = x - x.mean(axis=0)
    return np.asarray(centred / (np.sqrt(np.square(centred).mean()) + 1e-30), dtype=np.float32)
