"""A web browser driven by words: pages opened, read, clicked and filled in, and never by guess."""

from voice_kernel.tools.browser.actions import Hands, register
from voice_kernel.tools.browser.life import BrowserLife, Choices

__all__ = ["BrowserLife", "Choices", "Hands", "register"]
