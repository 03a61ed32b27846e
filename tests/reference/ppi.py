"""Writes ppi.json: estimates and intervals of ppi-python, the PPI++ authors' own implementation.

`pip install ppi-python` in an environment of its own, then `python tests/reference/ppi.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from ppi_py import ppi_ols_ci, ppi_ols_pointestimate
from ppi_py.ppi import _calc_lam_glm, _ols_get_stats

rng = np.random.default_rng(23)
PEOPLE, RATED = 500, 120
x = rng.normal(size=PEOPLE)
human = (2 + 0.4 * x + 0.7 * rng.normal(size=PEOPLE)).round(6)
llm = (human + 0.5 * rng.normal(size=PEOPLE)).round(6)
rated = np.zeros(PEOPLE, dtype=int)
rated[rng.choice(PEOPLE, RATED, replace=False)] = 1
data = {"x": x.round(6).tolist(), "llm": llm.tolist(), "human": human.tolist(), "rated": rated.tolist()}
x = np.array(data["x"])
held: dict[str, object] = {"data": data}
for effect, feature in (("slope", x), ("difference", (x > 0).astype(float))):
    design = np.column_stack([np.ones(PEOPLE), feature])
    given = (design[rated == 1], human[rated == 1], llm[rated == 1], design[rated == 0], llm[rated == 0])
    # the weight that their functions choose for coordinate 1 and do not return
    first = ppi_ols_pointestimate(*given, lam=1)
    weight = float(np.clip(_calc_lam_glm(*_ols_get_stats(first, *given), 1, clip=True), 0, 1))
    low, high = ppi_ols_ci(*given, alpha=0.05, lam=weight)
    estimate = ppi_ols_pointestimate(*given, lam=weight)
    held[effect] = {
        "estimate": float(estimate[1]), "low": float(low[1]), "high": float(high[1]), "weight": weight
    }  # fmt: skip
Path(__file__).with_suffix(".json").write_text(json.dumps(held), encoding="utf-8")
