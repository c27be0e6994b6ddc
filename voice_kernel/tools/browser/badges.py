"""Numbers beside everything on a page that can be acted on, for what has no name: "click 7".

An assistive-technology tree holds what has a role; a page may also act on a bare element with a click
handler. Chromium is asked for those (its protocol lists the handlers), the pointer tells of others. A script
in the page finds, numbers and draws; numbers stand for handles of the elements themselves, so they need no
name and no selector, and a number never means another element than the one it was drawn beside.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Frame, Page

MAX_BADGES = 300
MAX_HANDLERS = 400
MAX_FRAMES = 10
PRESSED = frozenset({"click", "mousedown", "mouseup", "pointerdown", "pointerup", "dblclick", "touchstart"})
_KEEP = """function(...nodes) {
  document[Symbol.for('voice-kernel.handlers')] = new Set(nodes);
}"""
_DRAW = """([start, limit, only]) => {
  const handlers = document[Symbol.for('voice-kernel.handlers')] || new Set();
  delete document[Symbol.for('voice-kernel.handlers')];
  document.querySelector('voice-kernel-badges')?.remove();
  const acting = 'a[href],button,input:not([type=hidden]),select,textarea,summary,[contenteditable=""],' +
    '[contenteditable=true],[onclick],[tabindex]:not([tabindex="-1"]),[role=button],[role=link],[role=tab],' +
    '[role=checkbox],[role=radio],[role=switch],[role=option],[role=menuitem],[role=menuitemcheckbox],' +
    '[role=menuitemradio],[role=treeitem],[role=slider],[role=combobox],[role=textbox],[role=searchbox]';
  const line = text => (text || '').replace(/\\s+/g, ' ').trim();
  const named = e => line(e.getAttribute('aria-label') || e.labels?.[0]?.innerText ||
    e.innerText || e.getAttribute('title') || e.getAttribute('alt') || e.getAttribute('placeholder') ||
    (e.type === 'submit' || e.type === 'button' ? e.value : '') ||
    (e.querySelector && e.querySelector('[alt]')?.getAttribute('alt')) ||
    e.querySelector?.('title')?.textContent).slice(0, 80);
  const found = [];
  const look = root => {
    for (const e of root.querySelectorAll('*')) {
      if (e.shadowRoot) look(e.shadowRoot);
      if (e === document.body || e === document.documentElement) continue;
      const style = getComputedStyle(e);
      const own = e.matches(acting) || handlers.has(e);
      const pointed = style.cursor === 'pointer' &&
        (!e.parentElement || getComputedStyle(e.parentElement).cursor !== 'pointer');
      if (!own && !pointed) continue;
      if (only === 'links' && !e.closest('a[href],[role=link]')) continue;
      if (only === 'fields' && !e.matches('input,select,textarea,[role=textbox],[role=combobox]')) continue;
      if (style.visibility !== 'visible' || style.pointerEvents === 'none') continue;
      const box = e.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      if (!own && [...found].some(f => f.contains(e))) continue;
      found.push(e);
      if (found.length >= limit) return;
    }
  };
  look(document);
  // A frame around others is no target of its own: a click in its middle would hit one of them.
  const kept = found.filter(e => e.matches(acting) || found.filter(f => f !== e && e.contains(f)).length < 2);
  const host = document.createElement('voice-kernel-badges');
  host.setAttribute('aria-hidden', 'true');
  host.style.cssText = 'all:initial;position:fixed;inset:0;z-index:2147483647;pointer-events:none';
  const shade = host.attachShadow({mode: 'closed'});
  const marks = kept.map((e, i) => {
    const mark = document.createElement('div');
    mark.textContent = start + i;
    mark.style.cssText = 'position:fixed;font:bold 11px/14px system-ui,sans-serif;padding:0 3px;' +
      'min-width:8px;text-align:center;border-radius:4px;background:#ffe14d;color:#111;' +
      'border:1px solid #111;box-shadow:0 1px 2px #0006';
    shade.append(mark);
    return mark;
  });
  const place = () => {
    if (!host.isConnected) {
      removeEventListener('scroll', place, true);
      removeEventListener('resize', place);
      return;
    }
    const boxes = kept.map(e => e.getBoundingClientRect());
    boxes.forEach((box, i) => {
      const shown = box.width > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0 &&
        box.left < innerWidth;
      marks[i].style.display = shown ? 'block' : 'none';
      const width = 14 + 6 * String(start + i).length;
      // Over its upper left corner, mostly outside, so that what is written there can still be read.
      marks[i].style.left = Math.max(0, Math.min(box.left - width / 2, innerWidth - width)) + 'px';
      marks[i].style.top = Math.max(0, Math.min(box.top - 11, innerHeight - 16)) + 'px';
    });
  };
  document.documentElement.append(host);
  addEventListener('scroll', place, {capture: true, passive: true});
  addEventListener('resize', place);
  place();
  const around = e => {
    const own = named(e);
    for (let above = e.parentElement; above && above !== document.body; above = above.parentElement) {
      const text = line(above.innerText);
      if (text && text !== own) return text.slice(0, 60);
    }
    return '';
  };
  const path = e => {
    const steps = [];
    for (; e && e.localName !== 'body' && e.parentElement; e = e.parentElement) {
      if (e.id) return ['[id=' + JSON.stringify(e.id) + ']', ...steps].join(' > ');
      steps.unshift(`${e.localName}:nth-child(${[...e.parentElement.children].indexOf(e) + 1})`);
    }
    return ['body', ...steps].join(' > ');
  };
  const kind = e => e.getAttribute('role') || e.type || e.localName;
  const about = kept.map(e => [kind(e), named(e), around(e), path(e)]);
  return {about, kept};
}"""
_HIDE = "() => document.querySelector('voice-kernel-badges')?.remove()"


@dataclass(frozen=True, slots=True)
class Badge:
    """One numbered thing.

    Attributes:
        handle: the element itself.
        kind: its role or tag.
        name: what is written on it; empty when nothing is.
        around: the text it stands beside.
        path: a selector for scripts, where there is no name.
    """

    handle: ElementHandle
    kind: str
    name: str
    around: str
    path: str

    @property
    def called(self) -> str:
        """Return it in words."""
        if self.name:
            return self.name
        return f"{self.kind} beside “{self.around}”" if self.around else self.kind


async def show(page: Page, only: str = "") -> dict[int, Badge]:
    """Draw numbers on a page and its frames.

    Args:
        page: the page in front.
        only: `links` or `fields`; empty for everything.

    Returns:
        What each number stands for, from 1, in the order of the page.
    """
    await _find_handlers(page)
    badges: dict[int, Badge] = {}
    for frame in page.frames[:MAX_FRAMES]:
        if len(badges) < MAX_BADGES:
            with contextlib.suppress(Exception):  # a frame that has just gone has nothing to number
                badges |= await _show_in(frame, len(badges) + 1, MAX_BADGES - len(badges), only)
    return badges


async def hide(page: Page) -> None:
    """Take the numbers away."""
    for frame in page.frames[:MAX_FRAMES]:
        with contextlib.suppress(Exception):  # a frame that has just gone took them along
            await frame.evaluate(_HIDE)


async def _show_in(frame: Frame, start: int, limit: int, only: str) -> dict[int, Badge]:
    drawn = await frame.evaluate_handle(_DRAW, [start, limit, only])
    about = await (await drawn.get_property("about")).json_value()
    handles = await (await drawn.get_property("kept")).get_properties()
    badges = {}
    for number, (words, handle) in enumerate(zip(about, handles.values(), strict=False), start):
        element = handle.as_element()
        if element is not None:
            badges[number] = Badge(element, *words)
    await drawn.dispose()
    return badges


async def _find_handlers(page: Page) -> None:
    """Have the page know which of its elements wait for a click; without it the pointer must do."""
    session = await page.context.new_cdp_session(page)
    try:
        document = await session.send("Runtime.evaluate", {"expression": "document"})
        listeners: list[dict[str, Any]] = (
            await session.send(
                "DOMDebugger.getEventListeners",
                {"objectId": document["result"]["objectId"], "depth": -1, "pierce": True},
            )
        )["listeners"]
        nodes = dict.fromkeys(
            listener["backendNodeId"]
            for listener in listeners
            if listener["type"] in PRESSED and "backendNodeId" in listener
        )
        objects = []
        for node in list(nodes)[:MAX_HANDLERS]:
            with contextlib.suppress(Exception):  # gone meanwhile
                resolved = await session.send("DOM.resolveNode", {"backendNodeId": node})
                objects.append({"objectId": resolved["object"]["objectId"]})
        await session.send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": _KEEP,
                "objectId": document["result"]["objectId"],
                "arguments": objects,
            },
        )
    finally:
        with contextlib.suppress(Exception):  # the page may have closed
            await session.detach()
