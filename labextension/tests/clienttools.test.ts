import { describe, expect, it, vi } from 'vitest';
import type { ClientAnswer, Task } from '../src/messages.gen';
import { CLIENT_TOOL, type ClientToolDetail, ClientTools } from '../src/panel/clienttools';
import { ENGLISH } from '../src/panel/translation';

function task(callId: string | null, id = 1): Task {
  const client_call = callId === null ? null : { id: callId, name: 'save_fact', arguments: { fact: 'It rains.' } };
  return { id, client_call } as Task;
}

function page(...handlers: ((detail: ClientToolDetail) => void)[]): { tools: ClientTools; answers: ClientAnswer[] } {
  const target = new EventTarget();
  const answers: ClientAnswer[] = [];
  for (const handle of handlers) {
    target.addEventListener(CLIENT_TOOL, event => handle((event as CustomEvent<ClientToolDetail>).detail));
  }
  return { tools: new ClientTools(target, ENGLISH, answer => answers.push(answer)), answers };
}

describe('a tool that asks the page to do something', () => {
  it('gets what the code of the page promises', async () => {
    const { tools, answers } = page(detail => detail.respondWith(Promise.resolve({ saved: detail.arguments['fact'] })));
    tools.see(task('call_1'));
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    expect(answers[0]).toEqual({ type: 'client_answer', call_id: 'call_1', result: { saved: 'It rains.' }, problem: '' });
  });

  it('is told that nobody in the page does that', async () => {
    const { tools, answers } = page(() => undefined);
    tools.see(task('call_1'));
    await vi.waitFor(() => expect(answers[0]?.problem).toBe('This page cannot do “save_fact”.'));
  });

  it.each([
    ['a refusal', (): unknown => Promise.reject(new Error('The shelf is full.')), 'The shelf is full.'],
    ['something that is no data', (): unknown => 10n, 'BigInt']
  ])('is told of %s', async (_, answer, problem) => {
    const { tools, answers } = page(detail => detail.respondWith(answer()));
    tools.see(task('call_1'));
    await vi.waitFor(() => expect(answers[0]?.problem).toContain(problem));
    expect(answers[0]?.result).toBeNull();
  });

  it('gets null for nothing, and the first answer of several', async () => {
    const { tools, answers } = page(
      detail => detail.respondWith(undefined),
      detail => detail.respondWith('second')
    );
    tools.see(task('call_1'));
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    expect(answers[0]?.result).toBeNull();
  });

  it('asks once, however often its task is told, and again with a new call', async () => {
    const { tools, answers } = page(detail => detail.respondWith(true));
    tools.see(task('call_1'));
    tools.see(task('call_1'));
    tools.see(task(null));
    tools.see(task('call_2'));
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    expect(answers.map(answer => answer.call_id)).toEqual(['call_1', 'call_2']);
  });
});
