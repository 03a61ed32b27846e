"""What can be known to be wrong with a plan before a stage computes or pays: all of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.util import find_spec

from personax import registry
from personax.config import (
    AnnotateLLM,
    AnnotateSimulated,
    CollectSimulated,
    EmbedFiles,
    EmbedModels,
    EmbedOffline,
    EmbedSimulated,
    Plan,
    Rated,
)
from personax.crl._remedy import same_source, single_measurement
from personax.data.table import COLUMNS
from personax.discovery import Knowledge
from personax.errors import InputError, MissingExtraError, PlanError, missing_extra
from personax.schema import Column
from personax.stages._base import Stage, framework_of
from personax.store import StudyFolder
from personax.strict import nearest

__all__ = ["check_columns", "check_files", "check_method", "check_packages", "check_plan", "plan_notices"]

OPEN = ("id", "feature", "target")
"""Roles of the columns that Level I may name."""


def check_plan(plan: Plan, stages: Collection[str]) -> None:
    """Refuse sections that need another one, raters that nobody asks, and modalities that nothing makes.

    Raises
    ------
    PlanError
        One sentence a fault.
    """
    faults: list[str] = []
    if "annotate" in stages:
        faults += _annotated(plan)
    if "embed" in stages:
        faults += _embedded(plan)
    if plan.discover is not None and "discover" in stages:
        faults += _discovered(plan)
    if plan.crl is not None and "crl" in stages and (made := _modalities(plan)) is not None:
        known = made or ["(none: the plan needs an embed section)"]
        absent = [modality for modality in plan.crl.latents if modality not in made]
        faults += [f"crl.latents: there is no modality {name}; {nearest(name, known)}" for name in absent]
    _raise(faults)


def _annotated(plan: Plan) -> Iterator[str]:
    if isinstance(plan.annotate, AnnotateSimulated) and not isinstance(plan.collect, CollectSimulated):
        yield "annotate.source: simulate needs simulated people (collect.source: simulate)"
    if isinstance(plan.annotate, AnnotateLLM):
        raters = [model.name for model in plan.annotate.models]
        absent = [name for name in plan.annotate.families if name not in raters]
        yield from (f"annotate.families: there is no rater {name}; {nearest(name, raters)}" for name in absent)


def _embedded(plan: Plan) -> Iterator[str]:
    if isinstance(plan.embed, EmbedSimulated) and not isinstance(plan.collect, CollectSimulated):
        yield "embed.source: simulate needs simulated people (collect.source: simulate)"
    if not isinstance(plan.embed, EmbedModels) or not (plan.annotate is None or isinstance(plan.annotate, AnnotateLLM)):
        return
    known = ["biography", *([] if plan.annotate is None else [model.name for model in plan.annotate.models])]
    for name, one in plan.embed.text.items():
        if one.of not in known:
            yield f"embed.text.{name}.of: there is no rater {one.of}; {nearest(one.of, known)}"


def _discovered(plan: Plan) -> Iterator[str]:
    assert plan.discover is not None
    over = plan.discover.over
    if "latents" in over and plan.crl is None:
        yield "discover.over: latents need a crl section in the plan"
    if "traits" in over and plan.annotate is None:
        yield "discover.over: traits need an annotate section in the plan"
    if plan.crl is not None and list(over) == ["latents"] and sum(plan.crl.latents.values()) + plan.crl.shared < 2:
        yield "discover.over: one latent makes no graph; add traits or features, or learn more latents"


def check_files(
    stages: Collection[Stage], plan: Plan, exists: Callable[[str], bool], is_done: Callable[[str], bool]
) -> None:
    """Refuse files from elsewhere that later stages read and that are not there, before any stage takes its time.

    What the first stage reads it names itself, and files of the study folder an earlier stage may write.

    Raises
    ------
    PlanError
        One sentence a file.
    """
    first = {name for stage in stages if not stage.needs for name in stage.external_files(plan)}
    faults = [
        f"{stage.name}: there is no file or folder {name}; check the path"
        for stage in stages
        if stage.needs
        for name in stage.external_files(plan)
        if name not in first and "://" not in name and not exists(name) and not is_done(stage.name)
    ]
    _raise(faults)


def check_method(plan: Plan, stages: Collection[str], is_done: Callable[[str], bool]) -> None:
    """Refuse settings of Level II that its method does not know, before the stages ahead of it take their time.

    Raises
    ------
    PlanError
        What the method needs.
    """
    section = plan.crl
    if section is None or "crl" not in stages or is_done("crl"):
        return
    from personax.stages._fit_latents import make_method  # its methods take seconds to import

    try:
        made = make_method(section)
    except InputError as error:
        raise PlanError(f"crl.{error}") from None
    fewest = getattr(made, "fewest_modalities", 1)
    if len(section.latents) < fewest:
        raise PlanError(
            f"crl.latents: {section.method} learns from the dependence between modalities and is given "
            f"{len(section.latents)}; name {fewest} or more, or take another method"
        )


def plan_notices(plan: Plan) -> list[str]:
    """Return what a plan lets one foresee of Level II and what would mend it, a sentence each; nothing is refused.

    A modality with one measurement, and measurements that encode one source by several models.
    """
    if plan.crl is None or plan.crl.method != "default":
        return []
    told = []
    for modality in plan.crl.latents:
        measured = _measured(plan, modality)
        if len(measured) == 1:
            told.append(single_measurement(modality, next(iter(measured))))
        by_source: dict[str, list[str]] = {}
        for name, source in measured.items():
            if source is not None:
                by_source.setdefault(source, []).append(name)
        told += [same_source(modality, names, source) for source, names in by_source.items() if len(names) > 1]
    return [f"crl: {text}" for text in told]


def _measured(plan: Plan, modality: str) -> dict[str, str | None]:
    """Return the measurements that a plan makes of a modality and what each encodes; None where it is not told."""
    match plan.embed:
        case EmbedFiles() as section:
            return dict.fromkeys(section.files.get(modality, {}))
        case EmbedModels() as section if modality == "text":
            return {name: one.of for name, one in section.text.items()}
        case EmbedModels() as section if modality == "image":
            return {name: one.of or "the pictures of the source" for name, one in section.image.items()}
        case EmbedOffline() if modality in ("text", "image"):
            return {"hashed" if modality == "text" else "descriptors": None}
        case EmbedSimulated() if isinstance(plan.collect, CollectSimulated) and modality in ("text", "image"):
            number = plan.collect.text_measurements if modality == "text" else plan.collect.image_measurements
            return {f"its measurement {at + 1}" if number > 1 else "the simulated one": None for at in range(number)}
        case _:
            return {}


def check_packages(plan: Plan, stages: Collection[str], is_done: Callable[[str], bool]) -> None:
    """Refuse stages to be run that need a package which is not installed, before those ahead of them take their time.

    Raises
    ------
    MissingExtraError
        One sentence a stage, with the line that installs the package.
    """
    faults = [
        f"{stage}: {missing_extra(module, extra)}"
        for stage, module, extra in _packages(plan)
        if stage in stages and find_spec(module) is None and not is_done(stage)
    ]
    if faults:
        raise MissingExtraError("\n".join(faults))


def _packages(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield stage, module and the extra that brings it."""
    if plan.discover is not None and plan.discover.algorithm not in ("pc", "fci"):
        yield "discover", "causallearn", "discovery"
    if plan.crl is not None and registry.describe("methods", plan.crl.method).facts.get("needs_torch", True):
        yield "crl", "torch", "crl"


