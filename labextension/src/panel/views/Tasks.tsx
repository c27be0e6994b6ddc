/** This session's tasks: what runs, what waits and in which order, what ended; filtered and searched. */
import { useRef } from 'preact/hooks';
import { type Snapshot, hasEnded } from '../store';
import { type GroupName, TASK_FILTERS, type TaskFilter, countTasks, groupTasks, rowHeight } from '../tasklist';
import type { Translator } from '../translation';
import { queuePlace } from '../wording';
import { type ListGroup, RowList } from './RowList';
import { SearchBox } from './SearchBox';
import { TaskRow } from './TaskRow';
import { usePanel } from './context';

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
  const box = useRef<HTMLDivElement>(null);
  const counts = countTasks(session.tasks.values());
  const groups = groupTasks(session, ui.filter, ui.search).map(({ name, tasks }): ListGroup => ({
    name,
    head: (
      <>
        {groupName(name, trans)} <span class="vk-count">{tasks.length}</span>
      </>
    ),
    rows: tasks.map(task => ({
      id: task.id,
      height: rowHeight(task),
      draw: (tabbable, place) => (
        <TaskRow
          key={task.id}
          id={task.id}
          task={task}
          tabbable={tabbable}
          place={place}
          places={tasks.length}
          onOpen={() => store.open({ name: 'task', taskId: task.id })}
          onLog={() => store.open({ name: 'log', task, past: null })}
        />
      )
    }))
  }));
  const onKey = (id: number, event: KeyboardEvent): boolean => {
    const task = session.tasks.get(id);
    if (!task || hasEnded(task)) {
      return false;
    }
    if (event.altKey && task.state === 'queued' && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      send({ type: 'move_task', task_id: id, to: event.key === 'ArrowUp' ? 'up' : 'down' });
      say(trans.__('Moving task %1: it was %2', id, queuePlace(task, trans).toLowerCase()));
      return true;
    }
    if (event.key === 'Delete') {
      send({ type: 'cancel_task', task_id: id });
      return true;
    }
    return false;
  };
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
      <RowList groups={groups} label={trans.__('Tasks')} box={box} onKey={onKey}>
        {groups.length === 0 && <Empty snapshot={snapshot} />}
      </RowList>
    </div>
  );
}
