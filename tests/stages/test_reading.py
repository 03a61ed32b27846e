"""What latents may stand for, where it is known."""

from __future__ import annotations

import numpy as np
import polars as pl

from personax.data.table import Table
from personax.schema import Column, Edge, Graph, Node
from personax.stages._chains import chains
from personax.stages._interpret import (
    LEADING,
    UsedWords,
    _interval,
    associations,
    exemplars,
    proposals,
    sentences,
    telling_words,
    used_words,
)
from personax.stages._traverse import TRAVERSALS, traversals, traversals_shown

N = 400
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, 2))
IDS = [f"p{i:03d}" for i in range(N)]
LATENTS = pl.DataFrame({"id": IDS, "text_1": Z[:, 0], "text_2": Z[:, 1]})
DESCRIBED = Table(
    pl.DataFrame(
        {
            "id": IDS,
            "height": -Z[:, 0] + 0.5 * RNG.normal(size=N),
            "league": np.where(Z[:, 1] > 0.5, "north", "south"),
            "luck": RNG.normal(size=N),
        }
    ),
    [
        Column("id", "id", "nominal"),
        Column("height", "feature", "continuous"),
        Column("league", "feature", "nominal"),
        Column("luck", "feature", "continuous"),
    ],
)


def test_each_latent_is_read_from_what_it_goes_with() -> None:
    table = associations(LATENTS, DESCRIBED)
    assert table.columns == ["latent", "column", "p_corrected", "effect_size", "direction", "r", "low", "high"]
    first = table.group_by("latent", maintain_order=True).first()
    assert dict(first.select("latent", "column").iter_rows()) == {"text_1": "height", "text_2": "league"}
    directions = dict(first.select("latent", "direction").iter_rows())
    assert float(directions["text_1"]) < -0.8
    assert directions["text_2"] == "highest for north"
    assert table.filter(pl.col("latent") == "text_1")["effect_size"].is_sorted(descending=True)
    assert max(table.group_by("latent").len()["len"].to_list()) <= LEADING
    told = proposals(table, ["text_1", "text_2"])
    assert told["text_1"].startswith("tracks height, r = -.")
    assert told["text_2"].startswith("tracks league (highest for north), r = .")


def test_what_goes_with_nothing_gets_no_name() -> None:
    table = associations(LATENTS, DESCRIBED.select(["id", "luck"]))
    assert proposals(table, ["text_1", "text_2"]) == {"text_1": "no name", "text_2": "no name"}
    assert associations(LATENTS, DESCRIBED.select(["id"])).is_empty()


def test_people_of_both_tables_are_used_whatever_their_order() -> None:
    turned = Table(DESCRIBED.frame.reverse().head(300), DESCRIBED.columns)
    both = LATENTS.join(turned.frame.select("id"), on="id", how="semi", maintain_order="left")
    assert associations(LATENTS, turned).equals(associations(both, DESCRIBED))


def test_extremes_are_the_smallest_and_largest() -> None:
    found = exemplars(LATENTS.head(12))
    one = found.filter(pl.col("latent") == "text_1")
    order = np.argsort(Z[:12, 0])
    assert one.filter(pl.col("end") == "low")["id"].to_list() == [IDS[i] for i in order[:5]]
    assert one.filter(pl.col("end") == "high")["id"].to_list() == [IDS[i] for i in order[::-1][:5]]
    assert one["rank"].to_list() == [1, 2, 3, 4, 5] * 2


def test_edges_come_out_as_sentences_surest_first() -> None:
    nodes = [Node(name, name, "text") for name in ("a_1", "a_2", "a_3")]
    edges = [Edge("a_1", "a_2", "directed", 0.5), Edge("a_2", "a_3", "directed", 0.9)]
    weight = "share of bootstrap samples, latents held fixed"
    told = sentences(Graph(nodes, edges, "", weight, {}), {"a_2": "tracks calm, r = .61, .55 to .66"})
    assert told == [
        f"a_2 (tracks calm, r = .61, .55 to .66) -> a_3 (no name): .90 ({weight})",
        f"a_1 (no name) -> a_2 (tracks calm, r = .61, .55 to .66): .50 ({weight})",
    ]
    refitted = Edge("a_1", "a_2", "directed", 0.5, "in 1 of 2 refits, a_1 not told apart", True)
    assert sentences(Graph(nodes, [refitted], "", weight, {}), {}) == [
        "a_1 (no name) -> a_2 (no name): in 1 of 2 refits, a_1 not told apart"
    ]


def test_intervals_hold_all_true_correlations_at_once() -> None:
    """Ten columns of correlation .5 with a latent: all ten intervals hold in about nineteen samples of twenty."""
    rng = np.random.default_rng(1)
    missed = 0
    true = 6 / np.pi * np.arcsin(0.25)  # Spearman's of a normal pair of correlation .5
    for _ in range(200):
        z = rng.normal(size=500)
        columns = 0.5 * z[:, None] + np.sqrt(0.75) * rng.normal(size=(500, 10))
        found = [_interval(pl.Series(z), pl.Series(column), 10) for column in columns.T]
        missed += any(one["low"] > true or one["high"] < true for one in found)
    assert missed <= 20


def test_a_column_that_goes_neither_up_nor_down_gives_no_name() -> None:
    ranks = np.argsort(np.argsort(Z[:, 0]))
    frame = pl.DataFrame({"id": IDS, "square": (ranks - ranks.mean()) ** 2})
    table = associations(
        LATENTS, Table(frame, [Column("id", "id", "nominal"), Column("square", "feature", "continuous")])
    )
    assert table.filter(pl.col("latent") == "text_1")["p_corrected"][0] < 0.01
    assert proposals(table, ["text_1"]) == {"text_1": "no name"}


