"""Widgets: updating a table of 200 rows, beside a plain DOM update of the same table in the same page.

Both tables have the same elements and classes, and both are laid out after each update. The peer writes the
new texts straight into the cells that it knows; ours is handed a whole new root, as ChatKit sends it, finds
out what changed and draws that. Where little changed, most of ours is finding out: that is printed, and has
no budget.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from lab import chromium
from widget_page import WidgetPage

ROWS, COLUMNS, RUNS = 200, 5, 40
MAX_RATIO = 2.0

SET_UP = f"""() => {{
  const cell = value => ({{ type: 'Table.Cell', children: [{{ type: 'Text', value }}] }});
  window.make = turn => ({{ type: 'Card', size: 'full', children: [{{ type: 'Table', children:
    Array.from({{ length: {ROWS} }}, (_, row) => ({{ type: 'Table.Row', key: `r${{row}}`, children:
      Array.from({{ length: {COLUMNS} }}, (_, column) => cell(window.word(row, column, turn))) }})) }}] }});
}}"""

MEASURE = """async ([runs, rows, columns]) => {
  const host = document.getElementById('host');
  show(make(0));
  const peer = host.cloneNode(true);
  peer.id = 'peer';
  const texts = [...peer.querySelectorAll('td')].map(cell => cell.firstElementChild.firstChild);
  const settle = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const roots = Array.from({ length: runs + 2 }, (_, turn) => JSON.stringify(make(turn)));
  const ours = async turn => {
    const widget = JSON.parse(roots[turn]);
    const begin = performance.now();
    update({ type: 'widget.root.updated', widget });
    void host.offsetHeight;
    return performance.now() - begin;
  };
  const theirs = async turn => {
    const begin = performance.now();
    for (let at = 0; at < texts.length; at++) {
      texts[at].data = word(Math.floor(at / columns), at % columns, turn);
    }
    void peer.offsetHeight;
    return performance.now() - begin;
  };
  const found = { ours: [], plain: [] };
  for (let turn = 1; turn < runs + 2; turn++) {
    document.body.append(host);
    peer.remove();
    await settle();
    const mine = await ours(turn);
    host.remove();
    document.body.append(peer);
    await settle();
    const plain = await theirs(turn);
    // The first is for the compiler.
    if (turn > 1) {
      found.ours.push(mine);
      found.plain.push(plain);
    }
  }
  const cells = [...host.querySelectorAll('td')].map(cell => cell.textContent);
  const same = cells.every((cell, at) => cell === texts[at].data);
  const median = list => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  return {
    ours_ms: median(found.ours),
    plain_ms: median(found.plain),
    same: same && cells.length === rows * columns,
  };
}"""

WORDS = {
    "every cell": "(row, column, turn) => `${row}.${column} at ${turn}`",
    "one row in ten": "(row, column, turn) => row % 10 ? `${row}.${column}` : `${row}.${column} at ${turn}`",
}
"""What stands in a cell after which update; the first is held to the budget."""


def main() -> bool:
    """Print the figures; returns whether the budget is kept."""
    figures: dict[str, dict[str, Any]] = {}
    with chromium() as browser:
        for name, word in WORDS.items():
            page = browser.new_page(viewport={"width": 1000, "height": 900})
            WidgetPage(page, width=900)
            page.evaluate(f"() => {{ window.word = {word}; }}")
            page.evaluate(SET_UP)
            figures[name] = page.evaluate(MEASURE, [RUNS, ROWS, COLUMNS])
            page.close()
    kept = all(found["same"] for found in figures.values())
    for name, found in figures.items():
        ratio = found["ours_ms"] / found["plain_ms"]
        verdict = "no budget"
        if name == next(iter(WORDS)):
            kept = kept and ratio <= MAX_RATIO
            verdict = f"budget {MAX_RATIO:.0f}: {'kept' if ratio <= MAX_RATIO else 'MISSED'}"
        print(
            f"Widget table of {ROWS} rows and {COLUMNS} columns, {name} changed, laid out: "
            f"{found['ours_ms']:.1f} ms, plain DOM {found['plain_ms']:.1f} ms, {ratio:.2f} times ({verdict})"
        )
    print(json.dumps(figures))
    return kept


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
