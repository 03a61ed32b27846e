"""What endpoints take and refuse, as data: names of parameters, temperature, schemas; and how to learn it of others.

All speak OpenAI's chat completions, each with exceptions: reasoning models take ``max_completion_tokens`` and no
temperature, Gemini refuses a schema with an enumeration of numbers. What a host or a model's name does not tell, the
endpoint's own refusal does: it names the parameter, which is then renamed or left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from personax.files import Json

__all__ = ["SIMPLER", "Profile", "adapted_profile", "allowed_schema", "profile_of", "sampling_parameters"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What an endpoint takes.

    Parameters
    ----------
    max_tokens
        Its name for the limit of an answer's tokens.
    temperature
        Whether a temperature may be given.
    integer_enum
        Whether a schema may enumerate numbers; else they are enumerated as texts, which parsing reads alike.
    strict
        Whether a schema may be called strict.
    structured
        What of structured output it takes, of `STRUCTURED`; ``schema`` until it is refused.
    logprobs
        Whether probabilities of tokens can be asked for.
    """

    max_tokens: str = "max_tokens"
    temperature: bool = True
    integer_enum: bool = True
    strict: bool = True
    structured: str = "schema"
    logprobs: bool = True

    @classmethod
    def from_settings(cls, known: Mapping[str, Any]) -> Profile:
        """Return the profile of settings as a journal has them; what this version does not know is left out."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in known.items() if name in names})


SIMPLER: Final = {"schema": "json", "object": "json", "tool": "none", "json": "none"}
"""What is asked for in place of a kind of structured output that is refused: any JSON object, then nothing."""


REASONING: Final = re.compile(r"(^|/)(o[1-9]|gpt-[5-9])(\b|[-.])", re.IGNORECASE)
"""Names of models that think before they answer: o1, o3-mini, gpt-5.1, openai/gpt-5-mini ..."""


def profile_of(base_url: str, model: str) -> Profile:
    """Return what a model at an endpoint takes, as far as their names tell.

    References
    ----------
    OpenAI, "Reasoning models" and "Structured model outputs"; Google, "OpenAI compatibility" and "Structured output" of
    the Gemini API; read in November 2026.

    Examples
    --------
    >>> profile_of("https://api.openai.com/v1", "gpt-5-mini").max_tokens
    'max_completion_tokens'
    >>> profile_of("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash").integer_enum
    False
    """
    host = (urlsplit(base_url).hostname or "").lower()
    profile = Profile()
    if host.endswith("googleapis.com") or "gemini" in model.lower():
        profile = replace(profile, integer_enum=False)
    if REASONING.search(model) and "gpt-oss" not in model.lower():
        routed = not host.endswith(("openai.com", "azure.com"))  # routers translate the limit themselves
        profile = replace(profile, temperature=False, max_tokens="max_tokens" if routed else "max_completion_tokens")
    return profile


STRUCTURED: Final = (
    "response_format", "response format", "json_schema", "json_object", "output_config", "output_config.format",
    "output_format", "structured outputs?", "text.format", "tool_choice",
)  # fmt: skip
"""By which names endpoints refuse structured output."""


def adapted_profile(
    profile: Profile, refusal: str, simpler: Mapping[str, str] = MappingProxyType(SIMPLER)
) -> Profile | None:
    """Return the profile that a refusal asks for; None where it names nothing that can be changed.

    Parameters
    ----------
    profile
        With which was asked.
    refusal
        The endpoint's words.
    simpler
        Kind of structured output -> what is asked for when it is refused.

    Examples
    --------
    >>> said = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    >>> adapted_profile(Profile(), said).max_tokens
    'max_completion_tokens'
    """
    said = refusal.lower()
    changed = profile
    if re.search(r"use\W+max_completion_tokens", said):
        changed = replace(changed, max_tokens="max_completion_tokens")
    if _refuses("temperature", said):
        changed = replace(changed, temperature=False)
    if _refuses("enum", said):
        changed = replace(changed, integer_enum=False)
    if _refuses("strict", said):
        changed = replace(changed, strict=False)
    if _refuses("(top_)?logprobs", said):
        changed = replace(changed, logprobs=False)
    if changed == profile and profile.structured in simpler and _refuses(f"({'|'.join(STRUCTURED)})", said):
        changed = replace(changed, structured=simpler[profile.structured])
    return None if changed == profile else changed


NO: Final = "|".join(
    ["unsupported", "not supported", "does not support", "not permitted", "not allowed", "unknown", "unrecognized",
     "invalid value", "invalid parameter", "unexpected", "extra inputs", "deprecated", "unavailable"]
)  # fmt: skip
"""Words by which endpoints refuse a parameter."""


def _refuses(parameter: str, said: str) -> bool:
    """Say whether a sentence refuses a parameter by its name, as a word of its own: a biography may hold it too."""
    named = rf"(?<![a-z]){parameter}(?![a-z])"
    return re.search(rf"({NO})\W.{{0,200}}{named}|{named}.{{0,200}}\W({NO})", said) is not None


def sampling_parameters(
    profile: Profile,
    *,
    temperature: float | None,
    max_tokens: int,
    schema: Mapping[str, Any] | None,
    schema_name: str,
    extra_body: Mapping[str, Any],
    logprobs: bool = False,
) -> dict[str, Any]:
    """Return what goes into a request besides the model and the messages.

    Parameters
    ----------
    extra_body
        Added last; None takes a parameter away.
    """
    given: dict[str, Any] = {profile.max_tokens: max_tokens}
    if temperature is not None and profile.temperature:
        given["temperature"] = temperature
    if schema is not None:
        allowed, structured = allowed_schema(profile, schema), profile.structured
        if structured == "schema":
            wanted = {"name": schema_name, "strict": profile.strict, "schema": allowed}
            given["response_format"] = {"type": "json_schema", "json_schema": wanted}
        elif structured == "object":
            given["response_format"] = {"type": "json_object", "schema": allowed}
        elif structured == "json":
            given["response_format"] = {"type": "json_object"}
    if logprobs and profile.logprobs:
        given |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    return {name: value for name, value in {**given, **extra_body}.items() if value is not None}


TOP_LOGPROBS: Final = 5
"""Most probable tokens asked for at each place; some endpoints give no more."""


def allowed_schema(profile: Profile, schema: Mapping[str, Json]) -> Json:
    """Return a schema as the endpoint takes it: without enumerations of numbers where it refuses those."""
    return schema if profile.integer_enum else _enumerated_as_text(schema)


def _enumerated_as_text(schema: Json) -> Json:
    if isinstance(schema, Mapping):
        if schema.get("type") == "integer" and "enum" in schema:
            return {**schema, "type": "string", "enum": [str(one) for one in schema["enum"]]}
        return {name: _enumerated_as_text(value) for name, value in schema.items()}
    return [_enumerated_as_text(one) for one in schema] if isinstance(schema, list) else schema
