"""What an endpoint takes, found out by one request, and kept in the journal so that no refusal is met twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from personax.files import parse_json, sqlite_faults
from personax.http import TransientError, run_until_signal
from personax.traits.llms._journal import ReplyJournal
from personax.traits.llms._profiles import Profile
from personax.traits.llms._prompt import Prompt, content_hash
from personax.traits.llms._prompt_ratings import prompt_ratings
from personax.traits.llms._provider import InvalidRequestError, Model, ModelUnavailableError, Provider, make_provider
from personax.traits.llms._reply_parsing import UNREADABLE, Reply, TraitRating
from personax.traits.llms._requests import prompt_tokens

__all__ = ["Capability", "apply_known_profile", "keep_profile", "known_profile", "probe_models"]

INVENTED: Final = {
    "id": "probe",
    "name": "Ada Example",
    "biography": "Ada Example is an invented person. She is said to be lively and talkative, keeps her promises, and "
    "stays calm under strain.",
}
"""Whom a probe is about: nobody's text leaves for it."""


DECLINED: Final = {
    "filtered": "the provider's filter withheld it",
    "refused": "it declines",
    "privacy": "it declines for privacy",
}
"""What is not read because nothing was said, by status."""

SAID: Final = 120
"""Characters of an answer that are shown."""


@dataclass(frozen=True)
class Capability:
    """What came of asking a model once.

    Parameters
    ----------
    model
        Its name.
    takes
        What the endpoint takes: ``max_tokens`` (the name of that parameter), ``temperature``, ``structured``,
        ``strict``, ``integer_enum``, ``logprobs``; empty where the provider keeps no such profile.
    readable
        Whether the answer was one that can be scored.
    counts_tokens
        Whether the provider says how many tokens a reply took; without that, replies are booked at what they can cost.
    answered_by
        What the endpoint calls the model that answered.
    seconds, cost
        Of the one request; cost None without a price or count.
    reason
        Why there was no answer, in the endpoint's words.
    unreadable_reason
        Why its answer cannot be scored, and what it said.
    """

    model: str
    takes: dict[str, Any]
    readable: bool = False
    counts_tokens: bool = False
    answered_by: str | None = None
    seconds: float | None = None
    cost: float | None = None
    reason: str | None = None
    unreadable_reason: str | None = None


def probe_models(models: Sequence[Model], prompt: Prompt, journal: ReplyJournal) -> list[Capability]:
    """Ask every model once, about an invented person, and keep what its endpoint takes.

    A parameter that is refused costs one more request, which providers do not charge for; nothing is retried.

    Raises
    ------
    InputError
        When a key is missing from the environment.
    """
    return run_until_signal(_probe_all(models, prompt, journal))


async def _probe_all(models: Sequence[Model], prompt: Prompt, journal: ReplyJournal) -> list[Capability]:
    providers = [make_provider(model, prompt.schema()) for model in models]
    asked = (_probe(model, provider, prompt) for model, provider in zip(models, providers, strict=True))
    found = await asyncio.gather(*asked)
    for model, provider, one in zip(models, providers, found, strict=True):
        if one.reason is None:
            keep_profile(journal, model, provider)
    return list(found)


async def _probe(model: Model, provider: Provider, prompt: Prompt) -> Capability:
    shown = {name: INVENTED["biography"] for name in prompt.fields}
    messages, began = prompt.messages(shown), time.time_ns()
    try:
        completion = await provider.ask(messages, content_hash([model.settings(), "probe", began]))
    except (TransientError, InvalidRequestError, ModelUnavailableError) as error:
        return Capability(model.name, _takes(provider), reason=str(error))
    finally:
        await provider.close()
    completion = completion.believable(prompt_tokens(messages))
    unreadable = _unreadable(completion.reply, prompt_ratings(completion.reply, prompt, shown))
    counts = None not in (completion.tokens_in, completion.tokens_out)
    return Capability(
        model.name, _takes(provider), unreadable is None, counts, completion.upstream.get("model"), completion.latency,
        model.cost(completion.tokens_in, completion.tokens_out), unreadable_reason=unreadable,
    )  # fmt: skip


def _unreadable(reply: Reply, ratings: Sequence[TraitRating]) -> str | None:
    """Return why nothing of a reply can be scored, and its beginning; None where something can."""
    if any(one.status in ("ok", "insufficient") for one in ratings):
        return None
    status = ratings[0].status
    why = UNREADABLE.get(status) or DECLINED.get(status, status)
    said = " ".join((reply.refusal or reply.content or "").split())
    return f"{why} ({said[:SAID]})" if said else why


def _takes(provider: Provider) -> dict[str, Any]:
    profile = getattr(provider, "profile", None)
    return asdict(profile) if isinstance(profile, Profile) else {}


def known_profile(journal: ReplyJournal, model: Model) -> Profile | None:
    """Return what a model's endpoint takes, as far as it was found out before."""
    with sqlite_faults(journal.path):
        row = journal.connection.execute("SELECT profile FROM endpoints WHERE key = ?", (_key(model),)).fetchone()
    try:
        return None if row is None else Profile.from_settings(parse_json(row[0]))
    except (TypeError, ValueError):  # of a later version, or changed by hand: it is found out again
        return None


def keep_profile(journal: ReplyJournal, model: Model, provider: Provider) -> None:
    """Keep what a model's endpoint takes; providers of other packages have their own ways."""
    profile = _takes(provider)
    if profile and known_profile(journal, model) != Profile(**profile):
        row = (_key(model), model.name, json.dumps(profile), time.time())
        with journal.transaction() as db:
            db.execute("INSERT OR REPLACE INTO endpoints VALUES (?,?,?,?)", row)


def apply_known_profile(provider: Provider, profile: Profile | None) -> None:
    """Have a provider ask as its endpoint is known to take it."""
    if profile is not None and isinstance(getattr(provider, "profile", None), Profile):
        vars(provider)["profile"] = profile


def _key(model: Model) -> str:
    return content_hash([model.base_url.rstrip("/"), model.model, model.provider, model.structured])
