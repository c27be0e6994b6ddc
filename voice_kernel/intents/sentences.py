"""Sentence files: what can be said, as data.

One YAML file per language holds the templates of every tool (`en.yaml`, `de.yaml`, beside this module),
`common.yaml` what they share; a user's own file in the config folder has the same form and adds to it or
overrides it. This module reads, checks and merges such files; it does not compile templates nor match
anything.

A user's file:

    intents:
      morning:                                  # any name; a tool's name adds sentences to that tool
        data:
          - sentences: ["good morning", "start [my] day in {path}"]
            calls:                              # without calls: the tool that has the intent's name,
              - run_cells: {cells: all}         # its arguments being the slots of the sentence
              - run_tests: {path: "{path}"}
      save_notebook:
        replace: true                           # forget the built-in sentences of this intent
        data:
          - sentences: ["put it away"]
    lists:
      room: {values: ["kitchen", {in: "living room", out: "lounge"}]}
    expansion_rules:
      please: "(please|kindly)"

The sentences are in the session's language (VOICE_KERNEL_LANGUAGE); a file that says `language: de` is
refused by a session in another one.

An intent with one group of sentences needs no `data`: `sentences`, `calls` and `slots` may stand right
below its name. `{slots}` are lists: the built-in ones (name, path, query, number, ... see `lists` in
common.yaml), or the file's own. `slots:` beside `sentences:` gives fixed arguments.

A language may put its verbs around what they are about ("führe Zelle drei aus", "Zelle drei ausführen").
`frames:` names the ways, `*` being the place; `frame: <name>` beside `sentences:` puts each of them there.
A user's file may use those of its language, and bring its own:

    language: de
    frames:
      auswerten: ["werte * aus", "* auswerten"]
    intents:
      auswertung:
        frame: auswerten
        sentences: ["[die] messung", "[die] messungen [von {query}]"]
        calls: [{run_cells: {cells: all}}]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from voice_kernel.errors import IntentError
from voice_kernel.intents.templates import Values
from voice_kernel.language import _

_SLOT = re.compile(r"\{([A-Za-z_]\w*)\}")
_DATA_KEYS = {"sentences", "frame", "slots", "calls", "metadata"}
_INTENT_KEYS = {"data", "examples", "area", "alone", "exact", "replace", "talk"} | _DATA_KEYS
_FILE_KEYS = {"language", "intents", "lists", "expansion_rules", "frames", "speech"}


@dataclass(frozen=True, slots=True)
class Block:
    """Sentences that mean the same calls."""

    intent: str
    sentences: tuple[str, ...]
    slots: Mapping[str, Any]
    """Fixed arguments."""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] | None
    """What to call; a text `{slot}` stands for the slot. None: the tool named like the intent."""
    alone: bool = False
    """Whether it counts only as the whole of what was said, without fillers and other steps."""
    exact: bool = False
    """Whether it may never be reached by repairing misheard words."""
    own: bool = False
    """Whether it comes from the user: it then wins over ours."""
    source: str = ""
    """The file, for messages."""


@dataclass(slots=True)
class Sentences:
    """The content of one or several sentence files."""

    language: str = "en"
    blocks: list[Block] = field(default_factory=list)
    examples: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """area -> intent -> phrases that show how to say it."""
    lists: dict[str, Values | str] = field(default_factory=dict)
    """List name -> its values, or the name of its kind."""
    rules: dict[str, str] = field(default_factory=dict)
    frames: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ways to put a verb around what it is about, `*` being its place."""
    speech: dict[str, Any] = field(default_factory=dict)
    """Word-level facts of the language: contractions, numbers, fillers, confusions."""


def languages() -> tuple[str, ...]:
    """Return the languages that have a file of their own."""
    names = (file.name.removesuffix(".yaml") for file in resources.files("voice_kernel.intents").iterdir())
    return tuple(sorted(name for name in names if len(name) == 2))


def built_in(language: str) -> list[tuple[str, str]]:
    """Return the names and the texts of our own files for a language.

    Raises:
        IntentError: there are no sentences for that language.
    """
    folder = resources.files("voice_kernel.intents")
    try:
        return [(name, (folder / name).read_text("utf-8")) for name in ("common.yaml", f"{language}.yaml")]
    except FileNotFoundError:
        raise IntentError(
            _("There are no sentences for the language {language!r}.").format(language=language),
            hint=_("VOICE_KERNEL_LANGUAGE is one of: {codes}.").format(codes=", ".join(languages())),
        ) from None


def read(path: Path) -> tuple[str, str]:
    """Return the name and the text of a user's file.

    Raises:
        IntentError: it cannot be read.
    """
    try:
        return str(path), path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise IntentError(
            _("The sentence file {path} cannot be read: {error}").format(path=path, error=error)
        ) from error


