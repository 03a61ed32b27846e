"""Several sources -> one people table: files are read, sites are asked, every value keeps its origin."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import polars as pl

from personax.data.hub_files import hub_file
from personax.errors import InputError, PlanError, SourceError
from personax.files import written_aside
from personax.http import Cache, Fetcher, run_until_signal
from personax.progress import Progress
from personax.schema import Column, Notice
from personax.sources import (
    LEDGER,
    CollectCelebA,
    CollectSeveral,
    FileReading,
    FileSource,
    NamedSource,
    PeopleSource,
    PeopleTable,
    Pictures,
    ProbeResult,
    ReadingLedger,
    Record,
    SourceResult,
    WebSource,
    assemble,
    collect_web,
    complete,
    name_countries,
    probe,
    records_of,
)
from personax.sources.celeba import MatchReport, decisions_of, with_wikidata
from personax.sources.pictures import DownloadedPictures, download_headshots, face_finder, keep_pictures, read_folder
from personax.sources.record_linkage import link_and_merge, read_decisions
from personax.sources.wikidata import Wikidata, WikidataExtract
from personax.stages._base import Context, stage_rng
from personax.store import StudyFolder

__all__ = [
    "CACHE",
    "REACHABLE",
    "collect_several",
    "fetching",
    "probe_sources",
    "read_file",
    "summaries",
    "summaries_of",
]

FAILURES: Final = {name: pl.String for name in ("source", "ref", "url", "reason")}


def collect_several(context: Context, section: CollectSeveral) -> PeopleTable:
    """Collect people from all sources that are asked, and write what came of each.

    Raises
    ------
    SourceError
        When no source gave anybody, with the reason of each.
    """
    read, described = _files(context, section)
    web = {one.source: one for one in _web(context, section)}
    found = [read.get(name) or web[name] for name, _ in section.selected()]
    records = _linked(context, section, [record for one in found for record in one.records])
    if not records:
        reasons = "; ".join(f"{one.source}: {one.error or 'its list names nobody'}" for one in found)
        raise SourceError(f"no source gave anybody ({reasons})")
    _tell(context, found, web)
    assembled = assemble(records, described)
    context.write_frame(assembled.origins, "people", "origins.parquet")
    if section.pictures is not None:
        _pictured(context, section, section.pictures, assembled.table.people)
    return _completed(context, section, assembled.table)


def _pictured(context: Context, section: CollectSeveral, wanted: Pictures, people: pl.DataFrame) -> None:
    """Keep a verified picture of everybody who has one, and write what became of each."""
    find = face_finder() if wanted.face else None
    if wanted.of == "headshots":
        urls = dict(people.select("id", "headshot_url").drop_nulls().iter_rows()) if "headshot_url" in people else {}
        came = _headshots(context, section, urls)
        given, failed = iter(came.pictures.items()), came.failed
    else:
        folder = context.external_path(wanted.of)
        if not folder.is_dir():
            raise PlanError(f"collect.pictures.of: there is no folder {folder}, and it is not headshots")
        given, failed = iter(read_folder(folder, people["id"])), {}
    images = context.out.path("people", "images", "-").parent
    stored = keep_pictures(given, images, size=(wanted.size, wanted.size), find_face=find, failed=failed)
    context.write_frame(stored.pictures, "people", "pictures.parquet")
    context.write_frame(stored.duplicates, "people", "pictures_alike.parquet")
    context.notices.extend(stored.notices())
    context.counts["pictures"] = stored.pictures.filter(pl.col("state") == "kept").height


def _headshots(context: Context, section: CollectSeveral, urls: Mapping[str, str]) -> DownloadedPictures:
    """Fetch headshots from the hosts that the sources of this study name for them, and from no others."""
    asked = [one.settings for _, one in section.selected() if isinstance(one, WebSource)]
    hosts = {host for source in asked for host in getattr(source, "picture_hosts", ())}
    if any(isinstance(one, CollectCelebA) and one.wikidata for _, one in section.selected()):
        hosts |= set(Wikidata.commons_hosts)
    if not urls or not hosts:
        why = "no source gives an address of one" if not urls else "no source of this study names a host of pictures"
        context.notices.append(Notice(f"No headshot was kept: {why}."))
        return DownloadedPictures()

    async def run() -> DownloadedPictures:
        async with fetching(context.folder, section, context.rng) as fetcher:
            return await download_headshots(urls, fetcher.for_hosts(sorted(hosts)))

    return run_until_signal(run())


def _completed(context: Context, section: CollectSeveral, table: PeopleTable) -> PeopleTable:
    """Return the people with places and variables of the birthday, and write what hardly a person has."""
    if not section.complete:
        return table
    done = complete(table, today=date.today())
    context.write_frame(done.flags, "people", "flags.parquet")
    if done.places is not None:
        context.write_frame(done.places.texts, "people", "places.parquet")
        context.counts.update(people_with_country=done.places.with_text, people_placed=done.places.placed)
    return done.table


def _linked(context: Context, section: CollectSeveral, records: list[Record]) -> list[Record]:
    """Return the people, each once, and write how that was found; sources that stand first are trusted most."""
    records, notices = name_countries(records)
    context.notices.extend(notices)
    if not section.link or not records:
        return records
    decided = None if section.review is None else read_decisions(context.external_path(section.review))
    merged = link_and_merge(records, precedence=[name for name, _ in section.named()], decided=decided)
    context.write_text(merged.review, "people", "review.csv")
    context.write_text(merged.tasks, "people", "review.json")
    context.write_text(json.dumps(merged.report, indent=1, ensure_ascii=False), "people", "linking.json")
    context.write_frame(merged.matches, "people", "matches.parquet")
    context.write_frame(merged.source_values, "people", "said.parquet")
    context.notices.extend(merged.notices)
    return merged.records


def _files(context: Context, section: CollectSeveral) -> tuple[dict[str, SourceResult], dict[str, Column]]:
    """Return what the files hold; a file that cannot be used costs itself."""
    found: dict[str, SourceResult] = {}
    described: dict[str, Column] = {}
    readings: list[FileReading] = []
    for name, one in section.selected():
        if isinstance(one, WebSource):
            continue
        try:
            table = read_file(context, one)
        except InputError as error:
            found[name] = SourceResult(name, error=str(error))
            continue
        records = records_of(name, table, one.record_columns)
        records = records[: section.limit]
        if isinstance(one, CollectCelebA) and one.wikidata:
            records = _known(context, section, name, one, records)
        found[name] = SourceResult(name, records)
        described |= {column.name: column for column in table.columns if not column.inferred}
        context.notices += [notice for notice in table.notices if notice.text.startswith("A player")]
        readings += [replace(table.reading, source=name)] if table.reading is not None else []
    if readings:
        ledger = ReadingLedger(readings)
        context.write_text(ledger.to_json(), "people", LEDGER)
        context.notices.extend(ledger.notices())
    return found, described


def _known(
    context: Context, section: CollectSeveral, name: str, celeba: CollectCelebA, records: list[Record]
) -> list[Record]:
    """Add what Wikidata says of CelebA's identities, and write who was found; where it cannot be asked, say so."""
    decided = decisions_of(None if section.review is None else read_decisions(context.external_path(section.review)))

    async def run() -> tuple[list[Record], MatchReport]:
        if celeba.extract is not None:
            return await with_wikidata(records, extract=WikidataExtract(context.base / celeba.extract), decided=decided)
        async with fetching(context.folder, section, context.rng) as fetcher:
            return await with_wikidata(records, fetcher.for_hosts(Wikidata.live_hosts), decided=decided)

    try:
        joined, report = run_until_signal(run())
    except (InputError, SourceError) as error:
        context.notices.append(Notice(f"{name}: Wikidata could not be asked ({error}); nothing is added."))
        return records
    context.write_frame(report.table, "people", "celeba_wikidata.parquet")
    context.write_text(report.review, "people", "celeba_review.csv")
    context.write_text(report.tasks, "people", "celeba_review.json")
    context.counts.update({f"{name}_{status}": number for status, number in report.counts.items()})
    context.notices.extend(report.notices())
    return joined


