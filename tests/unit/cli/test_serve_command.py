"""`voice-kernel serve` says at once what it cannot do."""

from __future__ import annotations

import socket

import pytest

from voice_kernel.cli import main


def test_a_kernel_that_is_not_there_is_said_before_anything_is_served(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve", "--port", "0", "--kernel", "kernel-of-nobody.json"]) == 1
    assert "There is no kernel to connect to at kernel-of-nobody.json." in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    told = capsys.readouterr().err
    assert "cannot be used" in told
    assert "--port 0" in told
