"""k-anonymity by full-domain recoding: every value of a column leaves at the same level of its hierarchy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.data.table import Table
from personax.errors import ComputationError, InputError
from personax.release.disclosure._anonymity import Anonymity, measure, sensitive_codes
from personax.release.disclosure._hierarchy import Given, Hierarchy, hierarchies
from personax.release.disclosure._lattice import Lattice, LatticeNode
from personax.schema import Column

__all__ = ["AppliedLevel", "Generalised", "generalise"]

MAX_EVALUATIONS = 20_000
"""Looks at the table before the search stops at the best node so far."""


@dataclass(frozen=True, slots=True)
class AppliedLevel:
    """How a column, or two that move together, leaves.

    Parameters
    ----------
    columns, says
        Names, and the level in words.
    level, levels
        Its number from 0, and how many there are.
    loss
        Mean normalised certainty penalty, from 0 to 1, before single people are withheld.
    before, after
        Distinct values.
    withheld
        People whose value was known and leaves empty.
    """

    columns: tuple[str, ...]
    says: str
    level: int
    levels: int
    loss: float
    before: int
    after: int
    withheld: int


@dataclass(frozen=True)
class Generalised:
    """A table whose quasi-identifiers are k-anonymous, and what that cost.

    Parameters
    ----------
    frame
        The table; columns that are not quasi-identifiers are as they were.
    steps
        One a hierarchy.
    loss
        Mean loss of a quasi-identifier.
    suppressed
        People whose quasi-identifiers are all withheld.
    optimal
        True where no other choice of levels loses less; False where the search was stopped.
    before, after
        Measured; ``after.k`` holds of the class of the withheld as well.
    """

    frame: pl.DataFrame
    steps: tuple[AppliedLevel, ...]
    loss: float
    suppressed: int
    optimal: bool
    before: Anonymity
    after: Anonymity

    @property
    def sentence(self) -> str:
        """A sentence for the dataset card."""
        how = "; ".join(f"{' and '.join(step.columns)}: {step.says}" for step in self.steps)
        return (
            f"Everybody shares {', '.join(self.after.quasi_identifiers)} with at least {self.after.k - 1} others "
            f"(k = {self.after.k}; {self.before.k} before). {how}. "
            f"All of these are withheld of {self.suppressed} people. "
            f"{'No coarser or finer choice loses less.' if self.optimal else 'The search stopped; less may be lost.'} "
            "This says nothing of other columns, nor of what all people of a group have in common."
        )


def generalise(
    frame: pl.DataFrame,
    quasi_identifiers: Sequence[Column],
    *,
    k: int,
    l: int = 1,  # noqa: E741 - the field's own name
    sensitive: Sequence[Column] = (),
    suppress: float = 0.01,
    given: Mapping[str, Given] | None = None,
    weights: Mapping[str, float] | None = None,
    step: float | None = 1.0,
    budget: int = MAX_EVALUATIONS,
) -> Generalised:
    """Recode quasi-identifiers so that everybody shares them with at least k - 1 others, at the least loss.

    Parameters
    ----------
    frame
        One row a person.
    quasi_identifiers
        What an attacker may know; see `personax.release.disclosure.hierarchy.hierarchies` for their levels.
    k
        Least people of a class, at least 1.
    l
        Least distinct values, in a class, of every sensitive column; 1 asks nothing.
    sensitive
        Columns that are measured, and diverse where l asks for it.
    suppress
        Share of people whose quasi-identifiers may be withheld instead of coarsening everybody's further.
    given
        Nominal column -> its groups, such as country -> continent.
    weights
        Column -> how much its loss counts, 1 where it is not named; a column that the study needs gets more.
    step
        Sensitive numbers count as different from this step on; see `personax.release.disclosure.measure`.
    budget
        Looks at the table before the search stops with ``optimal=False``.

    Returns
    -------
    Generalised
        The choice does not depend on the order of the rows.

    Raises
    ------
    InputError
        Fewer than k people, fewer than l values, or settings that mean nothing.

    Notes
    -----
    Those withheld are one class: all null. If it were smaller than k, or less diverse than l, the smallest other class
    is withheld too, within the same limit. The loss of a node is that of its levels; people withheld
    only break ties. Distinct l-diversity is enforced, not the entropy kind: only the former never falls when
    classes are joined, which the search relies on.

    References
    ----------
    El Emam et al. 2009, doi:10.1197/jamia.M3144 (OLA); Kohlmayer et al. 2012,
    doi:10.1109/SocialCom-PASSAT.2012.52 (Flash).

    Examples
    --------
    >>> people = pl.DataFrame({"year": [1990, 1991, 1996, 1997], "job": ["a", "a", "b", "b"]})
    >>> found = generalise(people, [Column("year", "feature", "continuous"), Column("job", "feature", "nominal")], k=2)
    >>> found.after.k, found.frame["year"].to_list(), found.steps[0].says, round(found.loss, 3)
    (2, [1990.5, 1990.5, 1996.5, 1996.5], 'bands of 2', 0.071)
    """
    names = [column.name for column in quasi_identifiers]
    _check(frame, names, k, l, sensitive, suppress, step)
    before = measure(frame, names, sensitive, k=k, step=step)
    made = hierarchies(Table(frame.select(names), quasi_identifiers), given)
    counted = _weights(made, weights or {})
    limit = int(suppress * frame.height)
    lattice, back = _lattice(frame, made, counted, sensitive, step, k=k, diverse=l, limit=limit)
    node, optimal = lattice.search(budget)
    withheld = node.withheld[back]
    released = _recode(frame, made, node, withheld)
    after = measure(released, names, sensitive, k=k, step=step)
    if after.k < k or (l > 1 and any(found.distinct < l for found in after.sensitive)):
        raise ComputationError(f"the recoded table has k = {after.k}, not {k}; do not release it, and report this")
    steps = tuple(_step(frame, released, hierarchy, level) for hierarchy, level in zip(made, node.levels, strict=True))
    return Generalised(released, steps, node.loss, node.people, optimal, before, after)


def _check(
    frame: pl.DataFrame,
    names: Sequence[str],
    k: int,
    diverse: int,
    sensitive: Sequence[Column],
    suppress: float,
    step: float | None,
) -> None:
    if not names:
        raise InputError("k-anonymity needs quasi-identifiers; name the columns that an attacker may know")
    if len(set(names)) < len(names):
        raise InputError("a quasi-identifier is named twice; name each once")
    if k < 1 or diverse < 1 or not 0 <= suppress <= 1:
        raise InputError(f"k = {k}, l = {diverse}, suppress = {suppress:g}: k and l are at least 1, suppress a share")
    if frame.height < k:
        raise InputError(f"{frame.height} people cannot be {k}-anonymous; release more people, or ask for a smaller k")
    for column in sensitive if diverse > 1 else ():
        codes = sensitive_codes(frame[column.name], column, step)[0]
        values = len(np.unique(codes[codes >= 0]))
        if values < diverse:
            raise InputError(
                f"{column.name} has {values} distinct values, fewer than l = {diverse}; ask for a smaller l"
            )
    if diverse > 1 and not sensitive:
        raise InputError(f"l = {diverse} needs sensitive columns; name them")


def _weights(made: Sequence[Hierarchy], weights: Mapping[str, float]) -> list[float]:
    """Return the share of each hierarchy in the loss."""
    names = [name for hierarchy in made for name in hierarchy.columns]
    for name, weight in weights.items():
        if name not in names or not 0 < weight < np.inf:
            raise InputError(f"the weight {weight:g} of {name} is invalid; quasi-identifiers have positive weights")
    total = sum(weights.get(name, 1.0) for name in names)
    return [sum(weights.get(name, 1.0) for name in hierarchy.columns) / total for hierarchy in made]


def _lattice(
    frame: pl.DataFrame,
    made: Sequence[Hierarchy],
    weights: Sequence[float],
    sensitive: Sequence[Column],
    step: float | None,
    *,
    k: int,
    diverse: int,
    limit: int,
) -> tuple[Lattice, NDArray[np.intp]]:
    """Return the lattice over distinct rows, and the distinct row of every person."""
    secret = [sensitive_codes(frame[column.name], column, step)[0] + 1 for column in sensitive] if diverse > 1 else []
    table = np.column_stack([*(hierarchy.base for hierarchy in made), *secret])
    rows, back, counts = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    codes, losses, empty = [], [], []
    for place, hierarchy in enumerate(made):
        codes.append(np.stack([level.codes[rows[:, place]] for level in hierarchy.levels]))
        losses.append([level.loss * weights[place] for level in hierarchy.levels])
        nulls = [~level.values.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
                 for level in hierarchy.levels]  # fmt: skip
        empty.append(np.stack([null[rows[:, place]] for null in nulls]))
    hidden = [rows[:, len(made) + place] for place in range(len(secret))]
    return Lattice(codes, losses, empty, counts, hidden, k=k, diverse=diverse, limit=limit), back.reshape(-1)


def _recode(
    frame: pl.DataFrame, made: Sequence[Hierarchy], node: LatticeNode, withheld: NDArray[np.bool_]
) -> pl.DataFrame:
    hidden = pl.Series(withheld)
    for hierarchy, level in zip(made, node.levels, strict=True):
        values = hierarchy.levels[level].values[hierarchy.base]
        frame = frame.with_columns(
            pl.select(pl.when(~hidden).then(values[name]).alias(name)).to_series() for name in hierarchy.columns
        )
    return frame


def _step(before: pl.DataFrame, after: pl.DataFrame, hierarchy: Hierarchy, level: int) -> AppliedLevel:
    names = list(hierarchy.columns)
    lost = (
        before.select(pl.any_horizontal(pl.col(names).is_not_null())).to_series()
        & after.select(pl.all_horizontal(pl.col(names).is_null())).to_series()
    )
    chosen = hierarchy.levels[level]
    return AppliedLevel(
        hierarchy.columns,
        chosen.says,
        level,
        len(hierarchy.levels),
        chosen.loss,
        before.select(names).n_unique(),
        after.select(names).n_unique(),
        int(lost.sum()),
    )