def read_file(context: Context, section: FileSource) -> PeopleTable:
    """Read the people of one file.

    Raises
    ------
    PlanError
        When there is no such file.
    """
    path = context.external_path(section.path)
    if not path.exists():
        path = hub_file(path)
        text = f"collect: there is no {path}; paths in the plan start from the folder that the plan is in"
        raise PlanError(text)
    if isinstance(section, CollectCelebA) and section.wikidata and section is context.plan.collect:
        raise PlanError("collect.wikidata: sites are told a contact; put celeba among source: several with one")
    return section.read(context.base)


def _web_sources(section: CollectSeveral, base: Path | None = None) -> list[PeopleSource]:
    """Return the sources of the web; paths of their settings start from the study file's folder."""
    return [_named(one, base) for _, one in section.selected() if isinstance(one, WebSource)]


def _named(section: WebSource, base: Path | None) -> PeopleSource:
    paths = {name: getattr(section.settings, name, None) for name in ("extract", "pages")}
    found = {name: str(base / path) for name, path in paths.items() if base and path}
    source = cast(PeopleSource, section.settings.model_copy(update=found) if found else section.settings)
    return source if section.called is None else NamedSource(section.called, source)


CACHE: Final = ("cache", "pages.sqlite")
"""Beside the stage's output and no part of it: what was fetched once outlives every run."""

