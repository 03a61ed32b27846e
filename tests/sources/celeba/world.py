"""Invented identities with names and invented people of an encyclopedia: namesakes, look-alikes, absentees, the truth.

The truth is drawn without looking at how identities are linked: names by Zipf's law within languages, famous people
with many pictures, others of the same name with other sexes, years, occupations and fame.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.sources.celeba._identify import EVIDENCE

GROUPS = ["actor", "musician", "athlete", "model", "media", "filmmaker", "dancer", "politician", "writer", "business"]
FAMOUS = [0.42, 0.2, 0.14, 0.07, 0.06, 0.03, 0.01, 0.04, 0.02, 0.01]
OTHERS = [0.08, 0.09, 0.33, 0.01, 0.03, 0.03, 0.01, 0.16, 0.16, 0.1]
LANGUAGES, GIVEN, FAMILY, ZIPF = 12, 200, 8000, 0.85


def _names(rng: np.random.Generator, male: NDArray[np.bool_]) -> list[str]:
    """Return a name for each; frequent and rare ones as in languages, a few of both sexes, a few of one word."""
    n = len(male)
    drawn = []
    for size in (LANGUAGES, GIVEN, FAMILY):
        weights = np.arange(1, size + 1) ** -ZIPF
        drawn.append(rng.choice(size, size=n, p=weights / weights.sum()).tolist())
    single = (rng.random(n) < 0.01).tolist()
    return [
        f"Mono{language}-{given}-{family % 40}" if one
        else f"Given{language}{'x' if given % 13 == 0 else 'm' if he else 'f'}{given} Family{language}-{family}"
        for language, given, family, he, one in zip(*drawn, male.tolist(), single, strict=True)
    ]  # fmt: skip


def celebrities(
    n: int, *, rng: np.random.Generator, absent: float = 0.07, people: int | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, list[str | None]]:
    """Return identities, candidates, and the item of each identity, None of absentees.

    Parameters
    ----------
    n
        Number of identities; a share ``absent`` of them is not in the encyclopedia.
    people
        Number of other people in the encyclopedia who may bear one of the names.
    """
    identities: list[tuple[object, ...]] = []
    held: list[tuple[object, ...]] = []
    truth: list[str | None] = []
    sexes = rng.random(n) < 0.45
    for number, (male, name) in enumerate(zip(sexes.tolist(), _names(rng, sexes), strict=True)):
        item = f"Q{number + 1}"
        year = int(np.clip(rng.normal(1969, 15), 1905, 1998))
        pictures = int(np.clip(rng.geometric(0.05), 1, 35))
        young = np.clip((year - 1940) / 40, 0.05, 0.95)
        shown = rng.binomial(pictures, 0.985 if male else 0.015) / pictures
        identities.append((number, name, shown, rng.binomial(pictures, young) / pictures, pictures))
        if rng.random() < absent:
            truth.append(None)
            continue
        truth.append(item)
        links = int(rng.negative_binomial(1.2, 1.2 / (1.2 + 22)))
        groups = list(dict.fromkeys(rng.choice(GROUPS, size=int(rng.integers(1, 3)), p=FAMOUS).tolist()))
        wrong_sex = rng.random() < 0.003
        sex = None if rng.random() < 0.01 else ["female", "male"][male ^ wrong_sex]
        dead = int(year + rng.integers(45, 90)) if rng.random() < 0.06 else None
        held.append((name, item, sex, None if rng.random() < 0.02 else year, dead, groups, links,
                     "x.jpg" if rng.random() < 0.9 else None))  # fmt: skip
    sexes = rng.random(60 * n if people is None else people) < 0.8
    wanted = {name for _, name, *_ in identities}
    for number, (male, name) in enumerate(zip(sexes.tolist(), _names(rng, sexes), strict=True)):
        if name not in wanted:
            continue
        year = int(np.clip(1990 - rng.gamma(1.3, 45), 1500, 2005))
        dead = year + int(rng.integers(30, 95))
        groups = rng.choice(GROUPS, size=1, p=OTHERS).tolist() if rng.random() < 0.85 else []
        held.append((name, f"Q{n + number + 1}", ["female", "male"][male],
                     None if rng.random() < 0.1 else year, dead if dead < 2014 else None, groups,
                     int(rng.negative_binomial(0.6, 0.6 / (0.6 + 2.5))),
                     "x.jpg" if rng.random() < 0.25 else None))  # fmt: skip
    by_name: dict[str, list[tuple[object, ...]]] = {}
    for called, *values in held:
        by_name.setdefault(str(called), []).append(tuple(values))
    rows: list[tuple[object, ...]] = []
    for place, called, *_ in identities:
        for qid, *values in by_name.get(str(called), ()):
            match = str(rng.choice(["label", "alias", "reordered"], p=[0.85, 0.13, 0.02]))
            rows.append((place, qid, match, *values))
    shares = dict.fromkeys(("male_share", "young_share"), pl.Float64)
    schema: dict[str, type[pl.DataType]] = {"row": pl.Int64, "name": pl.String, **shares, "images": pl.Int64}
    return (pl.DataFrame(identities, schema=schema, orient="row"), pl.DataFrame(rows, schema=EVIDENCE, orient="row"),
            truth)  # fmt: skip
