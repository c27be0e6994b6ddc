"""What a person feels in the page: Cancel while a cell runs, a flood of output, many tasks, a long log.

Real JupyterLab, real Chromium. The peer of the flood is `print` of the same lines in a cell.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from lab import Notebook, chromium, lab_server, write_notebook
from playwright.sync_api import Page, expect

CANCELS = 10
CROWD = 200
MAX_LONG_TASK_MS = 200.0
FLOOD_MB = 300
MAX_LONG_TASKS_S, MAX_RSS_MB = 1.0, 30.0
WAIT_MS = 120_000

WATCH = """() => {
  window.__long = [];
  new PerformanceObserver(list => { for (const e of list.getEntries()) window.__long.push(e.duration); })
    .observe({ entryTypes: ['longtask'] });
}"""
CLICK_CANCEL = """async number => {
  const task = () => [...document.querySelectorAll('.vk-task')]
    .find(each => each.innerText.includes('sleep ' + number));
  const button = [...task().querySelectorAll('button')]
    .find(each => /^Cancel/.test(each.ariaLabel || each.innerText));
  const start = performance.now();
  button.click();
  const limit = start + 20000;
  while (task()?.dataset.state !== 'cancelled' && performance.now() < limit) {
    await new Promise(done => setTimeout(done, 2));
  }
  return performance.now() - start;
}"""
START_CROWD = f"""
from voice_kernel.app import app_of
from voice_kernel.messages import Call
app = app_of(get_ipython())
def sleep(n):
    call = Call(tool="run_shell", arguments={{"command": f"sleep 0.{{n % 10}}"}})
    return app.session.do([call], text=f"sleep {{n}}", origin="text")
done = [app.loop.submit(sleep(n)) for n in range({CROWD})]
"""
COUNT_ROWS = """() => { window.__rows = 0; window.__nodes = 0;
  window.__counting = setInterval(() => {
    window.__rows = Math.max(window.__rows, document.querySelectorAll('.vk-row').length);
    window.__nodes = Math.max(window.__nodes, document.querySelectorAll('.vk-panel *').length);
  }, 250); }"""
RSS = "print(int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6)"


def say(page: Page, text: str) -> None:
    box = page.locator(".vk-panel").get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def rss_mb(notebook: Notebook) -> float:
    """Return the kernel's resident memory, in MB."""
    return float(notebook.execute(RSS))


def cancel_latencies_ms(notebook: Notebook) -> list[float]:
    """Return how long each click on Cancel took to end its task, while a cell was running."""
    page = notebook.page
    found = []
    for number in range(CANCELS):
        say(page, f"run the command sleep {600 + number}")
        task = page.locator(".vk-task", has_text=f"sleep {600 + number}")
        expect(task).to_have_attribute("data-state", "running", timeout=WAIT_MS)
        if number == 0:
            notebook.run(1, wait=False)
            page.wait_for_function("() => document.querySelectorAll('.jp-Cell')[1].innerText.includes('[*]')")
        found.append(
            page.evaluate(
                CLICK_CANCEL,
                600 + number,
            )
        )
    assert notebook.count(1) is None, "the cell ended before the clicks"
    notebook.interrupt()
    return found


def flood(notebook: Notebook) -> dict[str, float]:
    """Run a command that writes FLOOD_MB; returns seconds, long tasks and the kernel's growth."""
    page = notebook.page
    say(page, "run the command echo warm")
    expect(page.locator(".vk-task").last).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    before = rss_mb(notebook)
    page.evaluate("() => { window.__long.length = 0; }")
    started = time.monotonic()
    say(page, f"run the command yes a line of output as programs write | head -c {FLOOD_MB}000000")
    task = page.locator(".vk-task", has_text="head -c")
    expect(task).to_have_attribute("data-state", "succeeded", timeout=600_000)
    seconds = time.monotonic() - started
    long_ms = page.evaluate("() => window.__long.reduce((a, b) => a + b, 0)")
    return {"seconds": seconds, "long_s": long_ms / 1000, "rss_mb": rss_mb(notebook) - before}


