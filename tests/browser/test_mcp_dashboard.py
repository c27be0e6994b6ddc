"""The dashboard of MCP servers in JupyterLab, with a real server behind a real registry."""

from __future__ import annotations

import json
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import NOTEBOOK, Notebook, lab_server
from mcp_registry import registry
from panel_page import AXE, PanelPage, Theme
from panel_scenes import first_run
from playwright.sync_api import Browser, Locator, Page, expect
from sidebar_page import WAIT_MS, FrontEnd, Sidebar, write_cells

from voice_kernel.messages import McpServer, McpTool, Problem, ServersChanged

SHOTS = Path(__file__).parents[2] / "out" / "mcp"
SERVER = Path(__file__).parents[1] / "mcp_server.py"
ENTRY = {
    "name": "io.github.ada/helper",
    "description": "Helps with this and that, as a test of what helpers do.",
    "version": "1.2.3",
    "repository": {"url": "https://github.com/ada/helper", "source": "github"},
    "packages": [
        {
            "registryType": "oci",
            "identifier": "ghcr.io/ada/helper:1.2.3",
            "transport": {"type": "stdio"},
            "environmentVariables": [
                {"name": "TOKEN", "description": "Its token", "isRequired": True, "isSecret": True}
            ],
        }
    ],
}
OTHER = {
    "name": "io.github.grace/helpers",
    "description": "Many helpers, from afar.",
    "version": "0.3.0",
    "remotes": [{"type": "streamable-http", "url": "https://helpers.example.com/mcp"}],
}
AXE_RUN = """() => axe.run({ include: [['.vk-sidebar']] }, { resultTypes: ['violations'] }).then(report =>
  report.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}`)))"""


@pytest.fixture(scope="module")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Jupyter server keeps its settings and its data."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def data(server_folder: Path) -> Path:
    """Where voice_kernel keeps its data."""
    return server_folder / "data" / "voice_kernel"


@pytest.fixture(scope="module")
def notebook(
    browser: Browser, server_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Notebook]:
    """A notebook whose registry has a server that runs on this machine, whatever `docker` is elsewhere."""
    root = tmp_path_factory.mktemp("notebooks")
    programs = tmp_path_factory.mktemp("programs")
    docker = programs / "docker"
    docker.write_text(f"#!/bin/sh\nexec {sys.executable} {SERVER}\n")
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    write_cells(root / "page.ipynb", [])
    SHOTS.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, registry([ENTRY, OTHER]) as url:
        patch.setenv("PATH", str(programs), prepend=":")
        patch.setenv("MCP_REGISTRY_URL", url)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        with lab_server(root, server_folder) as base:
            context = browser.new_context(viewport={"width": 1300, "height": 1000}, reduced_motion="reduce")
            opened = FrontEnd("lab", base).open(context, "page.ipynb")
            opened.page.evaluate(AXE.read_text(encoding="utf-8"))
            yield opened
            opened.shut_down()
            context.close()


def looked_at(page: Page, name: str) -> None:
    """Have axe look at the panel in both themes, and leave pictures."""
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
        )
        page.wait_for_selector(f'body[data-jp-theme-name="{theme}"]', state="attached", timeout=WAIT_MS)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.locator(".vk-sidebar").screenshot(path=SHOTS / f"{name}-{theme.split()[1].lower()}.png")
        assert page.evaluate(AXE_RUN) == [], name


def approve(sidebar: Sidebar, tool: str) -> None:
    button = sidebar.panel.get_by_role("button", name=f"Approve {tool}")
    expect(button).to_have_attribute("aria-disabled", "false", timeout=WAIT_MS)
    button.click()


def state(sheet: Locator, name: str) -> None:
    expect(sheet.locator(".vk-sheet-head .vk-server-state")).to_have_attribute(
        "data-state", name, timeout=WAIT_MS
    )


