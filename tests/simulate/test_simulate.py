"""Invented people follow their model: closed forms, d-separation, rates, faces; the same bytes from the same seed."""

from __future__ import annotations

import hashlib
import io
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from PIL import Image
from scipy import stats

from personax.errors import InputError
from personax.schema import TRAITS, Graph, Trait, TraitFramework
from personax.simulate import MODEL, SCM, Population, Variable, simulate_population
from personax.simulate._mixing import mix
from personax.simulate._person_details import RATERS, draw_face
from personax.simulate._population import FEATURES


@pytest.fixture(scope="module")
def world() -> Population:
    return simulate_population(4000, rng=np.random.default_rng(1), text_dim=24, image_dim=24)


CHAIN = SCM(
    [
        Variable("a", "shared"),
        Variable("b", "text", {"a": 2.0}),
        Variable("c", "image", {"b": 0.5, "a": 1.0}, noise=3.0),
    ]
)


def test_moments_of_a_linear_model_by_hand() -> None:
    """var b = 4 + 1; c = a + b/2 + 3e = 2a + eps_b/2 + 3e, so var c = 4 + 1/4 + 9."""
    values = CHAIN.solve(CHAIN.draw(400_000, rng=np.random.default_rng(0)))
    assert values["b"].var() == pytest.approx(5, rel=0.01)
    assert values["c"].var() == pytest.approx(13.25, rel=0.01)
    assert np.cov(values["a"], values["c"])[0, 1] == pytest.approx(2, rel=0.02)


def test_total_effects_by_hand() -> None:
    assert CHAIN.effect("a", "c", n=200_000) == pytest.approx(2 / np.sqrt(13.25), rel=0.01)
    assert CHAIN.effect("b", "c", n=200_000) == pytest.approx(0.5 / np.sqrt(13.25), rel=0.01)
    assert CHAIN.effect("c", "a") == 0.0


def test_an_intervention_cuts_the_causes() -> None:
    noise = CHAIN.draw(50_000, rng=np.random.default_rng(0))
    cut = CHAIN.solve(noise, {"b": 1.0})
    assert (cut["b"] == 1).all()
    assert cut["c"].mean() == pytest.approx(0.5, abs=0.05)


def test_a_cause_must_stand_first() -> None:
    with pytest.raises(ValueError, match="b has a cause that stands after it"):
        SCM([Variable("b", "text", {"a": 1.0}), Variable("a", "shared")])


def test_dependence_is_d_separation() -> None:
    networkx = pytest.importorskip("networkx", reason="networkx comes with the extra discovery")
    graph = networkx.DiGraph([(edge.source, edge.target) for edge in MODEL.graph().edges])
    graph.add_nodes_from(MODEL.variables)
    for a, b in combinations(MODEL.variables, 2):
        assert MODEL.dependent(a, b) == (not networkx.is_d_separator(graph, {a}, {b}, set()))


def test_dependent_variables_correlate_and_others_do_not() -> None:
    values = MODEL.solve(MODEL.draw(20_000, rng=np.random.default_rng(2)))
    pairs = list(combinations(MODEL.variables, 2))
    p = {pair: stats.spearmanr(values[pair[0]], values[pair[1]]).pvalue for pair in pairs}
    nulls = [p[pair] for pair in pairs if not MODEL.dependent(*pair)]
    assert sum(value < 0.01 for value in nulls) <= stats.binom.ppf(0.999, len(nulls), 0.01)
    found = [p[pair] < 0.01 for pair in pairs if MODEL.dependent(*pair)]
    assert np.mean(found) > 0.9


