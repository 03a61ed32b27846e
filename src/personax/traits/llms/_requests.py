"""Surveys: the questions, models and people of a study as chat requests, journal keys, and estimated cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, islice
from typing import Any, Final, Generic, Protocol, TypeVar

from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._pictures import PICTURE_TOKENS
from personax.traits.llms._prompt import Message, content_hash
from personax.traits.llms._provider import Completion, Model
from personax.traits.llms._reply_parsing import Reply, json_object

__all__ = [
    "CHUNK_SIZE",
    "VERSION",
    "ChatRequest",
    "CostEstimate",
    "Q",
    "Question",
    "Survey",
    "booked_cost",
    "chunked",
    "estimate_cost",
    "iter_requests",
    "longer_request",
    "most_cost",
    "prompt_tokens",
    "repair_request",
    "was_cut_off",
]

CHARACTERS_PER_TOKEN: Final = 4.0
"""Characters a token in English; other scripts take more tokens."""

LONGER: Final = 4
"""How many times more tokens an answer may have that was cut off, when it is asked for once more."""

EXPECTED_OUTPUT_TOKENS: Final = 220
"""Tokens of an answer: five descriptions of at most twenty words."""

VERSION: Final = "\x1f"
"""Stands in an id between a person and what an audit changed of it."""

CHUNK_SIZE: Final = 256
"""Requests looked up in the journal at once."""


class Question(Protocol):
    """A kind of question about a person; `personax.traits.llms.Prompt` is one."""

    @property
    def name(self) -> str:
        """Name in tables and in the journal."""

    @property
    def hash(self) -> str:
        """Hash of all that changes the messages or the schema."""

    def context(self, person: Mapping[str, Any]) -> dict[str, str]:
        """Return the fields of a person that the model is shown; empty where there is nothing to ask about."""

    def messages(self, context: Mapping[str, str]) -> list[Message]:
        """Return the messages of a request."""

    def schema(self) -> dict[str, Any] | None:
        """Return the JSON schema of an answer; None for free text."""

    def problem(self, reply: Reply) -> str | None:
        """Return what is wrong with the shape of a reply; None where no repair is asked for."""

    def repair(self, messages: Sequence[Message], reply: str, problem: str) -> list[Message]:
        """Return the messages that ask for a repair."""


@dataclass(frozen=True)
class ChatRequest:
    """One chat request to one model.

    Parameters
    ----------
    key
        A hash of all that changes the answer: the model's settings, the prompt's wording and settings, what is shown
        of the person, which repeat, which turn.
    person, repeat
        About whom; which time it is asked.
    render
        Writes what is sent; most requests of a second run are never written.
    """

    key: str
    person: str
    repeat: int
    render: Callable[[], Sequence[Message]]

    @cached_property
    def messages(self) -> Sequence[Message]:
        """The messages, rendered when first needed."""
        return self.render()

    @cached_property
    def tokens(self) -> int:
        """Estimated input tokens: four characters of English are one, any other character is one by itself."""
        return prompt_tokens(self.messages)


Q = TypeVar("Q", bound=Question, covariant=True)


@dataclass(frozen=True)
class Survey(Generic[Q]):
    """A question to be put to several models about many people.

    Parameters
    ----------
    people
        Each a mapping with ``id`` and the prompt's fields; gone through more than once.
    models
        Who is asked.
    prompt
        How.
    repeats
        How many times; none of them comes from another.
    part
        ``(i, n)``: only the i-th of n parts of the requests, which their keys decide; so hosts share them without
        speaking to each other.
    """

    people: Sequence[Mapping[str, Any]]
    models: Sequence[Model]
    prompt: Q
    repeats: int = 1
    part: tuple[int, int] = (1, 1)

    @property
    def total(self) -> int:
        """Return the number of requests, repairs not counted; of a part, about."""
        return -(-len(self.people) * len(self.models) * self.repeats // self.part[1])


def iter_requests(
    survey: Survey[Question], model: Model, settings: Sequence[Any] | None = None
) -> Iterator[ChatRequest]:
    """Iterate over the requests to a model; people without any of the prompt's fields are skipped.

    Parameters
    ----------
    survey, model
        What is asked of whom.
    settings
        Of which keys are made; the model's own by default.
    """
    prompt, settings = survey.prompt.hash, model.settings() if settings is None else settings
    for repeat in range(survey.repeats):
        for person in survey.people:
            context = survey.prompt.context(person)
            if context:
                key = content_hash([settings, prompt, context, repeat, 0])
                if int(key[:12], 16) % survey.part[1] == survey.part[0] - 1:
                    yield ChatRequest(key, str(person["id"]), repeat, partial(survey.prompt.messages, context))


def repair_request(request: ChatRequest, prompt: Question, reply: str, problem: str) -> ChatRequest:
    """Return the request that asks for a repair of a reply of the wrong shape."""
    key = content_hash([request.key, reply, problem, 1])
    return ChatRequest(key, request.person, request.repeat, lambda: prompt.repair(request.messages, reply, problem))


def longer_request(request: ChatRequest) -> ChatRequest:
    """Return the request that asks once more, in the same words, for an answer that was cut off."""
    return ChatRequest(content_hash([request.key, "longer", LONGER]), request.person, request.repeat, request.render)


def was_cut_off(reply: Reply) -> bool:
    """Say whether a reply stops in the middle, for want of tokens."""
    return reply.finish == "length" and json_object(reply.content or "") is None


def prompt_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages take."""
    return sum(_tokens(message["content"]) for message in messages)


