/**
 * What the panel shows, in two halves that never mix.
 *
 * `Session` mirrors the kernel: only `reduce` makes it, from messages alone, so a State rebuilds all of it.
 * `Interface` is this page's own (microphone, draft, opened cards): the kernel never sees it, and a
 * State leaves it alone.
 */
import type {
  About,
  Approval,
  Keeping,
  Notice,
  PastTask,
  ServersChanged,
  Speech,
  Task,
  ToSurface,
  Turn,
  Widget
} from '../messages.gen';
import type { ConnectionPhase } from './connection';
import type { Device, MicrophonePhase, MicrophoneProblem } from './recorder';
import type { TaskFilter } from './tasklist';
import type { WidgetNode } from './widgets/node';
import { applyUpdate } from './widgets/update';

export const MAX_TAIL_LINES = 300;
export const MAX_TAIL_CHARS = 8_192;
const MAX_TURNS = 200;
const MAX_TASKS = 500;
const MAX_NOTICES = 4;
const MAX_WIDGETS = 50;

export interface Session {
  readonly about: About | null;
  readonly speech: Speech;
  /** What of the session outlives it. */
  readonly keeping: Keeping;
  readonly turns: ReadonlyMap<number, Turn>;
  readonly tasks: ReadonlyMap<number, Task>;
  readonly approvals: ReadonlyMap<number, Approval>;
  /** The live ones: those whose actions the kernel hears. */
  readonly widgets: ReadonlyMap<string, Widget>;
  /** Per task: bytes that went past this page and are only in the log. */
  readonly skipped: ReadonlyMap<number, number>;
  readonly notices: readonly NumberedNotice[];
  /** The MCP servers, once somebody has watched them. */
  readonly servers: ServersChanged | null;
}

export interface NumberedNotice extends Omit<Notice, 'type'> {
  readonly key: number;
}

/** The three places of the panel. */
export type Place = 'conversation' | 'tasks' | 'history';

/** What lies over a place until it is closed. */
export type Sheet =
  | { readonly name: 'conversations' | 'notifications' }
  | { readonly name: 'servers' | 'registry' }
  | { readonly name: 'server'; readonly server: string }
  | { readonly name: 'server_log'; readonly server: string }
  | { readonly name: 'task'; readonly taskId: number }
  | { readonly name: 'past'; readonly past: PastTask }
  /** The log of a task of this session, or of one of the history. */
  | { readonly name: 'log' | 'again'; readonly task: Task; readonly past: PastTask | null };

export interface Interface {
  readonly place: Place;
  /** The newest lies on top. */
  readonly sheets: readonly Sheet[];
  readonly filter: TaskFilter;
  readonly search: string;
  readonly connection: ConnectionPhase;
  readonly microphone: MicrophonePhase;
  /** Whether the microphone that is open stays so: the kernel finds the utterances. */
  readonly handsFree: boolean;
  /** Milliseconds of `performance.now()` since when sound flows. */
  readonly listeningSince: number | null;
  readonly microphoneProblem: MicrophoneProblem | null;
  readonly devices: readonly Device[];
  /** What is being spoken aloud, so far; empty while nothing is. */
  readonly speaking: string;
  /** Whether the browser did not let the page sound. */
  readonly speakingBlocked: boolean;
  readonly draft: string;
  /** The turn whose transcript is being edited. */
  readonly correcting: number | null;
  /** Raised to move the focus into the text box. */
  readonly focusDraft: number;
  /** Cards that a person opened (true) or closed (false); the others follow their state. */
  readonly opened: ReadonlyMap<number, boolean>;
  readonly dismissed: ReadonlySet<string>;
}

export const EMPTY_SESSION: Session = {
  about: null,
  speech: { state: 'idle', engine: '', message: '', hint: '', mode: 'command', hands_free: false, waiting_for: '', heard: '', chosen: '', sent_to: '', language: 'en', phrases: [] },
  keeping: { state: 'memory', message: '', hint: '', thread: null },
  turns: new Map(),
  tasks: new Map(),
  approvals: new Map(),
  widgets: new Map(),
  skipped: new Map(),
  notices: [],
  servers: null
};

const INITIAL_INTERFACE: Interface = {
  place: 'conversation',
  sheets: [],
  filter: 'all',
  search: '',
  connection: 'connecting',
  microphone: 'idle',
  handsFree: false,
  listeningSince: null,
  microphoneProblem: null,
  devices: [],
  speaking: '',
  speakingBlocked: false,
  draft: '',
  correcting: null,
  focusDraft: 0,
  opened: new Map(),
  dismissed: new Set()
};

