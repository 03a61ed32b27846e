"""Sites of the NHL, the ATP, the PGA Tour, the Premier League and the Bundesliga in their real shapes; see `shapes`."""

from __future__ import annotations

import json
from typing import Any

from tests.sources.leagues.invented import Answer, Person, as_json, asked, dumped, last_part, people, person

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
        start, size = int(asked(target, "start")), min(int(asked(target, "limit")), 100)
        shown = [nhl_bio(p, kind) for p in kinds[kind][start : start + size]]
        return as_json({"data": shown, "total": len(kinds[kind])})

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
            first, last = int(asked(target, "fromRank")), int(asked(target, "toRank"))
            return "application/json", atp_ranking(people(n)[first - 1 : last])
        number = int(last_part(target), 16)
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
        return as_json({"data": {"players": [pga_player(person(int(ref))) for ref in variables["ids"]]}})

    return answer


def next_data(value: object) -> bytes:
    """Return a page that carries a state as the PGA Tour's pages do."""
    state = {"props": {"pageProps": {"dehydratedState": {"queries": [{"queryKey": ["x"], "state": {"data": value}}]}}}}
    shown = json.dumps(state)
    return f'<html><script id="__NEXT_DATA__" type="application/json">{shown}</script></html>'.encode()


def pga_pages(n: int) -> Answer:
    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        if last_part(target) == "players":
            return "text/html", next_data({"players": [pga_player(p) for p in people(n)]})
        return "text/html", next_data({"player": pga_player(person(int(last_part(target))))})

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
        start, size = int(asked(target, "_next", "c0")[1:]), int(asked(target, "_limit"))
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
        slug = last_part(target)
        if slug == "player":
            return "text/html", ng_state({"ATTACK": [bundesliga_person(p, whole=False) for p in people(n)]})
        return ("text/html", ng_state([bundesliga_person(slugs[slug], whole=True)])) if slug in slugs else None

    return answer


def bundesliga_api(n: int) -> Answer:
    slugs = {p.slug: p for p in people(n)}

    def answer(target: str, body: bytes) -> tuple[str, bytes] | None:
        last = last_part(target)
        if last == "club":
            return as_json([{"id": f"DFL-CLU-{k:06}", "name": {"full": f"FC {k}"}} for k in range(18)])
        if "personsbyclub" in target:
            members = people(n)[int(last[-6:]) :: 18]
            return as_json({"players": {"ATTACK": [bundesliga_person(p, whole=False) for p in members]}})
        return as_json(bundesliga_person(slugs[last], whole=True)) if last in slugs else None

    return answer
