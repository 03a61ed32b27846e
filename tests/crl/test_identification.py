"""What may be claimed of latents: verdicts follow the diagnostics, and nothing is claimed where there is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from personax.crl import claim, halves_agreement, identify


def _coordinates(decoder: str, agreement: list[float]) -> SimpleNamespace:
    settled = decoder != "free" and min(agreement) >= 0.98
    return SimpleNamespace(decoder=decoder, explained=0.9, finalist_agreement=agreement, settled=settled)


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
