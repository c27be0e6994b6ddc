"""The sidebar in a real JupyterLab and a real Notebook 7: opening, staying connected, acting on cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import NOTEBOOK, Notebook, chromium, lab_server
from playwright.sync_api import Browser, BrowserContext, Page, expect

WAIT_MS = 60_000
AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
READY = re.compile("ready|loading", re.I)
ENDED = re.compile("succeeded|failed|cancelled|nothing")


def source_cells() -> list[Any]:
    """Cells with everything that an action must not lose: ids, tags, attachments, outputs, counts."""
    new = nbformat.v4
    first = new.new_code_cell("x = 1\nprint(x)", id="first", metadata={"tags": ["keep"]})
    first.execution_count = 3
    first.outputs = [new.new_output("stream", name="stdout", text="before\n")]
    second = new.new_markdown_cell("# Two ![](attachment:i.png)", id="second")
    second.attachments = {"i.png": {"image/png": "aGVsbG8="}}
    third = new.new_code_cell("x + 41", id="third")
    fourth = new.new_code_cell("1 / 0", id="fourth")
    fifth = new.new_raw_cell("raw", id="fifth", metadata={"format": "text/plain"})
    return [first, second, third, fourth, fifth]


def write(path: Path, cells: list[Any], kernel: str = "python3") -> None:
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("lab")
    install_bare_kernel(folder / "data" / "kernels" / "bare")
    with lab_server(root, folder) as base:
        yield base


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]) as opened:
        yield opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    yield opened
    for page in opened.pages:
        page.evaluate(
            """async () => {
              for (const widget of window.jupyterapp?.shell.widgets('main') ?? [])
                await widget.sessionContext?.shutdown();
            }"""
        )
    opened.close()


@pytest.fixture(scope="module")
def open_notebook(browser: Browser, lab: str, root: Path) -> Iterator[Notebook]:
    """One notebook with an open panel, for all tests that only act on its cells."""
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    write(root / "desk.ipynb", source_cells())
    notebook = Notebook.open(opened, lab, "desk.ipynb")
    open_sidebar(notebook.page)
    yield notebook
    notebook.shut_down()
    opened.close()


@pytest.fixture
def desk(open_notebook: Notebook) -> Notebook:
    """That notebook, with the cells of `source_cells`."""
    put(open_notebook.page, source_cells())
    return open_notebook


@pytest.fixture
def notebook(context: BrowserContext, lab: str, root: Path, request: pytest.FixtureRequest) -> Notebook:
    name = f"{request.node.name.split('[')[0]}.ipynb"
    write(root / name, source_cells())
    return Notebook.open(context, lab, name)


def install_bare_kernel(folder: Path) -> None:
    """A Python kernel where voice_kernel cannot be imported."""
    import sys

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


# ---- what a person does and sees --------------------------------------------------------------------


def sidebar(page: Page) -> Any:
    return page.locator(".vk-sidebar")


def open_sidebar(page: Page) -> None:
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
    wait_connected(page)


def panel(page: Page) -> Any:
    return sidebar(page).locator(".vk-sidebar-panel:not([hidden])")


def wait_connected(page: Page, status: re.Pattern[str] = READY) -> None:
    expect(panel(page).locator(".vk-status")).to_have_attribute("data-status", status, timeout=WAIT_MS)


def say(page: Page, text: str, outcome: str = "succeeded") -> Any:
    """Type a command and wait for what became of it; returns the card of the turn."""
    turns = panel(page).locator(".vk-turns > li")
    before = turns.count()
    box = panel(page).get_by_role("textbox")
    box.fill(text)
    box.press("Enter")
    expect(turns).to_have_count(before + 1, timeout=WAIT_MS)
    turn = turns.nth(before)
    article = turn.locator("[data-turn]")
    expect(article).to_have_attribute("data-state", ENDED, timeout=WAIT_MS)
    assert article.get_attribute("data-state") == outcome, turn.inner_text()
    return turn


def cells(page: Page) -> list[dict[str, Any]]:
    """The notebook's cells as they would be saved."""
    found: list[dict[str, Any]] = page.evaluate(f"() => ({NOTEBOOK}).content.model.toJSON().cells")
    for cell in found:
        cell["metadata"].pop("trusted", None)  # never saved: JupyterLab's own memory of this page
    return found


