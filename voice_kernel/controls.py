"""The names of the controls: what a person steers with, past every queue.

They are parsed like calls, but are no tools: neither a model nor a script makes them.
"""

from __future__ import annotations

CONTROLS = frozenset(
    {
        "approve",
        "deny",
        "accept_changes",
        "reject_changes",
        "cancel_task",
        "interrupt_kernel",
        "stop_listening",
        "stop_speaking",
        "repeat_answer",
        "change_speech_rate",
        "answer_aloud",
    }
)

ABOUT_SPEAKING = frozenset({"stop_speaking", "repeat_answer", "change_speech_rate", "answer_aloud"})
"""Controls of what is spoken aloud."""
