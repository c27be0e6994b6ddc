"""Pages are read, hostile ones too, and nothing leads inwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
import web_site

from voice_kernel.errors import AddressRefused, WebError
from voice_kernel.task import process
from voice_kernel.web.addresses import Reach
from voice_kernel.web.fetch import Fetcher
from voice_kernel.web.library import Library

LIMIT_S = 120.0


async def run(argv: Sequence[str], limit_s: float) -> int:
    return (await process.run(argv, timeout_s=max(LIMIT_S, limit_s))).code


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with web_site.serve() as address:
        yield address


@pytest.fixture
async def library(site: str) -> AsyncIterator[Library]:
    place = site.partition("://")[2]
    made = Library(Fetcher(Reach(private=(place,)), max_bytes=1_000_000, total_s=LIMIT_S), run)
    yield made
    await made.close()


async def test_an_article_is_read_without_what_stands_around_it(library: Library, site: str) -> None:
    page = await library.read(f"{site}/polars")
    assert (page.title, page.site, page.author, page.date) == (
        "Polars and pandas", "The Loop", "Ada Lovelace", "2026-10-02",
    )  # fmt: skip
    assert all(paragraph in page.text for paragraph in web_site.POLARS)
    assert "cookies" not in page.text
    assert "Log in" not in page.text


@pytest.mark.parametrize("name", ["deflated", "paper.pdf", "notes.txt"])
async def test_other_encodings_and_kinds_are_read(library: Library, site: str, name: str) -> None:
    page = await library.read(f"{site}/{name}")
    said = web_site.POLARS[0] if name == "deflated" else web_site.COOKING[0]
    assert said in " ".join(page.text.split())


async def test_a_wrong_charset_is_found_out(library: Library, site: str) -> None:
    page = await library.read(f"{site}/charset")
    assert page.title == "Grüße"
    assert "Bär läuft über die Brücke" in page.text


async def test_a_page_without_end_is_cut_and_says_so(library: Library, site: str) -> None:
    page = await library.read(f"{site}/huge")
    assert page.cut
    assert web_site.POLARS[0] in page.text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bomb", "cannot be read"),
        ("broken-gzip", "cannot be unpacked"),
        ("endless", "without end"),
        ("binary", "octet-stream"),
        ("empty", "no text"),
        ("half", "proper HTTP"),
        ("login", "wants a login"),
        ("nowhere", "has no such page"),
        ("secret", "robots.txt"),
        ("broken.pdf", "broken PDF"),
    ],
)
async def test_what_cannot_be_read_is_named(library: Library, site: str, name: str, said: str) -> None:
    with pytest.raises(WebError, match=said):
        await library.read(f"{site}/{name}")


@pytest.mark.parametrize("name", ["inward", "to-file"])
async def test_a_redirect_inwards_is_not_followed(library: Library, site: str, name: str) -> None:
    with pytest.raises(AddressRefused):
        await library.read(f"{site}/{name}")


async def test_a_page_nested_without_end_does_not_take_the_others_with_it(
    library: Library, site: str
) -> None:
    deep, good = await library.read_all([f"{site}/deep", f"{site}/polars"])
    assert web_site.POLARS[0] in good.text
    assert deep.problem or deep.text


async def test_pages_are_remembered(library: Library, site: str) -> None:
    await library.read(f"{site}/cooking")
    before = list(web_site.Site.asked)
    await library.read(f"{site}/cooking")
    assert web_site.Site.asked == before


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/", "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.1/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://10.0.0.1/",
        "http://192.168.1.1/", "http://169.254.169.254/", "http://0.0.0.0/", "http://printer.local/",
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "http://user@127.0.0.1/",
        "http://localhost./", "http://metadata.google.internal./", "http://[::127.0.0.1]/", "http://1.2.3.4.5/",
        "javascript:alert(1)", "http:///nothing", "http://a b/", "http://[broken/",
    ],
)  # fmt: skip
async def test_this_machine_and_its_network_are_out_of_reach(url: str) -> None:
    closed = Library(Fetcher(Reach(), total_s=5), run)
    with pytest.raises(AddressRefused):
        await closed.read(url)
    await closed.close()


async def test_a_name_that_resolves_to_this_machine_is_refused_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    import asyncio

    async def rebinding(*args: object, **options: object) -> list[object]:
        return [(2, 1, 6, "", ("127.0.0.1", 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding)
    fetcher = Fetcher(Reach(), total_s=5)
    library = Library(fetcher, run)
    with pytest.raises(AddressRefused, match="private network"):
        await library.read("https://innocent.example/")
    await library.close()


def test_lists_of_hosts_are_honoured() -> None:
    from voice_kernel.web.addresses import address_of

    reach = Reach(only=("*.python.org", "pypi.org"), denied=("bad.python.org",))
    reach.check_name(address_of("docs.python.org/3/"))
    for refused in ("https://example.com", "https://bad.python.org", "https://evilpython.org"):
        with pytest.raises(AddressRefused):
            reach.check_name(address_of(refused))
    Reach(private=("10.0.0.0/8",)).check_ip("intranet", 443, "10.2.3.4")
    Reach(private=("intranet:8080",)).check_ip("intranet", 8080, "10.2.3.4")
    with pytest.raises(AddressRefused):
        Reach(private=("intranet:8080",)).check_ip("intranet", 443, "10.2.3.4")


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example./", "http://EVIL.example/", "http://a.bad.example./", "http://1.2.3.4/",
        "http://16909060/", "http://0x1020304/", "http://[::ffff:1.2.3.4]/", "http://10.1/", "http://167772161./",
    ],
)  # fmt: skip
def test_a_denied_host_is_denied_however_it_is_written(url: str) -> None:
    from voice_kernel.web.addresses import address_of

    denied = ("evil.example", "*.bad.example", "1.2.3.4", "10.0.0.0/8")
    with pytest.raises(AddressRefused, match="denied hosts"):
        Reach(private=("*.example", "10.0.0.1"), denied=denied).check_name(address_of(url))


def test_a_name_that_resolves_into_a_denied_network_is_refused() -> None:
    reach = Reach(private=("intranet",), denied=("10.9.0.0/16",))
    reach.check_ip("intranet", 443, "10.2.3.4")
    with pytest.raises(AddressRefused, match="denied hosts"):
        reach.check_ip("intranet", 443, "10.9.3.4")