def test_there_are_true_nulls_and_true_effects(world: Population) -> None:
    effects = pl.DataFrame(world.truth()["effects"])
    assert effects.height == len(FEATURES) * len(TRAITS)
    birthday = effects.filter(pl.col("feature").is_in(["birth_month", "birth_day"]))
    assert not birthday["dependent"].any()
    assert (birthday["effect"] == 0).all()
    gender = effects.filter((pl.col("feature") == "gender") & (pl.col("trait") == "agreeableness"))
    assert gender["effect"][0] < -0.2
    assert effects.filter(pl.col("effect") != 0)["dependent"].all()


def test_the_graph_crosses_the_modalities(world: Population) -> None:
    truth = world.truth()
    edges = {(edge["source"], edge["target"]) for edge in truth["graph"]["edges"]}
    assert ("confidence", "facial_expression") in edges
    assert "confidence" in truth["groups"]["text"]
    assert "facial_expression" in truth["groups"]["image"]
    assert Graph(**{**truth["graph"], "nodes": [], "edges": []}).weight == "coefficient"


def test_the_table_is_plausible(world: Population) -> None:
    people = world.people
    assert {column.name for column in world.columns} == set(people.columns)
    assert people["height_cm"].is_between(120, 230).all()
    assert (people["gender"].value_counts()["count"] > 1800).all()
    assert people["birth_month"].n_unique() == 12
    assert people.select((pl.col("birth_date").dt.year() == pl.col("birth_year")).all()).item()
    assert stats.chisquare(people["birth_month"].value_counts()["count"]).pvalue > 1e-4


def test_raters_have_their_habits(world: Population) -> None:
    for rater in RATERS:
        rows = world.ratings.filter(pl.col("model") == rater.name)
        refused = (rows["status"] == "refused").mean()
        assert refused == pytest.approx(rater.refused, abs=0.01)
        assert (rows["status"] == "insufficient").mean() == pytest.approx(rater.insufficient, abs=0.01)
        scored = rows.filter(pl.col("status") == "ok")
        assert set(scored["score"]) == {1.0, 2.0, 3.0}
        assert rows.filter(pl.col("status") != "ok")["score"].null_count() == rows.height - scored.height
    means = dict(world.ratings.group_by("model").agg(pl.col("score").mean()).iter_rows())
    assert means["lenient"] > means["steady"] + 0.15


def test_ratings_follow_the_traits(world: Population) -> None:
    steady = world.ratings.filter((pl.col("model") == "steady") & (pl.col("trait") == "openness"))
    true = world.latents["openness_trait"].to_numpy()
    scores = steady["score"].to_numpy()
    known = ~np.isnan(scores)
    assert stats.spearmanr(scores[known], true[known]).statistic > 0.7


def test_a_mixing_loses_nothing() -> None:
    """Latents and noise are 4 numbers; the vectors' local dimension is 4 everywhere, by finite differences."""
    rng = np.random.default_rng(3)
    base = rng.normal(size=(6, 3))
    steps = [base, *(base + 1e-3 * np.eye(3)[i] for i in range(3))]
    mixed = [mix(step, 40, rng=np.random.default_rng(4)).astype(float) for step in steps]
    for person in range(6):
        jacobian = np.stack([(mixed[i + 1][person] - mixed[0][person]) / 1e-3 for i in range(3)])
        assert np.linalg.svd(jacobian, compute_uv=False).min() > 0.05
    with pytest.raises(ValueError, match="do not fit into 3 dimensions"):
        mix(base, 3, rng=rng)


def test_biographies_speak_of_the_traits(world: Population) -> None:
    texts = world.texts.join(world.latents.select("id", "extraversion_trait"), on="id")
    talkative = texts.filter(pl.col("biography").str.contains("talkative|bold|energetic"))["extraversion_trait"]
    shy = texts.filter(pl.col("biography").str.contains("shy|quiet|withdrawn"))["extraversion_trait"]
    assert talkative.to_numpy().min() > shy.to_numpy().max()
    assert (texts["biography"].str.len_chars() > 40).all()


