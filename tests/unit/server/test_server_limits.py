"""Secrets, hosts, origins and rates of the server."""

from __future__ import annotations

import pytest

from voice_kernel.server import secrets
from voice_kernel.server.limits import Origins, Rate
from voice_kernel.server.secrets import Secrets, Session, new_session_id


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_client_secret_speaks_for_its_session_until_it_ends() -> None:
    clock = Clock()
    kept = Secrets(life_s=60, now=clock)
    issued = kept.issue(Session("ses", "ada"))
    assert issued.expires_at == 1_060
    assert kept.session(issued.client_secret) == Session("ses", "ada")
    clock.now += 59
    later = kept.issue(Session("ses", "ada"))
    clock.now += 2
    assert kept.session(issued.client_secret) is None
    assert kept.session(later.client_secret) == Session("ses", "ada")
    kept.revoke(later.client_secret)
    assert kept.session(later.client_secret) is None


def test_the_token_is_random_unless_it_is_given_and_is_no_client_secret() -> None:
    kept = Secrets()
    assert kept.is_token(kept.token)
    assert kept.token != Secrets().token
    assert not kept.is_token("")
    assert kept.session(kept.token) is None
    assert Secrets("mine").is_token("mine")
    assert new_session_id() != new_session_id()


def test_a_key_opens_one_address_of_one_server() -> None:
    kept = Secrets()
    assert kept.is_key_of("put f", kept.key_of("put f"))
    assert not kept.is_key_of("get f", kept.key_of("put f"))
    assert not Secrets(kept.token).is_key_of("put f", kept.key_of("put f"))


def test_secrets_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MAX_SECRETS", 3)
    kept = Secrets()
    issued = [kept.issue(Session(f"s{number}", "ada")) for number in range(5)]
    alive = [one.session.id for one in issued if kept.session(one.client_secret)]
    assert alive == ["s2", "s3", "s4"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost", True),
        ("127.0.0.1:8765", True),
        ("[::1]:8765", True),
        ("LOCALHOST:1", True),
        ("voice.example", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:8765", False),
        ("", False),
    ],
)
def test_only_our_own_names_are_ours(host: str, known: bool) -> None:
    assert Origins(hosts=("voice.example",)).knows_host(host) is known


def test_a_page_may_ask_when_it_is_ours_or_was_allowed() -> None:
    origins = Origins(origins=("http://localhost:5173",))
    assert origins.is_ours("http://127.0.0.1:8765", "127.0.0.1:8765")
    assert not origins.is_ours("http://127.0.0.1:9999", "127.0.0.1:8765")
    assert not origins.is_ours("null", "127.0.0.1:8765")
    assert origins.is_allowed("http://localhost:5173")
    assert not origins.is_allowed("https://localhost:5173")


def test_a_rate_lets_a_burst_through_and_then_so_many_a_second() -> None:
    clock = Clock()
    rate = Rate(per_s=2, burst=3, now=clock)
    assert [rate.wait_s("ada") for _ in range(3)] == [0, 0, 0]
    assert rate.wait_s("ada") == 0.5
    assert rate.wait_s("eve") == 0
    clock.now += 0.5
    assert rate.wait_s("ada") == 0
    assert rate.wait_s("ada") > 0
