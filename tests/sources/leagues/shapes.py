"""Invented people, answered in the real shapes of the leagues' sites.

``SITES[name](n)`` is a site of n people: a function from the target of a request (path and query, as it stands in the
request line) and the request's body to (content type, bytes), or None for 404. So a server on loopback is::

    answer = SITES["nba"](560)
    kind, body = answer(self.path, b"")           # in do_GET of http.server, or in anything else that has a path

``pointed(name, "http://127.0.0.1:8000")`` is the league with every address on that server. Lists have pages (NHL 100 a
page with a total, ATP by ranks, Premier League with cursors), details are as large as the real ones.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from personax.sources.leagues import LEAGUES, League, Nfl

Answer = Callable[[str, bytes], tuple[str, bytes] | None]


def words(text: str) -> list[str]:
    return text.split()


_FIRST = [
    "Ada",
    "Bo",
    "Cy",
    "Dee",
    "Eli",
    "Fay",
    "Gus",
    "Hal",
    "Ida",
    "Jo",
    "Kit",
    "Lou",
    "Max",
    "Nan",
    "Oz",
    "Pia",
    "Quin",
    "Ray",
    "Sol",
    "Uma",
]
_LAST = words("Sample Exemple Beispiel Ejemplo Ornek Примеров Přiklad Foo-Bar O'Test NaN")
_COUNTRIES = [
    ("USA", "United States", "USA", "US"),
    ("GER", "Germany", "DEU", "DE"),
    ("ENG", "England", "GBR", "GB-ENG"),
    ("CIV", "Côte d'Ivoire", "CIV", "CI"),
]


class Person(NamedTuple):
    """What all shapes say of an invented person; inches and pounds are whole."""

    number: int
    first: str
    last: str
    born: date
    inches: int
    pounds: int
    country: tuple[str, str, str, str]

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def feet(self) -> str:
        return f"{self.inches // 12}-{self.inches % 12}"

    @property
    def slug(self) -> str:
        return f"{self.first.lower()}-{self.number}"


def person(number: int) -> Person:
    """Return the invented person of a number, the same one in every league."""
    first = _FIRST[number % len(_FIRST)]
    last = _LAST[number // len(_FIRST) % len(_LAST)]
    born = date(1985, 1, 1) + timedelta(days=number * 37 % 7000)
    return Person(
        number, first, last, born, 66 + number * 7 % 20, 150 + number * 13 % 160, _COUNTRIES[number % len(_COUNTRIES)]
    )


def people(n: int) -> list[Person]:
    return [person(number) for number in range(1, n + 1)]


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _json(value: object) -> tuple[str, bytes]:
    return "application/json", dumped(value)


def _asked(target: str, name: str, default: str = "") -> str:
    return parse_qs(urlsplit(target).query).get(name, [default])[0]


def _last_part(target: str) -> str:
    return urlsplit(target).path.rstrip("/").rsplit("/", 1)[-1]


# NBA


NBA_INDEX = [
    "PERSON_ID",
    "PLAYER_LAST_NAME",
    "PLAYER_FIRST_NAME",
    "PLAYER_SLUG",
    "TEAM_ID",
    "TEAM_SLUG",
    "IS_DEFUNCT",
    "TEAM_CITY",
    "TEAM_NAME",
    "TEAM_ABBREVIATION",
    "JERSEY_NUMBER",
    "POSITION",
    "HEIGHT",
    "WEIGHT",
    "COLLEGE",
    "COUNTRY",
    "DRAFT_YEAR",
    "DRAFT_ROUND",
    "DRAFT_NUMBER",
    "ROSTER_STATUS",
    "FROM_YEAR",
    "TO_YEAR",
    "PTS",
    "REB",
    "AST",
    "STATS_TIMEFRAME",
]
NBA_OWN = [
    "PERSON_ID",
    "FIRST_NAME",
    "LAST_NAME",
    "DISPLAY_FIRST_LAST",
    "DISPLAY_LAST_COMMA_FIRST",
    "DISPLAY_FI_LAST",
    "PLAYER_SLUG",
    "BIRTHDATE",
    "SCHOOL",
    "COUNTRY",
    "LAST_AFFILIATION",
    "HEIGHT",
    "WEIGHT",
    "SEASON_EXP",
    "JERSEY",
    "POSITION",
    "ROSTERSTATUS",
    "GAMES_PLAYED_CURRENT_SEASON_FLAG",
    "TEAM_ID",
    "TEAM_NAME",
    "TEAM_ABBREVIATION",
    "TEAM_CODE",
    "TEAM_CITY",
    "PLAYERCODE",
    "FROM_YEAR",
    "TO_YEAR",
    "DLEAGUE_FLAG",
    "NBA_FLAG",
    "GAMES_PLAYED_FLAG",
    "DRAFT_YEAR",
    "DRAFT_ROUND",
    "DRAFT_NUMBER",
    "GREATEST_75_FLAG",
]


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
        if _last_part(target) == "playerindex":
            return "application/json", nba_index(n)
        return "application/json", nba_player(person(int(_asked(target, "PlayerID")) - 9_000_000))

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
        if _last_part(target) == "teams":
            teams = [{"team": {"id": str(k + 1), "displayName": f"Team {k}"}} for k in range(32)]
            return _json({"sports": [{"id": "20", "leagues": [{"id": "28", "teams": teams}]}]})
        team = int(urlsplit(target).path.split("/")[-2])
        return "application/json", espn_roster(people(n)[team - 1 :: 32])

    return answer


def espn_athletes(n: int) -> Answer:
    """Answer as the list of active athletes, whose items are links, and as each athlete's own page."""

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if _last_part(target) != "athletes":
            return _json(espn_athlete(person(int(_last_part(target)) - 3_000_000)) | {"citizenship": "Germany"})
        size, page = int(_asked(target, "limit")), int(_asked(target, "page"))
        links = [{"$ref": f"http://x.invalid/athletes/{3_000_000 + p.number}?lang=en"} for p in people(n)]
        shown = links[(page - 1) * size : page * size]
        return _json({"count": n, "pageIndex": page, "pageCount": -(-n // size), "items": shown})

    return answer


# NHL


def nhl_bio(p: Person, kind: str) -> dict[str, Any]:
    goalie: dict[str, Any] = {"goalieFullName": p.name, "wins": 1}
    skater: dict[str, Any] = {"skaterFullName": p.name, "positionCode": "C", "goals": 1}
    return (goalie if kind == "goalie" else skater) | {
        "playerId": 8_000_000 + p.number,
        "lastName": p.last,
        "birthDate": str(p.born),
        "birthCity": "Exampleton",
        "birthStateProvinceCode": "ON",
        "birthCountryCode": p.country[2],
        "nationalityCode": p.country[2],
        "height": p.inches,
        "weight": p.pounds,
        "currentTeamAbbrev": f"E{chr(65 + p.number % 26)}A",
        "currentTeamName": "Exampleton Examples",
        "gamesPlayed": 82,
    }


def nhl_roster(members: list[Person]) -> bytes:
    """Return a team's roster."""
    mugs = "https://assets.nhle.com/mugs/nhl/20252026/EXA"
    players = [{"id": 8_000_000 + p.number, "headshot": f"{mugs}/{8_000_000 + p.number}.png"} for p in members]
    return dumped({"forwards": players[::2], "defensemen": players[1::2], "goalies": []})


def nhl(n: int) -> Answer:
    """Answer with a tenth goalies, and with at most 100 rows whatever is asked for."""
    kinds = {"goalie": people(n)[: n // 10], "skater": people(n)[n // 10 :]}

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if "/roster/" in target:
            team = target.split("/")[-2]
            return "application/json", nhl_roster([p for p in people(n) if f"E{chr(65 + p.number % 26)}A" == team])
        kind = target.split("/bios")[0].rsplit("/", 1)[-1]
        start, size = int(_asked(target, "start")), min(int(_asked(target, "limit")), 100)
        shown = [nhl_bio(p, kind) for p in kinds[kind][start : start + size]]
        return _json({"data": shown, "total": len(kinds[kind])})

    return answer


# ATP


def atp_id(p: Person) -> str:
    return f"{p.number:04X}"


def atp_ranking(members: list[Person]) -> bytes:
    """Return a page of the ranking."""
    players = [
        {"PlayerId": atp_id(p), "LastName": p.last, "FirstName": p.first, "NatlId": p.country[0], "Rank": p.number}
        for p in members
    ]
    return dumped({"Data": {"Rankings": {"RankDate": "2026-03-02T00:00:00", "Players": players}}})


def atp_player(p: Person) -> bytes:
    """Return one player's own page, in centimetres and kilograms too."""
    own = {"LastName": p.last, "FirstName": p.first, "BirthCity": "Exampleton, Italy", "NatlId": p.country[0]}
    born = {"BirthDate": f"{p.born}T00:00:00", "Nationality": p.country[1], "PlayHand": {"Id": "R"}}
    sizes = {"HeightIn": p.inches, "HeightCm": round(p.inches * 2.54), "WeightLb": p.pounds}
    return dumped(own | born | sizes | {"WeightKg": round(p.pounds * 0.45359237)})


def atp(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if "ranksglrollrange" in target:
            first, last = int(_asked(target, "fromRank")), int(_asked(target, "toRank"))
            return "application/json", atp_ranking(people(n)[first - 1 : last])
        number = int(_last_part(target), 16)
        return "application/json", atp_player(person(number)) if 1 <= number <= n else b"null"

    return answer


# PGA


def pga_player(p: Person) -> dict[str, Any]:
    bio = {
        "heightImperial": f"{p.inches // 12}'{p.inches % 12}\"",
        "heightMeters": f"{p.inches * 0.0254:.2f}",
        "weightImperial": str(p.pounds),
        "weightKilograms": f"{p.pounds * 0.45359237:.0f}",
        "born": f"{p.born:%b} {p.born.day}, {p.born.year}",
        "birthplace": {"city": "Exampleton", "state": "New Jersey", "country": p.country[1]},
    }
    names = {"id": f"{p.number:05}", "firstName": p.first, "lastName": p.last, "displayName": p.name}
    return names | {"country": p.country[1], "countryFlag": p.country[0], "playerBio": bio}


def pga_directory(n: int) -> bytes:
    """Return the directory of n players."""
    bare = [{k: v for k, v in pga_player(p).items() if k != "playerBio"} for p in people(n)]
    return dumped({"data": {"playerDirectory": {"players": bare}}})


def pga(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        variables = json.loads(body)["variables"]
        if "ids" not in variables:
            return "application/json", pga_directory(n)
        return _json({"data": {"players": [pga_player(person(int(ref))) for ref in variables["ids"]]}})

    return answer


def next_data(value: object) -> bytes:
    """Return a page that carries a state as the PGA Tour's pages do."""
    state = {"props": {"pageProps": {"dehydratedState": {"queries": [{"queryKey": ["x"], "state": {"data": value}}]}}}}
    shown = json.dumps(state)
    return f'<html><script id="__NEXT_DATA__" type="application/json">{shown}</script></html>'.encode()


def pga_pages(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if _last_part(target) == "players":
            return "text/html", next_data({"players": [pga_player(p) for p in people(n)]})
        return "text/html", next_data({"player": pga_player(person(int(_last_part(target))))})

    return answer


# Premier League


def premier_player(p: Person) -> dict[str, Any]:
    return {
        "id": {"competitionId": "8", "seasonId": "2025", "playerId": str(900_000 + p.number)},
        "name": {"firstName": p.first, "lastName": p.last, "display": p.name},
        "country": {"isoCode": p.country[3].title(), "country": p.country[1], "demonym": "Example"},
        "currentTeam": {"id": "3", "name": "Example FC", "shortName": "Example"},
        "position": "Midfielder",
        "height": round(p.inches * 2.54),
        "weight": round(p.pounds * 0.45359237),
        "dates": {"birth": str(p.born)},
    }


def premier_players(members: list[Person], cursor: str | None) -> bytes:
    """Return a page of players and the cursor of the next one."""
    pagination = {"_limit": 100, "_prev": None, "_next": cursor}
    return dumped({"pagination": pagination, "data": [premier_player(p) for p in members]})


def premier_league(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        start, size = int(_asked(target, "_next", "c0")[1:]), int(_asked(target, "_limit"))
        cursor = f"c{start + size}" if start + size < n else None
        return "application/json", premier_players(people(n)[start : start + size], cursor)

    return answer


# Bundesliga


def bundesliga_person(p: Person, *, whole: bool) -> dict[str, Any]:
    ref = f"DFL-OBJ-{p.number:06}"
    listed = {
        "id": ref,
        "name": {"full": p.name, "first": p.first, "last": p.last, "slugifiedFull": p.slug},
        "position": "ATTACK",
        "nationality": {"firstNationality": p.country[1], "firstNationalityCode": p.country[3]},
        "club": {"id": "DFL-CLU-00000G", "name": {"full": "FC Example"}},
        "playerImages": {"FACE_CIRCLE": f"https://assets.bundesliga.com/player/{ref}-circle.png"},
    }
    height = {"height": round(p.inches * 2.54), "unit": "CM"}
    weight = {"weight": round(p.pounds * 0.45359237), "unit": "KG"}
    birth = {"date": str(p.born), "place": "Exampleton", "country": p.country[1], "countryCode": p.country[3]}
    return listed | {"birth": birth, "bio": {"height": height, "weight": weight, "sex": "MALE"}} if whole else listed


def ng_state(value: object, *, old: bool = False) -> bytes:
    """Return a page that carries a state as today's Angular does, or as the older one did."""
    shown = json.dumps({"G.http://1234": {"body": value}, "other": [1, None]})
    if old:
        for meant, written in (("&", "&a;"), ('"', "&q;"), ("'", "&s;"), ("<", "&l;"), (">", "&g;")):
            shown = shown.replace(meant, written)
    name = "serverApp-state" if old else "ng-state"
    return (
        f'<html><div>{"menu " * 500}</div><script id="{name}" type="application/json">{shown}</script></html>'.encode()
    )


def bundesliga(n: int) -> Answer:
    slugs = {p.slug: p for p in people(n)}

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        slug = _last_part(target)
        if slug == "player":
            return "text/html", ng_state({"ATTACK": [bundesliga_person(p, whole=False) for p in people(n)]})
        return ("text/html", ng_state([bundesliga_person(slugs[slug], whole=True)])) if slug in slugs else None

    return answer


def bundesliga_api(n: int) -> Answer:
    slugs = {p.slug: p for p in people(n)}

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        last = _last_part(target)
        if last == "club":
            return _json([{"id": f"DFL-CLU-{k:06}", "name": {"full": f"FC {k}"}} for k in range(18)])
        if "personsbyclub" in target:
            members = people(n)[int(last[-6:]) :: 18]
            return _json({"players": {"ATTACK": [bundesliga_person(p, whole=False) for p in members]}})
        return _json(bundesliga_person(slugs[last], whole=True)) if last in slugs else None

    return answer


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
