"""Writes anonymity.json: measures of pyCANON, an independent implementation.

`pip install pycanon` in an environment of its own, then `python tests/reference/anonymity.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from pycanon import anonymity

rng = np.random.default_rng(7)
columns = {
    "gender": [str(value) for value in rng.choice(["female", "male"], 200)],
    "decade": [int(value) for value in rng.choice([1970, 1980, 1990], 200, p=[0.2, 0.5, 0.3])],
    "score": [int(value) for value in rng.integers(1, 6, 200)],
    "club": [str(value) for value in rng.choice(list("abcd"), 200, p=[0.5, 0.3, 0.1, 0.1])],
}
table, quasi = pd.DataFrame(columns), ["gender", "decade"]
found = {
    name: {
        "distinct": int(anonymity.l_diversity(table, quasi, [name])),
        "entropy": int(anonymity.entropy_l_diversity(table, quasi, [name])),
        "closeness": float(anonymity.t_closeness(table, quasi, [name])),
    }
    for name in ("score", "club")
}
result = {"columns": columns, "k": int(anonymity.k_anonymity(table, quasi)), "sensitive": found}
Path(__file__).with_suffix(".json").write_text(json.dumps(result), encoding="utf-8")
