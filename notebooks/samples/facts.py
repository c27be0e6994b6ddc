"""What a person wants to be remembered: a short list in a file, and the panel that shows it.

It knows no tools. Callable from any thread.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

MAX_FACTS = 100
MAX_CHARS = 300


class Facts:
    """A list of sentences, kept in a file.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self.all: list[str] = json.loads(self._path.read_text("utf-8")) if self._path.exists() else []

    def save(self, fact: str) -> bool:
        """Keep a fact; returns whether it is new.

        Raises:
            ValueError: it is empty or too long, or there are too many.
        """
        fact = " ".join(fact.split()).rstrip(".")
        fact = fact[:1].upper() + fact[1:]
        if not 0 < len(fact) <= MAX_CHARS:
            raise ValueError(f"A fact has 1 to {MAX_CHARS} characters.")
        with self._lock:
            if fact.lower() in (each.lower() for each in self.all):
                return False
            if len(self.all) >= MAX_FACTS:
                raise ValueError(f"{MAX_FACTS} facts are enough: forget one first.")
            self.all.append(fact)
            self._write()
        return True

    def forget(self, number: int) -> str:
        """Forget one, counted from 1 as the panel shows them; returns it.

        Raises:
            ValueError: there is none of this number.
        """
        with self._lock:
            if not 0 < number <= len(self.all):
                raise ValueError(f"There is no fact {number}; there are {len(self.all)}.")
            fact = self.all.pop(number - 1)
            self._write()
        return fact

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self.all, indent=1, ensure_ascii=False) + "\n", "utf-8")
        new.replace(self._path)  # a file that is half written is never read


def facts_panel(facts: Facts) -> dict[str, Any]:
    """Return the side panel: each fact with its number and a button that forgets it."""
    rows = [
        {
            "type": "ListViewItem",
            "key": fact,
            "children": [
                {
                    "type": "Row",
                    "justify": "between",
                    "align": "center",
                    "children": [
                        {"type": "Text", "value": f"{number}. {fact}"},
                        {
                            "type": "Button",
                            "label": "Forget",
                            "size": "xs",
                            "variant": "ghost",
                            "onClickAction": {"type": "forget_fact", "payload": {"number": number}},
                        },
                    ],
                }
            ],
        }
        for number, fact in enumerate(facts.all, 1)
    ]
    empty = {
        "type": "ListViewItem",
        "children": [{"type": "Caption", "value": "Nothing yet: “remember that …”"}],
    }
    return {"type": "ListView", "status": {"text": "Facts"}, "children": rows or [empty]}
