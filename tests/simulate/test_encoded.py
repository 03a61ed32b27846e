"""Encoded people: what their texts, pictures and surveys say of them, and what these cannot say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from personax.config import CollectSimulated
from personax.simulate import Population, simulate_population
from personax.simulate._encoded import SHOWN, encode_pictures, encode_survey, write_profiles
from personax.simulate.worlds._vocabulary import phrases

Array = NDArray[np.float64]


def people(n: int, seed: int = 1) -> Population:
    return simulate_population(
        n, rng=np.random.default_rng(seed), encoded=True,
        text_dim=32, image_dim=24, text_measurements=2, image_measurements=2,
    )  # fmt: skip


def unexplained(x: Array, y: Array) -> float:
    design = np.column_stack([x, np.ones(len(x))])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(residual.var() / y.var())


def test_three_modalities_of_two_measurements_and_their_truth() -> None:
    made = people(40)
    assert {m: frame.columns[1:] for m, frame in made.embeddings.items()} == {
        "text": ["text_a", "text_b"], "image": ["image_a", "image_b"], "survey": ["survey_a", "survey_b"]
    }  # fmt: skip
    assert made.texts.columns == ["id", "biography", "text_a", "text_b"]
    truth = made.truth()
    assert truth["groups"] == {modality: list(names) for modality, names in SHOWN.items()}
    assert "nothing tells these two apart" in truth["note"]
    assert {name for names in SHOWN.values() for name in names} <= set(made.latents.columns)


def test_the_same_seed_gives_the_same_people_and_others_are_mixed_as_before() -> None:
    first, again = people(30), people(30)
    assert first.texts.equals(again.texts)
    assert all(frame.equals(again.embeddings[m]) for m, frame in first.embeddings.items())
    mixed = simulate_population(30, rng=np.random.default_rng(1), text_dim=32, image_dim=24)
    assert mixed.people.equals(first.people)
    assert mixed.ratings.equals(first.ratings)
    assert mixed.texts["biography"].equals(first.texts["biography"])
    assert sorted(mixed.embeddings) == ["image", "text"]


def test_a_text_says_every_latent_in_the_words_of_its_grade() -> None:
    latents = np.array([[2.2, 2.2, 2.2], [-2.2, -2.2, -2.2]])
    for measurement in range(3):
        high, low = write_profiles(latents, measurement, rng=np.random.default_rng(0))
        for concept in ("confidence", "calm", "warmth"):
            ends = phrases(concept)
            assert any(phrase in high for phrase in (*ends[7], *ends[8])), high
            assert any(phrase in low for phrase in (*ends[0], *ends[1])), low


def test_pictures_are_sums_of_curves_and_have_an_encoder_that_does_not_know_people() -> None:
    """The mean over pose and light of changing two latents is the sum of changing each, as additive decoders need."""
    places = np.array([[0.0, 0, 0], [1.5, 0, 0], [0, -1.5, 0], [1.5, -1.5, 0]])
    vectors = encode_pictures(np.repeat(places, 20_000, axis=0), 8, rng=np.random.default_rng(0))
    none, one, other, both = vectors.reshape(4, 20_000, 8).mean(axis=1)
    assert np.abs((one - none) + (other - none) - (both - none)).max() < 0.05 * np.abs(both - none).max()
    assert np.abs(one - none).max() > 0.3


@pytest.mark.parametrize("angle", [0.3, 0.8])
def test_a_survey_tells_its_latents_apart_no_better_than_any_rotation_of_them(angle: float) -> None:
    latents = np.random.default_rng(0).standard_normal((4000, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    answers = encode_survey(latents, 0, rng=np.random.default_rng(1)).astype(np.float64)
    assert unexplained(latents, answers) == pytest.approx(unexplained(latents @ turn, answers))
    bent = np.column_stack([latents, latents**2, np.prod(latents, axis=1)])
    assert unexplained(bent, answers) > 0.99 * unexplained(latents, answers), "nothing but sums"


def test_a_study_without_encoding_says_nothing_of_it() -> None:
    """Its manifests were written before there was one, and are not stale."""
    assert "encoded" not in CollectSimulated(source="simulate").model_dump()
    assert CollectSimulated(source="simulate", encoded=True).model_dump()["encoded"] is True


def test_words_of_profiles_follow_the_latents() -> None:
    made = people(400, seed=3)
    calm = made.texts.with_columns(
        pl.concat_str("text_a", "text_b").str.contains("serene|hard to upset|imperturbable|unshakeable").alias("calm")
    ).join(made.latents, on="id")
    means = dict(calm.group_by("calm").agg(pl.col("emotional_stability").mean()).iter_rows())
    assert means[True] > means[False] + 1
