"""The model of one session, as the settings and the person choose it.

Makes the brain when it is first asked; knows which model answers and where it runs without making it. Belongs
to the loop thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voice_kernel.agent.accounts import Accounts, Price, taken_by
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.agent.servers import NAMES, OPENAI, PRESETS, stays_here
from voice_kernel.language import _
from voice_kernel.messages import About, NotebookView, ReadNotebook, Task, Turn
from voice_kernel.settings import Settings
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.tools.desk import CellHost, view_of

if TYPE_CHECKING:
    from voice_kernel.agent.brain import Brain

MAX_ATTACHED = 20
MAX_ATTACHED_BYTES = 32_000_000


def configured(settings: Settings) -> ModelSettings:
    """Return the model that the settings name.

    Raises:
        ModelError: the address of its server is none.
    """
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    address: str | None = settings.base_url or None
    if settings.model_server:
        named = settings.model_server.lower()
        address = None if named == OPENAI else PRESETS.get(named, settings.model_server)
    return ModelSettings(
        model=settings.model,
        api_key=None if address in PRESETS.values() else key,
        base_url=address,
        use_responses={"auto": None, "responses": True, "chat": False}[settings.model_protocol],
        sees={"auto": None, "yes": True, "no": False}[settings.model_sees],
        areas=settings.model_areas,
    )


class Models:
    """The model of one session.

    Args:
        settings: as read.
        toolbox: what it acts through, asked when it is made.
        cells: the front end that shows the notebook, asked when it is made.
        folder: returns the working folder.
    """

    def __init__(
        self,
        settings: Settings,
        toolbox: Callable[[], Toolbox],
        cells: Callable[[], CellHost],
        folder: Callable[[], Path] = Path.cwd,
    ) -> None:
        self._settings = settings
        self._toolbox = toolbox
        self._cells = cells
        self._folder = folder
        self._brain: Brain | None = None
        self._chosen: tuple[ModelSettings, str] | None = None
        self._past_turns: Sequence[Turn] = ()
        self._attached: dict[str, bytes] = {}
        self.accounts = Accounts(Price.parse(settings.model_price), settings.model_budget)
        """What the open conversation has taken, whichever model answered."""

    @property
    def on(self) -> bool:
        """Whether a model answers what the grammar does not understand."""
        return self._settings.model_configured or self._chosen is not None

    async def brain(self) -> Brain:
        """Return the model, with what was said before in its memory."""
        if self._brain is None:
            from voice_kernel.agent.brain import Brain, Limits
            from voice_kernel.agent.surroundings import Sight

            settings = self._settings
            self._brain = Brain(
                configured(settings),
                self._toolbox(),
                working_folder=str(self._folder()),
                around=Sight(
                    self._look,
                    self._show,
                    self._folder,
                    values=settings.model_values != "never",
                    attached=self._attached,
                ),
                accounts=self.accounts,
                limits=Limits(settings.model_steps, settings.model_attempts),
                shares=settings.model_share == "ask",
            )
            # What was taken since then, by a Realtime model, counts too.
            taken = self.accounts.conversation
            self._brain.recall(self._past_turns)
            self.accounts.begin(taken)
        return self._brain

    async def choose(self, model: str) -> str:
        """Have another model answer from now on; returns its name and its server.

        Raises:
            ModelError: there is no such model, or its server does not answer.
        """
        brain = await self.brain()
        name = await brain.choose(model)
        self._chosen = (brain.settings, name)
        return _("{model} at {server}").format(model=name, server=brain.settings.server)

    def allowed(self, model: str) -> str | None:
        """Return how to choose the model that a client names, as `Brain.answer` takes it.

        Empty for the one that answers now: its name may read like that of another server. None for one that
        the settings do not let be chosen.
        """
        now = self._brain.settings.model if self._brain is not None else self._settings.model
        if model == now:
            return ""
        return model if model in self._settings.model_choices else None

    def recalled(self, turns: Sequence[Turn]) -> None:
        """Let the model know the turns of the conversation that is open now."""
        self._past_turns = turns
        self.accounts.begin(taken_by(turns))
        if self._brain is not None:
            self._brain.recall(turns)

    def told(self, about: About) -> About:
        """Return what a surface shows of the configuration, with the model that answers now."""
        if not self.on:
            return about.model_copy(update={"models": self._choices()})
        model = self._chosen[0] if self._chosen else configured(self._settings)
        name = self._chosen[1] if self._chosen else model.model or _("default model")
        return about.model_copy(
            update={
                "model": name,
                "model_server": model.server,
                "model_stays": stays_here(model),
                "models": self._choices(),
            }
        )

    def attach(self, name: str, data: bytes) -> None:
        """Keep a file for questions that name it; the oldest ones go when there are too many."""
        self._attached.pop(name, None)
        self._attached[name] = data
        while len(self._attached) > 1 and (
            len(self._attached) > MAX_ATTACHED or sum(map(len, self._attached.values())) > MAX_ATTACHED_BYTES
        ):
            del self._attached[next(iter(self._attached))]

    async def close(self) -> None:
        """Close the connections."""
        if self._brain is not None:
            await self._brain.close()

    def _choices(self) -> list[str]:
        keyed = self._settings.openai_api_key is not None
        return [name for name in NAMES if name != OPENAI or keyed]

    async def _look(self, turn_id: int, ids: list[str] | None) -> NotebookView:
        wanted = ReadNotebook() if ids is None else ReadNotebook(sources=True, outputs=True, cells=ids)
        return view_of(await self._cells().request(wanted, step=turn_id))

    async def _show(self, turn_id: int, name: str) -> Task:
        return await self._toolbox().call("show_variable", {"name": name}, turn_id=turn_id, origin="text")
