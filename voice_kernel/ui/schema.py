"""The wire schema as JSON Schema, from which the TypeScript types are generated.

Responsible for one document that describes the messages of both directions. It does not know
TypeScript: `labextension/generate.mjs` reads this module's standard output
(`python -m voice_kernel.ui.schema`).
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import TypeAdapter

from voice_kernel.messages import PROTOCOL, to_kernel, to_surface

OF_CLIENTS = {"Say": ("model", "tool")}
"""What only the pages of a server say: the panel has no need for it."""


def wire_schema() -> dict[str, Any]:
    """Return every message of both directions, with the unions `ToKernel` and `ToSurface`.

    Serialisation mode: what is written on the wire carries every field, so none is optional, but the
    name of a request, for which a page has no need, and `OF_CLIENTS`.
    """
    adapters: list[tuple[str, Any, TypeAdapter[Any]]] = [
        ("ToKernel", "serialization", to_kernel),
        ("ToSurface", "serialization", to_surface),
    ]
    unions, definitions = TypeAdapter.json_schemas(adapters, ref_template="#/$defs/{model}")
    models: dict[str, Any] = definitions["$defs"]
    for model in models.values():
        for field in model.get("properties", {}).values():
            # A titled or defaulted field would become a named type of its own.
            field.pop("title", None)
            field.pop("default", None)
        if model.get("properties", {}).get("request", {}).get("type") == "string":
            model["required"].remove("request")
    for name, fields in OF_CLIENTS.items():
        required = models[name]["required"]
        models[name]["required"] = [field for field in required if field not in fields]
    models.update({name: {"title": name, **union} for (name, _), union in unions.items()})
    return {
        "title": "Wire",
        "description": f"Protocol {PROTOCOL}.",
        "type": "object",
        "additionalProperties": False,
        "required": ["protocol"],
        "properties": {"protocol": {"const": PROTOCOL}},
        "$defs": dict(sorted(models.items())),
    }


if __name__ == "__main__":
    json.dump(wire_schema(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
