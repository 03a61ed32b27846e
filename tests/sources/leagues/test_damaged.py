"""Pages that were damaged on their way: mutations of real shapes, and any bytes at all; only named errors come."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.leagues import shapes
from tests.sources.leagues.serving import BASE, page

from personax.errors import SourceError
from personax.sources._records import Record
from personax.sources.leagues import ListedPerson, ListPage, PageRequest


def cases() -> list[tuple[str, str, bytes]]:
    """Return (league, what reads it, page) of every shape; small, so that mutations hit something."""
    p, two = shapes.person(1), shapes.people(2)
    return [
        ("nba", "", shapes.nba_index(2)),
        ("nba", "own", shapes.nba_player(p)),
        ("nfl", "", shapes.nfl_roster(two)),
        ("nfl", "own", shapes.nfl_player(p)),
        ("nflverse", "", shapes.nflverse_table(2)),
        ("espn", "teams", shapes.espn(2)("/teams", b"")[1]),  # type: ignore[index]
        ("espn", "roster", shapes.espn_roster(two)),
        ("espn", "athletes", shapes.espn_athletes(2)("/athletes?limit=2&page=1", b"")[1]),  # type: ignore[index]
        ("espn", "own", shapes.dumped(shapes.espn_athlete(p))),
        ("nhl", "skater", shapes.nhl(2)("/skater/bios?start=0&limit=9", b"")[1]),  # type: ignore[index]
        ("nhl", "own", shapes.nhl_roster(two)),
        ("atp", "", shapes.atp_ranking(two)),
        ("atp", "own", shapes.atp_player(p)),
        ("pga", "", shapes.pga_directory(2)),
        ("pga", "own", shapes.dumped({"data": {"players": [shapes.pga_player(p)]}})),
        ("premier_league", "", shapes.premier_players(two, "c2")),
        ("bundesliga", "people", shapes.ng_state([shapes.bundesliga_person(p, whole=False)])),
        ("bundesliga", "own", shapes.ng_state([shapes.bundesliga_person(p, whole=True)], old=True)),
    ]


CASES = cases()
IDS = {"nba": "9000001", "nfl": "bo-1", "espn": "3000001", "nhl": "8000001", "atp": "0001", "pga": "00001"}


def read(case: tuple[str, str, bytes], body: bytes) -> ListPage | Record | SourceError:
    """Read a page as its league does; any error that is not named escapes."""
    name, kind, _ = case
    league = shapes.pointed(name, BASE, **({"key": None, "via": "pages"} if name == "pga" else {}))
    if name == "pga":
        league = league.model_copy(update={"via": "graphql"})
    ref = IDS.get(name, "DFL-OBJ-000001")
    try:
        if kind == "own":
            return league.parse_detail(page(body), ListedPerson(ref, Record(name, ref, {}, {})))
        request = shapes.pointed("nba", BASE).first_pages()[0].request
        return league.parse_list(page(body), PageRequest(request, kind, 1))
    except SourceError as error:
        return error


def test_all_cases_are_read_when_whole() -> None:
    for case in CASES:
        found = read(case, case[2])
        assert not isinstance(found, SourceError), (case[:2], found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1] or 'list'}")
@given(data=st.data())
def test_damaged_bytes_give_named_errors_only(case: tuple[str, str, bytes], data: st.DataObject) -> None:
    body = bytearray(case[2])
    for _ in range(data.draw(st.integers(1, 4))):
        require_key = data.draw(st.integers(0, len(body)))
        match data.draw(st.sampled_from(["cut", "put", "drop", "twice"])):
            case "cut":
                del body[require_key:]
            case "put":
                body[require_key:require_key] = data.draw(st.binary(max_size=6))
            case "drop":
                del body[require_key : require_key + data.draw(st.integers(1, 40))]
            case _:
                body[require_key:require_key] = body[require_key : require_key + 30]
    read(case, bytes(body))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just("-"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def mutated(value: Any, chance: random.Random, fresh: list[Any]) -> Any:
    """Return JSON with some values put in the place of others, keys left as they are."""
    if fresh and chance.random() < 0.08:
        return fresh[chance.randrange(len(fresh))]
    if isinstance(value, dict):
        return {key: mutated(each, chance, fresh) for key, each in value.items()}
    return [mutated(each, chance, fresh) for each in value] if isinstance(value, list) else value


JSON_CASES = [case for case in CASES if case[2].startswith(b"{")]


@pytest.mark.parametrize("case", JSON_CASES, ids=lambda case: f"{case[0]}-{case[1] or 'list'}")
@given(chance=st.randoms(use_true_random=False), fresh=st.lists(JSON_VALUES, min_size=1, max_size=4))
def test_changed_values_give_named_errors_only(case: Any, chance: random.Random, fresh: list[Any]) -> None:
    found = read(case, json.dumps(mutated(json.loads(case[2]), chance, fresh)).encode())
    rows = found.people if isinstance(found, ListPage) else [found]
    for row in rows:
        record = row.list_record if isinstance(row, ListedPerson) else row
        if isinstance(record, Record):
            assert set(record.values) == set(record.origins)
            assert all(isinstance(record.values[c], str) for c in record.values if c in ("name", "team", "nationality"))
            assert 40 <= float(str(record.values.get("height_cm", 180))) <= 280


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1] or 'list'}")
@given(body=st.binary(max_size=200))
def test_any_bytes_give_named_errors_only(case: tuple[str, str, bytes], body: bytes) -> None:
    read(case, body)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1] or 'list'}")
def test_pages_that_nest_without_end(case: tuple[str, str, bytes]) -> None:
    for body in (b"[" * 200_000, b'{"data":' * 200_000, b"<div>" * 20_000):
        read(case, body)
