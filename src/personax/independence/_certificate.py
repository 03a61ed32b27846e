"""The certificate: what a calibration found, in words and a table, to stand beside the results it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

__all__ = ["certificate", "family_sentences", "verdicts"]


def verdicts(table: pl.DataFrame, alpha: float = 0.05) -> dict[str, str]:
    """Return one sentence a test.

    Parameters
    ----------
    table
        From `calibrate_like` or `calibrate_scenarios`.
    alpha
        The level that its verdicts are about.

    Examples
    --------
    >>> row = {"scenario": "mixed", "test": "kci", "n": 100, "rate_05": 0.05, "low_05": 0.037, "high_05": 0.065}
    >>> verdicts(pl.DataFrame([row | {"times": 1000, "failed": 0, "verdict": "level kept"}]))
    {'kci': 'kci kept its level of 0.05 in the one cell; the highest rate at .05 is 0.050 [0.037, 0.065], for mixed.'}
    """
    return {
        test: _sentence(test, table.filter(pl.col("test") == test), alpha)
        for test in table["test"].unique(maintain_order=True)
    }


def _sentence(test: str, table: pl.DataFrame, alpha: float) -> str:
    ran = table.filter(pl.col("verdict") != "not run")
    if not ran.height:
        return f"{test} could not be run: it does not fit these columns."
    parts = []
    for verdict in ("rejects too often", "hardly ever rejects"):
        cells = [_named(row) for row in ran.filter(pl.col("verdict") == verdict).iter_rows(named=True)]
        if cells:
            parts.append(f"{verdict} in {len(cells)} of {ran.height} cell{'s' * (ran.height > 1)} ({'; '.join(cells)})")
    worst = ran.sort("rate_05", descending=True).row(0, named=True)
    rate = f"{worst['rate_05']:.3f} [{worst['low_05']:.3f}, {worst['high_05']:.3f}]"
    where = "the one cell" if ran.height == 1 else f"all {ran.height} cells"
    said = " and ".join(parts) or f"kept its level of {alpha:g} in {where}"
    return f"{test} {said}; the highest rate at .05 is {rate}, for {_named(worst)}."


def _named(row: Mapping[str, Any]) -> str:
    return str(row["scenario"]) if "scenario" in row else f"{row['feature']} and {row['target']}"


def family_sentences(families: pl.DataFrame) -> list[str]:
    """Return one sentence a test of `family_wise`.

    Examples
    --------
    >>> row = {"test": "kci", "correction": "holm", "pairs": 9, "grids": 99, "errors": 4, "rate": 0.04, "low": 0.011}
    >>> family_sentences(pl.DataFrame([row | {"high": 0.099, "smallest": 0.02, "verdict": "level kept"}]))
    ['kci: something found in 4 of 99 grids of 9 true nulls (holm); family-wise error 0.040 [0.011, 0.099], level kept']
    """
    return [_family(row) for row in families.iter_rows(named=True) if row["verdict"] != "not run"]


def _family(row: Mapping[str, Any]) -> str:
    error = f"family-wise error {row['rate']:.3f} [{row['low']:.3f}, {row['high']:.3f}], {row['verdict']}"
    grids = f"{row['errors']:,} of {row['grids']:,} grids of {row['pairs']:,} true nulls ({row['correction']})"
    return f"{row['test']}: something found in {grids}; {error}"


def certificate(
    table: pl.DataFrame, facts: Mapping[str, str], alpha: float = 0.05, families: pl.DataFrame | None = None
) -> str:
    """Return the certificate as Markdown.

    Parameters
    ----------
    table
        From `calibrate_like` or `calibrate_scenarios`.
    facts
        What was run on what: label -> text.
    alpha
        The level that its verdicts are about.
    families
        From `family_wise`, where whole grids were run.
    """
    return "\n".join(_lines(table, facts, alpha, families)) + "\n"


def _lines(table: pl.DataFrame, facts: Mapping[str, str], alpha: float, families: pl.DataFrame | None) -> Iterator[str]:
    yield "# Calibration"
    yield ""
    yield from (f"- {_plain(sentence)}" for sentence in verdicts(table, alpha).values())
    if families is not None:
        yield from (f"- {_plain(sentence)}" for sentence in family_sentences(families))
    yield ""
    yield "A level kept is one that so many nulls cannot tell from the level asked for: the 95 % interval of the share"
    yield "of true nulls rejected reaches down to it. Of forty tests whose level is exact, one fails that by chance."
    yield ""
    yield from (f"- {label}: {_plain(text)}" for label, text in facts.items())
    yield ""
    keys = [name for name in ("scenario", "feature", "target", "test") if name in table.columns]
    levels = [level for level in ("05", "01", "asked") if f"rate_{level}" in table.columns]
    heads = [f"rejected at {'the level asked for' if level == 'asked' else f'.{level}'}" for level in levels]
    yield f"| {' | '.join(keys)} | n | {' | '.join(heads)} | nulls | not run | verdict |"
    yield "|---" * (len(keys) + 4 + len(levels)) + "|"
    for row in table.iter_rows(named=True):
        names = " | ".join(_plain(row[key]) for key in keys)
        rates = " | ".join(_rate(row, level) for level in levels)
        yield f"| {names} | {row['n']:,} | {rates} | {row['times']:,} | {row['failed']:,} | {row['verdict']} |"


def _rate(row: Mapping[str, Any], level: str) -> str:
    rate = row[f"rate_{level}"]
    if rate is None:
        return "–"
    if level == "asked":
        return f"{rate:.4f} [{row['low_asked']:.4f}, {row['high_asked']:.4f}] at {row['asked']:.2g}"
    return f"{rate:.3f} [{row[f'low_{level}']:.3f}, {row[f'high_{level}']:.3f}]"


def _plain(text: str) -> str:
    """Return a name so that it stays one cell of a table and no markup."""
    line = " ".join(text.split())
    return line.replace("|", "\\|").replace("<", "&lt;")
