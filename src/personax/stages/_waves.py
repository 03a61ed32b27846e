"""Waves: what was collected before is kept beside what is collected now, and the difference is told."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from personax.data.frames import read_parquet
from personax.data.table import Table
from personax.errors import InputError, PlanError, StudyError
from personax.schema import Column, Notice
from personax.sources import compare_waves, same_people, stack_waves, wave_notices
from personax.stages._base import Context, Reader

__all__ = ["WAVES", "KeptWave", "is_set_aside", "kept_waves", "trait_drift", "with_waves"]

WAVES: Final = "waves.json"
_LATEST: Final = "waves/latest.parquet"

_STACKED: Final = (
    Column("person", "private", "nominal"),
    Column("wave", "feature", "nominal"),
)


@dataclass(frozen=True, slots=True)
class KeptWave:
    """A wave before the present one.

    Parameters
    ----------
    wave
        Its number, from 1.
    collected
        When, ISO 8601 in UTC; the last time where it was collected again without a change.
    people
        How many.
    sha256
        Of what was read.
    """

    wave: int
    collected: str
    people: int
    sha256: str


def kept_waves(reader: Reader) -> list[KeptWave]:
    """Return the waves before the present one, the first first."""
    return [KeptWave(**one) for one in reader.json("people", WAVES) or []]


def with_waves(
    context: Context,
    table: Table,
    *,
    source_sha256: str,
    show: str | int = "latest",
    stopped: Collection[str] = (),
    partial: bool = False,
) -> Table:
    """Keep what was collected before, say what differs, and return the people that the study is about.

    Parameters
    ----------
    context
        Of the stage collect.
    table
        What is collected now.
    source_sha256
        Of the pages or the file. Where they are the same, another table comes from other settings, and is no new wave.
    show
        ``latest``, ``all`` (a row a person and wave), or the number of a wave.
    stopped
        See `personax.sources.compare_waves`.
    partial
        Some of the sources, or some people of each: what is collected now is no wave, and the last one stays.
    """
    kept, frames = _kept(context)
    before = _present(context)
    changes = _changes(context)
    if partial:
        context.notices.append(Notice("Part of the people only (only or limit): this is not kept as a wave."))
    elif before is not None and not same_people(before[0], table.frame) and before[1].sha256 != source_sha256:
        frame, noted = before
        kept, frames = [*kept, noted], {**frames, noted.wave: frame}
        found = compare_waves(frame, table.frame, wave=noted.wave + 1, stopped=stopped)
        context.notices += wave_notices(found, noted.wave + 1, before=frame.columns, after=table.frame.columns)
        changes = found if changes is None else pl.concat([changes, found])
    if changes is not None:
        context.write_frame(changes, "people", "changes.parquet")
    if kept:
        context.write_text(json.dumps([_facts(one) for one in kept], indent=1), "people", WAVES)
        for number, frame in frames.items():
            context.write_frame(frame, "people", "waves", f"{number:03}.parquet")
        context.counts["waves"] = len(kept) + 1
    if partial and before is not None:
        context.write_frame(before[0], "people", *_LATEST.split("/"))
    if partial or show == "latest":
        return table
    context.write_frame(table.frame, "people", *_LATEST.split("/"))
    return _shown(table, {**frames, len(kept) + 1: table.frame}, show)


def is_set_aside(context: Context) -> bool:
    """Say whether the last wave is another table than the people of the study."""
    return context.folder.output("people", _LATEST) is not None


def _changes(context: Context) -> pl.DataFrame | None:
    path = context.folder.output("people", "changes.parquet")
    return None if path is None else read_parquet(path)


def _facts(one: KeptWave) -> dict[str, Any]:
    return {"wave": one.wave, "collected": one.collected, "people": one.people, "sha256": one.sha256}


def _kept(context: Context) -> tuple[list[KeptWave], dict[int, pl.DataFrame]]:
    """Return the waves before the last one; one whose file is gone or was changed is said, and no more."""
    kept, frames = [], {}
    for one in kept_waves(context):
        try:
            frames[one.wave] = context.frame("people", "waves", f"{one.wave:03}.parquet")
        except StudyError:
            context.notices.append(Notice(f"Wave {one.wave} is missing or was changed; it is not kept any longer."))
            continue
        kept.append(one)
    return kept, frames


def _present(context: Context) -> tuple[pl.DataFrame, KeptWave] | None:
    """Return the last wave as it was collected; None where nobody was, or people were invented."""
    manifest, noted = context.folder.manifest("collect"), kept_waves(context)
    provenance = context.json("people", "provenance.json")
    if manifest is None or not provenance:
        return None
    name = _LATEST if is_set_aside(context) else "people.parquet"
    frame = context.frame("people", name)
    number = max((one.wave for one in noted), default=0) + 1
    collected = manifest.started or datetime.now(UTC).isoformat(timespec="seconds")
    return frame, KeptWave(number, collected, frame.height, str(provenance.get("sha256", "")))


def _shown(table: Table, waves: Mapping[int, pl.DataFrame], show: str | int) -> Table:
    if show == "all":
        stacked = stack_waves(waves)
        known = {column.name: column for column in (*table.columns, *_STACKED)}
        lost = [name for name in stacked.columns if name not in known]
        return replace(table, frame=stacked.drop(lost), columns=[known[n] for n in stacked.columns if n in known])
    if show not in waves:
        raise PlanError(f"collect.waves: there is no wave {show}; there are {', '.join(map(str, waves))}")
    chosen = waves[int(show)]
    kept = [column for column in table.columns if column.name in chosen.columns]
    return replace(table, frame=chosen.select(column.name for column in kept), columns=kept)


def trait_drift(people: pl.DataFrame, scores: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return how scores moved between neighbouring waves, in the people who are in both.

    Parameters
    ----------
    people
        ``id``, ``person`` and ``wave``.
    scores
        ``id`` and the scores.
    columns
        Of the scores.

    Returns
    -------
    polars.DataFrame
        ``score, from_wave, to_wave, people, mean_change, low, high, correlation``: the mean of the paired differences
        with its 95 % interval of Student's t, and how far people keep their order.

    Raises
    ------
    InputError
        When the people have no waves.

    Notes
    -----
    A score that an LLM gave twice moves without a cause, too; ask it for repeats to know by how much.
    """
    from scipy import stats

    if not {"person", "wave"} <= set(people.columns):
        raise InputError("the people have no waves; write waves: all under collect")
    joined = people.select("id", "person", "wave").join(scores.select("id", *columns), on="id")
    waves = sorted(joined["wave"].unique())
    rows = []
    for first, second in pairwise(waves):
        one, two = (joined.filter(pl.col("wave") == wave) for wave in (first, second))
        both = one.join(two, on="person", suffix="_now")
        for column in columns:
            pairs = both.select(pl.col(column).cast(pl.Float64), pl.col(f"{column}_now").cast(pl.Float64)).drop_nulls()
            was, now = pairs.to_numpy().T
            n, change = len(was), now - was
            spread = change.std(ddof=1) / np.sqrt(n) if n > 1 else float("nan")
            half = stats.t.ppf(0.975, n - 1) * spread if n > 1 else float("nan")
            mean = change.mean() if n else float("nan")
            varies = n > 2 and was.std() > 0 and now.std() > 0
            kept = float(np.corrcoef(was, now)[0, 1]) if varies else float("nan")
            rows.append((column, first, second, n, float(mean), float(mean - half), float(mean + half), kept))
    schema = {"score": pl.String, "from_wave": pl.Int64, "to_wave": pl.Int64, "people": pl.Int64,
              "mean_change": pl.Float64, "low": pl.Float64, "high": pl.Float64, "correlation": pl.Float64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
