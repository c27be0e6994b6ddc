import { describe, expect, it } from 'vitest';
import { folded, rowsOf } from '../src/panel/diff';

const kinds = (before: string, after: string): string[] => rowsOf(before, after).map(row => row.kind);

describe('rowsOf', () => {
  it('puts a changed line beside the line it was', () => {
    const rows = rowsOf('a\nb\nc', 'a\nB\nc');
    expect(rows.map(row => row.kind)).toEqual(['same', 'changed', 'same']);
    expect(rows[1]).toEqual({ kind: 'changed', before: [2, 'b'], after: [2, 'B'] });
  });

  it('knows lines that came and lines that went', () => {
    expect(kinds('a\nc', 'a\nb\nc')).toEqual(['same', 'added', 'same']);
    expect(kinds('a\nb\nc', 'a\nc')).toEqual(['same', 'removed', 'same']);
    expect(kinds('', 'a\nb')).toEqual(['added', 'added']);
    expect(kinds('a', '')).toEqual(['removed']);
    expect(kinds('a', 'a')).toEqual(['same']);
  });

  it('keeps what is common in the middle of changes', () => {
    expect(rowsOf('x\nkeep\ny', 'p\nq\nkeep\nz').map(row => row.after?.[1] ?? null)).toEqual(['p', 'q', 'keep', 'z']);
  });

  it('shows the rest of a huge change as one block instead of comparing for ever', () => {
    const many = (word: string): string => Array.from({ length: 3_000 }, (_, at) => `${word}${at}`).join('\n');
    // Compared, the line that both have would stand beside itself.
    const rows = rowsOf(`${many('a')}\nkept\nlast`, `first\nkept\n${many('b')}`);
    expect(rows).toHaveLength(3_002);
    expect(new Set(rows.map(row => row.kind))).toEqual(new Set(['changed']));
  });

  it('every line of both texts is there once, in order', () => {
    const before = 'import a\nx = 1\ny = 2\n\nprint(x)\nprint(y)';
    const after = 'import a\nimport b\ny = 2\nx = 1\nprint(x, y)\nprint(y)';
    const rows = rowsOf(before, after);
    expect(rows.flatMap(row => (row.before ? [row.before[1]] : [])).join('\n')).toBe(before);
    expect(rows.flatMap(row => (row.after ? [row.after[1]] : [])).join('\n')).toBe(after);
  });
});

describe('folded', () => {
  it('leaves equal lines out that are far from a change, and says how many', () => {
    const text = Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\n');
    const shown = folded(rowsOf(text, text.replace('line 15', 'changed')));
    expect(shown.filter(row => typeof row === 'number')).toEqual([12, 11]);
    expect(shown).toHaveLength(9);
  });
});
