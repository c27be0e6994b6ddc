"""Keeps pages from hosts that nobody has agreed to, while a model drives.

Chromium itself pauses each request for a page before it is sent, redirects included (the Fetch domain of its
DevTools protocol; Playwright's own routes do not see redirects). A tab that a page opens asks before it can
be watched: it gets an empty page, is watched, and sent where it wanted to go. Knows no words and no tools.

Source: https://chromedevtools.github.io/devtools-protocol/tot/Fetch/
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, CDPSession, Page, Request, Route

MAX_HELD = 100
MAX_PENDING = 20
SETTLE_S = 5.0
EVERYTHING = "**/*"
PAGES = [{"urlPattern": "*", "resourceType": "Document", "requestStage": "Request"}]


class Hold:
    """Stands between the pages of one conversation and hosts that are new to it.

    Args:
        context: the pages.
        is_known: whether an address may be opened.
    """

    def __init__(self, context: BrowserContext, is_known: Callable[[str], bool]) -> None:
        self.held: list[str] = []
        """Addresses that were kept from being opened, the last at the end."""
        self._context = context
        self._is_known = is_known
        self._watched: dict[Page, CDPSession] = {}
        self._pending: list[Request] = []
        """What new tabs wanted to open before they could be watched."""
        self._sent_on = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin."""
        await self._context.route(EVERYTHING, self._asked)
        self._context.on("page", self._arrived)
        for page in self._context.pages:
            await self._watch(page)

    async def stop(self) -> None:
        """Let everything pass again."""
        self._context.remove_listener("page", self._arrived)
        await self._context.unroute(EVERYTHING, self._asked)
        watched, self._watched = self._watched, {}
        for session in watched.values():
            with contextlib.suppress(Exception):  # its page has closed
                await session.detach()

    async def settled(self) -> None:
        """Wait until new tabs are where they wanted to go, for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                while self._pending:
                    self._sent_on.clear()
                    await self._sent_on.wait()

    def keep(self, url: str) -> None:
        """Note an address that was kept from being opened."""
        self.held.append(url)
        del self.held[:-MAX_HELD]

    async def _watch(self, page: Page) -> None:
        session = await self._context.new_cdp_session(page)
        self._watched[page] = session
        page.once("close", self._gone)
        # A page's own frame has the page's id. (Its frames cannot be asked for while a request is paused.)
        whole = (await session.send("Target.getTargetInfo"))["targetInfo"]["targetId"]
        session.on("Fetch.requestPaused", lambda event: self._begin(self._paused(session, event, whole)))
        await session.send("Fetch.enable", {"patterns": PAGES})

    def _gone(self, page: Page) -> None:
        self._watched.pop(page, None)

    async def _paused(self, session: CDPSession, event: dict[str, Any], whole: str) -> None:
        url = event["request"]["url"]
        answer: dict[str, Any] = {"requestId": event["requestId"]}
        with contextlib.suppress(Exception):  # the page has closed, or went elsewhere meanwhile
            if self._is_known(url) or event["frameId"] != whole:
                await session.send("Fetch.continueRequest", answer)
            else:
                self.keep(url)
                await session.send("Fetch.failRequest", {**answer, "errorReason": "Aborted"})

    async def _asked(self, route: Route) -> None:
        request = route.request
        if not request.is_navigation_request() or not self._is_new_tab(request):
            await route.continue_()
        elif not self._is_known(request.url):
            self.keep(request.url)
            await route.abort()
        elif request.method == "GET" and len(self._pending) < MAX_PENDING:
            self._pending.append(request)
            await route.fulfill(content_type="text/html", body="")
        else:  # a form that opens a tab cannot be sent twice
            await route.continue_()

    def _is_new_tab(self, request: Request) -> bool:
        try:
            return request.frame.parent_frame is None and request.frame.page not in self._watched
        except Exception:  # noqa: BLE001 - Playwright says so of a page that has just been opened
            return True

    def _arrived(self, page: Page) -> None:
        self._begin(self._send_on(page))

    async def _send_on(self, page: Page) -> None:
        with contextlib.suppress(Exception):  # it may have closed itself
            await self._watch(page)
            wanted = next((request for request in self._pending if request.frame.page is page), None)
            if wanted is not None:
                try:
                    referer = await wanted.header_value("referer")
                    await page.goto(wanted.url, referer=referer or "", wait_until="commit")
                finally:
                    self._pending.remove(wanted)
        self._sent_on.set()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
