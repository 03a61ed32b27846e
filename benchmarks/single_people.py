"""How many people stand alone by one column, by two and by three, before and after a release by the defaults.

    python benchmarks/single_people.py

Twenty-one tables of made-up people in the shapes of public ones; somebody in most of them has a value that nobody
else has; and three of real people, where ``../shared/data`` is there. Counted in the protected table alone, over all
columns but the traits; a missing value is a value.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from personax.data.columns import infer_columns
from personax.data.table import Table
from personax.release import ReleaseInput
from personax.release._settings import ReleaseSettings
from personax.release._table_protection import protect
from personax.release.disclosure import singling_out
from personax.release.keys._keystore import ReleaseKey
from personax.sources import read_nfl_players, read_openfootball

RANDOM = Random(4)
REAL = Path(__file__).parents[2] / "shared" / "data"
PERSIAN = {48 + digit: 0x6F0 + digit for digit in range(10)}
MONTHS = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "Oktober", "November", "Dezember"]
Cell = Callable[[int], Any]


def few(share: float, most: int) -> int:
    """Return a count of which larger ones are ever rarer."""
    count = 0
    while RANDOM.random() > share and count < most:
        count += 1
    return count


def one_of(*values: object, weights: list[float] | None = None) -> Cell:
    """Return a cell that is one of some values."""
    return lambda _: RANDOM.choices(values, weights)[0]


def whole(low: int, high: int) -> Cell:
    """Return a cell with a whole number."""
    return lambda _: RANDOM.randint(low, high)


def counts(share: float, most: int) -> Cell:
    """Return a cell with a count."""
    return lambda _: few(share, most)


def but(person: int, value: object, others: Cell) -> Cell:
    """Return a cell that one person alone has another value in."""
    return lambda row: value if row == person else others(row)


def persian(low: int, high: int) -> Cell:
    """Return a cell with a whole number in Persian digits."""
    return lambda _: str(RANDOM.randint(low, high)).translate(PERSIAN)


TABLES: dict[str, tuple[int, dict[str, Cell]]] = {
    "baseball": (900, {
        "bats": one_of("L", "R", "B", weights=[30, 68, 2]), "throws": but(5, "S", one_of("L", "R")),
        "HR": counts(.02, 400), "allstar": counts(.8, 400), "hof": lambda row: int(row in (3, 4)),
        "birthMonth": whole(1, 12), "birthDay": whole(1, 31), "birthYear": whole(1900, 1990),
        "debut_decade": one_of(1920, 1950, 1980)}),
    "tennis": (400, {
        "hand": but(3, "A", one_of("R", "L", weights=[88, 12])), "slams": but(1, 24, counts(.85, 20)),
        "weeks_no1": but(1, 428, one_of(0)), "backhand": one_of("one", "two"),
        "olympic_gold": lambda row: str(row in (1, 7)).lower()}),
    "olympics": (800, {
        "gold": but(0, 23, counts(.7, 9)), "silver": counts(.7, 9), "bronze": counts(.7, 9),
        "NOC": one_of("USA", "GER", "JPN", "FRA", "BHU", weights=[50, 30, 20, 19, .1]),
        "season": one_of("Summer", "Winter"), "flag_bearer": lambda row: row == 9}),
    "films": (600, {
        "oscars": but(2, 4, counts(.9, 3)), "nominations": but(2, 21, counts(.6, 8)),
        "genre": but(6, "silent", one_of("drama", "comedy", "action", "horror")),
        "title_type": one_of("movie", "tv"), "retired": one_of("yes", "no")}),
    "parliament": (650, {
        "terms": but(4, 13, counts(.4, 9)), "minister": lambda row: row < 3, "speaker": but(8, "ja", one_of("nein")),
        "committee": one_of("budget", "health", "defence", "petitions", "europe"),
        "mandate": one_of("list", "direct"), "seat": whole(1, 12)}),
    "chess": (700, {
        "title": one_of("GM", "IM", "FM", "WGM", "CM", "WCM", weights=[10, 30, 40, 1, 20, .5]),
        "k_factor": one_of(10, 20, 40), "world_champion": but(1, 1, one_of(0)), "inactive": one_of("w", "i", None),
        "games": counts(.3, 30)}),
    "date in German": (300, {
        "Jahr": whole(1940, 2004), "Monat": whole(1, 12), "Tag": whole(1, 28), "Verein": one_of(*"ABC")}),
    "names of months": (300, {"a": one_of(*MONTHS), "b": whole(1, 31), "c": whole(40, 99)}),
    "date in Persian": (300, {
        "y": persian(1320, 1380), "m": persian(1, 12), "t": persian(1, 30), "cups": but(3, "۹", one_of("۰"))}),
    "yes and no": (300, {
        "nobel": but(9, "true", one_of("false")), "fields": lambda row: "x" if row in (3, 9) else "",
        "knighted": but(5, None, one_of("no")), "status": but(2, "deceased", one_of("active"))}),
    "few missing": (300, {
        "foot": but(7, None, one_of("l", "r")), "caps": but(8, None, whole(0, 3)),
        "drafted": but(3, None, one_of(True, False))}),
    "shirts": (500, {"num": but(3, 99, one_of(1, 7, 9, 10, 23)), "row": whole(1, 4), "flag": lambda row: row % 2}),
    "fractions": (300, {"grade": but(1, 9.75, one_of(1.0, 1.5, 2.0, 2.5)), "share": but(4, .999, one_of(.1, .2))}),
    "below zero": (300, {"plusminus": but(1, -88, whole(-2, 2)), "handicap": but(2, 9, one_of(0, 0, 1))}),
    "codes": (300, {"sport_code": but(3, 999, one_of(101, 102, 103)), "role_id": whole(1, 5)}),
    "awards": (300, {
        "award": but(3, "Nobel Prize", one_of("none", "MVP", "Gold")), "decade": but(3, "00s", one_of("80s", "90s"))}),
    "items": (500, {f"q{item}": one_of(1, 2, 3, 4, 5, weights=[1, 8, 30, 40, 20]) for item in range(12)}),
    "two leagues": (300, {"league": one_of("A", "B")}),
    "weeks": (400, {"week": whole(1, 52), "wd": whole(1, 7), "shift": one_of(*"abc")}),
    "month and day in one": (400, {
        "md": lambda _: RANDOM.randint(1, 12) * 100 + RANDOM.randint(1, 28),
        "zodiac": one_of("Aries", "Leo", "Virgo"), "kids": but(3, 14, counts(.5, 5))}),
    "thirty people": (30, {"won": but(2, 1, one_of(0)), "side": one_of("l", "r"), "cups": whole(0, 3)}),
}  # fmt: skip


def made_up(people: int, columns: dict[str, Cell]) -> pl.DataFrame:
    """Return a table of made-up people, with two traits."""
    made = {"id": lambda row: f"p{row}", **columns, "final_o": whole(1, 5), "final_n": whole(1, 5)}
    return pl.DataFrame({title: [cell(row) for row in range(people)] for title, cell in made.items()}, strict=False)


def real() -> dict[str, Table]:
    """Return tables of real people; none where they are not there."""
    if not REAL.is_dir():
        return {}
    bfi = pl.read_csv(REAL / "bfi" / "bfi.csv", null_values="NA", schema_overrides={"rownames": pl.String})
    answers = bfi.rename({"rownames": "id"})
    football = read_openfootball(REAL / "athletes" / "openfootball.tar.gz").people
    nfl = read_nfl_players(REAL / "athletes" / "nfl-players.json").people
    frames = {"bfi, 25 items": answers, "openfootball": football, "NFL players": nfl}
    return {name: Table(frame, infer_columns(frame)) for name, frame in frames.items()}


def alone(frame: pl.DataFrame) -> list[int]:
    """Return how many people stand alone by one column, by two and by three."""
    names = [name for name in frame.columns if name != "id" and not name.startswith("final_")]
    found = singling_out(frame, names)
    return [found.one, found.two, found.three]


def main() -> None:
    """Print one row a table."""
    rows, total = [], [0] * 6
    tables = {name: Table(frame, infer_columns(frame)) for name, of in TABLES.items() for frame in (made_up(*of),)}
    for name, table in (tables | real()).items():
        start = time.process_time()
        left = protect(ReleaseInput("x", table), ReleaseSettings(), ReleaseKey(bytes(range(32)))).frame
        seconds = time.process_time() - start
        numbers = alone(table.frame) + alone(left)
        if name in TABLES:
            total = [one + two for one, two in zip(total, numbers, strict=True)]
        kept = ", ".join(n for n in table.frame.columns if n in left.columns and not n.startswith(("id", "final_")))
        counted = " | ".join(f"{n:,}" for n in numbers)
        rows.append(f"| {name} | {left.height:,} | {counted} | {kept or 'none'} | {seconds:.2f} |")
    text = [
        "| table | people | one | two | three | one, released | two | three | columns that leave | CPU s |",
        f"|{'---|' * 10}", *rows, f"| all made up | | {' | '.join(f'{n:,}' for n in total)} | | |",
    ]  # fmt: skip
    about = f"`python benchmarks/single_people.py`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, "
    about += f"Python {platform.python_version()}; seed 4."
    title = "# People who stand alone in a release by the defaults"
    (Path(__file__).parent / "results" / "single_people.md").write_text(
        "\n".join([title, "", about, "", *text, ""]), encoding="utf-8"
    )
    print("\n".join(text))


if __name__ == "__main__":
    main()
