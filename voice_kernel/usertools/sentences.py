"""A tool's templates become sentences of the grammar; and who else means the same words.

A slot of a template names an argument: `{epochs}`, or `{number:epochs}` with one of the grammar's own lists.
Lists and slots get names of the tool's own, so that no tool can change what another, or the grammar itself,
understands by `{name}` or `{path}`. It does not know how a sentence is matched.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice_kernel.errors import IntentError, InvalidTool
from voice_kernel.intents import Grammar
from voice_kernel.intents.phrases import phrase, slots_in
from voice_kernel.intents.tongue import TONGUES, other_tongue
from voice_kernel.language import _
from voice_kernel.usertools.shelf import AREA
from voice_kernel.usertools.signature import Parameter

_RUN = "[(run|start|führe|starte)]"
_RUN_LAST = "[(aus|ausführen|starten)]"
_WITH = "[(with|for|on|of|from|in|to|mit|für|auf|von|aus|nach|zu)]"
_SLOT = re.compile(r"\{([^{}:]+)(?::([^{}:]+))?\}")


@dataclass(frozen=True)
class Sentence:
    """One template of a tool."""

    template: str
    fixed: Mapping[str, Any]
    """Arguments that it gives without saying them."""
    phrases: tuple[str, ...]
    """How it sounds, short and in full."""


@dataclass(frozen=True)
class Meaning:
    """What a phrase of a tool meant before, and what it means now."""

    phrase: str
    before: str
    """The tool that was meant; empty when none was."""
    now: str
    """The tool that is meant; empty when none is."""


def default_templates(name: str, parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Return how a tool is said that has no sentences of its own: by its name, and one argument at most.

    A name has no language, so the words around it are those of every language that is understood.
    """
    words = " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)).lower()
    required = [parameter.name for parameter in parameters if parameter.required]
    if not words or len(required) > 1:
        return ()
    if required:
        return (f"{_RUN} {words} {_WITH} {{{required[0]}}} {_RUN_LAST}",)
    return (f"{_RUN} {words} {_RUN_LAST}",)


def sentences_of(
    tool: str, given: Mapping[str, Mapping[str, Any]], parameters: Sequence[Parameter], *, ours: bool = False
) -> tuple[Sentence, ...]:
    """Check a tool's templates.

    Args:
        tool: its name.
        given: template -> the arguments that it gives without saying them.
        parameters: what the tool takes.
        ours: whether the templates come from its name: then only their shortest form is promised.

    Raises:
        InvalidTool: a template cannot be read, or is about an argument that does not exist.
    """
    names = [parameter.name for parameter in parameters]
    samples = {parameter.name: parameter.spoken.sample for parameter in parameters}
    found: list[Sentence] = []
    for template, fixed in given.items():
        template = template.strip().rstrip(".!?")
        try:
            slots = slots_in(template)
            short = phrase(template, samples, full=False)
            phrases = (short,) if ours else (short, phrase(template, samples))
        except IntentError as error:
            raise InvalidTool(f"{tool}: {error.message}", hint=error.hint) from None
        for name in (*(slot.slot for slot in slots), *fixed):
            if name not in names:
                close = difflib.get_close_matches(name, names, 1)
                raise InvalidTool(
                    _("{tool}: the sentence “{template}” is about {name}, which is no argument.").format(
                        tool=tool, template=template, name=name
                    ),
                    hint=_("Did you mean {name}?").format(name=close[0])
                    if close
                    else _("Its arguments: {names}.").format(names=", ".join(names) or _("none")),
                )
        if not phrases[0]:
            raise InvalidTool(
                _("{tool}: all of the sentence “{template}” may be left out.").format(
                    tool=tool, template=template
                ),
                hint=_("Let some words be said."),
            )
        found.append(Sentence(template, dict(fixed), tuple(dict.fromkeys(phrases))))
    return tuple(found)


def source_of(tool: str, sentences: Sequence[Sentence], parameters: Sequence[Parameter]) -> str:
    """Return a tool's sentences as a source of the grammar (JSON, which is YAML)."""
    by_name = {parameter.name: parameter for parameter in parameters}
    lists: dict[str, Any] = {}
    data = []
    for sentence in sentences:

        def slot(match: re.Match[str]) -> str:
            listed, name = match.group(1).strip(), (match.group(2) or match.group(1)).strip()
            if match.group(2) is None:
                listed = f"{tool}__{name}"
                lists[listed] = _list(by_name[name])
            return f"{{{listed}:{_slot_name(name)}}}"

        data.append(
            {
                "sentences": [_SLOT.sub(slot, sentence.template)],
                "slots": {_slot_name(name): value for name, value in sentence.fixed.items()},
                "calls": [{tool: {name: "{" + _slot_name(name) + "}" for name in by_name}}],
            }
        )
    examples = list(dict.fromkeys(sentence.phrases[-1] for sentence in sentences))
    intent = {"area": AREA, "examples": examples, "data": data}
    return json.dumps({"intents": {tool: intent} if data else {}, "lists": lists}, default=str)


def meanings(base: Grammar, extended: Grammar, tool: str, sentences: Sequence[Sentence]) -> list[Meaning]:
    """Return the phrases of a tool that meant something before, or do not mean the tool now.

    Args:
        base: the grammar without the tool.
        extended: the grammar with it.
        tool: its name.
        sentences: its sentences.
    """
    found: list[Meaning] = []
    for sentence in sentences:
        for said in sentence.phrases:
            before, now = _meant(base, said), _meant(extended, said)
            if before or now != tool:
                found.append(Meaning(said, before, now))
                break
    return found


def told(tool: str, meaning: Meaning) -> str:
    """Say in one sentence what is surprising about a phrase."""
    said = meaning.phrase
    if meaning.before and meaning.now == tool:
        changed = _("“{said}” meant {before} until now; from now on it means {tool}.")
        return changed.format(said=said, before=meaning.before, tool=tool)
    if meaning.now:
        kept = _("“{said}” still means {now}, not {tool}: give {tool} another sentence.")
        return kept.format(said=said, now=meaning.now, tool=tool)
    return _(
        "“{said}” will not be understood as {tool}: write the words as they are heard, contractions written "
        "out and without punctuation."
    ).format(said=said, tool=tool)


def foreign(tool: str, sentences: Sequence[Sentence], language: str) -> str:
    """Say in one sentence that a tool's sentences are in another language than the session's.

    Args:
        tool: its name.
        sentences: its own sentences, not those of its name.
        language: the session's, ISO 639-1.

    Returns:
        nothing where they are not clearly.
    """
    said = re.sub(r"\{[^{}]*\}|<[^<>]*>", " ", " ".join(sentence.template for sentence in sentences))
    other = other_tongue(said, language)
    if not other:
        return ""
    return _(
        "The sentences of {tool} sound like {other}, and this session understands {own}: write them in {own}."
    ).format(tool=tool, other=_(TONGUES[other]), own=_(TONGUES[language]))


def _meant(grammar: Grammar, said: str) -> str:
    parse = grammar.parse(said)
    return parse.calls[0].tool if parse.route == "intents" and len(parse.calls) == 1 else ""


def _slot_name(name: str) -> str:
    # The grammar gives some names a meaning of its own, such as `cells`.
    return f"arg_{name}"


def _list(parameter: Parameter) -> dict[str, Any]:
    spoken = parameter.spoken
    if spoken.kind:
        return {"wildcard": True, "kind": spoken.kind}
    return {"values": [{"in": said, "out": value} for said, value in spoken.values]}
