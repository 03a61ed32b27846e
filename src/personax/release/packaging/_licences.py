"""Licences: what is known of them, and what a release inherits from its sources and encoders.

An entry says what docs/embed.md, docs/leagues.md and docs/celeba.md say, and where a reader checks it; the terms of
the leagues' sites were not read live, so theirs is the site's own address. Nothing is guessed: a name that is not here
is unknown, and the release says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from personax import registry
from personax.errors import InputError
from personax.release.packaging._facts import ReleaseFacts
from personax.release.packaging._markdown import render
from personax.strict import nearest

__all__ = [
    "BINDING",
    "ENCODERS",
    "LICENCES",
    "Clause",
    "InheritedObligations",
    "InheritedTerms",
    "Licence",
    "LicenceTerms",
    "inherited",
    "licence_of",
    "licence_page",
    "source_terms",
]


Clause = Literal["consent", "unknown", "non-commercial", "share-alike", "attribution"]

BINDING: Final[Mapping[Clause, str]] = {
    "consent": "its owners publish no licence, or forbid passing on: rows may leave only with their consent",
    "unknown": "nobody has said under which terms it is: not known; ask",
    "non-commercial": "no commercial use",
    "share-alike": "what is made of it is passed on under the same licence",
    "attribution": "its makers are named",
}
"""Clause -> what it asks for, the one that binds most first."""


@dataclass(frozen=True)
class Licence:
    """A licence that a publisher may choose: its SPDX name, its address, and what it lets others do."""

    name: str
    url: str
    commercial: bool = True
    attribution: bool = True
    share_alike: bool = False

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """What it asks for."""
        conditions: dict[Clause, bool] = {
            "non-commercial": not self.commercial,
            "share-alike": self.share_alike,
            "attribution": self.attribution,
        }
        return tuple(clause for clause, holds in conditions.items() if holds)


_CC: Final = "https://creativecommons.org"

LICENCES: Final[Mapping[str, Licence]] = {
    "apache-2.0": Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    "cc-by-4.0": Licence("CC-BY-4.0", f"{_CC}/licenses/by/4.0/"),
    "cc-by-nc-4.0": Licence("CC-BY-NC-4.0", f"{_CC}/licenses/by-nc/4.0/", commercial=False),
    "cc-by-nc-sa-4.0": Licence("CC-BY-NC-SA-4.0", f"{_CC}/licenses/by-nc-sa/4.0/", commercial=False, share_alike=True),
    "cc-by-sa-4.0": Licence("CC-BY-SA-4.0", f"{_CC}/licenses/by-sa/4.0/", share_alike=True),
    "cc0-1.0": Licence("CC0-1.0", f"{_CC}/publicdomain/zero/1.0/", attribution=False),
    "mit": Licence("MIT", "https://opensource.org/license/mit"),
    "odbl": Licence("ODbL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/", share_alike=True),
    "odc-by": Licence("ODC-By-1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "pddl": Licence("PDDL-1.0", "https://opendatacommons.org/licenses/pddl/1-0/", attribution=False),
}
"""Id of the Hugging Face hub -> the licence."""


@dataclass(frozen=True)
class LicenceTerms:
    """The terms of an encoder or a source.

    Parameters
    ----------
    licence
        In short.
    clauses
        What a release inherits.
    reference
        Where it is written.
    attribution
        Who is to be named.
    note
        What else must be known; a sentence.
    """

    licence: str
    clauses: tuple[Clause, ...]
    reference: str
    attribution: str = ""
    note: str = ""


def _model(licence: str, maker: str, reference: str) -> LicenceTerms:
    """Return terms of permissive weights: the licence binds copies of the weights; vectors still name the maker."""
    return LicenceTerms(licence, ("attribution",), reference, maker)


_OFFLINE = LicenceTerms("Apache-2.0 (personax itself)", (), "https://www.apache.org/licenses/LICENSE-2.0")

ENCODERS: Final[Mapping[str, LicenceTerms]] = {
    "simulate": LicenceTerms("none needed: the vectors are computed from invented people", (), ""),
    "hashed n-grams": _OFFLINE,
    "colours and edges": _OFFLINE,
    "imagebind_huge": LicenceTerms(
        "CC BY-NC-SA 4.0",
        ("non-commercial", "share-alike", "attribution"),
        "https://github.com/facebookresearch/ImageBind/blob/main/model_card.md",
        "ImageBind, by FAIR, Meta AI (Girdhar et al., CVPR 2023)",
        "Its model card says CC BY-NC-SA 4.0 and its README CC BY-NC 4.0; the stricter one is taken here.",
    ),
    "Alibaba-NLP/gte-Qwen2-7B-instruct": _model(
        "Apache-2.0", "gte-Qwen2, by Alibaba-NLP", "https://huggingface.co/Alibaba-NLP/gte-Qwen2-7B-instruct"
    ),
    "Alibaba-NLP/gte-Qwen2-1.5B-instruct": _model(
        "Apache-2.0", "gte-Qwen2, by Alibaba-NLP", "https://huggingface.co/Alibaba-NLP/gte-Qwen2-1.5B-instruct"
    ),
    "sentence-transformers/all-mpnet-base-v2": _model(
        "Apache-2.0",
        "all-mpnet-base-v2, by sentence-transformers",
        "https://huggingface.co/sentence-transformers/all-mpnet-base-v2",
    ),
    "intfloat/e5-base-v2": _model("MIT", "E5, by intfloat", "https://huggingface.co/intfloat/e5-base-v2"),
    "intfloat/multilingual-e5-large": _model(
        "MIT", "multilingual E5, by intfloat", "https://huggingface.co/intfloat/multilingual-e5-large"
    ),
    "BAAI/bge-base-en-v1.5": _model("MIT", "BGE, by BAAI", "https://huggingface.co/BAAI/bge-base-en-v1.5"),
    "thenlper/gte-base": _model("MIT", "GTE, by thenlper", "https://huggingface.co/thenlper/gte-base"),
    "google/vit-base-patch16-224": _model(
        "Apache-2.0", "ViT, by Google", "https://huggingface.co/google/vit-base-patch16-224"
    ),
    "sentence-transformers/all-MiniLM-L6-v2": _model(
        "Apache-2.0",
        "all-MiniLM-L6-v2, by sentence-transformers",
        "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
    ),
    "openai/clip-vit-base-patch32": _model("MIT", "CLIP, by OpenAI", "https://github.com/openai/CLIP"),
    "facebook/dinov2-base": _model("Apache-2.0", "DINOv2, by Meta AI", "https://huggingface.co/facebook/dinov2-base"),
    "google/siglip-base-patch16-224": _model(
        "Apache-2.0", "SigLIP, by Google", "https://huggingface.co/google/siglip-base-patch16-224"
    ),
}
"""Name of the encoder, as its card gives it -> its terms."""


_DATA_SETS: Final[Mapping[str, LicenceTerms]] = {
    "simulate": LicenceTerms("none needed: the people are invented", (), ""),
    "geonames": LicenceTerms("CC BY 4.0", ("attribution",), "https://www.geonames.org/about.html", "GeoNames"),
}

_SITE: Final = {"licence": "terms of the site; no open licence", "clauses": ("consent", "attribution")}
"""What a source that is registered with terms does not say itself."""


def source_terms() -> Mapping[str, LicenceTerms]:
    """Return name of the source in study.yaml -> its terms, as each source declares them where it is registered.

    A source says ``terms={"reference": ..., "attribution": ..., ...}``, by the parameters of `LicenceTerms`;
    ``licence`` and ``clauses`` are those of a site without an open licence where it does not say them.

    Examples
    --------
    >>> source_terms()["nba"].clauses, source_terms()["wikidata"].licence
    (('consent', 'attribution'), 'CC0 1.0')
    """
    declared = {part.name: part.facts["terms"] for part in registry.parts("sources") if "terms" in part.facts}
    return {**_DATA_SETS, **{name: LicenceTerms(**{**_SITE, **terms}) for name, terms in declared.items()}}


UNKNOWN = "not known; ask"


@dataclass(frozen=True)
class InheritedTerms:
    """A source or an encoder, and its terms.

    Parameters
    ----------
    what
        ``encoder`` or ``source``.
    name
        As its maker calls it.
    used
        For what in the release.
    terms
        What it asks for.
    """

    what: str
    name: str
    used: str
    terms: LicenceTerms


@dataclass(frozen=True)
class InheritedObligations:
    """What the release must obey, the clause that binds most first."""

    items: Sequence[InheritedTerms]

    @property
    def clauses(self) -> Sequence[Clause]:
        """Of all items, each once."""
        return [clause for clause in BINDING if self.with_clause(clause)]

    def with_clause(self, clause: Clause) -> Sequence[InheritedTerms]:
        """Return the items that ask for this."""
        return [item for item in self.items if clause in item.terms.clauses]

    @property
    def attributions(self) -> Sequence[str]:
        """Whom the release must name, each once."""
        return list(dict.fromkeys(item.terms.attribution for item in self.items if item.terms.attribution))


def inherited(facts: ReleaseFacts) -> InheritedObligations:
    """Return what a release inherits.

    Raises
    ------
    InputError
        The publisher's licence is none that is known, or gives away what an encoder or a source keeps back.

    Examples
    --------
    >>> from personax.release.packaging._facts import ColumnFacts, SourceFacts
    >>> who = ColumnFacts("people", "id", "id", "nominal", "string", "pseudonym")
    >>> facts = ReleaseFacts("A study", "1.0.0", 10, (who,), sources=(SourceFacts("geonames", "dataset"),))
    >>> inherited(facts).clauses
    ['attribution']
    """
    found = InheritedObligations([*_encoders(facts), *_sources(facts)])
    licence = licence_of(facts)
    if licence is not None:
        for clause, item in _broken(found, licence):
            raise InputError(
                f"release.publisher.licence {facts.publisher.licence} does not keep what the {item.what} {item.name} "
                f"({item.terms.licence}) asks for: {BINDING[clause]}; choose {_advice(found)}"
            )
    return found


def licence_of(facts: ReleaseFacts) -> Licence | None:
    """Return the licence that the publisher chose; None for ``other``, the terms of LICENSES.md and USAGE.md.

    Raises
    ------
    InputError
        For one that is not known.
    """
    name = facts.publisher.licence
    if name == "other":
        return None
    if name not in LICENCES:
        text = f"release.publisher.licence {name!r} is none that is known; {nearest(name, ['other', *LICENCES])}"
        raise InputError(f"{text} (other: the terms of LICENSES.md and USAGE.md)")
    return LICENCES[name]


def _broken(found: InheritedObligations, licence: Licence) -> Sequence[tuple[Clause, InheritedTerms]]:
    kept = set(licence.clauses)
    weighed: tuple[Clause, ...] = ("non-commercial", "share-alike", "attribution")
    return [(clause, item) for clause in weighed if clause not in kept for item in found.with_clause(clause)]


def _advice(found: InheritedObligations) -> str:
    fitting = [name for name, licence in LICENCES.items() if not _broken(found, licence)]
    return " or ".join([*fitting, "other"])


def _encoders(facts: ReleaseFacts) -> Sequence[InheritedTerms]:
    used: dict[tuple[str, str], list[str]] = {}
    for one in facts.measurements:
        used.setdefault((one.encoder, one.licence), []).append(f"{one.modality}/{one.name}")
    return [
        InheritedTerms("encoder", name or "not stated", ", ".join(places), ENCODERS.get(name) or _stated(licence))
        for (name, licence), places in used.items()
    ]


def _sources(facts: ReleaseFacts) -> Sequence[InheritedTerms]:
    declared = source_terms()
    return [
        InheritedTerms("source", source.name, "people", declared.get(source.name) or _stated(source.licence))
        for source in facts.sources
    ]


def _stated(licence: str) -> LicenceTerms:
    """Return the terms of something that is not in the table, as far as its licence is a known one."""
    known = LICENCES.get(licence.lower())
    if known is None:
        return LicenceTerms(licence or UNKNOWN, ("unknown",), "")
    return LicenceTerms(
        known.name, known.clauses, known.url, note="So it was stated to us; personax has not looked it up."
    )


def licence_page(facts: ReleaseFacts) -> str:
    """Return LICENSES.md: the licence of the release, what it inherits, and which clause binds most.

    Raises
    ------
    InputError
        As `inherited` does.
    """
    found = inherited(facts)
    return render(
        "licences.md.j2",
        title=facts.title,
        licence=licence_of(facts),
        found=found,
        binding={clause: BINDING[clause] for clause in found.clauses},
        permissive=not found.clauses,
        names={clause: [item.name for item in found.with_clause(clause)] for clause in found.clauses},
        unknown=UNKNOWN,
    )
