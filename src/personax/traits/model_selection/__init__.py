"""Model and prompt selection: which LLMs to ask and how, measured on a sample before everybody is paid for.

``_probes``: questions besides traits (checkable facts, requests for private information); ``_model_comparison``: models
side by side by dimensions, and one overall score with its sensitivity to weights; ``_prompt_formats``: prompt formats
side by side.
"""

from personax.traits.model_selection._model_comparison import (
    SelectionSurveys,
    compare_models,
    overall_score,
    selection_surveys,
)
from personax.traits.model_selection._probes import PRIVACY_PROBES
from personax.traits.model_selection._prompt_formats import FORMATS, compare_formats, format_name, prompt_variants

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