def merge(files: Iterable[tuple[str, str]], *, ours: int = 1) -> Sentences:
    """Return the content of several files, the later ones adding to or overriding the earlier.

    Args:
        files: (name for messages, YAML text) pairs.
        ours: how many of them, at the beginning, are not the user's.

    Raises:
        IntentError: a file is no valid sentence file; the message names file, line and intent.
    """
    merged = Sentences()
    for number, (name, text) in enumerate(files):
        content = _load(name, text)
        _add(merged, content, name, text, own=number >= ours)
    return merged


def _load(name: str, text: str) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = _at(name, mark.line + 1) if mark is not None else name
        problem = getattr(error, "problem", None) or _("it is no valid YAML")
        hint = _("Quote sentences that hold : or {brace}.").format(brace="{")
        raise IntentError(f"{where}: {problem}.", hint=hint) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # a date there never was, a number too long, no end of lists
        raise IntentError(f"{name}: {error}.", hint=_("Quote what is no sentence of its own.")) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise _wrong(name, _("a sentence file is a mapping with the key intents."))
    unknown = set(content) - _FILE_KEYS
    if unknown:
        key = sorted(map(str, unknown))[0]
        raise _unknown(_at(name, _line(text, key)), key, _FILE_KEYS)
    return content


def wording(path: Path) -> str:
    """Return what a user's file has people say: the words of its templates, one after the other.

    Raises:
        IntentError: it cannot be read, or is no valid sentence file.
    """
    name, text = read(path)
    found: list[str] = []
    waiting: list[Any] = [_mapping(_load(name, text), "intents", name, text)]
    while waiting:
        body = waiting.pop()
        if isinstance(body, Mapping):
            found += map(str, body.get("sentences") or ())
            waiting += [part for key, part in body.items() if key != "sentences"]
        elif isinstance(body, list):
            waiting += body
    return re.sub(r"\{[^{}]*\}|<[^<>]*>", " ", " ".join(found))


def _add(merged: Sentences, content: dict[str, Any], name: str, text: str, *, own: bool) -> None:
    meant = str(content.get("language", merged.language))
    if own and meant != merged.language:
        raise _wrong(
            _at(name, _line(text, "language")),
            _("its sentences are for the language {meant!r}, and the session understands {own!r}.").format(
                meant=meant, own=merged.language
            ),
            hint=_("Say them in {own!r}, or set VOICE_KERNEL_LANGUAGE={meant}.").format(
                own=merged.language, meant=meant
            ),
        )
    if not own:
        merged.language = str(content.get("language", merged.language))
        merged.speech.update(content.get("speech", {}))
    for frame, body in _mapping(content, "frames", name, text).items():
        if not isinstance(body, list) or not all("*" in str(way) for way in body):
            raise _wrong(
                _at(name, _line(text, frame)),
                _("the frame {frame!r} is no list of ways with *.").format(frame=frame),
            )
        merged.frames[frame] = tuple(map(str, body))
    for rule, body in _mapping(content, "expansion_rules", name, text).items():
        if not isinstance(body, str):
            raise _wrong(
                _at(name, _line(text, rule)), _("the rule {rule!r} is not a text.").format(rule=rule)
            )
        merged.rules[rule] = body
    for list_name, body in _mapping(content, "lists", name, text).items():
        merged.lists[list_name] = _list(list_name, body, name, text)
    for intent, body in _mapping(content, "intents", name, text).items():
        _add_intent(merged, str(intent), body, name, text, own=own)


