"""Whether a tool's sentences are understood as the tool, and what they meant before.

Asked once, when a tool is defined in a notebook, so that a person hears of a clash where the sentence is
written. It looks with the grammar that the session has, or will have.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_kernel.errors import IntentError, InvalidTool, SettingsError
from voice_kernel.intents import Grammar
from voice_kernel.settings import Settings, load
from voice_kernel.usertools.definition import UserTool
from voice_kernel.usertools.sentences import Meaning, meanings


def understood(tool: UserTool, others: Sequence[UserTool] = (), names: Collection[str] = ()) -> list[Meaning]:
    """Check a tool against the grammar; returns what is surprising.

    Args:
        tool: the new tool.
        others: the user's tools that are there already.
        names: names that are taken besides those of our own sentences.

    Raises:
        InvalidTool: it has the name of a tool of ours, or a sentence the grammar cannot take.
    """
    base = _grammar()
    if tool.name in base.tools or tool.name in names:
        raise InvalidTool(
            f"There is a tool named {tool.name} already.",
            hint='Give yours another name: @tool(name="...").',
            place=tool.place,
        )
    try:
        without = base.extended([(other.place, other.source) for other in others])
        with_it = without.extended([(tool.name, tool.source)])
    except IntentError as error:
        raise InvalidTool(error.message, hint=error.hint, place=tool.place) from None
    return meanings(without, with_it, tool.name, tool.sentences)


def _grammar() -> Grammar:
    try:
        settings = load()
    except SettingsError:  # which `%voice` will tell
        settings = Settings()
    path = settings.sentences_path
    try:
        return Grammar.shared(settings.language, path if path.is_file() else None)
    except IntentError:  # as above, of the user's own sentences
        return Grammar.shared(settings.language)
