"""The side bar in a real JupyterLab and a real Notebook 7: it opens, and stays connected whatever happens."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import NOTEBOOK, WAIT_MS, Notebook, chromium, lab_server, shut_down
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sidebar_page import FrontEnd, Sidebar, outputs_text, write_cells

IN_ONE = pytest.mark.parametrize("front_end", ["lab"], ids=["JupyterLab"], indirect=True)
"""For what does not depend on the front end."""


LAYOUT_KEPT = """async base => {
  const kept = await (await fetch(`${base}/lab/api/workspaces/default`)).json();
  const layout = kept.data?.['layout-restorer:data'];
  return [layout?.left, layout?.right].some(area => area?.current === 'voice-kernel-sidebar');
}"""
"""JupyterLab keeps how the page looks a while after it looks so."""

UNDO_KEPT = """() => new Promise(resolve => {
  const opening = indexedDB.open('voice_kernel');
  opening.onsuccess = () => {
    const keys = opening.result.transaction('undo').objectStore('undo').getAllKeys();
    keys.onsuccess = () => { opening.result.close(); resolve(keys.result.length > 0); };
  };
})"""


@pytest.fixture(scope="module", params=["lab", "notebook"], ids=["JupyterLab", "Notebook 7"])
def front_end(
    root: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[FrontEnd]:
    folder = tmp_path_factory.mktemp(request.param)
    install_bare_kernel(folder / "data" / "kernels" / "bare")
    with lab_server(root, folder, app=request.param) as base:
        yield FrontEnd(request.param, base)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]) as opened:
        yield opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    yield opened
    shut_down(opened)


@pytest.fixture
def name(front_end: FrontEnd, request: pytest.FixtureRequest) -> str:
    """A file name of the test's own."""
    return f"{request.node.name.split('[')[0]}-{front_end.app}.ipynb"


@pytest.fixture
def notebook(context: BrowserContext, front_end: FrontEnd, root: Path, name: str) -> Notebook:
    write_cells(root / name, some_cells())
    return front_end.open(context, name)


def some_cells() -> list[Any]:
    new = nbformat.v4
    first = new.new_code_cell("x = 1\nprint(x)", id="first", metadata={"tags": ["keep"]})
    first.outputs = [new.new_output("stream", name="stdout", text="before\n")]
    second = new.new_markdown_cell("# Two", id="second")
    return [first, second, new.new_code_cell("x + 41", id="third"), new.new_code_cell("1 / 0", id="fourth")]


def install_bare_kernel(folder: Path) -> None:
    """A Python kernel where voice_kernel cannot be imported."""
    folder.mkdir(parents=True)
    start = (
        "import sys; sys.modules['voice_kernel'] = None\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'voice_kernel':\n"
        "            raise ModuleNotFoundError(\"No module named 'voice_kernel'\", name='voice_kernel')\n"
        "del sys.modules['voice_kernel']; sys.meta_path.insert(0, Absent())\n"
        "from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
    )
    spec = {
        "argv": [sys.executable, "-c", start, "-f", "{connection_file}"],
        "display_name": "Bare Python",
        "language": "python",
    }
    (folder / "kernel.json").write_text(json.dumps(spec))


def reload(page: Page, front_end: FrontEnd) -> Sidebar:
    """Load the page again; returns the panel, opened again where the front end does not remember it."""
    if front_end.app == "lab":
        page.wait_for_function(LAYOUT_KEPT, arg=front_end.base, polling=200)
    page.goto(page.url.replace("?reset", ""))
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=WAIT_MS)
    sidebar = Sidebar(page)
    if front_end.app == "notebook":
        page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
    return sidebar


# ---- opening ----------------------------------------------------------------------------------------


def test_nothing_is_loaded_or_connected_before_a_person_opens_the_panel(
    notebook: Notebook, front_end: FrontEnd
) -> None:
    page = notebook.page
    page.evaluate(
        f"""() => {{
          const kernel = ({NOTEBOOK}).sessionContext.session.kernel;
          window.seen = [];
          kernel.anyMessage.connect((_, {{ msg, direction }}) => {{
            if (direction === 'send') window.seen.push(msg.header.msg_type);
          }});
        }}"""
    )
    assert notebook.execute("import sys; print('voice_kernel' in sys.modules)") == "False\n"
    assert "comm_open" not in page.evaluate("() => window.seen")
    status = page.locator(".vk-status-item")
    if front_end.app == "lab":  # Notebook 7 has no status bar
        expect(status).to_contain_text("Voice off")
    page.locator("[data-jp-item-name='voice']").get_by_role("button").click()  # in the notebook's toolbar
    sidebar = Sidebar(page)
    sidebar.wait_ready()
    place = sidebar.whole.bounding_box()
    assert place is not None
    assert place["width"] >= 320
    assert "comm_open" in page.evaluate("() => window.seen")
    # Its names and its history are the person's own.
    assert notebook.execute("print([n for n in dir() if 'voice' in n or n == 'shell'], len(In))") == "[] 1\n"
    expect(status.filter(has_text="Voice off")).to_have_count(0)


