"""Invented people, whole: table, texts, ratings, embeddings, faces, and the truth about what causes what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from string import ascii_lowercase
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from personax.data.table import Table
from personax.errors import InputError
from personax.schema import Column, TraitFramework
from personax.simulate._encoded import SHOWN, encode_pictures, encode_profiles, encode_survey, write_profiles
from personax.simulate._mixing import mix
from personax.simulate._person_details import COUNTRIES, WORDS, Words, biography, draw_face, invent_name, png, rate
from personax.simulate._scm import MODEL, TRAIT_OF

__all__ = ["FEATURES", "Population", "simulate_population"]

OCCUPATIONS = ("handball", "music", "film", "politics", "science")

FORMS = 2
"""Surveys that encoded people answer."""

Array = NDArray[np.float64]

FEATURES: Mapping[str, tuple[str, Column]] = {
    "gender": ("gender", Column("gender", "feature", "nominal")),
    "occupation": ("occupation", Column("occupation", "feature", "nominal")),
    "country": ("region", Column("country", "feature", "nominal")),
    "latitude": ("region", Column("latitude", "feature", "continuous", "degrees")),
    "longitude": ("region", Column("longitude", "feature", "cyclic", "degrees", period=360.0)),
    "height_cm": ("height", Column("height_cm", "feature", "continuous", "cm")),
    "weight_kg": ("weight", Column("weight_kg", "feature", "continuous", "kg")),
    "birth_year": ("birth_year", Column("birth_year", "feature", "continuous", "years")),
    "birth_month": ("birth_month", Column("birth_month", "feature", "cyclic", period=12.0)),
    "birth_day": ("birth_day", Column("birth_day", "feature", "cyclic", period=31.0)),
}
"""Feature -> the variable of the model that it shows, and what its values mean."""


@dataclass(frozen=True)
class Population:
    """Invented people and what is known about them.

    Parameters
    ----------
    table
        One row a person, and what the columns mean.
    texts, ratings
        ``id, biography``, and of encoded people a column a text measurement; the raters' answers as rows of
        annotations.parquet.
    embeddings
        Modality -> ``id`` and one vector column a measurement.
    latents
        ``id`` and one column a true latent or trait; nobody but the report may look.
    """

    table: Table
    texts: pl.DataFrame
    ratings: pl.DataFrame
    embeddings: Mapping[str, pl.DataFrame]
    latents: pl.DataFrame
    _face_seed: int
    _traits: Mapping[str, str] = field(default_factory=lambda: TRAIT_OF)
    _encoded: bool = False

    @property
    def people(self) -> pl.DataFrame:
        """The people, one row each."""
        return self.table.frame

    @property
    def columns(self) -> Sequence[Column]:
        """What the columns of ``people`` mean."""
        return self.table.columns

    def faces(self) -> Iterator[tuple[str, bytes]]:
        """Yield (id, PNG of the drawn face), person by person."""
        shown = ["skin_tone", "attractiveness", "facial_expression"]
        rng = np.random.default_rng(self._face_seed)
        for row in self.latents.select("id", *shown).iter_rows(named=True):
            yield row["id"], png(draw_face({name: row[name] for name in shown}, rng=rng))

    def truth(self) -> dict[str, Any]:
        """Return graph, groups of latents, and the effect of every feature on every trait, as truth.json holds them."""
        of_model = MODEL.variables.values()
        groups = {name: [v.name for v in of_model if v.group == name] for name in ("shared", "text", "image")}
        if self._encoded:
            groups = {modality: list(names) for modality, names in SHOWN.items()}
        note = (
            "Invented people. An effect is that of one unit of the feature's own variable, in standard "
            "deviations of the trait; dependent is exact, by d-separation."
        )
        if self._encoded:
            note += f" {CONFOUNDED}"
        return {"graph": asdict(MODEL.graph()), "groups": groups, "effects": _effects(self._traits), "note": note}


CONFOUNDED = (
    "Every item of the survey asks for culture and mindset at once, so that nothing tells these two apart: Level II "
    "must call them a block. Both have causes that no measurement shows (region, year of birth) in common with skin "
    "tone and attractiveness, so that an edge between the survey and a picture is none of the model."
)


def _effects(traits: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = []
    for feature, (variable, _) in FEATURES.items():
        for node, trait in traits.items():
            # latitude and longitude only show where the country is; they cause nothing themselves
            effect = 0.0 if feature in ("latitude", "longitude") else MODEL.effect(variable, node)
            dependent = MODEL.dependent(variable, node)
            rows.append({"feature": feature, "trait": trait, "effect": round(effect, 4), "dependent": dependent})
    return rows


def simulate_population(
    n: int,
    *,
    rng: np.random.Generator,
    text_dim: int = 384,
    image_dim: int = 512,
    text_measurements: int = 3,
    image_measurements: int = 1,
    framework: TraitFramework | None = None,
    encoded: bool = False,
) -> Population:
    """Draw invented people from the documented causal model `personax.simulate._scm.MODEL`.

    Parameters
    ----------
    n
        How many people, at least 1.
    rng
        The same generator state gives the same people, to the byte.
    text_dim, image_dim
        Length of the text and image vectors.
    text_measurements, image_measurements
        How many of each; measurements of one modality share their latents and differ in mixing and noise.
    framework
        What the traits of the model are called, with the adjectives of biographies: at most five of them; the Big Five
        by default. The causes are the same.
    encoded
        Vectors as encoders give them in place of random mixings: texts of one sentence a latent by
        `personax.simulate.worlds.simulated_encoder`, pictures, and a third modality, a survey, whose two latents
        nothing tells apart.

    Returns
    -------
    Population
        Everybody and everything in it is invented.

    Raises
    ------
    ValueError
        When n is not positive or the vectors are too short for the latents.
    InputError
        A framework of more traits than the model has, or without adjective markers.

    Examples
    --------
    >>> world = simulate_population(3, rng=np.random.default_rng(1), text_dim=16, image_dim=16)
    >>> world.people["id"].to_list()
    ['p00001', 'p00002', 'p00003']
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    for measurements in (text_measurements, image_measurements):
        if not 1 <= measurements <= len(ascii_lowercase):
            raise ValueError(f"a modality has 1 to {len(ascii_lowercase)} measurements, not {measurements}")
    values = MODEL.solve(MODEL.draw(n, rng=rng))
    ids = [f"p{number:05d}" for number in range(1, n + 1)]
    people = _people(ids, values, rng)
    standard = MODEL.standardise(values)
    named, adjectives = (TRAIT_OF, WORDS) if framework is None else _called(framework)
    traits = {trait: standard[node] for node, trait in named.items()}
    latent_names = [name for name, variable in MODEL.variables.items() if variable.group != "biography"]
    texts, ratings = _texts(people, traits, adjectives, rng), rate(traits, ids, rng=rng)
    if encoded:
        profiles, embeddings = _encoded(
            ids, standard, {"text": text_measurements, "image": image_measurements, "survey": FORMS},
            {"text": text_dim, "image": image_dim}, rng,
        )  # fmt: skip
        texts = texts.hstack(profiles)
    else:
        embeddings = {
            "text": _embedding(ids, values, "text", text_measurements, text_dim, rng),
            "image": _embedding(ids, values, "image", image_measurements, image_dim, rng),
        }
    return Population(
        table=Table(people, _columns()),
        texts=texts,
        ratings=ratings,
        embeddings=embeddings,
        latents=pl.DataFrame({"id": ids, **{name: values[name] for name in latent_names}}),
        _face_seed=int(rng.integers(2**63)),
        _traits=named,
        _encoded=encoded,
    )


