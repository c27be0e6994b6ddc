"""A function's parameters become arguments: typed, described, and sayable."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest

from voice_kernel.errors import InvalidArguments, InvalidTool
from voice_kernel.toolbox.registry import ToolSpec
from voice_kernel.usertools.signature import Signature, argument_docs, signature_of, spoken_of, summary_of
from voice_kernel.usertools.toolcontext import ToolContext


class Optimizer(enum.Enum):
    ADAM = "adam"
    SGD_MOMENTUM = "sgd-momentum"


class Size(enum.Enum):
    SMALL = (1, 2)
    LARGE = (3, 4)


def called(function: Callable[..., Any], **arguments: Any) -> Any:
    """Call a function as the toolbox does: with what speech or JSON gives."""
    signature = signature_of(function, {})
    return signature.call(function, signature.model.model_validate(arguments), ToolContext())


def slots(signature: Signature) -> dict[str, str]:
    return {parameter.name: parameter.spoken.kind for parameter in signature.parameters}


def test_types_and_defaults_become_the_arguments() -> None:
    def train(name: str, epochs: int = 3, rate: float = 0.1, quick: bool = False) -> None: ...

    signature = signature_of(train, {})
    schema = signature.model.model_json_schema()
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    assert {name: field["type"] for name, field in schema["properties"].items()} == {
        "name": "string",
        "epochs": "integer",
        "rate": "number",
        "quick": "boolean",
    }
    assert slots(signature) == {"name": "query", "epochs": "integer", "rate": "decimal", "quick": ""}


def test_what_is_said_becomes_the_value_that_the_function_expects() -> None:
    def fit(
        optimizer: Optimizer,
        columns: list[str],
        source: Path,
        loss: Literal["mse", "mae"] = "mse",
        size: Size = Size.SMALL,
        limit: int | None = None,
        tags: Optional[set[str]] = None,  # noqa: UP045 - as people write it
        share: Annotated[float, "of one"] = 0.5,
    ) -> tuple[Any, ...]:
        return optimizer, columns, source, loss, size, limit, tags, share

    assert called(
        fit, optimizer="sgd momentum", columns="price, revenue and region", source="data/sales.csv",
        loss="mae", size="LARGE", limit="20", tags="a and b", share="0.25",
    ) == (
        Optimizer.SGD_MOMENTUM, ["price", "revenue", "region"], Path("data/sales.csv"), "mae", Size.LARGE, 20,
        {"a", "b"}, 0.25,
    )  # fmt: skip
    assert called(fit, optimizer="adam", columns=["x"], source="f") == (
        Optimizer.ADAM, ["x"], Path("f"), "mse", Size.SMALL, None, None, 0.5,
    )  # fmt: skip


def test_a_parameter_without_a_type_takes_that_of_its_default() -> None:
    def show(rows=5, title="all"):  # type: ignore[no-untyped-def]
        return rows, title

    assert called(show, rows="7") == (7, "all")


def test_a_default_of_none_makes_an_argument_optional_whatever_its_type_says() -> None:
    def show(rows: int = None) -> int | None:  # type: ignore[assignment]  # noqa: RUF013 - as people write it
        return rows

    assert called(show) is None


def test_positional_and_keyword_only_parameters_are_passed_as_they_must_be() -> None:
    def place(x: int, /, y: int, *, z: int = 3) -> tuple[int, ...]:
        return x, y, z

    assert called(place, x=1, y=2) == (1, 2, 3)


def test_the_context_is_given_and_is_no_argument() -> None:
    def typed(rows: int, context: ToolContext) -> tuple[int, str]:
        return rows, type(context).__name__

    def named(ctx, rows: int = 1):  # type: ignore[no-untyped-def]
        return rows, type(ctx).__name__

    assert called(typed, rows=2) == (2, "ToolContext")
    assert called(named) == (1, "ToolContext")
    assert "context" not in signature_of(typed, {}).model.model_json_schema()["properties"]


def test_arguments_may_have_the_names_of_pydantics_own_methods(recwarn: pytest.WarningsRecorder) -> None:
    def write(copy: bool = False, schema: str = "public", json: str = "") -> tuple[bool, str]:
        return copy, schema

    assert called(write, schema="other") == (False, "other")
    assert not recwarn.list


def test_annotations_that_are_text_may_name_what_is_local() -> None:
    class Mode(enum.Enum):
        FAST = "fast"

    def run(mode: "Mode") -> Mode:  # noqa: UP037 - text is the point
        return mode

    signature = signature_of(run, {"Mode": Mode})
    assert signature.call(run, signature.model.model_validate({"mode": "fast"}), ToolContext()) is Mode.FAST


def test_what_a_function_returns_need_not_exist_yet() -> None:
    def later() -> "NotThere":  # type: ignore[name-defined]  # noqa: F821, UP037 - it is never looked at
        ...

    assert signature_of(later, {}).parameters == ()


class Model: ...


def no_type(epochs): ...  # type: ignore[no-untyped-def]
def strange(model: Model) -> None: ...
def many(*names: str) -> None: ...
def any_name(**options: str) -> None: ...
def method(self, rows: int) -> None: ...  # type: ignore[no-untyped-def]
def private(_rows: int) -> None: ...
def reserved(model_dump: int) -> None: ...
def missing(rows: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "says", "hint"),
    [
        (no_type, "the argument epochs has no type", "epochs: str"),
        (strange, "model is of the type", "name of a variable"),
        (many, "cannot take *names", "Name each argument"),
        (any_name, "cannot take **options", "Name each argument"),
        (method, "a method cannot be a tool", "Write a function"),
        (private, "cannot be named _rows", ""),
        (reserved, "cannot be named model_dump", ""),
        (missing, "'Missing' is not defined", "before the function"),
    ],
)
def test_a_parameter_that_cannot_be_an_argument_is_named_with_what_to_write(
    function: Callable[..., Any], says: str, hint: str
) -> None:
    with pytest.raises(InvalidTool) as caught:
        signature_of(function, {})
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_a_wrong_value_is_told_with_the_argument() -> None:
    def train(epochs: int) -> None: ...

    spec = ToolSpec(
        "train", "own", "", signature_of(train, {}).model, None, lambda _: frozenset(), lambda _: ""
    )
    with pytest.raises(InvalidArguments, match="epochs"):
        spec.validate({"epochs": "many"})


# ---- docstrings and speech ------------------------------------------------------------------------


DOCSTRING = """Train the model
on the newest data.

