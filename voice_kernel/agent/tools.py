"""The toolbox as the SDK's function tools, for one turn.

Every call goes through the one door (`Toolbox.call`), so policy, approval and tasks are the same for a
model as for a person. Whatever comes of a call is told to the model as a result; nothing is raised at
the SDK but cancellation. Does not know what the model is asked, nor how its answer reaches anybody.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from voice_kernel.agent.memory import Exchange
from voice_kernel.agent.report import refusal, report
from voice_kernel.errors import InvalidArguments
from voice_kernel.messages import Task
from voice_kernel.store import Left
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.registry import ToolSpec

if TYPE_CHECKING:
    from agents import FunctionTool, ToolOutputImage, ToolOutputText
    from agents.tool_context import ToolContext

MAX_CALLS = 50
"""Calls of one turn; past that the model is told to stop. It also has a bound of its own on steps."""
CUT_OFF = (
    "The kernel was restarted while {tool} waited for the user; it did not come to its end. The user was "
    "asked again for what still waited:"
)
MAX_SAME = 3
"""The same call with the same result as often in one turn: the next one is not made."""
MAX_CIRCLES = 6
"""Past as many calls that were not made for that, the turn is ended."""
MAX_PICTURES = 3
"""Pictures of one result that are shown to a model that sees."""
MAX_ARGUMENTS_CHARS = 50_000
"""Arguments travel with every change of their task."""
STOP_LIMIT_S = 5.0
"""How long a cancelled turn waits for its tools: a shell command may take a moment to die."""

SEEN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_FENCE = re.compile(r"untrusted-[0-9a-f]{8}")
_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
"""Source: OpenAI, function calling: one other name, and the whole request is refused."""


class TurnTools:
    """What one turn of the model may call, and what it has called.

    Args:
        toolbox: the one door.
        turn_id: the turn its tasks belong to.
        untrusted: what has brought text of strangers into the conversation already; empty when nothing has.
        approved_tools: tools a person approved beforehand for this turn.
        strict: whether the provider enforces strict JSON schemas.
        areas: areas of tools to offer; empty for all.
        pictures: whether the model is shown pictures.
        attempts: how often the model may change and run cells until they run without an error.
        going_on: given a call's id, says what is needed to go on from its result after a restart.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        *,
        turn_id: int,
        untrusted: str = "",
        approved_tools: Collection[str] = (),
        strict: bool = True,
        areas: Collection[str] = (),
        pictures: bool = False,
        attempts: int = 3,
        going_on: Callable[[str], dict[str, Any]] | None = None,
    ) -> None:
        self.untrusted = untrusted
        """What has brought text of strangers into the conversation by now; empty when nothing has."""
        self.exchanges: list[Exchange] = []
        self._areas = areas
        self._pictures = pictures
        self._attempts = attempts
        self._going_on = going_on
        self._failed_attempts = 0
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._circles = 0
        self._toolbox = toolbox
        self._turn_id = turn_id
        self._approved_tools = approved_tools
        self._strict = strict
        self._order = _Order()
        self._running: set[asyncio.Task[Any]] = set()
        self._calls = 0

    def function_tools(self) -> list[FunctionTool]:
        """Return the tools for models as the SDK's. Controls are no tools and are never among them."""
        return [self._function_tool(spec) for spec in self._offered() if _NAME.match(spec.name)]

    def offers(self, name: str) -> bool:
        """Return whether the model may call a tool of that name."""
        return bool(_NAME.match(name)) and any(spec.name == name for spec in self._offered())

    def not_found(self, name: str) -> str:
        """Return what a model is told that calls a tool which does not exist."""
        names = ", ".join(spec.name for spec in self._offered())
        return refusal(f"There is no tool named {name[:64]!r}.", hint=f"The tools are: {names}.")

    @property
    def circling(self) -> bool:
        """Whether the model goes round in circles: it makes the same calls again, whatever it is told."""
        return self._circles > MAX_CIRCLES

    def _offered(self) -> list[ToolSpec]:
        offered = [spec for spec in self._toolbox.registry.available() if spec.for_models and spec.offered]
        return [spec for spec in offered if not self._areas or spec.area in self._areas]

    async def stop(self) -> None:
        """Cancel what still runs and wait until it has stopped, `STOP_LIMIT_S` at most."""
        running = {task for task in self._running if not task.done()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=STOP_LIMIT_S)

    async def make_again(self, call_id: str, name: str, arguments: dict[str, Any], asked_at: float) -> None:
        """Ask again for a call that waited for a person when its kernel ended, and make it if they agree.

        What came of it is the last of `exchanges`.

        Args:
            call_id: the model's id of it.
            name: the tool.
            arguments: as the model gave them.
            asked_at: when it was asked for first.
        """
        spec = self._toolbox.registry.specs.get(name)
        task = await self._made(name, call_id, arguments, asked_at)
        strange = (spec is None or spec.untrusted) and (task.result is not None or bool(task.tail))
        self._told(name, call_id, arguments, task, strange)

    async def make_parts_again(self, call_id: str, outer: dict[str, Any], parts: Sequence[Left]) -> None:
        """Ask again for calls that waited inside a call of the model, which itself ended with its kernel.

        What came of them is the last of `exchanges`: the result of the call that they were part of.

        Args:
            call_id: the model's id of the outer call.
            outer: its `tool` and `arguments`.
            parts: the calls that waited.
        """
        tasks = await asyncio.gather(
            *(
                self._made(card.tool, call_id, card.arguments, card.created_at)
                for card in (part.approval for part in parts)
            )
        )
        lines = [f"{part.approval.target}: {_outcome(task)}" for part, task in zip(parts, tasks, strict=True)]
        told = "\n".join([CUT_OFF.format(tool=outer["tool"]), *lines])
        self.untrusted = self.untrusted or str(outer["tool"])
        self.exchanges.append(Exchange(call_id, str(outer["tool"]), dict(outer["arguments"]), told))

    def _function_tool(self, spec: ToolSpec) -> FunctionTool:
        from agents import FunctionTool

        async def invoke(context: ToolContext[Any], raw: str) -> Any:
            running = asyncio.current_task()
            assert running is not None  # a coroutine always runs in a task
            self._running.add(running)
            try:
                return await self._call(spec, context.tool_call_id, raw)
            finally:
                self._running.discard(running)

        schema, strict = _schema_of(spec, self._strict)
        return FunctionTool(
            name=spec.name,
            description=spec.description,
            params_json_schema=schema,
            on_invoke_tool=invoke,
            strict_json_schema=strict,
        )

    async def _call(self, spec: ToolSpec, call_id: str, raw: str) -> Any:
        self._calls += 1
        if self._calls > MAX_CALLS:
            return refusal("Too many calls in one turn.", hint="Stop, and tell the user how far you got.")
        try:
            arguments = _parse(raw)
        except ValueError as error:
            return refusal(
                f"The arguments of {spec.name} are not a JSON object: {error}.", hint="Send them again."
            )
        if (refused := self._pointless(spec, arguments)) is not None:
            return refused
        async with self._order.place(only_reads=_only_reads(spec, arguments)):
            task = await self._made(spec.name, call_id, arguments)
        # A call that gave nothing back (refused, wrong arguments) carries only our own words.
        strange = spec.untrusted and (task.result is not None or bool(task.tail))
        told = self._told(spec.name, call_id, arguments, task, strange)
        self._note(spec, arguments, task, told)
        return [*_as_text(told), *shown] if (shown := self._shown(task)) else told

    async def _made(
        self, name: str, call_id: str, arguments: dict[str, Any], asked_at: float | None = None
    ) -> Task:
        going_on = self._going_on
        return await self._toolbox.call(
            name,
            arguments,
            turn_id=self._turn_id,
            origin="model",
            approved_tools=self._approved_tools,
            untrusted=self.untrusted,
            going_on=None if going_on is None else lambda: going_on(call_id),
            asked_at=asked_at,
        )

    def _told(self, name: str, call_id: str, arguments: dict[str, Any], task: Task, strange: bool) -> str:
        if strange and not self.untrusted:
            self.untrusted = task.title
        told = report(task, untrusted=strange)
        self.exchanges.append(Exchange(call_id, name, arguments, told))
        return told

    # ---- bounds -----------------------------------------------------------------------------------

    def _pointless(self, spec: ToolSpec, arguments: dict[str, Any]) -> str | None:
        """Return what the model is told instead, when a call has been made often enough."""
        if spec.attempt and self._failed_attempts >= self._attempts:
            return refusal(
                f"This was the last of {self._attempts} attempts; the cells still fail.",
                hint="Stop now. Tell the user what you tried and why it does not work.",
            )
        key = (spec.name, json.dumps(arguments, sort_keys=True))
        if max((n for (*made, _), n in self._seen.items() if tuple(made) == key), default=0) < MAX_SAME:
            return None
        self._circles += 1
        return refusal(
            "You have made this call several times, always with the same result.",
            hint="Do something else, or stop and tell the user how far you got.",
        )

    def _note(self, spec: ToolSpec, arguments: dict[str, Any], task: Task, told: str) -> None:
        if spec.attempt and task.state == "failed" and task.result is not None:
            self._failed_attempts += 1
        # The number of a fence is another one each time.
        same = _FENCE.sub("", told)
        self._seen[spec.name, json.dumps(arguments, sort_keys=True), same] += 1

    def _shown(self, task: Task) -> list[ToolOutputImage]:
        """Return the pictures of a result, for a model that sees."""
        if not self._pictures or task.result is None:
            return []
        from agents import ToolOutputImage

        found = [
            f"data:{mime};base64,{''.join(data.split())}"
            for output in task.result.outputs
            for mime, data in output.data.items()
            if mime in SEEN
        ]
        return [ToolOutputImage(image_url=url) for url in found[-MAX_PICTURES:]]


