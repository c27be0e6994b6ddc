"""ChatKit's widgets as plain data: read from anywhere, kept within bounds, shown in cells and beside tasks.

    document     the JSON of a widget: from dicts, ChatKit's objects and `.widget` templates; what is too much
    update       what has changed between two states of a widget, in ChatKit's words
    actions      which action of which component a click means; its arguments for a tool
    frozen       HTML and text that need neither kernel nor script
    live         the widgets of this process whose clicks are heard
    widget       `voice_kernel.Widget`: a widget in a cell
    taskcards, servercards  tasks, approvals and MCP servers as widgets
    agentcontext ChatKit's `AgentContext`, for functions that were written for it

`chatkit` is imported only when one of its templates or its `AgentContext` is asked for. Nothing here knows
pages, turns or tasks.
"""
