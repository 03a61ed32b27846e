"""A method of another package, one file: it trains, is checked, saved, resumed and asked for in a study."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from personax.errors import PersonaxError

pytest.importorskip("torch", reason="torch is not installed: pip install personax[crl]")

from personax.crl import load_fit

TOY = '''
"""Latents are the first columns; a network is kept to show that networks are saved."""
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from personax.crl import Budget, Estimator
from personax.crl._scaler import Scaler, check, latent_names
from personax.registry import register


class Layer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size, self.inner = size, nn.Sequential(nn.Linear(size, size), nn.ReLU())


@dataclass(frozen=True)
class ToyFit:
    names: list
    scale: Scaler
    counts: dict
    layer: Layer = field(repr=False)
    adjacency: Any = None
    objective: float = 0.0

    def encode(self, views):
        flat = {m: np.hstack(list(by.values())) for m, by in self.scale.apply(views).items()}
        first = next(iter(flat.values()))
        found = [first[:, : len(self.names) - sum(self.counts.values())]]
        return np.hstack(found + [x[:, : self.counts[m]] for m, x in flat.items()])


@register("methods", "toy", title="Toy")
@dataclass
class Toy(Estimator):
    """Returns the first columns."""

    budget: Budget = field(default_factory=Budget)
    name = "toy"

    def learn(self, problem):
        check(problem.views, problem.latents, problem.shared)
        scale = Scaler.fit(problem.views)
        names = latent_names(problem.latents, list(problem.views), problem.shared)
        with torch.random.fork_rng(devices=[]):
            layer = Layer(3)
        return ToyFit(names, scale, dict(problem.latents), layer)
'''

USE = """
import sys
from pathlib import Path
import numpy as np
from personax.crl import fit_seeds, load_fit, method, usable
from personax.testing import check_method
from personax.config import CrlSection
from personax.stages._fit_latents import make_method

folder = Path(sys.argv[1])
assert "toy" in usable()
check_method(method("toy"))
made = make_method(CrlSection(latents={"a": 1, "b": 1}, method="toy", epochs=3))
assert made.budget.epochs == 3
rng = np.random.default_rng(0)
views = {m: {"k": rng.normal(size=(40, 3))} for m in ("a", "b")}
for seeds in (1, 2):
    found = fit_seeds(made, views, latents={"a": 1, "b": 1}, seeds=seeds, rng=np.random.default_rng(0), keep=folder)
fit = load_fit(folder / "seed-0.safetensors")
assert type(fit).__module__ == "toy_methods", type(fit)
assert np.array_equal(fit.encode(views), found.best.encode(views))
print("fine")
"""


def test_a_method_of_another_package_trains_saves_resumes_and_stands_in_plans(tmp_path: Path) -> None:
    site, folder = tmp_path / "site", tmp_path / "fits"
    info = site / "toy_methods_dist-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "toy_methods.py").write_text(TOY, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-methods-dist\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[personax.methods]\ntoy = toy_methods:Toy\n", encoding="utf-8")
    (info / "top_level.txt").write_text("toy_methods\n", encoding="utf-8")
    path = os.pathsep.join([str(site), *sys.path])
    used = subprocess.run(
        [sys.executable, "-c", USE, str(folder)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert used.stdout.strip() == "fine", used.stderr[-3000:]
    with pytest.raises(PersonaxError, match="holds a ToyFit of the package toy-methods-dist") as refused:
        load_fit(folder / "seed-0.safetensors")  # where it is not installed
    assert "pip install toy-methods-dist" in str(refused.value)
