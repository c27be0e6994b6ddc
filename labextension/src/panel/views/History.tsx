/** Everything that was ever done and is still kept, newest first: searched as one types, a page at a time. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { FindTasks, PastTask, Problem, Task } from '../../messages.gen';
import { problemOf } from '../requests';
import { type Snapshot, hasEnded } from '../store';
import { HEAD_PX, PAST_ROW_PX } from '../tasklist';
import type { Translator } from '../translation';
import { day, taskState, timeOfDay } from '../wording';
import { Spinner } from './Icon';
import { Note } from './Note';
import { SearchBox } from './SearchBox';
import { TaskRow } from './TaskRow';
import { liveTask } from './TaskSheet';
import { usePanel } from './context';
import { useSettled, useWindow } from './hooks';

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

interface Found {
  readonly tasks: readonly PastTask[];
  readonly more: boolean;
  readonly problem: Problem | null;
  readonly loading: boolean;
}

type Row = { readonly head: string } | { readonly head: null; readonly past: PastTask };

function rowsOf(tasks: readonly PastTask[], trans: Translator): Row[] {
  const rows: Row[] = [];
  let shown = '';
  for (const past of tasks) {
    const date = day(past.task.created_at, trans);
    if (date !== shown) {
      rows.push({ head: date });
      shown = date;
    }
    rows.push({ head: null, past });
  }
  return rows;
}

export function History({ snapshot }: { snapshot: Snapshot }) {
  const { send, store, requests, say, trans } = usePanel();
  const [query, setQuery] = useState('');
  const [state, setState] = useState<Task['state'] | ''>('');
  const [area, setArea] = useState('');
  const [everywhere, setEverywhere] = useState(true);
  const [found, setFound] = useState<Found>({ tasks: [], more: false, problem: null, loading: true });
  const wanted = useSettled(query.trim(), TYPING_MS);
  const asked = useRef(0);

  const load = async (before: number | null): Promise<void> => {
    const asking = ++asked.current;
    setFound(now => ({ ...now, loading: true }));
    const question: Omit<FindTasks, 'type' | 'id'> = {
      query: wanted,
      states: state ? [state] : [],
      areas: area ? [area] : [],
      everywhere,
      before,
      limit: PAGE
    };
    try {
      const answer = await requests.ask('find_tasks', question);
      if (asking === asked.current) {
        setFound(now => ({
          tasks: before === null ? answer.tasks : [...now.tasks, ...answer.tasks],
          more: answer.more,
          problem: null,
          loading: false
        }));
      }
    } catch (error) {
      const problem = problemOf(error);
      if (asking === asked.current) {
        setFound(now => ({ ...now, problem, loading: false }));
      }
    }
  };
  const { tasks, more, problem, loading } = found;
  const rows = rowsOf(tasks, trans);
  const heights = rows.map(row => (row.head === null ? PAST_ROW_PX : HEAD_PX));
  const { ref, from, to, before, after } = useWindow<HTMLDivElement>(heights);

  // What ended since this was asked for belongs on top; a person who reads further down is left in peace.
  let ended = 0;
  snapshot.session.tasks.forEach(task => (ended += hasEnded(task) ? 1 : 0));
  const version = `${snapshot.session.keeping.thread?.id ?? ''} ${useSettled(ended, 1_000)}`;
  useEffect(() => {
    if ((ref.current?.scrollTop ?? 0) < PAST_ROW_PX) {
      void load(null);
    }
  }, [wanted, state, area, everywhere, version]);
  useEffect(() => {
    ref.current?.scrollTo({ top: 0 });
  }, [wanted, state, area, everywhere]);
  const canLoad = more && !loading && !problem && tasks.length < MAX_ROWS;
  const loadMore = (): void => void load(tasks[tasks.length - 1]?.id ?? null);
  useEffect(() => {
    if (canLoad && rows.length > 0 && to === rows.length) {
      loadMore();
    }
  }, [canLoad, to, rows.length]);

  const again = ({ task }: PastTask): void => {
    send({
      type: 'do',
      text: trans.__('Run again: %1', task.title),
      calls: [{ tool: task.tool, arguments: task.arguments }]
    });
    store.update({ place: 'tasks', filter: 'all', search: '' });
    say(trans.__('Running again.'));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = (event.target as HTMLElement).closest('[data-row]');
    const all = [...(ref.current?.querySelectorAll('[data-row]') ?? [])];
    if (step === undefined || !row) {
      return;
    }
    event.preventDefault();
    const next = all[all.indexOf(row) + step];
    next?.scrollIntoView({ block: 'nearest' });
    next?.querySelector<HTMLElement>('.vk-row-main')?.focus({ preventScroll: true });
  };

  const groups: { readonly head: string; readonly shown: boolean; readonly tasks: PastTask[] }[] = [];
  for (const row of rows.slice(from, to)) {
    if (row.head !== null) {
      groups.push({ head: row.head, shown: true, tasks: [] });
    } else {
      if (groups.length === 0) {
        groups.push({ head: day(row.past.task.created_at, trans), shown: false, tasks: [] });
      }
      groups[groups.length - 1]!.tasks.push(row.past);
    }
  }
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
      <div
        ref={ref}
        class="vk-scroll"
        role="group"
        aria-label={trans.__('History')}
        aria-busy={loading}
        tabIndex={-1}
        onKeyDown={onKeyDown}
      >
        {problem && (
          <Note tone="warning" message={problem.message} hint={problem.hint}>
            <button type="button" class="vk-link" onClick={() => void load(null)}>
              {trans.__('Try again')}
            </button>
          </Note>
        )}
        {!loading && !problem && tasks.length === 0 && (
          <p class="vk-empty">
            {filtered ? trans.__('Nothing in the history fits.') : trans.__('Nothing is kept yet.')}
          </p>
        )}
        <div style={{ height: `${before}px` }} />
        {groups.map(group => (
          <div key={group.head}>
            {group.shown && <h3 class="vk-group">{group.head}</h3>}
            {group.tasks.length > 0 && <ul>
              {group.tasks.map(past => {
                const live = liveTask(snapshot, past.task);
                const task = live ?? past.task;
                const open = (name: 'past' | 'log'): void =>
                  store.open(name === 'past' ? { name, past } : { name, task, past: live ? null : past });
                return (
                  <TaskRow
                    key={past.id}
                    task={task}
                    when={timeOfDay(task.started_at ?? task.created_at)}
                    earlier={task.earlier && past.thread_id === snapshot.session.keeping.thread?.id}
                    said={past.utterance || past.thread_title}
                    tabbable
                    place={tasks.indexOf(past) + 1}
                    places={more ? -1 : tasks.length}
                    onOpen={() => open('past')}
                    onLog={() => open('log')}
                    onAgain={live && !hasEnded(live) ? undefined : () => again(past)}
                  />
                );
              })}
            </ul>}
          </div>
        ))}
        <div style={{ height: `${after}px` }} />
        {canLoad && (
          <button type="button" class="vk-link vk-more" onClick={loadMore}>
            {trans.__('Show more')}
          </button>
        )}
        {more && tasks.length >= MAX_ROWS && (
          <p class="vk-empty">{trans.__('There is more: search for it in other words.')}</p>
        )}
      </div>
    </div>
  );
}
