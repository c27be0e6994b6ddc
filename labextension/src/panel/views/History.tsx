/** Everything that was ever done and is still kept, newest first: searched as one types, a page at a time. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PastTask, Task } from '../../messages.gen';
import { type Snapshot, hasEnded } from '../store';
import { PAST_ROW_PX } from '../tasklist';
import type { Translator } from '../translation';
import { day, taskState, timeOfDay } from '../wording';
import { Spinner } from './Icon';
import { Note } from './Note';
import { type ListGroup, RowList } from './RowList';
import { SearchBox } from './SearchBox';
import { TaskRow } from './TaskRow';
import { liveTask } from './TaskSheet';
import { usePanel } from './context';
import { usePages, useSettled } from './hooks';

const TYPING_MS = 250;
const PAGE = 50;
/** Past this a search that says more is the better way. */
const MAX_ROWS = 2_000;
const STATES: readonly Task['state'][] = ['succeeded', 'failed', 'cancelled', 'interrupted', 'running', 'queued'];
const AREAS = ['shell', 'tests', 'notebook', 'data', 'browser', 'research'] as const;

function areaName(area: string, trans: Translator): string {
  switch (area) {
    case 'shell':
      return trans.__('Shell');
    case 'tests':
      return trans.__('Tests');
    case 'notebook':
      return trans.__('Notebook');
    case 'data':
      return trans.__('Data');
    case 'browser':
      return trans.__('Browser');
    case 'research':
      return trans.__('Research');
    default:
      return area;
  }
}

/** Tasks by the day on which they were asked for. */
function byDay(tasks: readonly PastTask[], trans: Translator): { readonly name: string; readonly tasks: PastTask[] }[] {
  const days: { name: string; tasks: PastTask[] }[] = [];
  for (const past of tasks) {
    const name = day(past.task.created_at, trans);
    const last = days[days.length - 1];
    if (last?.name === name) {
      last.tasks.push(past);
    } else {
      days.push({ name, tasks: [past] });
    }
  }
  return days;
}

export function History({ snapshot }: { snapshot: Snapshot }) {
  const { send, store, requests, say, trans } = usePanel();
  const [query, setQuery] = useState('');
  const [state, setState] = useState<Task['state'] | ''>('');
  const [area, setArea] = useState('');
  const [everywhere, setEverywhere] = useState(true);
  const wanted = useSettled(query.trim(), TYPING_MS);
  const { items: tasks, more, problem, loading, load } = usePages<PastTask>(async last => {
    const found = await requests.ask('find_tasks', {
      query: wanted,
      states: state ? [state] : [],
      areas: area ? [area] : [],
      everywhere,
      before: last?.id ?? null,
      limit: PAGE
    });
    return { items: found.tasks, more: found.more };
  });
  const box = useRef<HTMLDivElement>(null);

  // What ended since this was asked for belongs on top; a person who reads further down is left in peace.
  let ended = 0;
  snapshot.session.tasks.forEach(task => (ended += hasEnded(task) ? 1 : 0));
  const version = `${snapshot.session.keeping.thread?.id ?? ''} ${useSettled(ended, 1_000)}`;
  useEffect(() => {
    box.current?.scrollTo({ top: 0 });
  }, [wanted, state, area, everywhere]);
  useEffect(() => {
    if ((box.current?.scrollTop ?? 0) < PAST_ROW_PX) {
      load(null);
    }
  }, [wanted, state, area, everywhere, version]);
  const canLoad = more && !loading && !problem && tasks.length < MAX_ROWS;
  const loadMore = (): void => load(tasks[tasks.length - 1] ?? null);

  const again = ({ task }: PastTask): void => {
    send({
      type: 'do',
      text: trans.__('Run again: %1', task.title),
      calls: [{ tool: task.tool, arguments: task.arguments }]
    });
    store.update({ place: 'tasks', filter: 'all', search: '' });
    say(trans.__('Running again.'));
  };
  const open = (past: PastTask, name: 'past' | 'log'): void => {
    const live = liveTask(snapshot, past.task);
    store.open(name === 'past' ? { name, past } : { name, task: live ?? past.task, past: live ? null : past });
  };
  const thread = snapshot.session.keeping.thread?.id;
  let before = 0;
  const groups = byDay(tasks, trans).map(({ name, tasks: those }): ListGroup => {
    const first = before;
    before += those.length;
    return {
      name,
      head: name,
      rows: those.map(past => ({
        id: past.id,
        height: PAST_ROW_PX,
        draw: (tabbable, place) => {
          const live = liveTask(snapshot, past.task);
          const task = live ?? past.task;
          return (
            <TaskRow
              key={past.id}
              id={past.id}
              task={task}
              when={timeOfDay(task.started_at ?? task.created_at, trans)}
              earlier={task.earlier && past.thread_id === thread}
              said={past.utterance || past.thread_title}
              tabbable={tabbable}
              place={first + place}
              places={more ? -1 : tasks.length}
              onOpen={() => open(past, 'past')}
              onLog={() => open(past, 'log')}
              onAgain={live && !hasEnded(live) ? undefined : () => again(past)}
            />
          );
        }
      }))
    };
  });
  const filtered = wanted !== '' || state !== '' || area !== '';
  return (
    <div class="vk-list">
      <div class="vk-list-tools">
        <SearchBox value={query} label={trans.__('Search the history')} onChange={setQuery}>
          {loading && <Spinner />}
        </SearchBox>
        <div class="vk-selects">
          <select
            aria-label={trans.__('How it ended')}
            value={state}
            onChange={event => setState(event.currentTarget.value as Task['state'] | '')}
          >
            <option value="">{trans.__('Outcome')}</option>
            {STATES.map(each => (
              <option key={each} value={each}>
                {taskState(each, trans)}
              </option>
            ))}
          </select>
          <select aria-label={trans.__('Kind')} value={area} onChange={event => setArea(event.currentTarget.value)}>
            <option value="">{trans.__('Kind')}</option>
            {AREAS.map(each => (
              <option key={each} value={each}>
                {areaName(each, trans)}
              </option>
            ))}
          </select>
          <select
            aria-label={trans.__('Where')}
            value={everywhere ? 'everywhere' : ''}
            onChange={event => setEverywhere(event.currentTarget.value === 'everywhere')}
          >
            <option value="everywhere">{trans.__('Everywhere')}</option>
            <option value="">{trans.__('This notebook')}</option>
          </select>
        </div>
      </div>
      <RowList
        groups={groups}
        label={trans.__('History')}
        busy={loading}
        box={box}
        onEnd={canLoad ? loadMore : undefined}
        after={
          <>
            {canLoad && (
              <button type="button" class="vk-link vk-more" onClick={loadMore}>
                {trans.__('Show more')}
              </button>
            )}
            {more && tasks.length >= MAX_ROWS && (
              <p class="vk-empty">{trans.__('There is more: search for it in other words.')}</p>
            )}
          </>
        }
      >
        {problem && (
          <Note tone="warning" message={problem.message} hint={problem.hint}>
            <button type="button" class="vk-link" onClick={() => load(null)}>
              {trans.__('Try again')}
            </button>
          </Note>
        )}
        {!loading && !problem && tasks.length === 0 && (
          <p class="vk-empty">
            {filtered ? trans.__('Nothing in the history fits.') : trans.__('Nothing is kept yet.')}
          </p>
        )}
      </RowList>
    </div>
  );
}
