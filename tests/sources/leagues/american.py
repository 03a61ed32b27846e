"""Sites of the NBA, the NFL, nflverse and ESPN in their real shapes; see `shapes`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlsplit

from tests.sources.leagues.invented import Answer, Person, as_json, asked, dumped, last_part, people, person, words

from personax.sources.leagues import Nfl

# NBA


NBA_INDEX = words(
    "PERSON_ID PLAYER_LAST_NAME PLAYER_FIRST_NAME PLAYER_SLUG TEAM_ID TEAM_SLUG IS_DEFUNCT TEAM_CITY TEAM_NAME "
    "TEAM_ABBREVIATION JERSEY_NUMBER POSITION HEIGHT WEIGHT COLLEGE COUNTRY DRAFT_YEAR DRAFT_ROUND DRAFT_NUMBER "
    "ROSTER_STATUS FROM_YEAR TO_YEAR PTS REB AST STATS_TIMEFRAME"
)
NBA_OWN = words(
    "PERSON_ID FIRST_NAME LAST_NAME DISPLAY_FIRST_LAST DISPLAY_LAST_COMMA_FIRST DISPLAY_FI_LAST PLAYER_SLUG "
    "BIRTHDATE SCHOOL COUNTRY LAST_AFFILIATION HEIGHT WEIGHT SEASON_EXP JERSEY POSITION ROSTERSTATUS "
    "GAMES_PLAYED_CURRENT_SEASON_FLAG TEAM_ID TEAM_NAME TEAM_ABBREVIATION TEAM_CODE TEAM_CITY PLAYERCODE "
    "FROM_YEAR TO_YEAR DLEAGUE_FLAG NBA_FLAG GAMES_PLAYED_FLAG DRAFT_YEAR DRAFT_ROUND DRAFT_NUMBER "
    "GREATEST_75_FLAG"
)


def _nba_cells(p: Person) -> dict[str, Any]:
    return {
        "PERSON_ID": 9_000_000 + p.number,
        "PLAYER_FIRST_NAME": p.first,
        "PLAYER_LAST_NAME": p.last,
        "FIRST_NAME": p.first,
        "LAST_NAME": p.last,
        "DISPLAY_FIRST_LAST": p.name,
        "BIRTHDATE": f"{p.born}T00:00:00",
        "COUNTRY": p.country[0],
        "COLLEGE": " " * 35,
        "HEIGHT": p.feet,
        "WEIGHT": str(p.pounds),
        "TEAM_CITY": "Exampleton",
        "TEAM_NAME": "Examples",
        "POSITION": "G",
    }


def nba_index(n: int) -> bytes:
    """Return the player index of n people."""
    rows = [[_nba_cells(p).get(header) for header in NBA_INDEX] for p in people(n)]
    table = {"name": "PlayerIndex", "headers": NBA_INDEX, "rowSet": rows}
    return dumped({"resource": "playerindex", "parameters": {"LeagueID": "00"}, "resultSets": [table]})


def nba_player(p: Person) -> bytes:
    """Return one player's own page."""
    own = {
        "name": "CommonPlayerInfo",
        "headers": NBA_OWN,
        "rowSet": [[_nba_cells(p).get(header) for header in NBA_OWN]],
    }
    stats = {"name": "PlayerHeadlineStats", "headers": ["PLAYER_ID", "PTS"], "rowSet": [[p.number, 1.5]]}
    seasons = {"name": "AvailableSeasons", "headers": ["SEASON_ID"], "rowSet": [[f"2{y}"] for y in range(2015, 2026)]}
    return dumped({"resource": "commonplayerinfo", "parameters": [], "resultSets": [own, stats, seasons]})


