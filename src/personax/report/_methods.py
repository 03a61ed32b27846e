"""Methods, ready to paste: a paragraph and references from the run's own facts; limitations computed from the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Final

from markupsafe import Markup

from personax.data.labels import count, display_test, number, percent
from personax.registry import register
from personax.report._credibility import CORRECTIONS, identified, level_of, strongest_attack
from personax.report._data import Distribution, ReportData, StageSummary
from personax.report._sections import SectionInput

__all__ = ["limitations", "methods_text", "references"]

REFERENCES: Final = {
    "kci": "zhang2011kernel",
    "rcit": "strobl2019approximate",
    "hsic": "gretton2007kernel",
    "dcor": "szekely2007measuring",
    "chisq": "pearson1900criterion",
    "gsq": "wilks1938large",
    "usp": "berrett2021usp",
    "gcm": "shah2020hardness",
    "fdr_bh": "benjamini1995controlling",
    "fdr_by": "benjamini2001control",
    "holm": "holm1979simple",
    "alpha": "krippendorff2019content",
    "pc": "spirtes2000causation",
    "crl": "sun2025causal",
    "personax": "li2026personax",
}
"""What a part of the study rests on: its entry in references.bib."""

NULLS: Final = {
    "moments": "a null from exact moments of the permutation distribution",
    "gamma": "a gamma null",
    "asymptotic": "the asymptotic null",
    "permutations": "a permutation null",
    "spectral": "a spectral null",
}

ONE_SIDED: Final = 0.8
"""From this share of people on, a group is nearly everybody."""

FEW: Final = 200
"""Fewer people hardly find a weak dependence."""

WESTERN: Final = frozenset(
    {
        "australia", "austria", "belgium", "canada", "denmark", "england", "finland", "france", "germany",
        "great britain", "iceland", "ireland", "italy", "luxembourg", "netherlands", "new zealand", "norway",
        "portugal", "scotland", "spain", "sweden", "switzerland", "uk", "united kingdom", "united states",
        "united states of america", "us", "usa",
    }
)  # fmt: skip
"""Countries that are counted as Western, folded."""

PUBLIC: Final = frozenset({"wikidata", "league", "leagues", "openfootball", "celeba"})
"""Sources of people who are known to the public."""


def _plan(data: ReportData, stage: str) -> StageSummary | None:
    return next((manifest for manifest in data.manifests if manifest.stage == stage), None)


def methods_text(data: ReportData) -> list[str]:
    """Return the sentences of the methods, a stage each, from what the study's files say."""
    makers = (_of_people, _of_traits, _of_tests, _of_latents, _of_graphs, _of_release, _of_versions)
    return [text for maker in makers if (text := maker(data))]


def _of_people(data: ReportData) -> str:
    people = data.people
    if people is None:
        return ""
    features = sum(column.role == "feature" for column, _ in people.columns)
    stage = _plan(data, "collect")
    source = f" (source: {stage.plan['source']})" if stage and isinstance(stage.plan.get("source"), str) else ""
    kind = "simulated people" if people.simulated else "people"
    vectors = "; ".join(f"{m.name}: {len(m.measurements)} embeddings of {m.length} dimensions" for m in data.modalities)
    return f"We studied {count(people.count)} {kind}{source} with {count(features)} features." + (
        f" Texts and images were embedded ({vectors})." if vectors else ""
    )


def _of_traits(data: ReportData) -> str:
    traits, stage = data.traits, _plan(data, "annotate")
    if traits is None:
        return ""
    names = ", ".join(traits.framework.names)
    if data.trait_source == "questionnaire":
        return f"Traits ({names}) are questionnaire scores."
    raters = list(traits.agreement.get("raters") or {})
    plan: Mapping[str, Any] = stage.plan if stage else {}
    models = [str(one.get("model") or one.get("name")) for one in plan.get("models", []) if isinstance(one, Mapping)]
    asked = f" Language models: {', '.join(models)}." if models else ""
    prompt = plan.get("prompt")
    told = ", ".join(f"{key} {value}" for key, value in prompt.items()) if isinstance(prompt, Mapping) else ""
    alphas = [one["alpha"] for one in (traits.agreement.get("traits") or {}).values() if one.get("alpha") is not None]
    agreement = f" Krippendorff's alpha was {number(min(alphas), 2)} to {number(max(alphas), 2)}." if alphas else ""
    rule = f" and taken together by the {plan['rule']}" if plan.get("rule") else ""
    return (
        f"Traits ({names}) were rated by {count(len(raters))} raters ({', '.join(raters[:12])}){rule}.{asked}"
        + (f" Prompt: {told}." if told else "")
        + agreement
    )


