"""Rows as attacks see them: views that are computed once, and which rows are equal and so count as one person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from personax.release.audit._attack import Attack, Vectors, rate
from personax.release.audit._nearest_neighbours import distance_profiles, profiles_of

__all__ = ["CachedViews", "EqualRows", "View", "as_they_are", "equal_rows"]

Indices = NDArray[np.intp]

View = Callable[[Vectors], Vectors]
"""What is made of all rows at once, one row for each; another order of the rows only gives another order of these."""


def as_they_are(x: Vectors) -> Vectors:
    """Return the vectors themselves."""
    return x


@dataclass(frozen=True)
class EqualRows:
    """Classes of equal rows; with those of the originals a guess counts by its class, not by its index.

    People with one original cannot be told apart by anybody, so whoever finds the vector has found them.

    Parameters
    ----------
    label
        Class of each row, numbered by first appearance: 0, 1, 2 ... where no two rows are equal.
    """

    label: Indices

    @cached_property
    def first(self) -> Indices:
        """The first row of each class."""
        return np.asarray(np.unique(self.label, return_index=True)[1], dtype=np.intp)

    def take(self, rows: Indices) -> EqualRows:
        """Return the classes of some rows."""
        return equal_rows(self.label[rows, None])

    def same(self, guess: Indices, probes: Indices) -> NDArray[np.bool_]:
        """Say for each guessed row whether it equals the one that was asked for."""
        return np.asarray(self.label[guess] == self.label[probes])

    def chance(self, probes: Indices) -> float:
        """Return the expected share of hits of random guesses: 1 / n where no rows are equal."""
        return float(self._sizes(probes).mean() / len(self.label))

    def design_effect(self, probes: Indices) -> float:
        """Return how much wider than binomial the hits of guessing vary; 1 where no rows are equal.

        Notes
        -----
        Equal originals get the same guess and are found or missed together. A class with k members asked and c in the
        release is hit with probability c / n and then gives k hits: mean sum(k c) / n, variance about sum(k^2 c) / n.
        Their ratio, sum(k^2 c) / sum(k c), is 1 for independent hits (design effect of cluster samples, Kish 1965).
        """
        members = np.bincount(self.label[probes])[self.label[probes]]
        sizes = self._sizes(probes)
        return float((members * sizes).sum() / sizes.sum())

    def rank_1(
        self,
        name: str,
        knows: str,
        guess: Indices,
        probes: Indices,
        *,
        control: float | None = None,
        **detail: Any,
    ) -> Attack:
        """Return an attack that has guessed these rows for the people who were asked for."""
        hits = int(self.same(guess, probes).sum())
        return rate(name, knows, hits, len(probes), baseline=self.chance(probes), control=control,
                    design=self.design_effect(probes), **detail)  # fmt: skip

    def _sizes(self, probes: Indices) -> Indices:
        return np.asarray(np.bincount(self.label)[self.label[probes]], dtype=np.intp)


def equal_rows(x: NDArray[Any]) -> EqualRows:
    """Return the classes of equal rows.

    Examples
    --------
    >>> equal_rows(np.array([[0.5, 1.0], [2.0, 0.0], [0.5, 1.0]])).label.tolist()
    [0, 1, 0]
    """
    number: dict[bytes, int] = {}
    # adding 0 makes 0.0 of -0.0, whose bytes differ; a digest in place of a row of some thousand numbers
    rows = (blake2b((row + x.dtype.type(0)).tobytes(), digest_size=16).digest() for row in x)
    return EqualRows(np.array([number.setdefault(row, len(number)) for row in rows], np.intp))


class CachedViews:
    """Vectors, one a person, in some order.

    Parameters
    ----------
    vectors
        Shape (n, d).

    Examples
    --------
    >>> rows = CachedViews(np.array([[1.0], [3.0]], dtype=np.float32))
    >>> rows.permuted(np.array([1, 0])).view(lambda x: x - x.mean(axis=0)).ravel().tolist()
    [1.0, -1.0]
    """

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._views: dict[View, Vectors] = {}
        self._profiles: dict[View, Vectors] = {}
        self._distinct_profiles: dict[tuple[View, int], Vectors] = {}
        self._order: Indices | None = None
        self._in_first_order = self

    def __len__(self) -> int:
        return len(self._vectors) if self._order is None else len(self._order)

    @property
    def vectors(self) -> Vectors:
        """The vectors themselves."""
        return self._in_order(self._vectors)

    @cached_property
    def equal(self) -> EqualRows:
        """Which of them are equal; rows are compared once, whatever orders there are of them."""
        return equal_rows(self._vectors) if self._order is None else self._in_first_order.equal.take(self._order)

    def view(self, view: View) -> Vectors:
        """Return a view, shape (n, ...)."""
        if view not in self._views:
            self._views[view] = view(self._vectors)
        return self._in_order(self._views[view])

    def profiles(self, view: View, rows: Indices | None = None) -> Vectors:
        """Return the distance profiles of a view: of some rows, or of all, which are kept."""
        if rows is not None and view not in self._profiles:
            return profiles_of(self._in_first_order.view(view), rows if self._order is None else self._order[rows])
        if view not in self._profiles:
            self._profiles[view] = distance_profiles(self._in_first_order.view(view))
        found = self._in_order(self._profiles[view])
        return found if rows is None else found[rows]

    def distinct(self, view: View) -> Vectors:
        """Return the view of the first of each class of equal rows.

        Copies of a row would support each other's wrong pairs in self-training, which leaves out a person's own.
        """
        return self.view(view)[self.equal.first]

    def distinct_profiles(self, view: View, size: int) -> Vectors:
        """Return the distance profiles of what `distinct` returns, at the places of so many people."""
        first = self._in_first_order
        kept = self._distinct_profiles
        if (view, size) not in kept:
            kept[view, size] = distance_profiles(first.distinct(view), size=size)
        rows = self.equal.first if self._order is None else self._order[self.equal.first]
        return kept[view, size][first.equal.label[rows]]

    def permuted(self, order: Indices) -> Self:
        """Return the same rows in another order; they share what was worked out, and what will be."""
        if self._order is None and len(order) != len(self._vectors):
            raise ValueError(f"an order of {len(order)} is none of {len(self._vectors)} rows")
        other = type(self)(self._vectors)
        other._views, other._in_first_order = self._views, self._in_first_order
        other._profiles, other._distinct_profiles = self._profiles, self._distinct_profiles
        other._order = order if self._order is None else self._order[order]
        return other

    def _in_order(self, rows: Vectors) -> Vectors:
        return rows if self._order is None else rows[self._order]
