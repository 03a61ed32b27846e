"""Whether inferred traits are what people say: ask people, compare, correct what was concluded.

To ask: ``sampling`` (whom), ``sheet`` (what, on which scale), a file a format: ``label_studio``, ``argilla``,
``tables``. ``humans`` turns what came back into annotations. To compare: ``judged`` (one trait's scores as arrays),
``agreement``, ``partial`` (given controls), ``alt_test`` (may an LLM take a rater's place). To correct: ``estimands``
and ``corrected`` (prediction-powered and design-based effects). docs/validity.md says what each number means.
"""

from personax.traits.validity.agreement import NOT_VALIDITY, compared
from personax.traits.validity.alt_test import alt_test
from personax.traits.validity.corrected import corrected

__all__ = ["NOT_VALIDITY", "alt_test", "compared", "corrected"]