@IN_ONE
def test_a_notebook_without_voice_kernel_is_told_how_to_install_it(
    context: BrowserContext, front_end: FrontEnd, root: Path, name: str
) -> None:
    write_cells(root / name, some_cells(), kernel="bare")
    page = front_end.open(context, name).page
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
    sidebar = Sidebar(page)
    expect(sidebar.whole).to_contain_text("not installed in this kernel", timeout=WAIT_MS)
    sidebar.whole.get_by_role("button", name="Insert that cell").click()
    page.wait_for_function(
        f"source => ({NOTEBOOK}).content.model.toJSON().cells.some(cell => cell.source === source)",
        arg="%pip install voice-kernel",
    )
    sidebar.whole.get_by_role("button", name="Try again").click()
    expect(sidebar.whole).to_contain_text("not installed in this kernel", timeout=WAIT_MS)


# ---- staying connected ------------------------------------------------------------------------------


def test_a_restarted_kernel_is_connected_again(notebook: Notebook) -> None:
    page = notebook.page
    sidebar = Sidebar.open(page)
    sidebar.say("list variables")
    page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.restartKernel(); }}")
    assert sidebar.wait_gone_on() == 1
    sidebar.say("list variables")


def test_another_kernel_for_the_notebook_is_connected(notebook: Notebook) -> None:
    page = notebook.page
    sidebar = Sidebar.open(page)
    sidebar.say("run the code x = 1")
    page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.changeKernel({{ name: 'python3' }}); }}")
    sidebar.wait_gone_on()  # with what was said, or without: the old kernel may still have been there
    expect(sidebar.say("list variables")).to_contain_text("There are no variables yet.")


def test_a_renamed_notebook_stays_connected(notebook: Notebook, front_end: FrontEnd) -> None:
    sidebar = Sidebar.open(notebook.page)
    notebook.page.evaluate(
        f"async name => {{ await ({NOTEBOOK}).context.rename(name); }}", f"renamed-{front_end.app}.ipynb"
    )
    sidebar.say("run cell one")
    assert outputs_text(notebook, 0) == "1\n"


def test_each_notebook_has_its_own_panel_which_keeps_what_was_typed(
    notebook: Notebook, context: BrowserContext, front_end: FrontEnd, root: Path
) -> None:
    page = notebook.page
    other_name = f"other-{front_end.app}.ipynb"
    write_cells(root / other_name, some_cells()[:1])
    sidebar = Sidebar.open(page)
    sidebar.say("list variables")
    sidebar.box.fill("half a thought")
    if front_end.app == "lab":  # the one side bar follows the notebook in front
        path = {"path": other_name}
        page.evaluate("path => void window.jupyterapp.commands.execute('docmanager:open', path)", path)
        other = sidebar
        expect(other.panel.locator(".vk-first-run")).to_be_visible(timeout=WAIT_MS)
        other.wait_ready()
    else:  # each notebook has a page of its own
        other = Sidebar.open(front_end.open(context, other_name).page)
    expect(other.turns).to_have_count(0)
    expect(other.say("read the notebook")).to_contain_text("1 cell")
    if front_end.app == "lab":
        page.locator(".lm-TabBar-tabLabel", has_text="test_each_notebook").click()
    expect(sidebar.box).to_have_value("half a thought")
    expect(sidebar.turns).to_have_count(1)
    expect(sidebar.say("read the notebook")).to_contain_text("4 cells")