def _add_intent(merged: Sentences, intent: str, body: Any, name: str, text: str, *, own: bool) -> None:
    where = _("{place}, intent {intent!r}").format(place=_at(name, _line(text, intent)), intent=intent)
    if not isinstance(body, dict):
        raise _wrong(where, _("it is not a mapping with the key sentences."))
    unknown = set(body) - _INTENT_KEYS
    if unknown:
        raise _unknown(where, min(map(str, unknown)), _INTENT_KEYS)
    if body.get("replace"):
        merged.blocks[:] = [block for block in merged.blocks if block.intent != intent]
    blocks = body.get("data", [])
    if not isinstance(blocks, list):
        raise _wrong(where, _("data is not a list."))
    if short := {key: value for key, value in body.items() if key in _DATA_KEYS}:
        blocks = [short, *blocks]
    for data in blocks:
        if not isinstance(data, dict) or not isinstance(data.get("sentences"), list) or not data["sentences"]:
            raise _wrong(where, _("there is no list of sentences."))
        if set(data) - _DATA_KEYS:
            raise _unknown(where, min(map(str, set(data) - _DATA_KEYS)), _DATA_KEYS)
        sentences = tuple(str(sentence) for sentence in data["sentences"])
        if (frame := data.get("frame")) is not None:
            if frame not in merged.frames:
                raise _wrong(
                    where,
                    _("there is no frame {frame!r}.").format(frame=frame),
                    hint=_("Define it under frames."),
                )
            ways = merged.frames[frame]
            sentences = tuple(way.replace("*", sentence) for sentence in sentences for way in ways)
        slots = data.get("slots", {})
        if not isinstance(slots, dict):
            raise _wrong(where, _("slots is not a mapping."))
        calls = () if body.get("talk") else _calls(data.get("calls"), sentences, where)
        merged.blocks.append(
            Block(
                intent,
                sentences,
                {str(key): value for key, value in slots.items()},
                calls,
                alone=bool(body.get("alone")),
                exact=bool(body.get("exact")),
                own=own,
                source=name,
            )
        )
    given = body.get("examples") or ()
    if not isinstance(given, list | tuple):
        raise _wrong(where, _("examples is not a list."))
    examples = tuple(str(example) for example in given)
    if not examples and own:
        examples = tuple(
            str(data["sentences"][0])
            for data in blocks[:1]
            if not set("{<[(") & set(str(data["sentences"][0]))
        )
    if examples:
        merged.examples.setdefault(str(body.get("area", "own")), {})[intent] = examples


def _calls(
    calls: Any, sentences: tuple[str, ...], where: str
) -> tuple[tuple[str, Mapping[str, Any]], ...] | None:
    if calls is None:
        return None
    if not isinstance(calls, list):
        hint = _("Write: {form}.").format(form="calls: [tool: {argument: value}]")
        raise _wrong(where, _("calls is not a list."), hint=hint)
    result: list[tuple[str, Mapping[str, Any]]] = []
    for call in calls:
        if isinstance(call, str):
            call = {call: {}}
        if not isinstance(call, dict) or len(call) != 1:
            form = "tool: {argument: value}"
            raise _wrong(where, _("a call is not of the form {form}.").format(form=form))
        ((tool, arguments),) = call.items()
        if arguments is None:
            arguments = {}
        if not isinstance(arguments, dict):
            raise _wrong(where, _("the arguments of {tool!r} are not a mapping.").format(tool=tool))
        result.append((str(tool), {str(key): value for key, value in arguments.items()}))
    return tuple(result)


def _list(list_name: str, body: Any, name: str, text: str) -> Values | str:
    where = _("{place}, list {name!r}").format(place=_at(name, _line(text, list_name)), name=list_name)
    if not isinstance(body, dict):
        raise _wrong(where, _("it is not a mapping."))
    if "values" in body:
        if not isinstance(body["values"], list):
            raise _wrong(where, _("values is not a list."))
        entries: list[tuple[str, Any]] = []
        for value in body["values"]:
            if isinstance(value, dict):
                if "in" not in value:
                    raise _wrong(where, _("a value has no text (in)."))
                entries.append((str(value["in"]), value.get("out", value["in"])))
            else:
                entries.append((str(value), str(value)))
        return Values(tuple(entries))
    if "range" in body:
        return "number"
    if body.get("wildcard"):
        return str(body.get("kind", "query"))
    raise _wrong(where, _("it has neither values nor range nor wildcard."))


def _mapping(content: dict[str, Any], key: str, name: str, text: str) -> dict[str, Any]:
    value = content.get(key) or {}
    if not isinstance(value, dict):
        raise _wrong(_at(name, _line(text, key)), _("{key} is not a mapping.").format(key=key))
    return value


def _wrong(where: str, problem: str, *, hint: str = "") -> IntentError:
    return IntentError(f"{where}: {problem}", hint=hint)


def _unknown(where: str, key: str, known: Iterable[str]) -> IntentError:
    return _wrong(
        where,
        _("the key {key!r} is not known.").format(key=key),
        hint=_("Known keys: {keys}.").format(keys=", ".join(sorted(known))),
    )


def _at(name: str, line: int) -> str:
    return _("{file}, line {line}").format(file=name, line=line)


def _line(text: str, key: str) -> int:
    """Return the line, from 1, on which a key stands."""
    match = re.search(rf"^\s*[\"']?{re.escape(str(key))}[\"']?\s*:", text, re.MULTILINE)
    return text.count("\n", 0, match.end() if match else 0) + 1


def slots_of(template: str) -> tuple[str, ...]:
    """Return the names in braces in a text."""
    return tuple(_SLOT.findall(template))
