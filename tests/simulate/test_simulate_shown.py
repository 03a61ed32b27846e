"""What people show (table, ratings, vectors, faces) carries the causes that the truth names, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import stats

from personax.schema import TRAITS
from personax.simulate import MODEL, SCM, Population, Variable, simulate_population
from personax.simulate._mixing import mix
from personax.simulate._person_details import COUNTRIES, RATERS, Rater, draw_face
from personax.simulate._population import FEATURES, OCCUPATIONS

Array = NDArray[np.float64]
Mechanism = Literal["linear", "saturating", "bent"]
SEED, PEOPLE = 11, 20_000


def small(n: int, seed: int) -> Population:
    return simulate_population(n, rng=np.random.default_rng(seed), text_dim=8, image_dim=8)


@pytest.fixture(scope="module")
def world() -> Population:
    return small(PEOPLE, SEED)


@pytest.fixture(scope="module")
def values() -> dict[str, Array]:
    """Draw the model's variables behind `world`: they are the first that a seed gives."""
    return MODEL.solve(MODEL.draw(PEOPLE, rng=np.random.default_rng(SEED)))


# the model


GRID = np.linspace(-9, 9, 20_001)


def normal_mean(terms: Array) -> float:
    """Integrate a function, given on the grid, over a standard normal."""
    return float(np.average(terms, weights=stats.norm.pdf(GRID)))


@pytest.mark.parametrize(
    ("mechanism", "shape"),
    [
        ("linear", lambda x: x),
        ("saturating", lambda x: 1.5 * np.tanh(x)),
        ("bent", lambda x: np.where(x > 0, 1.5 * x, x) - 0.2),
    ],
)
def test_moments_and_effect_of_a_mechanism_by_quadrature(mechanism: Mechanism, shape: Callable[[Array], Array]) -> None:
    """For b = 0.8 f(a) + 0.5 noise: E b, sd b and the effect are one-dimensional integrals over the normal a."""
    model = SCM([Variable("a", "shared"), Variable("b", "text", {"a": 0.8}, mechanism, noise=0.5)])
    caused = 0.8 * shape(GRID)
    mean = normal_mean(caused)
    deviation = np.sqrt(normal_mean((caused - mean) ** 2) + 0.25)
    gain = normal_mean(0.8 * (shape(GRID + 0.5) - shape(GRID - 0.5)))
    assert model.effect("a", "b", n=200_000) == pytest.approx(gain / deviation, rel=0.01)
    standard = model.standardise({"b": np.array([mean, mean + deviation])})["b"]
    assert standard == pytest.approx([0, 1], abs=0.02)


def test_a_person_alone_is_rated_like_anybody() -> None:
    """Standardised by the model, not by the people at hand: in populations of one, scores still follow the trait."""
    trait, score = [], []
    for seed in range(80):
        alone = small(1, seed)
        said = alone.ratings.filter((pl.col("model") == "steady") & (pl.col("trait") == "extraversion"))["score"][0]
        if said is not None:
            trait.append(alone.latents["extraversion_trait"][0])
            score.append(said)
    assert stats.spearmanr(trait, score).statistic > 0.7


def test_the_documentation_states_this_model() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulate.md").read_text(encoding="utf-8")
    stated = page.split("```text\n")[1].split("```")[0].splitlines()
    equations = [line for line in stated if " = " in line]
    assert sorted(equations) == sorted(variable.equation() for variable in MODEL.variables.values())


# the table


def test_columns_show_their_variables(world: Population, values: dict[str, Array]) -> None:
    index = {name: place for place, (name, _, _) in enumerate(COUNTRIES)}
    shown = world.people.with_columns(
        pl.col("country").replace_strict(index),
        pl.col("occupation").replace_strict({name: place for place, name in enumerate(OCCUPATIONS)}),
        pl.col("gender").replace_strict({"female": 0, "male": 1}),
    )
    for feature, (variable, _) in FEATURES.items():
        if feature != "latitude":  # which is no monotone function of the region
            found = stats.spearmanr(shown[feature].to_numpy(), values[variable]).statistic
            assert found > (0.85 if feature == "gender" else 0.97), feature
    places = world.people.select("country", "latitude", "longitude").unique().rows()
    assert sorted(places) == sorted(COUNTRIES)