def crowd(notebook: Notebook) -> dict[str, float]:
    """Start CROWD tasks at once with the list of tasks in sight; returns what the page felt of them."""
    page = notebook.page
    page.get_by_role("tab", name="Tasks").click()
    page.evaluate("() => { window.__long.length = 0; }")
    page.evaluate(COUNT_ROWS)
    started = time.monotonic()
    notebook.execute(START_CROWD)
    states = notebook.execute("print([task.state for turn in done for task in turn.result(300).tasks])")
    seconds = time.monotonic() - started
    page.evaluate("() => clearInterval(window.__counting)")
    longest, total, rows, nodes = page.evaluate(
        "() => [Math.max(0, ...window.__long), window.__long.reduce((a, b) => a + b, 0), __rows, __nodes]"
    )
    return {
        "seconds": seconds,
        "longest_ms": longest,
        "long_s": total / 1000,
        "rows": rows,
        "nodes": nodes,
        "succeeded": states.count("succeeded"),
    }


def open_log(notebook: Notebook) -> dict[str, float]:
    """Open the log of the flood, go to its middle, and look for what is not there; returns milliseconds."""
    page = notebook.page
    page.get_by_role("tab", name="Tasks").click()
    page.get_by_role("searchbox", name="Search the tasks").fill("head -c")
    found = {}
    started = time.monotonic()
    page.locator(".vk-row", has_text="head -c").get_by_role("button", name="Open log").click()
    page.wait_for_selector(".vk-log-line[data-here=true]", timeout=WAIT_MS)
    found["open_ms"] = (time.monotonic() - started) * 1000
    started = time.monotonic()
    page.get_by_role("textbox", name="Go to line").fill("4,000,000")
    page.keyboard.press("Enter")
    page.wait_for_selector(".vk-log-line[data-line='4000000'][data-here=true]", timeout=WAIT_MS)
    found["jump_ms"] = (time.monotonic() - started) * 1000
    started = time.monotonic()
    page.get_by_role("searchbox", name="Find in the log").fill("nowhere")
    page.keyboard.press("Enter")
    expect(page.locator(".vk-log-hits")).to_have_text("Not found", timeout=WAIT_MS)
    found["search_ms"] = (time.monotonic() - started) * 1000
    found["nodes"] = page.locator(".vk-log-box *").count()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_role("searchbox", name="Search the tasks").fill("")
    return found


def main() -> bool:
    """Print the figures; returns whether the budgets are kept."""
    with tempfile.TemporaryDirectory() as made:
        root = Path(made) / "root"
        root.mkdir()
        (root / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
        write_notebook(
            root / "bench.ipynb",
            ["%load_ext voice_kernel\n%voice", "import time\ntime.sleep(60)"],
        )
        with lab_server(root, Path(made) / "jupyter") as base, chromium() as browser:
            notebook = Notebook.open(
                browser.new_context(viewport={"width": 1280, "height": 1000}), base, "bench.ipynb"
            )
            notebook.run(0)
            notebook.page.evaluate(WATCH)
            waits = cancel_latencies_ms(notebook)
            notebook.wait_idle()
            figures = flood(notebook)
            log = open_log(notebook)
            many = crowd(notebook)
            notebook.shut_down()
    print(
        f"\nCancel clicked while a cell runs, {CANCELS} times: median {statistics.median(waits):.0f} ms, "
        f"worst {max(waits):.0f} ms until the card says cancelled"
    )
    long_s, rss_mb = figures["long_s"], figures["rss_mb"]
    kept = long_s < MAX_LONG_TASKS_S and rss_mb < MAX_RSS_MB
    print(
        f"{FLOOD_MB} MB of shell output in {figures['seconds']:.1f} s: "
        f"page long tasks {long_s:.2f} s in all (budget {MAX_LONG_TASKS_S:.0f} s), "
        f"kernel RSS {rss_mb:+.1f} MB (budget {MAX_RSS_MB:.0f} MB): {'kept' if kept else 'MISSED'}"
    )
    print(
        f"Log of {FLOOD_MB} MB: {log['open_ms']:.0f} ms until its end is on the screen, "
        f"{log['jump_ms']:.0f} ms to line 4,000,000, {log['search_ms']:.0f} ms to search all of it; "
        f"{log['nodes']:.0f} elements in the page"
    )
    calm = many["longest_ms"] < MAX_LONG_TASK_MS
    print(
        f"{CROWD} tasks at once: {many['succeeded']:.0f} succeeded in {many['seconds']:.1f} s; "
        f"page long tasks {many['long_s']:.2f} s in all, the longest {many['longest_ms']:.0f} ms "
        f"(aim {MAX_LONG_TASK_MS:.0f} ms): {'kept' if calm else 'MISSED'}; "
        f"at most {many['rows']:.0f} rows and {many['nodes']:.0f} elements in the panel"
    )
    print(json.dumps({"log": log, "crowd": many}))
    print(json.dumps({"cancel_ms": [round(w, 1) for w in waits], **figures}))
    return kept


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
