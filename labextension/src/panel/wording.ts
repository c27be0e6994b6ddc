/** How values read: durations, sizes, states, calls. Pure, and the only place with these words. */
import type { Call, Speech, Task, Turn } from '../messages.gen';
import type { Snapshot } from './store';

/** `3.2 s` below ten seconds, then `0:42`, `12:05`, `1:02:05`. */
export function duration(seconds: number): string {
  const known = Math.max(0, seconds);
  if (known < 0.995) {
    return `${Math.round(known * 1000)} ms`;
  }
  return known < 10 ? `${known.toFixed(1)} s` : clock(known);
}

/** `0:04`: steady in width, for what ticks. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const s = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${s}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

export function size(bytes: number): string {
  if (bytes < 1_000) {
    return `${bytes} B`;
  }
  const units = ['kB', 'MB', 'GB'];
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** A call as code: `run_tests(path="tests")`. */
export function callText(call: Pick<Call, 'tool' | 'arguments'>): string {
  const parts = Object.entries(call.arguments)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${call.tool}(${parts.join(', ')})`;
}

export const TASK_STATE: Record<Task['state'], string> = {
  queued: 'Waiting',
  awaiting_approval: 'Needs approval',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  interrupted: 'Interrupted'
};

export const ROUTE: Record<NonNullable<Turn['route']>, { name: string; title: string }> = {
  intents: { name: 'grammar', title: 'Understood by the built-in grammar (intents). No model was asked.' },
  fuzzy: {
    name: 'closest match',
    title: 'The words did not fit exactly; one reading was clearly closest (fuzzy). No model was asked.'
  },
  model: { name: 'model', title: 'The grammar did not know this, so the configured model answered.' },
  none: { name: 'not understood', title: 'No command was recognised, and nothing was done.' }
};

export interface Status {
  readonly word: string;
  readonly tone: 'calm' | 'busy' | 'listening' | 'attention' | 'problem';
}

const SPEECH: Record<Speech['state'], Status> = {
  idle: { word: 'Ready', tone: 'calm' },
  loading: { word: 'Loading speech model', tone: 'busy' },
  ready: { word: 'Ready', tone: 'calm' },
  listening: { word: 'Listening', tone: 'busy' },
  transcribing: { word: 'Transcribing', tone: 'busy' },
  unavailable: { word: 'Typing only', tone: 'attention' }
};

/** The one word of state in the header: what matters most right now. */
export function status({ session, ui }: Snapshot): Status {
  switch (ui.connection) {
    case 'connecting':
      return { word: 'Connecting', tone: 'busy' };
    case 'silent':
      return { word: 'No answer', tone: 'problem' };
    case 'closed':
      return { word: 'Disconnected', tone: 'problem' };
    case 'outdated':
      return { word: 'Reload the page', tone: 'problem' };
    case 'open':
      break;
  }
  if (ui.microphone === 'listening' || ui.microphone === 'ending') {
    return { word: 'Listening', tone: 'listening' };
  }
  if (ui.microphone === 'starting') {
    return { word: 'Opening microphone', tone: 'busy' };
  }
  const tasks = [...session.tasks.values()];
  if ([...session.approvals.values()].some(approval => approval.state === 'open')) {
    return { word: 'Needs approval', tone: 'attention' };
  }
  if (session.speech.state === 'transcribing') {
    return SPEECH.transcribing;
  }
  const running = tasks.filter(task => task.state === 'running').length;
  if (running > 0) {
    return { word: running === 1 ? 'Running' : `Running ${running} tasks`, tone: 'busy' };
  }
  if ([...session.turns.values()].some(turn => turn.state === 'understanding')) {
    return { word: 'Understanding', tone: 'busy' };
  }
  return SPEECH[session.speech.state];
}
