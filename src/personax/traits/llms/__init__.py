"""Asking several LLMs about people.

The way of an answer: ``prompting`` (what is asked), ``asking`` (of whom, about whom, at what cost), ``runner`` (at what
speed, by ``limits``), ``provider`` (one question), ``journal`` (on disk before all else), ``replies`` (a score, or why
not), ``table`` (rows). By the provider's batch API: ``batching`` (what is sent when), ``batch_api`` (talking to the
provider), ``batch_journal`` (which request lies in which batch).
"""

from personax.traits.llms._annotations import annotations_of
from personax.traits.llms._journal import Journal
from personax.traits.llms._judge import Verdicts, to_judge, verdicts_of
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import Asked, Estimate, Question, estimate
from personax.traits.llms._runner import Outcome, annotate

__all__ = [
    "Asked",
    "Estimate",
    "Journal",
    "Model",
    "Outcome",
    "Prompt",
    "Question",
    "Verdicts",
    "annotate",
    "annotations_of",
    "estimate",
    "to_judge",
    "verdicts_of",
]
