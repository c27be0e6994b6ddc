"""Servers that run elsewhere: reached by their address, with a header or after a sign-in."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from faulty_servers import LIMIT_S, until
from mcp.types import ToolAnnotations
from mcp_remote import Office, remote_server

from voice_kernel.errors import AddressRefused, ToolError
from voice_kernel.messages import FormField
from voice_kernel.tools.mcp import Secrets, ServerFile, Supervisor, remote
from voice_kernel.tools.mcp.bridge import ServersArguments, spec_of
from voice_kernel.tools.mcp.remote import _fence
from voice_kernel.tools.mcp.running import RunningServer
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.tools.mcp.signin import _to_open, send_back


class Somebody:
    """A person who is there, and whose browser follows the page at once."""

    def __init__(self, here: bool = True) -> None:
        self.here = here
        self.pages: list[str] = []
        self.browsing: set[Any] = set()

    async def somebody(self) -> bool:
        return self.here

    async def fill_in(
        self, task: Any, server: str, message: str, fields: list[FormField]
    ) -> dict[str, Any] | None:
        return None

    def look(self, running: RunningServer) -> None:
        if running.sign_in and running.sign_in not in self.pages:
            self.pages.append(running.sign_in)
            self.browsing.add(asyncio.ensure_future(asyncio.to_thread(self.browse, running.sign_in)))

    def browse(self, page: str) -> None:
        with urllib.request.urlopen(page, timeout=LIMIT_S) as answer:
            assert b"You are signed in" in answer.read()


House = Callable[..., Supervisor]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made: list[Supervisor] = []

    def make(
        server: Server, person: Somebody | None = None, secrets: dict[str, str] | None = None
    ) -> Supervisor:
        kept = Secrets(tmp_path / "secrets.json", use_keyring=False)
        for name, value in (secrets or {}).items():
            kept.put(server.name, name, value)
        supervisor = Supervisor(ServerFile(tmp_path / "mcp.json"), kept, people=person, start_s=LIMIT_S)
        if person is not None:
            supervisor.on_change(person.look)
        supervisor.put(server)
        made.append(supervisor)
        return supervisor

    yield make
    for supervisor in made:
        await supervisor.close()


def at(url: str, kind: Literal["http", "sse"] = "http", **changes: Any) -> Server:
    return Server(name="remote", transport=kind, url=url, **changes)


@pytest.mark.parametrize("kind", ["http", "sse"])
async def test_a_remote_server_is_used_like_any_other(house: House, kind: Literal["http", "sse"]) -> None:
    with remote_server(kind) as url:
        supervisor = house(at(url, kind))
        running = await supervisor.start("remote")
        assert (await running.call("double", {"x": 21})).content[0].text == "42"
        await supervisor.stop("remote")
        assert running.state == "stopped"


@pytest.mark.parametrize("kind", ["http", "sse"])
async def test_a_header_with_a_secret_lets_in(house: House, kind: Literal["http", "sse"]) -> None:
    with remote_server(kind, header=("Authorization", "Bearer hunter22")) as url:
        server = at(url, kind, headers={"Authorization": "Bearer ${KEY}"}, secrets=("KEY",))
        supervisor = house(server, secrets={"KEY": "hunter22"})
        running = await supervisor.start("remote")
        assert (await running.call("double", {"x": 1})).content[0].text == "2"
        await running.stop()
        supervisor.secrets.put("remote", "KEY", "wrong-key")
        with pytest.raises(ToolError) as caught:
            await running.start()
        assert "wrong-key" not in f"{caught.value}{list(running.log)}"


@contextmanager
def redirecting(to: str) -> Iterator[str]:
    """Send everybody on to another address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(307)
            self.send_header("location", to)
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_DELETE = do_POST  # noqa: N815 - the names are those of the base class

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("kind", ["http", "sse"])
async def test_a_redirect_elsewhere_gets_none_of_the_secrets(
    house: House, kind: Literal["http", "sse"]
) -> None:
    with remote_server(kind, header=("X-Key", "hunter22")) as url, redirecting(url) as elsewhere:
        supervisor = house(at(elsewhere, kind, secrets=("X-Key",)), secrets={"X-Key": "hunter22"})
        with pytest.raises(ToolError):
            await supervisor.start("remote")


@pytest.mark.parametrize("packed", [False, True], ids=["long", "packed"])
async def test_an_answer_without_end_is_not_read_to_its_end(house: House, packed: bool) -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        coding = b"Content-Encoding: gzip\r\n" if packed else b""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + coding + b"\r\n{")
            while sent < 20 * remote.MAX_ANSWER_BYTES:
                writer.write(b" " * 1_000_000)
                sent += 1_000_000
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    with pytest.raises(ToolError):
        await house(at(url)).start("remote")
    assert sent < 3 * remote.MAX_ANSWER_BYTES
    server.close()


