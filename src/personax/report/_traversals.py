"""What moves as one latent moves, and the people at both ends of it, as a study's reading.json tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from personax.data.labels import number, percent
from personax.report._chart import chart

__all__ = ["LatentEnds", "LatentTraversal", "latent_ends", "latent_traversals"]


@dataclass(frozen=True, slots=True)
class LatentEnds:
    """The people at both ends of a latent, by codes of this page, each with words of their texts."""

    latent: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class LatentTraversal:
    """A latent's traversal: a figure, what its lines are, and the numbers place by place."""

    latent: str
    figure: Markup
    rows: Sequence[tuple[str, Sequence[str]]]
    places: Sequence[str]
    verdict: str


def latent_ends(reading: Mapping[str, Any]) -> list[LatentEnds]:
    """Return the people at both ends of every latent; nothing of an older study that has none."""
    return [
        LatentEnds(latent, _people(ends["low"]), _people(ends["high"]))
        for latent, ends in reading.get("people", {}).items()
    ]


def _people(people: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{one['code']} ({', '.join(one['words'])})" if one["words"] else one["code"] for one in people)


def latent_traversals(reading: Mapping[str, Any]) -> list[LatentTraversal]:
    """Return what moves with every latent; nothing of an older study that has none."""
    verdicts = reading.get("verdicts", {})
    return [_traversal(name, told, verdicts.get(name, "")) for name, told in reading.get("traversals", {}).items()]


def _traversal(latent: str, told: Mapping[str, Any], verdict: str) -> LatentTraversal:
    attributes, words = told["attributes"], told["words"]
    rows = [(name, [number(mean, 2) for mean in means]) for name, means in attributes.items()]
    rows += [(f"“{word}”", [f"{share:.0%}" for share in shares]) for word, shares in words.items()]
    rows += [(f"{name} moves", [number(mean, 2) for mean in means]) for name, means in told["measurements"].items()]
    rows.append(("people near", [str(people) for people in told["people"]]))
    return LatentTraversal(
        latent, _lines(latent, attributes, told["places"]), rows,
        [percent(round(100 * place), 100) for place in told["places"]], verdict,
    )  # fmt: skip


def _lines(latent: str, attributes: Mapping[str, Sequence[float]], places: Sequence[float]) -> Markup:
    """Draw a line an attribute over the quantiles of the latent; all share one scale."""
    if len(places) < 2:
        return Markup("")
    rows = [
        {"series": name, "x": 100 * place, "y": mean}
        for name, means in attributes.items()
        for place, mean in zip(places, means, strict=True)
    ]
    told = "; ".join(f"{name} from {number(m[0], 2)} to {number(m[-1], 2)}" for name, m in attributes.items())
    return chart("lines", rows, f"As {latent} rises: {told}", x="quantile of the latent, %", y="mean", zero=True)
