"""What the page shows of raters: agreement, how requests ended, use of the scale, reliability, the stereotype audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup

from personax.data.labels import count, display_trait, number, p_value, percent
from personax.registry import register
from personax.report._chart import chart, interval
from personax.report._data import TraitScores
from personax.report._sections import SectionInput
from personax.schema import ENDINGS

__all__ = ["CardView", "RatersView", "ReliabilityView", "StereotypesView"]


ALPHA_SPAN, ALPHA_GUIDES = (-0.2, 1.0), (0.0, 0.667, 0.8, 1.0)
"""Krippendorff's own marks: from .667 tentative conclusions, from .8 firm ones."""


def alpha_intervals(traits: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Draw Krippendorff's alpha of each trait with its interval."""
    rows = [
        {
            "label": trait.capitalize(),
            "value": found.get("alpha"),
            "low": found.get("alpha_low"),
            "high": found.get("alpha_high"),
            "note": found.get("reason")
            or f"{count(found.get('n_people', 0))} people, {found.get('n_raters', 0)} raters",
        }
        for trait, found in traits.items()
    ]
    return chart("intervals", rows, "Agreement between raters", span=ALPHA_SPAN, guides=ALPHA_GUIDES, meaning="alpha")


def request_outcomes(raters: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Draw how each rater's requests ended, as shares of all its requests."""
    rows = [
        {"label": name, "part": ending, "count": request_count(found, ending), "colour": f"a{place}"}
        for name, found in raters.items()
        for place, ending in enumerate(ENDINGS)
    ]
    return chart("stacks", rows, "How the requests of each rater ended")


def request_count(found: Mapping[str, Any], ending: str) -> int:
    """Return how many of a rater's requests ended in one of `ENDINGS`."""
    return sum(int(found.get(status, 0)) for status in ENDINGS[ending])


def rating_distributions(histograms: Mapping[str, Mapping[str, int]], trait: str) -> Markup:
    """Draw how often each rater gave each score of one trait, from the lowest (left) to the highest.

    Parameters
    ----------
    histograms
        Rater -> score as text -> how often.
    """
    scores = sorted({score for found in histograms.values() for score in found}, key=float)
    steps = {score: f"s{1 + round(4 * place / max(len(scores) - 1, 1))}" for place, score in enumerate(scores)}
    rows = [
        {"label": name, "part": f"score {score}", "count": int(found.get(score, 0)), "colour": steps[score]}
        for name, found in histograms.items()
        for score in scores
    ]
    return chart("stacks", rows, f"Scores of {trait} by rater")


MAX_ROWS: Final = 12
"""Rows of a table of findings; the files hold all."""


def _estimate(found: Mapping[str, Any] | None) -> str:
    """Write a number with its interval."""
    if not found or found.get("value") is None:
        return "none"
    if found.get("low") is None:
        return number(found["value"], 2)
    return f"{number(found['value'], 2)} ({number(found['low'], 2)} to {number(found['high'], 2)})"


class ReliabilityView:
    """Reliability by trait and by rater, whether traits are told apart, where groups are treated differently."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.traits = [(display_trait(trait), *self._trait(one)) for trait, one in found["traits"].items()]
        halo = found["traitwise"]["halo"]
        self.raters = [(name, *self._rater(one, halo.get(name))) for name, one in found["raters"].items()]
        self.mtmm = [(MTMM_KINDS[kind], number(value, 2)) for kind, value in found["traitwise"]["mtmm"].items()]
        ratios = [one for one in found["traitwise"]["htmt"] if one.get("value") is not None]
        self.blurred = [(one["a"], one["b"], _estimate(one)) for one in ratios if one["value"] >= 0.85]
        self.ratios = len(ratios)
        known = [row for row in found["differential"] if row.get("p_corrected") is not None]
        unequal = sorted((row for row in known if row["p_corrected"] < 0.05), key=lambda row: -row["effect"])
        self.tested, self.unequal = len(known), len(unequal)
        self.differential = [self._shifted(row) for row in unequal[:MAX_ROWS]]
        self.groups = [self._by_group(name, rows) for name, rows in found["groups"].items() if rows]

    @staticmethod
    def _trait(one: Mapping[str, Any]) -> tuple[str, str, str]:
        design = one["generalisability"]
        needed = (design.get("needed") or {}).get("1")
        return _estimate(one["icc_single"]), _estimate(one["icc_average"]), "more than 50" if needed is None else needed

    @staticmethod
    def _rater(one: Mapping[str, Any], halo: Mapping[str, Any] | None) -> tuple[str, ...]:
        severity = [found["value"] for found in one["severity"].values() if found["value"] is not None]
        retest = [found["value"] for found in one["retest"].values() if found["value"] is not None]
        zeros = one["zeros"]["value"]
        return (
            number(sum(severity) / len(severity), 2) if severity else "none",
            number(sum(retest) / len(retest), 2) if retest else "asked once",
            _estimate(halo),
            "none" if zeros is None else percent(zeros, 1),
            _estimate(one["position"]) if one["position"]["value"] is not None else "one order",
        )

    @staticmethod
    def _shifted(row: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
        ends = sorted(row["shifts"].items(), key=lambda item: item[1])
        moved = "; ".join(f"{name} {number(shift, 2)}" for name, shift in (ends[0], ends[-1]))
        return (
            row["rater"],
            display_trait(row["trait"]),
            row["by"],
            number(row["effect"], 2),
            p_value(row["p_corrected"]),
            moved,
        )

    @staticmethod
    def _by_group(name: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[tuple[str, int, list[str]]]]:
        """Return a table: group, its people, alpha of each trait."""
        table = []
        for group, own in groupby(rows, key=lambda row: row["group"]):
            found = list(own)
            table.append((group, found[0]["people"], [number(row["alpha"].get("alpha"), 2) for row in found]))
        return name, table


MTMM_KINDS: Final = {
    "same_trait_other_rater": "the same trait, other raters",
    "other_trait_same_rater": "other traits, the same rater",
    "other_trait_other_rater": "other traits, other raters",
}


class StereotypesView:
    """Effects of one changed field on the scores of the same people, and what the name does."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.people, self.chance = found["people"], found["chance"]
        self.fields = [(field, list(_effect_figures(rows))) for field, rows in _grouped(found["fields"], "field")]
        self.fame = [
            (one["model"], _estimate(one["known_by_name"]), _estimate(one["name_moves"]),
             _estimate(one["name_repeats_text"]))
            for one in found["fame"] or []
        ]  # fmt: skip


def _grouped(rows: Iterable[Mapping[str, Any]], key: str) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Group rows, in the order in which each group first stands."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return list(groups.items())


def _effect_figures(rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Markup]]:
    """Draw one figure a trait, all of a field on one scale."""
    ends = [abs(end) for row in rows for end in (row["effect"]["low"], row["effect"]["high"]) if end is not None]
    widest = max([0.1, *ends])
    for trait, own in _grouped(rows, "trait"):
        drawn = [interval(str(row["value"]), row["effect"]) for row in own]
        yield trait, chart("intervals", drawn, f"Effect on {trait}", span=(-widest, widest), guides=[0.0],
                           meaning="effect")  # fmt: skip


class RatersView:
    """Agreement, answers and use of the scale, rater by rater."""

    def __init__(self, traits: TraitScores) -> None:
        raters: Mapping[str, Any] = traits.agreement.get("raters") or {}
        alphas: Mapping[str, Any] = traits.agreement.get("traits") or {}
        self.raters, self.endings = raters, list(ENDINGS)
        self.alphas = alpha_intervals(alphas) if any(a.get("alpha") is not None for a in alphas.values()) else None
        self.no_alpha = sorted({a["reason"] for a in alphas.values() if a.get("alpha") is None and a.get("reason")})
        self.statuses = request_outcomes(raters) if raters else None
        named = [trait for trait in alphas if any((r.get("histogram") or {}).get(trait) for r in raters.values())]
        self.ratings = [(trait, self._ratings(trait)) for trait in named]
        self.pairs = _kappas(traits.agreement.get("pairs") or [], traits.framework.names)

    def request_count(self, rater: str, ending: str) -> int:
        """Return how many of a rater's requests ended so."""
        return request_count(self.raters[rater], ending)

    def _ratings(self, trait: str) -> Markup:
        used = {name: (found.get("histogram") or {}).get(trait) or {} for name, found in self.raters.items()}
        return rating_distributions(used, trait)


class CardView:
    """What every model was asked and took, what vignettes and injections found, and who is passed over in silence."""

    def __init__(self, traits: TraitScores) -> None:
        card = traits.card
        usage = {} if traits.usage is None else {row["model"]: row for row in traits.usage.to_dicts()}
        told = {one["name"]: one for one in card.get("models", [])}
        self.models = [self._model(name, told.get(name, {}), usage.get(name, {})) for name in {**told, **usage}]
        self.cost = None if traits.usage is None else float(traits.usage["cost"].sum())
        self.prompts, self.rule = list(card.get("prompts", [])), str(card.get("rule", ""))
        self.vignettes = [
            (name, _share_of(one.get("ordered")), number(one.get("severity"), 2), _drift(one.get("drift")))
            for name, one in (card.get("vignettes") or {}).items()
        ]
        self.injections = [
            (name, *(_share_of(one.get(key)) for key in ("success", "control", "unscored")))
            for name, one in (card.get("injections") or {}).items()
        ]
        silence = sorted(traits.reliability.get("silence", []), key=lambda row: row["p_corrected"])
        self.silence = [_silence(row) for row in silence[:MAX_ROWS]]
        self.uneven = sum(row["p_corrected"] < 0.01 for row in silence)
        self.compared = len(silence)

    @staticmethod
    def _model(name: str, told: Mapping[str, Any], used: Mapping[str, Any]) -> tuple[str, ...]:
        replies, tokens, seconds = used.get("replies"), used.get("tokens"), used.get("seconds")
        cost = number(used.get("cost"), 4) if used.get("cost") else "none told"
        days = " to ".join(dict.fromkeys(told.get("dates", [])))
        numbers = ("" if value is None else count(int(value)) for value in (replies, tokens))
        return name, str(told.get("model") or ""), days, *numbers, cost, "" if seconds is None else number(seconds)


def _share_of(found: Mapping[str, Any] | float | None) -> str:
    value = found.get("value") if isinstance(found, Mapping) else found
    return "none" if value is None else percent(value, 1)


def _drift(found: Mapping[str, Any] | None) -> str:
    return "asked once" if not found else f"{_estimate(found)}, p {p_value(found.get('p_value'))}"


def _silence(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    ends = sorted(row["shares"].items(), key=lambda item: item[1])
    spans = "; ".join(f"{name} {percent(share, 1)}" for name, share in (ends[0], ends[-1]))
    return row["rater"], row["by"], spans, p_value(row["p_corrected"])


def _kappas(pairs: Sequence[Mapping[str, Any]], traits: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """Return one row for each pair of raters: both names and the kappa of each trait."""
    found = {(pair["a"], pair["b"], pair["trait"]): pair.get("kappa") for pair in pairs}
    names = dict.fromkeys((a, b) for a, b, _ in found)
    return [(a, b, [number(found.get((a, b, trait)), 2) for trait in traits]) for a, b in names]


@register("report_sections", "traits", title="Traits", help="scores, and how far raters agree", order=50)
def _traits(study: SectionInput) -> Markup | None:
    traits = study.data.traits
    if not traits:
        return None
    return study.render(
        "traits.html.j2",
        raters=RatersView(traits),
        annotation=CardView(traits),
        reliability=ReliabilityView(traits.reliability) if traits.reliability else None,
        stereotypes=StereotypesView(traits.stereotypes) if traits.stereotypes else None,
    )
