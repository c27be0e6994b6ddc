"""The only door to the IPython shell.

Responsible for running code on the main thread in the user's namespace, for what that code put out,
for naming what is in the namespace, for displays pinned to a cell, and for letting messages through
while a cell runs. It knows nothing of turns, tasks or tools.

    door         Kernel: the queue of code jobs, run by the pump of a waiting magic or when idle
    stage        how one job runs, and what becomes of it
    mainthread   what runs on the main thread, and what an interrupt of it hits
    job          the values these share
    capture      what a job puts out, in order and capped
    display      displays pinned to the cell in which they were made
    namespace    the user's variables, described without running user code
    jupyter      the guarded private parts of ipykernel: subshells, control messages, the main lock
"""

from __future__ import annotations

from voice_kernel.kernel.display import Display
from voice_kernel.kernel.door import Kernel
from voice_kernel.kernel.job import CodeResult

__all__ = ["CodeResult", "Display", "Kernel"]
