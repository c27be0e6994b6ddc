"""What was done with pages, as a Playwright script that does it again.

Elements are named as a tester would name them: by role and name, by text, by label. What was typed into a
password field is not kept; the script asks for it. Knows no page: whoever acted tells what was done.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any

from voice_kernel.tools.browser.outline import Element, Outline

MAX_STEPS = 1_000
MAX_TEXT_CHARS = 5_000
HEAD = '''"""Recorded by voice_kernel. Run with: python {name} (needs: pip install playwright)."""

import os
from getpass import getpass

from playwright.sync_api import Page, expect, sync_playwright


def run(page: Page) -> None:
'''
TAIL = """

if __name__ == "__main__":
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or None,
            headless=not os.environ.get("HEADED"),
            args=os.environ.get("CHROMIUM_ARGS", "").split(),
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("dialog", lambda dialog: dialog.accept() if DIALOGS.pop(0) else dialog.dismiss())
        run(page)
        browser.close()
"""


class Recording:
    """The steps of one conversation, the oldest forgotten first."""

    def __init__(self) -> None:
        self._steps: deque[str] = deque(maxlen=MAX_STEPS)
        self._dialogs: deque[tuple[bool, str]] = deque(maxlen=MAX_STEPS)

    def __len__(self) -> int:
        return len(self._steps)

    def clear(self) -> None:
        """Forget everything."""
        self._steps.clear()
        self._dialogs.clear()

    def did(self, line: str) -> None:
        """Keep one line of Python."""
        self._steps.append(line)

    @contextlib.contextmanager
    def doing(self, line: str) -> Iterator[None]:
        """Keep one line of Python, unless what it does fails. That a page asks something is no failure."""
        self._steps.append(line)
        try:
            yield
        except Exception:
            self._steps.pop()
            raise

    def answered(self, accept: bool, text: str) -> None:
        """Keep what a dialog was told; a script must know it before the dialog comes."""
        self._dialogs.append((accept, text))

    def script(self, name: str) -> str:
        """Return the steps as a Python program.

        Args:
            name: what the file is called.
        """
        lines = [f"    {line}" for line in self._steps] or ["    pass"]
        tail = TAIL
        if self._dialogs:
            answers = f"\n\nDIALOGS = {list(self._dialogs)!r}\n"
            tail = answers + tail.replace(
                "lambda dialog: dialog.accept() if DIALOGS.pop(0) else dialog.dismiss()", "answer"
            )
            tail = tail.replace(
                "\n\nif __name__",
                "\n\ndef answer(dialog: Dialog) -> None:\n"
                '    accept, text = DIALOGS.pop(0) if DIALOGS else (False, "")\n'
                "    dialog.accept(text) if accept else dialog.dismiss()\n\n\nif __name__",
            )
        else:
            tail = "\n".join(line for line in tail.split("\n") if "DIALOGS" not in line)
        head = HEAD.format(name=name)
        if self._dialogs:
            head = head.replace("import Page", "import Dialog, Page")
        if not any("getpass(" in line for line in lines):
            head = head.replace("from getpass import getpass\n", "")
        if not any("expect(" in line for line in lines):
            head = head.replace("Page, expect,", "Page,")
        return head + "\n".join(lines) + "\n" + tail


def locator_of(element: Element, outline: Outline) -> str:
    """Return Playwright's own words for an element of an outline."""
    if element.role in ("generic", "text", "paragraph"):
        text = outline.text(element)
        same = [e for e in outline if e.role == element.role and outline.text(e) == text]
        return text_locator(text, same.index(element) if len(same) > 1 else -1)
    same = [e for e in outline if e.role == element.role and (not element.name or e.name == element.name)]
    code = f"page.get_by_role({element.role!r}"
    code += f", name={element.name!r}, exact=True)" if element.name else ")"
    return code if len(same) == 1 else f"{code}.nth({same.index(element)})"


def text_locator(text: str, place: int = -1) -> str:
    """Return Playwright's words for a text on the page; `place` counts from 0 where there are several."""
    code = f"page.get_by_text({text!r}, exact=True)"
    return code if place < 0 else f"{code}.nth({place})"


def call(locator: str, method: str, *arguments: Any, **options: Any) -> str:
    """Return one line of Python that acts on an element."""
    words = [repr(argument)[:MAX_TEXT_CHARS] for argument in arguments]
    words += [f"{name}={value!r}" for name, value in options.items() if value]
    return f"{locator}.{method}({', '.join(words)})"
