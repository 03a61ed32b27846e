"""What is asked of Level II in a study reaches the method."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.config import CrlSection
from personax.crl.methods.paper._method import MMCRL, Paper
from personax.errors import InputError
from personax.stages._fit_latents import make_method


def made(**section: Any) -> Any:
    return make_method(CrlSection(latents={"text": 1, "image": 1}, **section))


@pytest.mark.parametrize(("name", "kind"), [("paper", Paper), ("mmcrl", MMCRL)])
def test_device_and_faster_steps_of_a_study_reach_the_method(name: str, kind: type) -> None:
    plain, faster = made(method=name), made(method=name, device="auto", compiled=True, half=True, threads=2, epochs=7)
    assert (type(plain), type(faster)) == (kind, kind)
    assert (plain.budget.compiled, plain.budget.half, plain.budget.device) == (False, False, "cpu")
    assert (faster.budget.compiled, faster.budget.half) == (True, True)
    assert (faster.budget.device, faster.budget.threads, faster.budget.epochs) == ("auto", 2, 7)


def test_a_prior_and_faster_steps_go_together_and_other_methods_have_none() -> None:
    found = made(method="paper", half=True, prior={"tiers": [["image"], ["text"]]})
    assert found.budget.half
    assert found.prior.tiers == [["image"], ["text"]]
    with pytest.raises(InputError, match="compiled: mcl has no such steps; mmcrl and paper have"):
        made(method="mcl", compiled=True)
    assert made(method="default", device="auto").budget.device == "auto"
