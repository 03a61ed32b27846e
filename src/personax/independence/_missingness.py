"""Whether being missing depends on the other columns: what a deletion of rows would hide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from personax.errors import InputError
from personax.independence._corrections import Correction
from personax.independence._frames import as_frame
from personax.independence._grid import SCHEMA, screen
from personax.independence._variable import present_rows
from personax.schema import Kind
from personax.strict import check_alpha, nearest

__all__ = ["missingness"]

FEW: Final = 5
"""Fewer missing or present values of a column say nothing of why."""

IS_MISSING: Final = " is missing"


def missingness(
    frame: Any,  # noqa: ANN401 - any table
    columns: Sequence[str] | None = None,
    *,
    kinds: Mapping[str, Kind] | None = None,
    alpha: float = 0.05,
    correction: Correction = "fdr_bh",
    seed: int = 0,
) -> pl.DataFrame:
    """Test whether a column's being missing depends on each other column, as far as that is known.

    Level I deletes rows pair by pair. That is harmless where values are missing by chance; where people of high y leave
    x out, what is left may depend otherwise than all people do. Dependence on observed columns can be seen here;
    dependence on the missing values themselves cannot.

    Parameters
    ----------
    frame
        A table in memory, as of `screen`.
    columns
        Those to look at; all by default.
    kinds, alpha, correction, seed
        As of `screen`.

    Returns
    -------
    polars.DataFrame
        The tidy table of `screen`, by test ``auto``: features are ``"<column> is missing"``, for every column of which
        five values or more are missing and present. ``direction_text`` says who leaves it out. No rows where no
        column qualifies.

    Raises
    ------
    InputError
        A table that is not in memory, a column that is not there.

    References
    ----------
    Little 1988, doi:10.1080/01621459.1988.10478722; Rubin 1976, doi:10.1093/biomet/63.3.581.

    Examples
    --------
    >>> income = [None if k % 4 == 0 else k for k in range(200)]
    >>> frame = pl.DataFrame({"income": income, "age": [40 - k % 4 * 5 for k in range(200)]})
    >>> missingness(frame).filter(pl.col("rejected"))["direction_text"].to_list()
    ['age is higher where income is missing: mean 40 (n 50) against 30 (n 150)']
    """
    table = as_frame(frame)
    if not isinstance(table, pl.DataFrame):
        raise InputError("missing values are looked at in tables in memory; read the table first")
    check_alpha(alpha)
    if isinstance(columns, str):
        raise InputError(f"columns is a list of names; write columns=[{columns!r}]")
    names = list(dict.fromkeys(table.columns if columns is None else map(str, columns)))
    if absent := [name for name in (*names, *(kinds or {})) if name not in table.columns]:
        raise InputError(f"the table has no column {absent[0]}, {nearest(absent[0], table.columns)}")
    gaps = {name: ~present_rows(table[name]) for name in names}
    partly = [name for name, gap in gaps.items() if FEW <= gap.sum() <= table.height - FEW]
    told = [pl.Series(name + IS_MISSING, gaps[name]).replace_strict({True: "yes", False: "no"}) for name in partly]
    whole = table.select(names).with_columns(told)
    meaning: dict[str, Kind] = {**(kinds or {}), **dict.fromkeys((one.name for one in told), "nominal")}
    meaning = {name: kind for name, kind in meaning.items() if name in whole.columns}
    features = [one.name for one in told]
    if not features:
        return pl.DataFrame(schema=SCHEMA)
    found = screen(
        whole, features, names, kinds=meaning, tests=["auto"], alpha=alpha, correction=correction, seed=seed
    )  # fmt: skip
    # a column is never missing where it has a value: with itself nothing varies, and that row says nothing
    found = found.filter(pl.col("feature") != pl.col("target") + IS_MISSING)
    text = pl.col("direction_text")
    for said, plain in (("yes than where it is no", "missing"), ("no than where it is yes", "known")):
        text = text.str.replace_all(f"{IS_MISSING} is {said}", f" is {plain}", literal=True)
    return found.with_columns(text)
