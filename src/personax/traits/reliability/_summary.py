"""The whole of reliability in one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from personax.results import Result
from personax.schema import TraitFramework
from personax.traits._frameworks import BIG_FIVE
from personax.traits._ratings import Floats, families_of
from personax.traits.reliability._agreement import icc
from personax.traits.reliability._differential import differential_functioning
from personax.traits.reliability._generalisability import decision_study
from personax.traits.reliability._group_differences import group_labels, group_statistics
from personax.traits.reliability._multitrait import multitrait_multimethod
from personax.traits.reliability._rater_effects import rater_effects
from personax.traits.reliability._rating_array import Bootstrap, RatingArray
from personax.traits.reliability._silence import silence_by_group

__all__ = ["ReliabilityReport", "reliability_report"]


class ReliabilityReport(dict[str, Any], Result):
    """Reliability of raters, as reliability.json holds it; see `reliability_report`."""

    def to_frame(self) -> pl.DataFrame:
        """Return a row a number with an interval: ``rater trait measure value low high n reason``.

        ``rater`` is null for what is of all raters together, ``trait`` for what is of all traits.
        """
        rows = [
            {"trait": trait, "measure": measure, **found[measure]}
            for trait, found in self["traits"].items()
            for measure in ("icc_single", "icc_average")
        ]
        for rater, effects in self["raters"].items():
            rows += [
                {"rater": rater, "trait": trait, "measure": measure, **one}
                for measure in ("severity", "retest")
                for trait, one in effects[measure].items()
            ]
            overall = {"zeros": effects["zeros"], "unscored": effects["unscored"], "position": effects["position"]}
            overall["halo"] = self["traitwise"]["halo"][rater]
            rows += [{"rater": rater, "measure": measure, **one} for measure, one in overall.items() if one is not None]
        columns = {"rater": pl.String, "trait": pl.String, "measure": pl.String}
        numbers = dict.fromkeys(("value", "low", "high"), pl.Float64)
        schema = {**columns, **numbers, "n": pl.Int64, "reason": pl.String}
        return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def reliability_report(
    annotations: pl.DataFrame,
    *,
    people: Sequence[str],
    groups: Mapping[str, pl.Series] | None = None,
    rng: np.random.Generator,
    bootstraps: int = 200,
    framework: TraitFramework = BIG_FIVE,
    families: Mapping[str, str] | None = None,
) -> ReliabilityReport:
    """Return what is known of the raters' reliability, each number with an interval over people or a reason.

    Parameters
    ----------
    annotations
        Rows of annotations.parquet.
    people
        Ids, in the order of ``groups``.
    groups
        Name -> everybody's value, such as gender or league; numbers become quarters.
    rng, bootstraps
        For intervals.
    framework
        Whose traits were scored.
    families
        Rater -> family, such as the maker of a model; every rater is its own where none are named.

    Returns
    -------
    ReliabilityReport
        ``traits`` (ICC(2,1), ICC(2,k), variance components and raters needed), ``raters`` (severity, test-retest,
        scale, zeros, unscored, position), ``traitwise`` (multitrait-multimethod, HTMT, halo), ``groups``,
        ``differential`` and ``silence``.
    """
    ratings, bootstrap = RatingArray.from_annotations(annotations, people, framework.names), Bootstrap(rng, bootstraps)
    named = {name: group_labels(column) for name, column in (groups or {}).items()}
    unscored = _unscored(annotations, people, framework.names) if named else np.empty((0, 0))
    return ReliabilityReport(  # in this order, which the draws of the bootstrap follow
        traits={trait: _trait(ratings, place, bootstrap) for place, trait in enumerate(framework.names)},
        raters=rater_effects(ratings, annotations, bootstrap),
        traitwise=multitrait_multimethod(ratings, bootstrap),
        groups={name: group_statistics(ratings, unscored, group, bootstrap) for name, group in named.items()},
        differential=_corrected(
            [
                {"by": name, "trait": trait, **row}
                for name, group in named.items()
                for place, trait in enumerate(framework.names)
                for row in differential_functioning(
                    ratings.scores[:, place], ratings.raters, group, families=families_of(ratings.raters, families)
                )
            ]
        ),
        silence=silence_by_group(annotations, people, groups or {}),
    )


def _trait(ratings: RatingArray, place: int, bootstrap: Bootstrap) -> dict[str, Any]:
    means = ratings.means[:, place]
    complete = means[:, ~np.isnan(means).any(axis=0)]
    reason = "fewer than two raters, or too few people whom all of them scored differently"
    return {
        "icc_single": bootstrap.interval(
            lambda index: icc(complete[:, index]).single, complete.shape[1], reason=reason
        ),
        "icc_average": bootstrap.interval(
            lambda index: icc(complete[:, index]).average, complete.shape[1], reason=reason
        ),
        "generalisability": decision_study(ratings.scores[:, place]),
    }


def _corrected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with ``p_corrected`` over all that have a p-value (Benjamini and Hochberg 1995)."""
    from scipy.stats import false_discovery_control

    known = [row for row in rows if row["p_value"] is not None]
    corrected = iter(false_discovery_control([row["p_value"] for row in known]) if known else ())
    return [row | {"p_corrected": None if row["p_value"] is None else float(next(corrected))} for row in rows]


def _unscored(annotations: pl.DataFrame, people: Sequence[str], traits: Sequence[str]) -> Floats:
    """Return the share of answers without a score, shape (traits, people)."""
    requested = annotations.filter(~pl.col("status").is_in(["failed", "not_asked"]))
    share = requested.group_by("person", "trait").agg((pl.col("status") != "ok").mean().alias("share"))
    place = {person: index for index, person in enumerate(people)}
    shares = np.full((len(traits), len(people)), np.nan)
    for person, trait, value in share.iter_rows():
        shares[traits.index(trait), place[person]] = value
    return shares
