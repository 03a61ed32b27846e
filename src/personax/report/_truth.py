"""Compare what was found with what is true of simulated people, and a few of their drawn faces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from personax.report._charts import element, figure
from personax.report._data import Faces
from personax.report._labels import display_test, number, percent, trait_of

__all__ = ["ComparedPair", "Confusion", "choose_faces", "compare", "confusions", "scatter"]


ACROSS = 6
LARGEST = 200_000
"""Bytes; a drawing of 64 x 64 pixels has far fewer, and the page carries every one of them."""

PNG = b"\x89PNG\r\n\x1a\n"


def choose_faces(root: Path, true_latents: Sequence[str] = ()) -> Faces | None:
    """Return two rows of faces, lowest and highest on the first image latent, or one row where no latent is known.

    Parameters
    ----------
    root
        Folder of a study of *simulated* people; a real person's photo is never shown.
    true_latents
        Names of the true image latents; the first one orders the faces where none was learned.
    """
    files = {path.stem: path for path in sorted((root / "people" / "images").glob("*.png"))}
    if not files:
        return None
    latent = _image_latent(root, true_latents)
    if latent is None:
        return Faces([("Some of them", _images(files, list(files)))])
    name, ids = latent
    drawn = [person for person in ids if person in files]
    rows = [(f"Lowest on {name}", drawn[:ACROSS]), (f"Highest on {name}", drawn[-ACROSS:])]
    return Faces([(caption, _images(files, people)) for caption, people in rows])


def _image_latent(root: Path, true_latents: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the name of a learned (or else true) image latent and all ids from its lowest to its highest value."""
    for path in (root / "analysis" / "crl" / "latents.parquet", root / "people" / "simulation" / "latents.parquet"):
        frame = pl.read_parquet(path) if path.is_file() else pl.DataFrame()
        names = [name for name in frame.columns if name.startswith("image_") or name in true_latents]
        if names:
            return names[0], frame.drop_nulls(names[0]).sort(names[0], "id")["id"].to_list()
    return None


def _images(files: Mapping[str, Path], people: list[str]) -> list[bytes]:
    images = [files[person].read_bytes() for person in people[:ACROSS]]
    return [image for image in images if image.startswith(PNG) and len(image) <= LARGEST]


HIGH, LEFT = 260.0, 9.0


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """One feature and one trait: what is true, and what one test found (``found`` None: not tested)."""

    feature: str
    trait: str
    test: str
    dependent: bool
    true_effect: float | None
    found: bool | None
    effect: float | None
    effect_name: str

    @property
    def verdict(self) -> str:
        """In words: how the finding stands to the truth."""
        if self.found is None:
            return "not tested"
        if self.dependent:
            return "found" if self.found else "missed"
        return "false alarm" if self.found else "rightly silent"


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often one test was right and wrong."""

    test: str
    found: int
    missed: int
    false_alarms: int
    silent: int
    untested: int

    @property
    def power(self) -> str:
        """Share of the true dependences that were found."""
        return percent(self.found, self.found + self.missed)

    @property
    def false_rate(self) -> str:
        """Share of the truly independent pairs that were called dependent."""
        return percent(self.false_alarms, self.false_alarms + self.silent)


def compare(table: pl.DataFrame, effects: Sequence[Mapping[str, Any]], group: str) -> list[ComparedPair]:
    """Return every true feature-trait pair with what each test of one group found.

    Parameters
    ----------
    table
        pvalues.parquet.
    effects
        ``effects`` of truth.json: feature, trait, effect, dependent.
    group
        Whose scores: ``final`` or a rater.
    """
    rows = table.filter(pl.col("group") == group)
    found = {(r["test"], r["feature"], trait_of(r["target"])): r for r in rows.iter_rows(named=True)}
    tested = {feature for _, feature, _ in found}
    return [
        _pair(true, test, found.get((test, true["feature"], trait_of(true["trait"]))))
        for test in rows["test"].unique(maintain_order=True)
        for true in effects
        if true["feature"] in tested
    ]


def _pair(true: Mapping[str, Any], test: str, row: Mapping[str, Any] | None) -> ComparedPair:
    effect = true.get("effect")
    return ComparedPair(
        feature=true["feature"],
        trait=trait_of(true["trait"]),
        test=test,
        dependent=bool(true["dependent"]),
        true_effect=None if effect is None else abs(float(effect)),
        found=None if row is None else row["rejected"],
        effect=None if row is None else row["effect_size"],
        effect_name="" if row is None else row["effect_name"] or "",
    )


def confusions(pairs: Sequence[ComparedPair]) -> list[Confusion]:
    """Count the verdicts of each test."""
    tests = dict.fromkeys(pair.test for pair in pairs)
    verdicts = ("found", "missed", "false alarm", "rightly silent", "not tested")
    return [
        Confusion(test, *(sum(p.test == test and p.verdict == verdict for p in pairs) for verdict in verdicts))
        for test in tests
    ]


def scatter(pairs: Sequence[ComparedPair]) -> Markup:
    """Draw true against estimated effect of one test's pairs; the shape says whether the test was right."""
    drawn = [pair for pair in pairs if pair.effect is not None and pair.true_effect is not None]
    if not drawn:
        return Markup("")
    right = max(pair.true_effect or 0.0 for pair in drawn) or 1.0
    top = max(pair.effect or 0.0 for pair in drawn) or 1.0
    axes = [
        element("line", x1=f"{LEFT}%", x2="100%", y1=HIGH - 24, y2=HIGH - 24, class_="guide"),
        element("line", x1=f"{LEFT}%", x2=f"{LEFT}%", y1=0, y2=HIGH - 24, class_="guide"),
        element("text", "0", x=f"{LEFT}%", y=HIGH - 8, class_="tick"),
        element("text", number(right, 2), x="98%", y=HIGH - 8, class_="tick end"),
        element("text", "true effect", x=f"{(100 + LEFT) / 2}%", y=HIGH - 8, class_="tick"),
        element("text", number(top, 2), x=f"{LEFT - 1}%", y=26, class_="tick end"),
        element("text", f"estimated {drawn[0].effect_name}", x=f"{LEFT + 1.5}%", y=10, class_="tick start"),
        element("text", "0", x=f"{LEFT - 1}%", y=HIGH - 24, class_="tick end"),
    ]
    dots = [_dot(pair, right, top) for pair in drawn]
    label = f"True and estimated effects, {display_test(drawn[0].test)}"
    return figure(*axes, *dots, height=HIGH, label=label, class_="scatter")


def _dot(pair: ComparedPair, right: float, top: float) -> Markup:
    x = f"{LEFT + 2 + (96 - LEFT) * (pair.true_effect or 0.0) / right:.2f}%"
    y = 22 + (HIGH - 58) * (1 - (pair.effect or 0.0) / top)
    tip = (
        f"{pair.feature} and {pair.trait}: {pair.verdict}\ntrue effect {number(pair.true_effect)}"
        f"\nestimated {pair.effect_name} {number(pair.effect)}"
    )
    return element("circle", cx=x, cy=y, r=5, class_=f"dot v-{pair.verdict.replace(' ', '-')}", data_tip=tip)
