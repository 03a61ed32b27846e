"""Which LLMs to ask, and how to ask them: measured on a sample of the study's own people before all are paid for.

``questions`` (what is asked besides traits: facts, baits), ``dimensions`` (what a model is measured by), ``overall_score``
(one number of several, and how much hangs on the weights), ``models`` and ``formats`` (models, and prompt formats, side
by side).
"""

from personax.traits.model_selection._model_comparison import SelectionSurveys, compare_models, selection_surveys
from personax.traits.model_selection._probes import PRIVACY_PROBES
from personax.traits.model_selection._prompt_formats import FORMATS, compare_formats, format_name, prompt_variants
from personax.traits.model_selection._scores import overall_score

__all__ = [
    "FORMATS",
    "PRIVACY_PROBES",
    "SelectionSurveys",
    "compare_formats",
    "compare_models",
    "format_name",
    "overall_score",
    "prompt_variants",
    "selection_surveys",
]
