"""What the door would say to a call, without anything being done: for dry runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_kernel.errors import UnknownTool, VoiceKernelError
from voice_kernel.messages import Call, Origin
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry


@dataclass(frozen=True)
class Forecast:
    """The door's answer to a call: `impossible` where there is no such tool, or not with these arguments."""

    kind: Literal["allow", "ask", "refuse", "impossible"]
    reason: str = ""
    area: str = ""
    """The tool's area; empty for an unknown tool."""


def forecast(registry: Registry, policy: Policy, call: Call, origin: Origin) -> Forecast:
    """Return what would become of a call.

    Args:
        registry: the tools.
        policy: the rules.
        call: what would be called.
        origin: who would ask.
    """
    try:
        spec = registry.get(call.tool)
    except UnknownTool as error:
        return Forecast("impossible", error.message)
    if spec.handler is None:
        return Forecast("impossible", spec.reason, spec.area)
    try:
        given = {name: value for name, value in call.arguments.items() if value is not None}
        decision = policy.decide(spec.effects(spec.validate(given)), origin, asks=spec.asks)
    except VoiceKernelError as error:
        return Forecast("impossible", error.message, spec.area)
    return Forecast(decision.kind, decision.reason, spec.area)
