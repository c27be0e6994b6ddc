/**
 * Questions to the kernel that have one answer: conversations, the history, pages of a log, parts of the panel.
 *
 * Responsible for numbering them, for handing each answer to who asked, and for giving up in time. It does
 * not know what the answers mean.
 */
import type {
  Done,
  FindTasks,
  FinishSignIn,
  KeepSecret,
  ListEngines,
  ListThreads,
  LogHits,
  LogPage,
  Offers,
  Part,
  PastTasks,
  Problem,
  ReadLog,
  ReadServer,
  ReadPart,
  SearchLog,
  SearchRegistry,
  ServerDetails,
  SpeechEngines,
  Threads,
  ToKernel,
  ToSurface,
  WidgetAction
} from '../messages.gen';
import { ENGLISH, type Translator } from './translation';

/** Reading a line of a log that is still to be indexed takes the kernel seconds; more is no answer. */
export const PATIENCE_MS = 30_000;
/** A click may start something long, which may ask first: it is answered when that has ended. */
export const CLICK_PATIENCE_MS = 3_600_000;

export interface Questions {
  list_threads: { question: ListThreads; answer: Threads };
  list_engines: { question: ListEngines; answer: SpeechEngines };
  find_tasks: { question: FindTasks; answer: PastTasks };
  read_log: { question: ReadLog; answer: LogPage };
  read_part: { question: ReadPart; answer: Part };
  search_log: { question: SearchLog; answer: LogHits };
  read_server: { question: ReadServer; answer: ServerDetails };
  search_registry: { question: SearchRegistry; answer: Offers };
  finish_sign_in: { question: FinishSignIn; answer: Done };
  keep_secret: { question: KeepSecret; answer: Done };
  widget_action: { question: WidgetAction; answer: Done };
}

type Answer = Questions[keyof Questions]['answer'];

/** The kernel answered with a problem, or not at all. */
export class Unanswered extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (problem: Unanswered) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class Requests {
  private last: number;
  private readonly waiting = new Map<number, Waiting>();

  /**
   * @param send returns whether the message went out.
   * @param first numbers begin after this: two that ask over one channel must not share any.
   */
  constructor(
    private readonly send: (message: ToKernel) => boolean,
    private readonly trans: Translator = ENGLISH,
    first = 0
  ) {
    this.last = first;
  }

  /** Asks; rejects with `Unanswered` when there is no answer, or a problem in its place. */
  ask<T extends keyof Questions>(
    type: T,
    question: Omit<Questions[T]['question'], 'type' | 'id'>,
    patienceMs = PATIENCE_MS
  ): Promise<Questions[T]['answer']> {
    const id = ++this.last;
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => this.fail(id), patienceMs);
      this.waiting.set(id, { resolve, reject, timer });
      if (!this.send({ ...question, type, id } as ToKernel)) {
        this.fail(id);
      }
    }) as Promise<Questions[T]['answer']>;
  }

  /** Takes an answer; returns whether the message was one. */
  receive(message: ToSurface): boolean {
    switch (message.type) {
      case 'threads':
      case 'past_tasks':
      case 'log_page':
      case 'log_hits':
      case 'server_details':
      case 'offers':
      case 'done':
      case 'part':
      case 'speech_engines':
        break;
      default:
        return false;
    }
    const waiting = this.take(message.id);
    if (message.problem) {
      waiting?.reject(new Unanswered(message.problem));
    } else {
      waiting?.resolve(message);
    }
    return true;
  }

  /** Nobody will answer any more. */
  dispose(): void {
    for (const id of [...this.waiting.keys()]) {
      this.fail(id);
    }
  }

  private fail(id: number): void {
    const { trans } = this;
    this.take(id)?.reject(
      new Unanswered({
        kind: 'Unanswered',
        message: trans.__('The kernel did not answer.'),
        hint: trans.__('Try again; if it stays, restart the kernel.'),
        retryable: true
      })
    );
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

/** What to show of a question that failed. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Unanswered) {
    return error.problem;
  }
  throw error;
}
