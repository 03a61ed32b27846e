"""An LLM as a study names it: no key and no password is ever part of it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer
from pydantic_core import PydanticCustomError

from personax.plan.amounts import Count
from personax.plan.parts import part_name
from personax.strict import Strict


class LLM(Strict):
    """A model, where it is asked, and how; see `personax.traits.llms.provider.Model`.

    What is excluded changes no answer, so that a stage is not stale when it changes.
    """

    name: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    base_url: str
    key: str | None = Field(default=None, exclude=True)
    structured: Literal["schema", "object", "json", "none"] = "schema"
    temperature: float | None = 0.0
    max_tokens: Count = 600
    concurrency: int = Field(default=8, ge=1, exclude=True)
    requests_per_minute: float | None = Field(default=None, gt=0, exclude=True)
    tokens_per_minute: float | None = Field(default=None, gt=0, exclude=True)
    timeout: float = Field(default=120.0, gt=0, exclude=True)
    input_price: float | None = Field(default=None, ge=0, exclude=True)
    output_price: float | None = Field(default=None, ge=0, exclude=True)
    batch: bool = Field(default=False, exclude=True)
    batch_discount: float = Field(default=0.5, ge=0, le=1, exclude=True)
    provider: Annotated[str, part_name("providers")] = "openai"

    @model_serializer(mode="wrap")
    def _without_the_usual_provider(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the provider that every study had before others could be named: it makes no stage stale."""
        told: dict[str, Any] = dump(self)
        if told.get("provider") == "openai":
            del told["provider"]
        return told

    @field_validator("key")
    @classmethod
    def _is_the_name_of_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            # the value is not repeated: it may be the key itself
            raise PydanticCustomError(
                "not_a_name", "key is the name of an environment variable, such as OPENAI_API_KEY"
            )
        return name

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s@?#]+", url):
            raise PydanticCustomError("not_a_url", "base_url is an http(s) address without a password or key in it")
        return url
