"""One country, one category: what sources write as names, demonyms and codes of several spaces becomes one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from personax.errors import MissingExtraError
from personax.schema import Notice
from personax.sources._records import Record
from personax.sources.geocode import SPACES, Space, country_name

__all__ = ["name_countries"]

COUNTRIES: Final = ("nationality", "country", "birth_country", "citizenship", "country_for_sport")
_SPACE: Final = "_code_space"


def name_countries(records: Sequence[Record]) -> tuple[list[Record], list[Notice]]:
    """Return the records with every country by its English name, and without the columns of code spaces.

    Parameters
    ----------
    records
        Each with its countries as its source writes them; ``<column>_code_space`` says what codes they are.

    Returns
    -------
    records, notices
        A country that nobody knows stays as it is written. Home nations and states that are no more are categories of
        their own; see docs/geocoding.md.

    Examples
    --------
    >>> nba = Record("nba", "1", {"nationality": "Canada", "nationality_code_space": "name"}, {})
    >>> atp = Record("atp", "2", {"nationality": "CAN", "nationality_code_space": "ioc"}, {})
    >>> [dict(record.values) for record in name_countries([nba, atp])[0]]
    [{'nationality': 'Canada'}, {'nationality': 'Canada'}]
    """
    named, changed, unknown = [], 0, 0
    for record in records:
        values = {column: value for column, value in record.values.items() if not column.endswith(_SPACE)}
        for column in COUNTRIES:
            text = values.get(column)
            if not isinstance(text, str) or not text.strip():
                continue
            found = _name(text, str(record.values.get(column + _SPACE, "auto")))
            unknown += found is None
            changed += found is not None and found != text
            values[column] = found or text
        origins = {column: origin for column, origin in record.origins.items() if column in values}
        named.append(replace(record, values=values, origins=origins))
    texts = [
        ("Countries were codes or other spellings, and have one English name now.", changed),
        ("Countries are not known to the gazetteer, and stay as they are written.", unknown),
    ]
    return named, [Notice(text, count) for text, count in texts if count]


@lru_cache(maxsize=2**14)
def _name(text: str, space: str) -> str | None:
    known: Space = next((one for one in SPACES if one == space), "auto")
    try:
        return country_name(text, space=known)
    except MissingExtraError:
        return None
