"""A text -> the country that it names."""

from __future__ import annotations

from dataclasses import dataclass

from personax.errors import InputError
from personax.sources.geocode.tables import SPACES, Policy, Space, codes, country_key, names, policies
from personax.strict import nearest

__all__ = ["Country", "find_country"]

_ORDER: tuple[Space, ...] = ("iso2", "ioc", "iso3", "fifa")


@dataclass(frozen=True, slots=True)
class Country:
    """A country that a text names.

    Parameters
    ----------
    iso2
        ISO 3166 alpha-2 code; XK for Kosovo; of a home nation or a dissolved state, that of its successor.
    policy
        The rule that put it there, for what is no country of ISO today.
    clash
        The same code means another country in another code space; the documented order decided.
    """

    iso2: str
    policy: Policy | None = None
    clash: bool = False


def find_country(text: str, *, space: Space = "auto") -> Country | None:
    """Return the country that a name, a demonym or a code means; None where it means none that we know.

    Parameters
    ----------
    text
        ``Ivory Coast``, ``Dutch``, ``GER``; the empty text is no country.
    space
        A code space where the source is known to use one. ``auto`` tries names and demonyms, then, for capital letters
        only, ISO alpha-2, IOC, ISO alpha-3 and FIFA codes; last, codes of states that are no more.

    Raises
    ------
    InputError
        When there is no such space.

    Examples
    --------
    >>> find_country("NA").iso2, find_country("Holland").iso2, find_country("BRN", space="iso3").iso2
    ('NA', 'NL', 'BN')
    >>> find_country("Czechoslovakia").policy.point
    'Prague'
    >>> find_country("Nowhere") is None
    True
    """
    if space not in SPACES:
        raise InputError(f"there is no code space {space}; {nearest(space, list(SPACES))}")
    stripped = text.strip()
    if space == "name":
        return _by_name(stripped)
    if space != "auto":
        return _by_code(stripped.upper(), (space,))
    return _by_name(stripped) or (_by_code(stripped, _ORDER) if stripped.isupper() else None)


def _by_name(text: str) -> Country | None:
    word = country_key(text)
    if word in names():
        return Country(names()[word])
    policy = policies()[0].get(word)
    return Country(policy.successor, policy) if policy else None


def _by_code(code: str, spaces: tuple[Space, ...]) -> Country | None:
    found = [codes()[space][code] for space in spaces if code in codes()[space]]
    if found:
        return Country(found[0], clash=len(set(found)) > 1)
    policy = policies()[1].get(code)
    return Country(policy.successor, policy) if policy else None
