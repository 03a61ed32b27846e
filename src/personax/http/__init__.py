"""Fetching pages politely: one request and its page, the fetcher, its limits, its cache."""

from personax.http._cache import Cache
from personax.http._fetcher import Fetcher, user_agent
from personax.http._rate_limit import Limits
from personax.http._request import Fetch, Page, Request

__all__ = ["Cache", "Fetch", "Fetcher", "Limits", "Page", "Request", "user_agent"]
