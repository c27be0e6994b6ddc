/**
 * The change of one cell, before and after: side by side where there is room, else one below the other.
 *
 * A part of the panel: loaded when the first change is to be shown. It compares lines and draws them; what
 * becomes of the change is decided elsewhere.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Diff } from '../messages.gen';
import { Icon, usePanel } from './shared';

export interface Row {
  readonly kind: 'same' | 'changed' | 'added' | 'removed';
  /** Line number, from 1, and text; null where the side has no such line. */
  readonly before: readonly [number, string] | null;
  readonly after: readonly [number, string] | null;
}

/** Comparing takes a table of this size at most; larger changes are shown as one block. */
const MAX_TABLE = 2_000_000;
/** So many equal lines around a change are shown. */
const AROUND = 3;
/** Pixels from which two columns can be read beside each other. */
const WIDE_PX = 480;

/** Compares two texts line by line: the rows of both, changed lines beside each other. */
export function rowsOf(before: string, after: string): Row[] {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    start++;
  }
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) {
    end++;
  }
  const rows: Row[] = [];
  const same = (i: number, j: number): void => {
    rows.push({ kind: 'same', before: [i + 1, a[i] ?? ''], after: [j + 1, b[j] ?? ''] });
  };
  for (let i = 0; i < start; i++) {
    same(i, i);
  }
  changedRows(a.slice(start, a.length - end), b.slice(start, b.length - end), start, rows);
  for (let k = end; k > 0; k--) {
    same(a.length - k, b.length - k);
  }
  return rows;
}

function changedRows(a: readonly string[], b: readonly string[], offset: number, rows: Row[]): void {
  const kept = a.length * b.length <= MAX_TABLE ? commonLines(a, b) : [];
  let i = 0;
  let j = 0;
  const block = (toI: number, toJ: number): void => {
    while (i < toI || j < toJ) {
      const before = i < toI ? ([offset + i + 1, a[i] ?? ''] as const) : null;
      const after = j < toJ ? ([offset + j + 1, b[j] ?? ''] as const) : null;
      rows.push({ kind: before && after ? 'changed' : before ? 'removed' : 'added', before, after });
      i += before ? 1 : 0;
      j += after ? 1 : 0;
    }
  };
  for (const [x, y] of kept) {
    block(x, y);
    rows.push({ kind: 'same', before: [offset + x + 1, a[x] ?? ''], after: [offset + y + 1, b[y] ?? ''] });
    i = x + 1;
    j = y + 1;
  }
  block(a.length, b.length);
}

/** The longest common subsequence, as pairs of positions. */
function commonLines(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] =
        a[i] === b[j]
          ? (table[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      pairs.push([i++, j++]);
    } else if ((table[(i + 1) * width + j] ?? 0) >= (table[i * width + j + 1] ?? 0)) {
      i++;
    } else {
      j++;
    }
  }
  return pairs;
}

/** Leaves equal lines out that are far from every change; a number stands for how many. */
export function folded(rows: readonly Row[]): (Row | number)[] {
  const near = rows.map((_, at) =>
    rows.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(row => row.kind !== 'same')
  );
  const shown: (Row | number)[] = [];
  rows.forEach((row, at) => {
    const last = shown[shown.length - 1];
    if (near[at]) {
      shown.push(row);
    } else if (typeof last === 'number') {
      shown[shown.length - 1] = last + 1;
    } else {
      shown.push(1);
    }
  });
  return shown;
}

type Side = readonly [number, string] | null;

function Cells({ side, mark, word }: { side: Side; mark: '' | '+' | '−'; word: string }) {
  const tone = side && mark ? (mark === '+' ? 'vk-diff-added' : 'vk-diff-removed') : side ? '' : 'vk-diff-none';
  return (
    <>
      <td class={`vk-diff-number ${tone}`}>{side?.[0]}</td>
      <td class={`vk-diff-line ${tone}`}>
        {side && mark && (
          <span class="vk-diff-mark">
            <span aria-hidden="true">{mark}</span>
            <span class="vk-hidden">{word} </span>
          </span>
        )}
        {side?.[1]}
      </td>
    </>
  );
}

function Lines({ diff, wide }: { diff: Diff; wide: boolean }) {
  const { trans } = usePanel();
  const shown = folded(rowsOf(diff.before, diff.after));
  const removed = trans.__('removed:');
  const added = trans.__('added:');
  return (
    <table class="vk-diff-table" data-wide={wide}>
      <caption class="vk-hidden">{trans.__('Changes of %1', diff.name)}</caption>
      {wide && (
        <colgroup>
          <col class="vk-diff-numbers" />
          <col />
          <col class="vk-diff-numbers" />
          <col />
        </colgroup>
      )}
      {wide && (
        <thead>
          <tr>
            <th colSpan={2}>{trans.__('Now')}</th>
            <th colSpan={2}>{trans.__('Proposed')}</th>
          </tr>
        </thead>
      )}
      <tbody>
        {shown.map((row, at) => {
          if (typeof row === 'number') {
            return (
              <tr key={at} class="vk-diff-fold">
                <td colSpan={wide ? 4 : 2}>{trans._n('%1 equal line', '%1 equal lines', row)}</td>
              </tr>
            );
          }
          const changed = row.kind !== 'same';
          if (wide) {
            return (
              <tr key={at} data-kind={row.kind}>
                <Cells side={row.before} mark={changed ? '−' : ''} word={removed} />
                <Cells side={row.after} mark={changed ? '+' : ''} word={added} />
              </tr>
            );
          }
          if (!changed) {
            return (
              <tr key={at}>
                <Cells side={row.after} mark="" word="" />
              </tr>
            );
          }
          return [
            row.before && (
              <tr key={`-${at}`} data-kind={row.kind}>
                <Cells side={row.before} mark="−" word={removed} />
              </tr>
            ),
            row.after && (
              <tr key={`+${at}`} data-kind={row.kind}>
                <Cells side={row.after} mark="+" word={added} />
              </tr>
            )
          ];
        })}
      </tbody>
    </table>
  );
}

/** The change, with a button that shows it side by side over the whole page where the panel is narrow. */
export function DiffView({ diff }: { diff: Diff }) {
  const { trans } = usePanel();
  const frame = useRef<HTMLDivElement>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const [wide, setWide] = useState(false);
  const [large, setLarge] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (!element) {
      return undefined;
    }
    const observer = new ResizeObserver(() => setWide(element.clientWidth >= WIDE_PX));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (large) {
      dialog.current?.showModal();
    }
  }, [large]);
  const close = (): void => dialog.current?.close();
  return (
    <div ref={frame} class="vk-diff" role="region" aria-label={trans.__('Changes of %1', diff.name)} tabIndex={0}>
      <Lines diff={diff} wide={wide} />
      {!wide && diff.before !== '' && diff.after !== '' && (
        <button type="button" class="vk-link vk-diff-enlarge" onClick={() => setLarge(true)}>
          {trans.__('Side by side')}
        </button>
      )}
      {large && (
        <dialog
          ref={dialog}
          class="vk-diff-dialog"
          aria-label={trans.__('Changes of %1', diff.name)}
          onClose={() => setLarge(false)}
        >
          <header>
            <h2>{diff.name}</h2>
            <button type="button" class="vk-icon-button" aria-label={trans.__('Close')} onClick={close}>
              <Icon name="cross" />
            </button>
          </header>
          <div class="vk-diff-scroll" tabIndex={0}>
            <Lines diff={diff} wide />
          </div>
        </dialog>
      )}
    </div>
  );
}