def _of_tests(data: ReportData) -> str:
    found = data.independence
    if found is None:
        return ""
    alpha, correction = level_of(data)
    table = found.table
    tests = []
    for test in table["test"].unique(maintain_order=True):
        methods = table.filter(table["test"] == test)["method"].drop_nulls().unique(maintain_order=True).to_list()
        tests.append(f"{display_test(test)} ({', '.join(NULLS.get(one, one) for one in methods) or 'not run'})")
    group, _ = found.leading
    pairs, computed, rejected = (sum(v[i] for (g, _), v in found.counts.items() if g == group) for i in range(3))
    stage = _plan(data, "independence")
    given = stage.plan.get("given") if stage else None
    condition = f", given {', '.join(given)}" if given else ""
    numbers = [n for n in (table["n"].min(), table["n"].max()) if isinstance(n, int)]
    people = f" on {count(numbers[0])} to {count(numbers[1])} people a pair" if len(numbers) == 2 else ""
    return (
        f"Independence of every feature and trait{condition} was tested by {'; '.join(tests)}{people}. P-values were "
        f"corrected over the pairs by {CORRECTIONS.get(correction, correction)} at {number(alpha)}: {count(rejected)} "
        f"of {count(computed)} tests rejected; {count(pairs - computed)} did not apply. Effects have 95 % intervals; "
        "directions are estimates with intervals of their own, corrected likewise."
    )


def _of_latents(data: ReportData) -> str:
    if data.crl is None:
        return ""
    stage = _plan(data, "crl")
    plan: Mapping[str, Any] = stage.plan if stage else {}
    known, latents = identified(data)
    method = f"the method {plan['method']}" if plan.get("method") else "causal representation learning"
    asked = plan.get("latents")
    number_of = f" ({', '.join(f'{n} of {m}' for m, n in asked.items())})" if isinstance(asked, Mapping) else ""
    seeds = f", {plan['seeds']} seeds, chosen by {plan.get('choose', 'the objective')}" if plan.get("seeds") else ""
    return (
        f"Latent variables{number_of} were learned by {method}{seeds}, without ground truth. "
        f"{known} of {latents} latents are called identified by diagnostics."
    )


def _of_graphs(data: ReportData) -> str:
    if data.discovery is None:
        return ""
    told = {key: value for key, value in data.discovery.details.items() if isinstance(value, str | int | float)}
    asked = ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in told.items() if key in ("test", "alpha", "n")
    )
    return f"A causal graph was searched for by {str(told.get('algorithm', 'pc')).upper()} ({asked})."


def _of_release(data: ReportData) -> str:
    if data.release is None:
        return ""
    audit = data.release.audit
    worst = strongest_attack(audit)
    attacked = (
        f" It was attacked; the strongest attack ({worst[1]}) reached {percent(worst[0]['value'], 1)}." if worst else ""
    )
    return f"Data were released under the transform {audit.get('transform') or 'none'}.{attacked}"


def _of_versions(data: ReportData) -> str:
    if not data.manifests:
        return ""
    seeds = dict.fromkeys(str(manifest.seed) for manifest in data.manifests if manifest.seed is not None)
    versions: dict[str, str] = {}
    for manifest in data.manifests:
        versions |= manifest.versions
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"Seed {', '.join(seeds) or 'not set'}; {packages}."


