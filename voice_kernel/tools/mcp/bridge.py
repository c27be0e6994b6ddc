"""Servers' tools in the toolbox: they join as `server__tool` while their server runs, and leave with it.

What servers say of their tools is strangers' text, schemas included: sizes are capped, no schema is fetched
from elsewhere, and a call that does not fit never reaches the server. Knows nothing of servers' lives.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from voice_kernel.language import N_, _
from voice_kernel.messages import Output, Problem, Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed, ToolSpec
from voice_kernel.tools.mcp.configs import shown
from voice_kernel.tools.mcp.running import CALL_S, RunningServer
from voice_kernel.tools.terminal import clip

if TYPE_CHECKING:
    from mcp.types import CallToolResult, Tool

AREA = "mcp"
MAX_NAME_CHARS = 64
"""Source: OpenAI, function calling. A longer name could not be offered to a model."""
MAX_SCHEMA_CHARS = 64_000
MAX_DESCRIPTION_CHARS = 1_000
MAX_STRUCTURED_CHARS = 60_000
MAX_IMAGE_CHARS = 1_900_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a page shows as a picture and nothing else: an SVG may hold a script."""
NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}
DESTRUCTIVE = N_("It asks because the server says that this tool destroys something.")


class ServersArguments(Arguments):
    """Arguments of a server's tool, held against the server's own schema."""

    model_config = ConfigDict(frozen=True, extra="allow")

    schema_: ClassVar[dict[str, Any]] = NO_ARGUMENTS

    @classmethod
    def model_json_schema(cls, *_args: Any, **_options: Any) -> dict[str, Any]:
        """Return the server's schema."""
        return cls.schema_

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problem = mismatch(self.given, self.schema_)
        if problem:
            raise PydanticCustomError("schema", "{problem}", {"problem": problem})
        return self

    @property
    def given(self) -> dict[str, Any]:
        """The arguments as the server wants them."""
        return dict(self.__pydantic_extra__ or {})


class Bridge:
    """Keeps the toolbox as the servers are.

    Args:
        registry: where their tools join.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._joined: dict[str, dict[str, Tool]] = {}
        """By server: tools as they joined, by their name in the toolbox."""

    def update(self, running: RunningServer) -> None:
        """Have the tools of a server join that it has now, and leave those that it has no more."""
        name = running.server.name
        joined = self._joined.pop(name, {})
        tools = [tool for tool in running.tools.values() if tool.name not in running.server.off]
        wanted = {name_in_toolbox(name, tool.name): tool for tool in tools}
        for gone in [one for one, tool in joined.items() if wanted.get(one) is not tool]:
            self._registry.remove(gone)
            del joined[gone]
        for fresh, tool in wanted.items():
            if fresh not in self._registry.specs:  # else it is there already, or is somebody else's
                self._registry.add(spec_of(running, tool, fresh))
                joined[fresh] = tool
        if joined:
            self._joined[name] = joined


def name_in_toolbox(server: str, tool: str) -> str:
    """Return `server__tool` in letters that models can say, with a mark where that took something away."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}__{tool}")
    if len(name) <= MAX_NAME_CHARS and name == f"{server}__{tool}":
        return name
    mark = hashlib.sha256(f"{server}\0{tool}".encode()).hexdigest()[:6]
    return f"{name[: MAX_NAME_CHARS - 7]}_{mark}"


def spec_of(running: RunningServer, tool: Tool, name: str) -> ToolSpec:
    """Return a server's tool as one of the toolbox."""
    schema = tool.input_schema
    fits = isinstance(schema, dict) and len(json.dumps(schema)) <= MAX_SCHEMA_CHARS
    if not fits or schema.get("type", "object") != "object":
        schema = NO_ARGUMENTS
    hints = tool.annotations
    reads = hints is not None and hints.read_only_hint is True
    destroys = hints is not None and hints.destructive_hint is True and not reads
    # Whatever it says of itself, what it is given has left the machine.
    outside = running.server.transport != "stdio" or (hints is not None and hints.open_world_hint is True)
    effects: Effects = frozenset(
        {"read", "send"} if reads and outside else {"read"} if reads else {"execute"}
    )
    what = " ".join((tool.description or tool.title or tool.name).split())

    async def handler(task: TaskHandle, args: ServersArguments) -> Result:
        def tell(done: float, total: float | None, message: str) -> None:
            task.progress(None, message, done=done, total=total)

        limit_s = min(task.time_left_s or CALL_S, CALL_S)
        answer = await running.call(tool.name, args.given, on_progress=tell, limit_s=limit_s, task=task)
        return result_of(answer, running.server.name, tool.name, running.without_secrets)

    return ToolSpec(
        name=name,
        area=AREA,
        description=f"{what[:MAX_DESCRIPTION_CHARS]} (MCP server {running.server.name})",
        arguments=type("ServersArguments", (ServersArguments,), {"schema_": schema}),
        handler=handler,
        effects=lambda _args: effects,
        target=lambda args: target_of(running, tool.name, args.given),
        untrusted=True,
        asks=DESTRUCTIVE if destroys else "",
    )


