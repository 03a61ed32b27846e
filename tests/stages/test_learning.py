"""What is asked of Level II in a study reaches the method."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl.baselines.mmcrl import MMCRL
from personax.crl.baselines.paper import Paper
from personax.errors import InputError
from personax.plan import Crl
from personax.stages.learning import Asked


def made(**section: Any) -> Any:
    return Asked(**Crl(latents={"text": 1, "image": 1}, **section).model_dump()).made()


@pytest.mark.parametrize(("name", "kind"), [("paper", Paper), ("mmcrl", MMCRL)])
def test_device_and_faster_steps_of_a_study_reach_the_method(name: str, kind: type) -> None:
    plain, faster = made(method=name), made(method=name, device="auto", compiled=True, half=True, threads=2, epochs=7)
    assert (type(plain), type(faster)) == (kind, kind)
    assert (plain.compiled, plain.half, plain.budget.device) == (False, False, "cpu")
    assert (faster.compiled, faster.half) == (True, True)
    assert (faster.budget.device, faster.budget.threads, faster.budget.epochs) == ("auto", 2, 7)


def test_a_prior_and_faster_steps_go_together_and_other_methods_have_none() -> None:
    found = made(method="paper", half=True, prior={"tiers": [["image"], ["text"]]})
    assert found.half
    assert found.prior.tiers == [["image"], ["text"]]
    with pytest.raises(InputError, match="compiled: mcl has no such steps; paper and mmcrl have"):
        made(method="mcl", compiled=True)
    assert made(method="default", device="auto").budget.device == "auto"