def _called(framework: TraitFramework) -> tuple[Mapping[str, str], Words]:
    """Return node of the model -> trait, and the adjectives of each trait's ends."""
    if len(framework.traits) > len(TRAIT_OF):
        text = f"simulated people have {len(TRAIT_OF)} traits and the framework {framework.name} has"
        raise InputError(f"{text} {len(framework.traits)}; name a framework of fewer")
    if not all(trait.low and trait.high for trait in framework.traits):
        raise InputError(f"the framework {framework.name} has traits without adjective markers of both ends; add them")
    adjectives = {trait.name: (trait.low, trait.high) for trait in framework.traits}
    return dict(zip(TRAIT_OF, framework.names, strict=False)), adjectives


def _columns() -> list[Column]:
    private = [Column("id", "id", "nominal"), Column("name", "private", "nominal")]
    return [*private, Column("birth_date", "private", "continuous"), *(column for _, column in FEATURES.values())]


def _people(ids: list[str], values: Mapping[str, Array], rng: np.random.Generator) -> pl.DataFrame:
    """Show the biography's variables as people read them; each is a monotone function of one variable."""
    country = np.minimum((ndtr(values["region"]) * len(COUNTRIES)).astype(int), len(COUNTRIES) - 1)
    job = np.minimum((ndtr(values["occupation"]) * len(OCCUPATIONS)).astype(int), len(OCCUPATIONS) - 1)
    year = np.clip(np.round(1975 + 12 * values["birth_year"]), 1930, 2008).astype(int)
    month = np.minimum(1 + (ndtr(values["birth_month"]) * 12).astype(int), 12)
    day = np.minimum(1 + (ndtr(values["birth_day"]) * 28).astype(int), 28)
    return pl.DataFrame(
        {
            "id": ids,
            "name": [invent_name(rng) for _ in ids],
            "birth_date": [date(y, m, d) for y, m, d in zip(year, month, day, strict=True)],
            "gender": np.where(values["gender"] > 0, "male", "female").tolist(),
            "occupation": [OCCUPATIONS[index] for index in job],
            "country": [COUNTRIES[index][0] for index in country],
            "latitude": [COUNTRIES[index][1] for index in country],
            "longitude": [COUNTRIES[index][2] for index in country],
            "height_cm": np.round(172 + 9 * values["height"]),
            "weight_kg": np.round(72 + 11 * values["weight"]).clip(40),
            "birth_year": year,
            "birth_month": month,
            "birth_day": day,
        }
    )


