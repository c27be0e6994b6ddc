"""The official conformance suite's scenarios for clients, against what a session uses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = "@modelcontextprotocol/conformance@0.1.16"
CLIENT = Path(__file__).parents[1] / "mcp_conformance.py"
OLDER_NODE = Path(__file__).parents[1] / "data" / "mcp" / "older_node.mjs"

PASS = (
    "initialize",
    "tools_call",
    "elicitation-sep1034-client-defaults",
    "sse-retry",
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/scope-from-www-authenticate",
    "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none",
    "auth/pre-registration",
    "auth/2025-03-26-oauth-endpoint-fallback",
    "auth/resource-mismatch",
    "auth/offline-access-scope",
    "auth/offline-access-not-supported",
)
"""Those that apply."""

DOES_NOT_APPLY = {
    "auth/basic-cimd": "an identity that is the address of a public page, which this program has not",
    "auth/2025-03-26-oauth-metadata-backcompat": (
        "an issuer that is not the one asked for, as in 2025-03-26: refused, see RFC 8414"
    ),
    "auth/client-credentials-jwt": "an extension for services that sign in without a person",
    "auth/client-credentials-basic": "an extension for services that sign in without a person",
    "auth/cross-app-access-complete-flow": "an extension for companies' identity providers",
}
"""The others of this version of the suite, each with its reason."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Fetch the suite once; returns its command."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no Node.js here")
    folder = tmp_path_factory.mktemp("suite")
    command = [npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--prefix", str(folder), SUITE]
    subprocess.run(command, check=True, timeout=600)
    program = folder / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    return ["node", "--import", OLDER_NODE.as_uri(), str(program)]


def run(command: list[str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.online
def test_every_scenario_for_clients_is_accounted_for(suite: list[str]) -> None:
    listed = re.findall(r"^  - (\S+)", run(suite, "list", "--client").stdout, re.MULTILINE)
    assert sorted(listed) == sorted([*PASS, *DOES_NOT_APPLY])


@pytest.mark.online
@pytest.mark.parametrize("scenario", PASS)
def test_a_scenario_of_the_conformance_suite_passes(
    suite: list[str], scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    done = run(
        suite,
        "client",
        "--command",
        f"{sys.executable} {CLIENT}",
        "--scenario",
        scenario,
        "-o",
        str(tmp_path),
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
