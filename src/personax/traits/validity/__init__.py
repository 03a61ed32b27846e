"""Validity: whether inferred traits are what people say. Sample, collect human ratings, compare, correct effects.

==========================  ===========================================================================
`informative_sample`        whom to ask humans about to learn most, each person's probability known
`stratified_sample`         whom to ask humans about, each person's inclusion probability known
`RatingForm`                the questions and response scale that human raters get, those of the prompt
`label_studio_tasks` ...    forms and answers of Label Studio, Argilla and tables: one file a format
`human_ratings`             answers of humans as rows of annotations
`compare_with_humans`       agreement of one trait's scores with humans, with intervals
`control_matrix`            controls for partial correlations
`alt_test`                  alternative annotator test: may an LLM take a human rater's place
`cells_to_adjudicate` ...   whose scores somebody decides where raters disagree, and what decisions change
`corrected_effects`         effects of features: prediction-powered and design-based
==========================  ===========================================================================

docs/validity.md says what each number means.
"""

from personax.traits.validity._adjudication import (
    adjudication_report,
    adjudication_table,
    cells_to_adjudicate,
    decisions,
    disagreements,
)
from personax.traits.validity._alternative_annotator import AltTestResult, alt_test
from personax.traits.validity._argilla import argilla_records, argilla_settings, read_argilla
from personax.traits.validity._human_agreement import LLMS, NOT_VALIDITY, TraitComparison, compare_with_humans
from personax.traits.validity._human_ratings import (
    HumanAnswer,
    HumanRatings,
    RatingForm,
    RatingTask,
    ScaleMatch,
    check_extra_questions,
    human_ratings,
    task_codes,
)
from personax.traits.validity._label_studio import label_studio_config, label_studio_tasks, read_label_studio
from personax.traits.validity._partial_correlation import control_matrix
from personax.traits.validity._prediction_powered import CorrectedEffects, LabelledSample, corrected_effects
from personax.traits.validity._rating_tables import rating_form_table, read_rating_table
from personax.traits.validity._stratified_sample import (
    Allocation,
    assign_strata,
    expected_information,
    informative_sample,
    stratified_sample,
)

__all__ = [
    "LLMS",
    "NOT_VALIDITY",
    "Allocation",
    "AltTestResult",
    "CorrectedEffects",
    "HumanAnswer",
    "HumanRatings",
    "LabelledSample",
    "RatingForm",
    "RatingTask",
    "ScaleMatch",
    "TraitComparison",
    "adjudication_report",
    "adjudication_table",
    "alt_test",
    "argilla_records",
    "argilla_settings",
    "assign_strata",
    "cells_to_adjudicate",
    "check_extra_questions",
    "compare_with_humans",
    "control_matrix",
    "corrected_effects",
    "decisions",
    "disagreements",
    "expected_information",
    "human_ratings",
    "informative_sample",
    "label_studio_config",
    "label_studio_tasks",
    "rating_form_table",
    "read_argilla",
    "read_label_studio",
    "read_rating_table",
    "stratified_sample",
    "task_codes",
]
