"""Argilla 2: a dataset's settings and records as its own JSON files, and its records read back.

Format: what ``argilla.Settings.to_json`` and ``Dataset.records.to_json`` of argilla 2.8 write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from personax.errors import InputError
from personax.traits.validity._human_ratings import GUIDELINES, HumanAnswer, RatingForm, RatingTask

__all__ = ["argilla_records", "argilla_settings", "read_argilla"]


def argilla_settings(sheet: RatingForm, raters: int = 3) -> dict[str, Any]:
    """Return a dataset's settings; ``argilla.Settings.from_json`` reads them.

    Parameters
    ----------
    sheet
        The questions.
    raters
        How many people are to answer about each person.
    """
    return {
        "guidelines": GUIDELINES,
        "questions": [_question(name, question, sheet) for name, question in sheet.questions.items()],
        "fields": [
            {
                "name": "about", "title": "The person", "required": True,
                "settings": {"type": "text", "use_markdown": False},
            }
        ],
        "vectors": [],
        "metadata": [],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": raters},
        "mapping": None,
    }  # fmt: skip


def _question(name: str, question: str, sheet: RatingForm) -> dict[str, Any]:
    options = [{"value": answer, "text": words} for answer, words in sheet.choices.items()]
    return {
        "name": name, "title": question, "description": None, "required": True,
        "settings": {"type": "label_selection", "options": options, "visible_options": len(options)},
    }  # fmt: skip


def argilla_records(listed: Sequence[RatingTask]) -> list[dict[str, Any]]:
    """Return records; ``argilla.Record.from_dict`` reads each, ``dataset.records.from_json`` all."""
    return [
        {
            "id": task.code, "fields": {"about": task.about}, "metadata": {}, "suggestions": {}, "responses": {},
            "vectors": {}, "status": "pending", "_server_id": None,
        }
        for task in listed
    ]  # fmt: skip


def read_argilla(exported: object, where: str) -> list[HumanAnswer]:
    """Read exported records.

    Raises
    ------
    InputError
        For another shape, or where nobody has answered.
    """
    if not isinstance(exported, list) or not all(isinstance(record, dict) for record in exported):
        raise InputError(f"{where} is no list of Argilla records; write it by dataset.records.to_json")
    answers = [answer for record in exported for answer in _of_record(record, where)]
    if not answers:
        raise InputError(f"{where} holds no response; export the records after people have answered")
    return answers


def _of_record(record: Mapping[str, Any], where: str) -> Iterator[HumanAnswer]:
    code, responses = record.get("id"), record.get("responses")
    if not isinstance(code, str) or not isinstance(responses, dict):
        raise InputError(f"{where}: a record lacks id or responses; write it by dataset.records.to_json")
    for name, given in responses.items():
        if not isinstance(given, list) or not all(isinstance(one, dict) and "value" in one for one in given):
            raise InputError(f"{where}: the responses to {str(name)[:40]} are no list of values")
        for one in given:
            if one.get("status") != "discarded" and one["value"] is not None:
                yield HumanAnswer(code, str(one.get("user_id") or ""), str(name), str(one["value"]))
