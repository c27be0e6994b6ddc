"""A web browser driven by words: pages opened, read, clicked and filled in, and never by guess."""

from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools.browser import actions, gestures
from voice_kernel.tools.browser.hands import Hands
from voice_kernel.tools.browser.life import BrowserLife, Choices

__all__ = ["BrowserLife", "Choices", "Hands", "register"]


def register(registry: Registry, hands: Hands) -> None:
    """Register the browser tools.

    Args:
        registry: where.
        hands: act on the page.
    """
    actions.register(registry, hands)
    gestures.register(registry, hands)
