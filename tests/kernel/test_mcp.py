"""MCP servers in a real kernel: installed and used by voice, gone with the kernel however it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from mcp_registry import registry
from page import living, until_gone
from real_kernel import TIMEOUT_S, RealKernel

FAULTY = Path(__file__).parents[1] / "mcp_server.py"
COMMAND = [sys.executable, "-c", "from voice_kernel.cli import main; raise SystemExit(main())"]


def environment(url: str = "") -> dict[str, str]:
    """Return an environment whose PATH has what is installed beside Python: uvx."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "MCP_REGISTRY_URL": url}


def run_words(folder: Path, url: str, *said: str) -> subprocess.CompletedProcess[str]:
    """Do what words say in a new notebook, without a browser."""
    notebook = folder / "work.ipynb"
    if not notebook.exists():
        nbformat.write(nbformat.v4.new_notebook(), notebook)
    words = [part for one in said for part in ("--say", one)]
    return subprocess.run(
        [*COMMAND, "run", str(notebook), *words, "--approve", "mcp_add"],
        cwd=folder,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def entries(*names: str) -> list[dict[str, object]]:
    """Return entries of the registry by the last part of their names."""
    known = json.loads((FAULTY.parent / "data" / "mcp" / "servers.json").read_text())
    return [
        entry for entry in known if entry["name"].removeprefix("io.github.modelcontextprotocol/") in names
    ]


@pytest.mark.online
def test_the_time_server_is_installed_and_used_by_voice(tmp_path: Path) -> None:
    with registry(entries("time")) as url:
        done = run_words(
            tmp_path,
            url,
            "install the time server",
            "use time to get the current time in Oslo",
            "list MCP servers",
        )
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    assert "timezone: Europe/Oslo, datetime: 20" in text
    assert "1 MCP server, 1 running" in text
    until_gone("mcp-server-time")


@pytest.mark.online
@pytest.mark.skipif(shutil.which("npx") is None, reason="no Node.js here")
def test_the_everything_server_is_installed_and_used_by_voice(tmp_path: Path) -> None:
    with registry(entries("everything")) as url:
        done = run_words(
            tmp_path, url, "install the everything server", "use everything to echo with message good morning"
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Echo: good morning" in done.stdout


def test_nothing_is_installed_unless_a_person_agrees(tmp_path: Path) -> None:
    with registry(entries("time")) as url:
        done = subprocess.run(
            [*COMMAND, "say", "install the time server"],
            cwd=tmp_path,
            env=environment(url),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 4, done.stdout + done.stderr
    assert not list(Path(os.environ["JUPYTER_DATA_DIR"]).rglob("mcp.json"))


def configured(data: Path, fault: str, mark: str) -> None:
    """Have a server configured as other clients do it."""
    file = data / "voice_kernel" / "mcp.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = {"command": sys.executable, "args": [str(FAULTY), fault, mark]}
    file.write_text(json.dumps({"mcpServers": {"helper": entry}}))


@pytest.mark.parametrize("ending", ["kill", "shut_down"])
def test_a_kernel_leaves_no_server_however_it_ends(new_kernel: RealKernel, ending: str) -> None:
    mark = f"mark-{os.getpid()}-{ending}"
    configured(new_kernel.folder / "data", "stubborn", mark)
    new_kernel.execute("%load_ext voice_kernel").expect_ok()
    new_kernel.execute("%voice start the helper server").expect_ok()
    left = [psutil.Process(pid) for pid in living(mark)]
    below = [child for process in left for child in process.children(recursive=True)]
    assert len(left) >= 2  # the guard and the server
    getattr(new_kernel, ending)()
    _, alive = psutil.wait_procs([*left, *below], timeout=TIMEOUT_S)
    assert alive == []


def test_a_cell_lists_the_servers_and_a_form_is_declined_where_nobody_can_fill_it_in(tmp_path: Path) -> None:
    configured(Path(os.environ["JUPYTER_DATA_DIR"]), "", f"mark-{os.getpid()}-cell")
    notebook = tmp_path / "work.ipynb"
    cells = ["%load_ext voice_kernel", "%voice use the helper server to book", "%voice mcp"]
    nbformat.write(nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells))), notebook)
    done = subprocess.run(
        [*COMMAND, "run", str(notebook)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = [json.dumps(cell.outputs) for cell in nbformat.read(notebook, 4).cells]
    assert "decline" in outputs[1]
    assert "1 MCP server, 1 running" in outputs[2]
    assert "last error" in outputs[2]


def test_servers_marked_so_start_with_the_session(new_kernel: RealKernel) -> None:
    mark = f"mark-{os.getpid()}-autostart"
    configured(new_kernel.folder / "data", "", mark)
    file = new_kernel.folder / "data" / "voice_kernel" / "mcp.json"
    known = json.loads(file.read_text())
    known["mcpServers"]["helper"]["voice_kernel"] = {"autostart": True}
    file.write_text(json.dumps(known))
    new_kernel.execute("%load_ext voice_kernel").expect_ok()
    assert living(mark) == []  # nobody has said anything yet
    new_kernel.execute("%voice list variables").expect_ok()
    new_kernel.until(lambda: bool(living(mark)))


@pytest.mark.online
@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("npx", ["-y", "@modelcontextprotocol/server-everything@2026.8.31"]),
        ("uvx", ["mcp-server-time==2026.10.19"]),
    ],
    ids=["npx", "uvx"],
)
def test_what_npx_and_uvx_start_is_gone_with_a_killed_kernel(
    new_kernel: RealKernel, command: str, args: list[str]
) -> None:
    path = shutil.which(command, path=environment()["PATH"])
    if path is None:
        pytest.skip(f"no {command} here")
    file = new_kernel.folder / "data" / "voice_kernel" / "mcp.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = {"command": path, "args": args}
    file.write_text(json.dumps({"mcpServers": {"helper": entry}}))
    new_kernel.execute("%load_ext voice_kernel").expect_ok()
    new_kernel.execute("%voice start the helper server", timeout_s=600).expect_ok()
    left = psutil.Process(new_kernel.pid).children(recursive=True)
    assert any("vk-guard" in process.name() for process in left)
    assert len(left) >= 3  # the guard, the runner, the server
    new_kernel.kill()
    _, alive = psutil.wait_procs(left, timeout=TIMEOUT_S)
    assert alive == []