def put(page: Page, wanted: list[Any]) -> None:
    """Give the notebook other cells."""
    content = nbformat.v4.new_notebook(cells=wanted)
    page.evaluate(
        f"(content) => {{ const n = ({NOTEBOOK}).content; n.model.sharedModel.fromJSON(content);"
        " n.activeCellIndex = 0; }",
        json.loads(nbformat.writes(content)),
    )
    expect(page.locator(".jp-Cell").first).to_be_visible()


def ids(page: Page) -> list[str]:
    return [cell["id"] for cell in cells(page)]


def texts(cell: dict[str, Any]) -> str:
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") or output.get("ename", "")
        for output in cell.get("outputs", [])
    )


def wait_until_run(page: Page, index: int) -> None:
    page.wait_for_function(
        f"""(i) => {{
          const {{ executionCount, executionState }} = ({NOTEBOOK}).content.widgets[i].model;
          return executionCount && executionState === 'idle';
        }}""",
        arg=index,
        timeout=WAIT_MS,
    )


def announced(page: Page) -> str:
    return str(page.locator(".vk-announcer").text_content())


# ---- connecting -------------------------------------------------------------------------------------


def test_nothing_is_loaded_or_connected_before_a_person_opens_the_panel(notebook: Notebook) -> None:
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
    expect(page.locator(".vk-status-item")).to_contain_text("Voice off")
    assert notebook.execute("import sys; print('voice_kernel' in sys.modules)") == "False\n"
    assert "comm_open" not in page.evaluate("() => window.seen")
    open_sidebar(page)
    assert "comm_open" in page.evaluate("() => window.seen")
    expect(page.locator(".vk-status-item")).not_to_contain_text("Voice off")


def test_the_namespace_and_the_history_of_the_kernel_stay_as_they_were(notebook: Notebook) -> None:
    open_sidebar(notebook.page)
    assert notebook.execute("print([n for n in dir() if 'voice' in n or n == 'shell'], len(In))") == "[] 1\n"


def test_the_panel_is_usable_half_a_second_after_it_opens(notebook: Notebook) -> None:
    page = notebook.page
    waited_ms = page.evaluate(
        """async () => {
          const start = performance.now();
          void window.jupyterapp.commands.execute('voice-kernel:open');
          const usable = () => /ready|loading/i.test(
            document.querySelector('.vk-sidebar-panel .vk-status')?.dataset.status ?? '');
          while (!usable()) await new Promise(requestAnimationFrame);
          return performance.now() - start;
        }"""
    )
    print(f"sidebar usable after {waited_ms:.0f} ms")
    assert waited_ms < 2_000  # 500 ms alone on the machine; the bench says the figure


def test_a_notebook_without_voice_kernel_is_told_how_to_install_it(
    context: BrowserContext, lab: str, root: Path
) -> None:
    write(root / "bare.ipynb", source_cells(), kernel="bare")
    page = Notebook.open(context, lab, "bare.ipynb").page
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
    expect(sidebar(page)).to_contain_text("not installed in this kernel", timeout=WAIT_MS)
    sidebar(page).get_by_role("button", name="Insert that cell").click()
    assert "%pip install voice-kernel" in [cell["source"] for cell in cells(page)]
    sidebar(page).get_by_role("button", name="Try again").click()
    expect(sidebar(page)).to_contain_text("not installed in this kernel", timeout=WAIT_MS)


def test_a_restarted_kernel_is_connected_again(notebook: Notebook) -> None:
    page = notebook.page
    open_sidebar(page)
    say(page, "list variables")
    page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.restartKernel(); }}")
    expect(panel(page).locator(".vk-turns > li")).to_have_count(0, timeout=WAIT_MS)
    wait_connected(page)
    say(page, "list variables")