def target_of(running: RunningServer, tool: str, arguments: dict[str, Any]) -> str:
    """Return what a call touches, for a card."""
    given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
    call = f"{tool}({given[:500]})"
    return _("{call} of the server {name}: {shown}").format(
        call=call, name=running.server.name, shown=shown(running.server)[:300]
    )


def mismatch(arguments: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return why arguments do not fit a schema, in one sentence; empty when they do."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from jsonschema.validators import extend
    from referencing import Registry as Schemas

    # A stranger's pattern can take for ever to match: the server itself looks at those. The empty registry
    # keeps a `$ref` from being fetched.
    checks = extend(Draft202012Validator, {"pattern": None, "patternProperties": None})
    try:
        error = best_match(checks(schema, registry=Schemas()).iter_errors(arguments))
    except Exception:  # noqa: BLE001 - a schema that is none raises anything; the server judges by itself
        return ""
    if error is None:
        return ""
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{where}: {error.message[:300]}" if where else error.message[:300]


def result_of(answer: CallToolResult, server: str, tool: str, clean: Callable[[str], str]) -> Result:
    """Return a server's answer as a task's result.

    Args:
        answer: as the server gave it.
        server: its name.
        tool: the tool's name there.
        clean: takes secrets out of a text.

    Raises:
        ToolFailed: the server says that it failed.
    """
    texts: list[str] = []
    outputs: list[Output] = []
    for block in answer.content:
        text, picture = _shown(block)
        texts += [clean(text)] if text else []
        outputs += [picture] if picture is not None else []
    body = "\n".join(texts)
    structured = answer.structured_content
    data: dict[str, Any] = {"server": server, "tool": tool}
    if structured is not None:
        known = clean(json.dumps(structured, ensure_ascii=False))
        if len(known) <= MAX_STRUCTURED_CHARS:
            data["structured"] = json.loads(known)
        body = body or known
    line = " ".join(body.split())
    if answer.is_error:
        problem = Problem(
            kind="ServerSaysNo", message=f"{server}: {line[:500] or _('{tool} failed').format(tool=tool)}"
        )
        raise ToolFailed(
            problem, Result(summary=problem.message, text=clip(body), outputs=outputs, data=data)
        )
    summary = _in_brief(line) or _("{server} answered to {tool}.").format(server=server, tool=tool)
    return Result(summary=summary, text=clip(body), outputs=outputs, data=data)


def text_of(block: Any) -> str:
    """Return a part of a prompt as text; what is none is named."""
    text, picture = _shown(block)
    return text or ("[a picture]" if picture is not None else "")


def read_of(contents: Iterable[Any]) -> tuple[list[str], list[Output]]:
    """Return what a resource holds: texts, and pictures that a page can show."""
    texts: list[str] = []
    pictures: list[Output] = []
    for part in contents:
        if hasattr(part, "text"):
            texts.append(part.text)
        elif part.mime_type in PICTURES and len(part.blob) <= MAX_IMAGE_CHARS:
            shown_as = {part.mime_type: part.blob, "text/plain": "a picture"}
            pictures.append(Output(kind="display", data=shown_as))
        else:
            texts.append(f"[{part.mime_type or 'data'}, {len(part.blob) * 3 // 4:,} bytes]")
    return texts, pictures


def _in_brief(line: str) -> str:
    """Return an answer as one line to be said: as it is, or the plain values of an object; else empty."""
    if not line or len(line) > 1_000:
        return ""
    try:
        known = json.loads(line)
    except ValueError:
        known = line
    if isinstance(known, dict):
        plain = [f"{key}: {value}" for key, value in known.items() if isinstance(value, str | int | float)]
        return ", ".join(plain)[:300]
    return line if len(line) <= 200 else ""


def _shown(block: Any) -> tuple[str, Output | None]:
    """Return a part of an answer as text and as a picture, either may be missing."""
    kind = block.type
    if kind == "text":
        return str(block.text), None
    if kind == "image":
        if block.mime_type in PICTURES and len(block.data) <= MAX_IMAGE_CHARS:
            return "", Output(kind="display", data={block.mime_type: block.data, "text/plain": "a picture"})
        return f"[a picture, {block.mime_type}, {len(block.data) * 3 // 4:,} bytes: not shown]", None
    if kind == "audio":
        return f"[sound, {block.mime_type}, {len(block.data) * 3 // 4:,} bytes]", None
    if kind == "resource_link":
        return f"{block.title or block.name}: {block.uri}", None
    if kind == "resource":
        contents = block.resource
        if hasattr(contents, "text"):
            return f"{contents.uri}\n{contents.text}", None
        return (
            f"[{contents.uri}, {contents.mime_type or 'data'}, {len(contents.blob) * 3 // 4:,} bytes]",
            None,
        )
    return f"[{kind}]", None
