"""Releases to read: one of format 2, and one that `build` makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.release.reading.made import KEY, write_release

from personax.release import Keystore, ReleaseInput, build
from personax.simulate import simulate_population
from personax.traits import aggregate


@pytest.fixture(scope="session")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of format 2; tests copy it before they change it."""
    return write_release(tmp_path_factory.mktemp("forty") / "release")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release by `build`."""
    world = simulate_population(60, rng=np.random.default_rng(1), text_dim=12, image_dim=10)
    traits = aggregate(world.ratings, people=world.people["id"].to_list())
    contents = ReleaseInput("Built", world.table, traits, world.embeddings)
    out = tmp_path_factory.mktemp("built") / "release"
    build(contents, out, key=KEY, keys=Keystore(out.parent / "keys"), rng=np.random.default_rng(2))
    return out
