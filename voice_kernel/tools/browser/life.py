"""The browser's life: started when first needed, one context for each conversation, ended with its owner.

Knows Playwright and Chromium, and nothing of words. Everything belongs to the agent loop. A guard stands
between us and Playwright's driver: by whatever means we end, it ends the driver and Chromium, and takes
their temporary folder away.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import AddressRefused, ToolError
from voice_kernel.language import _, number
from voice_kernel.tools.browser.driver import GuardedDriver
from voice_kernel.tools.browser.fence import Fence
from voice_kernel.tools.browser.hold import Hold
from voice_kernel.web.addresses import Reach, address_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Dialog, Download, Page, Playwright

START_S = 30.0
CLOSE_S = 5.0
ACT_MS = 5_000
LOAD_MS = 30_000
MAX_CONTEXTS = 8
MAX_TABS = 20
MAX_DOWNLOAD_BYTES = 1024**3
MAX_DOWNLOADS = 5
MAX_UNSEEN = 20
"""Downloads that are begun before somebody looks again: a page alone may not fill the disk."""
MAX_NAME_CHARS = 120
RUN_BY_NAME = re.compile(
    r".*\.(?:py|pyc|pyw|pyi?o|pyd|so|dll|dylib|pth|ipynb|voice)|(?:pytest|tox)\.ini|setup\.cfg|pyproject\.toml"
    r"|(?:gnu)?makefile|justfile",
    re.IGNORECASE,
)
"""Names by which something is run or imported from the folder it lies in: `import numpy` takes `numpy.py`."""
LOOK_S = 0.5
PAGE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "accept_downloads": True}
_OTHERS = re.compile(
    r"(?:file|javascript|data|blob|filesystem|view-source|chrome|chrome-extension|devtools|about|ftp|ws|wss)"
    r":(?!\d+(?:/|$))",
    re.IGNORECASE,
)
INSTALLED = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""Programs looked for on the PATH before Playwright's own Chromium."""


@dataclass(frozen=True)
class Choices:
    """What a person or an administrator has set."""

    executable: str = ""
    headed: bool = False
    profile: Path | None = None
    """Folder of a profile that is kept; None for one that is thrown away."""
    reach: Reach = field(default_factory=Reach)


@dataclass
class Window:
    """The pages of one conversation.

    Attributes:
        context: Playwright's own.
        page: the tab in front.
        said: what happened by itself since the last look: dialogs, downloads, new tabs.
        dialog: one that waits for an answer.
        downloads: those under way.
        begun: how many were begun since the last look.
        hold: keeps pages from hosts that were not opened before, while a model drives.
        on_dialog: called when the page asks something: whoever acts on it waits in vain from then on.
    """

    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)
    dialog: Dialog | None = None
    downloads: set[asyncio.Task[None]] = field(default_factory=set)
    begun: int = 0
    hold: Hold | None = None
    on_dialog: Callable[[], None] | None = None


