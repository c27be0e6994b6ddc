"""The gate between the browser and the network, and the proxy behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from voice_kernel.errors import AddressRefused
from voice_kernel.tools.browser.fence import Fence, environment_proxy

from .conftest import LIMIT_S


class Proxy(Fence):
    """Another gate, as a company's proxy would be; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(self.asked.append, lambda url: None, lambda scheme, host: "")


@asynccontextmanager
async def opened(gate: Fence) -> AsyncIterator[str]:
    try:
        yield await gate.start()
    finally:
        gate.stop()


async def ask(gate: str, *heads: str) -> str:
    """Send one head after the other over one connection; returns all that came back."""
    place = urlsplit(gate)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    got = ""
    try:
        async with asyncio.timeout(LIMIT_S):
            for head in heads[:-1]:
                writer.write(head.encode())
                got += (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.write(heads[-1].encode())
            return got + (await reader.read()).decode()
    finally:
        writer.close()


def plain(url: str) -> str:
    return f"GET {url} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n"


def tunnel(url: str) -> str:
    return f"CONNECT {urlsplit(url).netloc} HTTP/1.1\r\n\r\n"


async def test_it_goes_through_the_proxy_of_the_environment(site: str) -> None:
    there = f"{site}/polars"
    proxy = Proxy()
    async with opened(proxy) as upstream:
        gate = Fence(lambda url: None, _never, lambda scheme, host: upstream)
        async with opened(gate) as address:
            assert "Polars and pandas" in await ask(address, plain(there))
            inner = "GET /polars HTTP/1.0\r\nHost: x\r\nConnection: close\r\n\r\n"
            assert "Polars and pandas" in await ask(address, tunnel(there), inner)
    assert proxy.asked == [there, site.replace("http:", "https:") + "/"]


async def test_what_is_denied_does_not_reach_the_proxy(site: str) -> None:
    def deny(url: str) -> None:
        raise AddressRefused("no")

    proxy = Proxy()
    async with opened(proxy) as upstream, opened(Fence(deny, _never, lambda s, h: upstream)) as address:
        assert "403" in await ask(address, plain(f"{site}/polars"))
        assert "403" in await ask(address, tunnel(site))
    assert proxy.asked == []


@pytest.mark.parametrize("upstream", ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "nonsense"])
async def test_a_proxy_that_does_not_answer_is_told(site: str, upstream: str) -> None:
    async with opened(Fence(lambda url: None, _never, lambda s, h: upstream)) as address:
        assert "502" in await ask(address, plain(f"{site}/polars"))


def test_the_environment_says_which_proxy_and_which_hosts_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "localhost,.inner.org")
    assert environment_proxy("https", "python.org") == "http://proxy:3128"
    assert environment_proxy("https", "www.inner.org") == ""


def _never(url: str) -> None:
    raise AssertionError("the proxy resolves names")
