"""Reads pages: robots.txt asked, several at a time, remembered for a while.

Knows how fetching and reading go together, not what the pages are for. The process that takes documents
apart is run by whoever wires this (`run`), since only they know how a child is ended with its owner.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from voice_kernel.errors import VoiceKernelError, WebError
from voice_kernel.language import _, number, used
from voice_kernel.web.addresses import Address, address_of
from voice_kernel.web.fetch import Fetched, Fetcher, StatusError
from voice_kernel.web.page import Page

AT_ONCE = 4
READ_LIMIT_S = 25.0
REMEMBERED_S = 900.0
MAX_REMEMBERED = 50
MAX_ROBOTS = 100
ROBOTS_BYTES = 500_000
AGENT = "voice_kernel"

Run = Callable[[Sequence[str], float], Awaitable[int]]
"""Runs a program to its end within so many seconds and returns its exit code."""


class Library:
    """The pages of a session.

    Args:
        fetcher: fetches within reach.
        run: runs the process that takes documents apart.
        now: a clock that does not jump, in seconds.
    """

    def __init__(self, fetcher: Fetcher, run: Run, now: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._run = run
        self._now = now
        self._pages: OrderedDict[str, tuple[float, Page]] = OrderedDict()
        self._robots: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._places = asyncio.Semaphore(AT_ONCE)

    async def read(self, url: str) -> Page:
        """Return what a page says.

        Raises:
            WebError: it cannot be read; says why and what to do.
        """
        page = self._remembered(url)
        if page is None:
            got = await self._fetch(url)
            page = (await self._taken_apart({url: got}))[url]
        if page.problem:
            raise WebError(
                _("{host} cannot be read: {problem}").format(host=address_of(url).host, problem=page.problem),
                hint=_("Open it in the browser instead."),
            )
        return page

    async def read_all(
        self, urls: Sequence[str], told: Callable[[str], None] = lambda line: None
    ) -> list[Page]:
        """Return what pages say, in the order asked for; one that cannot be read has a `problem`.

        Args:
            urls: their addresses.
            told: gets a line for each page as it comes.
        """
        pages: dict[str, Page] = {}
        fetched: dict[str, Fetched] = {}

        async def fetch(url: str) -> None:
            known = self._remembered(url)
            if known is not None:
                pages[url] = known
                return
            try:
                fetched[url] = await self._fetch(url)
                told(_("{url}: {count} bytes").format(url=url, count=number(len(fetched[url].body))))
            except VoiceKernelError as error:
                pages[url] = Page(url, problem=error.message)
                told(f"{url}: {error.message}")

        async with asyncio.TaskGroup() as group:
            for url in dict.fromkeys(urls):
                group.create_task(fetch(url))
        if fetched:
            pages.update(await self._taken_apart(fetched))
        return [pages[url] for url in urls]

    async def close(self) -> None:
        """Close the connections."""
        await self._fetcher.close()

    def _remembered(self, url: str) -> Page | None:
        known = self._pages.get(url)
        return known[1] if known is not None and self._now() - known[0] < REMEMBERED_S else None

    async def _fetch(self, url: str) -> Fetched:
        address = address_of(url)
        async with self._places:
            if not await self._welcome(address):
                raise WebError(
                    _("{host} asks programs not to read this page (robots.txt).").format(host=address.host),
                    hint=_("Open it in the browser instead."),
                )
            return await self._fetcher.get(address)

    async def _welcome(self, address: Address) -> bool:
        """Whether robots.txt lets us read an address. Source: RFC 9309, also for what failures mean."""
        try:
            from protego import Protego
        except ImportError:
            raise WebError(
                _("Reading the web needs the extra research."), hint=_('pip install "voice-kernel[research]"')
            ) from None
        known = self._robots.get(address.origin)
        if known is None or self._now() - known[0] > REMEMBERED_S:
            known = (self._now(), await self._rules(address))
            self._robots[address.origin] = known
            while len(self._robots) > MAX_ROBOTS:
                self._robots.popitem(last=False)
        return bool(Protego.parse(known[1]).can_fetch(address.url, AGENT))

    async def _rules(self, address: Address) -> str:
        try:
            answer = await self._fetcher.get(address_of(f"{address.origin}/robots.txt"))
        except StatusError as error:
            # A server in trouble is to be left alone; one without the file allows everything.
            return "User-agent: *\nDisallow: /" if error.status >= 500 else ""
        return answer.body[:ROBOTS_BYTES].decode("utf-8", "replace")

    async def _taken_apart(self, fetched: dict[str, Fetched]) -> dict[str, Page]:
        with tempfile.TemporaryDirectory(prefix="voice-kernel-pages-") as name:
            folder = Path(name)
            stems = {url: f"{number:03d}" for number, url in enumerate(fetched)}
            await asyncio.to_thread(_put, folder, {stems[url]: got for url, got in fetched.items()})
            left = dict(stems)
            while left:
                argv = [sys.executable, "-I", "-m", "voice_kernel.web.page", str(folder), used()]
                await self._run(argv, READ_LIMIT_S)
                left = {url: stem for url, stem in left.items() if not (folder / f"{stem}.page").exists()}
                if left:  # it died of the first one that is missing: that one is left out
                    stem = next(iter(left.values()))
                    (folder / f"{stem}.json").unlink()
                    left = dict(list(left.items())[1:])
            pages = {url: _page(url, folder / f"{stem}.page", fetched[url]) for url, stem in stems.items()}
        for url, page in pages.items():
            if not page.problem:
                self._pages[url] = (self._now(), page)
        while len(self._pages) > MAX_REMEMBERED:
            self._pages.popitem(last=False)
        return pages


def _put(folder: Path, documents: dict[str, Fetched]) -> None:
    for stem, got in documents.items():
        about = {"url": got.address.url, "content_type": got.content_type, "charset": got.charset}
        (folder / f"{stem}.body").write_bytes(got.body)
        (folder / f"{stem}.json").write_text(json.dumps(about), "utf-8")


def _page(url: str, path: Path, got: Fetched) -> Page:
    if not path.exists():
        return Page(url, problem=_("It could not be taken apart within the limits of time and memory."))
    values = json.loads(path.read_text("utf-8"))
    values["cut"] = values["cut"] or got.cut
    return Page(**values)
