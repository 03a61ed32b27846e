"""Worlds: words follow their latents, nuisance does not, a seed gives the same bytes, and bad options are said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from personax.errors import InputError
from personax.simulate.worlds import (
    FIXED_WORLDS,
    World,
    WorldOptions,
    draw_world,
    embed_world,
    family_names,
    kept_world,
    load_world,
    save_world,
    simulated_encoder,
    world_key,
    worlds_families,
)
from personax.simulate.worlds._vocabulary import NUMBERS, PHRASES, WORDS, phrases

DATA = Path(__file__).parents[3] / "shared" / "data" / "worlds"
GRADED = [name for name in family_names() if name != "numbers"]


def drawn(seed: int = 0, **changed: Any) -> World:
    return draw_world(WorldOptions(**{"people": 400} | changed), seed=seed)


def grades(texts: Sequence[str], concept: str, language: str) -> NDArray[np.float64]:
    """Return the grade of a concept's phrase in each text, the longest phrase found; nan where none is."""
    ways = [(way, g) for g, some in enumerate(phrases(concept, language)) for way in some]
    ways.sort(key=lambda one: -len(one[0]))
    return np.array([next((float(g) for way, g in ways if way in text), np.nan) for text in texts])


@pytest.mark.parametrize("language", PHRASES)
def test_nine_grades_a_concept_and_no_phrase_twice(language: str) -> None:
    every = [way for grades_ in PHRASES[language].values() for grade in grades_ for way in grade]
    assert len(every) == len(set(every))
    assert {(len(one), *map(len, one)) for one in PHRASES[language].values()} == {(9, *[2] * 9)}


@pytest.mark.parametrize("family", GRADED)
def test_words_of_a_latent_are_monotone_in_it(family: str) -> None:
    world = drawn(families=(family,))
    language = "german" if family == "german" else "english"
    for m, by in world.texts.items():
        for i, name in enumerate(world.names):
            if name.startswith(m):
                for texts in by.values():
                    said = grades(texts, world.concepts[i], language)
                    known = ~np.isnan(said)
                    assert known.mean() > 0.8
                    assert spearmanr(said[known], world.latents[known, i]).statistic > 0.95


def test_numbers_of_a_latent_are_monotone_in_it() -> None:
    grid = np.linspace(-4, 4, 100)
    for quantity in NUMBERS.values():
        assert (np.diff(quantity.value(grid)) >= 0).all()
        assert quantity.value(grid)[-1] > quantity.value(grid)[0]


def test_nuisance_does_not_depend_on_latents_and_can_be_left_out() -> None:
    world = drawn(families=("biographies",), people=1500)
    for texts in world.texts["life"].values():
        for city in WORDS.cities[:3]:
            there = np.array([city in text for text in texts])
            assert 0.05 < there.mean() < 0.17
            assert np.abs(world.latents[there].mean(axis=0)).max() < 4.5 / np.sqrt(there.sum())
    quiet = drawn(families=("biographies",), nuisance=False)
    assert all("This person" in text and WORDS.cities[0] in text for text in quiet.texts["life"]["life_t1"])


def test_faces_and_forms_show_their_latents() -> None:
    world = drawn(families=("faces", "questionnaires"), measurements=(1, 2), people=600)
    face = world.pictures["character"]["character_p1"].reshape(600, -1).astype(float)
    for x, names in ((face, ("character_1", "character_2")), (world.answers["life"]["life_q1"], ("life_1", "life_2"))):
        x = np.c_[np.ones(len(x)), x]
        for name in names:
            z = world.latents[:, world.names.index(name)]
            gram = x[:400].T @ x[:400] + 10 * np.eye(x.shape[1])
            assert np.corrcoef(x[400:] @ np.linalg.solve(gram, x[:400].T @ z[:400]), z[400:])[0, 1] > 0.8
    data = embed_world(world, {})
    assert data.image == {"character": (1, 32, 32)}
    assert data.views["life"]["life_q2"].shape == (600, 12)


def test_a_seed_gives_the_same_bytes_and_the_first_people_do_not_depend_on_the_others() -> None:
    for family in worlds_families():
        one, again, more = (drawn(3, families=(family,), people=n) for n in (60, 60, 90))
        assert one.texts == again.texts
        np.testing.assert_array_equal(one.latents, more.latents[:60])
        for m, by in one.texts.items():
            assert by == {k: texts[:60] for k, texts in more.texts[m].items()}
        for m, shown in one.pictures.items():
            assert all((x == more.pictures[m][k][:60]).all() for k, x in shown.items())
        for m, told in one.answers.items():
            assert all((x == more.answers[m][k][:60]).all() for k, x in told.items())
    assert drawn(3).texts != drawn(4).texts


