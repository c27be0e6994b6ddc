"""The side bar in a page of JupyterLab or Notebook 7, as a person uses it: open it, say something, see what
came of it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lab
import nbformat
from lab import NOTEBOOK, Notebook, type_command
from playwright.sync_api import BrowserContext, Locator, Page, expect

WAIT_MS = lab.WAIT_MS
DRAWN = 60
"""The panel draws so many turns, and more on demand."""
READY = re.compile("ready|loading", re.I)
ENDED = re.compile("succeeded|failed|cancelled|nothing")
SPOKEN = Path(__file__).parent / "data" / "speech"

GONE_ON = """
import voice_kernel.app as _module
_app = _module.app_of(get_ipython())
_app.loop.run_sync(_app.conversations.wait_open(100), 110)
print(len(_app.hub.turns))
del _module, _app
"""

MICROPHONE = """async clip => {
  const bytes = Uint8Array.from(atob(clip), letter => letter.charCodeAt(0));
  window.clipEnded = false;
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext();
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(bytes.buffer.slice(0));
    const silence = new ConstantSourceNode(context, { offset: 0 });
    const microphone = context.createMediaStreamDestination();
    source.connect(microphone);
    silence.connect(microphone);
    silence.start();
    silence.onended = () => { window.clipEnded = true; };
    await context.resume();
    // Whoever records comes after this promise, and has what was played a little later.
    window.speak = () => {
      source.start();
      silence.stop(context.currentTime + source.buffer.duration + 0.3);
    };
    return microphone.stream;
  };
}"""
"""Makes a WAV file what is heard next by whoever opens the microphone: from `speak()` until `clipEnded`."""


@dataclass(frozen=True)
class FrontEnd:
    """A running JupyterLab ("lab") or Notebook 7 ("notebook")."""

    app: str
    base: str

    def open(self, context: BrowserContext, name: str) -> Notebook:
        """Open a notebook and wait until its kernel is idle."""
        return Notebook.open(context, self.base, name, self.app)


@dataclass
class Sidebar:
    """The panel of the notebook in front."""

    page: Page

    @classmethod
    def open(cls, page: Page) -> Sidebar:
        """Open the side bar and wait until it is connected."""
        page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
        sidebar = cls(page)
        sidebar.wait_ready()
        return sidebar

    @property
    def whole(self) -> Locator:
        """The side bar, whatever is in it."""
        return self.page.locator(".vk-sidebar")

    @property
    def panel(self) -> Locator:
        """The panel that is shown."""
        return self.whole.locator(".vk-sidebar-panel:not([hidden])")

    @property
    def box(self) -> Locator:
        """Where commands are typed."""
        return self.panel.get_by_role("textbox", name="Type a command")

    @property
    def turns(self) -> Locator:
        """The utterances, oldest first, each with its state in `data-state`."""
        return self.panel.locator(".vk-turns > li [data-turn]")

    @property
    def tasks(self) -> Locator:
        """The cards of the tasks, oldest first."""
        return self.panel.locator(".vk-task")

    @property
    def card(self) -> Locator:
        """The card that waits for an answer."""
        return self.panel.locator(".vk-approval")

    def wait_ready(self, status: re.Pattern[str] = READY) -> None:
        """Wait until the panel is connected."""
        expect(self.panel.locator(".vk-status")).to_have_attribute("data-status", status, timeout=WAIT_MS)

    def wait_gone_on(self) -> int:
        """Wait until a new kernel shows the conversation it goes on with; returns how many turns that has."""
        self.wait_ready()
        turns = int(Notebook(self.page).execute(GONE_ON))
        expect(self.turns).to_have_count(min(turns, DRAWN), timeout=WAIT_MS)
        return turns

    def send(self, text: str) -> Locator:
        """Type a command; returns its turn as soon as it is shown."""
        before = self.newest
        type_command(self.panel, text)
        return self.after(before)

    @property
    def newest(self) -> int:
        """The number of the newest turn; 0 when there is none."""
        numbers = self.turns.evaluate_all("turns => turns.map(turn => Number(turn.dataset.turn))")
        return max(numbers, default=0)

    def after(self, number: int) -> Locator:
        """Wait for a turn newer than that one, and return it. The oldest are no longer shown."""
        expect(self.turns).not_to_have_count(0, timeout=WAIT_MS)
        expect(self.turns.last).not_to_have_attribute("data-turn", str(number), timeout=WAIT_MS)
        return self.panel.locator(f'[data-turn="{self.newest}"]')

    def say(self, text: str, outcome: str = "succeeded") -> Locator:
        """Type a command and wait for what became of it; returns its turn."""
        return self.ended(self.send(text), outcome)

    def ended(self, turn: Locator, outcome: str = "succeeded") -> Locator:
        """Wait for what became of a turn, and return it."""
        expect(turn).to_have_attribute("data-state", ENDED, timeout=WAIT_MS)
        assert turn.get_attribute("data-state") == outcome, turn.inner_text()
        return turn

    def hear(self, clip: Path) -> Locator:
        """Hold the button while a clip is spoken; returns the turn once its words are final."""
        before = self.newest
        self.hold(clip)
        self.page.wait_for_function("() => window.clipEnded", timeout=WAIT_MS)
        self.page.mouse.up()
        turn = self.after(before)
        expect(turn.locator("[data-route]")).to_have_attribute("data-route", "intents", timeout=WAIT_MS)
        return turn

    def hold(self, clip: Path) -> None:
        """Press the button, and begin to speak a clip once somebody listens."""
        put_into_microphone(self.page, clip)
        self.panel.get_by_role("button", name="Hold to talk").hover()
        self.page.mouse.down()
        speak(self.page)

    def calls(self, turn: Locator) -> str:
        """Return the tool calls of a turn as they are shown: `run_cells(cells="3")`."""
        return turn.locator(".vk-calls").inner_text()

    def approve(self, turn: Locator) -> None:
        """Click on Approve once the card is there."""
        self.card.get_by_role("button", name="Approve").click(timeout=WAIT_MS)
        expect(self.card).to_have_count(0, timeout=WAIT_MS)

    # ---- the notebook beside it ---------------------------------------------------------------------

    def cells(self) -> list[dict[str, Any]]:
        """Return the notebook's cells as they would be saved."""
        found: list[dict[str, Any]] = self.page.evaluate(f"() => ({NOTEBOOK}).content.model.toJSON().cells")
        for cell in found:
            cell["metadata"].pop("trusted", None)  # never saved: JupyterLab's own memory of this page
        return found

    def ids(self) -> list[str]:
        """Return the id of every cell."""
        return [cell["id"] for cell in self.cells()]

    def sources(self) -> list[str]:
        """Return the text of every cell."""
        return [cell["source"] for cell in self.cells()]

    def put(self, cells: Sequence[Any]) -> None:
        """Give the notebook other cells, and make the first one the active one."""
        self.page.evaluate(
            f"""content => {{
              const notebook = ({NOTEBOOK}).content;
              notebook.mode = 'command';
              notebook.model.sharedModel.fromJSON(content);
              notebook.activeCellIndex = 0;
            }}""",
            json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=list(cells)))),
        )
        expect(self.page.locator(".jp-Cell").first).to_be_visible()

    @property
    def active(self) -> int:
        """Position of the active cell, from 1."""
        return int(self.page.evaluate(f"() => ({NOTEBOOK}).content.activeCellIndex")) + 1

    def select(self, position: int) -> None:
        """Make a cell the active one, as a click on its margin does."""
        self.page.evaluate(
            f"""at => {{
              const notebook = ({NOTEBOOK}).content;
              notebook.mode = 'command'; notebook.deselectAll(); notebook.activeCellIndex = at;
            }}""",
            position - 1,
        )

    def announced(self) -> str:
        """Return what screen readers were told last."""
        return str(self.page.locator(".vk-announcer").text_content())


def put_into_microphone(page: Page, clip: Path) -> None:
    """Make a WAV file what the microphone hears next, after `speak`."""
    page.evaluate(MICROPHONE, base64.b64encode(clip.read_bytes()).decode())


def speak(page: Page) -> None:
    """Begin to speak what was put into the microphone, once the panel listens."""
    expect(page.locator('.vk-talk[data-phase="listening"]')).to_have_count(1, timeout=WAIT_MS)
    page.evaluate("() => window.speak()")


def write_cells(path: Path, cells: Sequence[Any], kernel: str = "python3") -> None:
    """Write a notebook of these cells."""
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(notebook, path)


def outputs_text(notebook: Notebook, index: int) -> str:
    """Return what a cell printed or gave back, as text."""
    return text_of(notebook.outputs(index))


def text_of(outputs: Sequence[dict[str, Any]]) -> str:
    """Return what outputs print or give back, as text; of errors the name."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") or output.get("ename", "")
        for output in outputs
    )
