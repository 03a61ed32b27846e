"""Answers to requests of others, computed on the originals: output checking, request log, populations.

- ``_small_cells``: values of few people are merged before anything is computed
- ``_output_checker``: minimum cell size, rounding, and which results may leave
- ``_request_log``: who asked what, what left and what was suppressed; populations, against differencing of answers
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
