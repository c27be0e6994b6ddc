/** The small parts of a task that its card, its row and its sheet share. */
import type { Task } from '../../messages.gen';
import { hasEnded } from '../store';
import { isLastInLine } from '../tasklist';
import { clock, duration, progressText, taskState } from '../wording';
import { Icon, type IconName, Spinner } from './Icon';
import { usePanel } from './context';
import { useNow } from './hooks';

const STATE_ICON: Record<Exclude<Task['state'], 'running'>, IconName> = {
  queued: 'clock',
  awaiting_approval: 'hand',
  succeeded: 'check',
  failed: 'cross',
  cancelled: 'minus',
  interrupted: 'broken'
};

function StateIcon({ state }: { state: Task['state'] }) {
  return state === 'running' ? <Spinner /> : <Icon name={STATE_ICON[state]} />;
}

export function StateMark({ state }: { state: Task['state'] }) {
  const { trans } = usePanel();
  return (
    <span class={`vk-state vk-state-${state}`}>
      <StateIcon state={state} />
      <span class="vk-state-word">{taskState(state, trans)}</span>
    </span>
  );
}

/** How long a task has been running, ticking, or how long it took. */
export function Elapsed({ task }: { task: Task }) {
  const { trans } = usePanel();
  const running = task.state === 'running' && task.started_at !== null;
  const now = useNow(running);
  if (task.started_at === null || (!running && task.ended_at === null)) {
    return null;
  }
  const seconds = (task.ended_at ?? now / 1_000) - task.started_at;
  return <span class="vk-elapsed">{running ? clock(seconds) : duration(seconds, trans)}</span>;
}

/** A task's title: the tool stands back behind what it is given. */
export function Title({ task }: { task: Pick<Task, 'title' | 'tool'> }) {
  const { title, tool } = task;
  return title.startsWith(`${tool} `) ? (
    <>
      <span class="vk-tool">{tool}</span>
      {title.slice(tool.length)}
    </>
  ) : (
    <>{title}</>
  );
}

/** The bar alone; it moves without an end where the end is not known. */
export function Bar({ task }: { task: Task }) {
  const { trans } = usePanel();
  const { fraction = null, done = null, total = null } = task.progress ?? {};
  const value = fraction ?? (done !== null && total ? Math.min(1, done / total) : null);
  return (
    <progress aria-label={trans.__('Progress of task %1', task.id)} {...(value === null ? {} : { value })} max={1} />
  );
}

export function ProgressBar({ task }: { task: Task }) {
  const { trans } = usePanel();
  if (task.state !== 'running' || !task.progress) {
    return null;
  }
  return (
    <div class="vk-progress">
      <Bar task={task} />
      <span class="vk-progress-label">{progressText(task.progress, trans)}</span>
    </div>
  );
}

/** Cancel while a task goes on, Retry once it has ended. `short`: where there is little room, an icon says it. */
export function StopOrRetry({ task, tabIndex = 0, short = false }: { task: Task; tabIndex?: number; short?: boolean }) {
  const { send, hasComposer, trans } = usePanel();
  if (!hasEnded(task)) {
    return (
      <button
        type="button"
        class={short ? 'vk-button vk-small vk-short' : 'vk-button vk-small'}
        tabIndex={tabIndex}
        aria-label={trans.__('Cancel task %1', task.id)}
        title={trans.__('Cancel')}
        onClick={() => send({ type: 'cancel_task', task_id: task.id })}
      >
        {short && <Icon name="cross" />}
        <span class="vk-button-word">{trans.__('Cancel')}</span>
      </button>
    );
  }
  if (!hasComposer) {
    return null;
  }
  const interrupted = task.state === 'interrupted';
  return (
    <button
      type="button"
      class={!interrupted ? 'vk-icon-button' : short ? 'vk-button vk-small vk-short' : 'vk-button vk-small'}
      tabIndex={tabIndex}
      aria-label={trans.__('Retry task %1', task.id)}
      title={trans.__('Retry')}
      onClick={() => send({ type: 'retry_task', task_id: task.id })}
    >
      <Icon name="retry" />
      {interrupted && <span class="vk-button-word">{trans.__('Retry')}</span>}
    </button>
  );
}

/** Changes the place of a task that waits in a queue. */
export function QueueMoves({ task, tabIndex = 0 }: { task: Task; tabIndex?: number }) {
  const { send, store, trans } = usePanel();
  if (task.state !== 'queued' || task.queue_position === null) {
    return null;
  }
  const isFirst = task.queue_position === 1;
  const isLast = isLastInLine(task, store.snapshot.session.tasks.values());
  const move = (icon: IconName, to: 'first' | 'up' | 'down', label: string, off: boolean) => (
    <button
      type="button"
      class="vk-icon-button"
      tabIndex={tabIndex}
      aria-label={label}
      title={label}
      aria-disabled={off}
      onClick={() => off || send({ type: 'move_task', task_id: task.id, to })}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <span class="vk-moves">
      {move('first', 'first', trans.__('Move task %1 to the front', task.id), isFirst)}
      {move('up', 'up', trans.__('Move task %1 up', task.id), isFirst)}
      {move('down', 'down', trans.__('Move task %1 down', task.id), isLast)}
    </span>
  );
}
