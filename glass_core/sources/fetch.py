"""HTTP with patience and limits: time-outs, retries, size, hosts, a cache, offline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from glass_core.errors import NotFoundError, SourceError, one_line
from glass_core.settings import Settings
from glass_core.sources.kept import Kept, KeptAnswers

_AGAIN = (429, 500, 502, 503, 504)
_WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<body")
_REDIRECTS = 5


@dataclass(frozen=True)
class Limits:
    """How long and how much one answer may take.

    Attributes
    ----------
    bytes : int
        Largest answer, decompressed.
    silence_s : float
        Longest wait for the connection or the next bytes.
    total_s : float
        Longest time for one whole answer, so that a trickle ends too.
    attempts : int
        How often one answer is asked for.
    longest_wait_s : float
        Between two attempts.
    fresh_days : float
        A kept answer younger than this is used without asking.
    """

    bytes: int = 200_000_000
    silence_s: float = 15.0
    total_s: float = 120.0
    attempts: int = 4
    longest_wait_s: float = 10.0
    fresh_days: float = 30.0


@dataclass(frozen=True)
class Answer:
    """What a service said.

    Attributes
    ----------
    url : str
    content : bytes
        Never empty, never a web page.
    date : str
        UTC, ISO 8601, when it was said.
    note : str
        What a reader should know about it; '' when all went well.
    """

    url: str
    content: bytes
    date: str
    note: str = ""

    def json(self) -> Any:
        """The content read as JSON.

        Raises
        ------
        SourceError
            It is none.
        """
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError) as error:
            raise SourceError(
                f"{_place(self.url)}: answered something that is no JSON; try again later."
            ) from error


class _Again(Exception):
    """Worth another attempt; says why, and how long the service asks to wait."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Fetcher:
    """Asks the hosts of the settings, and no others.

    Parameters
    ----------
    settings : Settings
        Base addresses, where answers are kept, whether to stay offline.
    limits : Limits
    sleep : callable
        Waits between attempts; for tests.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.limits = limits or Limits()
        self._kept = KeptAnswers(settings.downloads.expanduser())
        self._origins = frozenset(
            map(
                _origin,
                (
                    settings.uniprot,
                    settings.alphafold,
                    settings.rcsb,
                    settings.pdbe,
                    settings.ebi,
                    settings.ensembl,
                ),
            )
        )
        self._sleep = sleep

    def get(self, url: str, most: int | None = None) -> Answer:
        """The answer of `url`, kept or new.

        Parameters
        ----------
        url : str
        most : int, optional
            Largest answer in bytes, where it must be smaller than the limits allow.

        Raises
        ------
        NotFoundError
            The service does not know it.
        SourceError
            Another host, no network, or an answer that cannot be used.
        """
        self._check_origin(url)
        kept = self._kept.get(url)
        if kept is not None and (self.settings.offline or self._fresh(kept)):
            return Answer(url, kept.content, kept.date)
        if self.settings.offline:
            raise SourceError(
                f"{_place(url)}: is not among the kept downloads, and GLASS_OFFLINE is set; "
                "unset it once to fetch this."
            )
        try:
            content = self._patiently(url, min(most or self.limits.bytes, self.limits.bytes))
        except NotFoundError:
            raise
        except SourceError as error:
            if kept is None:
                raise
            return Answer(
                url,
                kept.content,
                kept.date,
                f"{error} The answer of {kept.date[:10]} is used, which was kept.",
            )
        made = Kept(content, datetime.now(UTC).isoformat(timespec="seconds"))
        return Answer(url, content, made.date, self._kept.put(url, made))

    def first(self, urls: Iterable[str]) -> Answer:
        """The answer of the first address that has one; says which others had none.

        Raises
        ------
        SourceError
            None has one: the last one's error.
        """
        notes: list[str] = []
        last: SourceError | None = None
        for url in urls:
            try:
                found = self.get(url)
            except SourceError as error:
                notes.append(str(error))
                last = error
            else:
                return Answer(
                    found.url, found.content, found.date, " ".join([*notes, found.note]).strip()
                )
        raise last or SourceError("no address to ask.")

    def _fresh(self, kept: Kept) -> bool:
        age = datetime.now(UTC) - datetime.fromisoformat(kept.date)
        return age.total_seconds() < 86_400 * self.limits.fresh_days

    def _check_origin(self, url: str) -> None:
        if _origin(url) not in self._origins:
            raise SourceError(
                f"{_origin(url)[:80] or 'an odd address'}: is none of the services in the settings "
                "and is not asked."
            )

    def _patiently(self, url: str, most: int) -> bytes:
        """Several attempts where the service is busy or the line is bad."""
        patience = wait_exponential_jitter(multiplier=0.5, max=self.limits.longest_wait_s)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait_s if isinstance(error, _Again) else 0.0
            return min(max(asked, patience(state)), self.limits.longest_wait_s)

        attempts = Retrying(
            stop=stop_after_attempt(self.limits.attempts),
            wait=wait,
            sleep=self._sleep,
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )
        try:
            return attempts(self._once, url, most)
        except _Again as error:
            raise SourceError(
                f"{_place(url)}: {error}, also at the last of {self.limits.attempts} attempts; "
                "try again later, or give a file of your own."
            ) from error

    def _once(self, url: str, most: int) -> bytes:
        deadline = time.monotonic() + self.limits.total_s
        try:
            with (
                httpx.Client(
                    timeout=self.limits.silence_s,
                    follow_redirects=True,
                    max_redirects=_REDIRECTS,
                    headers={"User-Agent": "GLASS", "Accept-Encoding": "gzip"},
                    event_hooks={"request": [lambda r: self._check_origin(str(r.url))]},
                ) as client,
                client.stream("GET", url) as response,
            ):
                content = self._body(response, deadline, most)
                _check_status(url, response, content)
        except httpx.TooManyRedirects as error:
            raise SourceError(f"{_place(url)}: sends in circles; try again later.") from error
        except httpx.TimeoutException as error:
            raise _Again("no answer in time") from error
        except httpx.TransportError as error:
            raise _Again(
                f"cannot be reached; is this machine offline? ({one_line(error)})"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise SourceError(f"{_place(url)}: {one_line(error)}.") from error
        return content

    def _body(self, response: httpx.Response, deadline: float, most: int) -> bytes:
        pieces, size = [], 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > most:
                raise SourceError(
                    f"{_place(str(response.url))}: is larger than "
                    f"{most / 1e6:.0f} MB and was not taken."
                )
            if time.monotonic() > deadline:
                raise SourceError(
                    f"{_place(str(response.url))}: takes longer than {self.limits.total_s:.0f} s; "
                    "try again later."
                )
            pieces.append(piece)
        return b"".join(pieces)


def _check_status(url: str, response: httpx.Response, content: bytes) -> None:
    status = response.status_code
    if status in _AGAIN:
        raise _Again(
            f"is busy or out of order (status {status})",
            _seconds(response.headers.get("retry-after", "")),
        )
    if status == 404 or status == 410:
        raise NotFoundError(f"{_place(url)}: is not known there (status {status}).")
    if status >= 400:
        raise SourceError(f"{_place(url)}: was refused (status {status}{_said(content)}).")
    if not content.strip():
        raise SourceError(f"{_place(url)}: answered with an empty file; try again later.")
    if content[:200].lstrip().lower().startswith(_WEB_PAGE):
        raise SourceError(
            f"{_place(url)}: answered with a web page in place of data; is there a "
            "login page between you and the network?"
        )


def _said(content: bytes) -> str:
    """What a refusal gives as its reason, as far as it is JSON."""
    try:
        answer = json.loads(content)
        reason = answer.get("error") or "; ".join(map(str, answer.get("messages", [])))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return ""
    return f": {' '.join(str(reason).split())[:120]}" if reason else ""


def _seconds(text: str) -> float:
    return float(text) if text.strip().isdigit() else 0.0


def _origin(url: str) -> str:
    """Scheme, host and port; '' where there are none to be told."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def _place(url: str) -> str:
    """Host and path, short enough for a message."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"[:120]
