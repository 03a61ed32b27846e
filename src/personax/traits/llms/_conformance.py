"""`check_provider`: whether a client of LLMs keeps the contract, against an endpoint that behaves as it should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from personax import registry
from personax.http import TransientError
from personax.traits.llms._provider import Completion, InvalidRequestError, Model, ModelUnavailableError

__all__ = ["check_provider"]

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}

FAILURES = "TransientError, InvalidRequestError or ModelUnavailableError"

MESSAGES = [{"role": "system", "content": "You rate."}, {"role": "user", "content": "Rate from 1 to 5."}]


def check_provider(name: str, model: Model, *, failing: Model | None = None) -> None:
    """Check that a registered provider does what the annotation of people relies on.

    Checked are: the registration; that one request gives a `Completion` with text, latency and whole numbers of tokens;
    that messages are left as they are; that concurrent requests each get their completion; that closing twice is no
    error; and that a failure is a `personax.http.TransientError`, an `InvalidRequestError` or a
    `ModelUnavailableError`, which say what is to be done, and shows no key.

    Parameters
    ----------
    name
        As registered under ``providers``.
    model
        An endpoint that answers; a server of a test on this machine, say.
    failing
        One that does not, for example an address where nobody listens.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.
    """

    def demand(holds: object, text: str) -> None:
        if not holds:
            raise AssertionError(f"{name}: {text}")

    try:
        make = registry.get("providers", name)
    except registry.RegistryError as error:
        raise AssertionError(f"{name}: {error}") from None
    asyncio.run(_answers(demand, make, model))
    if failing is not None:
        asyncio.run(_fails(demand, make, failing))


Demand = Callable[[object, str], None]


async def _answers(demand: Demand, make: Callable[..., Any], model: Model) -> None:
    for schema in (SCHEMA, None):
        provider = make(model, schema)
        messages = [dict(message) for message in MESSAGES]
        completion = await provider.ask(messages, "key-1")
        demand(messages == MESSAGES, "it changes the messages; work on a copy")
        demand(isinstance(completion, Completion), f"ask returns {type(completion).__name__}; return a Completion")
        demand(completion.reply.content or completion.reply.refusal, "the reply has neither text nor refusal; fill one")
        demand(completion.latency >= 0, f"latency is {completion.latency}; give seconds")
        for tokens in (completion.tokens_in, completion.tokens_out):
            whole = tokens is None or (isinstance(tokens, int) and tokens >= 0)
            demand(whole, f"tokens are {tokens!r}; give whole numbers, None where not known")
        several = await asyncio.gather(*(provider.ask(messages, f"key-{k}") for k in range(4)))
        demand(
            all(isinstance(one, Completion) for one in several),
            "of several concurrent requests some have no Completion",
        )
        await provider.close()
        await provider.close()


async def _fails(demand: Demand, make: Callable[..., Any], failing: Model) -> None:
    provider = make(failing, None)
    try:
        await provider.ask(MESSAGES, "key-1")
    except (TransientError, InvalidRequestError, ModelUnavailableError) as error:
        demand(str(error), "a failure says nothing; give its reason")
    except Exception as error:
        raise AssertionError(f"a failure is a {type(error).__name__}; raise {FAILURES}") from error
    else:
        demand(False, f"an endpoint that fails gives an answer; raise {FAILURES}")
    finally:
        await provider.close()
