"""Asking several LLMs about people.

The way of an answer: ``prompting`` (what is asked), ``asking`` (of whom, about whom, at what cost), ``runner`` (at what
speed, by ``limits``), ``provider`` (one question), ``journal`` (on disk before all else), ``replies`` (a score, or why
not), ``table`` (rows). By the provider's batch API: ``batching`` (what is sent when), ``batch_api`` (talking to the
provider), ``batch_journal`` (which request lies in which batch).
"""

from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._judge import Verdicts, judge_survey, read_verdicts
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Model
from personax.traits.llms._requests import CostEstimate, Question, Survey, estimate_cost
from personax.traits.llms._runner import RunSummary, annotate

__all__ = [
    "CostEstimate",
    "Model",
    "Prompt",
    "Question",
    "ReplyJournal",
    "RunSummary",
    "Survey",
    "Verdicts",
    "annotate",
    "annotation_table",
    "estimate_cost",
    "judge_survey",
    "read_verdicts",
]
