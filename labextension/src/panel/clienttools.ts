/**
 * What tools ask the page to do, as ChatKit's client tools do, and what came of it.
 *
 * The panel knows none itself: the page's own code (an embedding page, an anywidget, another extension) hears
 * of a call as an event, and promises the answer as a service worker does, with `respondWith`:
 *
 *     addEventListener('voice-kernel:client-tool', event => {
 *       if (event.detail.name === 'save_fact') {
 *         event.detail.respondWith(save(event.detail.arguments));
 *       }
 *     });
 *
 * It does not know whose turn a call belongs to.
 */
import type { ClientAnswer, ClientCall, Task } from '../messages.gen';
import type { Translator } from './translation';

export const CLIENT_TOOL = 'voice-kernel:client-tool';

export interface ClientToolDetail {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Says what the answer is, or a promise of it: plain data. The first who says so answers. */
  respondWith(answer: unknown): void;
}

const MAX_PROBLEM_CHARS = 500;

export class ClientTools {
  /** By task, the call that was carried out last: a state that comes again asks for nothing twice. */
  private readonly begun = new Map<number, string>();

  constructor(
    private readonly page: EventTarget,
    private readonly trans: Translator,
    private readonly answer: (answer: ClientAnswer) => void
  ) {}

  /** Carries out what a task asks for, if it asks for something new. */
  see(task: Task): void {
    const call = task.client_call;
    if (!call) {
      this.begun.delete(task.id);
    } else if (this.begun.get(task.id) !== call.id) {
      this.begun.set(task.id, call.id);
      void this.carryOut(call);
    }
  }

  private async carryOut(call: ClientCall): Promise<void> {
    let result: unknown = null;
    let problem = '';
    try {
      // As data: what cannot be sent is known here, and the answer says so.
      result = JSON.parse(JSON.stringify((await this.asked(call)) ?? null));
    } catch (error) {
      problem = (error instanceof Error ? error.message : String(error)).slice(0, MAX_PROBLEM_CHARS) || call.name;
    }
    this.answer({ type: 'client_answer', call_id: call.id, result, problem });
  }

  private asked(call: ClientCall): unknown {
    let promised: { readonly answer: unknown } | undefined;
    const detail: ClientToolDetail = {
      name: call.name,
      arguments: call.arguments,
      respondWith: answer => (promised ??= { answer })
    };
    this.page.dispatchEvent(new CustomEvent(CLIENT_TOOL, { detail }));
    if (!promised) {
      throw new Error(this.trans.__('This page cannot do “%1”.', call.name));
    }
    return promised.answer;
  }
}
