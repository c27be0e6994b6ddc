/** This session's tasks: what runs, what waits and in which order, what ended; filtered and searched. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Task } from '../../messages.gen';
import { type Snapshot, hasEnded } from '../store';
import { type GroupName, HEAD_PX, TASK_FILTERS, type TaskFilter, countTasks, groupTasks, rowHeight } from '../tasklist';
import type { Translator } from '../translation';
import { queuePlace } from '../wording';
import { SearchBox } from './SearchBox';
import { TaskRow } from './TaskRow';
import { usePanel } from './context';
import { useWindow } from './hooks';

function filterName(filter: TaskFilter, trans: Translator): string {
  switch (filter) {
    case 'all':
      return trans.__('All');
    case 'running':
      return trans.__('Running');
    case 'waiting':
      return trans.__('Waiting');
    case 'failed':
      return trans.__('Failed');
  }
}

function groupName(name: GroupName, trans: Translator): string {
  switch (name) {
    case 'running':
      return trans.__('Running');
    case 'waiting':
      return trans.__('Waiting');
    case 'ended':
      return trans.__('Ended');
    case 'earlier':
      return trans.__('Before the restart');
  }
}

/** A row of the list: the head of a group, or a task with its place in the group. */
type Row =
  | { readonly head: GroupName; readonly count: number }
  | { readonly head: null; readonly group: GroupName; readonly task: Task; readonly place: number; readonly places: number };

function Empty({ snapshot }: { snapshot: Snapshot }) {
  const { store, trans } = usePanel();
  if (snapshot.session.tasks.size === 0) {
    return (
      <p class="vk-empty">
        {trans.__('No tasks yet.')}{' '}
        <span class="vk-hint">{trans.__('Everything you ask for becomes a task: it can be watched, cancelled and repeated here.')}</span>
      </p>
    );
  }
  return (
    <p class="vk-empty">
      {trans.__('No task fits.')}{' '}
      <button type="button" class="vk-link" onClick={() => store.update({ filter: 'all', search: '' })}>
        {trans.__('Show all')}
      </button>
    </p>
  );
}

export function Tasks({ snapshot }: { snapshot: Snapshot }) {
  const { send, store, say, trans } = usePanel();
  const { session, ui } = snapshot;
  const counts = countTasks(session.tasks.values());
  const rows = groupTasks(session, ui.filter, ui.search).flatMap(({ name, tasks }): Row[] => [
    { head: name, count: tasks.length },
    ...tasks.map((task, index) => ({ head: null, group: name, task, place: index + 1, places: tasks.length }))
  ]);
  const heights = rows.map(row => (row.head === null ? rowHeight(row.task) : HEAD_PX));
  const { ref, from, to, before, after } = useWindow<HTMLDivElement>(heights);
  const [current, setCurrent] = useState<number | null>(null);
  const [focusing, setFocusing] = useState<number | null>(null);
  const drawn = rows.slice(from, to);
  const isDrawn = drawn.some(row => row.head === null && row.task.id === current);
  const first = drawn.find(row => row.head === null);
  const tabbable = isDrawn ? current : first?.head === null ? first.task.id : null;

  // A row that is out of sight is scrolled to, drawn by that, and then takes the focus.
  const scrolledFor = useRef<number | null>(null);
  useLayoutEffect(() => {
    const box = ref.current;
    if (focusing === null || !box) {
      return;
    }
    const row = box.querySelector<HTMLElement>(`[data-row="${focusing}"]`);
    if (row) {
      scrolledFor.current = null;
      row.scrollIntoView({ block: 'nearest' });
      row.querySelector<HTMLElement>('.vk-row-main')?.focus({ preventScroll: true });
      setFocusing(null);
    } else if (scrolledFor.current !== focusing) {
      scrolledFor.current = focusing;
      const index = rows.findIndex(each => each.head === null && each.task.id === focusing);
      const top = heights.slice(0, index).reduce((sum, height) => sum + height, 0);
      box.scrollTop = top - box.clientHeight / 2;
    }
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const ids = rows.flatMap(row => (row.head === null ? [row.task.id] : []));
    const on = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')?.dataset['row'];
    const index = ids.indexOf(Number(on));
    const task = session.tasks.get(Number(on));
    if (index < 0 || !task || event.ctrlKey || event.metaKey) {
      return;
    }
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      if (task.state === 'queued') {
        send({ type: 'move_task', task_id: task.id, to: event.key === 'ArrowUp' ? 'up' : 'down' });
        say(trans.__('Moving task %1: it was %2', task.id, queuePlace(task, trans).toLowerCase()));
      }
      return;
    }
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      const id = ids[Math.max(0, Math.min(ids.length - 1, next))]!;
      setCurrent(id);
      setFocusing(id);
    } else if (event.key === 'Delete' && !hasEnded(task)) {
      event.preventDefault();
      send({ type: 'cancel_task', task_id: task.id });
    }
  };

  const groups: { readonly name: GroupName; readonly count: number | null; readonly rows: Extract<Row, { head: null }>[] }[] = [];
  for (const row of drawn) {
    if (row.head !== null) {
      groups.push({ name: row.head, count: row.count, rows: [] });
    } else {
      if (groups[groups.length - 1]?.name !== row.group) {
        groups.push({ name: row.group, count: null, rows: [] });
      }
      groups[groups.length - 1]!.rows.push(row);
    }
  }

  return (
    <div class="vk-list">
      <div class="vk-list-tools">
        <SearchBox
          value={ui.search}
          label={trans.__('Search the tasks')}
          onChange={search => store.update({ search })}
        />
        <div class="vk-filters" role="group" aria-label={trans.__('Which tasks')}>
          {TASK_FILTERS.map(filter => (
            <button
              key={filter}
              type="button"
              class="vk-filter"
              aria-pressed={ui.filter === filter}
              onClick={() => store.update({ filter })}
            >
              {filterName(filter, trans)} {counts[filter] > 0 && <span class="vk-count">{counts[filter]}</span>}
            </button>
          ))}
        </div>
      </div>
      <div
        ref={ref}
        class="vk-scroll"
        role="group"
        aria-label={trans.__('Tasks')}
        tabIndex={-1}
        onKeyDown={onKeyDown}
        onFocusIn={event => {
          const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')?.dataset['row'];
          if (row) {
            setCurrent(Number(row));
          }
        }}
      >
        {rows.length === 0 && <Empty snapshot={snapshot} />}
        <div style={{ height: `${before}px` }} />
        {groups.map(group => (
          <div key={group.name}>
            {group.count !== null && (
              <h3 class="vk-group">
                {groupName(group.name, trans)} <span class="vk-count">{group.count}</span>
              </h3>
            )}
            {group.rows.length > 0 && (
              <ul>
                {group.rows.map(({ task, place, places }) => (
                  <TaskRow
                    key={task.id}
                    task={task}
                    tabbable={task.id === tabbable}
                    place={place}
                    places={places}
                    onOpen={() => store.open({ name: 'task', taskId: task.id })}
                    onLog={() => store.open({ name: 'log', task, past: null })}
                  />
                ))}
              </ul>
            )}
          </div>
        ))}
        <div style={{ height: `${after}px` }} />
      </div>
    </div>
  );
}
