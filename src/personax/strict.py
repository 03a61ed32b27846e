"""Settings that refuse what they do not know, and say what was probably meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Real
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from personax.errors import InputError
from personax.names import distinct_names, safe_name

__all__ = [
    "Access",
    "Alpha",
    "Count",
    "EnvName",
    "Host",
    "Measurement",
    "NamedApart",
    "OutsidePath",
    "Positive",
    "SafeName",
    "Share",
    "Strict",
    "Url",
    "by_source",
    "check_alpha",
    "check_names",
    "check_options",
    "fault_text",
    "nearest",
    "no_option",
    "source_fault",
]

Alpha = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]

_Key = TypeVar("_Key", bound=str)
_Value = TypeVar("_Value")


def _safe(text: str) -> str:
    try:
        return safe_name(text)
    except InputError as error:
        raise PydanticCustomError("not_a_file_name", "{text}", {"text": str(error)}) from None


def _measurement(name: str) -> str:
    if name.casefold() == "id":
        raise PydanticCustomError("not_a_file_name", "a measurement cannot be called id; choose another name")
    return name


def _apart(block: Any, read: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401 - YAML
    """Read a block, and refuse names that would be one file, or that are the same but for their Unicode form."""
    found = read(block)
    check_names(found)
    if len(found) < len(block):
        text = "two names are one but for how their accents are written; rename one"
        raise PydanticCustomError("not_a_file_name", text)
    return found


def check_names(names: Iterable[str]) -> None:
    """Refuse names of a block that pydantic reads where one is no name of a file, or two would be one file.

    Raises
    ------
    PydanticCustomError
        For the first of them.
    """
    try:
        distinct_names([_safe(name) for name in names], "the names")
    except InputError as error:
        raise PydanticCustomError("not_a_file_name", "{text}", {"text": str(error)}) from None


SafeName = Annotated[str, AfterValidator(_safe)]
"""What becomes the name of a file or folder; see `personax.names.safe_name`."""

Measurement = Annotated[SafeName, AfterValidator(_measurement)]
"""The name of a measurement, which becomes a column beside ``id``."""

NamedApart = Annotated[dict[_Key, _Value], WrapValidator(_apart)]
"""Names that are those of files, no two of which would be one on a disk that does not tell capitals apart."""


_SYNONYMS: Final = {"gpu": "cuda", "false": "none"}
"""What other programs call a choice -> what it is called here, where that is one of the choices."""


@dataclass(frozen=True)
class Access:
    """Mark of a setting whose value names something outside of a study; `personax trust` lists what carries it.

    Parameters
    ----------
    kind
        ``url``: an address that is asked; ``host``: one that pictures may come from; ``path``: a file or folder;
        ``variable``: an environment variable; ``template``: text with ``${VARIABLE}`` in it; ``hub``: a model or data
        set of a hub, or a folder.
    words
        Values that are none, such as ``headshots`` in the place of a folder.
    """

    kind: Literal["url", "host", "path", "variable", "template", "hub"]
    words: tuple[str, ...] = ()


Url = Annotated[str, Access("url")]
OutsidePath = Annotated[str, Access("path")]
EnvName = Annotated[str, Access("variable")]
Host = Annotated[str, Access("host")]


def nearest(word: str, choices: list[str]) -> str:
    """Return a phrase that names the choice nearest to a misspelt word.

    Examples
    --------
    >>> nearest("heigth", ["height", "weight"])
    'did you mean height?'
    >>> nearest("x", ["height", "weight"])
    'choose from height, weight'
    """
    close = _close(word, choices)
    if close:
        return f"did you mean {close}?"
    if not choices:
        return "there is none to choose from"
    shown = ", ".join(choices[:12]) + (" ..." if len(choices) > 12 else "")
    return f"choose from {shown}"


def no_option(what: str, option: object, known: Collection[str]) -> str:
    """Return the sentence about an option that something does not take: the nearest one, and all that it takes.

    Examples
    --------
    >>> no_option("kci", "nul", ["null", "bandwidth"])
    'kci has no option nul; did you mean null? (it takes null, bandwidth)'
    >>> no_option("gcm", "null", [])
    'gcm has no option null; it takes none'
    """
    close = _close(str(option), list(known))
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    return f"{what} has no option {option}; " + (f"did you mean {close}? ({takes})" if close else takes)


def check_options(what: str, function: Callable[..., object], options: Mapping[str, object], *leave: str) -> None:
    """Refuse options that a function has no keyword for, in one sentence for all of them.

    Parameters
    ----------
    what
        What people call the function.
    function
        A function or class; one with ``**options`` of its own takes all.
    leave
        Keywords that are no options of people.

    Raises
    ------
    InputError
        An option that it does not take.
    """
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    known = [name for name in parameters if name not in leave]
    if unknown := [no_option(what, option, known) for option in options if option not in known]:
        raise InputError("; ".join(unknown))


def _close(word: str, choices: list[str]) -> str | None:
    """Return the choice that a misspelt word means: the same letters, the same meaning, nearly the same letters."""
    folded = word[:_SHOWN].casefold()
    meant = _SYNONYMS.get(folded, folded)
    same = [choice for choice in choices if choice.casefold() in (folded, meant)]
    return next(iter(same or get_close_matches(word[:_SHOWN], choices, n=1, cutoff=0.6)), None)


class Strict(BaseModel):
    """A frozen block of settings: no silent conversion, no unknown key.

    Raises
    ------
    InputError
        When it is made with settings that cannot be: one sentence that names all of them. `model_validate`, which reads
        blocks within blocks, raises pydantic's ValidationError.

    Examples
    --------
    >>> class Size(Strict):
    ...     height: int
    >>> Size(heigth=3)
    Traceback (most recent call last):
        ...
    personax.errors.InputError: Size: unknown key heigth; did you mean height?
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True)

    old_keys: ClassVar[Mapping[str, str]] = {}
    """Key of an earlier version -> its name now; study files with either are read."""

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            texts = [_with_place(dict(fault)) for fault in error.errors()]
            raise InputError(f"{_called(type(self))}: {'; '.join(texts)}") from None

    # pydantic reads a block within a block without a call of __init__, so that the outer one tells all faults
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse a change in place: a stage that has begun and its manifest would differ."""
        if not name.startswith("_"):
            raise InputError(_in_place(type(self), name))
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Refuse as `__setattr__` does."""
        raise InputError(_in_place(type(self), name))

    def replaced(self, **changes: Any) -> Self:
        """Return the same settings with some changed, checked as at first."""
        return type(self)(**({name: getattr(self, name) for name in type(self).model_fields} | changes))

    @model_validator(mode="wrap")
    @classmethod
    def _know_every_key(cls, raw: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:  # noqa: ANN401 - YAML
        """Name unknown keys beside all other faults: one of them must not hide the rest."""
        if not isinstance(raw, dict):
            return validate(raw)
        raw = {cls.old_keys.get(key, key): value for key, value in raw.items()}
        known = [info.alias or name for name, info in cls.model_fields.items()]
        unknown = [key for key in raw if key not in known and key not in cls.model_fields]
        if not unknown:
            return validate(raw)
        faults = [_unknown(key, known, raw) for key in unknown[:_UNKNOWN]]
        try:
            validate({key: value for key, value in raw.items() if key not in unknown})
        except ValidationError as error:
            meant = {nearest(str(key), known) for key in unknown[:_UNKNOWN]}
            faults += [_again(fault) for fault in error.errors() if not _is_missing(fault, meant)]
        raise ValidationError.from_exception_data(cls.__name__, faults)


def _called(kind: type[Strict]) -> str:
    """Return what people call a block: the section of a study file, or the class that they name in Python."""
    name = kind.__name__
    return f"settings of {name.removesuffix('Section').lower()}" if name.endswith("Section") else name


def _in_place(kind: type[Strict], name: str) -> str:
    if name not in kind.model_fields:
        return f"{_called(kind)}: there is no {name}; {nearest(name, list(kind.model_fields))}"
    return f"{_called(kind)} cannot be changed in place; .replaced({name}=...) returns a changed copy"


def by_source(known: Callable[[], Mapping[str, type[Strict]]]) -> PlainValidator:
    """Return the validator of a block of which the key ``source`` says what the other keys are.

    A source that is not known hides no other fault: the block is compared with the source that was probably meant;
    where none is near, the keys that no source has are told.
    """

    def read(raw: object) -> Strict:
        if isinstance(raw, Strict):
            return raw
        if not isinstance(raw, dict):
            meant = _close(raw, list(known())) if isinstance(raw, str) else None
            hint = f"; write {{source: {meant}}}" if meant else ""
            text = "must be keys with values, {key: value}, not {given}{hint}"
            raise PydanticCustomError("no_block", text, {"given": _short(raw), "hint": hint})
        kinds, source = known(), raw.get("source")
        kind = kinds.get(source) if isinstance(source, str) else None
        if kind is not None:
            return kind.model_validate(raw)
        raise source_fault(raw, kinds)

    return PlainValidator(read)


def source_fault(raw: dict[Any, Any], kinds: Mapping[str, type[Strict]]) -> ValidationError:
    """Return all faults of a block whose source is missing or not known; see `by_source`."""
    error = PydanticCustomError("no_source", "the key source is missing")
    if "source" in raw:
        told = {"name": _short(raw["source"]), "hint": nearest(str(raw["source"]), list(kinds))}
        error = PydanticCustomError("no_source", "source {name} is not known; {hint}", told)
    misspelt = "source" not in raw and any(_close(str(key), ["source"]) for key in raw)
    first = [] if misspelt else [InitErrorDetails(type=error, input=raw)]
    return ValidationError.from_exception_data("source", [*first, *_beside(raw, kinds)])


def _beside(raw: dict[Any, Any], kinds: Mapping[str, type[Strict]]) -> list[InitErrorDetails]:
    """Return the faults of a block whose source is not known."""
    meant = _close(str(raw["source"]), list(kinds)) if "source" in raw else None
    if meant is not None:
        source = {"source": meant} if "source" in kinds[meant].model_fields else {}
        try:
            kinds[meant].model_validate({key: value for key, value in raw.items() if key != "source"} | source)
        except ValidationError as error:
            return [_again(fault) for fault in error.errors()]
        return []
    keys = {"source"} | {info.alias or name for kind in kinds.values() for name, info in kind.model_fields.items()}
    return [_of_no_source(key, sorted(keys), raw) for key in raw if key not in keys]


def _of_no_source(key: object, known: list[str], raw: object) -> InitErrorDetails:
    close = _close(str(key), known)
    context = {"key": key, "hint": f"did you mean {close}?" if close else "no source takes it"}
    return InitErrorDetails(type=PydanticCustomError("unknown_key", "unknown key {key}; {hint}", context), input=raw)


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


_SHOWN: Final = 120
"""Characters of a setting that a sentence repeats."""

_UNKNOWN: Final = 100
"""Unknown keys of one block that are told."""

_LONGEST: Final = 500
"""Characters of a sentence; one that names a dozen choices has half of them."""

_COMPLETE: Final = {
    "a_key", "base_url", "framework", "items",
    "name_shown", "no_block", "no_items", "no_key", "no_path", "no_probabilities", "no_url", "no_weights",
    "no_wording", "no_words", "picture", "prompt", "no_contact", "no_fields", "no_header", "no_price",
    "no_source", "not_a_language", "not_a_name",
    "not_a_file_name", "not_a_url", "not_an_address", "ours", "test_option", "twice", "twin",
    "unknown_key", "unused",
}  # fmt: skip
"""Faults whose message says all; what was given is not repeated, for it may be a key."""


def fault_text(fault: Mapping[str, Any]) -> str:
    """Return what is wrong with a setting, from one of pydantic's errors: not where, which `loc` tells.

    Examples
    --------
    >>> fault_text({"type": "greater_than", "msg": "Input should be greater than 0", "loc": ("k",), "input": -1})
    'must be greater than 0, not -1'
    """
    text = _told(fault)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _told(fault: Mapping[str, Any]) -> str:
    kind, given, message = fault["type"], fault.get("input"), fault["msg"]
    if kind == "missing":
        return f"the key {fault['loc'][-1]} is missing"
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in fault["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f"{_short(given)} is not possible; {nearest(str(given), choices)}"
    if kind == "union_tag_invalid":
        choices = [choice.strip("' ") for choice in fault["ctx"]["expected_tags"].split(",")]
        return f"source {fault['ctx']['tag']!r} is not known; {nearest(fault['ctx']['tag'], choices)}"
    if kind == "union_tag_not_found":
        return "the key source is missing"
    if kind in _COMPLETE:
        return str(message)
    if kind == "sequence_str" or "an instance of Sequence" in message:
        return f"must be a valid list, not {_short(given)}"
    if kind in ("int_type", "float_type") and isinstance(given, str) and (number := _number(given)):
        return f"{_plain(message)}, not {given!r}; YAML reads this as text, write {number}"
    if "headers" in fault["loc"] or "choose from" in message or "did you mean" in message:
        return _plain(message)  # headers may hold a secret; the others name what was given
    return f"{_plain(message)}, not {_short(given)}"


def _with_place(fault: Mapping[str, Any]) -> str:
    text = fault_text(fault)
    place = ".".join(str(part) for part in fault["loc"])
    return text if not place or fault["type"] == "missing" else f"{place}: {text}"


def _number(text: str) -> str:
    """Return the number that a text means as YAML writes it; empty where it means none."""
    try:
        value = float(text)
    except ValueError:
        return ""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else "" if text.lower() == "nan" else str(value)


def _short(given: object) -> str:
    """Return what was given, cut: a list of thousands of names helps nobody."""
    shown = repr(given)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} ..."


def _plain(message: str) -> str:
    """Turn pydantic's sentence into ours: 'Input should be a valid integer' -> 'must be a valid integer'."""
    plain = re.sub(
        r"a valid dictionary( or (instance of \w+|object to extract fields from))?",
        "keys with values, {key: value}",
        message,
    )
    return plain.replace("Input should be", "must be").replace("Input should have", "must have")


def check_alpha(alpha: object) -> None:
    """Refuse a level that does not lie between 0 and 1.

    Raises
    ------
    InputError
        When it does not, or is no number.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        raise InputError(f"alpha is {alpha!r}; a level lies between 0 and 1, such as 0.05")