def test_a_server_is_found_installed_used_looked_after_and_removed(notebook: Notebook, data: Path) -> None:
    page: Page = notebook.page
    page.evaluate("() => { document.querySelector('#jp-right-stack').style.minWidth = '460px'; }")
    sidebar = Sidebar.open(page)
    sheet = sidebar.panel.locator(".vk-sheet")

    # Found by keys alone, and looked at before it is installed.
    servers = sidebar.panel.get_by_role("button", name="MCP servers")
    servers.focus()
    page.keyboard.press("Enter")
    expect(sheet.get_by_text("No MCP server is here yet.")).to_be_visible(timeout=WAIT_MS)
    find = sheet.get_by_role("button", name="Find and install")
    expect(find).to_be_focused()
    looked_at(page, "empty")
    find.press("Enter")  # JupyterLab may have taken the focus while it changed the theme
    expect(sheet.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("helper")
    offers = sheet.locator(".vk-offer")
    expect(offers).to_have_count(2, timeout=WAIT_MS)
    page.keyboard.press("Tab")  # past the button that empties the search
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(offers.first).to_contain_text("runs docker run -i --rm -e TOKEN ghcr.io/ada/helper:1.2.3")
    expect(offers.first).to_contain_text("published by io.github.ada")
    expect(offers.first).to_contain_text("It will need TOKEN")
    looked_at(page, "registry")

    # A no is a no; then a yes.
    offers.first.get_by_role("button", name="Install helper").click()
    sidebar.panel.get_by_role("button", name="Deny mcp_add").click(timeout=WAIT_MS)
    expect(offers.first).to_contain_text("You said no", timeout=WAIT_MS)
    offers.first.get_by_role("button", name="Install helper").click()
    expect(sidebar.card).to_contain_text("gets the secrets TOKEN", timeout=WAIT_MS)
    looked_at(page, "consent")
    approve(sidebar, "mcp_add")

    # Its secret is typed into a field of its own, and is nowhere afterwards.
    secret = sheet.get_by_label(re.compile("TOKEN"))
    expect(secret.first).to_have_attribute("type", "password", timeout=WAIT_MS)
    state(sheet, "stopped")
    looked_at(page, "secret")
    secret.first.fill("hunter22")
    page.keyboard.press("Enter")
    expect(sheet.get_by_text("is set")).to_be_visible(timeout=WAIT_MS)
    expect(secret.first).to_have_value("")

    # It runs; one of its tools is switched off.
    sheet.get_by_role("button", name="Start", exact=True).click()
    state(sheet, "running")
    echo = sheet.locator('[data-tool="echo"]').get_by_role("switch")
    expect(echo).to_be_checked(timeout=WAIT_MS)
    echo.uncheck()
    file = data / "mcp.json"
    expect(sheet.locator('[data-tool="echo"]').get_by_role("switch")).not_to_be_checked()
    expect(sheet.get_by_role("heading", name=re.compile("Prompts"))).to_be_visible(timeout=WAIT_MS)
    looked_at(page, "running")
    sidebar.say("use the helper server to echo with text hello", outcome="failed")
    assert json.loads(file.read_text())["mcpServers"]["helper"]["voice_kernel"]["off"] == ["echo"]
    sidebar.say("use the helper server to add a 2 and b 3")

    # While a tool of it runs it asks for something.
    turn = sidebar.send("use the helper server to book")
    form = sidebar.panel.locator(".vk-form-card")
    expect(form).to_contain_text("The MCP server helper asks", timeout=WAIT_MS)
    form.get_by_label("When").fill("seven")
    form.get_by_label(re.compile("Guests")).fill("4")
    looked_at(page, "form")
    form.get_by_role("button", name="Send").click()
    expect(sidebar.ended(turn)).to_contain_text("accept: 4 at seven")

    # Stopped, started again, its log searched.
    process = sheet.locator(".vk-facts div", has_text="Process")
    first = process.text_content() or ""
    sheet.get_by_role("button", name="Restart").click()
    expect(process).not_to_have_text(first, timeout=WAIT_MS)
    expect(sheet.get_by_role("button", name="Restart")).to_have_attribute(
        "aria-disabled", "false", timeout=WAIT_MS
    )
    state(sheet, "running")
    expect(process).to_be_visible(timeout=WAIT_MS)
    assert process.text_content() != first
    sheet.get_by_role("button", name="Stop").click()
    state(sheet, "stopped")
    sheet.get_by_role("button", name="Log").click()
    expect(sheet).to_contain_text("hello from the server", timeout=WAIT_MS)
    sheet.get_by_role("searchbox").fill("from the server")
    expect(sheet.locator(".vk-log-hits")).to_contain_text("1 of 2", timeout=WAIT_MS)
    looked_at(page, "log")
    sheet.get_by_role("searchbox").press("Escape")  # empties the search
    page.keyboard.press("Escape")
    expect(sheet.get_by_role("button", name="Start", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet.locator('[data-server="helper"]')).to_contain_text("stopped")
    looked_at(page, "list")

    # Nothing of the secret is in the page, the notebook or the history.
    sidebar.page.keyboard.press("Escape")
    assert "hunter22" not in page.content()
    text = page.evaluate(f"() => JSON.stringify(({NOTEBOOK}).content.model.toJSON())")
    assert "hunter22" not in text
    folder = file.parent
    kept = [path for path in folder.rglob("*") if path.is_file() and b"hunter22" in path.read_bytes()]
    assert [path.name for path in kept] == ["secrets.json"]

    servers.click()
    sheet.locator('[data-server="helper"]').get_by_role("button").click()
    sheet.get_by_role("button", name="Remove…").click()
    sheet.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    approve(sidebar, "mcp_remove")
    expect(sheet.get_by_text("No MCP server is here yet.")).to_be_visible(timeout=WAIT_MS)
    assert json.loads((folder / "secrets.json").read_text()) == {}


def test_servers_of_another_client_are_taken_over(notebook: Notebook, data: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "mcp.json"
    theirs.write_text(
        '{ // VS Code\n "servers": {"files": {"command": "python", "args": ["--api-key", "k-12345",],}},}'
    )
    sidebar = Sidebar.open(notebook.page)
    sheet = sidebar.panel.locator(".vk-sheet")
    if sheet.count() == 0:
        sidebar.panel.get_by_role("button", name="MCP servers").click()
    sheet.get_by_role("button", name="Import").first.click()
    sheet.get_by_label("Configuration of another client").fill(str(theirs))
    notebook.page.keyboard.press("Enter")
    expect(sidebar.card).to_contain_text("--api-key", timeout=WAIT_MS)
    assert "k-12345" not in sidebar.panel.inner_text()
    approve(sidebar, "mcp_add")
    expect(sheet.locator('[data-server="files"]')).to_be_visible(timeout=WAIT_MS)
    expect(sheet.get_by_text("Added 1 of 1 servers.")).to_be_visible(timeout=WAIT_MS)
    looked_at(notebook.page, "import")
    secrets = json.loads((data / "secrets.json").read_text())
    assert secrets == {"files/API_KEY": "k-12345"}


STATES = ("running", "stopped", "asleep", "starting", "waiting", "failed")
ANSWERS = """message => {
  const answers = {
    read_server: { type: 'server_details', tools: TOOLS, prompts: [], resources: [], problem: null },
    search_registry: { type: 'offers', offers: [], problem: PROBLEM },
    keep_secret: { type: 'done', problem: PROBLEM },
  };
  const answer = answers[message.type];
  if (answer) window.deliver({ ...answer, id: message.id });
}"""


@pytest.mark.parametrize(("theme", "width"), [("light", 250), ("dark", 640), ("none", 320)])
def test_every_state_of_a_server_is_shown_in_the_widget_too(
    browser: Browser, theme: Theme, width: int
) -> None:
    problem = Problem(kind="WebError", message="The registry did not answer.", hint="Is there a network?")
    servers = [
        McpServer(
            name=f"server-{at}",
            state=one,
            what="uvx a-very-long-name-of-a-package==2026.10.19 --with options --and more",
            problem="it ended with exit status 3" if one == "failed" else "",
            started_at=1.0 if one == "running" else None,
            secrets=["API_KEY"] if at else [],
            missing=["API_KEY"] if one == "stopped" else [],
            sign_in="https://example.com/authorize" if one == "starting" else "",
            tools=120,
            tools_off=3,
            calls=40,
            errors=2,
        )
        for at, one in enumerate(STATES)
    ]
    tools = [
        McpTool(name=f"tool_{at}", description="Does this. " * at, arguments=["a", "[b]"], on=at % 3 > 0)
        for at in range(20)
    ]
    page = browser.new_page(viewport={"width": 900, "height": 900})
    panel = PanelPage(page, theme=theme, width=width)
    script = ANSWERS.replace("TOOLS", json.dumps([one.model_dump() for one in tools]))
    panel.answer(script.replace("PROBLEM", problem.model_dump_json()))
    panel.deliver(*first_run())
    page.get_by_role("button", name="MCP servers").click()
    assert panel.wait_sent("watch_servers") == {"type": "watch_servers", "on": True}
    panel.deliver(ServersChanged(servers=servers, registry="https://registry.example.com"))
    expect(page.locator(".vk-server")).to_have_count(len(STATES))
    assert panel.violations() == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"widget-{theme}-{width}.png")
    for at in (0, 1, 3, 5):
        page.locator(f'[data-server="server-{at}"] button').click()
        expect(page.locator("[data-tool]")).to_have_count(20)
        assert panel.violations() == []
        assert page.locator("#host").evaluate("host => host.scrollWidth <= host.clientWidth")
        page.screenshot(path=SHOTS / f"widget-{theme}-{width}-{STATES[at]}.png")
        page.keyboard.press("Escape")
    page.locator('[data-server="server-1"] button').click()
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_have_attribute("aria-disabled", "true")  # its secret is missing
    page.get_by_label(re.compile("API_KEY")).first.fill("hunter22")
    page.get_by_role("button", name="Keep API_KEY").click()
    expect(page.get_by_text("The registry did not answer.")).to_be_visible()
    assert panel.sent("keep_secret")[-1]["value"] == "hunter22"
    page.keyboard.press("Escape")
    page.locator('[data-server="server-0"] button').click()
    page.locator('[data-tool="tool_1"]').get_by_role("switch").uncheck()
    assert panel.wait_sent("do")["calls"] == [
        {"tool": "mcp_toggle_tool", "arguments": {"name": "server-0", "tool": "tool_1", "on": False}}
    ]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Find and install").click()
    page.get_by_role("searchbox").fill("clock")
    expect(page.get_by_text("The registry did not answer.")).to_be_visible()
    page.keyboard.press("Escape")  # empties the search
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator(".vk-server")).to_have_count(len(STATES))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_function(
        "() => window.sent.filter(message => message.type === 'watch_servers').at(-1).on === false"
    )
    page.close()
