"""What loading costs: `%load_ext`, the first `%voice help` and the first panel, in fresh kernels.

The peer is Jupyter AI 3's magics (`jupyter-ai-magic-commands`), in an environment of its own, measured in
the same run; bytecode is compiled on both sides.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

RUNS = 5
PEER = "jupyter-ai-magic-commands"
PEER_EXTENSION = "jupyter_ai_magic_commands"
MAX_CPU_S, MAX_RSS_MB = 0.10, 10.0

Costs = list[dict[str, float]]
"""What each step of one kernel cost."""

MEASURE = """
import gc as _gc, json as _json, os as _os, time as _time
def _rss():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * _os.sysconf("SC_PAGESIZE") / 1e6
def _cpu():
    return _time.process_time()
"""
STEP = """
_gc.collect(); _r, _c, _m, _w = _rss(), _cpu(), _time.thread_time(), _time.perf_counter()
{code}
_result = _json.dumps(dict(
    cpu_s=_cpu() - _c, main_s=_time.thread_time() - _m, rss_mb=_rss() - _r,
    wall_s=_time.perf_counter() - _w,
))
"""


def measure(python: Path, steps: list[str], folder: Path) -> Costs:
    """Run the steps in one fresh kernel of that Python; returns what each cost."""
    spec = folder / "kernels" / "bench"
    spec.mkdir(parents=True, exist_ok=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "bench", "language": "python"})
    )
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager
    from lab import isolated

    manager = KernelManager(kernel_name="bench")
    manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
    manager.start_kernel(cwd=str(folder), env=isolated(folder / "jupyter"))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(60)
    found: Costs = []
    try:
        client.execute_interactive(MEASURE, timeout=60, output_hook=lambda _: None)
        for step in steps:
            reply = client.execute_interactive(
                STEP.format(code=step), timeout=120, output_hook=lambda _: None,
                user_expressions={"result": "_result"},
            )  # fmt: skip
            if reply["content"]["status"] != "ok":
                raise RuntimeError(
                    f"{step}: {reply['content'].get('ename')}: {reply['content'].get('evalue')}"
                )
            text = reply["content"]["user_expressions"]["result"]["data"]["text/plain"]
            found.append(json.loads(text.strip("'\"")))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return found


def peer_environment(folder: Path) -> Path:
    """Make the peer's environment, once; returns its Python."""
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, PEER, "ipykernel"],
            check=True,
        )
        (folder / "ready").touch()
    return python


def main(out: Path) -> bool:
    """Print the figures; returns whether the budget is kept."""
    out = out.resolve()
    ours_python, peer_python = Path(sys.executable), peer_environment(out / "peer")
    load, first_help = "%load_ext voice_kernel", "%voice help"
    first_panel = "_panel = get_ipython().run_line_magic('voice', '')"
    helped: list[Costs] = []
    shown: list[Costs] = []
    peer: list[Costs] = []
    (out / "home").mkdir(parents=True, exist_ok=True)
    for _ in range(RUNS):  # interleaved, so that a noisy moment hits all
        helped.append(measure(ours_python, [load, first_help], out / "home"))
        shown.append(measure(ours_python, [load, first_panel], out / "home"))
        peer.append(measure(peer_python, [f"%load_ext {PEER_EXTENSION}"], out / "home"))

    def median(rows: list[Costs], step: int, key: str) -> float:
        return statistics.median(row[step][key] for row in rows)

    print(f"\nLoading, median of {RUNS} fresh kernels (CPU s, of the main thread, RSS MB added, wall s)")
    for label, rows, step in (
        (load, [*helped, *shown], 0),
        ("then the first %voice help", helped, 1),
        ("or then the first panel", shown, 1),
        (f"%load_ext {PEER_EXTENSION}", peer, 0),
    ):
        values = [median(rows, step, key) for key in ("cpu_s", "main_s", "rss_mb", "wall_s")]
        print(f"  {label:38} {values[0]:7.4f} {values[1]:7.4f} {values[2]:8.1f} {values[3]:8.3f}")
    cpu = median([*helped, *shown], 0, "cpu_s")
    rss = median([*helped, *shown], 0, "rss_mb")
    kept = cpu < MAX_CPU_S and rss < MAX_RSS_MB
    print(
        f"  budget {MAX_CPU_S} s CPU, {MAX_RSS_MB:.0f} MB: {'kept' if kept else 'MISSED'};"
        f" {cpu / median(peer, 0, 'cpu_s'):.3f}x the peer's CPU,"
        f" {rss / median(peer, 0, 'rss_mb'):.3f}x its RSS"
    )
    return kept


if __name__ == "__main__":
    sys.exit(0 if main(Path("out/bench")) else 1)
