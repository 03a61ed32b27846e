"""One original: what an attacker does who has the embedding of one person and the release, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Attack, Vectors
from personax.release.audit._cached_views import equal_rows
from personax.release.audit._nearest_neighbours import nearest

__all__ = ["KNOWS", "one_original"]

KNOWS = "one person's embedding"


def _itself(x: Vectors) -> Vectors:
    return x


def _length(x: Vectors) -> Vectors:
    """Return the length: a rotation about zero keeps it."""
    return np.asarray(np.sqrt(np.square(x.astype(np.float64)).sum(axis=1))[:, None], dtype=np.float64)


def _sizes(x: Vectors) -> Vectors:
    """Return sizes of the coordinates in order: they stay where coordinates only change place and sign."""
    return np.sort(np.abs(x), axis=1)


def one_original(x: Vectors, y: Vectors, *, asked: NDArray[np.intp], rng: np.random.Generator) -> Iterator[Attack]:
    """Yield how often a person is found by what some transforms leave of a single vector.

    The control looks for people who are not in the release: the others' rows are all that is left of it.
    """
    truth = equal_rows(x)
    for name, look in (("the vector as it is", _itself), ("its length", _length), ("its sorted sizes", _sizes)):
        a, b = look(x[asked]), look(y)
        found = _closest(a, b) if name == "its length" else nearest(a, b)
        wrong = rng.permutation(asked)
        yield truth.rank_1(name, KNOWS, found, asked, control=float(truth.same(found, wrong).mean()))


def _closest(a: Vectors, b: Vectors) -> NDArray[np.intp]:
    order = np.argsort(b[:, 0])
    values = b[order, 0]
    place = np.clip(np.searchsorted(values, a[:, 0]), 1, len(values) - 1)
    left = np.abs(a[:, 0] - values[place - 1]) <= np.abs(a[:, 0] - values[place])
    return np.asarray(order[place - left], dtype=np.intp)