def test_countries_stand_from_west_to_east() -> None:
    assert [place[2] for place in COUNTRIES] == sorted(place[2] for place in COUNTRIES)
    assert len({place[0] for place in COUNTRIES}) == len(COUNTRIES)
    assert all(-90 < latitude < 90 and -180 < longitude < 180 for _, latitude, longitude in COUNTRIES)


def fifths(column: pl.Series) -> NDArray[np.int64]:
    """Return codes: categories as they are, numbers by fifths."""
    numbers = column.rank("dense").to_numpy() if column.dtype == pl.String else column.to_numpy()
    cuts = np.unique(numbers) if column.dtype == pl.String else np.quantile(numbers, [0.2, 0.4, 0.6, 0.8])
    codes: NDArray[np.int64] = np.digitize(numbers, cuts)
    return codes


def p_values(world: Population) -> dict[tuple[str, str], float]:
    """Chi-square of every feature with the raters' median of every trait."""
    medians = world.ratings.group_by("person", "trait").agg(pl.col("score").median())
    found = {}
    for trait in TRAITS:
        scores = medians.filter(pl.col("trait") == trait).drop_nulls("score")
        seen = world.people.join(scores, left_on="id", right_on="person")
        coarse = np.digitize(seen["score"].to_numpy(), [1.6, 2.4])
        for feature in FEATURES:
            table = stats.contingency.crosstab(fifths(seen[feature]), coarse).count
            found[feature, trait] = float(stats.chi2_contingency(table).pvalue)
    return found


def dependent(world: Population) -> dict[tuple[str, str], bool]:
    return {(row["feature"], row["trait"]): row["dependent"] for row in world.truth()["effects"]}


def test_every_dependent_pair_shows_in_many_people(world: Population) -> None:
    truth, found = dependent(world), p_values(world)
    assert all(found[pair] < 1e-3 for pair, is_dependent in truth.items() if is_dependent)
    assert sum(truth.values()) == 17


def test_independent_pairs_are_rejected_at_the_nominal_rate() -> None:
    """Forty populations x 33 null pairs at 0.05; a binomial standard error is 0.006."""
    rejected = []
    for seed in range(40):
        world = small(800, 500 + seed)
        truth, found = dependent(world), p_values(world)
        rejected += [found[pair] < 0.05 for pair, is_dependent in truth.items() if not is_dependent]
    assert len(rejected) == 40 * 33
    assert 0.032 < np.mean(rejected) < 0.068


def test_effects_are_those_of_causes(world: Population, values: dict[str, Array]) -> None:
    effects = {(row["feature"], row["trait"]): row["effect"] for row in world.truth()["effects"]}
    by_hand = -0.4 / values["agreeableness_trait"].std()
    assert effects["gender", "agreeableness"] == pytest.approx(by_hand, rel=0.03)
    by_hand = 0.3 / values["conscientiousness_trait"].std()
    assert effects["occupation", "conscientiousness"] == pytest.approx(by_hand, rel=0.03)
    dependent_without_cause = {
        pair for pair, is_dependent in dependent(world).items() if is_dependent and not effects[pair]
    }
    assert {feature for feature, _ in dependent_without_cause} == {
        "occupation", "latitude", "longitude", "height_cm", "weight_kg"
    }  # fmt: skip


# ratings, vectors, faces


def test_raters_see_each_person_and_err(world: Population) -> None:
    steady = world.ratings.filter((pl.col("model") == "steady") & (pl.col("status") == "ok"))
    for trait in TRAITS:
        seen = steady.filter(pl.col("trait") == trait).join(world.latents, left_on="person", right_on="id")
        true = f"{trait}_trait"
        assert stats.spearmanr(seen["score"].to_numpy(), seen[true].to_numpy()).statistic > 0.7
        low, middle = (seen.filter(pl.col("score") == score)[true].to_numpy() for score in (1, 2))
        assert low.max() > np.median(middle), "a rater with noise confuses neighbours"


