import { describe, expect, it, vi } from 'vitest';
import { EMPTY_SESSION, MAX_TAIL_CHARS, MAX_TAIL_LINES, Store, clipTail, reduce } from '../src/panel/store';
import { aState, aTask, aTurn } from './entities';

describe('reduce', () => {
  it('rebuilds everything from a State', () => {
    const old = reduce(EMPTY_SESSION, { type: 'turn', turn: aTurn({ id: 9 }) });
    const next = reduce(old, aState({ turns: [aTurn()], tasks: [aTask()] }));
    expect([...next.turns.keys()]).toEqual([1]);
    expect([...next.tasks.keys()]).toEqual([7]);
  });

  it('keeps the newest version of an entity, in its place', () => {
    let session = reduce(EMPTY_SESSION, aState({ turns: [aTurn(), aTurn({ id: 2 })] }));
    session = reduce(session, { type: 'turn', turn: aTurn({ state: 'succeeded' }) });
    expect([...session.turns.values()].map(turn => [turn.id, turn.state])).toEqual([
      [1, 'succeeded'],
      [2, 'running']
    ]);
  });

  it('keeps widgets as their updates leave them, and draws their tasks anew', () => {
    const root = { type: 'Card', children: [{ type: 'Text', id: 't', value: 'A' }] };
    const widget = { id: 'w', task_id: 7, root, copy_text: '' };
    const begun = reduce(EMPTY_SESSION, aState({ tasks: [aTask()], widgets: [widget] }));
    const update = { type: 'widget.streaming_text.value_delta', component_id: 't', delta: ' seat', done: true };
    const next = reduce(begun, { type: 'widget_update', widget_id: 'w', update });
    expect(next.widgets.get('w')?.root).toMatchObject({ children: [{ value: 'A seat' }] });
    expect(next.tasks.get(7)).not.toBe(begun.tasks.get(7));
    expect(reduce(next, { type: 'widget_update', widget_id: 'unknown', update })).toBe(next);
    expect(reduce(next, { type: 'widget', widget: { ...widget, root: { type: 'Basic' } } }).widgets.get('w')?.root).toEqual({ type: 'Basic' });
  });

  it('forgets the oldest widgets', () => {
    let session = EMPTY_SESSION;
    for (let n = 0; n < 60; n++) {
      session = reduce(session, { type: 'widget', widget: { id: String(n), task_id: 0, root: { type: 'Card' }, copy_text: '' } });
    }
    expect(session.widgets.size).toBe(50);
    expect(session.widgets.has('59')).toBe(true);
  });

  it('does not change what it was given', () => {
    const before = reduce(EMPTY_SESSION, aState({ tasks: [aTask()] }));
    reduce(before, { type: 'task_output', task_id: 7, text: 'x', output_bytes: 1, skipped_bytes: 0 });
    expect(before.tasks.get(7)?.tail).toBe('');
  });

  it('appends output to the tail and adds up what went by unseen', () => {
    let session = reduce(EMPTY_SESSION, aState({ tasks: [aTask({ tail: 'a\n' })] }));
    session = reduce(session, { type: 'task_output', task_id: 7, text: 'b\n', output_bytes: 4, skipped_bytes: 10 });
    session = reduce(session, { type: 'task_output', task_id: 7, text: 'c\n', output_bytes: 6, skipped_bytes: 5 });
    expect(session.tasks.get(7)).toMatchObject({ tail: 'a\nb\nc\n', output_bytes: 6 });
    expect(session.skipped.get(7)).toBe(15);
  });

  it('appends to a streamed answer', () => {
    let session = reduce(EMPTY_SESSION, aState({ turns: [aTurn({ route: 'model', answer: 'Two ' })] }));
    session = reduce(session, { type: 'answer_delta', turn_id: 1, text: 'things' });
    expect(session.turns.get(1)?.answer).toBe('Two things');
  });

  it('ignores deltas of entities that it does not know', () => {
    expect(reduce(EMPTY_SESSION, { type: 'answer_delta', turn_id: 1, text: 'x' })).toBe(EMPTY_SESSION);
    expect(
      reduce(EMPTY_SESSION, { type: 'task_output', task_id: 1, text: 'x', output_bytes: 1, skipped_bytes: 0 })
    ).toBe(EMPTY_SESSION);
  });

  it('keeps what it was told of MCP servers over a new State', () => {
    const told = reduce(EMPTY_SESSION, {
      type: 'servers', servers: [], registry: 'r', secrets_place: 'p', configs: [], problem: null
    });
    const session = reduce(told, aState());
    expect(session.servers?.registry).toBe('r');
  });

  it('survives a message of a newer kernel', () => {
    expect(reduce(EMPTY_SESSION, { type: 'hologram' } as never)).toBe(EMPTY_SESSION);
  });

  it('keeps at most 200 turns, dropping the oldest', () => {
    let session = EMPTY_SESSION;
    for (let id = 1; id <= 210; id++) {
      session = reduce(session, { type: 'turn', turn: aTurn({ id }) });
    }
    expect(session.turns.size).toBe(200);
    expect(session.turns.has(10)).toBe(false);
    expect(session.turns.has(210)).toBe(true);
  });

  it('shows no turn any more that was talk', () => {
    const before = reduce(EMPTY_SESSION, aState({ turns: [aTurn(), aTurn({ id: 2, state: 'listening' })] }));
    const after = reduce(before, { type: 'turn', turn: aTurn({ id: 2, state: 'dismissed' }) });
    expect([...after.turns.keys()]).toEqual([1]);
  });

  it('never drops a task that has not ended', () => {
    let session = reduce(EMPTY_SESSION, { type: 'task', task: aTask({ id: 1 }) });
    for (let id = 2; id <= 520; id++) {
      session = reduce(session, { type: 'task', task: aTask({ id, state: 'succeeded' }) });
    }
    expect(session.tasks.size).toBe(500);
    expect(session.tasks.has(1)).toBe(true);
    expect(session.tasks.has(2)).toBe(false);
  });

  it('follows progress and the order of a queue', () => {
    const queued = { state: 'queued', queue_position: 1 } as const;
    let session = reduce(EMPTY_SESSION, aState({ tasks: [aTask(), aTask({ id: 8, ...queued }), aTask({ id: 9, ...queued })] }));
    const progress = { fraction: 0.5, label: '', done: 1, total: 2, unit: 'files' };
    session = reduce(session, { type: 'task_progress', task_id: 7, progress });
    session = reduce(session, { type: 'queue', lane: 'tests', tasks: [9, 8, 99] });
    expect(session.tasks.get(7)?.progress).toEqual(progress);
    expect([8, 9].map(id => session.tasks.get(id)?.queue_position)).toEqual([2, 1]);
    expect(session.tasks.has(99)).toBe(false);
  });

  it('shows the same notice once, and four at most', () => {
    let session = EMPTY_SESSION;
    for (const message of ['a', 'b', 'a', 'c', 'd', 'e']) {
      session = reduce(session, { type: 'notice', level: 'info', message, hint: '' });
    }
    expect(session.notices.map(notice => notice.message)).toEqual(['a', 'c', 'd', 'e']);
  });
});

