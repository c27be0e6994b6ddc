"""Which engines turn speech into text: what each needs, where it sends the sound, and how one is made.

Four are our own. Installed packages add others through the entry point group `voice_kernel.transcribers`:
an entry's name is what the setting `speech_engine` says, and its object is called with `EngineOptions` and
returns a `Transcriber` (both in `voice_kernel.speech.transcriber`, where the protocol is described):

    [project.entry-points."voice_kernel.transcribers"]
    moonshine = "my_package.ears:make"

    def make(options: EngineOptions) -> Transcriber: ...

A package is imported when its engine is chosen, or asked about. Knows settings and who makes what; does not
know who listens.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import TYPE_CHECKING

from voice_kernel.endpoint import OPENAI_URL, Endpoint
from voice_kernel.errors import EngineUnavailable, SettingsError, VoiceKernelError
from voice_kernel.language import N_, _
from voice_kernel.messages import ListEngines, SpeechEngine, SpeechEngines
from voice_kernel.settings import Settings
from voice_kernel.speech.transcriber import EngineOptions, Transcriber

if TYPE_CHECKING:
    from voice_kernel.agent.accounts import Accounts
    from voice_kernel.agent.brain import Brain
    from voice_kernel.agent.realtime import Realtime
    from voice_kernel.toolbox.door import Toolbox

GROUP = "voice_kernel.transcribers"
LOCAL, BROWSER, OPENAI, REALTIME = OWN = ("local", "browser", "openai", "realtime")
_MODEL_EXTRA = N_('Run: pip install "voice-kernel[model]", then restart the kernel.')


class Hearing:
    """The engines there are.

    Args:
        settings: as read.
        realtime: makes the engine that is a model too; without it that engine only listens.
    """

    def __init__(self, settings: Settings, realtime: Callable[[], Realtime] | None = None) -> None:
        self._settings = settings
        self._realtime = realtime

    @property
    def options(self) -> EngineOptions:
        """What every engine is told."""
        settings = self._settings
        return EngineOptions(
            model=settings.speech_model or settings.speech_model_path,
            language=settings.speech_language or settings.language,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The engines by name: our own, then those of installed packages."""
        others = sorted(entry.name for entry in metadata.entry_points(group=GROUP))
        return (*OWN, *(name for name in dict.fromkeys(others) if name not in OWN))

    def make(self, name: str) -> Transcriber:
        """Return an engine; what is heavy in it waits for its first use.

        Raises:
            EngineUnavailable: there is none of that name, its package is broken, or the address of its
                server is none.
        """
        try:
            return self._make(name, self.options)
        except SettingsError as error:
            raise EngineUnavailable(error.message, hint=error.hint) from error

    def _make(self, name: str, options: EngineOptions) -> Transcriber:
        if name == LOCAL:
            from voice_kernel.speech.local import LocalTranscriber

            return LocalTranscriber(options.model or None, language=options.language)
        if name == BROWSER:
            from voice_kernel.speech.browser import BrowserTranscriber

            return BrowserTranscriber(language=options.language)
        if name == OPENAI:
            from voice_kernel.speech.openai import OpenAITranscriber

            model = self._settings.transcription_model
            return OpenAITranscriber(speech_endpoint(self._settings), model=model, language=options.language)
        if name == REALTIME:
            return self._realtime() if self._realtime is not None else make_realtime(self._settings)
        return self._other(name)

    def examine(self, name: str) -> SpeechEngine:
        """Say whether an engine can be used, and where it sends the sound. Call it off the loop.

        Nothing is loaded and nothing is sent; a package's engine is made, and thereby imported.
        """
        sent_to = ""
        try:
            sent_to = self.make(name).sent_to
            self._check(name)
        except VoiceKernelError as error:
            return SpeechEngine(name=name, sent_to=sent_to, problem=error.message, hint=error.hint)
        return SpeechEngine(name=name, sent_to=sent_to)

    async def listed(self, message: ListEngines, chosen: str) -> SpeechEngines:
        """Answer a surface that asks which engines there are."""
        engines = await asyncio.to_thread(lambda: [self.examine(name) for name in self.names])
        return SpeechEngines(id=message.id, engines=engines, chosen=chosen, locked=self.locked)

    @property
    def locked(self) -> bool:
        """Whether the administrator has chosen the engine."""
        return self._settings.is_locked("speech_engine")

    def check_free(self) -> None:
        """Make sure that a person may choose.

        Raises:
            SettingsError: the administrator has chosen.
        """
        if self.locked:
            raise SettingsError(
                _("Which speech engine is used was fixed by the administrator of this machine.")
            )

    def _check(self, name: str) -> None:
        """Look for what an engine of ours needs.

        Raises:
            EngineUnavailable: it is not there.
        """
        if name == LOCAL:
            from voice_kernel.speech.weights import check_weights

            for module in ("ctranslate2", "onnxruntime", "tokenizers"):
                if importlib.util.find_spec(module) is None:
                    raise EngineUnavailable(
                        _("The local speech engine is not installed."),
                        hint=_('Run: pip install "voice-kernel[local]"'),
                    )
            check_weights(self.options.model or None, language=self.options.language)
        elif name in (OPENAI, REALTIME):
            endpoint = speech_endpoint(self._settings)
            if importlib.util.find_spec("openai" if name == OPENAI else "agents") is None:
                raise EngineUnavailable(_("What talks to the server is not installed."), hint=_(_MODEL_EXTRA))
            if endpoint.is_openai and not endpoint.api_key:
                raise EngineUnavailable(
                    _("{server} wants an API key.").format(server=endpoint.server),
                    hint=_("Set {key_setting}.").format(key_setting=endpoint.key_setting),
                )

    def _other(self, name: str) -> Transcriber:
        entries = [entry for entry in metadata.entry_points(group=GROUP) if entry.name == name]
        if not entries:
            raise EngineUnavailable(
                _("There is no speech engine named {name}.").format(name=name),
                hint=_("There are: {names}.").format(names=", ".join(self.names)),
            )
        try:
            made: Transcriber = entries[0].load()(self.options)
        except VoiceKernelError:
            raise
        except Exception as error:  # a package of somebody else's: it must not take speech away
            raise EngineUnavailable(
                _("The speech engine {name} does not start ({error}).").format(
                    name=name, error=type(error).__name__
                ),
                hint=_("It comes from {origin}; look there for an update.").format(
                    origin=_origin(entries[0])
                ),
            ) from error
        missing = [part for part in _PARTS if not hasattr(made, part)]
        if missing:
            raise EngineUnavailable(
                _("The speech engine {name} lacks {missing}.").format(name=name, missing=", ".join(missing)),
                hint=_("It comes from {origin}, and does not fit this version of voice_kernel.").format(
                    origin=_origin(entries[0])
                ),
            )
        return made