def test_the_panel_follows_the_notebook_in_front_and_keeps_what_was_typed(
    notebook: Notebook, root: Path
) -> None:
    page = notebook.page
    write(root / "other.ipynb", source_cells()[:1])
    open_sidebar(page)
    say(page, "list variables")
    panel(page).get_by_role("textbox").fill("half a thought")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:open', { path: 'other.ipynb' })")
    expect(panel(page).locator(".vk-first-run")).to_be_visible(timeout=WAIT_MS)
    wait_connected(page)
    first = page.locator(".lm-TabBar-tabLabel", has_text="test_the_panel_follows")
    first.click()
    expect(panel(page).get_by_role("textbox")).to_have_value("half a thought")
    expect(panel(page).locator(".vk-turns > li")).to_have_count(1)


def test_a_renamed_notebook_stays_connected(notebook: Notebook) -> None:
    page = notebook.page
    open_sidebar(page)
    page.evaluate(f"async () => {{ await ({NOTEBOOK}).context.rename('renamed.ipynb'); }}")
    say(page, "run cell one")
    assert texts(cells(page)[0]) == "1\n"


def test_a_page_reloaded_while_the_kernel_is_busy_gets_the_running_task_back(
    context: BrowserContext, lab: str, root: Path
) -> None:
    write(
        root / "busy.ipynb",
        [
            nbformat.v4.new_code_cell("import time\ntime.sleep(300)"),
            nbformat.v4.new_code_cell("%voice run cell one"),
        ],
    )
    notebook = Notebook.open(context, lab, "busy.ipynb")
    page = notebook.page
    open_sidebar(page)
    notebook.run(1, wait=False)
    running = panel(page).locator('[data-turn][data-state="running"]')
    expect(running).to_have_count(1, timeout=WAIT_MS)
    page.goto(page.url.replace("?reset", ""))
    wait_connected(page, re.compile("running", re.I))
    expect(running).to_contain_text("run cell one")
    running.get_by_role("button", name=re.compile("cancel", re.I)).first.click()
    expect(panel(page).locator('[data-turn][data-state="cancelled"]')).to_have_count(1, timeout=WAIT_MS)


def test_two_tabs_on_one_notebook_show_one_session_and_act_where_they_are_asked(
    notebook: Notebook, context: BrowserContext, lab: str
) -> None:
    page = notebook.page
    open_sidebar(page)
    name = page.url.rsplit("/", 1)[1].split("?")[0]
    other = Notebook.open(context, lab, name).page
    open_sidebar(other)
    say(other, "delete cell one")
    assert "first" not in ids(other)
    assert "first" in ids(page)
    expect(panel(page).locator(".vk-turns > li")).to_have_count(1, timeout=WAIT_MS)
    say(page, "delete cell two")
    assert "second" not in ids(page)
    assert "second" in ids(other)


# ---- cells ------------------------------------------------------------------------------------------


ACTIONS = {
    "run cell one": lambda before, after: texts(after[0]) == "1\n" and after[0]["execution_count"] != 3,
    "insert a markdown cell saying hello world": lambda before, after: (
        len(after) == 6 and after[1]["cell_type"] == "markdown" and after[1]["source"] == "hello world"
    ),
    "change cell one to x equals 5": lambda before, after: (
        after[0]["source"] == "x = 5" and after[0]["metadata"] == before[0]["metadata"]
    ),
    "delete cell two": lambda before, after: [cell["id"] for cell in after] == [
        "first", "third", "fourth", "fifth"
    ],
    "delete cells two to four": lambda before, after: [c["id"] for c in after] == ["first", "fifth"],
    "delete all cells": lambda before, after: len(after) == 1 and after[0]["source"] == "",
    "move cell one down": lambda before, after: (
        [cell["id"] for cell in after][:2] == ["second", "first"] and after[1] == before[0]
    ),
    "move cell two up": lambda before, after: after[0] == before[1],
    "change cell one to markdown": lambda before, after: (
        after[0]["cell_type"] == "markdown"
        and after[0]["id"] == "first"
        and after[0]["metadata"]["tags"] == ["keep"]
    ),
    "clear the outputs of cell one": lambda before, after: (
        after[0]["outputs"] == [] and after[0]["execution_count"] is None
    ),
}  # fmt: skip


