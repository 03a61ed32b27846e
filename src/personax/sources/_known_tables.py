"""Tables that many people have: what their columns are, recognised by their headers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from personax.errors import InputError
from personax.strict import nearest

__all__ = ["KNOWN_TABLES", "KnownTable", "known_columns", "known_table", "recognised"]

Keys = Mapping[str, Any]
"""Keys of ``collect.columns.<name>``."""


@dataclass(frozen=True)
class KnownTable:
    """A table that many people have.

    Parameters
    ----------
    name
        In ``collect.preset``.
    title
        For people.
    signature
        Headers that all must be there for it to be recognised.
    columns
        Our column -> its keys in study.yaml, each with ``from``, ``join`` or ``parts``.
    missing
        Texts that mean missing, besides empty cells.
    also
        Header -> how other exports or years of the same table spell it.
    """

    name: str
    title: str
    signature: frozenset[str]
    columns: Mapping[str, Keys]
    missing: tuple[str, ...] = field(default=())
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def spelled(self, headers: Collection[str]) -> dict[str, str]:
        """Return our headers -> theirs, of those that are there."""
        other = {ours: one for ours, spellings in self.also.items() for one in spellings if one in headers}
        return {**other, **{header: header for header in headers}}


def _private(*headers: str) -> dict[str, Keys]:
    return {header: {"from": header, "role": "private"} for header in headers}


_QUALTRICS_ABOUT: Final = (
    "StartDate", "EndDate", "RecordedDate", "IPAddress", "RecipientLastName", "RecipientFirstName", "RecipientEmail",
    "ExternalReference", "LocationLatitude", "LocationLongitude",
)  # fmt: skip

_LIMESURVEY_ABOUT: Final = {
    "id": "Response ID", "submitdate": "Date submitted", "lastpage": "Last page", "startlanguage": "Start language",
    "seed": "Seed", "startdate": "Date started", "datestamp": "Date last action", "ipaddr": "IP address",
    "refurl": "Referrer URL", "token": "Access code",
}  # fmt: skip

KNOWN_TABLES: Final = (
    KnownTable(
        "lahman", "People.csv of Lahman's baseball database",
        frozenset({"playerID", "nameFirst", "nameLast", "birthYear", "bats", "throws"}),
        {
            "id": {"from": "playerID"},
            "name": {"join": ["nameFirst", "nameLast"]},
            "birth_date": {"parts": ["birthYear", "birthMonth", "birthDay"]},
            "height_cm": {"from": "height", "unit": "in"},
            "weight_kg": {"from": "weight", "unit": "lb"},
            "birth_country": {"from": "birthCountry", "kind": "nominal"},
            **_private("ID", "nameGiven", "retroID", "bbrefID"),
        },
    ),
    KnownTable(
        "tennis_atp", "players of the tennis_atp and tennis_wta collections",
        frozenset({"player_id", "name_first", "name_last", "hand", "dob", "ioc"}),
        {
            "id": {"from": "player_id"},
            "name": {"join": ["name_first", "name_last"]},
            "birth_date": {"from": "dob", "format": ["%Y%m%d", "%Y%m00", "%Y0000", "%Y%m%d.0", "%Y%m00.0", "%Y0000.0"]},
            "height_cm": {"from": "height", "unit": "cm"},
            "nationality": {"from": "ioc", "kind": "nominal"},
            "hand": {"from": "hand", "kind": "nominal", "missing": ["", "U"]},
            **_private("wikidata_id"),
        },
    ),
    KnownTable(
        "nflverse", "players of nflverse",
        frozenset({"gsis_id", "display_name", "birth_date", "position_group"}),
        {
            "id": {"from": "gsis_id"},
            "name": {"from": "display_name"},
            "birth_date": {"from": "birth_date"},
            "height_cm": {"from": "height", "unit": "in"},
            "weight_kg": {"from": "weight", "unit": "lb"},
            **_private("common_first_name", "first_name", "last_name", "short_name", "football_name", "suffix",
                       "headshot", "esb_id", "nfl_id", "pfr_id", "pff_id", "otc_id", "espn_id", "smart_id"),
        },
        ("NA",),
    ),
    KnownTable(
        "rio2016", "athletes of the Olympic Games of 2016, and tables shaped like it",
        frozenset({"name", "nationality", "sex", "height", "weight", "sport", "gold", "silver", "bronze"}),
        {
            "id": {"from": "id"},
            "name": {"from": "name"},
            "birth_date": {"from": "date_of_birth"},
            "height_cm": {"from": "height", "unit": "m"},
            "weight_kg": {"from": "weight", "unit": "kg"},
            **_private("info"),
        },
        also={"date_of_birth": ("dob",)},
    ),
    KnownTable(
        "qualtrics", "an export of Qualtrics",
        frozenset({"ResponseId", "StartDate"}),
        {"id": {"from": "ResponseId"}, **_private(*_QUALTRICS_ABOUT)},
        also={"ResponseId": ("ResponseID", "Response ID"), "StartDate": ("Start Date",), "EndDate": ("End Date",),
              "RecordedDate": ("Recorded Date",), "IPAddress": ("IP Address",), "RecipientEmail": ("EmailAddress",),
              "ExternalReference": ("ExternalDataReference",)},
    ),
    KnownTable(
        "limesurvey", "an export of LimeSurvey",
        frozenset({"id", "submitdate", "lastpage", "startlanguage"}),
        {"id": {"from": "id"}, **_private("submitdate", "startdate", "datestamp", "seed", "ipaddr", "refurl", "token")},
        ("N/A",),
        # headings as "question code and text", and as question text in English
        {code: (f"{code}. {text}", text) for code, text in _LIMESURVEY_ABOUT.items()},
    ),
    KnownTable(
        "prolific", "the demographics that Prolific exports",
        frozenset({"Participant id", "Submission id", "Status"}),
        {
            "id": {"from": "Participant id"},
            "age": {"from": "Age", "kind": "continuous"},
            "gender": {"from": "Sex", "kind": "nominal"},
            "nationality": {"from": "Nationality", "kind": "nominal"},
            **_private("Submission id", "Custom study tncs accepted at", "Started at", "Completed at", "Reviewed at",
                       "Archived at", "Completion code"),
        },
        ("DATA_EXPIRED", "CONSENT_REVOKED"),
    ),
)  # fmt: skip


def known_table(name: str) -> KnownTable:
    """Return a known table by its name.

    Raises
    ------
    InputError
        There is none of this name.
    """
    for table in KNOWN_TABLES:
        if table.name == name:
            return table
    names = [table.name for table in KNOWN_TABLES]
    raise InputError(f"there is no preset {name}; {nearest(name, names)}")


def recognised(headers: Collection[str]) -> KnownTable | None:
    """Return the known table whose signature these headers hold; None for another one.

    Examples
    --------
    >>> recognised(["player_id", "name_first", "name_last", "hand", "dob", "ioc", "height"]).name
    'tennis_atp'
    """
    return next((table for table in KNOWN_TABLES if table.signature <= table.spelled(headers).keys()), None)


def known_columns(table: KnownTable, headers: Collection[str]) -> dict[str, Keys]:
    """Return the columns of a known table that are there, as keys of study.yaml.

    Examples
    --------
    >>> known_columns(known_table("lahman"), ["playerID", "birthYear", "birthMonth"])
    {'id': {'from': 'playerID'}, 'birth_date': {'parts': ['birthYear', 'birthMonth']}}
    """
    found: dict[str, Keys] = {}
    spelled = table.spelled(headers)
    for name, keys in table.columns.items():
        if keys.get("from") in spelled:
            theirs = spelled[keys["from"]]
            found[theirs if name == keys["from"] and keys.get("role") == "private" else name] = {**keys, "from": theirs}
        for several in ("join", "parts"):
            if its := [spelled[header] for header in keys.get(several, ()) if header in spelled]:
                found[name] = {**keys, several: its}
    return found
