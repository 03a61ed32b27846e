"""Label Studio: a project's labelling config and tasks, and its exports JSON and JSON-MIN read back.

Format: https://labelstud.io/guide/task_format and https://labelstud.io/tags/choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from personax.errors import InputError
from personax.traits.validity._human_ratings import GUIDELINES, HumanAnswer, RatingForm, RatingTask

__all__ = ["label_studio_config", "label_studio_tasks", "read_label_studio"]


def label_studio_config(sheet: RatingForm) -> str:
    """Return the labelling config: one text, one group of choices a question."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value=GUIDELINES, size="5")
    ElementTree.SubElement(view, "Text", name="about", value="$about")
    for name, question in sheet.questions.items():
        ElementTree.SubElement(view, "Header", value=question, size="5")
        settings = {"name": name, "toName": "about", "choice": "single", "showInline": "true", "required": "true"}
        group = ElementTree.SubElement(view, "Choices", settings)
        for answer, words in sheet.choices.items():
            ElementTree.SubElement(group, "Choice", value=words, alias=answer)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def label_studio_tasks(listed: Sequence[RatingTask]) -> list[dict[str, Any]]:
    """Return tasks to import."""
    return [{"data": {"task": task.code, "about": task.about}} for task in listed]


def read_label_studio(exported: object, questions: Sequence[str], where: str) -> list[HumanAnswer]:
    """Read an export, JSON or JSON-MIN; skipped tasks and unfinished drafts are none.

    Raises
    ------
    InputError
        For another shape.
    """
    if not isinstance(exported, list) or not all(isinstance(task, dict) for task in exported):
        raise InputError(f"{where} is no export of Label Studio: it is not a list of tasks; export JSON or JSON-MIN")
    answers = [answer for task in exported for answer in _of_task(task, questions, where)]
    if not answers:
        raise InputError(f"{where} holds no answer; export the project after people have answered")
    return answers


def _of_task(task: Mapping[str, Any], questions: Sequence[str], where: str) -> Iterator[HumanAnswer]:
    if "annotations" not in task:
        yield from _minimal(task, questions, where)
        return
    data, annotations = task.get("data"), task["annotations"]
    code = data.get("task") if isinstance(data, dict) else None
    if code is None or not isinstance(annotations, list):
        raise InputError(f"{where}: a task lacks data.task or a list of annotations; import the exported tasks.json")
    for one in annotations:
        if not isinstance(one, dict) or not isinstance(one.get("result"), list):
            raise InputError(f"{where}: an annotation of {str(code)[:40]} has no list called result; export JSON")
        if one.get("was_cancelled"):
            continue
        for result in one["result"]:
            chosen = _chosen(result)
            if chosen is not None:
                yield HumanAnswer(str(code), _rater(one.get("completed_by")), str(result.get("from_name")), chosen)


def _chosen(result: object) -> str | None:
    value = result.get("value") if isinstance(result, dict) else None
    choices = value.get("choices") if isinstance(value, dict) else None
    return str(choices[0]) if isinstance(choices, list) and len(choices) == 1 else None


def _rater(by: object) -> str:
    found = by.get("id", by.get("email")) if isinstance(by, dict) else by
    return "" if found is None else str(found)


def _minimal(task: Mapping[str, Any], questions: Sequence[str], where: str) -> Iterator[HumanAnswer]:
    if "task" not in task:
        raise InputError(f"{where}: a task has no key task; export the project that took the exported tasks.json")
    for name in questions:
        value = task.get(name)
        if isinstance(value, str) and value.strip():
            yield HumanAnswer(str(task["task"]), _rater(task.get("annotator")), name, value)
