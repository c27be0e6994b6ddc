/** One task in full: what was asked, how it went, what it gave back, and all that can be done with it. */
import { useEffect } from 'preact/hooks';
import type { PastTask, Task } from '../../messages.gen';
import { outputText } from '../output';
import { type Snapshot, hasEnded } from '../store';
import { clock, commandText, moment, queuePlace } from '../wording';
import { CopyButton } from './CopyButton';
import { Icon } from './Icon';
import { SheetFrame } from './Sheets';
import { TaskBody } from './TaskBody';
import { Elapsed, ProgressBar, QueueMoves, StateMark } from './TaskParts';
import { originName } from './TurnView';
import { usePanel } from './context';
import { useNow } from './hooks';

/** The task of this session that a task of the history is, if it is one. */
export function liveTask(snapshot: Snapshot, task: Task): Task | null {
  const known = snapshot.session.tasks.get(task.id);
  return known && known.created_at === task.created_at ? known : null;
}

function Deadline({ task }: { task: Task }) {
  const { trans } = usePanel();
  const ticking = task.deadline_at !== null && !hasEnded(task);
  const now = useNow(ticking);
  return ticking ? <dd>{trans.__('in %1 at the latest', clock(task.deadline_at! - now / 1_000))}</dd> : null;
}

function Facts({ task, past, said }: { task: Task; past: PastTask | null; said: string }) {
  const { trans } = usePanel();
  const queue = queuePlace(task, trans);
  return (
    <dl class="vk-facts">
      {said && (
        <div>
          <dt>{originName(task.origin, trans)}</dt>
          <dd>{trans.__('“%1”', said)}</dd>
        </div>
      )}
      <div>
        <dt>{trans.__('Started')}</dt>
        <dd>{moment(task.started_at ?? task.created_at, trans)}</dd>
      </div>
      {queue && (
        <div>
          <dt>{trans.__('Place')}</dt>
          <dd class="vk-queue">
            <span>{queue}</span>
            <QueueMoves task={task} />
          </dd>
        </div>
      )}
      {task.deadline_at !== null && !hasEnded(task) && (
        <div>
          <dt>{trans.__('Ends')}</dt>
          <Deadline task={task} />
        </div>
      )}
      {past?.thread_title && (
        <div>
          <dt>{trans.__('Conversation')}</dt>
          <dd>{past.thread_title}</dd>
        </div>
      )}
    </dl>
  );
}

function Actions({ task, past, live }: { task: Task; past: PastTask | null; live: boolean }) {
  const { send, store, say, hasComposer, trans } = usePanel();
  const ended = hasEnded(task);
  const output = outputText(task);
  const repeat = (): void => {
    if (live) {
      send({ type: 'retry_task', task_id: task.id });
    } else {
      send({
        type: 'do',
        text: trans.__('Run again: %1', task.title),
        calls: [{ tool: task.tool, arguments: task.arguments }]
      });
    }
    store.update({ place: 'tasks', sheets: [], filter: 'all', search: '' });
    say(trans.__('Running again.'));
  };
  return (
    <div class="vk-actions">
      {live && !ended && (
        <button type="button" class="vk-button vk-small" onClick={() => send({ type: 'cancel_task', task_id: task.id })}>
          <Icon name="stop" /> {trans.__('Cancel')}
        </button>
      )}
      {ended && hasComposer && (
        <button type="button" class="vk-button vk-small" onClick={repeat}>
          <Icon name="retry" /> {live ? trans.__('Retry') : trans.__('Run again')}
        </button>
      )}
      {task.log_path && (
        <button type="button" class="vk-button vk-small" onClick={() => store.open({ name: 'log', task, past: live ? null : past })}>
          <Icon name="lines" /> {trans.__('Open log')}
        </button>
      )}
      {hasComposer && (
        <button type="button" class="vk-button vk-small" onClick={() => store.open({ name: 'again', task, past })}>
          <Icon name="edit" /> {trans.__('Run again with changes…')}
        </button>
      )}
      {output && <CopyButton text={() => output} label={trans.__('Copy output')} wordy />}
    </div>
  );
}

export interface TaskSheetProps {
  readonly snapshot: Snapshot;
  readonly taskId: number;
  /** Set for a task that was found in the history. */
  readonly past: PastTask | null;
}

export function TaskSheet({ snapshot, taskId, past }: TaskSheetProps) {
  const { store, trans } = usePanel();
  const { session } = snapshot;
  const live = past ? liveTask(snapshot, past.task) : (session.tasks.get(taskId) ?? null);
  const task = live ?? past?.task;
  useEffect(() => {
    if (!task) {
      store.close('all'); // another conversation was opened, and the task is not of it
    }
  }, [task === undefined]);
  if (!task) {
    return null;
  }
  const said = past?.utterance || (session.turns.get(task.turn_id)?.text ?? '');
  return (
    <SheetFrame
      title={
        <>
          {trans.__('Task %1', task.id)} <StateMark state={task.state} /> <Elapsed task={task} />
        </>
      }
    >
      <div class="vk-sheet-body" tabIndex={0} role="group" aria-label={trans.__('Task %1', task.id)}>
        <div class="vk-code">
          <pre class="vk-command" tabIndex={0} role="group" aria-label={trans.__('Command')}>
            {commandText(task)}
          </pre>
          <CopyButton text={() => commandText(task)} label={trans.__('Copy command')} />
        </div>
        <Actions task={task} past={past} live={live !== null} />
        <ProgressBar task={task} />
        <Facts task={task} past={past} said={said} />
        {task.earlier && <p class="vk-hint">{trans.__('An earlier kernel ran this, before the restart.')}</p>}
        <TaskBody task={task} past={live ? null : past} skipped={session.skipped.get(task.id) ?? 0} inSheet />
      </div>
    </SheetFrame>
  );
}