class _Order:
    """Lets calls that only read overlap, and runs the others alone, in the order the model gave.

    The SDK starts all calls of one model answer at once, in their order. One that changes something
    waits for all before it, and all after it wait for it.
    """

    def __init__(self) -> None:
        self._before: dict[asyncio.Future[None], bool] = {}

    @asynccontextmanager
    async def place(self, *, only_reads: bool) -> AsyncIterator[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waits_for = [other for other, reads in self._before.items() if not (only_reads and reads)]
        self._before[done] = only_reads
        try:
            if waits_for:
                await asyncio.wait(waits_for)
            yield
        finally:
            del self._before[done]
            done.set_result(None)


def _outcome(task: Task) -> str:
    """Return how a part ended, in our own words only."""
    if task.state == "succeeded":
        return "done"
    refused = task.problem is not None and task.problem.kind == "Refused"
    return "refused by the user" if refused else f"not done, {task.state}"


def _only_reads(spec: ToolSpec, arguments: dict[str, Any]) -> bool:
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        return spec.effects(spec.validate(given)) <= {"read"}
    except InvalidArguments:
        return True  # it will be refused at the door


def _parse(raw: str) -> dict[str, Any]:
    if len(raw) > MAX_ARGUMENTS_CHARS:
        raise ValueError(f"longer than {MAX_ARGUMENTS_CHARS} characters")
    arguments = json.loads(raw or "{}")
    if not isinstance(arguments, dict):
        raise ValueError(f"a {type(arguments).__name__}")
    return arguments


def _as_text(told: str) -> list[ToolOutputText]:
    from agents import ToolOutputText

    return [ToolOutputText(text=told)]


_schemas: dict[tuple[str, bool], tuple[ToolSpec, dict[str, Any], bool]] = {}
"""Schemas as models get them: making one takes a millisecond, and there are a hundred in each turn."""
MAX_SCHEMAS = 2_000


def _schema_of(spec: ToolSpec, strict: bool) -> tuple[dict[str, Any], bool]:
    known = _schemas.get((spec.name, strict))
    if known is not None and known[0] is spec:
        return known[1], known[2]
    schema, is_strict = _schema(spec, strict)
    if len(_schemas) >= MAX_SCHEMAS:
        _schemas.clear()
    _schemas[spec.name, strict] = (spec, schema, is_strict)
    return schema, is_strict


def _schema(spec: ToolSpec, strict: bool) -> tuple[dict[str, Any], bool]:
    """Return the arguments' schema, and whether it is strict.

    A strict schema requires every argument; what is optional may then be null, which the door takes as
    absent. Where strictness is not enforced, or impossible (free-form objects), the schema stays as it
    is: small models leave out what they need not give.
    """
    from agents.exceptions import UserError
    from agents.strict_schema import ensure_strict_json_schema

    schema = copy.deepcopy(spec.json_schema())
    if not strict:
        return schema, False
    wide = copy.deepcopy(schema)
    required = set(wide.get("required", []))
    for name, argument in wide.get("properties", {}).items():
        if name not in required:
            wide["properties"][name] = _nullable(argument)
    try:
        return ensure_strict_json_schema(wide), True
    except UserError:
        return schema, False


def _nullable(argument: dict[str, Any]) -> dict[str, Any]:
    inner = {key: value for key, value in argument.items() if key not in ("default", "title", "description")}
    words = [argument[key] for key in ("description",) if argument.get(key)]
    default = argument.get("default")
    if default not in (None, ""):
        words.append(f"null for {json.dumps(default)}.")
    choices = inner.pop("anyOf", None) or [inner]
    if {"type": "null"} not in choices:
        choices = [*choices, {"type": "null"}]
    field: dict[str, Any] = {"anyOf": choices}
    return field | ({"description": " ".join(words)} if words else {})