def references(data: ReportData) -> list[str]:
    """Return the BibTeX of everything that the study used."""
    used: list[str] = ["personax"]
    if data.independence:
        used += [*data.independence.table["test"].unique(maintain_order=True), level_of(data)[1]]
    if data.traits and data.traits.agreement.get("traits"):
        used.append("alpha")
    if data.crl:
        used.append("crl")
    if data.discovery or (data.crl and data.crl.graph_check):
        used.append("pc")
    text = resources.files("personax.report").joinpath("references.bib").read_text(encoding="utf-8")
    entries = {entry.split("{", 1)[1].split(",", 1)[0]: entry.strip() for entry in text.split("\n\n")}
    return [entries[REFERENCES[name]] for name in dict.fromkeys(used) if name in REFERENCES]


def limitations(data: ReportData) -> list[str]:
    """Return what limits the study, as far as its own data tell."""
    return [*_of_the_sample(data), *_of_the_scores(data), *_of_the_analysis(data)]


def _of_the_sample(data: ReportData) -> Iterator[str]:
    people = data.people
    if people is None:
        return
    if people.simulated:
        yield "The people are simulated: nothing here is about real people."
    if people.count < FEW:
        yield f"{count(people.count)} people are few: weak dependences stay unseen."
    for found in people.distributions:
        name = found.column.name.lower()
        if found.labels and found.present and found.counts[0] / found.present >= ONE_SIDED and not found.summary:
            share = percent(found.counts[0], found.present)
            yield f"{share} of the people have {found.column.name} “{found.labels[0]}”: findings are about them."
        elif any(word in name for word in ("country", "nationality", "citizenship")):
            western = _western(found)
            if western >= ONE_SIDED:
                yield f"At least {percent(western, 1)} of the people are from Western countries ({found.column.name})."
    source = _plan(data, "collect")
    if source and str(source.plan.get("source", "")).lower() in PUBLIC:
        yield "The people are known to the public: who is noticed, and for what, selects them."
    worst = max(people.columns, key=lambda pair: pair[1], default=None)
    if worst and people.count and worst[1] / people.count > 1 - ONE_SIDED:
        share = percent(worst[1], people.count)
        yield f"Values are missing ({worst[0].name}: {share}); pairs are tested on those who have both."


def _western(found: Distribution) -> float:
    named = sum(n for label, n in zip(found.labels, found.counts, strict=True) if label.casefold() in WESTERN)
    return named / found.present if found.present else 0.0


def _of_the_scores(data: ReportData) -> Iterator[str]:
    if data.traits is None or data.trait_source == "questionnaire":
        return
    yield "Trait scores say how people are described in public; they are neither self-reports nor diagnoses."
    if data.validity is None:
        yield "The scores were never compared with humans: that raters agree does not make them right."
    alphas = [
        one["alpha"] for one in (data.traits.agreement.get("traits") or {}).values() if one.get("alpha") is not None
    ]
    if alphas and min(alphas) < 0.8:
        yield f"Raters agree by alpha {number(min(alphas), 2)} at least: errors of scores weaken every dependence."
    if not data.traits.stereotypes:
        yield "It was not looked at whether raters score by stereotype (annotate.audit)."


def _of_the_analysis(data: ReportData) -> Iterator[str]:
    if data.independence:
        yield "A dependence is no cause: third variables may be behind it."
        if len(data.independence.table["test"].unique()) == 1:
            yield "One test was run: what it cannot see is not found."
    known, latents = identified(data)
    if latents and known < latents:
        yield f"{latents - known} of {latents} latents are not identified; their edges are not findings."
    if data.discovery and data.discovery.details.get("algorithm", "pc") == "pc":
        yield "PC assumes that no common cause is hidden."


@register("report_sections", "methods", title="Methods", help="a paragraph to paste, references, limitations", order=80)
def _methods(study: SectionInput) -> Markup | None:
    sentences: Sequence[str] = methods_text(study.data)
    if not sentences:
        return None
    return study.render(
        "methods.html.j2",
        sentences=sentences,
        references=references(study.data),
        limitations=limitations(study.data),
    )
