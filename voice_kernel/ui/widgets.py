"""Clicks in widgets become calls of tools, and changes of widgets reach the surfaces.

A click counts only in a live widget (`voice_kernel.widgets.live`), which user code has shown, and only if the
widget has that very action now. It is then a turn like any other click: the tool's arguments are checked,
policy decides, a person is asked where it wants that, and the handler is a task. Belongs to the loop thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from voice_kernel.controls import CONTROLS
from voice_kernel.errors import Refused, VoiceKernelError
from voice_kernel.events import OPEN_TASKS, Hub
from voice_kernel.language import _
from voice_kernel.loop import AgentLoop
from voice_kernel.messages import Call, Done, Problem, TaskChanged, Widget, WidgetAction
from voice_kernel.session import Session
from voice_kernel.toolbox.registry import Registry
from voice_kernel.widgets.actions import arguments_of, component_of, item_of, label_of
from voice_kernel.widgets.document import Json
from voice_kernel.widgets.live import LiveWidgets, acting, acting_item

MAX_CLICK_CHARS = 100_000
"""Of an action and the values of its form, as JSON."""


class WidgetDesk:
    """Answers the clicks of all surfaces.

    Args:
        hub: tells surfaces of what has changed.
        session: carries calls out.
        registry: the tools.
        live: the widgets whose clicks count.
        answering: which tool answers an action, by its type.
    """

    def __init__(
        self,
        hub: Hub,
        session: Session,
        registry: Registry,
        live: LiveWidgets,
        answering: Callable[[str], str],
    ) -> None:
        self._hub = hub
        self._session = session
        self._registry = registry
        self._live = live
        self._answering = answering

    def follow(self, loop: AgentLoop) -> Callable[[], None]:
        """Tell of every change of a live widget, from now on; those that are there are told at once.

        Returns:
            A function that stops it.
        """
        for widget in self._live.all():
            self._hub.redraw(widget, [])
        return self._live.listen(lambda widget, updates: loop.call_soon(self._changed, widget, updates))

    async def act(self, clicked: WidgetAction, surface_id: str) -> Done:
        """See a click through to the end of what it asks for."""
        try:
            await self._act(clicked, surface_id)
        except VoiceKernelError as error:
            problem = Problem(kind=type(error).__name__, message=error.message, hint=error.hint)
            return Done(id=clicked.id, problem=problem)
        except _Failed as failed:
            return Done(id=clicked.id, problem=failed.problem)
        return Done(id=clicked.id)

    async def _act(self, clicked: WidgetAction, surface_id: str) -> None:
        action = clicked.action
        if len(json.dumps([action.payload, clicked.values], default=str)) > MAX_CLICK_CHARS:
            raise Refused(_("What was filled in is too much."), hint=_("Send less of it."))
        widget = self._live.get(clicked.widget_id)
        if widget is None:
            raise Refused(
                _("This widget is from an earlier session, or there are newer ones in its place."),
                hint=_("Run what showed it again."),
            )
        component = component_of(widget.root, action, clicked.item_id)
        if component is None or action.handler != "server":
            raise Refused(_("The widget has changed meanwhile."), hint=_("Look at it, and click again."))
        name = self._answering(action.type)
        spec = self._registry.specs.get(name)
        if spec is None or spec.handler is None or name in CONTROLS:
            raise Refused(
                _("Nothing answers {action!r} here.").format(action=action.type),
                hint=_(
                    'Write @voice_kernel.action("{action}") above a function, or a tool of that name.'
                ).format(action=action.type),
            )
        arguments = arguments_of(action, clicked.values, spec.json_schema())
        token = acting.set(widget.id)
        item = clicked.item_id or item_of(widget.root, action)
        item_token = acting_item.set(item)
        try:
            result = await self._session.do(
                [Call(tool=name, arguments=arguments)],
                text=label_of(component, action),
                origin="text",
                surface_id=surface_id,
                request=clicked.request,
            )
        finally:
            acting.reset(token)
            acting_item.reset(item_token)
        if result.turn.state != "succeeded":
            raise _Failed(result.turn.problem or Problem(kind="Cancelled", message=_("It was cancelled.")))

    def _changed(self, widget: Widget, updates: list[Json]) -> None:
        self._hub.redraw(widget, updates)
        task = self._hub.tasks.get(widget.task_id)
        if task is None or task.result is None or task.state in OPEN_TASKS:
            return
        # A later click has changed what an ended task had shown: it is kept as it is now.
        kept = [widget if one.id == widget.id else one for one in task.result.widgets]
        if kept != task.result.widgets:
            result = task.result.model_copy(update={"widgets": kept})
            self._hub.publish(TaskChanged(task=task.model_copy(update={"result": result})))


class _Failed(Exception):
    """A turn that did not succeed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
