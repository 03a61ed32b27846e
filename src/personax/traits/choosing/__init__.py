"""Which LLMs to ask, and how to ask them: measured on a sample of the study's own people before all are paid for.

``questions`` (what is asked besides traits: facts, baits), ``dimensions`` (what a model is measured by), ``overall``
(one number of several, and how much hangs on the weights), ``models`` and ``formats`` (models, and prompt formats, side
by side).
"""

from personax.traits.choosing.formats import FORMATS, compare_formats
from personax.traits.choosing.models import compare_models, questions_of
from personax.traits.choosing.overall import overall

__all__ = ["FORMATS", "compare_formats", "compare_models", "overall", "questions_of"]
