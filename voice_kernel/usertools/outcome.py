"""What a tool's function returns becomes a result: a line to read, a text, data, or a picture.

Plain values are told in words and handed on as data. Everything else is shown as a notebook shows it, by
IPython's formatters, which run the value's own code and so belong on the main thread: this module only says
that it is needed.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence, Set
from datetime import date, time, timedelta
from pathlib import PurePath
from typing import Any
from uuid import UUID

from voice_kernel.language import _
from voice_kernel.messages import Output, Result

DONE = "Done."
MAX_SUMMARY_CHARS = 200
MAX_NAMED = 6
"""Values of a list or a mapping that are told one by one."""
MAX_DEPTH = 8
MAX_VALUES = 5_000
"""Values of a list or a mapping that is plain; a larger one is shown, not read out."""

_SCALARS = (bool, int, float, str, type(None))
_WRITTEN = (PurePath, date, time, timedelta, UUID)
_TABLES = ("pandas", "polars", "pyarrow", "numpy")


def needs_showing(value: Any) -> bool:
    """Say whether a value is more than words: a table, a figure, an object with a picture of its own."""
    if _is_drawn(value):
        return False
    value = _simple(value)
    return not (isinstance(value, (*_SCALARS, *_WRITTEN)) or _is_plain(value, [MAX_VALUES]))


def told(value: Any) -> Result:
    """Return a plain value as a result."""
    value = _simple(value)
    if value is None or _is_drawn(value):
        return Result(summary=DONE)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool | int | float):
        return Result(summary=_words(value), data={"value": _jsonable(value)})
    if isinstance(value, _WRITTEN):
        return Result(summary=str(value), data={"value": str(value)})
    data = _jsonable(value)
    named = _named(value)
    if named:
        text = ""  # all of it has been said
    else:
        named, text = _counted(len(value), "value"), json.dumps(data, indent=2, ensure_ascii=False)
    return Result(summary=named, text=text, data=data if isinstance(value, Mapping) else {"values": data})


def client_tool(result: Result) -> tuple[str, dict[str, Any]] | None:
    """Return what a result asks the page to do: `{"client_tool": NAME, "arguments": {}}`; else None."""
    name, arguments = result.data.get("client_tool"), result.data.get("arguments", {})
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    return name, arguments


def done_by_page(name: str, answer: Any) -> Result:
    """Return what the page has said of what it was asked to do, as the result of the tool that asked."""
    if answer in (None, "", {}, []):
        return Result(summary=_("The page has done {name}.").format(name=name))
    result = told(answer)
    said = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    words = _("The page has done {name}: {answer}").format(name=name, answer=said)
    return result.model_copy(
        update={"summary": words if len(words) <= MAX_SUMMARY_CHARS else words[: MAX_SUMMARY_CHARS - 1] + "…"}
    )


def shown(value: Any, outputs: Sequence[Output]) -> Result:
    """Return a value as a result that IPython's formatters have shown.

    Args:
        value: what was returned.
        outputs: what they made of it; none when nobody could be asked to.
    """
    plain = [output.data["text/plain"] for output in outputs if "text/plain" in output.data]
    return Result(summary=described(value), text="\n".join(plain), outputs=list(outputs))


def described(value: Any) -> str:
    """Describe a value in a few words, without running its code."""
    kind = type(value).__name__
    shape = getattr(value, "shape", None) if type(value).__module__.split(".")[0] in _TABLES else None
    if isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(size, int) for size in shape):
        return f"A {kind}: {_counted(shape[0], 'row')}, {_counted(shape[1], 'column')}."
    return f"{'An' if kind[:1] in 'AEIOUaeiou' else 'A'} {kind}."


def _text(value: str) -> Result:
    first, _line, rest = value.strip().partition("\n")
    if rest or len(first) > MAX_SUMMARY_CHARS:
        summary = first if len(first) <= MAX_SUMMARY_CHARS else first[: MAX_SUMMARY_CHARS - 1] + "…"
        return Result(summary=summary, text=value)
    return Result(summary=first or DONE, data={"value": value})


def _named(value: Any) -> str:
    """Return the values of a list or a mapping in one line; empty when that is too much for one."""
    if isinstance(value, Mapping):
        parts = [(f"{key} ", each) for key, each in value.items()]
    else:
        parts = [("", each) for each in (sorted(value, key=str) if isinstance(value, Set) else value)]
    if not 0 < len(parts) <= MAX_NAMED or not all(isinstance(each, _SCALARS) for _name, each in parts):
        return ""
    said = ", ".join(name + _words(each) for name, each in parts)
    return said if len(said) <= MAX_SUMMARY_CHARS and "\n" not in said else ""


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else str(value)
    return "nothing" if value is None else str(value)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _simple(value: Any) -> Any:
    """Return a number of numpy as Python's, and a member of an enumeration of words as its value."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return value.item()
    return value


def _is_plain(value: Any, room: list[int], depth: int = 0) -> bool:
    """Say whether a value is made of nothing but what JSON has, and not too much of it."""
    room[0] -= 1
    if room[0] < 0 or depth > MAX_DEPTH:
        return False
    if type(value) in _SCALARS:
        return True
    if type(value) is dict:
        return all(isinstance(key, str) and _is_plain(each, room, depth + 1) for key, each in value.items())
    if type(value) in (list, tuple, set, frozenset):
        return all(_is_plain(each, room, depth + 1) for each in value)
    return False


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _jsonable(each) for key, each in value.items()}
    if isinstance(value, Set):
        return sorted((_jsonable(each) for each in value), key=str)
    if isinstance(value, list | tuple):
        return [_jsonable(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _is_drawn(value: Any) -> bool:
    """Say whether a value is a figure that pyplot has open: its notebook draws it by itself."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    figure = getattr(value, "number", None)
    if pyplot is None or not type(value).__module__.startswith("matplotlib.") or figure is None:
        return False
    return bool(pyplot.fignum_exists(figure))