describe('clipTail', () => {
  it('keeps what is short', () => {
    expect(clipTail('one\ntwo\n')).toBe('one\ntwo\n');
    expect(clipTail('')).toBe('');
  });

  it('keeps the newest 300 lines', () => {
    const clipped = clipTail(Array.from({ length: 500 }, (_, n) => `${n}\n`).join(''));
    expect(clipped.split('\n').length - 1).toBe(MAX_TAIL_LINES);
    expect(clipped.startsWith('200\n')).toBe(true);
    expect(clipped.endsWith('499\n')).toBe(true);
  });

  it('keeps at most 8 KB, from the start of a line', () => {
    const clipped = clipTail(Array.from({ length: 400 }, (_, n) => `${n} ${'x'.repeat(80)}\n`).join(''));
    expect(clipped.length).toBeLessThanOrEqual(MAX_TAIL_CHARS);
    expect(clipped).toMatch(/^\d+ x/);
  });

  it('cuts a line that never ends', () => {
    expect(clipTail('x'.repeat(50_000)).length).toBe(MAX_TAIL_CHARS);
  });
});

describe('Store', () => {
  it('draws the first change after a rest at once, and all that follows within a frame together', async () => {
    const frames: FrameRequestCallback[] = [];
    let now = 1_000;
    vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) => frames.push(callback));
    vi.stubGlobal('performance', { now: () => now });
    const store = new Store();
    const draw = vi.fn();
    store.listen(draw);
    store.receive(aState({ tasks: [aTask()] }));
    store.update({ draft: 'x' });
    expect(draw).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(draw).toHaveBeenCalledTimes(1);
    now += 5;
    for (let n = 0; n < 100; n++) {
      store.receive({ type: 'task_output', task_id: 7, text: 'line\n', output_bytes: n, skipped_bytes: 0 });
    }
    await Promise.resolve();
    expect(frames).toHaveLength(1);
    expect(draw).toHaveBeenCalledTimes(1);
    now += 11;
    frames[0]!(0);
    expect(draw).toHaveBeenCalledTimes(2);
    now += 100;
    store.update({ draft: 'y' });
    await Promise.resolve();
    expect(draw).toHaveBeenCalledTimes(3);
    expect(frames).toHaveLength(1);
    vi.unstubAllGlobals();
  });

  it('draws nothing while nobody sees the page', async () => {
    const frames: FrameRequestCallback[] = [];
    vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) => frames.push(callback));
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
    const store = new Store();
    const draw = vi.fn();
    store.listen(draw);
    store.update({ draft: 'x' });
    await Promise.resolve();
    expect(draw).not.toHaveBeenCalled();
    expect(frames).toHaveLength(1);
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
});
