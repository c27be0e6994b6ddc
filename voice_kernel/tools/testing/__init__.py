"""A project's tests: which ones, run by its own pytest, told of as they end, and what came of them.

What happens comes from a plugin that the project's interpreter loads, or for a project without pytest from
a small runner of `unittest`; never from the text they print.
"""

from voice_kernel.tools.testing.tools import register

__all__ = ["register"]
