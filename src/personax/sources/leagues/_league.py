"""The base class of leagues: settings, secret headers, a list of people, a person's own page, and how both are read.

``${NAME}`` in a value stands for an environment variable of that name, and is put in when a request is sent. A manifest
holds a fingerprint in the place of each value: enough to see that one was changed, too short to find one by guessing.
Values of environment variables are not part of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import Field, PlainSerializer, field_validator
from pydantic_core import PydanticCustomError

from personax.errors import SourceError
from personax.http import Fetch, Page, Request
from personax.sources._records import Failure, Record
from personax.sources.leagues._crawl import ListedPerson, ListPage, PageRequest, crawl
from personax.sources.leagues._record_builder import RecordBuilder
from personax.sources.leagues._saved_pages import SavedPages
from personax.strict import Access, EnvName, Host, OutsidePath, Strict, Url

__all__ = ["Headers", "League", "fill_environment", "from_environment", "is_secret"]


_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PRIVATE: Final = re.compile(r"auth|cookie|key|token|secret|session|password|credential", re.IGNORECASE)
_DIGITS: Final = 4
"""Of a fingerprint: one of 65,536 changes goes unseen, and one of as many guesses seems right."""


def _fingerprints(headers: Mapping[str, str]) -> dict[str, str]:
    digests = {name: hashlib.sha256(f"{name.lower()}: {value}".encode()) for name, value in headers.items()}
    return {name: f"fingerprint {digest.hexdigest()[:_DIGITS]}" for name, digest in digests.items()}


Headers = Annotated[dict[str, str], Access("template"), PlainSerializer(_fingerprints, when_used="json")]
"""Name -> value, as a study file has them."""


def is_secret(name: str, value: str) -> bool:
    """Say whether a header is kept from other hosts, from the key of the cache, and from every message.

    Examples
    --------
    >>> is_secret("Cookie", "a=b"), is_secret("X-Mine", "${MINE}"), is_secret("Accept-Language", "de")
    (True, True, False)
    """
    return bool(_PRIVATE.search(name) or _VARIABLE.search(value))


def fill_environment(source: str, value: str) -> str:
    """Return a value with the environment's in its places.

    Raises
    ------
    SourceError
        A variable is not set, or holds what no header can; without saying what.
    """
    return _VARIABLE.sub(lambda found: from_environment(source, found[1]), value)


def from_environment(source: str, variable: str) -> str:
    """Return what a variable holds, without the blanks around it.

    Raises
    ------
    SourceError
        As in `fill_environment`.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        text = f"{source}: the environment variable {variable} is not set; export it with what the site wants"
        raise SourceError(text)
    if not re.fullmatch(r"[!-~]+( [!-~]+)*", value):
        raise SourceError(f"{source}: what the environment variable {variable} holds cannot be sent: control signs")
    return value


_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class League(Strict, ABC):
    """A league's site.

    Parameters
    ----------
    base_url
        Of the pages, without a slash at the end; https, or http on this machine.
    headers
        Sent beside those of the fetcher, instead of the league's own of the same name; ``${NAME}`` in a value is taken
        from the environment, and no value is ever written.
    picture_hosts
        Where pictures may lie; an address elsewhere is a bad value.
    key
        NAME of the environment variable that holds the key, where the site wants one; the key itself is never written.
    gender
        Of everybody, where you know that the league defines it.
    most_pages
        A list with more pages is cut off.
    pages
        HAR file, or folder of them, with pages that you saved yourself: they answer, and no site is asked.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    key_header: ClassVar[str] = "x-api-key"
    redirects: ClassVar[tuple[str, ...]] = ()
    """Hosts to which the site's own addresses lead on."""
    expected_columns: ClassVar[tuple[str, ...]] = ("name", "birth_date", "height_cm")
    """Columns that some of any twenty people have; when none has, the site has renamed them."""

    base_url: Url
    headers: Headers = Field(default_factory=dict)
    picture_hosts: list[Host]
    key: EnvName | None = None
    gender: str | None = None
    most_pages: int = Field(default=500, gt=0)
    pages: OutsidePath | None = None

    @field_validator("base_url", "site_url", "core_url", "api_url", "rosters_url", check_fields=False)
    @classmethod
    def _safe_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.netloc.rsplit(":", 1)[0] in _LOOPBACK
        far = parts.scheme == "https" and bool(parts.netloc)
        if not (far or local) or "@" in parts.netloc or value.endswith("/"):
            raise PydanticCustomError("address", "an https address without a slash at its end")
        return value

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that get requests, with a port where it is not the default one; none where pages are saved."""
        if self.pages is not None:
            return ()
        addresses = [value for field, value in self if field.endswith("_url") and value]
        return tuple(dict.fromkeys([*(urlsplit(address).netloc for address in addresses), *self.redirects]))

    @abstractmethod
    def first_pages(self) -> Sequence[PageRequest]:
        """Return the first pages of the list."""

    @abstractmethod
    def parse_list(self, page: Page, page_request: PageRequest) -> ListPage:
        """Read a page of the list.

        Raises
        ------
        SourceChanged
            With what was looked for.
        """

    def detail_request(self, ref: ListedPerson) -> Request | None:
        """Return the request for more on a person, None when the list says all; people may share one."""
        return None

    def parse_detail(self, page: Page, ref: ListedPerson) -> Record:
        """Read the page that `detail_request` requests, and merge it with the record of the list.

        Raises
        ------
        SourceChanged
            With what was looked for; a plain `SourceError` when the page knows no such person.
        """
        return ref.list_record

    def collect(self, fetch: Fetch, limit: int | None = None) -> AsyncGenerator[Record | Failure, None]:
        """Crawl the whole league; see `personax.sources.leagues.crawl`."""
        return crawl(self, fetch if self.pages is None else SavedPages(Path(self.pages)), limit=limit)

    def request(
        self, path: str, *, body: Mapping[str, Any] | None = None, accepts: Sequence[str] = ("application/json",)
    ) -> Request:
        """Return a request to this league, with its headers and its key."""
        request = self.request_without_key(self.base_url + path)
        headers, secret = {**self._own_headers(), **request.headers}, request.secret
        if self.key is not None and self.pages is None:
            headers[self.key_header] = from_environment(self.name, self.key)
            secret = (*secret, self.key_header)
        return Request(request.url, headers, body, tuple(accepts), secret)

    def request_without_key(self, url: str, *, accepts: Sequence[str] = ("application/json",)) -> Request:
        """Return a request to another address of the site: with the headers of the study, without the key."""
        headers = {name: fill_environment(self.name, value) for name, value in self.headers.items()}
        secret = tuple(name for name, value in self.headers.items() if is_secret(name, value))
        return Request(url, headers, accepts=tuple(accepts), secret=secret)

    def _own_headers(self) -> dict[str, str]:
        return {}

    def builder(self, ref: str, page: Page) -> RecordBuilder:
        """Return an empty record of this league."""
        builder = RecordBuilder(self.name, ref, page)
        builder.text("league", self.label)
        builder.text("gender", self.gender)
        return builder
