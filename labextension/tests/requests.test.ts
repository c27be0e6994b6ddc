import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToKernel } from '../src/messages.gen';
import { PATIENCE_MS, Requests, Unanswered, problemOf } from '../src/panel/requests';

const THREADS = { threads: [], more: false, problem: null };

describe('Requests', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function asked(goesOut = true) {
    const sent: ToKernel[] = [];
    const requests = new Requests(message => {
      sent.push(message);
      return goesOut;
    });
    const ask = () => requests.ask('list_threads', { query: '', everywhere: false, before: null, limit: 50 });
    return { requests, sent, ask };
  }

  it('hands each answer to who asked, whatever the order', async () => {
    const { requests, sent, ask } = asked();
    const first = ask();
    const second = ask();
    expect(sent.map(message => 'id' in message && message.id)).toEqual([1, 2]);
    expect(requests.receive({ type: 'threads', id: 2, ...THREADS, more: true })).toBe(true);
    requests.receive({ type: 'threads', id: 1, ...THREADS });
    expect((await first).more).toBe(false);
    expect((await second).more).toBe(true);
  });

  it('leaves what is no answer alone', () => {
    const { requests } = asked();
    expect(requests.receive({ type: 'notice', level: 'info', message: 'x', hint: '' })).toBe(false);
  });

  it('takes answers that nobody waits for any more', () => {
    const { requests } = asked();
    expect(requests.receive({ type: 'threads', id: 9, ...THREADS })).toBe(true);
  });

  it('rejects with the problem that came in place of an answer', async () => {
    const { requests, ask } = asked();
    const answer = ask();
    const problem = { kind: 'StoreClosed', message: 'The history is not open.', hint: '', retryable: true };
    requests.receive({ type: 'threads', id: 1, ...THREADS, problem });
    await expect(answer).rejects.toMatchObject({ problem });
  });

  it('gives up when there is no answer in time', async () => {
    const { ask } = asked();
    const answer = ask();
    const given = expect(answer).rejects.toBeInstanceOf(Unanswered);
    vi.advanceTimersByTime(PATIENCE_MS + 1);
    await given;
  });

  it('gives up at once when the kernel is gone, and when the panel goes', async () => {
    await expect(asked(false).ask()).rejects.toBeInstanceOf(Unanswered);
    const { requests, ask } = asked();
    const answer = ask();
    const given = expect(answer).rejects.toBeInstanceOf(Unanswered);
    requests.dispose();
    await given;
  });

  it('does not take a mistake of its own for a problem of the kernel', () => {
    expect(() => problemOf(new TypeError('x'))).toThrow(TypeError);
  });
});
