"""Feed the parsers of the leagues with damaged pages for a bounded time; anything but a named error is a finding.

``pip install atheris; python -m benchmarks.fuzz_leagues -max_total_time=60``: coverage guides the damage. The first
byte of an input says which parser reads the rest; real shapes are the seeds. Without atheris, the tests of the leagues
do the same with hypothesis, for less time.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path


def main() -> None:
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["personax.sources"]):
        damaged = import_module("tests.sources.leagues.test_damaged")

    def one(data: bytes) -> None:
        if data:
            damaged.read(damaged.CASES[data[0] % len(damaged.CASES)], data[1:])

    with tempfile.TemporaryDirectory() as seeds:
        for number, case in enumerate(damaged.CASES):
            (Path(seeds) / str(number)).write_bytes(bytes([number]) + case[2])
        atheris.Setup([*sys.argv, seeds], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
