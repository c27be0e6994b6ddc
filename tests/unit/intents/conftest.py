"""One compiled grammar for all tests of the intents."""

from __future__ import annotations

import pytest

from voice_kernel.intents import Grammar


@pytest.fixture(scope="session")
def grammar() -> Grammar:
    return Grammar.load("en")