class BrowserLife:
    """Starts, keeps and ends the browser.

    Args:
        choices: as set.
        folder: where downloads go, asked each time.
        conversation: the id of the open conversation: each has cookies and tabs of its own.
    """

    def __init__(self, choices: Choices, folder: Callable[[], Path], conversation: Callable[[], str]) -> None:
        self.choices = choices
        self.max_download_bytes = MAX_DOWNLOAD_BYTES
        self.folder = folder
        self._conversation = conversation
        self._starting = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._windows: dict[str, Window] = {}
        self._guarded = GuardedDriver()
        self._fence: Fence | None = None

    @property
    def conversation(self) -> str:
        """The id of the open conversation."""
        return self._conversation()

    @property
    def is_open(self) -> bool:
        """Whether this conversation has a page open."""
        return self._conversation() in self._windows

    async def window(self) -> Window:
        """Return this conversation's pages, starting what is needed.

        Raises:
            ToolError: there is no browser, or it does not start; says what to do.
        """
        async with self._starting:
            window = self._windows.get(self._conversation())
            if window is not None and not window.page.is_closed():
                return window
            if window is not None and window.context.pages:
                window.page = window.context.pages[-1]
                return window
            return await self._open()

    def current(self) -> Window:
        """Return this conversation's pages.

        Raises:
            ToolError: no page is open.
        """
        window = self._windows.get(self._conversation())
        if window is None or not window.context.pages:
            raise ToolError(_("No page is open."), hint=_("Say where to go: open python dot org."))
        if window.page.is_closed():
            window.page = window.context.pages[-1]
        return window

    async def close(self) -> bool:
        """Close this conversation's pages, and the browser with the last; returns whether one was open."""
        window = self._windows.pop(self._conversation(), None)
        if window is None:
            return False
        with contextlib.suppress(Exception):  # it may have crashed; gone is gone
            async with asyncio.timeout(CLOSE_S):
                await window.context.close()
        if not self._windows:
            await self.stop()
        return True

    async def settled(self) -> None:
        """Wait until this conversation's downloads have ended; those that just began are among them."""
        window = self.current()
        await window.page.wait_for_timeout(LOOK_S * 1000)
        if window.downloads:
            await asyncio.wait(set(window.downloads))

    async def stop(self) -> None:
        """End the browser and its driver; a second call does nothing."""
        playwright, self._playwright = self._playwright, None
        browser, self._browser = self._browser, None
        self._windows.clear()
        with contextlib.suppress(Exception):  # a crashed browser raises at whatever is asked of it
            async with asyncio.timeout(CLOSE_S):
                if browser is not None:
                    await browser.close()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                if playwright is not None:
                    await playwright.stop()
        self._guarded.tidy()
        fence, self._fence = self._fence, None
        if fence is not None:
            fence.stop()

    def check(self, url: str) -> str:
        """Return an address that may be opened. A person may open their own machine's servers.

        Raises:
            AddressRefused: a file, a page of the browser's own, or a host that is denied.
        """
        text = url.strip()
        if _OTHERS.match(text):
            raise AddressRefused(
                _("{text} addresses are not opened.").format(text=text.partition(":")[0]),
                hint=_("Only http and https addresses can be opened."),
            )
        if "://" not in text and (text.startswith(("localhost", "127.", "[::1]", "0.0.0.0"))):  # noqa: S104
            text = f"http://{text}"
        address = address_of(text)
        reach = self.choices.reach
        Reach((f"{address.host}:{address.port}",), reach.only, reach.denied).check_name(address)
        return address.url

    def _check_denied(self, url: str) -> None:
        """Look at an address that an allowed name has resolved to."""
        address = address_of(url)
        Reach((f"{address.host}:{address.port}",), (), self.choices.reach.denied).check_name(address)

    async def _open(self) -> Window:
        while len(self._windows) >= MAX_CONTEXTS:
            oldest = next(iter(self._windows))
            with contextlib.suppress(Exception):
                await self._windows.pop(oldest).context.close()
        try:
            async with asyncio.timeout(START_S):
                context = await self._context()
                page = context.pages[0] if context.pages else await context.new_page()
        except TimeoutError:
            await self.stop()
            raise ToolError(
                _("The browser did not start within {start_s:.0f} seconds.").format(start_s=START_S),
                hint=_("Try again."),
            ) from None
        window = Window(context, page)
        self._windows[self._conversation()] = window
        context.set_default_timeout(ACT_MS)
        context.set_default_navigation_timeout(LOAD_MS)
        context.on("page", lambda page: self._arrived(window, page))
        context.on("close", lambda _context: self._gone(window))
        self._watch(window, page)
        return window

    async def _context(self) -> BrowserContext:
        playwright = await self._driver()
        launch: dict[str, Any] = {
            "executable_path": self.executable(),
            "headless": not self.choices.headed,
            "args": _arguments(),
            "handle_sigint": False,
            "handle_sigterm": False,
            "handle_sighup": False,
        }
        reach = self.choices.reach
        if reach.only or reach.denied:
            if self._fence is None:
                self._fence = Fence(self.check, self._check_denied)
            launch["proxy"] = {"server": await self._fence.start()}
        from playwright.async_api import Error

        try:
            if self.choices.profile is not None:
                self.choices.profile.mkdir(mode=0o700, parents=True, exist_ok=True)
                return await playwright.chromium.launch_persistent_context(
                    self.choices.profile, **PAGE, **launch
                )
            if self._browser is None or not self._browser.is_connected():
                self._browser = await playwright.chromium.launch(**launch)
            return await self._browser.new_context(**PAGE)
        except Error as error:
            raise _not_started(str(error), headed=self.choices.headed) from None

    async def _driver(self) -> Playwright:
        if self._playwright is None:
            try:
                from playwright.async_api import async_playwright
            except ImportError:
                raise ToolError(
                    _("Driving a browser needs the extra browser."),
                    hint=_('pip install "voice-kernel[browser]", then restart the kernel.'),
                ) from None
            self._playwright = await self._guarded.start(async_playwright)
        return self._playwright

    def executable(self) -> str | None:
        """Return the browser to start; None for Playwright's own.

        Raises:
            ToolError: the one that was set is not there.
        """
        if self.choices.executable:
            if not shutil.which(self.choices.executable):
                raise ToolError(
                    _("There is no program {executable}.").format(executable=self.choices.executable),
                    hint=_("See VOICE_KERNEL_BROWSER_EXECUTABLE."),
                )
            return shutil.which(self.choices.executable)
        return next((found for name in INSTALLED if (found := shutil.which(name))), None)

    def _arrived(self, window: Window, page: Page) -> None:
        if len(window.context.pages) > MAX_TABS:
            asyncio.ensure_future(page.close())  # noqa: RUF006 - nobody waits for it
            return
        window.page = page
        window.said.append(_("A new tab was opened."))
        self._watch(window, page)

    def _watch(self, window: Window, page: Page) -> None:
        page.on("dialog", lambda dialog: self._asked(window, dialog))
        page.on("download", lambda download: self._download(window, download))
        page.on("crash", lambda _page: window.said.append(_("The page crashed.")))
        page.on("close", lambda closed: self._left(window, closed))

    def _left(self, window: Window, page: Page) -> None:
        if window.dialog is not None and window.dialog.page is page:
            window.dialog = None
        if window.page is page and window.context.pages:
            window.page = window.context.pages[-1]

    def _gone(self, window: Window) -> None:
        for conversation, known in list(self._windows.items()):
            if known is window:
                del self._windows[conversation]

    def _asked(self, window: Window, dialog: Dialog) -> None:
        window.dialog = dialog
        window.said.append(
            _("The page asks ({type}): “{message}”. Say accept the dialog, or dismiss the dialog.").format(
                type=dialog.type, message=" ".join(dialog.message.split())[:300]
            )
        )
        if window.on_dialog is not None:
            window.on_dialog()

    def _download(self, window: Window, download: Download) -> None:
        task = asyncio.ensure_future(self._saved(window, download))
        window.downloads.add(task)
        task.add_done_callback(window.downloads.discard)

    async def _saved(self, window: Window, download: Download) -> None:
        name = clean_name(download.suggested_filename)
        window.begun += 1
        if window.begun > MAX_UNSEEN:
            if window.begun == MAX_UNSEEN + 1:
                window.said.append(
                    _("The page goes on downloading: nothing after the first {count} files is kept.").format(
                        count=MAX_UNSEEN
                    )
                )
            with contextlib.suppress(Exception):  # the page may have gone, and its download with it
                await download.cancel()
            return
        if len(window.downloads) > MAX_DOWNLOADS:
            await download.cancel()
            window.said.append(
                _("{name} was not downloaded: {count} downloads are under way.").format(
                    name=name, count=MAX_DOWNLOADS
                )
            )
            return
        try:
            finished = asyncio.ensure_future(download.path())
            while not (await asyncio.wait({finished}, timeout=LOOK_S))[0]:
                if self._guarded.largest() > self.max_download_bytes:
                    await download.cancel()
            source = await finished
            if source.stat().st_size > self.max_download_bytes:
                await download.delete()
                raise ValueError
            target = _reserved(self.folder(), name)
            await download.save_as(target)
            window.said.append(
                _("Downloaded {name} ({count} bytes).").format(
                    name=target.name, count=number(target.stat().st_size)
                )
            )
        except Exception as error:  # noqa: BLE001 - the page may have gone; it is told, and that is all
            why = type(error).__name__
            if isinstance(error, ValueError) or "canceled" in str(error):
                why = _("it is larger than {count} bytes").format(count=number(self.max_download_bytes))
            window.said.append(_("The download of {name} failed: {why}.").format(name=name, why=why))


