/**
 * Says that a long task has ended, to somebody who looks elsewhere: a notification of the browser, a voice.
 *
 * Both are off until a person switches them on. What is said holds no command, code or output: it appears on
 * lock screens and shared ones. `endingsOf` decides, purely; `Notifier` is the browser's part.
 */
import type { Task, ToSurface } from '../messages.gen';
import { recall, remember } from './preferences';
import { type Session, hasEnded } from './store';
import { ENGLISH, type Translator } from './translation';
import { span } from './wording';

export interface Ending {
  /** The same for every panel that hears of this task. */
  readonly key: string;
  readonly taskId: number;
  readonly title: string;
  readonly body: string;
  readonly spoken: string;
  /** In which language the words are; as the page says, if not known. */
  readonly locale?: string | undefined;
}

/** The endings that a message brings, of tasks that took longer than the kernel's `notify_after_s`. */
export function endingsOf(before: Session, message: ToSurface, trans: Translator = ENGLISH): Ending[] {
  const tasks = message.type === 'task' ? [message.task] : message.type === 'state' ? message.tasks : [];
  const after = before.about?.notify_after_s ?? Infinity;
  return tasks
    .filter(task => {
      const known = before.tasks.get(task.id);
      // Who cancelled a task knows it.
      const ended = hasEnded(task) && task.state !== 'cancelled' && known !== undefined && !hasEnded(known);
      return ended && seconds(task) >= after;
    })
    .map(task => endingOf(task, trans));
}

function seconds(task: Task): number {
  return (task.ended_at ?? 0) - (task.started_at ?? task.created_at);
}

function endingOf(task: Task, trans: Translator): Ending {
  const what = subject(task, trans);
  const counts = testCounts(task, trans);
  const word = outcome(task, trans);
  return {
    key: `${task.id}-${task.created_at}`,
    taskId: task.id,
    title: trans.__('%1: %2', what, counts.join(', ') || word),
    body: trans.__('Task %1, after %2.', task.id, span(seconds(task), trans)),
    // Of tests that failed, how many passed is of no use to the ear.
    spoken: trans.__('%1: %2', counts[0] ? trans.__('Done') : word, [what, ...counts.slice(0, 1)].join(', ')),
    locale: trans.locale
  };
}

function outcome(task: Task, trans: Translator): string {
  return task.state === 'succeeded'
    ? trans.__('Done')
    : task.state === 'interrupted'
      ? trans.__('Interrupted')
      : trans.__('Failed');
}

function testCounts(task: Task, trans: Translator): string[] {
  const report = task.result?.tests;
  if (!report) {
    return [];
  }
  const bad = report.failed + report.errors;
  return [bad > 0 ? trans.__('%1 failed', bad) : '', trans.__('%1 passed', report.passed)].filter(Boolean);
}

function subject(task: Task, trans: Translator): string {
  switch (task.area) {
    case 'tests':
      return trans.__('Tests');
    case 'shell':
      return trans.__('Command');
    case 'notebook':
      return trans.__('Notebook');
    case 'data':
      return trans.__('Code');
    case 'browser':
      return trans.__('Browser');
    case 'research':
      return trans.__('Research');
    default:
      return trans.__('Task');
  }
}

/** `unsupported`: the browser has none for this page, e.g. because it came over plain http. */
export type Permission = 'granted' | 'denied' | 'undecided' | 'unsupported';

const KEPT = 100;
/** Shared by the panels of a page: one task is told once. */
const told = new Set<string>();
const WAIT_MS = 1_000;
const MAX_WAITS = 60;

export class Notifier {
  private readonly shown = new Set<Notification>();
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;

  /**
   * @param onClick told which task a person wants to see.
   * @param isBusy whether the microphone is open: what is said then would be heard as a command.
   */
  constructor(
    private readonly onClick: (taskId: number) => void,
    private readonly isBusy: () => boolean,
    /** Whether answers are spoken anyway, those of long tasks too. */
    private readonly isSpoken: () => boolean = () => false
  ) {}

  get permission(): Permission {
    if (!('Notification' in window) || !window.isSecureContext) {
      return 'unsupported';
    }
    return Notification.permission === 'default' ? 'undecided' : Notification.permission;
  }

  get shows(): boolean {
    return recall('notify') === 'yes' && this.permission === 'granted';
  }

  /** Switches notifications on or off; asks the browser where it has not been asked yet. */
  async show(on: boolean): Promise<Permission> {
    if (on && this.permission === 'undecided') {
      await Notification.requestPermission();
    }
    remember('notify', on && this.permission === 'granted' ? 'yes' : '');
    return this.permission;
  }

  get canSpeak(): boolean {
    return 'speechSynthesis' in window && typeof SpeechSynthesisUtterance === 'function';
  }

  get speaks(): boolean {
    return this.canSpeak && recall('speak_endings') === 'yes';
  }

  set speaks(on: boolean) {
    remember('speak_endings', on ? 'yes' : '');
    if (on) {
      // Browsers load their voices when they are first asked for.
      speechSynthesis.getVoices();
    }
  }

  tell(ending: Ending): void {
    if ((!this.shows && !this.speaks) || told.has(ending.key)) {
      return;
    }
    told.add(ending.key);
    if (told.size > KEPT) {
      told.delete(told.values().next().value!);
    }
    if (this.shows) {
      this.notify(ending);
    }
    if (this.speaks && !this.isSpoken()) {
      this.speak(ending.spoken, ending.locale);
    }
  }

  /** Says nothing more, without a word about what is being said. */
  hush(): void {
    clearTimeout(this.waiting);
    if (this.canSpeak) {
      speechSynthesis.cancel();
    }
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.waiting);
    this.shown.forEach(notification => notification.close());
    this.shown.clear();
  }

  private notify(ending: Ending): void {
    let notification: Notification;
    try {
      // The same tag in another tab of the same session replaces, instead of telling twice.
      notification = new Notification(ending.title, { body: ending.body, tag: `voice_kernel-${ending.key}` });
    } catch {
      return; // Chrome on Android has them only for service workers.
    }
    this.shown.add(notification);
    notification.onclose = () => this.shown.delete(notification);
    notification.onclick = () => {
      window.focus();
      notification.close();
      this.onClick(ending.taskId);
    };
  }

  private speak(text: string, locale: string | undefined, waits = 0): void {
    if (this.disposed || waits > MAX_WAITS) {
      return;
    }
    if (this.isBusy()) {
      this.waiting = setTimeout(() => this.speak(text, locale, waits + 1), WAIT_MS);
      return;
    }
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = locale ?? (document.documentElement.lang || 'en');
    speechSynthesis.speak(utterance);
  }
}