_PARTS = ("name", "sent_to", "loaded", "load", "open", "close")


def _origin(entry: metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def speech_endpoint(settings: Settings) -> Endpoint:
    """Return the server that speech is sent to.

    A key goes only where it belongs: the one for OpenAI, or for `base_url`, is not sent to `speech_url`.

    Raises:
        SettingsError: the address is none.
    """
    if settings.speech_url:
        key = settings.speech_api_key
        return Endpoint(
            settings.speech_url,
            key.get_secret_value() if key else None,
            key_setting="VOICE_KERNEL_SPEECH_API_KEY",
        )
    key = settings.openai_api_key
    return Endpoint(
        settings.base_url or OPENAI_URL,
        key.get_secret_value() if key else None,
        url_setting="VOICE_KERNEL_BASE_URL",
    )


def make_realtime(
    settings: Settings,
    *,
    toolbox: Toolbox | None = None,
    working_folder: str = "",
    others: Callable[[], Awaitable[Brain]] | None = None,
    accounts: Accounts | None = None,
) -> Realtime:
    """Return the engine of OpenAI's Realtime interface; see `Realtime` for what it is given.

    Raises:
        SettingsError: the address of its server is none.
    """
    from voice_kernel.agent.realtime import Realtime

    return Realtime(
        speech_endpoint(settings),
        model=settings.realtime_model,
        transcription_model=settings.transcription_model,
        language=settings.speech_language or settings.language,
        toolbox=toolbox,
        working_folder=working_folder,
        others=others,
        accounts=accounts,
        shares=settings.model_share == "ask",
    )
