"""Colliders: whether a -> b <- c lies in three variables a - b - c, decided by all sets that separate a and c.

One separating set decides in the textbook, and which one it is depends on the order of the columns. Here all of them
vote; where they disagree by halves, or none is found, the triple is ambiguous and directs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from personax.discovery._ci_test import CachedTest
from personax.discovery._skeleton import Skeleton, subsets

__all__ = ["Triple", "Verdict", "judge_triples", "separating_sets", "vote"]

Triple = tuple[int, int, int]
"""a, b, c with edges a - b - c, none between a and c; a < c."""

Verdict = Literal["collider", "no collider", "ambiguous"]


def judge_triples(
    skeleton: Skeleton, test: CachedTest, alpha: float, *, beyond_neighbours: bool = False
) -> Mapping[Triple, Verdict]:
    """Judge every triple by the majority of the sets of neighbours that separate its ends.

    Parameters
    ----------
    skeleton, test, alpha
        As found and as used.
    beyond_neighbours
        Where no set of neighbours separates the ends, the set that took their edge away decides; with hidden causes it
        may lie beyond the neighbours.

    References
    ----------
    Colombo and Maathuis 2014, "Order-independent constraint-based causal structure learning", JMLR 15, 3741-3782.

    Examples
    --------
    >>> test = CachedTest(lambda x, y, z: float((x, y) == (0, 2) and not z), "abc")
    >>> judge_triples(Skeleton({0: {1}, 1: {0, 2}, 2: {1}}, {}, 1), test, 0.05)
    {(0, 1, 2): 'collider'}
    """
    ends: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    verdicts: dict[Triple, Verdict] = {}
    for a, b, c in skeleton.triples():
        if (a, c) not in ends:
            ends[a, c] = separating_sets(a, c, skeleton, test, alpha, beyond_neighbours=beyond_neighbours)
        verdicts[a, b, c] = vote(b, ends[a, c])
    return verdicts


def separating_sets(
    a: int, c: int, skeleton: Skeleton, test: CachedTest, alpha: float, *, beyond_neighbours: bool
) -> list[tuple[int, ...]]:
    """Return all sets of neighbours that separate two columns; without any, the one beyond them that did."""
    groups = [skeleton.adjacent[a], skeleton.adjacent[c]]
    sizes = range(min(skeleton.largest, max(map(len, groups))) + 1)
    found = [given for size in sizes for given in subsets(groups, size) if test(a, c, given) > alpha]
    if not found and beyond_neighbours and (a, c) in skeleton.separations:
        return [skeleton.separations[a, c].given]
    return found


def vote(b: int, found: list[tuple[int, ...]]) -> Verdict:
    """Return what most of the sets that separate two columns say of a third."""
    with_b = sum(b in given for given in found)
    if 2 * with_b == len(found):
        return "ambiguous"  # none was found, or as many with b as without
    return "no collider" if 2 * with_b > len(found) else "collider"
