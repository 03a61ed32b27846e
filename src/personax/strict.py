"""Settings that refuse what they do not know, and say what was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

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

    @model_validator(mode="wrap")
    @classmethod
    def _know_every_key(cls, raw: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - YAML
        """Name unknown keys beside all other faults: one of them must not hide the rest."""
        if not isinstance(raw, dict):
            return validate(raw)
        known = [info.alias or name for name, info in cls.model_fields.items()]
        unknown = [key for key in raw if key not in known and key not in cls.model_fields]
        if not unknown:
            return validate(raw)
        faults = [_unknown(key, known, raw) for key in unknown]
        try:
            validate({key: value for key, value in raw.items() if key not in unknown})
        except ValidationError as error:
            meant = {nearest(str(key), known) for key in unknown}
            faults += [_again(fault) for fault in error.errors() if not _is_missing(fault, meant)]
        raise ValidationError.from_exception_data(cls.__name__, faults)


def _unknown(key: object, known: list[str], raw: object) -> InitErrorDetails:
    context = {"key": key, "hint": nearest(str(key), known)}
    return InitErrorDetails(type=PydanticCustomError("unknown_key", "unknown key {key}; {hint}", context), input=raw)


def _is_missing(fault: ErrorDetails, meant: set[str]) -> bool:
    """Say whether a key is only missing because it is misspelt, which is told already."""
    return fault["type"] == "missing" and f"did you mean {fault['loc'][-1]}?" in meant


def _again(fault: ErrorDetails) -> InitErrorDetails:
    """Return a fault that was raised before, to be raised again beside others."""
    kind = PydanticCustomError(fault["type"], fault["msg"], fault.get("ctx"))
    return InitErrorDetails(type=kind, loc=fault["loc"], input=fault["input"])
