"""What pyCANON and ANJANA say of a recoded table; run by benchmarks/disclosure.py in an environment of its own."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any


def main(folder: Path) -> dict[str, Any]:
    import pandas as pd
    from anjana.anonymity import k_anonymity
    from pycanon import anonymity

    recoded = pd.read_csv(folder / "recoded.csv", dtype={"club": str})
    levels = json.loads((folder / "levels.json").read_text(encoding="utf-8"))
    quasi = list(levels)
    recoded[quasi] = recoded[quasi].astype(str)
    measures = {
        name: {
            "distinct": int(anonymity.l_diversity(recoded, quasi, [name])),
            "entropy": int(anonymity.entropy_l_diversity(recoded, quasi, [name])),
            "closeness": float(anonymity.t_closeness(recoded, quasi, [name])),
        }
        for name in ("score", "club")
    }
    original = pd.DataFrame({name: held[0] for name, held in levels.items()})
    hierarchy = {name: dict(enumerate(pd.array(level).to_numpy(dtype=object) for level in held))
                 for name, held in levels.items()}  # fmt: skip
    start = time.perf_counter()
    made = k_anonymity(original.copy(), [], quasi, 5, 1, hierarchy)
    seconds = time.perf_counter() - start
    chosen = {}
    for name, held in levels.items():
        seen = set(made[name])
        fits = [number for number, level in enumerate(held) if seen <= set(level)]
        chosen[name] = fits[0]
    return {
        "pycanon": version("pycanon"),
        "anjana": version("anjana"),
        "k": int(anonymity.k_anonymity(recoded, quasi)),
        "measures": measures,
        "levels": chosen,
        "withheld": len(original) - len(made),
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