const ENDED: ReadonlySet<Task['state']> = new Set(['succeeded', 'failed', 'cancelled', 'interrupted']);

export function hasEnded(task: Task): boolean {
  return ENDED.has(task.state);
}

export function turnHasEnded(turn: Turn): boolean {
  return turn.state !== 'listening' && turn.state !== 'understanding' && turn.state !== 'running';
}

/** Keeps the newest output: at most 300 lines and 8 KB, from a line's start where one is near. */
export function clipTail(text: string): string {
  let clipped = text;
  if (clipped.length > MAX_TAIL_CHARS) {
    clipped = clipped.slice(-MAX_TAIL_CHARS);
    const line = clipped.indexOf('\n');
    if (line >= 0 && line < 1_000) {
      clipped = clipped.slice(line + 1);
    }
  }
  let from = clipped.endsWith('\n') ? clipped.length - 1 : clipped.length;
  for (let lines = 0; lines < MAX_TAIL_LINES; lines++) {
    from = clipped.lastIndexOf('\n', from - 1);
    if (from <= 0) {
      return clipped;
    }
  }
  return clipped.slice(from + 1);
}

function byId<K, T extends { id: K }>(entities: readonly T[]): ReadonlyMap<K, T> {
  return new Map(entities.map(entity => [entity.id, entity]));
}

/** Past the limit the oldest go, of those that may. */
function upsert<K, T extends { id: K }>(
  entities: ReadonlyMap<K, T>,
  entity: T,
  limit: number,
  mayGo: (entity: T) => boolean = () => true
): ReadonlyMap<K, T> {
  const next = new Map(entities).set(entity.id, entity);
  for (const [id, other] of next) {
    if (next.size <= limit) {
      break;
    }
    if (mayGo(other)) {
      next.delete(id);
    }
  }
  return next;
}

/** Replaces a task by a version of it; the session itself when there is no such task. */
function changed(session: Session, id: number, change: (task: Task) => Partial<Task>): Session {
  const task = session.tasks.get(id);
  return task ? { ...session, tasks: new Map(session.tasks).set(id, { ...task, ...change(task) }) } : session;
}

/** A task is drawn anew when a widget of it is another. */
function redrawn(session: Session, taskId: number): Session {
  return changed(session, taskId, () => ({}));
}

function withTurn(turns: Session['turns'], turn: Turn): Session['turns'] {
  if (turn.state !== 'dismissed') {
    return upsert(turns, turn, MAX_TURNS);
  }
  const left = new Map(turns);
  left.delete(turn.id); // talk that began like a command
  return left;
}

