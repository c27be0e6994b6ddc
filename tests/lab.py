"""A real JupyterLab and a real Chromium for the browser tests, the demo and the benchmarks.

Every server gets folders of its own for configuration, data and IPython, so that nothing of the person who
runs the tests is read or changed.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

START_S = 300
"""A server, a browser, or JupyterLab in it; each takes long where a machine has other things to do."""
WAIT_MS = 120_000
"""What is waited for comes; nothing is gained by giving up on it earlier."""
PORTS = range(20_000, 32_768)
"""Below those that systems give to connections, and to whoever asks for any port."""

expect.set_options(timeout=WAIT_MS)

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NOTEBOOK = (
    """[...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext && w.content?.widgets)"""
)
"""JavaScript for the open notebook's widget."""


def microphone(clip: Path, *, loop: bool = False) -> list[str]:
    """Return the Chromium options that make a WAV file the microphone."""
    once = "" if loop else "%noloop"
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={clip}{once}",
        "--autoplay-policy=no-user-gesture-required",
    ]


def isolated(folder: Path) -> dict[str, str]:
    """Return an environment whose Jupyter, IPython and configuration files are all below `folder`."""
    (folder / "ipython").mkdir(parents=True, exist_ok=True)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", "VOICE_KERNEL_", "OPENAI", "ALLOW_")) and name != "MODEL"
    }
    environment.update(
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        JUPYTER_DATA_DIR=str(folder / "data"),
        JUPYTER_RUNTIME_DIR=str(folder / "runtime"),
        JUPYTERLAB_SETTINGS_DIR=str(folder / "settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(folder / "workspaces"),
        IPYTHONDIR=str(folder / "ipython"),
        XDG_CONFIG_HOME=str(folder / "xdg"),
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    )
    return environment


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells; a cell that starts with `#md ` is Markdown."""
    notebook = nbformat.v4.new_notebook()
    for source in cells:
        if source.startswith("#md "):
            notebook.cells.append(nbformat.v4.new_markdown_cell(source[4:]))
        else:
            notebook.cells.append(nbformat.v4.new_code_cell(source))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def jupyter_execute(path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a notebook file in its folder with `jupyter execute`, and write its outputs into it."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", "--inplace", "--timeout=600", path.name],
        cwd=path.parent, env=isolated(path.parent / "jupyter") | variables,
        capture_output=True, text=True, timeout=1_200,
    )  # fmt: skip


def executed(path: Path, **variables: str) -> nbformat.NotebookNode:
    """Run a notebook file, which must succeed; returns it as it is then."""
    done = jupyter_execute(path, **variables)
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that the system gives to nobody."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("every port is taken")


@contextlib.contextmanager
def lab_server(
    root: Path, folder: Path, app: str = "lab", options: Sequence[str] = (), prefix: str = ""
) -> Iterator[str]:
    """Run JupyterLab on loopback over the notebooks in `root`; yields its base URL.

    `prefix` is the path below which a hub would serve it, e.g. `/user/ada`.
    """
    port = free_port()
    quiet = folder / "settings" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True, exist_ok=True)
    # No question about news over the page that is tested.
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    expose = "LabApp" if app == "lab" else "JupyterNotebookApp"
    command = [
        sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        "--ServerApp.password=", f"--ServerApp.root_dir={root}", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--{expose}.expose_app_in_browser=True", f"--ServerApp.base_url={prefix}/", *options,
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=isolated(folder), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    base = f"http://127.0.0.1:{port}{prefix}"
    try:
        _wait_for(base + "/api/status", server, folder / "server.log")
        yield base
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import time

    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=30).read()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)  # a server that starts gives no event to wait for
        else:
            return
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")


@contextlib.contextmanager
def chromium(options: Sequence[str] = ()) -> Iterator[Browser]:
    """Run Debian's Chromium headless."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*CHROMIUM, *options], timeout=START_S * 1000
        )
        try:
            yield browser
        finally:
            browser.close()


