"""Checks of the documents: the card, the datasheet, terms and licences, and the audit that they quote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from personax.errors import InputError
from personax.release._layout import read_card
from personax.release.audit import CAMPAIGNS, Attack, Gate
from personax.release.checks._check import Check, CheckedRelease, check_result, entries, mapping

__all__ = ["audited", "papers"]


CARD = "README.md"
PERMISSIVE = re.compile(r"^(apache|mit|bsd|cc0|cc-by-\d|cc-by-sa|odc-by|odbl|pddl|unlicense|isc|cdla-permissive)", re.I)
_NON_COMMERCIAL = re.compile(r"non-?commercial|cc[- ]by[- ]nc|\bimagebind\b", re.IGNORECASE)
"""ImageBind's weights are CC BY-NC-SA 4.0 (facebookresearch/ImageBind)."""
_ANONYMOUS = re.compile(r"(?<!de-)\banonym(ous|ously|i[sz]ed|i[sz]ation)\b", re.IGNORECASE)
_NEGATED = re.compile(
    r"\b(not|no|never|nor|neither|cannot|without|isn't|aren't|nobody|nothing)\b[^.;:!?]*$", re.IGNORECASE
)
_TEXTS = (".md", ".cff", ".json", ".txt")


def papers(release: CheckedRelease) -> Iterable[Check]:
    """Check the documents."""
    about: dict[str, object] = {}
    text = ""
    if CARD in release.folder.files:
        try:
            text = release.folder.text(CARD)
            about, _ = read_card(text)
            yield _card(release, about)
        except InputError as error:
            yield Check("card", "fails", str(error))
    else:
        yield release.missing("card", CARD, "so nobody says what this is")
    yield _words(release)
    yield _usage(release, about)
    yield _present(release, "datasheet", "DATASHEET.md", "so nobody says how the data were made")
    yield _present(release, "citation", "CITATION.cff", "so nobody says how to cite it")
    yield _licences(release, about)


def _card(release: CheckedRelease, about: dict[str, object]) -> Check:
    faults = [] if isinstance(about.get("license"), str) else ["the card states no license"]
    configs = [mapping(config) for config in entries(about.get("configs"))]
    if not configs and release.format == 2:
        faults.append("the card has no configs, so a hub cannot show the tables")
    covered = set()
    for config in configs:
        patterns = [
            pattern
            for files in entries(config.get("data_files"))
            for pattern in entries(mapping(files).get("path", files) if isinstance(files, dict) else files)
        ]
        for pattern in patterns:
            found = [name for name in release.folder.files if fnmatchcase(name, str(pattern))]
            covered |= set(found)
            if not found:
                faults.append(f"config {config.get('config_name')!r} points to {pattern!r}, which is not there")
    if configs and release.format == 2:
        left = sorted(set(release.folder.under("data/")) - covered)
        faults += [f"{name} is in no config" for name in left]
        if sum(config.get("default") is True for config in configs) > 1:
            faults.append("several configs are the default")
    return check_result("card", faults, f"license {about.get('license')}, {len(configs)} configs that point to files")


def _words(release: CheckedRelease) -> Check:
    faults = []
    for name in release.folder.files:
        if name.endswith(_TEXTS):
            try:
                text = release.folder.text(name)
            except InputError:
                continue
            flat = " ".join(text.split())
            claims = [found for found in _ANONYMOUS.finditer(flat) if not _NEGATED.search(flat[: found.start()][-120:])]
            if claims:
                faults.append(f"{name} says {claims[0][0]!r} without a not; a release is pseudonymised")
    return check_result("words", faults, "nothing calls the release anonymous")


def _usage(release: CheckedRelease, about: dict[str, object]) -> Check:
    if "USAGE.md" not in release.folder.files:
        return release.missing("terms of use", "USAGE.md", "so nobody says what it may be used for")
    try:
        text = release.folder.text("USAGE.md").lower()
    except InputError as error:
        return Check("terms of use", "fails", str(error))
    silent = [word for word in ("re-identif", "profil", "decision") if word not in text]
    if silent:
        return Check("terms of use", "fails", f"USAGE.md says nothing of {', '.join(silent)}...")
    wording = f"{about.get('extra_gated_prompt', '')} {about.get('extra_gated_fields', '')} {text}".lower()
    if not re.search(r"\b(accept|agree)", wording):
        return Check("terms of use", "cannot tell", "USAGE.md binds, and nothing asks a reader to accept it")
    return Check("terms of use", "holds", "USAGE.md forbids profiling, decisions and re-identification, to be accepted")


