/** How values read: durations, sizes, states, calls. Pure, and the only place with these words. */
import type { Call, Progress, Speech, Task, Turn } from '../messages.gen';
import type { Snapshot } from './store';
import { ENGLISH, type Translator } from './translation';

/** `3.2`, and `3,2` where that is how it is written. */
function tenths(value: number, { locale }: Translator): string {
  return value.toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** `3.2 s` below ten seconds, then `0:42`, `12:05`, `1:02:05`. */
export function duration(seconds: number, trans: Translator = ENGLISH): string {
  const known = Math.max(0, seconds);
  if (known < 0.995) {
    return `${Math.round(known * 1000)} ms`;
  }
  return known < 10 ? `${tenths(known, trans)} s` : clock(known);
}

/** As it is said in a sentence: `42 s`, `3 min 12 s`, `1 h 2 min`. */
export function span(seconds: number, trans: Translator): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  return whole < 3_600
    ? trans.__('%1 min %2 s', Math.floor(whole / 60), whole % 60)
    : trans.__('%1 h %2 min', Math.floor(whole / 3_600), Math.floor((whole % 3_600) / 60));
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

/** The time of a day, as the person's locale writes it: `14:05`. */
export function timeOfDay(seconds: number, { locale }: Translator = ENGLISH): string {
  return new Date(seconds * 1_000).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
}

/** `Today`, `Yesterday`, else the date. */
export function day(seconds: number, trans: Translator, nowMs = Date.now()): string {
  const date = new Date(seconds * 1_000);
  const now = new Date(nowMs);
  const daysAgo = Math.round(
    (new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime() -
      new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()) /
      86_400_000
  );
  if (daysAgo === 0) {
    return trans.__('Today');
  }
  if (daysAgo === 1) {
    return trans.__('Yesterday');
  }
  return date.toLocaleDateString(trans.locale, {
    day: 'numeric',
    month: 'long',
    ...(date.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' })
  });
}

/** `14:05` on the same day, else with the date before it. */
export function moment(seconds: number, trans: Translator, nowMs = Date.now()): string {
  const date = day(seconds, trans, nowMs);
  return date === trans.__('Today') ? timeOfDay(seconds, trans) : `${date}, ${timeOfDay(seconds, trans)}`;
}

export function size(bytes: number, trans: Translator = ENGLISH): string {
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
  return `${value < 10 ? tenths(value, trans) : Math.round(value)} ${units[unit]}`;
}

/** `12,345`, as the person's locale writes it. */
export function number(value: number, { locale }: Translator = ENGLISH): string {
  return value.toLocaleString(locale, { maximumFractionDigits: 1 });
}

/** A call as code: `run_tests(path="tests")`. */
export function callText(call: Pick<Call, 'tool' | 'arguments'>): string {
  const parts = Object.entries(call.arguments)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${call.tool}(${parts.join(', ')})`;
}

/** What a person would type somewhere else to do the same: the command, the code, else the call. */
export function commandText(call: Pick<Call, 'tool' | 'arguments'>): string {
  for (const name of ['command', 'code', 'url']) {
    const value = call.arguments[name];
    if (typeof value === 'string' && value !== '') {
      return value;
    }
  }
  return callText(call);
}

export function taskState(state: Task['state'], trans: Translator): string {
  switch (state) {
    case 'queued':
      return trans.__('Waiting');
    case 'awaiting_approval':
      return trans.__('Needs approval');
    case 'running':
      return trans.__('Running');
    case 'succeeded':
      return trans.__('Done');
    case 'failed':
      return trans.__('Failed');
    case 'cancelled':
      return trans.__('Cancelled');
    case 'interrupted':
      return trans.__('Interrupted');
  }
}

/** Where in its queue a task waits; empty when it waits for nothing that is counted. */
export function queuePlace(task: Task, trans: Translator): string {
  if (task.state !== 'queued' || task.queue_position === null) {
    return '';
  }
  return task.queue_position === 1
    ? trans.__('Next in line')
    : trans.__('Number %1 in line', task.queue_position);
}

/** `22 of 48 tests`, `46 %`, or what the tool calls its step; empty when nothing is known. */
export function progressText({ fraction, label, done, total, unit }: Progress, trans: Translator): string {
  let counted = '';
  if (done !== null && total !== null) {
    counted = unit
      ? trans.__('%1 of %2 %3', number(done, trans), number(total, trans), unit)
      : trans.__('%1 of %2', number(done, trans), number(total, trans));
  } else if (done !== null) {
    counted = `${number(done, trans)} ${unit}`.trim();
  } else if (fraction !== null && label === '') {
    counted = `${Math.round(fraction * 100)} %`;
  }
  return [counted, label].filter(Boolean).join(' · ');
}

/** The last line of an output that says something, without colours; of a bar, what was written last. */
export function lastLine(text: string): string {
  const end = text.slice(-2_000).replace(/\x1b\[[\d;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g, '');
  const lines = end.split(/[\r\n]+/);
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at]!.trim();
    if (line) {
      return line.slice(0, 300);
    }
  }
  return '';
}

export function routeName(route: NonNullable<Turn['route']>, trans: Translator): string {
  switch (route) {
    case 'intents':
      return trans.__('grammar');
    case 'fuzzy':
      return trans.__('closest match');
    case 'model':
      return trans.__('model');
    case 'none':
      return trans.__('not understood');
  }
}

/** What an answer of a model took: `2 requests, 1,200 tokens in, 80 out, $0.0012`. */
export function usageText(usage: Turn['usage'], trans: Translator): string {
  if (!usage) {
    return '';
  }
  const { requests, input_tokens, output_tokens, price_usd } = usage;
  const taken = trans._n('%1 request, %2 tokens in, %3 out', '%1 requests, %2 tokens in, %3 out', requests,
    number(input_tokens, trans), number(output_tokens, trans));
  return price_usd === null ? taken : trans.__('%1, %2 US dollars', taken,
    price_usd.toLocaleString(trans.locale, { minimumFractionDigits: 4, maximumFractionDigits: 4 }));
}

export function routeTitle(route: NonNullable<Turn['route']>, trans: Translator): string {
  switch (route) {
    case 'intents':
      return trans.__('Understood by the built-in grammar (intents). No model was asked.');
    case 'fuzzy':
      return trans.__('The words did not fit exactly; one reading was clearly closest (fuzzy). No model was asked.');
    case 'model':
      return trans.__('The grammar did not know this, so the configured model answered.');
    case 'none':
      return trans.__('No command was recognised, and nothing was done.');
  }
}

export interface Status {
  readonly word: string;
  readonly tone: 'calm' | 'busy' | 'listening' | 'attention' | 'problem';
}

function speechStatus(state: Speech['state'], trans: Translator): Status {
  switch (state) {
    case 'idle':
    case 'ready':
      return { word: trans.__('Ready'), tone: 'calm' };
    case 'loading':
      return { word: trans.__('Loading speech model'), tone: 'busy' };
    case 'listening':
      return { word: trans.__('Listening'), tone: 'busy' };
    case 'transcribing':
      return { word: trans.__('Transcribing'), tone: 'busy' };
    case 'unavailable':
      return { word: trans.__('Typing only'), tone: 'attention' };
  }
}

/** The one word of state in the header: what matters most right now. */
export function status({ session, ui }: Snapshot, trans: Translator = ENGLISH): Status {
  switch (ui.connection) {
    case 'connecting':
      return { word: trans.__('Connecting'), tone: 'busy' };
    case 'silent':
      return { word: trans.__('No answer'), tone: 'problem' };
    case 'closed':
      return { word: trans.__('Disconnected'), tone: 'problem' };
    case 'outdated':
      return { word: trans.__('Reload the page'), tone: 'problem' };
    case 'open':
      break;
  }
  const speaking = [...session.turns.values()].some(turn => turn.state === 'listening');
  if (ui.handsFree && ui.microphone === 'listening' && !speaking) {
    const waiting = session.speech.waiting_for;
    return waiting
      ? { word: trans.__('Waiting for “%1”', waiting), tone: 'calm' }
      : { word: trans.__('Hands-free'), tone: 'listening' };
  }
  if (ui.microphone === 'listening' || ui.microphone === 'ending') {
    return { word: trans.__('Listening'), tone: 'listening' };
  }
  if (ui.microphone === 'starting') {
    return { word: trans.__('Opening microphone'), tone: 'busy' };
  }
  if ([...session.approvals.values()].some(approval => approval.state === 'open')) {
    return { word: trans.__('Needs approval'), tone: 'attention' };
  }
  if ([...session.turns.values()].some(turn => turn.asks && turn.state === 'understanding')) {
    return { word: trans.__('Yes or no?'), tone: 'attention' };
  }
  if (session.speech.state === 'transcribing') {
    return speechStatus('transcribing', trans);
  }
  let running = 0;
  session.tasks.forEach(task => (running += task.state === 'running' ? 1 : 0));
  if (running > 0) {
    return {
      word: running === 1 ? trans.__('Running') : trans.__('Running %1 tasks', running),
      tone: 'busy'
    };
  }
  if ([...session.turns.values()].some(turn => turn.state === 'understanding')) {
    return { word: trans.__('Understanding'), tone: 'busy' };
  }
  return speechStatus(session.speech.state, trans);
}
