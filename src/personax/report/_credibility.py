"""Can a reader believe it: one verdict a stage, in words, from what the stage wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

from personax.data.labels import count, number, percent, two_decimals
from personax.report._data import IndependenceResults, ReportData

__all__ = ["CORRECTIONS", "StageVerdict", "Standing", "calibration_sentence", "level_of", "stage_verdicts"]

Standing = Literal["holds", "doubtful", "fails", "not done"]
"""What a stage's own diagnostics say of it."""

BAD_CELLS: Final = (0.001, 0.05)
"""Shares of cells that could not be read: below the first it holds, above the second it fails."""

TENTATIVE, FIRM = 0.667, 0.8
"""Krippendorff's own marks of alpha."""

AGREEING: Final = (0.9, 0.7)
"""Shares of the pairs on which all tests that ran say the same."""


CORRECTIONS: Final = {
    "fdr_bh": "Benjamini and Hochberg's false discovery rate",
    "fdr_by": "Benjamini and Yekutieli's false discovery rate",
    "holm": "Holm's family-wise correction",
    "bonferroni": "Bonferroni's family-wise correction",
    "none": "no correction",
}


@dataclass(frozen=True, slots=True)
class StageVerdict:
    """A stage, what is to be thought of it, and why."""

    name: str
    standing: Standing
    sentence: str


def level_of(data: ReportData) -> tuple[float, str]:
    """Return the level and the correction of Level I, by its settings."""
    plan = next((m.plan for m in data.manifests if m.stage == "independence"), {})
    return float(plan.get("alpha", 0.05)), str(plan.get("correction", "fdr_bh"))


def stage_verdicts(data: ReportData) -> list[StageVerdict]:
    """Return a verdict of every stage that left something; what is missing and matters is said too."""
    makers: list[Callable[[ReportData], StageVerdict | None]] = [_people, _traits, _dependence, _latents, _release]
    return [found for maker in makers if (found := maker(data)) is not None]


def _people(data: ReportData) -> StageVerdict | None:
    people = data.people
    if people is None:
        return None
    bad = sum(cell.count for cell in people.bad_cells)
    cells = people.count * max(1, len(people.columns))
    share = bad / cells
    standing: Standing = "holds" if share <= BAD_CELLS[0] else "doubtful" if share <= BAD_CELLS[1] else "fails"
    read = "every cell was read" if not bad else f"{count(bad)} of {count(cells)} cells could not be read"
    private = sum(column.role == "private" for column, _ in people.columns)
    left = f"; {count(private)} private columns left out" if private else ""
    inferred = sum(column.inferred for column, _ in people.columns)
    guessed = f"; {count(inferred)} kinds of columns inferred" if inferred else ""
    asked = sum(file.open_points for file in data.readings)
    if asked and standing == "holds":
        standing = "doubtful"
    points = f"; {count(asked)} open question{'s' * (asked != 1)} of how it was read" if asked else ""
    return StageVerdict("People", standing, f"{count(people.count)} people, {read}{left}{guessed}{points}.")


def _traits(data: ReportData) -> StageVerdict | None:
    traits = data.traits
    if traits is None:
        return None
    if data.trait_source == "questionnaire":
        return StageVerdict("Traits", "holds", "Scores of a questionnaire: people's own answers.")
    humans = "compared with humans" if data.validity else "never compared with humans"
    alphas = [one["alpha"] for one in (traits.agreement.get("traits") or {}).values() if one.get("alpha") is not None]
    raters = len(traits.agreement.get("raters") or {})
    if not alphas:
        return StageVerdict("Traits", "doubtful", f"How far raters agree is not known; {humans}.")
    low, high = min(alphas), max(alphas)
    standing: Standing = "holds" if low >= FIRM else "doubtful" if low >= TENTATIVE else "fails"
    called = {"holds": "firm", "doubtful": "tentative", "fails": "too low to conclude from"}[standing]
    span = two_decimals(low) if low == high else f"{two_decimals(low)} to {two_decimals(high)}"
    return StageVerdict("Traits", standing, f"{count(raters)} raters agree by alpha {span}: {called}; {humans}.")


