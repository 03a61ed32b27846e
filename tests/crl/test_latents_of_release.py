"""Level II of a release beside Level II of its originals."""

from __future__ import annotations

import numpy as np
import pytest

from personax.crl.methods.default._decoders import RestartSchedule
from personax.crl.metrics import match
from release_latents import LINEAR, content, latents, measured, released, told


@pytest.mark.parametrize("how", ["rotation", LINEAR])
def test_agreed_components_forget_linear_maps(how: str) -> None:
    """So latents learned from a release under a secret rotation are those of the originals, and are given away."""
    rng = np.random.default_rng(3)
    _, by = measured(800, rng)
    held, learn = np.split(rng.permutation(800), [200])
    out = released(how, by, rng)
    assert not any(np.allclose(out[name], by[name], atol=0.1) for name in by)
    assert told(content(out, learn).astype(float), content(by, learn).astype(float), held, learn) > 0.99


def test_latents_of_a_release_under_secret_rotations_are_those_of_its_originals() -> None:
    """Level II of a release gives people's latents away, without a key."""
    rng = np.random.default_rng(3)
    z, by = measured(800, rng)
    held, learn = np.split(rng.permutation(800), [200])
    short = RestartSchedule(restarts=4, steps=600, finalists=2)
    own = latents(by, held, learn, short)[1][held]
    out = latents(released("rotation", by, rng), held, learn, short)[1][held]
    assert match(out, own, kind="spearman").mcc >= 0.998
    assert match(out, z[held], kind="spearman").mcc >= 0.98
    assert match(out, z[learn[: len(held)]], kind="spearman").mcc < 0.3, "of other people it tells nothing"


def test_agreed_components_need_the_measurements_of_the_same_people() -> None:
    """The comparison can fail: one measurement of other people takes what all agree on away."""
    rng = np.random.default_rng(3)
    _, by = measured(800, rng)
    held, learn = np.split(rng.permutation(800), [200])
    other = {name: x[rng.permutation(800)] for name, x in by.items()}
    found = content(other, learn).astype(float)
    assert found.shape[1] == 0 or told(found, content(by, learn).astype(float), held, learn) < 0.2
