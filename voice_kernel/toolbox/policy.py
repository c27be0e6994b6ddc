"""Whether a call may run: at once, after a person agreed, or not at all.

Rules (the design page's policy): with CLI execution off, shell is refused with the way to allow it;
allowed or not, what installs, restarts, deletes beyond undo or cannot be read in advance asks first; when
a model drives, what executes, writes or reaches the network asks too; a turn into which text of strangers
has entered asks again whatever was approved before, also for what sends something, and says what brought
that text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_kernel.language import N_, _
from voice_kernel.messages import Origin
from voice_kernel.toolbox.registry import Effect, Effects

SHELL_OFF = N_("Shell commands are switched off.")
SHELL_HINT = N_(
    "To allow them, put ALLOW_CLI_EXECUTION=true into a .env file in this folder (or set "
    "it in the environment), then restart the kernel."
)

_ALWAYS_ASKS: dict[Effect, str] = {
    "install": N_("it installs or removes software"),
    "restart": N_("it restarts or stops something that runs"),
    "delete": N_("it deletes or overwrites what undo cannot bring back"),
    "unreadable": N_("it cannot be read in advance: what it does shows only when it runs"),
    "share": N_("what you work on would leave this machine"),
}
_MODEL_ASKS: dict[Effect, str] = {
    "execute": N_("a model wants to run code"),
    "shell": N_("a model wants to run a command"),
    "write": N_("a model wants to change your notebook or files"),
    "network": N_("a model wants to reach the network"),
}
VALUES_REASON = N_("It asks, once in a session, because a model wants to see values of your data.")
VALUES_OFF = N_("Models are told no values of your data.")
VALUES_HINT = N_("To allow it, set VOICE_KERNEL_MODEL_VALUES=ask and restart the kernel.")
_MISLED_ASKS: dict[Effect, str] = {
    "send": N_("a model wants to send something on your behalf"),
}
"""Asks only once text of strangers may be what the model obeys."""


@dataclass(frozen=True)
class Decision:
    """Policy's answer for one call."""

    kind: Literal["allow", "ask", "refuse"]
    reason: str = ""
    hint: str = ""
    consent: str = ""
    """What a yes counts for in the rest of the session; empty: for this call only."""


@dataclass(frozen=True)
class Policy:
    """The rules as configured."""

    shell_allowed: bool = False
    model_values: Literal["ask", "always", "never"] = "always"
    """Whether a model is told values of the person's data."""

    def decide(self, effects: Effects, origin: Origin, *, untrusted: str = "", asks: str = "") -> Decision:
        """Decide about a call with these effects, asked for by `origin`.

        Args:
            effects: what the call may do.
            origin: who asked.
            untrusted: what brought text of strangers into the turn; empty when nothing did.
            asks: why the tool asks whatever its effects; empty when it does not.
        """
        if "shell" in effects and not self.shell_allowed:
            return Decision("refuse", _(SHELL_OFF), _(SHELL_HINT))
        read = (
            " " + _("The model has read text that is not yours: {source}.").format(source=untrusted)
            if untrusted
            else ""
        )
        for effect, reason in _ALWAYS_ASKS.items():
            if effect in effects:
                return Decision("ask", _("It asks because {reason}.").format(reason=_(reason)) + read)
        if origin == "model":
            for effect, reason in (_MODEL_ASKS | (_MISLED_ASKS if untrusted else {})).items():
                if effect in effects:
                    return Decision("ask", _("It asks because {reason}.").format(reason=_(reason)) + read)
            if "values" in effects and self.model_values == "never":
                return Decision("refuse", _(VALUES_OFF), _(VALUES_HINT))
            if "values" in effects and self.model_values == "ask":
                return Decision("ask", f"{_(VALUES_REASON)}{read}", consent="values")
        return Decision("ask", f"{_(asks)}{read}") if asks else Decision("allow")
