"""Invented people, answered in the real shapes of the leagues' sites.

``SITES[name](n)`` is a site of n people: a function from the target of a request (path and query, as it stands in the
request line) and the request's body to (content type, bytes), or None for 404. So a server on loopback is::

    answer = SITES["nba"](560)
    kind, body = answer(self.path, b"")           # in do_GET of http.server, or in anything else that has a path

``pointed(name, "http://127.0.0.1:8000")`` is the league with every address on that server. Lists have pages (NHL 100 a
page with a total, ATP by ranks, Premier League with cursors), details are as large as the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sources.leagues.american import (
    espn,
    espn_athlete,
    espn_athletes,
    espn_roster,
    nba,
    nba_index,
    nba_player,
    nfl,
    nfl_player,
    nfl_roster,
    nflverse,
    nflverse_table,
)
from tests.sources.leagues.invented import Answer, Person, asked, dumped, people, person
from tests.sources.leagues.others import (
    atp,
    atp_id,
    atp_player,
    atp_ranking,
    bundesliga,
    bundesliga_api,
    bundesliga_person,
    next_data,
    ng_state,
    nhl,
    nhl_bio,
    nhl_roster,
    pga,
    pga_directory,
    pga_pages,
    pga_player,
    premier_league,
    premier_player,
    premier_players,
)

from personax.sources.leagues import LEAGUES, League

__all__ = [
    "SITES",
    "Answer",
    "Person",
    "asked",
    "atp",
    "atp_id",
    "atp_player",
    "atp_ranking",
    "bundesliga",
    "bundesliga_api",
    "bundesliga_person",
    "dumped",
    "espn",
    "espn_athlete",
    "espn_athletes",
    "espn_roster",
    "nba",
    "nba_index",
    "nba_player",
    "next_data",
    "nfl",
    "nfl_player",
    "nfl_roster",
    "nflverse",
    "nflverse_table",
    "ng_state",
    "nhl",
    "nhl_bio",
    "nhl_roster",
    "people",
    "person",
    "pga",
    "pga_directory",
    "pga_pages",
    "pga_player",
    "pointed",
    "premier_league",
    "premier_player",
    "premier_players",
]

SITES: dict[str, Callable[[int], Answer]] = {
    "nba": nba,
    "nfl": nfl,
    "espn": espn,
    "nflverse": nflverse,
    "nhl": nhl,
    "atp": atp,
    "pga": pga,
    "premier_league": premier_league,
    "bundesliga": bundesliga,
}

_SEASONS = {"nba": "2025-26", "nhl": "20252026", "premier_league": "2025"}


def pointed(name: str, url: str, **settings: Any) -> League:
    """Return the league with all its addresses on one server."""
    fields = LEAGUES[name].model_fields
    addresses = {field: url for field in fields if field.endswith("_url")}
    season = {"season": _SEASONS[name]} if name in _SEASONS else {}
    ranks = {"ranks": 5000} if name == "atp" else {}
    return LEAGUES[name](**(addresses | season | ranks | settings))
