"""What moves as one latent moves, and the people at both ends of it, as a study's reading.json tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from personax.data.labels import number, percent
from personax.report._charts import element

__all__ = ["LatentEnds", "LatentTraversal", "latent_ends", "latent_traversals"]

WIDTH, HEIGHT, EDGE = 240.0, 96.0, 6.0


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
        latent, _lines(latent, attributes, len(told["places"])), rows,
        [percent(round(100 * place), 100) for place in told["places"]], verdict,
    )  # fmt: skip


def _lines(latent: str, attributes: Mapping[str, Sequence[float]], places: int) -> Markup:
    """Draw a line an attribute over the places; all share one scale, and its zero is a thin line."""
    if not attributes or places < 2:
        return Markup("")
    values = [mean for means in attributes.values() for mean in means]
    low, high = min(0.0, *values), max(0.0, *values)
    spread = (high - low) or 1.0

    def down(value: float) -> float:
        return EDGE + (HEIGHT - 2 * EDGE) * (high - value) / spread

    zero = element("line", x1=0, x2=WIDTH, y1=down(0.0), y2=down(0.0), class_="guide")
    lines = [
        element(
            "polyline",
            points=" ".join(f"{WIDTH * at / (places - 1):.1f},{down(mean):.1f}" for at, mean in enumerate(means)),
            class_="course",
            vector_effect="non-scaling-stroke",
            stroke_dasharray=DASHES[line % len(DASHES)],
            data_tip=f"{name}: {number(means[0], 2)} to {number(means[-1], 2)}",
        )
        for line, (name, means) in enumerate(attributes.items())
    ]
    told = "; ".join(f"{name} from {number(m[0], 2)} to {number(m[-1], 2)}" for name, m in attributes.items())
    return element(
        "svg", zero, *lines, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", preserveAspectRatio="none", width="100%",
        height=HEIGHT, role="img", aria_label=f"As {latent} rises: {told}",
    )  # fmt: skip


DASHES = (None, "7 3", "2 3", "9 3 2 3")
"""Of the lines, in the order of the table below them."""
