import { describe, expect, it } from 'vitest';
import type { Task } from '../src/messages.gen';
import { EMPTY_SESSION, reduce } from '../src/panel/store';
import { countTasks, groupTasks, isLastInLine, rowHeight, windowOf } from '../src/panel/tasklist';
import { aState, aTask, aTurn } from './entities';

function session(...tasks: Partial<Task>[]) {
  return reduce(EMPTY_SESSION, aState({ turns: [aTurn()], tasks: tasks.map((task, index) => aTask({ id: index + 1, ...task })) }));
}

function ids(groups: ReturnType<typeof groupTasks>) {
  return Object.fromEntries(groups.map(group => [group.name, group.tasks.map(task => task.id)]));
}

describe('groupTasks', () => {
  it('puts what runs first, then what waits in the order in which it will start, then what ended last', () => {
    const groups = groupTasks(
      session(
        { state: 'succeeded', ended_at: 10 },
        { state: 'queued', area: 'shell', queue_position: 2 },
        { state: 'queued', area: 'shell', queue_position: 1 },
        { state: 'failed', ended_at: 20 },
        { state: 'running', started_at: 5 },
        { state: 'awaiting_approval', area: 'tests' },
        { state: 'succeeded', earlier: true, ended_at: 30 }
      ),
      'all',
      ''
    );
    expect(groups.map(group => group.name)).toEqual(['running', 'waiting', 'ended', 'earlier']);
    expect(ids(groups)).toEqual({ running: [5], waiting: [6, 3, 2], ended: [4, 1], earlier: [7] });
  });

  it('counts interrupted tasks among those that need a look', () => {
    const shown = groupTasks(session({ state: 'interrupted' }, { state: 'cancelled' }, { state: 'failed' }), 'failed', '');
    expect(ids(shown)).toEqual({ ended: [3, 1] });
  });

  it('finds every word, in the title, the phrase, the summary or the number', () => {
    const all = session({ title: 'run_shell make docs' }, { title: 'run_tests tests/unit' });
    expect(ids(groupTasks(all, 'all', 'DOCS make'))).toEqual({ running: [1] });
    expect(ids(groupTasks(all, 'all', 'run the tests unit'))).toEqual({ running: [2] });
    expect(groupTasks(all, 'all', 'nothing like it')).toEqual([]);
  });
});

describe('countTasks', () => {
  it('counts what each filter lets through', () => {
    const { tasks } = session({ state: 'running' }, { state: 'queued' }, { state: 'awaiting_approval' }, { state: 'failed' });
    expect(countTasks(tasks.values())).toEqual({ all: 4, running: 1, waiting: 2, failed: 1 });
  });
});

describe('isLastInLine', () => {
  it('takes the notebook and its variables for one line, and the shell for another', () => {
    const first = aTask({ id: 1, state: 'queued', area: 'notebook', queue_position: 1 });
    const behind = aTask({ id: 2, state: 'queued', area: 'data', queue_position: 2 });
    const elsewhere = aTask({ id: 3, state: 'queued', area: 'shell', queue_position: 3 });
    expect(isLastInLine(first, [first, behind, elsewhere])).toBe(false);
    expect(isLastInLine(behind, [first, behind, elsewhere])).toBe(true);
  });
});

describe('windowOf', () => {
  const heights = Array.from({ length: 500 }, () => 50);

  it('keeps few rows of many in the page, and the length of all', () => {
    for (const top of [0, 3_000, 24_000, 25_000]) {
      const { from, to, before, after } = windowOf(heights, top, 600);
      expect(to - from).toBeLessThanOrEqual(24);
      expect(before + after + (to - from) * 50).toBe(25_000);
      expect(before).toBeLessThanOrEqual(top);
    }
  });

  it('draws all of a short list', () => {
    expect(windowOf([50, 76, 77], 0, 600)).toEqual({ from: 0, to: 3, before: 0, after: 0 });
  });
});

describe('rowHeight', () => {
  it('has room for the bar, the newest line, and the buttons of the queue', () => {
    const plain = rowHeight(aTask({ state: 'succeeded' }));
    const progress = { fraction: 0.5, label: '', done: null, total: null, unit: '' };
    expect(rowHeight(aTask({ progress }))).toBeGreaterThan(plain);
    expect(rowHeight(aTask({ tail: 'x' }))).toBeGreaterThan(plain);
    expect(rowHeight(aTask({ state: 'queued', queue_position: 1 }))).toBeGreaterThan(plain);
  });
});
