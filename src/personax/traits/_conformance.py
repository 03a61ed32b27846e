"""Conformance kits: a client of LLMs, a rating model, a framework of traits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from personax.conformance import Demand, described, kit, raised, registered
from personax.http import TransientError
from personax.schema import TraitFramework
from personax.traits._aggregate import aggregate_ratings
from personax.traits._ratings import Ratings, ScoreEstimate
from personax.traits.llms._prompt import Prompt
from personax.traits.llms._provider import Completion, InvalidRequestError, Model, ModelUnavailableError

__all__ = ["check_provider", "check_rating_model", "check_trait_framework"]

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}

FAILURES = "TransientError, InvalidRequestError or ModelUnavailableError"

MESSAGES = [{"role": "system", "content": "You rate."}, {"role": "user", "content": "Rate from 1 to 5."}]


@kit
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
    demand, _, make = registered("providers", name)
    for endpoint in (model, model if failing is None else failing):
        demand(isinstance(endpoint, Model), f"{described(endpoint)} is no endpoint; give a personax.traits.llms.Model")
    demand(callable(make), f"it is {described(make)}; register a class or function (model, schema)")
    with demand.rule("a request gives a Completion"):
        asyncio.run(_answers(demand, make, model))
    if failing is not None:
        with demand.rule(f"a failure is a {FAILURES}"):
            asyncio.run(_fails(demand, make, failing))


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
            "of several concurrent requests some have no Completion; return one for each",
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
        raise demand.error(f"a failure is a {raised(error)}; raise {FAILURES}") from error
    else:
        demand(False, f"an endpoint that fails gives an answer; raise {FAILURES}")
    finally:
        await provider.close()


@kit
def check_rating_model(name: str) -> None:
    """Check that a registered rating model does what aggregation relies on.

    Checked are: the registration; that it gives a `ScoreEstimate` of everybody's score and standard deviation, and no
    score to whom nobody rated; that it leaves the ratings as they are, gives the same scores twice and takes one rater
    alone; and that it either draws plausible values or says why not.

    Parameters
    ----------
    name
        As registered under ``rating_models``.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_rating_model("median")
    """
    demand, _, model = registered("rating_models", name)
    demand(callable(model), f"it is {described(model)}; register a function of ratings")
    for raters in (3, 1):
        with demand.rule(f"everybody rated by {raters} has a score", "return a ScoreEstimate"):
            _check_estimates(demand, model, _invented_ratings(raters))


def _check_estimates(demand: Demand, model: Callable[[Ratings], Any], ratings: Ratings) -> None:
    before = ratings.value.copy()
    estimate = model(ratings)
    demand(isinstance(estimate, ScoreEstimate), f"it returns {type(estimate).__name__}; return a ScoreEstimate")
    demand(np.array_equal(before, ratings.value), "it changes the ratings; work on a copy")
    shapes = {np.shape(estimate.score), np.shape(estimate.sd)}
    demand(shapes == {(ratings.n_people,)}, f"score and sd have the shapes {shapes}; give one number a person")
    demand(np.isnan(estimate.score[-1]), "a person without ratings has a score; give NaN")
    demand(not (np.asarray(estimate.sd) < 0).any(), "a standard deviation is negative; give NaN where unknown")
    demand(
        np.array_equal(model(ratings).score, estimate.score, equal_nan=True),
        "two calls give different scores; draw nothing, or from a fixed seed",
    )
    demand(estimate.draw or estimate.reason, "there are no plausible values and no reason; give draw or reason")
    if estimate.draw is not None:
        drawn = np.asarray(estimate.draw(np.random.default_rng(0)))
        demand(drawn.shape == (ratings.n_people,), f"draw gives the shape {drawn.shape}; give one number a person")
        demand(np.isnan(drawn[-1]), "draw gives a score to a person without ratings; give NaN")


def _invented_ratings(raters: int) -> Ratings:
    """Return ratings of 40 people from 1 to 3, a tenth missing, nobody's of the last person."""
    rng = np.random.default_rng(0)
    person, rater = np.arange(raters * 39) % 39, np.arange(raters * 39) // 39
    value = np.clip(np.round(2 + rng.normal(size=39)[person] + rng.normal(0, 0.5, len(person))), 1, 3)
    kept = rng.random(len(value)) > 0.1
    return Ratings(rater[kept], person[kept], value[kept], tuple(f"rater {k}" for k in range(raters)), 40)


@kit
def check_trait_framework(name: str) -> None:
    """Check that a registered framework of traits can be asked for, scored and kept with a study.

    Checked are: the registration, under the framework's own name; that every trait has a meaning for raters; that a
    prompt and the schema of its answer name the traits; that ratings become one score column a trait; and that the
    framework comes back from what a study keeps of it.

    Parameters
    ----------
    name
        As registered under ``trait_frameworks``.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong and how to mend it, at the first check that fails.

    Examples
    --------
    >>> check_trait_framework("big_five")
    """
    demand, _, framework = registered("trait_frameworks", name)
    with demand.rule("a framework can be asked for, scored and kept"):
        _check_framework(demand, name, framework)


def _check_framework(demand: Demand, name: str, framework: Any) -> None:  # noqa: ANN401 - what was registered
    demand(isinstance(framework, TraitFramework), f"it is a {type(framework).__name__}; register a TraitFramework")
    demand(framework.name == name, f"its name is {framework.name}; give it the name that it is registered under")
    silent = [trait.name for trait in framework.traits if not trait.meaning.strip()]
    demand(not silent, f"raters are told nothing of {', '.join(silent)}; give every trait a meaning")
    prompt = Prompt(framework=framework)
    demand(
        list(prompt.schema()["properties"]) == list(framework.names),
        "the schema of an answer lacks a trait; give every trait another name",
    )
    rows = [("a", "rater", trait, 2.0, "ok") for trait in framework.names]
    table = pl.DataFrame(rows, schema=["person", "model", "trait", "score", "status"], orient="row")
    scores = aggregate_ratings(table, people=["a"], framework=framework).traits
    finals = [f"final_{letter}" for letter in framework.letters.values()]
    demand(
        [column for column in scores.columns if column in finals] == finals,
        "a trait has no column of scores; give every trait its own letter",
    )
    demand(
        TraitFramework.from_json(framework.to_json()) == framework,
        "it does not come back from JSON; hold texts and numbers only",
    )