def shut_down(context: BrowserContext) -> None:
    """End the kernels of all notebooks that are open in a browser, and close it."""
    for page in context.pages:
        page.evaluate(
            """async () => {
              for (const widget of window.jupyterapp?.shell.widgets('main') ?? [])
                await widget.sessionContext?.shutdown();
            }"""
        )
    context.close()


def type_command(panel: Locator, text: str) -> None:
    """Type a command and send it, once the panel is connected: until then Enter leaves it where it is."""
    box = panel.locator(".vk-text")
    box.fill(text)
    expect(panel.locator(".vk-send")).to_have_attribute("aria-disabled", "false")
    box.press("Enter")


@dataclass
class Notebook:
    """An open notebook in a page of JupyterLab or Notebook 7."""

    page: Page

    @classmethod
    def open(cls, context: BrowserContext, base: str, name: str, app: str = "lab") -> Notebook:
        """Open a notebook and wait until its kernel is idle."""
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.set_default_navigation_timeout(START_S * 1000)
        page.goto(f"{base}/lab/tree/{name}?reset" if app == "lab" else f"{base}/notebooks/{name}")
        notebook = cls(page)
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=START_S * 1000)
        notebook.wait_idle(START_S)
        return notebook

    def wait_idle(self, timeout_s: float = WAIT_MS / 1000) -> None:
        """Wait until the kernel is idle."""
        self.page.wait_for_function(
            f"() => window.jupyterapp && ({NOTEBOOK})?.sessionContext.session?.kernel?.status === 'idle'",
            timeout=timeout_s * 1000,
        )

    def run(self, index: int, *, wait: bool = True, timeout_s: float = WAIT_MS / 1000) -> None:
        """Run one cell; with `wait`, until it has an execution count and the kernel is idle again."""
        before = self.count(index)
        self.page.evaluate(
            f"""(i) => {{
              const w = {NOTEBOOK};
              window.jupyterapp.shell.activateById(w.id);
              w.content.deselectAll(); w.content.activeCellIndex = i;
              void window.jupyterapp.commands.execute('notebook:run-cell');
            }}""",
            index,
        )
        if wait:
            self.page.wait_for_function(
                f"""([i, before]) => {{
                  const w = {NOTEBOOK}; const c = w.content.widgets[i].model;
                  return c.executionCount && c.executionCount !== before && c.executionState !== 'running'
                    && w.sessionContext.session.kernel.status === 'idle';
                }}""",
                arg=[index, before],
                timeout=timeout_s * 1000,
            )

    def count(self, index: int) -> int | None:
        """Return a cell's execution count."""
        value: int | None = self.page.evaluate(
            f"(i) => ({NOTEBOOK}).content.widgets[i].model.executionCount ?? null", index
        )
        return value

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return a cell's outputs."""
        found: list[dict[str, Any]] = self.page.evaluate(
            f"(i) => ({NOTEBOOK}).content.widgets[i].model.outputs.toJSON()", index
        )
        return found

    def execute(self, code: str) -> str:
        """Run code in the kernel outside any cell; returns what it printed."""
        said: str = self.page.evaluate(
            f"""async code => {{
              const future = ({NOTEBOOK}).sessionContext.session.kernel.requestExecute(
                {{ code, store_history: false }});
              let said = '';
              future.onIOPub = m => {{ if (m.header.msg_type === 'stream') said += m.content.text; }};
              await future.done;
              return said;
            }}""",
            code,
        )
        return said

    def say(self, text: str) -> Locator:
        """Type a command into the panel; returns its turn."""
        panel = self.page.locator(".vk-panel").first
        before = panel.locator(".vk-turn").count()
        type_command(panel, text)
        expect(panel.locator(".vk-turn")).to_have_count(before + 1, timeout=WAIT_MS)
        return panel.locator(".vk-turn").last

    def interrupt(self) -> None:
        """Press the interrupt button."""
        self.page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.session.kernel.interrupt(); }}")

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate(f"async () => {{ await ({NOTEBOOK}).context.save(); }}")

    def shut_down(self) -> None:
        """End all kernels of the server."""
        self.page.evaluate("async () => { await window.jupyterapp.serviceManager.sessions.shutdownAll(); }")
