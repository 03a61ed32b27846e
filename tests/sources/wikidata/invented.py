"""An invented Wikidata: items in the real shape, the API, pages of entities, and a query service that runs queries.

`Wiki` is a `Fetch`. Its query service turns the items into RDF as Wikidata does and lets rdflib run the query, so that
a query is tested by what it finds and not by its text.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from personax.errors import FetchError
from personax.http._request import Page, Request

ENTITY = "http://www.wikidata.org/entity/"
GREGORIAN, JULIAN = f"{ENTITY}Q1985727", f"{ENTITY}Q1985786"
TIME = "2026-01-02T03:04:05Z"

Json = dict[str, Any]


def to(item: str) -> Json:
    return {"entity-type": "item", "numeric-id": int(item[1:]), "id": item}


def when(text: str, precision: int = 11, calendar: str = GREGORIAN) -> Json:
    zero = {"timezone": 0, "before": 0, "after": 0}
    return {"time": f"+{text}T00:00:00Z", **zero, "precision": precision, "calendarmodel": calendar}


def amount(number: str, unit: str) -> Json:
    return {"amount": number, "unit": f"{ENTITY}{unit}" if unit.startswith("Q") else unit}


def at(latitude: object, longitude: object, globe: str = "Q2") -> Json:
    return {"latitude": latitude, "longitude": longitude, "altitude": None, "precision": 0.01, "globe": ENTITY + globe}


def said(value: object, rank: str = "normal", **qualifiers: Any) -> Json:
    """Return a statement; the text ``somevalue`` or ``novalue`` stands for one without a value."""
    if value in ("somevalue", "novalue"):
        snak: Json = {"snaktype": value, "property": "P0"}
    else:
        snak = {"snaktype": "value", "property": "P0", "datavalue": {"value": value, "type": "any"}}
    found: Json = {"mainsnak": snak, "type": "statement", "rank": rank}
    if qualifiers:
        held = {p: [{"snaktype": "value", "datavalue": {"value": value}}] for p, value in qualifiers.items()}
        found["qualifiers"] = held
    return found


def item(qid: str, label: str | dict[str, str] | None = None, *, aliases: tuple[str, ...] = (), **claims: Any) -> Json:
    """Return an item; each claim is a value, a statement, or a list of statements."""
    labels = {"en": label} if isinstance(label, str) else label or {}
    statements = {}
    for prop, given in claims.items():
        listed = given if isinstance(given, list) else [given]
        statements[prop] = [each if isinstance(each, dict) and "mainsnak" in each else said(each) for each in listed]
    return {
        "type": "item",
        "id": qid,
        "labels": {code: {"language": code, "value": text} for code, text in labels.items()},
        "aliases": {"en": [{"language": "en", "value": text} for text in aliases]} if aliases else [],
        "claims": statements or [],
    }


def human(qid: str, label: str | dict[str, str] | None, **claims: Any) -> Json:
    return item(qid, label, P31=to("Q5"), **claims)


def page(body: object, url: str = "https://www.wikidata.org/x", *, cached: bool = False) -> Page:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Page(url, TIME, 200, hashlib.sha256(data).hexdigest(), "application/json", data, cached)


def dump(*items: Json) -> bytes:
    """Return items as the official dump has them: an array, an item a line."""
    lines = (json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode() for each in items)
    return b"[\n" + b",\n".join(lines) + b"\n]\n"


class Wiki:
    """Answers as Wikidata does, and remembers what it was asked."""

    def __init__(self, *items: Json, redirects: dict[str, str] | None = None, busy: int = 0) -> None:
        self.items = {each["id"]: each for each in items}
        self.redirects = redirects or {}
        self.busy = busy
        self.requested: list[Request] = []
        self.batches: list[list[str]] = []
        self._graph: Any = None

    async def __call__(self, request: Request) -> Page:
        self.requested.append(request)
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.hostname == "query.wikidata.org":
            return page(self._select(query["query"]), request.url)
        if parts.path.startswith("/wiki/Special:EntityData/"):
            return page(self._entity_data(parts.path.rsplit("/", 1)[1].removesuffix(".json")), request.url)
        if self.busy:
            self.busy -= 1
            return page({"error": {"code": "maxlag", "info": "Waiting for a server", "lag": 7.5}}, request.url)
        answer = self._get(query) if query["action"] == "wbgetentities" else self._search(query)
        return page(answer, request.url)

    def _get(self, query: dict[str, str]) -> Json:
        ids = query["ids"].split("|")
        self.batches.append(ids)
        assert len(ids) <= 50, "Wikidata refuses more"
        found = {}
        for requested in ids:
            target = self.redirects.get(requested, requested)
            if target not in self.items:
                found[requested] = {"id": requested, "missing": ""}
                continue
            extra: Json = {"redirects": {"from": requested, "to": target}} if target != requested else {}
            found[requested] = {**extra, **self.items[target]}
        return {"entities": found, "success": 1}

    def _search(self, query: dict[str, str]) -> Json:
        start = query["search"].casefold()
        hits = []
        for each in self.items.values():
            aliases = each["aliases"]["en"] if isinstance(each["aliases"], dict) else []
            names = [entry["value"] for entry in [*each["labels"].values(), *aliases]]
            if any(name.casefold().startswith(start) for name in names):
                hits.append({"id": each["id"], "label": names[0]})
        begin, size = int(query["continue"]), int(query["limit"])
        answer: Json = {"search": hits[begin : begin + size], "success": 1}
        if begin + size < len(hits):
            answer["search-continue"] = begin + size
        return answer

    def _entity_data(self, requested: str) -> Json:
        target = self.redirects.get(requested, requested)
        if target not in self.items:
            raise FetchError("404")
        return {"entities": {target: self.items[target]}}

    def _select(self, query: str) -> bytes:
        if self._graph is None:
            self._graph = graph_of(self.items)
        found: bytes = self._graph.query(query).serialize(format="json")
        return found


def graph_of(items: dict[str, Json]) -> Any:
    """Return items as RDF: labels, truthy values, statements with rank and qualifiers."""
    import rdflib

    graph = rdflib.Graph()
    www = "http://www.wikidata.org/"
    iri = rdflib.URIRef

    def value(raw: Any) -> Any:
        if isinstance(raw, dict) and "id" in raw:
            return iri(ENTITY + raw["id"])
        if isinstance(raw, dict) and "time" in raw:
            return rdflib.Literal(raw["time"][1:], datatype=rdflib.XSD.dateTime)
        return rdflib.Literal(json.dumps(raw))

    for qid, raw in items.items():
        subject = iri(ENTITY + qid)
        for code, text in raw["labels"].items():
            graph.add((subject, rdflib.RDFS.label, rdflib.Literal(text["value"], lang=code)))
        for text in raw["aliases"]["en"] if isinstance(raw["aliases"], dict) else []:
            graph.add((subject, rdflib.SKOS.altLabel, rdflib.Literal(text["value"], lang="en")))
        for prop, statements in raw["claims"].items() if isinstance(raw["claims"], dict) else []:
            ranks = {each["rank"] for each in statements}
            best = "preferred" if "preferred" in ranks else "normal"
            for number, each in enumerate(statements):
                if each["mainsnak"]["snaktype"] != "value":
                    continue
                held = value(each["mainsnak"]["datavalue"]["value"])
                node = iri(f"{www}entity/statement/{qid}-{prop}-{number}")
                graph.add((subject, iri(f"{www}prop/{prop}"), node))
                graph.add((node, iri(f"{www}prop/statement/{prop}"), held))
                rank = iri(f"http://wikiba.se/ontology#{each['rank'].title()}Rank")
                graph.add((node, iri("http://wikiba.se/ontology#rank"), rank))
                for qualifier, snaks in each.get("qualifiers", {}).items():
                    qualified = value(snaks[0]["datavalue"]["value"])
                    graph.add((node, iri(f"{www}prop/qualifier/{qualifier}"), qualified))
                if each["rank"] == best:
                    graph.add((subject, iri(f"{www}prop/direct/{prop}"), held))
    return graph
