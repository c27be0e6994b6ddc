"""Whether a tool's sentences are understood as the tool, what they meant before, and in which language.

Asked once, when a tool is defined in a notebook, so that a person hears of a clash where the sentence is
written. It looks with the grammar that the session has, or will have.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voice_kernel.errors import IntentError, InvalidTool, SettingsError
from voice_kernel.intents import Grammar
from voice_kernel.language import _
from voice_kernel.settings import Settings, load
from voice_kernel.usertools.definition import UserTool
from voice_kernel.usertools.sentences import default_templates, foreign, meanings, told


def surprises(tool: UserTool, others: Sequence[UserTool] = (), names: Collection[str] = ()) -> list[str]:
    """Check a tool against the grammar; returns what is surprising, each in one sentence.

    Args:
        tool: the new tool.
        others: the user's tools that are there already.
        names: names that are taken besides those of our own sentences.

    Raises:
        InvalidTool: it has the name of a tool of ours, or a sentence the grammar cannot take.
    """
    settings = settings_here()
    base = _grammar(settings)
    if tool.name in base.tools or tool.name in names:
        raise InvalidTool(
            _("There is a tool named {name} already.").format(name=tool.name),
            hint=_('Give yours another name: @tool(name="...").'),
            place=tool.place,
        )
    try:
        without = base.extended([(other.place, other.source) for other in others])
        with_it = without.extended([(tool.name, tool.source)])
    except IntentError as error:
        raise InvalidTool(error.message, hint=error.hint, place=tool.place) from None
    of_its_name = default_templates(tool.name, tool.signature.parameters)
    given = [sentence for sentence in tool.sentences if sentence.template not in of_its_name]
    strange = foreign(tool.name, given, settings.language)
    found = meanings(without, with_it, tool.name, tool.sentences)
    return ([strange] if strange else []) + [told(tool.name, meaning) for meaning in found]


def settings_here() -> Settings:
    """Return the settings that a session here has, or will have."""
    try:
        return load()
    except SettingsError:  # which `%voice` will tell
        return Settings()


def _grammar(settings: Settings) -> Grammar:
    path = settings.sentences_path
    try:
        return Grammar.shared(settings.language, path if path.is_file() else None)
    except IntentError:  # as above, of the user's own sentences
        return Grammar.shared(settings.language)