It takes a while.

Args:
    epochs: how often it sees
        all of the data.
    rate (float): the learning rate: small
    *names: others

Returns:
    the: accuracy
"""


def test_the_docstring_describes_the_tool_and_its_arguments() -> None:
    assert summary_of(DOCSTRING) == "Train the model on the newest data."
    assert argument_docs(DOCSTRING) == {
        "epochs": "how often it sees all of the data.",
        "rate": "the learning rate: small",
        "names": "others",
    }
    assert argument_docs("Nothing more.") == {}
    assert summary_of("") == ""


def test_the_descriptions_reach_models() -> None:
    def train(epochs: int = 1) -> None: ...

    train.__doc__ = DOCSTRING
    schema = signature_of(train, {}).model.model_json_schema()
    assert schema["properties"]["epochs"]["description"] == "how often it sees all of the data."


@pytest.mark.parametrize(
    ("annotation", "kind", "said"),
    [
        (Literal["mean_squared_error"], "", "mean squared error"),
        (Literal["resnet50"], "", "resnet 50"),
        (Literal["C++"], "", "c++"),
        (Literal[1, 2], "integer", ""),
        (Optimizer, "", "sgd momentum"),
        (Size, "", "large"),
        (bool, "", "(yes|true|on|ja|an)"),
        (Path, "path", ""),
        (int | None, "integer", ""),
        (int | str, "query", ""),
    ],
)
def test_each_type_has_a_way_to_be_said(annotation: Any, kind: str, said: str) -> None:
    spoken = spoken_of(annotation, "it", inspect.Parameter.empty)
    assert spoken.kind == kind
    assert not said or said in [text for text, _ in spoken.values]
    assert spoken.sample