async def test_what_a_remote_server_is_given_counts_as_sent_whatever_it_says(house: House) -> None:
    with remote_server("http") as url:
        supervisor = house(at(url))
        running = await supervisor.start("remote")
        tool = running.tools["double"].model_copy(
            update={"annotations": ToolAnnotations(read_only_hint=True, open_world_hint=False)}
        )
        assert spec_of(running, tool, "remote__double").effects(ServersArguments()) == {"read", "send"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://169.254.169.254/latest", "http://localhost/"])
async def test_a_public_server_leads_to_no_private_address(url: str) -> None:
    fence = await _fence("https://93.184.215.14/mcp")
    with pytest.raises(AddressRefused):
        await fence(httpx2.Request("GET", url))
    await (await _fence("http://127.0.0.1:8000/mcp"))(httpx2.Request("GET", "http://127.0.0.1:9/"))


async def test_a_person_signs_in_once_and_the_tokens_stay_among_the_secrets(
    house: House, tmp_path: Path
) -> None:
    office, person = Office(), Somebody()
    with remote_server(office=office) as url:
        supervisor = house(at(url), person)
        running = await supervisor.start("remote")
        assert (await running.call("double", {"x": 4})).content[0].text == "8"
        assert office.asked == ["register", "authorize", "token"]
        assert running.sign_in == ""
        assert "access-" in (tmp_path / "secrets.json").read_text()
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
        assert "access-" not in (tmp_path / "mcp.json").read_text() + repr(list(running.log))
        # Another session needs nobody.
        await running.stop()
        person.here = False
        await running.start()
        assert office.asked == ["register", "authorize", "token"]
        await supervisor.remove("remote")
        assert (tmp_path / "secrets.json").read_text() == "{}"


async def test_tokens_that_are_no_longer_good_are_renewed_or_asked_for_again(house: House) -> None:
    office, person = Office(), Somebody()
    with remote_server(office=office) as url:
        running = await house(at(url), person).start("remote")
        office.tokens.clear()  # revoked, elsewhere
        assert (await running.call("double", {"x": 4})).content[0].text == "8"
        assert len(person.pages) == 2


async def test_where_nobody_can_be_asked_a_sign_in_is_refused_at_once(house: House) -> None:
    with remote_server(office=Office()) as url:
        supervisor = house(at(url), Somebody(here=False))
        with pytest.raises(ToolError, match="nobody can be asked here"):
            await supervisor.start("remote")


async def test_a_person_far_from_the_kernel_hands_the_address_over(house: House) -> None:
    class Far(Somebody):
        """Whose browser cannot reach the kernel's loopback: it is left with an address."""

        def browse(self, page: str) -> None:
            class Stay(urllib.request.HTTPRedirectHandler):
                def redirect_request(self, *given: Any) -> None:
                    return None

            try:
                urllib.request.build_opener(Stay()).open(page, timeout=LIMIT_S)
            except urllib.error.HTTPError as redirect:
                self.left_with = redirect.headers["location"]

    person = Far()
    with remote_server(office=Office()) as url:
        running = house(at(url), person).get("remote")
        starting = asyncio.ensure_future(running.start())
        await until(lambda: getattr(person, "left_with", ""))
        for wrong in (
            "",
            "https://example.com/callback?code=1",
            person.left_with.replace("callback", "other"),
        ):
            with pytest.raises(ToolError, match="not where this sign-in leads"):
                await send_back(running.sign_in, wrong)
        page = running.sign_in
        await send_back(page, f" {person.left_with} ")
        await starting
        assert running.state == "running"
        await running.stop()
        with pytest.raises(ToolError, match="Nobody waits"):
            await send_back(page, person.left_with)


def sent_back(page: str, **changes: str) -> str:
    """Return the address at which a sign-in ends, with what belongs to it."""
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page).query)) | changes
    return f"{asked['redirect_uri']}?{urllib.parse.urlencode({'state': asked['state']})}"


async def test_a_stranger_s_page_can_neither_refuse_nor_end_a_sign_in(house: House) -> None:
    told: list[int] = []

    class Watched(Somebody):
        def browse(self, page: str) -> None:
            for stranger in ("error=access_denied", "code=stolen"):
                try:
                    urllib.request.urlopen(f"{sent_back(page, state='guess')}&{stranger}", timeout=LIMIT_S)
                except urllib.error.HTTPError as error:
                    told.append(error.code)
            super().browse(page)

    with remote_server(office=Office()) as url:
        assert (await house(at(url), Watched()).start("remote")).state == "running"
    assert told == [404, 404]


async def test_a_person_may_refuse_to_sign_in(house: House) -> None:
    class Refuses(Somebody):
        def browse(self, page: str) -> None:
            with urllib.request.urlopen(f"{sent_back(page)}&error=access_denied", timeout=LIMIT_S) as answer:
                answer.read()

    with remote_server(office=Office()) as url, pytest.raises(ToolError, match="the sign-in was refused"):
        await house(at(url), Refuses()).start("remote")


async def test_a_server_that_waits_for_a_sign_in_can_be_stopped(house: House) -> None:
    class Dawdles(Somebody):
        def browse(self, page: str) -> None:
            pass

    with remote_server(office=Office()) as url:
        supervisor = house(at(url), Dawdles())
        running = supervisor.get("remote")
        starting = asyncio.ensure_future(running.start())
        await until(lambda: running.sign_in)
        async with asyncio.timeout(LIMIT_S):  # the wait for a person is five minutes
            await running.stop()
            with pytest.raises(ToolError):
                await starting


async def test_a_server_that_is_not_there_is_named(house: House) -> None:
    with pytest.raises(ToolError, match="did not start"):
        await house(at("http://127.0.0.1:9/mcp")).start("remote")


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", "http://example.com/authorize", "file:///etc/passwd"]
)
def test_only_a_protected_page_is_shown_to_sign_in_on(page: str) -> None:
    with pytest.raises(Exception, match=r"https|address"):
        _to_open(page)
