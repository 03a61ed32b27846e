"""Writes dawid_skene.json: posteriors of crowd-kit's Dawid-Skene, an independent implementation.

`pip install crowd-kit` in an environment of its own, then `python tests/reference/dawid_skene.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene

PEOPLE, RATERS = 60, 4
rng = np.random.default_rng(11)
truth = rng.choice(3, size=PEOPLE, p=[0.3, 0.4, 0.3])
right = np.array([0.9, 0.75, 0.7, 0.6])
answers = []
for rater in range(RATERS):
    for person in range(PEOPLE):
        if rng.random() < 0.9:
            level = truth[person] if rng.random() < right[rater] else rng.integers(3)
            answers.append((rater, person, float(level + 1)))
table = pd.DataFrame(answers, columns=["worker", "task", "label"])
found = DawidSkene(n_iter=3000, tol=-1.0).fit_predict_proba(table).sort_index()
posterior = found[sorted(found.columns)].to_numpy()
assert list(found.index) == list(range(PEOPLE))
result = {"answers": answers, "people": PEOPLE, "posterior": posterior.round(6).tolist()}
Path(__file__).with_suffix(".json").write_text(json.dumps(result), encoding="utf-8")
