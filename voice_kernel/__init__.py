"""voice_kernel: a voice assistant that lives in the Jupyter notebook.

The map, from the top; imports go down only, `a | b` are independent of each other
(`lint-imports` holds this, see pyproject.toml):

    magic | cli | api   %voice and %%voice; the voice-kernel command; ask, tasks and tool in Python
    app | doctor | export  composition root: chooses implementations, wires the ports; checks an installation;
                        what was done as a notebook or a report
    handles | engines   turns as a cell holds them; what is heavy or reaches outside, made when needed
    server              the session over HTTP: a ChatKit endpoint, and the panel in a plain page
    ui | headless | replay  panel and inline cards, comm target, static bundle; notebook files without a
                        browser; what was done, done again and compared
    client              speaks `messages` to a session in another process
    answering           what is spoken aloud: what, when, to whom
    hearing             which speech engines there are: what each needs, where the sound goes
    conversations       which conversation is open: shown, continued, kept
    listening           microphone streams become turns
    handsfree           one open microphone: finds the utterances that are meant for us
    interruption | speaker  what becomes of a spoken answer while somebody may be speaking up; says one
                        answer at a time
    heeding | room      what of the things that were heard is meant for us; what an open microphone needs
    session             one turn: utterance -> plan -> tool calls -> events
    surroundings        finds out what exists around the user
    agent               openai-agents brain: the toolbox as function tools; Realtime, ear and model in one
    usertools           the user's own functions as tools
    tools               what can be done: data, shell, tests, files, tasks ...
    toolbox | script | widgets  the one door: validation, policy, approval, task; what passes it, steering;
                        what was done, as steps and files; ChatKit's widgets as data
    speaking | meaning  what happened -> words and sound; words -> a plan here and now, or why there is none
    intents             grammar: (text, Context) -> tool calls
    speech              sound -> text, locally or by an engine that was chosen
    kernel              the only door to the IPython shell
    task                state machine, runner, lanes, progress, processes, executors, logs
    store               what outlives a session: conversations, tasks, events in a database
    context             what exists around the user, as one frozen value
    events | loop       how state reaches every surface; the one background thread
    messages | settings | endpoint | controls  the wire schema; configuration; a server that speaks OpenAI's
                        protocol; the names of what a person steers with
    errors | language | version | phonemes  the error tree; what is said in the person's language; how words
                        and names of code sound

One spoken command: the panel streams PCM over a comm (ui) -> speech transcribes -> session asks
intents for a plan -> toolbox checks each call and runs it as a task -> tools act, code through
kernel on the main thread -> every change is an event that the surfaces draw.

Importing this package imports nothing but the standard library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from voice_kernel.version import __version__

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from voice_kernel.api import action, ask, tasks, tool
    from voice_kernel.usertools.toolcontext import ToolContext
    from voice_kernel.widgets.widget import Widget

__all__ = [
    "ToolContext",
    "Widget",
    "__version__",
    "action",
    "ask",
    "load_ipython_extension",
    "tasks",
    "tool",
    "unload_ipython_extension",
]

_LAZY = {
    "action": "voice_kernel.api",
    "ask": "voice_kernel.api",
    "tasks": "voice_kernel.api",
    "tool": "voice_kernel.api",
    "ToolContext": "voice_kernel.usertools.toolcontext",
    "Widget": "voice_kernel.widgets.widget",
}
"""Public names, and the modules that are imported when they are first asked for."""


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register `%voice` and `%%voice`; everything heavy waits for their first use."""
    from voice_kernel.magic import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Close surfaces, cancel tasks and stop the background thread."""
    from voice_kernel.magic import unregister

    unregister(shell)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name == "VoicePanel":
        from voice_kernel.app import panel_class

        return panel_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
