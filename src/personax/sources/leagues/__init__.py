"""Athletes from the leagues' own sites: one file a league, one crawler for all of them.

``_league`` is what a league is (settings, hosts, requests), ``_crawl`` crawls it (pagination, then each person) and
decides that a site has changed (schema drift), ``_parsing`` reads JSON and HTML, ``_record_builder`` makes records.
"""

from personax import registry
from personax.sources.leagues._atp import Atp
from personax.sources.leagues._bundesliga import Bundesliga
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest, crawl
from personax.sources.leagues._espn import Espn
from personax.sources.leagues._league import League
from personax.sources.leagues._nba import Nba
from personax.sources.leagues._nfl import Nfl
from personax.sources.leagues._nflverse import Nflverse
from personax.sources.leagues._nhl import Nhl
from personax.sources.leagues._pga import Pga
from personax.sources.leagues._premier_league import PremierLeague

__all__ = [
    "LEAGUES",
    "Atp",
    "Bundesliga",
    "Espn",
    "League",
    "ListPage",
    "ListedPerson",
    "Nba",
    "Nfl",
    "Nflverse",
    "Nhl",
    "PageRequest",
    "Pga",
    "PremierLeague",
    "crawl",
]

LEAGUES: dict[str, type[League]] = {
    part.name: registry.get("sources", part.name)
    for part in registry.parts("sources")
    if part.module.startswith(f"{__name__}.")
}
"""Name in study.yaml -> the league, whose fields are the settings that may stand there."""
