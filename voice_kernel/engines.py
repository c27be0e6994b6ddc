"""What is heavy, or reaches outside: speech, the model, the browser, the web. Each made when first needed.

Chooses implementations by the settings, and ends what was made. Knows nothing of turns, tools or surfaces.
Everything but `transcriber` belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from voice_kernel.agent.models import Models
from voice_kernel.hearing import REALTIME, Hearing, make_realtime, speech_endpoint
from voice_kernel.messages import Notice, Turn
from voice_kernel.session import Brain
from voice_kernel.settings import Settings, data_folder
from voice_kernel.speech.chosen import ChosenTranscriber
from voice_kernel.task import process
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.tools import browser, mcp
from voice_kernel.tools.desk import CellHost
from voice_kernel.web.addresses import Reach

if TYPE_CHECKING:
    from voice_kernel.agent.realtime import Realtime
    from voice_kernel.messages import VoiceEngine
    from voice_kernel.speaking.voice import Voice
    from voice_kernel.web.engines import Engine
    from voice_kernel.web.library import Library


class Engines:
    """The engines of one session.

    Args:
        settings: as read.
        toolbox: what a model acts through, asked when there is one.
        conversation: the id of the open conversation: each has browser tabs of its own.
        cells: the front end that shows the notebook.
        tell: tells a person something that belongs to no turn.
    """

    def __init__(
        self,
        settings: Settings,
        toolbox: Callable[[], Toolbox],
        conversation: Callable[[], str],
        cells: Callable[[], CellHost],
        tell: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        self._settings = settings
        self._toolbox = toolbox
        self._conversation = conversation
        self._tell = tell
        self.models = Models(settings, toolbox, cells)
        """Which model answers; it is made, and the SDK imported, when it is first asked."""
        self._starting: asyncio.Task[None] | None = None

    @cached_property
    def executor(self) -> Executor:
        """What runs commands, tests and functions."""
        if self._settings.executor == "local":
            return LOCAL
        from voice_kernel.task.dask import DaskExecutor

        return DaskExecutor(self._settings.dask_scheduler, retries=self._settings.dask_retries)

    @cached_property
    def hearing(self) -> Hearing:
        """The speech engines there are."""
        return Hearing(self._settings, lambda: self.realtime)

    @cached_property
    def realtime(self) -> Realtime:
        """The speech engine that is a model too; it connects when somebody speaks."""
        return make_realtime(
            self._settings,
            toolbox=self._toolbox(),
            working_folder=str(Path.cwd()),
            others=self.models.brain,
            accounts=self.models.accounts,
        )

    async def brain(self) -> Brain:
        """Return what answers now: the speech engine where it can, else the model."""
        return self.realtime if self._ear_answers else await self.models.brain()

    @property
    def answering(self) -> bool:
        """Whether anything answers what the grammar does not understand."""
        return self._ear_answers or self.models.on

    @property
    def _ear_answers(self) -> bool:
        return self.transcriber.name == REALTIME

    @cached_property
    def transcriber(self) -> ChosenTranscriber:
        """The speech engine; what is heavy in it loads when it is first used."""

        def tell(message: str, hint: str) -> None:
            self._tell(Notice(level="warning", message=message, hint=hint))

        return ChosenTranscriber(self.hearing.make, self._settings.speech_engine, tell=tell)

    @cached_property
    def local_voice(self) -> Voice:
        """The voice on this machine; it loads when somebody wants to hear it."""
        from voice_kernel.speaking.local import LocalVoice

        return LocalVoice()

    @cached_property
    def openai_voice(self) -> Voice:
        """The voice of a server with OpenAI's interface."""
        from voice_kernel.speaking.openai import OpenAIVoice

        settings = self._settings
        return OpenAIVoice(speech_endpoint(settings), model=settings.voice_model, voice=settings.voice_name)

    def voice(self, engine: VoiceEngine) -> Voice:
        """Return the kernel's voice that a page has chosen."""
        return self.openai_voice if engine == "openai" else self.local_voice

    @cached_property
    def browser(self) -> browser.BrowserLife:
        """The web browser; it starts when a page is first opened."""
        profile = self._settings.browser_profile
        choices = browser.Choices(
            executable=self._settings.browser_executable,
            headed=self._settings.browser_headed,
            profile=Path(profile).expanduser() if profile else None,
            reach=self._reach,
        )
        return browser.BrowserLife(choices, Path.cwd, self._conversation)

    @property
    def page_open(self) -> bool:
        """Whether the browser shows a page in the open conversation."""
        return "browser" in self.__dict__ and self.browser.is_open

    @cached_property
    def servers(self) -> mcp.Supervisor:
        """The MCP servers; their tools join the toolbox as they start."""
        folder = data_folder()
        toolbox = self._toolbox()
        supervisor = mcp.Supervisor(
            mcp.ServerFile(folder / "mcp.json"),
            mcp.Secrets(folder / "secrets.json"),
            people=toolbox.approvals,
            root=Path.cwd,
        )
        supervisor.on_change(mcp.Bridge(toolbox.registry).update)
        return supervisor

    def begin_servers(self, tell: Callable[[Notice], None]) -> None:
        """Start the MCP servers that are to run with every session; nobody waits for them."""
        if not self._settings.mcp_autostart or not (data_folder() / "mcp.json").is_file():
            return
        names = self.servers.to_start()
        if names and self._starting is None:
            self._starting = asyncio.ensure_future(self._start_servers(names, tell))

    async def _start_servers(self, names: Sequence[str], tell: Callable[[Notice], None]) -> None:
        for error in (await self.servers.start_all(names)).values():
            if error is not None:
                tell(Notice(level="warning", message=error.message, hint=error.hint))

    def catalog(self) -> mcp.Catalog:
        """Return the registry of MCP servers."""
        return mcp.Catalog(self._settings.mcp_registry_url)

    @cached_property
    def library(self) -> Library:
        """Reads pages of the web."""
        from urllib.request import getproxies

        from voice_kernel.web.fetch import Fetcher
        from voice_kernel.web.library import Library

        proxies = getproxies()
        proxy = proxies.get("https") or proxies.get("http") or ""
        return Library(Fetcher(self._reach, proxy=proxy), _run_to_its_end)

    def search_engine(self) -> Engine:
        """Return what searches the web.

        Raises:
            WebError: a setting is missing.
        """
        from voice_kernel.web.engines import engine_of

        key = self._settings.search_api_key
        return engine_of(
            self._settings.search_engine, self._settings.search_url, key.get_secret_value() if key else ""
        )

    def recalled(self, turns: Sequence[Turn]) -> None:
        """Let the model know the turns of the conversation that is open now."""
        self.models.recalled(turns)
        if "realtime" in self.__dict__:
            self.realtime.recall(turns)

    async def close(self) -> None:
        """End what was made."""
        made = self.__dict__
        if "executor" in made:
            await self.executor.close()
        for voice in ("local_voice", "openai_voice"):
            if voice in made:
                await made[voice].close()
        if "transcriber" in made:
            await self.transcriber.close()
        await self.models.close()
        if "browser" in made:
            await self.browser.stop()
        if "library" in made:
            await self.library.close()
        if self._starting is not None:
            self._starting.cancel()
        if "servers" in made:
            await self.servers.close()

    @property
    def _reach(self) -> Reach:
        settings = self._settings
        return Reach(settings.private_hosts, settings.allowed_hosts, settings.denied_hosts)


async def _run_to_its_end(argv: Sequence[str], limit_s: float) -> int:
    return (await process.run(argv, timeout_s=limit_s)).code
