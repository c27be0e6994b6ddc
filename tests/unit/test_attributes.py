"""The names on an object, without asking it."""

from __future__ import annotations

import json
from typing import Any

from voice_kernel.kernel.namespace import attributes


class Trap:
    """Raises whenever one of its methods is run."""

    def method(self) -> None: ...

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def __dir__(self) -> list[str]:
        raise AssertionError("dir")


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise AssertionError(name)


class Guarded(metaclass=Meta):
    def method(self) -> None: ...


def test_names_come_from_the_type_without_running_its_code() -> None:
    assert "method" in attributes({"trap": Trap()}, "trap")
    assert "method" in attributes({"Guarded": Guarded}, "Guarded")
    assert "method" in attributes({"guarded": Guarded()}, "guarded")


def test_names_of_modules_and_their_parts_are_found() -> None:
    assert "loads" in attributes({"j": json}, "j")
    assert "loads" in attributes({}, "json")
    assert "decode" in attributes({}, "json.decoder.JSONDecoder")
    assert "upper" in attributes({}, "builtins.str")


def test_what_is_not_there_has_no_names() -> None:
    assert attributes({}, "nothing") == ()
    assert attributes({"x": Trap()}, "x.method") == ()
    assert attributes({}, "") == ()