def _modalities(plan: Plan) -> list[str] | None:
    """Return the modalities that the plan makes vectors of; None where only the data tell."""
    match plan.embed:
        case None:
            return []
        case EmbedFiles() as section:
            return list(section.files)
        case EmbedModels() as section:
            return [name for name, of in (("text", section.text), ("image", section.image)) if of]
        case EmbedSimulated() if isinstance(plan.collect, CollectSimulated) and plan.collect.encoded:
            return ["text", "image", "survey"]
        case EmbedSimulated() | EmbedOffline():
            return ["text", "image"]
        case _:
            return None


def check_columns(plan: Plan, folder: StudyFolder, stages: Collection[str]) -> None:
    """Refuse columns that the plan names and the collected people do not have, before anybody is asked or paid.

    Names that scores of the study's traits may have are not judged: the raters make them later.

    Raises
    ------
    PlanError
        One sentence a column.
    """
    path = folder.output("people", COLUMNS)
    if path is None:
        return  # the stage that reads the people says so
    columns = [Column(**raw) for raw in json.loads(path.read_text(encoding="utf-8"))]
    texts = ["biography"] if folder.output("people", "texts.parquet") is not None else []
    faults: list[str] = []
    if plan.annotate is not None and "annotate" in stages:
        faults += _annotate(plan.annotate, [c.name for c in columns] + texts)
    endings = tuple(f"_{letter}" for letter in framework_of(plan).letters.values()) if plan.annotate else ()
    for setting, name in _named(plan, stages):
        if not (endings and name.endswith(endings)):
            faults += _absent(setting, name, columns)
    _raise(faults)


