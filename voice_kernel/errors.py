"""The errors a caller may meet, and nothing else.

    VoiceKernelError            message, hint (what to do next), retryable
    ├── SettingsError           a setting cannot be read, or is locked by an administrator
    ├── KernelError             the code door: no shell, no main thread, shutting down
    ├── SpeechError             sound could not be turned into text
    │   ├── AudioError          the audio itself is unreadable, empty or too long
    │   ├── EngineUnavailable   weights missing, changed, or an engine that is not installed
    │   └── ServerFailed        a server that recognises speech did not answer to the end
    ├── IntentError             a sentence file (ours or the user's) is wrong
    ├── ToolError               a tool was asked for something it cannot do
    │   ├── UnknownTool         no tool has that name
    │   ├── ToolUnavailable     the tool is known, but not here: not built yet, or needs a surface
    │   ├── InvalidArguments    the arguments do not fit the tool's schema
    │   ├── InvalidTool         a function of the user's cannot be a tool as it is written
    │   ├── InvalidWidget       what is to be shown is no widget, or too much of one
    │   ├── UnknownTask         no task has that number
    │   └── Refused             policy or a person said no; never retried by itself
    │       └── NobodyToAsk     approval was needed and no person is connected
    ├── WebError                a page or a search engine could not be reached or read
    │   └── AddressRefused      an address is out of reach: private, denied, or no address of the web
    ├── ModelError              the model provider answered with an error, or not at all
    ├── ClientError             a session in another process could not be reached
    │   └── KernelDied          its kernel has ended by itself
    ├── NotebookError           a notebook file cannot be read or written
    ├── LogError                the log of a task cannot be read
    ├── ExecutorError           work cannot be handed to the place where it should run
    ├── HistoryError            what is kept cannot be read or written now
    │   └── NotInHistory        no conversation or task of that name is kept
    └── ScriptError             a `.voice` script cannot be read

A cell that raises, a test that fails and a shell exit that is not 0 are results, not exceptions.
Cancellation is `asyncio.CancelledError` and is never wrapped.
"""

from __future__ import annotations


class VoiceKernelError(Exception):
    """Say what went wrong and what to do next.

    Args:
        message: one sentence for a person, without a trailing hint.
        hint: what the person can do now; empty when there is nothing to do.
        retryable: whether the same call may succeed later without a change.
    """

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: a person is helped by the sentence, and not by a way through our modules.
        return [f"{type(self).__name__}: {self}"]


class SettingsError(VoiceKernelError):
    """A setting cannot be read, or is locked by an administrator."""


class KernelError(VoiceKernelError):
    """The code door cannot run code: no shell, no main thread, or shutting down."""


class SpeechError(VoiceKernelError):
    """Sound could not be turned into text."""


class AudioError(SpeechError):
    """The audio itself is unreadable, empty or too long."""


class EngineUnavailable(SpeechError):
    """A speech engine cannot be used: weights missing or changed, or not installed."""


class ServerFailed(SpeechError):
    """A server that recognises speech did not answer to the end.

    Args:
        message: as for any error.
        hint: as for any error.
        rest_s: how long asking it again is useless, in seconds.
    """

    def __init__(self, message: str, *, hint: str = "", rest_s: float = 0.0) -> None:
        super().__init__(message, hint=hint, retryable=True)
        self.rest_s = rest_s


class VoiceUnavailable(SpeechError):
    """A voice cannot be used: not installed, without a key, or it does not know the language."""


class IntentError(VoiceKernelError):
    """A sentence file, ours or the user's, is wrong."""


class ToolError(VoiceKernelError):
    """A tool was asked for something it cannot do."""


class UnknownTool(ToolError):
    """No tool has that name."""


class ToolUnavailable(ToolError):
    """The tool is known but cannot be used here."""


class InvalidArguments(ToolError):
    """The arguments do not fit the tool's schema."""


class InvalidTool(ToolError):
    """A function of the user's cannot be a tool as it is written.

    Args:
        message: as for any error.
        hint: as for any error.
        parameter: the parameter it is about; empty when it is about the whole function.
        place: where the function is written, as a person finds it.
    """

    def __init__(self, message: str, *, hint: str = "", parameter: str = "", place: str = "") -> None:
        super().__init__(message, hint=hint)
        self.parameter = parameter
        self.place = place

    def __str__(self) -> str:
        return f"{super().__str__()} ({self.place})" if self.place else super().__str__()


class InvalidWidget(ToolError, ValueError):
    """What is to be shown is no widget, or too much of one."""


class UnknownTask(ToolError, LookupError):
    """No task has that number."""


class Refused(ToolError):
    """Policy or a person said no."""


class NobodyToAsk(Refused):
    """Approval was needed and no person is connected."""


class WebError(VoiceKernelError):
    """A page or a search engine could not be reached or read."""


class AddressRefused(WebError):
    """An address is out of reach: private, denied, or no address of the web."""


class ModelError(VoiceKernelError):
    """The model provider answered with an error, or not at all."""


class ClientError(VoiceKernelError):
    """A session in another process could not be reached."""


class KernelDied(ClientError):
    """The kernel of a session in another process has ended by itself."""


class NotebookError(VoiceKernelError):
    """A notebook file cannot be read or written."""


class LogError(VoiceKernelError):
    """The log of a task cannot be read: removed, unreadable, or not looked through yet."""


class ExecutorError(VoiceKernelError):
    """Work cannot be handed to the place where it should run."""


class HistoryError(VoiceKernelError):
    """What is kept cannot be read or written now: locked, damaged, out of reach, of a newer version."""


class NotInHistory(HistoryError):
    """No conversation or task of that name is kept."""


class ScriptError(VoiceKernelError):
    """A `.voice` script cannot be read."""
