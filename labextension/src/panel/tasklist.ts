/**
 * The list of tasks: which are shown, in which order, and how much of the list stands in the page.
 *
 * Pure. It does not draw, and does not know where its heights are put.
 */
import type { Task } from '../messages.gen';
import { type Session, hasEnded } from './store';

export type TaskFilter = 'all' | 'running' | 'waiting' | 'failed';

export const TASK_FILTERS: readonly TaskFilter[] = ['all', 'running', 'waiting', 'failed'];

/** `earlier`: an earlier kernel ran them. */
export type GroupName = 'running' | 'waiting' | 'ended' | 'earlier';

export interface Group {
  readonly name: GroupName;
  readonly tasks: readonly Task[];
}

function passes(task: Task, filter: TaskFilter): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'running':
      return task.state === 'running';
    case 'waiting':
      return task.state === 'queued' || task.state === 'awaiting_approval';
    case 'failed':
      return task.state === 'failed' || task.state === 'interrupted';
  }
}

/** How many tasks each filter lets through. */
export function countTasks(tasks: Iterable<Task>): Record<TaskFilter, number> {
  const counts = { all: 0, running: 0, waiting: 0, failed: 0 };
  for (const task of tasks) {
    for (const filter of TASK_FILTERS) {
      counts[filter] += passes(task, filter) ? 1 : 0;
    }
  }
  return counts;
}

/** Which queue a task stands in: what changes the notebook or its variables waits in one line. */
function laneOf(task: Task): string {
  return task.area === 'notebook' || task.area === 'data' ? 'cells' : task.area;
}

/** Whether others of its queue wait behind a task. */
export function isLastInLine(task: Task, tasks: Iterable<Task>): boolean {
  for (const other of tasks) {
    if ((other.queue_position ?? 0) > (task.queue_position ?? 0) && other.state === 'queued' && laneOf(other) === laneOf(task)) {
      return false;
    }
  }
  return true;
}

function groupOf(task: Task): GroupName {
  if (task.earlier) {
    return 'earlier';
  }
  if (hasEnded(task)) {
    return 'ended';
  }
  return task.state === 'running' ? 'running' : 'waiting';
}

function byPlace(a: Task, b: Task): number {
  const asks = Number(b.state === 'awaiting_approval') - Number(a.state === 'awaiting_approval');
  return (
    asks || laneOf(a).localeCompare(laneOf(b)) || (a.queue_position ?? Infinity) - (b.queue_position ?? Infinity) || a.id - b.id
  );
}

/**
 * The tasks that pass, as a person looks for them: what runs, what waits in the order in which it will
 * start, what ended last. Every word of the query must be in the task, its output's summary or its phrase.
 */
export function groupTasks(session: Pick<Session, 'tasks' | 'turns'>, filter: TaskFilter, query: string): Group[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const groups: Record<GroupName, Task[]> = { running: [], waiting: [], ended: [], earlier: [] };
  for (const task of session.tasks.values()) {
    if (!passes(task, filter)) {
      continue;
    }
    if (words.length > 0) {
      const said = session.turns.get(task.turn_id)?.text ?? '';
      const text = [task.id, task.title, said, task.result?.summary, task.problem?.message, task.progress?.label]
        .join('\n')
        .toLowerCase();
      if (!words.every(word => text.includes(word))) {
        continue;
      }
    }
    groups[groupOf(task)].push(task);
  }
  groups.running.sort((a, b) => (b.started_at ?? 0) - (a.started_at ?? 0) || b.id - a.id);
  groups.waiting.sort(byPlace);
  groups.ended.sort((a, b) => (b.ended_at ?? 0) - (a.ended_at ?? 0) || b.id - a.id);
  groups.earlier.sort((a, b) => b.id - a.id);
  return (['running', 'waiting', 'ended', 'earlier'] as const)
    .map(name => ({ name, tasks: groups[name] }))
    .filter(group => group.tasks.length > 0);
}

/** Pixels; the style sheet gives rows at least these, so that the list's length is known without drawing it. */
export const HEAD_PX = 34;
const ROW_PX = 50;
const LINE_PX = 17;
const QUEUE_PX = 26;
const BAR_PX = 10;

export function rowHeight(task: Task): number {
  if (task.state === 'running') {
    return ROW_PX + (task.progress ? BAR_PX : 0) + (task.tail ? LINE_PX : 0);
  }
  return ROW_PX + (task.state === 'queued' && task.queue_position !== null ? QUEUE_PX : 0);
}

export const PAST_ROW_PX = ROW_PX + LINE_PX;

export interface Window {
  /** The rows from `from` up to, not including, `to` stand in the page. */
  readonly from: number;
  readonly to: number;
  /** Pixels that the rows before and after them take. */
  readonly before: number;
  readonly after: number;
}

/** Rows beyond either edge, so that the next one is there when the Tab key or a flick reaches it. */
const SPARE_PX = 250;

/** Which rows of the given heights are to stand in the page. */
export function windowOf(heights: readonly number[], top: number, height: number): Window {
  let y = 0;
  let from = 0;
  while (from < heights.length && y + heights[from]! < top - SPARE_PX) {
    y += heights[from]!;
    from++;
  }
  const before = y;
  let to = from;
  while (to < heights.length && y < top + height + SPARE_PX) {
    y += heights[to]!;
    to++;
  }
  let after = 0;
  for (let at = to; at < heights.length; at++) {
    after += heights[at]!;
  }
  return { from, to, before, after };
}