def _texts(
    people: pl.DataFrame, traits: Mapping[str, Array], adjectives: Words, rng: np.random.Generator
) -> pl.DataFrame:
    written = [
        biography(
            {
                "name": row["name"],
                "occupation": row["occupation"],
                "country": row["country"],
                "year": str(row["birth_year"]),
            },
            {trait: float(values[place]) for trait, values in traits.items()},
            rng=rng,
            adjectives=adjectives,
        )
        for place, row in enumerate(people.iter_rows(named=True))
    ]
    return pl.DataFrame({"id": people["id"], "biography": written})


def _embedding(
    ids: list[str], values: Mapping[str, Array], modality: str, measurements: int, dim: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Mix a modality's latents with the shared ones, afresh for each measurement: text_a, text_b ..."""
    latents = _group(values, modality)
    names = [f"{modality}_{letter}" for letter in ascii_lowercase[:measurements]]
    columns = {name: pl.Series(mix(latents, dim, rng=rng), dtype=pl.Array(pl.Float32, dim)) for name in names}
    return pl.DataFrame({"id": ids, **columns})


def _encoded(
    ids: list[str],
    standard: Mapping[str, Array],
    measurements: Mapping[str, int],
    dims: Mapping[str, int],
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Return what is written of people, a column a text, and the vectors of all modalities."""
    profiles: dict[str, list[str]] = {}
    embeddings: dict[str, pl.DataFrame] = {}
    for modality, names in SHOWN.items():
        latents = np.column_stack([standard[name] for name in names])
        columns = {}
        for k, own in enumerate(rng.spawn(measurements[modality])):
            called = f"{modality}_{ascii_lowercase[k]}"
            if modality == "text":
                profiles[called] = write_profiles(latents, k, rng=own)
                vectors = encode_profiles(profiles[called], dims[modality])
            elif modality == "image":
                vectors = encode_pictures(latents, dims[modality], rng=own)
            else:
                vectors = encode_survey(latents, k, rng=own)
            columns[called] = pl.Series(vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))
        embeddings[modality] = pl.DataFrame({"id": ids, **columns})
    return pl.DataFrame(profiles), embeddings


def _group(values: Mapping[str, Array], modality: str) -> Array:
    names = [name for name, variable in MODEL.variables.items() if variable.group in (modality, "shared")]
    return np.column_stack([values[name] for name in names])
