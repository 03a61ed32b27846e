"""Audits of raters beyond agreement: invented people, hidden instructions, and the card that sums a run up.

=====================  ===========================================================================
`vignette_survey`      the same invented people asked of every model, now and later: severity, drift
`injection_survey`     a fixed set of hidden instructions, and how often each model obeys
`translated_survey`    the same people with the question in another language, and what that changes
`annotation_card`      models, dates, prompts, answers, agreement and audits; nothing of a person
=====================  ===========================================================================
"""

from personax.traits.audits._annotation_card import annotation_card
from personax.traits.audits._injections import InjectionSurvey, injection_effects, injection_survey, injections
from personax.traits.audits._translations import translated_survey, translation_effects
from personax.traits.audits._vignettes import vignette_report, vignette_survey, vignettes

__all__ = [
    "InjectionSurvey",
    "annotation_card",
    "injection_effects",
    "injection_survey",
    "injections",
    "translated_survey",
    "translation_effects",
    "vignette_report",
    "vignette_survey",
    "vignettes",
]