def _dependence(data: ReportData) -> StageVerdict | None:
    found = data.independence
    if found is None:
        return None
    alpha, correction = level_of(data)
    several, agreeing = _agreement(found.table.filter(pl.col("group") == found.leading[0]))
    corrected = f"level {number(alpha)}, {CORRECTIONS.get(correction, correction)}"
    calibrated = calibration_sentence(found)
    if correction == "none":
        return StageVerdict("Dependence", "fails", f"No correction over the pairs; {calibrated}.")
    if not several:
        return StageVerdict("Dependence", "doubtful", f"One test a pair; {corrected}; {calibrated}.")
    share = agreeing / several
    standing: Standing = "holds" if share >= AGREEING[0] else "doubtful" if share >= AGREEING[1] else "fails"
    agree = f"Tests agree on {count(agreeing)} of {count(several)} pairs that several could test"
    return StageVerdict("Dependence", standing, f"{agree}; {corrected}; {calibrated}.")


def calibration_sentence(found: IndependenceResults) -> str:
    """Say whether the tests keep their level on tables like this one, as `personax calibrate` measured it."""
    ran = None if found.calibration is None else found.calibration.filter(pl.col("verdict") != "not run")
    if ran is None or ran.is_empty():
        return "the level was not measured on this table (personax calibrate STUDY --like-mine)"
    kept = ran.filter(pl.col("verdict") == "level kept").height
    most = float(ran["rate_05"].fill_null(0.0).max() or 0.0)  # type: ignore[arg-type]
    return f"on nulls like these the level was kept in {kept} of {ran.height} cells (at .05 at most {number(most)})"


def _agreement(table: pl.DataFrame) -> tuple[int, int]:
    """Return the pairs that several tests ran on, and those of them on which all say the same."""
    ran = table.filter(pl.col("p_value").is_not_null()).group_by("feature", "target").agg(
        pl.len().alias("tests"), pl.col("rejected").n_unique().alias("answers")
    )  # fmt: skip
    several = ran.filter(pl.col("tests") > 1)
    return several.height, several.filter(pl.col("answers") == 1).height


def identified(data: ReportData) -> tuple[int, int]:
    """Return how many latents are identified, and of how many that is said."""
    rows = data.crl.identification if data.crl else ()
    return sum(row["verdict"] == "identified" for row in rows), len(rows)


def latent_standing(data: ReportData) -> Standing:
    """Return whether Level II is identified wholly, partly or not."""
    known, latents = identified(data)
    return "doubtful" if not latents or 0 < known < latents else "holds" if known else "fails"


def _latents(data: ReportData) -> StageVerdict | None:
    if data.crl is None:
        return None
    known, latents = identified(data)
    text = {
        "holds": f"Identified: all {latents} latents, up to a monotone map.",
        "doubtful": f"Partly identified: {known} of {latents} latents; edges of the others are not to be read.",
        "fails": f"Not identified: none of {latents} latents; no edge is to be read.",
    }
    standing = latent_standing(data)
    return StageVerdict("Latents", standing, text[standing] if latents else "Nothing says what is identified.")


def _release(data: ReportData) -> StageVerdict | None:
    if data.release is None:
        return None
    audit = data.release.audit
    if not audit:
        return StageVerdict("Release", "fails", "Never attacked: nobody knows what it gives away.")
    worst = strongest_attack(audit)
    if worst is None:
        return StageVerdict("Release", "doubtful", "Attacked; no attack had an answer.")
    limits = {name: limit for name, limit in audit.get("gate", {}).items() if limit is not None}
    gate = "within the limits that were set" if limits else "no limit was set"
    found, name = worst
    standing: Standing = "holds" if not found.get("beats") else "doubtful"
    verdict = "anonymous by these attacks" if standing == "holds" else "pseudonymised, not anonymous"
    rate = percent(found["value"], 1)
    return StageVerdict("Release", standing, f"Attacked: {verdict}; {name} finds {rate} of people; {gate}.")


def strongest_attack(audit: Mapping[str, Any]) -> tuple[Mapping[str, Any], str] | None:
    """Return the attack on vectors that finds most people without the key, and its name."""
    attacks = [
        one
        for measurement in audit.get("measurements", {}).values()
        for campaign in measurement.get("campaigns", [])
        for one in campaign.get("attacks", [])
        if one.get("measure") == "rank-1" and one.get("value") is not None
    ]
    if not attacks:
        tables = [one for one in audit.get("table", []) if one.get("value") is not None]
        return (max(tables, key=lambda one: one["value"]), "the best attack on the table") if tables else None
    best = max(attacks, key=lambda one: one["value"])
    return best, str(best["name"])
