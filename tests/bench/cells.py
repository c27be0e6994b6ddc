"""Acting on a large notebook by command, beside the same command of JupyterLab itself.

A notebook of 500 cells and 5 MB; interleaved runs, medians. What a command takes is measured in the page,
from the request to the frame in which the cells have changed: for voice that is from Enter in the text box,
so that parsing, the task and every message between page and kernel are in it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat

sys.path.insert(0, str(Path(__file__).parent.parent))
from lab import NOTEBOOK, Notebook, chromium, lab_server

RUNS = 5
CELLS = 500
OUTPUT_CHARS = 10_000
"""Of each cell: 5 MB in all."""

PROBE = f"""() => {{
  const notebook = () => ({NOTEBOOK}).content;
  const frame = () => new Promise(requestAnimationFrame);
  const until = async (test, limit = 120000) => {{
    const start = performance.now();
    while (!test()) {{
      if (performance.now() - start > limit) throw new Error('it never happened');
      await new Promise(resolve => setTimeout(resolve));
    }}
    await frame();
  }};
  window.bench = {{
    notebook, until,
    async timed(act, test) {{
      await frame();
      const start = performance.now();
      await act();
      await until(test);
      return performance.now() - start;
    }},
    say(text) {{
      const box = document.querySelector('.vk-sidebar-panel textarea');
      Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
      box.dispatchEvent(new InputEvent('input', {{ bubbles: true }}));
      box.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Enter', bubbles: true, cancelable: true }}));
    }},
    lab: id => window.jupyterapp.commands.execute(id),
    quiet: () => until(() => !document.querySelector('.vk-sidebar-panel [data-state="running"]')),
  }};
}}"""

ACTIONS: dict[str, tuple[float, str, str]] = {
    "select the last cell": (
        2.0,
        "b => { b.notebook().activeCellIndex = b.notebook().widgets.length - 1;"
        " void b.notebook().scrollToItem(b.notebook().activeCellIndex); }",
        "go to the last cell",
    ),
    "insert a cell": (2.0, "b => b.lab('notebook:insert-cell-below')", "insert a cell below"),
    "delete a cell": (2.0, "b => b.lab('notebook:delete-cell')", "delete this cell"),
    "run all cells": (1.15, "b => b.lab('notebook:run-all-cells')", "run all cells"),
}
"""What is done: how much longer it may take by voice, JupyterLab's own way, what is said."""

DONE = {
    "select the last cell": "(b, was) => b.notebook().activeCellIndex === b.notebook().widgets.length - 1",
    "insert a cell": "(b, was) => b.notebook().widgets.length === was.cells + 1",
    "delete a cell": "(b, was) => b.notebook().widgets.length === was.cells - 1",
    "run all cells": "(b, was) => b.notebook().widgets.at(-1).model.executionCount > was.count"
    " && b.notebook().widgets.at(-1).model.executionState === 'idle'",
}


def save(path: Path, cells: list[Any]) -> None:
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def write(path: Path) -> None:
    cells = []
    for i in range(CELLS):
        cell = nbformat.v4.new_code_cell(f"x = {i}\nprint('x' * {OUTPUT_CHARS})")
        cell.outputs = [nbformat.v4.new_output("stream", text="x" * OUTPUT_CHARS + "\n")]
        cells.append(cell)
    save(path, cells)


def measure(page: Any, name: str, act: str) -> float:
    """Milliseconds until the cells have changed."""
    page.evaluate("async () => { await window.bench.quiet(); }")
    value: float = page.evaluate(
        f"""async ([name]) => {{
          const b = window.bench;
          const notebook = b.notebook();
          notebook.activeCellIndex = name.startsWith('select') ? 0 : 250;
          notebook.deselectAll();
          const last = notebook.widgets.at(-1).model;
          const was = {{ cells: notebook.widgets.length, count: last.executionCount ?? 0 }};
          return await b.timed(() => ({act})(b), () => ({DONE[name]})(b, was));
        }}""",
        [name],
    )
    return value


def opening(page: Any) -> float:
    """Milliseconds from the command that opens the panel until it can be used."""
    value: float = page.evaluate(
        """async () => {
          const usable = () => /ready|loading/i.test(
            document.querySelector('.vk-sidebar-panel .vk-status')?.dataset.status ?? '');
          return await window.bench.timed(() => void window.bench.lab('voice-kernel:open'), usable);
        }"""
    )
    return value


def main() -> int:
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "notebooks"
        root.mkdir()
        write(root / "large.ipynb")
        save(root / "small.ipynb", [nbformat.v4.new_code_cell("1")])
        with lab_server(root, Path(folder)) as base, chromium() as browser:
            waits = []
            for _ in range(RUNS):
                context = browser.new_context()
                notebook = Notebook.open(context, base, "small.ipynb")
                notebook.page.evaluate(PROBE)
                waits.append(opening(notebook.page))
                notebook.shut_down()
                context.close()
            median = statistics.median(waits)
            failed |= median > 500
            print(f"side bar usable after opening: {median:.0f} ms (budget 500 ms), {_list(waits)}")

            context = browser.new_context(viewport={"width": 1400, "height": 900})
            notebook = Notebook.open(context, base, "large.ipynb")
            page = notebook.page
            page.evaluate(PROBE)
            opening(page)
            print(f"{CELLS} cells, {CELLS * OUTPUT_CHARS / 1e6:.0f} MB, median of {RUNS} interleaved runs")
            for name, (limit, act, text) in ACTIONS.items():
                own: list[float] = []
                voice: list[float] = []
                for _ in range(RUNS):
                    own.append(measure(page, name, act))
                    voice.append(measure(page, name, f"b => b.say({text!r})"))
                ratio = statistics.median(voice) / statistics.median(own)
                failed |= ratio > limit
                print(
                    f"{name:22} JupyterLab {statistics.median(own):7.0f} ms   voice "
                    f"{statistics.median(voice):7.0f} ms   {ratio:.2f}x (budget {limit}x)"
                    f"   {_list(own)} / {_list(voice)}"
                )
            notebook.shut_down()
            context.close()
    return 1 if failed else 0


def _list(values: list[float]) -> str:
    return " ".join(f"{value:.0f}" for value in values)


if __name__ == "__main__":
    sys.exit(main())
