"""The built renderer of widgets alone in a real Chromium: what a person does with a widget is kept.

The page loads the parts as they are shipped (`static/parts/widgets.js`, `charts.js`, `markup.js`) and hands
them the Preact they were built against; JupyterLab's own theme variables stand around it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab import WAIT_MS
from panel_page import AXE, ROOT, STATIC, Theme, theme_css
from playwright.sync_api import Page, Route

ADDRESS = "http://localhost/widget/"
PREACT = ROOT / "labextension" / "node_modules" / "preact"

_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Widget</title>
<script type="importmap">{{"imports": {{"preact": "./preact.js", "preact/hooks": "./hooks.js",
"preact/jsx-runtime": "./jsx.js"}}}}</script>
<link rel="stylesheet" href="theme.css">
<style>body {{ margin: 0; padding: 16px; background: var(--jp-layout-color0, {ground}); }}
main {{ width: {width}px; }}</style></head>
<body data-jp-theme-light="{light}"><main id="host"></main>
<script type="module">
import * as preact from 'preact';
import * as hooks from 'preact/hooks';
import * as jsx from 'preact/jsx-runtime';
const given = {{ preact, hooks, jsx }};
const loaded = {{}};
const part = async name => loaded[name] ??= (await import(`./parts/${{name}}.js`)).default(given);
const parts = {{ get: name => loaded[name], fetch: async name => void (await part(name)) }};
const {{ WidgetView, applyUpdate }} = await part('widgets');
const host = document.getElementById('host');
const fill = (text, values) => text.replace(/%(\\d)/g, (_, at) => values[at - 1]);
const trans = {{
  __: (text, ...values) => fill(text, values),
  _n: (one, many, n, ...values) => fill(n === 1 ? one : many, [n, ...values]),
}};
window.actions = [];
const onAction = async (action, values, item) => {{
  window.actions.push({{ action, values, item }});
  await window.answer?.(action);
}};
window.show = (root, theme = {theme}) => {{
  window.root = root;
  const view = preact.h(WidgetView, {{ root, theme, onAction, parts, trans }});
  preact.render(view, host);
}};
window.update = update => window.show(applyUpdate(window.root, update));
await Promise.all([part('charts'), part('markup')]);
window.ready = true;
</script></body></html>"""


class WidgetPage:
    """One page with room for one widget."""

    def __init__(
        self,
        page: Page,
        root: dict[str, Any] | None = None,
        *,
        theme: Theme = "light",
        width: int = 640,
        static: Path = STATIC,
    ) -> None:
        self.page = page
        html = _HTML.format(
            ground="#1a1a1a" if theme == "dark" else "#ffffff",
            width=width,
            light="false" if theme == "dark" else "true",
            theme=json.dumps(None if theme == "none" else theme),
        )
        scripts = {
            "preact.js": PREACT / "dist/preact.mjs",
            "hooks.js": PREACT / "hooks/dist/hooks.mjs",
            "jsx.js": PREACT / "jsx-runtime/dist/jsxRuntime.mjs",
            **{f"parts/{part.name}": part for part in (static / "parts").iterdir()},
        }
        self.asked: list[str] = []
        """Addresses that the page asked for and that are not its own."""

        def answer(route: Route) -> None:
            url = route.request.url
            name = url.removeprefix(ADDRESS)
            if name == "":
                route.fulfill(content_type="text/html", body=html)
            elif name == "theme.css":
                route.fulfill(content_type="text/css", body=theme_css(theme))
            elif name in scripts:
                route.fulfill(content_type="text/javascript", body=scripts[name].read_text(encoding="utf-8"))
            else:
                self.asked.append(url)
                route.fulfill(status=404, body="")

        page.set_default_timeout(WAIT_MS)
        page.route("**/*", answer)
        page.goto(ADDRESS)
        page.wait_for_function("window.ready === true")
        if root is not None:
            self.show(root)

    def show(self, root: dict[str, Any]) -> None:
        """Draw a widget, or draw it anew."""
        self.page.evaluate("root => window.show(root)", root)
        self.settle()

    def update(self, update: dict[str, Any]) -> None:
        """Apply one of ChatKit's updates."""
        self.page.evaluate("update => window.update(update)", update)
        self.settle()

    def settle(self) -> None:
        """Let the page draw."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def actions(self) -> list[dict[str, Any]]:
        """Return what the person did: the actions, the values of forms, and whose actions they were."""
        done: list[dict[str, Any]] = self.page.evaluate("window.actions")
        return done

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