@pytest.mark.parametrize("rater", RATERS, ids=lambda rater: rater.name)
def test_shares_of_scores_by_hand(world: Population, rater: Rater) -> None:
    """A standard normal trait plus bias and noise, cut at -0.6 and 0.6; conscientiousness is nearly normal."""
    said = world.ratings.filter((pl.col("model") == rater.name) & (pl.col("trait") == "conscientiousness"))
    scores = said["score"].drop_nulls()
    seen = stats.norm(rater.bias, np.hypot(1, rater.noise))
    for score, share in enumerate((seen.cdf(-0.6), seen.cdf(0.6) - seen.cdf(-0.6), seen.sf(0.6)), 1):
        assert (scores == score).mean() == pytest.approx(share, abs=0.015)


def explained(x: Array, y: Array) -> Array:
    """Return the share of each column's variance in y that a linear function of x explains."""
    design = np.column_stack([x, np.ones(len(x))])
    residual: Array = y - design @ np.linalg.lstsq(design, y, rcond=1e-6)[0]
    share: Array = 1 - residual.var(axis=0) / y.var(axis=0)
    return share


def test_vectors_hold_their_own_and_the_shared_latents_only() -> None:
    world = simulate_population(3000, rng=np.random.default_rng(2), text_dim=40, image_dim=48)
    groups = world.truth()["groups"]
    for modality, other in (("text", "image"), ("image", "text")):
        frame = world.embeddings[modality]
        vectors = frame[frame.columns[1]].to_numpy().astype(float)
        inside = world.latents.select(groups[modality] + groups["shared"]).to_numpy()
        assert explained(vectors, inside).min() > 0.9
        assert explained(vectors, world.latents.select(groups[other]).to_numpy()).min() < 0.6
        assert explained(inside, vectors).mean() < 0.95, "noise and bends leave something unexplained"


def test_a_mixing_bends_and_has_noise_of_its_own() -> None:
    """Without bends the outputs would span latents + noise = 4 dimensions; without noise, equal people be equal."""
    rng = np.random.default_rng(5)
    mixed = mix(rng.standard_normal((500, 3)), 40, rng=rng).astype(float)
    scale = np.linalg.svd(mixed - mixed.mean(axis=0), compute_uv=False)
    assert scale[4] > 0.02 * scale[0]
    assert mix(np.zeros((50, 3)), 40, rng=rng).std(axis=0).min() > 0


def test_a_mixing_as_narrow_as_its_inputs_loses_nothing() -> None:
    """Three latents and one noise into 4 dimensions: there is no spare unit to hide a flat one behind."""
    base = np.random.default_rng(6).standard_normal((300, 3))
    steps = [mix(base + 1e-2 * shift, 4, rng=np.random.default_rng(7)).astype(float) for shift in [0, *np.eye(3)]]
    jacobians = np.stack([(step - steps[0]) / 1e-2 for step in steps[1:]], axis=2)
    assert np.linalg.svd(jacobians, compute_uv=False).min() > 0.05


def face(**latents: float) -> Array:
    whole = {"skin_tone": 0.0, "attractiveness": 0.0, "facial_expression": 0.0} | latents
    return np.asarray(draw_face(whole, rng=np.random.default_rng(0)), dtype=float)


def test_faces_grow_darker_and_narrower() -> None:
    brightness = [face(skin_tone=tone).mean() for tone in (-3, -2, -1, 0, 1, 2, 3)]
    assert all(lighter > darker for lighter, darker in pairwise(brightness))
    ground = face()[0, 0]
    widths = [(np.abs(face(attractiveness=look)[40] - ground).max(axis=1) > 20).sum() for look in (-2, 0, 2)]
    assert all(wider > narrower for wider, narrower in pairwise(widths))


def test_another_process_draws_the_same_people() -> None:
    """Nothing hangs on the order of sets or the hashes of words."""
    program = (
        "import hashlib, json, numpy; from personax.simulate import simulate_population as s;"
        "w = s(20, rng=numpy.random.default_rng(3), text_dim=8, image_dim=8);"
        "b = [f.write_json().encode() for f in (w.people, w.texts, w.ratings, w.latents, *w.embeddings.values())];"
        "print(hashlib.sha256(b''.join([*b, *dict(w.faces()).values(), json.dumps(w.truth()).encode()])).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