REACHABLE: Sequence[str] = ()
"""Addresses that are asked although they are not public; only code can name any, no study file."""


@asynccontextmanager
async def fetching(
    folder: StudyFolder,
    section: CollectSeveral,
    rng: np.random.Generator,
    *,
    anew: bool = False,
    offline: bool = False,
) -> AsyncIterator[Fetcher]:
    """Give a fetcher of this study; with ``anew`` pages are asked for again, and none stands in for one that fails.

    ``offline`` sends nothing, and tells nobody whom to write to.
    """
    with Cache(folder.path(*CACHE)) as cache:
        async with Fetcher(
            cache,
            contact=section.contact,
            rng=rng,
            settings=section.fetch,
            refresh=section.refresh or anew,
            fall_back=not anew,
            offline=section.offline or offline,
            reachable=REACHABLE,
        ) as fetcher:
            yield fetcher


def _web(context: Context, section: CollectSeveral) -> list[SourceResult]:
    web_sources = _web_sources(section, context.base)
    if not web_sources:
        return []
    context.notices += [
        Notice(f"{source.name}: {text}") for source in web_sources for text in getattr(source, "notices", ())
    ]

    async def run() -> tuple[list[SourceResult], int, int]:
        async with fetching(context.folder, section, context.rng, offline=not section.asks_sites()) as fetcher:
            found = await collect_web(web_sources, fetcher, limit=section.limit, progress=context.progress)
            return found, fetcher.sent, fetcher.stale_pages

    found, sent, kept = run_until_signal(run())
    context.progress.message(f"{sent} requests sent")
    if kept:
        context.notices.append(Notice("Pages that could not be asked for again are used as they came before.", kept))
    return found


def _tell(context: Context, found: Sequence[SourceResult], web: Collection[str]) -> None:
    """Write what each source gave, and say what a reader must know."""
    summary = [one.summary() for one in found]
    context.write_text(json.dumps(summary, indent=1, ensure_ascii=False), "people", "sources.json")
    rows = [(one.source, each.ref, each.url, each.reason) for one in found for each in one.failures]
    context.write_frame(pl.DataFrame(rows, schema=FAILURES, orient="row"), "people", "failures.parquet")
    for one in found:
        context.counts[f"people_{one.source}"] = len(one.records)
        if one.error is not None:
            # the fault of a file may quote its cells, and a notice goes into the report
            why = one.error if one.source in web else "people/sources.json says why"
            context.notices.append(Notice(f"{one.source} could not be collected to its end: {why}."))
        if one.failures:
            text = f"{one.source}: people or pages that could not be read; people/failures.parquet says why."
            context.notices.append(Notice(text, len(one.failures)))
        if one.sample is not None:
            with written_aside(context.folder.path("cache", "changed", f"{one.source}.page")) as aside:
                aside.write_bytes(one.sample)


def probe_sources(folder: StudyFolder, section: CollectSeveral, seed: int, progress: Progress) -> list[ProbeResult]:
    """Fetch a list and a person of each source of the web, and say whether they can still be read.

    Raises
    ------
    StudyError
        When another process works in the folder.
    """
    progress.stage("probe")
    web_sources = _web_sources(section)

    async def run() -> list[ProbeResult]:
        async with fetching(folder, section, stage_rng(seed, "probe"), anew=True) as fetcher:
            return await probe(web_sources, fetcher)

    with folder.lock():
        return run_until_signal(run()) if web_sources else []


def summaries_of(context: Context) -> list[dict[str, Any]]:
    """Return what each source gave in this run."""
    return list(json.loads(context.out.path("people", "sources.json").read_text(encoding="utf-8")))


def summaries(folder: StudyFolder) -> list[dict[str, Any]]:
    """Return what each source gave in the last run; nothing where there was none."""
    path = folder.output("people", "sources.json")
    return list(json.loads(path.read_text(encoding="utf-8"))) if path is not None else []
