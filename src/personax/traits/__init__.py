"""What raters say of people's traits: votes, agreement, questionnaires, an offline lexicon, several LLMs (``llms``)."""

from personax.traits.aggregate import aggregate, vote
from personax.traits.lexicon import annotate_lexicon
from personax.traits.questionnaire import read_key, score_items
from personax.traits.reliability import agreement, reliability

__all__ = ["aggregate", "agreement", "annotate_lexicon", "read_key", "reliability", "score_items", "vote"]
