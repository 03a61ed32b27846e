"""Where a loop over independent units runs: this process, threads, processes, or the machines of a Ray cluster.

>>> from personax.engine import find_engine, parallel_config
>>> with parallel_config("threads", 2):
...     sorted(find_engine("processes").map(pow, [1, 2, 3], shared=2))
[(0, 2), (1, 4), (2, 8)]
"""

from personax.engine._config import ENGINES, Engine, EngineName, find_engine, ordered, parallel_config
from personax.engine._processes import ProcessEngine
from personax.engine._ray import RayEngine
from personax.engine._threads import ThreadEngine

__all__ = [
    "ENGINES",
    "Engine",
    "EngineName",
    "ProcessEngine",
    "RayEngine",
    "ThreadEngine",
    "find_engine",
    "ordered",
    "parallel_config",
]
