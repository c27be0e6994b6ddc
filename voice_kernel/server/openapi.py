"""The routes as an OpenAPI document.

Requests and events of `/api/chatkit` are those of ChatKit's SDK, whose types say what they look like; so do
ours for tasks, approvals and servers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from voice_kernel.version import __version__

Json = dict[str, Any]


CHATKIT = """\
`inference_options` of a message: `model` is heeded where a model has to answer, if it is the one that answers
now or one of the setting `model_choices`; any other is refused in words, and nothing is sent anywhere. What
the session understands by itself is done without a model, whatever is chosen. `tool_choice` names a tool that
the model is offered and calls first, or that the words themselves ask for; any other is refused in words.

A `client_tool_call` item that is pending is the last of its thread. `threads.add_client_tool_output` gives
its output to the tool that asked, and the stream is the rest of the turn. It is waited for two minutes; a
message that comes first, or a task that is cancelled, completes it with `{"error": ...}`.
"""


@cache
def document() -> Json:
    """Return the document; made when it is first asked for."""
    schemas = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "voice_kernel",
            "version": __version__,
            "description": "A session of voice_kernel over HTTP: a ChatKit endpoint, tasks and MCP servers.",
        },
        "security": [{"client_secret": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "client_secret": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "What /api/create-session returns; good until expires_at.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The server's token, printed when it starts.",
                },
            },
            "schemas": schemas,
        },
    }


def _schemas() -> Json:
    from chatkit.types import Attachment, ChatKitReq, ThreadStreamEvent
    from pydantic import TypeAdapter
    from pydantic.json_schema import models_json_schema

    from voice_kernel.messages import Approval, McpServer, Task, Turn

    place = "#/components/schemas/{model}"
    schemas: Json = {}
    kinds: dict[str, Any] = {
        "ChatKitRequest": ChatKitReq,
        "ThreadStreamEvent": ThreadStreamEvent,
        "Attachment": Attachment,
    }
    for name, kind in kinds.items():
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        schema = adapter.json_schema(ref_template=place, mode="validation")
        schemas |= schema.pop("$defs", {})
        schemas[name] = schema
    ours = [(model, "serialization") for model in (Turn, Approval, McpServer)]
    _, made = models_json_schema(ours, ref_template=place)  # type: ignore[arg-type]  # a list of pairs is one
    schemas |= made["$defs"]
    # ChatKit has a `Task` too: a row of a workflow.
    task = Task.model_json_schema(ref_template=place, mode="serialization")
    schemas |= task.pop("$defs", {})
    schemas["SessionTask"] = task
    schemas["Error"] = _object(
        error=_object(type={"type": "string"}, message={"type": "string"}, hint={"type": "string"})
    )
    return schemas


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Json) -> Json:
    return {"content": {"application/json": {"schema": schema}}}


def _operation(summary: str, answer: Json | None, *, status: str = "200", **more: Any) -> Json:
    responses: Json = {
        status: {"description": "Done.", **(answer or {})},
        "400": {"description": "The request does not fit.", **_json(_ref("Error"))},
        "401": {"description": "No good client secret.", **_json(_ref("Error"))},
        "403": {"description": "Another host or origin.", **_json(_ref("Error"))},
        "413": {"description": "Too large.", **_json(_ref("Error"))},
        "429": {"description": "Too often; see Retry-After.", **_json(_ref("Error"))},
        "503": {"description": "No kernel could be had.", **_json(_ref("Error"))},
    }
    return {"summary": summary, "responses": responses, **more}


def _path(*names: str) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _paths() -> Json:
    text: Json = {"type": "string"}
    number: Json = {"type": "integer"}
    begun = _object(
        turn=_ref("Turn"),
        tasks={"type": "array", "items": _ref("SessionTask")},
        approvals={"type": "array", "items": _ref("Approval")},
    )
    stream = {"content": {"text/event-stream": {"schema": text}}}
    both = {
        "content": {
            "application/json": {"schema": {}},
            "text/event-stream": {"schema": _ref("ThreadStreamEvent")},
        }
    }
    upload = {
        "content": {"multipart/form-data": {"schema": _object(file={"type": "string", "format": "binary"})}},
        "required": True,
    }
    binary = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    key = {"name": "key", "in": "query", "required": True, "schema": text}
    surface = _path("surface")
    return {
        "/api/create-session": {
            "post": _operation(
                "Get a client secret, or the next one for one that is still good",
                _json(_object(client_secret=text, expires_at=number, session_id=text)),
                security=[{"token": []}, {"client_secret": []}],
                requestBody=_json(
                    {"type": "object", "properties": {"user": text, "session_id": text}},
                ),
            )
        },
        "/api/chatkit": {
            "post": _operation(
                "Answer a request of ChatKit: as JSON, or as a stream of events",
                both,
                description=CHATKIT,
                requestBody={**_json(_ref("ChatKitRequest")), "required": True},
            )
        },
        "/api/attachments": {
            "post": _operation("Send a file at once", _json(_ref("Attachment")), requestBody=upload)
        },
        "/api/attachments/{user}/{name}": {
            "put": _operation(
                "Send a file that was announced, to the address that was told",
                None,
                status="204",
                security=[],
                parameters=[*_path("user", "name"), key],
                requestBody=binary,
            ),
            "get": _operation(
                "See a picture that was sent",
                {"content": {"image/*": {}}},
                security=[],
                parameters=[*_path("user", "name"), key],
            ),
        },
        "/api/tasks": {
            "get": _operation(
                "The tasks of the session, and what waits for a yes",
                _json(
                    _object(
                        tasks={"type": "array", "items": _ref("SessionTask")},
                        approvals={"type": "array", "items": _ref("Approval")},
                    )
                ),
            )
        },
        "/api/tasks/events": {"get": _operation("Every change of tasks, as it happens", stream)},
        "/api/tasks/{task}": {
            "get": _operation("One task", _json(_ref("SessionTask")), parameters=_path("task"))
        },
        "/api/tasks/{task}/cancel": {
            "post": _operation("Cancel a task", _json(_ref("SessionTask")), parameters=_path("task"))
        },
        "/api/tasks/{task}/retry": {
            "post": _operation("Do a task again", _json(begun), status="202", parameters=_path("task"))
        },
        "/api/approvals/{approval}": {
            "post": _operation(
                "Answer what waits for a yes",
                _json(_object(approval_id=number, approved={"type": "boolean"})),
                status="202",
                parameters=_path("approval"),
                requestBody=_json(
                    {
                        "type": "object",
                        "properties": {"approved": {"type": "boolean"}, "values": {"type": "object"}},
                        "required": ["approved"],
                    }
                ),
            )
        },
        "/api/mcp": {
            "get": _operation(
                "The MCP servers",
                _json(_object(servers={"type": "array", "items": _ref("McpServer")}, registry=text)),
            )
        },
        "/api/mcp/{server}/tools": {
            "get": _operation("What a server offers", _json({}), parameters=_path("server"))
        },
        "/api/mcp/{server}/start": {
            "post": _operation("Start a server", _json(begun), status="202", parameters=_path("server"))
        },
        "/api/mcp/{server}/stop": {
            "post": _operation("Stop a server", _json(begun), status="202", parameters=_path("server"))
        },
        "/api/panel/{surface}": {
            "post": _operation(
                "Messages of the panel in a plain page",
                None,
                status="204",
                parameters=surface,
                requestBody=binary,
            )
        },
        "/api/panel/{surface}/events": {
            "get": _operation("What the panel is told", stream, parameters=surface)
        },
        "/api/health": {"get": _operation("Whether the server is up", _json({}), security=[])},
        "/api/openapi.json": {"get": _operation("This document", _json({}), security=[])},
    }
