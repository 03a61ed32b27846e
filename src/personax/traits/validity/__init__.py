"""Whether inferred traits are what people say: ask people, compare, correct what was concluded.

To ask: ``sampling`` (whom), ``sheet`` (what, on which scale), a file a format: ``label_studio``, ``argilla``,
``tables``. ``humans`` turns what came back into annotations. To compare: ``judged`` (one trait's scores as arrays),
``agreement``, ``partial`` (given controls), ``alt_test`` (may an LLM take a rater's place). To correct: ``estimands``
and ``corrected`` (prediction-powered and design-based effects). docs/validity.md says what each number means.
"""

from personax.traits.validity._agreement import LLMS, NOT_VALIDITY, Judged, compared
from personax.traits.validity._alternative_annotator import alt_test
from personax.traits.validity._human_answers import Answer, Humans, Scale, humans_of
from personax.traits.validity._partial_correlation import design_of
from personax.traits.validity._prediction_powered import Sampled, corrected
from personax.traits.validity._rating_sheet import Sheet, Task, check_extra, codes
from personax.traits.validity._stratified_sample import Allocation, drawn, strata_of

__all__ = [
    "LLMS",
    "NOT_VALIDITY",
    "Allocation",
    "Answer",
    "Humans",
    "Judged",
    "Sampled",
    "Scale",
    "Sheet",
    "Task",
    "alt_test",
    "check_extra",
    "codes",
    "compared",
    "corrected",
    "design_of",
    "drawn",
    "humans_of",
    "strata_of",
]
