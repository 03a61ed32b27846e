"""What may be claimed of latents: verdicts follow the diagnostics, and nothing is claimed where there is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl import Refit, claim, edge_stability, halves_agreement, identify, to_graph
from personax.crl.methods.default._decoder_checks import DecoderChecks, mixing_loss, normal_scores, reliability
from personax.graphs import to_dot, to_graphml
from personax.schema import Graph


def _coordinates(
    decoder: str, agreement: list[float], *, mixing: float = 0.1, left: float = 0.001, reliability: float = 0.97,
    missed: float = 0.01, halves: list[float] | None = None,
) -> SimpleNamespace:  # fmt: skip
    settled = decoder != "free" and min(agreement) >= 0.98
    k = len(agreement)
    checks = DecoderChecks([mixing] * k, left, [reliability] * k, missed, halves)
    return SimpleNamespace(decoder=decoder, explained=0.9, finalist_agreement=agreement, settled=settled, checks=checks)


def _fit(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(names=["text_1", "text_2", "image_1", "image_2"], **more)


def _half() -> SimpleNamespace:
    found = {"text": _coordinates("additive", [0.999, 0.99]), "image": _coordinates("free", [0.99, 0.6])}
    return _fit(coordinates=found, connected=["image_1"], orthogonal=["image_2"])


def test_settled_latents_are_identified_and_others_up_to_their_block() -> None:
    rows = identify(_half())
    assert [row.verdict for row in rows] == ["identified"] * 2 + ["up to its block"] * 2
    assert [row.criterion for row in rows] == [
        "additive decoder", "additive decoder", "sparse links across modalities", "orthogonal noise"
    ]  # fmt: skip
    assert claim(rows) == (
        "2 of 4 latents are identified (additive decoder: text_1, text_2); image_1 and image_2 are known up to their "
        "block: do not read their edges one by one."
    )


@pytest.mark.parametrize("refits", ["seeds", "halves"])
def test_a_latent_that_refits_do_not_find_again_is_not_called_identified(refits: str) -> None:
    rows = identify(_half(), **{refits: [0.99, 0.7, 1.0, 1.0]})
    assert [row.verdict for row in rows[:2]] == ["identified", "up to its block"]


def test_seeds_that_agree_identify_nothing_without_a_diagnostic() -> None:
    rows = identify(_fit(), seeds=[1.0] * 4, halves=[1.0] * 4)
    assert {row.verdict for row in rows} == {"not identified"}
    assert rows[0].sentence == "not identified: this method gives no diagnostic"


def test_one_latent_of_a_modality_needs_agreement_but_no_restrictive_decoder() -> None:
    for agreed, verdict in ((0.99, "identified"), (0.5, "not identified")):
        fit = SimpleNamespace(names=["text_1"], coordinates={"text": _coordinates("free", [agreed])})
        assert identify(fit)[0].verdict == verdict


@pytest.mark.parametrize(
    ("checks", "why"),
    [
        ({"mixing": 0.0005}, "curves are hardly bent"),
        ({"left": 0.5}, "curves leave much to functions of pairs"),
        ({"reliability": 0.4}, "measurements have 0.40 of it in common"),
        ({"missed": 0.2}, "there may be more latents than were asked for"),
    ],
)
def test_restarts_that_agree_do_not_suffice(checks: dict[str, Any], why: str) -> None:
    found = {"text": _coordinates("additive", [1.0, 1.0], **checks)}
    rows = identify(SimpleNamespace(names=["text_1", "text_2"], coordinates=found))
    assert {row.verdict for row in rows} == {"up to its block"}
    assert why in rows[0].sentence


def test_halves_of_a_modality_count_unless_those_of_the_method_are_known() -> None:
    found = {"text": _coordinates("additive", [1.0, 1.0], halves=[0.99, 0.5])}
    fit = SimpleNamespace(names=["text_1", "text_2"], coordinates=found)
    assert identify(fit).identified == ["text_1"]
    assert identify(fit).to_frame()["halves"].to_list() == [0.99, 0.5]
    assert identify(fit, halves=[0.99, 0.99]).identified == ["text_1", "text_2"]


def test_a_latent_beside_an_arbitrary_one_is_not_identified() -> None:
    found = {"text": _coordinates("additive", [1.0, 0.2])}
    rows = identify(SimpleNamespace(names=["text_1", "text_2"], coordinates=found))
    assert not rows.identified
    assert "another latent of its modality" in rows[0].sentence


def test_a_fit_without_checks_and_one_by_pairs_claim_no_latent() -> None:
    old = _coordinates("additive", [1.0, 1.0])
    old.checks = None
    pairs = _coordinates("interactions", [1.0, 1.0])
    for found in (old, pairs):
        rows = identify(SimpleNamespace(names=["text_1", "text_2"], coordinates={"text": found}))
        assert not rows.identified


def test_the_table_of_a_reduced_fit_is_that_of_its_fit() -> None:
    inner = _half()
    table = identify(SimpleNamespace(names=inner.names, fit=inner), seeds=[0.99] * 4)
    frame = table.to_frame()
    assert frame["verdict"].to_list() == ["identified"] * 2 + ["up to its block"] * 2
    assert frame["rests_on"].to_list()[0] == ["text_2"]
    assert frame["seeds"].to_list() == [0.99] * 4
    assert table.claim == claim(list(table))


def _latents(n: int = 1500) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).normal(size=(n, 2))


def test_products_of_latents_are_left_by_curves_and_bends_make_mixtures_costly() -> None:
    z = _latents()
    bent = np.column_stack([z, np.tanh(2 * z), z**2])
    mixing, left = mixing_loss(normal_scores(z), bent)
    assert min(mixing) > 0.01
    assert left < 0.001
    _, left = mixing_loss(normal_scores(z), np.column_stack([bent, 2 * z[:, :1] * z[:, 1:]]))
    assert left > 0.1
    # of straight lines and of circles every turn is as good
    assert max(mixing_loss(normal_scores(z), z)[0]) < 0.001
    assert max(mixing_loss(normal_scores(z), np.square(z).sum(axis=1, keepdims=True))[0]) < 0.03


def test_what_one_measurement_shows_alone_is_not_reliable() -> None:
    z, rng = _latents(), np.random.default_rng(2)
    alone = [np.column_stack([z[:, 0], rng.normal(size=len(z))]) for _ in range(3)]
    common, own = reliability(alone)
    assert common == pytest.approx(1.0)
    assert own < 0.2


def _refits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], list[Refit]]:
    z = np.random.default_rng(0).normal(size=(300, 3))
    edges = np.zeros((3, 3))
    edges[1, 0] = edges[2, 1] = 0.9
    swapped = [1, 0, 2]
    lost = np.column_stack([np.random.default_rng(1).normal(size=300), z[:, 1:]])
    refits = [Refit("seed 1", -z[:, swapped], edges[np.ix_(swapped, swapped)]), Refit("first half", lost, edges)]
    return z, edges, refits


def test_edges_are_matched_to_latents_that_refits_learn_anew() -> None:
    z, _, refits = _refits()
    found = edge_stability(z, ["text_1", "text_2", "image_1"], refits, counts={"text": 2, "image": 1})
    assert found.shares[1, 0] == 0.5  # text_1 is another one in the second refit
    assert found.shares[2, 1] == 1.0
    assert found.to_frame().rows() == [("text_1", "text_2", 1, 0, 2), ("text_2", "image_1", 2, 0, 2)]


def test_edges_without_an_identified_end_are_doubtful_in_every_format() -> None:
    z, edges, refits = _refits()
    names = ["text_1", "text_2", "image_1"]
    found = edge_stability(z, names, refits, counts={"text": 2, "image": 1})
    graph = to_graph(edges, names, found_again=found.shares, refits=found.refits, identified=["text_2", "image_1"])
    grey, plain = graph.edges
    assert (grey.doubtful, grey.label, grey.weight) == (True, "in 1 of 2 refits, text_1 not told apart", 0.5)
    assert (plain.doubtful, plain.label, plain.weight) == (False, "in 2 of 2 refits", 1.0)
    assert Graph.from_json(graph.to_json()) == graph
    assert to_dot(graph).count("grey70") == 1
    assert to_graphml(graph).count('<data key="edge_doubtful">true') == 1
    assert graph.to_frame()["doubtful"].to_list() == [True, False]
    held = graph.details["how sure the method is of the edge with latents held fixed, 0 to 1"]
    assert held == {"text_1 -> text_2": 0.9, "text_2 -> image_1": 0.9}


def test_one_seed_says_nothing_of_seeds() -> None:
    assert identify(_half(), seeds=[float("nan")] * 4)[0].seeds is None


def test_halves_are_matched_through_the_fit_itself() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 3))
    other = z[:, [1, 0, 2]] ** 3
    other[:, 0] = rng.normal(size=400)  # text_2 is lost in one half
    found = halves_agreement(z, -z, other, {"text": 2, "image": 1})
    assert found[0] > 0.999
    assert found[1] < 0.3
    assert found[2] > 0.999
