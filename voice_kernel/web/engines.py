"""Search engines: words in, addresses out. Which one answers is a setting.

    searxng   a metasearch engine of one's own, by its address
    ddgs      several public engines, without a key
    tavily, exa, brave   by key

What an engine says of a page is a stranger's text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from voice_kernel.errors import WebError
from voice_kernel.language import N_, _
from voice_kernel.web.addresses import Reach, address_of
from voice_kernel.web.fetch import Fetcher, StatusError

SearchEngine = Literal["auto", "searxng", "ddgs", "tavily", "exa", "brave"]
LIMIT_S = 20.0
ADDRESSES = {
    "tavily": "https://api.tavily.com/search",
    "exa": "https://api.exa.ai/search",
    "brave": "https://api.search.brave.com/res/v1/web/search",
}
HOW = N_(
    "Set VOICE_KERNEL_SEARCH_URL to a SearXNG server, or VOICE_KERNEL_SEARCH_ENGINE and "
    "VOICE_KERNEL_SEARCH_API_KEY."
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found."""

    url: str
    title: str = ""
    snippet: str = ""
    date: str = ""


class Engine(Protocol):
    """Finds pages."""

    name: str

    async def search(self, query: str, many: int) -> list[Hit]:
        """Return at most `many` pages, the best first.

        Raises:
            WebError: the engine did not answer; says what to do.
        """
        ...


def engine_of(name: SearchEngine, url: str, key: str) -> Engine:
    """Return the engine that the settings ask for.

    Raises:
        WebError: a setting is missing.
    """
    if name == "auto":
        name = "searxng" if url else "ddgs"
    if name == "ddgs":
        return Ddgs()
    if name == "searxng":
        if not url:
            raise WebError(_("A SearXNG server needs its address."), hint=_("Set VOICE_KERNEL_SEARCH_URL."))
        return Searxng(url)
    if not key:
        raise WebError(_("{name} needs a key.").format(name=name), hint=_("Set VOICE_KERNEL_SEARCH_API_KEY."))
    return Keyed(name, url or ADDRESSES[name], key)


def _fetcher(url: str) -> Fetcher:
    # The person configured this one host: it may be private, and no other may be reached.
    address = address_of(url)
    place = f"{address.host}:{address.port}"
    return Fetcher(Reach(private=(place,), only=(place,)), total_s=LIMIT_S)


class Searxng:
    """A SearXNG (or searx) server.

    Source: https://docs.searxng.org/dev/search_api.html
    """

    name = "searxng"

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/").removesuffix("/search")

    async def search(self, query: str, many: int) -> list[Hit]:
        """See Engine."""
        fetcher = _fetcher(self._url)
        try:
            address = address_of(f"{self._url}/search?{urlencode({'q': query, 'format': 'json'})}")
            answer = await fetcher.json(address)
        except WebError as error:
            raise WebError(
                _("The search engine did not answer: {message}").format(message=error.message),
                hint=_("Is VOICE_KERNEL_SEARCH_URL right, and does the server allow the format json?"),
                retryable=error.retryable,
            ) from None
        finally:
            await fetcher.close()
        return _hits(_list(answer, "results"), many, snippet="content", date="publishedDate")


class Keyed:
    """An engine that wants a key: Tavily, Exa or Brave, each by its own interface."""

    def __init__(self, name: str, url: str, key: str) -> None:
        self.name = name
        self._url = url
        self._key = key

    async def search(self, query: str, many: int) -> list[Hit]:
        """See Engine."""
        fetcher = _fetcher(self._url)
        try:
            if self.name == "brave":
                address = address_of(f"{self._url}?{urlencode({'q': query, 'count': many})}")
                answer = await fetcher.json(address, headers={"x-subscription-token": self._key})
                web = answer.get("web") if isinstance(answer, dict) else None
                return _hits(_list(web, "results"), many, snippet="description", date="page_age")
            address = address_of(self._url)
            if self.name == "exa":
                body = {"query": query, "numResults": many, "contents": {"highlights": True}}
                answer = await fetcher.json(address, headers={"x-api-key": self._key}, body=body)
                return _hits(_list(answer, "results"), many, snippet="highlights", date="publishedDate")
            answer = await fetcher.json(
                address,
                headers={"authorization": f"Bearer {self._key}"},
                body={"query": query, "max_results": many},
            )
            return _hits(_list(answer, "results"), many, snippet="content", date="published_date")
        except WebError as error:
            wrong_key = isinstance(error, StatusError) and error.status in (401, 403)
            raise WebError(
                _("{name} did not answer: {message}").format(name=self.name, message=error.message),
                hint=_("Is VOICE_KERNEL_SEARCH_API_KEY right?") if wrong_key else _("Try again later."),
                retryable=error.retryable,
            ) from None
        finally:
            await fetcher.close()


class Ddgs:
    """Public engines without a key, through the ddgs library."""

    name = "ddgs"

    async def search(self, query: str, many: int) -> list[Hit]:
        """See Engine."""
        try:
            async with asyncio.timeout(LIMIT_S):
                found = await asyncio.to_thread(self._search, query, many)
        except TimeoutError:
            raise WebError(_("The public search engines did not answer in time."), hint=_(HOW)) from None
        return _hits(found, many, url="href", snippet="body", date="date")

    def _search(self, query: str, many: int) -> list[dict[str, Any]]:
        try:
            from ddgs import DDGS
            from ddgs.exceptions import DDGSException
        except ImportError:
            raise WebError(
                _("Searching needs the extra research."), hint=_('pip install "voice-kernel[research]"')
            ) from None
        try:
            return DDGS(timeout=10).text(query, max_results=many)
        except DDGSException:
            raise WebError(
                _("The public search engines did not answer, or found nothing."), hint=_(HOW), retryable=True
            ) from None


def _list(answer: Any, key: str) -> Sequence[Any]:
    found = answer.get(key) if isinstance(answer, dict) else None
    return found if isinstance(found, list) else []


def _hits(found: Sequence[Any], many: int, *, url: str = "url", snippet: str, date: str) -> list[Hit]:
    hits: dict[str, Hit] = {}
    for one in found:
        if not isinstance(one, dict) or not isinstance(one.get(url), str):
            continue
        said = one.get(snippet)
        text = " … ".join(map(str, said)) if isinstance(said, list) else str(said or "")
        hit = Hit(one[url], str(one.get("title") or "")[:300], text[:1_000], str(one.get(date) or "")[:40])
        hits.setdefault(hit.url.partition("#")[0], hit)
        if len(hits) >= many:
            break
    return list(hits.values())
