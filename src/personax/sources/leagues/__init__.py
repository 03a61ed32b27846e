"""Athletes from the leagues' own sites: one file a league, one walk for all of them."""

from personax import registry
from personax.sources.leagues.atp import Atp
from personax.sources.leagues.bundesliga import Bundesliga
from personax.sources.leagues.espn import Espn
from personax.sources.leagues.league import League
from personax.sources.leagues.lists import Listed, Ref, Step
from personax.sources.leagues.nba import Nba
from personax.sources.leagues.nfl import Nfl
from personax.sources.leagues.nflverse import Nflverse
from personax.sources.leagues.nhl import Nhl
from personax.sources.leagues.pga import Pga
from personax.sources.leagues.premier_league import PremierLeague
from personax.sources.leagues.walk import walk

__all__ = [
    "LEAGUES",
    "Atp",
    "Bundesliga",
    "Espn",
    "League",
    "Listed",
    "Nba",
    "Nfl",
    "Nflverse",
    "Nhl",
    "Pga",
    "PremierLeague",
    "Ref",
    "Step",
    "walk",
]

LEAGUES: dict[str, type[League]] = {
    part.name: registry.get("sources", part.name)
    for part in registry.parts("sources")
    if part.module.startswith(f"{__name__}.")
}
"""Name in study.yaml -> the league, whose fields are the settings that may stand there."""
