"""OpenTelemetry spans of requests, where the package opentelemetry is installed and the program has set it up.

A span says which model, how long, how many tokens and how it ended; what was asked, what was answered, and about whom
never goes into one. Names are those of the semantic conventions for generative AI.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from personax.traits.llms._provider import Completion, Model

__all__ = ["RequestSpan"]


class RequestSpan:
    """One request to a model, with its retries; nothing happens where there is no opentelemetry.

    Parameters
    ----------
    model
        That is asked.
    turn
        1 where an answer is asked for once more.
    """

    def __init__(self, model: Model, turn: int) -> None:
        self._model, self._turn = model, turn
        self._span: Any = None

    def __enter__(self) -> Self:
        tracer = _tracer()
        if tracer is not None:
            model = self._model
            given = {
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": model.provider,
                "gen_ai.request.model": model.model, "gen_ai.request.max_tokens": model.max_tokens,
                "gen_ai.request.temperature": model.temperature, "personax.turn": self._turn,
                "server.address": urlsplit(model.base_url).hostname,
            }  # fmt: skip
            known = {name: value for name, value in given.items() if value is not None}
            self._span = tracer.start_span(f"chat {model.model}", attributes=known)
        return self

    def completed(self, completion: Completion) -> None:
        """Note what came back, without its words."""
        if self._span is None:
            return
        found = {
            "gen_ai.response.model": completion.upstream.get("model"),
            "gen_ai.response.finish_reasons": [completion.reply.finish] if completion.reply.finish else None,
            "gen_ai.usage.input_tokens": completion.tokens_in, "gen_ai.usage.output_tokens": completion.tokens_out,
        }  # fmt: skip
        for name, value in found.items():
            if value is not None:
                self._span.set_attribute(name, value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is None:
            return
        if kind is not None:  # its words may quote what was asked
            self._span.set_attribute("error.type", kind.__name__)
        self._span.end()


@lru_cache(maxsize=1)
def _tracer() -> Any:  # noqa: ANN401 - opentelemetry's
    try:
        return import_module("opentelemetry.trace").get_tracer("personax")
    except ImportError:
        return None
