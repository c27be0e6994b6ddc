"""Widgets as tools and handlers write them: together they have every component and nearly every field."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

Node = dict[str, Any]


def node(kind: str, *children: Node, **fields: Any) -> Node:
    """Return a component."""
    return {"type": kind, **fields, **({"children": list(children)} if children else {})}


def text(value: str, **fields: Any) -> Node:
    """Return a Text."""
    return node("Text", value=value, **fields)


def action(kind: str, **payload: Any) -> Node:
    """Return an action for the kernel."""
    return {"type": kind, "payload": payload}


def picture(red: int, green: int, blue: int, width: int = 96, height: int = 64) -> str:
    """Return a PNG of one colour that fades downwards, as a data URL."""
    rows = b"".join(
        b"\0" + bytes(int(part * (1 - 0.5 * y / height)) for part in (red, green, blue)) * width
        for y in range(height)
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()


BLUE, ROSE = picture(70, 130, 200), picture(214, 110, 130)

TEXTS = node(
    "Card",
    node("Title", value="Every way to say something", size="xl"),
    node("Caption", value="Caption: what stands below a title", size="lg"),
    node("Divider", flush=True),
    node("Row", *(text(size, size=size) for size in ("xs", "sm", "md", "lg", "xl")), gap=3, align="baseline"),
    node(
        "Row",
        *(text(weight, weight=weight) for weight in ("normal", "medium", "semibold", "bold")),
        text("italic", italic=True),
        text("struck", lineThrough=True),
        gap=3,
        wrap="wrap",
    ),
    node(
        "Row",
        *(
            text(colour, color=colour, size="sm")
            for colour in ("primary", "secondary", "tertiary", "success", "warning", "danger")
        ),
        text("blue-600", color={"light": "blue-700", "dark": "blue-300"}, size="sm"),
        gap=3,
        wrap="wrap",
    ),
    text("This sentence is far too long for one line of a card, and is cut with a mark " * 2, truncate=True),
    text("This paragraph is held to two lines, whatever else it would have had to say. " * 4, maxLines=2),
    node(
        "Markdown",
        value="**Markdown** with `code`, a [link](https://example.org/) and a list:\n\n"
        "- one\n- two\n\n| city | °C |\n|---|---|\n| Oslo | 4 |\n| Rome | 17 |",
    ),
    text("Streaming text grows", id="stream", streaming=True),
    size="full",
    status={"text": "A card with a status", "icon": "sparkle"},
)

ICONS = [
    "agent", "analytics", "atom", "batch", "bolt", "book-open", "book-closed", "book-clock", "bug",
    "calendar", "chart", "check", "check-circle", "check-circle-filled", "chevron-left",
    "chevron-right", "circle-question", "clock", "compass", "confetti", "cube", "desktop",
    "document", "dot", "dots-horizontal", "dots-vertical", "empty-circle", "external-link", "globe",
    "keys", "lab", "images", "info", "lifesaver", "lightbulb", "mail", "map-pin", "maps", "mobile",
    "name", "notebook", "notebook-pencil", "page-blank", "phone", "play", "plus", "profile",
    "profile-card", "reload", "star", "star-filled", "search", "sparkle", "sparkle-double",
    "square-code", "square-image", "square-text", "suitcase", "settings-slider", "user", "wreath",
    "write", "write-alt", "write-alt2", "never-heard-of",
]  # fmt: skip
"""Every name that ChatKit has, and one that nobody has."""

MARKS = node(
    "Card",
    node(
        "Row",
        *(
            node("Badge", label=tone, color=tone)
            for tone in ("secondary", "success", "danger", "warning", "info", "discovery")
        ),
        wrap="wrap",
    ),
    node(
        "Row",
        *(
            node("Badge", label=kind, color="info", variant=kind, pill=True)
            for kind in ("solid", "soft", "outline")
        ),
        *(
            node("Badge", label=size, color="success", size=size, variant="solid")
            for size in ("sm", "md", "lg")
        ),
        wrap="wrap",
    ),
    node(
        "Row",
        *(node("Icon", name=name, size="xl") for name in ICONS),
        wrap="wrap",
        gap=2,
    ),
    node("Progress", id="progress", label="Indexing papers", value=62),
    node("Progress", label="Waiting for the server"),
    size="full",
)

BUTTONS = node(
    "Card",
    *(
        node(
            "Row",
            *(
                node(
                    "Button",
                    label=tone,
                    color=tone,
                    variant=variant,
                    size="sm",
                    onClickAction=action("press"),
                )
                for tone in (
                    "primary",
                    "secondary",
                    "info",
                    "discovery",
                    "success",
                    "caution",
                    "warning",
                    "danger",
                )
            ),
            wrap="wrap",
            gap=2,
        )
        for variant in ("solid", "soft", "outline", "ghost")
    ),
    node("Divider"),
    node(
        "Row",
        *(
            node("Button", label=size, size=size, style="primary")
            for size in ("3xs", "2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl")
        ),
        wrap="wrap",
        gap=2,
    ),
    node(
        "Row",
        node("Button", label="Search", iconStart="search", style="primary", pill=True),
        node("Button", label="Next", iconEnd="chevron-right"),
        node("Button", iconStart="reload", uniform=True),
        node("Button", label="Disabled", disabled=True),
        node("Spacer"),
        node("Button", iconStart="dots-horizontal", variant="ghost", uniform=True),
    ),
    node("Button", label="As wide as the card", block=True, color="info", variant="soft"),
    size="full",
)

FORM = node(
    "Card",
    node("Title", value="Book a visit", size="lg"),
    node("Label", value="Name", fieldName="visitor.name"),
    node("Input", name="visitor.name", placeholder="Ada Lovelace", required=True),
    node(
        "Row",
        node(
            "Col",
            node("Label", value="E-mail", fieldName="visitor.mail"),
            node("Input", name="visitor.mail", inputType="email", placeholder="ada@example.org"),
            flex=1,
            gap=2,
        ),
        node(
            "Col",
            node("Label", value="People", fieldName="people"),
            node("Input", name="people", inputType="number", defaultValue="2", variant="soft"),
            flex=1,
            gap=2,
        ),
        gap=3,
    ),
    node(
        "Row",
        node(
            "Col",
            node("Label", value="Dome", fieldName="dome"),
            node(
                "Select",
                name="dome",
                block=True,
                placeholder="Choose a dome",
                options=[
                    {"value": "n", "label": "North"},
                    {"value": "s", "label": "South", "disabled": True},
                ],
            ),
            flex=1,
            gap=2,
        ),
        node(
            "Col",
            node("Label", value="Night", fieldName="night"),
            node(
                "DatePicker", name="night", defaultValue="2026-11-30T00:00:00", min="2026-11-01", block=True
            ),
            flex=1,
            gap=2,
        ),
        gap=3,
    ),
    node("Label", value="Telescope", fieldName="telescope"),
    node(
        "RadioGroup",
        name="telescope",
        defaultValue="refractor",
        options=[
            {"label": "Refractor", "value": "refractor"},
            {"label": "Reflector", "value": "reflector"},
            {"label": "Radio", "value": "radio", "disabled": True},
        ],
    ),
    node("Label", value="Remarks", fieldName="remarks"),
    node(
        "Textarea", name="remarks", placeholder="What do you hope to see?", rows=2, autoResize=True, maxRows=6
    ),
    node("Checkbox", name="terms", label="I have read the safety notes", required=True),
    text("Draft of the invitation", editable={"name": "title", "placeholder": "A title"}),
    id="visit",
    size="full",
    asForm=True,
    confirm={"label": "Book", "action": action("visit.book", room=7)},
    cancel={"label": "Not now", "action": action("visit.cancel")},
    status={"text": "Observatory", "favicon": BLUE, "frame": True},
)

BODIES = ("Sun", "Mercury", "Venus", "Earth", "Moon", "Mars", "Ceres", "Jupiter", "Io", "Europa", "Ganymede",
          "Callisto", "Saturn", "Titan", "Rhea", "Uranus", "Neptune", "Pluto", "Eris")  # fmt: skip
CHOICES = node(
    "Card",
    node("Label", value="Body", fieldName="body"),
    node(
        "Select",
        name="body",
        id="body",
        placeholder="Choose a body",
        clearable=True,
        defaultValue="Saturn",
        options=[
            {"value": name, "label": name, "disabled": name == "Sun"}
            | (
                {"description": "A moon of Jupiter"}
                if name in ("Io", "Europa", "Ganymede", "Callisto")
                else {}
            )
            for name in BODIES
        ],
        onChangeAction=action("body"),
    ),
    node("Label", value="Dome", fieldName="dome"),
    node(
        "Select",
        name="dome",
        searchable=True,
        variant="soft",
        size="sm",
        options=[{"value": "n", "label": "North"}, {"value": "s", "label": "South"}],
    ),
    node("Label", value="First night", fieldName="from"),
    node(
        "DatePicker",
        name="from",
        id="from",
        defaultValue="2026-11-23T00:00:00",
        min="2026-11-05T00:00:00",
        clearable=True,
        side="right",
        align="center",
        onChangeAction=action("night"),
    ),
    node("Label", value="Last night", fieldName="to"),
    node(
        "Row",
        node("Spacer"),
        node(
            "DatePicker", name="to", placeholder="Until", side="top", align="end", variant="soft", pill=True
        ),
    ),
    size="full",
)

LIST = node(
    "ListView",
    *(
        node(
            "ListViewItem",
            node("Image", src=source, alt=f"Cover of {title}", size=44, radius="md", frame=True),
            node("Col", text(title, weight="semibold"), node("Caption", value=author), flex=1),
            node("Badge", label=state, color=tone, pill=True),
            key=title,
            onClickAction=action("book.open", title=title),
            gap=3,
        )
        for title, author, state, tone, source in (
            ("Cosmic Distances", "V. Leto", "new", "success", BLUE),
            ("Field Guide to Dust", "M. Okafor", "read", "secondary", ROSE),
            ("A Quiet Sun", "J. Brandt", "lent", "warning", "http://insecure.example/cover.png"),
        )
    ),
    limit=2,
    status={"text": "3 books", "icon": "book-open"},
)

TABLE = node(
    "Card",
    node("Title", value="Last night", size="md"),
    node(
        "Table",
        node(
            "Table.Row",
            *(
                node("Table.Cell", text(head), align=align)
                for head, align in (("Object", "start"), ("Seeing", "end"), ("State", "center"))
            ),
            header=True,
        ),
        *(
            node(
                "Table.Row",
                node("Table.Cell", text(name, weight="medium"), colSize="md"),
                node("Table.Cell", text(seeing), align="end"),
                node("Table.Cell", node("Badge", label=state, color=tone), align="center"),
                key=name,
            )
            for name, seeing, state, tone in (
                ("M 31", "1.2″", "kept", "success"),
                ("M 57", "0.9″", "kept", "success"),
                ("NGC 891", "2.8″", "repeat", "danger"),
            )
        ),
        node("Table.Row", node("Table.Cell", node("Caption", value="Seeing in seconds of arc"), colSpan=3)),
    ),
    size="full",
)

DATA = [
    {"day": day, "north": north, "south": south, "moon": moon}
    for day, north, south, moon in (
        ("Mon", 12, 7, 4), ("Tue", 18, 9, 6), ("Wed", 9, 12, 9), ("Thu", 21, 11, 11), ("Fri", 16, 15, 14),
        ("Sat", 4, 6, 15), ("Sun", 11, 13, 13),
    )
]  # fmt: skip
CHARTS = node(
    "Card",
    node("Title", value="Exposures", size="md"),
    node(
        "Chart",
        data=DATA,
        series=[
            {"type": "bar", "dataKey": "north", "label": "North dome"},
            {"type": "bar", "dataKey": "south", "label": "South dome"},
            {"type": "line", "dataKey": "moon", "label": "Moon, hours", "color": "orange"},
        ],
        xAxis="day",
        showYAxis=True,
        showLegend=True,
        height=220,
    ),
    node(
        "Row",
        node(
            "Chart",
            data=DATA,
            series=[
                {"type": "area", "dataKey": "north", "label": "North", "stack": "a", "color": "green"},
                {"type": "area", "dataKey": "south", "label": "South", "stack": "a", "color": "purple"},
            ],
            xAxis={"dataKey": "day", "labels": {"Mon": "M"}},
            showLegend=True,
            flex=1,
            height=160,
        ),
        node(
            "Chart",
            data=DATA,
            series=[
                {"type": "bar", "dataKey": "north", "label": "North", "stack": "s", "color": "blue"},
                {"type": "bar", "dataKey": "south", "label": "South", "stack": "s", "color": "pink"},
            ],
            xAxis={"dataKey": "day", "hide": True},
            showYAxis=True,
            flex=1,
            height=160,
        ),
        gap=4,
    ),
    size="full",
)

LAYOUT = node(
    "Basic",
    node(
        "Row",
        node(
            "Box", text("surface"), padding=3, radius="md", background="surface-secondary", border=1, flex=1
        ),
        node(
            "Box",
            text("dashed"),
            padding={"x": 4, "y": 2},
            radius="xl",
            border={"size": 2, "style": "dashed", "color": "blue-400"},
            flex=1,
        ),
        node(
            "Box",
            text("16/9", color={"light": "purple-900", "dark": "purple-100"}),
            aspectRatio="16/9",
            width=96,
            radius="lg",
            align="center",
            justify="center",
            background={"light": "purple-100", "dark": "purple-900"},
        ),
        gap=3,
        align="stretch",
    ),
    node(
        "Row",
        text("left"),
        node("Spacer"),
        node("Divider", size=2, color="strong"),
        node("Spacer"),
        text("right"),
    ),
    node(
        "Transition",
        node("Image", src=ROSE, alt="A rose square", height=48, width="50%", fit="cover", radius="full"),
    ),
    node("Hologram", text("its children are still shown"), title="A component of the future"),
    node(
        "Card",
        node("Title", value="Always dark", size="sm"),
        text("Whatever the page is."),
        node(
            "Row",
            node("Badge", label="info", color="info"),
            node("Button", label="Press", style="primary", size="sm"),
        ),
        theme="dark",
        size="sm",
    ),
    node(
        "Card",
        text("Folded away"),
        collapsed=True,
        status={"text": "Booked for Monday", "icon": "check-circle-filled"},
        size="sm",
        theme="light",
    ),
    gap=3,
)

SCENES: dict[str, Node] = {
    "texts": TEXTS,
    "marks": MARKS,
    "buttons": BUTTONS,
    "form": FORM,
    "choices": CHOICES,
    "list": LIST,
    "table": TABLE,
    "charts": CHARTS,
    "layout": LAYOUT,
}
"""By what they show."""

SHEET: Node = node("Basic", *SCENES.values(), gap=4)
"""All of them, one below the other."""
