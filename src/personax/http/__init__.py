"""HTTP: pages of sites, fetched within their limits, and retries and rate limits for sources and LLM providers.

``_retry`` (attempts, backoff, Retry-After) and ``_rate_limit`` (rate limits, circuit breakers) serve any service;
``_fetcher`` fetches pages as robots.txt allows, through ``_cache`` (pages on disk), ``_client`` (redirects, one rate
limit a host) and ``_transport`` (no address that is not public, bodies within bounds); ``_request`` is what
sources see. ``_api`` asks a provider's interface, and follows nothing. ``_interruptible``: a signal ends a coroutine in
good order. Importing this imports no HTTP library.
"""

from personax.http._api import ApiClient, ApiError
from personax.http._cache import Cache
from personax.http._fetcher import Fetcher, user_agent
from personax.http._interruptible import run_until_signal
from personax.http._rate_limit import CircuitBreaker, RateLimiter
from personax.http._request import Fetch, FetchSettings, Page, Request, is_loopback
from personax.http._retry import (
    RetryPolicy,
    TransientError,
    full_jitter,
    retry,
    retry_after,
    retry_after_of,
    wait_seconds,
)

__all__ = [
    "ApiClient",
    "ApiError",
    "Cache",
    "CircuitBreaker",
    "Fetch",
    "FetchSettings",
    "Fetcher",
    "Page",
    "RateLimiter",
    "Request",
    "RetryPolicy",
    "TransientError",
    "full_jitter",
    "is_loopback",
    "retry",
    "retry_after",
    "retry_after_of",
    "run_until_signal",
    "user_agent",
    "wait_seconds",
]
