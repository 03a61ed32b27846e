"""Which LLMs to ask, and how to ask them: measured on a sample of the study's own people before all are paid for.

``questions`` (what is asked besides traits: facts, baits), ``dimensions`` (what a model is measured by), ``overall``
(one number of several, and how much hangs on the weights), ``models`` and ``formats`` (models, and prompt formats, side
by side).
"""

from personax.traits.model_selection._models import Questions, compare_models, questions_of
from personax.traits.model_selection._probes import BAITS
from personax.traits.model_selection._prompt_formats import FORMATS, compare_formats, label, variants
from personax.traits.model_selection._scores import overall

__all__ = [
    "BAITS",
    "FORMATS",
    "Questions",
    "compare_formats",
    "compare_models",
    "label",
    "overall",
    "questions_of",
    "variants",
]
