"""What an application of one's own starts from: a card with themes, start prompts and an overlay for errors.

Also a session for pages of others: `Served` starts `voice-kernel serve` on this machine, and talks to it as
a ChatKit client does. It knows no tools: the notebook beside it has those.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec, TypeVar

Theme = Literal["light", "dark"]
P = ParamSpec("P")
R = TypeVar("R")

START_S = 60
STEP_S = 0.1


@dataclass(frozen=True)
class Prompt:
    """Something to start with: what can be said, and what a click on it calls."""

    label: str
    tool: str
    payload: dict[str, Any] = field(default_factory=dict)
    icon: str = "sparkle"


@dataclass
class Starter:
    """What the card shows; `show` is told whenever that is another."""

    title: str
    greeting: str
    prompts: list[Prompt]
    show: Callable[[dict[str, Any]], object]
    theme: Theme = "light"
    done: list[str] = field(default_factory=list)
    error: str = ""

    def use(self, theme: Theme) -> None:
        """Draw the card in a theme."""
        self.theme = theme
        self.show(start_card(self))

    def note(self, done: str) -> str:
        """Add a line to what was done; returns it."""
        self.done.insert(0, done)
        self.show(start_card(self))
        return done

    def clear(self) -> None:
        """Start over: nothing done, and no error."""
        self.done.clear()
        self.dismiss()

    def dismiss(self) -> None:
        """Take the overlay away."""
        self.error = ""
        self.show(start_card(self))

    def guarded(self, function: Callable[P, R]) -> Callable[P, R]:
        """Let what a function raises lie over the card; the task fails all the same."""

        @functools.wraps(function)
        def guard(*args: P.args, **named: P.kwargs) -> R:
            try:
                return function(*args, **named)
            except Exception as error:
                self.error = f"{error}" or type(error).__name__
                self.show(start_card(self))
                raise

        return guard


def start_card(starter: Starter) -> dict[str, Any]:
    """Return the card; while there is an error, the overlay is all that is to be seen of it."""
    card: dict[str, Any] = {
        "type": "Card",
        "size": "md",
        "theme": starter.theme,
        "status": {"text": starter.title},
    }
    if starter.error:
        dismiss = {"label": "Dismiss", "action": {"type": "starter.dismiss"}}
        shown = [
            {
                "type": "Box",
                "background": "red-50",
                "padding": 3,
                "radius": "md",
                "children": [
                    {"type": "Title", "value": "Something went wrong", "size": "sm", "color": "danger"},
                    {"type": "Text", "value": starter.error},
                ],
            }
        ]
        return card | {"children": shown, "confirm": dismiss}
    prompts = [
        {
            "type": "Button",
            "key": prompt.label,
            "label": prompt.label,
            "iconStart": prompt.icon,
            "variant": "outline",
            "block": True,
            "onClickAction": {"type": prompt.tool, "payload": prompt.payload},
        }
        for prompt in starter.prompts
    ]
    lines = [{"type": "Text", "size": "sm", "value": done} for done in starter.done[:5]]
    return card | {
        "children": [
            {"type": "Title", "value": starter.greeting},
            {"type": "Col", "gap": 2, "children": prompts},
            *([{"type": "Divider"}, *lines] if lines else []),
        ]
    }


class Served:
    """`voice-kernel serve` on this machine, while a `with` block runs.

    with Served() as server:
        session = server.create_session()
        for event in server.say(session["client_secret"], "help"):
            ...

    """

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._token = secrets.token_urlsafe(24)
        self._command = [sys.executable, "-m", "voice_kernel.cli", "serve", "--port", str(port)]

    def __enter__(self) -> Served:
        self._process = subprocess.Popen(
            self._command,
            env=os.environ | {"VOICE_KERNEL_SERVER_TOKEN": self._token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api/health", timeout=STEP_S * 10).close()  # noqa: S310 - ours
            except OSError:
                time.sleep(STEP_S)  # it gives no sign when it has started
            else:
                return self
        self.__exit__()
        raise RuntimeError('The server did not start. Is it installed? pip install "voice-kernel[server]"')

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def create_session(self, user: str = "me") -> dict[str, Any]:
        """Return a session with its `client_secret`: what a page is given, and never the server's token."""
        session: dict[str, Any] = json.load(self._post("/api/create-session", self._token, {"user": user}))
        return session

    def refresh(self, client_secret: str) -> dict[str, Any]:
        """Return the same session with a new secret, before the old one expires."""
        session: dict[str, Any] = json.load(self._post("/api/create-session", client_secret, {}))
        return session

    def say(self, client_secret: str, text: str) -> list[dict[str, Any]]:
        """Say something in a new thread, as a ChatKit client does; returns the events of the answer."""
        content = {
            "content": [{"type": "input_text", "text": text}],
            "attachments": [],
            "inference_options": {},
        }
        request = {"type": "threads.create", "params": {"input": content}}
        with self._post("/api/chatkit", client_secret, request) as stream:
            return [json.loads(line[5:]) for line in stream if line.startswith(b"data:")]

    def _post(self, path: str, secret: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - http, to our own server
            self.url + path,
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        )
        return urllib.request.urlopen(request, timeout=START_S)  # noqa: S310
