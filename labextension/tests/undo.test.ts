import type { ICell } from '@jupyterlab/nbformat';
import { YNotebook } from '@jupyter/ydoc';
import { beforeEach, describe, expect, it } from 'vitest';
import { History, MAX_STEPS, idsOf, strays } from '../src/undo';

const CELLS = [
  { id: 'a', cell_type: 'code', source: 'x = 1', metadata: { tags: ['keep'] }, execution_count: 3,
    outputs: [{ output_type: 'stream', name: 'stdout', text: 'one\n' }] },
  { id: 'b', cell_type: 'markdown', source: '# B ![](attachment:i.png)', metadata: {},
    attachments: { 'i.png': { 'image/png': 'aGk=' } } },
  { id: 'c', cell_type: 'code', source: 'y', metadata: {}, execution_count: null, outputs: [] },
  { id: 'd', cell_type: 'raw', source: 'raw', metadata: { format: 'x' } }
] as unknown as ICell[];

function notebook(): YNotebook {
  const shared = YNotebook.create({ disableDocumentWideUndoRedo: true }) as YNotebook;
  shared.fromJSON({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: structuredClone(CELLS) });
  return shared;
}

function json(shared: YNotebook): string {
  return JSON.stringify(shared.toJSON());
}

describe('voice undo', () => {
  let shared: YNotebook;
  let history: History;
  let before: string;

  beforeEach(() => {
    shared = notebook();
    history = new History();
    before = json(shared);
  });

  function step(key: string, touched: string[], act: () => void): void {
    const recording = history.begin(key, shared, touched, true);
    act();
    recording.finish();
  }

  const cases: Record<string, [string[], (shared: YNotebook) => void]> = {
    'an inserted cell': [[], s => s.insertCell(2, { cell_type: 'code', source: 'new' })],
    'an edited cell': [['a'], s => s.getCell(0).setSource('x = 2')],
    'a deleted cell': [['b'], s => s.deleteCell(1)],
    'all cells deleted': [
      ['a', 'b', 'c', 'd'],
      s => {
        s.deleteCellRange(0, 4);
        s.insertCell(0, { cell_type: 'code', source: '' });
      }
    ],
    'a cell moved down': [['a'], s => s.moveCell(0, 3)],
    'a cell moved up': [['d'], s => s.moveCell(3, 0)],
    'cleared outputs': [
      ['a'],
      s => {
        const cell = s.getCell(0) as never as { setOutputs(o: []): void; execution_count: null };
        cell.setOutputs([]);
        cell.execution_count = null;
      }
    ],
    'another kind': [
      ['b'],
      s => {
        s.deleteCell(1);
        s.insertCell(1, { id: 'b', cell_type: 'code', source: '# B' });
      }
    ],
    'new metadata': [['d'], s => s.getCell(3).setMetadata({ format: 'y', more: 1 })],
    'a mixture': [
      ['a', 'c', 'd'],
      s => {
        s.deleteCell(2);
        s.getCell(0).setSource('changed');
        s.moveCell(2, 0);
        s.insertCell(1, { cell_type: 'markdown', source: 'note' });
      }
    ]
  };

  for (const [name, [touched, act]] of Object.entries(cases)) {
    it(`takes back ${name} exactly, and does it again exactly`, () => {
      step('1', touched, () => act(shared));
      const after = json(shared);
      expect(after).not.toBe(before);
      history.undo(shared);
      expect(json(shared)).toBe(before);
      history.redo(shared);
      expect(json(shared)).toBe(after);
    });
  }

  it('takes back all requests of one action at once', () => {
    step('7', [], () => shared.insertCell(0, { cell_type: 'code', source: 'one' }));
    const inserted = shared.getCell(0).getId();
    step('7', [inserted], () => shared.getCell(0).setSource('two'));
    step('7', ['c'], () => shared.deleteCell(3));
    history.undo(shared);
    expect(json(shared)).toBe(before);
    expect(history.undo(shared)).toBeNull();
  });

  it('works after a reload', () => {
    step('1', ['a'], () => shared.deleteCell(0));
    const stored = structuredClone(history.state);
    const reopened = YNotebook.create({ disableDocumentWideUndoRedo: true }) as YNotebook;
    reopened.fromJSON(shared.toJSON());
    const later = new History();
    later.restore(stored);
    later.undo(reopened);
    expect(json(reopened)).toBe(before);
  });

  it('changes nothing when the page was reloaded without the change', () => {
    step('1', ['a'], () => shared.deleteCell(0));
    const reopened = notebook();
    const later = new History();
    later.restore(structuredClone(history.state));
    expect(later.undo(reopened)?.changed).toEqual([]);
    expect(json(reopened)).toBe(before);
  });

  it('keeps what a person typed since', () => {
    step('1', ['a'], () => shared.getCell(0).setSource('by voice'));
    shared.getCell(0).setSource('by hand');
    expect(history.undo(shared)).toEqual({ changed: [], kept: 1 });
    expect(shared.getCell(0).getSource()).toBe('by hand');
  });

  it('does not remove an inserted cell that was typed into', () => {
    step('1', [], () => shared.insertCell(1, { cell_type: 'code', source: '' }));
    shared.getCell(1).setSource('work of an hour');
    expect(history.undo(shared)).toEqual({ changed: [], kept: 1 });
    expect(idsOf(shared)).toHaveLength(5);
  });

  it('leaves the outputs of later runs when it takes an edit back', () => {
    step('1', ['a'], () => shared.getCell(0).setSource('x = 2'));
    const outputs = [{ output_type: 'stream', name: 'stdout', text: 'later\n' }];
    (shared.getCell(0) as never as { setOutputs(o: unknown): void }).setOutputs(outputs);
    history.undo(shared);
    expect(shared.getCell(0).getSource()).toBe('x = 1');
    expect((shared.getCell(0).toJSON() as ICell)['outputs']).toEqual(outputs);
  });

  it('puts deleted cells back in their place among cells that came since', () => {
    step('1', ['b', 'c'], () => shared.deleteCellRange(1, 3));
    shared.insertCell(1, { id: 'mine', cell_type: 'code', source: 'mine' });
    history.undo(shared);
    expect(idsOf(shared).filter(id => id !== 'mine')).toEqual(['a', 'b', 'c', 'd']);
  });

  it('remembers nothing of an action that changed nothing', () => {
    step('1', ['a'], () => shared.getCell(0).setSource('x = 1'));
    expect(history.undo(shared)).toBeNull();
  });

  it('forgets what was undone when something new is done', () => {
    step('1', ['a'], () => shared.getCell(0).setSource('one'));
    history.undo(shared);
    step('2', ['a'], () => shared.getCell(0).setSource('two'));
    expect(history.redo(shared)).toBeNull();
  });

  it('keeps a bounded number of steps', () => {
    for (let i = 0; i < MAX_STEPS + 10; i++) {
      step(String(i), ['a'], () => shared.getCell(0).setSource(`x = ${i + 2}`));
    }
    expect(history.state.done).toHaveLength(MAX_STEPS);
  });

  it('makes a notebook what a snapshot was, and takes that back', () => {
    const snapshot = shared.toJSON().cells;
    shared.deleteCellRange(0, 2);
    shared.moveCell(1, 0);
    shared.insertCell(1, { cell_type: 'code', source: 'since' });
    const now = json(shared);
    history.replace('r', shared, snapshot);
    expect(json(shared)).toBe(before);
    history.undo(shared);
    expect(json(shared)).toBe(now);
  });
});

describe('strays', () => {
  it('moves as few cells as possible', () => {
    expect(strays(['b', 'c', 'd', 'a'], ['a', 'b', 'c', 'd'])).toEqual(['a']);
    expect(strays(['a', 'b', 'c', 'd'], ['b', 'c', 'd', 'a'])).toEqual(['a']);
    expect(strays(['a', 'b'], ['a', 'b'])).toEqual([]);
  });
});
