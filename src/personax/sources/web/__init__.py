"""Fetching pages politely: one request and its page, the fetcher, its limits, its cache."""
