"""Displays of a cell that are made by an object in it, with or without a session of ours.

A session has `Kernel.show`. This is for what IPython displays by itself, as the last line of a cell.
"""

from __future__ import annotations

from typing import Any

from voice_kernel.kernel.display import Bundle, Display
from voice_kernel.kernel.jupyter import JupyterKernel


def show_here(bundle: Bundle) -> Display | None:
    """Show a bundle as an output of the cell that runs, to be updated later.

    Called on the main thread. Returns None, having printed its plain text, where there is no IPython.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()  # a kernel's has more methods than a terminal's
    if shell is None:
        print(bundle.get("text/plain", ""))  # noqa: T201  a script has no displays
        return None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        display = Display(lambda kind, content: None)  # a terminal cannot replace what it has written
    else:
        jupyter, parent = JupyterKernel(kernel), shell.get_parent()
        display = Display(lambda kind, content: jupyter.publish(kind, content, parent))
    shell.display_pub.publish(**display.content(bundle))  # in order with the cell's other output
    return display