def _tokens(content: str | Sequence[Mapping[str, Any]]) -> int:
    if not isinstance(content, str):
        return sum(_tokens(part["text"]) if part["type"] == "text" else PICTURE_TOKENS for part in content)
    text = content
    plain = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    return round(plain / CHARACTERS_PER_TOKEN) + len(text) - plain


def booked_cost(model: Model, sent: int, completion: Completion, *, batched: bool = False) -> float | None:
    """Return what a reply is booked at; None without a price.

    What the provider does not count is estimated: the prompt by its characters, the answer as the longest there may be,
    or as what came where that is more. So a cap stays a cap in later runs.
    """
    longest = max(model.max_tokens, _tokens(completion.reply.content or ""))
    tokens_in = sent if completion.tokens_in is None else completion.tokens_in
    return model.cost(tokens_in, longest if completion.tokens_out is None else completion.tokens_out, batched=batched)


def most_cost(request: ChatRequest, model: Model, *, batched: bool = False) -> float:
    """Return what a request can cost at most, about: an answer of all tokens that it may have; 0 without a price."""
    return model.cost(request.tokens, model.max_tokens, batched=batched) or 0.0


@dataclass(frozen=True)
class CostEstimate:
    """Requests to a model that are open, and their estimated tokens and cost.

    Parameters
    ----------
    model
        Its name.
    answered, left
        Requests with and without a reply in the journal.
    tokens_in, tokens_out
        Of those left, about.
    cost
        Of those left, about; None without a price.
    """

    model: str
    answered: int
    left: int
    tokens_in: int
    tokens_out: int
    cost: float | None


def estimate_cost(survey: Sequence[Survey[Question]], journal: ReplyJournal) -> list[CostEstimate]:
    """Estimate open requests, tokens and cost of each model; repairs and retries come on top.

    Parameters
    ----------
    survey
        Sets of questions to the same models; what stands in two of them is asked once.
    """
    estimates = []
    for model in survey[0].models:
        answered = left = tokens = 0
        for requests in chunked(chain.from_iterable(iter_requests(one, model) for one in survey)):
            answered_keys = journal.answered([request.key for request in requests])
            open_requests = [request for request in requests if request.key not in answered_keys]
            answered, left = answered + len(answered_keys), left + len(open_requests)
            tokens += sum(request.tokens for request in open_requests)
        out = left * EXPECTED_OUTPUT_TOKENS
        estimates.append(
            CostEstimate(model.name, answered, left, tokens, out, model.cost(tokens, out, batched=model.batch))
        )
    return estimates


def chunked(requests: Iterable[ChatRequest]) -> Iterator[list[ChatRequest]]:
    """Yield requests in chunks that are looked up at once; duplicates by key are dropped."""
    seen: set[str] = set()
    iterator = iter(requests)
    while chunk := list(islice(iterator, CHUNK_SIZE)):
        new = {request.key: request for request in chunk if request.key not in seen}
        seen.update(new)
        yield list(new.values())
