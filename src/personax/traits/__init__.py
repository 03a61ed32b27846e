"""What raters say of people's traits: votes, agreement, questionnaires, an offline lexicon."""

from personax.traits.aggregate import aggregate
from personax.traits.agreement import agreement
from personax.traits.lexicon import annotate_lexicon
from personax.traits.questionnaire import read_key, score_items

__all__ = ["aggregate", "agreement", "annotate_lexicon", "read_key", "score_items"]