def test_the_terminal_has_the_same_servers_and_keeps_secrets_apart(tmp_path: Path) -> None:
    folder = Path(os.environ["JUPYTER_DATA_DIR"]) / "voice_kernel"
    theirs = tmp_path / "claude_desktop_config.json"
    env = {"API_KEY": "hunter22", "REGION": "eu"}
    entry = {"command": sys.executable, "args": [str(FAULTY)], "env": env}
    theirs.write_text(json.dumps({"mcpServers": {"helper": entry}}))

    def mcp(*words: str, given: str = "") -> str:
        done = subprocess.run(
            [*COMMAND, "mcp", *words],
            cwd=tmp_path,
            env=environment() | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
            input=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "gets the secrets API_KEY" in mcp("import", str(theirs), "--yes")
    assert "helper" in mcp("list")
    assert "echo(text)" in mcp("tools", "helper")
    assert "hello from the server" in mcp("log", "helper")
    assert "hunter22" not in (folder / "mcp.json").read_text()
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    mcp("secret", "helper", "OTHER", given="hunter33\n")
    assert json.loads((folder / "secrets.json").read_text())["helper/OTHER"] == "hunter33"
    exported = mcp("export")
    assert json.loads(exported)["mcpServers"]["helper"]["env"] == {
        "REGION": "eu", "API_KEY": "${API_KEY}", "OTHER": "${OTHER}",
    }  # fmt: skip
    mcp("remove", "helper")
    assert json.loads((folder / "secrets.json").read_text()) == {}
    assert "No MCP server is here yet" in mcp("list")
