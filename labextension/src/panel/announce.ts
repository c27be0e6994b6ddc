/**
 * What a screen reader is told, and how urgently: transcripts, ends of tasks, approvals, problems.
 *
 * Pure: it compares the session before and after a message. It leaves out what only moves (partial
 * transcripts, output, progress), which would drown the rest.
 */
import type { ToSurface } from '../messages.gen';
import { type Session, hasEnded, turnHasEnded } from './store';
import { ENGLISH, type Translator } from './translation';
import { callText, taskState } from './wording';

export interface Announcement {
  readonly text: string;
  readonly urgent: boolean;
}

export function announcementOf(
  before: Session,
  message: ToSurface,
  trans: Translator = ENGLISH
): Announcement | null {
  switch (message.type) {
    case 'turn': {
      const turn = message.turn;
      const known = before.turns.get(turn.id);
      if (turn.problem && !known?.problem) {
        const { message, hint } = turn.problem;
        // Its task has said so.
        if ([...before.tasks.values()].some(task => task.turn_id === turn.id && task.problem?.message === message)) {
          return null;
        }
        const closest = turn.closest.length > 0 ? trans.__('Closest: %1', turn.closest.join('; ')) : '';
        return { text: [message, hint, closest].filter(Boolean).join(' '), urgent: true };
      }
      if (turn.asks && !known?.asks) {
        return { text: trans.__('%1 Say yes or no.', turn.asks), urgent: true };
      }
      const ended = turnHasEnded(turn) && !(known && turnHasEnded(known));
      if (ended && turn.answer) {
        return { text: turn.answer.slice(0, 500), urgent: false };
      }
      if (ended && turn.route === 'none' && turn.closest.length > 0) {
        return { text: trans.__('Not understood. Closest: %1', turn.closest.join('; ')), urgent: false };
      }
      if (turn.origin === 'voice' && turn.text && !turn.partial && (!known || known.partial || !known.text)) {
        return { text: trans.__('Heard: %1', turn.text), urgent: false };
      }
      return null;
    }
    case 'task': {
      const task = message.task;
      const known = before.tasks.get(task.id);
      if (!hasEnded(task) || (known && hasEnded(known))) {
        return null;
      }
      const detail = task.problem?.message ?? task.result?.summary ?? task.title;
      return {
        text: trans.__('Task %1 %2: %3', task.id, taskState(task.state, trans).toLowerCase(), detail),
        urgent: task.state === 'failed'
      };
    }
    case 'approval': {
      const approval = message.approval;
      if (approval.state !== 'open' || before.approvals.get(approval.id)?.state === 'open') {
        return null;
      }
      return {
        text: trans.__('Approval %1 needed: %2. %3', approval.id, callText(approval), approval.reason),
        urgent: true
      };
    }
    case 'notice':
      return { text: `${message.message} ${message.hint}`.trim(), urgent: message.level === 'error' };
    case 'speech':
      return message.speech.state === 'unavailable' && before.speech.state !== 'unavailable'
        ? { text: `${message.speech.message} ${message.speech.hint}`.trim(), urgent: true }
        : null;
    case 'keeping':
      return message.keeping.state === 'memory' && message.keeping.message && before.keeping.state === 'kept'
        ? { text: `${message.keeping.message} ${message.keeping.hint}`.trim(), urgent: false }
        : null;
    default:
      return null;
  }
}
