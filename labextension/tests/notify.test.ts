import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Task } from '../src/messages.gen';
import { type Ending, Notifier, endingsOf } from '../src/panel/notify';
import { EMPTY_SESSION, reduce } from '../src/panel/store';
import { aState, aTask } from './entities';

const REPORT = { passed: 45, failed: 1, errors: 1, skipped: 0, duration_s: 1, cases: [] };
const RESULT = { summary: '', text: '', code: '', outputs: [], tests: null, exit_code: null, data: {}, widgets: [] };

function ending(change: Partial<Task>, before: Partial<Task> = {}) {
  const task = aTask({ started_at: 100, ...before });
  const session = reduce(EMPTY_SESSION, aState({ tasks: [task] }));
  return endingsOf(session, { type: 'task', task: { ...task, state: 'succeeded', ended_at: 190, ...change } });
}

describe('endingsOf', () => {
  it('tells of a task that took longer than the kernel says is worth it', () => {
    expect(ending({})).toHaveLength(1);
    expect(ending({ ended_at: 119 })).toEqual([]);
  });

  it('says how tests went, and nothing of the command', () => {
    const [said] = ending({ state: 'failed', title: 'run_tests secret_path', result: { ...RESULT, summary: 'test_password failed', tests: REPORT } });
    expect(said).toMatchObject({
      title: 'Tests: 2 failed, 45 passed', body: 'Task 7, after 1 min 30 s.', spoken: 'Done: Tests, 2 failed'
    });
    expect(JSON.stringify(said)).not.toMatch(/secret|password/);
  });

  it('keeps code, commands and summaries of other tasks to itself', () => {
    const [said] = ending(
      { state: 'failed', title: 'run_shell curl -H token', result: { ...RESULT, summary: 'token abc' } },
      { area: 'shell', tool: 'run_shell' }
    );
    expect(said).toMatchObject({ title: 'Command: Failed', spoken: 'Failed: Command' });
    expect(JSON.stringify(said)).not.toMatch(/curl|token/);
  });

  it('is silent about what a person cancelled, what was known, and what is new', () => {
    expect(ending({ state: 'cancelled' })).toEqual([]);
    expect(ending({}, { state: 'succeeded' })).toEqual([]);
    const task = aTask({ state: 'succeeded', started_at: 1, ended_at: 100 });
    expect(endingsOf(reduce(EMPTY_SESSION, aState()), { type: 'task', task })).toEqual([]);
  });

  it('tells of what ended while the connection was away', () => {
    const task = aTask({ started_at: 100 });
    const session = reduce(EMPTY_SESSION, aState({ tasks: [task] }));
    const later = aState({ tasks: [{ ...task, state: 'interrupted', ended_at: 500 }] });
    expect(endingsOf(session, later)[0]?.title).toBe('Tests: Interrupted');
  });
});

class Shown {
  static permission: NotificationPermission = 'default';
  static made: Shown[] = [];
  static requestPermission = vi.fn(async () => (Shown.permission = 'granted'));
  onclick: (() => void) | null = null;
  onclose: (() => void) | null = null;
  close = vi.fn();
  constructor(readonly title: string, readonly options: NotificationOptions) {
    Shown.made.push(this);
  }
}

describe('Notifier', () => {
  const said: string[] = [];
  let number = 0;
  const anEnding = (): Ending => ({
    key: `k${++number}`, taskId: 7, title: 'Tests: Done', body: 'Task 7, after 42 s.', spoken: 'Done: Tests'
  });

  beforeEach(() => {
    vi.useFakeTimers();
    Shown.permission = 'default';
    Shown.made = [];
    said.length = 0;
    window.localStorage.clear();
    vi.stubGlobal('Notification', Shown);
    vi.stubGlobal('isSecureContext', true);
    vi.stubGlobal('SpeechSynthesisUtterance', class { lang = ''; constructor(readonly text: string) {} });
    vi.stubGlobal('speechSynthesis', {
      speak: (utterance: { text: string }) => said.push(utterance.text), cancel: vi.fn(), getVoices: () => []
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('is silent until it is switched on', () => {
    new Notifier(vi.fn(), () => false).tell(anEnding());
    expect(Shown.made).toEqual([]);
    expect(said).toEqual([]);
  });

  it('asks the browser, shows, and leads to the task', async () => {
    const seen = vi.fn();
    const notifier = new Notifier(seen, () => false);
    expect(await notifier.show(true)).toBe('granted');
    notifier.tell(anEnding());
    expect(Shown.made[0]).toMatchObject({ title: 'Tests: Done', options: { body: 'Task 7, after 42 s.' } });
    Shown.made[0]!.onclick!();
    expect(seen).toHaveBeenCalledWith(7);
    expect(Shown.made[0]!.close).toHaveBeenCalled();
  });

  it('stays off where the browser says no', async () => {
    Shown.requestPermission.mockImplementationOnce(async () => (Shown.permission = 'denied'));
    const notifier = new Notifier(vi.fn(), () => false);
    expect(await notifier.show(true)).toBe('denied');
    expect(notifier.shows).toBe(false);
  });

  it('tells once of a task that several panels heard of', async () => {
    const one = new Notifier(vi.fn(), () => false);
    const other = new Notifier(vi.fn(), () => false);
    await one.show(true);
    const told = anEnding();
    one.tell(told);
    other.tell(told);
    expect(Shown.made).toHaveLength(1);
  });

  it('speaks when asked to, and not into an open microphone', () => {
    let listening = true;
    const notifier = new Notifier(vi.fn(), () => listening);
    notifier.speaks = true;
    notifier.tell(anEnding());
    expect(said).toEqual([]);
    listening = false;
    vi.advanceTimersByTime(1_100);
    expect(said).toEqual(['Done: Tests']);
  });

  it('takes its notifications down with the panel', async () => {
    const notifier = new Notifier(vi.fn(), () => false);
    await notifier.show(true);
    notifier.tell(anEnding());
    notifier.dispose();
    expect(Shown.made[0]!.close).toHaveBeenCalled();
  });
});
