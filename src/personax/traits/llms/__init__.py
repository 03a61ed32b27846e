"""Annotation by several LLMs.

The way of a request: `Prompt` or another `Question` (``_prompt``: what is asked) -> `Survey` (``_requests``: of which
models, about which people, at what cost) -> `annotate` (``_runner``: workers, rate limits, retries, cost budget) ->
`Provider` (``_provider``; the protocols in ``_chat_completions``, ``_openai_responses``, ``_anthropic`` over
``_endpoint``; ``_profiles``, ``_capabilities``: what endpoints take) -> `ReplyJournal` (``_journal``: on
disk before all else) -> ``_reply_parsing`` (a score, or why there is none) -> `annotation_table` (``_annotations``:
rows). `judge_survey` has a model check replies. By a provider's batch API: ``_batch_runner`` (what is sent when),
``_batch_api`` (the protocol), ``_batch_journal`` (which request lies in which batch). By several hosts: ``_shards``; by
files: ``_batch_files``.
"""

from personax.traits.llms._annotations import annotation_table
from personax.traits.llms._batch_files import BatchQuota, ImportSummary, export_requests, import_replies
from personax.traits.llms._capabilities import Capability, probe_models
from personax.traits.llms._journal import JournalEntry, ReplyJournal
from personax.traits.llms._journal_upkeep import (
    ModelReplies,
    backup_journal,
    drop_model,
    export_journal,
    forget_person,
    journal_models,
    read_replies,
    replies_of,
)
from personax.traits.llms._judge import Verdicts, judge_survey, read_verdicts
from personax.traits.llms._pictures import Picture
from personax.traits.llms._prompt import Prompt, PromptSettings, content_hash
from personax.traits.llms._prompt_store import shown_text
from personax.traits.llms._provider import Completion, InvalidRequestError, Model, ModelUnavailableError, Provider
from personax.traits.llms._reply_parsing import UNREADABLE, Reply
from personax.traits.llms._requests import CostEstimate, Question, Survey, estimate_cost
from personax.traits.llms._run_context import RunPolicy, RunSummary
from personax.traits.llms._runner import annotate
from personax.traits.llms._shards import (
    MergeSummary,
    export_replies,
    merge_journals,
    merge_replies,
    reply_key,
)
from personax.traits.llms._shared_cache import give_to_cache, take_from_cache

__all__ = [
    "UNREADABLE",
    "BatchQuota",
    "Capability",
    "Completion",
    "CostEstimate",
    "ImportSummary",
    "InvalidRequestError",
    "JournalEntry",
    "MergeSummary",
    "Model",
    "ModelReplies",
    "ModelUnavailableError",
    "Picture",
    "Prompt",
    "PromptSettings",
    "Provider",
    "Question",
    "Reply",
    "ReplyJournal",
    "RunPolicy",
    "RunSummary",
    "Survey",
    "Verdicts",
    "annotate",
    "annotation_table",
    "backup_journal",
    "content_hash",
    "drop_model",
    "estimate_cost",
    "export_journal",
    "export_replies",
    "export_requests",
    "forget_person",
    "give_to_cache",
    "import_replies",
    "journal_models",
    "judge_survey",
    "merge_journals",
    "merge_replies",
    "probe_models",
    "read_replies",
    "read_verdicts",
    "replies_of",
    "reply_key",
    "shown_text",
    "take_from_cache",
]
