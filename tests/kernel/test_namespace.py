"""The namespace is described without running user code, whatever it holds."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict, deque
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from real_kernel import RealKernel

from voice_kernel.context import Variable
from voice_kernel.kernel.namespace import Namespace, describe

touched: list[str] = []


class HostileMeta(type):
    """A metaclass that notes whoever looks."""

    def __getattribute__(cls, name: str) -> Any:
        touched.append(f"meta {name}")
        return super().__getattribute__(name)

    @property
    def __module__(cls) -> str:  # type: ignore[override]
        touched.append("meta module")
        raise RuntimeError


class Hostile(metaclass=HostileMeta):
    """An object that notes whoever looks."""

    def __getattribute__(self, name: str) -> Any:
        touched.append(name)
        raise RuntimeError

    def __len__(self) -> int:
        touched.append("len")
        raise RuntimeError

    def __repr__(self) -> str:
        touched.append("repr")
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        touched.append("eq")
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


class Impostor(pd.DataFrame):
    """Calls itself a DataFrame of pandas, and is not."""

    @property
    def shape(self) -> Any:
        touched.append("shape")
        raise RuntimeError


Impostor.__name__ = Impostor.__qualname__ = "DataFrame"
Impostor.__module__ = "pandas"


def test_hostile_objects_are_never_asked() -> None:
    hostile = Hostile()
    touched.clear()
    found = Namespace().describe({"hostile": hostile, "kind": Hostile, "fake": Impostor({"a": [1]})})
    assert [(v.name, v.type_name, v.shape) for v in found] == [
        ("hostile", "Hostile", None),
        ("kind", "HostileMeta", None),
        ("fake", "DataFrame", None),
    ]
    assert touched == []


def test_subclasses_of_builtins_are_never_asked() -> None:
    class Text(str):
        def __len__(self) -> int:
            raise RuntimeError

        def __getitem__(self, key: Any) -> str:
            raise RuntimeError

    assert describe("text", Text("x")) == Variable("text", "Text")


@pytest.mark.parametrize(
    ("value", "type_name", "shape", "columns"),
    [
        (pd.DataFrame({"price": [1, 2], "größe": [3, 4]}), "DataFrame", (2, 2), ("price", "größe")),
        (pd.DataFrame([[1, 2]], columns=[2020, ("a", "b")]), "DataFrame", (1, 2), ("2020",)),
        (pd.Series([1, 2, 3]), "Series", (3,), ()),
        (pd.RangeIndex(4), "RangeIndex", (4,), ()),
        (pl.DataFrame({"a": [1], "b": [2]}), "DataFrame", (1, 2), ("a", "b")),
        (np.zeros((2, 3)), "ndarray", (2, 3), ()),
        ([1, 2], "list", (2,), ()),
        ({"a": 1}, "dict", (1,), ()),
        (OrderedDict(a=1), "OrderedDict", (1,), ()),
        (deque([1]), "deque", (1,), ()),
        (range(9), "range", (9,), ()),
        (sys, "module", None, ()),
        (print, "builtin_function_or_method", None, ()),
        (test_hostile_objects_are_never_asked, "function", None, ()),
        (int, "type", None, ()),
    ],
)
def test_known_types_are_looked_into(value: Any, type_name: str, shape: Any, columns: Any) -> None:
    variable = describe("x", value)
    assert (variable.type_name, variable.shape, variable.columns) == (type_name, shape, columns)


def test_a_wide_table_is_cut() -> None:
    variable = describe("wide", pd.DataFrame(np.zeros((1, 5000)), columns=[f"c{i}" for i in range(5000)]))
    assert variable.shape == (1, 5000)
    assert len(variable.columns) == 200


@pytest.mark.parametrize(
    ("name", "value", "preview"),
    [
        ("n", 42, "42"),
        ("x", 1.5, "1.5"),
        ("none", None, "None"),
        ("yes", True, "True"),
        ("s", "a\nb", "'a\\nb'"),
        pytest.param("big", 1 << 10_000_000, "", id="big"),
        ("frame", [1], ""),
        ("api_key", "sk-123", ""),
        ("DB_PASSWORD", "hunter2", ""),
    ],
)
def test_scalars_are_previewed_and_secrets_are_not(name: str, value: Any, preview: str) -> None:
    assert describe(name, value).preview == preview


def test_a_preview_is_short() -> None:
    assert len(describe("s", "\x00" * 1_000_000).preview) <= 80


def test_the_newest_assignment_comes_last() -> None:
    namespace = Namespace()
    variables: dict[str, Any] = {"a": [1], "b": [2], "c": [3]}
    assert [v.name for v in namespace.describe(variables)] == ["a", "b", "c"]
    variables["a"] = [4]
    assert [v.name for v in namespace.describe(variables)] == ["b", "c", "a"]
    variables["d"] = [5]
    del variables["c"]
    assert [v.name for v in namespace.describe(variables)] == ["b", "a", "d"]


def test_the_oldest_names_are_left_out_past_the_limit() -> None:
    found = Namespace().describe({f"v{i}": i for i in range(2000)})
    assert [found[0].name, found[-1].name, len(found)] == ["v1500", "v1999", 500]


def test_names_that_are_hidden_or_private_are_left_out() -> None:
    quit_ = object()
    found = Namespace().describe(
        {"_": 1, "_i1": 2, "In": [], "quit": quit_, "own": 3, 7: 8}, {"quit": quit_, "In": 9}
    )
    assert [v.name for v in found] == ["In", "own"]  # `In` was assigned anew by the user


def test_a_namespace_that_changes_meanwhile_is_described() -> None:
    variables: dict[str, Any] = {}
    done = threading.Event()

    def churn() -> None:
        i = 0
        while not done.is_set():
            variables[f"v{i % 3000}"] = i
            variables.pop(f"v{(i * 7) % 3000}", None)
            i += 1

    thread = threading.Thread(target=churn)
    thread.start()
    namespace = Namespace()
    try:
        for _ in range(300):
            namespace.describe(variables)
    finally:
        done.set()
        thread.join()


def test_a_kernels_own_names_are_hidden(kernel: RealKernel) -> None:
    kernel.execute("%reset -f").expect_ok()
    kernel.execute("""
from voice_kernel.kernel import Kernel
import math
answer = 42
_private = 1
fresh = Kernel(get_ipython())
""").expect_ok()
    assert kernel.value("[(v.name, v.type_name) for v in fresh.namespace()]") == (
        "[('Kernel', 'type'), ('math', 'module'), ('answer', 'int'), ('fresh', 'Kernel')]"
    )
    kernel.execute("fresh.close()")


def test_the_namespace_is_described_while_user_code_runs(kernel: RealKernel) -> None:
    from real_kernel import SETUP

    kernel.execute(
        SETUP
        + """
counts = []
def look():
    while not done.is_set():
        counts.append(len(door.namespace()))
done = threading.Event()
looker = threading.Thread(target=look)
looker.start()
i = 0
while i < 20000 or len(counts) < 3:
    i += 1
    globals()[f'v{i % 700}'] = i
    globals().pop(f'v{(i * 7) % 700}', None)
done.set()
looker.join()
"""
    ).expect_ok()
    assert kernel.value("len(counts) > 0 and max(counts) <= 500") == "True"