def test_options_are_honoured() -> None:
    world = drawn(latents=(3, 2), shared=1, measurements=(1, 3), links=2)
    assert world.names == ["shared_1", "character_1", "character_2", "character_3", "life_1", "life_2"]
    assert [len(by) for by in world.texts.values()] == [1, 3]
    edges = {(world.names[j], world.names[i]) for i, j in np.argwhere(world.adjacency)}
    assert {("character_1", "life_1"), ("character_2", "life_2"), ("shared_1", "life_2")} <= edges
    assert len(edges) == 7
    for m in ("character", "life"):
        said = grades(next(iter(world.texts[m].values())), "energy", "english")
        assert spearmanr(said, world.latents[:, 0]).statistic > 0.95
    own = drawn(edges=(("life_1", "character_2"),))
    assert own.adjacency.sum() == 1
    assert own.adjacency[1, 2]
    counted = [len(text.split(". ")) for text in drawn(families=("filler",), filler=3).texts["life"]["life_t1"]]
    assert set(counted) == {5}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"families": ("poems",)}, "no family 'poems'"),
        ({"families": ("german", "german", "german")}, "families must be one name or 2"),
        ({"latents": (2,)}, "latents must be 2 numbers"),
        ({"latents": (9, 2)}, "words for 4 latents"),
        ({"families": ("faces",), "latents": (4, 2), "shared": 1}, "words for 3 latents"),
        ({"families": ("german",), "latents": (4, 2)}, "no german phrases for 'curiosity'"),
        ({"measurements": (0, 2)}, "measurements must be 2 numbers from 1"),
        ({"shared": 3}, "shared must be 0 to 2"),
        ({"links": 3}, "links must be 0 to 2"),
        ({"people": 5}, "people must be 20 to 100,000"),
        ({"edges": (("life_1", "nobody"),)}, "no latent nobody"),
        ({"edges": (("life_1", "life_2"), ("life_2", "life_1"))}, "must not make a loop"),
        ({"mechanism": "magic"}, "mechanism must be one of"),
    ],
)
def test_bad_options_are_one_sentence(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        drawn(**changed)
    assert "\n" not in str(raised.value)


def test_equal_texts_are_encoded_once_and_vectors_are_kept(tmp_path: Path) -> None:
    seen: list[str] = []
    real = simulated_encoder(dim=16)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        seen.extend(texts)
        return real(texts)

    options = WorldOptions(people=80, nuisance=False)
    first = kept_world(options, seed=2, encoders={"a": encode}, folder=tmp_path)
    assert len(seen) == len(set(seen)) > 0
    number = len(seen)
    for people in (80, 30):
        again = kept_world(replace(options, people=people), seed=2, encoders={"a": encode}, folder=tmp_path)
        assert len(seen) == number
        for m, by in first.views.items():
            assert all((x[:people] == again.views[m][k]).all() for k, x in by.items())
        np.testing.assert_array_equal(again.latents, first.latents[:people])
    kept_world(replace(options, people=90), seed=2, encoders={"a": encode}, folder=tmp_path)
    assert len(seen) > number
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(b"half a file")
    kept_world(options, seed=2, encoders={"a": encode}, folder=tmp_path)
    assert len(load_world(path).latents) == 80


def test_an_encoder_each_for_measurements_in_turn_and_faults_are_said(tmp_path: Path) -> None:
    world = drawn(people=30, measurements=(3, 1))
    data = embed_world(world, {"a": simulated_encoder(dim=8), "b": simulated_encoder(dim=9)})
    assert [x.shape[1] for x in data.views["character"].values()] == [8, 9, 8]
    with pytest.raises(InputError, match="needs an encoder"):
        embed_world(world, {})
    with pytest.raises(InputError, match=r"the encoder a made vectors of shape \(1, 4\)"):
        embed_world(world, {"a": lambda texts: np.zeros((1, 4), dtype=np.float32)})
    with pytest.raises(InputError, match="not finite"):
        embed_world(world, {"a": lambda texts: np.full((len(texts), 4), np.nan, dtype=np.float32)})
    save_world(tmp_path / "w.npz", data)
    with pytest.raises(InputError, match="has 30 people, not 31"):
        load_world(tmp_path / "w.npz", people=31)
    with pytest.raises(InputError, match="cannot be read as a world"):
        load_world(tmp_path / "absent.npz")


def test_the_simulated_encoder_is_a_function_of_the_text_and_near_grades_are_near() -> None:
    encode = simulated_encoder(dim=64)
    texts = ["Kim is calm.", "Kim is very serene.", "Kim is very anxious.", "", "7,000 \ud800 words"]
    vectors = encode(texts)
    np.testing.assert_array_equal(vectors[::-1], simulated_encoder(dim=64)(texts[::-1]))
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0, 1], rtol=1e-5)
    with pytest.raises(ValueError, match="dim from 2"):
        simulated_encoder(dim=1)


def test_fixed_worlds_are_what_the_benchmark_promises() -> None:
    for fixed in FIXED_WORLDS.values():
        fixed.options.check()
    several = {name: fixed for name, fixed in FIXED_WORLDS.items() if fixed.row == "several"}
    assert len(several) >= 10
    assert len({family for fixed in several.values() for family in fixed.options.families}) >= 5
    assert len({fixed.encoders for fixed in several.values()}) >= 2
    keys = {world_key(fixed.options, fixed.first, fixed.encoders) for fixed in FIXED_WORLDS.values()}
    assert len(keys) == len(FIXED_WORLDS)


def test_a_world_made_elsewhere_is_loaded() -> None:
    path = DATA / "texts-2x2.npz"
    if not path.is_file():
        pytest.skip("shared/data/worlds is not here")
    data = load_world(path, people=200)
    assert {m: list(by) for m, by in data.views.items()} == {"a": ["a_0", "a_1", "a_2"], "b": ["b_0", "b_1"]}
    assert data.counts == {"a": 2, "b": 2}
    assert data.views["a"]["a_0"].shape == (200, 384)
    assert data.adjacency.shape == (4, 4)
