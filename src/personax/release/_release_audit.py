"""Run all campaigns against what lies in a release folder, put the verdict in words, and stop at the gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from personax.engine import find_engine, ordered
from personax.progress import Progress, Silent
from personax.release._invert import load_chains, restore_ids
from personax.release._layout import table_files
from personax.release._release_input import ReleaseInput
from personax.release._table_protection import ProtectedTable
from personax.release._untrusted_folder import open_folder
from personax.release._untrusted_tables import read_frame
from personax.release.audit import CAMPAIGNS, Attack, AuditReport, Campaign, Gate, audit_table, audit_vectors
from personax.release.audit._attack import Vectors
from personax.release.audit._axes import LONG
from personax.release.audit._cached_views import CachedViews, equal_rows
from personax.release.audit._joint_attack import (
    LABEL,
    Sides,
    axes_together,
    by_groups,
    by_pairs,
    first_axes,
    groups_of,
    shortened,
)
from personax.release.audit._linkage import linkage
from personax.release.audit._nearest_neighbours import standardised
from personax.release.audit._report import MIN_PEOPLE, inversion_with_key
from personax.release.audit._self_training import MatchedPairs
from personax.release.audit._table_attacks import join, joined
from personax.release.audit._version_linkage import VersionLinkage
from personax.release.disclosure import SinglingOut, can_be_known, singling_out, with_names
from personax.release.keys._keystore import ReleaseKey
from personax.release.transforms import Chain

__all__ = ["MAX_PROBES", "ReleaseAudit", "audit_release"]

MAX_PROBES = 500
"""Scored in a build; ``personax release audit`` scores more. The attacker holds everybody in both."""
FORMAT = 2
"""Of audit.json: 1 had attacks in one list, 2 has campaigns."""
MAX_JOINT_WIDTH = 256
"""Total length of all measurements up to which self-training is run on them jointly."""
EXACT = 1e-4
"""Largest error of what a key gives back, in units of the largest number, up to which it is the originals."""
MAX_INFERRED = 6
"""At most so many columns are inferred from the vectors."""


@dataclass(frozen=True)
class ReleaseAudit:
    """What all campaigns against a release have reached.

    Parameters
    ----------
    transform
        Of its vectors.
    measurements
        ``<modality>/<measurement>`` -> its audit.
    table
        Attacks on the people table.
    gate
        Which limits held.
    older
        What an older version and this one tell together; None where none was given.
    singled_out
        Who stands alone in the released table, counted in it; None where nothing was read.
    """

    transform: str
    measurements: Mapping[str, AuditReport]
    table: Sequence[Attack]
    gate: Gate
    older: VersionLinkage | None = None
    singled_out: SinglingOut | None = None

    @property
    def sentence(self) -> str:
        """The verdict that a card quotes: the worst measurement, then the table."""
        parts = []
        if self.measurements:
            worst = max(self.measurements, key=lambda name: self.measurements[name].worst.value or 0.0)
            parts.append(self.measurements[worst].sentence(worst))
        risks = [attack for attack in self.table if attack.beats]
        if risks:
            most = max(risks, key=lambda attack: attack.value or 0.0)
            does = (
                f"{most.name} with {most.knows} finds {most.value:.0%} of people"
                if most.measure == "rank-1"
                else f"{most.name} succeeds {most.value:.0%} of the time beyond what it does on people not in it"
            )
            parts.append(f"Of the table, {does}: it is pseudonymised, not anonymous.")
        if self.singled_out is not None and self.singled_out.three:
            parts.append(self.singled_out.sentence)
        return " ".join(parts) or "The release is too small to attack; treat it as pseudonymised, not anonymous."

    def to_dict(self) -> dict[str, Any]:
        """Return what audit.json holds."""
        return {
            "format": FORMAT,
            "verdict": self.sentence,
            "transform": self.transform,
            "gate": {name: limit for name, limit in self.gate.model_dump().items() if limit is not None},
            "measurements": {name: report.to_dict() for name, report in self.measurements.items()},
            "table": [attack.to_dict() for attack in self.table],
            **({} if self.singled_out is None else {"singling_out": self.singled_out.to_dict()}),
            **({} if self.older is None else {"older_release": self.older.to_dict()}),
        }


def audit_release(
    release: Path,
    data: ReleaseInput,
    table: ProtectedTable,
    key: ReleaseKey,
    *,
    transform: str,
    fitted: Path,
    gate: Gate,
    people: int = MAX_PROBES,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> ReleaseAudit:
    """Attack every measurement and the table.

    Parameters
    ----------
    release
        The folder with ``data/`` and transforms.json; what is attacked is read from there.
    data
        What it was made of, without the people who were left out.
    table
        The protected table. The attacker of the table knows the people and the rules by which values were made
        coarser, not the noise; shuffled categories are taken as known, because their shares tell much of them.
    key, fitted
        For the stolen key, and to know who is who.
    transform, gate, people
        The transform's name; limits, checked as soon as something is measured; at most so many are scored.

    Raises
    ------
    InputError
        An attack exceeds the gate.
    """
    folder, watch = open_folder(release), progress or Silent()
    chains = load_chains(folder, key, fitted)
    released = _known(folder.files, table_files(folder, "people"), key, data).sort("id")
    nominal = [c.name for c in table.columns if c.kind == "nominal" and c.role == "feature"][:MAX_INFERRED]
    shown = with_names(released, table.mapping)
    quasi = [name for name in _quasi(table) if name in shown.columns and name in table.before_noise.columns]
    parts_of = {label: table_files(folder, label.partition("/")[0]) for label in chains}

    def targets() -> Iterator[_Target]:
        streams = rng.spawn(len(chains))
        # under another key, as a second release of the same people would be
        second = _SecondRelease(transform, ReleaseKey(rng.bytes(32), key.study))
        for place, label in enumerate(chains):
            watch.step(place, len(chains) + 1, f"attacks on {label}")
            modality, _, name = label.partition("/")
            after = _known(folder.files, table_files(folder, modality), key, data, name).sort("id")
            if after.height < MIN_PEOPLE:
                continue
            own_vectors = data.embeddings[modality].select("id", name)
            before = after.select("id").join(own_vectors, on="id", how="left", maintain_order="left")
            values = after.select("id").join(shown.select("id", *nominal), on="id", how="left", maintain_order="left")
            sides = [after.select("id").join(rows, on="id", how="left", maintain_order="left")
                   for rows in (table.before_noise, shown)]  # fmt: skip
            attributes = {column: values[column].cast(pl.String).to_list() for column in nominal}
            original = np.asarray(before[name].to_numpy(), dtype=np.float32)
            shown_vectors = after[name].to_numpy()
            stolen, renewed = second.made(original, shown_vectors, chains[label], people, streams[place])
            yield _Target(
                label, after["id"].to_list(), original, shown_vectors,
                renewed, stolen, attributes, join(sides[0], sides[1], quasi),
                streams[place],
            )  # fmt: skip

    reports: dict[str, AuditReport] = {}
    short: dict[str, tuple[list[str], Sides]] = {}
    # torch, which learns an inverse, has one number of threads for a whole process
    engine = find_engine("processes", threads_do=False)
    shared = _Auditor(people, axes_together(len(chains) or 1), watch)
    for label, report, axes in ordered(engine.map(_audit, targets(), shared=shared)):
        reports[label] = report
        if axes is not None:
            short[label] = axes
        for campaign in report.campaigns:
            gate.check(label, campaign.attacks, campaign=campaign.name)
    if reports:
        watch.step(len(chains), len(chains) + 1, f"attacks on {LABEL}")
        joint = _together(folder.files, parts_of, key, data, (table.before_noise, shown), quasi, people, short, rng)
        if joint is not None:
            reports[LABEL] = joint
            for campaign in joint.campaigns:
                gate.check(LABEL, campaign.attacks, campaign=campaign.name)
    watch.step(len(chains), len(chains) + 1, "attacks on the table")
    own = [name for name in table.before_noise.columns if name != "id"]
    known = table.before_noise.sort("id")
    made = list(audit_table(known.select(own), shown.select(own), rng=rng)) if own else []
    if quasi:
        made.append(joined(known, shown, quasi, rng=rng))
        gate.check("the table", made[-1:], campaign="public_facts")
    gate.check("the table", made[:-1] if quasi else made, campaign="table")
    known_of = [c.name for c in table.columns if can_be_known(c) and c.name in own]
    return ReleaseAudit(transform, reports, made, gate, singled_out=singling_out(shown, known_of))


def _together(
    files: Mapping[str, Path],
    parts_of: Mapping[str, Sequence[str]],
    key: ReleaseKey,
    data: ReleaseInput,
    tables: tuple[pl.DataFrame, pl.DataFrame],
    quasi: Sequence[str],
    people: int,
    short: Mapping[str, tuple[list[str], Sides]],
    rng: np.random.Generator,
) -> AuditReport | None:
    """Attack all measurements at once, of the people who have them all; None where they are too few.

    Long measurements whose axes were found in their own audit, `short`, are seen on these, where it was of the same
    people.

    The attacks of one measurement are not all repeated: with few numbers each, everything that has the originals.
    """
    released = {label: _known(files, paths, key, data, label.partition("/")[2]) for label, paths in parts_of.items()}
    ids = tables[1].select("id").sort("id")
    for frame_ in released.values():
        ids = ids.join(frame_.select("id"), on="id", how="semi", maintain_order="left")
    if ids.height < MIN_PEOPLE:
        return None

    def rows(table: pl.DataFrame) -> pl.DataFrame:
        return ids.join(table, on="id", how="left", maintain_order="left")

    before, after = [], []
    for label, found in released.items():
        modality, _, name = label.partition("/")
        own_vectors = data.embeddings[modality].select("id", name)
        before.append(np.asarray(rows(own_vectors)[name].to_numpy(), dtype=np.float32))
        after.append(np.asarray(rows(found)[name].to_numpy(), dtype=np.float32))
    probes = np.sort(rng.permutation(ids.height)[:people])
    truth = equal_rows(np.column_stack([equal_rows(z).label for z in before]))
    everybody = ids["id"].to_list()
    made = [short[label][1] if label in short and short[label][0] == everybody else None for label in released]
    before, after = shortened(before, after, made)
    x, y = (np.hstack([standardised(z) for z in side]) for side in (before, after))
    trained = None if x.shape[1] <= MAX_JOINT_WIDTH else ()
    exact = linkage(
        CachedViews(x), CachedViews(y), CAMPAIGNS["originals"], probes=probes, trained=trained, truth=truth, rng=rng
    )
    campaigns = [Campaign("originals", tuple(exact))]
    if quasi:
        groups = groups_of(rows(tables[0]), rows(tables[1]), quasi)
        campaigns.append(
            Campaign("public_facts", (by_groups(before, after, groups, probes=probes, truth=truth, rng=rng),))
        )
    points, best = by_pairs(before, after, truth=truth, rng=rng)
    return AuditReport(ids.height, x.shape[1], len(probes), [*campaigns, Campaign("pairs", (best,))], points, None)


def _quasi(table: ProtectedTable) -> Sequence[str]:
    """Return the quasi-identifiers that k-anonymity is counted over."""
    anonymity = table.report.get("k_anonymity")
    return [str(name) for name in anonymity["columns"]] if anonymity else []


def _known(
    files: Mapping[str, Path], paths: Sequence[str], key: ReleaseKey, data: ReleaseInput, column: str | None = None
) -> pl.DataFrame:
    """Read a released table with ids in place of pseudonyms."""
    table = read_frame([files[path] for path in paths], None if column is None else ["id", column])
    return restore_ids(table, key, data.people["id"])


@dataclass(frozen=True)
class _Target:
    """One measurement: vectors of the same people, and what an attacker may hold beside them. No key is in here."""

    label: str
    ids: list[str]
    original: Any
    released: Any
    renewed: Any
    stolen: Attack
    attributes: Mapping[str, Sequence[str | None]]
    facts: MatchedPairs
    rng: np.random.Generator


@dataclass(frozen=True)
class _Auditor:
    """What the audits of all measurements share."""

    people: int
    axes: int
    watch: Progress

    def __reduce__(self) -> tuple[type[_Auditor], tuple[Any, ...]]:
        return _Auditor, (self.people, self.axes, Silent())  # who watches cannot be sent to another process


def _audit(auditor: _Auditor, one: _Target) -> tuple[str, AuditReport, tuple[list[str], Sides] | None]:
    """Return the audit of a measurement, and of a long one the first axes that were worked out for it."""
    report = audit_vectors(
        one.original, one.released, renewed=one.renewed, attributes=one.attributes, facts=one.facts,
        people=auditor.people, progress=auditor.watch, rng=one.rng,
    )  # fmt: skip
    long = one.original.shape[1] > LONG
    report = replace(report, stolen=one.stolen)
    return one.label, report, (one.ids, first_axes(one.original, one.released, auditor.axes)) if long else None


class _SecondRelease:
    """Releases of the same people under another key.

    Its transform is made once for measurements of one length: a rotation of 3,584 dimensions takes seconds, and which
    one it is says nothing of another measurement's audit.
    """

    def __init__(self, transform: str, key: ReleaseKey) -> None:
        self._transform, self._key = transform, key
        self._chain: Chain | None = None

    def made(
        self, original: Vectors, released: Vectors, chain: Chain, people: int, rng: np.random.Generator
    ) -> tuple[Attack, Vectors]:
        """Return what the stolen key gives back of some people, and a second release of everybody.

        It is made of what the key gives back, which is the originals unless noise was added.
        """
        some = np.sort(rng.permutation(len(original))[:people])
        stolen = inversion_with_key(original[some], chain.inverse_transform(released[some]))
        whole = original if stolen.detail["largest_error"] < EXACT else chain.inverse_transform(released)
        if self._chain is None or (self._chain.dim, self._chain.version) != (chain.dim, chain.version):
            self._chain = Chain(self._transform, chain.dim, self._key, "a second release", version=chain.version)
        return stolen, self._chain.fit(whole).transform(whole)
