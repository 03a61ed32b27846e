"""Fellegi-Sunter weights learned from the data by EM, one-to-one, with a share of records that are in one source only.

A pair of records shows a level of agreement in every field. Of one person the level l of field f has probability
m_fl, of two people u_fl; fields are taken as independent, so that the evidence is the product of m / u. A left record
is the same person as at most one right record, and the other way round. With M matches among n and N records, a pair
has the prior odds M / ((n - M) (N - M)) against both being alone; the marginals under the one-to-one constraint come
from belief propagation on the candidates (Bayati et al. 2008), M and m from EM. Fellegi and Sunter 1969; Winkler 1988.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["CandidateLevels", "FieldModel", "FittedLinkage", "fit", "link_threshold", "marginals"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ROUNDS = 60
"""Steps of EM at most; it ends when the number of matches moves by less than a thousandth of a record."""

_MESSAGES = 12
_LARGEST = 200.0
"""Natural logarithm of the largest odds of a candidate, so that sums stay finite."""


@dataclass(frozen=True, slots=True)
class FieldModel:
    """How often two records show each level of a field.

    Parameters
    ----------
    m, u
        Probability of each level of one person, and of two; the levels as they are numbered in `CandidateLevels`.
    strength
        Pairs that the given ``m`` counts for beside the data.
    learn_u
        Pairs that the given ``u`` counts for beside the data; None keeps it.
    among
        Shape (pairs,): the candidates that ``u`` is learned from, which the field itself did not choose; None for all.
    """

    m: Floats
    u: Floats
    strength: float = 20.0
    learn_u: float | None = None
    among: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class CandidateLevels:
    """Candidate pairs and the level of each field.

    Parameters
    ----------
    left, right
        Shape (pairs,): which records; every pair once.
    levels
        Field -> shape (pairs,); -1 where one of the two says nothing.
    log_u
        Field -> shape (pairs,): natural logarithm of u of just these values, where it is known better than by level,
        such as from the frequency of a name.
    base
        Shape (pairs,): further log evidence that is not learned.
    n_left, n_right
        Records of both sides. ``n_right`` is None where ``base`` already counts how many records of the right side
        would be candidates by chance.
    """

    left: Indices
    right: Indices
    levels: Mapping[str, NDArray[np.int8]]
    n_left: int
    n_right: int | None
    log_u: Mapping[str, Floats] = field(default_factory=dict)
    base: Floats | float = 0.0


@dataclass(frozen=True, slots=True)
class FittedLinkage:
    """What EM learned.

    Parameters
    ----------
    fields
        With ``m`` and ``u`` as learned.
    weight
        Shape (pairs,): log2 of the evidence that a pair is one person, without the prior.
    probability
        Shape (pairs,): that it is, given all candidates of both.
    matches
        Expected number of people in both sources.
    rounds
        Steps of EM.
    """

    fields: Mapping[str, FieldModel]
    weight: Floats
    probability: Floats
    matches: float
    rounds: int


def fit(
    pairs: CandidateLevels, fields: Mapping[str, FieldModel], *, matches: float | None = None, most: int = ROUNDS
) -> FittedLinkage:
    """Learn the weights, and how many people are in both sources.

    Parameters
    ----------
    pairs
        All candidates; pairs that are no candidates count as two people.
    fields
        What is expected of each field before the data are seen.
    matches
        Number of people in both sources to start with; half of the smaller source by default.
    most
        Steps of EM at most.

    Examples
    --------
    >>> levels = {"name": np.array([1, 0, 1, 1], dtype=np.int8)}
    >>> pairs = CandidateLevels(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]), levels, 3, 100)
    >>> name = FieldModel(np.array([0.1, 0.9]), np.array([0.9999, 0.0001]))
    >>> fit(pairs, {"name": name}).probability.round(2).tolist()
    [1.0, 0.0, 1.0, 1.0]
    """
    smaller = min(pairs.n_left, pairs.n_right or pairs.n_left)
    expected = smaller / 2 if matches is None else matches
    learned = dict(fields)
    rounds, moved = 0, np.inf
    while rounds < most and moved >= 1e-3:
        rounds += 1
        evidence = _evidence(pairs, learned)
        probability = marginals(pairs.left, pairs.right, evidence + _prior(pairs, expected))
        before, expected = expected, min(float(probability.sum()), float(smaller))
        moved = abs(expected - before)
        learned = {name: _maximised(model, pairs.levels[name], probability) for name, model in learned.items()}
    return FittedLinkage(learned, evidence / np.log(2), probability, expected, rounds)


def _prior(pairs: CandidateLevels, matches: float) -> float:
    """Return the log odds of a pair against both being alone; one pseudo-record on each side."""
    odds = np.log(matches + 0.5) - np.log(pairs.n_left - matches + 1)
    return float(odds if pairs.n_right is None else odds - np.log(pairs.n_right - matches + 1))


def _evidence(pairs: CandidateLevels, fields: Mapping[str, FieldModel]) -> Floats:
    total = np.zeros(len(pairs.left)) + pairs.base
    for name, model in fields.items():
        levels = pairs.levels[name]
        log_u = pairs.log_u.get(name)
        against = np.log(model.u)[levels] if log_u is None else log_u
        total += np.where(levels >= 0, np.log(model.m)[levels] - against, 0.0)
    return total


def _maximised(model: FieldModel, levels: NDArray[np.int8], probability: Floats) -> FieldModel:
    """Return the model with the levels counted, each pair by its probability."""
    known = levels >= 0
    size = len(model.m)
    same = np.bincount(levels[known], weights=probability[known], minlength=size)
    m = (model.strength * model.m + same) / (model.strength + same.sum())
    if model.learn_u is None:
        return replace(model, m=m, strength=model.strength)
    known = known if model.among is None else known & model.among
    other = np.bincount(levels[known], weights=1 - probability[known], minlength=size)
    return replace(model, m=m, u=(model.learn_u * model.u + other) / (model.learn_u + other.sum()))


def marginals(left: Indices, right: Indices, log_odds: Floats) -> Floats:
    """Return the probability of every pair, when no record is in two of them.

    Parameters
    ----------
    left, right, log_odds
        Shape (pairs,): the records, and the log odds of the pair against both being alone.

    Examples
    --------
    >>> rivals = marginals(np.array([0, 0]), np.array([0, 1]), np.array([3.0, 3.0]))
    >>> (rivals < 0.5).all()
    np.True_
    """
    odds = np.exp(np.clip(log_odds, -_LARGEST, _LARGEST))
    by_left, by_right = _Groups.of(left), _Groups.of(right)
    to_left = np.ones(len(odds))
    for _ in range(_MESSAGES):
        to_right = 1 / (1 + by_left.others(odds * to_left))
        before, to_left = to_left, 1 / (1 + by_right.others(odds * to_right))
        if np.abs(to_left - before).max(initial=0.0) < 1e-9:
            break
    joint = odds * to_left / (1 + by_left.others(odds * to_left))
    return joint / (1 + joint)


@dataclass(frozen=True, slots=True)
class _Groups:
    """The pairs of every record, one record after another."""

    order: Indices
    starts: Indices
    member: Indices

    @classmethod
    def of(cls, owner: Indices) -> _Groups:
        order = np.argsort(owner, kind="stable")
        begins = np.diff(owner[order], prepend=-1) != 0
        return cls(order, np.flatnonzero(begins), np.cumsum(begins) - 1)

    def others(self, values: Floats) -> Floats:
        """Return for every pair the sum of the other pairs of its record, exact where one is far the largest."""
        if not len(values):
            return values
        held = values[self.order]
        largest = np.maximum.reduceat(held, self.starts)[self.member]
        at_top = np.flatnonzero(held == largest)
        first = at_top[np.unique(self.member[at_top], return_index=True)[1]]
        rest = held.copy()
        rest[first] = 0.0
        total = np.add.reduceat(rest, self.starts)[self.member]
        found = np.maximum(total - held, 0.0) + largest
        found[first] = total[first]
        back = np.empty_like(found)
        back[self.order] = found
        return back


def link_threshold(probability: Floats | Sequence[float], wrong: float, *, least: float = 0.99) -> float:
    """Return the smallest probability to link at, so that among the linked no more than ``wrong`` is expected wrong.

    Parameters
    ----------
    probability
        Of the pairs that are each the best of both records.
    wrong
        Share of the links.
    least
        No pair below is linked, however good the others are.

    Examples
    --------
    >>> link_threshold([0.999, 0.999, 0.995, 0.5], 0.003)
    0.995
    """
    ordered = np.sort(np.asarray(probability, dtype=np.float64))[::-1]
    ordered = ordered[ordered >= least]
    fine = np.cumsum(1 - ordered) <= wrong * np.arange(1, len(ordered) + 1)
    return float(ordered[np.flatnonzero(fine)[-1]]) if fine.any() else float("inf")