def test_every_action_does_what_was_said_and_undo_restores_the_notebook_exactly(desk: Notebook) -> None:
    page = desk.page
    page.evaluate(f"() => {{ ({NOTEBOOK}).content.activeCellIndex = 0; }}")
    for text, happened in ACTIONS.items():
        before = cells(page)
        say(page, text)
        after = cells(page)
        assert happened(before, after), f"{text}: {after}"
        say(page, "undo")
        assert cells(page) == before, text
        say(page, "redo")
        assert cells(page) == after, text
        say(page, "undo")
        assert cells(page) == before, text


def test_undo_works_after_a_reload(notebook: Notebook) -> None:
    page = notebook.page
    open_sidebar(page)
    before = cells(page)
    say(page, "delete cells one to three")
    notebook.save()
    page.goto(page.url.replace("?reset", ""))
    wait_connected(page)
    notebook.wait_idle()
    assert ids(page) == ["fourth", "fifth"]
    say(page, "undo")
    assert cells(page) == before


def test_a_snapshot_from_before_the_change_can_be_restored(desk: Notebook) -> None:
    page = desk.page
    before = cells(page)
    say(page, "delete all cells")
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:restore-snapshot')")
    page.locator(".jp-Dialog").get_by_role("button", name="Restore").click()
    expect(page.locator(".jp-Cell")).to_have_count(5)
    assert cells(page) == before


def test_a_cell_that_raises_is_named_with_its_error(desk: Notebook) -> None:
    page = desk.page
    turn = say(page, "run all cells", outcome="failed")
    expect(turn).to_contain_text("ZeroDivisionError")
    expect(turn).to_contain_text(re.compile("cell 4", re.I))
    assert announced(page) == "Cell 4 failed"


def test_the_cell_acted_on_scrolls_into_view_and_is_announced(desk: Notebook) -> None:
    page = desk.page
    put(page, [nbformat.v4.new_code_cell(f"print({i})\n" * 6) for i in range(40)])
    say(page, "go to cell thirty")
    assert announced(page) == "Cell 30"
    expect(page.locator(".jp-Cell.jp-mod-active")).to_be_in_viewport()
    assert page.evaluate(f"() => ({NOTEBOOK}).content.activeCellIndex") == 29


def test_a_cell_run_by_the_magic_streams_into_the_real_cell_while_it_waits(desk: Notebook) -> None:
    page = desk.page
    code = "import time\nfor i in range(3):\n    print('tick', i, flush=True)\n    time.sleep(0.4)\n'done'"
    put(page, [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("%voice run cell one")])
    desk.run(1, wait=False)
    page.wait_for_function(
        f"""() => {{
          const [cell, caller] = ({NOTEBOOK}).content.widgets;
          return JSON.stringify(cell.model.outputs.toJSON()).includes('tick 0')
            && caller.model.executionState === 'running';
        }}""",
        timeout=WAIT_MS,
    )
    assert "tick 2" not in texts(cells(page)[0])
    wait_until_run(page, 1)
    assert texts(cells(page)[0]) == "tick 0\ntick 1\ntick 2\n'done'"
    assert cells(page)[0]["execution_count"] is not None


def test_a_command_of_the_palette_runs_by_its_name(desk: Notebook) -> None:
    page = desk.page
    say(page, "show line numbers")
    expect(page.locator(".jp-Cell .cm-lineNumbers").first).to_be_visible()