def _present(release: CheckedRelease, check: str, file: str, why: str) -> Check:
    if file not in release.folder.files:
        return release.missing(check, file, why)
    try:
        empty = not release.folder.text(file).strip()
    except InputError as error:
        return Check(check, "fails", str(error))
    return check_result(check, [f"{file} is empty"] if empty else [], f"{file} is there")


def _licences(release: CheckedRelease, about: dict[str, object]) -> Check:
    licence = f"{about.get('license', '')} {about.get('license_name', '')}".strip()
    terms = []
    for name in ("LICENSES.md", "transforms.json", "columns.json"):
        if name in release.folder.files:
            try:
                terms += _NON_COMMERCIAL.findall(release.folder.text(name))
                if _NON_COMMERCIAL.search(release.folder.text(name)):
                    terms.append(name)
            except InputError as error:
                return Check("licences", "fails", str(error))
    if terms and PERMISSIVE.match(licence):
        return Check("licences", "fails", f"{terms[-1]} names terms without commerce, and the card claims {licence}")
    if "LICENSES.md" not in release.folder.files:
        return release.missing("licences", "LICENSES.md", "so nobody says under which terms sources and encoders are")
    return Check("licences", "holds", f"LICENSES.md is there and does not contradict the card ({licence or 'none'})")


FILE = "audit.json"


def audited(release: CheckedRelease) -> Iterable[Check]:
    """Check audit.json."""
    if FILE not in release.folder.files:
        if release.format == 2:
            yield Check("audit", "fails", f"there is no {FILE}: the release was not attacked, or hides what was found")
        else:
            yield Check("audit", "cannot tell", f"there is no {FILE}; nobody has attacked this release")
        return
    try:
        audit = mapping(release.folder.json(FILE))
        card = release.folder.text("README.md") if "README.md" in release.folder.files else ""
    except InputError as error:
        yield Check("audit", "fails", str(error))
        return
    verdict = audit.get("verdict")
    if not isinstance(verdict, str) or not verdict.strip():
        yield Check("audit", "fails", f"{FILE} has no verdict")
    elif verdict not in card:
        yield Check("audit", "fails", f"the card does not quote the verdict of {FILE} word for word: {verdict}")
    else:
        yield Check("audit", "holds", verdict)
    yield _gate(audit)


def _gate(audit: dict[str, object]) -> Check:
    limits = mapping(audit.get("gate"))
    known = set(Gate.model_fields)
    given = {name: limit for name, limit in limits.items() if limit is not None}
    numbers = {name: limit for name, limit in given.items() if name in known and _is_limit(name, limit)}
    if len(numbers) < len(given) or not isinstance(audit.get("gate"), dict | None):
        return Check("gate", "fails", f"{FILE} states a gate with limits that are not known")
    if not numbers:
        return Check("gate", "cannot tell", f"{FILE} states no limits, so no attack can exceed them")
    try:
        for where, campaign, attacks in _attacks(audit):
            Gate(**numbers).check(where, attacks, campaign=campaign)  # type: ignore[arg-type]
    except InputError as error:
        return Check("gate", "fails", str(error))
    stated = [f"{name} {limit:g}" if isinstance(limit, int | float) else name for name, limit in numbers.items()]
    return Check("gate", "holds", f"no attack exceeds {', '.join(stated)}")


def _is_limit(name: str, limit: object) -> bool:
    """Say whether it is a number, or a number for each of some campaigns."""
    if name == "max_rank_1" and isinstance(limit, dict):
        return all(campaign in CAMPAIGNS and isinstance(its, int | float) for campaign, its in limit.items())
    return isinstance(limit, int | float)


def _attacks(audit: dict[str, object]) -> Iterator[tuple[str, str, list[Attack]]]:
    """Yield where, campaign and attacks; format 1 had one list and no campaigns."""
    for attack in _read(audit.get("table")):
        yield "the table", "public_facts" if attack.measure == "rank-1" else "table", [attack]
    for name, its in mapping(audit.get("measurements")).items():
        yield name, "", _read(mapping(its).get("attacks"))
        for campaign in map(mapping, entries(mapping(its).get("campaigns"))):
            yield name, str(campaign.get("name")), _read(campaign.get("attacks"))


def _read(attacks: object) -> list[Attack]:
    """Return attacks with what a gate looks at; values that are no numbers count as attacks that did not run."""
    read = []
    for its in map(mapping, entries(attacks)):
        value = its.get("value")
        number = float(value) if isinstance(value, int | float) else None
        detail = {
            name: its_own
            for name, its_own in mapping(its.get("detail")).items()
            if isinstance(its_own, int | float) and not isinstance(its_own, bool)
        }
        name, knows, measure = (str(its.get(key)) for key in ("name", "knows", "measure"))
        read.append(Attack(name, knows, measure, number, detail=detail))
    return read
