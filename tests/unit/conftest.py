"""Unit tests do not hurry, and say the same twice.

A machine that is slow, or busy with something else, is no fault. Hypothesis draws the same examples in every
run: what fails can be looked at again, and whoever changed nothing near it is not stopped by it. To look
further: `HYPOTHESIS_PROFILE=exploring pytest tests/unit`.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "unhurried",
    settings.default,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "exploring", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "unhurried"))
