"""`from voice_kernel import ask, tasks, tool`: the assistant from Python.

    result = await ask("run the tests")          # in a cell or an async function
    result = ask("run the tests").result()       # anywhere else on the main thread
    tasks.failed, tasks.last.log(), tasks.to_frame()

    @tool(sentences=["train [the] model [for {epochs} epochs]"])
    def train(epochs: int, ctx: ToolContext): ...

Responsible for how this reads in a notebook. What is done is done by the same session that `%voice` has,
begun by the first `ask`; importing this package and looking at `tasks` begin nothing.
"""

from voice_kernel.api.asking import ask
from voice_kernel.api.decorators import action, tool
from voice_kernel.api.taskviews import tasks

__all__ = ["action", "ask", "tasks", "tool"]