def face(**latents: float) -> np.ndarray:
    whole = {"skin_tone": 0.0, "attractiveness": 0.0, "facial_expression": 0.0} | latents
    return np.asarray(draw_face(whole, rng=np.random.default_rng(0)), dtype=float)


def test_faces_follow_their_latents() -> None:
    cheeks = [face(skin_tone=tone)[36:40, 18:22].mean() for tone in (-2, -1, 0, 1, 2)]
    assert cheeks == sorted(cheeks, reverse=True)
    corners = [face(facial_expression=mood)[:, 25:28].mean(axis=(1, 2))[40:52].argmin() for mood in (2, 0, -2)]
    assert corners == sorted(corners)
    assert corners[0] < corners[-1], "a smile's corners stand higher"
    assert face().shape == (64, 64, 3)
    assert np.abs(face() - face(attractiveness=2)).max() > 20


def digest(world: Population) -> str:
    whole = hashlib.sha256()
    frames = [world.people, world.texts, world.ratings, world.latents, *world.embeddings.values()]
    for frame in frames:
        stream = io.BytesIO()
        frame.write_parquet(stream)
        whole.update(stream.getvalue())
    for person, picture in world.faces():
        whole.update(person.encode() + picture)
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    made = [simulate_population(30, rng=np.random.default_rng(seed), text_dim=16, image_dim=16) for seed in (5, 5, 6)]
    first, again, other = map(digest, made)
    assert first == again
    assert first != other


def test_pictures_open(world: Population) -> None:
    person, picture = next(iter(world.faces()))
    assert person == world.people["id"][0]
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (64, 64)


def test_any_number_and_size_of_measurements() -> None:
    made = simulate_population(
        5, rng=np.random.default_rng(0), text_dim=10, image_dim=12, text_measurements=2, image_measurements=4
    )
    assert made.embeddings["text"].columns == ["id", "text_a", "text_b"]
    assert made.embeddings["image"].width == 5
    assert made.embeddings["image"]["image_d"].dtype == pl.Array(pl.Float32, 12)
    with pytest.raises(ValueError, match="1 to 26 measurements, not 0"):
        simulate_population(5, rng=np.random.default_rng(0), text_measurements=0)


def test_one_person_and_none() -> None:
    assert simulate_population(1, rng=np.random.default_rng(0), text_dim=16, image_dim=16).people.height == 1
    with pytest.raises(ValueError, match="at least 1, not 0"):
        simulate_population(0, rng=np.random.default_rng(0))


def test_people_of_another_framework_have_its_traits_and_the_same_causes() -> None:
    pair = TraitFramework("pair", [Trait("warmth", "w", "warm", low=("cold",), high=("cordial",)),
                                   Trait("zeal", "z", "keen", low=("idle",), high=("keen",))])  # fmt: skip
    own, big = (
        simulate_population(60, rng=np.random.default_rng(2), text_dim=16, image_dim=16, framework=framework)
        for framework in (pair, None)
    )
    assert own.people.equals(big.people)
    assert own.ratings["trait"].unique().sort().to_list() == ["warmth", "zeal"]
    assert {row["trait"] for row in own.truth()["effects"]} == {"warmth", "zeal"}
    effects = [row["effect"] for row in big.truth()["effects"] if row["trait"] == "openness"]
    assert [row["effect"] for row in own.truth()["effects"] if row["trait"] == "warmth"] == effects
    texts = " ".join(own.texts["biography"])
    assert "cordial" in texts
    assert "talkative" not in texts
    with pytest.raises(InputError, match="traits without adjective markers of both ends"):
        simulate_population(
            5, rng=np.random.default_rng(2), framework=TraitFramework("bare", [Trait("warmth", "w", "warm")])
        )
    six = TraitFramework("six", [Trait(f"t{letter}", letter, "a trait") for letter in "abcdef"])
    with pytest.raises(InputError, match="simulated people have 5 traits and the framework six has 6"):
        simulate_population(5, rng=np.random.default_rng(2), framework=six)
