"""Which addresses may be reached: the public web, and what a person has allowed by name.

A page, a redirect or a search result must never lead us into the machine or the network it stands in
(server-side request forgery). Names are checked before a request and the addresses they resolve to when
the connection is made, so that a name that changes its mind between the two gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from voice_kernel.errors import AddressRefused
from voice_kernel.language import _

MAX_URL_CHARS = 4_096
PORTS = {"http": 80, "https": 443}
_EMBEDDING = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
"""Networks whose last 32 bits are an address of IPv4: NAT64, and the compatible ones of old."""
_NUMBER = re.compile(r"(?:\d+|0x[0-9a-f]*)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address of the web."""

    url: str
    """Whole and normal: ASCII host, no fragment, no user name."""
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port, as robots.txt and cookies count them."""
        default = PORTS[self.scheme] == self.port
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if default else f":{self.port}")

    @property
    def target(self) -> str:
        """Path and query, as the request line has them."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def address_of(url: str, base: str = "") -> Address:
    """Return an address as a checked value.

    Args:
        url: what was given: a whole address, one without `https://`, or one relative to `base`.
        base: the page it stands on.

    Raises:
        AddressRefused: it is no address of the web.
    """
    text = url.strip()
    if len(text) > MAX_URL_CHARS or any(ord(character) < 32 for character in text):
        raise AddressRefused(_("That is no address: it is too long, or holds control characters."))
    if base:
        text = urljoin(base, text)
    elif "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        ascii_host = _plain(host if host.isascii() else host.encode("idna").decode())
    except (ValueError, UnicodeError):
        raise AddressRefused(
            _("{short} is no address.").format(short=_short(url)), hint=_("Say it whole: python dot org.")
        ) from None
    if parts.scheme not in PORTS:
        raise AddressRefused(
            _("{short} is not on the web.").format(short=_short(url)),
            hint=_("Only http and https addresses can be read."),
        )
    if not ascii_host or " " in ascii_host:
        raise AddressRefused(
            _("{short} names no host.").format(short=_short(url)), hint=_("Say it whole: python dot org.")
        )
    port = port or PORTS[parts.scheme]
    name = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    place = name if port == PORTS[parts.scheme] else f"{name}:{port}"
    path = _ascii(parts.path or "/")
    return Address(
        urlunsplit((parts.scheme, place, path, _ascii(parts.query), "")), parts.scheme, ascii_host, port
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """Which hosts may be reached. A pattern is a host, `*.host`, an address, a network, or `host:port`."""

    private: Sequence[str] = ()
    """Private hosts that a person has allowed."""
    only: Sequence[str] = ()
    """When given, nothing else may be reached."""
    denied: Sequence[str] = ()

    def check_name(self, address: Address) -> None:
        """Look at the name, before anything is asked of the network.

        Raises:
            AddressRefused: with what would allow it.
        """
        host, port = address.host, address.port
        if _any(self.denied, host, port):
            raise AddressRefused(
                _("{host} is on the list of denied hosts.").format(host=host), hint=_("See denied_hosts.")
            )
        if self.only and not _any(self.only, host, port) and not _any(self.private, host, port):
            raise AddressRefused(
                _("{host} is not on the list of allowed hosts.").format(host=host),
                hint=_("See allowed_hosts."),
            )
        literal = _literal(host)
        if literal is not None:
            self.check_ip(host, port, literal)
        elif _is_local_name(host) and not _any(self.private, host, port):
            raise _private(host, port)

    def check_ip(self, host: str, port: int, ip: str) -> None:
        """Look at an address a host has resolved to, right before it is connected to.

        Raises:
            AddressRefused: it is denied, or private and not allowed.
        """
        if _any(self.denied, ip, port):
            raise AddressRefused(
                _("{host} is on the list of denied hosts.").format(host=host), hint=_("See denied_hosts.")
            )
        if not is_public(ip) and not _any(self.private, host, port) and not _any(self.private, ip, port):
            raise _private(host, port)


def is_public(ip: str) -> bool:
    """Whether an address belongs to the public internet; what embeds another address counts as that.

    Source: the special-purpose registries, as `ipaddress` has them; RFC 6052 for NAT64.
    """
    try:
        parsed = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if any(parsed in network for network in _EMBEDDING) and int(parsed) > 1:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return parsed.is_global and not parsed.is_multicast


def _plain(host: str) -> str:
    """Return a host as all lists name it: without the dot of the root, and numbers as an address of IPv4.

    `2130706433`, `0x7f.1` and `127.1` are 127.0.0.1 to whoever connects to them, a proxy among them.

    Raises:
        ValueError: it ends in a number, and is no such address.
    """
    host = host.removesuffix(".")
    if ":" not in host and _NUMBER.match(host.rpartition(".")[2]):
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            raise ValueError(host) from None
    return host


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))


def _private(host: str, port: int) -> AddressRefused:
    return AddressRefused(
        _("{host} is on this machine or in a private network.").format(host=host),
        hint=_("To allow it, add {host}:{port} to VOICE_KERNEL_PRIVATE_HOSTS.").format(host=host, port=port),
    )


def _any(patterns: Sequence[str], host: str, port: int) -> bool:
    return any(_fits(pattern.strip().lower(), host.lower(), port) for pattern in patterns)


def _fits(pattern: str, host: str, port: int) -> bool:
    if "/" in pattern:
        literal = _literal(host)
        try:
            return literal is not None and ipaddress.ip_address(literal) in ipaddress.ip_network(pattern)
        except ValueError:
            return False
    name, colon, number = pattern.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.startswith("[")):
        if int(number) != port:
            return False
        pattern = name
    pattern = pattern.strip("[]")
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def _literal(host: str) -> str | None:
    try:
        parsed = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _ascii(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="/%:=&?~#+!$,;'@()*[]-._|")


def _short(url: str) -> str:
    return url if len(url) <= 80 else url[:79] + "…"