/** Returns the session after one message; the same object when nothing changed. */
export function reduce(session: Session, message: ToSurface): Session {
  switch (message.type) {
    case 'state':
      return {
        about: message.about,
        speech: message.speech,
        keeping: message.keeping,
        turns: byId(message.turns),
        tasks: byId(message.tasks),
        approvals: byId(message.approvals),
        widgets: byId(message.widgets),
        skipped: new Map(),
        notices: session.notices,
        servers: session.servers
      };
    case 'turn':
      return { ...session, turns: withTurn(session.turns, message.turn) };
    case 'task':
      return { ...session, tasks: upsert(session.tasks, message.task, MAX_TASKS, hasEnded) };
    case 'approval':
      return { ...session, approvals: upsert(session.approvals, message.approval, MAX_TASKS) };
    case 'widget':
      return redrawn({ ...session, widgets: upsert(session.widgets, message.widget, MAX_WIDGETS) }, message.widget.task_id);
    case 'widget_update': {
      const widget = session.widgets.get(message.widget_id);
      if (!widget) {
        return session;
      }
      const root = applyUpdate(widget.root as WidgetNode, message.update);
      return redrawn({ ...session, widgets: new Map(session.widgets).set(widget.id, { ...widget, root }) }, widget.task_id);
    }
    case 'speech':
      return { ...session, speech: message.speech };
    case 'task_output': {
      const { task_id: id, text, output_bytes, skipped_bytes } = message;
      const next = changed(session, id, task => ({ tail: clipTail(task.tail + text), output_bytes }));
      return next === session || skipped_bytes === 0
        ? next
        : { ...next, skipped: new Map(session.skipped).set(id, (session.skipped.get(id) ?? 0) + skipped_bytes) };
    }
    case 'task_progress':
      return changed(session, message.task_id, () => ({ progress: message.progress }));
    case 'queue': {
      const tasks = new Map(session.tasks);
      message.tasks.forEach((id, index) => {
        const task = tasks.get(id);
        if (task) {
          tasks.set(id, { ...task, queue_position: index + 1 });
        }
      });
      return { ...session, tasks };
    }
    case 'answer_delta': {
      const turn = session.turns.get(message.turn_id);
      if (!turn) {
        return session;
      }
      const turns = new Map(session.turns);
      turns.set(turn.id, { ...turn, answer: turn.answer + message.text });
      return { ...session, turns };
    }
    case 'notice': {
      const { level, message: text, hint } = message;
      const key = (session.notices[session.notices.length - 1]?.key ?? 0) + 1;
      const others = session.notices.filter(notice => notice.message !== text);
      return {
        ...session,
        notices: [...others, { key, level, message: text, hint }].slice(-MAX_NOTICES)
      };
    }
    case 'keeping':
      return { ...session, keeping: message.keeping };
    case 'about':
      return { ...session, about: message.about };
    case 'servers':
      return { ...session, servers: message };
    case 'threads':
    case 'past_tasks':
    case 'log_page':
    case 'log_hits':
    case 'server_details':
    case 'offers':
    case 'done':
    case 'part':
    case 'control':
    case 'speak_answer':
    case 'stop_speaking':
    case 'hold_speaking':
    case 'speak_changed':
    case 'speech_engines':
    case 'cell_request':
    case 'cell_cancel':
      return session; // nothing to draw: the panel, or its host, carries it out
    default: {
      // A newer kernel may say more than this page knows; that is no reason to stop drawing.
      const unknown: never = message;
      void unknown;
      return session;
    }
  }
}

function dismissNotice(session: Session, key: number): Session {
  return { ...session, notices: session.notices.filter(notice => notice.key !== key) };
}

export interface Snapshot {
  readonly session: Session;
  readonly ui: Interface;
}

let stores = 0;

/** How long a picture stays on the screen at least. */
const FRAME_MS = 16;
const NOW = 'now';

/** Holds both halves and wakes its listener at most once in a frame's time, however many changes came. */
export class Store {
  /** Tells the elements of several panels on one page apart. */
  readonly id = ++stores;
  private current: Snapshot = { session: EMPTY_SESSION, ui: INITIAL_INTERFACE };
  private frame: number | typeof NOW | null = null;
  private drawnAt = -Infinity;
  private listener: (() => void) | null = null;

  get snapshot(): Snapshot {
    return this.current;
  }

  receive(message: ToSurface): void {
    const session = reduce(this.current.session, message);
    if (session !== this.current.session) {
      this.current = { ...this.current, session };
      this.schedule();
    }
  }

  dismiss(key: number): void {
    this.current = { ...this.current, session: dismissNotice(this.current.session, key) };
    this.schedule();
  }

  update(change: Partial<Interface>): void {
    this.current = { ...this.current, ui: { ...this.current.ui, ...change } };
    this.schedule();
  }

  /** Lays a sheet over what is there. */
  open(sheet: Sheet): void {
    this.update({ sheets: [...this.current.ui.sheets, sheet] });
  }

  /** Takes the uppermost sheet away, or all of them. */
  close(which: 'top' | 'all' = 'top'): void {
    this.update({ sheets: which === 'all' ? [] : this.current.ui.sheets.slice(0, -1) });
  }

  listen(listener: (() => void) | null): void {
    this.listener = listener;
  }

  dispose(): void {
    this.listener = null;
    if (this.frame !== null && this.frame !== NOW) {
      cancelAnimationFrame(this.frame);
    }
  }

  private schedule(): void {
    if (this.frame !== null) {
      return;
    }
    if (!document.hidden && performance.now() - this.drawnAt >= FRAME_MS) {
      // After a rest at once, with what else this task changes: the first word of an answer waits for no frame.
      this.frame = NOW;
      queueMicrotask(() => this.draw());
    } else {
      this.frame = requestAnimationFrame(() => this.draw());
    }
  }

  private draw(): void {
    this.frame = null;
    this.drawnAt = performance.now();
    this.listener?.();
  }
}