def test_words_of_both_ends_are_told_and_no_names() -> None:
    said = [
        f"Ada {'bold' if z > 0 else 'timid'} {'rare' if at < 9 else 'common'} {RNG.choice(['red', 'blue'])}"
        for at, z in enumerate(Z[:, 0])
    ]
    said = [text + (" lovelace" if z > 1 else "") for text, z in zip(said, Z[:, 0], strict=True)]
    used = used_words(LATENTS, pl.DataFrame({"id": IDS, "biography": said}), ["Ada Lovelace"])
    told = telling_words(LATENTS, used)
    assert told == {"text_1": {"low": ["timid"], "high": ["bold"]}, "text_2": {"low": [], "high": []}}
    ends = exemplars(LATENTS, used, told).filter(pl.col("latent") == "text_1")
    assert ends.filter(pl.col("end") == "high")["words"].to_list() == [["bold"]] * 5, "never a name, never a rare word"
    assert ends.filter(pl.col("end") == "low")["words"].to_list() == [["timid"]] * 5


def test_a_code_is_one_persons_and_tells_no_id() -> None:
    found = exemplars(LATENTS.head(7))
    codes = found.select("id", "code").unique()
    assert codes["id"].n_unique() == codes["code"].n_unique() == codes.height
    assert found["code"].unique(maintain_order=True).to_list() == [f"p{i + 1}" for i in range(codes.height)]


def test_attributes_and_words_move_with_the_latent_that_they_follow_and_no_other() -> None:
    said = [f"{'bold' if z > 0 else 'timid'} {RNG.choice(['red', 'blue'])}" for z in Z[:, 0]]
    used = used_words(LATENTS, pl.DataFrame({"id": IDS, "biography": said}), [])
    views = {"text": {"a": (Z @ [[1.0, 0.0, 0.0], [0.0, 0.0, 3.0]]).astype(np.float32)}}
    words = telling_words(LATENTS, used)
    table = traversals(LATENTS, views, DESCRIBED, used, words, rng=np.random.default_rng(0))
    assert dict(table.schema) == TRAVERSALS
    shown = traversals_shown(table, associations(LATENTS, DESCRIBED), words)
    one, two = shown["text_1"], shown["text_2"]
    assert list(one["attributes"]) == ["height"]
    assert np.diff(one["attributes"]["height"]).max() < -0.2, "it falls at every place"
    assert list(two["attributes"]) == ["league = north", "league = south"]
    assert two["attributes"]["league = north"][-1] > 0.8 > 0.2 > two["attributes"]["league = north"][0]
    assert sorted(one["words"]) == ["bold", "timid"]
    assert two["words"] == {}
    (low, *_, high), middle = one["measurements"]["a"], one["measurements"]["a"][2]
    assert low > 0.3 < high, "the measurement moves with its latent"
    assert middle == 0
    assert sum(one["people"]) > 0
    assert "p0" not in str(shown), "no id of anybody"


def test_the_person_nearest_to_a_place_is_near_it() -> None:
    views = {"text": {"a": Z.astype(np.float32)}}
    table = traversals(LATENTS, views, DESCRIBED, UsedWords([], {}), {}, rng=np.random.default_rng(0))
    rows = table.filter((pl.col("kind") == "measurement") & (pl.col("latent") == "text_1"))
    places = [IDS.index(person) for person in rows["nearest"]]
    assert np.abs(Z[places, 0] - rows["value"].to_numpy()).max() < 0.4
    assert np.abs(Z[places, 1] - np.median(Z[:, 1])).max() < 0.4
    assert min(rows["explained"].to_list()) > 0.95


def test_few_people_and_no_columns_have_no_traversals() -> None:
    few = LATENTS.head(99)
    views = {"text": {"a": Z[:99]}}
    assert traversals(few, views, DESCRIBED, UsedWords([], {}), {}, rng=np.random.default_rng(0)).is_empty()
    bare = Table(pl.DataFrame({"id": IDS}), [Column("id", "id", "nominal")])
    table = traversals(LATENTS, {"text": {"a": Z}}, bare, UsedWords([], {}), {}, rng=np.random.default_rng(0))
    assert table["kind"].unique().to_list() == ["measurement"]


def test_chains_are_told_once_and_only_through_identified_latents() -> None:
    names = ["a_1", "a_2", "a_3", "b_1", "b_2"]
    pairs = [("a_1", "a_2"), ("a_2", "a_3"), ("a_1", "a_3"), ("a_3", "b_1"), ("a_2", "b_2")]
    graph = Graph([Node(name, name, "a") for name in names], [Edge(*pair) for pair in pairs], "", "", {})
    told = chains(graph, {"a_2": "tracks calm"}, dict.fromkeys(names, "identified"))
    assert told == [
        "a_1 (no name) moves a_2 (tracks calm), which moves a_3 (no name), which moves b_1 (no name)",
        "a_1 (no name) moves a_2 (tracks calm), which moves b_2 (no name)",
    ]
    doubtful = dict.fromkeys(names, "identified") | {"a_3": "up to its block"}
    assert chains(graph, {}, doubtful) == ["a_1 (no name) moves a_2 (no name), which moves b_2 (no name)"]
    undirected = Graph(graph.nodes, [Edge(*pair, "undirected") for pair in pairs], "", "", {})
    assert chains(undirected, {}, dict.fromkeys(names, "identified")) == []
