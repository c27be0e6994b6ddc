"""ChatKit's widgets: how they are shown and changed, and what a click in one sends back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from voice_kernel.messages.wire import Wire


class Widget(Wire):
    """A ChatKit widget: plain data, drawn by a page, whose actions come back as `WidgetAction`."""

    id: str
    """Of this widget in its session."""
    task_id: int = 0
    """The task that shows it; 0 where a cell does."""
    root: dict[str, Any]
    """ChatKit's JSON, its field names included; at most 256 kB."""
    copy_text: str = ""
    """What is copied, and read where it cannot be drawn."""


class WidgetChanged(Wire):
    """A widget is shown for the first time, or as another than before."""

    type: Literal["widget"] = "widget"
    widget: Widget


class WidgetUpdated(Wire):
    """A part of a widget is another now; ChatKit's own words.

    `widget.root.updated` {widget}, `widget.component.updated` {component_id, component},
    `widget.streaming_text.value_delta` {component_id, delta, done}.
    """

    type: Literal["widget_update"] = "widget_update"
    widget_id: str
    update: dict[str, Any]


class ActionConfig(Wire):
    """What a component of a widget asks for; ChatKit's own fields."""

    type: str = Field(min_length=1, max_length=200)
    payload: Any = None
    handler: Literal["server", "client"] = "server"
    loadingBehavior: Literal["auto", "none", "self", "container"] = "auto"  # noqa: N815  ChatKit's name
    streaming: bool = True


class WidgetAction(Wire):
    """A click in a widget, or a form that was sent off. Answered with `Done` once it is carried out."""

    type: Literal["widget_action"] = "widget_action"
    id: int
    widget_id: str = Field(max_length=100)
    item_id: str = Field(default="", max_length=200)
    """The component that was clicked: its `id` or `key`; empty where it has none."""
    action: ActionConfig
    values: dict[str, Any] = {}
    """Of the form around it, by the names of its fields."""
    surface_id: str = Field(default="", max_length=100)
    request: str = Field(default="", max_length=64)
    """As in `Say`."""
