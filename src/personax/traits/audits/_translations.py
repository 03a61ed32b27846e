"""The same people asked about in another language: whether scores depend on the language of the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import InputError
from personax.schema import TraitFramework
from personax.traits.llms import Prompt, Survey
from personax.traits.reliability import Bootstrap

__all__ = ["translated_survey", "translation_effects"]


def translated_survey(
    people: Sequence[Mapping[str, Any]], survey: Survey[Prompt], framework: TraitFramework
) -> Survey[Prompt]:
    """Return the survey of some people with the question in the framework's language; what is shown of them stays.

    Raises
    ------
    InputError
        The framework has other traits, or the same language.
    """
    own = survey.prompt.framework
    if set(framework.names) != set(own.names) or framework.language == own.language:
        text = f"{framework.name} is to have the traits of {own.name} in another language than {own.language}"
        raise InputError(f"annotate.translations: {text}; name such a framework, or leave it out")
    return Survey(people, survey.models, survey.prompt.replaced(framework=framework))


def translation_effects(
    own: pl.DataFrame, translated: pl.DataFrame, framework: TraitFramework, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Return what another language changes, by model and trait.

    Parameters
    ----------
    own, translated
        Answers in the study's language and in the other one, as of `annotation_table`; only repeat 0 counts.
    framework
        In the other language.
    bootstrap
        Of intervals over people.

    Returns
    -------
    dict
        ``language``, ``people`` and ``models``: model -> trait -> ``shift``, the mean score in the other language less
        the mean in the study's, of the same people, with an interval; ``same``, the share of people with the same
        score; ``unscored``, the share of people with a score in the study's language alone.
    """
    keys = ["model", "trait", "person"]
    first = own.filter((pl.col("status") == "ok") & (pl.col("repeat") == 0)).select(*keys, "score")
    asked = first.join(translated.select("person").unique(), on="person", how="semi")
    second = translated.filter(pl.col("status") == "ok").select(*keys, pl.col("score").alias("other"))
    both = asked.join(second, on=keys, how="left", maintain_order="left")
    models: dict[str, Any] = {}
    for (model, trait), rows in both.group_by("model", "trait", maintain_order=True):
        gap = (rows["other"] - rows["score"]).drop_nulls().to_numpy()
        models.setdefault(str(model), {})[str(trait)] = {
            "shift": _mean(gap, bootstrap),
            "same": float(np.mean(gap == 0)) if len(gap) else None,
            "unscored": float(rows["other"].null_count() / rows.height),
        }
    return {"language": framework.language, "people": translated["person"].n_unique(), "models": models}


def _mean(gap: NDArray[np.float64], bootstrap: Bootstrap) -> dict[str, Any]:
    reason = "nobody has scores in both languages"
    return bootstrap.interval(lambda index: float(gap[index].mean()), len(gap), reason=reason)
