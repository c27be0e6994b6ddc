"""Every promise of README and docs is held by tests that exist."""

import re
from pathlib import Path

import pytest
from requirements import PROMISES

TESTS = Path(__file__).parent.parent


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_names_tests_that_exist(promise: str) -> None:
    assert PROMISES[promise], "a promise without a test"
    for name in PROMISES[promise]:
        file, _, test = name.partition("::")
        assert re.search(rf"^(async )?def {test}\(", (TESTS / file).read_text(), re.MULTILINE), name
