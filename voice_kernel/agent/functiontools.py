"""A `@function_tool` of the agents SDK as a plain function, to be a tool of ours with all that belongs to it.

So a function that was written for ChatKit's `AgentContext` runs unchanged: it is called through the one door,
by words, by a click or by a model, and what it streams is its task's. It does not know tools of ours: a task
is whatever has the methods of `voice_kernel.widgets.agentcontext.Shower`.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

from pydantic import BaseModel, WithJsonSchema

if TYPE_CHECKING:
    from agents import FunctionTool

_KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}


def is_function_tool(value: Any) -> bool:
    """Say whether a value is a `FunctionTool`; imports nothing for it."""
    sdk = sys.modules.get("agents.tool")
    return sdk is not None and isinstance(value, sdk.FunctionTool)


def as_function(tool: FunctionTool) -> Callable[..., Awaitable[Any]]:
    """Return an async function that calls the tool.

    Its first parameter, `ctx`, is the task; the others are those of the tool, with its types, defaults and
    descriptions.
    """

    async def call(ctx: Any, **arguments: Any) -> Any:
        from agents.tool_context import ToolContext

        context = _context(ctx)
        raw = json.dumps(arguments, ensure_ascii=False, default=_plain)
        within = ToolContext(
            context=context, tool_name=tool.name, tool_call_id=f"call_{token_hex(8)}", tool_arguments=raw
        )
        returned = _told(await tool.on_invoke_tool(within, raw))
        asked = getattr(context, "client_tool_call", None)
        if asked is not None and returned is None:
            return {"client_tool": asked.name, "arguments": asked.arguments}
        return returned

    properties: Mapping[str, Any] = tool.params_json_schema.get("properties", {})
    required = set(tool.params_json_schema.get("required", ()))
    parameters = [_parameter(name, schema, name in required) for name, schema in properties.items()]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    call.__name__ = call.__qualname__ = tool.name
    call.__doc__ = _doc(tool.description, properties)
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    return call


def _context(ctx: Any) -> Any:
    try:
        from voice_kernel.widgets.agentcontext import agent_context
    except ImportError:  # openai-chatkit is not installed, and so the function is not written for it
        return None
    return agent_context(ctx)


def _parameter(name: str, schema: Any, required: bool) -> inspect.Parameter:
    kind, nullable = _type(schema if isinstance(schema, dict) else {})
    default: Any = inspect.Parameter.empty
    if isinstance(schema, dict) and "default" in schema:
        default = schema["default"]
    elif nullable or not required:
        default = None
    annotation = Optional[kind] if default is None or nullable else kind  # noqa: UP045  made at run time
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _type(schema: dict[str, Any]) -> tuple[Any, bool]:
    """Return the type that a schema means, and whether null fits too."""
    choices = schema.get("anyOf")
    if isinstance(choices, list):
        rest = [one for one in choices if isinstance(one, dict) and one.get("type") != "null"]
        kind = _type(rest[0])[0] if len(rest) == 1 else Any
        return kind, len(rest) < len(choices)
    values = schema.get("enum")
    if isinstance(values, list) and values and all(isinstance(value, str | int) for value in values):
        return Literal[tuple(values)], False
    kind = _KINDS.get(str(schema.get("type")), Any)
    if kind in (list[Any], dict[str, Any]) and "$ref" not in json.dumps(schema):
        # What a model is told of its inside; the tool checks it by itself.
        return Annotated[kind, WithJsonSchema(schema)], False
    return kind, False


def _doc(description: str, properties: Mapping[str, Any]) -> str:
    described = [
        f"    {name}: {' '.join(str(schema['description']).split())}"
        for name, schema in properties.items()
        if isinstance(schema, dict) and schema.get("description")
    ]
    return "\n".join([description, "", "Args:", *described]) if described else description


def _told(returned: Any) -> Any:
    """Return what a tool of the SDK returned as plain data."""
    if isinstance(returned, BaseModel):
        text = getattr(returned, "text", None)
        return text if isinstance(text, str) else returned.model_dump(mode="json", exclude_none=True)
    if isinstance(returned, list) and all(isinstance(one, BaseModel) for one in returned):
        return "\n".join(str(_told(one)) for one in returned) if returned else None
    return returned


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return str(value)
