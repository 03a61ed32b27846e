"""All measurements at once: a person's vectors tell together what none tells alone, the more so beside a table.

Every measurement has a map of its own under the key, and all of them send the same person to the same row. So one
matching of people is looked for, and the maps are learnt from it in turn. What a table leaves alike makes groups: the
centres of groups are known on both sides, however many people are in each, and only people of one group can be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from personax.release.audit._attack import Attack, Vectors, rate, wilson
from personax.release.audit._axes import LONG, leading, principal
from personax.release.audit._cached_views import EqualRows, equal_rows
from personax.release.audit._campaign import CAMPAIGNS
from personax.release.audit._known_pairs import KnownPairsPoint, broken_at
from personax.release.audit._nearest_neighbours import nearest, squared_distances, standardised

__all__ = ["LABEL", "Sides", "axes_together", "by_groups", "by_pairs", "first_axes", "groups_of", "shortened"]

LABEL: Final = "all measurements"
"""What the report of all measurements together is called."""

PAIRS: Final = "measurements together"
AXES = 64
ASSIGNMENT_ROWS = 600
"""People who are matched one to one; of more, each takes the nearest."""
ROUNDS, LARGE_ROUNDS = 30, 4
PROBES = 1000
GRID = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Indices = NDArray[np.intp]
Map = tuple[Vectors, Vectors]
"""Both sides of a map: rows of the originals times the first lie where rows of the release times the second do."""


def groups_of(known: pl.DataFrame, shown: pl.DataFrame, columns: Sequence[str]) -> tuple[Indices, Indices]:
    """Return the number of the group of each row: rows that are alike in all columns, on both sides.

    Examples
    --------
    >>> table = pl.DataFrame({"year": [1980, 1991, 1980]})
    >>> [part.tolist() for part in groups_of(table, table[:2], ["year"])]
    [[0, 1, 0], [0, 1]]
    """
    both = pl.concat([t.select(pl.col(c).cast(pl.String).fill_null("") for c in columns) for t in (known, shown)])
    number = both.select(pl.struct(columns).rank("dense"))[:, 0].to_numpy().astype(np.intp) - 1
    return number[: known.height], number[known.height :]


Sides = tuple[Vectors, Vectors]
"""Originals and released rows of one measurement."""


def shortened(
    before: Sequence[Vectors], after: Sequence[Vectors], made: Sequence[Sides | None] | None = None
) -> tuple[list[Vectors], list[Vectors]]:
    """Return measurements of which one is long on principal axes, 1,024 in all; others as they are.

    Parameters
    ----------
    before, after
        A matrix a measurement.
    made
        What `first_axes` returned of each measurement; None where it was not asked.
    """
    if max(z.shape[1] for z in before) <= LONG:
        return list(before), list(after)
    most = axes_together(len(before))
    kept = [
        first_axes(x, y, most) if own is None else own
        for x, y, own in zip(before, after, made or [None] * len(before), strict=True)
    ]
    return [x for x, _ in kept], [y for _, y in kept]


def axes_together(measurements: int) -> int:
    """Return on how many axes each of so many measurements is seen."""
    return max(AXES, LONG // measurements)


def first_axes(x: Vectors, y: Vectors, most: int) -> Sides:
    """Return both sides of a measurement on so many principal axes; a shorter one as it is."""
    return (leading(x)[:, :most].copy(), leading(y)[:, :most].copy()) if x.shape[1] > most else (x, y)


def by_groups(
    before: Sequence[Vectors],
    after: Sequence[Vectors],
    groups: tuple[Indices, Indices],
    *,
    probes: Indices,
    truth: EqualRows | None = None,
    rng: np.random.Generator,
) -> Attack:
    """Return how many people are found by the groups that a table leaves, and by all their vectors.

    The control has the same groups and vectors of other people: what the table gives alone.

    Parameters
    ----------
    before, after
        A matrix a measurement; row i of all is the same person.
    groups
        Of every original and of every released row.
    probes
        The people who are scored.
    truth
        Whose originals are equal; those of `before` by default.
    """
    x, y = ([_leading_axes(z) for z in side] for side in (before, after))
    truth = equal_rows(np.hstack(before)) if truth is None else truth

    def found(released: list[Vectors]) -> NDArray[np.bool_]:
        order = rng.permutation(len(everybody))
        dealt, known, shown = [z[order] for z in released], groups[0], groups[1][order]
        maps = [_procrustes(_group_means(a, known), _group_means(b, shown)) for a, b in zip(x, dealt, strict=True)]
        guess = _alternate(x, dealt, maps, _group_rows(known, shown))
        return np.asarray((guess >= 0) & truth.same(order[guess], everybody))

    everybody = np.arange(len(groups[0]))
    other = rng.permutation(len(everybody))
    hits, none = found(y)[probes], found([z[other] for z in y])[probes]
    return rate("groups alike and all vectors, one to one", CAMPAIGNS["public_facts"], int(hits.sum()), len(probes),
                baseline=truth.chance(probes), control=float(none.mean()), design=truth.design_effect(probes),
                groups=len(np.unique(groups[1])))  # fmt: skip


def by_pairs(
    before: Sequence[Vectors], after: Sequence[Vectors], *, truth: EqualRows | None = None, rng: np.random.Generator
) -> tuple[list[KnownPairsPoint], Attack]:
    """Return what more and more known pairs find of the others in all measurements, and the best of it.

    When all are found, more pairs are not tried.
    """
    x, y = ([_leading_axes(z) for z in side] for side in (before, after))
    n = len(x[0])
    order = rng.permutation(n)
    known, rest = order[: n // 2], order[n // 2 :][:PROBES]
    wrong = rng.permutation(known)
    truth = equal_rows(np.hstack(before)) if truth is None else truth
    points = list(_points(x, y, known, known, rest, truth, rng))
    best = max(points, key=lambda point: point.rank_1)
    (control,) = _points(x, y, known, wrong, rest, truth, rng, grid=(best.pairs,))
    attack = rate(PAIRS, f"{best.pairs} known pairs", round(best.rank_1 * len(rest)), len(rest),
                  baseline=truth.chance(rest), control=control.rank_1, design=truth.design_effect(rest),
                  broken_at=broken_at(points))  # fmt: skip
    return points, attack


def _points(
    x: list[Vectors], y: list[Vectors], known: Indices, theirs: Indices, rest: Indices, truth: EqualRows,
    rng: np.random.Generator, grid: Sequence[int] = GRID,
) -> Iterator[KnownPairsPoint]:  # fmt: skip
    n, design = len(x[0]), truth.design_effect(rest)
    for m in (m for m in grid if m <= len(known)):
        order = rng.permutation(n)
        place = np.argsort(order)
        dealt = [z[order] for z in y]
        some, theirs_dealt = known[:m], place[theirs[:m]]
        maps = [_procrustes(a[some], b[theirs_dealt]) for a, b in zip(x, dealt, strict=True)]
        guess = _alternate(x, dealt, maps, [(np.arange(n), np.arange(n))], (some, theirs_dealt))
        hits = int(truth.same(order[guess[rest]], rest).sum())
        low, high = wilson(hits / design, len(rest) / design)
        share = round(hits / len(rest), 6)
        yield KnownPairsPoint(PAIRS, m, share, round(low, 6), round(high, 6), share, None)
        if hits == len(rest):
            break


def _leading_axes(z: Vectors) -> Vectors:
    """Return scores on the first axes, as large in every measurement."""
    z = standardised(z)
    return standardised(principal(z, AXES)) * np.float32(np.sqrt(min(AXES, z.shape[1])))


def _group_means(z: Vectors, groups: Indices) -> Vectors:
    """Return the mean of each group, weighed by how sure it is."""
    number = groups.max() + 1
    sums = np.zeros((max(number, 1), z.shape[1]), dtype=np.float64)
    np.add.at(sums, groups, z)
    sizes = np.bincount(groups, minlength=len(sums))
    return np.asarray(sums / np.sqrt(np.maximum(sizes, 1))[:, None], dtype=np.float32)


def _procrustes(a: Vectors, b: Vectors) -> Map:
    """Return the orthogonal map between what the rows of both span."""
    rows = min(len(a), len(b))
    left, sizes, right = np.linalg.svd(a[:rows].T @ b[:rows], full_matrices=False)
    kept = sizes > 1e-5 * sizes[0]
    return left[:, kept], right[kept].T


def _group_rows(known: Indices, shown: Indices) -> list[tuple[Indices, Indices]]:
    return [(np.flatnonzero(known == g), np.flatnonzero(shown == g)) for g in np.intersect1d(known, shown)]


def _alternate(
    x: list[Vectors], y: list[Vectors], maps: list[Map], blocks: list[tuple[Indices, Indices]],
    pairs: tuple[Indices, Indices] | None = None,
) -> Indices:  # fmt: skip
    """Match people and learn the maps in turn, until nothing changes; -1 for who has no row."""
    rounds = ROUNDS if max(len(known) for known, _ in blocks) <= ASSIGNMENT_ROWS else LARGE_ROUNDS
    guess = np.full(len(x[0]), -1, dtype=np.intp)
    for _ in range(rounds):
        before = guess
        guess = _assign(x, y, maps, blocks)
        if pairs is not None:
            guess[pairs[0]] = pairs[1]
        if np.array_equal(guess, before):
            break
        some = np.flatnonzero(guess >= 0)
        maps = [_procrustes(a[some], b[guess[some]]) for a, b in zip(x, y, strict=True)]
    return guess


def _assign(x: list[Vectors], y: list[Vectors], maps: list[Map], blocks: list[tuple[Indices, Indices]]) -> Indices:
    a, b = (np.hstack([z @ one[side] for z, one in zip(views, maps, strict=True)])
            for side, views in enumerate((x, y)))  # fmt: skip
    guess = np.full(len(a), -1, dtype=np.intp)
    for known, shown in blocks:
        if max(len(known), len(shown)) > ASSIGNMENT_ROWS:
            guess[known] = shown[nearest(a[known], b[shown])]
        else:
            cost = np.vstack([found for _, found in squared_distances(a[known], b[shown])])
            rows, columns = linear_sum_assignment(cost)
            guess[known[rows]] = shown[columns]
    return guess
