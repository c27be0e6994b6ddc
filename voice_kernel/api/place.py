"""Where this code runs: the shell around it, its session, its thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from voice_kernel.errors import KernelError
from voice_kernel.language import N_, _

if TYPE_CHECKING:
    from voice_kernel.app import App

R = TypeVar("R")

LOOK_LIMIT_S = 5.0
"""How long looking at tasks may take: the loop thread only copies what it has."""
INSIDE = N_('Inside a tool call the functions themselves, or give it the main thread: @tool(thread="main").')


def shell_here() -> Any:
    """Return the IPython shell of this process; None outside of a notebook and of IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def begun_app() -> App:
    """Return the session, begun now if it has not."""
    shell = shell_here()
    if shell is None:
        raise KernelError(
            _("ask needs a notebook or IPython around it."),
            hint=_('In a terminal or a script: voice-kernel say "run the tests".'),
        )
    require_main_thread()
    from voice_kernel.app import app_of

    return app_of(shell)


def app_if_any() -> App | None:
    """Return the session, if one has begun."""
    module = sys.modules.get("voice_kernel.app")
    shell = shell_here()
    # While the first command imports the module, another thread may look.
    known = getattr(module, "app_if_any", None)
    return known(shell) if known is not None and shell is not None else None


def still_open(app: App) -> App:
    """Return a session that has not ended.

    Raises:
        KernelError: it has.
    """
    if app.closed:
        raise KernelError(_("The session has ended."), hint=_("Load it again with %load_ext voice_kernel."))
    return app


def require_main_thread() -> None:
    """Refuse where the code of a turn could not run.

    Raises:
        KernelError: this is not the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise KernelError(
            _("ask was called on another thread than the notebook's own: the code of a turn could not run."),
            hint=_("Call it from a cell, or say it in the panel.") + " " + _(INSIDE),
        )


def on_loop(app: App, look: Callable[[], R]) -> R:
    """Look at something that belongs to the loop thread."""
    if app.closed or app.loop.is_current:
        return look()

    async def there() -> R:
        return look()

    return app.loop.run_sync(there(), LOOK_LIMIT_S)