def test_a_page_reloaded_while_the_kernel_is_busy_gets_the_running_task_back(
    context: BrowserContext, front_end: FrontEnd, root: Path, name: str
) -> None:
    code = ("import time\ntime.sleep(3_000)", "%voice run cell one")
    write_cells(root / name, [nbformat.v4.new_code_cell(source) for source in code])
    notebook = front_end.open(context, name)
    sidebar = Sidebar.open(notebook.page)
    notebook.run(1, wait=False)
    running = sidebar.panel.locator('[data-turn][data-state="running"]')
    expect(running).to_have_count(1, timeout=WAIT_MS)
    sidebar = reload(notebook.page, front_end)
    sidebar.wait_ready(re.compile("running", re.I))
    expect(running).to_contain_text("run cell one")
    expect(running.locator(".vk-task")).to_have_attribute("data-state", "running")
    running.get_by_role("button", name=re.compile("cancel", re.I)).first.click()
    ended = sidebar.panel.locator('[data-turn][data-state="cancelled"]')
    expect(ended).to_have_count(1, timeout=WAIT_MS)


def test_a_page_reloaded_while_a_cell_runs_inside_of_another_shows_its_output_to_the_end(
    context: BrowserContext, front_end: FrontEnd, root: Path, name: str
) -> None:
    gate = root / f"{name}.gate"
    os.mkfifo(gate)
    code = (
        f"print('before')\ndisplay('shown')\nopen({str(gate)!r}).read()\nprint('after')\n40 + 2",
        "%voice run cell one",
    )
    write_cells(root / name, [nbformat.v4.new_code_cell(source) for source in code])
    notebook = front_end.open(context, name)
    Sidebar.open(notebook.page)
    notebook.run(1, wait=False)
    with gate.open("wb") as opened:  # waits until the cell reads
        sidebar = reload(notebook.page, front_end)
        sidebar.wait_ready(re.compile("running", re.I))
        first = notebook.page.locator(".jp-Cell").first
        expect(first.locator(".jp-OutputArea")).to_contain_text("before", timeout=WAIT_MS)
        expect(first.locator(".jp-InputPrompt")).to_have_text("[*]:")
        opened.write(b"go")
    expect(sidebar.turns.last).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(first.locator(".jp-OutputArea")).to_contain_text("42", timeout=WAIT_MS)
    expect(first.locator(".jp-InputPrompt")).not_to_have_text("[*]:")
    assert outputs_text(notebook, 0) == "before\n'shown'after\n42"


def test_two_tabs_on_one_notebook_show_one_session_and_act_where_they_are_asked(
    notebook: Notebook, context: BrowserContext, front_end: FrontEnd, name: str
) -> None:
    sidebar = Sidebar.open(notebook.page)
    other = Sidebar.open(front_end.open(context, name).page)
    other.say("delete cell one")
    assert "first" not in other.ids()
    assert "first" in sidebar.ids()
    expect(sidebar.turns).to_have_count(1, timeout=WAIT_MS)
    sidebar.say("delete cell two")
    assert "second" not in sidebar.ids()
    assert "second" in other.ids()
    # One goes, and the other goes on.
    other.page.close()
    sidebar.say("undo")
    assert "second" in sidebar.ids()


def test_undo_works_after_a_reload(notebook: Notebook, front_end: FrontEnd) -> None:
    sidebar = Sidebar.open(notebook.page)
    before = sidebar.cells()
    sidebar.say("delete cells one to two")
    notebook.save()
    notebook.page.wait_for_function(UNDO_KEPT, polling=200)
    sidebar = reload(notebook.page, front_end)
    sidebar.wait_ready()
    notebook.wait_idle()
    assert sidebar.ids() == ["third", "fourth"]
    sidebar.say("undo")
    assert sidebar.cells() == before


def test_the_shortcut_listens_while_it_is_held_and_the_cells_have_numbers_meanwhile(
    notebook: Notebook,
) -> None:
    page = notebook.page
    page.context.grant_permissions(["microphone"])
    sidebar = Sidebar.open(page)
    status = sidebar.panel.locator(".vk-status")
    expect(status).to_have_attribute("data-status", "Ready", timeout=WAIT_MS)
    page.locator(".jp-Cell").first.click()
    for key in ("Control", "Shift", "Space"):
        page.keyboard.down(key)
    expect(status).to_have_attribute("data-status", "Listening", timeout=WAIT_MS)
    page.wait_for_selector(".vk-numbered")
    page.keyboard.press("Escape")
    for key in ("Space", "Shift", "Control"):
        page.keyboard.up(key)
    expect(status).not_to_have_attribute("data-status", "Listening", timeout=WAIT_MS)
    page.wait_for_selector(".vk-numbered", state="detached")
