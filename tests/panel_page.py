"""The built panel in a real Chromium, with a scripted kernel: what the panel sends is kept, and the test
answers with real wire messages.

The page is the anywidget host as it is shipped (`static/panel.js`, `render({model, el})`); only the model is
ours. JupyterLab's own theme variables stand around it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Literal

from lab import WAIT_MS
from playwright.sync_api import Page, Route

from voice_kernel.messages import ToSurface, to_surface

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "voice_kernel" / "ui" / "static"
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
ADDRESS = "http://localhost/panel/"
"""Answered by the test itself; a secure context, so that there is a microphone."""

Theme = Literal["light", "dark", "none"]

_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Panel</title>
<link rel="stylesheet" href="theme.css"><link rel="stylesheet" href="panel.css">
<style>body {{ margin: 0; padding: 12px; background: var(--jp-layout-color0, {ground}); }}
main {{ width: {width}px; }}</style></head>
<body data-jp-theme-light="{light}"><main id="host"></main>
<script type="module">
import panel from './panel.js';
const listeners = new Map();
const traits = {traits};
window.sent = [];
window.buffers = [];
window.gone = false;
const model = {{
  get: name => traits[name],
  send: (message, callbacks, buffers) => {{
    if (window.gone) throw new Error('comm is closed');
    if (message.type === 'read_part') {{
      const answer = {{ type: 'part', id: message.id, source: window.parts[message.name], problem: null }};
      queueMicrotask(() => window.deliver(answer));
      return;
    }}
    window.sent.push(message);
    queueMicrotask(() => window.answer?.(message));
    window.buffers.push((buffers ?? []).map(buffer => new Int16Array(buffer)));
  }},
  on: (name, callback) => listeners.set(name, [...(listeners.get(name) ?? []), callback]),
  off: (name, callback) => listeners.set(name, (listeners.get(name) ?? []).filter(one => one !== callback)),
}};
window.emit = (name, ...payload) => (listeners.get(name) ?? []).forEach(listener => listener(...payload));
window.deliver = message => window.emit('msg:custom', message, []);
window.unmount = panel.render({{ model, el: document.getElementById('host') }});
window.ready = true;
</script></body></html>"""


def theme_css(theme: Theme) -> str:
    """Return the `:root` variables of an installed JupyterLab theme."""
    if theme == "none":
        return ""
    sheet = Path(sys.prefix, f"share/jupyter/lab/themes/@jupyterlab/theme-{theme}-extension/index.css")
    found = re.search(r":root\s*\{[^}]*\}", sheet.read_text(encoding="utf-8"))
    assert found, f"no variables in {sheet}"
    return found.group(0)


class PanelPage:
    """One mounted panel or card."""

    def __init__(
        self,
        page: Page,
        *,
        theme: Theme = "light",
        width: int = 640,
        view: str = "panel",
        turn_id: int = 0,
        kind: str | None = None,
    ) -> None:
        self.page = page
        traits = {
            "view": view,
            "turn_id": turn_id,
            "surface_kind": kind or ("widget" if view == "panel" else "card"),
        }
        html = _HTML.format(
            ground="#1a1a1a" if theme == "dark" else "#ffffff",
            width=width,
            light="false" if theme == "dark" else "true",
            traits=json.dumps(traits),
        )
        files = {
            "": ("text/html", html),
            "theme.css": ("text/css", theme_css(theme)),
            "panel.css": ("text/css", (STATIC / "panel.css").read_text(encoding="utf-8")),
            "panel.js": ("text/javascript", (STATIC / "panel.js").read_text(encoding="utf-8")),
        }

        def answer(route: Route) -> None:
            name = route.request.url.removeprefix(ADDRESS)
            kind_of, body = files.get(name, ("text/plain", ""))
            route.fulfill(status=200 if name in files else 404, content_type=kind_of, body=body)

        parts = {part.stem: part.read_text(encoding="utf-8") for part in (STATIC / "parts").iterdir()}
        page.add_init_script(f"window.parts = {json.dumps(parts)}")
        page.set_default_timeout(WAIT_MS)
        page.route("**/*", answer)
        page.goto(ADDRESS)
        page.wait_for_function("window.ready === true")

    def deliver(self, *messages: ToSurface) -> None:
        """Hand messages to the panel, as the kernel would, and let it draw them."""
        for message in messages:
            self.page.evaluate(
                "message => window.deliver(message)", to_surface.dump_python(message, mode="json")
            )
        self.settle()

    def answer(self, script: str) -> None:
        """Answer what the panel asks: `script` is a JavaScript function of a message; it calls `deliver`."""
        self.page.evaluate(f"() => {{ window.answer = {script}; }}")

    def settle(self) -> None:
        """Let the panel draw what it has received."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def sent(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what the panel sent, all of it or of one type."""
        messages: list[dict[str, Any]] = self.page.evaluate("window.sent")
        return [message for message in messages if kind is None or message["type"] == kind]

    def wait_sent(self, kind: str) -> dict[str, Any]:
        """Wait until the panel has sent a message of a type; return the newest."""
        self.page.wait_for_function("kind => window.sent.some(message => message.type === kind)", arg=kind)
        return self.sent(kind)[-1]

    def violations(self) -> list[str]:
        """Return what axe-core has against the page."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        report: dict[str, Any] = self.page.evaluate(
            "() => axe.run('#host', { resultTypes: ['violations'], rules: { region: { enabled: false } } })"
        )
        return [
            f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
            for rule in report["violations"]
            for node in rule["nodes"]
        ]
