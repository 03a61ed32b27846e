"""An extract of Wikidata as it is asked: who bears a name, and evidence; entities; leagues; kinds of occupations."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from personax.data.frames import read_parquet, scan_parquet
from personax.errors import InputError
from personax.files import parse_json, sqlite_faults
from personax.http import Page
from personax.sources.wikidata._api import EntityPage
from personax.sources.wikidata._countries import country_code, further_items
from personax.sources.wikidata._entity import Entity, is_qid
from personax.sources.wikidata._entity_resolution import NameQuery, Resolution, disambiguate
from personax.sources.wikidata._extract import ENTITIES, FORMAT, MANIFEST, NAME_FILES, VERSION
from personax.sources.wikidata._kept import EXTERNAL_IDS, NAMES, name_key, number_of
from personax.sources.wikidata._occupations import GROUP_OF, groups_of_superclasses
from personax.sources.wikidata._sparql import LEAGUES

__all__ = ["CANDIDATES", "WikidataExtract"]

_EVIDENCE: Final = (
    "label", "gender", "birth_year", "birth_month", "birth_day", "birth_precision", "death_year", "dead",
    "occupation", "occupation_groups", "sport", "citizenship", "height_cm", "image", *EXTERNAL_IDS.values(),
    "sitelinks",
)  # fmt: skip

CANDIDATES: Final[Mapping[str, str]] = {
    "query": "place of the query in the list",
    "id": "item, such as Q42",
    "match": "label, alias or reordered: how the name fits",
    "birth_year_agrees, gender_agrees, occupation_agrees, sport_agrees": "null where the query or Wikidata is silent",
    **dict.fromkeys(_EVIDENCE, "as in people/*.parquet"),
    "citizenship_codes": "ISO codes of the countries, by their items; of a state that is no more, its old code",
}
"""Columns of `WikidataExtract.candidates`."""

_AT_ONCE: Final = 500
_STEPS: Final = 4
_GROUPED: Final = sorted(map(number_of, GROUP_OF))
"""Occupations of a group; one of none may be a kind of any, and speaks against nobody."""


class WikidataExtract:
    """People of a dump of Wikidata, as `personax.sources.wikidata.extract_dump` keeps them; used from one thread.

    Parameters
    ----------
    folder
        Of the extract.

    Raises
    ------
    InputError
        When it is none, is not finished, or is of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = _facts(folder)
        self.day = date.fromisoformat(str(self.facts["day"]))

    @property
    def notices(self) -> Sequence[str]:
        """What is missing in it, a sentence each."""
        return list(self.facts.get("notices", ()))

    def candidates(self, queries: Sequence[NameQuery | str]) -> pl.DataFrame:
        """Return everybody who bears one of the names, with the evidence for and against each.

        Parameters
        ----------
        queries
            Names, and what is known of their bearers; nobody is ruled out by it.

        Returns
        -------
        polars.DataFrame
            Columns as in `CANDIDATES`, sorted by query, match (label, alias, reordered) and number of the item; a query
            without a candidate has no row.

        Notes
        -----
        A name is a label or an alias in any language without case, accents and punctuation, also with its words in
        another order (``match`` is then ``reordered``). 10,000 names are one pass over the names and one over some
        columns of the people.
        """
        asked = [NameQuery(each) if isinstance(each, str) else each for each in queries]
        named = self._named(asked)
        people = self._people(named["id"].unique(), _EVIDENCE)
        found = named.join(people, on="id", how="inner")
        known = pl.DataFrame(
            [(at, q.birth_year, q.tolerance, q.gender, q.occupation, number_of(q.sport) if q.sport else None)
             for at, q in enumerate(asked)],
            schema={"query": pl.Int64, "_year": pl.Int64, "_by": pl.Int64, "_gender": pl.String, "_group": pl.String,
                    "_sport": pl.Int64}, orient="row",
        )  # fmt: skip
        order = pl.Enum(["label", "alias", "reordered"])
        found = found.join(known, on="query").with_columns(*_agreement(), pl.col("match").cast(order))
        found = found.sort("query", "match", "id").with_columns(
            pl.col("match").cast(pl.String), pl.concat_str(pl.lit("Q"), "id").alias("id")
        )
        agreed = [name for name in found.columns if name.endswith("_agrees")]
        codes = self.country_codes(found["citizenship"].explode(empty_as_null=False).drop_nulls().unique())
        code = pl.element().replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.String)
        found = found.with_columns(citizenship_codes=pl.col("citizenship").list.eval(code).list.drop_nulls())
        return found.select("query", "id", "match", *agreed, *_EVIDENCE, "citizenship_codes")

    def country_codes(self, countries: Iterable[int]) -> dict[int, str | None]:
        """Return the ISO code of each country, given by the number of its item; see `country_code`."""
        wanted = [f"Q{number}" for number in countries]
        known: dict[str, EntityPage] = {}
        todo = wanted
        for _ in range(_STEPS):
            known |= {page.requested: page for page in self.entities(todo) if isinstance(page, EntityPage)}
            told = [known[item].entity for item in todo if item in known]
            further = [item for entity in told for item in (*further_items(entity), *entity.items("P17"))]
            todo = [item for item in further if item not in known]
        return {number_of(item): country_code(item, known) for item in wanted}

    def resolve(self, queries: Sequence[NameQuery]) -> list[Resolution]:
        """Return who each name denotes, by the same rule as `personax.sources.wikidata.resolve`."""
        found = self._named(queries)
        people = {page.requested: page.entity for page in self.entities(_ids(found["id"]))
                  if isinstance(page, EntityPage)}  # fmt: skip
        ids: dict[int, list[str]] = {}
        for query, number in found.select("query", "id").iter_rows():
            ids.setdefault(query, []).append(f"Q{number}")
        return [
            disambiguate(query, [people[item] for item in ids.get(at, ()) if item in people], today=self.day)
            for at, query in enumerate(queries)
        ]

    def entities(self, ids: Iterable[str]) -> Iterator[EntityPage | str]:
        """Yield the entity of each id in turn, or the id itself where the extract has none."""
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), _AT_ONCE):
            batch = wanted[start : start + _AT_ONCE]
            bodies = self._bodies([number_of(item) for item in batch if is_qid(item)])
            for item in batch:
                body = bodies.get(item)
                yield self._page(item, body) if body is not None else item

    def page(self) -> Page:
        """Return the page that stands for the extract as a whole, as the origin of a value."""
        digest = hashlib.sha256((self.folder / MANIFEST).read_bytes()).hexdigest()
        return Page(str(self.facts["dump"]), self.day.isoformat(), 200, digest, "application/json", b"", cached=True)

    def members(self, league: str, *, born_since: int | None = None) -> list[str]:
        """Return the living people of a league, by the rule of `personax.sources.wikidata._sparql.league_query`."""
        rule = LEAGUES[league]
        ways = [pl.lit(False)]
        if rule.item is not None:
            ways.append(pl.col("leagues_now").list.contains(number_of(rule.item)))
        if rule.item is not None and rule.teams:
            items = read_parquet(self.folder / "items.parquet", columns=["id", "P118"])
            teams = items.filter(pl.col("P118").list.contains(number_of(rule.item)))["id"]
            team = pl.element().struct.field("team").is_in(teams.implode()) & ~pl.element().struct.field("ended")
            ways.append(pl.col("teams").list.eval(team).list.any())
        if rule.identifier is not None:
            ways.append(pl.col(EXTERNAL_IDS[rule.identifier]).is_not_null())
        keep = pl.any_horizontal(ways) & ~pl.col("dead")
        keep &= pl.col("occupation").list.contains(number_of(rule.occupation))
        if born_since is not None:
            keep &= pl.col("birth_year") >= born_since
        found = [scan_parquet(path).filter(keep).select("id").collect()["id"] for path in self._files()]
        return _ids(pl.concat(found).sort())

    def superclasses(self, occupations: Iterable[str]) -> dict[str, str]:
        """Return occupation -> group, by the classes above it; see `groups_of_superclasses`."""
        above = self._classes()
        rows = [
            (item, f"Q{number}")
            for item in dict.fromkeys(occupations)
            for number in _closure(number_of(item), above)
            if f"Q{number}" in GROUP_OF
        ]
        return groups_of_superclasses(rows)

    def _classes(self) -> Mapping[int, Sequence[int]]:
        items = read_parquet(self.folder / "items.parquet", columns=["id", "P279"])
        return {number: above for number, above in items.iter_rows() if above}

    def _files(self) -> list[Path]:
        return sorted((self.folder / "people").glob("*.parquet"))

    def _named(self, queries: Sequence[NameQuery]) -> pl.DataFrame:
        """Return query, id and match of everybody who bears a name."""
        keys = [(at, *name_key(query.name)) for at, query in enumerate(queries)]
        asked = pl.DataFrame(
            keys, schema={"query": pl.Int64, "key": pl.UInt64, "asked": pl.UInt64}, orient="row"
        ).filter(pl.col("key") != name_key("")[0])
        bits = 64 - (NAME_FILES.bit_length() - 1)
        shards = asked.with_columns(shard=pl.col("key") // (1 << bits)).partition_by("shard", as_dict=True)
        found = [
            read_parquet(self.folder / "names" / f"{shard:02}.parquet").join(mine.drop("shard"), on="key")
            for (shard,), mine in shards.items()
        ]
        empty = pl.DataFrame(schema={**NAMES, "query": pl.Int64, "asked": pl.UInt64})
        kind = pl.when(pl.col("exact") != pl.col("asked")).then(2).otherwise(pl.col("alias").cast(pl.Int32))
        rows = pl.concat([empty, *(one.select(empty.columns) for one in found)])
        best = rows.with_columns(kind.alias("kind")).sort("query", "id", "kind").unique(["query", "id"], keep="first")
        words = pl.col("kind").replace_strict([0, 1, 2], ["label", "alias", "reordered"], return_dtype=pl.String)
        return best.sort("query", "id").select("query", "id", words.alias("match"))

    def _people(self, ids: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        wanted = ids.to_frame("id").lazy()
        found = [
            scan_parquet(path).select("id", *columns).join(wanted, on="id", how="semi").collect()
            for path in self._files()
        ]
        return pl.concat(found).unique("id", keep="first", maintain_order=True)

    def _bodies(self, numbers: Sequence[int]) -> Mapping[str, bytes]:
        path = self.folder / ENTITIES
        with sqlite_faults(path):
            database = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)
            try:
                marks = ",".join("?" * len(numbers))
                rows = database.execute(f"SELECT id, entity FROM entities WHERE id IN ({marks})", numbers).fetchall()
            finally:
                database.close()
        return {f"Q{number}": zlib.decompress(packed) for number, packed in rows}

    def _page(self, item: str, body: bytes) -> EntityPage:
        url, digest = f"https://www.wikidata.org/wiki/{item}", hashlib.sha256(body).hexdigest()
        page = Page(url, self.day.isoformat(), 200, digest, "application/json", b"", cached=True)
        return EntityPage(item, Entity(parse_json(body)), page)


def _facts(folder: Path) -> Mapping[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        unfinished = (folder / "parts").is_dir()
        what = "is not finished; run the same command again" if unfinished else "is no extract of Wikidata"
        raise InputError(f"{folder} {what}; `personax wikidata extract DUMP --out FOLDER` makes one")
    try:
        facts = parse_json(path.read_bytes())
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise InputError(f"{path} is no note of an extract; make the extract again")
    if facts.get("version") != VERSION:
        text = f"{folder} is an extract of version {facts.get('version')}, and this personax reads version {VERSION}"
        raise InputError(f"{text}; make it again from the dump, or install the personax that made it")
    return facts


def _ids(numbers: pl.Series) -> list[str]:
    return [f"Q{number}" for number in numbers]


def _agreement() -> list[pl.Expr]:
    """Return whether each condition of a query holds; null where the query or Wikidata is silent."""
    col, groups = pl.col, pl.col("occupation_groups")
    in_group = pl.element().is_in(_GROUPED)
    known = (col("occupation").list.len() > 0) & col("occupation").list.eval(in_group).list.all()
    agrees = groups.list.contains(col("_group"))
    return [
        ((col("birth_year").cast(pl.Int64) - col("_year")).abs() <= col("_by")).alias("birth_year_agrees"),
        (col("gender") == col("_gender")).alias("gender_agrees"),
        pl.when(col("_group").is_not_null() & (known | agrees)).then(agrees).alias("occupation_agrees"),
        pl.when((col("sport").list.len() > 0) & col("_sport").is_not_null())
        .then(col("sport").list.contains(col("_sport"))).alias("sport_agrees"),
    ]  # fmt: skip


def _closure(number: int, above: Mapping[int, Sequence[int]]) -> set[int]:
    """Return all classes above an item."""
    found: set[int] = set()
    todo = list(above.get(number, ()))
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += above.get(one, ())
    return found
