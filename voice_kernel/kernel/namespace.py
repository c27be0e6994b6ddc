"""The user's variables, described without running user code.

What a name holds may be anything: an object whose `__repr__` blocks, a class whose metaclass lies, a
proxy whose attributes open connections. So nothing is asked of an object but its type, by way of
`type` itself, and only objects of exactly known types are looked into. Called on any thread, while user
code runs.
"""

from __future__ import annotations

import re
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from voice_kernel.context import Variable

MAX_NAMES = 500
MAX_COLUMNS = 200
MAX_PREVIEW_CHARS = 80
MAX_NAME_CHARS = 200
MAX_SHOWN_INT_BITS = 256
"""Longer integers are not written out: that takes time quadratic in their length."""

# The C getters of `type`, which look past metaclasses and instances.
_name_of: Callable[[type], str] = vars(type)["__name__"].__get__
_bases_of: Callable[[type], tuple[type, ...]] = vars(type)["__mro__"].__get__
_members_of: Callable[[type], Mapping[str, Any]] = vars(type)["__dict__"].__get__
_NOTHING = object()
_mapping_of_module: Callable[[ModuleType], dict[str, Any]] = vars(ModuleType)["__dict__"].__get__

_CONTAINERS = (
    str,
    bytes,
    bytearray,
    list,
    tuple,
    dict,
    set,
    frozenset,
    range,
    deque,
    OrderedDict,
    defaultdict,
)
_SECRET = re.compile(r"key|token|secret|passw|pwd|credential|auth", re.IGNORECASE)
"""Variables with such a name show no value: what they hold may end up in a panel, or with a model."""

Described = tuple[tuple[int, ...] | None, tuple[str, ...]]


class Namespace:
    """Describes a namespace again and again, and notices what was assigned in between."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}
        """Name -> identity of its object, and the look at which that object was first seen there."""
        self._looks = 0

    def describe(self, variables: Mapping[str, Any], hidden: Mapping[str, Any] = {}) -> tuple[Variable, ...]:
        """Describe the newest `MAX_NAMES` variables, most recently assigned last.

        The order is that of first assignment, corrected by what has changed since the last call.

        Args:
            variables: the namespace; it may change meanwhile, on another thread.
            hidden: names that the shell put there itself, unless the user has assigned them since.
        """
        shown = [
            (name, value)
            for name, value in _copy(variables).items()
            if type(name) is str
            and not name.startswith("_")
            and len(name) <= MAX_NAME_CHARS
            and not (name in hidden and hidden[name] is value)
        ]
        self._looks += 1
        seen: dict[str, tuple[int, int]] = {}
        for name, value in shown:
            before = self._seen.get(name)
            seen[name] = before if before is not None and before[0] == id(value) else (id(value), self._looks)
        self._seen = seen
        shown.sort(key=lambda item: seen[item[0]][1])  # stable: within one look, the namespace's own order
        return tuple(describe(name, value) for name, value in shown[-MAX_NAMES:])


def attributes(variables: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """Return the names on a variable, or on what `module.part` is, without running user code.

    Those of its type and, for a module, its own; what an object may hold beyond its type is not asked.
    """
    first, *rest = path.split(".")
    value: Any = variables.get(first, _NOTHING)
    if value is _NOTHING or rest:
        for cut in range(len(rest), -1, -1):
            module = sys.modules.get(".".join([first, *rest[:cut]]))
            if type(module) is ModuleType:
                value, rest = module, rest[cut:]
                break
    for part in rest:
        if type(value) is not ModuleType:
            return ()
        value = _mapping_of_module(value).get(part, _NOTHING)
    if value is _NOTHING:
        return ()
    if type(value) is ModuleType:
        return tuple(name for name in _copy(_mapping_of_module(value)) if type(name) is str)
    kind = value if type in _bases_of(type(value)) else type(value)
    names: dict[str, None] = {}
    for base in _bases_of(kind):
        names.update(dict.fromkeys(name for name in _members_of(base) if type(name) is str))
    return tuple(names)


def describe(name: str, value: object) -> Variable:
    """Describe one variable by its type, and what it holds if that type is exactly known."""
    kind = type(value)
    shape: tuple[int, ...] | None = None
    columns: tuple[str, ...] = ()
    library = ""
    if kind in _CONTAINERS:
        shape = (len(value),)  # type: ignore[arg-type]  # one of the containers
    else:
        table = _known_table(kind)
        if table is not None:
            library, read = table
            try:
                shape, columns = read(value)
            except Exception:  # noqa: BLE001 - another thread may be changing it: its type has to do
                shape, columns = None, ()
    return Variable(name, _name_of(kind)[:MAX_NAME_CHARS], shape, columns, _preview(name, value), library)


def _copy(variables: Mapping[str, Any]) -> dict[str, Any]:
    # A copy of a real dict is one step of the interpreter in practice; where it is not, try again.
    for _ in range(10):
        try:
            return dict(variables)
        except RuntimeError:
            continue
    return {}


def _preview(name: str, value: object) -> str:
    kind = type(value)
    if _SECRET.search(name):
        return ""
    if value is None or kind is bool or kind is float or kind is complex:
        return repr(value)[:MAX_PREVIEW_CHARS]
    if kind is int:
        assert isinstance(value, int)
        return repr(value)[:MAX_PREVIEW_CHARS] if value.bit_length() <= MAX_SHOWN_INT_BITS else ""
    if kind is str:
        assert isinstance(value, str)
        return repr(value[:MAX_PREVIEW_CHARS])[:MAX_PREVIEW_CHARS]
    return ""


def _known_table(kind: type) -> tuple[str, Callable[[Any], Described]] | None:
    """Return where arrays and tables of exactly this type come from and how to read them, if known."""
    for module, name, read in _TABLES:
        loaded = sys.modules.get(module)
        # A type is known by being the very one of the loaded package, never by what it calls itself.
        if type(loaded) is ModuleType and _mapping_of_module(loaded).get(name) is kind:
            return module, read
    return None


def _array(value: Any) -> Described:
    return _shape(value.shape), ()


def _table(value: Any) -> Described:
    return _shape(value.shape), _column_names(value.columns[:MAX_COLUMNS])


def _arrow(value: Any) -> Described:
    return _shape(value.shape), _column_names(value.column_names[:MAX_COLUMNS])


def _shape(shape: Iterable[Any]) -> tuple[int, ...]:
    return tuple(int(length) for length in shape)


def _column_names(labels: Iterable[Any]) -> tuple[str, ...]:
    # Labels can be any object: only those are taken that can be written out without asking them.
    return tuple(str(label)[:MAX_NAME_CHARS] for label in labels if type(label) in (str, int, float))


_TABLES: tuple[tuple[str, str, Callable[[Any], Described]], ...] = (
    ("numpy", "ndarray", _array),
    ("pandas", "DataFrame", _table),
    ("pandas", "Series", _array),
    ("pandas", "Index", _array),
    ("pandas", "RangeIndex", _array),
    ("pandas", "DatetimeIndex", _array),
    ("polars", "DataFrame", _table),
    ("polars", "Series", _array),
    ("pyarrow", "Table", _arrow),
)
