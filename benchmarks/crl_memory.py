"""One fit of one method to measurements mapped into memory, in a process of its own: prints MiB as JSON.

python benchmarks/crl_memory.py METHOD FOLDER PEOPLE

What is counted is memory that belongs to no file (RssAnon of Linux): pages of mapped files leave when others need room.
`benchmarks/crl.py memory` runs this for every method and several numbers of people.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

from personax.crl import Budget, method

LATENTS = {"image": 2, "text": 2}
FILES = {"image": ("face",), "text": ("a", "b")}
DIMS = 512


def held() -> float:
    """Return MiB of this process that belong to no file."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not say how much memory belongs to no file")


class Watch(threading.Thread):
    """Remembers the most that was held."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.ends = held(), False

    def run(self) -> None:
        """Look every few thousandths of a second."""
        while not self.ends:
            self.peak = max(self.peak, held())
            time.sleep(0.005)


def main() -> None:
    """Fit, encode all people, and print what was held before and at most."""
    name, folder, people = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    views = {m: {k: np.load(folder / f"{k}.npy", mmap_mode="r")[:people] for k in names} for m, names in FILES.items()}
    truth = np.load(folder / "truth.npy", mmap_mode="r")[:people]
    made = method(name, budget=Budget(epochs=1))
    few = {m: {k: x[:200] for k, x in by.items()} for m, by in views.items()}
    made.fit(few, latents=LATENTS, truth=truth[:200], rng=np.random.default_rng(0))  # libraries take their room
    watch, before = Watch(), held()
    watch.start()
    made.fit(views, latents=LATENTS, truth=truth, rng=np.random.default_rng(0)).encode(views)
    watch.ends = True
    watch.join()
    print(json.dumps({"before": before, "peak": watch.peak}))


if __name__ == "__main__":
    main()
