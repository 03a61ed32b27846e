"""What is known of licences: those that a publisher may choose, and those of encoders and sources, with references.

An entry says what docs/embed.md, docs/leagues.md and docs/celeba.md say, and where a reader checks it; the terms of
the leagues' sites were not read live, so theirs is the site's own address. Nothing is guessed: a name that is not here
is unknown, and the release says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["BINDING", "ENCODERS", "LICENCES", "SOURCES", "Clause", "Licence", "Terms"]

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
        asked: dict[Clause, bool] = {
            "non-commercial": not self.commercial,
            "share-alike": self.share_alike,
            "attribution": self.attribution,
        }
        return tuple(clause for clause, holds in asked.items() if holds)


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
class Terms:
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


def _model(licence: str, maker: str, reference: str) -> Terms:
    """Permissive weights: the licence binds copies of the weights; vectors name who made them all the same."""
    return Terms(licence, ("attribution",), reference, maker)


_OFFLINE = Terms("Apache-2.0 (personax itself)", (), "https://www.apache.org/licenses/LICENSE-2.0")

ENCODERS: Final[Mapping[str, Terms]] = {
    "simulate": Terms("none needed: the vectors are computed from invented people", (), ""),
    "hashed n-grams": _OFFLINE,
    "colours and edges": _OFFLINE,
    "imagebind_huge": Terms(
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


def _site(owner: str, reference: str, note: str = "") -> Terms:
    return Terms("terms of the site; no open licence", ("consent", "attribution"), reference, owner, note)


SOURCES: Final[Mapping[str, Terms]] = {
    "simulate": Terms("none needed: the people are invented", (), ""),
    "wikidata": Terms("CC0 1.0", (), "https://www.wikidata.org/wiki/Wikidata:Data_access", "Wikidata (by courtesy)"),
    "geonames": Terms("CC BY 4.0", ("attribution",), "https://www.geonames.org/about.html", "GeoNames"),
    "openfootball": Terms("CC0 1.0", (), "https://github.com/openfootball/players", "openfootball (by courtesy)"),
    "celeba": Terms(
        "non-commercial research only (the data set's own agreement)",
        ("consent", "non-commercial", "attribution"),
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "CelebA, by MMLAB, The Chinese University of Hong Kong (Liu et al., ICCV 2015)",
        "No portion of it may be copied, published or distributed further, and data derived from it may not be "
        "used commercially; identities are given by its authors on request only.",
    ),
    "nfl_players": Terms("public domain, as docs/leagues.md records", (), "", "the NFL players file (by courtesy)"),
    "nba": _site("NBA", "https://global.nba.com/terms-of-use", "The terms cover statistics as NBA content."),
    "nfl": _site("NFL", "https://www.nfl.com"),
    "espn": _site("ESPN", "https://www.espn.com"),
    "nflverse": Terms(
        "code MIT; data of their owners",
        ("consent", "attribution"),
        "https://github.com/nflverse/nflreadr",
        "nflverse",
        "The project says that NFL data belong to their respective owners.",
    ),
    "nhl": _site("NHL", "https://www.nhl.com"),
    "atp": _site("ATP Tour", "https://www.atptour.com"),
    "pga": _site("PGA TOUR", "https://www.pgatour.com"),
    "premier_league": _site("Premier League", "https://www.premierleague.com", "The data are Opta's."),
    "bundesliga": _site("DFL", "https://www.bundesliga.com"),
}
"""Name of the source in study.yaml -> its terms."""