def nba(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if last_part(target) == "playerindex":
            return "application/json", nba_index(n)
        return "application/json", nba_player(person(int(asked(target, "PlayerID")) - 9_000_000))

    return answer


# NFL


def nfl_roster(members: list[Person]) -> bytes:
    """Return a team's roster page."""
    links = "".join(f'<tr><td><a href="/players/{p.slug}/">{p.name}</a></td><td>QB</td></tr>' for p in members)
    return f"<!doctype html><title>Roster</title><a href='/players/'>All</a><table>{links}</table>".encode()


def nfl_player(p: Person) -> bytes:
    """Return one player's own page: words and values, JSON-LD, a picture that loads late, and much else around."""
    pairs = {"Height": p.feet, "Weight": str(p.pounds), "Arms": "32 1/2", "Experience": "3", "Hometown": "Exampleton"}
    shown = "".join(
        f'<li><div class="nfl-c-player-info__key">{key}</div><div class="nfl-c-player-info__value">{value}</div></li>'
        for key, value in pairs.items()
    )
    member = {"name": p.name, "birthDate": str(p.born), "height": {"value": p.feet}, "weight": {"value": str(p.pounds)}}
    team = {"@type": "SportsTeam", "name": "Exampleton Examples", "member": {"roleName": "QB", "member": member}}
    picture = "https://static.www.nfl.com/t_lazy/f_auto/league/abc123"
    return (
        f"<!doctype html><html><head><title>{p.name}</title>"
        f'<script type="application/ld+json">{json.dumps({"@type": "WebPage"})}</script>'
        f'<script type="application/ld+json">{json.dumps(team)}</script>'
        f"<script>var x = {{not: 'json'}};</script></head><body>{'<nav>menu</nav>' * 200}"
        f'<figure class="nfl-c-player-header__headshot"><img src="{picture}" class="img-responsive"></figure>'
        f'<h1 class="nfl-c-player-header__title">{p.name}</h1><span class="nfl-c-player-header__position"> QB </span>'
        f'<div class="nfl-c-player-header__team"><a href="/teams/x/">Exampleton Examples</a></div>'
        f'<ul class="d3-o-list">{shown}</ul></body></html>'
    ).encode()


def nfl(n: int) -> Answer:
    teams = Nfl().teams
    slugs = {p.slug: p for p in people(n)}

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        parts = urlsplit(target).path.strip("/").split("/")
        if parts[0] == "teams":
            number = teams.index(parts[1])
            return "text/html", nfl_roster(people(n)[number :: len(teams)])
        return ("text/html", nfl_player(slugs[parts[1]])) if parts[1] in slugs else None

    return answer


def nflverse_table(n: int) -> bytes:
    """Return the nflverse table of n people, in another order of columns than they are read in."""
    header = "gsis_id display_name first_name last_name birth_date position_group position height weight headshot "
    columns = [*header.split(), "college_name", "last_season", "latest_team", "status"]
    written = io.StringIO()
    table = csv.DictWriter(written, columns, restval="", lineterminator="\n")
    table.writeheader()
    for p in people(n):
        row = {"gsis_id": f"00-{p.number:07}", "display_name": p.name, "birth_date": str(p.born), "position": "QB"}
        sizes = {"height": p.inches, "weight": p.pounds, "last_season": 2000 + p.number % 26, "latest_team": "EXA"}
        table.writerow(row | sizes | {"headshot": f"https://static.www.nfl.com/image/upload/league/{p.number}"})
    return written.getvalue().encode()


def nflverse(n: int) -> Answer:
    return lambda target, body: ("text/csv", nflverse_table(n))


# ESPN


def espn_athlete(p: Person) -> dict[str, Any]:
    return {
        "id": str(3_000_000 + p.number),
        "uid": f"s:20~l:28~a:{p.number}",
        "firstName": p.first,
        "lastName": p.last,
        "fullName": p.name,
        "weight": p.pounds,
        "height": p.inches,
        "displayHeight": f"{p.inches // 12}' {p.inches % 12}\"",
        "dateOfBirth": f"{p.born}T07:00Z",
        "birthPlace": {"city": "Exampleton", "state": "IL", "country": p.country[0]},
        "headshot": {"href": f"https://a.espncdn.com/i/headshots/nfl/players/full/{p.number}.png", "alt": p.name},
        "position": {"id": "73", "name": "Guard", "abbreviation": "G"},
        "links": [{"href": "http://www.example.invalid/", "rel": ["playercard"]}] * 6,
    }


def espn_roster(members: list[Person], *, flat: bool = False) -> bytes:
    """Return a roster, in three groups or flat."""
    athletes = [espn_athlete(p) for p in members]
    groups = [{"position": word, "items": athletes[k::3]} for k, word in enumerate(("offense", "defense", "special"))]
    team = {"id": "1", "displayName": "Exampleton Examples"}
    return dumped({"status": "success", "athletes": athletes if flat else groups, "team": team})


def espn(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if last_part(target) == "teams":
            teams = [{"team": {"id": str(k + 1), "displayName": f"Team {k}"}} for k in range(32)]
            return as_json({"sports": [{"id": "20", "leagues": [{"id": "28", "teams": teams}]}]})
        team = int(urlsplit(target).path.split("/")[-2])
        return "application/json", espn_roster(people(n)[team - 1 :: 32])

    return answer


def espn_athletes(n: int) -> Answer:
    """Answer as the list of active athletes, whose items are links, and as each athlete's own page."""

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if last_part(target) != "athletes":
            return as_json(espn_athlete(person(int(last_part(target)) - 3_000_000)) | {"citizenship": "Germany"})
        size, page = int(asked(target, "limit")), int(asked(target, "page"))
        links = [{"$ref": f"http://x.invalid/athletes/{3_000_000 + p.number}?lang=en"} for p in people(n)]
        shown = links[(page - 1) * size : page * size]
        return as_json({"count": n, "pageIndex": page, "pageCount": -(-n // size), "items": shown})

    return answer