def test_the_numbers_beside_the_cells_follow_the_setting_and_the_cells(desk: Notebook) -> None:
    page = desk.page
    number = "el => getComputedStyle(el, '::after').content"
    assert page.locator(".jp-Cell").nth(1).evaluate(number) == "none"
    page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:toggle-badges')")
    page.wait_for_selector(".vk-numbered")
    assert page.locator(".jp-Cell").nth(1).evaluate(number) == '"2"'
    say(page, "delete cell one")
    expect(page.locator(".jp-Cell").first).to_have_attribute("data-vk-position", "1")
    page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:toggle-badges')")
    page.wait_for_selector(".vk-numbered", state="detached")


def test_a_locked_cell_is_not_deleted(desk: Notebook) -> None:
    page = desk.page
    put(page, [nbformat.v4.new_code_cell("mine", id="mine", metadata={"deletable": False}), *source_cells()])
    turn = say(page, "delete cell one", outcome="failed")
    expect(turn).to_contain_text("locked")
    assert ids(page)[0] == "mine"


def test_restart_and_run_all_runs_all_cells_in_the_new_kernel(notebook: Notebook) -> None:
    page = notebook.page
    open_sidebar(page)
    say(page, "delete cell four")
    box = panel(page).get_by_role("textbox")
    box.fill("restart and run all")
    box.press("Enter")
    approve = panel(page).get_by_role("button", name="Approve")
    approve.click(timeout=WAIT_MS)
    page.wait_for_function(
        f"() => ({NOTEBOOK}).content.widgets[2].model.executionCount === 2", timeout=WAIT_MS
    )
    wait_connected(page)
    assert texts(cells(page)[2]) == "42"


def test_the_shortcut_listens_while_it_is_held_and_the_cells_have_numbers_meanwhile(desk: Notebook) -> None:
    page = desk.page
    page.context.grant_permissions(["microphone"])
    expect(panel(page).locator(".vk-status")).to_have_attribute("data-status", "Ready", timeout=WAIT_MS)
    page.locator(".jp-Cell").first.click()
    for key in ("Control", "Shift", "Space"):
        page.keyboard.down(key)
    expect(page.locator(".vk-status-item")).to_have_attribute("data-tone", "listening", timeout=WAIT_MS)
    page.wait_for_selector(".vk-numbered")
    page.keyboard.press("Escape")
    for key in ("Space", "Shift", "Control"):
        page.keyboard.up(key)
    expect(page.locator(".vk-status-item")).not_to_have_attribute("data-tone", "listening", timeout=WAIT_MS)
    page.wait_for_selector(".vk-numbered", state="detached")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_in_the_sidebar_the_numbers_and_the_status_item(desk: Notebook, theme: str) -> None:
    page = desk.page
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    page.wait_for_selector(f'body[data-jp-theme-name="{theme}"]', state="attached")
    say(page, "run all cells", outcome="failed")
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        """async () => (await axe.run(
          { include: [['.vk-sidebar'], ['.vk-status-item'], ['.vk-announcer']] },
          { resultTypes: ['violations'] }
        )).violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])"""
    )
    assert found == []


def test_a_result_leads_to_its_cell(desk: Notebook) -> None:
    page = desk.page
    turn = say(page, "run all cells", outcome="failed")
    turn.get_by_role("link", name="Cell 4").click()
    assert page.evaluate(f"() => ({NOTEBOOK}).content.activeCellIndex") == 3


# ---- Notebook 7 -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook7(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(root, tmp_path_factory.mktemp("notebook7"), app="notebook") as base:
        yield base


def test_the_same_build_works_in_notebook_7(context: BrowserContext, notebook7: str, root: Path) -> None:
    write(root / "seven.ipynb", source_cells())
    page = context.new_page()
    page.goto(f"{notebook7}/notebooks/seven.ipynb")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=WAIT_MS)
    Notebook(page).wait_idle()
    open_sidebar(page)
    before = cells(page)
    for text in ("run cell one", "delete cell two", "move cell one down"):
        say(page, text)
        assert cells(page) != before
        say(page, "undo")
        assert cells(page) == before, text