def clean_name(suggested: str) -> str:
    """Return a file name of a page's choosing as one that is safe: no folder, not hidden, not long.

    Nor one by which code of a stranger would be run without anybody's doing: `numpy.py` becomes
    `numpy.py.download`.
    """
    name = Path(suggested.replace("\\", "/")).name
    name = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in name).strip(" .")
    stem, suffix = Path(name).stem[:MAX_NAME_CHARS], Path(name).suffix[:20]
    safe = f"{stem}{suffix}" or "download"
    return f"{safe}.download" if RUN_BY_NAME.fullmatch(safe) else safe


def _reserved(folder: Path, name: str) -> Path:
    """Create an empty file of that name, or of one like it: what is there is never written over."""
    for copy in range(1, 1_000):
        target = folder / (name if copy == 1 else f"{Path(name).stem}-{copy}{Path(name).suffix}")
        with contextlib.suppress(FileExistsError):
            target.touch(mode=0o600, exist_ok=False)
            return target
    raise FileExistsError(name)


def _arguments() -> list[str]:
    quiet = [
        "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync",
    ]  # fmt: skip
    if sys.platform == "linux" and hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet.append("--no-sandbox")  # Chromium's sandbox does not start for root, as in most containers
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        quiet.append("--disable-gpu")
    return quiet


def _not_started(error: str, *, headed: bool) -> ToolError:
    if "Executable doesn't exist" in error:
        return ToolError(
            _("There is no Chromium here."),
            hint=_("Install it (apt install chromium), or run: playwright install chromium"),
        )
    if headed and "DISPLAY" in error:
        return ToolError(
            _("There is no screen for a visible browser."), hint=_("Set VOICE_KERNEL_BROWSER_HEADED=false.")
        )
    first = next((line.strip() for line in error.splitlines() if line.strip()), "")
    return ToolError(_("The browser did not start."), hint=first[:200])
