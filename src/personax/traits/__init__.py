"""What raters say of people's traits: votes, agreement, questionnaires, an offline lexicon, several LLMs (``llms``)."""

from personax.traits._aggregate import aggregate, vote
from personax.traits._lexicon import annotate_lexicon
from personax.traits._questionnaire import read_key, score_items
from personax.traits._ratings import Floats
from personax.traits._stereotype_audit import Audit, audit_of, effects, frequent
from personax.traits.reliability import agreement, reliability

__all__ = [
    "Audit",
    "Floats",
    "aggregate",
    "agreement",
    "annotate_lexicon",
    "audit_of",
    "effects",
    "frequent",
    "read_key",
    "reliability",
    "score_items",
    "vote",
]
