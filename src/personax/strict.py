"""Settings that refuse what they do not know, and say what was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

__all__ = ["Strict", "nearest"]


def nearest(word: str, choices: list[str]) -> str:
    """Return a phrase that names the choice nearest to a misspelt word.

    Examples
    --------
    >>> nearest("heigth", ["height", "weight"])
    'did you mean height?'
    >>> nearest("x", ["height", "weight"])
    'choose from height, weight'
    """
    close = get_close_matches(word, choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    shown = ", ".join(choices[:12]) + (" ..." if len(choices) > 12 else "")
    return f"choose from {shown}"


class Strict(BaseModel):
    """A frozen block of settings: no silent conversion, no unknown key.

    Raises
    ------
    pydantic.ValidationError
        With the type ``unknown_key`` and the nearest known key in the message.

    Examples
    --------
    >>> class Size(Strict):
    ...     height: int
    >>> Size.model_validate({"heigth": 3})
    Traceback (most recent call last):
        ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for Size
      unknown key heigth; did you mean height? [type=unknown_key, ...]
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, raw: Any) -> Any:  # noqa: ANN401 - whatever YAML held
        if not isinstance(raw, dict):
            return raw
        known = [info.alias or name for name, info in cls.model_fields.items()]
        for key in raw:
            if key not in known and key not in cls.model_fields:
                message = "unknown key {key}; {hint}"
                raise PydanticCustomError("unknown_key", message, {"key": key, "hint": nearest(str(key), known)})
        return raw
