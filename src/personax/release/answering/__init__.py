"""Answers to requests of others, worked out on the originals: what may leave, to whom, and what is written down.

A map, each line using the ones above it:

- ``small_cells``: values of few people are joined before anything is computed
- ``populations``: who was in an answer, and answers whose people differ by too few
- ``output_checker``: least cells, rounding, no text that the data wrote
- ``log``: who asked what, what left and what did not; the budget of requests
"""

from personax.release.answering.log import AnswerLog, Entry, now
from personax.release.answering.output_checker import Rules, rounded_count, rounded_p, significant
from personax.release.answering.populations import Populations, hashes, population
from personax.release.answering.small_cells import Joined, join_small_cells

__all__ = [
    "AnswerLog",
    "Entry",
    "Joined",
    "Populations",
    "Rules",
    "hashes",
    "join_small_cells",
    "now",
    "population",
    "rounded_count",
    "rounded_p",
    "significant",
]