def _annotate(section: object, known: list[str]) -> Iterator[str]:
    """Yield what annotate names and people do not have; private columns may be shown to raters."""
    named: dict[str, Sequence[str]] = {}
    if isinstance(section, Rated):
        named["annotate.groups"] = section.groups or ()
    if isinstance(section, AnnotateLLM):
        named["annotate.prompt.fields"] = section.prompt.fields
        named["annotate.audit.fields"] = section.audit.fields if section.audit else ()
        popularity = section.audit.popularity if section.audit else None
        named["annotate.audit.popularity"] = [] if popularity is None else [popularity]
    for setting, names in named.items():
        for name in names:
            if name not in known:
                yield f"{setting}: people have no {name}; {nearest(name, [one for one in known if one != 'id'])}"


def _named(plan: Plan, stages: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield setting and name of the columns that Level I, causal graphs and a release are told of."""
    if plan.release is not None and "release" in stages:
        yield from (("release.columns", name) for name in plan.release.columns)
    if plan.independence is not None and "independence" in stages:
        section = plan.independence
        for setting in ("features", "targets", "given"):
            yield from ((f"independence.{setting}", name) for name in getattr(section, setting) or ())
        if section.by is not None:
            yield "independence.by", section.by
    if plan.discover is not None and "discover" in stages and "latents" not in plan.discover.over:
        known = plan.discover.knowledge or Knowledge()
        yield from ((f"discover.knowledge.{part}", name) for part, name in known.named())


def _absent(setting: str, name: str, columns: Sequence[Column]) -> Iterator[str]:
    if setting == "release.columns":  # patterns; which columns may leave, the release says
        if not any(fnmatchcase(column.name, name) for column in columns) and not set(name) & set("*?["):
            yield f"{setting} names {name}, which is no column that could leave; {_hint(name, columns)}"
        return
    role = next((column.role for column in columns if column.name == name), None)
    if role is None:
        yield f"{setting}: there is no column {name}; {_hint(name, columns)}"
    elif role not in OPEN:
        what = "private" if role == "private" else "a vector"
        yield f"{setting}: the column {name} is {what}; name another, or give it a role under collect.columns"


def _hint(name: str, columns: Sequence[Column]) -> str:
    return nearest(name, [column.name for column in columns if column.role in OPEN[1:]])


def _raise(faults: Sequence[str]) -> None:
    if faults:
        raise PlanError("\n".join(dict.fromkeys(faults)))
