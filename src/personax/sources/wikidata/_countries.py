"""The ISO code of a country by its item, also of kingdoms with several countries and of states that are no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from personax.sources.wikidata._api import EntityPage
from personax.sources.wikidata._entity import Entity

__all__ = ["country_code", "further_items"]

_FIXED: Final[Mapping[str, str]] = {
    "Q29999": "NL", "Q756617": "DK",  # kingdoms whose code is that of their country in Europe
    "Q36704": "YU", "Q83286": "YU", "Q838261": "YU", "Q37024": "CS", "Q15180": "SU", "Q33946": "CSHH",
    "Q16957": "DD", "Q713750": "DE", "Q41304": "DE", "Q34266": "RU", "Q172579": "IT", "Q28513": "AT",
    "Q207272": "PL",
}  # fmt: skip
"""Items that Wikidata states no present code of, or several; a code of a state that is no more is told by geocoding."""

_STEPS: Final = 4


def further_items(entity: Entity) -> list[str]:
    """Return what else must be known to give a country without a code one: its successors, and its capital."""
    if entity.id in _FIXED or entity.current("P297"):
        return []
    return [*entity.items("P1366"), *entity.items("P36")]


def country_code(item: str, items: Mapping[str, EntityPage]) -> str | None:
    """Return the code of a country, else that of its successor or of its capital's country; None where there is none.

    Parameters
    ----------
    item
        The country.
    items
        Countries, successors, capitals and their countries, by id.

    Notes
    -----
    A state with several successors, such as Austria-Hungary, counts to the country that its capital is in today, as in
    docs/geocoding.md.
    """
    for _ in range(_STEPS):
        if item in _FIXED:
            return _FIXED[item]
        if item not in items:
            return None
        entity = items[item].entity
        stated = next((each.value for each in entity.current("P297") if isinstance(each.value, str)), None)
        if stated is not None:
            return stated if len(stated) == 2 and stated.isascii() and stated.isupper() else None
        successors = entity.items("P1366")
        capitals = [one for one in entity.items("P36") if one in items]
        inside = [country for one in capitals for country in items[one].entity.items("P17")]
        following = successors if len(successors) == 1 else inside[:1]
        if not following or following[0] == item:
            return None
        item = following[0]
    return None
