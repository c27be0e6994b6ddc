"""What a shell command would do to the world, judged from its text alone.

Reads the command the way a shell would: quotes, operators, substitutions, `sudo` and its like,
`bash -c`, pipes into a shell. It never runs anything, and looks at files only to see whether one would
be overwritten. It is careful, not clever: what it cannot read counts as something that must be asked
about. What a script or program does inside is beyond it; that is why the shell as a whole is off until
somebody allows it.
"""

from __future__ import annotations

import os
from pathlib import Path

from voice_kernel.toolbox.registry import Effects
from voice_kernel.tools.judge import Judge
from voice_kernel.tools.programrules import RULES


def effects_of(command: str, cwd: str | os.PathLike[str] = ".") -> Effects:
    """Return what a shell command may do: `install`, `restart`, `delete`, `network`, `unreadable`.

    Args:
        command: the text a shell would get.
        cwd: the folder it would run in, to see whether a file would be overwritten.
    """
    return Judge(Path(cwd), RULES).line(command)
