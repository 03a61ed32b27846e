"""Answers to requests of others, worked out on the originals: what may leave, to whom, and what is written down.

A map, each line using the ones above it:

- ``small_cells``: values of few people are joined before anything is computed
- ``populations``: who was in an answer, and answers whose people differ by too few
- ``output_checker``: least cells, rounding, no text that the data wrote
- ``log``: who asked what, what left and what did not; the budget of requests
"""

from personax.release.answering._output_checker import MIN_P, OutputRules, rounded_count, rounded_p, significant
from personax.release.answering._request_log import Populations, RequestLog, RequestLogEntry, hashes, now, population
from personax.release.answering._small_cells import SmallCellRecoding, join_small_cells

__all__ = [
    "MIN_P",
    "OutputRules",
    "Populations",
    "RequestLog",
    "RequestLogEntry",
    "SmallCellRecoding",
    "hashes",
    "join_small_cells",
    "now",
    "population",
    "rounded_count",
    "rounded_p",
    "significant",
]
