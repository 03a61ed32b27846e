"""What raters say of people's traits: votes, agreement, questionnaires, an offline lexicon, several LLMs.

The way of an LLM's answer: ``prompting`` (what is asked), ``asking`` (of whom, about whom, at what cost), ``runner``
(at what speed, by
``limits``), ``provider`` (one question), ``journal`` (on disk before all else), ``replies`` (a score, or why not),
``table`` (rows).
"""

from personax.traits.aggregate import aggregate
from personax.traits.agreement import agreement
from personax.traits.lexicon import annotate_lexicon
from personax.traits.questionnaire import read_key, score_items

__all__ = ["aggregate", "agreement", "annotate_lexicon", "read_key", "score_items"]
