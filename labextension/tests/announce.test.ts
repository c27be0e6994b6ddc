import { describe, expect, it } from 'vitest';
import { announcementOf } from '../src/panel/announce';
import { EMPTY_SESSION, reduce } from '../src/panel/store';
import { aState, aTask, aTurn } from './entities';

describe('announcementOf', () => {
  it('reads a final transcript once, and never a partial one', () => {
    let session = reduce(EMPTY_SESSION, aState());
    const partial = { type: 'turn', turn: aTurn({ partial: true, text: 'run the' }) } as const;
    expect(announcementOf(session, partial)).toBeNull();
    session = reduce(session, partial);
    const final = { type: 'turn', turn: aTurn() } as const;
    expect(announcementOf(session, final)).toEqual({ text: 'Heard: run the tests', urgent: false });
    session = reduce(session, final);
    expect(announcementOf(session, final)).toBeNull();
  });

  it('tells the end of a task, urgently when it failed', () => {
    const session = reduce(EMPTY_SESSION, aState({ tasks: [aTask()] }));
    expect(announcementOf(session, { type: 'task', task: aTask({ state: 'succeeded' }) })).toEqual({
      text: 'Task 7 done: run_tests',
      urgent: false
    });
    expect(announcementOf(session, { type: 'task', task: aTask({ state: 'failed' }) })?.urgent).toBe(true);
    expect(announcementOf(session, { type: 'task', task: aTask({ progress: { fraction: 0.5, label: '', done: null, total: null, unit: '' } }) })).toBeNull();
  });

  it('tells a problem once, though the task and its turn both have it', () => {
    const problem = { kind: 'ValueError', message: 'Cell 3 raised', hint: '', retryable: false };
    const before = reduce(EMPTY_SESSION, aState({ turns: [aTurn()], tasks: [aTask()] }));
    const turn = { type: 'turn', turn: aTurn({ state: 'failed', problem }) } as const;
    expect(announcementOf(before, turn)).toEqual({ text: 'Cell 3 raised', urgent: true });
    const task = { type: 'task', task: aTask({ state: 'failed', problem }) } as const;
    expect(announcementOf(before, task)?.urgent).toBe(true);
    expect(announcementOf(reduce(before, task), turn)).toBeNull();
  });

  it('interrupts for an approval, once', () => {
    const approval = {
      id: 1, task_id: 7, tool: 'run_shell', arguments: { command: 'make' }, target: 'make', reason: 'It installs.',
      state: 'open', created_at: 1, shown_at: null, diff: null, fields: [] as never[]
    } as const;
    const message = { type: 'approval', approval } as const;
    const said = announcementOf(EMPTY_SESSION, message);
    expect(said).toEqual({ text: 'Approval 1 needed: run_shell(command="make"). It installs.', urgent: true });
    expect(announcementOf(reduce(EMPTY_SESSION, message), message)).toBeNull();
  });
});
